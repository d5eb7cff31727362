//! The outline of a JSON Schema: its properties, through local references and references of the subject.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{MOST_NESTED, Member, Room};
use crate::schema::change::{ChangeKind, Effect};
use crate::schema::verdict::SubjectText;

/// Keywords that an outline shows, or that say nothing of values.
const KNOWN: [&str; 19] = [
    "$schema",
    "$id",
    "$ref",
    "$defs",
    "$comment",
    "definitions",
    "type",
    "properties",
    "required",
    "items",
    "enum",
    "default",
    "title",
    "description",
    "examples",
    "format",
    "connect.index",
    "connect.version",
    "connect.default",
];

/// Reads it.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn outline(text: &SubjectText) -> Result<Member, String> {
    let read = |text: &str| serde_json::from_str::<Value>(text).map_err(|e| format!("it is not JSON: {e}"));
    let root = read(&text.schema)?;
    let references = text.references.iter().filter_map(|(name, text)| Some((name.clone(), read(text).ok()?))).collect();
    let mut reader = Reader { references, room: Room::new(), open: Vec::new() };
    Ok(reader.member("", &root, &root, true))
}

/// What another type means: a number that takes more numbers is wider, everything else is not read.
pub(super) fn retyped(old: &Member, new: &Member) -> (ChangeKind, (Effect, Effect)) {
    match (old.ty.as_str(), new.ty.as_str()) {
        ("integer", "number") => (ChangeKind::Widened, (Effect::Fails, Effect::Fine)),
        ("number", "integer") => (ChangeKind::Narrowed, (Effect::Fine, Effect::Fails)),
        _ => (ChangeKind::TypeChanged, (Effect::Fails, Effect::Fails)),
    }
}

struct Reader {
    /// Schemas that the subject refers to, by name.
    references: Vec<(String, Value)>,
    room: Room,
    /// References that are being followed.
    open: Vec<String>,
}

impl Reader {
    /// The property `name`, described by `schema`, a part of `root`.
    fn member(&mut self, name: &str, schema: &Value, root: &Value, required: bool) -> Member {
        let mut member =
            Member { key: name.to_owned(), name: name.to_owned(), optional: !required, ..Member::default() };
        self.describe(&mut member, schema, root);
        member
    }

    fn describe(&mut self, member: &mut Member, schema: &Value, root: &Value) {
        let Some(own) = schema.as_object() else {
            let any = if schema == &Value::Bool(false) { "nothing" } else { "anything" };
            any.clone_into(&mut member.ty);
            return;
        };
        // Once there is no room no more are made, not even to be thrown away.
        if self.room.text(0) {
            annotations(member, own);
        }
        let texts = member.symbols.iter().chain(member.rules.values()).chain(&member.doc);
        if !self.room.text(texts.map(String::len).sum()) {
            *member = Member {
                key: std::mem::take(&mut member.key),
                name: std::mem::take(&mut member.name),
                optional: member.optional,
                ..Member::default()
            };
        }
        if self.open.len() >= MOST_NESTED || !self.room.take() {
            "more than is looked into".clone_into(&mut member.ty);
            return;
        }
        if let Some(reference) = own.get("$ref").and_then(Value::as_str) {
            return self.follow(member, reference, root);
        }
        if let Some((keyword, branches)) = ["oneOf", "anyOf"].iter().find_map(|k| Some((*k, own.get(*k)?.as_array()?)))
        {
            let is_null = |branch: &&Value| branch.get("type").and_then(Value::as_str) == Some("null");
            member.optional |= branches.iter().any(|branch| is_null(&branch));
            let rest: Vec<&Value> = branches.iter().filter(|branch| !is_null(branch)).collect();
            if let [only] = rest.as_slice() {
                return self.nested(member, only, root);
            }
            "one of several types".clone_into(&mut member.ty);
            member
                .rules
                .insert(keyword.to_owned(), Value::from(rest.into_iter().cloned().collect::<Vec<_>>()).to_string());
            return;
        }
        member.ty = self.type_words(member, own);
        if let Some(properties) = own.get("properties").and_then(Value::as_object) {
            let required: BTreeSet<&str> =
                own.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
            self.open.push(String::new());
            for (name, property) in properties {
                let inner = self.member(name, property, root, required.contains(name.as_str()));
                member.inside.push(inner);
            }
            self.open.pop();
        }
        if let Some(items) = own.get("items").filter(|items| items.is_object()) {
            let mut inner = Member::default();
            self.nested(&mut inner, items, root);
            member.ty = format!("array of {}", inner.ty);
            member.inside = inner.inside;
        }
    }

    fn nested(&mut self, member: &mut Member, schema: &Value, root: &Value) {
        self.open.push(String::new());
        self.describe(member, schema, root);
        self.open.pop();
    }

    fn follow(&mut self, member: &mut Member, reference: &str, root: &Value) {
        let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let other = self.references.iter().find(|(name, _)| name == file).map(|(_, schema)| schema.clone());
        let whole = if file.is_empty() { Some(root) } else { other.as_ref() };
        let target = whole.and_then(|whole| Some((whole, whole.pointer(pointer)?)));
        match target {
            Some((whole, target)) if !self.open.iter().any(|open| open == reference) => {
                self.open.push(reference.to_owned());
                self.describe(member, target, whole);
                self.open.pop();
            }
            _ => member.ty = format!("what {reference} says"),
        }
    }

    /// The types without null.
    fn type_words(&mut self, member: &mut Member, own: &Map<String, Value>) -> String {
        let mut words: Vec<&str> = match own.get("type") {
            Some(Value::String(word)) => vec![word],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ if own.contains_key("properties") => vec!["object"],
            _ if own.contains_key("enum") => vec!["one of some values"],
            _ => vec!["anything"],
        };
        if words.len() > 1 && words.contains(&"null") {
            member.optional = true;
            words.retain(|word| *word != "null");
        }
        words.sort_unstable();
        words.join(" or ")
    }
}

/// What stands beside the type.
fn annotations(member: &mut Member, own: &Map<String, Value>) {
    let text = |key: &str| own.get(key).and_then(Value::as_str);
    // Connect writes the name of a type as the title; other titles are for people.
    let of_connect = ["org.apache.kafka.connect.", "io.debezium."];
    let title = text("title").filter(|title| of_connect.iter().any(|begin| title.starts_with(begin)));
    let parameters = own.get("connect.parameters").map(Value::to_string);
    let words = [text("format"), text("connect.type"), title, parameters.as_deref()];
    let words: Vec<&str> = words.into_iter().flatten().collect();
    if !words.is_empty() {
        member.meaning = words.join(", ");
    }
    member.doc = text("description").map(str::to_owned).or(member.doc.take());
    member.default = own.get("default").filter(|d| !d.is_null()).cloned().or(member.default.take());
    if let Some(values) = own.get("enum").and_then(Value::as_array) {
        member.symbols = values.iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect();
    }
    let looked_into = ["oneOf", "anyOf", "connect.type", "connect.parameters"];
    let rules = own.iter().filter(|(k, _)| !KNOWN.contains(&k.as_str()) && !looked_into.contains(&k.as_str()));
    member.rules.extend(rules.map(|(key, value)| (key.clone(), value.to_string())));
}
