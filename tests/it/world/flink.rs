//! Flink: jobs that do what their text says, as far as a project in this world says anything.
//!
//! Rules: a job selects columns by name from one table, or from one joined with another on its key; it reads, writes and
//! commits at its checkpoints, one each second; an exactly-once sink ends a transaction at each of them.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use cyanotype::model::column::ColumnType;
use cyanotype::model::job::{JobHealth, JobRef, JobShape, JobText};
use cyanotype::model::record::Offsets;
use cyanotype::port::{Engine, PortResult};
use cyanotype::sql::{self, CreateTable, StatementKind};

use super::avro::{Body, Cell, Field, Row, flat};
use super::kafka::{Slot, id_of};
use super::state::Trouble;
use super::{Deed, Seat, State, refused};

/// Time between two checkpoints, milliseconds.
const CHECKPOINT_MS: i64 = 1_000;

/// A table that a job reads.
#[derive(Clone)]
pub struct Read {
    /// Physical name.
    pub table: String,
    /// Topic.
    pub topic: String,
    /// Consumer group.
    pub group: String,
    /// Column of the first table that names its key, for a table that is joined.
    on: Option<String>,
    position: Offsets,
    rows: BTreeMap<i64, Row>,
}

/// A job.
#[derive(Clone)]
pub struct Job {
    /// Id.
    pub id: String,
    /// `pipeline.name`.
    pub name: String,
    /// `RUNNING`, `CANCELED`.
    pub state: String,
    /// Physical table that it writes.
    pub table: String,
    /// Topic that it writes.
    pub topic: String,
    /// What it reads, the first table first.
    pub reads: Vec<Read>,
    /// When it was started.
    pub started_ms: i64,
    columns: Vec<(String, &'static str)>,
    exactly_once: bool,
    checkpoints: u64,
    written: BTreeMap<i64, Row>,
}

impl Job {
    /// True unless it has ended.
    pub fn runs(&self) -> bool {
        self.state == "RUNNING"
    }

    fn known(&self) -> JobRef {
        JobRef { id: self.id.clone(), name: self.name.clone(), state: self.state.clone() }
    }

    fn shape(&self) -> JobShape {
        let mut reads: Vec<String> = self.reads.iter().map(|read| read.table.clone()).collect();
        reads.sort();
        let columns: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
        let operators = vec![format!("{} from {}", columns.join(", "), reads.join(", "))];
        JobShape { reads, writes: vec![self.table.clone()], operators }
    }

    fn result(&self) -> BTreeMap<i64, Row> {
        let Some((first, joined)) = self.reads.split_first() else { return BTreeMap::new() };
        let mut out = BTreeMap::new();
        for (id, row) in &first.rows {
            let mut all = row.clone();
            let mut matched = true;
            for other in joined {
                let key = other.on.as_ref().and_then(|on| match row.get(on) {
                    Some(Cell::Long(key)) => other.rows.get(key),
                    _ => None,
                });
                matched &= key.is_some();
                key.into_iter().flatten().for_each(|(c, v)| {
                    all.entry(c.clone()).or_insert_with(|| v.clone());
                });
            }
            if matched {
                let cell = |name: &String| (name.clone(), all.get(name).cloned().unwrap_or(Cell::Null));
                out.insert(*id, self.columns.iter().map(|(name, _)| cell(name)).collect());
            }
        }
        out
    }
}

impl State {
    /// What the text says, as a job; a refusal when it cannot run.
    pub(super) fn job(&self, text: &JobText) -> PortResult<Job> {
        let wrong = |reason: &str| refused("Flink", format!("job {}", text.name), reason);
        let tables: Vec<CreateTable> = text.ddl.iter().filter_map(|ddl| table(ddl)).collect();
        let parsed = sql::parse(&text.insert);
        let Some(StatementKind::Insert(insert)) = parsed.statements().first().map(|s| &s.kind) else {
            return Err(wrong("it inserts nothing"));
        };
        let target = insert.target.last().name.clone();
        let find =
            |name: &str| tables.iter().find(|t| t.name.last().name == name).ok_or_else(|| wrong("unknown table"));
        let option = |table: &CreateTable, key: &str| table.option(key).map(|o| o.value.clone()).unwrap_or_default();
        let mut reads = Vec::new();
        for (name, on) in sources(&text.insert) {
            let table = find(&name)?;
            let group = option(table, "properties.group.id");
            let topic = option(table, "topic");
            reads.push(Read { table: name, topic, group, on, position: Offsets::new(), rows: BTreeMap::new() });
        }
        let written = find(&target)?;
        let kind = |ty: &ColumnType| if *ty == ColumnType::BigInt { "long" } else { "string" };
        Ok(Job {
            id: format!("job-{}", self.jobs.len() + 1),
            name: text.name.clone(),
            state: "RUNNING".to_owned(),
            topic: option(written, "topic"),
            columns: written.schema().into_iter().map(|c| (c.name, kind(&c.ty.ty))).collect(),
            exactly_once: option(written, "sink.delivery-guarantee") == "exactly-once",
            table: target,
            reads,
            started_ms: self.now_ms,
            checkpoints: 0,
            written: BTreeMap::new(),
        })
    }

    /// Lets every job complete the checkpoints that time has come for.
    pub(super) fn run_jobs(&mut self) {
        let now_ms = self.now_ms;
        let due = |job: &Job| job.runs() && now_ms >= job.started_ms + CHECKPOINT_MS * (job.checkpoints as i64 + 1);
        let due: Vec<String> = self.jobs.values().filter(|j| due(j)).map(|j| j.id.clone()).collect();
        for id in due {
            let Some(mut job) = self.jobs.remove(&id) else { continue };
            if !self.has(Trouble::Stalls(job.table.clone())) {
                self.work(&mut job);
                job.checkpoints = u64::try_from((now_ms - job.started_ms) / CHECKPOINT_MS).unwrap();
            }
            self.jobs.insert(id, job);
        }
    }

    fn work(&mut self, job: &mut Job) {
        for read in &mut job.reads {
            let Some(topic) = self.topics.get(&read.topic) else { continue };
            for (partition, offset, slot) in topic.from(&read.position) {
                let Slot::Record(key, value) = slot else { continue };
                let (row, before) = match value {
                    Some((_, Body::Change { before, after })) => (after.as_ref(), before.as_ref()),
                    Some((_, Body::Row(row))) => (Some(row), None),
                    None => (None, None),
                };
                let id = id_of(key.as_ref().map(|(_, k)| k).or(row).or(before)).unwrap();
                match row {
                    Some(row) => read.rows.insert(id, row.clone()),
                    None => read.rows.remove(&id),
                };
                read.position.insert(partition, offset + 1);
            }
            let committed = self.groups.entry(read.group.clone()).or_default();
            committed.insert(read.topic.clone(), read.position.clone());
        }
        let mut result = job.result();
        if self.has(Trouble::LosesARow(job.table.clone())) {
            result.pop_first();
        }
        let gone: Vec<i64> = job.written.keys().filter(|id| !result.contains_key(id)).copied().collect();
        let changed = result.iter().filter(|(id, row)| job.written.get(id) != Some(row));
        let news: Vec<(i64, Option<Row>)> =
            gone.into_iter().map(|id| (id, None)).chain(changed.map(|(id, row)| (*id, Some(row.clone())))).collect();
        if !news.is_empty() {
            self.write(job, news);
        }
        job.written = result;
    }

    fn write(&mut self, job: &Job, news: Vec<(i64, Option<Row>)>) {
        let fields: Vec<Field<'_>> = job.columns.iter().map(|(name, kind)| Field(name, kind, name != "id")).collect();
        let key = self.schemas.register(&format!("{}-key", job.topic), &flat("key", &[Field("id", "long", false)]));
        let value = self.schemas.register(&format!("{}-value", job.topic), &flat("record", &fields));
        let Some(topic) = self.topics.get_mut(&job.topic) else { return };
        for (id, row) in news {
            let named = Row::from([("id".to_owned(), Cell::Long(id))]);
            topic.push(id, Slot::Record(Some((key, named)), row.map(|row| (value, Body::Row(row)))));
        }
        if job.exactly_once {
            topic.mark();
        }
    }
}

fn table(ddl: &str) -> Option<CreateTable> {
    match sql::parse(ddl).statements().first().map(|s| s.kind.clone()) {
        Some(StatementKind::CreateTable(create)) => Some(create),
        _ => None,
    }
}

/// The tables behind `FROM` and `JOIN`, the latter with the column of `ON <table>.id = <first>.<column>`.
fn sources(insert: &str) -> Vec<(String, Option<String>)> {
    let words: Vec<&str> = insert.split(|c: char| c.is_whitespace() || c == ';').filter(|w| !w.is_empty()).collect();
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let Some(name) = words.get(at + 1).map(|n| (*n).to_owned()) else { continue };
        match *word {
            "FROM" => found.push((name, None)),
            "JOIN" => {
                let on = words.get(at + 5).and_then(|w| w.split_once('.')).map(|(_, column)| column.to_owned());
                found.push((name, on));
            }
            _ => {}
        }
    }
    found
}

#[async_trait]
impl Engine for Seat {
    async fn explain(&self, job: &JobText) -> PortResult<String> {
        self.look(|state| state.job(job).map(|_| "a plan".to_owned())).await
    }

    async fn running(&self, id: &str) -> PortResult<JobShape> {
        let gone = || super::missing("Flink", format!("job {id}"));
        self.look(|state| state.jobs.get(id).map(Job::shape).ok_or_else(gone)).await
    }

    async fn shape(&self, job: &JobText) -> PortResult<JobShape> {
        self.look(|state| state.job(job).map(|job| job.shape())).await
    }

    async fn topics_read(&self, id: &str, topics: &BTreeSet<String>) -> PortResult<(BTreeSet<String>, bool)> {
        self.look(|state| {
            let job = state.jobs.get(id).ok_or_else(|| super::missing("Flink", format!("job {id}")))?;
            let read = job.reads.iter().map(|read| &read.topic).filter(|topic| topics.contains(*topic));
            Ok((read.cloned().collect(), true))
        })
        .await
    }

    async fn positions(&self, id: &str, table: &str, topic: &str) -> PortResult<Option<Offsets>> {
        self.look(|state| {
            let job = state.jobs.get(id).ok_or_else(|| super::missing("Flink", format!("job {id}")))?;
            let read = job.reads.iter().find(|read| read.table == table && read.topic == topic);
            Ok(read.map(|read| read.position.clone()))
        })
        .await
    }

    async fn start(&self, job: &JobText) -> PortResult<JobRef> {
        self.act(Deed::Start { text: job.clone() }).await.map(Option::unwrap)
    }

    async fn find(&self, name: &str) -> PortResult<Vec<JobRef>> {
        self.look(|state| Ok(state.jobs.values().filter(|j| j.name == name).map(Job::known).collect())).await
    }

    async fn jobs(&self) -> PortResult<Vec<JobRef>> {
        self.look(|state| Ok(state.jobs.values().map(Job::known).collect())).await
    }

    async fn health(&self, id: &str) -> PortResult<JobHealth> {
        self.look(|state| match state.jobs.get(id) {
            Some(job) => Ok(JobHealth {
                state: job.state.clone(),
                checkpoints_since_exception: job.checkpoints,
                checkpoints: job.checkpoints,
                exceptions: 0,
                last_exception: None,
                last_exception_ms: None,
                started_ms: job.started_ms,
            }),
            None => Err(super::missing("Flink", format!("job {id}"))),
        })
        .await
    }

    async fn cancel(&self, id: &str) -> PortResult<()> {
        self.act(Deed::Cancel { id: id.to_owned() }).await.map(drop)
    }
}
