//! Which field of the old record is which field of the new one.
//!
//! Rules: equal names first, then the new field's aliases. A field that is gone and a new one are suspected to be one when
//! they have the same form and either stand at the same place between the fields that stayed (a database keeps a renamed
//! column where it was) or have similar names.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::avro::{AvroSchema, Field};
use super::envelope::{RowField, row_field};
use crate::steps;

/// Names at least this alike (Jaro-Winkler) may be one column renamed.
const SIMILAR: f64 = 0.85;

/// Pairs of fields that are held against each other. Where more have come and gone, only those at the same place are, the
/// first with the first.
const MOST_PAIRS: usize = 100_000;

/// The fields of two records, told apart. Indices point into the two lists.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    pub same: Vec<(usize, usize)>,
    pub aliased: Vec<(usize, usize)>,
    pub suspected: Vec<(usize, usize)>,
    pub removed: Vec<usize>,
    pub added: Vec<usize>,
}

impl Pairing {
    pub(super) fn of(old: (&AvroSchema, &[Field]), new: (&AvroSchema, &[Field])) -> Self {
        let mut pairing = Self::default();
        let (was, is) = (positions(old.1), positions(new.1));
        let mut gone: BTreeMap<&str, VecDeque<usize>> = BTreeMap::new();
        for (i, field) in old.1.iter().enumerate() {
            match is.get(field.name.as_str()) {
                Some(j) => pairing.same.push((i, *j)),
                None => gone.entry(&field.name).or_default().push_back(i),
            }
        }
        for (j, field) in new.1.iter().enumerate() {
            if was.contains_key(field.name.as_str()) {
                continue;
            }
            steps::count(field.aliases.len());
            let aliases = || field.aliases.iter().map(String::as_str);
            let first = |alias: &str| gone.get(alias).and_then(VecDeque::front).copied();
            match aliases().filter_map(|alias| Some((first(alias)?, alias))).min() {
                Some((i, alias)) => {
                    gone.get_mut(alias).and_then(VecDeque::pop_front);
                    pairing.aliased.push((i, j));
                }
                None => pairing.added.push(j),
            }
        }
        pairing.removed = gone.into_values().flatten().collect();
        pairing.removed.sort_unstable();
        pairing.suspect(old, new);
        pairing
    }

    /// Moves likely renames out of `removed` and `added`, the most alike names first.
    fn suspect(&mut self, old: (&AvroSchema, &[Field]), new: (&AvroSchema, &[Field])) {
        if self.removed.is_empty() || self.added.is_empty() {
            return;
        }
        let (places, others) = (neighbours(old.1, new.1), neighbours(new.1, old.1));
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        let few = self.removed.len().saturating_mul(self.added.len()) <= MOST_PAIRS;
        if few {
            pairs.extend(self.removed.iter().flat_map(|i| self.added.iter().map(|j| (*i, *j))));
        } else {
            let mut free: BTreeMap<Option<&Neighbours>, VecDeque<usize>> = BTreeMap::new();
            for j in &self.added {
                free.entry(others.get(*j)).or_default().push_back(*j);
            }
            let next = |i: &usize| Some((*i, free.get_mut(&places.get(*i))?.pop_front()?));
            pairs.extend(self.removed.iter().filter_map(next));
        }
        let view = |(schema, fields): (&AvroSchema, &[Field]), all: &[usize]| -> BTreeMap<usize, (RowField, String)> {
            let fields = all.iter().filter_map(|i| Some((*i, row_field(schema, fields.get(*i)?))));
            fields.map(|(i, field)| (i, (field.clone(), field.name.to_lowercase()))).collect()
        };
        let (was, is) = (view(old, &self.removed), view(new, &self.added));
        let mut candidates = Vec::new();
        for (i, j) in pairs {
            steps::count(1);
            let (Some((a, a_name)), Some((b, b_name))) = (was.get(&i), is.get(&j)) else { continue };
            if !same_form(a, b) {
                continue;
            }
            let alike = strsim::jaro_winkler(a_name, b_name);
            if places.get(i) == others.get(j) || alike >= SIMILAR {
                candidates.push((alike, i, j));
            }
        }
        candidates.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        let (mut left, mut right) = (BTreeSet::new(), BTreeSet::new());
        for (_, i, j) in candidates {
            if !left.contains(&i) && !right.contains(&j) {
                left.insert(i);
                right.insert(j);
                self.suspected.push((i, j));
            }
        }
        self.removed.retain(|i| !left.contains(i));
        self.added.retain(|j| !right.contains(j));
        self.suspected.sort_unstable();
    }
}

/// Where each name is, the first time.
fn positions(fields: &[Field]) -> BTreeMap<&str, usize> {
    steps::count(fields.len());
    fields.iter().enumerate().rev().map(|(i, f)| (f.name.as_str(), i)).collect()
}

/// Names of the nearest fields before and after one that the other record has too.
type Neighbours<'a> = (Option<&'a str>, Option<&'a str>);

/// The neighbours of each field.
fn neighbours<'a>(fields: &'a [Field], other: &[Field]) -> Vec<Neighbours<'a>> {
    let stays = positions(other);
    let named = |f: &'a Field| stays.contains_key(f.name.as_str()).then_some(f.name.as_str());
    let mut before = None;
    let mut all: Vec<Neighbours<'a>> = Vec::with_capacity(fields.len());
    for field in fields {
        all.push((before, None));
        before = named(field).or(before);
    }
    let mut after = None;
    for (field, place) in fields.iter().zip(&mut all).rev() {
        place.1 = after;
        after = named(field).or(after);
    }
    all
}

fn same_form(a: &RowField, b: &RowField) -> bool {
    a.nullable == b.nullable && a.flink == b.flink && a.avro.base == b.avro.base && a.avro.meaning() == b.avro.meaning()
}
