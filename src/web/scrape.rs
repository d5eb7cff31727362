//! `/metrics`: what can be read off the snapshot is set at the moment of asking, so that ages are right even when the loop hangs.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Shared;
use crate::daemon::handle::View;
use crate::telemetry::Metrics;
use crate::telemetry::families::STATES;

/// The content type of Prometheus' text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn metrics(State(app): Shared) -> Response {
    show(&app.handle.view(), now_ms(), &app.metrics);
    match app.metrics.render() {
        Ok(text) => ([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written as text");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn show(view: &View, now_ms: i64, metrics: &Metrics) {
    let leading = view.leading && view.replayed;
    metrics.leader.set([], if leading { 1.0 } else { 0.0 });
    metrics.subjects_watched.set([], view.subjects_watched as f64);
    if view.now_ms > 0 {
        metrics.loop_lag_seconds.set([], seconds(view.now_ms, now_ms));
    }
    let mut states: BTreeMap<&str, (f64, f64)> = STATES.iter().map(|state| (*state, (0.0, 0.0))).collect();
    // A daemon that stands by knows the past only.
    for rollout in view.rollouts.iter().filter(|_| leading) {
        let (count, age) = states.entry(rollout.state.as_str()).or_default();
        *count += 1.0;
        if !rollout.ended {
            *age = age.max(seconds(rollout.since_ms, now_ms));
        }
    }
    for (state, (count, age)) in states {
        metrics.rollouts.set([state], count);
        metrics.rollout_state_seconds.set([state], age);
    }
}

fn seconds(from_ms: i64, to_ms: i64) -> f64 {
    to_ms.saturating_sub(from_ms).max(0) as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::tests::rollout;

    fn view() -> View {
        let mut view = View { leading: true, replayed: true, now_ms: 90_000, subjects_watched: 7, ..View::default() };
        let mut older = rollout("r1", "awaiting_approval");
        older.since_ms = 40_000;
        let mut newer = rollout("r2", "awaiting_approval");
        newer.since_ms = 70_000;
        let mut ended = rollout("r3", "done");
        ended.ended = true;
        view.rollouts = vec![older, newer, ended];
        view
    }

    #[test]
    fn the_age_of_a_state_is_that_of_the_oldest_open_rollout_in_it() {
        let metrics = Metrics::new().unwrap();
        show(&view(), 100_000, &metrics);
        assert_eq!(metrics.rollouts.get(["awaiting_approval"]), 2.0);
        assert_eq!(metrics.rollout_state_seconds.get(["awaiting_approval"]), 60.0);
        assert_eq!((metrics.rollouts.get(["done"]), metrics.rollout_state_seconds.get(["done"])), (1.0, 0.0));
        assert_eq!((metrics.leader.get([]), metrics.subjects_watched.get([])), (1.0, 7.0));
        assert_eq!(metrics.loop_lag_seconds.get([]), 10.0);
    }

    #[test]
    fn what_has_ended_goes_back_to_zero_and_a_stand_by_shows_no_rollouts() {
        let metrics = Metrics::new().unwrap();
        show(&view(), 100_000, &metrics);
        show(&View { rollouts: Vec::new(), ..view() }, 100_000, &metrics);
        assert_eq!(metrics.rollouts.get(["awaiting_approval"]), 0.0);
        show(&view(), 100_000, &metrics);
        show(&View { leading: false, ..view() }, 100_000, &metrics);
        assert_eq!((metrics.rollouts.get(["awaiting_approval"]), metrics.leader.get([])), (0.0, 0.0));
    }
}
