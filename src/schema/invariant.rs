//! What holds of every text and of every two schemas. For tests and for fuzzing (`fuzz`).
//!
//! Each function gives back the first promise that was broken, in words.

use super::avro::AvroSchema;
use super::compat::can_read;
use super::diff::diff;
use super::envelope::row_fields;
use super::level::{CompatReport, Direction, Level, check};
use super::parse::parse;
use super::registry_log;
use super::verdict::{added_columns, assess};

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
