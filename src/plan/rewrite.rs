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
use crate::sql::{self, CannotEdit, EditSet};

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

/// What the edits that carry a column are called in errors.
const CARRY: &str = "carry columns";

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
    let (for_ddl, for_dml) = if table.role == Role::View { (carried, Vec::new()) } else { (Vec::new(), carried) };
    let ddl = green_ddl(table, names, added, for_ddl).map_err(|why| cannot_rewrite(&blue.ddl_file, &why))?;
    let dml = match (&blue.dml, &blue.dml_file, &table.dml) {
        (Some(text), Some(file), Some(statement)) => {
            let mut edits = EditSet::new(text);
            edits.include(CARRY, for_dml).rename_tables(statement, names);
            Some(edits.apply().map_err(|why| cannot_rewrite(file, &why))?)
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

fn green_ddl(table: &Table, names: &Names, added: &[NewColumn], carried: Vec<Edit>) -> Result<String, CannotEdit> {
    let text = &table.deployed.ddl;
    let mut edits = EditSet::new(text);
    edits.rename_tables(&table.ddl, names).include(CARRY, carried);
    let Some(create) = table.create() else { return edits.apply() };
    let topic = (table.role == Role::Written).then_some("topic");
    for option in topic.into_iter().chain(OWN_IDS).filter_map(|key| create.option(key)) {
        edits.set_option(create, &option.key, &next_name(&option.value));
    }
    for new in added {
        edits.add_column(create, &new.column)?;
    }
    edits.apply()
}

fn cannot_rewrite(file: &str, why: &CannotEdit) -> Diagnostic {
    Diagnostic::error("C130", format!("{file} cannot be rewritten: {why}")).in_file(file)
}
