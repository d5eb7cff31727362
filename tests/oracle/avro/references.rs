//! Schemas that refer to others, as subjects of a registry do.

use std::collections::BTreeSet;

use cyanotype::schema::{can_read, parse};
use serde_json::{Value, json};

use super::{AVRO, Pair, mutations, pairs, schemas};

/// How many pairs are compared.
const PAIRS: usize = 600;

/// Takes the definitions inside a schema out, each after those that it names, and leaves their names.
fn apart(schema: &Value) -> (Vec<Value>, Value) {
    let (mut references, mut known) = (Vec::new(), BTreeSet::new());
    let left = take(schema, true, &mut references, &mut known);
    (references, left)
}

fn take(ty: &Value, top: bool, references: &mut Vec<Value>, known: &mut BTreeSet<String>) -> Value {
    match ty {
        Value::Array(branches) => branches.iter().map(|branch| take(branch, false, references, known)).collect(),
        Value::Object(own) => {
            let mut left = own.clone();
            for key in ["items", "values"] {
                if let Some(inner) = left.get_mut(key) {
                    *inner = take(inner, false, references, known);
                }
            }
            for field in left.get_mut("fields").and_then(Value::as_array_mut).into_iter().flatten() {
                field["type"] = take(&field["type"], false, references, known);
            }
            let left = Value::Object(left);
            match mutations::full_name(own) {
                // One that names what is not known by now, such as the type around it, stays where it is.
                Some(name) if !top && names(&left).iter().all(|named| known.contains(named) || *named == name) => {
                    known.insert(name.clone());
                    references.push(left);
                    json!(name)
                }
                _ => left,
            }
        }
        _ => ty.clone(),
    }
}

/// The names of types that a type uses.
fn names(ty: &Value) -> BTreeSet<String> {
    match ty {
        Value::Array(branches) => branches.iter().flat_map(names).collect(),
        Value::String(name) if !schemas::PRIMITIVES.contains(&name.as_str()) => [name.clone()].into(),
        Value::Object(own) => {
            let fields = own.get("fields").and_then(Value::as_array).into_iter().flatten();
            let inner = own.get("items").into_iter().chain(own.get("values"));
            inner.chain(fields.map(|field| &field["type"])).flat_map(names).collect()
        }
        _ => BTreeSet::new(),
    }
}

/// Schemas that another one refers to, and that one.
type Apart = (Vec<Value>, Value);

#[test]
#[ignore = "needs Java and Avro's library: ./x oracle"]
fn schemas_with_references_are_read_as_avro_for_java_reads_them() {
    let split = |Pair { old, new }: &Pair| (apart(old), apart(new));
    let pairs = pairs();
    let split = pairs.iter().map(split).filter(|(old, new)| !old.0.is_empty() && !new.0.is_empty()).take(PAIRS);
    let split: Vec<_> = split.collect();
    let ask = |((old_references, old), (new_references, new)): &(Apart, Apart)| json!({"old": old, "old_references": old_references, "new": new, "new_references": new_references});
    let theirs = AVRO.ask(split.iter().map(ask).collect());
    let (mut judged, mut no) = (0, 0);
    for ((old, new), theirs) in split.iter().zip(theirs) {
        let (Some(backward), Some(forward)) = (theirs["backward"].as_bool(), theirs["forward"].as_bool()) else {
            continue;
        };
        let read = |(references, schema): &Apart| {
            let references: Vec<(String, String)> =
                references.iter().map(|text| (String::new(), text.to_string())).collect();
            parse(&schema.to_string(), &references).unwrap()
        };
        let (was, is) = (read(old), read(new));
        let ours = (can_read(&is, &was).is_ok(), can_read(&was, &is).is_ok());
        assert_eq!(ours, (backward, forward), "{old:?}\n{new:?}");
        judged += 1;
        no += usize::from(!backward);
    }
    println!("avro: {judged} pairs with references, {no} of them not backward compatible; 0 answers differ");
    assert!(judged * 10 >= PAIRS * 8 && no * 10 >= judged * 3, "{judged} judged, {no} of them with no");
}
