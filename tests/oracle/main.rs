//! Our reading of SQL against Flink's own parser and planner: one binary, which needs Java, Maven and Python, and the first
//! time the network. `./x oracle` runs it; each test prints what it compared, what it left out, and every disagreement.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod corpus;
mod document;
mod edits;
mod flink;
mod flows;
mod generator;
mod mutants;
mod renames;
mod states;
mod verdicts;
