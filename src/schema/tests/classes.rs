//! Change classes: the registry's two directions, the kind of change and the data verdict for each.

use serde_json::{Value, json};

use super::both_ways;
use crate::schema::change::ChangeKind;
use crate::schema::diff::diff;
use crate::schema::level::Level;
use crate::schema::testing::{decimal, record};
use crate::schema::verdict::{DataVerdict, assess};

use DataVerdict::{JobFails, Safe, SafeWithHistoryCaveat, SilentNull, SuspectedRename, WrongValues};

struct Case {
    name: &'static str,
    old: Value,
    new: Value,
    registry: (bool, bool),
    kind: &'static str,
    data: DataVerdict,
}

fn case(
    name: &'static str,
    old: Value,
    new: Value,
    registry: (bool, bool),
    kind: &'static str,
    data: DataVerdict,
) -> Case {
    Case { name, old, new, registry, kind, data }
}

/// The word that serde writes for the kind.
fn word(kind: &ChangeKind) -> String {
    match serde_json::to_value(kind).expect("a kind") {
        Value::String(word) => word,
        Value::Object(map) => map.keys().next().expect("a tag").clone(),
        other => panic!("{other}"),
    }
}

/// A record with `id` and the column under test.
fn with(field: Value) -> Value {
    json!([{"name": "id", "type": "int"}, field])
}

fn without() -> Value {
    json!([{"name": "id", "type": "int"}])
}

fn x(ty: Value) -> Value {
    with(json!({"name": "x", "type": ty}))
}

fn opt(name: &str, ty: Value) -> Value {
    json!({"name": name, "type": ["null", ty], "default": null})
}

fn table() -> Vec<Case> {
    let enum_of = |symbols: Value| json!({"type": "enum", "name": "E", "symbols": symbols});
    let enum_default = |symbols: Value| json!({"type": "enum", "name": "E", "symbols": symbols, "default": "A"});
    let long = |logical: &str| json!({"type": "long", "logicalType": logical});
    let fixed = |size: u32| json!({"type": "fixed", "name": "F", "size": size});
    let named = |name: &str| json!({"type": "record", "name": name, "fields": [{"name": "y", "type": "int"}]});
    vec![
        case(
            "added, default",
            without(),
            with(json!({"name": "x", "type": "int", "default": 7})),
            (true, true),
            "added",
            SafeWithHistoryCaveat,
        ),
        case("added, default null", without(), with(opt("x", json!("int"))), (true, true), "added", Safe),
        case("added, nullable, no default", without(), x(json!(["null", "int"])), (false, true), "added", Safe),
        case("added, required", without(), x(json!("int")), (false, true), "added", SafeWithHistoryCaveat),
        case("removed, default null", with(opt("x", json!("int"))), without(), (true, true), "removed", SilentNull),
        case(
            "removed, had default",
            with(json!({"name": "x", "type": "int", "default": 7})),
            without(),
            (true, true),
            "removed",
            JobFails,
        ),
        case("removed, required", x(json!("int")), without(), (true, false), "removed", JobFails),
        case(
            "rename with alias, old field without default",
            x(json!("int")),
            with(json!({"name": "z", "aliases": ["x"], "type": "int"})),
            (true, false),
            "renamed_by_alias",
            SuspectedRename,
        ),
        case(
            "rename with alias, old field with default",
            with(json!({"name": "x", "type": "int", "default": 1})),
            with(json!({"name": "z", "aliases": ["x"], "type": "int", "default": 1})),
            (true, true),
            "renamed_by_alias",
            SuspectedRename,
        ),
        case(
            "rename without alias, nullable",
            with(opt("x", json!("string"))),
            with(opt("z", json!("string"))),
            (true, true),
            "suspected_rename",
            SuspectedRename,
        ),
        case("int to long", x(json!("int")), x(json!("long")), (true, false), "widened", JobFails),
        case("float to double", x(json!("float")), x(json!("double")), (true, false), "widened", JobFails),
        case(
            "long to double loses digits",
            x(json!("long")),
            x(json!("double")),
            (true, false),
            "widened",
            WrongValues,
        ),
        case("long to int", x(json!("long")), x(json!("int")), (false, true), "narrowed", JobFails),
        case(
            "smallint to int",
            x(json!({"type": "int", "connect.type": "int16"})),
            x(json!("int")),
            (true, true),
            "metadata",
            Safe,
        ),
        case("to nullable", x(json!("int")), x(json!(["null", "int"])), (true, false), "made_nullable", JobFails),
        case(
            "to non-null",
            x(json!(["null", "int"])),
            x(json!("int")),
            (false, true),
            "made_required",
            SafeWithHistoryCaveat,
        ),
        case(
            "enum symbol added",
            x(enum_of(json!(["A"]))),
            x(enum_of(json!(["A", "B"]))),
            (true, false),
            "enum_symbols",
            JobFails,
        ),
        case(
            "enum symbol added, old enum has default",
            x(enum_default(json!(["A"]))),
            x(enum_default(json!(["A", "B"]))),
            (true, true),
            "enum_symbols",
            WrongValues,
        ),
        case(
            "enum symbol removed",
            x(enum_of(json!(["A", "B"]))),
            x(enum_of(json!(["A"]))),
            (false, true),
            "enum_symbols",
            JobFails,
        ),
        case(
            "enum symbol removed, new enum has default",
            x(enum_default(json!(["A", "B"]))),
            x(enum_default(json!(["A"]))),
            (true, true),
            "enum_symbols",
            WrongValues,
        ),
        case(
            "union branch added",
            x(json!(["null", "int", "string"])),
            x(json!(["null", "int", "string", "boolean"])),
            (true, false),
            "type_changed",
            JobFails,
        ),
        case(
            "union branch removed",
            x(json!(["null", "int", "string", "boolean"])),
            x(json!(["null", "int", "string"])),
            (false, true),
            "type_changed",
            JobFails,
        ),
        case(
            "union branch removed that another promotes",
            x(json!(["null", "int", "long", "string"])),
            x(json!(["null", "long", "string"])),
            (true, true),
            "type_changed",
            JobFails,
        ),
        case(
            "union reorder",
            x(json!(["null", "int", "string"])),
            x(json!(["string", "null", "int"])),
            (true, true),
            "",
            Safe,
        ),
        case("enum reorder", x(enum_of(json!(["A", "B"]))), x(enum_of(json!(["B", "A"]))), (true, true), "", Safe),
        case(
            "doc",
            x(json!("int")),
            with(json!({"name": "x", "type": "int", "doc": "how many"})),
            (true, true),
            "doc",
            Safe,
        ),
        case(
            "logical type added",
            x(json!("long")),
            x(long("timestamp-millis")),
            (true, true),
            "type_changed",
            WrongValues,
        ),
        case(
            "logical type removed",
            x(long("timestamp-millis")),
            x(json!("long")),
            (true, true),
            "type_changed",
            WrongValues,
        ),
        case(
            "unit changed",
            x(long("timestamp-millis")),
            x(long("timestamp-micros")),
            (true, true),
            "timestamp_unit",
            WrongValues,
        ),
        case(
            "instant to local time",
            x(long("timestamp-millis")),
            x(long("local-timestamp-millis")),
            (true, true),
            "type_changed",
            WrongValues,
        ),
        case(
            "same meaning, now with a logical type",
            x(json!({"type": "long", "connect.name": "io.debezium.time.Timestamp"})),
            x(long("timestamp-millis")),
            (true, true),
            "logical_type",
            Safe,
        ),
        case(
            "decimal precision grows",
            x(decimal(10, 2)),
            x(decimal(12, 2)),
            (true, true),
            "decimal_precision",
            SilentNull,
        ),
        case(
            "decimal precision shrinks",
            x(decimal(12, 2)),
            x(decimal(10, 2)),
            (true, true),
            "decimal_precision",
            SilentNull,
        ),
        case("decimal scale", x(decimal(10, 2)), x(decimal(10, 4)), (true, true), "decimal_scale", WrongValues),
        case("bytes to string", x(json!("bytes")), x(json!("string")), (true, true), "type_changed", WrongValues),
        case("string to bytes", x(json!("string")), x(json!("bytes")), (true, true), "type_changed", WrongValues),
        case("record name", x(named("P")), x(named("Q")), (false, false), "type_name", Safe),
        case(
            "record name with alias",
            x(named("P")),
            x(json!({"type": "record", "name": "Q", "aliases": ["P"], "fields": [{"name": "y", "type": "int"}]})),
            (true, false),
            "type_name",
            Safe,
        ),
        case("namespace", x(named("a.P")), x(named("b.P")), (true, true), "namespace_only", Safe),
        case("fixed size", x(fixed(4)), x(fixed(8)), (false, false), "type_changed", JobFails),
        case("int to string", x(json!("int")), x(json!("string")), (false, false), "type_changed", JobFails),
        case(
            "default changed",
            with(json!({"name": "x", "type": "int", "default": 1})),
            with(json!({"name": "x", "type": "int", "default": 2})),
            (true, true),
            "default_changed",
            SafeWithHistoryCaveat,
        ),
    ]
}

#[test]
fn every_class() {
    for Case { name, old, new, registry, kind, data } in table() {
        let (old, new) = (record(old), record(new));
        assert_eq!(both_ways(&old, &new), registry, "{name}: registry");
        let kinds: Vec<String> = diff(&old, &new).iter().map(|c| word(&c.kind)).collect();
        let expected: Vec<&str> = if kind.is_empty() { vec![] } else { vec![kind] };
        assert_eq!(kinds, expected, "{name}: kind");
        let assessment = assess(Level::Full, false, &new, &[(1, old.clone())]);
        assert_eq!(assessment.data, data, "{name}: data, {:?}", assessment.reasons);
        assert_eq!(assessment.registry.is_compatible(), registry == (true, true), "{name}: full");
        let wanted = if data <= Safe { 0 } else { 1 };
        assert!(assessment.concerns.len() >= wanted, "{name}: a verdict without a reason");
        for reason in assessment.concerns.iter().map(|c| &c.reason) {
            assert!(reason.contains("`x") && !reason.contains('\n'), "{name}: {reason}");
        }
    }
}

#[test]
fn the_same_class_in_a_key_is_an_identity_change() {
    for Case { name, old, new, kind, .. } in table() {
        if kind.is_empty() {
            continue;
        }
        let (old, new) = (record(old), record(new));
        let assessment = assess(Level::None, true, &new, &[(1, old)]);
        assert_eq!(assessment.data, DataVerdict::IdentityChange, "{name}");
        assert!(!assessment.plannable(), "{name}");
    }
}

#[test]
fn levels_ask_for_their_directions() {
    let (old, new) = (record(x(json!("int"))), record(x(json!("long"))));
    let answers = [
        (Level::None, true),
        (Level::Backward, true),
        (Level::BackwardTransitive, true),
        (Level::Forward, false),
        (Level::ForwardTransitive, false),
        (Level::Full, false),
        (Level::FullTransitive, false),
    ];
    for (level, expected) in answers {
        let report = crate::schema::check(level, &new, &[(1, old.clone())]);
        assert_eq!(report.is_compatible(), expected, "{level}");
        assert_eq!(level.to_string().parse(), Ok(level));
    }
    let error = "SIDEWAYS".parse::<Level>().expect_err("no level");
    assert!(error.to_string().starts_with("`SIDEWAYS` is no compatibility level"), "{error}");
}

#[test]
fn full_sees_only_the_latest_and_full_transitive_all() {
    let one = record(with(json!({"name": "x", "type": "int"})));
    let two = record(with(json!({"name": "x", "type": "int", "default": 1})));
    let three = record(without());
    let earlier = [(1, one), (2, two)];
    assert!(crate::schema::check(Level::Full, &three, &earlier).is_compatible());
    let report = crate::schema::check(Level::FullTransitive, &three, &earlier);
    assert_eq!(report.checked, [1, 2]);
    assert_eq!(report.failures.len(), 1);
    assert_eq!(
        report.to_string(),
        "FULL_TRANSITIVE: incompatible\n  version 1 cannot read the new version: column `x`: the writer lacks it and \
         the reader has no default for it"
    );
}

#[test]
fn union_branches_that_differ_in_their_namespaces_alone_are_told_apart() {
    let branch = |name: &str, size: u32| json!({"type": "fixed", "name": name, "size": size});
    let union = record(json!([{"name": "u", "type": ["null", branch("m.F", 1), branch("n.F", 2)]}]));
    assert_eq!(diff(&union, &union), vec![]);
    let moved = record(json!([{"name": "u", "type": ["null", branch("n.F", 2), branch("m.F", 1)]}]));
    assert_eq!(diff(&union, &moved), vec![]);
}
