//! Two texts side by side, as `compat` answers them.

use serde_json::{Value, json};

use crate::schema::kind::SchemaKind;
use crate::schema::level::Level;
use crate::schema::pair::{Answered, Given, Pair};
use crate::schema::verdict::DataVerdict;

const PROTO: &str = "syntax = \"proto3\";\nmessage A { int32 id = 1; }\n";

fn pair(old: &str, new: &str, level: Level) -> Pair {
    Pair::of(&Given::new(old.to_owned()), &Given::new(new.to_owned()), level, false)
}

fn record(fields: Value) -> String {
    json!({"type": "record", "name": "Value", "namespace": "shop", "fields": fields}).to_string()
}

fn line(line: &[u8]) -> Value {
    serde_json::to_value(Answered::to(line, 7, Level::Backward, false)).expect("JSON")
}

#[test]
fn what_is_wrong_with_a_line_is_said_in_the_words_of_lines() {
    for (text, error) in [
        (&b"{\"id\": 1, \"old\": \"\xff\", \"new\": \"int\"}"[..], "line 7: it is not UTF-8"),
        (br#"[7, "int", "long"]"#, "line 7: it is no object with `old` and `new`"),
        (br#"[7, "int"]"#, "line 7: it is no object with `old` and `new`"),
        (b"7", "line 7: it is no object with `old` and `new`"),
        (br#"{"old": "int", "old": "int", "new": "int"}"#, "line 7: duplicate field `old`"),
        (br#"{"old": "int""#, "line 7: it is not JSON, from column 13 on"),
        (br#"{"old": "int"}"#, "line 7: `old` and `new` are needed"),
    ] {
        assert_eq!(line(text)["error"], error, "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn a_key_that_no_pair_has_is_named() {
    let told = line(br#"{"id": 1, "old": "int", "new": "long", "level": "FULL"}"#);
    assert_eq!((&told["compatible"], &told["ignored"]), (&json!(true), &json!(["level"])));
    assert_eq!(line(br#"{"id": 1, "old": "int", "new": "int"}"#)["ignored"], Value::Null);
}

#[test]
fn a_new_schema_that_no_registry_takes_is_refused_at_every_level() {
    let field = |ty: Value| record(json!([{"name": "a", "type": ty}]));
    let sound = field(json!("int"));
    let flawed = [
        record(json!([{"name": "a", "type": "int"}, {"name": "a", "type": "int"}])),
        field(json!(["int", "int"])),
        field(json!(["int", ["null"]])),
        field(json!({"type": "enum", "name": "E", "symbols": ["A", "A"]})),
        field(json!({"type": "enum", "name": "E", "symbols": ["A"], "default": "B"})),
    ];
    for flawed in &flawed {
        for (level, _) in Level::ALL {
            let told = pair(flawed, flawed, level);
            assert_eq!((told.compatible, told.good(), told.refused.len()), (Some(false), Some(false), 1), "{flawed}");
        }
        assert!(pair(flawed, &sound, Level::None).refused.is_empty(), "the old one may be stored: {flawed}");
    }
    let lenient = record(json!([{"name": "a", "type": "int", "default": "one"}]));
    assert_eq!(pair(&sound, &lenient, Level::Backward).compatible, Some(true), "a registry may not look at defaults");
}

#[test]
fn more_differences_than_are_looked_at_are_unknown() {
    let with = |count: usize, doc: &str| -> String {
        record((0..count).map(|i| json!({"name": format!("c{i}"), "type": "int", "doc": doc})).collect())
    };
    let told = pair(&with(2_000, "a"), &with(2_000, "b"), Level::Backward);
    assert_eq!((told.data, told.good()), (DataVerdict::Safe, Some(true)));
    let told = pair(&with(2_001, "a"), &with(2_001, "b"), Level::Backward);
    assert_eq!((told.compatible, told.data, told.good()), (Some(true), DataVerdict::Unknown, None));
    assert_eq!(told.concerns[0].reason, "more than 2000 differences: the rest is not judged");
    // Not even a worse class that was found hides that there is more.
    let renamed = |name: &str| -> String {
        record((0..3_000).map(|i| json!({"name": format!("{name}{i}"), "type": "int"})).collect())
    };
    let told = pair(&renamed("amount"), &renamed("amounts"), Level::Full);
    assert_eq!((told.data, told.compatible), (DataVerdict::Unknown, Some(false)));
    assert_eq!(told.concerns[0].reason, "more than 2000 differences: the rest is not judged");
}

#[test]
fn the_language_is_seen_after_the_comments() {
    let licence = "// word after word ".repeat(3) + "\n/* more\n words */\n\n// the end\n";
    for text in [PROTO, "import \"a.proto\";\n", "option a = 1;", "package a;", "message A {}", "enum E { A = 0; }"] {
        for text in [text.to_owned(), format!("{licence}{text}")] {
            assert_eq!(SchemaKind::of_text(&text), SchemaKind::Protobuf, "{text}");
        }
    }
    for text in ["", "// message", "/* message", "messages", "record syntax", "{\"type\": message"] {
        assert_eq!(SchemaKind::of_text(text), SchemaKind::Avro, "{text}");
    }
}

#[test]
fn two_languages_are_named() {
    for (old, new, words) in [
        ("\"int\"", PROTO, "the old schema is AVRO and the new one PROTOBUF"),
        (PROTO, "\"int\"", "the old schema is PROTOBUF and the new one AVRO"),
        (PROTO, "{\"properties\": {}}", "the old schema is PROTOBUF and the new one JSON"),
    ] {
        let told = pair(old, new, Level::Backward);
        assert_eq!((told.compatible, told.data), (None, DataVerdict::Unknown));
        assert!(told.concerns[0].reason.contains(words), "{:?}", told.concerns);
    }
}

#[test]
fn the_level_none_allows_what_is_not_judged() {
    for (old, new) in [(PROTO, PROTO), ("{\"properties\": {}}", "{\"properties\": {}}"), ("\"int\"", PROTO)] {
        let told = pair(old, new, Level::None);
        assert_eq!((told.compatible, told.backward, told.data), (Some(true), None, DataVerdict::Unknown));
        assert_eq!(told.good(), None);
    }
    assert_eq!(pair("\"int\"", "{", Level::None).compatible, None, "what is no schema is not registered");
}

/// What older records hold for a field inside a column, as for a column itself.
#[test]
fn a_field_inside_a_column_is_added_as_a_column_is() {
    let address = |more: Value| {
        let mut fields = vec![json!({"name": "street", "type": "string"})];
        fields.extend(more.as_array().cloned().unwrap_or_default());
        json!({"type": "record", "name": "Address", "fields": fields})
    };
    for path in ["addr.city", "addr[items].city"] {
        let around = |ty: Value| if path.contains('[') { json!({"type": "array", "items": ty}) } else { ty };
        let schema = |more: Value| record(json!([{"name": "addr", "type": around(address(more))}]));
        let told = |city: Value| pair(&schema(json!([])), &schema(json!([city])), Level::None);
        let caveat = told(json!({"name": "city", "type": "string"}));
        assert_eq!(caveat.data, DataVerdict::SafeWithHistoryCaveat, "{path}");
        assert!(caveat.concerns[0].reason.starts_with(&format!("column `{path}` was added")), "{:?}", caveat.concerns);
        let default = json!({"name": "city", "type": "string", "default": ""});
        assert_eq!(told(default).data, DataVerdict::SafeWithHistoryCaveat, "{path}");
        let nullable = json!({"name": "city", "type": ["null", "string"], "default": null});
        assert_eq!(told(nullable).data, DataVerdict::Safe, "{path}");
    }
}

/// Where null may stand for the whole record, its fields are the columns all the same.
#[test]
fn a_record_that_may_be_null_has_columns_and_a_caveat() {
    let id = || json!({"name": "id", "type": "long"});
    let nullable = |fields: Value| format!("[\"null\", {}]", record(fields));
    let old = nullable(json!([id()]));
    let told = pair(&old, &old, Level::Full);
    assert_eq!((told.compatible, told.data), (Some(true), DataVerdict::SafeWithHistoryCaveat));
    assert!(told.concerns[0].reason.starts_with("a record may be null as a whole"), "{:?}", told.concerns);
    let more = nullable(json!([id(), {"name": "tier", "type": ["null", "string"], "default": null}]));
    assert_eq!(pair(&old, &more, Level::Full).columns[0].to_string(), "column `tier`: new, STRING");
    let parsed = |text: &str| crate::schema::parse(text, &[]).expect("a schema");
    let added = crate::schema::added_columns(&parsed(&old), &parsed(&more));
    assert_eq!(added.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["tier"]);
    assert_eq!(pair(&record(json!([id()])), &old, Level::Backward).data, DataVerdict::JobFails);
}
