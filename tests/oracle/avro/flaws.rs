//! What we say of a schema that a registry would not take, against Avro's library, which refuses it.

use cyanotype::schema::parse;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::{AVRO, mutations, schemas};

/// How many schemas are drawn.
const SCHEMAS: usize = 8_000;

/// A change that may make a schema unsound, at one of its objects and lists.
fn spoil(schema: &mut Value, rng: &mut StdRng) {
    let mut parts = 0;
    walk(schema, &mut |_| parts += 1);
    let chosen = rng.random_range(0..parts);
    let mut at = 0;
    walk(schema, &mut |part| {
        if at == chosen {
            spoil_part(part, rng);
        }
        at += 1;
    });
}

/// Visits every object and list, the inner ones first.
fn walk(json: &mut Value, visit: &mut impl FnMut(&mut Value)) {
    match json {
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, visit)),
        Value::Object(own) => {
            own.iter_mut().filter(|(key, _)| *key != "default").for_each(|(_, item)| walk(item, visit))
        }
        _ => {}
    }
    visit(json);
}

fn anything(rng: &mut StdRng) -> Value {
    let all = [
        json!(null),
        json!(true),
        json!(0),
        json!(-5),
        json!(3_000_000_000_i64),
        json!(1.5),
        json!("x"),
        json!("A"),
        json!("NEW"),
        json!("NaN"),
        json!("12"),
        json!([]),
        json!([1]),
        json!(["x", null]),
        json!({}),
        json!({"value": 1}),
        json!({"x": 1}),
        json!({"value": "x", "next": null}),
        json!({"weight": 1, "digest": "y"}),
        json!({"f0": 1}),
    ];
    all.choose(rng).unwrap().clone()
}

fn name(rng: &mut StdRng) -> Value {
    let all = [
        "a",
        "id",
        "value",
        "2nd",
        "a-b",
        "größe",
        "",
        "n.x",
        "n.2.x",
        "int",
        "n.int",
        "A",
        "Value",
        "list.Node",
        ".a",
        "a.",
    ];
    json!(all.choose(rng).unwrap())
}

fn spoil_part(part: &mut Value, rng: &mut StdRng) {
    match part {
        Value::Array(items) => match rng.random_range(0..4) {
            0 if !items.is_empty() => {
                let again = items.choose(rng).unwrap().clone();
                items.push(again);
            }
            1 => items.push(schemas::primitive(rng)),
            2 => items.push(json!(["null", "int"])),
            _ => {
                items.pop();
            }
        },
        Value::Object(own) => {
            let is = |key: &str| own.contains_key(key);
            let (field, named) =
                (is("name") && is("type") && !is("fields") && !is("symbols") && !is("size"), is("name"));
            let value = match rng.random_range(0..9) {
                0..=3 if field => ("default", anything(rng)),
                4 if field => ("order", json!(["ascending", "IGNORE", "up"].choose(rng).unwrap())),
                5 if named => {
                    ("aliases", [json!("a"), json!(["b c"]), json!([7]), json!(["x.y"])].choose(rng).unwrap().clone())
                }
                0 if named => ("namespace", name(rng)),
                1..=3 if is("symbols") => ("default", anything(rng)),
                1 if is("size") => (
                    "size",
                    [json!("x"), json!(0), json!(7), json!(-1), json!(3_000_000_000_i64)].choose(rng).unwrap().clone(),
                ),
                6 if is("type") => ("type", schemas::primitive(rng)),
                7 if is("type") => ("type", json!([own["type"].clone(), "null"])),
                _ if named => ("name", name(rng)),
                _ => ("doc", anything(rng)),
            };
            own.insert(value.0.to_owned(), value.1);
        }
        _ => {}
    }
}

/// What we say: nothing, or why it is refused or flawed.
fn ours(schema: &Value) -> Vec<String> {
    match parse(&schema.to_string(), &[]) {
        Ok(schema) => schema.flaws().iter().map(ToString::to_string).collect(),
        Err(refused) => vec![refused.to_string()],
    }
}

/// The library takes a field's default that is no symbol of its enum; its readers do not.
fn is_ours_alone(flaw: &str) -> bool {
    flaw.contains("does not fit") && (flaw.contains("enum") || flaw.contains("record"))
}

#[test]
#[ignore = "needs Java and Avro's library: ./x oracle"]
fn what_a_registry_would_refuse_is_said() {
    let mut rng = StdRng::seed_from_u64(7 + std::env::var("CYANOTYPE_ORACLE_SEED").map_or(0, |m| m.parse().unwrap()));
    let mut drawn = Vec::new();
    while drawn.len() < SCHEMAS {
        let mut schema = schemas::base(&mut rng);
        if rng.random_ratio(1, 3) {
            schema = mutations::mutate(&schema, &mut rng);
        }
        for _ in 0..rng.random_range(0..3) {
            spoil(&mut schema, &mut rng);
        }
        drawn.push(schema);
    }
    let answers = AVRO.ask(drawn.iter().map(|schema| json!({"schema": schema})).collect());
    let (mut sound, mut refused, mut alone, mut different) = (0, 0, 0, 0);
    for (schema, answer) in drawn.iter().zip(&answers) {
        let (theirs, ours) = (answer["registered"].as_str(), ours(schema));
        match theirs {
            None if ours.is_empty() => sound += 1,
            Some(_) if !ours.is_empty() => refused += 1,
            None if ours.iter().all(|flaw| is_ours_alone(flaw)) => alone += 1,
            _ => {
                different += 1;
                if different <= 8 {
                    println!("-- differs: Java {theirs:?}, ours {ours:?}\n{schema}");
                }
            }
        }
    }
    println!(
        "avro: {SCHEMAS} schemas, {sound} sound, {refused} that a registry would refuse, {alone} with a default that is no \
         symbol; {different} differ"
    );
    assert_eq!(different, 0);
    assert!(sound >= 1_500 && refused >= 1_500 && alone * 20 <= SCHEMAS);
}
