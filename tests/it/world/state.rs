//! Everything outside of a daemon, as plain data.

use std::collections::{BTreeMap, BTreeSet};

use cyanotype::model::record::{Offsets, TopicSpec};
use cyanotype::port::{OutgoingEvent, ProjectFile};

use super::avro::Row;
use super::connect::Connector;
use super::deed::Deed;
use super::flink::Job;
use super::journal::Log;
use super::kafka::Topic;
use super::registry::Schemas;

/// What goes wrong in a world.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// The job that writes this table gets no further.
    Stalls(String),
    /// The job that writes this table leaves a row out.
    LosesARow(String),
    /// Flink refuses to start the job that writes this table.
    NoStart(String),
    /// Flink does not cancel the job that writes this table.
    NoCancel(String),
    /// Kafka does not delete this topic.
    NoDelete(String),
    /// Tasks of a connector that reads this topic fail.
    SinkFails(String),
}

/// A call that was sent and has not landed yet.
#[derive(Clone)]
pub struct Late {
    /// When it lands, milliseconds since 1970.
    pub at_ms: i64,
    /// What it does.
    pub deed: Deed,
}

/// Everything outside.
#[derive(Clone, Default)]
pub struct State {
    /// Time when this state began to go on, milliseconds since 1970.
    pub base_ms: i64,
    /// Time, milliseconds since 1970.
    pub now_ms: i64,
    /// When jobs and connectors last worked; nothing has changed since.
    pub worked_ms: Option<i64>,
    /// Daemons so far.
    pub lives: u64,
    /// Calls so far.
    pub calls: u64,
    /// Calls so far that changed something.
    pub deeds: usize,
    /// The deed whose answer is lost, if one is.
    pub losing: Option<usize>,
    /// What goes wrong.
    pub troubles: BTreeSet<Trouble>,
    /// What a real world would have punished.
    pub offences: Vec<String>,
    /// Calls that land later.
    pub late: Vec<Late>,
    /// The journal.
    pub journal: Log,
    /// Schemas.
    pub schemas: Schemas,
    /// Topics.
    pub topics: BTreeMap<String, Topic>,
    /// Committed offsets, by group and topic.
    pub groups: BTreeMap<String, BTreeMap<String, Offsets>>,
    /// Jobs by id, ended ones too.
    pub jobs: BTreeMap<String, Job>,
    /// Connectors by name.
    pub connectors: BTreeMap<String, Connector>,
    /// Rows of the warehouse, by table and key.
    pub warehouse: BTreeMap<String, BTreeMap<i64, Row>>,
    /// The project's files.
    pub files: Vec<ProjectFile>,
    /// Branches that were proposed.
    pub branches: BTreeMap<String, Vec<ProjectFile>>,
    /// Jobs by name, topics, groups and connectors that nobody need know of: somebody else's, or left behind on purpose.
    pub theirs: BTreeSet<String>,
    /// Events that were sent.
    pub events: Vec<OutgoingEvent>,
}

impl State {
    /// Lets calls land, jobs work and connectors copy, as far as time has come.
    pub fn catch_up_with_time(&mut self) {
        let now_ms = self.now_ms;
        if self.worked_ms == Some(now_ms) {
            return;
        }
        while let Some(at) = self.late.iter().position(|late| late.at_ms <= now_ms) {
            let late = self.late.remove(at);
            // Who sent it is gone, and with it who would hear the answer.
            let _ = self.carry_out(&late.deed);
        }
        self.run_jobs();
        self.run_connectors();
        self.worked_ms = Some(now_ms);
    }

    /// True when that goes wrong.
    pub fn has(&self, trouble: Trouble) -> bool {
        self.troubles.contains(&trouble)
    }

    /// Writes down what a real world would have punished.
    pub fn offence(&mut self, text: impl Into<String>) {
        let last = self.journal.tail();
        self.offences.push(format!("{} (after {last})", text.into()));
    }

    /// A topic with partitions and settings.
    pub fn add_topic(&mut self, name: &str, partitions: i32, config: &[(&str, &str)]) {
        let config = config.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let spec = TopicSpec { name: name.to_owned(), partitions, config };
        self.topics.insert(name.to_owned(), Topic::new(spec));
    }
}
