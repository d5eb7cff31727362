//! The contract between plan and validation: how each column of each green table is compared with blue.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How a topic encodes changes of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Changelog {
    /// The last record of a key counts; a record without a value deletes it.
    Upsert,
    /// Every record is a row.
    Append,
}

/// Which differences between blue and green are legitimate (semantics, parity classes).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "class")]
pub enum ColumnClass {
    /// Equal.
    Exact,
    /// Equal up to ties or a tolerance.
    Order {
        /// Why, in a few words.
        why: String,
        /// Largest difference of floating-point numbers that still counts as equal, as a share of the larger one (of 1 if both are
        /// smaller); 0 for none.
        tolerance: f64,
    },
    /// Closed windows only.
    EventTime {
        /// Why.
        why: String,
    },
    /// Left out of the comparison and named.
    Volatile {
        /// Why.
        why: String,
    },
    /// Rows before the horizon are explained.
    History {
        /// Why.
        why: String,
    },
    /// The change reaches it.
    Changed {
        /// The rule that it is held against.
        rule: ChangeRule,
    },
}

impl ColumnClass {
    /// The stronger class, which excuses more; `self` if both are as strong. In order of strength: exact, order within a
    /// tolerance, order, event time, history, volatile, changed (semantics, parity classes).
    pub fn stronger(self, other: Self) -> Self {
        if other.strength() > self.strength() { other } else { self }
    }

    const fn strength(&self) -> u8 {
        match self {
            Self::Exact => 0,
            Self::Order { tolerance, .. } if *tolerance > 0.0 => 1,
            Self::Order { .. } => 2,
            Self::EventTime { .. } => 3,
            Self::History { .. } => 4,
            Self::Volatile { .. } => 5,
            Self::Changed { .. } => 6,
        }
    }
}

/// What a changed column must look like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "rule")]
pub enum ChangeRule {
    /// Green has a column that blue does not.
    NewColumn {
        /// The value that old records carry, as the row decodes it (a JSON string, number, boolean or null).
        default: serde_json::Value,
        /// True when NULL may appear in green.
        nullable: bool,
    },
    /// Green has a column that blue does not, made by a changed statement.
    Computed {
        /// True when NULL may appear in green.
        nullable: bool,
    },
    /// The logic changed: blue's value is no yardstick.
    Recomputed,
    /// Same values in a wider type.
    Wider,
    /// Blue has a column that green does not.
    Removed,
}

/// Which rows blue and green must have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "rows")]
pub enum RowRule {
    /// The same: one that only one side has is wrong.
    #[default]
    Same,
    /// The plan declares that they may be others: one that only one side has is held against nobody, and proves nothing.
    Changed {
        /// Why, in a few words.
        why: String,
    },
}

impl RowRule {
    /// True when both must have the same rows.
    pub fn is_same(&self) -> bool {
        *self == Self::Same
    }
}

/// How one green table is proven.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableContract {
    /// Logical name.
    pub table: String,
    /// Blue's topic; `None` when there is no blue.
    pub blue_topic: Option<String>,
    /// Green's topic.
    pub green_topic: String,
    /// How both encode changes.
    pub changelog: Changelog,
    /// Columns of the primary key; for an append table a declared key, if any.
    pub key: Vec<String>,
    /// Class of every green column, and of those that green gave up.
    pub columns: BTreeMap<String, ColumnClass>,
    /// Which rows both must have.
    #[serde(default, skip_serializing_if = "RowRule::is_same")]
    pub rows: RowRule,
}

/// One job on the way from the inputs to the compared outputs, for catch-up. Hops are in dependency order (green's,
/// where a change gave it another one) and hold every ancestor, blue's, green's and shared ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// Logical table.
    pub table: String,
    /// Physical table that blue's job writes; `None` when there is no blue.
    pub blue: Option<String>,
    /// Physical table that green's job writes; `None` when blue's is shared.
    pub green: Option<String>,
}
