//! Leading, and standing by again when the lead is lost.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::handle::{Request, View};
use super::ports::Ports;
use super::settings::Settings;
use super::turn::{Daemon, Stopped};
use crate::port::Held;
use crate::telemetry::Metrics;

/// Pauses between tries to reach Kafka at the start.
const FIRST_PAUSE_MS: u64 = 500;
const LONGEST_PAUSE_MS: u64 = 10_000;

/// Leads, and stands by again whenever the lead is lost, until something is in the way that does not pass.
pub async fn lead_and_stand_by(
    ports: Ports,
    settings: Arc<Settings>,
    metrics: Arc<Metrics>,
    mut inbox: mpsc::Receiver<Request>,
    mut show: watch::Sender<Arc<View>>,
) -> Stopped {
    loop {
        let led = Daemon::lead(ports.clone(), Arc::clone(&settings), Arc::clone(&metrics), inbox, show).await;
        let mut daemon = match led {
            Ok(daemon) => daemon,
            Err(stopped) => return stopped,
        };
        let stopped = daemon.turn().await;
        (inbox, show) = daemon.given_up();
        if !stopped.passing() {
            return stopped;
        }
        metrics.leader.set([], 0.0);
        show.send_modify(|view| {
            let view = Arc::make_mut(view);
            (view.leading, view.replayed) = (false, false);
        });
        tracing::warn!(error = %std::error::Error::source(&stopped).map_or(stopped.to_string(), ToString::to_string), "the lead is lost: stands by");
    }
}

/// Waits until this daemon leads; Kafka that does not answer is waited for as well.
pub(super) async fn wait_to_lead(ports: &Ports, metrics: &Metrics) -> Result<Held, Stopped> {
    let mut pause_ms = FIRST_PAUSE_MS;
    loop {
        match ports.journal.lead().await {
            Ok(held) => return Ok(held),
            Err(error) if error.passing() => {
                metrics.port_errors_total.inc(["kafka"]);
                tracing::warn!(%error, "waiting for Kafka before this daemon can lead");
                ports.clock.sleep_ms(pause_ms).await;
                pause_ms = (pause_ms * 2).min(LONGEST_PAUSE_MS);
            }
            Err(error) => return Err(Stopped::Journal(error)),
        }
    }
}
