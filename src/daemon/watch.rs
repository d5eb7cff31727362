//! Watches the registry and the input topics, beside the loop.
//!
//! Rules: a system that does not answer is logged once when it goes and once when it comes back, and asked again; the rest
//! goes on. What is seen goes to the loop, which decides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use tokio::sync::{mpsc, watch};

use super::gather;
use super::nulls::{self, Nulls, Writer};
use super::ports::Ports;
use crate::model::record::{self, Offsets, RawRecord};
use crate::model::verdict::SchemaUse;
use crate::port::{PortError, Registry, Topics};
use crate::telemetry::Metrics;

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
    /// Explicit NULLs.
    pub nulls: Nulls,
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
        self.nulls.read_to(topic)
    }

    /// Forgets everything about `topic`: it was made anew under its name.
    fn forget(&self, topic: &str) {
        if let Ok(mut seen) = self.seen.lock() {
            seen.remove(topic);
        }
        if let Ok(mut updates) = self.updates_without_before.lock() {
            updates.remove(topic);
        }
        self.nulls.forget(topic);
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
            tracing::warn!(
                topic,
                partition,
                offset,
                "update without its row before: no job that reads this topic as Debezium's changelog gets past it; set REPLICA IDENTITY FULL"
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
                Err(error) => health.ill(&error),
            }
        }
        ports.clock.sleep_ms(poll_ms).await;
    }
}

/// Reads the input topics from their beginning and counts records by schema id, and NULLs.
pub async fn topics(
    ports: Ports,
    metrics: Arc<Metrics>,
    audit: Arc<Audit>,
    topics: watch::Receiver<BTreeSet<String>>,
    poll_ms: u64,
) {
    let mut readings: BTreeMap<String, Reading> = BTreeMap::new();
    let mut writers = Writers::new();
    let mut health: BTreeMap<String, Health> = BTreeMap::new();
    let from = (ports.registry.as_ref(), ports.topics.as_ref());
    loop {
        let watched = topics.borrow().clone();
        for topic in watched {
            let reading = readings.entry(topic.clone()).or_insert_with(|| Reading::of(&topic, LOOKS));
            let health = health.entry(topic.clone()).or_insert_with(|| Health::new("kafka"));
            let count = |id: &str| metrics.cdc_records_total.inc([topic.as_str(), id]);
            let outcome = match ports.topics.visible_ends(&topic).await {
                Ok(ends) => {
                    if reading.is_beyond(&ends) {
                        tracing::warn!(topic, "topic was made anew: it is read from its beginning");
                        audit.forget(&topic);
                        *reading = Reading::of(&topic, LOOKS);
                    }
                    reading.read_on(from, &audit, &mut writers, &ends, count).await
                }
                Err(error) => Err(error),
            };
            match outcome {
                Ok(()) => health.well(),
                Err(error) => health.ill(&error),
            }
        }
        ports.clock.sleep_ms(poll_ms).await;
    }
}

/// Reads one topic from its beginning to `ends` into an audit of its own.
///
/// # Errors
/// Kafka's and the registry's.
pub async fn read_once(from: Origin<'_>, topic: &str, ends: &Offsets) -> Result<Audit, PortError> {
    let audit = Audit::default();
    Reading::of(topic, 1).read_on(from, &audit, &mut Writers::new(), ends, |_| {}).await?;
    Ok(audit)
}

/// Where schemas and records come from.
pub type Origin<'a> = (&'a dyn Registry, &'a dyn Topics);

/// Writers by schema id.
type Writers = BTreeMap<u32, Writer>;

/// How often the registry is asked for an id that it does not know before the record counts as unread: a follower may have it
/// a moment later than the record comes.
const LOOKS: u32 = 5;

/// One topic on its way.
struct Reading {
    topic: String,
    position: Offsets,
    /// Schema ids that the registry does not know, and how often it was asked.
    unknown: BTreeMap<u32, u32>,
    /// How often it is asked.
    looks: u32,
}

impl Reading {
    fn of(topic: &str, looks: u32) -> Self {
        Self { topic: topic.to_owned(), position: Offsets::new(), unknown: BTreeMap::new(), looks }
    }

    /// True when more was read than there is.
    fn is_beyond(&self, ends: &Offsets) -> bool {
        ends.iter().any(|(partition, end)| self.position.get(partition).is_some_and(|position| position > end))
    }

    /// Reads on to `ends`. A registry that does not answer is waited for: the position stays before the record whose schema
    /// is not known yet.
    async fn read_on(
        &mut self,
        (registry, topics): Origin<'_>,
        audit: &Audit,
        writers: &mut Writers,
        ends: &Offsets,
        count: impl Fn(&str),
    ) -> Result<(), PortError> {
        // What the registry did not know, it may know by now.
        writers.retain(|id, _| !self.unknown.contains_key(id));
        if !record::reached(&self.position, ends) {
            let mut stream = topics.read(&self.topic, &self.position, ends).await?;
            while let Some(batch) = stream.next_batch().await? {
                for record in &batch {
                    self.look(registry, audit, writers, record, &count).await?;
                    self.position.insert(record.partition, record.offset + 1);
                }
            }
            self.position.clone_from(ends);
        }
        audit.nulls.reached(&self.topic, &self.position);
        Ok(())
    }

    async fn look(
        &mut self,
        registry: &dyn Registry,
        audit: &Audit,
        writers: &mut Writers,
        record: &RawRecord,
        count: impl Fn(&str),
    ) -> Result<(), PortError> {
        let RawRecord { partition, offset, .. } = *record;
        let number = record.value.as_deref().and_then(record::schema_id);
        if let Some(number) = number
            && !writers.contains_key(&number)
        {
            let writer = match nulls::writer(registry, number).await? {
                Some(writer) => {
                    self.unknown.remove(&number);
                    writer
                }
                None => {
                    let asked = self.unknown.entry(number).or_insert(0);
                    *asked += 1;
                    if *asked < self.looks {
                        return Err(PortError::Missing {
                            system: "registry",
                            what: format!("schema with id {number}"),
                        });
                    }
                    Writer::Unreadable
                }
            };
            writers.insert(number, writer);
        }
        let topic = self.topic.as_str();
        let id = match (&record.value, number) {
            (None, _) => TOMBSTONE.to_owned(),
            (Some(_), None) => NO_ID.to_owned(),
            (Some(_), Some(number)) => number.to_string(),
        };
        count(&id);
        let writer = number.and_then(|number| writers.get(&number));
        if audit.count(topic, &id, partition, offset) {
            match writer {
                Some(Writer::Unreadable) => {
                    tracing::warn!(
                        topic,
                        schema_id = id,
                        partition,
                        offset,
                        "record with a schema that cannot be read"
                    );
                }
                Some(_) => tracing::info!(topic, schema_id = id, partition, offset, "first record with this schema id"),
                None if id == TOMBSTONE => {}
                None => {
                    tracing::warn!(topic, partition, offset, "record that is not in the registry's wire format");
                }
            }
        }
        if let (Some(number), Some(writer), Some(bytes)) = (number, writer, record.value.as_deref()) {
            let look = writer.look(bytes);
            if look.update_without_before {
                audit.poisoned(topic, partition, offset);
            }
            audit.nulls.add(topic, number, &look);
        } else if record.value.as_deref().is_some_and(json_update_without_before) {
            audit.poisoned(topic, partition, offset);
        }
        Ok(())
    }
}

/// True for an update in an envelope of JSON, with or without Connect's schema around it, that does not say what the row was
/// before.
fn json_update_without_before(bytes: &[u8]) -> bool {
    if bytes.first() != Some(&b'{') {
        return false;
    }
    let Ok(mut event) = serde_json::from_slice::<serde_json::Value>(bytes) else { return false };
    let event = event.get_mut("payload").filter(|p| p.is_object()).map(serde_json::Value::take).unwrap_or(event);
    event.get("op").is_some_and(|op| op == "u") && event.get("before").is_none_or(serde_json::Value::is_null)
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

    fn ill(&mut self, error: &PortError) {
        let text = error.to_string();
        if self.ill.as_ref() != Some(&text) {
            tracing::warn!(system = self.system, error = text, "does not answer as it should; asked again");
            self.ill = Some(text);
        }
    }
}
