//! The daemon in a small world of its own: no system, no time that passes by itself.

mod back;
mod carried;
mod changes;
mod decisions;
mod leading;
mod nulls;
mod overlaps;
mod reading;
mod snapshot;
mod switching;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::execute::precheck;
use super::handle::{Handle, View};
use super::hold::{self, NotHeld, Positions, Wait};
use super::ports::Ports;
use super::settings::Settings;
use super::turn::{Daemon, Stopped};
use super::watch::Sighting;
use crate::model::effect::Effect;
use crate::model::job::{JobHealth, JobRef, JobShape, JobText};
use crate::model::parity::Hop;
use crate::model::record::{NewRecord, Offsets, RawRecord, TopicSpec};
use crate::model::work::{ReadProgress, RunningJob};
use crate::plan::input::{Carry, NullableDefaults};
use crate::plan::{Policy, project};
use crate::port::{
    Clock, ConnectorStatus, Connectors, Engine, Held, Journal, Notifier, OutgoingEvent, Place, PortError, PortResult,
    ProjectFile, RecordStream, RegisteredSchema, Registry, Repository, Topics,
};
use crate::rollout::event::{Body, Notice};
use crate::rollout::{Entry, Event, Terms};
use crate::schema::Level;
use crate::telemetry::Metrics;

/// Everything outside.
#[derive(Default)]
struct World {
    /// Texts of each subject's versions; a version without one is deleted.
    subjects: BTreeMap<String, Vec<String>>,
    /// What the journal held at the start.
    held: Vec<Entry>,
    /// Whether there was more before that.
    shortened: bool,
    /// What was appended since.
    journal: Mutex<Vec<Entry>>,
    /// What it was asked last to forget.
    forgotten: Mutex<Option<Place>>,
    /// True when nothing can be deleted.
    forgets_nothing: bool,
    /// Bytes that the journal takes as one entry; 0 for any number.
    largest_entry: usize,
    committed: BTreeMap<String, Offsets>,
    /// Settings of every connector.
    connector: Mutex<Option<BTreeMap<String, String>>>,
    /// Topics that exist.
    specs: Mutex<BTreeMap<String, TopicSpec>>,
    /// The project's files.
    files: Mutex<Vec<ProjectFile>>,
    /// Values of the records of every topic, from the first offset of partition 0 on.
    values: Vec<Vec<u8>>,
    /// How many more streams break off after their first record.
    breaks: Arc<AtomicU32>,
    /// True once another daemon leads, until this one is asked to lead again.
    lost: AtomicBool,
    /// How often it was asked to lead.
    led: AtomicU32,
    /// State of every job: running unless told; no state when Flink does not know it.
    job_state: Mutex<Option<Option<&'static str>>>,
    /// What each look at the sources of a job says, the last one from then on; nothing is known unless told.
    sources: Mutex<VecDeque<Offsets>>,
    /// What each look at a job says: checkpoints, and when the last exception came; the last one from then on.
    looks: Mutex<VecDeque<(u64, Option<i64>)>>,
    /// True while Kafka does not describe topics.
    deaf: AtomicBool,
    /// How many more questions for committed offsets get no answer.
    silent: AtomicU32,
    now_ms: AtomicI64,
}

/// The first offset of partition 0 that topics hold; they end two records later.
const FIRST: i64 = 3;

/// One record in each batch.
struct Stream {
    records: VecDeque<RawRecord>,
    given: usize,
    breaks: Arc<AtomicU32>,
}

#[async_trait]
impl RecordStream for Stream {
    async fn next_batch(&mut self) -> PortResult<Option<Vec<RawRecord>>> {
        let left = self.breaks.load(Ordering::SeqCst);
        if self.given == 1 && left > 0 {
            self.breaks.store(left - 1, Ordering::SeqCst);
            return Err(silence());
        }
        self.given += 1;
        Ok(self.records.pop_front().map(|record| vec![record]))
    }
}

fn silence() -> PortError {
    PortError::Unreachable { system: "Kafka", address: "k:1".to_owned(), reason: "silence".to_owned() }
}

/// The next of them; the last one again and again.
fn next<T: Clone>(told: &Mutex<VecDeque<T>>) -> Option<T> {
    let mut told = told.lock().unwrap();
    if told.len() > 1 { told.pop_front() } else { told.front().cloned() }
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
        let all = (1..).zip(self.subjects.get(subject).into_iter().flatten());
        Ok(all.filter(|(_, text)| !text.is_empty()).map(|(version, _)| version).collect())
    }
    async fn schema(&self, subject: &str, version: i32) -> PortResult<RegisteredSchema> {
        let text = self.subjects[subject][usize::try_from(version - 1).unwrap()].clone();
        let (subject, kind, references) = (subject.to_owned(), "AVRO".to_owned(), Vec::new());
        Ok(RegisteredSchema { subject, version, id: 1, kind, text, references, metadata: BTreeMap::new() })
    }
    async fn schema_by_id(&self, id: u32) -> PortResult<RegisteredSchema> {
        let text = r#"{"type":"record","name":"r","fields":[{"name":"id","type":"long"}]}"#.to_owned();
        let (subject, kind, references) = (String::new(), "AVRO".to_owned(), Vec::new());
        Ok(RegisteredSchema { subject, version: 0, id, kind, text, references, metadata: BTreeMap::new() })
    }
    async fn schema_by_guid(&self, _: &str) -> PortResult<RegisteredSchema> {
        unasked()
    }
    async fn versions_of(&self, _: u32) -> PortResult<Vec<(String, i32)>> {
        Ok(Vec::new())
    }
    async fn level(&self, _: &str) -> PortResult<String> {
        unasked()
    }
    async fn set_level(&self, _: &str, _: &str) -> PortResult<()> {
        unasked()
    }
    async fn register(&self, _: &str, _: &str) -> PortResult<()> {
        unasked()
    }
    async fn delete_subject(&self, _: &str) -> PortResult<()> {
        unasked()
    }
}

#[async_trait]
impl Topics for World {
    async fn describe(&self, topic: &str) -> PortResult<Option<TopicSpec>> {
        if self.deaf.load(Ordering::SeqCst) {
            return Err(silence());
        }
        Ok(self.specs.lock().unwrap().get(topic).cloned())
    }
    async fn create(&self, _: &TopicSpec) -> PortResult<()> {
        unasked()
    }
    async fn delete(&self, _: &str) -> PortResult<()> {
        unasked()
    }
    async fn beginnings(&self, _: &str) -> PortResult<Offsets> {
        Ok(Offsets::from([(0, FIRST), (1, 0)]))
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
    async fn readers(&self, _: &str) -> PortResult<Vec<String>> {
        unasked()
    }
    async fn delete_group(&self, _: &str) -> PortResult<()> {
        unasked()
    }
    async fn write(&self, _: &str, _: &[NewRecord]) -> PortResult<()> {
        unasked()
    }
    async fn read(&self, _: &str, from: &Offsets, to: &Offsets) -> PortResult<Box<dyn RecordStream>> {
        let held = FIRST..to.get(&0).copied().unwrap_or(0);
        let from = from.get(&0).copied().unwrap_or(0);
        let records = held.zip(&self.values).filter(|(offset, _)| *offset >= from).map(|(offset, value)| RawRecord {
            partition: 0,
            offset,
            timestamp_ms: None,
            key: None,
            value: Some(value.clone()),
            schema_headers: None,
        });
        Ok(Box::new(Stream { records: records.collect(), given: 0, breaks: Arc::clone(&self.breaks) }))
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
    async fn running(&self, _: &str) -> PortResult<JobShape> {
        unasked()
    }
    async fn shape(&self, _: &JobText) -> PortResult<JobShape> {
        unasked()
    }
    async fn topics_read(&self, _: &str, _: &BTreeSet<String>) -> PortResult<(BTreeSet<String>, bool)> {
        unasked()
    }
    async fn positions(&self, _: &str, _: &str, _: &str) -> PortResult<Option<Offsets>> {
        Ok(next(&self.sources))
    }
    async fn find(&self, _: &str) -> PortResult<Vec<JobRef>> {
        Ok(Vec::new())
    }
    async fn jobs(&self) -> PortResult<Vec<JobRef>> {
        Ok(Vec::new())
    }
    async fn health(&self, _: &str) -> PortResult<JobHealth> {
        let state = self.job_state.lock().unwrap().unwrap_or(Some("RUNNING"));
        let state = state.map(str::to_owned).ok_or_else(|| unasked::<()>().unwrap_err())?;
        let (checkpoints, last_exception_ms) = next(&self.looks).unwrap_or((1, None));
        let (last_exception, checkpoints_since_exception) = (None, checkpoints);
        Ok(JobHealth {
            state,
            checkpoints_since_exception,
            checkpoints,
            exceptions: 0,
            last_exception,
            last_exception_ms,
            started_ms: 0,
        })
    }
    async fn cancel(&self, _: &str) -> PortResult<()> {
        unasked()
    }
}

#[async_trait]
impl Connectors for World {
    async fn config(&self, _: &str) -> PortResult<Option<BTreeMap<String, String>>> {
        Ok(self.connector.lock().unwrap().clone())
    }
    async fn all(&self) -> PortResult<BTreeMap<String, BTreeMap<String, String>>> {
        unasked()
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
    async fn lead(&self) -> PortResult<Held> {
        self.lost.store(false, Ordering::SeqCst);
        self.led.fetch_add(1, Ordering::SeqCst);
        let entries = self.held.iter().map(|entry| serde_json::to_vec(entry).unwrap()).collect();
        Ok(Held { entries, shortened: self.shortened })
    }
    async fn append(&self, entry: &[u8]) -> PortResult<Place> {
        if self.largest_entry > 0 && entry.len() > self.largest_entry {
            let (what, reason) = ("an entry".to_owned(), "it is too large".to_owned());
            return Err(PortError::Refused { system: "Kafka", what, reason });
        }
        let mut journal = self.journal.lock().unwrap();
        journal.push(serde_json::from_slice(entry).unwrap());
        Ok(Place(i64::try_from(journal.len()).unwrap() - 1))
    }
    async fn forget(&self, before: Place) -> PortResult<()> {
        if self.forgets_nothing {
            return Err(silence());
        }
        *self.forgotten.lock().unwrap() = Some(before);
        Ok(())
    }
    async fn leave(&self) {}
    fn leading(&self) -> bool {
        !self.lost.load(Ordering::SeqCst)
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
    held_by(world, Some("g")).await
}

/// As [`held`], with or without a group of its own.
async fn held_by(world: World, group: Option<&str>) -> Result<Positions, NotHeld> {
    let world = Arc::new(world);
    let reads = vec![ReadProgress { table: "a".to_owned(), topic: "p.a".to_owned(), group: group.map(str::to_owned) }];
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
async fn without_a_group_the_second_checkpoint_after_the_sources_arrived_counts() {
    let world = |sources: &[i64], looks: &[(u64, Option<i64>)]| World {
        sources: Mutex::new(sources.iter().map(|at| Offsets::from([(0, *at)])).collect()),
        looks: Mutex::new(looks.iter().copied().collect()),
        ..World::default()
    };
    // One look while it is behind, then one to count from.
    let on = [(1, None), (1, None), (2, None), (3, None)];
    assert!(held_by(world(&[4, 5], &on), None).await.is_ok());
    for (sources, looks, why) in [
        (&[4][..], &on[..], "s is 1 records behind on p.a"),
        // The checkpoint may have begun before the sources arrived.
        (&[5], &[(1, None), (2, None)], "s completes no checkpoint"),
        // After a failure the sources begin again before what they had taken in.
        (&[5, 4], &[(1, None), (3, Some(9))], "s is 1 records behind on p.a"),
        (&[], &on, "how far s has read p.a is unknown"),
    ] {
        let late = held_by(world(sources, looks), None).await;
        assert!(matches!(&late, Err(NotHeld::TooLate { what }) if what.contains(why)), "{why}: {late:?}");
    }
    let failed_once = [(1, None), (3, Some(9)), (4, Some(9)), (6, Some(9))];
    assert!(held_by(world(&[5], &failed_once), None).await.is_ok());
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
    for (topics, fine) in [("t.s", true), ("t.s_v2", true), ("t.s_v2.repair-r-1", true), ("t.other", false)] {
        let connector = BTreeMap::from([("topics".to_owned(), topics.to_owned())]);
        let ports = ports(&Arc::new(World { connector: Mutex::new(Some(connector)), ..World::default() }));
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
    leading(world).await.unwrap().0
}

/// A daemon that leads, and the way to it; why it does not, if it does not.
async fn leading(world: &Arc<World>) -> Result<(Daemon, Handle), Stopped> {
    let (handle, inbox, show) = Handle::new(1, View::default());
    let (settings, metrics) = (Arc::new(settings()), Arc::new(Metrics::new().unwrap()));
    Ok((Daemon::lead(ports(world), settings, metrics, inbox, show).await?, handle))
}

fn settings() -> Settings {
    let policy = Policy {
        carry: Carry::Facts,
        partitions: 1,
        delete_blue_topics: true,
        nullable_defaults: NullableDefaults::Never,
    };
    Settings {
        env: "dev".to_owned(),
        prefix: String::new(),
        url: String::new(),
        level: Some(Level::FullTransitive),
        policy,
        terms: Terms { ask_before_staging: true, soak_ms: 1, catch_up_ms: 1, prefix: None },
        approval_ms: 1,
        validation_ms: 1,
        poll_ms: 1_000,
        job_settings: BTreeMap::new(),
        vars: BTreeMap::new(),
        public_vars: BTreeMap::new(),
        subjects: Arc::default(),
    }
}

/// A manifest with one reader of `p.a`, and what the journal holds of its subject.
fn one_reader(more: Vec<Body>) -> Vec<Entry> {
    let reader = "CREATE TABLE a (id BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'kafka', \
                  'scan.startup.mode' = 'earliest-offset', 'topic' = 'p.a', 'format' = 'debezium-avro-confluent');";
    let read = project::read(&[("pipelines/a.sql".to_owned(), reader.to_owned())], &BTreeMap::new());
    let first = [
        Body::Snapshot { manifest: Box::new(read.manifest), rest: None },
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
    let held = one_reader(vec![Body::Evolution { subject: subject(), version: 2, refused, notice: Notice::Taken }]);
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
