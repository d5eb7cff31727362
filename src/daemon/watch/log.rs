//! Follows the registry's own topic, where that is to be read: the quickest way to hear of a version.
//!
//! Rules: what it says is an addition to what the registry is asked, and never taken for more: a record that cannot be read is
//! skipped, and a topic that cannot be read is said once. The position is kept, so no record is missed or taken twice; a topic that
//! was made anew is read from its beginning.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::registry::subjects;
use super::{Health, Sighting};
use crate::daemon::subjects::Subjects;
use crate::model::record::{self, Offsets};
use crate::port::{Clock, PortResult, RegistryLog, Topics};
use crate::schema::registry_log::{Log, News};

/// Time between two looks at the topic, milliseconds: a question of one offset each.
const LOOK_MS: u64 = 20;
/// The same while it cannot be read.
const ILL_MS: u64 = 5_000;

/// Follows the topic at `place` and sends every new version of the subjects of `watched`.
pub async fn log(
    place: RegistryLog,
    (topics, clock): (Arc<dyn Topics>, Arc<dyn Clock>),
    names: Arc<Subjects>,
    watched: watch::Receiver<BTreeSet<String>>,
    out: mpsc::Sender<Sighting>,
) {
    let mut reading = Reading::of(place);
    let mut health = Health::new("kafka");
    loop {
        let outcome = reading.read_on(topics.as_ref()).await;
        let subjects = subjects(&names, &watched.borrow());
        for subject in std::mem::take(&mut reading.news).into_iter().filter(|subject| subjects.contains(subject)) {
            let Some(version) = reading.log.newest(&subject) else { continue };
            if out.send(Sighting { subject, version, at_ms: clock.now_ms() }).await.is_err() {
                return;
            }
        }
        let wait_ms = match &outcome {
            Ok(()) => {
                health.well();
                LOOK_MS
            }
            Err(error) => {
                health.ill(error);
                ILL_MS
            }
        };
        clock.sleep_ms(wait_ms).await;
    }
}

struct Reading {
    place: RegistryLog,
    position: Offsets,
    log: Log,
    /// Subjects that have a version which was not there before.
    news: BTreeSet<String>,
}

impl Reading {
    fn of(place: RegistryLog) -> Self {
        Self { log: Log::new(&place.context), place, position: Offsets::new(), news: BTreeSet::new() }
    }

    async fn read_on(&mut self, topics: &dyn Topics) -> PortResult<()> {
        let topic = self.place.topic.clone();
        let ends = topics.ends(&topic).await?;
        if ends.iter().any(|(partition, end)| self.position.get(partition).is_some_and(|position| position > end)) {
            tracing::warn!(topic, "topic of the registry was made anew: it is read from its beginning");
            *self = Self::of(self.place.clone());
        }
        if record::reached(&self.position, &ends) {
            return Ok(());
        }
        let mut stream = topics.read(&topic, &self.position, &ends).await?;
        while let Some(batch) = stream.next_batch().await? {
            for record in batch {
                match self.log.take(record.key.as_deref(), record.value.as_deref()) {
                    Ok(Some(News::Version { subject, .. })) => {
                        self.news.insert(subject);
                    }
                    Ok(Some(News::Mode { subject, mode })) => {
                        let subject = subject.unwrap_or_else(|| "every subject".to_owned());
                        tracing::info!(subject, mode, "the registry's mode has changed");
                    }
                    Ok(None) => {}
                    Err(reason) => {
                        let (offset, broken) = (record.offset, self.log.broken);
                        tracing::warn!(topic, offset, broken, reason, "record of the registry's topic is skipped");
                    }
                }
                self.position.insert(record.partition, record.offset + 1);
            }
        }
        self.position = ends;
        Ok(())
    }
}
