//! A connector goes over and back, and the daemon is killed at every step of it.
//!
//! The world is a broker with two topics, a registry, and a Connect worker with one sink, whose destination does what a
//! table with upserts, deletes and added columns does. Rows keep changing while the connector moves.

use std::collections::VecDeque;

use apache_avro::Schema;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;

use super::*;
use crate::daemon::execute::{Done, Failed, Run, execute};
use crate::daemon::switch;
use crate::daemon::watch::Audit;
use crate::validate::decode_row;

const BLUE: &str = "t.s";
const GREEN: &str = "t.s_v2";
const NAME: &str = "sink-s";

const KEY: u32 = 1;
const BLUE_ROW: u32 = 2;
const GREEN_ROW: u32 = 3;

const KEY_SCHEMA: &str = r#"{"type":"record","name":"k","fields":[{"name":"id","type":"long"}]}"#;
const BLUE_SCHEMA: &str = r#"{"type":"record","name":"v","fields":[{"name":"total","type":"long"}]}"#;
const GREEN_SCHEMA: &str = r#"{"type":"record","name":"v","fields":[{"name":"total","type":"long"},
    {"name":"tier","type":["null","string"],"default":null}]}"#;

fn schema(id: u32) -> &'static str {
    match id {
        KEY => KEY_SCHEMA,
        BLUE_ROW => BLUE_SCHEMA,
        _ => GREEN_SCHEMA,
    }
}

fn wire(id: u32, fields: &[(&str, Value)]) -> Vec<u8> {
    let schema = Schema::parse_str(schema(id)).unwrap();
    let record = Value::Record(fields.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect());
    let datum = GenericDatumWriter::builder(&schema).build().unwrap();
    let datum = datum.write_value_to_vec(record.resolve(&schema).unwrap()).unwrap();
    [&[0u8][..], &id.to_be_bytes()[..], &datum].concat()
}

fn key(id: i64) -> Vec<u8> {
    wire(KEY, &[("id", id.into())])
}

fn blue_row(total: i64) -> Option<Vec<u8>> {
    Some(wire(BLUE_ROW, &[("total", total.into())]))
}

fn green_row(total: i64, tier: &str) -> Option<Vec<u8>> {
    Some(wire(GREEN_ROW, &[("total", total.into()), ("tier", Value::String(tier.to_owned()))]))
}

type Table = BTreeMap<String, BTreeMap<String, serde_json::Value>>;

fn row(bytes: &[u8]) -> BTreeMap<String, serde_json::Value> {
    let id = crate::model::record::schema_id(bytes).unwrap();
    decode_row(schema(id), bytes).unwrap()
}

fn write(table: &mut Table, key: &[u8], value: Option<&[u8]>) {
    let key = format!("{:?}", row(key));
    match value {
        Some(value) => table.entry(key).or_default().extend(row(value)),
        None => drop(table.remove(&key)),
    }
}

/// Without NULLs: a column that is missing and one that is NULL are the same here.
fn rows(table: &Table) -> Table {
    let plain = |(key, row): (&String, &BTreeMap<String, serde_json::Value>)| {
        (key.clone(), row.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect())
    };
    table.iter().map(plain).collect()
}

/// What happens to the call of that number that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The daemon is killed before it is sent.
    Before,
    /// The daemon is killed when it has had its effect; of records to write, the first half is there.
    After,
    /// No answer comes, although it had its effect.
    Unanswered,
    /// It is refused.
    Refused,
}

#[derive(Default)]
struct State {
    topics: BTreeMap<String, (TopicSpec, Vec<VecDeque<RawRecord>>)>,
    /// Offsets that a topic no longer holds.
    lost: BTreeMap<String, i64>,
    registered: BTreeSet<String>,
    config: BTreeMap<String, String>,
    stopped: bool,
    /// Where the connector is, and what it has committed of that.
    position: BTreeMap<String, Offsets>,
    committed: BTreeMap<String, Offsets>,
    destination: Table,
    /// Number of calls so far that change something, and the fate of one of them.
    calls: usize,
    fate: Option<(usize, Fate)>,
    /// Names of those calls.
    log: Vec<String>,
    /// True while the connector writes nothing.
    stuck: bool,
    changes: i64,
}

impl State {
    fn put(&mut self, topic: &str, id: i64, value: Option<Vec<u8>>) {
        let (_, partitions) = self.topics.get_mut(topic).unwrap();
        let n = usize::try_from(id).unwrap() % partitions.len();
        let lost = self.lost.get(topic).copied().unwrap_or(0);
        let offset = lost + i64::try_from(partitions[n].len()).unwrap();
        let partition = i32::try_from(n).unwrap();
        partitions[n].push_back(RawRecord { partition, offset, timestamp_ms: None, key: Some(key(id)), value });
    }

    fn make(&mut self, topic: &str, partitions: i32) {
        let spec = TopicSpec { name: topic.to_owned(), partitions, config: BTreeMap::new() };
        let none = (0..partitions).map(|_| VecDeque::new()).collect();
        self.topics.insert(topic.to_owned(), (spec, none));
    }

    fn ends(&self, topic: &str) -> Offsets {
        let lost = self.lost.get(topic).copied().unwrap_or(0);
        let end = |records: &VecDeque<RawRecord>| lost + i64::try_from(records.len()).unwrap();
        (0..).zip(self.topics.get(topic).map(|(_, p)| p.iter().map(end)).into_iter().flatten()).collect()
    }

    /// Blue and green go on: a row is changed, one is inserted, one deleted, one is inserted in green alone and one deleted
    /// there.
    fn change(&mut self) {
        self.changes += 1;
        let n = self.changes;
        self.put(BLUE, 1, blue_row(100 + n));
        self.put(GREEN, 1, green_row(100 + n, "gold"));
        self.put(BLUE, 50 + n, blue_row(n));
        self.put(GREEN, 50 + n, green_row(n, "silver"));
        if n > 1 {
            self.put(BLUE, 49 + n, None);
            self.put(GREEN, 49 + n, None);
            self.put(GREEN, 899 + n, None);
        }
        self.put(GREEN, 900 + n, green_row(n, "green only"));
    }

    /// The connector writes up to `most` records, and commits where it was before.
    fn work(&mut self, most: usize) {
        if self.stopped || self.stuck {
            return;
        }
        let topic = self.config["topics"].clone();
        let Some((_, partitions)) = self.topics.get(&topic) else { return };
        let lost = self.lost.get(&topic).copied().unwrap_or(0);
        let position = self.position.entry(topic.clone()).or_default();
        self.committed.insert(topic, position.clone());
        let mut left = most;
        for (n, records) in (0..).zip(partitions) {
            let at = position.entry(n).or_insert(lost);
            while let Some(record) = records.get(usize::try_from(*at - lost).unwrap()).filter(|_| left > 0) {
                // It passes over what it cannot read.
                let key = record.key.as_deref().filter(|key| crate::model::record::schema_id(key).is_some());
                if let Some(key) = key {
                    write(&mut self.destination, key, record.value.as_deref());
                }
                *at += 1;
                left -= 1;
            }
        }
    }

    /// What `topic` alone makes of an empty table.
    fn truth(&self, topic: &str) -> Table {
        let mut table = Table::new();
        for record in self.topics[topic].1.iter().flatten() {
            write(&mut table, record.key.as_deref().unwrap(), record.value.as_deref());
        }
        rows(&table)
    }
}

struct Harbour(Mutex<State>);

impl Harbour {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Runs a call that changes something, if its fate lets it.
    fn call<T>(&self, what: &str, act: impl FnOnce(&mut State, bool) -> T) -> PortResult<T> {
        let mut state = self.lock();
        state.calls += 1;
        state.log.push(what.to_owned());
        let fate = state.fate.filter(|(n, _)| *n == state.calls).map(|(_, fate)| fate);
        match fate {
            None => Ok(act(&mut state, true)),
            Some(Fate::Before) => Err(PortError::Fenced),
            Some(Fate::After) => {
                act(&mut state, false);
                Err(PortError::Fenced)
            }
            Some(Fate::Unanswered) => {
                act(&mut state, true);
                Err(silence())
            }
            Some(Fate::Refused) => {
                let (what, reason) = (what.to_owned(), "not allowed".to_owned());
                Err(PortError::Refused { system: "this world", what, reason })
            }
        }
    }
}

#[async_trait]
impl Registry for Harbour {
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
        let (subject, kind, references) = (String::new(), "AVRO".to_owned(), Vec::new());
        Ok(RegisteredSchema { subject, version: 0, id, kind, text: schema(id).to_owned(), references })
    }
    async fn level(&self, _: &str) -> PortResult<String> {
        unasked()
    }
    async fn set_level(&self, _: &str, _: &str) -> PortResult<()> {
        unasked()
    }
    async fn register(&self, subject: &str, _: &str) -> PortResult<()> {
        self.call(&format!("register {subject}"), |state, _| {
            state.registered.insert(subject.to_owned());
        })
    }
    async fn delete_subject(&self, subject: &str) -> PortResult<()> {
        self.call(&format!("delete subject {subject}"), |state, _| {
            state.registered.remove(subject);
        })
    }
}

#[async_trait]
impl Topics for Harbour {
    async fn describe(&self, topic: &str) -> PortResult<Option<TopicSpec>> {
        Ok(self.lock().topics.get(topic).map(|(spec, _)| spec.clone()))
    }
    async fn create(&self, spec: &TopicSpec) -> PortResult<()> {
        self.call(&format!("create {}", spec.name), |state, _| {
            assert!(!state.topics.contains_key(&spec.name), "made anew, never written on");
            state.make(&spec.name, spec.partitions);
        })
    }
    async fn delete(&self, topic: &str) -> PortResult<()> {
        self.call(&format!("delete {topic}"), |state, _| {
            assert!(![BLUE, GREEN].contains(&topic) && state.config["topics"] != topic, "{topic} is in use");
            state.topics.remove(topic);
        })
    }
    async fn beginnings(&self, topic: &str) -> PortResult<Offsets> {
        let state = self.lock();
        let lost = state.lost.get(topic).copied().unwrap_or(0);
        Ok(state.ends(topic).into_keys().map(|p| (p, lost)).collect())
    }
    async fn visible_ends(&self, topic: &str) -> PortResult<Offsets> {
        Ok(self.lock().ends(topic))
    }
    async fn committed(&self, group: &str, topic: &str) -> PortResult<Option<Offsets>> {
        assert_eq!(group, "connect-sink-s");
        let mut state = self.lock();
        state.work(2);
        Ok(state.committed.get(topic).cloned())
    }
    async fn delete_group(&self, _: &str) -> PortResult<()> {
        unasked()
    }
    async fn write(&self, topic: &str, records: &[NewRecord]) -> PortResult<()> {
        self.call(&format!("write {topic}"), |state, whole| {
            let (_, partitions) = state.topics.get_mut(topic).unwrap();
            let count = if whole { records.len() } else { records.len() / 2 };
            for NewRecord { key, value } in records.iter().take(count) {
                let offset = i64::try_from(partitions[0].len()).unwrap();
                let (key, value) = (Some(key.clone()), value.clone());
                partitions[0].push_back(RawRecord { partition: 0, offset, timestamp_ms: None, key, value });
            }
        })
    }
    async fn read(&self, topic: &str, _: &Offsets, to: &Offsets) -> PortResult<Box<dyn RecordStream>> {
        let state = self.lock();
        let records = state.topics[topic].1.iter().flatten().filter(|r| r.offset < to[&r.partition]).cloned().collect();
        Ok(Box::new(Stream { records, given: 0, breaks: Arc::default() }))
    }
}

#[async_trait]
impl Connectors for Harbour {
    async fn config(&self, _: &str) -> PortResult<Option<BTreeMap<String, String>>> {
        Ok(Some(self.lock().config.clone()))
    }
    async fn configure(&self, _: &str, config: &BTreeMap<String, String>) -> PortResult<()> {
        self.call(&format!("configure {}", config["topics"]), |state, _| {
            assert!(state.stopped, "a running connector would go on from where it was");
            state.config = config.clone();
        })
    }
    async fn status(&self, _: &str) -> PortResult<Option<ConnectorStatus>> {
        let (state, tasks) =
            if self.lock().stopped { ("STOPPED", Vec::new()) } else { ("RUNNING", vec!["RUNNING".to_owned()]) };
        Ok(Some(ConnectorStatus { state: state.to_owned(), tasks, failure: None }))
    }
    async fn stop(&self, _: &str) -> PortResult<()> {
        self.call("stop", |state, _| {
            // It commits where it is; everybody else goes on.
            state.work(1);
            let topic = state.config["topics"].clone();
            if let Some(position) = state.position.get(&topic).cloned() {
                state.committed.insert(topic, position);
            }
            state.stopped = true;
            state.change();
        })
    }
    async fn resume(&self, _: &str) -> PortResult<()> {
        self.call("resume", |state, _| state.stopped = false)
    }
    async fn restart(&self, _: &str) -> PortResult<()> {
        unasked()
    }
    async fn offsets(&self, _: &str) -> PortResult<BTreeMap<String, Offsets>> {
        Ok(self.lock().committed.clone())
    }
    async fn set_offsets(&self, _: &str, topic: &str, offsets: &BTreeMap<i32, Option<i64>>) -> PortResult<()> {
        self.call(&format!("offsets {topic}"), |state, _| {
            assert!(state.stopped && state.topics.contains_key(topic), "{topic}");
            for map in [&mut state.position, &mut state.committed] {
                let known = map.entry(topic.to_owned()).or_default();
                for (partition, offset) in offsets {
                    match offset {
                        Some(offset) => drop(known.insert(*partition, *offset)),
                        None => drop(known.remove(partition)),
                    }
                }
                map.retain(|_, known| !known.is_empty());
            }
        })
    }
    async fn delete(&self, _: &str) -> PortResult<()> {
        unasked()
    }
}

fn config(topic: &str) -> BTreeMap<String, String> {
    let settings = [
        ("topics", topic),
        ("connector.class", "io.debezium.connector.jdbc.JdbcSinkConnector"),
        ("insert.mode", "upsert"),
        ("delete.enabled", "true"),
        ("primary.key.mode", "record_key"),
        ("collection.name.format", "w.s"),
    ];
    settings.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

/// A destination that has followed blue; green has a column more, rows of its own, and lacks one.
fn harbour() -> Arc<Harbour> {
    let mut state = State { config: config(BLUE), ..State::default() };
    state.make(BLUE, 2);
    state.make(GREEN, 2);
    for id in 0..6 {
        state.put(BLUE, id, blue_row(id));
    }
    for id in 1..9 {
        state.put(GREEN, id, green_row(id, "basic"));
    }
    state.put(BLUE, 5, None);
    state.work(usize::MAX);
    state.work(0);
    Arc::new(Harbour(Mutex::new(state)))
}

fn forward() -> Effect {
    let (name, from, to) = (NAME.to_owned(), BLUE.to_owned(), GREEN.to_owned());
    Effect::MoveConnector { name, before: config(BLUE), after: config(GREEN), from, to }
}

fn run(world: &Arc<Harbour>) -> Run {
    let rest = ports(&Arc::default());
    Run {
        ports: Ports {
            registry: Arc::clone(world) as Arc<dyn Registry>,
            topics: Arc::clone(world) as Arc<dyn Topics>,
            connectors: Arc::clone(world) as Arc<dyn Connectors>,
            ..rest
        },
        settings: Arc::new(settings()),
        audit: Arc::new(Audit::default()),
        rollout: "evolution-1".to_owned(),
        attempt: 1,
        jobs: BTreeMap::new(),
        job_attempts: BTreeMap::new(),
        turned: Arc::default(),
    }
}

/// Runs the effect with a fate for one of its calls; whether that call came.
async fn fated(world: &Arc<Harbour>, effect: &Effect, n: usize, fate: Fate) -> (bool, Result<Done, Failed>) {
    {
        let mut state = world.lock();
        (state.calls, state.fate) = (0, Some((n, fate)));
        state.log.clear();
    }
    let result = execute(&run(world), effect).await;
    let mut state = world.lock();
    state.fate = None;
    (state.calls >= n, result)
}

/// The connector is where the effect brings it, the destination says what that topic says, and nothing is left behind.
fn arrived(world: &Arc<Harbour>, effect: &Effect, what: &str) {
    let Effect::MoveConnector { after, to, .. } = effect else { panic!() };
    let mut state = world.lock();
    assert!(!state.stopped && state.config == *after, "{what}: {:?}", state.config);
    state.work(usize::MAX);
    assert_eq!(rows(&state.destination), state.truth(to), "{what}: {:?}", state.log);
    assert_eq!(state.topics.keys().collect::<Vec<_>>(), [BLUE, GREEN], "{what}");
    assert_eq!(state.registered, BTreeSet::new(), "{what}");
    assert!(
        state.committed.keys().all(|topic| [BLUE, GREEN].contains(&topic.as_str())),
        "{what}: {:?}",
        state.committed
    );
}

#[tokio::test]
async fn the_destination_is_exact_over_and_back() {
    let world = harbour();
    let said = execute(&run(&world), &forward()).await.unwrap().note.unwrap();
    // Rows 0 and, not long ago, 5 were only blue's; no column is lost on the way to green.
    assert!(said.contains("rows deleted 1") && said.contains("lacks 0"), "{said}");
    arrived(&world, &forward(), "over");
    assert!(format!("{:?}", world.lock().destination).contains("tier"));

    let back = forward().undo().unwrap();
    let said = execute(&run(&world), &back).await.unwrap().note.unwrap();
    arrived(&world, &back, "back");
    assert!(!said.contains("rows deleted 0") && !said.contains("lacks 0"), "{said}");
    let state = world.lock();
    let values = state.destination.values().flat_map(|row| row.get("tier"));
    assert!(values.clone().count() > 0 && values.clone().all(serde_json::Value::is_null), "NULL, not gone");
}

/// How many calls that change something a move makes.
async fn length(world: &Arc<Harbour>, effect: &Effect) -> usize {
    fated(world, effect, usize::MAX, Fate::Before).await.1.unwrap();
    world.lock().calls
}

#[tokio::test]
async fn a_daemon_that_is_killed_at_any_step_goes_on_to_the_same_end() {
    let back = forward().undo().unwrap();
    let mut kills = 0;
    for (effect, over_first) in [(forward(), false), (back, true)] {
        let begin = async || {
            let world = harbour();
            if over_first {
                execute(&run(&world), &forward()).await.unwrap();
            }
            world
        };
        let steps = length(&begin().await, &effect).await;
        assert!(steps > 12, "{steps}");
        for fate in [Fate::Before, Fate::After] {
            for first in 1..=steps {
                // Killed once, and once more at each step of the second try.
                let again = if fate == Fate::After { steps } else { 0 };
                for second in [None].into_iter().chain((1..=again).map(Some)) {
                    let world = begin().await;
                    let what = format!("killed {fate:?} step {first}, then {second:?}");
                    assert_eq!(
                        fated(&world, &effect, first, fate).await.1,
                        Err(Failed::Port(PortError::Fenced)),
                        "{what}"
                    );
                    if let Some(second) = second {
                        fated(&world, &effect, second, fate).await.1.ok();
                    }
                    execute(&run(&world), &effect).await.unwrap_or_else(|e| panic!("{what}: {e}"));
                    arrived(&world, &effect, &what);
                    kills += 1;
                }
            }
        }
    }
    println!("{kills} ways of being killed");
}

#[tokio::test]
async fn a_promotion_that_was_cut_off_anywhere_is_taken_back() {
    let back = forward().undo().unwrap();
    let steps = length(&harbour(), &forward()).await;
    for fate in [Fate::Before, Fate::After] {
        for first in 1..=steps {
            let again = if fate == Fate::After { steps + 4 } else { 1 };
            for second in 1..=again {
                let world = harbour();
                fated(&world, &forward(), first, fate).await.1.unwrap_err();
                let green_served = world.lock().config["topics"] == GREEN;
                fated(&world, &back, second, fate).await.1.ok();
                execute(&run(&world), &back).await.unwrap();
                let what = format!("{fate:?}, over to step {first}, back to step {second}");
                arrived(&world, &back, &what);
                // The column is not added to the destination only to be NULL there.
                let column = format!("{:?}", world.lock().destination).contains("tier");
                assert!(green_served || !column, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_call_without_an_answer_is_made_again() {
    let steps = length(&harbour(), &forward()).await;
    for n in 1..=steps {
        let world = harbour();
        let (came, result) = fated(&world, &forward(), n, Fate::Unanswered).await;
        assert!(came && result.is_ok(), "step {n}: {result:?}");
        arrived(&world, &forward(), &format!("no answer at step {n}"));
    }
}

#[tokio::test]
async fn where_nothing_differs_no_repair_topic_is_made() {
    let world = harbour();
    {
        let mut state = world.lock();
        state.make(GREEN, 2);
        for id in 0..6 {
            state.put(GREEN, id, green_row(id, "basic"));
        }
    }
    let (_, done) = fated(&world, &forward(), usize::MAX, Fate::Before).await;
    assert_eq!(done.unwrap(), Done::default());
    arrived(&world, &forward(), "the same keys");
    let log = world.lock().log.clone();
    assert_eq!(log, ["stop", "offsets t.s_v2", "configure t.s_v2", "resume"]);
}

/// Moves the connector in a world that was changed; what is told of it.
async fn unmended(change: impl FnOnce(&mut State), effect: &Effect) -> (Arc<Harbour>, String) {
    let world = harbour();
    change(&mut world.lock());
    let said = execute(&run(&world), effect).await.unwrap().note.unwrap();
    let state = world.lock();
    assert!(!state.stopped && state.config["topics"] == GREEN);
    assert!(said.contains("NOT mended"), "{said}");
    assert!(state.destination.keys().any(|key| key.contains("(0)")), "row 0 is still there");
    assert_eq!(state.topics.keys().collect::<Vec<_>>(), [BLUE, GREEN]);
    drop(state);
    (world, said)
}

#[tokio::test]
async fn what_cannot_be_mended_is_moved_and_said() {
    let Effect::MoveConnector { name, before, mut after, from, to } = forward() else { panic!() };
    after.remove("delete.enabled");
    let keeps = Effect::MoveConnector { name, before, after, from, to };
    let (_, said) = unmended(|_| {}, &keeps).await;
    assert!(said.contains("delete.enabled = true is not set"), "{said}");

    // What is not in the topic any more may be true all the same: nothing is deleted for it.
    let (_, said) = unmended(
        |state| {
            for partition in &mut state.topics.get_mut(GREEN).unwrap().1 {
                partition.pop_front();
            }
            state.lost.insert(GREEN.to_owned(), 1);
        },
        &forward(),
    )
    .await;
    assert!(said.contains("topic t.s_v2 has lost its first records"), "{said}");
}

#[tokio::test]
async fn a_record_that_cannot_be_read_keeps_the_destination_as_it_is() {
    for topic in [BLUE, GREEN] {
        let foreign = |state: &mut State| {
            let record = &mut state.topics.get_mut(topic).unwrap().1[0][1];
            record.key = Some(b"no avro".to_vec());
        };
        let (world, said) = unmended(foreign, &forward()).await;
        assert!(said.contains(&format!("record 1 in partition 0 of topic {topic} cannot be read")), "{said}");
        let log = world.lock().log.clone();
        assert!(log.iter().all(|call| !call.contains(".repair-")), "{log:?}");
    }
}

#[tokio::test]
async fn a_missing_permission_does_not_keep_the_connector_from_serving() {
    let steps = length(&harbour(), &forward()).await;
    let mut told = 0;
    for n in 1..=steps {
        let world = harbour();
        let (_, result) = fated(&world, &forward(), n, Fate::Refused).await;
        let call = world.lock().log[n - 1].clone();
        let ours = call.starts_with("create ") || call.starts_with("write ");
        match result {
            Ok(Done { note: Some(note), .. }) if ours => {
                assert!(note.contains("NOT mended") && note.contains("not allowed"), "{call}: {note}");
                assert_eq!(world.lock().config["topics"], GREEN);
                told += 1;
            }
            // A converter may do without the subject.
            Ok(_) => assert!(call.starts_with("register "), "{call}"),
            Err(_) => assert!(!ours, "{call}"),
        }
    }
    assert_eq!(told, 2);
}

#[tokio::test]
async fn waiting_ends_when_the_rollout_goes_another_way() {
    let world = harbour();
    world.lock().stuck = true;
    let run = run(&world);
    run.turned.store(true, Ordering::SeqCst);
    let failed = execute(&run, &forward()).await.unwrap_err().to_string();
    assert!(failed.contains("the rollout goes another way"), "{failed}");
    world.lock().stuck = false;
    let back = forward().undo().unwrap();
    execute(&super::switching::run(&world), &back).await.unwrap();
    arrived(&world, &back, "turned");
}

#[test]
fn the_name_of_a_repair_topic_is_its_move_s_own_and_fits() {
    let name = |rollout: &str, connector: &str, to: &str| switch::repair_topic(rollout, connector, to);
    let plain = name("evolution-1", "c", "t.s");
    assert!(plain.starts_with("t.s.repair-evolution-1-"), "{plain}");
    assert_ne!(plain, name("evolution-1", "d", "t.s"));
    assert_ne!(plain, name("evolution-2", "c", "t.s"));
    let long = "t".repeat(249);
    assert_eq!(name("evolution-1", "c", &long).len(), 249);
    for (topic, to, fine) in [
        (plain.as_str(), "t.s", true),
        (plain.as_str(), "t.s_v2", false),
        (&name("r", "c", &long), &long, true),
        ("t.s", "t.s", false),
        ("t.s.repair-", "t.s", false),
    ] {
        assert_eq!(switch::repairs(topic, to), fine, "{topic} {to}");
    }
}
