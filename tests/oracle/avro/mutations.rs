//! Changes of a schema, small ones as people and connectors make them.

use std::collections::BTreeMap;

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Map, Value, json};

use super::schemas::{PRIMITIVES, column, primitive};

/// A place in a schema.
type Place = Vec<Step>;

#[derive(Clone, Debug)]
enum Step {
    Key(&'static str),
    Index(usize),
}

/// The schema with one change; it may happen that nothing changes.
pub fn mutate(schema: &Value, rng: &mut StdRng) -> Value {
    let mut changed = schema.clone();
    let mut places = Vec::new();
    find(schema, &mut Vec::new(), &mut places);
    let Some(place) = places.choose(rng) else { return changed };
    let Some(node) = at(&mut changed, place) else { return changed };
    change(node, rng);
    resettled(schema, &changed)
}

/// `changed` with each name defined where it comes first; what it lost is as it was in `before`.
pub fn resettled(before: &Value, changed: &Value) -> Value {
    let mut named = BTreeMap::new();
    definitions(before, &mut named);
    definitions(changed, &mut named);
    settled(changed, &named, &mut Vec::new())
}

/// The places of all types.
fn find(ty: &Value, here: &mut Place, places: &mut Vec<Place>) {
    places.push(here.clone());
    let mut below = |steps: &[Step], ty: &Value| {
        here.extend_from_slice(steps);
        find(ty, here, places);
        here.truncate(here.len() - steps.len());
    };
    match ty {
        Value::Array(branches) => branches.iter().enumerate().for_each(|(i, b)| below(&[Step::Index(i)], b)),
        Value::Object(own) => {
            for key in ["items", "values"] {
                if let Some(ty) = own.get(key) {
                    below(&[Step::Key(key)], ty);
                }
            }
            for (i, field) in own.get("fields").and_then(Value::as_array).into_iter().flatten().enumerate() {
                below(&[Step::Key("fields"), Step::Index(i), Step::Key("type")], &field["type"]);
            }
        }
        _ => {}
    }
}

fn at<'a>(schema: &'a mut Value, place: &[Step]) -> Option<&'a mut Value> {
    place.iter().try_fold(schema, |node, step| match step {
        Step::Key(key) => node.get_mut(*key),
        Step::Index(i) => node.get_mut(*i),
    })
}

fn change(node: &mut Value, rng: &mut StdRng) {
    let kind = match &*node {
        Value::Array(_) => "union",
        Value::Object(own) => own.get("type").and_then(Value::as_str).unwrap_or("union").to_owned().leak(),
        _ => "name",
    };
    match (kind, rng.random_range(0..10)) {
        // What can befall every type.
        ("union", 0 | 1) | ("name", 0..=3) | (_, 0) => *node = primitive(rng),
        (_, 1) => wrap(node, rng),
        ("record", 2) => alias_of_the_type(node, rng),
        ("record", _) => record(node, rng),
        ("enum", _) => enumeration(node, rng),
        ("fixed", 2..=5) => node["size"] = json!(rng.random_range(1..20)),
        ("fixed", _) => alias_of_the_type(node, rng),
        ("union", _) => union(node, rng),
        ("array", 2 | 3) => *node = json!({"type": "map", "values": node["items"]}),
        ("map", 2 | 3) => *node = json!({"type": "array", "items": node["values"]}),
        ("array" | "map", _) => {}
        _ => primitive_kind(node, rng),
    }
}

/// Makes a type nullable.
fn wrap(node: &mut Value, rng: &mut StdRng) {
    match &node {
        Value::Array(branches) => *node = branches.choose(rng).cloned().unwrap_or(json!("null")),
        Value::String(name) if name == "null" => *node = json!("int"),
        _ if rng.random() => *node = json!(["null", node.take()]),
        _ => *node = json!([node.take(), "null"]),
    }
}

fn union(node: &mut Value, rng: &mut StdRng) {
    let Value::Array(branches) = node else { return };
    match rng.random_range(0..3) {
        0 => branches.reverse(),
        1 if branches.len() > 1 => drop(branches.remove(rng.random_range(0..branches.len()))),
        _ => {
            let more = primitive(rng);
            // A schema has a primitive type once in a union.
            if !branches.contains(&more) {
                branches.push(more);
            }
        }
    }
}

/// Another logical type, another number, text for bytes.
fn primitive_kind(node: &mut Value, rng: &mut StdRng) {
    let name = node.as_str().or_else(|| node["type"].as_str()).unwrap_or("int").to_owned();
    let other = match name.as_str() {
        "int" => "long",
        "long" => ["int", "double", "float"].choose(rng).unwrap(),
        "float" => ["double", "long"].choose(rng).unwrap(),
        "double" => "float",
        "string" => "bytes",
        "bytes" => "string",
        // A type by its name stays.
        other if !PRIMITIVES.contains(&other) => return,
        _ => "int",
    };
    match rng.random_range(0..4) {
        0 => *node = json!({"type": name, "logicalType": "timestamp-micros"}),
        1 => *node = json!({"type": name, "logicalType": "decimal", "precision": 20, "scale": 4, "doc": "money"}),
        _ => *node = json!(other),
    }
}

/// Another name, with or without the old one as an alias; or an alias or a namespace alone.
fn alias_of_the_type(node: &mut Value, rng: &mut StdRng) {
    let name = node["name"].as_str().unwrap_or_default().to_owned();
    let space = node["namespace"].as_str().map_or(String::new(), |space| format!("{space}."));
    match rng.random_range(0..6) {
        0 => node["name"] = json!(format!("{name}2")),
        1..=3 => {
            let alias = if rng.random() { name.clone() } else { format!("{space}{name}") };
            node["name"] = json!(format!("{name}2"));
            node["aliases"] = json!([alias]);
        }
        4 => node["aliases"] = json!([format!("other.{name}2")]),
        _ => node["namespace"] = json!("moved.elsewhere"),
    }
}

fn enumeration(node: &mut Value, rng: &mut StdRng) {
    let symbols: Vec<Value> = node["symbols"].as_array().cloned().unwrap_or_default();
    match rng.random_range(0..7) {
        0 | 1 => node["symbols"] = json!([symbols, vec![json!("ADDED")]].concat()),
        2 if symbols.len() > 1 => node["symbols"] = json!(symbols[1..]),
        3 => {
            node["symbols"] = json!([symbols, vec![json!("ADDED")]].concat());
            node["default"] = json!("ADDED");
        }
        4 if symbols.len() > 1 => {
            node["default"] = symbols[0].clone();
            node["symbols"] = json!(symbols[..symbols.len() - 1]);
        }
        5 => node["default"] = symbols.first().cloned().unwrap_or(json!("A")),
        _ => alias_of_the_type(node, rng),
    }
}

fn record(node: &mut Value, rng: &mut StdRng) {
    let Some(fields) = node["fields"].as_array_mut() else { return };
    let names: Vec<String> = fields.iter().filter_map(|f| Some(f["name"].as_str()?.to_owned())).collect();
    let which = rng.random_range(0..fields.len().max(1));
    let choice = rng.random_range(0..12);
    if fields.is_empty() || choice < 2 {
        let name = format!("added_{}", rng.random_range(0..9));
        fields.insert(which, column(rng, &name));
        return;
    }
    match choice {
        2 => drop(fields.remove(which)),
        3 => fields.reverse(),
        4 => fields[which]["name"] = json!(format!("{}_renamed", names[which])),
        5 | 6 => {
            fields[which]["name"] = json!(format!("{}_renamed", names[which]));
            fields[which]["aliases"] = json!([names[which]]);
        }
        7 => {
            // The name or the alias of another field as well.
            let other = names.choose(rng).unwrap();
            fields[which]["aliases"] = json!([other, names[which]]);
        }
        8 => {
            let field = fields[which].as_object_mut().unwrap();
            if field.remove("default").is_none() {
                field.insert("default".to_owned(), Value::Null);
            }
        }
        9 => fields[which]["doc"] = json!("said"),
        _ => {
            let field = &mut fields[which]["type"];
            wrap(field, rng);
        }
    }
}

pub fn full_name(own: &Map<String, Value>) -> Option<String> {
    let name = own.get("name")?.as_str()?;
    let space = own.get("namespace").and_then(Value::as_str);
    Some(space.map_or(name.to_owned(), |space| format!("{space}.{name}")))
}

fn definitions(ty: &Value, named: &mut BTreeMap<String, Value>) {
    match ty {
        Value::Array(branches) => branches.iter().for_each(|branch| definitions(branch, named)),
        Value::Object(own) => {
            if let Some(name) = full_name(own) {
                named.insert(name, ty.clone());
            }
            own.get("items").into_iter().chain(own.get("values")).for_each(|ty| definitions(ty, named));
            let fields = own.get("fields").and_then(Value::as_array).into_iter().flatten();
            fields.for_each(|field| definitions(&field["type"], named));
        }
        _ => {}
    }
}

/// The same schema with each name defined where it comes first, and named after that.
fn settled(ty: &Value, named: &BTreeMap<String, Value>, done: &mut Vec<String>) -> Value {
    match ty {
        Value::Array(branches) => Value::Array(branches.iter().map(|branch| settled(branch, named, done)).collect()),
        Value::String(name) if !PRIMITIVES.contains(&name.as_str()) && !done.contains(name) => {
            named.get(name).map_or_else(|| ty.clone(), |definition| settled(definition, named, done))
        }
        Value::Object(own) => {
            if let Some(name) = full_name(own) {
                if done.contains(&name) {
                    return json!(name);
                }
                done.push(name);
            }
            let mut own = own.clone();
            for key in ["items", "values"] {
                if let Some(ty) = own.get_mut(key) {
                    *ty = settled(ty, named, done);
                }
            }
            for field in own.get_mut("fields").and_then(Value::as_array_mut).into_iter().flatten() {
                field["type"] = settled(&field["type"], named, done);
            }
            Value::Object(own)
        }
        _ => ty.clone(),
    }
}
