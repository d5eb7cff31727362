//! Our reading of SQL against Flink's own parser and planner, and our answers about Avro against its Java library: one
//! binary, which needs Java, Maven and Python, and the first time the network. `./x oracle` runs it; each test prints what
//! it compared, what it left out, and every disagreement.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod avro;
mod bounds;
mod changelogs;
mod corpus;
mod document;
mod edits;
mod flink;
mod flows;
mod functions;
mod generator;
mod literals;
mod mutants;
mod names;
mod program;
mod renames;
mod states;
mod types;
mod verdicts;
