//! `cyanotype parse`: what files of Flink SQL hold, statement by statement, without a project around them.

use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::output::{Failure, Reply, columns, plain};
use crate::sql::{StatementSummary, summaries};

/// Read files of Flink SQL and say what each statement is, reads and writes, and what is wrong with it. Needs no system.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files; `-` is standard input.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Reply, Failure> {
    let mut files = Vec::with_capacity(args.files.len());
    for path in &args.files {
        let text = text(path)?;
        files.push(File { statements: summaries(&text), file: path.display().to_string(), text });
    }
    let ok = files.iter().all(|file| file.statements.iter().all(|statement| statement.ok));
    let reply = if ok { Reply::yes(Files(files)) } else { Reply::no(Files(files)) };
    Ok(reply.in_lines())
}

fn text(path: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(path).map(|all| bytes = all)
    };
    read.map_err(|error| Failure::new(format!("{} cannot be read", path.display())).because(&error))?;
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(good).filter(|byte| **byte == b'\n').count() + 1;
        Failure::new(format!("{}: line {line} is not UTF-8", path.display())).help("save the file as UTF-8")
    })
}

/// One file as an answer.
#[derive(Serialize)]
struct File {
    file: String,
    statements: Vec<StatementSummary>,
    #[serde(skip)]
    text: String,
}

/// All of them: a JSON line each.
#[derive(Serialize)]
#[serde(transparent)]
struct Files(Vec<File>);

impl Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for File { file, statements, text } in &self.0 {
            let line = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
            let names = |word: &str, names: &BTreeSet<String>| {
                if names.is_empty() {
                    String::new()
                } else {
                    format!("{word} {}", names.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
                }
            };
            let rows: Vec<Vec<String>> = statements
                .iter()
                .map(|one| {
                    let place = format!("{file}:{}", line(one.span[0]));
                    vec![place, one.kind.clone(), names("reads", &one.reads), names("writes", &one.writes)]
                })
                .collect();
            for (row, one) in columns(&rows).iter().zip(statements) {
                writeln!(f, "{}", plain(row))?;
                for error in &one.errors {
                    let place = format!("{file}:{}", line(error.span[0]));
                    writeln!(f, "{}", plain(&format!("  {place}: error[{}]: {}", error.code, error.message)))?;
                }
            }
        }
        Ok(())
    }
}
