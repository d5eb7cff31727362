//! Two schemas of which nothing is known but their texts, side by side: what `cyanotype compat` answers.
//!
//! Rules: both directions are judged whatever the level asks; the level's answer follows from them. A text is a schema, or
//! a registry's answer that holds one. In a batch each line is a pair of its own: what is wrong with one is said with its
//! number, and the next one is read all the same.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::avro::SchemaError;
use super::change::Change;
use super::compat::Incompatibility;
use super::declared::{ColumnChange, column_changes};
use super::flaw::{Flaw, Remark, Version};
use super::kind::SchemaKind;
use super::level::{Direction, Level, RegistryVerdict};
use super::parse::parse_json;
use super::verdict::{Assessment, Concern, DataVerdict, SubjectText, assess, assess_read, assess_texts};

/// A schema, in a language.
#[derive(Debug)]
pub struct Given {
    /// The language, as the registry's answer says it or as the text shows it.
    pub kind: SchemaKind,
    text: String,
    /// The text as JSON, where it is some.
    json: Result<Value, SchemaError>,
}

impl Given {
    /// From a schema, or from the registry's answer to `GET /subjects/S/versions/V`, which holds one.
    pub fn new(text: String) -> Self {
        let json = read(&text);
        let held = json.as_ref().ok().filter(|json| json.get("type").is_none());
        let held = held.and_then(|json| Some((json.get("schema")?.as_str()?, json.get("schemaType"))));
        if let Some((schema, kind)) = held {
            let kind = kind.and_then(Value::as_str).unwrap_or_default().to_owned().into();
            return Self { kind, json: read(schema), text: schema.to_owned() };
        }
        let kind = json.as_ref().map_or_else(|_| SchemaKind::of_text(&text), SchemaKind::of_json);
        Self { kind, text, json }
    }

    /// Whether it can be read, where it is Avro.
    ///
    /// # Errors
    /// Why it is no Avro schema.
    pub fn sound(&self) -> Result<(), SchemaError> {
        if self.kind == SchemaKind::Avro { self.avro().map(drop) } else { Ok(()) }
    }

    /// It as Avro.
    ///
    /// # Errors
    /// Why it is none.
    pub fn avro(&self) -> Result<super::AvroSchema, SchemaError> {
        parse_json(self.json.as_ref().map_err(Clone::clone)?, self.text.clone())
    }

    fn source(&self) -> SubjectText {
        SubjectText { schema: self.text.clone(), references: Vec::new() }
    }
}

fn read(text: &str) -> Result<Value, SchemaError> {
    serde_json::from_str(text).map_err(|e| SchemaError::NotJson { detail: e.to_string() })
}

/// The answer about two schemas.
#[derive(Debug, Serialize)]
pub struct Pair {
    /// The level that was asked for.
    pub level: Level,
    /// Whether a registry with the level takes it; unknown for what is not judged.
    pub compatible: Option<bool>,
    /// Whether the new schema reads the old one's records.
    pub backward: Option<bool>,
    /// Whether the old schema reads the new one's records.
    pub forward: Option<bool>,
    /// Both.
    pub full: Option<bool>,
    /// Why no registry takes the new schema, whatever the level. The old one may be stored since a registry took it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Flaw>,
    /// Why a direction fails.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failing>,
    /// The answer for the data.
    pub data: DataVerdict,
    /// What makes it, worst first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub concerns: Vec<Concern>,
    /// What a strict parser refuses of the two.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Remark>,
    /// Every difference.
    pub changes: Vec<Change>,
    /// The columns of it that a Flink table declares otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnChange>,
}

/// A direction that fails.
#[derive(Debug, Serialize)]
pub struct Failing {
    /// Which one.
    pub direction: Direction,
    /// Why, at least one.
    pub reasons: Vec<Incompatibility>,
}

impl Pair {
    /// Compares the two; `key` says that they are those of a record's key.
    pub fn of(old: &Given, new: &Given, level: Level, key: bool) -> Self {
        let mut columns = Vec::new();
        let assessed = if old.kind != new.kind {
            let because =
                format!("the old schema is {} and the new one {}: languages are not compared", old.kind, new.kind);
            Assessment::unknown(Level::Full, because)
        } else if new.kind == SchemaKind::Avro {
            match (old.avro(), new.avro()) {
                (Ok(old), Ok(new)) => {
                    let earlier = [(1, old)];
                    let assessed = assess(Level::Full, key, &new, &earlier);
                    columns.extend(earlier.iter().flat_map(|(_, old)| column_changes(old, &new, &assessed.changes)));
                    assessed
                }
                (old, new) => assess_read(Level::Full, key, new, std::iter::once((1, old))),
            }
        } else {
            assess_texts(&new.kind, Level::Full, key, &new.source(), &[(1, old.source())])
        };
        let Assessment { registry, data, changes, concerns, remarks, .. } = assessed;
        let judged = !matches!(registry.verdict, RegistryVerdict::Unknown { .. });
        let fails = |direction| registry.failures.iter().any(|failure| failure.direction == direction);
        let (backward, forward) = (!fails(Direction::Backward), !fails(Direction::Forward));
        let compatible = level.directions().iter().all(|direction| !fails(*direction));
        let allows_anything = level == Level::None && new.sound().is_ok();
        let refused = remarks.iter().filter(|remark| remark.flaw.never_taken && remark.schema != Version::Old);
        let refused: Vec<Flaw> = refused.map(|remark| remark.flaw.clone()).collect();
        let failures = registry.failures.into_iter();
        Self {
            level,
            compatible: match () {
                () if !refused.is_empty() => Some(false),
                () if allows_anything => Some(true),
                () => judged.then_some(compatible),
            },
            backward: judged.then_some(backward),
            forward: judged.then_some(forward),
            full: judged.then_some(backward && forward),
            refused,
            failures: failures.map(|f| Failing { direction: f.direction, reasons: f.reasons }).collect(),
            data,
            concerns,
            warnings: remarks,
            changes,
            columns,
        }
    }

    /// Whether the level allows it and the data stay right.
    pub fn good(&self) -> Option<bool> {
        match (self.compatible?, self.data) {
            (true, DataVerdict::Unknown) => None,
            (compatible, data) => Some(compatible && data <= DataVerdict::SafeWithHistoryCaveat),
        }
    }
}

/// A line of a batch, as it is asked.
#[derive(Default)]
struct Question<'a> {
    id: Value,
    old: Option<&'a RawValue>,
    new: Option<&'a RawValue>,
    /// Its other keys.
    ignored: BTreeSet<String>,
}

/// Reads the line once: the schemas stay texts, and what no question has is kept by its name.
struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = Question<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut question = Question::default();
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let known = ["id", "old", "new"].into_iter().find(|known| *known == key);
            if let Some(known) = known
                && !seen.insert(known)
            {
                return Err(A::Error::duplicate_field(known));
            }
            match known {
                Some("id") => question.id = map.next_value()?,
                Some("old") => question.old = map.next_value()?,
                Some(_) => question.new = map.next_value()?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                    question.ignored.insert(key);
                }
            }
        }
        Ok(question)
    }
}

impl<'de> Deserialize<'de> for Question<'de> {
    fn deserialize<D: Deserializer<'de>>(line: D) -> Result<Self, D::Error> {
        line.deserialize_map(Keys)
    }
}

/// The answer to a line of a batch.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answered {
    /// The line holds a pair.
    Compared {
        /// As the line says it.
        id: Value,
        /// The answer.
        #[serde(flatten)]
        pair: Box<Pair>,
        /// Keys of the line that are not read.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        ignored: Vec<String>,
    },
    /// It does not.
    Wrong {
        /// As the line says it, null where that is not to be seen.
        id: Value,
        /// What is wrong, with the line's number.
        error: String,
    },
}

impl Answered {
    /// The answer to the line with this number, `{"id", "old", "new"}`. A schema stands there as itself or as a text.
    pub fn to(line: &[u8], number: usize, level: Level, key: bool) -> Self {
        let wrong = |id, what: &str| Self::Wrong { id, error: format!("line {number}: {what}") };
        let Ok(line) = std::str::from_utf8(line) else { return wrong(Value::Null, "it is not UTF-8") };
        let is_object = line.trim_start().starts_with('{');
        let question: Question = match serde_json::from_str(line) {
            Ok(question) if is_object => question,
            Err(error) if !error.is_data() => {
                return wrong(Value::Null, &format!("it is not JSON, from column {} on", error.column()));
            }
            Err(error) if is_object => {
                let text = error.to_string();
                return wrong(Value::Null, text.split_once(" at line ").map_or(&text, |(what, _)| what));
            }
            _ => return wrong(Value::Null, "it is no object with `old` and `new`"),
        };
        let id = question.id;
        let (Some(old), Some(new)) = (question.old, question.new) else {
            return wrong(id, "`old` and `new` are needed");
        };
        let ignored = question.ignored.into_iter().collect();
        Self::Compared { id, pair: Box::new(Pair::of(&given(old), &given(new), level, key)), ignored }
    }

    /// Whether the level allows it and the data stay right; unknown for a line that is wrong.
    pub fn good(&self) -> Option<bool> {
        match self {
            Self::Compared { pair, .. } => pair.good(),
            Self::Wrong { .. } => None,
        }
    }
}

/// The text of a schema, or the schema itself.
fn given(raw: &RawValue) -> Given {
    let raw = raw.get();
    let is_quoted = raw.starts_with('"');
    let quoted = is_quoted.then(|| serde_json::from_str::<String>(raw).ok()).flatten();
    let Some(text) = quoted else { return Given::new(raw.to_owned()) };
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    let is_text = text.trim_start().starts_with(['{', '[', '"']) || SchemaKind::of_text(&text) != SchemaKind::Avro;
    // The name of a type alone.
    Given::new(if is_text { text } else { raw.to_owned() })
}
