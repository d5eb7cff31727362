//! Flink's parser and planner, asked by the Java program beside this file.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::program::Program;

/// The program that asks Flink.
static FLINK: Program =
    Program::new("flink", "Oracle", &[("org.apache.flink.table.factories.Factory", "Connector\nModel\n")]);

/// What Flink's parser says of a statement.
#[derive(Clone, Debug, Deserialize)]
pub struct Verdict {
    /// `accepted`, `rejected` by the grammar, or `invalid`: the grammar takes it, the check of the finished tree does not.
    pub verdict: String,
    /// The classes of the parsed statements.
    #[serde(default)]
    pub kind: String,
    /// The tables that it reads.
    #[serde(default)]
    pub reads: Vec<String>,
    /// The tables that it writes.
    #[serde(default)]
    pub writes: Vec<String>,
    /// Why not.
    #[serde(default)]
    pub message: String,
    /// Line and column of the place, from 1.
    pub line: Option<usize>,
    /// In characters of UTF-16.
    pub column: Option<usize>,
    /// The statement as Flink prints it, where that was asked for and it can.
    pub tree: Option<String>,
    /// How many of the places that were asked for hold a name, which was replaced in the tree.
    #[serde(default)]
    pub renamed: usize,
}

impl Verdict {
    /// The byte that the place points at.
    pub fn place(&self, text: &str) -> Option<usize> {
        let (line, column) = (self.line?, self.column?);
        let mut start = 0;
        for _ in 1..line {
            let rest = &text[start..];
            // As Flink's reader counts: a line ends with \n, \r\n or \r.
            let end = rest.find(['\n', '\r'])?;
            start += end + if rest[end..].starts_with("\r\n") { 2 } else { 1 };
        }
        let mut units = 1;
        for (at, c) in text[start..].char_indices() {
            if units >= column {
                return Some(start + at);
            }
            units += c.len_utf16();
        }
        Some(text.len())
    }

    /// The first line of the message, without the list of what could have come.
    pub fn short(&self) -> String {
        let line = self.message.strip_prefix("SQL parse failed. ").unwrap_or(&self.message);
        line.lines().next().unwrap_or("").chars().take(160).collect()
    }
}

/// What Flink's planner says of a statement of a script.
#[derive(Clone, Debug, Deserialize)]
pub struct Planned {
    /// It was planned, or run where it defines something.
    pub ok: bool,
    /// Why not.
    #[serde(default)]
    pub message: String,
    /// The queries in it, also those that were understood before something went wrong.
    pub queries: Vec<PlannedQuery>,
}

/// A query, and where its result goes.
#[derive(Clone, Debug, Deserialize)]
pub struct PlannedQuery {
    /// The table; empty for a query on its own.
    pub target: String,
    /// The columns that are filled.
    #[serde(default)]
    pub columns: Vec<PlannedColumn>,
    /// `table.column` of what decides about rows.
    #[serde(default)]
    pub rows: BTreeSet<String>,
    /// The types of the query's own columns, as Flink prints them.
    #[serde(default)]
    pub types: Vec<String>,
    /// The kinds of changes that arrive at the sink: `+I`, `-U`, `+U`, `-D`.
    #[serde(default)]
    pub changes: BTreeSet<String>,
    /// The sets of columns, by their places, by which the arriving rows are known.
    #[serde(default)]
    pub keys: BTreeSet<BTreeSet<usize>>,
    /// The nodes of the compiled plan that hold state; `None` if no plan could be made.
    pub state: Option<BTreeSet<String>>,
    /// Why no plan could be made.
    #[serde(default)]
    pub unplanned: String,
}

/// A column that is filled.
#[derive(Clone, Debug, Deserialize)]
pub struct PlannedColumn {
    /// Its name.
    pub name: String,
    /// `table.column` of what its value is made of.
    pub origins: BTreeSet<String>,
}

/// Runs each script in a catalog of its own.
pub fn plans(scripts: &[Vec<String>]) -> Vec<Vec<Planned>> {
    let questions = scripts.iter().map(|script| json!({"op": "plan", "script": script})).collect();
    let answers = FLINK.ask(questions).into_iter();
    answers.map(|mut answer| serde_json::from_value(answer["statements"].take()).unwrap()).collect()
}

/// Flink's parser's verdicts on statements, in order.
pub fn verdicts(statements: &[String]) -> Vec<Verdict> {
    parsed(statements.iter().map(|sql| json!({"op": "parse", "sql": sql})).collect())
}

/// The same with the statements as Flink prints them.
pub fn trees(statements: &[String]) -> Vec<Verdict> {
    parsed(statements.iter().map(|sql| json!({"op": "parse", "sql": sql, "tree": true})).collect())
}

/// The same after the names at the places that each statement comes with were replaced by `to` in Flink's tree. A place is line
/// and column, both from 1, the column in characters of UTF-16.
pub fn renamed_trees(statements: &[(String, Vec<[usize; 2]>)], to: &str) -> Vec<Verdict> {
    let question = |(sql, places): &(String, Vec<[usize; 2]>)| json!({"op": "parse", "sql": sql, "tree": true, "renames": places, "to": to});
    parsed(statements.iter().map(question).collect())
}

fn parsed(questions: Vec<Value>) -> Vec<Verdict> {
    FLINK.ask(questions).into_iter().map(|answer| serde_json::from_value(answer).unwrap()).collect()
}

/// The names of Flink's own functions of each row, and of its aggregates.
pub fn functions() -> [BTreeSet<String>; 2] {
    let mut answer = FLINK.ask(vec![json!({"op": "functions"})]).remove(0);
    ["scalar", "aggregate"].map(|kind| serde_json::from_value(answer[kind].take()).unwrap())
}

/// The distinct statements that the plan tests of Flink's planner keep.
pub fn statements_of_planner_tests() -> Vec<String> {
    let jar = std::fs::read_dir(FLINK.jars().join("corpus")).unwrap().next().unwrap().unwrap().path();
    let answer = FLINK.ask(vec![json!({"op": "resources", "jar": jar})]).remove(0);
    serde_json::from_value(answer["statements"].clone()).unwrap()
}
