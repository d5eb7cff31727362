//! Where a table or a column comes from and where it goes, over all statements, with every kind of use.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::estate::{Estate, Table};
use crate::model::column::ColumnType;
use crate::model::parity::ColumnClass;
use crate::sql::{self, UseKind};

/// Both directions from one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// `table` or `table.column`.
    pub target: String,
    /// What it is made of, nearest first.
    pub sources: Vec<Edge>,
    /// What is made of it, nearest first.
    pub uses: Vec<Edge>,
}

/// One column used for another, or for the rows of a table (`table.*`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// `table.column` that is used.
    pub from: String,
    /// `table.column` that it is used for.
    pub to: String,
    /// How.
    pub uses: Vec<String>,
}

/// A column of a table, or all its rows (`*`).
type Place = (String, String);

/// How rows are written in a place.
const ROWS: &str = "*";

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
    let mut known = sql::Definitions::default();
    estate.tables.values().for_each(|table| known.add(&table.ddl));
    let logical = |origin: &sql::Origin| {
        let table = estate.logical.get(&origin.table).unwrap_or(&origin.table);
        format!("{table}.{}", origin.column)
    };
    let influence = |(origin, kind): &(sql::Origin, UseKind)| Influence { column: logical(origin), used: name(*kind) };
    let mut columns = Vec::new();
    let made = sql::statement_types(statement, &known);
    let classes = classes(estate, &own.name);
    for (flow, made) in known.flows(statement).iter().zip(made) {
        for (place, filled) in flow.columns.iter().enumerate() {
            if column.is_some_and(|column| column != filled.name) {
                continue;
            }
            let influences: BTreeSet<Influence> = filled.influences.iter().chain(&flow.rows).map(influence).collect();
            columns.push(ColumnLineage {
                table: own.name.clone(),
                column: filled.name.clone(),
                ty: declared(own, &filled.name)
                    .or_else(|| made.as_ref()?.get(place)?.ty.as_ref().map(ToString::to_string)),
                class: classes.get(&filled.name).cloned(),
                origins: filled.origins.iter().map(logical).collect(),
                influences: influences.into_iter().collect(),
            });
        }
    }
    let state = sql::state(statement, &known).into_iter().map(|state| KeptState {
        operator: state.operator.name(),
        bounded_by: state.bounded_by.name(),
        view: state.via.map(|view| estate.logical.get(&view).cloned().unwrap_or(view)),
    });
    let changelogs = sql::changelogs(statement, &known);
    let assumed = changelogs.iter().flat_map(|found| &found.assumes).map(|assumed| Assumed {
        function: assumed.function.clone(),
        view: assumed.via.as_ref().map(|view| estate.logical.get(view).unwrap_or(view).clone()),
    });
    let assumes = assumed.collect::<BTreeSet<_>>().into_iter().collect();
    let changelog = changelogs.into_iter().next().map(|found| row_changes(found, estate));
    Filled { columns, changelog, state: state.collect(), assumes }
}

/// How the columns of `table` are compared, with what they take over from the tables before it; nothing where tables depend on
/// each other in a circle.
fn classes(estate: &Estate, table: &str) -> BTreeMap<String, ColumnClass> {
    let Ok(graph) = super::graph::build(estate) else { return BTreeMap::new() };
    let mut classes = BTreeMap::new();
    for name in graph.sorted(&graph.upstream(&BTreeSet::from([table.to_owned()]))) {
        let Some(before) = estate.tables.get(&name) else { continue };
        classes.insert(name, super::parity::columns(estate, before, &[], &classes));
    }
    classes.remove(table).unwrap_or_default()
}

/// The type that a table's definition gives a column.
fn declared(table: &Table, column: &str) -> Option<String> {
    let column = table.create()?.schema().into_iter().find(|known| known.name == column)?;
    (!matches!(column.ty.ty, ColumnType::Other(_))).then(|| column.ty.to_string())
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

/// The trace of a table, or of one column of it; `None` when there is none of that name.
pub fn of(estate: &Estate, table: &str, column: Option<&str>) -> Option<Trace> {
    let own = estate.tables.get(table).or_else(|| estate.tables.get(estate.logical.get(table)?))?;
    let edges = edges(estate);
    let columns: BTreeSet<String> = match column {
        Some(column) => BTreeSet::from([column.to_owned()]),
        None => places(own, &edges),
    };
    if column.is_some_and(|c| !places(own, &edges).contains(c)) {
        return None;
    }
    let start: BTreeSet<Place> = columns.into_iter().map(|c| (own.name.clone(), c)).collect();
    let target = column.map_or_else(|| own.name.clone(), |c| format!("{}.{c}", own.name));
    let forward = walk(&edges, &start, |(from, to)| (from, to));
    let backward = walk(&edges, &start, |(from, to)| (to, from));
    Some(Trace { target, sources: shown(&edges, &backward), uses: shown(&edges, &forward) })
}

/// The columns of a table, by name; `None` when there is no such table.
pub fn columns(estate: &Estate, table: &str) -> Option<BTreeSet<String>> {
    let own = estate.tables.get(table).or_else(|| estate.tables.get(estate.logical.get(table)?))?;
    let mut columns = places(own, &edges(estate));
    columns.remove(ROWS);
    Some(columns)
}

type Edges = BTreeMap<(Place, Place), BTreeSet<&'static str>>;

/// Names of a table's columns, from its DDL or, for a view, from what its query gives.
fn places(table: &Table, edges: &Edges) -> BTreeSet<String> {
    let mut all: BTreeSet<String> =
        edges.keys().filter(|(_, to)| to.0 == table.name).map(|(_, to)| to.1.clone()).collect();
    all.extend(table.create().into_iter().flat_map(|c| c.schema()).map(|c| c.name));
    all.insert(ROWS.to_owned());
    all
}

fn edges(estate: &Estate) -> Edges {
    let mut edges = Edges::new();
    let mut reader = sql::Reader::new(&estate.catalog);
    for table in estate.tables.values() {
        let Some(query) = table.query() else { continue };
        let lineage = reader.lineage(query);
        let mut add = |used: &sql::ColumnUse, to: &str| {
            if let Some(from) = estate.logical.get(&used.table) {
                let edge = ((from.clone(), used.column.clone()), (table.name.clone(), to.to_owned()));
                edges.entry(edge).or_default().insert(word(used.kind));
            }
        };
        for (output, name) in lineage.outputs.iter().zip(super::parity::targets(table, &lineage.outputs)) {
            output.uses.iter().for_each(|used| add(used, &name));
        }
        lineage.rows.iter().for_each(|used| add(used, ROWS));
    }
    edges
}

/// Edges reached from `start`, in the order in which they are reached. Rows of a table decide about every column of it,
/// but are followed only where rows are asked for: otherwise everything would depend on everything.
fn walk<'e>(
    edges: &'e Edges,
    start: &BTreeSet<Place>,
    ends: impl Fn(&'e (Place, Place)) -> (&'e Place, &'e Place),
) -> Vec<&'e (Place, Place)> {
    let mut by_near: BTreeMap<&Place, Vec<&(Place, Place)>> = BTreeMap::new();
    for edge in edges.keys() {
        by_near.entry(ends(edge).0).or_default().push(edge);
    }
    let mut found: Vec<&(Place, Place)> = Vec::new();
    let mut reached: BTreeSet<Place> = start.clone();
    let mut edge_of: BTreeSet<Place> = start.clone();
    while !edge_of.is_empty() {
        let mut next = BTreeSet::new();
        // No place is at the edge twice, so no edge is found twice.
        let mut step: Vec<_> = edge_of.iter().filter_map(|near| by_near.get(near)).flatten().copied().collect();
        step.sort();
        for edge in &step {
            let far = ends(edge).1;
            if far.1 != ROWS && reached.insert(far.clone()) {
                next.insert(far.clone());
            }
        }
        found.append(&mut step);
        edge_of = next;
    }
    found
}

fn shown(edges: &Edges, found: &[&(Place, Place)]) -> Vec<Edge> {
    let name =
        |(table, column): &Place| if column == ROWS { format!("{table} (rows)") } else { format!("{table}.{column}") };
    let uses = |edge: &&(Place, Place)| edges.get(*edge).into_iter().flatten().map(|w| (*w).to_owned()).collect();
    found.iter().map(|edge| Edge { from: name(&edge.0), to: name(&edge.1), uses: uses(edge) }).collect()
}

/// A use in words.
fn word(kind: UseKind) -> &'static str {
    match kind {
        UseKind::Direct => "passed on",
        UseKind::Computed => "computed",
        UseKind::Aggregated => "aggregated",
        UseKind::Filter => "filtered by",
        UseKind::Join => "joined by",
        UseKind::Group => "grouped by",
        UseKind::Order => "ordered by",
        UseKind::Partition => "partitioned by",
        UseKind::Window => "decides the window",
        UseKind::Pattern => "in a pattern",
        UseKind::Watermark => "in the watermark",
        UseKind::Key => "in the key",
        UseKind::Unknown => "perhaps",
    }
}
