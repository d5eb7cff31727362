//! Shared by the tests of this folder.
use crate::daemon::handle::{RolloutKind, RolloutView};
pub(crate) fn rollout(id: &str, state: &str) -> RolloutView {
    RolloutView {
        id: id.to_owned(),
        title: format!("orders changes ({id})"),
        kind: RolloutKind::Evolution,
        state: state.to_owned(),
        ended: false,
        waiting_on: "a yes or a no".to_owned(),
        since_ms: 1_000,
        created_ms: 500,
        plan: serde_json::json!({"impacted": ["orders"]}),
        evidence: None,
        evidence_digest: None,
        history: Vec::new(),
        error: None,
    }
}
