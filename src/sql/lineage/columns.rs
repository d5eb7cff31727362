//! How many columns there are and what they are called: lists that do not fit, names that are there twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::relation::Relation;
use super::select::Walker;
use crate::diagnostic::{Diagnostic, Span};
use crate::sql::code;
use crate::sql::listed::again;
use crate::sql::steps;
use crate::sql::tree::{Ident, QueryBody};

impl Walker<'_> {
    /// Notes columns of a CTE whose name another one has.
    pub fn twice(&mut self, relation: &Relation, cte: &str) {
        let mut seen = BTreeSet::new();
        let doubled = relation.columns().iter().filter(|column| !seen.insert(&*column.name));
        let notes = doubled.map(|column| again(&format!("`{cte}`"), "column", &column.name, column.span));
        self.notes.extend(notes);
    }

    /// Notes a list of names that is longer or shorter than what it names.
    pub fn width(&mut self, relation: &Relation, names: &[Ident]) {
        let (Some(first), Some(last)) = (names.first(), names.last()) else { return };
        let columns = relation.columns().len();
        if relation.open.is_empty() && columns != names.len() {
            let listed = if names.len() == 1 {
                "there is 1 name".to_owned()
            } else {
                format!("there are {} names", names.len())
            };
            let text = format!("{listed} for {}", counted(columns));
            self.notes.push(width(text, first.span.join(last.span), "these names"));
        }
    }
}

/// Keeps the columns of stars apart: one whose name is in the list already gets a number behind it, as Flink has it.
#[derive(Default)]
pub(super) struct Names {
    /// For each name the next number.
    next: BTreeMap<Arc<str>, usize>,
    /// How many columns were looked at.
    seen: usize,
}

impl Names {
    /// The columns from `from` on are those of a star.
    pub fn apart(&mut self, relation: &mut Relation, from: usize) {
        for column in relation.columns().iter().take(from).skip(self.seen) {
            self.next.entry(Arc::clone(&column.name)).or_default();
        }
        for column in relation.columns_mut().iter_mut().skip(from.max(self.seen)) {
            steps::count(1);
            if let Some(mut number) = self.next.get(&column.name).copied() {
                let name = loop {
                    steps::count(1);
                    let name: Arc<str> = format!("{}{number}", column.name).into();
                    number += 1;
                    if !self.next.contains_key(&name) {
                        break name;
                    }
                };
                self.next.insert(std::mem::replace(&mut column.name, name), number);
            }
            self.next.insert(Arc::clone(&column.name), 0);
        }
        self.seen = relation.columns().len();
    }
}

pub(super) fn counted(columns: usize) -> String {
    if columns == 1 { "1 column".to_owned() } else { format!("{columns} columns") }
}

pub(super) fn width(text: String, span: Span, label: &str) -> Diagnostic {
    Diagnostic::error(code::WIDTH, text).at(span, label).help("make them as many")
}

/// Where a body stands, as far as that is known.
pub(super) fn place(body: &QueryBody) -> Option<Span> {
    match body {
        QueryBody::Select(select) => Some(select.span),
        QueryBody::Values { span, .. } => Some(*span),
        QueryBody::Table(name) => Some(name.span),
        QueryBody::Nested(query) => Some(query.span),
        QueryBody::SetOperation { first, .. } => place(first),
    }
}
