//! What the records of a topic tell of: schemas that were not seen in it before.
//!
//! Rules: the registry says which versions of which subjects a schema is; it is asked until it has answered, and a refusal is an
//! answer. A version goes to the loop only while it is the newest of its subject, as the registry's own news does: an older one
//! would be taken for a version that came back.

use std::mem;

use tokio::sync::mpsc;

use super::topics::{Known, registered};
use super::{Audit, Sighting};
use crate::daemon::ports::Ports;
use crate::daemon::subjects::{Claim, Subjects};
use crate::model::naming::Side;
use crate::model::record::SchemaId;
use crate::port::{PortError, PortResult, Registry};
use crate::telemetry::Metrics;
use crate::validate::audit::{Version, Writer};

/// A schema whose first record in the topic came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct First {
    pub side: Side,
    pub schema: SchemaId,
    /// Kafka's time of the record, milliseconds since 1970.
    pub at_ms: Option<i64>,
}

/// What one topic's records told of and nobody was told yet.
pub(super) struct News {
    topic: String,
    waiting: Vec<First>,
}

impl News {
    pub(super) fn of(topic: &str) -> Self {
        Self { topic: topic.to_owned(), waiting: Vec::new() }
    }

    pub(super) fn add(&mut self, first: First) {
        self.waiting.push(first);
    }

    /// Names the schemas in the audit.
    ///
    /// # Errors
    /// The registry does not answer; what is left waits.
    pub(super) async fn name(&mut self, registry: &dyn Registry, audit: &Audit, known: &Known) -> PortResult<()> {
        while let Some(first) = self.waiting.last().copied() {
            let versions = versions(registry, known, first).await?;
            audit.name(&self.topic, first.schema, &versions);
            self.waiting.pop();
        }
        Ok(())
    }

    /// Names the schemas in the audit, learns which subjects they lead to, and sends each version that is its subject's newest.
    ///
    /// # Errors
    /// The registry does not answer; what is left waits.
    pub(super) async fn tell(
        &mut self,
        ports: &Ports,
        metrics: &Metrics,
        audit: &Audit,
        subjects: &Subjects,
        known: &Known,
        out: &mpsc::Sender<Sighting>,
    ) -> PortResult<()> {
        let registry = ports.registry.as_ref();
        let mut waiting = mem::take(&mut self.waiting).into_iter();
        while let Some(first) = waiting.next() {
            let told = async {
                let versions = versions(registry, known, first).await?;
                audit.name(&self.topic, first.schema, &versions);
                for own in self.own(subjects, known, first, &versions) {
                    let newest = registry.versions(&own.subject).await?.last().copied();
                    let at_ms = ports.clock.now_ms();
                    if newest == Some(own.version) {
                        let sighting = Sighting { subject: own.subject.clone(), version: own.version, at_ms };
                        // The loop has ended when nobody takes it.
                        let _ = out.send(sighting).await;
                    }
                    if let Some(apart) = audit.arrivals.record(own, first.at_ms.unwrap_or(at_ms)) {
                        metrics.first_record_lag_seconds.observe([apart.first], apart.seconds);
                    }
                }
                Ok(())
            };
            match told.await {
                Ok(()) => {}
                Err(error) if PortError::passing(&error) => {
                    self.waiting.push(first);
                    self.waiting.extend(waiting);
                    return Err(error);
                }
                Err(error) => {
                    tracing::warn!(topic = self.topic, schema = %first.schema, %error, "subjects of a schema are not told");
                }
            }
        }
        Ok(())
    }

    /// The versions that are this topic's.
    fn own(&self, subjects: &Subjects, known: &Known, first: First, versions: &[Version]) -> Vec<Version> {
        let topic = self.topic.as_str();
        let record = match first.side {
            Side::Key => None,
            Side::Value => known.writers.get(&first.schema).and_then(Writer::record),
        };
        match subjects.claim(topic, first.side, versions, record) {
            Claim::Known(own) => own,
            Claim::Learned(own) => {
                let Version { subject, version } = &own;
                tracing::info!(topic, schema = %first.schema, subject, version, "a subject of this topic, by its records");
                vec![own]
            }
            Claim::Ambiguous(several) => {
                let several = several.join(", ");
                tracing::warn!(
                    topic, schema = %first.schema, subjects = several,
                    "a schema of this topic is in subjects that are not named after it: list the topic's own under `subjects`"
                );
                Vec::new()
            }
            Claim::Nothing => Vec::new(),
        }
    }
}

/// Versions that a schema is.
async fn versions(registry: &dyn Registry, known: &Known, first: First) -> PortResult<Vec<Version>> {
    let number = match (first.schema, known.numbers.get(&first.schema)) {
        (SchemaId::Number(id), _) => id,
        (SchemaId::Guid(_), Some(id)) => *id,
        // No key is decoded, so its schema was not asked for.
        (SchemaId::Guid(_), None) => match registered(registry, first.schema).await {
            Ok(found) => found.id,
            Err(PortError::Missing { .. }) => 0,
            Err(error) => return Err(error),
        },
    };
    if number == 0 {
        return Ok(Vec::new());
    }
    let found = registry.versions_of(number).await?;
    Ok(found.into_iter().map(|(subject, version)| Version { subject, version }).collect())
}
