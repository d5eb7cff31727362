//! Fingerprints against what is decoded, and surveys against validations.

use apache_avro::Decimal;
use proptest::prelude::*;

use super::super::columns::{Columns, Part, Printer};
use super::super::decode::{Fields, field_names};
use super::super::fingerprint::{Canonical, Fingerprints, same};
use super::super::schema::Shape;
use super::super::survey::Survey;
use super::*;

/// A row without a schema.
#[derive(Clone, Debug)]
struct Logical {
    id: i64,
    name: Option<String>,
    total: f32,
    cents: i16,
    at: i32,
    colour: bool,
    list: Vec<Option<i32>>,
    map: BTreeMap<String, bool>,
    uuid: u128,
}

/// How the types and the order of the fields of a writer schema are drawn.
type Writer = [bool; 10];

/// Values from a small domain, so that equal rows are drawn often.
fn logical() -> impl Strategy<Value = Logical> {
    let total = prop_oneof![Just(0.0f32), Just(-0.0), Just(f32::NAN), Just(-f32::NAN), Just(1.5)];
    let name = proptest::option::of("[ab]");
    let map = proptest::collection::btree_map("[a-c]{0,2}", any::<bool>(), 0..3);
    let list = proptest::collection::vec(proptest::option::of(0..2), 0..2);
    let cents = prop_oneof![Just(0i16), Just(100), Just(-10), Just(-128), Just(127)];
    ((0i64..3, name, total, cents), (-1..1, any::<bool>(), list, map, 0u128..2)).prop_map(
        |((id, name, total, cents), (at, colour, list, map, uuid))| Logical {
            id,
            name,
            total,
            cents,
            at,
            colour,
            list,
            map,
            uuid,
        },
    )
}

/// The schema of a writer and the row in it.
fn written(w: &Writer, row: &Logical) -> (String, Vec<(&'static str, Value)>) {
    let [long, nullable, double, scale, micros, text, last, swap, tagged, backwards] = *w;
    let null = |v: Option<Value>| match v {
        None => Value::Union(0, Box::new(Value::Null)),
        Some(v) => Value::Union(1, Box::new(v)),
    };
    let optional = |t: &str| format!(r#"["null",{t}]"#);
    let id = if long { ("\"long\"", Value::Long(row.id)) } else { ("\"int\"", Value::Int(row.id as i32)) };
    let name = row.name.clone();
    let name = match nullable {
        true => (optional("\"string\""), null(name.map(Value::String))),
        false => (
            optional(r#"{"type":"enum","name":"E","symbols":["a","b","n"]}"#),
            match name.as_deref() {
                None => null(None),
                Some("a") => null(Some(Value::Enum(0, "a".to_owned()))),
                Some("b") => null(Some(Value::Enum(1, "b".to_owned()))),
                Some(_) => null(Some(Value::Enum(2, "n".to_owned()))),
            },
        ),
    };
    let total = match double {
        true => ("\"double\"", Value::Double(row.total.into())),
        false => ("\"float\"", Value::Float(row.total)),
    };
    let (digits, unscaled) = if scale { (2, i32::from(row.cents)) } else { (4, i32::from(row.cents) * 100) };
    let cents = (
        format!(r#"{{"type":"bytes","logicalType":"decimal","precision":9,"scale":{digits}}}"#),
        Value::Decimal(Decimal::from(unscaled.to_be_bytes())),
    );
    let at = i64::from(row.at);
    let at = match micros {
        true => (r#"{"type":"long","logicalType":"timestamp-micros"}"#, Value::TimestampMicros(at * 1000)),
        false => (r#"{"type":"long","logicalType":"timestamp-millis"}"#, Value::TimestampMillis(at)),
    };
    let word = if row.colour { "BLUE" } else { "GREEN" };
    let colour = match text {
        true => ("\"string\"".to_owned(), Value::String(word.to_owned())),
        false => (
            r#"{"type":"enum","name":"C","symbols":["GREEN","BLUE"]}"#.to_owned(),
            Value::Enum(row.colour.into(), word.to_owned()),
        ),
    };
    let list = Value::Array(row.list.iter().map(|v| null(v.map(Value::Int))).collect());
    let map = Value::Map(row.map.iter().map(|(k, v)| (k.clone(), Value::Boolean(*v))).collect());
    let uuid = match tagged {
        true => (
            r#"{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}"#.to_owned(),
            Value::Uuid(apache_avro::Uuid::from_u128(row.uuid)),
        ),
        false => ("\"string\"".to_owned(), Value::String(apache_avro::Uuid::from_u128(row.uuid).to_string())),
    };
    let mut inner = vec![("x", "\"int\"", Value::Int(row.at)), ("aa", "\"boolean\"", Value::Boolean(row.colour))];
    if swap {
        inner.reverse();
    }
    let fields: Vec<String> = inner.iter().map(|(n, t, _)| format!(r#"{{"name":"{n}","type":{t}}}"#)).collect();
    let record = format!(r#"{{"type":"record","name":"inner","fields":[{}]}}"#, fields.join(","));
    let inner = Value::Record(inner.into_iter().map(|(n, _, v)| (n.to_owned(), v)).collect());
    let mut all = vec![
        ("id", id.0.to_owned(), id.1),
        ("name", name.0, name.1),
        ("total", total.0.to_owned(), total.1),
        ("cents", cents.0, cents.1),
        ("at", at.0.to_owned(), at.1),
        ("colour", colour.0, colour.1),
        ("list", r#"{"type":"array","items":["null","int"]}"#.to_owned(), list),
        ("map", r#"{"type":"map","values":"boolean"}"#.to_owned(), map),
        ("uuid", uuid.0, uuid.1),
        ("inner", record, inner),
    ];
    if last {
        all.rotate_left(3);
    }
    if backwards {
        all.reverse();
    }
    let fields: Vec<String> = all.iter().map(|(n, t, _)| format!(r#"{{"name":"{n}","type":{t}}}"#)).collect();
    let schema = format!(r#"{{"type":"record","name":"v","fields":[{}]}}"#, fields.join(","));
    (schema, all.into_iter().map(|(n, _, v)| (n, v)).collect())
}

/// The datum alone, as the library writes it.
fn datum(schema: &str, fields: &[(&'static str, Value)]) -> Vec<u8> {
    wire(1, schema, fields).split_off(5)
}

/// Both ways of reading come to the same fields or to the same fault.
fn read_both_ways(shape: &Shape, datum: &[u8]) -> Result<(), TestCaseError> {
    let (mut decoded, mut walked) = (Fields::default(), Canonical::default());
    let (by_decoder, by_walk) = (decoded.read(shape, datum, 1), walked.read(shape, datum, 1));
    prop_assert_eq!(&by_decoder, &by_walk);
    let fields = field_names(shape).map_or(1, |names| names.len());
    prop_assert!(by_decoder.is_err() || same(&walked, &decoded, fields), "other fields");
    // The buffers are used again: what was left of the record before does not matter.
    prop_assert_eq!(walked.read(shape, datum, 1), by_walk);
    prop_assert!(by_decoder.is_err() || same(&walked, &decoded, fields), "other fields the second time");
    Ok(())
}

fn record(partition: i32, offset: i64, key: Option<Vec<u8>>, value: Option<Vec<u8>>) -> RawRecord {
    RawRecord { partition, offset, timestamp_ms: None, key, value, schema_headers: None }
}

proptest! {
    #[test]
    fn fingerprints_are_equal_exactly_if_the_decoded_rows_are(
        (a, b) in (logical(), logical()), same_row in any::<bool>(), (wa, wb) in (any::<Writer>(), any::<Writer>()),
    ) {
        let b = if same_row { a.clone() } else { b };
        let contract = TableContract { columns: BTreeMap::new(), key: Vec::new(), ..exact(Changelog::Append) };
        let mut prints = Fingerprints::new(&contract);
        let mut columns = Columns::new(&contract);
        let mut rows = Vec::new();
        let mut printer = Printer::default();
        for (id, side, w, row) in [(BLUE, Side::Blue, &wa, &a), (GREEN, Side::Green, &wb, &b)] {
            let (schema, fields) = written(w, row);
            prints.add_schema(id, &schema, &[]).expect("schema");
            let value = wire(id, &schema, &fields);
            let shape = Shape::parse(&schema, &[]).expect("shape");
            let mut decoded = Fields::default();
            decoded.read(&shape, &value[5..], id).expect("datum");
            let numbers = columns.resolve(&field_names(&shape).expect("record"));
            let row = columns.row(side, &Part { fields: &decoded, columns: &numbers }, None);
            let print = prints.print(side, &record(0, 0, None, Some(value))).expect("print").row;
            prop_assert_eq!(print, Some(printer.print(&columns, &[], &row)), "one definition");
            rows.push((row.cells, print));
        }
        prop_assert_eq!(rows[0].0 == rows[1].0, rows[0].1 == rows[1].1);
        prop_assert!(!same_row || rows[0].1 == rows[1].1, "the same row, whoever wrote it");
    }

    #[test]
    fn spoiled_bytes_are_the_same_fault_as_for_the_decoder(
        row in logical(), w in any::<Writer>(),
        spoils in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(), whole in any::<bool>(), tail in proptest::collection::vec(any::<u8>(), 0..3),
    ) {
        let (schema, fields) = written(&w, &row);
        let shape = Shape::parse(&schema, &[]).expect("shape");
        let mut bytes = datum(&schema, &fields);
        read_both_ways(&shape, &bytes)?;
        for (at, byte) in spoils {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if !whole {
            bytes.truncate(cut.index(bytes.len()));
            bytes.extend(tail);
        }
        read_both_ways(&shape, &bytes)?;
    }

    #[test]
    fn any_bytes_are_read_as_by_the_decoder(bytes in proptest::collection::vec(prop_oneof![Just(0u8), Just(2), Just(4), any::<u8>()], 0..60)) {
        let texts = [
            r#"["null",{"type":"record","name":"v","fields":[{"name":"m","type":{"type":"map","values":{"type":"map","values":"int"}}},
                {"name":"l","type":{"type":"array","items":{"type":"map","values":"null"}}}]}]"#,
            r#"{"type":"array","items":["null","string",{"type":"array","items":"null"}]}"#,
            r#"{"type":"record","name":"v","fields":[{"name":"a","type":{"type":"record","name":"b","fields":[
                {"name":"z","type":{"type":"map","values":"bytes"}},{"name":"y","type":["null","v2"]},
                {"name":"x","type":{"type":"bytes","logicalType":"big-decimal"}}]}}]}"#,
            r#"{"type":"map","values":{"type":"bytes","logicalType":"decimal","precision":40,"scale":2}}"#,
        ];
        let texts = texts.map(|t| t.replace("\"v2\"", r#"{"type":"record","name":"v2","fields":[{"name":"q","type":"boolean"},{"name":"p","type":"long"}]}"#));
        for text in texts {
            read_both_ways(&Shape::parse(&text, &[]).expect("shape"), &bytes)?;
        }
    }
}

#[test]
fn hostile_counts_are_bounded_as_in_the_decoder() {
    let list = r#"{"type":"record","name":"v","fields":[{"name":"l","type":{"type":"array","items":"null"}}]}"#;
    let nested = r#"{"type":"map","values":{"type":"array","items":{"type":"array","items":"null"}}}"#;
    let max: &[u8] = &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    let two_million: &[u8] = &[0x80, 0x92, 0xf4, 0x01, 0];
    let lists = [&[2u8, 0][..], &[2, 0].repeat(200_000), max].concat();
    for (text, bytes) in [(list, max), (list, two_million), (nested, &lists), (nested, &[2, 0, 2, 4, 0, 0, 0, 0])] {
        read_both_ways(&Shape::parse(text, &[]).expect("shape"), bytes).expect("the same");
    }
}

/// What happens to a topic: the side, the partition, the key's byte form, the row, or a deletion.
type Step = (bool, i32, bool, Option<Logical>, i64);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step =
        (any::<bool>(), 0..2, proptest::bool::weighted(0.1), proptest::option::weighted(0.85, logical()), 0i64..4);
    proptest::collection::vec(step, 0..40)
}

/// Both topics as records: most of what blue has is written to green as well.
fn logs(steps: &[Step], mirrored: u8, writers: [&Writer; 2], append: bool) -> [Vec<RawRecord>; 2] {
    let mut logs = [Vec::new(), Vec::new()];
    for (i, (green, partition, other_key, row, id)) in steps.iter().enumerate() {
        let both = !(i as u8).wrapping_mul(37).wrapping_add(mirrored).is_multiple_of(5);
        for side in [Side::Blue, Side::Green] {
            if !both && *green != (side == Side::Green) {
                continue;
            }
            let (schema_id, writer) = if side == Side::Blue { (BLUE, writers[0]) } else { (GREEN, writers[1]) };
            let row = row.as_ref().map(|row| Logical { id: *id, ..row.clone() });
            if append && row.is_none() {
                continue;
            }
            let value = row.map(|row| written(writer, &row)).map(|(schema, fields)| wire(schema_id, &schema, &fields));
            let key = match other_key {
                true => wire(OTHER_KEY, OTHER_KEY_SCHEMA, &[("id", Value::Union(1, Box::new(Value::Int(*id as i32))))]),
                false => wire(KEY, KEY_SCHEMA, &[("id", (*id).into())]),
            };
            let log = &mut logs[side.index()];
            // Mostly where the key belongs.
            let partition = if i % 7 == 0 { *partition } else { (*id % 2) as i32 };
            let offset = log.iter().filter(|r: &&RawRecord| r.partition == partition).count() as i64;
            log.push(record(partition, offset, Some(key), value));
        }
    }
    logs
}

fn ends(log: &[RawRecord]) -> Offsets {
    log.iter().map(|r| (r.partition, r.offset + 1)).collect()
}

/// What a validation that decodes says, and what a survey says.
fn both_verdicts(contract: &TableContract, writers: [&Writer; 2], logs: &[Vec<RawRecord>; 2]) -> [TableVerdict; 2] {
    let example = Logical {
        id: 0,
        name: None,
        total: 0.0,
        cents: 0,
        at: 0,
        colour: false,
        list: Vec::new(),
        map: BTreeMap::new(),
        uuid: 0,
    };
    let schemas: BTreeMap<u32, String> = [
        (KEY, KEY_SCHEMA.to_owned()),
        (OTHER_KEY, OTHER_KEY_SCHEMA.to_owned()),
        (BLUE, written(writers[0], &example).0),
        (GREEN, written(writers[1], &example).0),
    ]
    .into();
    let sides: Vec<(Side, &Vec<RawRecord>)> = [Side::Blue, Side::Green]
        .into_iter()
        .zip(logs)
        .filter(|(s, _)| *s == Side::Green || contract.blue_topic.is_some())
        .collect();
    let mut table = TableValidation::new(contract.clone());
    table.begin_round(&ends(&logs[0]), &ends(&logs[1]));
    let mut survey = Survey::new(contract.clone()).expect("a plain contract");
    for (side, log) in &sides {
        for record in *log {
            feed(&mut table, &schemas, *side, record);
            loop {
                let missing: Vec<u32> = survey.missing_schemas(record).collect();
                if missing.is_empty() {
                    break;
                }
                missing.iter().for_each(|id| survey.add_schema(*id, &schemas[id], &[]).expect("schema"));
            }
            survey.feed(*side, record).expect("readable");
            survey.feed(*side, record).expect("ignored the second time");
        }
    }
    table.end_round();
    let mut findings = survey.finish().expect("few enough");
    if findings.wants_look() {
        sides.iter().for_each(|(side, log)| log.iter().for_each(|record| findings.look(*side, record)));
    }
    [table.verdict(), findings.verdict()]
}

proptest! {
    #[test]
    fn a_survey_says_what_a_validation_says(
        steps in steps(), mirrored in any::<u8>(), (wa, wb) in (any::<Writer>(), any::<Writer>()),
        (append, declared, blue, new) in any::<(bool, bool, bool, bool)>(),
    ) {
        let changelog = if append { Changelog::Append } else { Changelog::Upsert };
        let mut columns = Vec::new();
        if new {
            let rule = ChangeRule::NewColumn { default: serde_json::json!("a"), nullable: mirrored % 2 == 0 };
            columns.push(("name", ColumnClass::Changed { rule }));
        }
        let mut contract = contract(changelog, &columns);
        if append && !declared {
            contract.key.clear();
        }
        if !blue {
            contract.blue_topic = None;
        }
        let logs = logs(&steps, mirrored, [&wa, &wb], append);
        let [mut decoded, mut surveyed] = both_verdicts(&contract, [&wa, &wb], &logs);
        decoded.samples.sort();
        surveyed.samples.sort();
        prop_assert_eq!(decoded, surveyed);
    }
}

#[test]
fn differences_without_end_are_counted_and_few_are_looked_at() {
    let contract = TableContract { columns: BTreeMap::new(), ..exact(Changelog::Upsert) };
    let mut survey = Survey::new(contract).expect("plain");
    for (id, schema) in [(KEY, KEY_SCHEMA), (BLUE, ROW_SCHEMA), (GREEN, ROW_SCHEMA)] {
        survey.add_schema(id, schema, &[]).expect("schema");
    }
    // By hand: the library would take minutes.
    let long = |v: u64| {
        let (mut v, mut out) = (v << 1, Vec::new());
        while v >= 128 {
            out.push(v as u8 | 128);
            v >>= 7;
        }
        out.push(v as u8);
        out
    };
    let framed = |id: u32, datum: Vec<u8>| [&[0u8][..], &id.to_be_bytes(), &datum].concat();
    let count = 150_000u64;
    let make = |side: Side, id: u64| {
        let (schema, total) = if side == Side::Blue { (BLUE, 1.0f64) } else { (GREEN, 2.0) };
        let value = [long(id), vec![0], total.to_le_bytes().to_vec()].concat();
        record(0, id as i64, Some(framed(KEY, long(id))), Some(framed(schema, value)))
    };
    for side in [Side::Blue, Side::Green] {
        (0..count).for_each(|id| survey.feed(side, &make(side, id)).expect("readable"));
    }
    let mut findings = survey.finish().expect("few enough");
    for side in [Side::Blue, Side::Green] {
        (0..count).for_each(|id| findings.look(side, &make(side, id)));
    }
    let verdict = findings.verdict();
    assert_eq!((verdict.different, verdict.equal, verdict.samples.len()), (count, 0, 20));
    assert_eq!(
        verdict.columns["total"],
        "exact (the contract does not name it): 100000 different among those looked at"
    );
}

#[test]
fn a_contract_with_classes_needs_rounds() {
    let why = || "float sum".to_owned();
    let soft = contract(Changelog::Upsert, &[("total", ColumnClass::Order { why: why(), tolerance: 0.1 })]);
    assert!(Survey::new(soft).is_none());
    let rows = RowRule::Changed { why: why() };
    assert!(Survey::new(TableContract { rows, ..exact(Changelog::Upsert) }).is_none());
}

#[test]
fn an_unreadable_record_is_counted_and_keeps_the_table_from_passing() {
    let mut survey = Survey::new(exact(Changelog::Upsert)).expect("plain");
    for (id, schema) in [(KEY, KEY_SCHEMA), (BLUE, ROW_SCHEMA), (GREEN, ROW_SCHEMA)] {
        survey.add_schema(id, schema, &[]).expect("schema");
    }
    for (side, id) in [(Side::Blue, BLUE), (Side::Green, GREEN)] {
        survey
            .feed(side, &record(0, 0, Scene::key(1), Some(wire(id, ROW_SCHEMA, &row(1, "ann", 1.0)))))
            .expect("whole");
    }
    let mut broken = wire(GREEN, ROW_SCHEMA, &row(2, "ann", 1.0));
    broken.pop();
    let error = survey.feed(Side::Green, &record(1, 7, Scene::key(2), Some(broken))).expect_err("truncated");
    assert_eq!(error.to_string(), "record 7 in partition 1 of topic `orders_v2` cannot be read");
    let verdict = survey.finish().expect("few enough").verdict();
    assert_outcome(
        &verdict,
        Outcome::Undecided,
        "1 records could not be read (the first: `orders_v2` 1@7: it is truncated",
    );
    assert_eq!(verdict.equal, 1);
}
