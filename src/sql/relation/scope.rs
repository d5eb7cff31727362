//! Names in reach: sources with their columns, and what a name stands for.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Relation;
use super::changes::Changes;
use super::rank::Rank;
use super::window::{Edge, Window};
use crate::diagnostic::Span;
use crate::model::column::{ColumnType, Nullable};
use crate::sql::operators::Clock;
use crate::sql::reach::Reach;
use crate::sql::steps;
use crate::sql::tree::ObjectName;

/// A time that Flink keeps in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    /// By a watermark.
    Event,
    /// `PROCTIME()`
    Processing,
}

impl Time {
    /// The clock of this time.
    pub const fn clock(self) -> Clock {
        match self {
            Self::Event => Clock::Event,
            Self::Processing => Clock::Processing,
        }
    }
}

/// What is known of a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Value {
    /// Its type, where it follows.
    pub ty: Option<Nullable>,
    /// It is a time attribute.
    pub time: Option<Time>,
    /// How many time attributes it is computed from, each as often as it is named.
    pub times: usize,
    /// It tells something of the row's window.
    pub window: Option<Window>,
    /// It is the same in every row, so that Flink may put the value in its place, and no key then knows the column.
    pub constant: bool,
    /// The column of the sources that it passes on, or casts so that different values stay different.
    pub from: Option<usize>,
}

impl Value {
    /// The clock that rows go by which are ordered by it; a value of no known type may be any time.
    pub fn clock(&self) -> Clock {
        let unknown = if self.ty.is_some() { Clock::None } else { Clock::Event };
        self.time.map_or(unknown, Time::clock)
    }

    /// True if it tells this of the row's window.
    pub fn is_edge(&self, edge: Edge) -> bool {
        self.window.as_ref().is_some_and(|window| window.edge == edge)
    }

    /// How many time attributes a condition on it is about.
    pub fn times(&self) -> usize {
        self.times.max(usize::from(self.time.is_some()))
    }

    /// What both tell of windows that are put alike.
    pub fn same_edge(&self, other: &Self) -> Option<Edge> {
        let (own, other) = (self.window.as_ref()?, other.window.as_ref()?);
        own.matches(other).then_some(own.edge)
    }
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
    /// The place of its first column.
    pub start: usize,
    /// How many columns it has.
    pub count: usize,
    /// It has columns that are not known.
    pub open: bool,
    /// A table's `$rowtime`, which no star shows.
    rowtime: bool,
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
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub sources: Vec<Source>,
    /// Their names, or aliases.
    named: Reach,
    /// The places of their columns by their names; the first of a name.
    by_name: HashMap<String, usize>,
    /// Fields of rows, which Flink finds without the column that they are in.
    fields: HashSet<String>,
    /// One has columns that are not known.
    pub open: bool,
    /// One has a `$rowtime`.
    rowtime: bool,
    pub columns: Vec<Column>,
    /// Columns that `USING` or `NATURAL` made one: the name and what it stands for.
    pub merged: Vec<(String, Value)>,
    /// Where each of them is in that list.
    merged_at: HashMap<String, usize>,
    /// How the joined rows change; `None` before the first source.
    pub changes: Option<Changes>,
    /// A rank of the only source.
    pub rank: Option<Rank>,
    /// How the rows are grouped.
    pub grouping: Grouping,
    /// The columns that conditions of this select give one value.
    pub fixed: Vec<ObjectName>,
    /// The columns that each of its conditions names; `None` if these are too many.
    pub compared: Option<Vec<(Span, Vec<ObjectName>)>>,
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
    fn find(&self, name: &str) -> Option<Found> {
        match self.by_name.get(name) {
            Some(place) => Some(Found::Column(*place, 0)),
            None if self.rowtime && name == "$rowtime" => Some(Found::Rowtime),
            None if self.open => Some(Found::Open),
            None => None,
        }
    }
}

impl Scope {
    /// Adds a source; its columns' places are behind those that are there.
    pub fn add(&mut self, parts: &[String], relation: Relation, rowtime: bool) {
        steps::count(1 + relation.columns.len());
        let start = self.columns.len();
        let mut by_name = HashMap::new();
        for (i, column) in relation.columns.iter().enumerate() {
            by_name.entry(column.name.clone()).or_insert(start + i);
            self.by_name.entry(column.name.clone()).or_insert(start + i);
            self.add_fields(column.value.ty.as_ref());
        }
        let count = relation.columns.len();
        self.open |= relation.open;
        self.rowtime |= rowtime;
        self.named.add(parts, self.sources.len());
        self.sources.push(Source { start, count, open: relation.open, rowtime, by_name });
        self.columns.extend(relation.columns);
    }

    fn add_fields(&mut self, ty: Option<&Nullable>) {
        let mut left: Vec<&Nullable> = ty.into_iter().collect();
        while let Some(ty) = left.pop() {
            let ColumnType::Row(fields) = &ty.ty else { continue };
            steps::count(fields.len());
            self.fields.extend(fields.iter().map(|field| field.name.clone()));
            left.extend(fields.iter().map(|field| &field.ty));
        }
    }

    /// Makes another name, under which all columns can be found as well.
    pub fn add_variable(&mut self, name: &str) {
        self.named.add(&[name.to_owned()], self.sources.len());
        let (count, by_name) = (self.columns.len(), self.by_name.clone());
        steps::count(count);
        self.sources.push(Source { start: 0, count, open: self.open, rowtime: false, by_name });
    }

    /// The source of a name.
    pub fn source(&self, parts: &[&str]) -> Option<&Source> {
        self.named.find(parts).and_then(|place| self.sources.get(place))
    }

    /// What a name stands for here.
    pub fn find(&self, parts: &[&str]) -> Option<Found> {
        for count in (1..=Reach::leading(parts.len(), 1)).rev() {
            let (Some(leading), Some(column)) = (parts.get(..count), parts.get(count)) else { continue };
            match self.source(leading).and_then(|source| source.find(column)) {
                Some(Found::Column(place, _)) => return Some(Found::Column(place, count + 1)),
                Some(found) => return Some(found),
                None => {}
            }
        }
        let first = *parts.first()?;
        if let Some(value) = self.merged(first) {
            return Some(Found::Merged(value.clone()));
        }
        match self.by_name.get(first) {
            Some(place) => Some(Found::Column(*place, 1)),
            // A field here is nearer than a column of a select around.
            None if self.open || self.fields.contains(first) => Some(Found::Open),
            None if self.rowtime && first == "$rowtime" => Some(Found::Rowtime),
            None => None,
        }
    }

    /// What a column stands for that joins made one.
    pub fn merged(&self, name: &str) -> Option<&Value> {
        self.merged_at.get(name).and_then(|at| self.merged.get(*at)).map(|(_, value)| value)
    }

    /// Makes columns one, or one more of them.
    pub fn merge(&mut self, name: &str, value: Value) {
        match self.merged_at.get(name).and_then(|at| self.merged.get_mut(*at)) {
            Some((_, merged)) => *merged = value,
            None => {
                self.merged_at.insert(name.to_owned(), self.merged.len());
                self.merged.push((name.to_owned(), value));
            }
        }
    }

    /// The place of the first column of this name.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The places of the time attributes among columns, and of what is computed from such, with their number.
    pub fn times(&self, names: &[ObjectName]) -> BTreeMap<usize, usize> {
        let time = |name: &ObjectName| {
            let parts: Vec<&str> = name.parts.iter().map(|part| part.name.as_str()).collect();
            match self.find(&parts)? {
                Found::Column(place, _) => Some((place, self.columns.get(place)?.value.times())),
                _ => None,
            }
        };
        names.iter().filter_map(time).filter(|(_, times)| *times > 0).collect()
    }

    /// Forgets time attributes and windows, as what Flink's regular operators make has none.
    pub fn forget_times(&mut self) {
        for value in self.values() {
            (value.time, value.window) = (None, None);
        }
    }

    /// Forgets windows, of which no operator behind can make use any more.
    pub fn forget_windows(&mut self) {
        self.values().for_each(|value| value.window = None);
    }

    fn values(&mut self) -> impl Iterator<Item = &mut Value> {
        let columns = self.columns.iter_mut().map(|column| &mut column.value);
        columns.chain(self.merged.iter_mut().map(|(_, value)| value))
    }
}
