//! `cyanotype parse`: what files of Flink SQL hold, statement by statement, without a project around them.

use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::output::{Failure, Reply, columns, plain};
use crate::sql::{StatementSummary, summaries};

/// Read files of Flink SQL and say what each statement is, reads and writes, and what is wrong with it. Needs no system.
/// The exit code is 0 if nothing is wrong, 1 if a statement is, 2 if a file cannot be read; with `--output json` each file is a
/// line all the same, one that cannot be read with an `error`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files; `-` is standard input.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Reply, Failure> {
    let files: Vec<File> = args.files.iter().map(|path| File::read(path)).collect();
    let help = files.iter().find_map(|file| file.failure.as_ref()?.help.clone());
    let unread = files.iter().any(|file| file.failure.is_some());
    let ok = files.iter().all(|file| file.statements.iter().all(|statement| statement.ok));
    let reply = match (unread, ok) {
        (true, _) => Reply::unknown(Files(files)),
        (false, true) => Reply::yes(Files(files)),
        (false, false) => Reply::no(Files(files)),
    };
    let reply = reply.in_lines();
    Ok(match help {
        Some(help) => reply.help(help),
        None => reply,
    })
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
    /// Why it cannot be read.
    #[serde(rename = "error", serialize_with = "as_error", skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
    #[serde(skip)]
    text: String,
}

impl File {
    fn read(path: &Path) -> Self {
        let file = path.display().to_string();
        match text(path) {
            Ok(text) => Self { file, statements: summaries(&text), failure: None, text },
            Err(failure) => Self { file, statements: Vec::new(), failure: Some(failure), text: String::new() },
        }
    }
}

/// As an error on stderr looks.
fn as_error<S: Serializer>(failure: &Option<Failure>, to: S) -> Result<S::Ok, S::Error> {
    failure.as_ref().map(|failure| failure.json()["error"].take()).serialize(to)
}

/// All of them: a JSON line each.
#[derive(Serialize)]
#[serde(transparent)]
struct Files(Vec<File>);

impl Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for File { file, statements, failure, text } in &self.0 {
            if let Some(failure) = failure {
                writeln!(f, "{}", plain(&format!("error: {}", failure.lines.join(": "))))?;
            }
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
