//! Watches the registry and the input topics, beside the loop.
//!
//! Rules: a system that does not answer is logged once when it goes and once when it comes back, counted each time, and
//! asked again; the rest goes on. What is seen goes to the loop, which decides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use tokio::sync::{mpsc, watch};

use super::gather;
use super::ports::Ports;
use crate::model::record::{self, Offsets, RawRecord};
use crate::model::verdict::SchemaUse;
use crate::port::PortError;
use crate::schema::{self, Shape};
use crate::telemetry::Metrics;
use crate::validate::RowReader;

/// A subject's newest version in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Subject.
    pub subject: String,
    /// Version.
    pub version: i32,
    /// When it was seen, milliseconds since 1970.
    pub at_ms: i64,
}

/// What was seen in the input topics.
#[derive(Debug, Default)]
pub struct Audit {
    seen: Mutex<BTreeMap<String, BTreeMap<String, SchemaUse>>>,
    /// The first update without its row before, by topic: partition and offset.
    updates_without_before: Mutex<BTreeMap<String, (i32, i64)>>,
    /// Up to where each topic was read.
    read: Mutex<BTreeMap<String, Offsets>>,
}

/// How records without a schema id are counted.
const NO_ID: &str = "none";
/// How tombstones are counted.
const TOMBSTONE: &str = "tombstone";

impl Audit {
    /// What was seen of each schema id, by topic.
    pub fn schema_ids(&self) -> BTreeMap<String, BTreeMap<String, SchemaUse>> {
        self.seen.lock().map(|seen| seen.clone()).unwrap_or_default()
    }

    /// Partition and offset of the first update in `topic` that does not say what the row was before. Flink's Debezium
    /// formats fail on it for ever: the table had no `REPLICA IDENTITY FULL`.
    pub fn update_without_before(&self, topic: &str) -> Option<(i32, i64)> {
        self.updates_without_before.lock().ok()?.get(topic).copied()
    }

    /// Up to where `topic` was read.
    pub fn read_to(&self, topic: &str) -> Offsets {
        self.read.lock().ok().and_then(|read| read.get(topic).cloned()).unwrap_or_default()
    }

    fn reads(&self, topic: &str, position: &Offsets) {
        if let Ok(mut read) = self.read.lock() {
            read.insert(topic.to_owned(), position.clone());
        }
    }

    /// Counts a record; true when its schema id was not seen in the topic before.
    fn count(&self, topic: &str, id: &str, partition: i32, offset: i64) -> bool {
        let Ok(mut seen) = self.seen.lock() else { return false };
        let ids = seen.entry(topic.to_owned()).or_default();
        let new = !ids.contains_key(id);
        let used = ids.entry(id.to_owned()).or_default();
        used.records += 1;
        let first = used.first.entry(partition).or_insert(offset);
        *first = (*first).min(offset);
        new
    }

    fn poisoned(&self, topic: &str, partition: i32, offset: i64) {
        let Ok(mut all) = self.updates_without_before.lock() else { return };
        if all.insert(topic.to_owned(), (partition, offset)).is_none() {
            tracing::error!(
                topic,
                partition,
                offset,
                "update without its row before: set REPLICA IDENTITY FULL; no job can read past it"
            );
        }
    }
}

/// Polls the registry for the subjects of `topics` and sends every newest version that was not sent before.
pub async fn registry(
    ports: Ports,
    metrics: Arc<Metrics>,
    topics: watch::Receiver<BTreeSet<String>>,
    poll_ms: u64,
    out: mpsc::Sender<Sighting>,
) {
    let mut sent: BTreeMap<String, i32> = BTreeMap::new();
    let mut health = Health::new("registry");
    loop {
        let watched = topics.borrow().clone();
        let subjects: Vec<String> = watched.iter().flat_map(|t| gather::subjects_of(t)).collect();
        metrics.subjects_watched.set([], subjects.len() as f64);
        for subject in subjects {
            match ports.registry.versions(&subject).await {
                Ok(versions) => {
                    health.well();
                    let Some(version) = versions.last().copied() else { continue };
                    if sent.get(&subject) == Some(&version) {
                        continue;
                    }
                    let sighting = Sighting { subject: subject.clone(), version, at_ms: ports.clock.now_ms() };
                    if out.send(sighting).await.is_err() {
                        return;
                    }
                    sent.insert(subject, version);
                }
                Err(error) => health.ill(&error, &metrics),
            }
        }
        ports.clock.sleep_ms(poll_ms).await;
    }
}

/// Reads the input topics from their beginning and counts records by schema id.
pub async fn topics(
    ports: Ports,
    metrics: Arc<Metrics>,
    audit: Arc<Audit>,
    topics: watch::Receiver<BTreeSet<String>>,
    poll_ms: u64,
) {
    let mut positions: BTreeMap<String, Offsets> = BTreeMap::new();
    let mut readers = Readers::new();
    let mut health: BTreeMap<String, Health> = BTreeMap::new();
    loop {
        let watched = topics.borrow().clone();
        for topic in watched {
            let position = positions.entry(topic.clone()).or_default();
            let health = health.entry(topic.clone()).or_insert_with(|| Health::new("kafka"));
            match read_on(&ports, &metrics, &audit, &mut readers, &topic, position).await {
                Ok(()) => health.well(),
                Err(error) => health.ill(&error, &metrics),
            }
        }
        ports.clock.sleep_ms(poll_ms).await;
    }
}

async fn read_on(
    ports: &Ports,
    metrics: &Metrics,
    audit: &Audit,
    readers: &mut Readers,
    topic: &str,
    position: &mut Offsets,
) -> Result<(), PortError> {
    let ends = ports.topics.visible_ends(topic).await?;
    if record::reached(position, &ends) {
        return Ok(());
    }
    let mut stream = ports.topics.read(topic, position, &ends).await?;
    while let Some(batch) = stream.next_batch().await? {
        for record in &batch {
            let id = match record.value.as_deref() {
                None => TOMBSTONE.to_owned(),
                Some(bytes) => record::schema_id(bytes).map_or_else(|| NO_ID.to_owned(), |id| id.to_string()),
            };
            metrics.cdc_records_total.inc([topic, &id]);
            if audit.count(topic, &id, record.partition, record.offset) {
                first_of_its_kind(ports, readers, topic, &id, record).await;
            }
            if is_update_without_before(readers, record) {
                audit.poisoned(topic, record.partition, record.offset);
            }
            position.insert(record.partition, record.offset + 1);
        }
        audit.reads(topic, position);
    }
    *position = ends;
    audit.reads(topic, position);
    Ok(())
}

/// Readers of envelopes by schema id; `None` for schemas that are none.
type Readers = BTreeMap<u32, Option<RowReader>>;

/// Says what a schema id is that was not seen before; one that the registry does not know is named.
async fn first_of_its_kind(ports: &Ports, readers: &mut Readers, topic: &str, id: &str, record: &RawRecord) {
    let (partition, offset) = (record.partition, record.offset);
    match id.parse::<u32>() {
        Ok(number) => match ports.registry.schema_by_id(number).await {
            Ok(registered) => {
                tracing::info!(topic, schema_id = id, partition, offset, "first record with this schema id");
                let parsed = schema::parse(&registered.text, &registered.references).ok();
                let envelope = parsed.is_some_and(|s| schema::shape(&s) == Shape::Envelope);
                let reader = envelope.then(|| RowReader::new(number, &registered.text).ok()).flatten();
                readers.insert(number, reader);
            }
            Err(error) => {
                tracing::warn!(topic, schema_id = id, partition, offset, %error, "record with a schema id that cannot be looked up");
            }
        },
        Err(_) if id == TOMBSTONE => {}
        Err(_) => tracing::warn!(topic, partition, offset, "record that is not in the registry's wire format"),
    }
}

fn is_update_without_before(readers: &Readers, record: &RawRecord) -> bool {
    let Some(bytes) = record.value.as_deref() else { return false };
    let row = match record::schema_id(bytes) {
        Some(id) => readers.get(&id).and_then(Option::as_ref).and_then(|reader| reader.read(bytes).ok()),
        None => json_envelope(bytes),
    };
    let Some(row) = row else { return false };
    row.get("op").is_some_and(|op| op == "u") && row.get("before").is_none_or(serde_json::Value::is_null)
}

/// An envelope in JSON, with or without Connect's schema around it.
fn json_envelope(bytes: &[u8]) -> Option<BTreeMap<String, serde_json::Value>> {
    if bytes.first() != Some(&b'{') {
        return None;
    }
    let mut row: BTreeMap<String, serde_json::Value> = serde_json::from_slice(bytes).ok()?;
    match row.remove("payload") {
        Some(serde_json::Value::Object(payload)) => Some(payload.into_iter().collect()),
        _ => Some(row),
    }
}

/// Whether a system answers: said when it changes, not each time.
struct Health {
    system: &'static str,
    ill: Option<String>,
}

impl Health {
    fn new(system: &'static str) -> Self {
        Self { system, ill: None }
    }

    fn well(&mut self) {
        if self.ill.take().is_some() {
            tracing::info!(system = self.system, "answers again");
        }
    }

    fn ill(&mut self, error: &PortError, metrics: &Metrics) {
        metrics.port_errors_total.inc([self.system]);
        let text = error.to_string();
        if self.ill.as_ref() != Some(&text) {
            tracing::warn!(system = self.system, error = text, "does not answer as it should; asked again");
            self.ill = Some(text);
        }
    }
}
