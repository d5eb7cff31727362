//! What holds of every text, valid or not. For tests: drawn texts (`src/sql/tests/properties.rs`) and fuzzed ones (`fuzz`).
//!
//! Each function gives back the first promise that was broken, in words.

use std::collections::{BTreeMap, BTreeSet};

use super::changelog::queries;
use super::meaning::words_of;
use super::summary::of_parsed;
use super::{
    CannotEdit, Catalog, CreateTable, Definitions, EditSet, ObjectName, Parsed, Query, Statement, StatementKind,
    StatementSummary, TableRef, Word, apply, carry_column, changelogs, difference, lineage, mentioned_tables,
    operators, parse, rename_tables, state, statement_types, table_refs, written_tables,
};
use crate::diagnostic::{Diagnostic, Edit, Span};
use crate::model::column::{Column, ColumnType, Nullable};

/// The reserved words.
pub const RESERVED: &[&str] = super::keyword::RESERVED;

/// A promise that was broken.
type Broken = Result<(), String>;

fn holds(promise: bool, words: impl FnOnce() -> String) -> Broken {
    if promise { Ok(()) } else { Err(words()) }
}

/// The text is kept, statements come in order, every place is on the text, and whatever stands on the tree can be made.
pub fn reading(text: &str) -> Broken {
    let parsed = parse(text);
    let joined: String = parsed.tokens().iter().map(|token| token.text(text)).collect();
    holds(joined == text, || "the tokens are not the text".to_owned())?;
    let mut end = 0;
    for statement in parsed.statements() {
        let span = statement.span;
        holds(span.start >= end && span.start < span.end && text.get(span.start..span.end).is_some(), || {
            format!("a statement at {span:?} after one that ends at {end}")
        })?;
        end = span.end;
        let name = |reference: &TableRef| reference.name.last().span.of(text).is_empty();
        holds(!table_refs(statement).iter().any(name), || format!("a table without a name in {statement:?}"))?;
        unread_is_said(text, &parsed, statement)?;
        queries(statement).into_iter().for_each(standing_on);
        edits_fit(text, statement)?;
    }
    for problem in parsed.diagnostics() {
        let on_text = |span: &Span| text.get(span.start..span.end).is_some();
        let placed = !problem.labels.is_empty() && problem.labels.iter().all(|label| on_text(&label.span));
        holds(placed, || format!("no place: {problem:?}"))?;
        fit(text, &problem.edits)?;
    }
    defining(text, &parsed)
}

/// What cannot be read is said: at the latest at the token behind it, where something else should have come.
fn unread_is_said(text: &str, parsed: &Parsed, statement: &Statement) -> Broken {
    if !matches!(statement.kind, StatementKind::Unparsed { .. }) {
        return Ok(());
    }
    let (start, end) = (statement.span.start, statement.span.end);
    let from = parsed.tokens().partition_point(|t| t.span.start < end);
    let rest = parsed.tokens().get(from..).unwrap_or(&[]);
    let next = rest.iter().find(|t| !t.kind.is_trivia()).map_or(text.len(), |t| t.span.end);
    let inside = |d: &Diagnostic| d.labels.iter().any(|l| l.span.start <= next && l.span.end >= start);
    holds(parsed.diagnostics().iter().any(inside), || format!("no diagnostic says why {statement:?} was not read"))
}

fn standing_on(query: &Query) {
    lineage(query, &Catalog::default());
    operators(query, &Definitions::default());
}

/// The first query that is not read alike in both texts is looked at in all its parts.
fn differing((old_text, old): (&str, &Parsed), (new_text, new): (&str, &Parsed)) -> Broken {
    let all = |parsed| -> Vec<&Query> { Parsed::statements(parsed).iter().flat_map(queries).collect() };
    let (all_old, all_new) = (all(old), all(new));
    let mut pairs = all_old.iter().zip(all_new);
    if let Some((old, new)) = pairs.find(|(old, new)| old.span.of(old_text) != new.span.of(new_text)) {
        difference((old_text, old), (new_text, new)).rows();
    }
    let Some(first) = all_old.first() else { return Ok(()) };
    let itself = difference((old_text, first), (old_text, first));
    holds(itself.rows().is_none() && !itself.repeated(), || format!("{first:?} differs from itself"))
}

fn edits_fit(text: &str, statement: &Statement) -> Broken {
    if let StatementKind::Insert(insert) = &statement.kind
        && let Ok(edits) = carry_column(text, insert, "t", "new", Some("COALESCE({}, 1)"), "new", &Catalog::default())
    {
        fit(text, &edits)?;
    }
    if let StatementKind::CreateTable(table) = &statement.kind {
        let mut edits = EditSet::new(text);
        // Refused if a broken text has the column already.
        let _ = edits.add_column(table, &Column::nullable("new", ColumnType::Int));
        edits.set_option(table, "new", "value").apply().map_err(|e| e.to_string())?;
        // Each column is held against all of the table: the first ones are enough.
        for column in table.columns.iter().take(20) {
            let mut edits = EditSet::new(text);
            let _ = edits.remove_column(table, &column.name.name);
            let _ = edits.set_type(table, &column.name.name, &Nullable { ty: ColumnType::Int, nullable: true });
            let _ = edits.rename_column(table, &column.name.name, "new");
            let _ = edits.apply();
        }
    }
    Ok(())
}

fn fit(text: &str, edits: &[Edit]) -> Broken {
    apply(text, edits).map(|_| ()).map_err(|e| format!("{e}: {edits:?}"))
}

/// What stands on definitions, with those of the text itself.
fn defining(text: &str, parsed: &Parsed) -> Broken {
    let mut known = Definitions::default();
    let short = of_parsed(text, parsed);
    holds(short.len() == parsed.statements().len(), || "a summary more or less".to_owned())?;
    for (statement, short) in parsed.statements().iter().zip(&short) {
        holds(short.ok || !short.errors.is_empty(), || format!("no error says why: {short:?}"))?;
        let [start, end] = short.span;
        holds(text.get(start..end).is_some(), || format!("not on the text: {short:?}"))?;
        let flows = known.flows(statement).len();
        let (modes, types) = (changelogs(statement, &known), statement_types(statement, &known));
        holds(modes.len() == flows && types.len() == flows, || format!("{flows} flows, but {modes:?} and {types:?}"))?;
        state(statement, &known);
        let names = short.reads.iter().chain(&short.writes).map(|name| (name.clone(), format!("{name}_v2"))).collect();
        fit(text, &rename_tables(statement, &names))?;
        known.add(statement);
    }
    Ok(())
}

/// Edits of a text without mistakes give a text without mistakes that says the same but for the edit. Of a text with mistakes
/// nothing is asked.
pub fn editing(text: &str) -> Broken {
    let parsed = parse(text);
    if !parsed.diagnostics().is_empty() {
        return Ok(());
    }
    renaming(text, &parsed)?;
    let option = |edits: &mut EditSet<'_>, table: &CreateTable| {
        edits.set_option(table, "new.option", "it's");
        Ok(())
    };
    changed_tables(text, &parsed, option, |before, after| {
        let added = usize::from(before.option("new.option").is_none());
        after.option("new.option").is_some_and(|option| option.value == "it's")
            && after.options.len() == before.options.len() + added
            && after.schema() == before.schema()
    })?;
    let ty = ColumnType::Array(Box::new(Nullable { ty: ColumnType::Int, nullable: true }));
    let column = Column::nullable("new column", ty);
    let add = |edits: &mut EditSet<'_>, table: &CreateTable| edits.add_column(table, &column).map(|_| ());
    changed_tables(text, &parsed, add, |before, after| {
        after.columns.len() == before.columns.len() + 1
            && after.schema().contains(&column)
            && after.options.len() == before.options.len()
            && after.watermark.is_some() == before.watermark.is_some()
            && after.primary_key.is_some() == before.primary_key.is_some()
    })
}

/// Each table is as `wanted` after its edit, and every statement does what it did.
fn changed_tables(
    text: &str,
    parsed: &Parsed,
    edit: impl Fn(&mut EditSet<'_>, &CreateTable) -> Result<(), CannotEdit>,
    wanted: impl Fn(&CreateTable, &CreateTable) -> bool,
) -> Broken {
    let before = tables(parsed);
    let mut edits = EditSet::new(text);
    if before.iter().any(|table| edit(&mut edits, table).is_err()) {
        return Ok(());
    }
    let changed = edits.apply().map_err(|e| e.to_string())?;
    let now = parse(&changed);
    holds(now.diagnostics().is_empty(), || format!("{changed:?}: {:?}", now.diagnostics()))?;
    let after = tables(&now);
    let all = before.len() == after.len() && before.iter().zip(&after).all(|(before, after)| wanted(before, after));
    holds(all, || format!("not the tables that were asked for: {changed:?}"))?;
    let said = |text: &str, parsed: &Parsed| -> Vec<(String, BTreeSet<String>, BTreeSet<String>)> {
        of_parsed(text, parsed).into_iter().map(|s| (s.kind, s.reads, s.writes)).collect()
    };
    holds(said(text, parsed) == said(&changed, &now), || format!("a statement does something else: {changed:?}"))
}

fn tables(parsed: &Parsed) -> Vec<&CreateTable> {
    let all = parsed.statements().iter();
    all.filter_map(|statement| match &statement.kind {
        StatementKind::CreateTable(table) => Some(table),
        _ => None,
    })
    .collect()
}

/// Every table gets a name that stands nowhere in the text: then the words are the old ones but for those names.
fn renaming(text: &str, parsed: &Parsed) -> Broken {
    let before = of_parsed(text, parsed);
    let last = |name: &ObjectName| name.last().name.clone();
    let mut names = BTreeMap::new();
    for statement in parsed.statements() {
        let read = table_refs(statement).into_iter().map(|reference| last(&reference.name));
        let written = written_tables(statement).into_iter().chain(mentioned_tables(statement)).map(last);
        for old in read.chain(written).collect::<Vec<_>>() {
            let fresh = (0..).map(|n| format!("renamed {} {n}", names.len())).find(|name| !text.contains(name));
            names.entry(old).or_insert(fresh.unwrap_or_default());
        }
    }
    let mut edits = EditSet::new(text);
    parsed.statements().iter().for_each(|statement| {
        edits.rename_tables(statement, &names);
    });
    let after = edits.apply().map_err(|e| e.to_string())?;
    let reparsed = parse(&after);
    holds(reparsed.diagnostics().is_empty(), || format!("{after:?}: {:?}", reparsed.diagnostics()))?;
    let short = |all: &[StatementSummary]| -> Vec<(String, usize, usize)> {
        all.iter().map(|s| (s.kind.clone(), s.reads.len(), s.writes.len())).collect()
    };
    let now = of_parsed(&after, &reparsed);
    holds(short(&before) == short(&now), || format!("other statements: {after:?}"))?;
    let stayed = now.iter().flat_map(|s| s.reads.iter().chain(&s.writes)).find(|name| {
        let last = name.rsplit('.').next().unwrap_or(name);
        !last.starts_with("renamed ") && !names.values().any(|new| new == last)
    });
    holds(stayed.is_none(), || format!("{stayed:?} is there still: {after:?}"))?;
    // A name before a bracket is taken for a function's.
    let both = |name: &String| [name.clone(), name.to_uppercase()];
    let others: BTreeSet<String> = names.keys().chain(names.values()).flat_map(both).collect();
    let kept = |text: &str, parsed: &Parsed| -> Vec<Word> {
        let is_one = |word: &Word| match word {
            Word::Name(name) | Word::Other(name) => others.contains(name),
        };
        words_of(text, parsed).all().filter(|word| !is_one(word)).cloned().collect()
    };
    // Hints name tables in literals too.
    let hinted = text.contains("/*+");
    differing((text, parsed), (&after, &reparsed))?;
    holds(hinted || kept(text, parsed) == kept(&after, &reparsed), || format!("other words: {after:?}"))
}
