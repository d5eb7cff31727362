//! Work grows with the size of the schemas and no faster: counted in steps, not in time.

use serde_json::{Value, json};

use crate::schema::added::added_since;
use crate::schema::avro::AvroSchema;
use crate::schema::compat::can_read;
use crate::schema::envelope::row_fields;
use crate::schema::level::Level;
use crate::schema::parse::parse;
use crate::schema::testing::{avro, record};
use crate::schema::verdict::assess;
use crate::steps::counted;

/// A record with a field for each number, named so.
fn wide(numbers: impl Iterator<Item = usize>, name: impl Fn(usize) -> String) -> AvroSchema {
    record(numbers.map(|i| json!({"name": name(i), "type": ["null", "string"], "default": null})).collect())
}

fn plain(i: usize) -> String {
    format!("f{i}")
}

/// Steps of the whole assessment, of two versions and one before them.
fn assessing(first: &AvroSchema, old: &AvroSchema, new: &AvroSchema) -> usize {
    let earlier = [(1, first.clone()), (2, old.clone())];
    counted(|| {
        let assessed = assess(Level::FullTransitive, false, new, &earlier);
        let added = added_since(first, &[(2, old.clone())], new);
        (assessed.data, row_fields(old).len(), added.len())
    })
    .1
}

/// The steps for four times as much are about four times as many.
fn grows_with(size: usize, what: &str, steps: impl Fn(usize) -> usize) {
    let (small, large) = (steps(size), steps(4 * size));
    assert!(small > 0 && large < 6 * small, "{what}: {small} steps, and {large} for four times as much");
}

#[test]
fn equal_records_that_are_wide() {
    grows_with(500, "equal", |n| {
        let one = wide(0..n, plain);
        assessing(&one, &one, &one)
    });
}

#[test]
fn wide_records_in_another_order() {
    grows_with(500, "another order", |n| {
        let (one, other) = (wide(0..n, plain), wide((0..n).rev(), plain));
        assessing(&one, &one, &other)
    });
}

#[test]
fn wide_records_with_a_new_half() {
    grows_with(500, "a new half", |n| {
        let (one, half) = (wide(0..n, plain), wide(0..n / 2, plain));
        assessing(&one, &half, &one)
    });
}

#[test]
fn wide_records_with_other_names() {
    grows_with(500, "other names", |n| {
        let (one, other) = (wide(0..n, plain), wide(0..n, |i| format!("g{i}")));
        assessing(&one, &one, &other)
    });
}

#[test]
fn wide_records_with_aliases() {
    grows_with(500, "aliases", |n| {
        let one = wide(0..n, plain);
        let field = |i| json!({"name": format!("g{i}"), "aliases": [format!("f{i}")], "type": ["null", "string"]});
        let other = record((0..n).map(field).collect());
        assessing(&one, &one, &other)
    });
}

#[test]
fn enums_with_many_symbols() {
    grows_with(500, "symbols", |n| {
        let schema = |turn: usize| {
            let symbols: Vec<String> = (0..n).map(|i| format!("S{}", i + turn)).collect();
            record(json!([{"name": "e", "type": {"type": "enum", "name": "E", "symbols": symbols}}]))
        };
        assessing(&schema(0), &schema(0), &schema(n / 2))
    });
}

#[test]
fn unions_with_many_branches() {
    grows_with(100, "branches", |n| {
        let schema = |turn: usize| {
            let branch = |i: usize| json!({"type": "fixed", "name": format!("F{}", (i + turn) % n), "size": 1});
            let branches: Vec<Value> = (0..n).map(branch).collect();
            record(json!([{"name": "u", "type": branches}]))
        };
        counted(|| crate::schema::diff(&schema(0), &schema(n / 2))).1
    });
}

/// Steps to compare a union of `n` branches with another, in both directions.
fn reading(n: usize, old: impl Fn(usize) -> Value, new: impl Fn(usize) -> Value) -> usize {
    let union = |branch: &dyn Fn(usize) -> Value| avro(json!((0..n).map(branch).collect::<Vec<_>>()));
    let (old, new) = (union(&old), union(&new));
    counted(|| (can_read(&new, &old).is_ok(), can_read(&old, &new).is_ok())).1
}

#[test]
fn unions_that_read_each_other() {
    let fixed = |name: String| json!({"type": "fixed", "name": name, "size": 1});
    let one = |i: usize| json!({"type": "record", "name": format!("R{i}"), "fields": [{"name": "x", "type": "int"}]});
    let alias =
        |i: usize| json!({"type": "enum", "name": format!("N{i}"), "aliases": [format!("E{i}")], "symbols": ["A"]});
    let old_enum = |i: usize| json!({"type": "enum", "name": format!("E{i}"), "symbols": ["A"]});
    grows_with(200, "equal", |n| reading(n, one, one));
    grows_with(200, "in another order", |n| reading(n, one, |i| one(n - 1 - i)));
    grows_with(200, "of which none is the same", |n| reading(n, one, |i| one(i + n)));
    grows_with(200, "with aliases", |n| reading(n, old_enum, alias));
    grows_with(200, "of other kinds", |n| reading(n, one, |i| fixed(format!("R{i}"))));
    grows_with(200, "that differ in namespaces", |n| {
        reading(n, |i| fixed(format!("n{i}.F")), |i| fixed(format!("n{i}.F")))
    });
    grows_with(200, "against one branch", |n| reading(n, one, |_| one(0)) + reading(n, |_| one(0), one));
}

/// What no schema has that a strict parser takes comes to an end as well.
#[test]
fn unions_of_one_short_name_have_an_end() {
    let branch = |i: usize, size: usize| json!({"type": "fixed", "name": format!("n{i}.F"), "size": size});
    let steps = reading(400, |i| branch(i, 1), |i| branch(i, 2));
    assert!(steps < 1_000_000, "{steps}");
}

/// A large union reads what one of its branches reads, as a small one does.
#[test]
fn a_large_union_is_the_sum_of_its_branches() {
    let padding = (0..20).map(|i| json!({"type": "fixed", "name": format!("P{i}"), "size": 1}));
    let kinds = [
        json!("null"),
        json!("long"),
        json!("double"),
        json!("bytes"),
        json!({"type": "array", "items": "int"}),
        json!({"type": "array", "items": "string"}),
        json!({"type": "map", "values": "long"}),
        json!({"type": "enum", "name": "a.E", "symbols": ["A"]}),
        json!({"type": "enum", "name": "b.E", "symbols": ["A", "B"]}),
        json!({"type": "fixed", "name": "F", "aliases": ["a.G"], "size": 2}),
        json!({"type": "record", "name": "R", "fields": [{"name": "x", "type": "long"}]}),
        json!({"type": "record", "name": "n.R", "fields": []}),
    ];
    let written = [
        json!("int"),
        json!("string"),
        json!("boolean"),
        json!({"type": "array", "items": "bytes"}),
        json!({"type": "map", "values": "int"}),
        json!({"type": "enum", "name": "c.E", "symbols": ["B"]}),
        json!({"type": "fixed", "name": "a.G", "size": 2}),
        json!({"type": "fixed", "name": "P3", "size": 2}),
        json!({"type": "record", "name": "R", "fields": [{"name": "x", "type": "int"}]}),
        json!({"type": "record", "name": "S", "fields": []}),
    ];
    let union = avro(json!(padding.chain(kinds.clone()).collect::<Vec<_>>()));
    for ty in written.iter().chain(&kinds) {
        let written = avro(ty.clone());
        let one = kinds.iter().any(|branch| can_read(&avro(branch.clone()), &written).is_ok());
        assert_eq!(can_read(&union, &written).is_ok(), one, "{ty}");
    }
}

#[test]
fn many_columns_of_one_wide_type() {
    grows_with(50, "one type", |n| {
        let inner: Vec<Value> = (0..n).map(|i| json!({"name": plain(i), "type": "int"})).collect();
        let schema = |more: &str| {
            let mut fields = vec![json!({"name": "c", "type": {"type": "record", "name": "T", "fields": inner}})];
            fields.extend((0..n).map(|i| json!({"name": format!("c{i}"), "type": "T"})));
            fields.push(json!({"name": "last", "type": more}));
            record(json!(fields))
        };
        counted(|| crate::schema::diff(&schema("int"), &schema("long"))).1
    });
}

#[test]
fn a_wide_record_is_read_once() {
    grows_with(500, "reading", |n| {
        let fields: Vec<Value> = (0..n).map(|i| json!({"name": plain(i), "type": "int", "default": i})).collect();
        let text = json!({"type": "record", "name": "R", "fields": fields}).to_string();
        let (schema, steps) = counted(|| parse(&text, &[]).expect("a schema"));
        assert_eq!(schema.flaws(), []);
        steps
    });
}

/// A type that is used by many columns is not written out without end.
#[test]
fn the_columns_of_a_row_have_an_end() {
    let inner: Vec<Value> = (0..2_000).map(|i| json!({"name": plain(i), "type": "int"})).collect();
    let mut fields = vec![json!({"name": "c", "type": {"type": "record", "name": "T", "fields": inner}})];
    fields.extend((0..1_000).map(|i| json!({"name": format!("c{i}"), "type": "T"})));
    let schema = avro(json!({"type": "record", "name": "R", "fields": fields}));
    let (columns, steps) = counted(|| row_fields(&schema));
    assert_eq!(columns.len(), 1_001);
    assert!(steps < 1_000_000, "{steps} types");
}
