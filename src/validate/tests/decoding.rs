//! Reading records: against `apache-avro` as the oracle, and broken ones.

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::{Days, Decimal, Duration, Millis, Months};
use proptest::prelude::*;
use serde_json::json;

use super::super::{Fault, decode_row};
use super::*;

const ALL: &str = r#"{"type":"record","name":"n.all","fields":[
    {"name":"bool","type":"boolean"},{"name":"int","type":"int"},{"name":"float","type":"float"},
    {"name":"bytes","type":"bytes"},{"name":"text","type":["null","string"]},
    {"name":"fixed","type":{"type":"fixed","name":"f4","size":4}},
    {"name":"enum","type":{"type":"enum","name":"colour","symbols":["BLUE","GREEN"]}},
    {"name":"decimal","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
    {"name":"date","type":{"type":"int","logicalType":"date"}},
    {"name":"time","type":{"type":"int","logicalType":"time-millis"}},
    {"name":"micros","type":{"type":"long","logicalType":"time-micros"}},
    {"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"local","type":{"type":"long","logicalType":"local-timestamp-micros"}},
    {"name":"list","type":{"type":"array","items":["null","long"]}},
    {"name":"map","type":{"type":"map","values":"int"}},
    {"name":"inner","type":{"type":"record","name":"inner","fields":[{"name":"x","type":"f4"}]}},
    {"name":"span","type":{"type":"fixed","name":"span","size":12,"logicalType":"duration"}}]}"#;

fn all() -> Vec<(&'static str, Value)> {
    let text = Value::String("ann".to_owned());
    vec![
        ("bool", true.into()),
        ("int", 7.into()),
        ("float", 0.5f32.into()),
        ("bytes", Value::Bytes(vec![1, 255])),
        ("text", Value::Union(1, Box::new(text))),
        ("fixed", Value::Fixed(4, vec![1, 2, 3, 4])),
        ("enum", Value::Enum(1, "GREEN".to_owned())),
        ("decimal", Value::Decimal(Decimal::from((-1050i32).to_be_bytes()))),
        ("date", Value::Date(1)),
        ("time", Value::TimeMillis(1500)),
        ("micros", Value::TimeMicros(1)),
        ("ts", Value::TimestampMillis(-1)),
        ("local", Value::LocalTimestampMicros(1)),
        ("list", Value::Array(vec![Value::Union(1, Box::new(Value::Long(1))), Value::Union(0, Box::new(Value::Null))])),
        ("map", Value::Map([("b".to_owned(), Value::Int(2)), ("a".to_owned(), Value::Int(1))].into())),
        ("inner", Value::Record(vec![("x".to_owned(), Value::Fixed(4, vec![0; 4]))])),
        ("span", Value::Duration(Duration::new(Months::new(1), Days::new(2), Millis::new(3)))),
    ]
}

#[test]
fn every_type_is_read() {
    let row = decode_row(ALL, &wire(5, ALL, &all())).expect("row");
    assert_eq!(
        serde_json::to_value(row).expect("json"),
        json!({
            "bool": true, "int": 7, "float": 0.5, "bytes": "01ff", "text": "ann", "fixed": "01020304",
            "enum": "GREEN", "decimal": "-10.5", "date": "1970-01-02", "time": "00:00:01.5",
            "micros": "00:00:00.000001", "ts": "1969-12-31T23:59:59.999Z", "local": "1970-01-01T00:00:00.000001",
            "list": [1, null], "map": {"a": 1, "b": 2}, "inner": {"x": "00000000"},
            "span": "010000000200000003000000"
        })
    );
}

#[test]
fn a_truncated_record_is_an_error_at_every_length_and_never_null() {
    let whole = wire(5, ALL, &all());
    for len in 0..whole.len() {
        let error = decode_row(ALL, &whole[..len]).expect_err("truncated");
        let expected = if len == 0 { "the message does not start with a schema id" } else { "it is truncated" };
        assert!(error.to_string().starts_with(expected), "{len}: {error}");
    }
    let schema = r#"{"type":"record","name":"v","fields":[{"name":"t","type":"string"}]}"#;
    let parsed = Schema::parse_str(schema).expect("schema");
    let reader = GenericDatumReader::builder(&parsed).build().expect("reader");
    let lenient = reader.read_value(&mut &[6u8, b'a'][..]).expect("the library reads a truncated text as null");
    assert_eq!(lenient, Value::Record(vec![("t".to_owned(), Value::Null)]), "why its reader is not used");
}

#[test]
fn a_truncated_record_names_its_place_and_keeps_the_table_from_passing() {
    let mut scene = Scene::upsert();
    scene.both(&row(1, "ann", 1.0));
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Pass, "");
    let mut value = scene.value(Side::Green, &row(1, "ann", 2.0));
    value.truncate(value.len() - 1);
    let mut broken = RawRecord {
        partition: 1,
        offset: 1,
        timestamp_ms: None,
        key: Scene::key(1),
        value: Some(value.clone()),
        schema_headers: None,
    };
    let error = scene.table.feed(Side::Green, &broken).expect_err("truncated");
    assert_eq!(error.to_string(), "record 1 in partition 1 of topic `orders_v2` cannot be read");
    assert_eq!(error.fault, Fault::Truncated);
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Undecided, "1 records could not be read (the first: `orders_v2` 1@1");
    assert_eq!(scene.verdict().equal, 1, "nothing of it was taken");
    broken.value = Some(scene.value(Side::Green, &row(1, "ann", 1.0)));
    scene.table.feed(Side::Green, &broken).expect("whole this time");
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Pass, "");
}

#[test]
fn foreign_records_are_errors_that_say_what_is_wrong() {
    let mut scene = Scene::upsert();
    scene.both(&row(1, "ann", 1.0));
    scene.round();
    let good = scene.value(Side::Green, &row(1, "ann", 1.0));
    let mut long = good.clone();
    long.push(0);
    let name_key = wire(
        8,
        r#"{"type":"record","name":"k","fields":[{"name":"a","type":"int"},{"name":"b","type":"int"}]}"#,
        &[("a", 1.into()), ("b", 1.into())],
    );
    let two = r#"{"type":"record","name":"k","fields":[{"name":"a","type":"int"},{"name":"b","type":"int"}]}"#;
    scene.table.add_schema(8, two, &[]).expect("schema");
    let cases = [
        (None, Some(good.clone()), Fault::NoKey),
        (Scene::key(1), Some(b"{\"id\":1}".to_vec()), Fault::Foreign("value")),
        (Some(b"1".to_vec()), Some(good.clone()), Fault::Foreign("key")),
        (Scene::key(1), Some(vec![0, 0, 0, 0, 99, 1]), Fault::UnknownSchema(99)),
        (Scene::key(1), Some(long), Fault::LeftOver(1)),
        (Some(name_key), Some(good), Fault::OtherKey { found: "a, b".to_owned(), wanted: "id".to_owned() }),
    ];
    for (offset, (key, value, fault)) in cases.into_iter().enumerate() {
        let record =
            RawRecord { partition: 3, offset: offset as i64, timestamp_ms: None, key, value, schema_headers: None };
        assert_eq!(scene.table.feed(Side::Green, &record).expect_err("foreign").fault, fault);
    }
    assert_outcome(&scene.verdict(), Outcome::Undecided, "6 records could not be read");
}

#[test]
fn an_append_table_has_no_tombstones_and_a_table_without_blue_takes_no_blue() {
    let mut scene = Scene::append();
    let record =
        RawRecord { partition: 0, offset: 0, timestamp_ms: None, key: None, value: None, schema_headers: None };
    assert_eq!(scene.table.feed(Side::Green, &record).expect_err("tombstone").fault, Fault::NoValue);
    let mut contract = exact(Changelog::Append);
    contract.blue_topic = None;
    let mut table = TableValidation::new(contract);
    assert_eq!(table.feed(Side::Blue, &record).expect_err("no blue").fault, Fault::NoTopic);
}

#[test]
fn a_schema_that_cannot_be_used_names_its_id() {
    let error = Scene::upsert().table.add_schema(77, "{", &[]).expect_err("not a schema");
    assert_eq!(error.to_string(), "schema 77 cannot be used to read records");
}

#[test]
fn hostile_lengths_and_counts_end_in_an_error() {
    let list = r#"{"type":"record","name":"v","fields":[{"name":"l","type":{"type":"array","items":"null"}}]}"#;
    let max = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    let endless = [&[0, 0, 0, 0, 1][..], &max].concat();
    assert_eq!(decode_row(list, &endless).expect_err("endless").to_string(), "it unfolds to more than 64 MiB");
    let text = r#"{"type":"record","name":"v","fields":[{"name":"t","type":"string"}]}"#;
    assert_eq!(decode_row(text, &endless).expect_err("too long").to_string(), "it is truncated");
    let negative = [0, 0, 0, 0, 1, 0x01];
    assert_eq!(decode_row(text, &negative).expect_err("negative").to_string(), "a length is negative");
}

#[test]
fn values_that_take_no_bytes_are_not_without_end() {
    let list = r#"{"type":"record","name":"v","fields":[{"name":"l","type":{"type":"array","items":"null"}}]}"#;
    let two_million = [0, 0, 0, 0, 1, 0x80, 0x92, 0xf4, 0x01, 0];
    assert_eq!(decode_row(list, &two_million).expect_err("many").to_string(), "it unfolds to more than 64 MiB");
    let two_thousand = [0, 0, 0, 0, 1, 0xa0, 0x1f, 0];
    assert_eq!(decode_row(list, &two_thousand).expect("some")["l"].as_array().map(Vec::len), Some(2_000));
}

/// Each list is below the bound, all of them together are not: the end of the message is never looked for.
#[test]
fn many_long_lists_in_a_short_message_end_in_an_error() {
    let lists: Vec<_> =
        (0..40).map(|i| json!({"name": format!("l{i}"), "type": {"type": "array", "items": "null"}})).collect();
    let schema = json!({"type": "record", "name": "v", "fields": [
        {"name": "inner", "type": {"type": "record", "name": "i", "fields": lists}}]})
    .to_string();
    let four_million_nulls = [0x80, 0xa4, 0xe8, 0x03, 0];
    let message = [&[0, 0, 0, 0, 1][..], &four_million_nulls.repeat(20)].concat();
    assert_eq!(decode_row(&schema, &message).expect_err("many").to_string(), "it unfolds to more than 64 MiB");
    assert!(decode_row(&schema, &[&[0, 0, 0, 0, 1][..], &[2, 0].repeat(40)].concat()).is_ok());
}

#[test]
fn timestamps_of_different_units_and_decimals_of_different_scale_are_equal() {
    let schema = |unit: &str, scale: u32| {
        format!(
            r#"{{"type":"record","name":"v","fields":[{{"name":"id","type":"long"}},
            {{"name":"at","type":{{"type":"long","logicalType":"timestamp-{unit}"}}}},
            {{"name":"price","type":{{"type":"bytes","logicalType":"decimal","precision":9,"scale":{scale}}}}},
            {{"name":"weight","type":"double"}}]}}"#
        )
    };
    let columns = ["id", "at", "price", "weight"].map(|n| (n, ColumnClass::Exact));
    let contract = contract(Changelog::Upsert, &columns);
    let mut scene = Scene::with_schemas(contract, &schema("millis", 2), &schema("micros", 4));
    let price = |unscaled: i32| Value::Decimal(Decimal::from(unscaled.to_be_bytes()));
    for (id, blue, green) in [(1, 0.0, -0.0), (2, f64::NAN, -f64::NAN), (3, 1.5, 1.5)] {
        let id = ("id", Value::Long(id));
        scene.put(
            Side::Blue,
            &[id.clone(), ("at", Value::TimestampMillis(5)), ("price", price(150)), ("weight", blue.into())],
        );
        scene.put(
            Side::Green,
            &[id, ("at", Value::TimestampMicros(5000)), ("price", price(15000)), ("weight", green.into())],
        );
    }
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Pass, "3 rows equal at rest");
}

/// Any value of the schema below.
fn any_row() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let text = proptest::option::of(".{0,20}");
    let list = proptest::collection::vec(any::<i64>(), 0..5);
    (any::<bool>(), any::<i32>(), any::<i64>(), any::<f64>(), text, list, any::<Vec<u8>>()).prop_map(
        |(b, i, l, d, t, list, bytes)| {
            let text = t.map_or(Value::Union(0, Box::new(Value::Null)), |t| Value::Union(1, Box::new(t.into())));
            vec![
                ("b", b.into()),
                ("i", i.into()),
                ("l", l.into()),
                ("d", d.into()),
                ("t", text),
                ("a", Value::Array(list.into_iter().map(Value::Long).collect())),
                ("x", Value::Bytes(bytes)),
            ]
        },
    )
}

const ANY: &str = r#"{"type":"record","name":"v","fields":[{"name":"b","type":"boolean"},{"name":"i","type":"int"},
    {"name":"l","type":"long"},{"name":"d","type":"double"},{"name":"t","type":["null","string"]},
    {"name":"a","type":{"type":"array","items":"long"}},{"name":"x","type":"bytes"}]}"#;

proptest! {
    #[test]
    fn what_the_library_wrote_is_read_back(row in any_row()) {
        let read = decode_row(ANY, &wire(1, ANY, &row)).expect("row");
        for (name, value) in row {
            let expected = match value {
                Value::Boolean(v) => json!(v),
                Value::Int(v) => json!(v),
                Value::Long(v) => json!(v),
                Value::Double(0.0) => json!(0.0),
                Value::Double(v) if v.is_finite() => json!(v),
                Value::Double(v) => json!(v.to_string()),
                Value::Union(_, inner) => match *inner { Value::String(t) => json!(t), _ => json!(null) },
                Value::Array(items) => items.into_iter().map(|i| match i { Value::Long(v) => json!(v), _ => json!(null) }).collect(),
                Value::Bytes(v) => json!(v.iter().map(|b| format!("{b:02x}")).collect::<String>()),
                other => panic!("unexpected {other:?}"),
            };
            prop_assert_eq!(&read[name], &expected);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in any::<Vec<u8>>()) {
        let framed = [&[0, 0, 0, 0, 1][..], &bytes].concat();
        let _ = decode_row(ALL, &framed);
        let _ = decode_row(ALL, &bytes);
        let mut scene = Scene::upsert();
        scene.table.add_schema(1, KEY_SCHEMA, &[]).expect("schema");
        scene.table.add_schema(2, ROW_SCHEMA, &[]).expect("schema");
        let record = RawRecord { partition: 0, offset: 0, timestamp_ms: None, key: Some(framed), value: Some(bytes), schema_headers: None };
        let _ = scene.table.missing_schemas(&record);
        let _ = scene.table.feed(Side::Green, &record);
        scene.round();
    }
}
