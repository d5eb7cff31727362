//! The daemon in a small world of its own: no system, no time that passes by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::{mpsc, watch};

use super::execute::precheck;
use super::handle::{RefusalCause, Request};
use super::hold::{self, NotHeld, Positions, Wait};
use super::ports::Ports;
use super::settings::Settings;
use super::statements;
use super::turn::Daemon;
use super::watch::Sighting;
use crate::model::effect::Effect;
use crate::model::job::{JobHealth, JobRef, JobText};
use crate::model::parity::Hop;
use crate::model::record::{Offsets, TopicSpec};
use crate::model::work::{ReadProgress, RunningJob};
use crate::plan::input::{Carry, StatementChange};
use crate::plan::{self, Policy, project};
use crate::port::{
    Clock, ConnectorStatus, Connectors, Engine, Journal, Notifier, OutgoingEvent, PortError, PortResult, ProjectFile,
    RecordStream, RegisteredSchema, Registry, Repository, Topics,
};
use crate::rollout::event::Body;
use crate::rollout::{Entry, Event, Kind, Terms};
use crate::schema::Level;
use crate::telemetry::Metrics;

/// Everything outside.
#[derive(Default)]
struct World {
    /// Texts of each subject's versions.
    subjects: BTreeMap<String, Vec<String>>,
    /// What the journal held at the start.
    held: Vec<Entry>,
    journal: Mutex<Vec<Entry>>,
    /// Bytes that the journal takes as one entry; 0 for any number.
    largest_entry: usize,
    committed: BTreeMap<String, Offsets>,
    /// Settings of every connector.
    connector: Option<BTreeMap<String, String>>,
    /// The project's files.
    files: Mutex<Vec<ProjectFile>>,
    /// How many more questions for committed offsets get no answer.
    silent: AtomicU32,
    now_ms: AtomicI64,
}

fn silence() -> PortError {
    PortError::Unreachable { system: "Kafka", address: "k:1".to_owned(), reason: "silence".to_owned() }
}

fn unasked<T>() -> PortResult<T> {
    Err(PortError::Missing { system: "this world", what: "such a thing".to_owned() })
}

#[async_trait]
impl Registry for World {
    async fn subjects(&self) -> PortResult<Vec<String>> {
        Ok(self.subjects.keys().cloned().collect())
    }
    async fn versions(&self, subject: &str) -> PortResult<Vec<i32>> {
        Ok((1..).zip(self.subjects.get(subject).into_iter().flatten()).map(|(n, _)| n).collect())
    }
    async fn schema(&self, subject: &str, version: i32) -> PortResult<RegisteredSchema> {
        let text = self.subjects[subject][usize::try_from(version - 1).unwrap()].clone();
        let (subject, kind, references) = (subject.to_owned(), "AVRO".to_owned(), Vec::new());
        Ok(RegisteredSchema { subject, version, id: 1, kind, text, references })
    }
    async fn schema_by_id(&self, _: u32) -> PortResult<RegisteredSchema> {
        unasked()
    }
    async fn level(&self, _: &str) -> PortResult<String> {
        unasked()
    }
    async fn set_level(&self, _: &str, _: &str) -> PortResult<()> {
        unasked()
    }
    async fn delete_subject(&self, _: &str) -> PortResult<()> {
        unasked()
    }
}

#[async_trait]
impl Topics for World {
    async fn describe(&self, _: &str) -> PortResult<Option<TopicSpec>> {
        Ok(None)
    }
    async fn create(&self, _: &TopicSpec) -> PortResult<()> {
        unasked()
    }
    async fn delete(&self, _: &str) -> PortResult<()> {
        unasked()
    }
    async fn beginnings(&self, _: &str) -> PortResult<Offsets> {
        Ok(Offsets::from([(0, 3), (1, 0)]))
    }
    async fn visible_ends(&self, _: &str) -> PortResult<Offsets> {
        Ok(Offsets::from([(0, 5), (1, 0)]))
    }
    async fn committed(&self, group: &str, _: &str) -> PortResult<Option<Offsets>> {
        match self.silent.load(Ordering::SeqCst) {
            0 => Ok(self.committed.get(group).cloned()),
            left => {
                self.silent.store(left - 1, Ordering::SeqCst);
                Err(silence())
            }
        }
    }
    async fn delete_group(&self, _: &str) -> PortResult<()> {
        unasked()
    }
    async fn read(&self, _: &str, _: &Offsets, _: &Offsets) -> PortResult<Box<dyn RecordStream>> {
        unasked()
    }
}

#[async_trait]
impl Engine for World {
    async fn explain(&self, _: &JobText) -> PortResult<String> {
        unasked()
    }
    async fn start(&self, _: &JobText) -> PortResult<JobRef> {
        unasked()
    }
    async fn find(&self, _: &str) -> PortResult<Vec<JobRef>> {
        Ok(Vec::new())
    }
    async fn jobs(&self) -> PortResult<Vec<JobRef>> {
        Ok(Vec::new())
    }
    async fn health(&self, _: &str) -> PortResult<JobHealth> {
        let (state, last_exception) = ("RUNNING".to_owned(), None);
        let (checkpoints, checkpoints_since_exception) = (1, 1);
        Ok(JobHealth { state, checkpoints_since_exception, checkpoints, exceptions: 0, last_exception, started_ms: 0 })
    }
    async fn cancel(&self, _: &str) -> PortResult<()> {
        unasked()
    }
}

#[async_trait]
impl Connectors for World {
    async fn config(&self, _: &str) -> PortResult<Option<BTreeMap<String, String>>> {
        Ok(self.connector.clone())
    }
    async fn configure(&self, _: &str, _: &BTreeMap<String, String>) -> PortResult<()> {
        unasked()
    }
    async fn status(&self, _: &str) -> PortResult<Option<ConnectorStatus>> {
        Ok(None)
    }
    async fn stop(&self, _: &str) -> PortResult<()> {
        unasked()
    }
    async fn resume(&self, _: &str) -> PortResult<()> {
        unasked()
    }
    async fn restart(&self, _: &str) -> PortResult<()> {
        unasked()
    }
    async fn offsets(&self, _: &str) -> PortResult<BTreeMap<String, Offsets>> {
        unasked()
    }
    async fn set_offsets(&self, _: &str, _: &str, _: &BTreeMap<i32, Option<i64>>) -> PortResult<()> {
        unasked()
    }
    async fn delete(&self, _: &str) -> PortResult<()> {
        unasked()
    }
}

#[async_trait]
impl Journal for World {
    async fn lead(&self) -> PortResult<Vec<Vec<u8>>> {
        Ok(self.held.iter().map(|entry| serde_json::to_vec(entry).unwrap()).collect())
    }
    async fn append(&self, entry: &[u8]) -> PortResult<()> {
        if self.largest_entry > 0 && entry.len() > self.largest_entry {
            let (what, reason) = ("an entry".to_owned(), "it is too large".to_owned());
            return Err(PortError::Refused { system: "Kafka", what, reason });
        }
        self.journal.lock().unwrap().push(serde_json::from_slice(entry).unwrap());
        Ok(())
    }
    fn leading(&self) -> bool {
        true
    }
}

#[async_trait]
impl Repository for World {
    async fn files(&self) -> PortResult<Vec<ProjectFile>> {
        Ok(self.files.lock().unwrap().clone())
    }
    async fn files_at(&self, _: &str) -> PortResult<Vec<ProjectFile>> {
        unasked()
    }
    async fn commit(&self, _: &str) -> PortResult<Option<String>> {
        Ok(None)
    }
    async fn propose(&self, _: &str, _: &[ProjectFile], _: &str) -> PortResult<Option<String>> {
        Ok(None)
    }
}

#[async_trait]
impl Notifier for World {
    async fn notify(&self, _: &OutgoingEvent) -> PortResult<()> {
        Ok(())
    }
}

#[async_trait]
impl Clock for World {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }
    async fn sleep_ms(&self, ms: u64) {
        self.now_ms.fetch_add(i64::try_from(ms).unwrap(), Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
}

fn ports(world: &Arc<World>) -> Ports {
    Ports {
        registry: Arc::clone(world) as Arc<dyn Registry>,
        topics: Arc::clone(world) as Arc<dyn Topics>,
        engine: Arc::clone(world) as Arc<dyn Engine>,
        connectors: Arc::clone(world) as Arc<dyn Connectors>,
        repository: Arc::clone(world) as Arc<dyn Repository>,
        journal: Arc::clone(world) as Arc<dyn Journal>,
        notifier: Arc::clone(world) as Arc<dyn Notifier>,
        clock: Arc::clone(world) as Arc<dyn Clock>,
    }
}

/// Waits up to a second of the world's time for the job of `s`, which reads `p.a`.
async fn held(world: World) -> Result<Positions, NotHeld> {
    let world = Arc::new(world);
    let reads = vec![ReadProgress { table: "a".to_owned(), topic: "p.a".to_owned(), group: Some("g".to_owned()) }];
    let job = RunningJob {
        table: "s".to_owned(),
        name: "s".to_owned(),
        id: "1".to_owned(),
        reads,
        topic: "t.s".to_owned(),
        exactly_once: false,
    };
    let jobs = BTreeMap::from([("s".to_owned(), job)]);
    let hops = [Hop { table: "s".to_owned(), blue: Some("s".to_owned()), green: None }];
    let (ports, metrics) = (ports(&world), Metrics::new().unwrap());
    let cut = hold::ends(&ports, &hold::root_topics(&hops, &jobs)).await?;
    hold::hold(Wait { ports: &ports, metrics: &metrics, hops: &hops, jobs: &jobs, until_ms: 5_000 }, &cut).await
}

#[tokio::test]
async fn catching_up_outlasts_a_system_that_does_not_answer_for_a_while() {
    let committed = BTreeMap::from([("g".to_owned(), Offsets::from([(0, 5)]))]);
    let ends = held(World { committed: committed.clone(), silent: AtomicU32::new(3), ..World::default() }).await;
    assert!(ends.is_ok(), "{ends:?}");
    let ends = held(World { committed, silent: AtomicU32::new(u32::MAX), ..World::default() }).await;
    assert!(matches!(ends, Err(NotHeld::TooLate { .. })), "{ends:?}");
}

#[tokio::test]
async fn a_group_that_committed_nothing_or_too_little_has_not_caught_up() {
    for have in [None, Some(Offsets::new()), Some(Offsets::from([(0, 4), (1, 9)]))] {
        let committed = have.into_iter().map(|have| ("g".to_owned(), have)).collect();
        let ends = held(World { committed, ..World::default() }).await;
        assert!(matches!(ends, Err(NotHeld::TooLate { .. })), "{ends:?}");
    }
}

#[tokio::test]
async fn a_subject_that_was_there_before_is_never_taken_over() {
    let subjects = BTreeMap::from([("t.s_v2-value".to_owned(), vec!["{}".to_owned()])]);
    let ports = ports(&Arc::new(World { subjects, ..World::default() }));
    let make = |topic: &str| Effect::CreateTopic {
        topic: topic.to_owned(),
        like: None,
        partitions: 1,
        config: BTreeMap::new(),
    };
    let refused = precheck(&ports, &make("t.s_v2")).await.unwrap_err().to_string();
    assert!(refused.contains("subject t.s_v2-value exists already"), "{refused}");
    precheck(&ports, &make("t.s_v3")).await.unwrap();
}

#[tokio::test]
async fn a_connector_that_somebody_has_changed_is_not_moved() {
    let effect = Effect::MoveConnector {
        name: "c".to_owned(),
        before: BTreeMap::new(),
        after: BTreeMap::new(),
        from: "t.s".to_owned(),
        to: "t.s_v2".to_owned(),
    };
    for (topics, fine) in [("t.s", true), ("t.s_v2", true), ("t.other", false)] {
        let connector = BTreeMap::from([("topics".to_owned(), topics.to_owned())]);
        let ports = ports(&Arc::new(World { connector: Some(connector), ..World::default() }));
        assert_eq!(precheck(&ports, &effect).await.is_ok(), fine, "{topics}");
    }
    assert!(precheck(&ports(&Arc::default()), &effect).await.is_err());
}

fn envelope(more: &str) -> String {
    format!(
        r#"{{"type":"record","name":"Envelope","namespace":"p.a","fields":[
          {{"name":"before","type":["null",{{"type":"record","name":"Value","fields":[
             {{"name":"id","type":"long"}}{more}]}}],"default":null}},
          {{"name":"after","type":["null","Value"],"default":null}},
          {{"name":"op","type":"string"}}]}}"#
    )
}

async fn daemon(world: &Arc<World>) -> Daemon {
    let policy = Policy { carry: Carry::Facts, partitions: 1, delete_blue_topics: true };
    let settings = Settings {
        env: "dev".to_owned(),
        prefix: String::new(),
        url: String::new(),
        level: Level::FullTransitive,
        policy,
        terms: Terms { ask_before_staging: true, soak_ms: 1, catch_up_ms: 1 },
        approval_ms: 1,
        validation_ms: 1,
        poll_ms: 1_000,
        job_settings: BTreeMap::new(),
        vars: BTreeMap::new(),
        public_vars: BTreeMap::new(),
    };
    let (_, inbox) = mpsc::channel(1);
    let (show, _) = watch::channel(Arc::default());
    Daemon::lead(ports(world), Arc::new(settings), Arc::new(Metrics::new().unwrap()), inbox, show).await.unwrap()
}

/// A manifest with one reader of `p.a`, and what the journal holds of its subject.
fn one_reader(more: Vec<Body>) -> Vec<Entry> {
    let reader = "CREATE TABLE a (id BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'kafka', \
                  'scan.startup.mode' = 'earliest-offset', 'topic' = 'p.a', 'format' = 'debezium-avro-confluent');";
    let read = project::read(&[("pipelines/a.sql".to_owned(), reader.to_owned())], &BTreeMap::new());
    let first = [
        Body::Snapshot { manifest: Box::new(read.manifest) },
        Body::Watched { subject: "p.a-value".to_owned(), version: 1 },
    ];
    first.into_iter().chain(more).map(|body| Entry { at_ms: 0, body }).collect()
}

fn field(name: &str) -> String {
    format!(r#",{{"name":"{name}","type":["null","string"],"default":null}}"#)
}

#[tokio::test]
async fn a_plan_that_the_journal_does_not_take_is_refused_and_the_daemon_goes_on() {
    let subject = || "p.a-value".to_owned();
    let subjects = BTreeMap::from([(subject(), vec![envelope(""), envelope(&field("x"))])]);
    let world = Arc::new(World { subjects, held: one_reader(Vec::new()), largest_entry: 500, ..World::default() });
    let mut daemon = daemon(&world).await;
    daemon.decide_on(Sighting { subject: subject(), version: 2, at_ms: 0 }).await.unwrap();
    let journal = world.journal.lock().unwrap();
    let [Entry { body: Body::Evolution { version: 2, refused, .. }, .. }] = &journal[..] else { panic!("{journal:?}") };
    assert!(refused[0].contains("too large"), "{refused:?}");
}

#[tokio::test]
async fn a_version_is_looked_at_only_once_its_rollout_is_in_the_journal() {
    let (x, y) = (field("x"), field("y"));
    let versions = vec![envelope(""), envelope(&x), envelope(&format!("{x}{y}"))];
    let subject = || "p.a-value".to_owned();
    let refused = vec!["no".to_owned()];
    let held = one_reader(vec![Body::Evolution { subject: subject(), version: 2, refused }]);
    let world = Arc::new(World { subjects: BTreeMap::from([(subject(), versions)]), held, ..World::default() });
    let mut daemon = daemon(&world).await;
    let later = daemon.decide_on(Sighting { subject: subject(), version: 3, at_ms: 0 }).await.unwrap();
    assert_eq!(later, None);
    let journal = world.journal.lock().unwrap();
    let [Entry { body: Body::Rollout { what: Event::Proposed(new), .. }, .. }, Entry { body: looked_at, .. }] =
        &journal[..]
    else {
        panic!("{journal:?}")
    };
    assert!(matches!(looked_at, Body::Evolution { version: 3, .. }), "{looked_at:?}");
    // Nothing of what the text was not written for is left out, whatever was looked at on the way.
    let added: BTreeSet<&str> = ["x", "y"].into_iter().filter(|c| new.title.contains(c)).collect();
    assert_eq!(added.len(), 2, "{}", new.title);
}

/// A file with a reader of `p.a` and a table `s` that `select` fills.
fn project_of(select: &str) -> ProjectFile {
    let key = "PRIMARY KEY (id) NOT ENFORCED";
    let text = format!(
        "CREATE TABLE a (id BIGINT, x STRING, {key}) WITH ('connector' = 'kafka', 'scan.startup.mode' = 'earliest-offset', \
         'topic' = 'p.a', 'format' = 'debezium-avro-confluent');\n\
         CREATE TABLE s (id BIGINT, x STRING, {key}) WITH ('connector' = 'upsert-kafka', 'topic' = 't.s', \
         'key.format' = 'avro-confluent', 'value.format' = 'avro-confluent');\nINSERT INTO s {select};"
    );
    ProjectFile { path: "pipelines/all.sql".to_owned(), text }
}

#[tokio::test]
async fn a_change_is_proposed_while_the_files_say_what_it_was_planned_from() {
    let read = |file: &ProjectFile| statements::read(std::slice::from_ref(file), &BTreeMap::new());
    let (old, new) = (project_of("SELECT id, x FROM a"), project_of("SELECT id, UPPER(x) FROM a"));
    let change = StatementChange {
        since: "main".to_owned(),
        base: read(&old),
        project: read(&new),
        texts: BTreeMap::new(),
        commit: None,
    };
    let planned = plan::plan(&plan::PlanInput {
        env: "dev".to_owned(),
        manifest: read(&old),
        cause: plan::Cause::Change(Box::new(change)),
        policy: Policy { carry: Carry::Facts, partitions: 1, delete_blue_topics: true },
        vars: BTreeMap::new(),
        settings: BTreeMap::new(),
        topics: BTreeMap::new(),
        subjects: BTreeMap::new(),
    });
    let document = serde_json::to_value(planned.plan.unwrap()).unwrap();
    for (files, taken) in [
        (vec![new.clone()], true),
        (vec![project_of("select id, upper(x) -- loud\nFROM a")], true),
        // A checkout that does not have the change yet, and one that holds no project.
        (vec![old.clone()], true),
        (Vec::new(), true),
        (vec![project_of("SELECT id, LOWER(x) FROM a")], false),
    ] {
        let held = vec![Entry { at_ms: 0, body: Body::Snapshot { manifest: Box::new(read(&old)) } }];
        let world = Arc::new(World { held, files: Mutex::new(files.clone()), ..World::default() });
        let mut daemon = daemon(&world).await;
        let (reply, answer) = tokio::sync::oneshot::channel();
        daemon.answer(Request::Apply { plan: document.clone(), reply }).await.unwrap();
        match answer.await.unwrap() {
            Ok(reply) => {
                assert!(taken && reply.rollout.starts_with("change-1-"), "{reply:?} {files:?}");
                let journal = world.journal.lock().unwrap();
                let [Entry { body: Body::Rollout { what: Event::Proposed(new), .. }, .. }] = &journal[..] else {
                    panic!("{journal:?}")
                };
                assert_eq!(new.kind, Kind::Change);
            }
            Err(refusal) => {
                assert!(!taken, "{refusal:?} {files:?}");
                assert_eq!(refusal.cause, RefusalCause::AssumptionsMoved);
                assert!(refusal.message.contains("the statement of `s` was changed again"), "{refusal:?}");
            }
        }
    }
}
