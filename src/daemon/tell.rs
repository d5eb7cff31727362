//! What the outside is told: the view and the metrics of it, signed events, branches for people to review.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::handle::View;
use super::turn::{Daemon, Later};
use super::{branch, view};
use crate::plan::Plan;
use crate::port::OutgoingEvent;
use crate::rollout::{Rollout, State};

impl Daemon {
    /// Shows the ledger as it is now.
    pub(super) fn publish(&self) {
        let now_ms = self.ports.clock.now_ms();
        let mut counts: BTreeMap<State, (u32, i64)> = BTreeMap::new();
        for rollout in self.ledger.rollouts.values() {
            let (count, oldest) = counts.entry(rollout.state).or_insert((0, 0));
            *count += 1;
            if !rollout.state.ended() {
                *oldest = (*oldest).max(now_ms - rollout.since_ms);
            }
        }
        for state in State::ALL {
            let (count, oldest_ms) = counts.get(&state).copied().unwrap_or((0, 0));
            self.metrics.rollouts.set([state.name()], f64::from(count));
            self.metrics.rollout_state_seconds.set([state.name()], oldest_ms as f64 / 1000.0);
        }
        let frame = View {
            env: self.settings.env.clone(),
            leading: self.ports.journal.leading(),
            replayed: true,
            started_ms: self.started_ms,
            now_ms,
            ahead: self.ledger.manifest.ahead.clone().filter(|_| self.behind.0),
            queued: self.later.values().map(Later::view).collect(),
            subjects_watched: self
                .watched
                .borrow()
                .iter()
                .map(|topic| self.settings.subjects.of(topic).len() as u64)
                .sum(),
            topics: self.audit.reports(),
            ..View::default()
        };
        let mut view = view::of(&self.ledger, frame);
        for rollout in &mut view.rollouts {
            if let Some(ill) = self.ill.get(&rollout.id).filter(|_| rollout.state == State::Soaking.name()) {
                rollout.waiting_on = format!("green to be well, or a roll back: {ill}");
            }
        }
        self.show.send_replace(Arc::new(view));
    }

    /// Tells the outside that evidence waits for a decision. The id is the evidence's own, so a repeat is known as one.
    pub(super) fn announce(&self, rollout: &Rollout) {
        let digest = rollout.evidence_digest().unwrap_or_default();
        let base = format!("{}/api/v1/rollouts/{}", self.settings.url, rollout.id);
        self.notify(
            format!("{}-{}", rollout.id, digest.trim_start_matches("sha256:").get(..16).unwrap_or("")),
            "rollout.awaiting_approval",
            serde_json::json!({
                "env": self.settings.env,
                "rollout": rollout.id,
                "title": rollout.title,
                "evidence_digest": digest,
                "evidence": rollout.evidence,
                "links": {
                    "show": base,
                    "approve": format!("{base}/approve"),
                    "reject": format!("{base}/reject"),
                    "rollback": format!("{base}/rollback"),
                },
            }),
        );
    }

    /// Puts the green texts on a branch of the project, beside the loop; what cannot be put there is logged.
    pub(super) fn propose_branch(&self, plan: &Plan) {
        let Some(branch) = branch::name(plan) else { return };
        let (repository, plan) = (Arc::clone(&self.ports.repository), plan.clone());
        let settings = Arc::clone(&self.settings);
        tokio::spawn(async move {
            match branch::propose(repository.as_ref(), &plan, &branch, &settings.public_vars).await {
                Ok(Some(proposed)) => tracing::info!(branch = proposed, "green's statements are on a branch"),
                Ok(None) => {
                    tracing::info!("the project is in no git repository: green's statements are in the plan only")
                }
                Err(error) => tracing::warn!(branch, %error, "green's statements could not be put on a branch"),
            }
        });
    }

    /// Sends an event beside the loop; a receiver that does not take it is logged.
    pub(super) fn notify(&self, id: String, kind: &str, data: serde_json::Value) {
        let at_ms = self.ports.clock.now_ms();
        let body = serde_json::json!({"type": kind, "timestamp_ms": at_ms, "data": data}).to_string();
        let event = OutgoingEvent { id, kind: kind.to_owned(), at_ms, body };
        let notifier = Arc::clone(&self.ports.notifier);
        tokio::spawn(async move {
            if let Err(error) = notifier.notify(&event).await {
                tracing::warn!(event = event.id, %error, "event could not be delivered");
            }
        });
    }
}
