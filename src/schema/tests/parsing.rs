//! What is read leniently, and what is refused with a place.

use serde_json::json;

use crate::schema::avro::SchemaError;
use crate::schema::compat::can_read;
use crate::schema::envelope::row_fields;
use crate::schema::parse::parse;

fn error(text: &str) -> String {
    parse(text, &[]).expect_err("no schema").to_string()
}

#[test]
fn stored_schemas_that_a_strict_parser_refuses() {
    let record = |fields: &str| format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#);
    let texts = [
        // A default of the wrong type.
        record(r#"{"name":"a","type":"int","default":"seven"}"#),
        record(r#"{"name":"a","type":["null","int"],"default":7}"#),
        // Names that are no names.
        record(r#"{"name":"2nd-line","type":"int"}"#),
        r#"{"type":"enum","name":"E","symbols":["not a name",""]}"#.to_owned(),
        // An alias that is another field's name.
        record(r#"{"name":"a","aliases":["b"],"type":"int"},{"name":"b","type":"int"}"#),
        // A type around a type, and a union inside a union.
        record(r#"{"name":"a","type":{"type":{"type":"string"},"doc":"x"}}"#),
        record(r#"{"name":"a","type":["null",["int","string"]]}"#),
        // A name used before its definition, and a name defined twice.
        record(r#"{"name":"a","type":["null","B"]},{"name":"b","type":{"type":"fixed","name":"B","size":1}}"#),
        record(
            r#"{"name":"a","type":{"type":"fixed","name":"B","size":1}},{"name":"b","type":{"type":"fixed","name":"B","size":1}}"#,
        ),
        // Items beside the field's name.
        record(r#"{"name":"a","type":"array","items":"int"}"#),
        r#"{"type":"error","name":"R","fields":[]}"#.to_owned(),
        r#""string""#.to_owned(),
    ];
    for text in texts {
        let schema = parse(&text, &[]).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert!(can_read(&schema, &schema).is_ok() || text.contains("aliases"), "{text}");
        let _ = row_fields(&schema);
    }
}

#[test]
fn what_is_not_avro_is_refused_with_its_place() {
    assert!(error("message A {}").starts_with("the schema is not JSON: "));
    assert!(error("").starts_with("the schema is not JSON: "));
    assert_eq!(error("7"), "not an Avro schema at the top: expected a type, found 7");
    assert_eq!(error("{}"), "not an Avro schema at the top: an object without `type`");
    assert_eq!(
        error(r#"{"type":"record","name":"R"}"#),
        "not an Avro schema at the top: record `R` without a list of `fields`"
    );
    assert_eq!(error(r#"{"type":"array"}"#), "not an Avro schema at the top: array without `items`");
    assert_eq!(
        error(r#"{"type":"record","name":"R","fields":[{"name":"a"}]}"#),
        "not an Avro schema at field `a` of record `R`: no `type`"
    );
    assert_eq!(
        error(r#"{"type":"record","name":"R","fields":[{"name":"a","type":["null",{"type":"fixed","name":"F"}]}]}"#),
        "not an Avro schema at field `a` of record `R`, branch 1: fixed without `size`"
    );
    assert_eq!(
        error(r#"{"type":"record","name":"R","fields":[{"name":"a","type":"object"}]}"#),
        "the schema uses type `object` at field `a` of record `R`, which neither it nor its references define"
    );
    // A JSON Schema under an Avro subject.
    assert!(error(r#"{"type":"object","properties":{}}"#).contains("type `object`"));
}

#[test]
fn hostile_depth_is_an_error_and_not_a_crash() {
    let deep = format!("{}\"int\"{}", r#"{"type":"array","items":"#.repeat(5_000), "}".repeat(5_000));
    assert!(matches!(parse(&deep, &[]), Err(SchemaError::NotJson { .. })));
    // A chain through names has no such limit in the text.
    let chain = |leaf: &str| {
        let mut all: Vec<serde_json::Value> = (0..3_000)
            .map(|i| json!({"type": "record", "name": format!("R{i}"), "fields": [{"name": "n", "type": format!("R{}", i + 1)}]}))
            .collect();
        all.push(json!({"type": "record", "name": "R3000", "fields": [{"name": "leaf", "type": leaf}]}));
        let top = json!({"type": "record", "name": "Top", "fields": [{"name": "x", "type": "R0"}]});
        let references: Vec<(String, String)> = all.iter().map(|s| ("r".to_owned(), s.to_string())).collect();
        parse(&top.to_string(), &references).expect("a chain")
    };
    let (a, b) = (chain("int"), chain("string"));
    let reasons = can_read(&a, &b).expect_err("too deep to judge");
    assert!(reasons[0].message.contains("nested deeper than"), "{}", reasons[0].message);
    assert!(crate::schema::diff(&a, &b)[0].sentence.contains("nested deeper than"));
    assert_eq!(row_fields(&a).len(), 1);
}

#[test]
fn references_come_from_other_subjects_in_any_order() {
    let value = r#"{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"to","type":"geo.Address"}]}"#;
    let address = r#"{"type":"record","name":"Address","namespace":"geo","fields":[{"name":"land","type":"Country"}]}"#;
    let country = r#"{"type":"enum","name":"geo.Country","symbols":["DE"]}"#;
    let named = |all: &[&str]| all.iter().map(|t| ("subject".to_owned(), (*t).to_owned())).collect::<Vec<_>>();
    for references in [named(&[address, country]), named(&[country, address])] {
        let schema = parse(value, &references).expect("a schema");
        assert_eq!(row_fields(&schema)[0].flink.to_string(), "ROW<`land` STRING NOT NULL> NOT NULL");
    }
    let missing = parse(value, &named(&[country])).expect_err("no address").to_string();
    assert!(missing.contains("type `geo.Address`"), "{missing}");
    let broken = parse(value, &[("address-value".into(), "[".into())]).expect_err("broken").to_string();
    assert!(broken.starts_with("the referenced schema `address-value` is not usable"), "{broken}");
    // The schema may be nothing but a name.
    assert!(parse("\"geo.Country\"", &named(&[country])).is_ok());
}

#[test]
fn names_resolve_in_the_enclosing_namespace_and_then_in_none() {
    let inner = r#"{"type":"record","name":"a.R","fields":[{"name":"x","type":{"type":"fixed","name":"F","size":1}},{"name":"y","type":"F"}]}"#;
    assert_eq!(row_fields(&parse(inner, &[]).expect("a.F")).len(), 2);
    let outer = r#"{"type":"record","name":"a.R","fields":[{"name":"x","type":{"type":"fixed","name":"F","namespace":"","size":1}},{"name":"y","type":"F"}]}"#;
    assert_eq!(row_fields(&parse(outer, &[]).expect("F")).len(), 2);
    let other = r#"{"type":"record","name":"a.R","fields":[{"name":"x","type":{"type":"fixed","name":"b.F","size":1}},{"name":"y","type":"F"}]}"#;
    assert!(matches!(parse(other, &[]), Err(SchemaError::UnknownType { .. })));
}
