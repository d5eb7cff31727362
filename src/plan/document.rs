//! The plan as a document: what people read, what is carried out, and what it assumes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::standing::Standing;
use crate::diagnostic::Diagnostic;
use crate::model::name::Version;
use crate::model::parity::{ColumnClass, RowRule};
use crate::model::record::Offsets;
use crate::model::verdict::digest_of;
use crate::model::work::Work;

/// What role a table plays in the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads a topic that no statement of the project writes.
    Reader,
    /// Is written by a statement.
    Written,
    /// Exists in the text only.
    View,
}

/// What a green statement must rebuild.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum StateVerdict {
    /// Nothing: it keeps no state.
    Stateless,
    /// State of these operators, rebuilt from the earliest records.
    Rebuilt {
        /// The operators, in words.
        operators: Vec<String>,
    },
}

/// One table that becomes green, or is deployed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TablePlan {
    /// Logical name.
    pub table: String,
    /// Role.
    pub role: Role,
    /// Blue's version; `None` for a first deployment.
    pub from: Option<Version>,
    /// The version that is deployed.
    pub to: Version,
    /// Physical name.
    pub physical: String,
    /// Inputs that it reads green, with why it must follow.
    pub because: Vec<String>,
    /// Inputs that it shares with blue.
    pub shared: Vec<String>,
    /// Columns that the change adds to it.
    pub added: Vec<String>,
    /// Columns that it no longer has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// Columns that could have been carried but are not, with why.
    pub not_carried: BTreeMap<String, String>,
    /// Path of the DDL, its text before and after.
    pub ddl_file: String,
    /// See `ddl_file`.
    pub ddl_before: Option<String>,
    /// See `ddl_file`.
    pub ddl_after: String,
    /// Path of the INSERT, its text before and after.
    pub dml_file: Option<String>,
    /// See `dml_file`.
    pub dml_before: Option<String>,
    /// See `dml_file`.
    pub dml_after: Option<String>,
    /// The DDL and the INSERT as the files hold them, where that is not what is deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ddl_written: Option<String>,
    /// See `ddl_written`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dml_written: Option<String>,
    /// What must be rebuilt.
    pub state: StateVerdict,
    /// Where its inputs are read from.
    pub start: String,
    /// How each column is proven.
    pub columns: BTreeMap<String, ColumnClass>,
    /// Which rows blue and green must have in common.
    #[serde(default, skip_serializing_if = "RowRule::is_same")]
    pub rows: RowRule,
}

/// A table that stays as it is, with the proof that it cannot see the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Untouched {
    /// Logical name.
    pub table: String,
    /// Why.
    pub proof: String,
}

/// What a plan takes for granted: when one of these moves, the plan is void.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assumptions {
    /// Digest of the deployed manifest.
    pub manifest: String,
    /// Version of each subject that the plan was made for.
    pub subjects: BTreeMap<String, i32>,
    /// Topics, connectors and what files say; `None` for a plan that was made without looking at any system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
    /// The engine's id of each job that is ended, by the physical table that it writes: the yes is for these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub jobs: BTreeMap<String, String>,
    /// The commit that the changed files were on, for people: another commit voids the plan only by what it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Columns in which no record holds a NULL: their default is applied because of that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no_nulls: Vec<NoNulls>,
}

/// Columns of one topic in which no explicit NULL was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoNulls {
    /// Topic.
    pub topic: String,
    /// Subject of its records.
    pub subject: String,
    /// The columns.
    pub columns: Vec<String>,
    /// Up to where the topic had been read: less than this is no answer.
    pub read: Offsets,
}

/// A plan. Immutable; the same input gives the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Form of this document.
    pub format: u32,
    /// Environment that it was made for.
    pub env: String,
    /// `deploy`, `evolution`, `change`, `adopt` or `undeploy`.
    pub kind: String,
    /// One line for people.
    pub title: String,
    /// What happened at the source, one line for each change.
    pub changes: Vec<String>,
    /// The registry's verdict and the data verdict, in words.
    pub verdicts: Vec<String>,
    /// Tables in dependency order.
    pub tables: Vec<TablePlan>,
    /// Tables that stay as they are.
    pub untouched: Vec<Untouched>,
    /// Sink connectors that move, as `name: from -> to`.
    pub connectors: Vec<String>,
    /// What the validator will not be able to prove.
    pub unproven: Vec<String>,
    /// What a person should look at.
    pub warnings: Vec<Diagnostic>,
    /// What is carried out.
    pub work: Work,
    /// What it takes for granted.
    pub assumptions: Assumptions,
}

impl Plan {
    /// The form that this version writes.
    pub const FORMAT: u32 = 1;

    /// SHA-256 over the canonical JSON. What it stands on is left out: that is where and when, and not what is done.
    pub fn digest(&self) -> String {
        let assumptions = Assumptions { standing: None, ..self.assumptions.clone() };
        digest_of(&Self { assumptions, ..self.clone() })
    }

    /// True when there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.work.staging.is_empty() && self.work.promoting.is_empty() && self.work.retiring.is_empty()
    }
}
