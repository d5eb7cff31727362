//! How records of one schema are read, and what one record shows.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::decode::RowReader;
use super::{Op, placeholder};
use crate::schema::{self, AvroSchema, SchemaKind, Shape};

/// How records of one schema are read.
pub struct Writer {
    how: How,
    /// Full name of the record.
    record: Option<String>,
}

enum How {
    /// It has a reader.
    Read(Reading),
    /// Nothing of it can be read, and why.
    Unreadable(String),
}

struct Reading {
    reader: RowReader,
    /// The column that says what a record does, if there is one.
    op: Option<&'static str>,
    /// The row is under `after`.
    envelope: bool,
    /// Columns whose NULLs are counted.
    counted: Vec<String>,
}

/// What one record showed.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub op: Option<Op>,
    pub unreadable: Option<String>,
    /// Nobody knows whether a counted column is NULL in it.
    pub row_unread: bool,
    pub without_before: bool,
    /// Counted columns that its row has, with whether they are NULL.
    pub columns: Vec<(String, bool)>,
    /// Columns that hold the placeholder.
    pub placeholders: Vec<String>,
}

impl Look {
    pub(super) fn unreadable(reason: impl Into<String>) -> Self {
        Self { unreadable: Some(reason.into()), ..Self::default() }
    }
}

impl Writer {
    /// A writer of a registered schema: its kind as the registry has it, its text, and the texts that it refers to.
    pub fn new(kind: &str, text: &str, references: &[(String, String)]) -> Self {
        if let Some(because) = SchemaKind::from(kind.to_owned()).unknown_because() {
            return Self::unknown(because);
        }
        let parsed = match schema::parse(text, references) {
            Ok(parsed) => parsed,
            Err(error) => return Self::unknown(format!("its schema cannot be read: {error}")),
        };
        match RowReader::new(0, text, references) {
            Ok(reader) => Self {
                how: How::Read(Reading {
                    reader,
                    op: op_column(&parsed),
                    envelope: schema::shape(&parsed) == Shape::Envelope,
                    counted: counted(&parsed),
                }),
                record: parsed.record(parsed.root()).map(|(name, _)| name.full()),
            },
            Err(error) => Self::unknown(format!("its schema cannot be read: {}", error.cause)),
        }
    }

    /// A writer whose records cannot be read, because of `reason`.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self { how: How::Unreadable(reason.into()), record: None }
    }

    /// Why none of its records can be read.
    pub fn unreadable(&self) -> Option<&str> {
        match &self.how {
            How::Read(_) => None,
            How::Unreadable(reason) => Some(reason),
        }
    }

    /// Full name of the record that its schema describes.
    pub fn record(&self) -> Option<&str> {
        self.record.as_deref()
    }

    pub(super) fn look(&self, payload: &[u8]) -> Look {
        let reading = match &self.how {
            How::Read(reading) => reading,
            How::Unreadable(reason) => return Look { row_unread: true, ..Look::unreadable(reason) },
        };
        match reading.reader.datum(0, payload) {
            Ok(record) => reading.look(&record),
            Err(fault) => {
                let row_unread = reading.envelope || !reading.counted.is_empty();
                Look { row_unread, ..Look::unreadable(fault.to_string()) }
            }
        }
    }
}

impl Reading {
    fn look(&self, record: &BTreeMap<String, Value>) -> Look {
        let op = self.op.and_then(|column| record.get(column)).and_then(Value::as_str).map(Op::of);
        let after = || record.get("after").and_then(Value::as_object);
        let (columns, placeholders) = if self.envelope {
            let row = after();
            (
                row.map(|row| self.held(|name| row.get(name))).unwrap_or_default(),
                row.map(|row| placeholder::columns(row.iter())).unwrap_or_default(),
            )
        } else {
            (self.held(|name| record.get(name)), placeholder::columns(record.iter()))
        };
        let update = self.envelope && op == Some(Op::Update);
        let without_before = update && record.get("before").is_none_or(Value::is_null);
        Look { op, unreadable: None, row_unread: false, without_before, columns, placeholders }
    }

    fn held<'r>(&self, get: impl Fn(&str) -> Option<&'r Value>) -> Vec<(String, bool)> {
        self.counted.iter().filter_map(|name| Some((name.clone(), get(name)?.is_null()))).collect()
    }
}

/// Columns that are counted in records of this schema.
fn counted(schema: &AvroSchema) -> Vec<String> {
    let open = |f: &schema::RowField| f.nullable && f.default.as_ref().is_some_and(|d| !d.is_null());
    schema::row_fields(schema).into_iter().filter(open).map(|f| f.name).collect()
}

/// A column named `op` says it in an envelope and in Debezium's record for messages of the log only; elsewhere it is a column
/// like any other. A flattened change says it in `__op`.
fn op_column(schema: &AvroSchema) -> Option<&'static str> {
    let (name, fields) = schema.record(schema.root())?;
    let has = |wanted: &str| fields.iter().any(|f| f.name == wanted);
    match schema::shape(schema) {
        Shape::Envelope => Some("op"),
        _ if name.short == "MessageValue" && has("op") && has("message") => Some("op"),
        _ => has("__op").then_some("__op"),
    }
}

/// A value that names no schema: an event of JSON, with or without Connect's schema around it, or nothing that can be read.
pub(super) fn json(bytes: &[u8]) -> Look {
    let foreign = "it names no schema and is no JSON: it was written by something else, or with another format";
    if bytes.first() != Some(&b'{') {
        return Look::unreadable(foreign);
    }
    let Ok(Value::Object(mut event)) = serde_json::from_slice(bytes) else { return Look::unreadable(foreign) };
    if let Some(Value::Object(payload)) = event.get_mut("payload").map(Value::take) {
        event = payload;
    }
    let op = |column| event.get(column).and_then(Value::as_str).map(Op::of);
    let columns = |row: &Map<String, Value>| placeholder::columns(row.iter());
    if !event.contains_key("after") && !event.contains_key("before") {
        let message = event.contains_key("message").then(|| op("op")).flatten().filter(|op| *op == Op::Message);
        return Look { op: message.or_else(|| op("__op")), placeholders: columns(&event), ..Look::default() };
    }
    let op = op("op");
    Look {
        op,
        without_before: op == Some(Op::Update) && event.get("before").is_none_or(Value::is_null),
        placeholders: event.get("after").and_then(Value::as_object).map(columns).unwrap_or_default(),
        ..Look::default()
    }
}
