//! Names in reach: the sources of a select, and which of them has a column.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::UseKind;
use super::grouped::Groups;
use super::made::Value;
use super::relation::{FEW, Open, ROWTIME, Relation, RelationColumn};
use crate::diagnostic::Span;
use crate::sql::reach::Reach;
use crate::sql::steps;

/// A source of `FROM`.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// The parts of its name, or its alias; empty if it has none.
    pub parts: Vec<String>,
    pub relation: Arc<Relation>,
    /// Its columns are found by a qualified name only, as those of pattern variables.
    pub qualified_only: bool,
}

/// The sources of one select.
#[derive(Debug, Default)]
pub(super) struct Scope {
    sources: Vec<Source>,
    named: Reach,
    /// Where columns are, once there are many sources: of the first `indexed` ones.
    found: BTreeMap<Arc<str>, Vec<usize>>,
    indexed: usize,
    /// The same of fields that can be named without their columns, and what others may be made of.
    fields: BTreeMap<String, Vec<Value>>,
    unknown: Vec<Value>,
    fielded: usize,
    /// The sources whose columns are not all known.
    open: Vec<usize>,
    /// Columns that `USING` or `NATURAL` made one, in order.
    merged: Vec<String>,
    /// Up to which source each of them was made one.
    merged_to: BTreeMap<String, usize>,
    /// What the select groups by, or lists if it is `DISTINCT`, for the `ORDER BY` behind it.
    pub groups: Option<Groups>,
    /// It is that of a select that does not aggregate.
    pub plain: bool,
}

/// A column of a source.
pub(super) struct Found {
    /// The source.
    pub place: usize,
    pub column: Arc<str>,
    /// How many parts of the name lead to it.
    pub leading: usize,
}

impl Scope {
    pub fn of(sources: Vec<Source>) -> Self {
        let mut scope = Self::default();
        sources.into_iter().for_each(|source| scope.push(source));
        scope
    }

    pub fn push(&mut self, source: Source) {
        steps::count(1);
        let place = self.sources.len();
        self.named.add(&source.parts, place);
        if !source.relation.open.is_empty() && !source.qualified_only {
            self.open.push(place);
        }
        self.sources.push(source);
    }

    /// Takes all sources out.
    pub fn take(&mut self) -> Vec<Source> {
        std::mem::take(self).sources
    }

    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The source that `leading` names.
    pub fn named(&self, leading: &[&str]) -> Option<&Source> {
        self.place(leading).and_then(|place| self.sources.get(place))
    }

    /// The table that `leading` may name with more parts than it has in `FROM`.
    pub fn named_in_full(&self, leading: &[&str]) -> Option<&Source> {
        let source = self.named(leading.get(leading.len().checked_sub(1)?..)?)?;
        let end = leading.get(leading.len().checked_sub(source.parts.len())?..)?;
        (end.len() < leading.len() && end.iter().eq(&source.parts)).then_some(source)
    }

    /// The place of the source that `leading` names.
    pub fn place(&self, leading: &[&str]) -> Option<usize> {
        self.named.find(leading)
    }

    /// The one column that a name, or its first parts, surely stand for.
    pub fn find(&mut self, parts: &[&str]) -> Option<Found> {
        for count in (1..=Reach::leading(parts.len(), 1)).rev() {
            let Some(place) = self.place(parts.get(..count)?) else { continue };
            let column = self.sources.get(place)?.relation.column(parts.get(count)?)?;
            return Some(Found { place, column: Arc::clone(&column.name), leading: count + 1 });
        }
        let first = *parts.first()?;
        let [place] = *self.having(first, 0).as_slice() else { return None };
        let column = Arc::clone(&self.sources.get(place)?.relation.column(first)?.name);
        (self.open.is_empty() && !self.is_merged(first)).then_some(Found { place, column, leading: 1 })
    }

    /// The places of the sources from `from` on that have a column of this name, those left out that want a qualified name.
    pub fn having(&mut self, name: &str, from: usize) -> Vec<usize> {
        let has = |source: &Source| !source.qualified_only && source.relation.column(name).is_some();
        if self.sources.len() <= FEW {
            let sources = self.sources.iter().enumerate().skip(from);
            return sources.filter(|(_, source)| has(source)).map(|(place, _)| place).collect();
        }
        let places = self.indexed_places(name);
        places.get(places.partition_point(|place| *place < from)..).unwrap_or(&[]).to_vec()
    }

    /// True if a source at one of these places has a column of this name, or may have one.
    pub fn may_have(&mut self, name: &str, places: Range<usize>) -> bool {
        let open = self.open.partition_point(|place| *place < places.start);
        if self.open.get(open).is_some_and(|place| *place < places.end) {
            return true;
        }
        let having = self.indexed_places(name);
        let first = having.partition_point(|place| *place < places.start);
        having.get(first).is_some_and(|place| *place < places.end)
    }

    /// What a hidden column of this name could be.
    pub fn hidden(&self, name: &str) -> Vec<Value> {
        let sources = self.sources.iter().filter(|source| name == ROWTIME && !source.qualified_only);
        sources.filter_map(|source| source.relation.hidden(name)).collect()
    }

    fn indexed_places(&mut self, name: &str) -> &[usize] {
        for (place, source) in self.sources.iter().enumerate().skip(self.indexed).filter(|(_, s)| !s.qualified_only) {
            steps::count(source.relation.columns().len());
            for column in source.relation.columns() {
                let places = self.found.entry(Arc::clone(&column.name)).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        self.indexed = self.sources.len();
        self.found.get(name).map_or(&[], Vec::as_slice)
    }

    /// What a field of this name may be made of, one for each that can be named without its column.
    pub fn fields(&mut self, name: &str) -> Vec<Value> {
        if self.sources.len() <= FEW {
            let sources = self.sources.iter().filter(|source| !source.qualified_only);
            return sources.flat_map(|source| source.relation.fields().named(name)).cloned().collect();
        }
        self.index_fields();
        self.fields.get(name).cloned().unwrap_or_default()
    }

    /// What any field may be made of, where columns may be rows of which nothing is known.
    pub fn unknown_fields(&mut self) -> Vec<Value> {
        if self.sources.len() <= FEW {
            let sources = self.sources.iter().filter(|source| !source.qualified_only);
            return sources.filter_map(|source| source.relation.fields().unknown()).cloned().collect();
        }
        self.index_fields();
        self.unknown.clone()
    }

    fn index_fields(&mut self) {
        for source in self.sources.iter().skip(self.fielded).filter(|source| !source.qualified_only) {
            let fields = source.relation.fields();
            for (name, values) in fields.all() {
                steps::count(values.len());
                self.fields.entry(name.clone()).or_default().extend(values.iter().cloned());
            }
            match (fields.unknown(), self.unknown.first_mut()) {
                (Some(unknown), Some(all)) => all.add(unknown.clone()),
                (Some(unknown), None) => self.unknown.push(unknown.clone()),
                (None, _) => {}
            }
        }
        self.fielded = self.sources.len();
    }

    /// The names of the first `most` sources at these places; none where one has no name, or that of another.
    pub fn names(&self, places: &[usize], most: usize) -> Vec<String> {
        let sources = places.iter().take(most).filter_map(|place| self.sources.get(*place));
        let names: Vec<String> = sources.map(|source| source.parts.join(".")).collect();
        let apart = names.iter().collect::<BTreeSet<_>>().len() == names.len();
        if names.iter().any(String::is_empty) || !apart { Vec::new() } else { names }
    }

    /// The value of the column in the source at `place`.
    pub fn value(&self, place: usize, name: &str) -> Option<&Value> {
        self.sources.get(place)?.relation.column(name).map(|column| &column.value)
    }

    /// What is not known of its sources.
    pub fn open(&self) -> impl Iterator<Item = &Open> {
        let sources = self.open.iter().filter_map(|place| self.sources.get(*place));
        sources.flat_map(|source| &source.relation.open)
    }

    /// Makes the columns of this name one. Gives what was not one before.
    pub fn merge(&mut self, column: &str) -> Value {
        let done = self.merged_to.get(column).copied();
        let mut value = Value::default();
        let from = done.unwrap_or(0);
        let known = self.having(column, from);
        known.iter().filter_map(|place| self.value(*place, column)).for_each(|found| value.add(found.clone()));
        let first_open = self.open.partition_point(|place| *place < from);
        for place in self.open.get(first_open..).unwrap_or(&[]) {
            let Some(source) = self.sources.get(*place).filter(|source| source.relation.column(column).is_none())
            else {
                continue;
            };
            source.relation.open.iter().for_each(|open| value.add(open.column(column, UseKind::Unknown)));
        }
        if done.is_none() {
            self.merged.push(column.to_owned());
        }
        self.merged_to.insert(column.to_owned(), self.sources.len());
        value
    }

    /// True if columns were made one.
    pub fn merges(&self) -> bool {
        !self.merged.is_empty()
    }

    pub fn is_merged(&self, column: &str) -> bool {
        self.merged_to.contains_key(column)
    }

    /// All its columns, as `*` lists them: what was made one comes first, and is made of both sides.
    pub fn star(&mut self, span: Span) -> Relation {
        let mut columns = Vec::new();
        let merged = std::mem::take(&mut self.merged);
        for name in &merged {
            let mut value = Value::default();
            let places = self.having(name, 0);
            places.iter().filter_map(|place| self.value(*place, name)).for_each(|found| value.add(found.clone()));
            columns.push(RelationColumn { name: name.as_str().into(), value: value.placed(span), span });
        }
        self.merged = merged;
        let mut open = Vec::new();
        for source in self.sources.iter().filter(|source| !source.qualified_only) {
            let own = source.relation.columns().iter().filter(|column| !self.is_merged(&column.name));
            columns.extend(own.map(|column| column.starred(span)));
            open.extend(source.relation.open.iter().cloned());
        }
        Relation::new(columns, open)
    }

    /// Columns that the last source has in common with those before it.
    pub fn shared(&mut self) -> Vec<String> {
        let Some((last, before)) = self.sources.split_last() else { return Vec::new() };
        let relation = Arc::clone(&last.relation);
        let names = relation.columns().iter().map(|column| &column.name);
        let shared: Vec<&Arc<str>> = if before.len() < FEW {
            names.filter(|name| before.iter().any(|source| source.relation.column(name).is_some())).collect()
        } else {
            let place = before.len();
            names.filter(|name| self.indexed_places(name).first().is_some_and(|first| *first < place)).collect()
        };
        shared.into_iter().map(|name| name.to_string()).collect()
    }
}
