//! `cyanotype compat`: what a new schema means beside an old one, for the registry and for the data. Needs no system.

use std::fmt::{self, Display};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::output::{Failure, Reply, Shown, plain};
use crate::config::text_file;
use crate::schema::pair::{Answered, Given, Pair};
use crate::schema::{Direction, Level};

/// A file of this size is a mistake.
const LIMIT: u64 = 256 << 20;
const HELP: &str = "give the schema as the registry holds it, or the registry's whole answer, as JSON";
const PAIRS: &str = "give a line of JSON for each pair: {\"id\": 1, \"old\": ..., \"new\": ...}";
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
    /// Compare many pairs instead: a file of JSON lines `{"id", "old", "new"}`, `-` for standard input; with `--output json`
    /// a JSON line is the answer to each.
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
        let bytes = read_bytes(batch)?;
        let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
        let lines = text.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.trim_ascii().is_empty());
        let answers: Vec<Answered> = lines.map(|(at, line)| Answered::to(line, at + 1, args.level, args.key)).collect();
        if answers.is_empty() {
            return Err(Failure::new("no pair was given").help(PAIRS));
        }
        return Ok(replied(answers.iter().map(Answered::good).fold(Some(true), worse), Answers(answers)).in_lines());
    }
    let (Some(old), Some(new)) = (&args.old, &args.new) else {
        return Err(Failure::new("two schemas are needed").help(HELP));
    };
    if old == Path::new("-") && new == Path::new("-") {
        return Err(Failure::new("only one of the two schemas can be standard input"));
    }
    let (old, new) = (schema(old)?, schema(new)?);
    let pair = Pair::of(&old, &new, args.level, args.key);
    Ok(replied(pair.good(), Compared(pair)))
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

fn schema(path: &Path) -> Result<Given, Failure> {
    let given = Given::new(read(path)?);
    given.sound().map_err(|error| {
        Failure::new(format!("{} is not an Avro schema", path.display())).because(&error).help(HELP)
    })?;
    Ok(given)
}

fn read(path: &Path) -> Result<String, Failure> {
    let text = String::from_utf8(read_bytes(path)?)
        .map_err(|_| Failure::new(format!("{} is not UTF-8", path.display())).help(HELP));
    text.map(text_file::without_mark)
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
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
    Ok(bytes)
}

/// The answer about two schemas, for people and for programs.
#[derive(Serialize)]
#[serde(transparent)]
struct Compared(Pair);

impl Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.0, f)
    }
}

fn show(pair: &Pair, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let word = |answer: Option<bool>| match answer {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    let level = pair.level;
    let verdict = match pair.compatible {
        _ if !pair.refused.is_empty() => "refused, no registry takes the new schema".to_owned(),
        Some(true) => format!("{level} allows it"),
        Some(false) => format!("{level} forbids it"),
        None => format!("{level} is not known to allow it"),
    };
    writeln!(f, "registry  {verdict}: backward {}, forward {}", word(pair.backward), word(pair.forward))?;
    pair.refused.iter().try_for_each(|flaw| writeln!(f, "  {}", plain(&flaw.to_string())))?;
    for failing in &pair.failures {
        let asked = pair.level.directions().contains(&failing.direction);
        let note = if asked { "" } else { " (which this level does not ask)" };
        let who = match failing.direction {
            Direction::Backward => "the new schema cannot read the old records",
            Direction::Forward => "the old schema cannot read the new records",
        };
        for reason in &failing.reasons {
            writeln!(f, "  {who}{note}: {}", plain(&reason.message))?;
        }
    }
    writeln!(f, "data      {}", pair.data)?;
    for concern in &pair.concerns {
        writeln!(f, "  {}", plain(&concern.reason))?;
        if let Some(way_out) = &concern.way_out {
            writeln!(f, "    way out: {}", plain(way_out))?;
        }
    }
    if !pair.warnings.is_empty() {
        writeln!(f, "warnings  a strict parser refuses what follows; a registry may have it stored all the same")?;
    }
    for warning in &pair.warnings {
        writeln!(f, "  {}", plain(&warning.to_string()))?;
    }
    if !pair.changes.is_empty() {
        writeln!(f, "changes")?;
    }
    pair.changes.iter().try_for_each(|change| writeln!(f, "  {}", plain(&change.sentence)))?;
    if !pair.columns.is_empty() {
        writeln!(f, "columns   of a Flink table")?;
    }
    pair.columns.iter().try_for_each(|column| writeln!(f, "  {}", plain(&column.to_string())))
}

/// Every answer: a JSON line each.
#[derive(Serialize)]
#[serde(transparent)]
struct Answers(Vec<Answered>);

impl Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|answered| match answered {
            Answered::Compared { id, pair, ignored } => {
                writeln!(f, "pair {id}")?;
                ignored.iter().try_for_each(|key| writeln!(f, "ignored   `{}`, which no pair has", plain(key)))?;
                show(pair, f)
            }
            Answered::Wrong { id, error } => writeln!(f, "pair {id}\nerror: {}", plain(error)),
        })
    }
}
