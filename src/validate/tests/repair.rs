//! What a destination is told before its connector goes to another topic.
//!
//! [`Destination`] does what a sink connector does with records, so each case can be followed to its end.

use std::collections::BTreeSet;

use apache_avro::Decimal;
use proptest::prelude::*;

use super::*;
use crate::model::record::NewRecord;
use crate::validate::decode_row;
use crate::validate::repair::{Arriving, Repair, Written};

const WIDE_KEY: u32 = 11;
const NARROW_KEY: u32 = 12;
const PLAIN: u32 = 13;
const TIERED: u32 = 14;
const STRICT: u32 = 15;

/// Composite, with texts that run into each other when they are only joined.
const WIDE_KEY_SCHEMA: &str = r#"{"type":"record","name":"k","fields":[
    {"name":"a","type":"string"},{"name":"b","type":"string"},{"name":"n","type":"long"}]}"#;
/// The same key: other order, narrower number, nullable.
const NARROW_KEY_SCHEMA: &str = r#"{"type":"record","name":"k2","fields":[
    {"name":"n","type":["null","int"]},{"name":"a","type":"string"},{"name":"b","type":["null","string"]}]}"#;
const COLUMNS: &str = r#"{"name":"total","type":["null",{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}]},
    {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"note","type":["null","string"]}"#;

fn plain() -> String {
    format!(r#"{{"type":"record","name":"v","fields":[{COLUMNS}]}}"#)
}

/// Two columns more, one of them in the middle.
fn tiered() -> String {
    let columns = COLUMNS.replace(
        r#"{"name":"note""#,
        r#"{"name":"tier","type":["string","null"]},{"name":"tags","type":["null",{"type":"array","items":"string"}]},{"name":"note""#,
    );
    format!(r#"{{"type":"record","name":"v2","fields":[{columns}]}}"#)
}

/// A column more that takes no NULL.
fn strict() -> String {
    format!(r#"{{"type":"record","name":"v3","fields":[{COLUMNS},{{"name":"rank","type":"int"}}]}}"#)
}

fn schema(id: u32) -> String {
    match id {
        WIDE_KEY => WIDE_KEY_SCHEMA.to_owned(),
        NARROW_KEY => NARROW_KEY_SCHEMA.to_owned(),
        PLAIN => plain(),
        TIERED => tiered(),
        STRICT => strict(),
        other => panic!("schema {other}"),
    }
}

type Id = (&'static str, &'static str, i64);

fn key(id: Id) -> Vec<u8> {
    let (a, b, n) = id;
    wire(WIDE_KEY, WIDE_KEY_SCHEMA, &[("a", a.into()), ("b", b.into()), ("n", n.into())])
}

fn other_key(id: Id) -> Vec<u8> {
    let (a, b, n) = id;
    let n = Value::Int(i32::try_from(n).expect("a small number"));
    wire(NARROW_KEY, NARROW_KEY_SCHEMA, &[("n", n), ("a", a.into()), ("b", b.into())])
}

/// The columns that both sides have: cents, milliseconds, a text.
fn columns(cents: Option<i64>, at: i64, note: Option<&str>) -> Vec<(&'static str, Value)> {
    let total = cents.map_or(Value::Null, |cents| Value::Decimal(Decimal::from(cents.to_be_bytes())));
    vec![
        ("total", total),
        ("at", Value::TimestampMillis(at)),
        ("note", note.map_or(Value::Null, |note| Value::String(note.to_owned()))),
    ]
}

fn plain_row(cents: i64) -> Option<Vec<u8>> {
    Some(wire(PLAIN, &plain(), &columns(Some(cents), 1_700_000_000_123, Some("né"))))
}

fn tiered_row(cents: i64, tier: &str) -> Option<Vec<u8>> {
    let mut row = columns(Some(cents), 1_700_000_000_123, Some("né"));
    row.push(("tier", Value::String(tier.to_owned())));
    row.push(("tags", Value::Array(vec!["x".into(), "yy".into()])));
    Some(wire(TIERED, &tiered(), &row))
}

fn strict_row(rank: i32) -> Option<Vec<u8>> {
    let mut row = columns(None, 0, None);
    row.push(("rank", Value::Int(rank)));
    Some(wire(STRICT, &strict(), &row))
}

/// A topic of two partitions.
#[derive(Default)]
struct Log(Vec<RawRecord>);

impl Log {
    fn put(mut self, partition: i32, key: Vec<u8>, value: Option<Vec<u8>>) -> Self {
        let offset = self.0.iter().filter(|r| r.partition == partition).count() as i64;
        self.0.push(RawRecord { partition, offset, timestamp_ms: None, key: Some(key), value, schema_headers: None });
        self
    }
}

/// Table of a destination: what a sink with upserts, deletes and added columns makes of records.
#[derive(Clone, Debug, Default, PartialEq)]
struct Destination(BTreeMap<String, BTreeMap<String, serde_json::Value>>);

impl Destination {
    fn write(&mut self, key: &[u8], value: Option<&[u8]>) {
        let read = |bytes: &[u8]| {
            let id = crate::model::record::schema_id(bytes).expect("an id");
            decode_row(&schema(id), bytes).expect("a row")
        };
        let key = format!("{:?}", read(key));
        match value {
            // Columns that the record does not have keep their values.
            Some(value) => self.0.entry(key).or_default().extend(read(value)),
            None => drop(self.0.remove(&key)),
        }
    }

    fn follow(mut self, log: &Log) -> Self {
        for record in &log.0 {
            self.write(record.key.as_deref().expect("a key"), record.value.as_deref());
        }
        self
    }

    fn mend(mut self, repair: &Repair) -> Self {
        for NewRecord { key, value } in &repair.records {
            self.write(key, value.as_deref());
        }
        self
    }

    /// Without columns that are NULL, so that a missing column and a NULL are the same.
    fn rows(self) -> BTreeMap<String, BTreeMap<String, serde_json::Value>> {
        let without_nulls = |(key, row): (String, BTreeMap<String, serde_json::Value>)| {
            (key, row.into_iter().filter(|(_, value)| !value.is_null()).collect())
        };
        self.0.into_iter().map(without_nulls).collect()
    }
}

/// The repair when the connector's position in both partitions of `left` is `position`.
fn repair(left: &Log, arriving: &Log, position: i64) -> Repair {
    let mut there = Arriving::new();
    for record in &arriving.0 {
        for id in there.missing_schemas(record) {
            there.add_schema(id, &schema(id), &[]).expect("a schema");
        }
        there.feed(record).expect("a readable record");
    }
    let mut here = there.leaving();
    for record in &left.0 {
        for id in here.missing_schemas(record) {
            here.add_schema(id, &schema(id), &[]).expect("a schema");
        }
        let written = if record.offset < position { Written::Yes } else { Written::Perhaps };
        here.feed(record, written).expect("a readable record");
    }
    here.repair()
}

/// The repair, after it has led to what the arriving topic alone makes of an empty table, from every position that the
/// connector may have reached in the topic that it leaves.
fn exact(left: &Log, arriving: &Log) -> Repair {
    let truth = Destination::default().follow(arriving).rows();
    let longest = left.0.iter().map(|r| r.offset + 1).max().unwrap_or(0);
    for position in 0..=longest {
        // It may have written more than its position says, never less.
        for reached in position..=longest {
            let written = Log(left.0.iter().filter(|r| r.offset < reached).cloned().collect());
            // The destination followed blue before, as far as anybody knows.
            for before in [Destination::default(), Destination::default().follow(arriving)] {
                let mended = before.follow(&written).mend(&repair(left, arriving, position));
                assert_eq!(mended.follow(arriving).rows(), truth, "position {position}, reached {reached}");
            }
        }
    }
    repair(left, arriving, longest)
}

const A: Id = ("a", "bc", 1);
const B: Id = ("ab", "c", 1);
const C: Id = ("x", "", 7);

#[test]
fn rows_that_only_the_left_topic_has_are_deleted_and_no_others() {
    // A and B differ in where one text ends only.
    let left = Log::default().put(0, key(A), plain_row(1)).put(1, key(B), plain_row(2)).put(0, key(C), plain_row(3));
    let arriving = Log::default().put(0, key(A), plain_row(1)).put(1, key(C), plain_row(4)).put(1, key(C), None);
    let repair = exact(&left, &arriving);
    let deleted = |id| NewRecord { key: key(id), value: None };
    let mut expected = vec![deleted(B), deleted(C)];
    let mut records = repair.records.clone();
    records.sort_by(|a, b| a.key.cmp(&b.key));
    expected.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(records, expected);
    assert_eq!((repair.removed, repair.cleared, repair.rewritten), (2, 0, 0));
    assert_eq!(repair.schema_ids(), [BTreeSet::from([WIDE_KEY]), BTreeSet::new()]);
}

#[test]
fn equal_topics_need_no_repair() {
    let log = || Log::default().put(0, key(A), plain_row(1)).put(1, key(B), plain_row(2)).put(1, key(B), None);
    assert_eq!(exact(&log(), &log()), Repair::default());
    assert_eq!(exact(&Log::default(), &log()), Repair::default());
}

#[test]
fn added_columns_become_null_and_every_other_byte_stays() {
    let left = Log::default().put(0, key(A), tiered_row(-12_345, "gold"));
    let arriving = Log::default().put(0, key(A), plain_row(777));
    let repair = exact(&left, &arriving);
    assert_eq!((repair.removed, repair.cleared, repair.rewritten), (0, 1, 0));
    assert_eq!(repair.columns, BTreeSet::from(["tags".to_owned(), "tier".to_owned()]));
    assert_eq!(repair.schema_ids(), [BTreeSet::from([WIDE_KEY]), BTreeSet::from([TIERED])]);
    let [NewRecord { key: written, value: Some(row) }] = &repair.records[..] else { panic!("{repair:?}") };
    assert_eq!(*written, key(A));
    let mut expected = columns(Some(-12_345), 1_700_000_000_123, Some("né"));
    expected.push(("tier", Value::Null));
    expected.push(("tags", Value::Null));
    assert_eq!(*row, wire(TIERED, &tiered(), &expected), "decimal, timestamp and text are the bytes that they were");
}

#[test]
fn a_key_in_other_bytes_or_another_partition_is_the_same_key() {
    let left = Log::default().put(0, key(A), tiered_row(1, "gold")).put(1, other_key(A), tiered_row(2, "silver")).put(
        0,
        other_key(C),
        tiered_row(3, "gold"),
    );
    let arriving = Log::default().put(1, other_key(A), plain_row(1)).put(0, key(A), plain_row(2));
    let repair = repair(&left, &arriving, 9);
    assert_eq!((repair.records.len(), repair.removed, repair.cleared), (2, 1, 1));
    // Dead in one partition and live in the other is live.
    let arriving = arriving.put(1, key(A), None);
    assert_eq!(super::repair::repair(&left, &arriving, 9).removed, 1);
    let arriving = arriving.put(0, other_key(A), None);
    assert_eq!(super::repair::repair(&left, &arriving, 9).removed, 2);
}

#[test]
fn a_delete_that_the_connector_has_not_written_yet_is_made_up_for() {
    let left = Log::default()
        .put(0, key(A), tiered_row(1, "gold"))
        .put(0, key(B), tiered_row(2, "gold"))
        .put(0, key(A), None)
        .put(0, key(B), None);
    let arriving = Log::default().put(0, key(B), plain_row(2));
    exact(&left, &arriving);
    // Its position says that both deletes are written: nothing is left to do.
    assert_eq!(repair(&left, &arriving, 4), Repair::default());
    let repair = repair(&left, &arriving, 2);
    assert_eq!((repair.removed, repair.rewritten), (1, 1));
    // Compaction may have taken the row itself away already.
    let compacted = Log(left.0.iter().filter(|r| r.value.is_none()).cloned().collect());
    assert_eq!(super::repair::repair(&compacted, &arriving, 2).removed, 1);
}

#[test]
fn a_column_that_takes_no_null_is_rewritten_by_a_delete_and_the_replay() {
    let left = Log::default().put(0, key(A), strict_row(5)).put(0, key(B), strict_row(6));
    let arriving = Log::default().put(0, key(A), plain_row(1));
    let repair = exact(&left, &arriving);
    assert_eq!((repair.removed, repair.cleared, repair.rewritten), (1, 0, 1));
    assert!(repair.records.iter().all(|record| record.value.is_none()));
}

#[test]
fn what_was_added_is_told_by_each_key_s_own_records() {
    // The arriving topic has the columns in some records only, the left one got them late.
    let left = Log::default()
        .put(0, key(A), tiered_row(1, "gold"))
        .put(0, key(B), tiered_row(2, "gold"))
        .put(0, key(B), plain_row(3))
        .put(0, key(C), plain_row(4));
    let arriving = Log::default().put(0, key(A), tiered_row(5, "silver")).put(0, key(B), plain_row(6)).put(
        0,
        key(C),
        plain_row(7),
    );
    let repair = exact(&left, &arriving);
    // A's columns are written by the replay; B's last row does not have them, so it cannot carry the NULLs.
    assert_eq!((repair.removed, repair.cleared, repair.rewritten), (0, 0, 1));
    // Before its delete a key's records tell nothing of the row that is there now.
    let arriving = arriving.put(0, key(A), None).put(0, key(A), plain_row(8));
    assert_eq!(exact(&left, &arriving).cleared, 1);
}

#[test]
fn a_row_that_cannot_be_read_is_deleted_and_the_replay_brings_it() {
    let mut cut = tiered_row(1, "gold").expect("a row");
    cut.pop();
    let left = Log::default().put(0, key(A), Some(cut));
    let arriving = Log::default().put(0, key(A), plain_row(1));
    let repair = repair(&left, &arriving, 1);
    assert_eq!((repair.records.len(), repair.rewritten), (1, 1));
}

#[test]
fn a_record_without_a_readable_key_is_an_error_on_both_sides() {
    let arriving = Log::default().put(0, b"not avro".to_vec(), plain_row(1));
    let mut there = Arriving::new();
    there.add_schema(PLAIN, &plain(), &[]).expect("a schema");
    assert!(there.feed(&arriving.0[0]).is_err());
    let mut here = there.leaving();
    assert!(here.feed(&arriving.0[0], Written::Yes).is_err());
    let keyless = RawRecord { key: None, ..arriving.0[0].clone() };
    assert!(here.feed(&keyless, Written::Yes).is_err());
    assert_eq!(here.repair(), Repair::default());
}

#[test]
fn a_value_whose_schema_is_not_known_is_an_error() {
    let record = &Log::default().put(0, key(A), plain_row(1)).0[0];
    let mut there = Arriving::new();
    assert_eq!(there.missing_schemas(record), [WIDE_KEY, PLAIN]);
    there.add_schema(WIDE_KEY, WIDE_KEY_SCHEMA, &[]).expect("a schema");
    assert!(there.feed(record).is_err());
}

const IDS: [Id; 3] = [A, B, C];

/// A record of a topic in which each key has its partition: which key, in which bytes, with which value.
fn drawn() -> impl Strategy<Value = (usize, bool, u8)> {
    (0..IDS.len(), any::<bool>(), 0..5u8)
}

fn log(drawn: &[(usize, bool, u8)]) -> Log {
    drawn.iter().zip(1..).fold(Log::default(), |log, ((which, narrow, value), n)| {
        let id = IDS[*which];
        let bytes = if *narrow { other_key(id) } else { key(id) };
        let value = match value {
            0 => None,
            1 => plain_row(n),
            2 => tiered_row(n, "gold"),
            3 => strict_row(5),
            _ => tiered_row(n, "silver"),
        };
        log.put(i32::from(*which == 1), bytes, value)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever both topics hold and however far the connector came, the destination ends as the arriving topic says.
    #[test]
    fn the_end_is_what_the_arriving_topic_says(
        left in prop::collection::vec(drawn(), 0..8),
        arriving in prop::collection::vec(drawn(), 0..8),
    ) {
        exact(&log(&left), &log(&arriving));
    }
}
