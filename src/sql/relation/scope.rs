//! Names in reach: sources with their columns, and what a name stands for.

use std::collections::HashMap;

use super::Relation;
use super::changes::Changes;
use super::rank::Rank;
use crate::model::column::Nullable;

/// A time that Flink keeps in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    /// By a watermark.
    Event,
    /// `PROCTIME()`
    Processing,
}

/// An end of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    Start,
    End,
}

/// What is known of a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Value {
    /// Its type, where it follows.
    pub ty: Option<Nullable>,
    /// It is a time attribute.
    pub time: Option<Time>,
    /// It is an end of the row's window.
    pub edge: Option<Edge>,
    /// It is the same in every row, so that Flink may put the value in its place, and no key then knows the column.
    pub constant: bool,
    /// The column of the sources that it passes on, or casts so that different values stay different.
    pub from: Option<usize>,
}

/// A named value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub name: String,
    pub value: Value,
}

/// A source of `FROM`: some of its scope's columns.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// The parts of its name, or its alias; empty if it has none.
    pub parts: Vec<String>,
    /// The place of its first column.
    pub start: usize,
    /// How many columns it has.
    pub count: usize,
    /// It has columns that are not known.
    pub open: bool,
    /// Its columns are found by a qualified name only, as those of pattern variables.
    pub qualified_only: bool,
    /// A table's `$rowtime`, which no star shows.
    pub rowtime: bool,
    /// The places of its columns by their names; the first of a name.
    by_name: HashMap<String, usize>,
}

/// How a select groups its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Grouping {
    /// All rows are one group, or none is made.
    #[default]
    None,
    /// By keys.
    Keys,
    /// By sets of keys: where a set has not all of them, the others are NULL.
    Sets,
}

/// The sources of one select.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub sources: Vec<Source>,
    pub columns: Vec<Column>,
    /// Columns that `USING` or `NATURAL` made one: the name and what it stands for.
    pub merged: Vec<(String, Value)>,
    /// How the joined rows change; `None` before the first source.
    pub changes: Option<Changes>,
    /// A rank of the only source.
    pub rank: Option<Rank>,
    /// How the rows are grouped.
    pub grouping: Grouping,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found {
    /// A column of the scope, and how many parts of the name lead to it.
    Column(usize, usize),
    /// A column that a join made one.
    Merged(Value),
    /// The hidden `$rowtime`.
    Rowtime,
    /// Perhaps one of the columns that are not known.
    Open,
}

impl Source {
    fn is_named(&self, leading: &[&str]) -> bool {
        let skipped = self.parts.len().checked_sub(leading.len());
        !leading.is_empty()
            && skipped
                .and_then(|skip| self.parts.get(skip..))
                .is_some_and(|tail| tail.iter().map(String::as_str).eq(leading.iter().copied()))
    }

    fn find(&self, name: &str) -> Option<Found> {
        match self.by_name.get(name) {
            Some(place) => Some(Found::Column(*place, 0)),
            None if self.rowtime && name == "$rowtime" => Some(Found::Rowtime),
            None if self.open => Some(Found::Open),
            None => None,
        }
    }

    /// The place of a column.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }
}

impl Scope {
    /// Adds a source; its columns' places are behind those that are there.
    pub fn add(&mut self, parts: Vec<String>, relation: Relation, rowtime: bool) {
        let start = self.columns.len();
        let mut by_name = HashMap::new();
        for (i, column) in relation.columns.iter().enumerate() {
            by_name.entry(column.name.clone()).or_insert(start + i);
        }
        let count = relation.columns.len();
        let (open, qualified_only) = (relation.open, false);
        self.sources.push(Source { parts, start, count, open, qualified_only, rowtime, by_name });
        self.columns.extend(relation.columns);
    }

    /// Makes another name, under which all columns can be found as well.
    pub fn add_variable(&mut self, name: &str) {
        let mut by_name = HashMap::new();
        for (place, column) in self.columns.iter().enumerate() {
            by_name.entry(column.name.clone()).or_insert(place);
        }
        let open = self.sources.iter().any(|source| source.open);
        let count = self.columns.len();
        let parts = vec![name.to_owned()];
        self.sources.push(Source { parts, start: 0, count, open, qualified_only: true, rowtime: false, by_name });
    }

    /// The source of a name.
    pub fn source(&self, parts: &[&str]) -> Option<&Source> {
        self.sources.iter().find(|source| source.is_named(parts))
    }

    /// What a name stands for here.
    pub fn find(&self, parts: &[&str]) -> Option<Found> {
        for count in (1..parts.len()).rev() {
            let (Some(leading), Some(column)) = (parts.get(..count), parts.get(count)) else { continue };
            let Some(source) = self.sources.iter().find(|source| source.is_named(leading)) else { continue };
            match source.find(column) {
                Some(Found::Column(place, _)) => return Some(Found::Column(place, count + 1)),
                Some(found) => return Some(found),
                None => {}
            }
        }
        let first = parts.first()?;
        if let Some((_, value)) = self.merged.iter().find(|(name, _)| name == first) {
            return Some(Found::Merged(value.clone()));
        }
        let plain = self.sources.iter().filter(|source| !source.qualified_only);
        let mut maybe = None;
        for found in plain.filter_map(|source| source.find(first)) {
            match found {
                Found::Column(place, _) => return Some(Found::Column(place, 1)),
                other => maybe = Some(other),
            }
        }
        maybe
    }

    /// Forgets time attributes and windows, as what Flink's regular operators make has none.
    pub fn forget_times(&mut self) {
        for value in self.columns.iter_mut().map(|column| &mut column.value) {
            value.time = None;
            value.edge = None;
        }
    }
}
