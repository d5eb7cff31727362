//! Explicit NULLs in nullable columns with a default, counted record by record: what semantics, "Rewriting", asks before such
//! a default may be applied.
//!
//! Rules: a column is counted in records whose own schema says nullable and has a default, and in the row that a record
//! leaves behind: under `after` in an envelope, else the record itself. What cannot be read is counted as unread. "None was
//! seen" is said only of a topic that was read to the end that it had when planning began.
//!
//! A connector that writes the default in place of a NULL leaves nothing to count.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Map, Value};

use super::handle::{Refusal, RefusalCause};
use super::turn::Daemon;
use crate::model::record::{self, Offsets};
use crate::plan::document::NoNulls;
use crate::plan::input::{Evolution, NullCount, NullFacts};
use crate::plan::{Plan, PlanInput};
use crate::port::{PortError, PortResult, RegisteredSchema, Registry};
use crate::schema::{self, AvroSchema, Shape};
use crate::validate::RowReader;

/// How long a proposal waits for the count, milliseconds: enough for a record on its way and an audit that is a look behind.
const COUNT_MS: i64 = 10_000;

/// How records of one schema are looked at.
pub(super) enum Writer {
    /// Debezium's envelope.
    Envelope(RowReader, Vec<String>),
    /// The record is the row.
    Flat(RowReader, Vec<String>),
    /// Nothing in it is looked at.
    Plain,
    /// It cannot be read.
    Unreadable,
}

/// What one record showed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Look<'w> {
    /// It is an update that does not say what the row was before.
    pub update_without_before: bool,
    /// Nobody knows what it holds.
    pub unread: bool,
    /// Counted columns that its row has, with whether they are NULL.
    pub columns: Vec<(&'w str, bool)>,
}

impl Writer {
    /// The writer of a registered schema.
    pub(super) fn of(id: u32, registered: &RegisteredSchema) -> Self {
        let Ok(parsed) = schema::parse(&registered.text, &registered.references) else { return Self::Unreadable };
        let columns = counted(&parsed);
        let shape = schema::shape(&parsed);
        if shape == Shape::Other || shape != Shape::Envelope && columns.is_empty() {
            return Self::Plain;
        }
        match RowReader::new(id, &registered.text) {
            Ok(reader) if shape == Shape::Envelope => Self::Envelope(reader, columns),
            Ok(reader) => Self::Flat(reader, columns),
            Err(_) => Self::Unreadable,
        }
    }

    /// Looks at a record in the wire format.
    pub(super) fn look(&self, bytes: &[u8]) -> Look<'_> {
        let unread = Look { unread: true, ..Look::default() };
        match self {
            Self::Plain => Look::default(),
            Self::Unreadable => unread,
            Self::Flat(reader, columns) => match reader.read(bytes) {
                Ok(row) => Look { columns: held(columns, |name| row.get(name)), ..Look::default() },
                Err(_) => unread,
            },
            Self::Envelope(reader, columns) => match reader.read(bytes) {
                Ok(envelope) => {
                    let after: Option<&Map<String, Value>> = envelope.get("after").and_then(Value::as_object);
                    let update = envelope.get("op").is_some_and(|op| op == "u");
                    Look {
                        update_without_before: update && envelope.get("before").is_none_or(Value::is_null),
                        unread: false,
                        columns: after.map(|row| held(columns, |name| row.get(name))).unwrap_or_default(),
                    }
                }
                Err(_) => unread,
            },
        }
    }
}

/// Columns that are counted in records of this schema.
fn counted(schema: &AvroSchema) -> Vec<String> {
    let open = |f: &schema::RowField| f.nullable && f.default.as_ref().is_some_and(|d| !d.is_null());
    schema::row_fields(schema).into_iter().filter(open).map(|f| f.name).collect()
}

fn held<'w, 'r>(columns: &'w [String], get: impl Fn(&str) -> Option<&'r Value>) -> Vec<(&'w str, bool)> {
    columns.iter().filter_map(|name| Some((name.as_str(), get(name)?.is_null()))).collect()
}

/// The counts, by topic.
#[derive(Debug, Default)]
pub struct Nulls {
    topics: Mutex<BTreeMap<String, Counted>>,
}

#[derive(Debug, Default)]
struct Counted {
    read: Offsets,
    unread: u64,
    /// By schema id and column.
    columns: BTreeMap<u32, BTreeMap<String, NullCount>>,
}

impl Nulls {
    /// Counts what a record with the schema `id` showed. The first NULL of a column is said in the log.
    pub(super) fn add(&self, topic: &str, id: u32, look: &Look<'_>) {
        if look.columns.is_empty() && !look.unread {
            return;
        }
        let Ok(mut topics) = self.topics.lock() else { return };
        let counted = topics.entry(topic.to_owned()).or_default();
        counted.unread += u64::from(look.unread);
        for (column, null) in &look.columns {
            let count = counted.columns.entry(id).or_default().entry((*column).to_owned()).or_default();
            count.records += 1;
            count.nulls += u64::from(*null);
            if *null && count.nulls == 1 {
                tracing::warn!(topic, schema_id = id, column, "NULL in a nullable column with a default");
            }
        }
    }

    /// Forgets what was counted in `topic`.
    pub(super) fn forget(&self, topic: &str) {
        if let Ok(mut topics) = self.topics.lock() {
            topics.remove(topic);
        }
    }

    /// Notes up to where the topic was read.
    pub(super) fn reached(&self, topic: &str, read: &Offsets) {
        if let Ok(mut topics) = self.topics.lock() {
            topics.entry(topic.to_owned()).or_default().read.clone_from(read);
        }
    }

    /// Up to where `topic` was read.
    pub(super) fn read_to(&self, topic: &str) -> Offsets {
        self.topics.lock().ok().and_then(|topics| Some(topics.get(topic)?.read.clone())).unwrap_or_default()
    }

    /// What was counted in `topic`, whose end was `ends` when planning began; `None` when it is not read at all.
    pub fn facts(&self, topic: &str, ends: &Offsets) -> Option<NullFacts> {
        let topics = self.topics.lock().ok()?;
        let counted = topics.get(topic)?;
        let mut columns: BTreeMap<String, NullCount> = BTreeMap::new();
        for (column, count) in counted.columns.values().flatten() {
            let sum = columns.entry(column.clone()).or_default();
            sum.records += count.records;
            sum.nulls += count.nulls;
        }
        let (read, unread) = (counted.read.clone(), counted.unread);
        Some(NullFacts { to_the_end: record::reached(&read, ends), read, unread, columns })
    }

    /// Whether `assumed` still holds, as far as the topic is read.
    ///
    /// # Errors
    /// The first column that holds a NULL; or that less was read than `assumed` and `cut` ask for, so that nobody knows.
    fn hold(&self, assumed: &NoNulls, cut: Option<&Offsets>) -> Result<(), Refusal> {
        let topic = &assumed.topic;
        let facts = self.facts(topic, &assumed.read).unwrap_or_default();
        for column in &assumed.columns {
            let NullCount { records, nulls } = facts.columns.get(column).copied().unwrap_or_default();
            if nulls > 0 {
                let text = format!(
                    "the plan applies the default of column {column} because no record of {topic} held NULL there; \
                     {nulls} of {records} do now: plan again"
                );
                return Err(Refusal::new(RefusalCause::AssumptionsMoved, text));
            }
        }
        if !facts.to_the_end || cut.is_some_and(|cut| !record::reached(&facts.read, cut)) || facts.unread > 0 {
            return Err(match facts.unread {
                0 => {
                    let text = format!("the NULLs in {topic} are not counted to the end yet: ask again in a moment");
                    Refusal::new(RefusalCause::Unchecked, text)
                }
                n => {
                    let text =
                        format!("{n} records of {topic} cannot be read, so nobody knows what they hold: plan again");
                    Refusal::new(RefusalCause::AssumptionsMoved, text)
                }
            });
        }
        Ok(())
    }
}

/// The count that a planning waits for.
#[derive(Clone, Debug)]
pub(super) struct Awaited {
    version: i32,
    since_ms: i64,
    /// The end that the topic had when planning began.
    ends: Offsets,
}

/// Puts what was counted beside the other facts on the topic.
pub fn put(input: &mut PlanInput, nulls: &Nulls, topic: &str, ends: &Offsets) {
    if let Some(facts) = input.topics.get_mut(topic) {
        facts.nulls = nulls.facts(topic, ends);
    }
}

/// New columns that may be NULL and have, or had, a default.
pub fn uncertain(evolution: &Evolution) -> Vec<&str> {
    let with_default = |a: &&schema::AddedColumn| {
        !a.source_not_null && (a.default_sql.is_some() || a.earlier.iter().any(|d| d.default_sql.is_some()))
    };
    evolution.added.iter().filter(with_default).map(|a| a.name.as_str()).collect()
}

impl Daemon {
    /// The end up to which NULLs were counted for this evolution; `None` when it is too early to plan it.
    ///
    /// # Errors
    /// Kafka's.
    pub(super) async fn count_nulls(&mut self, evolution: &Evolution) -> PortResult<Option<Offsets>> {
        let columns = uncertain(evolution);
        if columns.is_empty() {
            return Ok(Some(Offsets::new()));
        }
        let now_ms = self.ports.clock.now_ms();
        let version = evolution.to_version;
        let awaited = match self.counting.get(&evolution.subject).filter(|a| a.version == version) {
            Some(awaited) => awaited.clone(),
            None => {
                let ends = self.ports.topics.visible_ends(&evolution.topic).await?;
                let awaited = Awaited { version, since_ms: now_ms, ends };
                self.counting.insert(evolution.subject.clone(), awaited.clone());
                awaited
            }
        };
        let facts = self.audit.nulls.facts(&evolution.topic, &awaited.ends).unwrap_or_default();
        // The registry has a version before Kafka has the first record of it.
        let seen = columns.iter().all(|c| facts.columns.get(*c).is_some_and(|count| count.records > 0));
        if (facts.to_the_end && seen) || now_ms - awaited.since_ms >= COUNT_MS {
            self.counting.remove(&evolution.subject);
            return Ok(Some(awaited.ends));
        }
        Ok(None)
    }

    /// Refuses a plan whose defaults stand on a count that no longer holds, or is not made anew yet after a restart. The
    /// records that evidence was given on must be among the counted ones.
    pub(super) fn no_nulls_hold(&self, plan: &Plan) -> Result<(), Refusal> {
        for assumed in &plan.assumptions.no_nulls {
            let evidence = self.ledger.open().into_iter().filter_map(|r| r.evidence.as_ref());
            let cut = evidence.filter_map(|e| e.cut.get(&assumed.topic)).next_back();
            self.audit.nulls.hold(assumed, cut)?;
        }
        Ok(())
    }
}

/// The writer of records with this schema id; `None` when the registry does not know it.
///
/// # Errors
/// The registry's.
pub(super) async fn writer(registry: &dyn Registry, id: u32) -> PortResult<Option<Writer>> {
    match registry.schema_by_id(id).await {
        Ok(registered) => Ok(Some(Writer::of(id, &registered))),
        Err(PortError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
