//! The list that a comparison makes: each difference in a sentence that names its place, up to an end that is told.

use super::change::{Change, ChangeKind, Effect, Scope};

/// Differences told at most.
const MOST_CHANGES: usize = 2_000;

/// What a table of the old schema makes of new records, and one of the new schema of old ones.
pub(super) type Effects = (Effect, Effect);

pub(super) const FINE: Effects = (Effect::Fine, Effect::Fine);
pub(super) const FAILS: Effects = (Effect::Fails, Effect::Fails);

/// Where in the row.
#[derive(Clone, Default)]
pub(super) struct Place {
    pub path: String,
    pub column: Option<String>,
}

impl Place {
    /// A field of the place.
    pub(super) fn field(&self, name: &str) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Self { path, column: self.column.clone().or_else(|| Some(name.to_owned())) }
    }

    /// A part of the place that has no name of its own, such as the items of an array.
    pub(super) fn inside(&self, what: &str) -> Self {
        Self { path: format!("{}[{what}]", self.path), column: self.column.clone() }
    }
}

/// Differences, in the order in which they were found.
pub(super) struct Differences {
    /// Part of the record that is being compared.
    pub scope: Scope,
    pub list: Vec<Change>,
}

impl Differences {
    pub(super) fn of(scope: Scope) -> Self {
        Self { scope, list: Vec::new() }
    }

    /// Whether no more are told.
    pub(super) fn is_full(&self) -> bool {
        self.list.len() > MOST_CHANGES
    }

    /// Adds one; the first that is too many says so, and the rest is left out.
    pub(super) fn push(
        &mut self,
        place: &Place,
        kind: ChangeKind,
        (old, new): (Option<String>, Option<String>),
        (old_table, new_table): Effects,
        what: &str,
    ) {
        if self.is_full() {
            return;
        }
        let scope = self.scope;
        if self.list.len() == MOST_CHANGES {
            return self.list.push(Change {
                path: String::new(),
                column: None,
                scope,
                kind: ChangeKind::NotJudged,
                old: None,
                new: None,
                old_table: Effect::Fails,
                new_table: Effect::Fails,
                sentence: format!("more than {MOST_CHANGES} differences: the rest is not judged"),
            });
        }
        let Place { path, column } = place.clone();
        let subject = if path.is_empty() { scope.whole().to_owned() } else { format!("{} `{path}`", scope.noun()) };
        let sentence = format!("{subject} {what}");
        self.list.push(Change { path, column, scope, kind, old, new, old_table, new_table, sentence });
    }
}
