//! What holds of every record, whatever its bytes are. For tests and for fuzzing (`fuzz`).

use super::audit::{MOST_SAMPLES, PartReport, TopicAudit, TopicReport, Writers};
use super::decode::{Fields, MAX_ROW, RowReader, field_names, field_ranges, message};
use super::fingerprint::{Canonical, same};
use super::schema::Shape;
use crate::model::record::RawRecord;

/// A reader for records of a schema; `None` if none can be made.
pub fn reader(schema: &str) -> Option<RowReader> {
    RowReader::new(1, schema, &[]).ok()
}

/// A record is read the same each time, by its fields as well; what is read is not larger than it may be, and is no JSON that
/// cannot be written. Gives back the first promise that was broken, in words.
pub fn record(reader: &RowReader, bytes: &[u8]) -> Result<(), String> {
    let (one, again) = (reader.read(bytes), reader.read(bytes));
    if one != again {
        return Err("read in two ways".to_owned());
    }
    if let (Ok((_, datum)), Shape::Record(fields)) = (message(bytes, "value"), reader.shape()) {
        let ranges = field_ranges(fields, datum);
        if ranges.is_ok() != one.is_ok() {
            return Err(format!("read {one:?}, but the fields are {ranges:?}"));
        }
        let ends = ranges.unwrap_or_default().last().map_or(0, |last| last.end);
        if one.is_ok() && ends != datum.len() && !fields.is_empty() {
            return Err(format!("the fields end at {ends} of {}", datum.len()));
        }
    }
    if let Ok((id, datum)) = message(bytes, "value") {
        let (mut decoded, mut walked) = (Fields::default(), Canonical::default());
        let (by_decoder, by_walk) = (decoded.read(reader.shape(), datum, id), walked.read(reader.shape(), datum, id));
        let fields = field_names(reader.shape()).map_or(1, |names| names.len());
        if by_decoder != by_walk || (by_decoder.is_ok() && !same(&walked, &decoded, fields)) {
            return Err(format!("decoded as {by_decoder:?}, for a fingerprint as {by_walk:?}"));
        }
    }
    let Ok(row) = one else { return Ok(()) };
    let text = serde_json::to_string(&row).map_err(|e| format!("a row that cannot be written: {e}"))?;
    // A value is written in JSON with at most six characters for a byte, and quotes and commas around it.
    if text.len() > 16 * MAX_ROW { Err(format!("a row of {} bytes", text.len())) } else { Ok(()) }
}

/// The records of a topic, those of a partition by offset, come to the same audit however they are read; what is counted adds up;
/// and the audit can be written and read back. Gives back the first promise that was broken, in words.
pub fn audit(records: &[RawRecord], writers: &Writers) -> Result<(), String> {
    let holds = |promise: bool, words: &str| if promise { Ok(()) } else { Err(words.to_owned()) };
    let folded = |records: &mut dyn Iterator<Item = &RawRecord>| {
        let mut audit = TopicAudit::default();
        records.for_each(|record| drop(audit.fold(record, writers)));
        audit
    };
    let once = folded(&mut records.iter());
    let mut by_partition: Vec<&RawRecord> = records.iter().collect();
    by_partition.sort_by_key(|record| std::cmp::Reverse(record.partition));
    holds(folded(&mut by_partition.into_iter()) == once, "the order of partitions matters")?;
    // Each piece begins with the last records of the piece before it, as a read does that was broken off.
    let starts = (0..records.len()).step_by(3);
    let mut pieces = starts.flat_map(|at| records.iter().skip(at.saturating_sub(2)).take(5));
    holds(folded(&mut pieces) == once, "pieces come to something else than the whole")?;
    let report = once.report("t", &std::collections::BTreeMap::new());
    adds_up(&report)?;
    let text = serde_json::to_string(&report).map_err(|e| format!("an audit that cannot be written: {e}"))?;
    let back: TopicReport = serde_json::from_str(&text).map_err(|e| format!("an audit that cannot be read: {e}"))?;
    holds(back == report, "an audit is read back as another one")
}

fn adds_up(report: &TopicReport) -> Result<(), String> {
    for p in &report.partitions {
        let of =
            |part: &PartReport| part.schemas.iter().map(|s| s.records).sum::<u64>() + part.beyond + part.without_schema;
        if of(&p.value) + p.tombstones != p.records || of(&p.key) > p.records || p.unreadable > p.records {
            return Err(format!("partition {} has {} records, but {p:?}", p.partition, p.records));
        }
        if p.first_unreadable.len() as u64 != p.unreadable.min(MOST_SAMPLES as u64) {
            return Err(format!("{} unreadable records, but {:?}", p.unreadable, p.first_unreadable));
        }
        for part in [&p.key, &p.value] {
            let inside = |s: &super::audit::SchemaReport| p.first <= s.first && s.first <= s.last && s.last <= p.last;
            let apart = part.mixed.iter().zip(part.mixed.iter().skip(1)).all(|(a, b)| a.to < b.from);
            let sound = part.mixed.iter().all(|m| m.from <= m.to && m.schemas.len() > 1);
            if !part.schemas.iter().all(inside) || !apart || !sound {
                return Err(format!("spans that cannot be: {part:?}"));
            }
        }
    }
    if report.partitions.iter().map(|p| p.records).sum::<u64>() == report.records {
        Ok(())
    } else {
        Err("a sum".into())
    }
}
