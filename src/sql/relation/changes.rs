//! How rows change, and the sets of columns that find a changed row again.

use std::collections::{BTreeMap, BTreeSet};

use super::judged::INTERVAL_JOIN;
use crate::diagnostic::Span;
use crate::sql::steps;
use crate::sql::tree::CreateTable;

/// Columns by their places.
pub(crate) type Key = BTreeSet<usize>;

/// How many sets of columns are kept for one relation.
const MAX_KEYS: usize = 32;

/// How many causes are kept for one relation.
const MOST_CAUSES: usize = 64;

/// What happens to rows after they came; a later one covers an earlier one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Nothing.
    #[default]
    Append,
    /// They change or go.
    Updating,
    /// It is not known.
    Unknown,
}

/// What decides how rows change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// An operator, by its name.
    Operator(&'static str),
    /// A table, by its last part.
    Source(String),
}

/// What decides how rows change, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Because {
    /// What it is.
    pub cause: Cause,
    /// Where it is written.
    pub span: Span,
    /// The view that it is in; `None` where it is written in the statement itself.
    pub via: Option<String>,
}

/// How the rows of a relation change.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Changes {
    pub kind: Kind,
    /// Each is enough to find a row again, for whoever is told of a change.
    pub keys: Vec<Key>,
    /// What decides.
    pub because: Vec<Because>,
}

impl Changes {
    /// An operator decides.
    pub fn decided(kind: Kind, keys: Vec<Key>, name: &'static str, span: Span) -> Self {
        Self { kind, keys, because: vec![Because { cause: Cause::Operator(name), span, via: None }] }
    }

    /// A table decides.
    pub fn of_source(kind: Kind, keys: Vec<Key>, table: &str, span: Span) -> Self {
        Self { kind, keys, because: vec![Because { cause: Cause::Source(table.to_owned()), span, via: None }] }
    }

    /// The changes of either side; which rows are known by what is lost. What decides is to be [sorted](Self::sorted) when
    /// there are no more sides.
    pub fn either(self, other: Self) -> Self {
        let because = match self.kind.cmp(&other.kind) {
            std::cmp::Ordering::Less => other.because,
            std::cmp::Ordering::Greater => self.because,
            std::cmp::Ordering::Equal => {
                let mut both = self.because;
                both.extend(other.because);
                both
            }
        };
        Self { kind: self.kind.max(other.kind), keys: Vec::new(), because }
    }

    /// True if an interval join is among what decides.
    pub fn is_within_interval(&self) -> bool {
        self.because.iter().any(|because| because.cause == Cause::Operator(INTERVAL_JOIN))
    }

    /// What decides in order, each once, and no more of it than anyone reads.
    pub fn sorted(mut self) -> Self {
        steps::count(self.because.len());
        self.because.sort();
        self.because.dedup();
        self.because.truncate(MOST_CAUSES);
        self
    }

    /// The same with every place `by` further on.
    pub fn shifted(mut self, by: usize) -> Self {
        for key in &mut self.keys {
            *key = key.iter().map(|place| place + by).collect();
        }
        self
    }

    /// The same after a select list; `places` says where each column went.
    pub fn projected(mut self, places: &BTreeMap<usize, Vec<usize>>) -> Self {
        let mut keys = BTreeSet::new();
        for key in &self.keys {
            let Some(went) = key.iter().map(|column| places.get(column)).collect::<Option<Vec<_>>>() else { continue };
            keys.extend(each(&went));
        }
        self.keys = keys.into_iter().take(MAX_KEYS).collect();
        self
    }

    /// The same, told where a view is named.
    pub fn through(mut self, view: &str, span: Span) -> Self {
        for because in &mut self.because {
            because.span = span;
            because.via = Some(view.to_owned());
        }
        self.sorted()
    }
}

/// The keys of columns that are there more than once: each column is in one of them. None if a column is not there at all.
pub(super) fn each(columns: &[impl AsRef<[usize]>]) -> Vec<Key> {
    let count = columns.iter().map(|places| places.as_ref().len()).max().unwrap_or(1).min(MAX_KEYS);
    let pick = |i: usize| {
        let place = |places: &[usize]| places.get(i.checked_rem(places.len())?).copied();
        columns.iter().map(|places| place(places.as_ref())).collect()
    };
    (0..count).filter_map(pick).collect()
}

/// The keys that hold all of `columns`: rows are spread by these, so the order of changes is kept for such keys only.
pub(super) fn spread_by(keys: &[Key], columns: &Key) -> Vec<Key> {
    keys.iter().filter(|key| columns.is_subset(key)).cloned().collect()
}

/// Both sides' keys, each limited in number.
pub(super) fn limited(mut keys: Vec<Key>) -> Vec<Key> {
    keys.sort();
    keys.dedup();
    keys.truncate(MAX_KEYS);
    keys
}

/// The changes that a table's records carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceChanges {
    /// New rows only.
    Append,
    /// The new value of a row, or that it went.
    Upsert,
    /// The old and the new value of a row.
    All,
}

/// By connector, format and Confluent's `changelog.mode`. Confluent's tables name no connector but its own; with a primary
/// key their mode is upsert unless it is said
/// (<https://docs.confluent.io/cloud/current/flink/reference/sql-examples.html>). Only upserts are normalised by Flink.
pub(crate) fn source_changes(table: &CreateTable) -> SourceChanges {
    let option = |key: &str| table.option(key).map_or("", |option| option.value.as_str());
    let (connector, mode) = (option("connector"), option("changelog.mode"));
    let is_confluent = ["", "confluent"].contains(&connector) && mode.is_empty();
    if connector == "upsert-kafka" || mode == "upsert" || (is_confluent && table.primary_key.is_some()) {
        return SourceChanges::Upsert;
    }
    let format = [option("value.format"), option("format")].concat();
    let is_cdc = ["debezium", "canal", "maxwell", "ogg"].iter().any(|kind| format.contains(kind));
    if is_cdc || connector.ends_with("-cdc") || mode == "retract" {
        return SourceChanges::All;
    }
    SourceChanges::Append
}
