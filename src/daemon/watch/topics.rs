//! Reads the input topics: counts records by schema id, and NULLs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::watch;

use super::{Audit, Health};
use crate::daemon::nulls::{self, Writer};
use crate::daemon::ports::Ports;
use crate::model::record::{self, Offsets, RawRecord};
use crate::port::{PortError, Registry, Topics};
use crate::telemetry::Metrics;

/// How records without a schema id are counted.
const NO_ID: &str = "none";
/// How tombstones are counted.
const TOMBSTONE: &str = "tombstone";

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
                    audit.unknown_schema();
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
