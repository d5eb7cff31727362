//! The world as the daemon sees it: one trait for each kind of system, with what is true when a call returns.
//!
//! Rules: every call has a time-out of its own; every error is a [`PortError`] whose text names the system and the thing
//! and never a secret; a call that failed may have had its effect, so callers look before they try again.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::model::job::{JobHealth, JobRef, JobShape, JobText};
use crate::model::record::{NewRecord, Offsets, RawRecord, TopicSpec};

/// What went wrong at the edge.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// The system did not answer, or not in time. Trying again may help.
    #[error("{system} at {address} cannot be reached: {reason}")]
    Unreachable {
        /// `registry`, `Kafka`, `Flink`, `SQL gateway`, `Connect`, ...
        system: &'static str,
        /// Address without credentials.
        address: String,
        /// One line.
        reason: String,
    },
    /// It answered with a refusal.
    #[error("{system} refused {what}: {reason}")]
    Refused {
        /// See `Unreachable`.
        system: &'static str,
        /// The call, such as `GET /subjects`.
        what: String,
        /// Status and message, one line.
        reason: String,
    },
    /// It answered with something that is not understood.
    #[error("{system} gave an answer to {what} that is not understood: {reason}")]
    Garbage {
        /// See `Unreachable`.
        system: &'static str,
        /// The call.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The thing does not exist.
    #[error("{system} has no {what}")]
    Missing {
        /// See `Unreachable`.
        system: &'static str,
        /// The thing.
        what: String,
    },
    /// Files of the project cannot be read; the others could be.
    #[error("{}", files.join("; "))]
    Unread {
        /// Each with its path and what is wrong: `pipelines/a.sql: line 2 is not UTF-8`.
        files: Vec<String>,
    },
    /// Another daemon has taken the journal over; nothing more may be written.
    #[error("another daemon leads now: this one writes nothing more")]
    Fenced,
}

impl PortError {
    /// True when the same call may succeed later without anybody changing anything.
    pub fn passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

/// Short for a result at the edge.
pub type PortResult<T> = Result<T, PortError>;

/// One registered schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredSchema {
    /// Subject; empty when looked up by id.
    pub subject: String,
    /// Version in the subject; 0 when looked up by id.
    pub version: i32,
    /// Id, as records carry it.
    pub id: u32,
    /// `AVRO`, `PROTOBUF` or `JSON`.
    pub kind: String,
    /// Schema text.
    pub text: String,
    /// Texts of referenced schemas, resolved, as (name, text): each after those that it needs itself.
    pub references: Vec<(String, String)>,
    /// The properties of its metadata, where the registry keeps some.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// What a registry checks before it takes a version of a subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegistryChecks {
    /// The compatibility level as the registry spells it; `None` where it tells none.
    pub level: Option<String>,
    /// The property of the metadata by which versions are grouped: only those of one group are compared.
    pub group: Option<String>,
}

/// Where a registry keeps its own records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryLog {
    /// Topic, `_schemas` unless its operator named another.
    pub topic: String,
    /// The context whose subjects are meant; empty for the default one.
    pub context: String,
}

/// The schema registry, Confluent's API. Subjects are named within one context.
#[async_trait]
pub trait Registry: Send + Sync {
    /// Every subject that is not deleted.
    async fn subjects(&self) -> PortResult<Vec<String>>;
    /// The newest version of each of `subjects` that exists and is not deleted: what is asked for again and again. A subject
    /// that comes or goes meanwhile may be missing.
    async fn latest(&self, subjects: &BTreeSet<String>) -> PortResult<BTreeMap<String, i32>> {
        let mut latest = BTreeMap::new();
        for subject in subjects {
            if let Some(newest) = self.versions(subject).await?.last() {
                latest.insert(subject.clone(), *newest);
            }
        }
        Ok(latest)
    }
    /// What may be done with the subject: `READWRITE`, `READONLY`, `IMPORT`, as the registry spells it; `None` where the
    /// registry knows no modes.
    async fn mode(&self, _subject: &str) -> PortResult<Option<String>> {
        Ok(None)
    }
    /// The topic that the registry keeps its records in, if that may be read.
    fn log(&self) -> Option<RegistryLog> {
        None
    }
    /// Versions of a subject, oldest first; empty when there is no such subject.
    async fn versions(&self, subject: &str) -> PortResult<Vec<i32>>;
    /// One version, also one that is deleted softly.
    async fn schema(&self, subject: &str, version: i32) -> PortResult<RegisteredSchema>;
    /// The schema that records with this id were written with.
    async fn schema_by_id(&self, id: u32) -> PortResult<RegisteredSchema>;
    /// The schema that records with this GUID were written with; its id is 0 where the registry does not tell one.
    async fn schema_by_guid(&self, guid: &str) -> PortResult<RegisteredSchema>;
    /// Subjects and versions that have this id; empty when the registry does not know it, or cannot tell.
    async fn versions_of(&self, id: u32) -> PortResult<Vec<(String, i32)>>;
    /// The subject's own compatibility level, or the global one: as the registry spells it.
    async fn level(&self, subject: &str) -> PortResult<String>;
    /// What holds for the subject: its own settings, or the global ones.
    async fn checks(&self, subject: &str) -> PortResult<RegistryChecks> {
        Ok(RegistryChecks { level: Some(self.level(subject).await?), group: None })
    }
    /// Sets the subject's level. After `Ok` it holds, also before the subject's first version.
    async fn set_level(&self, subject: &str, level: &str) -> PortResult<()>;
    /// Registers an Avro schema without references under the subject. After `Ok` the registry finds it there; it may have
    /// been there before.
    async fn register(&self, subject: &str, schema: &str) -> PortResult<()>;
    /// Deletes a subject for good (soft, then hard); `Ok` when there is none.
    async fn delete_subject(&self, subject: &str) -> PortResult<()>;
}

/// A stream of records between two positions, in batches.
#[async_trait]
pub trait RecordStream: Send {
    /// The next records, or `None` when every partition has reached its end position. Records of aborted transactions never come.
    async fn next_batch(&mut self) -> PortResult<Option<Vec<RawRecord>>>;
}

/// Kafka topics and consumer groups. Every read is `read_committed`.
#[async_trait]
pub trait Topics: Send + Sync {
    /// Partitions and settings; `None` when the topic does not exist.
    async fn describe(&self, topic: &str) -> PortResult<Option<TopicSpec>>;
    /// Makes a topic; `Ok` when it exists already with as many partitions.
    async fn create(&self, spec: &TopicSpec) -> PortResult<()>;
    /// Deletes a topic; `Ok` when there is none.
    async fn delete(&self, topic: &str) -> PortResult<()>;
    /// First offset still held, for each partition.
    async fn beginnings(&self, topic: &str) -> PortResult<Offsets>;
    /// One past the last record that a read_committed reader sees now, as read by us; the beginning for an empty partition.
    async fn visible_ends(&self, topic: &str) -> PortResult<Offsets>;
    /// One past the last offset of each partition that is decided: cheaper than [`Topics::visible_ends`], and further where
    /// no reader sees the last offsets, such as the ends of transactions.
    async fn ends(&self, topic: &str) -> PortResult<Offsets> {
        self.visible_ends(topic).await
    }
    /// Committed offsets of a group on a topic; `None` when the group has committed nothing there.
    async fn committed(&self, group: &str, topic: &str) -> PortResult<Option<Offsets>>;
    /// Consumer groups that have committed an offset on the topic or have a member that reads it, whether or not they are
    /// still in use: Kafka does not tell.
    async fn readers(&self, topic: &str) -> PortResult<Vec<String>>;
    /// Deletes a group's offsets; `Ok` when there is none.
    async fn delete_group(&self, group: &str) -> PortResult<()>;
    /// Writes records to partition 0, in their order. After `Ok` each is confirmed by every replica in sync; after `Err` a
    /// first part of them may be there, and all of them may be written again.
    async fn write(&self, topic: &str, records: &[NewRecord]) -> PortResult<()>;
    /// Reads from `from` (missing partitions: from the beginning) up to `to` (exclusive; partitions not in it are not read).
    async fn read(&self, topic: &str, from: &Offsets, to: &Offsets) -> PortResult<Box<dyn RecordStream>>;
}

/// Flink through its SQL Gateway and REST API.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Plans the statement without starting it; the engine's text. Refused with the engine's own message when it cannot run.
    async fn explain(&self, job: &JobText) -> PortResult<String>;
    /// Starts the job in a session of its own, every DDL replayed. After `Ok` the engine has accepted it under `job.name`.
    async fn start(&self, job: &JobText) -> PortResult<JobRef>;
    /// Jobs with this very name, ended ones too.
    async fn find(&self, name: &str) -> PortResult<Vec<JobRef>>;
    /// Every job that the engine knows.
    async fn jobs(&self) -> PortResult<Vec<JobRef>>;
    /// What a job does that was started before.
    async fn running(&self, id: &str) -> PortResult<JobShape>;
    /// What the job would do, without starting it; in the same words as [`Engine::running`].
    async fn shape(&self, job: &JobText) -> PortResult<JobShape>;
    /// Which of `topics` a job reads, whatever it calls them, and whether each of its sources has said what it reads: shortly
    /// after a start, and where they are no topics, they have not.
    async fn topics_read(&self, id: &str, topics: &BTreeSet<String>) -> PortResult<(BTreeSet<String>, bool)>;
    /// How far a job has read a table from its topic: for each partition one past the last record that all of its scans of
    /// the table have taken in, which need not be worked off yet. It may be a while old, and is never ahead. `None` while
    /// the engine does not say it of every scan, or the job does not read the table.
    async fn positions(&self, id: &str, table: &str, topic: &str) -> PortResult<Option<Offsets>>;
    /// How the job is doing.
    async fn health(&self, id: &str) -> PortResult<JobHealth>;
    /// Cancels it and waits until it has ended; `Ok` when it had ended or is unknown.
    async fn cancel(&self, id: &str) -> PortResult<()>;
}

/// Where a connector and its tasks stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorStatus {
    /// State of the connector object: says little.
    pub state: String,
    /// State of each task.
    pub tasks: Vec<String>,
    /// First line of the first failed task's trace.
    pub failure: Option<String>,
}

/// Kafka Connect.
#[async_trait]
pub trait Connectors: Send + Sync {
    /// Settings; `None` when there is no such connector.
    async fn config(&self, name: &str) -> PortResult<Option<BTreeMap<String, String>>>;
    /// The settings of every connector, by name.
    async fn all(&self) -> PortResult<BTreeMap<String, BTreeMap<String, String>>>;
    /// Creates or replaces the settings. A stopped connector stays stopped.
    async fn configure(&self, name: &str, config: &BTreeMap<String, String>) -> PortResult<()>;
    /// State.
    async fn status(&self, name: &str) -> PortResult<Option<ConnectorStatus>>;
    /// Stops it and waits until it has no tasks.
    async fn stop(&self, name: &str) -> PortResult<()>;
    /// Lets it run again.
    async fn resume(&self, name: &str) -> PortResult<()>;
    /// Restarts failed tasks.
    async fn restart(&self, name: &str) -> PortResult<()>;
    /// Sink offsets by topic.
    async fn offsets(&self, name: &str) -> PortResult<BTreeMap<String, Offsets>>;
    /// Sets (`Some`) or forgets (`None`) the offset of partitions of a stopped sink.
    async fn set_offsets(&self, name: &str, topic: &str, offsets: &BTreeMap<i32, Option<i64>>) -> PortResult<()>;
    /// Deletes it; `Ok` when there is none.
    async fn delete(&self, name: &str) -> PortResult<()>;
}

/// What a journal holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Every entry that is left, oldest first.
    pub entries: Vec<Vec<u8>>,
    /// True when there were entries before them, which are deleted: by [`Journal::forget`], or by somebody else.
    pub shortened: bool,
}

/// A place in a journal: after some entries and before the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub i64);

/// The journal: a log with one writer, which only grows at its end and is only shortened at its beginning.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Waits until this daemon leads, fences the old leader, and returns what the journal holds.
    async fn lead(&self) -> PortResult<Held>;
    /// Appends one entry, whole or not at all; answers with the place before it. After `Ok` a restart sees it; after `Err`
    /// it may or may not.
    async fn append(&self, entry: &[u8]) -> PortResult<Place>;
    /// Deletes every entry before `place`. After `Err` some of the oldest may be gone, and trying again is harmless. The
    /// caller has appended, at `place` or later, what stands for them.
    async fn forget(&self, before: Place) -> PortResult<()>;
    /// Gives the lead up, so that another daemon need not wait for this one's session to end. Nothing can be appended then.
    async fn leave(&self);
    /// False once another daemon has taken over.
    fn leading(&self) -> bool;
}

/// An event for the outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingEvent {
    /// Unique id; the same for every delivery attempt.
    pub id: String,
    /// Such as `rollout.awaiting_approval`.
    pub kind: String,
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// JSON body.
    pub body: String,
}

/// Signed outgoing webhooks.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Delivers the event, with retries. `Ok` when the receiver took it, or no receiver is configured.
    async fn notify(&self, event: &OutgoingEvent) -> PortResult<()>;
}

/// A file of the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectFile {
    /// Path relative to the project, with `/`.
    pub path: String,
    /// Text.
    pub text: String,
}

/// The project's files.
#[async_trait]
pub trait Repository: Send + Sync {
    /// Every `.sql` file under `pipelines/` and every `.json` under `connectors/`, sorted by path, without a byte order mark.
    /// [`PortError::Unread`] names all that cannot be read.
    async fn files(&self) -> PortResult<Vec<ProjectFile>>;
    /// The same files as a revision of the git repository has them: a branch, a tag, a commit, `HEAD~1`. The working tree is
    /// not looked at and stays as it is. Refused when there is no such revision; [`PortError::Missing`] when there is no git
    /// repository, or no git.
    async fn files_at(&self, revision: &str) -> PortResult<Vec<ProjectFile>>;
    /// The commit that a revision names, in full; `None` when there is none, or no git repository.
    async fn commit(&self, revision: &str) -> PortResult<Option<String>>;
    /// Writes files to a new branch without touching the working tree, and returns its name; `None` when this is no git repository.
    async fn propose(&self, branch: &str, files: &[ProjectFile], message: &str) -> PortResult<Option<String>>;
}

/// Time.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> i64;
    /// Waits.
    async fn sleep_ms(&self, ms: u64);
}
