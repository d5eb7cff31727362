//! The smallest pair that still shows a disagreement.

use serde_json::Value;

use super::Pair;

/// Takes parts away, one after the other, as long as `differs` says that the answers differ; it is asked about many pairs
/// at once.
pub fn minimal(mut pair: Pair, differs: impl Fn(&[Pair]) -> Vec<bool>) -> Pair {
    loop {
        let smaller: Vec<Pair> = candidates(&pair);
        let Some(at) = differs(&smaller).into_iter().position(|differs| differs) else { return pair };
        pair = smaller[at].clone();
    }
}

/// Pairs with one part less, in one of the two or at the same place in both, and pairs of one part; the largest parts first.
fn candidates(pair: &Pair) -> Vec<Pair> {
    let mut found = Vec::new();
    for place in places(&pair.old) {
        // A part alone, where both have one there.
        if let (Some(old), Some(new)) = (pair.old.pointer(&place), pair.new.pointer(&place)) {
            found.push(Pair { old: old.clone(), new: new.clone() });
        }
        let old = without(&pair.old, &place);
        found.push(Pair { old: old.clone(), new: without(&pair.new, &place) });
        found.push(Pair { old, new: pair.new.clone() });
    }
    for place in places(&pair.new) {
        found.push(Pair { old: pair.old.clone(), new: without(&pair.new, &place) });
    }
    found.retain(|smaller| smaller != pair);
    found
}

/// JSON pointers of everything below the top, the upper ones first.
fn places(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = std::collections::VecDeque::from([(String::new(), schema)]);
    while let Some((place, value)) = open.pop_front() {
        let below: Vec<(String, &Value)> = match value {
            Value::Object(own) => {
                own.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
            }
            Value::Array(all) => all.iter().enumerate().map(|(i, value)| (i.to_string(), value)).collect(),
            _ => Vec::new(),
        };
        for (key, value) in below {
            let place = format!("{place}/{key}");
            found.push(place.clone());
            open.push_back((place, value));
        }
    }
    found
}

/// The schema without what is at that place, if there is something.
fn without(schema: &Value, place: &str) -> Value {
    let mut schema = schema.clone();
    let Some((parent, key)) = place.rsplit_once('/') else { return schema };
    match schema.pointer_mut(parent) {
        Some(Value::Object(own)) => drop(own.remove(&key.replace("~1", "/").replace("~0", "~"))),
        Some(Value::Array(all)) => match key.parse::<usize>() {
            Ok(at) if at < all.len() => drop(all.remove(at)),
            _ => {}
        },
        _ => {}
    }
    schema
}
