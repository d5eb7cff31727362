//! What the library does not look at: pairs that differ in one such thing alone read each other.

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use cyanotype::schema::rule::AllRules;

use super::{Pair, mutations, of_java, ours, read, schemas};

/// How many pairs differ in each thing.
const PAIRS: usize = 60;

/// A thing, and what changes it wherever it is; for lists and objects, the inner ones first.
type Thing = (&'static str, fn(&mut Value));

const THINGS: [Thing; 10] = [
    ("logical types", |part| {
        let is_type =
            |own: &Map<String, Value>| own.get("type").is_some_and(|ty| schemas::PRIMITIVES.iter().any(|p| ty == p));
        match part {
            Value::Object(own) if is_type(own) && !own.contains_key("name") => {
                own.insert("logicalType".to_owned(), json!("timestamp-nanos"));
            }
            Value::Object(own) if is_type(own) => {
                let ty = json!({"type": own["type"], "logicalType": "date"});
                own.insert("type".to_owned(), ty);
            }
            _ => {}
        }
    }),
    ("comments", |part| put(part, "doc", &json!("another"))),
    ("the sort order", |part| {
        if is_field(part) {
            put(part, "order", &json!("descending"));
        }
    }),
    ("other properties", |part| put(part, "connect.version", &json!(7))),
    ("namespaces", |part| {
        for key in ["namespace", "type", "items", "values"] {
            if let Some(name) = part.get_mut(key) {
                moved(name);
            }
        }
        if let Value::Array(branches) = part {
            branches.iter_mut().for_each(moved);
        }
        if let Some(Value::String(name)) =
            part.get_mut("name").filter(|name| name.as_str().is_some_and(|n| n.contains('.')))
        {
            *name = format!("moved.{name}");
        }
    }),
    ("the order of fields", |part| reverse(part, "fields")),
    ("the order of symbols", |part| reverse(part, "symbols")),
    ("the order of branches", |part| {
        if let Value::Array(branches) = part
            && !branches.iter().any(is_field)
        {
            branches.reverse();
        }
    }),
    ("values of defaults", |part| {
        // A number stays one: that of a float the library reads at once.
        if is_field(part) && part.get("default").is_some_and(Value::is_number) {
            put(part, "default", &json!(7));
        }
    }),
    ("aliases that nobody has", |part| {
        if part.get("name").is_some() && !is_field(part) {
            put(part, "aliases", &json!(["elsewhere.Nobody"]));
        }
    }),
];

fn is_field(part: &Value) -> bool {
    let named = part.get("name").is_some() && part.get("type").is_some();
    named && ["fields", "symbols", "size"].iter().all(|key| part.get(key).is_none())
}

fn put(part: &mut Value, key: &str, value: &Value) {
    if let Value::Object(own) = part
        && own.contains_key("type")
    {
        own.insert(key.to_owned(), value.clone());
    }
}

fn reverse(part: &mut Value, key: &str) {
    if let Some(Value::Array(all)) = part.get_mut(key) {
        all.reverse();
    }
}

/// The name of a type, or a namespace, elsewhere.
fn moved(name: &mut Value) {
    if let Value::String(word) = name
        && ["shop", "list", "many", "io", "n0", "n1"].iter().any(|space| word.split('.').next() == Some(space))
    {
        *word = format!("moved.{word}");
    }
}

/// Visits every object and list that is no default, the inner ones first.
fn walk(json: &mut Value, visit: &fn(&mut Value)) {
    match json {
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, visit)),
        Value::Object(own) => {
            let parts = ["type", "fields", "items", "values"];
            own.iter_mut().filter(|(key, _)| parts.contains(&key.as_str())).for_each(|(_, part)| walk(part, visit));
        }
        _ => {}
    }
    if !json.is_string() {
        visit(json);
    }
}

#[test]
#[ignore = "needs Java and Avro's library: ./x oracle"]
fn avro_does_not_look_at_what_we_do_not_look_at() {
    for (thing, change) in THINGS {
        let mut rng = StdRng::seed_from_u64(11);
        let mut pairs = Vec::new();
        while pairs.len() < PAIRS {
            let old = schemas::base(&mut rng);
            let mut new = old.clone();
            walk(&mut new, &change);
            if new != old {
                let new = if thing.starts_with("the order") { mutations::resettled(&old, &new) } else { new };
                pairs.push(Pair { old, new });
            }
        }
        let yes = |answer: Option<(bool, bool)>, pair: &Pair, who: &str| {
            assert_eq!(answer, Some((true, true)), "{thing}, {who}:\n{}\n{}", pair.old, pair.new);
        };
        for (pair, theirs) in pairs.iter().zip(of_java(&pairs)) {
            yes(theirs, pair, "the library");
            yes(ours(&read(pair), &mut AllRules), pair, "we");
        }
        println!("avro: {} pairs that differ in {thing} alone read each other", pairs.len());
    }
}
