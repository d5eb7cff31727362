//! The columns that a table gains with a new version, and how the versions since then declared them.
//!
//! Rules: an added column is nullable in the reader table, whatever the source says: older records do not have it. Its default
//! is given as SQL only where it is the database's own for certain.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::avro::AvroSchema;
use super::envelope::{RowField, row_fields, row_fields_where, row_names};
use super::flink::unsupported;
use super::literal::{default_literal, default_shown, stands_in};
use crate::model::column::Nullable;

/// A column that a reader table gains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedColumn {
    /// Name.
    pub name: String,
    /// Type in the reader table: always nullable.
    pub flink: Nullable,
    /// The default as a Flink SQL literal of that type; `None` where it may stand for an expression, whose value nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_sql: Option<String>,
    /// The default as a row of the table shows it: a number, text or truth value; `None` where it has no such form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
    /// Whether the source forbids null, so that `COALESCE(column, default)` is right.
    pub source_not_null: bool,
    /// How the versions since it came declared it, oldest first, as far as that differs from the newest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Declared>,
    /// Why no table can declare the type, when none can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsupported: Option<String>,
}

/// How one version declares a column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// The version.
    pub version: i32,
    /// Whether it allows null.
    pub nullable: bool,
    /// The default as Avro writes it; `None` for none and for null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avro: Option<serde_json::Value>,
    /// The default as a Flink SQL literal of the type that this version declares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_sql: Option<String>,
    /// The default as a row of the table shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
}

/// The columns that the row of `new` has and that of `old` has not, in the order of `new`.
pub fn added_columns(old: &AvroSchema, new: &AvroSchema) -> Vec<AddedColumn> {
    let before: BTreeSet<&str> = row_names(old).collect();
    row_fields_where(new, |name| !before.contains(name)).iter().map(AddedColumn::of).collect()
}

/// Why no table that Flink derives the schema of reads the column.
fn unreadable(field: &RowField) -> Option<String> {
    let holds_enum =
        || field.holds_enum.then(|| "a table's own schema does not read an Avro enum (FLINK-24544)".to_owned());
    unsupported(&field.flink.ty).or_else(holds_enum)
}

/// The first field of each name.
fn by_name(fields: &[RowField]) -> BTreeMap<&str, &RowField> {
    fields.iter().rev().map(|f| (f.name.as_str(), f)).collect()
}

/// As [`added_columns`], with what the versions `between` the two (oldest first) said of each column since it last came.
pub fn added_since(old: &AvroSchema, between: &[(i32, AvroSchema)], new: &AvroSchema) -> Vec<AddedColumn> {
    let mut columns = added_columns(old, new);
    let now = row_fields(new);
    let now = by_name(&now);
    let between: Vec<(i32, Vec<RowField>)> = between.iter().map(|(v, schema)| (*v, row_fields(schema))).collect();
    let between: Vec<(i32, BTreeMap<&str, &RowField>)> = between.iter().map(|(v, all)| (*v, by_name(all))).collect();
    for column in &mut columns {
        let Some(newest) = now.get(column.name.as_str()) else { continue };
        for (version, fields) in &between {
            match fields.get(column.name.as_str()) {
                // It was gone again: what came later is another column of that name.
                None => column.earlier.clear(),
                Some(field) => {
                    let declared = Declared::of(*version, field);
                    if column.earlier.last().is_none_or(|before| !before.says_as(&declared)) {
                        column.earlier.push(declared);
                    }
                }
            }
        }
        let newest = Declared::of(0, newest);
        if column.earlier.last().is_some_and(|last| last.says_as(&newest)) {
            column.earlier.pop();
        }
    }
    columns
}

impl AddedColumn {
    fn of(field: &RowField) -> Self {
        let default = field.default.as_ref().filter(|d| !stands_in(d, field));
        Self {
            name: field.name.clone(),
            flink: Nullable { ty: field.flink.ty.clone(), nullable: true },
            default_sql: default.and_then(|d| default_literal(d, field)),
            default: default.and_then(|d| default_shown(d, field)),
            source_not_null: !field.nullable,
            earlier: Vec::new(),
            unsupported: unreadable(field),
        }
    }
}

impl Declared {
    fn of(version: i32, field: &RowField) -> Self {
        let avro = field.default.clone().filter(|d| !d.is_null());
        let default = avro.as_ref().filter(|d| !stands_in(d, field));
        Self {
            version,
            nullable: field.nullable,
            default_sql: default.and_then(|d| default_literal(d, field)),
            default: default.and_then(|d| default_shown(d, field)),
            avro,
        }
    }

    /// Whether both allow the same and have the same default.
    fn says_as(&self, other: &Self) -> bool {
        (self.nullable, &self.avro) == (other.nullable, &other.avro)
    }
}

impl fmt::Display for AddedColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.name.replace('`', "``"), self.flink)?;
        self.default_sql.iter().try_for_each(|d| write!(f, " (default {d})"))
    }
}
