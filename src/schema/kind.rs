//! The language a subject's schema is written in.
//!
//! Rule: only Avro is judged. Every other kind has a sentence that says why there is no answer, and Protobuf and JSON Schema
//! have their differences told.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Schema language, as the registry's `schemaType` names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum SchemaKind {
    /// `AVRO`, and the default when the registry gives no type.
    #[default]
    Avro,
    /// `PROTOBUF`
    Protobuf,
    /// `JSON`
    Json,
    /// A type that a registry plug-in defines.
    Other(String),
}

impl SchemaKind {
    /// Why this kind is not judged; `None` for Avro.
    pub fn unknown_because(&self) -> Option<String> {
        match self {
            Self::Avro => None,
            Self::Protobuf => {
                Some("PROTOBUF schemas are compared by field number and not judged, only AVRO ones are".into())
            }
            Self::Json => Some("JSON schemas are compared by property name and not judged, only AVRO ones are".into()),
            Self::Other(_) => Some(format!("{self} schemas are not known, only AVRO ones are judged")),
        }
    }
}

impl SchemaKind {
    /// The language of a text of which nothing else is known. What is neither Protobuf nor JSON Schema is taken for Avro, whose
    /// parser says what is wrong with it.
    pub fn of_text(text: &str) -> Self {
        let Ok(json) = serde_json::from_str::<Value>(text) else {
            let text = after_comments(text);
            let first = text.find(|c: char| !c.is_ascii_alphabetic()).map_or(text, |end| text.split_at(end).0);
            return if BEGINS_PROTOBUF.contains(&first) { Self::Protobuf } else { Self::Avro };
        };
        Self::of_json(&json)
    }

    /// The language of a schema that is JSON: JSON Schema or Avro.
    pub(super) fn of_json(json: &Value) -> Self {
        let has = |key: &str| json.get(key).is_some();
        if has("$schema") || has("properties") || has("$ref") || has("$defs") { Self::Json } else { Self::Avro }
    }
}

/// The words that a `.proto` file may begin with.
const BEGINS_PROTOBUF: [&str; 9] =
    ["syntax", "edition", "package", "import", "option", "message", "enum", "service", "extend"];

/// The text from its first word on.
fn after_comments(text: &str) -> &str {
    let mut text = text.trim_start();
    loop {
        let comment = if text.starts_with("//") {
            text.split_once('\n')
        } else if let Some(inside) = text.strip_prefix("/*") {
            inside.split_once("*/")
        } else {
            return text;
        };
        text = comment.map_or("", |(_, rest)| rest.trim_start());
    }
}

impl FromStr for SchemaKind {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.trim().to_ascii_uppercase().as_str() {
            "" | "AVRO" => Self::Avro,
            "PROTOBUF" => Self::Protobuf,
            "JSON" => Self::Json,
            _ => Self::Other(text.trim().to_owned()),
        })
    }
}

impl From<String> for SchemaKind {
    fn from(text: String) -> Self {
        let Ok(kind) = text.parse();
        kind
    }
}

impl From<SchemaKind> for String {
    fn from(kind: SchemaKind) -> Self {
        kind.to_string()
    }
}

impl fmt::Display for SchemaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Avro => "AVRO",
            Self::Protobuf => "PROTOBUF",
            Self::Json => "JSON",
            Self::Other(text) => text,
        })
    }
}
