//! What a reading of the files does not ask: placeholders without a value, names of columns that Flink refuses, and secrets in
//! plain text; queries that do not fit their table.
//!
//! Rules: a column is reported only when every table that it could be from is known with all its columns; a name that
//! could be anything is left to Flink.

use std::collections::{BTreeMap, BTreeSet};

use super::estate::Estate;
use super::project::File;
use super::{change, connector};
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::model::manifest::Manifest;
use crate::model::template;
use crate::sql::{self, Catalog, Reader, code, listed};

/// `found` by reading the files, with one problem for each placeholder that `values` does not hold, at its first place.
pub fn placeholders(files: &[File], values: &BTreeMap<String, String>, mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    // Reading meets only those that it needs, and each as often as it does.
    found.retain(|d| d.code != "C109");
    let mut missing: BTreeMap<&str, Vec<&File>> = BTreeMap::new();
    for file in files {
        for name in template::variables(&file.1) {
            if name != template::JOB && !values.contains_key(name) {
                missing.entry(name).or_default().push(file);
            }
        }
    }
    for (name, used) in missing {
        let Some(((path, text), others)) = used.split_first() else { continue };
        let placeholder = format!("${{{name}}}");
        let start = text.find(&placeholder).unwrap_or(0);
        let also = match others {
            [] => "used here".to_owned(),
            [(other, _)] => format!("used here, and in {other}"),
            others => format!("used here, and in {} other files", others.len()),
        };
        let message = template::MissingVariable { name: name.to_owned() }.to_string();
        let span = Span::new(start, start + placeholder.len());
        found.push(Diagnostic::error("C109", message).in_file(path).at(span, also));
    }
    found
}

/// A warning for each secret that stands in a connector's file. `${..}` of any kind is none: Connect has its own as well.
/// `texts` are the files by path. No place in the file is given: the secret stands there, and would be shown.
pub fn secrets(manifest: &Manifest, texts: &BTreeMap<String, String>) -> Vec<Diagnostic> {
    let files = texts.iter().filter(|(path, _)| path.ends_with(".json"));
    let mut by_name: BTreeMap<String, &String> = BTreeMap::new();
    for (path, file) in files.filter_map(|(path, text)| Some((path, connector::read(path, text).ok()?))) {
        by_name.entry(file.name).or_insert(path);
    }
    let entries = manifest.connectors.iter().flat_map(|(name, c)| c.config.iter().map(move |entry| (name, entry)));
    entries
        .filter(|(_, (key, value))| template::holds_a_secret(key) && !value.is_empty() && !value.contains("${"))
        .map(|(name, (key, _))| {
            let text = format!("connector `{name}` has `{key}` in plain text, which plans and the journal will hold");
            let file = by_name.get(name).map(|path| (*path).clone());
            let problem = Diagnostic::warning("C119", text);
            Diagnostic { file, ..problem }.help("write a placeholder, and its value under [env.<name>.vars]")
        })
        .collect()
}

/// Queries that give more or fewer columns than their table takes. `texts` are the files by path.
pub fn rooms(estate: &Estate, texts: &BTreeMap<String, String>) -> Vec<Diagnostic> {
    let catalog = open_where_unknown(estate);
    change::check::rooms(estate, &mut Reader::new(&catalog), texts)
}

/// An error for each place that Flink's planner refuses for its names: columns, fields, windows and positions that are not there or
/// not clear, lists and sources that have a name twice, joins without a condition, columns that are not grouped by, aggregates where
/// none may be. `texts` are the files by path.
pub fn columns(estate: &Estate, texts: &BTreeMap<String, String>) -> Vec<Diagnostic> {
    let catalog = open_where_unknown(estate);
    let mut reader = Reader::new(&catalog);
    let mut found = Vec::new();
    for table in estate.tables.values() {
        let own_columns = table.create().filter(|create| create.like.is_none());
        if let Some(query) = table.query() {
            let mut outline = reader.outline(query);
            let mut notes = std::mem::take(&mut outline.notes);
            notes.extend(table.view().into_iter().flat_map(|view| listed::in_view(view, &outline)));
            let columns = table.known(estate);
            notes.extend(table.insert().into_iter().flat_map(|insert| listed::in_insert(insert, columns)));
            let help = |note: Diagnostic| match note.help {
                Some(_) => note,
                None => note.help("correct the name: what it reads has no such column"),
            };
            found.extend(named(notes, table.query_text(), table.query_file(), texts).map(help));
        }
        if let Some(create) = table.create() {
            let mut notes = own_columns.map(|create| sql::table_lineage(create).notes).unwrap_or_default();
            notes.extend(listed::in_table(create));
            let own = table.deployed.ddl.as_str();
            let help = |note: Diagnostic| match (note.code.as_str(), &note.help) {
                (code::UNKNOWN_COLUMN, _) | (_, None) => note.help("correct the name, or declare the column"),
                _ => note,
            };
            found.extend(named(notes, own, &table.deployed.ddl_file, texts).map(help));
        }
    }
    found
}

/// The catalog, without the columns of tables that take more from others.
fn open_where_unknown(estate: &Estate) -> Catalog {
    let mut catalog = estate.catalog.clone();
    for table in estate.tables.values().filter(|t| t.create().is_some() && t.known(estate).is_none()) {
        if let Some(known) = catalog.tables.get_mut(&table.deployed.physical) {
            known.columns.clear();
        }
    }
    catalog
}

/// What Flink refuses, each place once, in the file that `own` was cut from. Warnings of lineage say what is not known.
fn named<'a>(
    notes: Vec<Diagnostic>,
    own: &'a str,
    file: &'a str,
    texts: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = Diagnostic> + 'a {
    let before = texts.get(file).and_then(|text| text.find(own)).unwrap_or(0);
    let mut seen = BTreeSet::new();
    notes.into_iter().filter(|note| note.severity == Severity::Error).filter_map(move |mut note| {
        let span = note.labels.first()?.span;
        if !seen.insert(span) {
            return None;
        }
        for label in &mut note.labels {
            label.span = Span::new(label.span.start + before, label.span.end + before);
        }
        Some(note.in_file(file))
    })
}

#[cfg(test)]
mod tests;
