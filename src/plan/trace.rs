//! Where a table or a column comes from and where it goes, over all statements, with every kind of use.
//!
//! Rules: `steps` goes from each column to those that its own query names, and a view is a place there like a table; so
//! what it gives grows with the project and not with how many views stand on each other. What is said of the columns of one
//! statement ([`filled`]) looks through views down to tables.

mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

pub use self::steps::{Edge, Trace, columns, of};

use super::estate::{Estate, Table};
use super::{graph, parity};
use crate::model::column::ColumnType;
use crate::model::parity::ColumnClass;
use crate::sql::{self, UseKind};

/// One column that a statement fills, by the tables that it reads; views are looked through.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnLineage {
    /// Table.
    pub table: String,
    /// Column.
    pub column: String,
    /// Its type as DDL has it, where it follows.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub ty: Option<String>,
    /// How two runs of the statement are compared in it, and what decides that.
    #[serde(flatten)]
    pub class: Option<ColumnClass>,
    /// What its value is made of, as `table.column`.
    pub origins: Vec<String>,
    /// What its value or its rows depend on besides.
    pub influences: Vec<Influence>,
}

/// A column that a value or a row depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Influence {
    /// As `table.column`.
    pub column: String,
    /// How: `filter`, `join`, `group`, `order`, `partition`, `window`, `pattern`, `watermark`, `key`.
    #[serde(rename = "use")]
    pub used: &'static str,
}

/// State that the statement of a table keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeptState {
    /// The operator.
    pub operator: &'static str,
    /// What bounds it: `ttl` (nothing else), `nothing`, `window`, `interval`, `watermark`, `row count`.
    pub bounded_by: &'static str,
    /// The view that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
}

/// How the rows that a statement gives change later on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowChanges {
    /// `append`, `upsert`, `retract`, or `unknown`.
    pub mode: &'static str,
    /// The columns by which a changed row is known; with `upsert` only.
    pub key: Vec<String>,
    /// What decides.
    pub because: Vec<Deciding>,
}

/// What decides how rows change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deciding {
    /// The operator or the table.
    #[serde(flatten)]
    pub what: Decider,
    /// The view that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
}

/// An operator or a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Decider {
    /// An operator.
    Operator(&'static str),
    /// A table that is read.
    Source(String),
}

/// A function that is taken for one of each row; if it is an aggregate, rows change and state is kept all the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Assumed {
    /// The function as it is written.
    pub function: String,
    /// The view that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
}

/// What the statement of one table does: its columns, how its rows change, and its state.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Filled {
    /// The columns that it fills, in order; empty for a table that no statement here fills.
    pub columns: Vec<ColumnLineage>,
    /// How its rows change; nothing for a table that no statement here fills.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changelog: Option<RowChanges>,
    /// The state that it keeps.
    pub state: Vec<KeptState>,
    /// The functions that are no aggregates, if what is said of changes and state is to hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assumes: Vec<Assumed>,
}

/// What the statement that fills `table`, or its view, does; with a column, about that column alone.
pub fn filled(estate: &Estate, table: &str, column: Option<&str>) -> Filled {
    let own =
        estate.tables.get(table).or_else(|| estate.tables.get(estate.logical.get(table).unwrap_or(&String::new())));
    let Some(own) = own else { return Filled::default() };
    let statement = own.dml.as_ref().unwrap_or(&own.ddl);
    let known = &estate.known;
    let logical = |origin: &sql::Origin| {
        let table = estate.logical.get(&origin.table).unwrap_or(&origin.table);
        format!("{table}.{}", origin.column)
    };
    let influence = |(origin, kind): &(sql::Origin, UseKind)| Influence { column: logical(origin), used: name(*kind) };
    let mut columns = Vec::new();
    let rows = sql::Rows::of(statement, known);
    let made = rows.types();
    let classes = classes(estate, &own.name);
    let declared = declared(own);
    for (flow, made) in known.flows_of_one(statement).iter().zip(made) {
        for (place, filled) in flow.columns.iter().enumerate() {
            if column.is_some_and(|column| column != filled.name) {
                continue;
            }
            let influences: BTreeSet<Influence> = filled.influences.iter().chain(&flow.rows).map(influence).collect();
            columns.push(ColumnLineage {
                table: own.name.clone(),
                column: filled.name.clone(),
                ty: declared
                    .get(&filled.name)
                    .cloned()
                    .or_else(|| made.as_ref()?.get(place)?.ty.as_ref().map(ToString::to_string)),
                class: classes.get(&filled.name).cloned(),
                origins: filled.origins.iter().map(logical).collect(),
                influences: influences.into_iter().collect(),
            });
        }
    }
    let state = rows.state().into_iter().map(|state| KeptState {
        operator: state.operator.name(),
        bounded_by: state.bounded_by.name(),
        view: state.via.map(|view| estate.logical.get(&view).cloned().unwrap_or(view)),
    });
    let changelogs = rows.changelogs();
    let assumed = changelogs.iter().flat_map(|found| &found.assumes).map(|assumed| Assumed {
        function: assumed.function.clone(),
        view: assumed.via.as_ref().map(|view| estate.logical.get(view).unwrap_or(view).clone()),
    });
    let assumes = assumed.collect::<BTreeSet<_>>().into_iter().collect();
    let changelog = changelogs.into_iter().next().map(|found| row_changes(found, estate));
    Filled { columns, changelog, state: state.collect(), assumes }
}

/// The classes of the columns of `table`, where everything before it runs twice as well; nothing where tables depend on each other
/// in a circle.
fn classes(estate: &Estate, table: &str) -> BTreeMap<String, ColumnClass> {
    let Ok(graph) = graph::build(estate) else { return BTreeMap::new() };
    let before = graph.sorted(&graph.upstream(&BTreeSet::from([table.to_owned()])));
    let order = before.iter().map(String::as_str);
    parity::classes(estate, order, |_| true, &BTreeMap::new()).remove(table).unwrap_or_default()
}

/// The types that a table's definition gives its columns.
fn declared(table: &Table) -> BTreeMap<String, String> {
    let columns = table.defined().map(|create| create.schema()).unwrap_or_default();
    let known = columns.into_iter().filter(|column| !matches!(column.ty.ty, ColumnType::Other(_)));
    known.map(|column| (column.name, column.ty.to_string())).collect()
}

fn row_changes(found: sql::Changelog, estate: &Estate) -> RowChanges {
    let logical = |name: String| estate.logical.get(&name).cloned().unwrap_or(name);
    let deciding = |because: sql::Because| Deciding {
        what: match because.cause {
            sql::Cause::Operator(name) => Decider::Operator(name),
            sql::Cause::Source(table) => Decider::Source(logical(table)),
        },
        view: because.via.map(logical),
    };
    let mut because: Vec<Deciding> = Vec::new();
    for one in found.because.into_iter().map(deciding) {
        if !because.contains(&one) {
            because.push(one);
        }
    }
    RowChanges { mode: found.mode.name(), key: found.key, because }
}

impl fmt::Display for Assumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.view {
            Some(view) => write!(f, "{} in {view}", self.function),
            None => f.write_str(&self.function),
        }
    }
}

impl fmt::Display for RowChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.mode)?;
        if !self.key.is_empty() {
            write!(f, " by {}", self.key.join(", "))?;
        } else if self.mode == "retract" {
            f.write_str(", no key is left")?;
        }
        let names = self.because.iter().map(|because| match (&because.what, &because.view) {
            (Decider::Operator(name), Some(view)) => format!("{name} in {view}"),
            (Decider::Operator(name), None) => (*name).to_owned(),
            (Decider::Source(table), Some(view)) => format!("{table} in {view}"),
            (Decider::Source(table), None) => table.clone(),
        });
        write!(f, " ({})", names.collect::<Vec<_>>().join(", "))
    }
}

/// A use in one word, for programs.
const fn name(kind: UseKind) -> &'static str {
    match kind {
        UseKind::Direct => "direct",
        UseKind::Computed => "computed",
        UseKind::Aggregated => "aggregated",
        UseKind::Filter => "filter",
        UseKind::Join => "join",
        UseKind::Group => "group",
        UseKind::Order => "order",
        UseKind::Partition => "partition",
        UseKind::Window => "window",
        UseKind::Pattern => "pattern",
        UseKind::Watermark => "watermark",
        UseKind::Key => "key",
        UseKind::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests;
