//! Watches the registry for new versions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::{Health, Sighting};
use crate::daemon::gather;
use crate::daemon::ports::Ports;
use crate::telemetry::Metrics;

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
