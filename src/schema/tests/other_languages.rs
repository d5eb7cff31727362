//! Protobuf and JSON Schema: what is found to differ, and that the answer stays unknown.

use serde_json::{Value, json};

use crate::schema::change::{Change, Effect, Scope};
use crate::schema::invariant;
use crate::schema::kind::SchemaKind;
use crate::schema::level::{Level, RegistryVerdict};
use crate::schema::verdict::{Assessment, DataVerdict, SubjectText, assess_texts};

fn text(schema: &str, references: &[(&str, &str)]) -> SubjectText {
    let references = references.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    SubjectText { schema: schema.to_owned(), references }
}

/// Whatever differs, and at every level: never compatible.
fn assessed(kind: SchemaKind, old: SubjectText, new: SubjectText) -> Assessment {
    let earlier = [(1, old)];
    for (level, _) in Level::ALL {
        let assessment = assess_texts(&kind, level, false, &new, &earlier);
        assert!(matches!(assessment.registry.verdict, RegistryVerdict::Unknown { .. }));
        assert_eq!(assessment.data, DataVerdict::Unknown);
        assert!(!assessment.registry.is_compatible() && !assessment.plannable());
    }
    assess_texts(&kind, Level::Backward, false, &new, &earlier)
}

fn said(changes: &[Change]) -> Vec<&str> {
    changes.iter().map(|c| c.sentence.as_str()).collect()
}

/// The sentences for a message with these fields before and after.
fn fields(old: &str, new: &str) -> Vec<String> {
    let file = |fields: &str| {
        text(&format!("syntax = \"proto3\";\npackage shop;\nmessage Order {{\n  int64 id = 1;\n{fields}}}\n"), &[])
    };
    let assessment = assessed(SchemaKind::Protobuf, file(old), file(new));
    said(&assessment.changes).into_iter().map(str::to_owned).collect()
}

#[test]
fn fields_are_known_by_their_numbers() {
    let table = [
        ("", "string note = 2;", "column `note` was added as string, optional"),
        ("string note = 2;", "", "column `note` was removed"),
        ("string note = 2;", "string remark = 2;", "column `note` was renamed to `remark` and keeps its number 2"),
        ("string note = 2;", "string note = 3;", "column `note` has another number: 2 before, 3 now"),
        ("int32 n = 2;", "int64 n = 2;", "column `n` changes from int32 to int64"),
        ("string s = 2;", "repeated string s = 2;", "column `s` changes from string to repeated string"),
        (
            "map<string, int32> m = 2;",
            "map<string, int64> m = 2;",
            "column `m` changes from map of string to int32 to map of string to int64",
        ),
        ("string s = 2;", "oneof kind { string s = 2; }", "column `s` has another `oneof`, which is not looked into"),
        ("optional int32 n = 2;", "required int32 n = 2;", "column `n` is required now"),
        (
            "optional int32 n = 2 [default = 1];",
            "optional int32 n = 2 [deprecated = true, default = -2];",
            "column `n` has another default: \"1\" before, \"-2\" now",
        ),
        ("enum E { A = 0; } E e = 2;", "enum E { A = 0; B = 1; } E e = 2;", "column `e` has other enum values: +B = 1"),
        (
            "message P { int32 x = 1; } P p = 2;",
            "message P { int64 x = 1; } P p = 2;",
            "column `p.x` changes from int32 to int64",
        ),
        (
            "message P { int32 x = 1; } P p = 2;",
            "message Q { int32 x = 1; } Q p = 2;",
            "column `p` changes from message Order.P to message Order.Q",
        ),
    ];
    for (old, new, sentence) in table {
        assert_eq!(fields(old, new), [sentence], "{old} {new}");
        assert_eq!(fields(old, old), [""; 0], "{old}");
    }
    // The order of fields, comments, options and reserved numbers are no difference.
    assert_eq!(
        fields(
            "string a = 2; string b = 3;",
            "/* } */ reserved 4, 5 to 9; string b = 3 [json_name = \"}\"]; // ;\n string a = 2;\n"
        ),
        [""; 0]
    );
}

#[test]
fn how_a_field_is_encoded_decides_what_is_read() {
    let effects = |old: &str, new: &str| {
        let file = |ty: &str| text(&format!("message M {{ {ty} x = 1; }}"), &[]);
        let changes = assessed(SchemaKind::Protobuf, file(old), file(new)).changes;
        let [change] = changes.as_slice() else { panic!("{changes:?}") };
        (change.old_table, change.new_table)
    };
    use Effect::{Fine, Nulls, WrongValues};
    assert_eq!(effects("int32", "int64"), (WrongValues, Fine));
    assert_eq!(effects("int64", "int32"), (Fine, WrongValues));
    assert_eq!(effects("int32", "sint32"), (WrongValues, WrongValues));
    assert_eq!(effects("float", "fixed32"), (WrongValues, WrongValues));
    assert_eq!(effects("string", "bytes"), (WrongValues, WrongValues));
    assert_eq!(effects("int32", "string"), (Nulls, Nulls));
    assert_eq!(effects("float", "double"), (Nulls, Nulls));
}

#[test]
fn messages_are_found_where_protobuf_finds_them() {
    let money = |ty: &str| format!("package shop.money;\nmessage Amount {{ {ty} cents = 1; }}");
    let order = "syntax = \"proto3\"; package shop;\nimport \"money.proto\";\n\
                 message Order { money.Amount total = 1; .shop.money.Amount tax = 2; Node tree = 3; google.protobuf.Timestamp at = 4;\n\
                 message Node { repeated Node inner = 1; } }\n\
                 message Order2 { int32 not_looked_at = 1; }\nservice S { rpc Get (Order) returns (Order) { option x = 1; } }";
    let of = |ty: &str| text(order, &[("money.proto", &money(ty))]);
    let changes = assessed(SchemaKind::Protobuf, of("int32"), of("int64")).changes;
    assert_eq!(
        said(&changes),
        ["column `total.cents` changes from int32 to int64", "column `tax.cents` changes from int32 to int64"]
    );
    let moved = text(&order.replace("package shop;", "package shop.moved;"), &[("money.proto", &money("int32"))]);
    let changes = assessed(SchemaKind::Protobuf, of("int32"), moved).changes;
    assert!(said(&changes).contains(&"the row has another package: `shop` before, `shop.moved` now"), "{changes:?}");
}

/// A JSON Schema with these properties.
fn object(properties: Value) -> SubjectText {
    let schema = json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": properties,
        "required": ["id"], "$defs": {"place": {"type": "object", "properties": {"zip": {"type": "string"}}}}});
    text(&schema.to_string(), &[("money.json", r#"{"type": "object", "properties": {"cents": {"type": "integer"}}}"#)])
}

#[test]
fn properties_are_known_by_their_names() {
    let table = [
        (json!({}), json!({"note": {"type": "string"}}), "column `note` was added as string, optional"),
        (json!({}), json!({"id": {"type": "string"}}), "column `id` was added as string, required"),
        (json!({"note": {"type": "string"}}), json!({}), "column `note` was removed"),
        (
            json!({"n": {"type": "integer"}}),
            json!({"n": {"type": "number"}}),
            "column `n` changes from integer to number",
        ),
        (
            json!({"n": {"type": "integer"}}),
            json!({"n": {"type": ["string", "integer"]}}),
            "column `n` changes from integer to integer or string",
        ),
        (
            json!({"id": {"type": "string"}}),
            json!({"id": {"oneOf": [{"type": "null"}, {"type": "string"}]}}),
            "column `id` may be absent or null now",
        ),
        (
            json!({"n": {"type": "integer", "connect.type": "int32"}}),
            json!({"n": {"type": "integer", "connect.type": "int64"}}),
            "column `n` stores another meaning in the same integer: integer (int64) instead of integer (int32)",
        ),
        (
            json!({"t": {"type": "integer", "title": "io.debezium.time.Timestamp"}}),
            json!({"t": {"type": "integer", "title": "io.debezium.time.MicroTimestamp"}}),
            "column `t` stores another meaning in the same integer: integer (io.debezium.time.MicroTimestamp) instead of \
             integer (io.debezium.time.Timestamp)",
        ),
        (json!({"e": {"enum": ["A"]}}), json!({"e": {"enum": ["A", "B"]}}), "column `e` has other enum values: +B"),
        (
            json!({"s": {"type": "string"}}),
            json!({"s": {"type": "string", "pattern": "^a"}}),
            "column `s` has another `pattern`, which is not looked into",
        ),
        (
            json!({"s": {"type": "string"}}),
            json!({"s": {"type": "string", "default": "x"}}),
            "column `s` has another default: none before, \"x\" now",
        ),
        (
            json!({"s": {"type": "string"}}),
            json!({"s": {"type": "string", "description": "why"}}),
            "column `s` has another comment",
        ),
        (
            json!({"a": {"type": "array", "items": {"type": "integer"}}}),
            json!({"a": {"type": "array", "items": {"type": "string"}}}),
            "column `a` changes from array of integer to array of string",
        ),
        (
            json!({"p": {"$ref": "#/$defs/place"}}),
            json!({"p": {"type": "object", "properties": {}}}),
            "column `p.zip` was removed",
        ),
        (json!({"p": {"$ref": "money.json"}}), json!({"p": {"type": "object"}}), "column `p.cents` was removed"),
        (
            json!({"p": {"$ref": "gone.json"}}),
            json!({"p": {"type": "object"}}),
            "column `p` changes from what gone.json says to object",
        ),
    ];
    for (old, new, sentence) in table {
        let assessment = assessed(SchemaKind::Json, object(old.clone()), object(new.clone()));
        assert_eq!(said(&assessment.changes), [sentence], "{old} {new}");
        assert!(assessed(SchemaKind::Json, object(new.clone()), object(new)).changes.is_empty());
    }
    let open = assessed(
        SchemaKind::Json,
        text("{\"type\": \"object\"}", &[]),
        text("{\"type\": \"object\", \"additionalProperties\": false}", &[]),
    );
    assert_eq!(said(&open.changes), ["the row has another `additionalProperties`, which is not looked into"]);
}

#[test]
fn an_envelope_is_told_by_its_row_and_its_source_block() {
    let row = |ty: &str| json!({"oneOf": [{"type": "null"}, {"type": "object", "properties": {"n": {"type": ty}}}]});
    let envelope = |ty: &str, source: Value, op: &str| {
        let source = json!({"type": "object", "properties": source});
        text(&json!({"type": "object", "properties": {"before": row(ty), "after": row(ty), "source": source, "op": {"type": op}}}).to_string(), &[])
    };
    let changes = assessed(
        SchemaKind::Json,
        envelope("integer", json!({}), "string"),
        envelope("number", json!({"lsn": {"type": "integer"}}), "integer"),
    )
    .changes;
    let scopes: Vec<Scope> = changes.iter().map(|c| c.scope).collect();
    assert_eq!(scopes, [Scope::Row, Scope::SourceBlock, Scope::Envelope]);
    assert_eq!(
        said(&changes),
        [
            "column `n` changes from integer to number",
            "source field `lsn` was added as integer, optional",
            "envelope field `op` changes from string to integer"
        ]
    );
}

#[test]
fn what_cannot_be_read_is_said() {
    let good = || text("message A { int32 x = 1; }", &[]);
    for (bad, problem) in [
        ("message A {", "message A has no end"),
        ("message A {\n  int32 x;\n}", "line 2: `=` is expected, not `;`"),
        ("hello", "line 1: a definition is expected, not `hello`"),
        ("message A { string s = \"x; }", "a text has no end"),
        ("/* message A {}", "a comment has no end"),
        ("syntax = \"proto3\"", "`;` is missing at the end"),
        ("enum E { A = 0; }", "it has no message"),
        ("message A { ?? x = 1; }", "line 1: a field's type is expected, not `?`"),
    ] {
        let assessment = assessed(SchemaKind::Protobuf, good(), text(bad, &[]));
        assert!(
            assessment.reasons[0].ends_with(&format!("the new version cannot be read: {problem}")),
            "{:?}",
            assessment.reasons
        );
        assert!(assessment.changes.is_empty());
    }
}

/// Names that are kept for each message and field below them.
#[test]
fn long_names_are_refused() {
    let long = "a".repeat(600);
    for (proto, problem) in [
        (format!("message A {{ int32 {} = 1; }}", "x".repeat(1_001)), "line 1: a word has more than 1000 bytes"),
        (format!("message {long} {{\n message {long} {{ }} }}"), "line 2: a name has more than 1000 bytes"),
        (format!("message {long} {{\n enum {long} {{ A = 0; }} }}"), "line 2: a name has more than 1000 bytes"),
        (format!("message {long} {{\n optional group {long} = 1 {{ }} }}"), "line 2: a name has more than 1000 bytes"),
        (format!("package {};", ["p"; 61].join(".")), "line 1: a name has more than 60 parts"),
    ] {
        let assessment = assessed(SchemaKind::Protobuf, text("message A { int32 x = 1; }", &[]), text(&proto, &[]));
        assert!(assessment.reasons[0].ends_with(problem), "{:?}", assessment.reasons);
    }
}

/// Each field of an enum's type holds its values.
#[test]
fn the_values_of_enums_have_an_end() {
    let values = |more: &str| (0..5_000).map(|i| format!("V{i}{more} = {i};")).collect::<String>();
    let fields: String = (1..=1_000).map(|i| format!("E f{i} = {i};")).collect();
    let schema = |more: &str| text(&format!("message A {{ {fields} }} enum E {{ {} }}", values(more)), &[]);
    let told = assess_texts(&SchemaKind::Protobuf, Level::None, false, &schema("x"), &[(1, schema(""))]).changes.len();
    assert!((1..500).contains(&told), "{told}");
    let values = |more: &str| (0..5_000).map(|i| format!("V{i}{more}")).collect::<Vec<_>>();
    let fields: serde_json::Map<String, Value> =
        (0..1_000).map(|i| (format!("f{i}"), json!({"$ref": "#/$defs/E"}))).collect();
    let schema = |more: &str| {
        let schema =
            json!({"type": "object", "properties": fields, "$defs": {"E": {"type": "string", "enum": values(more)}}});
        text(&schema.to_string(), &[])
    };
    let told = assess_texts(&SchemaKind::Json, Level::None, false, &schema("x"), &[(1, schema(""))]).changes.len();
    assert!((1..500).contains(&told), "{told}");
}

/// The end of the list is told in both languages, in the words that Avro has for it.
#[test]
fn what_is_left_out_of_a_list_is_said() {
    let proto = |n: usize| {
        let fields: String = (1..=n).map(|i| format!("int32 f{i} = {i};")).collect();
        text(&format!("message A {{ {fields} }}"), &[])
    };
    let object = |n: usize| {
        let properties: serde_json::Map<String, Value> =
            (0..n).map(|i| (format!("f{i}"), json!({"type": "integer"}))).collect();
        object(Value::Object(properties))
    };
    for n in [2_000, 2_001, 2_500] {
        let proto = assess_texts(&SchemaKind::Protobuf, Level::None, false, &proto(1 + n), &[(1, proto(1))]).changes;
        let object = assess_texts(&SchemaKind::Json, Level::None, false, &object(n), &[(1, object(0))]).changes;
        for changes in [proto, object] {
            let last = &changes.last().unwrap().sentence;
            let is_cut = last == "more than 2000 differences: the rest is not judged";
            assert_eq!((changes.len(), is_cut), (n.min(2_001), n > 2_000), "{n}: {last}");
        }
    }
}

/// What names itself, is nested without end, or doubles at each level.
#[test]
fn no_schema_runs_away() {
    let changes = |kind, old: &str, new: &str| {
        assess_texts(&kind, Level::None, false, &text(new, &[]), &[(1, text(old, &[]))]).changes
    };
    let deep = "message A { ".repeat(5_000);
    let doubling: String =
        (1..40).map(|i| format!("message M{i} {{ M{} left = 1; M{} right = 2; }}\n", i - 1, i - 1)).collect();
    let doubling = format!("message Top {{ M39 all = 1; }}\n{doubling}message M0 {{ int32 x = 1; }}");
    for proto in [deep, doubling, "message A { A a = 1; }".to_owned()] {
        let _ = changes(SchemaKind::Protobuf, &proto, "message A { int32 x = 1; }");
        assert!(changes(SchemaKind::Protobuf, &proto, &proto).is_empty());
    }
    let level = |i: usize| json!({"type": "object", "properties": {"l": {"$ref": format!("#/$defs/{}", i + 1)}, "r": {"$ref": format!("#/$defs/{}", i + 1)}}});
    let defs: serde_json::Map<String, Value> = (0..60).map(|i| (i.to_string(), level(i))).collect();
    let schemas = [json!({"$ref": "#"}), json!({"$ref": "#/$defs/0", "$defs": defs}), json!({"items": {"$ref": "#"}})];
    for schema in schemas {
        let schema = schema.to_string();
        let _ = changes(SchemaKind::Json, &schema, "{}");
        assert!(changes(SchemaKind::Json, &schema, &schema).is_empty());
    }
}

#[test]
fn a_number_that_is_used_twice_is_that_of_the_first_field() {
    let doubled = r#"syntax = "proto2"; message M { required string op = 3; optional string op = 3; }"#;
    let once = r#"syntax = "proto2"; message M { required string op = 3; }"#;
    for old in [doubled, once] {
        let found = assessed(SchemaKind::Protobuf, text(old, &[]), text(doubled, &[]));
        assert_eq!(found.changes, []);
        assert_eq!(invariant::outlines(&SchemaKind::Protobuf, old, doubled), Ok(()));
    }
}
