//! Everything that planning looks at: gathered by the shell, one value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::manifest::Manifest;
use crate::model::record::Offsets;
use crate::schema::{AddedColumn, Assessment, Change};

/// How far a new column is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Carry {
    /// To the source table only.
    Source,
    /// Along every projection, to the facts.
    Facts,
}

/// What becomes of the default of a nullable column in records that were written before the column came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NullableDefaults {
    /// It is not applied: they read as NULL.
    #[default]
    Never,
    /// It is applied where no record was seen that holds a NULL there.
    WhenUnseen,
}

/// What the environment's policy says about plans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// How far a new column is carried.
    pub carry: Carry,
    /// Partitions of a topic that has no blue to copy from.
    pub partitions: i32,
    /// True when blue's topics are deleted with blue; false keeps them.
    pub delete_blue_topics: bool,
    /// What becomes of the default of a nullable column.
    pub nullable_defaults: NullableDefaults,
}

/// What is known of an input topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicFacts {
    /// True when compaction removes old versions of a key.
    pub compacted: bool,
    /// True when the first offset of some partition is no longer held.
    pub truncated: bool,
    /// Partition and offset of an update that does not say what the row was before, if one was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_without_before: Option<(i32, i64)>,
    /// Explicit NULLs in it; `None` when nobody has counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nulls: Option<NullFacts>,
}

/// Explicit NULLs in the nullable columns of a topic that have a default, as far as they were counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NullFacts {
    /// True when the topic had been read to the end that it had when planning began.
    pub to_the_end: bool,
    /// Up to where it had been read.
    pub read: Offsets,
    /// Records that could not be read, so that nobody knows what they hold.
    pub unread: u64,
    /// What was counted, by column.
    pub columns: BTreeMap<String, NullCount>,
}

/// Rows that records of one topic hold, and the explicit NULLs in one column of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NullCount {
    /// Records whose row has the column, nullable and with a default in the schema that they were written with.
    pub records: u64,
    /// Those of them that hold NULL there.
    pub nulls: u64,
}

/// A subject that evolved.
#[derive(Clone, Debug)]
pub struct Evolution {
    /// Subject.
    pub subject: String,
    /// Topic that it belongs to.
    pub topic: String,
    /// The version that the deployed text was written for.
    pub from_version: i32,
    /// The version that is planned for.
    pub to_version: i32,
    /// What the newest version means beside all earlier ones.
    pub assessment: Assessment,
    /// What changed from the deployed version to the newest.
    pub changes: Vec<Change>,
    /// Columns that the row gained on the way.
    pub added: Vec<AddedColumn>,
}

/// Statements that were changed in the files.
#[derive(Clone, Debug)]
pub struct StatementChange {
    /// The revision that the files are compared with, as it was asked for.
    pub since: String,
    /// The project's files at that revision, read as a manifest.
    pub base: Manifest,
    /// The project's files now, read as a manifest.
    pub project: Manifest,
    /// Texts of the project's files now, by path, for places in diagnostics.
    pub texts: BTreeMap<String, String>,
    /// The commit that the files now are on, if they are in a git repository.
    pub commit: Option<String>,
}

/// Why there is something to plan.
#[derive(Clone, Debug)]
pub enum Cause {
    /// Bring the project up: what its files say and the manifest does not hold yet.
    Deploy {
        /// The project's files, read as a manifest.
        project: Manifest,
    },
    /// A subject evolved.
    Evolution(Box<Evolution>),
    /// Statements were changed in the files.
    Change(Box<StatementChange>),
}

/// One planning's input.
#[derive(Clone, Debug)]
pub struct PlanInput {
    /// Name of the environment.
    pub env: String,
    /// What is deployed there.
    pub manifest: Manifest,
    /// Why.
    pub cause: Cause,
    /// Policy.
    pub policy: Policy,
    /// Values of placeholders that are not secret, for topic names.
    pub vars: BTreeMap<String, String>,
    /// Session settings of every job.
    pub settings: BTreeMap<String, String>,
    /// Facts on the input topics, by topic; empty when planning offline.
    pub topics: BTreeMap<String, TopicFacts>,
    /// Latest version of each watched subject.
    pub subjects: BTreeMap<String, i32>,
}
