//! What is done to the world, as data: each effect has a stable key, may be run twice, and says how it is undone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::job::JobSpec;
use super::manifest::Manifest;
use super::work::RunningJob;

/// One change of the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "effect")]
pub enum Effect {
    /// Makes a topic like `like` (partitions and settings), or with the given number of partitions. Undo: delete it and its
    /// subjects.
    CreateTopic {
        /// Topic.
        topic: String,
        /// Topic whose partitions and settings it copies.
        like: Option<String>,
        /// Partitions when there is nothing to copy.
        partitions: i32,
        /// Settings when there is nothing to copy.
        config: BTreeMap<String, String>,
    },
    /// Looks through a changelog topic for an update that does not say what the row was before: no job could read past it
    /// (Debezium needs `REPLICA IDENTITY FULL`). Nothing to undo.
    InspectTopic {
        /// Topic.
        topic: String,
    },
    /// Gives a subject the compatibility level of another one. Undo: delete the subject.
    CopySubjectLevel {
        /// Green's subject.
        subject: String,
        /// Blue's subject.
        like: String,
    },
    /// Asks the engine whether the statement can run, without running it. Nothing to undo.
    Explain {
        /// The job.
        job: JobSpec,
    },
    /// Starts a job. Undo: cancel it and delete its consumer groups.
    StartJob {
        /// The job.
        job: JobSpec,
    },
    /// Cancels the job that writes `table` and deletes its consumer groups. Not undone.
    CancelJob {
        /// Physical name of the table it writes.
        table: String,
    },
    /// Takes over a job that somebody else started, as it runs. Undo: let go of it.
    AdoptJob {
        /// The job.
        job: RunningJob,
    },
    /// Lets go of the job that writes `table`: it runs on, and is not ours. Not undone.
    ReleaseJob {
        /// Physical name of the table it writes.
        table: String,
    },
    /// Makes a connector. Undo: delete it.
    CreateConnector {
        /// Name.
        name: String,
        /// Settings; may hold placeholders.
        config: BTreeMap<String, String>,
    },
    /// Deletes a connector. Not undone.
    DeleteConnector {
        /// Name.
        name: String,
    },
    /// Moves a sink connector from one topic to another: stop, mend the destination, set offsets, configure, resume. Undo:
    /// move it back.
    MoveConnector {
        /// Name.
        name: String,
        /// Settings before; may hold placeholders.
        before: BTreeMap<String, String>,
        /// Settings after.
        after: BTreeMap<String, String>,
        /// Topic that it leaves.
        from: String,
        /// Topic that it goes to, from the beginning.
        to: String,
    },
    /// Deletes a topic and its subjects. Not undone.
    DeleteTopic {
        /// Topic.
        topic: String,
    },
    /// Records what is deployed from now on. Undo: record what was before.
    SetManifest {
        /// The manifest until now.
        before: Box<Manifest>,
        /// The manifest from now on.
        after: Box<Manifest>,
    },
}

impl Effect {
    /// Names the effect within its rollout; the same in every run.
    pub fn key(&self) -> String {
        match self {
            Self::CreateTopic { topic, .. } => format!("create-topic:{topic}"),
            Self::InspectTopic { topic } => format!("inspect-topic:{topic}"),
            Self::CopySubjectLevel { subject, .. } => format!("subject-level:{subject}"),
            Self::Explain { job } => format!("explain:{}", job.table),
            Self::StartJob { job } => format!("start-job:{}", job.table),
            Self::CancelJob { table } => format!("cancel-job:{table}"),
            Self::AdoptJob { job } => format!("adopt-job:{}", job.table),
            Self::ReleaseJob { table } => format!("release-job:{table}"),
            Self::CreateConnector { name, .. } => format!("create-connector:{name}"),
            Self::DeleteConnector { name } => format!("delete-connector:{name}"),
            Self::MoveConnector { name, to, .. } => format!("move-connector:{name}:{to}"),
            Self::DeleteTopic { topic } => format!("delete-topic:{topic}"),
            Self::SetManifest { .. } => "set-manifest".to_owned(),
        }
    }

    /// The effect that takes this one back, if there is one. Undoing twice, or what was never done, changes nothing.
    pub fn undo(&self) -> Option<Self> {
        match self {
            Self::CreateTopic { topic, .. } => Some(Self::DeleteTopic { topic: topic.clone() }),
            Self::StartJob { job } => Some(Self::CancelJob { table: job.table.clone() }),
            Self::AdoptJob { job } => Some(Self::ReleaseJob { table: job.table.clone() }),
            Self::CreateConnector { name, .. } => Some(Self::DeleteConnector { name: name.clone() }),
            Self::MoveConnector { name, before, after, from, to } => Some(Self::MoveConnector {
                name: name.clone(),
                before: after.clone(),
                after: before.clone(),
                from: to.clone(),
                to: from.clone(),
            }),
            Self::SetManifest { before, after } => {
                Some(Self::SetManifest { before: after.clone(), after: before.clone() })
            }
            // A level goes with its subject, which goes with its topic; the others change nothing or cannot come back.
            Self::InspectTopic { .. }
            | Self::CopySubjectLevel { .. }
            | Self::Explain { .. }
            | Self::CancelJob { .. }
            | Self::ReleaseJob { .. }
            | Self::DeleteConnector { .. }
            | Self::DeleteTopic { .. } => None,
        }
    }

    /// One line for people.
    pub fn title(&self) -> String {
        match self {
            Self::CreateTopic { topic, .. } => format!("create topic {topic}"),
            Self::InspectTopic { topic } => format!("look through topic {topic}"),
            Self::CopySubjectLevel { subject, .. } => format!("set compatibility of subject {subject}"),
            Self::Explain { job } => format!("explain {}", job.table),
            Self::StartJob { job } => format!("start job for {}", job.table),
            Self::CancelJob { table } => format!("cancel job of {table}"),
            Self::AdoptJob { job } => format!("adopt job {} for {}", job.id, job.table),
            Self::ReleaseJob { table } => format!("let go of the job of {table}"),
            Self::CreateConnector { name, .. } => format!("create connector {name}"),
            Self::DeleteConnector { name } => format!("delete connector {name}"),
            Self::MoveConnector { name, from, to, .. } => format!("move connector {name} from {from} to {to}"),
            Self::DeleteTopic { topic } => format!("delete topic {topic}"),
            Self::SetManifest { .. } => "record the deployed manifest".to_owned(),
        }
    }
}
