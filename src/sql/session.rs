//! Which table a name stands for: `USE CATALOG` and `USE` say what is left out in front of it.

use super::tree::{Ident, ObjectName, Statement, StatementKind};

/// The current catalog and database, as far as they were set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    catalog: Option<String>,
    database: Option<String>,
}

impl Session {
    /// Takes what `USE CATALOG c`, `USE d` and `USE c.d` set. Another catalog has a current database of its own, which is
    /// not known.
    pub fn follow(&mut self, statement: &Statement) {
        let StatementKind::Other { keyword, words, .. } = &statement.kind else { return };
        let name = |ident: &Ident| Some(ident.name.clone());
        match (keyword.as_str(), words.as_slice()) {
            ("USE CATALOG", [.., catalog]) => *self = Self { catalog: name(catalog), database: None },
            ("USE", [_, database]) => self.database = name(database),
            ("USE", [_, catalog, database]) => *self = Self { catalog: name(catalog), database: name(database) },
            _ => {}
        }
    }

    /// The parts of `name` with those in front of it that are known.
    pub fn full(&self, name: &ObjectName) -> Vec<String> {
        let written = name.parts.iter().map(|part| part.name.clone());
        let in_front = match (name.parts.len(), &self.catalog, &self.database) {
            (1, Some(catalog), Some(database)) => vec![catalog.clone(), database.clone()],
            (1, None, Some(database)) => vec![database.clone()],
            (2, Some(catalog), _) => vec![catalog.clone()],
            _ => Vec::new(),
        };
        in_front.into_iter().chain(written).collect()
    }
}

/// True if two names may stand for one thing: as far as both are known, they are alike.
pub(super) fn may_be_one(a: &[String], b: &[String]) -> bool {
    a.iter().rev().zip(b.iter().rev()).all(|(a, b)| a == b)
}
