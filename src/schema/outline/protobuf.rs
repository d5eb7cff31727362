//! The outline of a Protobuf schema: the fields of its first message, by their numbers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::protobuf_text::{Field, File, Message, read};
use super::{MOST_NESTED, Member, Room};
use crate::schema::change::{ChangeKind, Effect};
use crate::schema::verdict::SubjectText;

/// Reads it.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn outline(text: &SubjectText) -> Result<Member, String> {
    let own = read(&text.schema)?;
    let referenced: Vec<File> = text.references.iter().filter_map(|(_, text)| read(text).ok()).collect();
    let mut types = Types { messages: BTreeMap::new(), enums: BTreeMap::new(), room: Room::new(), open: Vec::new() };
    for file in referenced.iter().chain([&own]) {
        let full =
            |name: &str| if file.package.is_empty() { name.to_owned() } else { format!("{}.{name}", file.package) };
        types.messages.extend(file.messages.iter().map(|message| (full(&message.name), message)));
        types.enums.extend(file.enums.iter().map(|one| (full(&one.name), one.values.as_slice())));
    }
    let Some(first) = own.messages.first() else { return Err("it has no message".to_owned()) };
    let scope = if own.package.is_empty() { first.name.clone() } else { format!("{}.{}", own.package, first.name) };
    let ty = format!("message {}", first.name);
    Ok(Member { ty, inside: types.fields(first, &scope), namespace: own.package.clone(), ..Member::default() })
}

/// What another type means, by how its values are encoded: a field of another encoding is read as if it were absent.
pub(super) fn retyped(old: &Member, new: &Member) -> (ChangeKind, (Effect, Effect)) {
    let wrong = (Effect::WrongValues, Effect::WrongValues);
    match (old.ty.as_str(), new.ty.as_str()) {
        (a, b) if a.starts_with("message ") && b.starts_with("message ") && old.inside == new.inside => {
            (ChangeKind::TypeName, (Effect::Fine, Effect::Fine))
        }
        // What does not fit loses its upper bits.
        ("int32" | "bool", "int64") | ("uint32" | "bool", "uint64") | ("sint32", "sint64") => {
            (ChangeKind::Widened, (Effect::WrongValues, Effect::Fine))
        }
        ("int64", "int32" | "bool") | ("uint64", "uint32" | "bool") | ("sint64", "sint32") => {
            (ChangeKind::Narrowed, (Effect::Fine, Effect::WrongValues))
        }
        (a, b) if encoding(a) == encoding(b) => (ChangeKind::TypeChanged, wrong),
        _ => (ChangeKind::TypeChanged, (Effect::Nulls, Effect::Nulls)),
    }
}

/// How values of the type are encoded.
fn encoding(ty: &str) -> u8 {
    match ty {
        "int32" | "int64" | "uint32" | "uint64" | "sint32" | "sint64" | "bool" => 0,
        "fixed64" | "sfixed64" | "double" => 1,
        "fixed32" | "sfixed32" | "float" => 5,
        other if other.starts_with("enum ") => 0,
        // Texts, bytes, messages, and what is there many times.
        _ => 2,
    }
}

const SCALARS: [&str; 15] = [
    "double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32",
    "sfixed64", "bool", "string", "bytes",
];

struct Types<'a> {
    messages: BTreeMap<String, &'a Message>,
    enums: BTreeMap<String, &'a [String]>,
    room: Room,
    /// Messages whose fields are being made.
    open: Vec<String>,
}

impl Types<'_> {
    /// The fields of `message`, whose full name is `scope`.
    fn fields(&mut self, message: &Message, scope: &str) -> Vec<Member> {
        self.open.push(scope.to_owned());
        let (mut fields, mut seen) = (Vec::new(), BTreeSet::new());
        for field in &message.fields {
            // No compiler takes a number twice; the first counts.
            if !seen.insert(&field.number) {
                continue;
            }
            if !self.room.take() {
                break;
            }
            fields.push(self.member(field, scope));
        }
        self.open.pop();
        fields
    }

    fn member(&mut self, field: &Field, scope: &str) -> Member {
        let mut member = Member {
            key: field.number.clone(),
            name: field.name.clone(),
            optional: field.label != "required",
            default: field.default.clone().map(Value::from),
            rules: field.oneof.iter().map(|oneof| ("oneof".to_owned(), oneof.clone())).collect(),
            ..Member::default()
        };
        let ty = field.ty.as_str();
        let word = if SCALARS.contains(&ty) {
            ty.to_owned()
        } else if let Some((name, values)) = find(&self.enums, ty, scope) {
            if self.room.text(values.iter().map(String::len).sum()) {
                member.symbols = values.to_vec();
            }
            format!("enum {name}")
        } else if let Some((name, message)) = find(&self.messages, ty, scope) {
            if !self.open.contains(&name) && self.open.len() < MOST_NESTED {
                member.inside = self.fields(message, &name);
            }
            format!("message {}", message.name)
        } else {
            format!("message {}", ty.trim_start_matches('.'))
        };
        let many = field.label == "repeated" || field.label.starts_with("map");
        member.ty = if many { format!("{} {word}", field.label) } else { word };
        member
    }
}

/// The type that `name` means inside `scope`: the innermost one.
fn find<T: Copy>(all: &BTreeMap<String, T>, name: &str, scope: &str) -> Option<(String, T)> {
    if let Some(full) = name.strip_prefix('.') {
        return all.get(full).map(|found| (full.to_owned(), *found));
    }
    let outward = std::iter::successors(Some(scope), |scope| scope.rsplit_once('.').map(|(outer, _)| outer));
    let names = outward.map(|scope| format!("{scope}.{name}")).chain([name.to_owned()]);
    names.into_iter().find_map(|name| all.get(&name).map(|found| (name.clone(), *found)))
}
