//! Our parser beside sqlparser-rs, sqruff and sqlglot, on the statements that both of a pair accept.
//!
//! Rules: each statement is parsed alone, as text to tree; the two of a pair take turns in each repetition; a ratio is the
//! median of the ratios within the repetitions. sqlglot runs in Python, in a process of its own, and times itself. A peer
//! accepts what it reads without an error into something it knows by name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use cyanotype::sql;
use sqlparser::dialect::GenericDialect;
use sqruff_lib_core::dialects::init::DialectKind;
use sqruff_lib_core::dialects::syntax::{SyntaxKind, SyntaxSet};
use sqruff_lib_core::parser::Parser;
use sqruff_lib_core::parser::lexer::Lexer;
use sqruff_lib_core::parser::segments::Tables;

/// How often a pair takes turns.
const REPETITIONS: usize = 7;

fn main() -> Result<(), String> {
    let statements = statements()?;
    let bytes: usize = statements.iter().map(String::len).sum();
    println!("{} statements, {:.1} kB; median of {REPETITIONS}", statements.len(), bytes as f64 / 1e3);
    println!("{:<28} {:>9} {:>9} {:>11} {:>11} {:>9}", "", "accepted", "kB", "ours MB/s", "peer MB/s", "x ours");

    let generic = GenericDialect {};
    let by_sqlparser = |text: &str| sqlparser::parser::Parser::parse_sql(&generic, text).is_ok();
    pair("sqlparser 0.64, generic", &statements, &by_sqlparser);

    let dialect = sqruff_lib_dialects::kind_to_dialect(&DialectKind::Flink, None).ok_or("sqruff has no flink")?;
    let (lexer, parser) = (Lexer::from(&dialect), Parser::from(&dialect));
    let by_sqruff = |text: &str| {
        let tables = Tables::default();
        let (segments, errors) = lexer.lex(&tables, text.to_owned());
        let unreadable = SyntaxSet::new(&[SyntaxKind::Unparsable]);
        let tree = parser.parse(&tables, &segments);
        let read = |tree: &Option<_>| {
            tree.as_ref().is_some_and(|tree: &sqruff_lib_core::parser::segments::ErasedSegment| {
                tree.recursive_crawl(&unreadable, true, &SyntaxSet::EMPTY, true).is_empty()
            })
        };
        errors.is_empty() && tree.is_ok_and(|tree| read(&tree))
    };
    pair("sqruff 0.44, flink", &statements, &by_sqruff);
    sqlglot(&statements)
}

/// Every statement of the written corpus and of the shop.
fn statements() -> Result<Vec<String>, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in ["tests/oracle/corpus", "examples/shop/pipelines"] {
        collect(&root.join(folder), &mut files).map_err(|e| format!("{folder}: {e}"))?;
    }
    files.sort();
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !file.ends_with("20_mistakes.sql")) {
        let text = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
        found.extend(
            sql::summaries(&text).iter().filter(|one| one.ok).map(|one| text[one.span[0]..one.span[1]].to_owned()),
        );
    }
    Ok(found)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "sql") {
            files.push(path);
        }
    }
    Ok(())
}

fn ours(statements: &[&String]) -> f64 {
    timed(|| statements.iter().map(|text| sql::parse(text).statements().len()).sum())
}

fn timed(work: impl FnOnce() -> usize) -> f64 {
    let began = Instant::now();
    std::hint::black_box(work());
    began.elapsed().as_secs_f64()
}

fn pair(name: &str, statements: &[String], accepts: &dyn Fn(&str) -> bool) {
    let both: Vec<&String> = statements.iter().filter(|text| accepts(text)).collect();
    let turns = (0..=REPETITIONS).map(|_| {
        let own = ours(&both);
        (own, timed(|| both.iter().filter(|text| accepts(text)).count()))
    });
    // The first turn warms up.
    line(name, statements.len(), &both, turns.skip(1).collect());
}

/// One line of the table.
fn line(name: &str, all: usize, both: &[&String], turns: Vec<(f64, f64)>) {
    let bytes = both.iter().map(|text| text.len()).sum::<usize>() as f64;
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let rate = |seconds: f64| bytes / seconds / 1e6;
    println!(
        "{name:<28} {:>9} {:>9.1} {:>11.2} {:>11.3} {:>9.1}",
        format!("{}/{all}", both.len()),
        bytes / 1e3,
        rate(median(turns.iter().map(|turn| turn.0).collect())),
        rate(median(turns.iter().map(|turn| turn.1).collect())),
        median(turns.iter().map(|turn| turn.1 / turn.0).collect()),
    );
}

/// In Python: says which statements it accepts, and how long it takes for those, repetition by repetition.
fn sqlglot(statements: &[String]) -> Result<(), String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("sqlglot_times.py");
    let input = std::env::temp_dir().join(format!("peers-{}.json", std::process::id()));
    std::fs::write(&input, serde_json::json!(statements).to_string()).map_err(|e| e.to_string())?;
    let python = std::env::var("CYANOTYPE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let done = Command::new(python).arg(&script).arg(&input).arg(REPETITIONS.to_string()).output();
    let _ = std::fs::remove_file(&input);
    let done = done.map_err(|e| format!("python3: {e}"))?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        println!("sqlglot left out: {}", said.lines().last().unwrap_or("it did not run"));
        return Ok(());
    }
    let mut said: BTreeMap<String, Vec<f64>> = serde_json::from_slice(&done.stdout).map_err(|e| e.to_string())?;
    let (accepted, seconds) = (said.remove("accepted").unwrap_or_default(), said.remove("seconds").unwrap_or_default());
    let both: Vec<&String> =
        statements.iter().zip(accepted).filter(|(_, yes)| *yes > 0.0).map(|(text, _)| text).collect();
    ours(&both);
    line(
        "sqlglot (Python), spark",
        statements.len(),
        &both,
        seconds.into_iter().map(|peer| (ours(&both), peer)).collect(),
    );
    Ok(())
}
