//! What holds for any schema.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::both_ways;
use crate::schema::avro::AvroSchema;
use crate::schema::compat::can_read;
use crate::schema::diff::diff;
use crate::schema::invariant;
use crate::schema::level::Level;
use crate::schema::parse::parse;
use crate::schema::verdict::assess;

/// A schema as a tree; names are given when it is written, so that none is defined twice.
#[derive(Clone, Debug)]
enum Tree {
    Leaf(&'static str, Option<&'static str>),
    Decimal(u32, u32),
    Nullable(Box<Tree>),
    Array(Box<Tree>),
    Map(Box<Tree>),
    Enum(usize),
    Fixed(u32),
    Record(Vec<(Tree, bool)>),
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        prop::sample::select(vec!["boolean", "int", "long", "float", "double", "string", "bytes"])
            .prop_map(|base| Tree::Leaf(base, None)),
        prop::sample::select(vec![
            ("int", "io.debezium.time.Date"),
            ("long", "io.debezium.time.Timestamp"),
            ("long", "io.debezium.time.MicroTimestamp"),
            ("string", "io.debezium.time.ZonedTimestamp"),
        ])
        .prop_map(|(base, name)| Tree::Leaf(base, Some(name))),
        (1u32..12, 0u32..4).prop_map(|(p, s)| Tree::Decimal(p, s)),
        (1usize..4).prop_map(Tree::Enum),
        (1u32..4).prop_map(Tree::Fixed),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            inner.clone().prop_map(|t| Tree::Nullable(Box::new(t))),
            inner.clone().prop_map(|t| Tree::Array(Box::new(t))),
            inner.clone().prop_map(|t| Tree::Map(Box::new(t))),
            fields(inner).prop_map(Tree::Record),
        ]
    })
}

fn fields(inner: impl Strategy<Value = Tree>) -> impl Strategy<Value = Vec<(Tree, bool)>> {
    prop::collection::vec((inner, any::<bool>()), 1..6)
}

/// Writes the tree. `turn` rotates the fields of every record and the symbols of every enum, and flips every union.
fn write(tree: &Tree, name: &str, turn: usize) -> Value {
    let rotate = |mut all: Vec<Value>| {
        let by = turn % all.len().max(1);
        all.rotate_left(by);
        all
    };
    match tree {
        Tree::Leaf(base, None) => json!(base),
        Tree::Leaf(base, Some(connect)) => json!({"type": base, "connect.name": connect}),
        Tree::Decimal(p, s) => json!({"type": "bytes", "logicalType": "decimal", "precision": p.max(s), "scale": s}),
        Tree::Nullable(inner) if matches!(**inner, Tree::Nullable(_)) => write(inner, name, turn),
        Tree::Nullable(inner) if turn.is_multiple_of(2) => json!(["null", write(inner, name, turn)]),
        Tree::Nullable(inner) => json!([write(inner, name, turn), "null"]),
        Tree::Array(inner) => json!({"type": "array", "items": write(inner, name, turn)}),
        Tree::Map(inner) => json!({"type": "map", "values": write(inner, name, turn)}),
        Tree::Enum(n) => {
            let symbols = rotate((0..*n).map(|i| json!(format!("S{i}"))).collect());
            json!({"type": "enum", "name": format!("E{name}"), "symbols": symbols})
        }
        Tree::Fixed(size) => json!({"type": "fixed", "name": format!("F{name}"), "size": size}),
        Tree::Record(list) => {
            let field = |(i, (tree, default)): (usize, &(Tree, bool))| {
                let mut field = json!({"name": format!("f{i}"), "type": write(tree, &format!("{name}_{i}"), turn)});
                if *default {
                    field["default"] = Value::Null;
                }
                field
            };
            let fields = rotate(list.iter().enumerate().map(field).collect());
            json!({"type": "record", "name": format!("R{name}"), "namespace": "p", "fields": fields})
        }
    }
}

fn avro(tree: &Tree, turn: usize) -> AvroSchema {
    parse(&write(tree, "", turn).to_string(), &[]).expect("a schema")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn every_schema_reads_itself(tree in tree()) {
        let schema = avro(&tree, 0);
        prop_assert_eq!(can_read(&schema, &schema), Ok(()));
        prop_assert_eq!(diff(&schema, &schema), vec![]);
        prop_assert!(assess(Level::FullTransitive, false, &schema, &[(1, schema.clone())]).plannable());
    }

    #[test]
    fn order_changes_nothing(tree in tree(), turn in 1usize..5) {
        let (one, other) = (avro(&tree, 0), avro(&tree, turn));
        prop_assert_eq!(both_ways(&one, &other), (true, true));
        prop_assert_eq!(diff(&one, &other), vec![]);
    }

    #[test]
    fn order_changes_no_answer_about_another_schema(a in fields(tree()), b in fields(tree()), turn in 1usize..5) {
        let (a, b) = (Tree::Record(a), Tree::Record(b));
        let old = avro(&a, 0);
        let (one, other) = (avro(&b, 0), avro(&b, turn));
        prop_assert_eq!(both_ways(&old, &one), both_ways(&old, &other));
    }

    /// BACKWARD from one side is FORWARD from the other, with the same reasons.
    #[test]
    fn what_is_promised_of_any_two_schemas(a in fields(tree()), b in fields(tree())) {
        let (old, new) = (avro(&Tree::Record(a), 0), avro(&Tree::Record(b), 0));
        prop_assert_eq!(invariant::pair(&old, &new), Ok(()));
    }

    #[test]
    fn an_incompatible_pair_always_has_reasons_and_a_change(a in fields(tree()), b in fields(tree())) {
        let (old, new) = (avro(&Tree::Record(a), 0), avro(&Tree::Record(b), 0));
        let assessment = assess(Level::Full, false, &new, &[(1, old)]);
        for failure in &assessment.registry.failures {
            prop_assert!(!failure.reasons.is_empty());
        }
        if !assessment.registry.is_compatible() {
            prop_assert!(!assessment.changes.is_empty(), "{:?}", assessment.registry);
            prop_assert!(!assessment.reasons.is_empty());
        }
        prop_assert!(!assessment.to_string().is_empty());
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,80}") {
        let _ = parse(&text, &[]);
    }

    #[test]
    fn no_json_panics(keys in prop::collection::vec(prop::sample::select(vec![
        "type", "record", "name", "fields", "items", "union", "null", "enum", "symbols", "array", "size", "fixed"]), 0..12)) {
        let mut json = json!("int");
        for pair in keys.chunks(2) {
            json = match pair {
                [a, b] => json!({*a: b, "fields": [json.clone()], "items": json}),
                _ => json!([json]),
            };
        }
        if let Ok(schema) = parse(&json.to_string(), &[]) {
            let _ = can_read(&schema, &schema);
            let _ = diff(&schema, &schema);
        }
    }
}
