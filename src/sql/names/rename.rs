//! Other names in place of tables.

use std::collections::BTreeMap;

use super::resolver::Resolver;
use super::{mentioned_tables, written_tables};
use crate::diagnostic::{Edit, Span};
use crate::sql::keyword::{quote, quote_if_needed};
use crate::sql::tree::Statement;

/// The edits that put other names in place of tables: where they are created, written, dropped, read and asked about, and
/// where columns are qualified by them. `names` maps old to new, both without quotes and without catalog and database, which stay.
pub fn rename_tables(statement: &Statement, names: &BTreeMap<String, String>) -> Vec<Edit> {
    let mut edits = Vec::new();
    for name in written_tables(statement).into_iter().chain(mentioned_tables(statement)) {
        if let Some(new) = names.get(&name.last().name) {
            edits.push(renamed(&name.last().name, name.last().span, new));
        }
    }
    let mut resolver = Resolver::default();
    resolver.statement(&statement.kind);
    for reference in resolver.refs {
        let old = &reference.name.last().name;
        let Some(new) = names.get(old) else { continue };
        edits.push(renamed(old, reference.name.last().span, new));
        edits.extend(reference.qualifiers.iter().map(|span| renamed(old, *span, new)));
        edits.extend(reference.hint_names.iter().map(|span| Edit { span: *span, text: new.replace('\'', "''") }));
    }
    edits.sort();
    edits.dedup();
    edits
}

/// Backquotes stay where they were, and come where the new name needs them.
fn renamed(old: &str, span: Span, new: &str) -> Edit {
    let was_quoted = span.end.saturating_sub(span.start) != old.len();
    Edit { span, text: if was_quoted { quote(new) } else { quote_if_needed(new) } }
}
