//! One difference between two schemas, and what a table makes of it.
//!
//! Rules: a change names the column in its sentence. Its two effects are facts about decoding, not advice: a table declared
//! by the old schema reads new records (the job that runs), and a table declared by the new one reads old records (its
//! replacement, which starts from earliest).

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::envelope::present;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Place inside the row (or the block that `scope` names), such as `address.zip`; empty for the whole.
    pub path: String,
    /// The column that holds the place; for a rename the old name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Part of the record.
    pub scope: Scope,
    /// What happened.
    pub kind: ChangeKind,
    /// What was there, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// What is there now, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// What a table declared by the old schema makes of new records.
    pub old_table: Effect,
    /// What a table declared by the new schema makes of old records.
    pub new_table: Effect,
    /// The change in one sentence.
    pub sentence: String,
}

/// Part of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The row's columns.
    Row,
    /// Debezium's `source` block.
    SourceBlock,
    /// The record key.
    Key,
    /// The rest of the envelope.
    Envelope,
}

/// What a table makes of records of the other schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Reads them right.
    Fine,
    /// Reads NULL.
    Nulls,
    /// Reads NULL, or fails where the column is declared NOT NULL.
    FailsIfNotNull,
    /// Fails.
    Fails,
    /// Reads them, wrong.
    WrongValues,
}

/// Kind of a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A new column.
    Added {
        /// Its default as Avro writes it.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        default: Option<Value>,
        /// Whether it allows null.
        nullable: bool,
    },
    /// The column is gone.
    Removed,
    /// A wider number, such as int to long.
    Widened,
    /// A narrower number, such as double to float.
    Narrowed,
    /// Null is allowed now.
    MadeNullable,
    /// Null is no longer allowed.
    MadeRequired,
    /// Another default, a first one, or none any more.
    DefaultChanged,
    /// A first default for a column that allows null: a converter may write it where the row holds NULL.
    DefaultHidesNull,
    /// Digits after the point of a decimal.
    DecimalScale,
    /// Digits in all of a decimal.
    DecimalPrecision,
    /// The unit of a time, such as milliseconds to microseconds.
    TimestampUnit,
    /// A decimal became text or a double, or the other way.
    DecimalModeChanged,
    /// Another type.
    TypeChanged,
    /// Another logical type for the same stored values, so that a table would declare another type.
    LogicalType,
    /// One column gone and one like it new: probably one column under another name.
    SuspectedRename {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// Renamed, and the new field says so: by an alias in Avro, by the same number in Protobuf.
    RenamedByAlias {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// Symbols of an enum.
    EnumSymbols {
        /// New ones.
        added: Vec<String>,
        /// Ones that are gone.
        removed: Vec<String>,
    },
    /// Columns that stand in another order in a Debezium envelope.
    Reordered {
        /// Those that stand elsewhere among the columns of both.
        columns: Vec<String>,
    },
    /// Comment.
    Doc,
    /// Annotations that neither the bytes nor the Flink type depend on.
    Metadata,
    /// Debezium says by which value it stands in for one that an update left unchanged, or no longer says it.
    Placeholder,
    /// The short name of a record, enum or fixed.
    TypeName,
    /// The namespace alone.
    NamespaceOnly,
    /// There are more differences than are looked at.
    NotJudged,
}

impl Scope {
    /// `column` and the like, for sentences.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Row => "column",
            Self::SourceBlock => "source field",
            Self::Key => "key column",
            Self::Envelope => "envelope field",
        }
    }

    /// The whole block, for sentences.
    pub fn whole(self) -> &'static str {
        match self {
            Self::Row => "the row",
            Self::SourceBlock => "the source block",
            Self::Key => "the key",
            Self::Envelope => "the envelope",
        }
    }
}

impl Change {
    /// Whether the place lies inside a column and is not the column itself.
    pub fn is_nested(&self) -> bool {
        self.column.as_ref().is_some_and(|c| *c != self.path)
    }

    /// Whether neither direction of reading is affected.
    pub fn is_harmless(&self) -> bool {
        self.old_table == Effect::Fine && self.new_table == Effect::Fine
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Row => "row",
            Self::SourceBlock => "source block",
            Self::Key => "key",
            Self::Envelope => "envelope",
        })
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fine => "reads them right",
            Self::Nulls => "reads NULL",
            Self::FailsIfNotNull => "reads NULL, or fails where it declares NOT NULL",
            Self::Fails => "fails",
            Self::WrongValues => "reads wrong values",
        })
    }
}
