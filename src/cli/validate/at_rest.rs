//! Reads two topics that rest once, by fingerprints, and what was found in them a second time, to show it.
//!
//! A system that does not answer is asked again, and reading goes on where it stopped. Topics whose ends have moved meanwhile
//! did not rest: then nothing is said, and rounds decide.

use std::collections::BTreeSet;

use crate::daemon::prove::Broken;
use crate::model::parity::TableContract;
use crate::model::record::{Offsets, RawRecord};
use crate::model::verdict::TableVerdict;
use crate::port::{Clock, PortError, PortResult, RecordStream, Registry, Topics};
use crate::validate::Side;
use crate::validate::survey::Survey;

/// Time before a system that did not answer is asked again, milliseconds.
const AGAIN_MS: u64 = 1_000;
/// Records between two lines of progress.
const PROGRESS: u64 = 1_000_000;

/// What is read from.
#[derive(Clone, Copy)]
pub(super) struct Systems<'a> {
    pub topics: &'a dyn Topics,
    pub registry: &'a dyn Registry,
    pub clock: &'a dyn Clock,
}

/// The verdict on topics that rest; `None` when they do not, or when fingerprints cannot decide by this contract.
///
/// A system may be silent for `patience_ms` at a time.
///
/// # Errors
/// A topic or schema cannot be read, or a topic was shortened while it was read.
pub(super) async fn compare(
    systems: Systems<'_>,
    contract: &TableContract,
    patience_ms: i64,
    said: impl Fn(&str),
) -> Result<Option<TableVerdict>, Broken> {
    let Some(mut survey) = Survey::new(contract.clone()) else { return Ok(None) };
    let blue = contract.blue_topic.as_deref().map(|topic| (Side::Blue, topic));
    let sides: Vec<(Side, &str)> = blue.into_iter().chain([(Side::Green, contract.green_topic.as_str())]).collect();
    let mut before = Vec::new();
    for (_, topic) in &sides {
        before.push((systems.topics.beginnings(topic).await?, systems.topics.visible_ends(topic).await?));
    }
    let mut gone = BTreeSet::new();
    for ((side, topic), (_, ends)) in sides.iter().zip(&before) {
        let (mut reading, mut records) = (Reading::new(systems, topic, ends, patience_ms), 0);
        while let Some(batch) = reading.next().await? {
            for record in &batch {
                learn(systems, &mut survey, topic, record, &mut gone).await?;
                if let Err(error) = survey.feed(*side, record) {
                    tracing::debug!(%error, "a record that cannot be read");
                }
                records += 1;
                if records % PROGRESS == 0 {
                    said(&format!("{records} records of {topic} are read"));
                }
            }
        }
    }
    for ((_, topic), (first, ends)) in sides.iter().zip(&before) {
        if systems.topics.visible_ends(topic).await? != *ends {
            return Ok(None);
        }
        if systems.topics.beginnings(topic).await? != *first {
            let why = format!("topic {topic} lost its first records while it was read: compare again");
            return Err(Broken::Unreadable(why));
        }
    }
    let Some(mut findings) = survey.finish() else { return Ok(None) };
    if findings.wants_look() {
        said("the keys and rows that were found are read again, to show them");
        for ((side, topic), (_, ends)) in sides.iter().zip(&before) {
            let mut reading = Reading::new(systems, topic, ends, patience_ms);
            while let Some(batch) = reading.next().await? {
                batch.iter().for_each(|record| findings.look(*side, record));
            }
        }
    }
    Ok(Some(findings.verdict()))
}

/// Adds the schemas that the record needs. The records of a schema that is gone cannot be read, and are counted.
async fn learn(
    systems: Systems<'_>,
    survey: &mut Survey,
    topic: &str,
    record: &RawRecord,
    gone: &mut BTreeSet<u32>,
) -> Result<(), Broken> {
    while let Some(id) = survey.missing_schemas(record).find(|id| !gone.contains(id)) {
        match systems.registry.schema_by_id(id).await {
            Ok(schema) => survey
                .add_schema(id, &schema.text, &schema.references)
                .map_err(|e| Broken::Unreadable(format!("schema {id} of topic {topic}: {e}: {}", e.cause)))?,
            Err(PortError::Missing { .. }) => {
                gone.insert(id);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Reads a topic up to `to`, and on where it stopped when Kafka does not answer for a while.
struct Reading<'a> {
    systems: Systems<'a>,
    topic: &'a str,
    to: &'a Offsets,
    position: Offsets,
    stream: Option<Box<dyn RecordStream>>,
    patience_ms: i64,
    silent_since: Option<i64>,
}

impl<'a> Reading<'a> {
    fn new(systems: Systems<'a>, topic: &'a str, to: &'a Offsets, patience_ms: i64) -> Self {
        Self { systems, topic, to, position: Offsets::new(), stream: None, patience_ms, silent_since: None }
    }

    async fn next(&mut self) -> PortResult<Option<Vec<RawRecord>>> {
        loop {
            let got = match &mut self.stream {
                Some(stream) => stream.next_batch().await,
                None => match self.systems.topics.read(self.topic, &self.position, self.to).await {
                    Ok(stream) => {
                        self.stream = Some(stream);
                        continue;
                    }
                    Err(error) => Err(error),
                },
            };
            match got {
                Ok(batch) => {
                    self.silent_since = None;
                    for record in batch.iter().flatten() {
                        self.position.insert(record.partition, record.offset + 1);
                    }
                    return Ok(batch);
                }
                Err(error) => self.wait(error).await?,
            }
        }
    }

    /// Waits a moment after a system that did not answer; any other error, and the end of the patience, come back.
    async fn wait(&mut self, error: PortError) -> PortResult<()> {
        self.stream = None;
        let now = self.systems.clock.now_ms();
        let since = *self.silent_since.get_or_insert(now);
        if !error.passing() || now - since >= self.patience_ms {
            return Err(error);
        }
        tracing::warn!(%error, "no answer while reading: asked again");
        self.systems.clock.sleep_ms(AGAIN_MS).await;
        Ok(())
    }
}
