//! The deployed manifest: what runs in an environment, as the journal knows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::job::JobSpec;
use super::name::Version;

/// What is deployed, by logical name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Tables and views.
    pub tables: BTreeMap<String, DeployedTable>,
    /// Sink connectors, by name.
    pub connectors: BTreeMap<String, DeployedConnector>,
    /// The version of each watched subject that the deployed text was written for.
    pub subjects: BTreeMap<String, i32>,
    /// What is ahead of the files: the branch to merge, if a promotion rewrote statements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<String>,
}

impl Manifest {
    /// The topics that statements write, by the physical name of the table. Those of reader tables are somebody else's.
    pub fn written(&self) -> BTreeMap<&str, &str> {
        let written = self.tables.values().filter(|table| table.dml.is_some());
        written.filter_map(|table| Some((table.physical.as_str(), table.topic.as_deref()?))).collect()
    }
}

/// One deployed table or view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployedTable {
    /// Which generation serves.
    pub version: Version,
    /// Its physical name.
    pub physical: String,
    /// Path of its DDL in the project.
    pub ddl_file: String,
    /// DDL as deployed, with placeholders.
    pub ddl: String,
    /// Path of its INSERT; `None` for a reader table and a view.
    pub dml_file: Option<String>,
    /// INSERT as deployed, with placeholders.
    pub dml: Option<String>,
    /// Topic; `None` for a view.
    pub topic: Option<String>,
    /// The job that writes it; `None` for a reader table and a view.
    pub job: Option<JobSpec>,
}

/// One deployed sink connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployedConnector {
    /// Logical table whose topic it reads.
    pub table: String,
    /// Settings as deployed, with placeholders.
    pub config: BTreeMap<String, String>,
}
