//! `cyanotype compat`: what a new schema means beside an old one, for the registry and for the data. Needs no system.

use std::fmt::{self, Display};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::output::{Failure, Reply, Shown, plain};
use crate::config::text_file;
use crate::schema::{
    Assessment, Change, Concern, DataVerdict, Direction, Incompatibility, Level, Remark, SchemaKind, SubjectText,
    assess_texts,
};

/// A file of this size is a mistake.
const LIMIT: u64 = 256 << 20;
const HELP: &str = "give the schema as the registry holds it, or the registry's whole answer, as JSON";
const WHOLE: &str = "the file is read whole: split it";

/// Compare two versions of a schema: would a registry take the new one, and what becomes of the data. Needs no system. The
/// answer is yes if the level allows it and the data stay right. What a strict parser would refuse is a warning.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The old schema; `-` is standard input.
    #[arg(required_unless_present = "batch", requires = "new")]
    old: Option<PathBuf>,
    /// The new schema; `-` is standard input.
    new: Option<PathBuf>,
    /// Compare many pairs instead: a file of JSON lines `{"id", "old", "new"}`, `-` for standard input; a JSON line is the
    /// answer to each.
    #[arg(long, value_name = "FILE", conflicts_with = "old")]
    batch: Option<PathBuf>,
    /// What the registry checks: NONE, BACKWARD, FORWARD or FULL; with _TRANSITIVE it is the same for two schemas.
    #[arg(long, value_name = "LEVEL", default_value_t = Level::Backward, value_parser = str::parse::<Level>)]
    level: Level,
    /// The schemas are those of a record's key.
    #[arg(long)]
    key: bool,
}

pub(super) fn run(args: &Args) -> Result<Reply, Failure> {
    if let Some(batch) = &args.batch {
        let text = read(batch)?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let answers: Vec<Answered> = lines.map(|(at, line)| answered(line, at + 1, args)).collect();
        return Ok(replied(answers.iter().map(Answered::good).fold(Some(true), worse), Answers(answers)).in_lines());
    }
    let (Some(old), Some(new)) = (&args.old, &args.new) else {
        return Err(Failure::new("two schemas are needed").help(HELP));
    };
    if old == Path::new("-") && new == Path::new("-") {
        return Err(Failure::new("only one of the two schemas can be standard input"));
    }
    let (old, new) = (schema(old)?, schema(new)?);
    let pair = compare(&old, &new, args);
    Ok(replied(pair.good(), pair))
}

fn replied(good: Option<bool>, answer: impl Shown + 'static) -> Reply {
    match good {
        Some(true) => Reply::yes(answer),
        Some(false) => Reply::no(answer),
        None => Reply::unknown(answer),
    }
}

/// A no outweighs what is not known, which outweighs a yes.
fn worse(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (None, _) | (_, None) => None,
        _ => Some(true),
    }
}

/// A schema and its language.
struct Version {
    kind: SchemaKind,
    text: SubjectText,
}

/// A schema, or the registry's answer to `GET /subjects/S/versions/V`, which holds one.
fn version(text: String) -> Version {
    let answer = serde_json::from_str::<Value>(&text).ok().filter(|json| json.get("type").is_none());
    let held = answer.as_ref().and_then(|json| Some((json.get("schema")?.as_str()?, json.get("schemaType"))));
    let (schema, kind) = match held {
        Some((schema, kind)) => (schema.to_owned(), kind.and_then(Value::as_str).unwrap_or_default().to_owned().into()),
        None => {
            let kind = SchemaKind::of_text(&text);
            (text, kind)
        }
    };
    Version { kind, text: SubjectText { schema, references: Vec::new() } }
}

fn schema(path: &Path) -> Result<Version, Failure> {
    let version = version(read(path)?);
    if version.kind == SchemaKind::Avro {
        crate::schema::parse(&version.text.schema, &[]).map_err(|error| {
            Failure::new(format!("{} is not an Avro schema", path.display())).because(&error).help(HELP)
        })?;
    }
    Ok(version)
}

fn read(path: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(LIMIT + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| Failure::new(format!("{} cannot be read", path.display())).because(&error))?;
    if bytes.len() as u64 > LIMIT {
        let most = LIMIT >> 20;
        return Err(Failure::new(format!("{} is larger than {most} MiB", path.display())).help(WHOLE));
    }
    let text =
        String::from_utf8(bytes).map_err(|_| Failure::new(format!("{} is not UTF-8", path.display())).help(HELP));
    text.map(text_file::without_mark)
}

fn compare(old: &Version, new: &Version, args: &Args) -> Pair {
    let kind = if old.kind == SchemaKind::Avro { &new.kind } else { &old.kind };
    // At FULL both directions are judged; the level that was asked for follows from them.
    let assessed = assess_texts(kind, Level::Full, args.key, &new.text, &[(1, old.text.clone())]);
    Pair::new(args.level, assessed)
}

/// The answer about two schemas.
#[derive(Serialize)]
struct Pair {
    level: Level,
    /// Whether the level allows it; unknown for what is not judged.
    compatible: Option<bool>,
    /// Whether the new schema reads the old one's records.
    backward: Option<bool>,
    /// Whether the old schema reads the new one's records.
    forward: Option<bool>,
    full: Option<bool>,
    /// Why a direction fails.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<Failing>,
    data: DataVerdict,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    concerns: Vec<Concern>,
    /// What a strict parser refuses of the two.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Remark>,
    changes: Vec<Change>,
}

#[derive(Serialize)]
struct Failing {
    direction: Direction,
    reasons: Vec<Incompatibility>,
}

impl Pair {
    fn new(level: Level, assessed: Assessment) -> Self {
        let Assessment { registry, data, changes, concerns, remarks, .. } = assessed;
        let judged = data != DataVerdict::Unknown;
        let fails = |direction| registry.failures.iter().any(|failure| failure.direction == direction);
        let (backward, forward) = (!fails(Direction::Backward), !fails(Direction::Forward));
        let compatible = level.directions().iter().all(|direction| !fails(*direction));
        let failures = registry.failures.into_iter();
        Self {
            level,
            compatible: judged.then_some(compatible),
            backward: judged.then_some(backward),
            forward: judged.then_some(forward),
            full: judged.then_some(backward && forward),
            failures: failures.map(|f| Failing { direction: f.direction, reasons: f.reasons }).collect(),
            data,
            concerns,
            warnings: remarks,
            changes,
        }
    }

    /// Whether the level allows it and the data stay right.
    fn good(&self) -> Option<bool> {
        self.compatible.map(|compatible| compatible && self.data <= DataVerdict::SafeWithHistoryCaveat)
    }
}

impl Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |answer: Option<bool>| match answer {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        };
        writeln!(
            f,
            "registry  {} {}: backward {}, forward {}",
            self.level,
            match self.compatible {
                Some(true) => "allows it",
                Some(false) => "forbids it",
                None => "is not known to allow it",
            },
            word(self.backward),
            word(self.forward)
        )?;
        for failing in &self.failures {
            let asked = self.level.directions().contains(&failing.direction);
            let note = if asked { "" } else { " (which this level does not ask)" };
            let who = match failing.direction {
                Direction::Backward => "the new schema cannot read the old records",
                Direction::Forward => "the old schema cannot read the new records",
            };
            for reason in &failing.reasons {
                writeln!(f, "  {who}{note}: {}", plain(&reason.message))?;
            }
        }
        writeln!(f, "data      {}", self.data)?;
        for concern in &self.concerns {
            writeln!(f, "  {}", plain(&concern.reason))?;
            if let Some(way_out) = &concern.way_out {
                writeln!(f, "    way out: {}", plain(way_out))?;
            }
        }
        if !self.warnings.is_empty() {
            writeln!(f, "warnings  a strict parser refuses what follows; a registry may have it stored all the same")?;
        }
        for warning in &self.warnings {
            writeln!(f, "  {}", plain(&warning.to_string()))?;
        }
        if !self.changes.is_empty() {
            writeln!(f, "changes")?;
        }
        self.changes.iter().try_for_each(|change| writeln!(f, "  {}", plain(&change.sentence)))
    }
}

/// A line of a batch.
#[derive(Deserialize)]
struct Question {
    #[serde(default)]
    id: Value,
    old: Option<Value>,
    new: Option<Value>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answered {
    Compared {
        id: Value,
        #[serde(flatten)]
        pair: Box<Pair>,
    },
    Wrong {
        id: Value,
        error: String,
    },
}

impl Answered {
    fn good(&self) -> Option<bool> {
        match self {
            Self::Compared { pair, .. } => pair.good(),
            Self::Wrong { .. } => None,
        }
    }
}

/// Every answer: a JSON line each.
#[derive(Serialize)]
#[serde(transparent)]
struct Answers(Vec<Answered>);

fn answered(line: &str, number: usize, args: &Args) -> Answered {
    let question: Question = match serde_json::from_str(line) {
        Ok(question) => question,
        Err(error) => return Answered::Wrong { id: Value::Null, error: format!("line {number}: {error}") },
    };
    let id = question.id;
    let (Some(old), Some(new)) = (question.old, question.new) else {
        return Answered::Wrong { id, error: format!("line {number}: `old` and `new` are needed") };
    };
    // The text of a schema, or the schema itself.
    let text = |schema: Value| match schema {
        Value::String(text) if text.starts_with('\u{feff}') => text_file::without_mark(text),
        Value::String(text) if text.trim_start().starts_with(['{', '[', '"']) => text,
        Value::String(text) if SchemaKind::of_text(&text) != SchemaKind::Avro => text,
        other => other.to_string(),
    };
    let (old, new) = (version(text(old)), version(text(new)));
    Answered::Compared { id, pair: Box::new(compare(&old, &new, args)) }
}

impl Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|answered| match answered {
            Answered::Compared { id, pair } => write!(f, "pair {id}\n{pair}"),
            Answered::Wrong { id, error } => writeln!(f, "pair {id}\nerror: {}", plain(error)),
        })
    }
}
