//! Tests of the SQL reader; texts that a data engineer can read are files under `tests/it/sql`.

#![expect(clippy::disallowed_methods, reason = "fixtures are files")]

mod carrying;
mod changelogs;
mod confluent;
mod editing;
mod edits;
mod flows;
mod fuzzed;
mod lexing;
mod lineages;
mod meanings;
mod mistakes;
mod operator_uses;
mod parsing;
mod projecting;
mod properties;
mod renaming;
mod states;
mod summarizing;
mod typing;
mod worst_cases;

use super::*;

/// A fixture's text.
fn fixture(path: &str) -> String {
    let path = format!("{}/tests/it/sql/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The files of a fixture folder, without `.sql`.
fn fixtures(folder: &str) -> Vec<String> {
    let path = format!("{}/tests/it/sql/{folder}", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let mut names: Vec<String> =
        files.filter_map(|f| f.ok()?.file_name().into_string().ok()?.strip_suffix(".sql").map(str::to_owned)).collect();
    names.sort();
    names
}

/// The only statement of a text that has no mistakes.
fn one(text: &str) -> Statement {
    let parsed = parse(text);
    assert_eq!(parsed.diagnostics(), [], "{text}");
    assert_eq!(parsed.statements().len(), 1, "{text}");
    parsed.statements()[0].clone()
}

fn query(text: &str) -> Query {
    match one(text).kind {
        StatementKind::Query(query) => query,
        StatementKind::Insert(insert) => insert.query,
        other => panic!("not a query: {other:?}"),
    }
}

fn table(text: &str) -> CreateTable {
    match one(text).kind {
        StatementKind::CreateTable(table) => table,
        other => panic!("not a table: {other:?}"),
    }
}

/// A catalog of tables, each `name(column, column)`, all columns strings.
fn catalog(tables: &[&str]) -> Catalog {
    use crate::model::column::{Column, ColumnType};
    let mut catalog = Catalog::default();
    for table in tables {
        let (name, columns) = table.strip_suffix(')').and_then(|t| t.split_once('(')).expect("name(columns)");
        let columns = columns.split(", ").map(|c| Column::nullable(c, ColumnType::String)).collect();
        catalog.tables.insert(name.to_owned(), CatalogTable { columns, ..CatalogTable::default() });
    }
    catalog
}
