//! How the declaration of a Flink table changes with a schema, by each mapping from Avro.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::avro::{AvroSchema, Field};
use super::change::{Change, ChangeKind, Scope};
use super::envelope::row_members;
use super::flink::{Mapping, mapped_type};

/// A column that a table declares otherwise than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnChange {
    /// Its name.
    pub column: String,
    /// By Flink's default.
    pub legacy: Declaration,
    /// With `avro.timestamp_mapping.legacy = false`.
    pub standard: Declaration,
    /// By Confluent's Flink.
    pub confluent: Declaration,
}

/// The column's type before and now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Declaration {
    /// None where the column is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// None where it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

/// The columns that `changes` name and that a table declares otherwise by at least one mapping.
pub(super) fn column_changes(old: &AvroSchema, new: &AvroSchema, changes: &[Change]) -> Vec<ColumnChange> {
    let of_row = changes.iter().filter(|change| matches!(change.scope, Scope::Row | Scope::Key));
    let mut names: Vec<&str> = Vec::new();
    for change in of_row {
        names.extend(change.column.as_deref());
        if let ChangeKind::SuspectedRename { to, .. } | ChangeKind::RenamedByAlias { to, .. } = &change.kind {
            names.push(to);
        }
    }
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(*name));
    names.into_iter().filter_map(|name| ColumnChange::of(name, old, new)).collect()
}

impl ColumnChange {
    fn of(name: &str, old: &AvroSchema, new: &AvroSchema) -> Option<Self> {
        let find = |schema| -> Option<&Field> { row_members(schema).iter().find(|field| field.name == name) };
        let (was, is) = (find(old), find(new));
        let declared = |how| Declaration {
            old: was.map(|field| mapped_type(old, field.ty, how).to_string()),
            new: is.map(|field| mapped_type(new, field.ty, how).to_string()),
        };
        let change = Self {
            column: name.to_owned(),
            legacy: declared(Mapping::Legacy),
            standard: declared(Mapping::Standard),
            confluent: declared(Mapping::Confluent),
        };
        let differs = |declaration: &Declaration| declaration.old != declaration.new;
        let any = [&change.legacy, &change.standard, &change.confluent].into_iter().any(differs);
        any.then_some(change)
    }
}

impl fmt::Display for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.old, &self.new) {
            (Some(old), Some(new)) if old == new => write!(f, "stays {old}"),
            (Some(old), Some(new)) => write!(f, "{old} -> {new}"),
            (None, Some(new)) => write!(f, "new, {new}"),
            (Some(old), None) => write!(f, "gone, was {old}"),
            (None, None) => f.write_str("none"),
        }
    }
}

impl fmt::Display for ColumnChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, legacy, standard, confluent } = self;
        write!(f, "column `{column}`: {legacy}")?;
        if standard != legacy {
            write!(f, "; with avro.timestamp_mapping.legacy = false {standard}")?;
        }
        if confluent != standard {
            write!(f, "; in Confluent's Flink {confluent}")?;
        }
        Ok(())
    }
}
