//! Reading SQL: the parser on the shop's files, again and again.
//!
//! The limit is the bare lexer on the same texts.

use std::path::Path;

use cyanotype::sql::{self, lexer};

use crate::table::{Amount, Role, Variant, compare, timed};

/// How often all files are read in one run.
const TIMES: usize = 200;

/// Prints it.
pub fn run() -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/shop/pipelines");
    let mut texts = Vec::new();
    collect(&root, &mut texts).map_err(|e| format!("{}: {e}", root.display()))?;
    texts.sort();
    if let Some(problem) = texts.iter().flat_map(|text| sql::parse(text).diagnostics().to_vec()).next() {
        return Err(format!("the shop's SQL is not clean: {}", problem.message));
    }
    let bytes = TIMES * texts.iter().map(String::len).sum::<usize>();
    let again = || (0..TIMES).flat_map(|_| &texts);
    let one = again().fold(String::new(), |all, text| all + text + "\n");
    let variants = vec![
        Variant::new("lexer, file by file", Role::Limit, || {
            Ok(timed(|| again().map(|text| lexer::tokenize(text).len()).sum::<usize>()).0)
        }),
        Variant::new("parser, file by file", Role::Ours, || {
            Ok(timed(|| again().map(|text| sql::parse(text).statements().len()).sum::<usize>()).0)
        }),
        Variant::new("parser, all in one text", Role::Ours, || Ok(timed(|| sql::parse(&one)).0)),
    ];
    let title = format!("SQL: {} files, {TIMES} times, {:.1} MB", texts.len(), bytes as f64 / 1e6);
    compare(&title, &Amount { count: TIMES * texts.len(), unit: "file", bytes: Some(bytes) }, 5, variants)
}

fn collect(folder: &Path, texts: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, texts)?;
        } else if path.extension().is_some_and(|end| end == "sql") {
            texts.push(std::fs::read_to_string(&path)?);
        }
    }
    Ok(())
}
