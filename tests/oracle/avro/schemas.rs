//! Schemas to begin with: those of Debezium, recursive ones, names used twice, and random ones.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};

/// The primitive types.
pub const PRIMITIVES: [&str; 8] = ["null", "boolean", "int", "long", "float", "double", "string", "bytes"];

/// A schema to begin with.
pub fn base(rng: &mut StdRng) -> Value {
    match rng.random_range(0..12) {
        0..=3 => envelope(rng),
        4 => json!({"type": "record", "name": "Key", "namespace": "shop.public.orders",
            "fields": row(rng).as_array().unwrap()[..2].to_vec()}),
        5 => flat(rng),
        6 => recursive(rng),
        7 => named(),
        8 => json!({"type": rng_pick(rng, &["array", "map"]), "items": primitive(rng), "values": primitive(rng)}),
        9 if rng.random() => union_of_many(rng),
        9 => json!([primitive(rng), {"type": "array", "items": primitive(rng)}, "null"]),
        _ => {
            let mut names = 0;
            random(rng, 0, &mut names)
        }
    }
}

fn rng_pick<'a>(rng: &mut StdRng, from: &[&'a str]) -> &'a str {
    from.choose(rng).unwrap()
}

/// A primitive type by its name.
pub fn primitive(rng: &mut StdRng) -> Value {
    json!(rng_pick(rng, &PRIMITIVES[1..]))
}

/// A column as Debezium writes it.
pub fn column(rng: &mut StdRng, name: &str) -> Value {
    let decimal = json!({"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2});
    let timestamp = json!({"type": "long", "connect.name": "io.debezium.time.MicroTimestamp", "connect.version": 1});
    let fixed = json!({"type": "fixed", "name": format!("F_{name}"), "namespace": "shop", "size": 8});
    let choice = json!({"type": "enum", "name": format!("E_{name}"), "namespace": "shop", "symbols": ["A", "B", "C"]});
    let ty = match rng.random_range(0..10) {
        0 => decimal,
        1 => timestamp,
        2 => fixed,
        3 => choice,
        4 => json!({"type": "array", "items": primitive(rng)}),
        5 => json!({"type": "map", "values": primitive(rng)}),
        _ => primitive(rng),
    };
    match rng.random_range(0..4) {
        0 => json!({"name": name, "type": ["null", ty], "default": null}),
        1 => json!({"name": name, "type": [ty, "null"], "default": 0}),
        2 => json!({"name": name, "type": ty, "default": 0}),
        _ => json!({"name": name, "type": ty}),
    }
}

fn row(rng: &mut StdRng) -> Value {
    let names = ["id", "customer_id", "amount", "status", "created_at", "note"];
    let count = rng.random_range(2..=names.len());
    Value::Array(names[..count].iter().map(|name| column(rng, name)).collect())
}

fn flat(rng: &mut StdRng) -> Value {
    json!({"type": "record", "name": "Value", "namespace": "shop.public.orders", "fields": row(rng)})
}

/// The envelope of a change record: the row is defined in `before` and named in `after`.
fn envelope(rng: &mut StdRng) -> Value {
    json!({"type": "record", "name": "Envelope", "namespace": "shop.public.orders", "connect.version": 2, "fields": [
        {"name": "before", "type": ["null", {"type": "record", "name": "Value", "namespace": "shop.public.orders",
            "connect.name": "shop.public.orders.Value", "fields": row(rng)}], "default": null},
        {"name": "after", "type": ["null", "shop.public.orders.Value"], "default": null},
        {"name": "source", "type": {"type": "record", "name": "Source",
            "namespace": "io.debezium.connector.postgresql", "fields": [
                {"name": "version", "type": "string"},
                {"name": "ts_ms", "type": "long"},
                {"name": "snapshot", "type": ["string", "null"], "default": "false"},
                {"name": "lsn", "type": ["null", "long"], "default": null}]}},
        {"name": "op", "type": "string"},
        {"name": "ts_ms", "type": ["null", "long"], "default": null}
    ]})
}

/// A type that holds itself, alone or by way of another one.
fn recursive(rng: &mut StdRng) -> Value {
    let value = primitive(rng);
    match rng.random_range(0..3) {
        0 => json!({"type": "record", "name": "Node", "namespace": "list", "fields": [
            {"name": "value", "type": value},
            {"name": "next", "type": ["null", "list.Node"], "default": null}]}),
        1 => json!({"type": "record", "name": "Tree", "namespace": "list", "fields": [
            {"name": "children", "type": {"type": "array", "items": "list.Tree"}},
            {"name": "named", "type": {"type": "map", "values": ["null", "list.Tree"]}},
            {"name": "value", "type": value, "default": 0}]}),
        _ => json!({"type": "record", "name": "A", "namespace": "list", "fields": [
            {"name": "b", "type": ["null", {"type": "record", "name": "B", "namespace": "list", "fields": [
                {"name": "a", "type": ["null", "list.A"]},
                {"name": "value", "type": value}]}], "default": null}]}),
    }
}

/// More branches than are tried one by one.
fn union_of_many(rng: &mut StdRng) -> Value {
    let named = |i: u32| match i % 3 {
        0 => json!({"type": "fixed", "name": format!("n{}.F{}", i % 2, i / 2), "size": 1 + i % 2}),
        1 => json!({"type": "enum", "name": format!("E{i}"), "symbols": ["A", "B"]}),
        _ => json!({"type": "record", "name": format!("R{i}"), "namespace": "many", "aliases": [format!("S{i}")],
            "fields": [{"name": "x", "type": "int"}]}),
    };
    let mut branches: Vec<Value> = (0..rng.random_range(9..14)).map(named).collect();
    branches.extend([json!("null"), primitive(rng), json!({"type": "array", "items": primitive(rng)})]);
    Value::Array(branches)
}

/// Names that are used twice, aliases, an enum with a default.
fn named() -> Value {
    json!({"type": "record", "name": "Order", "namespace": "shop", "aliases": ["Purchase", "old.Sale"], "fields": [
        {"name": "state", "type": {"type": "enum", "name": "State", "namespace": "shop",
            "symbols": ["NEW", "PAID"], "default": "NEW"}},
        {"name": "was", "type": ["null", "shop.State"], "default": null},
        {"name": "digest", "type": {"type": "fixed", "name": "Digest", "namespace": "shop", "aliases": ["Hash"],
            "size": 16}},
        {"name": "amount", "type": "int", "aliases": ["total", "sum"]},
        {"name": "parts", "type": {"type": "array", "items": {"type": "record", "name": "Part", "namespace": "shop",
            "fields": [{"name": "weight", "type": "float"}, {"name": "digest", "type": "shop.Digest"}]}}}
    ]})
}

/// Anything, not deep.
fn random(rng: &mut StdRng, depth: usize, names: &mut usize) -> Value {
    if depth > 3 {
        return primitive(rng);
    }
    *names += 1;
    let name = format!("T{names}");
    match rng.random_range(0..8) {
        0 => json!({"type": "array", "items": random(rng, depth + 1, names)}),
        1 => json!({"type": "map", "values": random(rng, depth + 1, names)}),
        2 => json!({"type": "enum", "name": name, "symbols": ["A", "B", "C"]}),
        3 => json!({"type": "fixed", "name": name, "size": rng.random_range(1..4)}),
        4 => match random(rng, depth + 1, names) {
            Value::Array(branches) => Value::Array(branches),
            only => json!(["null", only]),
        },
        5 | 6 => {
            let count = rng.random_range(1..5);
            let field = |i| json!({"name": format!("f{i}"), "type": random(rng, depth + 1, names)});
            json!({"type": "record", "name": name, "fields": (0..count).map(field).collect::<Vec<_>>()})
        }
        _ => primitive(rng),
    }
}
