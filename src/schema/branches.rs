//! The branches of a union by what they can read, so that a union of thousands is looked up and not tried branch by branch.

use std::collections::BTreeMap;

use super::avro::{AvroSchema, NodeId, Type};
use crate::steps;

/// A named type by its word and a name.
type ByName<'a> = BTreeMap<(&'static str, &'a str), Vec<NodeId>>;

/// The branches of one union.
#[derive(Default)]
pub(super) struct Branches<'a> {
    /// Records, enums and fixed by their short names.
    by_name: ByName<'a>,
    /// The same by the full names among their aliases.
    by_alias: ByName<'a>,
    by_full_name: BTreeMap<(&'static str, String), NodeId>,
    by_word: BTreeMap<&'static str, Vec<NodeId>>,
    /// One of each primitive type: a second one reads nothing more.
    primitives: Vec<NodeId>,
}

impl<'a> Branches<'a> {
    /// Looks at each branch once.
    pub(super) fn of(schema: &'a AvroSchema, branches: &[NodeId]) -> Self {
        let mut all = Self::default();
        for branch in branches {
            let ty = schema.ty(*branch);
            let word = ty.word();
            steps::count(1);
            let of_word = all.by_word.entry(word).or_default();
            if let Some(name) = ty.name() {
                steps::count(name.aliases.len());
                all.by_name.entry((word, &name.short)).or_default().push(*branch);
                all.by_full_name.entry((word, name.full())).or_insert(*branch);
                name.aliases.iter().for_each(|alias| all.by_alias.entry((word, alias)).or_default().push(*branch));
            } else if of_word.is_empty() && !matches!(ty, Type::Array(_) | Type::Map(_)) {
                all.primitives.push(*branch);
            }
            of_word.push(*branch);
        }
        all
    }

    /// The branches with Avro's word for `written`.
    pub(super) fn of_word(&self, written: &Type) -> &[NodeId] {
        self.by_word.get(written.word()).map_or(&[], Vec::as_slice)
    }

    /// The branch with the full name of `written`.
    pub(super) fn same_name(&self, written: &Type) -> Option<NodeId> {
        self.by_full_name.get(&(written.word(), written.name()?.full())).copied()
    }

    /// Every branch that may read `written`, which is no union. A named type is also held against the first of its kind, for
    /// the reason why none reads it.
    pub(super) fn that_may_read(&self, written: &Type) -> Vec<NodeId> {
        let found = match written.name() {
            Some(name) => {
                let of = |all: &ByName<'a>, name: &str| all.get(&(written.word(), name)).cloned().unwrap_or_default();
                let mut found = of(&self.by_name, &name.short);
                found.extend(of(&self.by_alias, &name.full()));
                found.extend(self.of_word(written).first());
                found
            }
            None if matches!(written, Type::Array(_) | Type::Map(_)) => self.of_word(written).to_vec(),
            None => self.primitives.clone(),
        };
        steps::count(found.len());
        found
    }
}
