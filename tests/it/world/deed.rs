//! What a call changes, as data: so that it can be judged, carried out, and carried out late.

use std::collections::BTreeMap;
use std::fmt;

use cyanotype::model::job::{JobRef, JobText};
use cyanotype::model::record::{NewRecord, Offsets, TopicSpec};
use cyanotype::port::{OutgoingEvent, PortResult, ProjectFile};

use super::connect::{Connector, group};
use super::kafka::Topic;
use super::state::Trouble;
use super::{State, refused};

/// One call that changes something: each is a call of a port with its arguments.
#[derive(Clone)]
pub enum Deed {
    CreateTopic { spec: TopicSpec },
    DeleteTopic { topic: String },
    DeleteGroup { group: String },
    SetLevel { subject: String, level: String },
    Register { subject: String, schema: String },
    DeleteSubject { subject: String },
    Write { topic: String, records: Vec<NewRecord> },
    Forget { before: i64 },
    Start { text: JobText },
    Cancel { id: String },
    Configure { name: String, config: BTreeMap<String, String> },
    Stop { name: String },
    Resume { name: String },
    Restart { name: String },
    SetOffsets { name: String, topic: String, offsets: BTreeMap<i32, Option<i64>> },
    DeleteConnector { name: String },
    Propose { branch: String, files: Vec<ProjectFile> },
    Notify { event: OutgoingEvent },
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateTopic { spec } => write!(f, "create topic {}", spec.name),
            Self::DeleteTopic { topic } => write!(f, "delete topic {topic}"),
            Self::DeleteGroup { group } => write!(f, "delete group {group}"),
            Self::SetLevel { subject, .. } => write!(f, "set level of {subject}"),
            Self::Register { subject, .. } => write!(f, "register a schema of {subject}"),
            Self::DeleteSubject { subject } => write!(f, "delete subject {subject}"),
            Self::Write { topic, records } => write!(f, "write {} records to {topic}", records.len()),
            Self::Forget { before } => write!(f, "forget entries before {before}"),
            Self::Start { text } => write!(f, "start job {}", text.name),
            Self::Cancel { id } => write!(f, "cancel job {id}"),
            Self::Configure { name, .. } => write!(f, "configure connector {name}"),
            Self::Stop { name } => write!(f, "stop connector {name}"),
            Self::Resume { name } => write!(f, "resume connector {name}"),
            Self::Restart { name } => write!(f, "restart connector {name}"),
            Self::SetOffsets { name, .. } => write!(f, "set offsets of connector {name}"),
            Self::DeleteConnector { name } => write!(f, "delete connector {name}"),
            Self::Propose { branch, .. } => write!(f, "propose branch {branch}"),
            Self::Notify { event } => write!(f, "send event {}", event.kind),
        }
    }
}

impl State {
    /// Does it; the job that it started, if it did.
    pub(super) fn carry_out(&mut self, deed: &Deed) -> PortResult<Option<JobRef>> {
        self.worked_ms = None;
        match deed {
            Deed::CreateTopic { spec } => match self.topics.get(&spec.name) {
                Some(there) if there.spec.partitions != spec.partitions => {
                    return Err(refused("Kafka", format!("topic {}", spec.name), "it has other partitions"));
                }
                Some(_) => {}
                None => {
                    self.topics.insert(spec.name.clone(), Topic::new(spec.clone()));
                }
            },
            Deed::DeleteTopic { topic } => {
                if self.has(Trouble::NoDelete(topic.clone())) {
                    return Err(refused("Kafka", format!("to delete topic {topic}"), "not authorized"));
                }
                self.topics.remove(topic);
                // The broker forgets what was committed on it.
                self.groups.values_mut().for_each(|topics| {
                    topics.remove(topic);
                });
            }
            Deed::DeleteGroup { group } => {
                let read = |job: &super::flink::Job| job.runs() && job.reads.iter().any(|r| r.group == *group);
                if self.jobs.values().any(read) {
                    return Err(refused("Kafka", format!("to delete group {group}"), "it still has members"));
                }
                self.groups.remove(group);
            }
            Deed::SetLevel { subject, level } => {
                self.schemas.levels.insert(subject.clone(), level.clone());
            }
            Deed::Register { subject, schema } => {
                self.schemas.register(subject, schema);
            }
            Deed::DeleteSubject { subject } => self.delete_subject(subject),
            Deed::Write { topic, records } => return self.write_raw(topic, records).map(|()| None),
            Deed::Forget { before } => self.journal.forget(*before),
            Deed::Start { text } => return self.start(text).map(Some),
            Deed::Cancel { id } => {
                let Some(job) = self.jobs.get(id) else { return Ok(None) };
                if self.has(Trouble::NoCancel(job.table.clone())) {
                    return Err(refused("Flink", format!("to cancel job {id}"), "it is busy"));
                }
                self.jobs.entry(id.clone()).and_modify(|job| job.state = "CANCELED".to_owned());
            }
            Deed::Configure { name, config } => {
                let stopped = self.connectors.get(name).is_some_and(|c| c.stopped);
                self.connectors.insert(name.clone(), Connector { config: config.clone(), stopped });
            }
            Deed::Stop { name } => self.connector(name)?.stopped = true,
            Deed::Resume { name } => self.connector(name)?.stopped = false,
            Deed::Restart { name } => {
                self.connector(name)?;
            }
            Deed::SetOffsets { name, topic, offsets } => {
                if !self.connector(name)?.stopped {
                    return Err(refused("Connect", format!("offsets of connector {name}"), "it is not stopped"));
                }
                let known = self.groups.entry(group(name)).or_default();
                let kept: &mut Offsets = known.entry(topic.clone()).or_default();
                for (partition, offset) in offsets {
                    match offset {
                        Some(offset) => kept.insert(*partition, *offset),
                        None => kept.remove(partition),
                    };
                }
                known.retain(|_, offsets| !offsets.is_empty());
            }
            Deed::DeleteConnector { name } => {
                self.connectors.remove(name);
                self.groups.remove(&group(name));
            }
            Deed::Propose { branch, files } => match self.branches.get(branch) {
                Some(there) if there != files => {
                    return Err(refused("git", format!("branch {branch}"), "it exists and holds other files"));
                }
                _ => {
                    self.branches.insert(branch.clone(), files.clone());
                }
            },
            Deed::Notify { event } => self.events.push(event.clone()),
        }
        Ok(None)
    }

    /// Starts a job.
    pub fn start(&mut self, text: &JobText) -> PortResult<JobRef> {
        let job = self.job(text)?;
        if self.has(Trouble::NoStart(job.table.clone())) {
            return Err(refused("Flink", format!("to start job {}", text.name), "no slots"));
        }
        let started = JobRef { id: job.id.clone(), name: job.name.clone(), state: job.state.clone() };
        self.jobs.insert(job.id.clone(), job);
        Ok(started)
    }
}
