//! The Java program beside this file, as a process that answers questions.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

/// How long one process may take for all its questions: some plans Flink's optimizer never finishes.
const PATIENCE: Duration = Duration::from_secs(180);

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
    let answers = ask(questions).into_iter();
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
    ask(questions).into_iter().map(|answer| serde_json::from_value(answer).unwrap()).collect()
}

/// The distinct statements that the plan tests of Flink's planner keep.
pub fn statements_of_planner_tests() -> Vec<String> {
    let jar = std::fs::read_dir(jars().join("corpus")).unwrap().next().unwrap().unwrap().path();
    let answer = ask(vec![json!({"op": "resources", "jar": jar})]).remove(0);
    serde_json::from_value(answer["statements"].clone()).unwrap()
}

/// Asks one process all questions; the answers come in order.
pub fn ask(questions: Vec<Value>) -> Vec<Value> {
    let mut process = start();
    let stdin = process.stdin.take().unwrap();
    let expected = questions.len();
    let stdout = process.stdout.take().unwrap();
    let writer = thread::spawn(move || write(stdin, &questions));
    let reader = thread::spawn(move || {
        let lines = BufReader::new(stdout).lines();
        lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect::<Vec<Value>>()
    });
    let deadline = Instant::now() + PATIENCE;
    let ended = loop {
        match process.try_wait().unwrap() {
            Some(ended) => break ended,
            None if Instant::now() > deadline => {
                process.kill().unwrap();
                break process.wait().unwrap();
            }
            None => thread::sleep(Duration::from_millis(50)),
        }
    };
    let answers = reader.join().unwrap();
    writer.join().unwrap();
    assert!(ended.success() && answers.len() == expected, "{} of {expected} answers: {}", answers.len(), complaint());
    answers
}

fn write(mut stdin: ChildStdin, questions: &[Value]) {
    for question in questions {
        // A process that ended early shows in the number of answers.
        if writeln!(stdin, "{question}").is_err() {
            return;
        }
    }
}

fn start() -> Child {
    let classes = classes();
    let path = format!("{}:{}/*", classes.display(), jars().display());
    let log = std::fs::File::create(scratch().join("java.log")).unwrap();
    Command::new("java")
        // The compiler that needs long to warm up does not pay for a run of a minute.
        .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx1500m", "-Xss8m"])
        // Flink's serializers look into the JDK.
        .args(["--add-opens", "java.base/java.util=ALL-UNNAMED", "--add-opens", "java.base/java.lang=ALL-UNNAMED"])
        .args(["-cp", &path, "Oracle"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("java on the path")
}

fn complaint() -> String {
    let log = std::fs::read_to_string(scratch().join("java.log")).unwrap_or_default();
    log.lines().filter(|line| !line.starts_with("SLF4J")).take(20).collect::<Vec<_>>().join("\n")
}

fn scratch() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

fn here() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle"))
}

/// The directory of Flink's jars, downloaded if need be.
fn jars() -> &'static Path {
    static JARS: OnceLock<PathBuf> = OnceLock::new();
    JARS.get_or_init(|| {
        let done = Command::new("python3").arg(here().join("fetch.py")).stderr(Stdio::inherit()).output().unwrap();
        assert!(done.status.success(), "Flink's planner could not be brought here");
        PathBuf::from(String::from_utf8(done.stdout).unwrap().trim())
    })
}

/// The directory of the compiled program.
fn classes() -> &'static Path {
    static CLASSES: OnceLock<PathBuf> = OnceLock::new();
    CLASSES.get_or_init(|| {
        let classes = scratch().join("oracle-classes");
        let services = classes.join("META-INF/services");
        std::fs::create_dir_all(&services).unwrap();
        std::fs::write(services.join("org.apache.flink.table.factories.Factory"), "Connector\nModel\n").unwrap();
        let sources = std::fs::read_dir(here().join("java")).unwrap().map(|file| file.unwrap().path());
        let done = Command::new("javac")
            .args(["-nowarn", "-proc:none", "-d"])
            .arg(&classes)
            .arg("-cp")
            .arg(format!("{}/*", jars().display()))
            .args(sources)
            .output()
            .expect("javac on the path");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        classes
    })
}
