//! The world of these cases: topics, a registry, and a Connect worker with one sink and its destination.

use std::collections::VecDeque;

use apache_avro::Schema;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;

use super::super::*;
use crate::daemon::execute::Run;
use crate::daemon::watch::Audit;
use crate::validate::decode_row;

pub(super) const BLUE: &str = "t.s";
pub(super) const GREEN: &str = "t.s_v2";
const NAME: &str = "sink-s";

const KEY: u32 = 1;
pub(super) const BLUE_ROW: u32 = 2;
pub(super) const GREEN_ROW: u32 = 3;

const KEY_SCHEMA: &str = r#"{"type":"record","name":"k","fields":[{"name":"id","type":"long"}]}"#;
pub(super) const BLUE_SCHEMA: &str = r#"{"type":"record","name":"v","fields":[{"name":"total","type":"long"}]}"#;
pub(super) const GREEN_SCHEMA: &str = r#"{"type":"record","name":"v","fields":[{"name":"total","type":"long"},
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

pub(super) fn green_row(total: i64, tier: &str) -> Option<Vec<u8>> {
    Some(wire(GREEN_ROW, &[("total", total.into()), ("tier", Value::String(tier.to_owned()))]))
}

pub(super) type Table = BTreeMap<String, BTreeMap<String, serde_json::Value>>;

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
pub(super) fn rows(table: &Table) -> Table {
    let plain = |(key, row): (&String, &BTreeMap<String, serde_json::Value>)| {
        (key.clone(), row.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect())
    };
    table.iter().map(plain).collect()
}

/// What happens to the call of that number that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
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
pub(super) struct State {
    pub(super) topics: BTreeMap<String, (TopicSpec, Vec<VecDeque<RawRecord>>)>,
    /// Offsets that a topic no longer holds.
    pub(super) lost: BTreeMap<String, i64>,
    pub(super) registered: BTreeSet<String>,
    pub(super) config: BTreeMap<String, String>,
    pub(super) stopped: bool,
    /// Where the connector is, and what it has committed of that.
    position: BTreeMap<String, Offsets>,
    pub(super) committed: BTreeMap<String, Offsets>,
    pub(super) destination: Table,
    /// Number of calls so far that change something, and the fate of one of them.
    pub(super) calls: usize,
    pub(super) fate: Option<(usize, Fate)>,
    /// Names of those calls.
    pub(super) log: Vec<String>,
    /// True while the connector writes nothing.
    pub(super) stuck: bool,
    changes: i64,
}

impl State {
    pub(super) fn put(&mut self, topic: &str, id: i64, value: Option<Vec<u8>>) {
        let (_, partitions) = self.topics.get_mut(topic).unwrap();
        let n = usize::try_from(id).unwrap() % partitions.len();
        let lost = self.lost.get(topic).copied().unwrap_or(0);
        let offset = lost + i64::try_from(partitions[n].len()).unwrap();
        let partition = i32::try_from(n).unwrap();
        partitions[n].push_back(RawRecord {
            partition,
            offset,
            timestamp_ms: None,
            key: Some(key(id)),
            value,
            schema_headers: None,
        });
    }

    pub(super) fn make(&mut self, topic: &str, partitions: i32) {
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
    pub(super) fn work(&mut self, most: usize) {
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
    pub(super) fn truth(&self, topic: &str) -> Table {
        let mut table = Table::new();
        for record in self.topics[topic].1.iter().flatten() {
            write(&mut table, record.key.as_deref().unwrap(), record.value.as_deref());
        }
        rows(&table)
    }
}

pub(super) struct Harbour(pub(super) Mutex<State>);

impl Harbour {
    pub(super) fn lock(&self) -> std::sync::MutexGuard<'_, State> {
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
        Ok(RegisteredSchema {
            subject,
            version: 0,
            id,
            kind,
            text: schema(id).to_owned(),
            references,
            metadata: BTreeMap::new(),
        })
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
    async fn readers(&self, _: &str) -> PortResult<Vec<String>> {
        unasked()
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
                partitions[0].push_back(RawRecord {
                    partition: 0,
                    offset,
                    timestamp_ms: None,
                    key,
                    value,
                    schema_headers: None,
                });
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
    async fn all(&self) -> PortResult<BTreeMap<String, BTreeMap<String, String>>> {
        unasked()
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
pub(super) fn harbour() -> Arc<Harbour> {
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

pub(super) fn forward() -> Effect {
    let (name, from, to) = (NAME.to_owned(), BLUE.to_owned(), GREEN.to_owned());
    Effect::MoveConnector { name, before: config(BLUE), after: config(GREEN), from, to }
}

pub(super) fn run(world: &Arc<Harbour>) -> Run {
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
        prefix: String::new(),
        attempt: 1,
        jobs: BTreeMap::new(),
        job_attempts: BTreeMap::new(),
        turned: Arc::default(),
        served: false,
        gone_over: Arc::default(),
    }
}
