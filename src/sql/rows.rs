//! The rows that a statement's queries make, worked out once for everything that is asked of them.

use super::changelog::{Changelog, Filled, changelog, filled};
use super::flow::Definitions;
use super::relation::{Relation, relation};
use super::state::{StateUse, of_filled};
use super::tree::Statement;
use super::types::{TypedColumn, columns};

/// What each query of a statement makes, in the order of [`Definitions::flows`].
pub struct Rows<'a> {
    statement: &'a Statement,
    known: &'a Definitions,
    made: Vec<(Filled<'a>, Relation)>,
}

impl<'a> Rows<'a> {
    /// Works it out.
    pub fn of(statement: &'a Statement, known: &'a Definitions) -> Self {
        let made = filled(statement, known).into_iter().map(|filled| {
            let made = relation(filled.query, known);
            (filled, made)
        });
        Self { statement, known, made: made.collect() }
    }

    /// The state of what runs because of the statement; nothing for one that runs nothing. It is what there is if the
    /// functions that [`Changelog::assumes`] names are none that aggregate.
    pub fn state(&self) -> Vec<StateUse> {
        let mut found = Vec::new();
        self.made.iter().for_each(|(filled, made)| of_filled(self.statement, filled, made, self.known, &mut found));
        found
    }

    /// How the rows of each query change.
    pub fn changelogs(&self) -> Vec<Changelog> {
        self.made.iter().map(|(filled, made)| changelog(filled, made)).collect()
    }

    /// The columns that each query makes, by the query's own names; `None` where not all are known.
    pub fn types(&self) -> Vec<Option<Vec<TypedColumn>>> {
        let types = |(filled, made): &(Filled<'_>, Relation)| {
            let mut types = columns(made)?;
            filled.arrange(&mut types, |column| &column.name);
            Some(types)
        };
        self.made.iter().map(types).collect()
    }
}
