//! Two topics in memory, read at rest.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering::SeqCst};

use async_trait::async_trait;

use super::at_rest::{Systems, compare};
use super::*;
use crate::model::record::{NewRecord, Offsets, RawRecord, TopicSpec};
use crate::port::{Clock, PortError, PortResult, RecordStream, RegisteredSchema, Registry, Topics};

const KEY: u32 = 1;
const BLUE: u32 = 2;
const GREEN: u32 = 3;
/// Registered once, and gone.
const GONE: u32 = 9;

/// Topics and a registry. The last records of green are written while it is read, if `moving`.
#[derive(Default)]
struct World {
    blue: Vec<RawRecord>,
    green: Vec<RawRecord>,
    moving: bool,
    /// How often the ends were asked for.
    asked: AtomicU32,
    /// The first offset, which moves when the ends are asked for again, if `truncated`.
    truncated: bool,
    /// Streams that break off after their first batch.
    breaks: AtomicU32,
    broken: std::sync::Arc<AtomicU32>,
    /// No stream says anything.
    mute: bool,
    now_ms: AtomicI64,
    reads: Mutex<Vec<String>>,
}

fn unasked<T>() -> PortResult<T> {
    Err(PortError::Missing { system: "this world", what: "such a thing".to_owned() })
}

struct Batches {
    left: VecDeque<RawRecord>,
    given: bool,
    mute: bool,
    breaks: std::sync::Arc<AtomicU32>,
}

#[async_trait]
impl RecordStream for Batches {
    async fn next_batch(&mut self) -> PortResult<Option<Vec<RawRecord>>> {
        if self.mute || self.given && self.breaks.fetch_update(SeqCst, SeqCst, |n| n.checked_sub(1)).is_ok() {
            let (address, reason) = ("k:1".to_owned(), "silence".to_owned());
            return Err(PortError::Unreachable { system: "Kafka", address, reason });
        }
        self.given = true;
        Ok(self.left.pop_front().map(|record| vec![record]))
    }
}

impl World {
    fn log(&self, topic: &str) -> &[RawRecord] {
        if topic == "blue" { &self.blue } else { &self.green }
    }
}

#[async_trait]
impl Topics for World {
    async fn describe(&self, _: &str) -> PortResult<Option<TopicSpec>> {
        unasked()
    }
    async fn create(&self, _: &TopicSpec) -> PortResult<()> {
        unasked()
    }
    async fn delete(&self, _: &str) -> PortResult<()> {
        unasked()
    }
    async fn beginnings(&self, _: &str) -> PortResult<Offsets> {
        let first = if self.truncated && self.asked.load(SeqCst) > 2 { 1 } else { 0 };
        Ok(Offsets::from([(0, first), (1, 0)]))
    }
    async fn visible_ends(&self, topic: &str) -> PortResult<Offsets> {
        let asked = self.asked.fetch_add(1, SeqCst);
        let written = i64::from(self.moving && topic == "green" && asked > 2);
        let end = |p: i32| self.log(topic).iter().filter(|r| r.partition == p).map(|r| r.offset + 1).max().unwrap_or(0);
        Ok(Offsets::from([(0, end(0) + written), (1, end(1))]))
    }
    async fn committed(&self, _: &str, _: &str) -> PortResult<Option<Offsets>> {
        unasked()
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
    async fn read(&self, topic: &str, from: &Offsets, to: &Offsets) -> PortResult<Box<dyn RecordStream>> {
        self.reads.lock().unwrap().push(topic.to_owned());
        let at = |offsets: &Offsets, p: i32| offsets.get(&p).copied().unwrap_or(0);
        let wanted = |r: &&RawRecord| r.offset >= at(from, r.partition) && r.offset < at(to, r.partition);
        let left = self.log(topic).iter().filter(wanted).cloned().collect();
        self.broken.store(self.breaks.swap(0, SeqCst) + self.broken.load(SeqCst), SeqCst);
        Ok(Box::new(Batches { left, given: false, mute: self.mute, breaks: self.broken.clone() }))
    }
}

#[async_trait]
impl Registry for World {
    async fn subjects(&self) -> PortResult<Vec<String>> {
        unasked()
    }
    async fn versions(&self, _: &str) -> PortResult<Vec<i32>> {
        unasked()
    }
    async fn schema(&self, _: &str, _: i32) -> PortResult<RegisteredSchema> {
        unasked()
    }
    async fn schema_by_id(&self, id: u32) -> PortResult<RegisteredSchema> {
        let fields = match id {
            KEY => r#"{"name":"id","type":"long"}"#,
            BLUE => r#"{"name":"id","type":"long"},{"name":"total","type":"int"}"#,
            GREEN => r#"{"name":"total","type":"long"},{"name":"id","type":"int"}"#,
            _ => return unasked(),
        };
        let text = format!(r#"{{"type":"record","name":"r","fields":[{fields}]}}"#);
        let (subject, kind, references) = (String::new(), "AVRO".to_owned(), Vec::new());
        Ok(RegisteredSchema { subject, version: 0, id, kind, text, references, metadata: BTreeMap::new() })
    }
    async fn schema_by_guid(&self, _: &str) -> PortResult<RegisteredSchema> {
        unasked()
    }
    async fn versions_of(&self, _: u32) -> PortResult<Vec<(String, i32)>> {
        unasked()
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
impl Clock for World {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(SeqCst)
    }
    async fn sleep_ms(&self, ms: u64) {
        self.now_ms.fetch_add(ms as i64, SeqCst);
    }
}

/// A record: small numbers in Avro are twice themselves.
fn put(log: &mut Vec<RawRecord>, partition: i32, schema: u32, id: u8, total: Option<u8>) {
    let framed = |schema: u32, datum: &[u8]| [&[0u8][..], &schema.to_be_bytes(), datum].concat();
    let value = total.map(|total| match schema {
        GREEN => framed(schema, &[total * 2, id * 2]),
        _ => framed(schema, &[id * 2, total * 2]),
    });
    let offset = log.iter().filter(|r| r.partition == partition).count() as i64;
    let key = Some(framed(KEY, &[id * 2]));
    log.push(RawRecord { partition, offset, timestamp_ms: None, key, value, schema_headers: None });
}

/// Both topics with the same rows by their own writers: keys 1 to 4, key 2 twice, key 3 deleted.
fn world() -> World {
    let mut world = World::default();
    for (log, schema) in [(&mut world.blue, BLUE), (&mut world.green, GREEN)] {
        for (id, total) in [(1, Some(5)), (2, Some(9)), (3, Some(1)), (2, Some(6)), (3, None), (4, Some(8))] {
            put(log, i32::from(id % 2), schema, id, total);
        }
    }
    world
}

fn contract(blue: bool) -> TableContract {
    TableContract {
        table: "green".to_owned(),
        blue_topic: blue.then(|| "blue".to_owned()),
        green_topic: "green".to_owned(),
        changelog: Changelog::Upsert,
        key: vec!["id".to_owned()],
        columns: BTreeMap::new(),
        rows: RowRule::Same,
    }
}

async fn compared(world: &World, blue: bool) -> Result<Option<TableVerdict>, Broken> {
    let systems = Systems { topics: world, registry: world, clock: world };
    compare(systems, &contract(blue), 10_000, |_| ()).await
}

#[tokio::test]
async fn equal_topics_are_read_once_although_a_stream_breaks_off() {
    let world = World { breaks: AtomicU32::new(2), ..world() };
    let verdict = compared(&world, true).await.unwrap().unwrap();
    assert_eq!((verdict.outcome, verdict.rows_blue, verdict.rows_green, verdict.equal), (Outcome::Pass, 3, 3, 3));
    assert_eq!(verdict.digest_blue, verdict.digest_green, "another writer, the same rows");
    let reads = world.reads.lock().unwrap().clone();
    assert_eq!(reads, ["blue", "blue", "blue", "green"], "twice on where it stopped");
    let silent = World { mute: true, ..self::world() };
    assert!(compared(&silent, true).await.is_err(), "patience has an end");
}

#[tokio::test]
async fn what_is_wrong_is_counted_and_shown_from_a_second_read() {
    let mut world = world();
    put(&mut world.green, 1, GREEN, 1, Some(7)); // another total
    put(&mut world.green, 0, GREEN, 4, None); // missing
    put(&mut world.green, 0, GREEN, 5, Some(1)); // extra
    put(&mut world.green, 1, GREEN, 2, Some(6)); // live in another partition as well
    let verdict = compared(&world, true).await.unwrap().unwrap();
    assert_eq!(verdict.reason, "green's rows are wrong: 1 duplicate, 1 missing, 1 extra, 1 different");
    assert_eq!(verdict.columns["total"], "exact (the contract does not name it): 1 different");
    let shown = [
        "two_partitions: id=2: live 2 times, in partitions 0 and 1",
        "missing: id=4: missing in green",
        "extra: id=5: only in green",
        "different: id=1: total: blue 5, green 7",
    ];
    assert_eq!(verdict.samples, shown);
    assert_eq!(*world.reads.lock().unwrap(), ["blue", "green", "blue", "green"]);
    let alone = compared(&world, false).await.unwrap().unwrap();
    assert_eq!((alone.outcome, alone.samples.as_slice()), (Outcome::Fail, &[shown[0].to_owned()][..]));
}

#[tokio::test]
async fn topics_that_are_written_meanwhile_are_left_to_rounds() {
    let world = World { moving: true, ..world() };
    assert_eq!(compared(&world, true).await.unwrap(), None);
}

#[tokio::test]
async fn a_topic_that_loses_records_meanwhile_is_an_error_that_names_it() {
    let world = World { truncated: true, ..world() };
    let error = compared(&world, true).await.unwrap_err().to_string();
    assert_eq!(error, "topic blue lost its first records while it was read: compare again");
}

#[tokio::test]
async fn a_schema_that_is_gone_leaves_the_comparison_undecided() {
    let mut world = world();
    put(&mut world.green, 1, GONE, 1, Some(5));
    put(&mut world.green, 1, GREEN, 1, Some(5));
    let verdict = compared(&world, true).await.unwrap().unwrap();
    assert_eq!((verdict.outcome, verdict.equal), (Outcome::Undecided, 3));
    let first = "1 records could not be read (the first: `green` 1@3: schema 9 is not known";
    assert!(verdict.reason.starts_with(first), "{}", verdict.reason);
}

#[test]
fn half_a_comparison_is_told_what_is_missing() {
    let half = nothing_named(Some("a"));
    assert_eq!(half.lines, ["there is nothing to compare a with"]);
    assert!(half.help.unwrap().contains("--blue a --green TOPIC"));
    assert!(nothing_named(None).help.unwrap().starts_with("name a rollout"));
}
