//! Calls of the `git` program.
//!
//! Rules: it asks nobody anything, it is ended when it takes too long, and the environment's own repository settings do
//! not reach it.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::wording::{REASON_LIMIT, one_line, scrub};
use crate::port::{PortError, PortResult};

/// Reading the index of a very large repository takes seconds.
const DEADLINE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(5);
/// Settings that would point git at another repository than the one of the folder.
const FOREIGN: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

/// What a call gave.
pub(super) struct Output {
    pub(super) ok: bool,
    pub(super) out: String,
    pub(super) err: String,
    /// `out` as it came.
    bytes: Vec<u8>,
}

/// The `git` program in one folder.
pub(super) struct Git<'a> {
    pub(super) folder: &'a Path,
    /// Index that takes the place of the repository's own.
    pub(super) index: Option<PathBuf>,
}

impl Git<'_> {
    /// Runs git and gives what it said, also when it failed.
    pub(super) fn try_run(&self, args: &[&str], input: &str) -> PortResult<Output> {
        let failed = |reason: String| PortError::Unreachable {
            system: "git",
            address: "this machine".into(),
            reason: one_line(&reason, REASON_LIMIT),
        };
        let mut command = Command::new("git");
        command.args(args).current_dir(self.folder);
        for name in FOREIGN {
            command.env_remove(name);
        }
        command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0");
        for role in ["GIT_AUTHOR", "GIT_COMMITTER"] {
            command.env(format!("{role}_NAME"), "Cyanotype").env(format!("{role}_EMAIL"), "cyanotype@localhost");
        }
        if let Some(index) = &self.index {
            command.env("GIT_INDEX_FILE", OsStr::new(index));
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => PortError::Missing { system: "this machine", what: "program `git`".into() },
            _ => failed(format!("`git` cannot be started: {error}")),
        })?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        thread::scope(|scope| {
            // A pipe that git does not read to its end breaks; git's exit code says what went wrong.
            scope.spawn(move || stdin.map(|mut pipe| pipe.write_all(input.as_bytes())));
            let out = scope.spawn(move || drained(stdout));
            let err = scope.spawn(move || drained(stderr));
            let deadline = Instant::now() + DEADLINE;
            let status = loop {
                match child.try_wait() {
                    Ok(Some(status)) => break Ok(status),
                    Ok(None) if Instant::now() < deadline => thread::sleep(POLL),
                    Ok(None) => break Err(failed(format!("`git {}` took too long", args.join(" ")))),
                    Err(error) => break Err(failed(format!("`git` was lost: {error}"))),
                }
            };
            if status.is_err() {
                // Nothing more can be done for a program that does not end.
                let _ = child.kill();
                let _ = child.wait();
            }
            let bytes = out.join().unwrap_or_default();
            let err = err.join().unwrap_or_default();
            let (out, err) = (String::from_utf8_lossy(&bytes).into_owned(), String::from_utf8_lossy(&err).into_owned());
            Ok(Output { ok: status?.success(), out, err, bytes })
        })
    }

    /// Runs git; its output without the last line break.
    pub(super) fn run(&self, args: &[&str], input: &str) -> PortResult<String> {
        let output = self.try_run(args, input)?;
        if !output.ok {
            let what = format!("`git {}`", args.first().copied().unwrap_or_default());
            return Err(PortError::Refused {
                system: "git",
                what,
                reason: one_line(&scrub(&output.err), REASON_LIMIT),
            });
        }
        Ok(output.out.trim_end_matches('\n').to_owned())
    }

    /// The contents of objects, each with the name that it came with.
    pub(super) fn objects(&self, named: Vec<(String, String)>) -> PortResult<Vec<(String, Vec<u8>)>> {
        let lost = |what: &str| PortError::Garbage {
            system: "git",
            what: format!("`cat-file` of {what}"),
            reason: "the object is not there".into(),
        };
        let hashes: String = named.iter().map(|(_, hash)| format!("{hash}\n")).collect();
        let output = self.try_run(&["cat-file", "--batch"], &hashes)?;
        // For each object a line `<hash> <type> <size>`, its bytes, and a line break.
        let mut rest = output.bytes.as_slice();
        let mut found = Vec::with_capacity(named.len());
        for (name, _) in named {
            let line = rest.iter().position(|b| *b == b'\n').ok_or_else(|| lost(&name))?;
            let head = String::from_utf8_lossy(rest.get(..line).unwrap_or_default()).into_owned();
            let size =
                head.rsplit(' ').next().and_then(|size| size.parse::<usize>().ok()).ok_or_else(|| lost(&name))?;
            let bytes = rest.get(line + 1..line + 1 + size).ok_or_else(|| lost(&name))?.to_vec();
            rest = rest.get(line + 2 + size..).unwrap_or_default();
            found.push((name, bytes));
        }
        Ok(found)
    }

    /// Runs git; `None` when it says no.
    pub(super) fn ask(&self, args: &[&str]) -> PortResult<Option<String>> {
        let output = self.try_run(args, "")?;
        Ok(output.ok.then(|| output.out.trim_end_matches('\n').to_owned()))
    }
}

fn drained(pipe: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // What was read before a failure is still worth showing.
        let _ = pipe.read_to_end(&mut bytes);
    }
    bytes
}
