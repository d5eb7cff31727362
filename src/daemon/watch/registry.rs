//! Watches the registry for new versions.
//!
//! Rules: only subjects of the topics that are read are looked at, all of them in one look; a registry that does not answer
//! is asked less often, and what came meanwhile is seen when it does: the loop knows from the journal what it has handled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::{Audit, Health, Sighting};
use crate::daemon::ports::Ports;
use crate::daemon::subjects::Subjects;
use crate::telemetry::Metrics;

/// The longest pause between two looks at a registry that does not answer, milliseconds.
const LONGEST_MS: u64 = 5_000;
/// The shortest between two looks, milliseconds: records may bring many new schemas at once.
const SHORTEST_MS: u64 = 100;

/// Polls the registry for the subjects of `topics` and sends every newest version that was not sent before. It looks at once
/// when other topics are watched, and when a record came with a schema that was not seen before.
pub async fn registry(
    ports: Ports,
    (metrics, audit, names): (Arc<Metrics>, Arc<Audit>, Arc<Subjects>),
    mut topics: watch::Receiver<BTreeSet<String>>,
    poll_ms: u64,
    out: mpsc::Sender<Sighting>,
) {
    let mut sent: BTreeMap<String, i32> = BTreeMap::new();
    let mut health = Health::new("registry");
    let mut failed = 0;
    loop {
        let subjects = subjects(&names, &topics.borrow_and_update());
        metrics.subjects_watched.set([], subjects.len() as f64);
        match ports.registry.latest(&subjects).await {
            Ok(latest) => {
                health.well();
                failed = 0;
                for (subject, version) in latest.iter().filter(|(subject, version)| sent.get(*subject) != Some(version))
                {
                    let (subject, version) = (subject.clone(), *version);
                    if out.send(Sighting { subject, version, at_ms: ports.clock.now_ms() }).await.is_err() {
                        return;
                    }
                }
                sent = latest;
            }
            Err(error) => {
                health.ill(&error);
                failed = (failed + 1).min(16);
            }
        }
        let wait_ms = poll_ms.saturating_mul(1 << failed).min(LONGEST_MS.max(poll_ms));
        let short_ms = SHORTEST_MS.min(wait_ms);
        ports.clock.sleep_ms(short_ms).await;
        tokio::select! {
            () = ports.clock.sleep_ms(wait_ms - short_ms) => {}
            () = audit.news() => {}
            changed = topics.changed() => if changed.is_err() { return },
        }
    }
}

/// The subjects that are watched closely.
pub(super) fn subjects(names: &Subjects, topics: &BTreeSet<String>) -> BTreeSet<String> {
    topics.iter().flat_map(|topic| names.of(topic)).collect()
}
