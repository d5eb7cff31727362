//! Renaming tables.

use std::collections::BTreeMap;

use super::{CannotEdit, EditSet, apply, refused};
use crate::diagnostic::{Edit, Span};
use crate::sql::changelog::queries;
use crate::sql::names::{mentioned_tables, rename_tables, table_refs, written_tables};
use crate::sql::parser::parse;
use crate::sql::tree::Statement;
use crate::sql::walk::factors;

/// The tables of a statement: each name with how often columns and hints are qualified by it.
type Named = Vec<(String, usize)>;

impl EditSet<'_> {
    /// Gives a table another name wherever `statement` names it: where it is created, written, dropped, read and asked about, and
    /// where columns are qualified by it. A CTE, alias or column of that name stays. Both names are without quotes and
    /// without catalog and database, which stay; backquotes come where they are needed.
    ///
    /// If a CTE or an alias has the new name, so that the statement would mean something else, [`edits`](Self::edits) is an
    /// error.
    pub fn rename_table(&mut self, statement: &Statement, old: &str, new: &str) -> &mut Self {
        self.rename_tables(statement, &[(old.to_owned(), new.to_owned())].into())
    }

    /// [`rename_table`](Self::rename_table) for several tables, old names to new ones. Names may be exchanged.
    pub fn rename_tables(&mut self, statement: &Statement, names: &BTreeMap<String, String>) -> &mut Self {
        let mut edits = rename_tables(statement, names);
        edits.iter_mut().for_each(|edit| apart(self.text, edit));
        // Only a name that is there already can get in the way.
        let old = statement.span.of(self.text);
        let near = names.iter().find(|(_, new)| !edits.is_empty() && old.contains(new.as_str()));
        if let Some((table, new)) = near
            && (is_alias_beside(statement, names)
                || renamed_alone(old, statement, &edits) != Some(renamed(statement, names)))
        {
            self.refused.push(taken(table, new, statement.span));
        }
        for edit in edits {
            self.replace(format!("rename table {}", edit.span.of(self.text)), edit.span, edit.text);
        }
        self
    }
}

/// Two names in backquotes with nothing between them would be one name.
fn apart(text: &str, edit: &mut Edit) {
    if edit.text.starts_with('`') && text.get(..edit.span.start).is_some_and(|before| before.ends_with('`')) {
        edit.text.insert(0, ' ');
    }
    if edit.text.ends_with('`') && text.get(edit.span.end..).is_some_and(|behind| behind.starts_with('`')) {
        edit.text.push(' ');
    }
}

fn taken(table: &str, new: &str, span: Span) -> CannotEdit {
    refused(
        format!("rename table {table}"),
        format!("`{new}` would mean something else here: a CTE, an alias or another table has that name"),
        Some(span),
    )
}

/// True if a source has a new name as its alias, and a table without an alias gets that name: two sources of one name.
fn is_alias_beside(statement: &Statement, names: &BTreeMap<String, String>) -> bool {
    let refs = table_refs(statement);
    let bare: Vec<&String> =
        refs.iter().filter(|r| r.alias.is_none()).filter_map(|r| names.get(&r.name.last().name)).collect();
    let mut found = false;
    for query in queries(statement) {
        factors(query, &mut |factor| {
            found |= factor.alias.as_ref().is_some_and(|alias| bare.contains(&&alias.name));
        });
    }
    found
}

/// The tables as they are to be called.
fn renamed(statement: &Statement, names: &BTreeMap<String, String>) -> Named {
    let mut named = named(statement);
    for (name, _) in &mut named {
        if let Some(new) = names.get(name) {
            new.clone_into(name);
        }
    }
    named
}

/// The tables of the changed text, if it is still one statement.
fn renamed_alone(text: &str, statement: &Statement, edits: &[Edit]) -> Option<Named> {
    let start = statement.span.start;
    let shifted = |edit: &Edit| {
        let span = Span::new(edit.span.start.checked_sub(start)?, edit.span.end.checked_sub(start)?);
        Some(Edit { span, text: edit.text.clone() })
    };
    let edits: Vec<Edit> = edits.iter().map(shifted).collect::<Option<_>>()?;
    let changed = apply(text, &edits).ok()?;
    match parse(&changed).statements() {
        [statement] => Some(named(statement)),
        _ => None,
    }
}

fn named(statement: &Statement) -> Named {
    let others = written_tables(statement).into_iter().chain(mentioned_tables(statement));
    let refs = table_refs(statement);
    let read = refs.iter().map(|r| (r.name.last().name.clone(), r.qualifiers.len() + r.hint_names.len()));
    others.map(|name| (name.last().name.clone(), 0)).chain(read).collect()
}
