//! The statements under `corpus`: written as users write them, one file for each part of the language.

use std::path::Path;

use cyanotype::sql;

/// A file of the corpus: definitions first, then statements that use them.
pub struct File {
    /// Its name without the ending.
    pub name: String,
    /// Its statements, comments before them included.
    pub statements: Vec<String>,
}

/// Every file, in order of their names. Statements end with a `;` at the end of a line; a statement set is one statement.
pub fn files() -> Vec<File> {
    let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/corpus"));
    let mut paths: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let file = |path: &std::path::PathBuf| File {
        name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
        statements: split(&std::fs::read_to_string(path).unwrap()),
    };
    paths.iter().map(file).collect()
}

/// The statements of a text. A block between two lines of dashes only (`----`) is one statement, whatever is in it.
fn split(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (i, block) in text.split("----\n").enumerate() {
        if i % 2 == 1 {
            found.push(block.trim_end_matches('\n').to_owned());
            continue;
        }
        let mut start = 0;
        for token in sql::lexer::tokenize(block) {
            if token.kind == sql::TokenKind::Symbol(sql::Symbol::Semicolon) {
                found.push(block[start..token.span.start].trim_start().to_owned());
                start = token.span.end;
            }
        }
        let rest = &block[start..];
        assert!(sql::parse(rest).statements().is_empty(), "a statement without `;` at the end: {rest}");
    }
    found
}
