//! How a table's text becomes green: semantics, "Rewriting".
//!
//! - Names of every impacted table get the next version in DDL, INSERT, FROM and JOIN; other inputs stay as they are.
//! - A reader table keeps its topic; only group and client ids change. A written table gets a topic, group, client id and
//!   transactional id prefix of its own.
//! - A new column is nullable in the reader's DDL and in every output; its default is applied once, where the reader table
//!   is read, and only if no record with the new schema can hold a NULL there.

use std::collections::BTreeMap;

use super::document::Role;
use super::estate::{Estate, Table};
use crate::diagnostic::{Diagnostic, Edit};
use crate::model::column::Column;
use crate::model::manifest::DeployedTable;
use crate::model::name;
use crate::sql;

/// A column on its way through the cascade.
#[derive(Clone, Debug, PartialEq)]
pub struct NewColumn {
    /// Name and type; nullable.
    pub column: Column,
    /// Where it comes from: (physical name of the input, expression with `{}` for the column).
    pub from: Option<(String, Option<String>)>,
}

/// Options that hold an id of blue's own.
const OWN_IDS: [&str; 3] = ["properties.group.id", "properties.client.id", "sink.transactional-id-prefix"];

/// Green names by blue ones, physical.
pub type Names = BTreeMap<String, String>;

/// The green version of `table`. `names` maps every impacted table's physical name to the green one; `added` are the columns
/// that it gets.
///
/// # Errors
/// A diagnostic when a text cannot be edited.
pub fn green(estate: &Estate, table: &Table, names: &Names, added: &[NewColumn]) -> Result<DeployedTable, Diagnostic> {
    let blue = &table.deployed;
    let version = blue.version.next();
    let physical = name::physical(&table.name, version);
    let mut carried = Vec::new();
    for new in added {
        let edits = carry(estate, table, names, new).map_err(|why| {
            let text = format!("column `{}` cannot be carried: {why}", new.column.name);
            Diagnostic::error("C131", text).in_file(blue.dml_file.as_ref().unwrap_or(&blue.ddl_file))
        })?;
        carried.extend(edits.edits);
    }
    let mut ddl = ddl_edits(table, names, added);
    if table.role == Role::View {
        ddl.append(&mut carried);
    }
    let ddl = edited(&blue.ddl, &blue.ddl_file, ddl)?;
    let dml = match (&blue.dml, &blue.dml_file, &table.dml) {
        (Some(text), Some(file), Some(statement)) => {
            carried.extend(sql::rename_tables(statement, names));
            Some(edited(text, file, carried)?)
        }
        _ => None,
    };
    let topic = match table.role {
        Role::Written => blue.topic.as_deref().map(next_name),
        Role::Reader | Role::View => blue.topic.clone(),
    };
    Ok(DeployedTable {
        version,
        physical,
        ddl_file: blue.ddl_file.clone(),
        ddl,
        dml_file: blue.dml_file.clone(),
        dml,
        topic,
        job: None,
    })
}

/// The edits that carry `new` into the result of the table's INSERT, or into the view.
///
/// # Errors
/// Why it cannot be carried, in plain words.
pub fn carry(estate: &Estate, table: &Table, names: &Names, new: &NewColumn) -> Result<sql::Carried, String> {
    let Some((from, expr)) = &new.from else { return Ok(sql::Carried::default()) };
    let column = &new.column.name;
    let what = sql::Carry { from_table: from, column, expr: expr.as_deref(), output: column, names: Some(names) };
    let (ddl, dml) = (&table.deployed.ddl, table.deployed.dml.as_deref().unwrap_or(""));
    match (table.insert(), table.view()) {
        (Some(insert), _) => sql::carry(dml, insert, what, &estate.catalog),
        (None, Some(view)) => sql::carry_view(ddl, view, what, &estate.catalog),
        (None, None) => return Ok(sql::Carried::default()),
    }
    .map_err(|why| why.to_string())
}

/// A name with its version suffix raised: `shop.orders` is `shop.orders_v2`, `shop.orders_v2` is `shop.orders_v3`.
pub fn next_name(text: &str) -> String {
    let (base, version) = name::split(text);
    name::physical(base, version.next())
}

fn ddl_edits(table: &Table, names: &Names, added: &[NewColumn]) -> Vec<Edit> {
    let text = &table.deployed.ddl;
    let mut edits = sql::rename_tables(&table.ddl, names);
    let Some(create) = table.create() else { return edits };
    let mut raise = |key: &str| {
        if let Some(option) = create.option(key) {
            edits.push(sql::set_option(text, create, key, &next_name(&option.value)));
        }
    };
    if table.role == Role::Written {
        raise("topic");
    }
    OWN_IDS.into_iter().for_each(&mut raise);
    // One edit for all: they go to the same place.
    let columns: Vec<Edit> = added.iter().map(|new| sql::add_column(text, create, &new.column)).collect();
    edits.extend(merged(columns));
    edits
}

/// Insertions at one place put together, in order.
fn merged(edits: Vec<Edit>) -> Vec<Edit> {
    let mut out: Vec<Edit> = Vec::new();
    for edit in edits {
        match out.iter_mut().find(|e| e.span == edit.span) {
            Some(same) => same.text.push_str(&edit.text),
            None => out.push(edit),
        }
    }
    out
}

fn edited(text: &str, file: &str, edits: Vec<Edit>) -> Result<String, Diagnostic> {
    sql::apply(text, &merged(edits))
        .map_err(|e| Diagnostic::error("C130", format!("{file} cannot be rewritten: {e}")).in_file(file))
}
