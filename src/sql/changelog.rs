//! How the rows that a statement gives change later on: its changelog mode, by which columns a changed row is known, and
//! what decides.
//!
//! Rules: a row that never changes is an append. Rows that change are upserts where columns of the result find a changed row
//! again, whatever kind of record carries the change; where no columns do, a change is the retraction of a whole row. What
//! cannot be told is unknown, and nothing is called an append that might be none. Spans are in the text of the statement;
//! for what a view does, where the view is named.

use std::collections::{BTreeSet, HashMap};

use super::flow::Definitions;
use super::relation::{Kind, Relation};
use super::rows::Rows;
use super::tree::{Insert, ObjectName, Query, Statement, StatementKind};

pub use super::relation::{Assumption, Because, Cause};

/// How a query's rows change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changelog {
    /// The table or view that is filled; empty for a query on its own.
    pub target: String,
    /// The mode.
    pub mode: ChangeMode,
    /// The columns by which a changed row is known, by the target's names; empty unless the mode is upsert, and empty for an
    /// upsert of the only row that there is.
    pub key: Vec<String>,
    /// What decides the mode; the first 64 causes.
    pub because: Vec<Because>,
    /// The functions that are taken for functions of each row; the first 64. If one of them is an aggregate, the rows change
    /// and state is kept, whatever is said here and by [`super::state`].
    pub assumes: Vec<Assumption>,
}

/// Changelog modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeMode {
    /// Rows come and stay as they are.
    Append,
    /// Rows change and go, and are known by a key.
    Upsert,
    /// Rows change and go, and are known as a whole only.
    Retract,
    /// It cannot be told.
    Unknown,
}

impl ChangeMode {
    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Upsert => "upsert",
            Self::Retract => "retract",
            Self::Unknown => "unknown",
        }
    }
}

/// How the rows of each query in `statement` change, in the order of [`Definitions::flows`].
pub fn changelogs(statement: &Statement, known: &Definitions) -> Vec<Changelog> {
    Rows::of(statement, known).changelogs()
}

/// How the rows of one query change.
pub(super) fn changelog(filled: &Filled<'_>, made: &Relation) -> Changelog {
    let changes = &made.changes;
    let name = |place: &usize| filled.name(*place, made);
    let named = changes.keys.iter().filter_map(|key| key.iter().map(name).collect());
    // The shortest says most.
    let key: Option<Vec<String>> = named.min_by_key(|key: &Vec<String>| key.len());
    let mode = match changes.kind {
        Kind::Append => ChangeMode::Append,
        Kind::Updating if key.is_some() => ChangeMode::Upsert,
        Kind::Updating => ChangeMode::Retract,
        Kind::Unknown => ChangeMode::Unknown,
    };
    let key = key.filter(|_| mode == ChangeMode::Upsert).unwrap_or_default();
    let assumes = made.assumed.to_vec();
    Changelog { target: filled.target.to_owned(), mode, key, because: changes.because.clone(), assumes }
}

/// A query, and the table or view that it fills.
pub(super) struct Filled<'a> {
    pub query: &'a Query,
    pub target: &'a str,
    /// The table that an `INSERT` writes.
    pub sink: Option<&'a ObjectName>,
    /// The names of the columns that are filled; empty where they are the query's own.
    pub names: Vec<String>,
    /// The query's columns in the order in which the target has them, where `CREATE TABLE ... AS` says it.
    order: Vec<&'a str>,
}

impl Filled<'_> {
    /// Puts the columns in the target's order; `name` is a column's own.
    pub fn arrange<T>(&self, columns: &mut [T], name: impl Fn(&T) -> &str) {
        if !self.order.is_empty() {
            let mut places = HashMap::new();
            self.order.iter().enumerate().for_each(|(place, name)| {
                places.entry(*name).or_insert(place);
            });
            columns.sort_by_key(|column| places.get(name(column)).copied().unwrap_or(usize::MAX));
        }
    }

    /// The name that a column of the query has in the target.
    fn name(&self, place: usize, made: &Relation) -> Option<String> {
        let own = || made.columns.get(place).map(|column| column.name.clone());
        match self.names.as_slice() {
            [] => own(),
            // Nobody knows which place a column has among some that are not known.
            _ if made.open => None,
            names => names.get(place).cloned(),
        }
    }

    /// The sets of the target's columns by which the rows are known.
    pub fn keys(&self, made: &Relation) -> BTreeSet<BTreeSet<String>> {
        let key = |key: &BTreeSet<usize>| key.iter().map(|place| self.name(*place, made)).collect();
        made.changes.keys.iter().filter_map(key).collect()
    }
}

/// The queries of a statement.
pub(super) fn queries(statement: &Statement) -> Vec<&Query> {
    match &statement.kind {
        StatementKind::Insert(insert) => vec![&insert.query],
        StatementKind::StatementSet(inserts) => inserts.iter().map(|insert| &insert.query).collect(),
        StatementKind::Query(query) => vec![query],
        StatementKind::CreateView(view) => vec![&view.query],
        StatementKind::CreateTableAs(ctas) => vec![&ctas.query],
        StatementKind::Other { effects, .. } => effects.parts.iter().flat_map(queries).collect(),
        _ => Vec::new(),
    }
}

/// The queries of a statement with what they fill, in the same order.
pub(super) fn filled<'a>(statement: &'a Statement, known: &'a Definitions) -> Vec<Filled<'a>> {
    let of = |query, target, names| Filled { query, target, sink: None, names, order: Vec::new() };
    let insert = |insert: &'a Insert| Filled {
        query: &insert.query,
        target: known.key(&insert.target),
        sink: Some(&insert.target),
        names: known.filled_by(insert),
        order: Vec::new(),
    };
    match &statement.kind {
        StatementKind::Insert(one) => vec![insert(one)],
        StatementKind::StatementSet(all) => all.iter().map(insert).collect(),
        StatementKind::Query(query) => vec![of(query, "", Vec::new())],
        StatementKind::CreateView(view) => {
            let names = view.columns.iter().map(|column| column.name.clone()).collect();
            vec![of(&view.query, known.key(&view.name), names)]
        }
        StatementKind::CreateTableAs(ctas) => {
            // A list of names alone says in which order the query's columns come.
            let columns = &ctas.table.columns;
            let named = columns.iter().map(|column| column.is_bare().then_some(column.name.name.as_str()));
            let order = named.collect::<Option<Vec<&str>>>().unwrap_or_default();
            vec![Filled { order, ..of(&ctas.query, known.key(&ctas.table.name), Vec::new()) }]
        }
        StatementKind::Other { effects, .. } => {
            let mut found: Vec<Filled<'a>> = effects.parts.iter().flat_map(|part| filled(part, known)).collect();
            if let (Some(name), [one]) = (effects.writes.first(), found.as_mut_slice()) {
                one.target = known.key(name);
            }
            found
        }
        _ => Vec::new(),
    }
}
