//! How the columns of a table are compared, with what they take over from the tables before it.
//!
//! Rules: the answer is that of [`parity::columns`] for every table on the way. That looks through views, which costs the
//! square where views stand on each other. Here each query is looked at by itself, and a view hands on what decides for those
//! that read it: of all columns behind one of its own, or behind its rows, the first that is not exact, by table and column.
//! What a view has without naming it needs nothing of its own: it decides about the view's rows as well. One query is looked at as
//! it is there: where an order may be total by the key of a table that is read through a view besides.

use std::collections::{BTreeMap, BTreeSet};

use super::super::estate::{Estate, Table};
use super::super::{graph, parity};
use crate::model::parity::ColumnClass;
use crate::sql::{self, ColumnUse, Lineage, Operator, OperatorUse};

/// The classes of the columns of `table`; nothing where tables depend on each other in a circle.
pub(super) fn classes(estate: &Estate, table: &str) -> BTreeMap<String, ColumnClass> {
    let Ok(graph) = graph::build(estate) else { return BTreeMap::new() };
    let mut reader = sql::Reader::of_steps(&estate.catalog);
    let mut known = Known { estate, classes: BTreeMap::new(), views: BTreeMap::new() };
    for name in graph.sorted(&graph.upstream(&BTreeSet::from([table.to_owned()]))) {
        if let Some(before) = estate.tables.get(&name) {
            known.add(before, &mut reader);
        }
    }
    known.classes.remove(table).unwrap_or_default()
}

/// What is known of the tables and views so far.
struct Known<'e> {
    estate: &'e Estate,
    /// By logical name.
    classes: BTreeMap<String, BTreeMap<String, ColumnClass>>,
    /// By the catalog's name.
    views: BTreeMap<&'e str, Behind>,
}

/// What is behind a view that is not exact.
#[derive(Default)]
struct Behind {
    columns: BTreeMap<String, First>,
    rows: Option<First>,
}

/// The first column that is not exact: its table, its name, and what it hands on.
#[derive(Clone)]
struct First {
    table: String,
    column: String,
    class: ColumnClass,
}

impl<'e> Known<'e> {
    fn add(&mut self, table: &'e Table, reader: &mut sql::Reader<'_>) {
        let Some(query) = table.query() else { return };
        let mut lineage = reader.lineage(query);
        let operators = sql::operators_of(query, &lineage);
        if !self.suffices(table, &operators) {
            lineage = sql::lineage(query, &self.estate.catalog);
        }
        let rows = self.rows(table, &lineage);
        let decided = || rows.as_ref().map(|first| first.class.clone());
        let classes = parity::of_lineage(self.estate, table, &lineage, &operators, &self.classes, decided);
        if table.view().is_some() {
            let outputs = parity::targets(table, &lineage.outputs).into_iter().zip(&lineage.outputs);
            let first = |uses: &[ColumnUse]| uses.iter().filter_map(|used| self.first(used)).reduce(First::earlier);
            let columns = outputs.filter_map(|(name, output)| Some((name, first(&output.uses)?))).collect();
            self.views.insert(&table.deployed.physical, Behind { columns, rows });
        }
        self.classes.insert(table.name.clone(), classes);
    }

    /// True if what a query names itself is enough.
    fn suffices(&self, table: &Table, operators: &[OperatorUse]) -> bool {
        let ranks = operators.iter().any(|operator| matches!(operator.kind, Operator::RowNumber { .. }));
        let mut read = table.reads.iter().filter_map(|name| self.estate.tables.get(name));
        !ranks || !read.clone().any(|read| read.view().is_some()) || read.all(|read| read.key().is_empty())
    }

    /// The first column that is not exact of all that decide about the rows of `table`.
    fn rows(&self, table: &Table, lineage: &Lineage) -> Option<First> {
        let read = table.reads.iter().filter_map(|name| self.estate.tables.get(name));
        let behind = read.filter_map(|read| self.views.get(&*read.deployed.physical)?.rows.clone());
        lineage.rows.iter().filter_map(|used| self.first(used)).chain(behind).reduce(First::earlier)
    }

    /// The first column that is not exact of the one that is used and those behind it.
    fn first(&self, used: &ColumnUse) -> Option<First> {
        let class = parity::inherited(self.estate, used, &self.classes);
        let own = class.map(|class| First { table: used.table.clone(), column: used.column.clone(), class });
        let behind = self.views.get(&*used.table).and_then(|view| view.columns.get(&used.column)).cloned();
        own.into_iter().chain(behind).reduce(First::earlier)
    }
}

impl First {
    fn earlier(self, other: Self) -> Self {
        if (&other.table, &other.column) < (&self.table, &self.column) { other } else { self }
    }
}
