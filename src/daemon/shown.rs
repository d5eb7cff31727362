//! What there is to see of the daemon: the form of its view. [`view`](super::view) makes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::manifest::Manifest;
use crate::model::verdict::{Evidence, Outcome};
use crate::model::work::RunningJob;
use crate::validate::audit::TopicReport;

/// Everything there is to see, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Environment.
    pub env: String,
    /// True when this daemon leads.
    pub leading: bool,
    /// True when the journal has been replayed to its end: what is shown is complete.
    pub replayed: bool,
    /// When the daemon started, milliseconds since 1970.
    pub started_ms: i64,
    /// When this snapshot was taken. The loop takes one each turn, so an old one means that the loop hangs.
    pub now_ms: i64,
    /// What is deployed.
    pub manifest: Manifest,
    /// The jobs that are known, by the physical table that they write.
    #[serde(default)]
    pub jobs: BTreeMap<String, RunningJob>,
    /// The branch to merge while the project's files are behind what is deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<String>,
    /// Rollouts, the newest first.
    pub rollouts: Vec<RolloutView>,
    /// Evolutions that may not be planned, the newest of each subject, the newest first.
    pub refused: Vec<RefusedView>,
    /// The version at which each subject was first seen.
    #[serde(default)]
    pub first_seen: BTreeMap<String, i32>,
    /// The version from which each subject's history counts, where somebody said so.
    #[serde(default)]
    pub baselines: BTreeMap<String, i32>,
    /// Versions that wait for an open rollout to end, or for a system to answer.
    #[serde(default)]
    pub queued: Vec<QueuedView>,
    /// How many subjects are watched.
    pub subjects_watched: u64,
    /// What the records of each input topic show, as far as they were read.
    #[serde(default)]
    pub topics: BTreeMap<String, Arc<TopicReport>>,
}

/// What a rollout is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutKind {
    /// A schema changed.
    Evolution,
    /// The first deployment of a project.
    Deploy,
    /// The statements changed.
    Change,
    /// What somebody else started is taken over.
    Adopt,
    /// A project is taken down.
    Undeploy,
}

impl RolloutKind {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Evolution => "evolution",
            Self::Deploy => "deploy",
            Self::Change => "change",
            Self::Adopt => "adopt",
            Self::Undeploy => "undeploy",
        }
    }
}

/// One rollout as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RolloutView {
    /// Id.
    pub id: String,
    /// One line: what it is about.
    pub title: String,
    /// What it is for.
    pub kind: RolloutKind,
    /// State, in snake case such as `awaiting_approval`.
    pub state: String,
    /// True when it will never move again.
    pub ended: bool,
    /// What it waits for, one line; empty when it waits for nothing.
    pub waiting_on: String,
    /// When it entered the state.
    pub since_ms: i64,
    /// When it was made.
    pub created_ms: i64,
    /// Digest of the plan.
    #[serde(default)]
    pub plan_digest: String,
    /// The plan; null once the rollout is over and folded into a snapshot.
    pub plan: Arc<serde_json::Value>,
    /// What the outputs proved, once they were read; of rollouts that are over, the newest alone keeps it.
    pub evidence: Option<Evidence>,
    /// The answer of the evidence, also when that is no longer kept.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// Digest of the evidence: what a decision must name.
    pub evidence_digest: Option<String>,
    /// States so far, the oldest first.
    pub history: Vec<HistoryView>,
    /// What went wrong, one line.
    pub error: Option<String>,
}

/// One step of a rollout's past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryView {
    /// When.
    pub at_ms: i64,
    /// State entered.
    pub state: String,
    /// One line: why.
    pub note: String,
}

/// An evolution that may not be planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedView {
    /// Subject.
    pub subject: String,
    /// Version that is refused.
    pub version: i32,
    /// Why, one line each.
    pub reasons: Vec<String>,
    /// When.
    pub at_ms: i64,
}

/// A version that is seen and not planned yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedView {
    /// Subject.
    pub subject: String,
    /// Its newest version.
    pub version: i32,
    /// What it waits for, one line.
    pub waiting_on: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_the_same_name_in_json_and_for_people() {
        for kind in [
            RolloutKind::Evolution,
            RolloutKind::Deploy,
            RolloutKind::Change,
            RolloutKind::Adopt,
            RolloutKind::Undeploy,
        ] {
            assert_eq!(serde_json::to_value(kind).unwrap(), serde_json::json!(kind.name()));
        }
    }
}
