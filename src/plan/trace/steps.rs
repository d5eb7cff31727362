//! The steps by which columns are made of columns, and rows are decided by columns.
//!
//! Rules:
//! - A step goes from a column that a query names to the column, or the rows, that it is used for there. A view is a place like a
//!   table: what it is made of are steps of its own.
//! - Rows of a table decide about every column of it, but are followed only where rows are asked for: otherwise everything
//!   would depend on everything. Rows of a view go on to the rows of what reads it, if anything decides about them.
//! - A column that nobody can name is `*`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::estate::{Estate, Table};
use super::super::parity;
use crate::sql::{self, ColumnUse, UseKind, steps};

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

/// One step: a column used for another, or for the rows of a table or view (`table (rows)`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// `table.column` that is used; `view (rows)` where a view is read whose rows something decides about.
    pub from: String,
    /// `table.column` that it is used for.
    pub to: String,
    /// How.
    pub uses: Vec<String>,
}

/// The trace of a table, or of one column of it; `None` when there is none of that name.
pub fn of(estate: &Estate, table: &str, column: Option<&str>) -> Option<Trace> {
    let own = named(estate, table)?;
    let steps = Steps::of(estate);
    let place = |part: Part| Place { table: own.name.clone(), part };
    let columns = steps.columns.get(&own.name).into_iter().flatten();
    let start: BTreeSet<Place> = match column {
        None => columns.cloned().map(Part::Column).chain([Part::Rows]).map(place).collect(),
        Some(ANY) => BTreeSet::from([place(Part::Column(ANY.to_owned())), place(Part::Rows)]),
        Some(column) => {
            columns.filter(|known| *known == column).cloned().map(Part::Column).map(place).take(1).collect()
        }
    };
    if start.is_empty() {
        return None;
    }
    let target = column.map_or_else(|| own.name.clone(), |c| format!("{}.{c}", own.name));
    let sources = steps.walk(&start, |step| (&step.to, &step.from));
    let uses = steps.walk(&start, |step| (&step.from, &step.to));
    Some(Trace { target, sources: steps.shown(&sources), uses: steps.shown(&uses) })
}

/// The columns of a table, by name; `None` when there is no such table.
pub fn columns(estate: &Estate, table: &str) -> Option<BTreeSet<String>> {
    let own = named(estate, table)?;
    let mut columns = Steps::of(estate).columns.remove(&own.name).unwrap_or_default();
    columns.remove(ANY);
    Some(columns)
}

fn named<'e>(estate: &'e Estate, table: &str) -> Option<&'e Table> {
    estate.tables.get(table).or_else(|| estate.tables.get(estate.logical.get(table)?))
}

/// A place of which columns are made, or which is made of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// Logical name of the table or view.
    table: String,
    part: Part,
}

/// What of a table is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// Which rows it has.
    Rows,
    /// A column; [`ANY`] if it could be any.
    Column(String),
}

/// A column that nobody can name.
const ANY: &str = "*";

/// Two places that a statement leads from and to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    from: Place,
    to: Place,
}

/// All steps of a project.
struct Steps<'e> {
    estate: &'e Estate,
    /// Each with how it is used.
    steps: BTreeMap<Step, BTreeSet<&'static str>>,
    /// The columns of each table and view, by logical name.
    columns: BTreeMap<String, BTreeSet<String>>,
}

impl<'e> Steps<'e> {
    fn of(estate: &'e Estate) -> Self {
        let mut reader = sql::Reader::of_steps(&estate.catalog);
        let mut found = Self { estate, steps: BTreeMap::new(), columns: BTreeMap::new() };
        let mut made = Vec::new();
        for table in estate.tables.values() {
            let columns = found.columns.entry(table.name.clone()).or_default();
            columns.extend(table.defined().into_iter().flat_map(|create| create.schema()).map(|column| column.name));
            let Some(query) = table.query() else { continue };
            let lineage = reader.lineage(query);
            let names = parity::targets(table, &lineage.outputs);
            columns.extend(names.iter().take(lineage.outputs.len()).cloned());
            made.push((table, lineage, names));
        }
        for (table, lineage, names) in &made {
            for (output, name) in lineage.outputs.iter().zip(names) {
                output.uses.iter().for_each(|used| found.used(used, table, Part::Column(name.clone())));
            }
            lineage.rows.iter().for_each(|used| found.used(used, table, Part::Rows));
        }
        // A computed column is made of others of its own table.
        for (table, create) in estate.tables.values().filter_map(|table| Some((table, table.defined()?))) {
            for output in &sql::table_lineage(create).outputs {
                output.uses.iter().for_each(|used| found.used(used, table, Part::Column(output.name.clone())));
            }
        }
        found.rows_of_views();
        found
    }

    fn used(&mut self, used: &ColumnUse, by: &Table, part: Part) {
        let Some(table) = self.estate.logical.get(&used.table) else { return };
        let columns = self.columns.get(table);
        let has = |name: &str| columns.is_some_and(|columns| columns.contains(name));
        // A column that a view may have among those that nobody can name.
        let column = if self.is_view(table) && !has(&used.column) && has(ANY) { ANY } else { &used.column };
        let from = Place { table: table.clone(), part: Part::Column(column.to_owned()) };
        self.add(from, Place { table: by.name.clone(), part }, word(used.kind));
    }

    fn add(&mut self, from: Place, to: Place, word: &'static str) {
        steps::count(1);
        self.steps.entry(Step { from, to }).or_default().insert(word);
    }

    /// Hands what decides about the rows of views on to what reads them.
    fn rows_of_views(&mut self) {
        let mut readers: BTreeMap<&str, Vec<&Table>> = BTreeMap::new();
        for table in self.estate.tables.values() {
            table.reads.iter().for_each(|read| readers.entry(read).or_default().push(table));
        }
        let decided = self.steps.keys().filter(|step| step.to.part == Part::Rows);
        let mut seen: BTreeSet<String> = decided.map(|step| step.to.table.clone()).collect();
        let mut left: Vec<String> = seen.iter().cloned().collect();
        while let Some(name) = left.pop() {
            if !self.is_view(&name) {
                continue;
            }
            for reader in readers.get(name.as_str()).into_iter().flatten() {
                let rows = |table: &str| Place { table: table.to_owned(), part: Part::Rows };
                self.add(rows(&name), rows(&reader.name), READ);
                if seen.insert(reader.name.clone()) {
                    left.push(reader.name.clone());
                }
            }
        }
    }

    fn is_view(&self, table: &str) -> bool {
        self.estate.tables.get(table).is_some_and(|table| table.view().is_some())
    }

    /// Steps reached from `start`, in the order in which they are reached; `ends` says which end of a step is nearer.
    fn walk(&self, start: &BTreeSet<Place>, ends: impl Fn(&Step) -> (&Place, &Place)) -> Vec<&Step> {
        let mut by_near: BTreeMap<&Place, Vec<&Step>> = BTreeMap::new();
        for step in self.steps.keys() {
            by_near.entry(ends(step).0).or_default().push(step);
        }
        let mut found: Vec<&Step> = Vec::new();
        let mut reached: BTreeSet<&Place> = start.iter().collect();
        let mut edge = reached.clone();
        while !edge.is_empty() {
            // No place is at the edge twice, so no step is found twice.
            let mut next: Vec<&Step> = edge.iter().filter_map(|near| by_near.get(near)).flatten().copied().collect();
            steps::count(next.len());
            next.sort();
            edge = BTreeSet::new();
            for step in &next {
                let far = ends(step).1;
                let goes_on = far.part != Part::Rows || self.is_view(&far.table);
                if goes_on && reached.insert(far) {
                    edge.insert(far);
                }
            }
            found.append(&mut next);
        }
        found
    }

    fn shown(&self, found: &[&Step]) -> Vec<Edge> {
        let name = |place: &Place| match &place.part {
            Part::Rows => format!("{} (rows)", place.table),
            Part::Column(column) => format!("{}.{column}", place.table),
        };
        let uses = |step: &Step| self.steps.get(step).into_iter().flatten().map(|word| (*word).to_owned()).collect();
        found.iter().map(|step| Edge { from: name(&step.from), to: name(&step.to), uses: uses(step) }).collect()
    }
}

/// How the rows of a view are used.
const READ: &str = "read";

/// A use in words.
const fn word(kind: UseKind) -> &'static str {
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
