//! Everything that planning looks at: gathered by the shell, one value.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::job::JobShape;
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
    /// Partition and offset of a record that says that the table was emptied, if one was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncation: Option<(i32, i64)>,
    /// Partition and offset of a row's record without a key where others have one, if one was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_key: Option<(i32, i64)>,
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
    /// Topics that it belongs to: several where it is named after a record that they share.
    pub topics: BTreeSet<String>,
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

/// What somebody else started, and a project that it may belong to.
#[derive(Clone, Debug, Default)]
pub struct Adoption {
    /// What the names of this daemon's jobs begin with.
    pub prefix: String,
    /// What is deployed, and besides what the project's files say.
    pub project: Manifest,
    /// Deployed tables, by physical name, whose jobs have ended: another one may be theirs.
    pub ended: BTreeSet<String>,
    /// Jobs that run and write or read one of the project's tables.
    pub found: Vec<FoundJob>,
    /// What the engine would do for each file's statement, by logical table, under each setting that a job may have; or why
    /// it does not say.
    pub expected: BTreeMap<String, Result<Vec<Expected>, String>>,
    /// Topics of the project that exist, and whether each has ever held a record.
    pub topics: BTreeMap<String, bool>,
    /// Connectors that exist, by name.
    pub connectors: BTreeMap<String, FoundConnector>,
    /// Which job a table has, where that was said: id by logical table.
    pub jobs: BTreeMap<String, String>,
    /// Logical tables that are to be left.
    pub leave: BTreeSet<String>,
}

impl Adoption {
    /// True for a job whose name begins as this daemon's do.
    pub fn ours(&self, name: &str) -> bool {
        !self.prefix.is_empty() && name.starts_with(&self.prefix)
    }
}

/// What the engine would do for a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// In the engine's words.
    pub shape: JobShape,
    /// The setting that it is so without, although jobs of Cyanotype run with it.
    pub without: Option<String>,
}

/// A job that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundJob {
    /// The engine's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it does.
    pub shape: JobShape,
    /// Those of the tables that it reads which it is known to read from the topic that the project names for them.
    pub read_from: BTreeSet<String>,
}

/// A connector that exists. Its settings stay out: they may be secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundConnector {
    /// Topics that it reads.
    pub topics: BTreeSet<String>,
    /// Names of the settings, besides the topics, in which it is not what the file of its name says.
    pub differing: BTreeSet<String>,
}

/// What is to be taken down.
#[derive(Clone, Debug, Default)]
pub struct Removal {
    /// True when topics and their subjects go as well.
    pub delete_topics: bool,
    /// Who reads a written topic and is not of the project, by topic: `group reports`, `connector x`, `job <id>`.
    pub readers: BTreeMap<String, BTreeSet<String>>,
    /// Readers that are to be passed over.
    pub despite: BTreeSet<String>,
    /// The engine's id of the job of each physical table.
    pub jobs: BTreeMap<String, String>,
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
    /// Take over what somebody else started.
    Adopt(Box<Adoption>),
    /// Take down what is deployed.
    Undeploy(Removal),
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
