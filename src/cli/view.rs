//! What the daemon shows, as far as the command line reads it.
//!
//! Rules: what is not there has a harmless value, so that a daemon of another version can still be asked; `--output json`
//! prints the daemon's own words, not these.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::daemon::handle::QueuedView;
use crate::model::verdict::{Evidence, Outcome};

/// `GET /api/v1/status`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    pub env: String,
    pub version: String,
    pub leading: bool,
    pub replayed: bool,
    pub now_ms: i64,
    pub subjects_watched: u64,
    pub ahead: Option<String>,
    pub rollouts: Vec<Summary>,
    pub refused: Vec<Refused>,
    pub queued: Vec<QueuedView>,
    pub first_seen: BTreeMap<String, i32>,
    pub baselines: BTreeMap<String, i32>,
}

/// A rollout in a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Summary {
    pub id: String,
    pub title: String,
    pub state: String,
    pub ended: bool,
    pub waiting_on: String,
    pub since_ms: i64,
    pub outcome: Option<Outcome>,
    pub error: Option<String>,
}

/// An evolution that may not be planned.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refused {
    pub subject: String,
    pub version: i32,
    pub reasons: Vec<String>,
}

/// `GET /api/v1/rollouts/{id}`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Rollout {
    pub id: String,
    pub title: String,
    pub kind: String,
    pub state: String,
    pub ended: bool,
    pub waiting_on: String,
    pub since_ms: i64,
    pub created_ms: i64,
    pub plan_digest: String,
    pub plan: Value,
    pub evidence: Option<Evidence>,
    pub outcome: Option<Outcome>,
    pub evidence_digest: Option<String>,
    pub history: Vec<Step>,
    pub error: Option<String>,
}

/// One step of a rollout's past.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Step {
    pub at_ms: i64,
    pub state: String,
    pub note: String,
}

/// What the daemon answers to a wish.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Taken {
    pub rollout: String,
    pub state: String,
    pub message: String,
}

/// A moment as `2025-01-31 12:00:05Z`.
pub(crate) fn moment(ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        Err(_) => format!("{ms} ms"),
    }
}

/// A length of time, to two units: `4s`, `2m 5s`, `3h 0m`, `2d 4h`.
pub(crate) fn length(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, _, _) => format!("{hours}h {}m", minutes % 60),
        _ => format!("{days}d {}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        assert_eq!([0, 4_999, 125_000, 10_800_000, 187_200_000].map(length), ["0s", "4s", "2m 5s", "3h 0m", "2d 4h"]);
        assert_eq!(length(-5), "0s");
        assert_eq!(moment(1_700_000_000_000), "2023-11-14 22:13:20Z");
        assert_eq!(moment(i64::MAX), format!("{} ms", i64::MAX));
    }
}
