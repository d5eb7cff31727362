//! What holds of every text and of every two schemas. For tests and for fuzzing (`fuzz`).
//!
//! Each function gives back the first promise that was broken, in words.

use super::added::added_columns;
use super::avro::AvroSchema;
use super::compat::can_read;
use super::diff::diff;
use super::envelope::row_fields;
use super::kind::SchemaKind;
use super::level::{CompatReport, Direction, Level, RegistryVerdict, check};
use super::outline;
use super::parse::parse;
use super::registry_log;
use super::verdict::{DataVerdict, SubjectText, assess, assess_texts};

/// A promise that was broken.
type Broken = Result<(), String>;

fn holds(promise: bool, words: impl FnOnce() -> String) -> Broken {
    if promise { Ok(()) } else { Err(words()) }
}

/// Reading a text twice gives the same. A schema without flaws reads itself and differs in nothing from itself.
pub fn reading(text: &str) -> Broken {
    let (one, again) = (parse(text, &[]), parse(text, &[]));
    let (one, again) = match (one, again) {
        (Ok(one), Ok(again)) => (one, again),
        (one, again) => return holds(one.err() == again.err(), || "refused in two ways".to_owned()),
    };
    holds(format!("{one:?}") == format!("{again:?}"), || "read in two ways".to_owned())?;
    for field in row_fields(&one) {
        let _ = field.to_string();
    }
    if one.flaws().is_empty() {
        holds(diff(&one, &again).is_empty(), || format!("differs from itself: {:?}", diff(&one, &again)))?;
        let reads = can_read(&one, &again);
        holds(reads.is_ok() || text.contains("aliases"), || format!("does not read itself: {reads:?}"))?;
    }
    pair(&one, &again)
}

/// What is backward from one side is forward from the other, a no has its reasons, and everything can be said.
pub fn pair(old: &AvroSchema, new: &AvroSchema) -> Broken {
    let earlier = |schema: &AvroSchema| [(1, schema.clone())];
    let backward = check(Level::Backward, new, &earlier(old));
    let forward = check(Level::Forward, old, &earlier(new));
    holds(backward.verdict == forward.verdict, || format!("{backward} but {forward}"))?;
    let reasons = |report: &CompatReport| report.failures.iter().map(|f| f.reasons.clone()).collect::<Vec<_>>();
    holds(reasons(&backward) == reasons(&forward), || "the reasons are others from the other side".to_owned())?;
    let there = assess(Level::Full, false, new, &earlier(old));
    let back = assess(Level::Full, false, old, &earlier(new));
    let fails = |report: &CompatReport, direction| report.failures.iter().any(|f| f.direction == direction);
    for (one, other) in [(Direction::Backward, Direction::Forward), (Direction::Forward, Direction::Backward)] {
        let same = fails(&there.registry, one) == fails(&back.registry, other);
        holds(same, || format!("{one} one way is not {other} the other way"))?;
    }
    let said = there.registry.failures.iter().all(|failure| !failure.reasons.is_empty());
    holds(said, || "a no without a reason".to_owned())?;
    let same = assess(Level::Full, false, new, &earlier(old)) == there;
    holds(same, || "assessed in two ways".to_owned())?;
    let key = assess(Level::FullTransitive, true, new, &earlier(old));
    let _ = (there.to_string(), key.to_string(), added_columns(old, new).len());
    Ok(())
}

/// Two texts as Protobuf or JSON Schema: what differs is the same each time and in lines that end, a text that is read differs in
/// nothing from itself, and the answer is unknown whatever is found.
pub fn outlines(kind: &SchemaKind, old: &str, new: &str) -> Broken {
    let text = |schema: &str| SubjectText { schema: schema.to_owned(), references: Vec::new() };
    let (old, new) = (text(old), text(new));
    let found = outline::changes(kind, &old, &new);
    holds(outline::changes(kind, &old, &new) == found, || "read in two ways".to_owned())?;
    match &found {
        Ok(changes) => {
            let mut sentences = changes.iter().map(|change| &change.sentence);
            let bad = sentences.find(|said| said.chars().any(char::is_control) || said.len() > 20_000);
            holds(bad.is_none(), || format!("no sentence: {bad:?}"))?;
            let itself = outline::changes(kind, &new, &new);
            holds(itself == Ok(Vec::new()), || format!("differs from itself: {itself:?}"))?;
        }
        Err(why) => holds(!why.chars().any(char::is_control), || format!("not one line: {why:?}"))?,
    }
    let assessed = assess_texts(kind, Level::Full, false, &new, &[(1, old)]);
    let unknown = matches!(assessed.registry.verdict, RegistryVerdict::Unknown { .. });
    let unknown = unknown && assessed.data == DataVerdict::Unknown && !assessed.plannable();
    holds(unknown, || format!("judged: {assessed}"))?;
    holds(found.map_or(assessed.changes.is_empty(), |found| assessed.changes == found), || "other changes".to_owned())
}

/// A record of a registry's topic is read in one way, whatever the order of its properties, and is news at most once.
pub fn registry_record(key: &[u8], value: Option<&[u8]>) -> Broken {
    let record = registry_log::read(Some(key), value);
    // A map of JSON puts properties in order. What it makes one of two is left alone, as is what it cannot read.
    let sorted = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).ok().map(|json| json.to_string());
    if let (Ok(record), Some(key), Some(value)) =
        (&record, sorted(key), value.map_or(Some(None), |v| sorted(v).map(Some)))
    {
        let again = registry_log::read(Some(key.as_bytes()), value.as_ref().map(String::as_bytes));
        holds(again.as_ref() == Ok(record), || format!("{record:?} and in another order {again:?}"))?;
    }
    let mut log = registry_log::Log::new("");
    let first = log.take(Some(key), value);
    holds(first.is_ok() == record.is_ok(), || "read in two ways".to_owned())?;
    holds(log.broken == u64::from(record.is_err()), || format!("{} counted as broken", log.broken))?;
    if let Ok(Some(registry_log::News::Version { subject, version })) = &first {
        holds(log.newest(subject) == Some(*version), || format!("version {version} is news and not there"))?;
    }
    let second = log.take(Some(key), value);
    holds(!matches!(second, Ok(Some(_))), || format!("news twice: {second:?}"))
}
