//! What runs on the engine: one job for one statement, with everything its session needs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One statement as a job. Texts may hold `${NAME}` placeholders, `${CYANOTYPE_JOB}` among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSpec {
    /// Physical name of the table that it writes; the job's name is made from it and the attempt.
    pub table: String,
    /// Session settings, `SET 'key' = 'value'`, over those of the environment.
    pub settings: BTreeMap<String, String>,
    /// DDL that the session replays first, in order: read tables, views, the written table.
    pub ddl: Vec<String>,
    /// The INSERT.
    pub insert: String,
    /// The tables it reads from Kafka.
    pub reads: Vec<ReadTable>,
    /// The topic it writes; may hold placeholders.
    pub topic: String,
    /// True when its sink writes transactions (exactly once): output becomes visible with a checkpoint.
    pub exactly_once: bool,
}

/// A table that a job reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadTable {
    /// Physical name.
    pub table: String,
    /// Its topic; may hold placeholders.
    pub topic: String,
    /// Consumer group, with `${CYANOTYPE_JOB}` in it; `None` when it has none or several readers share one: progress is unknown.
    pub group: Option<String>,
}

/// A job's text, every placeholder resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobText {
    /// `pipeline.name`, unique for the attempt.
    pub name: String,
    /// Session settings.
    pub settings: BTreeMap<String, String>,
    /// DDL to replay.
    pub ddl: Vec<String>,
    /// The INSERT.
    pub insert: String,
}

/// How a job is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobHealth {
    /// `RUNNING`, `RESTARTING`, `FAILED`, `CANCELED`, `FINISHED`, ... as the engine says.
    pub state: String,
    /// Checkpoints completed since the last exception (since the start when there was none).
    pub checkpoints_since_exception: u64,
    /// Checkpoints completed in all.
    pub checkpoints: u64,
    /// Exceptions that the engine remembers.
    pub exceptions: u64,
    /// Cause of the last one, one line.
    pub last_exception: Option<String>,
    /// When it came, milliseconds since 1970.
    #[serde(default)]
    pub last_exception_ms: Option<i64>,
    /// When it started, milliseconds since 1970.
    pub started_ms: i64,
}

/// A job that the engine knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRef {
    /// The engine's id.
    pub id: String,
    /// `pipeline.name`.
    pub name: String,
    /// State as the engine says.
    pub state: String,
}

impl JobRef {
    /// True in a state that a job never leaves.
    pub fn ended(&self) -> bool {
        Self::has_ended(&self.state)
    }

    /// True for a state that a job never leaves.
    pub fn has_ended(state: &str) -> bool {
        matches!(state, "FAILED" | "CANCELED" | "FINISHED")
    }
}

/// What a job does, as the engine says it of a running one or of one that it would start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobShape {
    /// Last part of the name of each table that it reads, sorted; one for each scan.
    pub reads: Vec<String>,
    /// Last part of the name of each table that it writes, sorted.
    pub writes: Vec<String>,
    /// What each of its operators does, in the engine's words, sorted, without what differs from start to start.
    pub operators: Vec<String>,
}
