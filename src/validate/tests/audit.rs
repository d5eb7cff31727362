//! The audit of a topic: what is counted, where, and that it does not matter how the topic is read.

use proptest::prelude::*;
use serde_json::json;

use super::super::audit::{Folded, Op, TopicAudit, TopicReport, Writer, Writers};
use super::super::invariant;
use super::*;
use crate::model::record::{SchemaHeaders, SchemaId};

const GUID: u128 = 0xcc0e_0e0e_53c1_4a1a_8f1a_0000_0000_0001;
/// Small enough that a record is written by hand: what it does, and a note.
const FLAT: &str = r#"{"type":"record","name":"shop.Row","fields":[{"name":"__op","type":"string"},
    {"name":"note","type":["string","null"],"default":"none"}]}"#;
const ENVELOPE: &str = r#"{"type":"record","name":"Envelope","namespace":"shop.orders","fields":[
    {"name":"before","type":["null",{"type":"record","name":"Value","fields":[{"name":"id","type":"long"},
        {"name":"body","type":["null","string"],"default":null}]}],"default":null},
    {"name":"after","type":["null","Value"],"default":null},{"name":"op","type":"string"}]}"#;
const MESSAGE: &str = r#"{"type":"record","name":"MessageValue","namespace":"io.debezium.connector.postgresql","fields":[
    {"name":"op","type":"string"},{"name":"message","type":["null","bytes"],"default":null}]}"#;

/// Schema 1 and 2 and the GUID are flat, 3 is an envelope, 4 a message of the log, 5 a table with a column `op`.
fn writers() -> Writers {
    let column_op = r#"{"type":"record","name":"Value","fields":[{"name":"op","type":"string"}]}"#;
    let numbered = [(1, FLAT), (2, FLAT), (3, ENVELOPE), (4, MESSAGE), (5, column_op)];
    let numbered = numbered.map(|(id, text)| (SchemaId::Number(id), Writer::new("AVRO", text, &[])));
    numbered.into_iter().chain([(SchemaId::Guid(GUID), Writer::new("AVRO", FLAT, &[]))]).collect()
}

fn payload(op: &str, note: Option<&str>) -> Vec<u8> {
    let text = |text: &str| [vec![u8::try_from(text.len() * 2).unwrap()], text.as_bytes().to_vec()].concat();
    [text(op), note.map_or(vec![2], |note| [vec![0], text(note)].concat())].concat()
}

fn flat(id: u32, op: &str, note: Option<&str>) -> Option<Vec<u8>> {
    Some([&[0][..], &id.to_be_bytes(), &payload(op, note)].concat())
}

/// A change in an envelope: the rows before and after as their id and body.
fn change(op: &str, before: Option<i64>, after: Option<(i64, &str)>) -> Option<Vec<u8>> {
    let row = |id: i64, body: Value| {
        let fields = vec![("id".to_owned(), Value::Long(id)), ("body".to_owned(), body)];
        Value::Union(1, Box::new(Value::Record(fields)))
    };
    let null = || Value::Union(0, Box::new(Value::Null));
    let before = before.map_or_else(null, |id| row(id, null()));
    let after = after.map_or_else(null, |(id, body)| row(id, Value::Union(1, Box::new(body.into()))));
    Some(wire(3, ENVELOPE, &[("before", before), ("after", after), ("op", op.into())]))
}

fn record(partition: i32, offset: i64, value: Option<Vec<u8>>) -> RawRecord {
    RawRecord { partition, offset, timestamp_ms: None, key: None, value, schema_headers: None }
}

fn with_guid(record: RawRecord) -> RawRecord {
    let header = [&[1][..], &GUID.to_be_bytes()].concat();
    let headers = SchemaHeaders { key: None, value: Some(header) };
    RawRecord { schema_headers: Some(Box::new(headers)), ..record }
}

fn folded(records: &[RawRecord]) -> (TopicAudit, Vec<Folded>) {
    let (mut audit, writers) = (TopicAudit::default(), writers());
    let folded = records.iter().map(|record| audit.fold(record, &writers)).collect();
    (audit, folded)
}

fn report(records: &[RawRecord]) -> TopicReport {
    folded(records).0.report("shop.orders", &BTreeMap::new())
}

/// The values of one partition, from offset 10 on.
fn of_values(values: Vec<Option<Vec<u8>>>) -> TopicReport {
    report(&(10..).zip(values).map(|(offset, value)| record(0, offset, value)).collect::<Vec<_>>())
}

#[test]
fn each_schema_has_its_first_and_last_record_in_each_partition() {
    let values = [(0, 5, 1), (0, 6, 1), (1, 0, 1), (0, 9, 2), (1, 3, 2), (0, 10, 2)];
    let report = report(&values.map(|(p, offset, id)| record(p, offset, flat(id, "c", Some("x")))));
    let spans: Vec<_> = report
        .partitions
        .iter()
        .flat_map(|p| p.value.schemas.iter().map(|s| (p.partition, s.schema.to_string(), s.records, s.first, s.last)))
        .collect();
    let want = [(0, "1", 2, 5, 6), (0, "2", 2, 9, 10), (1, "1", 1, 0, 0), (1, "2", 1, 3, 3)];
    assert_eq!(spans, want.map(|(p, id, n, first, last)| (p, id.to_owned(), n, first, last)));
    let first = &report.partitions[0];
    assert_eq!((first.first, first.last, first.value.switches, first.value.mixed.len()), (5, 10, 1, 0));
    assert_eq!((report.records, report.unreadable), (6, 0));
}

#[test]
fn where_old_and_new_records_lie_between_each_other_is_a_stretch_of_offsets() {
    let ids = [1, 1, 2, 1, 2, 2];
    let report = of_values(ids.map(|id| flat(id, "c", None)).to_vec());
    let value = &report.partitions[0].value;
    assert_eq!(value.switches, 3);
    let [mixed] = &value.mixed[..] else { panic!("{value:?}") };
    assert_eq!((mixed.from, mixed.to, mixed.schemas.len()), (12, 13, 2));
    // What names no schema between two records of one schema is no switch.
    let between = vec![flat(1, "c", None), None, Some(b"x".to_vec()), flat(1, "c", None)];
    assert_eq!(of_values(between).partitions[0].value.switches, 0);
}

#[test]
fn records_are_counted_by_what_they_do_and_snapshots_apart() {
    let message = Some([&[0, 0, 0, 0, 4][..], &[2, b'm', 0]].concat());
    let values = vec![
        change("r", None, Some((1, "a"))),
        change("c", None, Some((2, "a"))),
        change("u", Some(2), Some((2, "b"))),
        change("d", Some(2), None),
        None,
        change("t", None, None),
        message,
        flat(1, "r", None),
        Some(br#"{"op": "c", "before": null, "after": {"id": 1}}"#.to_vec()),
        // A table may have a column of this name.
        Some([&[0, 0, 0, 0, 5][..], &[2, b'r']].concat()),
    ];
    let report = of_values(values);
    let p = &report.partitions[0];
    let ops: Vec<(Op, u64)> = p.ops.iter().map(|(op, n)| (*op, *n)).collect();
    let want =
        [(Op::Create, 2), (Op::Update, 1), (Op::Delete, 1), (Op::Snapshot, 2), (Op::Truncate, 1), (Op::Message, 1)];
    assert_eq!(ops, want);
    assert_eq!((p.tombstones, p.value.without_schema, report.unreadable), (1, 1, 0));
    let envelope = p.value.schemas.iter().find(|s| s.schema == SchemaId::Number(3)).unwrap();
    assert_eq!((envelope.records, envelope.snapshot), (5, 1));
}

#[test]
fn a_value_that_the_database_did_not_log_is_counted_by_its_column() {
    let toast = "__debezium_unavailable_value";
    let values = vec![
        change("u", Some(1), Some((1, toast))),
        change("u", Some(1), Some((1, "real"))),
        flat(1, "u", Some(toast)),
        Some(format!(r#"{{"op": "u", "before": {{}}, "after": {{"body": "{toast}"}}}}"#).into_bytes()),
    ];
    let want = BTreeMap::from([("body".to_owned(), 2), ("note".to_owned(), 1)]);
    assert_eq!(of_values(values).placeholders, want);
}

#[test]
fn a_guid_in_a_header_names_the_schema_of_a_bare_payload() {
    let bare = Some(payload("c", None));
    let (audit, seen) = folded(&[
        record(0, 0, flat(1, "c", Some("x"))),
        with_guid(record(0, 1, bare.clone())),
        with_guid(record(1, 0, bare.clone())),
        with_guid(record(1, 1, None)),
    ]);
    let report = audit.report("shop.orders", &BTreeMap::new());
    assert_eq!((report.unreadable, report.partitions[1].tombstones), (0, 1));
    let guid = "cc0e0e0e-53c1-4a1a-8f1a-000000000001";
    let nulls: Vec<_> =
        report.nulls.iter().map(|n| (n.schema.to_string(), n.column.as_str(), n.records, n.nulls)).collect();
    assert_eq!(nulls, [("1".to_owned(), "note", 1, 0), (guid.to_owned(), "note", 2, 2)]);
    // New is what no partition had before.
    let new: Vec<_> = seen.iter().map(|f| f.new_value.map(|id| id.to_string())).collect();
    assert_eq!(new, [Some("1".to_owned()), Some(guid.to_owned()), None, None]);
    assert_eq!(audit.schemas().keys().collect::<Vec<_>>(), ["1", guid, "tombstone"]);
    let bad = with_guid(record(0, 0, bare));
    let headers = SchemaHeaders { key: None, value: Some(vec![1, 2]) };
    let bad = report_of_one(RawRecord { schema_headers: Some(Box::new(headers)), ..bad });
    assert!(bad.partitions[0].first_unreadable[0].reason.contains("holds no id and no GUID"), "{bad:?}");
}

fn report_of_one(record: RawRecord) -> TopicReport {
    report(&[record])
}

#[test]
fn what_cannot_be_read_is_counted_and_the_first_are_named() {
    let broken = Some(vec![0, 0, 0, 0, 1, 2]);
    let unknown = Some(vec![0, 0, 0, 0, 99, 2]);
    let mut values = vec![flat(1, "c", None), broken, unknown, Some(b"\x05plain".to_vec())];
    values.extend((0..10).map(|_| Some(Vec::new())));
    let report = of_values(values);
    assert_eq!((report.unreadable, report.records), (13, 14));
    let first: Vec<_> = report.partitions[0].first_unreadable.iter().map(|u| (u.offset, u.reason.as_str())).collect();
    let foreign = "it names no schema and is no JSON: it was written by something else, or with another format";
    let want =
        [(11, "it is truncated"), (12, "the registry has no schema 99"), (13, foreign), (14, foreign), (15, foreign)];
    assert_eq!(first, want);
    let protobuf = Writer::new("PROTOBUF", "syntax = \"proto3\";", &[]);
    assert!(protobuf.unreadable().is_some());
}

#[test]
fn keys_have_schemas_of_their_own_and_need_none() {
    let keyed = |offset, key: &[u8]| RawRecord { key: Some(key.to_vec()), ..record(0, offset, flat(1, "c", None)) };
    let (audit, seen) =
        folded(&[keyed(0, &[0, 0, 0, 0, 7, 2]), keyed(1, b"plain"), keyed(2, &[0, 0, 0, 0, 8, 2]), record(0, 3, None)]);
    let report = audit.report("shop.orders", &BTreeMap::new());
    let key = &report.partitions[0].key;
    assert_eq!((key.schemas.len(), key.switches, key.without_schema, report.unreadable), (2, 1, 1, 0));
    let new: Vec<_> = seen.iter().map(|f| f.new_key).collect();
    assert_eq!(new, [Some(SchemaId::Number(7)), None, Some(SchemaId::Number(8)), None]);
}

#[test]
fn an_update_without_its_row_before_is_told_once() {
    let values = [change("u", None, Some((1, "a"))), change("u", None, Some((1, "b")))];
    let records: Vec<_> = (0..).zip(values).map(|(offset, value)| record(2, offset, value)).collect();
    let (audit, seen) = folded(&records);
    assert_eq!(audit.update_without_before(), Some((2, 0)));
    assert_eq!(seen.iter().map(|f| f.first_without_before).collect::<Vec<_>>(), [true, false]);
    assert_eq!(audit.report("t", &BTreeMap::new()).updates_without_before, 2);
}

#[test]
fn a_truncation_has_a_place() {
    let (audit, _) =
        folded(&[record(0, 4, flat(1, "c", None)), record(0, 5, flat(1, "t", None)), record(0, 6, flat(1, "t", None))]);
    assert_eq!(audit.truncation(), Some((0, 5)));
    assert_eq!(folded(&[record(0, 4, flat(1, "d", None))]).0.truncation(), None);
}

#[test]
fn a_key_that_came_or_went_is_seen_in_the_rows_of_the_topic() {
    let keyed = |partition, offset| RawRecord {
        key: Some(vec![0, 0, 0, 0, 7, 2]),
        ..record(partition, offset, flat(1, "c", None))
    };
    let keyless = |partition, offset, op| record(partition, offset, flat(1, op, None));
    let of = |records: &[RawRecord]| folded(records).0.without_key();
    assert_eq!(of(&[keyed(0, 0), keyed(1, 0), keyless(1, 1, "c"), keyless(1, 2, "u")]), Some((1, 1)));
    assert_eq!(of(&[keyless(0, 0, "r"), keyed(1, 0)]), Some((0, 0)));
    // A table that never had one; and records that have none in any table.
    assert_eq!(of(&[keyless(0, 0, "c"), keyless(1, 0, "d")]), None);
    assert_eq!(of(&[keyed(0, 0), keyless(0, 1, "t"), keyless(0, 2, "m"), record(0, 3, None)]), None);
    assert_eq!(of(&[keyed(0, 0), record(0, 1, Some(b"no row".to_vec()))]), None);
    let (audit, _) = folded(&[keyed(0, 0), keyless(0, 1, "c")]);
    assert_eq!(audit.report("t", &BTreeMap::new()).partitions[0].without_key, 1);
}

#[test]
fn the_report_names_schemas_as_text() {
    let text = serde_json::to_value(report(&[with_guid(record(0, 0, Some(payload("c", None))))])).unwrap();
    assert_eq!(text["partitions"][0]["value"]["schemas"][0]["schema"], json!("cc0e0e0e-53c1-4a1a-8f1a-000000000001"));
    assert_eq!(text["partitions"][0]["ops"], json!({"create": 1}));
}

/// One record of any kind.
fn any_value() -> impl Strategy<Value = (Option<Vec<u8>>, bool)> {
    let op = prop::sample::select(vec!["c", "u", "r", "t", "m", "?"]);
    let note = prop::option::of(prop::sample::select(vec!["x", "__debezium_unavailable_value"]));
    prop_oneof![
        4 => (1_u32..3, op, note).prop_map(|(id, op, note)| (flat(id, op, note), false)),
        1 => Just((Some(payload("c", None)), true)),
        1 => Just((None, false)),
        1 => prop::option::of(any::<bool>()).prop_map(|b| (change("u", b.map(|_| 1), Some((1, "a"))), false)),
        1 => (prop::collection::vec(any::<u8>(), 0..12), any::<bool>()).prop_map(|(bytes, guid)| (Some(bytes), guid)),
    ]
}

/// Records of up to three partitions as they may come, with gaps in the offsets.
fn any_records() -> impl Strategy<Value = Vec<RawRecord>> {
    let key = prop::option::of(prop::collection::vec(0_u8..3, 0..7));
    prop::collection::vec((0..3_i32, 1..4_i64, key, any_value()), 0..40).prop_map(|drawn| {
        let mut next = [0_i64; 3];
        let numbered = drawn.into_iter().map(|(partition, gap, key, (value, guid))| {
            let place = &mut next[usize::try_from(partition).unwrap()];
            *place += gap;
            let drawn = RawRecord { key, ..record(partition, *place, value) };
            if guid { with_guid(drawn) } else { drawn }
        });
        numbered.collect()
    })
}

proptest! {
    #[test]
    fn it_does_not_matter_how_a_topic_is_read(records in any_records()) {
        prop_assert_eq!(invariant::audit(&records, &writers()), Ok(()));
    }

    #[test]
    fn a_stretch_is_where_two_schemas_overlap(ids in prop::collection::vec(1_u32..6, 0..30)) {
        let report = of_values(ids.iter().map(|id| flat(*id, "c", None)).collect());
        let span = |id: u32| {
            let first = ids.iter().position(|other| *other == id)?;
            Some((first, ids.iter().rposition(|other| *other == id)?))
        };
        let within = |at: usize, id: u32| span(id).is_some_and(|(first, last)| (first..=last).contains(&at));
        for at in 0..ids.len() {
            let offset = i64::try_from(at).unwrap() + 10;
            let here: Vec<u32> = (1..6).filter(|id| within(at, *id)).collect();
            let mixed = report.partitions[0].value.mixed.iter().find(|m| (m.from..=m.to).contains(&offset));
            prop_assert_eq!(here.len() > 1, mixed.is_some(), "offset {}", offset);
            let named = |m: &&super::super::audit::Mixed| here.iter().all(|id| m.schemas.contains(&SchemaId::Number(*id)));
            prop_assert!(here.len() < 2 || mixed.as_ref().is_some_and(named));
        }
    }
}
