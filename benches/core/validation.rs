//! Validation: how fast two output topics are read and compared.
//!
//! The limit is a pass that hashes every byte of the same records: a validation must at least look at each of them. The
//! peer is apache-avro's own decoder, which makes values of the same bytes and compares nothing.

use std::time::Duration;

use apache_avro::reader::datum::GenericDatumReader;
use cyanotype::model::parity::{Changelog, ColumnClass, RowRule, TableContract};
use cyanotype::model::record::{Offsets, RawRecord};
use cyanotype::model::verdict::Outcome;
use cyanotype::validate::{Side, TableValidation};
use xxhash_rust::xxh3::xxh3_64;

use crate::records::{COLUMNS, KEY, KEY_ID, VALUE, VALUE_ID, orders, schema};
use crate::table::{Amount, Role, Variant, compare, timed};

const KEYS: i64 = 200_000;
const PARTITIONS: i32 = 4;

/// Prints it.
pub fn run() -> Result<(), String> {
    // Two topics are two copies, as they would arrive.
    let (blue, green) = (orders(KEYS, PARTITIONS)?, orders(KEYS, PARTITIONS)?);
    let bytes = blue.iter().chain(&green).map(|r| len(&r.key) + len(&r.value)).sum();
    // Before anything else: memory that was given back would be used again unseen.
    memory(&blue, &green)?;
    let (key, value) = (schema(KEY)?, schema(VALUE)?);
    let key = GenericDatumReader::builder(&key).build().map_err(|e| e.to_string())?;
    let value = GenericDatumReader::builder(&value).build().map_err(|e| e.to_string())?;
    let bare = || Ok(timed(|| blue.iter().chain(&green).fold(0, |sum: u64, r| sum.wrapping_add(hashed(r)))).0);
    let peer = || {
        let decoded = |reader: &GenericDatumReader<'_>, bytes: &Option<Vec<u8>>| {
            let mut datum = bytes.as_deref().and_then(|b| b.get(5..)).unwrap_or_default();
            reader.read_value(&mut datum).map(|value| drop(std::hint::black_box(value)))
        };
        let each = |r: &RawRecord| decoded(&key, &r.key).and_then(|()| decoded(&value, &r.value));
        let (time, all) = timed(|| blue.iter().chain(&green).try_for_each(each));
        all.map_err(|e| e.to_string())?;
        Ok(time)
    };
    let variants =
        vec![
            Variant::new("hash every byte", Role::Limit, bare),
            Variant::new("apache-avro decodes, compares nothing", Role::Peer, peer),
            Variant::new("upsert: feed", Role::Ours, || Ok(whole(Changelog::Upsert, &blue, &green)?.0)),
            Variant::new("upsert: end of the round, verdict", Role::Ours, || {
                Ok(whole(Changelog::Upsert, &blue, &green)?.1)
            }),
            Variant::new("append: feed", Role::Ours, || Ok(whole(Changelog::Append, &blue, &green)?.0)),
            Variant::new("append: end of the round, verdict", Role::Ours, || {
                Ok(whole(Changelog::Append, &blue, &green)?.1)
            }),
        ];
    let amount = Amount { count: blue.len() + green.len(), unit: "record", bytes: Some(bytes) };
    let title =
        format!("validation: {KEYS} keys of {} columns on both sides, {:.1} MB", COLUMNS.len(), bytes as f64 / 1e6);
    compare(&title, &amount, 5, variants)
}

/// One round over both topics: the time to feed it, and the time to judge it.
fn whole(changelog: Changelog, blue: &[RawRecord], green: &[RawRecord]) -> Result<(Duration, Duration), String> {
    let (mut table, feeding) = fed(changelog, blue, green)?;
    let (judging, verdict) = timed(|| {
        table.end_round();
        table.verdict()
    });
    match verdict.outcome {
        Outcome::Pass => Ok((feeding, judging)),
        _ => Err(format!("equal topics did not pass: {}", verdict.reason)),
    }
}

/// A validation that has read both topics, and how long that took.
fn fed(changelog: Changelog, blue: &[RawRecord], green: &[RawRecord]) -> Result<(TableValidation, Duration), String> {
    let mut table = TableValidation::new(TableContract {
        table: "orders".to_owned(),
        blue_topic: Some("orders".to_owned()),
        green_topic: "orders_v2".to_owned(),
        changelog,
        key: vec!["order_id".to_owned()],
        columns: COLUMNS.iter().map(|name| ((*name).to_owned(), ColumnClass::Exact)).collect(),
        rows: RowRule::Same,
    });
    for (id, text) in [(KEY_ID, KEY), (VALUE_ID, VALUE)] {
        table.add_schema(id, text).map_err(|e| e.to_string())?;
    }
    table.begin_round(&ends(blue), &ends(green));
    let (time, fed) = timed(|| {
        let mut feed = |side, records: &[RawRecord]| records.iter().try_for_each(|record| table.feed(side, record));
        feed(Side::Blue, blue).and_then(|()| feed(Side::Green, green))
    });
    fed.map_err(|e| e.to_string())?;
    Ok((table, time))
}

/// Says how much memory the validation of an upsert table holds for each key, where the system tells.
fn memory(blue: &[RawRecord], green: &[RawRecord]) -> Result<(), String> {
    let before = resident();
    let held = fed(Changelog::Upsert, blue, green)?;
    if let (Some(before), Some(after)) = (before, resident()) {
        let each = after.saturating_sub(before) as f64 / blue.len() as f64;
        println!("validation, upsert: {each:.0} bytes of memory for each of {} keys, equal on both sides", blue.len());
    }
    drop(held);
    Ok(())
}

/// Bytes of this process that are in memory.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<usize>().ok().map(|kib| kib * 1024)
}

fn ends(records: &[RawRecord]) -> Offsets {
    let mut ends = Offsets::new();
    for record in records {
        ends.insert(record.partition, record.offset + 1);
    }
    ends
}

fn hashed(record: &RawRecord) -> u64 {
    let of = |bytes: &Option<Vec<u8>>| xxh3_64(bytes.as_deref().unwrap_or_default());
    of(&record.key) ^ of(&record.value)
}

fn len(bytes: &Option<Vec<u8>>) -> usize {
    bytes.as_ref().map_or(0, Vec::len)
}
