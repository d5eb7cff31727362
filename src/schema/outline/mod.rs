//! Protobuf and JSON Schema, compared as far as it goes: by field number and by property name.
//!
//! Rules: what is found is told as changes, each with its class, and is no judgement: the answer for such a subject stays
//! `unknown`, whatever is found. Of Protobuf the first message counts, with the messages that it names; a field is known by
//! its number. Of JSON Schema the properties count, through local references; other rules of a property (patterns, limits,
//! `allOf`) are told where they differ and not looked into. A Debezium envelope is told by its fields, as in Avro.

mod compare;
mod json_schema;
mod protobuf;
mod protobuf_text;

use std::collections::BTreeMap;

use serde_json::Value;

use super::change::{Change, ChangeKind, Effect};
use super::kind::SchemaKind;
use super::verdict::SubjectText;

/// Members in one outline; a type that is named often can make the whole without end.
const MOST_MEMBERS: usize = 20_000;

/// Bytes of comments, enum values and rules in one outline: each member of a type holds those of the type.
const MOST_TEXT: usize = 10_000_000;

/// How deep members are looked into.
const MOST_NESTED: usize = 30;

/// The differences from `old` to `new`, whose language is Protobuf or JSON Schema; none for other languages.
///
/// # Errors
/// Why one of the two cannot be read.
pub(super) fn changes(kind: &SchemaKind, old: &SubjectText, new: &SubjectText) -> Result<Vec<Change>, String> {
    let read = |text: &SubjectText| match kind {
        SchemaKind::Protobuf => protobuf::outline(text).map(Some),
        SchemaKind::Json => json_schema::outline(text).map(Some),
        _ => Ok(None),
    };
    let retyped = if *kind == SchemaKind::Protobuf { protobuf::retyped } else { json_schema::retyped };
    let of = |which: &str, text| read(text).map_err(|problem| format!("{which} cannot be read: {problem}"));
    let (Some(new), Some(old)) = (of("the new version", new)?, of("the old version", old)?) else {
        return Ok(Vec::new());
    };
    Ok(compare::compare(&old, &new, retyped))
}

/// A field, a property, or the whole.
#[derive(Clone, Debug, Default, PartialEq)]
struct Member {
    /// What it is known by: a field's number, a property's name.
    key: String,
    name: String,
    /// The type in the language's own words.
    ty: String,
    /// What the type's annotations add, in words.
    meaning: String,
    /// Whether it may be left out or be null.
    optional: bool,
    default: Option<Value>,
    doc: Option<String>,
    /// Values of an enum.
    symbols: Vec<String>,
    /// Fields of its message, properties of its object.
    inside: Vec<Member>,
    /// Rules that are not looked into, by their keywords.
    rules: BTreeMap<String, String>,
    /// Where its type is defined: Protobuf's package.
    namespace: String,
}

/// What a change of type is, and what a table of the old type makes of new records, and the other way round.
type Retyped = fn(&Member, &Member) -> (ChangeKind, (Effect, Effect));

/// Members, and bytes of their texts, that may still be made.
struct Room(usize, usize);

impl Room {
    fn new() -> Self {
        Self(MOST_MEMBERS, MOST_TEXT)
    }

    /// Whether there is one more.
    fn take(&mut self) -> bool {
        let is_left = self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        is_left
    }

    /// Whether there is room for so many bytes more.
    fn text(&mut self, bytes: usize) -> bool {
        let fits = bytes < self.1;
        self.1 = self.1.saturating_sub(bytes);
        fits
    }
}
