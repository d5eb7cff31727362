//! Can a reader read a writer: each rule of the compatibility table, and what it leaves out.

use serde_json::{Value, json};

use crate::schema::avro::AvroSchema;
use crate::schema::compat::can_read;
use crate::schema::testing::{avro, record};

fn rec(name: &str, fields: Value) -> Value {
    json!({"type": "record", "name": name, "fields": fields})
}

fn enumeration(symbols: Value) -> Value {
    json!({"type": "enum", "name": "E", "symbols": symbols})
}

/// Reader, writer, whether it reads.
fn table() -> Vec<(&'static str, Value, Value, bool)> {
    let x_int = json!([{"name": "x", "type": "int"}]);
    let fixed = |name: &str, size: u32| json!({"type": "fixed", "name": name, "size": size});
    vec![
        ("writer union, all branches fit", json!(["null", "long"]), json!(["null", "int"]), true),
        ("writer union, one branch does not fit", json!("int"), json!(["int", "null"]), false),
        ("writer union of one", json!("long"), json!(["int"]), true),
        ("writer union read by one wide branch", json!("double"), json!(["int", "long", "float"]), true),
        ("reader union, one branch fits", json!(["string", "long"]), json!("int"), true),
        ("reader union, no branch fits", json!(["null", "int"]), json!("long"), false),
        ("an empty writer union", json!("int"), json!([]), true),
        ("an empty reader union", json!([]), json!("int"), false),
        ("array items", json!({"type": "array", "items": "long"}), json!({"type": "array", "items": "int"}), true),
        (
            "array items fail",
            json!({"type": "array", "items": "int"}),
            json!({"type": "array", "items": "long"}),
            false,
        ),
        ("map values", json!({"type": "map", "values": "double"}), json!({"type": "map", "values": "int"}), true),
        ("map values fail", json!({"type": "map", "values": "int"}), json!({"type": "map", "values": "string"}), false),
        ("array is no map", json!({"type": "array", "items": "int"}), json!({"type": "map", "values": "int"}), false),
        ("fixed", fixed("F", 4), fixed("F", 4), true),
        ("fixed of another size", fixed("F", 4), fixed("F", 5), false),
        ("fixed of another name", fixed("F", 4), fixed("G", 4), false),
        ("fixed is not bytes", fixed("F", 4), json!("bytes"), false),
        (
            "fixed renamed by alias",
            json!({"type": "fixed", "name": "F", "size": 4, "aliases": ["G"]}),
            fixed("G", 4),
            true,
        ),
        ("enum, fewer written", enumeration(json!(["A", "B"])), enumeration(json!(["A"])), true),
        ("enum, other order", enumeration(json!(["A", "B"])), enumeration(json!(["B", "A"])), true),
        ("enum, more written", enumeration(json!(["A"])), enumeration(json!(["A", "B"])), false),
        (
            "enum, more written, reader default",
            json!({"type": "enum", "name": "E", "symbols": ["A"], "default": "A"}),
            enumeration(json!(["A", "B"])),
            true,
        ),
        (
            "enum, more written, reader default is no symbol",
            json!({"type": "enum", "name": "E", "symbols": ["A"], "default": "Z"}),
            enumeration(json!(["A", "B"])),
            false,
        ),
        (
            "enum, more written, writer default does not help",
            enumeration(json!(["A"])),
            json!({"type": "enum", "name": "E", "symbols": ["A", "B"], "default": "A"}),
            false,
        ),
        ("enum is not string", json!("string"), enumeration(json!(["A"])), false),
        ("record of another name", rec("A", x_int.clone()), rec("B", x_int.clone()), false),
        ("record of another namespace", rec("a.A", x_int.clone()), rec("b.A", x_int.clone()), true),
        (
            "record renamed by alias, in the reader's namespace",
            json!({"type": "record", "name": "n.A", "aliases": ["B"], "fields": x_int}),
            rec("n.B", x_int.clone()),
            true,
        ),
        (
            "alias in another namespace",
            json!({"type": "record", "name": "n.A", "aliases": ["B"], "fields": x_int}),
            rec("m.B", x_int.clone()),
            false,
        ),
        (
            "alias with a full name",
            json!({"type": "record", "name": "n.A", "aliases": ["m.B"], "fields": x_int}),
            rec("m.B", x_int.clone()),
            true,
        ),
        (
            "the writer's alias does not count",
            rec("n.A", x_int.clone()),
            json!({"type": "record", "name": "n.B", "aliases": ["A"], "fields": x_int}),
            false,
        ),
        ("field missing, no default", rec("A", x_int.clone()), rec("A", json!([])), false),
        (
            "field missing, default",
            rec("A", json!([{"name": "x", "type": "int", "default": 1}])),
            rec("A", json!([])),
            true,
        ),
        (
            "field missing, default of null",
            rec("A", json!([{"name": "x", "type": ["null", "int"], "default": null}])),
            rec("A", json!([])),
            true,
        ),
        (
            "field missing, nullable without default",
            rec("A", json!([{"name": "x", "type": ["null", "int"]}])),
            rec("A", json!([])),
            false,
        ),
        (
            "a default of the wrong type is a default",
            rec("A", json!([{"name": "x", "type": "int", "default": "no"}])),
            rec("A", json!([])),
            true,
        ),
        (
            "an enum default is no field default",
            rec("A", json!([{"name": "x", "type": {"type": "enum", "name": "E", "symbols": ["A"], "default": "A"}}])),
            rec("A", json!([])),
            false,
        ),
        ("field too many", rec("A", json!([])), rec("A", x_int.clone()), true),
        (
            "field by alias",
            rec("A", json!([{"name": "y", "aliases": ["x"], "type": "long"}])),
            rec("A", x_int.clone()),
            true,
        ),
        (
            "field by name and alias: two hits",
            rec("A", json!([{"name": "y", "aliases": ["x"], "type": "int"}])),
            rec("A", json!([{"name": "x", "type": "int"}, {"name": "y", "type": "int"}])),
            false,
        ),
        (
            "field with its own name as alias: two hits",
            rec("A", json!([{"name": "x", "aliases": ["x"], "type": "int"}])),
            rec("A", x_int.clone()),
            false,
        ),
        (
            "an alias given twice is one",
            rec("A", json!([{"name": "y", "aliases": ["x", "x"], "type": "int"}])),
            rec("A", x_int.clone()),
            true,
        ),
        ("field of another type", rec("A", x_int.clone()), rec("A", json!([{"name": "x", "type": "string"}])), false),
        ("error is a record", json!({"type": "error", "name": "A", "fields": x_int}), rec("A", x_int.clone()), true),
        (
            "logical types are not looked at",
            json!({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 1}),
            json!({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 5}),
            true,
        ),
        (
            "uuid on string and on fixed",
            json!({"type": "string", "logicalType": "uuid"}),
            json!({"type": "fixed", "name": "U", "size": 16, "logicalType": "uuid"}),
            false,
        ),
        ("union order", json!(["null", "int", "string"]), json!(["string", "int", "null"]), true),
    ]
}

#[test]
fn every_row_of_the_table() {
    for (case, reader, writer, expected) in table() {
        let answer = can_read(&avro(reader), &avro(writer));
        assert_eq!(answer.is_ok(), expected, "{case}: {answer:?}");
    }
}

#[test]
fn every_pair_of_primitives() {
    let all = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
    let wider = [
        ("long", "int"),
        ("float", "int"),
        ("double", "int"),
        ("float", "long"),
        ("double", "long"),
        ("double", "float"),
        ("string", "bytes"),
        ("bytes", "string"),
    ];
    for reader in all {
        for writer in all {
            let expected = reader == writer || wider.contains(&(reader, writer));
            let answer = can_read(&avro(json!(reader)), &avro(json!(writer)));
            assert_eq!(answer.is_ok(), expected, "{reader} reads {writer}: {answer:?}");
        }
    }
}

fn list(value: &str, more: Value) -> AvroSchema {
    let mut fields = vec![json!({"name": "value", "type": value}), json!({"name": "next", "type": ["null", "Node"]})];
    fields.extend(more.as_array().cloned().unwrap_or_default());
    avro(rec("Node", json!(fields)))
}

#[test]
fn recursion_ends_and_still_finds_the_difference() {
    assert!(can_read(&list("long", json!([])), &list("int", json!([]))).is_ok());
    let reasons = can_read(&list("int", json!([])), &list("long", json!([]))).expect_err("long to int");
    assert_eq!(reasons[0].path, "value");
    let extra = json!([{"name": "extra", "type": "int"}]);
    let reasons = can_read(&list("int", extra), &list("int", json!([]))).expect_err("extra is missing");
    assert_eq!(reasons.len(), 1, "said once, not at every level: {reasons:?}");
    assert_eq!(reasons[0].column.as_deref(), Some("extra"));
}

#[test]
fn mutual_recursion_ends() {
    let pair = |leaf: &str| {
        avro(json!({"type": "record", "name": "A", "fields": [{"name": "b", "type": ["null",
            {"type": "record", "name": "B", "fields": [{"name": "a", "type": ["null", "A"]}, {"name": "leaf", "type": leaf}]}]}]}))
    };
    assert!(can_read(&pair("string"), &pair("string")).is_ok());
    let reasons = can_read(&pair("string"), &pair("int")).expect_err("int to string");
    assert_eq!(reasons[0].message, "column `b.leaf`: int cannot be read as string");
}

#[test]
fn names_used_a_million_times_do_not_run_away() {
    let chain = |leaf: &str| {
        let mut level = json!({"type": "record", "name": "R0", "fields": [{"name": "leaf", "type": leaf}]});
        for i in 1..40 {
            level = json!({"type": "record", "name": format!("R{i}"), "fields": [
                {"name": "left", "type": level}, {"name": "right", "type": format!("R{}", i - 1)}]});
        }
        avro(level)
    };
    assert!(can_read(&chain("int"), &chain("int")).is_ok());
    let reasons = can_read(&chain("int"), &chain("string")).expect_err("string to int");
    assert!(reasons.len() <= 50, "{}", reasons.len());
}

#[test]
fn a_reason_names_the_reader_and_the_writer() {
    let reader = record(json!([{"name": "a", "type": {"type": "array", "items": ["null", "int"]}}]));
    let writer = record(json!([{"name": "a", "type": {"type": "array", "items": "string"}}]));
    let reasons = can_read(&reader, &writer).expect_err("string items");
    assert_eq!(reasons[0].path, "a[items]");
    assert_eq!((reasons[0].reader.as_str(), reasons[0].writer.as_str()), ("int", "string"));
    let required = record(json!([{"name": "a", "type": "int"}]));
    let nullable = record(json!([{"name": "a", "type": ["null", "int"]}]));
    let reasons = can_read(&required, &nullable).expect_err("null");
    assert_eq!(reasons[0].message, "column `a`: the writer may hold null, the reader (int) does not take it");
}
