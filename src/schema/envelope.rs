//! What a topic's record looks like, and the columns of its row.
//!
//! Rules: a Debezium envelope is told by the short name `Envelope` and its fields, not by their order. The row of an
//! envelope is the record under `after`, or under `before` when there is none.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::avro::{AvroSchema, Field, NodeId};
use super::flink;
use super::form::AvroForm;
use crate::model::column::{Column, Nullable};
use crate::steps;

/// Form of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A Debezium envelope with before, after and op.
    Envelope,
    /// A record whose fields are the columns.
    Flat,
    /// The key record that Debezium writes.
    Key,
    /// Not a record.
    Other,
}

/// A column of the row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowField {
    /// Name.
    pub name: String,
    /// Whether the source allows null.
    pub nullable: bool,
    /// Default as Avro writes it; `Some(Null)` is a default of null, `None` no default.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub default: Option<Value>,
    /// Avro form, without the null branch.
    pub avro: AvroForm,
    /// Type in a Flink table.
    pub flink: Nullable,
    /// Whether it is an Avro enum or has one inside, which a table without a schema of its own cannot read.
    #[serde(default)]
    pub holds_enum: bool,
}

impl RowField {
    /// As a table declares it.
    pub fn column(&self) -> Column {
        Column { name: self.name.clone(), ty: self.flink.clone() }
    }
}

/// Keeps a `null` that is written as a value.
pub(super) fn present<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(d).map(Some)
}

/// The form of the schema's records.
pub fn shape(schema: &AvroSchema) -> Shape {
    let Some((name, fields)) = schema.record(schema.root()) else { return Shape::Other };
    let has = |wanted: &str| fields.iter().any(|f| f.name == wanted);
    if name.short == "Envelope" && has("op") && has("before") && has("after") && row_record(schema, fields).is_some() {
        Shape::Envelope
    } else if name.short == "Key" {
        Shape::Key
    } else {
        Shape::Flat
    }
}

/// The record that holds the columns, also where null may stand for it; `None` when the schema is no record.
pub fn row(schema: &AvroSchema) -> Option<NodeId> {
    match shape(schema) {
        Shape::Envelope => schema.record(schema.root()).and_then(|(_, fields)| row_record(schema, fields)),
        Shape::Flat | Shape::Key => Some(schema.root()),
        Shape::Other => {
            let (_, branches) = schema.branches(schema.root());
            let [only] = branches.as_slice() else { return None };
            schema.record(*only).filter(|(name, _)| name.short != "Envelope").map(|_| *only)
        }
    }
}

/// Whether a record may be null as a whole.
pub(super) fn is_nullable_row(schema: &AvroSchema) -> bool {
    shape(schema) == Shape::Other && schema.branches(schema.root()).0 && row(schema).is_some()
}

/// The columns, in the schema's order; empty when the schema is no record.
pub fn row_fields(schema: &AvroSchema) -> Vec<RowField> {
    row_fields_where(schema, |_| true)
}

/// Those with a name that is wanted.
pub(super) fn row_fields_where(schema: &AvroSchema, wanted: impl Fn(&str) -> bool) -> Vec<RowField> {
    let mut room = flink::MOST_TYPES;
    row_members(schema).iter().filter(|f| wanted(&f.name)).map(|f| field_within(schema, f, &mut room)).collect()
}

/// The names of the columns.
pub(super) fn row_names(schema: &AvroSchema) -> impl Iterator<Item = &str> {
    row_members(schema).iter().map(|field| field.name.as_str())
}

/// The names of the columns that do not allow null.
pub(super) fn required(schema: &AvroSchema) -> BTreeSet<String> {
    let required = |field: &&Field| !schema.branches(field.ty).0;
    row_members(schema).iter().filter(required).map(|field| field.name.clone()).collect()
}

/// The fields that are the columns.
pub(super) fn row_members(schema: &AvroSchema) -> &[Field] {
    let fields = row(schema).and_then(|id| schema.record(id)).map_or(&[][..], |(_, fields)| fields);
    steps::count(fields.len());
    fields
}

/// One field as a column.
pub fn row_field(schema: &AvroSchema, field: &Field) -> RowField {
    field_within(schema, field, &mut flink::MOST_TYPES.clone())
}

/// The same, with room for so many types, of which it takes some.
fn field_within(schema: &AvroSchema, field: &Field, room: &mut usize) -> RowField {
    let (nullable, branches) = schema.branches(field.ty);
    let core = match branches.as_slice() {
        [one] => *one,
        _ => field.ty,
    };
    let (flink, holds_enum) = flink::column_within(schema, field.ty, room);
    RowField {
        name: field.name.clone(),
        nullable,
        default: field.default.clone(),
        avro: schema.form(core),
        flink,
        holds_enum,
    }
}

fn row_record(schema: &AvroSchema, fields: &[Field]) -> Option<NodeId> {
    let under = |wanted: &str| {
        let field = fields.iter().find(|f| f.name == wanted)?;
        let (_, branches) = schema.branches(field.ty);
        branches.into_iter().find(|b| schema.record(*b).is_some())
    };
    under("after").or_else(|| under("before"))
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Envelope => "Debezium envelope",
            Self::Flat => "flat record",
            Self::Key => "key record",
            Self::Other => "no record",
        })
    }
}

impl fmt::Display for RowField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.flink)
    }
}
