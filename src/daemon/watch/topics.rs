//! Reads the input topics: what each record shows, and which versions the records tell of.
//!
//! Rules: a topic is read from its beginning. A registry that does not answer is waited for, before the record whose schema is
//! not known yet. A schema that was not seen in the topic before is news: the registry is asked at once which versions of which
//! subjects it is, and the newest of a subject goes to the loop as if the registry had told of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::news::{First, News};
use super::{Audit, Health, Sighting};
use crate::daemon::ports::Ports;
use crate::daemon::subjects::Subjects;
use crate::model::naming::Side;
use crate::model::record::{self, Offsets, Part, RawRecord, SchemaId};
use crate::port::{PortError, PortResult, RegisteredSchema, Registry, Topics};
use crate::telemetry::Metrics;
use crate::validate::audit::{Folded, Writer, Writers};

/// Reads the input topics from their beginning, for as long as it lives.
pub async fn topics(
    ports: Ports,
    (metrics, audit, subjects): (Arc<Metrics>, Arc<Audit>, Arc<Subjects>),
    topics: watch::Receiver<BTreeSet<String>>,
    poll_ms: u64,
    out: mpsc::Sender<Sighting>,
) {
    let mut readings: BTreeMap<String, Reading> = BTreeMap::new();
    let mut writers = Known::default();
    let mut health: BTreeMap<String, Health> = BTreeMap::new();
    let from = (ports.registry.as_ref(), ports.topics.as_ref());
    loop {
        let watched = topics.borrow().clone();
        for topic in watched {
            let reading = readings.entry(topic.clone()).or_insert_with(|| Reading::of(&topic, LOOKS));
            let health = health.entry(topic.clone()).or_insert_with(|| Health::new("kafka"));
            let outcome = match ports.topics.visible_ends(&topic).await {
                Ok(ends) => {
                    if reading.is_beyond(&ends) {
                        tracing::warn!(topic, "topic was made anew: it is read from its beginning");
                        audit.forget(&topic);
                        *reading = Reading::of(&topic, LOOKS);
                    }
                    let count = |record: &RawRecord, folded: &Folded| counted(&metrics, &topic, record, folded);
                    reading.read_on(from, &audit, &mut writers, &ends, count).await
                }
                Err(error) => Err(error),
            };
            // What was read before it broke off may have brought news.
            let news = reading.news.tell(&ports, &metrics, &audit, &subjects, &writers, &out).await;
            match outcome.and(news) {
                Ok(()) => health.well(),
                Err(error) => health.ill(&error),
            }
        }
        ports.clock.sleep_ms(poll_ms).await;
        if out.is_closed() {
            return;
        }
    }
}

/// Reads one topic from its beginning to `ends` into an audit of its own, with the registry's names for what it finds.
///
/// # Errors
/// Kafka's and the registry's.
pub async fn read_once(
    from: Origin<'_>,
    topic: &str,
    ends: &Offsets,
    mut progress: impl FnMut(u64),
) -> Result<Audit, PortError> {
    let audit = Audit::default();
    let mut writers = Known::default();
    let mut reading = Reading::of(topic, 1);
    let mut records = 0;
    reading
        .read_on(from, &audit, &mut writers, ends, |_, _| {
            records += 1;
            progress(records);
        })
        .await?;
    reading.news.name(from.0, &audit, &writers).await?;
    Ok(audit)
}

/// Where schemas and records come from.
pub type Origin<'a> = (&'a dyn Registry, &'a dyn Topics);

/// Schemas that were asked for.
#[derive(Default)]
pub(super) struct Known {
    pub(super) writers: Writers,
    /// The registry's number for each GUID; 0 where it has none.
    pub(super) numbers: BTreeMap<SchemaId, u32>,
}

/// How often the registry is asked for an id that it does not know before the record counts as unread: a follower may have it
/// a moment later than the record comes.
const LOOKS: u32 = 5;

/// Unknown ids of one topic that are waited for. More are no schemas, but bytes that look like them.
const WAITED_FOR: usize = 20;

/// One topic on its way.
struct Reading {
    topic: String,
    position: Offsets,
    /// Schemas that the registry does not know, and how often it was asked.
    unknown: BTreeMap<SchemaId, u32>,
    /// How often it is asked.
    looks: u32,
    /// What the records told of and the loop does not know yet.
    news: News,
}

impl Reading {
    fn of(topic: &str, looks: u32) -> Self {
        Self {
            topic: topic.to_owned(),
            position: Offsets::new(),
            unknown: BTreeMap::new(),
            looks,
            news: News::of(topic),
        }
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
        known: &mut Known,
        ends: &Offsets,
        mut count: impl FnMut(&RawRecord, &Folded),
    ) -> Result<(), PortError> {
        // What the registry did not know, it may know by now.
        known.writers.retain(|id, _| !self.unknown.contains_key(id));
        if !record::reached(&self.position, ends) {
            let mut stream = topics.read(&self.topic, &self.position, ends).await?;
            while let Some(batch) = stream.next_batch().await? {
                for record in &batch {
                    self.know(registry, audit, known, record).await?;
                    let folded = audit.fold(&self.topic, record, &known.writers);
                    self.position.insert(record.partition, record.offset + 1);
                    if folded.counted {
                        self.said(record, &folded, known);
                        count(record, &folded);
                    }
                }
            }
            self.position.clone_from(ends);
        }
        audit.reached(&self.topic, &self.position);
        Ok(())
    }

    /// After `Ok`, the schema of the record's value is known, or known to be unknown.
    async fn know(
        &mut self,
        registry: &dyn Registry,
        audit: &Audit,
        known: &mut Known,
        record: &RawRecord,
    ) -> PortResult<()> {
        let Part::Named { schema, .. } = record.value_part() else { return Ok(()) };
        if known.writers.contains_key(&schema) {
            return Ok(());
        }
        let writer = match registered(registry, schema).await {
            Ok(found) => {
                self.unknown.remove(&schema);
                known.numbers.insert(schema, found.id);
                Writer::new(&found.kind, &found.text, &found.references)
            }
            Err(PortError::Missing { .. }) => {
                audit.unknown_schema();
                let waits = self.unknown.len() < WAITED_FOR || self.unknown.contains_key(&schema);
                let asked = self.unknown.entry(schema).or_insert(0);
                *asked += 1;
                if waits && *asked < self.looks {
                    return Err(PortError::Missing { system: "registry", what: named(schema) });
                }
                Writer::unknown(format!("the registry has no {}", named(schema)))
            }
            Err(error) => return Err(error),
        };
        known.writers.insert(schema, writer);
        Ok(())
    }

    /// Logs what a record shows for the first time, and keeps what the loop is to be told.
    fn said(&mut self, record: &RawRecord, folded: &Folded, known: &Known) {
        let RawRecord { partition, offset, timestamp_ms, .. } = *record;
        let topic = self.topic.as_str();
        for (side, schema) in [(Side::Key, folded.new_key), (Side::Value, folded.new_value)] {
            let Some(schema) = schema else { continue };
            let unreadable = match side {
                Side::Key => None,
                Side::Value => known.writers.get(&schema).and_then(Writer::unreadable),
            };
            match unreadable {
                Some(reason) => {
                    tracing::warn!(
                        topic, %schema, partition, offset, reason, "record with a schema that cannot be read"
                    );
                }
                None => tracing::info!(topic, %schema, ?side, partition, offset, "first record with this schema"),
            }
            self.news.add(First { side, schema, at_ms: timestamp_ms });
        }
        if folded.first_without_before {
            tracing::warn!(
                topic,
                partition,
                offset,
                "update without its row before: no job that reads this topic as Debezium's changelog gets past it; set REPLICA IDENTITY FULL"
            );
        }
        for column in &folded.first_nulls {
            tracing::warn!(topic, partition, offset, column, "NULL in a nullable column with a default");
        }
        if let (Some(reason), None) = (&folded.unreadable, folded.new_value) {
            tracing::debug!(topic, partition, offset, reason, "record that cannot be read");
        }
    }
}

fn named(schema: SchemaId) -> String {
    match schema {
        SchemaId::Number(id) => format!("schema with id {id}"),
        SchemaId::Guid(_) => format!("schema with GUID {schema}"),
    }
}

/// The schema as the registry has it.
pub(super) async fn registered(registry: &dyn Registry, schema: SchemaId) -> PortResult<RegisteredSchema> {
    match schema {
        SchemaId::Number(id) => registry.schema_by_id(id).await,
        SchemaId::Guid(_) => registry.schema_by_guid(&schema.to_string()).await,
    }
}

fn counted(metrics: &Metrics, topic: &str, record: &RawRecord, folded: &Folded) {
    let schema = match record.value_part() {
        Part::Absent => "tombstone".to_owned(),
        Part::Named { schema, .. } => schema.to_string(),
        Part::Foreign(_) | Part::BadHeader => "none".to_owned(),
    };
    metrics.cdc_records_total.inc([topic, &schema]);
    metrics.cdc_schema_switches_total.add([topic], u64::from(folded.switched));
    metrics.cdc_unreadable_records_total.add([topic], u64::from(folded.unreadable.is_some()));
    metrics.cdc_placeholders_total.add([topic], folded.placeholders);
}
