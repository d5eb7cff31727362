//! The Flink type of an Avro type, by each of the [`Mapping`]s there are.
//!
//! Rules: the legacy mapping is the one that `debezium-avro-confluent` always uses, and the one that counts wherever no other
//! is named. Only logical types count: Debezium's
//! temporal types without one are INT, BIGINT or STRING. What Flink cannot name is [`ColumnType::Other`], and
//! [`unsupported`] says why.

use serde::{Deserialize, Serialize};

use super::avro::{AvroSchema, MAX_DEPTH, NodeId, Type};
use super::form::{AvroForm, Meaning, Unit};
use crate::model::column::{Column, ColumnType, Nullable};
use crate::steps;

/// Digits of Flink's widest DECIMAL.
const MAX_DECIMAL: u32 = 38;

/// Types in one column before the rest is cut off; a schema can name a type so often that the full text never ends.
const MAX_TYPES: usize = 5_000;

/// Types in all columns of one row.
pub(super) const MOST_TYPES: usize = 500_000;

/// Who makes a Flink type of an Avro type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mapping {
    /// Flink by default: `avro.timestamp_mapping.legacy = true`.
    Legacy,
    /// Flink with `avro.timestamp_mapping.legacy = false`.
    Standard,
    /// Confluent's Flink.
    Confluent,
}

/// The Flink type at `id` by one of the mappings, with its nullability.
pub fn mapped_type(schema: &AvroSchema, id: NodeId, how: Mapping) -> Nullable {
    Walk::over(schema, how, MAX_TYPES).nullable(id)
}

/// The Flink type at `id`, with its nullability.
pub fn column_type(schema: &AvroSchema, id: NodeId) -> Nullable {
    column_within(schema, id, &mut MOST_TYPES.clone()).0
}

/// The same with room for so many types, of which it takes some, and whether one of them is an enum.
pub(super) fn column_within(schema: &AvroSchema, id: NodeId, room: &mut usize) -> (Nullable, bool) {
    let budget = MAX_TYPES.min(*room);
    let mut walk = Walk::over(schema, Mapping::Legacy, budget);
    let ty = walk.nullable(id);
    *room -= budget - walk.budget;
    (ty, walk.has_enum)
}

/// Why a table cannot declare `ty`; `None` when it can.
pub fn unsupported(ty: &ColumnType) -> Option<String> {
    match ty {
        ColumnType::Decimal { precision, .. } if *precision > MAX_DECIMAL => {
            Some(format!("Flink's DECIMAL has at most {MAX_DECIMAL} digits, this one {precision}"))
        }
        ColumnType::Other(text) => Some(format!("Flink has no SQL type for {text}")),
        ColumnType::Array(inner) | ColumnType::Multiset(inner) => unsupported(&inner.ty),
        ColumnType::Map(key, value) => unsupported(&key.ty).or_else(|| unsupported(&value.ty)),
        ColumnType::Row(fields) => fields.iter().find_map(|f| unsupported(&f.ty.ty)),
        _ => None,
    }
}

struct Walk<'a> {
    schema: &'a AvroSchema,
    how: Mapping,
    /// Records that are being mapped.
    open: Vec<NodeId>,
    /// Types that may still be written.
    budget: usize,
    has_enum: bool,
}

impl<'a> Walk<'a> {
    fn over(schema: &'a AvroSchema, how: Mapping, budget: usize) -> Self {
        Self { schema, how, open: Vec::new(), budget, has_enum: false }
    }

    fn nullable(&mut self, id: NodeId) -> Nullable {
        let (nullable, branches) = self.schema.branches(id);
        let ty = match branches.as_slice() {
            [] => ColumnType::Other("NULL".into()),
            [one] => self.ty(*one),
            many if self.how == Mapping::Confluent => {
                let words: Vec<String> = many.iter().take(8).map(|branch| self.schema.describe(*branch)).collect();
                let more = if many.len() > 8 { ", ..." } else { "" };
                ColumnType::Other(format!("ROW (a nullable field for each of {}{more})", words.join(", ")))
            }
            _ => ColumnType::Other("RAW (a union of several types)".into()),
        };
        Nullable { ty, nullable }
    }

    fn ty(&mut self, id: NodeId) -> ColumnType {
        if self.budget == 0 || self.open.len() > MAX_DEPTH {
            return ColumnType::Other("a type that is too large".into());
        }
        self.budget -= 1;
        steps::count(1);
        let schema = self.schema;
        match schema.ty(id) {
            Type::Null => ColumnType::Other("NULL".into()),
            Type::Boolean => ColumnType::Boolean,
            Type::Float => ColumnType::Float,
            Type::Double => ColumnType::Double,
            Type::Enum { .. } => {
                self.has_enum = true;
                ColumnType::String
            }
            Type::Int | Type::Long | Type::String | Type::Bytes | Type::Fixed { .. } => {
                scalar(&schema.form(id), self.how)
            }
            Type::Array(items) => ColumnType::Array(Box::new(self.inside(id, *items))),
            Type::Map(values) => {
                let key = Nullable { ty: ColumnType::String, nullable: false };
                ColumnType::Map(Box::new(key), Box::new(self.inside(id, *values)))
            }
            Type::Union(_) => self.nullable(id).ty,
            Type::Record { .. } if self.open.contains(&id) => ColumnType::Other("a record that contains itself".into()),
            Type::Record { fields, .. } => {
                self.open.push(id);
                let row = fields.iter().map(|f| Column { name: f.name.clone(), ty: self.nullable(f.ty) }).collect();
                self.open.pop();
                ColumnType::Row(row)
            }
        }
    }

    fn inside(&mut self, outer: NodeId, inner: NodeId) -> Nullable {
        self.open.push(outer);
        let ty = self.nullable(inner);
        self.open.pop();
        ty
    }
}

/// Flink's type for a scalar with annotations.
fn scalar(form: &AvroForm, how: Mapping) -> ColumnType {
    if let Some((precision, scale)) = form.valid_decimal() {
        return ColumnType::Decimal { precision, scale };
    }
    let logical = AvroForm { connect_name: None, ..form.clone() };
    let digits = |unit: Unit| match unit {
        Unit::Milliseconds => 3,
        Unit::Microseconds => 6,
        Unit::Nanoseconds => 9,
    };
    match (form.base.as_str(), logical.meaning()) {
        ("long", Meaning::Timestamp(unit)) if how != Mapping::Legacy => ColumnType::TimestampLtz(digits(unit)),
        ("long", Meaning::LocalTimestamp(unit)) if how != Mapping::Legacy => ColumnType::Timestamp(digits(unit)),
        ("int", Meaning::Plain) if how == Mapping::Confluent => match form.connect_type.as_deref() {
            Some("int8") => ColumnType::TinyInt,
            Some("int16") => ColumnType::SmallInt,
            _ => ColumnType::Int,
        },
        ("int", Meaning::Date) => ColumnType::Date,
        ("int", Meaning::Time(Unit::Milliseconds)) => ColumnType::Time(3),
        ("int", _) => ColumnType::Int,
        ("long", Meaning::Timestamp(Unit::Milliseconds)) => ColumnType::Timestamp(3),
        ("long", Meaning::Timestamp(Unit::Microseconds)) => ColumnType::Timestamp(6),
        ("long", Meaning::Time(Unit::Microseconds)) => ColumnType::Time(6),
        ("long", _) => ColumnType::BigInt,
        ("string", _) => ColumnType::String,
        ("fixed", _) => {
            let size = form.size.and_then(|s| u32::try_from(s).ok()).unwrap_or(u32::MAX);
            if how == Mapping::Confluent { ColumnType::Binary(size) } else { ColumnType::VarBinary(size) }
        }
        _ => ColumnType::Bytes,
    }
}
