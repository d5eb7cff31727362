//! Shapes, row fields and Flink types.

use serde_json::{Value, json};

use crate::schema::avro::AvroSchema;
use crate::schema::envelope::{Shape, row_fields, shape};
use crate::schema::flink::unsupported;
use crate::schema::testing::{avro, decimal, named, orders, record, smallint};

#[test]
fn shapes() {
    assert_eq!(shape(&orders().envelope()), Shape::Envelope);
    assert_eq!(shape(&orders().envelope_after_first()), Shape::Envelope);
    assert_eq!(shape(&orders().flat()), Shape::Flat);
    assert_eq!(shape(&orders().key()), Shape::Key);
    assert_eq!(shape(&avro(json!("string"))), Shape::Other);
    // The name alone does not make an envelope.
    assert_eq!(shape(&avro(json!({"type": "record", "name": "Envelope", "fields": []}))), Shape::Flat);
}

#[test]
fn the_row_of_an_envelope() {
    let shown: Vec<String> = row_fields(&orders().envelope()).iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "id INT NOT NULL",
            "qty INT NOT NULL",
            "customer STRING",
            "price DECIMAL(10, 2)",
            "created BIGINT",
            "due INT",
            "weight DOUBLE NOT NULL",
            "size INT",
            "status STRING NOT NULL",
        ]
    );
    assert_eq!(row_fields(&orders().envelope()), row_fields(&orders().flat()));
    assert!(row_fields(&avro(json!("string"))).is_empty());
    let fields = row_fields(&orders().envelope());
    assert_eq!(fields[2].default, Some(Value::Null));
    assert_eq!(fields[0].default, None);
    assert_eq!(fields[3].avro.to_string(), "decimal(10, 2) on bytes");
    assert_eq!(fields[4].avro.connect_name.as_deref(), Some("io.debezium.time.Timestamp"));
}

fn flink(ty: Value) -> String {
    row_fields(&record(json!([{"name": "x", "type": ty}])))[0].flink.to_string()
}

#[test]
fn the_legacy_mapping() {
    let logical = |base: &str, logical: &str| json!({"type": base, "logicalType": logical});
    let table = [
        (json!("boolean"), "BOOLEAN"),
        (json!("int"), "INT"),
        (json!("long"), "BIGINT"),
        (json!("float"), "FLOAT"),
        (json!("double"), "DOUBLE"),
        (json!("string"), "STRING"),
        (json!("bytes"), "BYTES"),
        (smallint(), "INT"),
        (json!({"type": "fixed", "name": "F", "size": 9}), "VARBINARY(9)"),
        (
            json!({"type": "fixed", "name": "F", "size": 9, "logicalType": "decimal", "precision": 8, "scale": 3}),
            "DECIMAL(8, 3)",
        ),
        (json!({"type": "enum", "name": "E", "symbols": ["A"]}), "STRING"),
        (decimal(10, 2), "DECIMAL(10, 2)"),
        (logical("int", "date"), "DATE"),
        (logical("int", "time-millis"), "TIME(3)"),
        (logical("long", "time-micros"), "TIME(6)"),
        (logical("long", "timestamp-millis"), "TIMESTAMP(3)"),
        (logical("long", "timestamp-micros"), "TIMESTAMP(6)"),
        (logical("long", "timestamp-nanos"), "BIGINT"),
        (logical("long", "local-timestamp-millis"), "BIGINT"),
        (logical("string", "uuid"), "STRING"),
        (named("long", "io.debezium.time.MicroTimestamp"), "BIGINT"),
        (named("string", "io.debezium.time.ZonedTimestamp"), "STRING"),
        // A logical type that does not fit its base, or lacks its parameters, is no logical type.
        (logical("string", "date"), "STRING"),
        (logical("bytes", "decimal"), "BYTES"),
        (json!({"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 3}), "BYTES"),
        (json!({"type": "fixed", "name": "F", "size": 2, "logicalType": "decimal", "precision": 8}), "VARBINARY(2)"),
        (json!({"type": "array", "items": ["null", "int"]}), "ARRAY<INT>"),
        (json!({"type": "map", "values": "long"}), "MAP<STRING NOT NULL, BIGINT NOT NULL>"),
        (
            json!({"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": ["string", "null"]}]}),
            "ROW<`a` INT NOT NULL, `b` STRING>",
        ),
    ];
    for (ty, expected) in table {
        assert_eq!(flink(ty.clone()), format!("{expected} NOT NULL"), "{ty}");
        assert_eq!(flink(json!(["null", ty])), expected, "null or {ty}");
    }
}

#[test]
fn what_flink_cannot_declare_says_why() {
    let reason = |ty: Value| {
        let schema: AvroSchema = record(json!([{"name": "x", "type": ty}]));
        unsupported(&row_fields(&schema)[0].flink.ty).unwrap_or_default()
    };
    assert!(reason(json!(["null", "int", "string"])).contains("a union of several types"));
    assert!(reason(json!("null")).contains("NULL"));
    assert!(reason(decimal(64, 2)).contains("at most 38 digits, this one 64"));
    assert!(reason(json!({"type": "array", "items": decimal(65, 2)})).contains("38"));
    assert!(
        reason(json!({"type": "record", "name": "R", "fields": [{"name": "r", "type": ["null", "R"]}]}))
            .contains("itself")
    );
    assert_eq!(reason(json!("int")), "");
}

#[test]
fn a_type_that_doubles_at_each_level_is_cut_off() {
    let mut level = json!({"type": "record", "name": "R0", "fields": [{"name": "leaf", "type": "int"}]});
    for i in 1..40 {
        level = json!({"type": "record", "name": format!("R{i}"), "fields": [
            {"name": "left", "type": level}, {"name": "right", "type": format!("R{}", i - 1)}]});
    }
    let fields = row_fields(&record(json!([{"name": "x", "type": level}])));
    assert!(unsupported(&fields[0].flink.ty).is_some_and(|why| why.contains("too large")));
}
