//! What the outside may ask of the daemon and see of it: requests in, a view out.
//!
//! Rules: asking never blocks the loop for longer than the queue; every request is answered exactly once, by a [`Reply`]
//! or by a [`Refusal`] with a cause from a closed list; the view ([`shown`](super::shown)) is a snapshot and may be one turn
//! of the loop old.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot, watch};

pub use super::shown::{HistoryView, QueuedView, RefusedView, RolloutKind, RolloutView, View};
pub use crate::validate::audit::TopicReport;

/// The way to a running daemon. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    /// Where requests go.
    pub requests: mpsc::Sender<Request>,
    /// What is to be seen.
    pub view: watch::Receiver<Arc<View>>,
}

impl Handle {
    /// A handle with room for `depth` waiting requests, and the daemon's two ends of it.
    pub fn new(depth: usize, first: View) -> (Self, mpsc::Receiver<Request>, watch::Sender<Arc<View>>) {
        let (requests, inbox) = mpsc::channel(depth.max(1));
        let (show, view) = watch::channel(Arc::new(first));
        (Self { requests, view }, inbox, show)
    }

    /// The newest snapshot.
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.borrow())
    }

    /// Asks to carry a plan out. A plan that is already a rollout answers with that rollout.
    pub async fn apply(&self, plan: serde_json::Value) -> Result<Reply, Refusal> {
        self.ask(|reply| Request::Apply { plan, reply }).await
    }

    /// Approves, rejects, gives up or rolls back. After `Ok`, the decision is journaled.
    pub async fn decide(&self, decision: DecisionRequest) -> Result<Reply, Refusal> {
        self.ask(|reply| Request::Decide { decision, reply }).await
    }

    /// Gives a rollout up, or rolls it back when it has been promoted. After `Ok`, the wish is journaled.
    pub async fn abort(&self, rollout: String, by: String, via: String) -> Result<Reply, Refusal> {
        self.ask(|reply| Request::Abort { rollout, by, via, reply }).await
    }

    /// Accepts a subject's history before `version` as it is. After `Ok`, it is journaled and newer versions are looked at again.
    pub async fn baseline(&self, baseline: BaselineRequest) -> Result<Reply, Refusal> {
        self.ask(|reply| Request::Baseline { baseline, reply }).await
    }

    /// Makes blue serve again. Refused where nothing has been promoted, or blue is being removed. After `Ok`, the wish is
    /// journaled.
    pub async fn roll_back(&self, rollout: String, by: String, via: String) -> Result<Reply, Refusal> {
        self.ask(|reply| Request::RollBack { rollout, by, via, reply }).await
    }

    /// Asks to validate again: catch up, read both outputs, compare. After `Ok`, the wish is journaled.
    pub async fn revalidate(&self, rollout: String, by: String, via: String) -> Result<Reply, Refusal> {
        self.ask(|reply| Request::Revalidate { rollout, by, via, reply }).await
    }

    async fn ask(&self, make: impl FnOnce(Answer) -> Request) -> Result<Reply, Refusal> {
        let (reply, answer) = oneshot::channel();
        if self.requests.send(make(reply)).await.is_err() {
            return Err(stopping());
        }
        answer.await.unwrap_or_else(|_| Err(stopping()))
    }
}

fn stopping() -> Refusal {
    Refusal::new(
        RefusalCause::NotLeading,
        "the daemon is stopping: ask again when it is back, the outcome is not known",
    )
}

/// Where the daemon puts its answer.
pub type Answer = oneshot::Sender<Result<Reply, Refusal>>;

/// A wish.
#[derive(Debug)]
pub enum Request {
    /// Carry this plan out.
    Apply {
        /// The plan as `cyanotype plan --output json` printed it.
        plan: serde_json::Value,
        /// For the answer.
        reply: Answer,
    },
    /// Decide on named evidence.
    Decide {
        /// Who decides what, on which evidence.
        decision: DecisionRequest,
        /// For the answer.
        reply: Answer,
    },
    /// Accept a subject's history as it is.
    Baseline {
        /// Which, by whom and why.
        baseline: BaselineRequest,
        /// For the answer.
        reply: Answer,
    },
    /// Validate again.
    Revalidate {
        /// Rollout.
        rollout: String,
        /// Who asked, in their own words.
        by: String,
        /// What let them in: `token NAME`.
        via: String,
        /// For the answer.
        reply: Answer,
    },
    /// Give up, or roll back what has been promoted.
    Abort {
        /// Rollout.
        rollout: String,
        /// Who asked, in their own words.
        by: String,
        /// What let them in: `token NAME`.
        via: String,
        /// For the answer.
        reply: Answer,
    },
    /// Roll back, and nothing else.
    RollBack {
        /// Rollout.
        rollout: String,
        /// Who asked, in their own words.
        by: String,
        /// What let them in: `token NAME`.
        via: String,
        /// For the answer.
        reply: Answer,
    },
}

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Go on.
    Approve,
    /// Do not.
    Reject,
    /// Give it up; what has been promoted is rolled back.
    Abort,
    /// Make blue serve again.
    Rollback,
}

impl Decision {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Abort => "abort",
            Self::Rollback => "rollback",
        }
    }
}

/// A decision with everything that is journaled of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionRequest {
    /// Rollout.
    pub rollout: String,
    /// What is decided.
    pub decision: Decision,
    /// Digest of the evidence that it was given on, or of the plan while there is none: `sha256:<hex>`.
    pub evidence: String,
    /// Who, in their own words.
    pub by: String,
    /// What let them in: `token NAME` or `webhook NAME`.
    pub via: String,
    /// Why, in their words.
    pub comment: Option<String>,
    /// Names the delivery (`webhook-id`, or one made for a call with a token); one delivery has one effect.
    pub delivery: String,
    /// Digest of everything that a signed delivery said; `None` for a call with a token, which is never repeated.
    pub content: Option<String>,
}

/// A subject's history, accepted as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineRequest {
    /// Subject.
    pub subject: String,
    /// The first version that counts.
    pub version: i32,
    /// Why, in their words.
    pub reason: String,
    /// Who, in their own words.
    pub by: String,
    /// What let them in: `token NAME`.
    pub via: String,
}

/// What was done about a wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Rollout.
    pub rollout: String,
    /// Its state now.
    pub state: String,
    /// One line for people.
    pub message: String,
}

/// A no, with its cause and a line that says why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Why, from the closed list.
    pub cause: RefusalCause,
    /// Why, for people; names the thing.
    pub message: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(cause: RefusalCause, message: impl Into<String>) -> Self {
        Self { cause, message: message.into() }
    }
}

/// Why the daemon refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCause {
    /// No rollout has that id.
    UnknownRollout,
    /// The rollout is in a state that does not take this.
    WrongState,
    /// The decision was given on other evidence.
    EvidenceMismatch,
    /// The evidence is too old.
    Expired,
    /// What the plan stands on has moved.
    AssumptionsMoved,
    /// What the plan stands on cannot be looked at: a system does not answer.
    Unchecked,
    /// A delivery's id came back with another content.
    ReplayMismatch,
    /// Another rollout or decision is in the way.
    Conflict,
    /// The request itself is wrong.
    Invalid,
    /// This daemon does not lead.
    NotLeading,
}

impl RefusalCause {
    /// Every cause, for docs and metrics.
    pub const ALL: [Self; 10] = [
        Self::UnknownRollout,
        Self::WrongState,
        Self::EvidenceMismatch,
        Self::Expired,
        Self::AssumptionsMoved,
        Self::Unchecked,
        Self::ReplayMismatch,
        Self::Conflict,
        Self::Invalid,
        Self::NotLeading,
    ];

    /// The name in JSON and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownRollout => "unknown_rollout",
            Self::WrongState => "wrong_state",
            Self::EvidenceMismatch => "evidence_mismatch",
            Self::Expired => "expired",
            Self::AssumptionsMoved => "assumptions_moved",
            Self::Unchecked => "unchecked",
            Self::ReplayMismatch => "replay_mismatch",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::NotLeading => "not_leading",
        }
    }
}

impl fmt::Display for RefusalCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_has_the_same_name_in_json_and_in_metrics() {
        for cause in RefusalCause::ALL {
            assert_eq!(serde_json::to_value(cause).unwrap(), serde_json::json!(cause.name()));
        }
        for decision in [Decision::Approve, Decision::Reject, Decision::Abort, Decision::Rollback] {
            assert_eq!(serde_json::to_value(decision).unwrap(), serde_json::json!(decision.name()));
        }
    }

    #[tokio::test]
    async fn a_daemon_that_is_gone_refuses_instead_of_hanging() {
        let (handle, inbox, _show) = Handle::new(1, View::default());
        drop(inbox);
        let refused = handle.abort("r1".to_owned(), "me".to_owned(), "token ops".to_owned()).await.unwrap_err();
        assert_eq!(refused.cause, RefusalCause::NotLeading);
    }

    #[tokio::test]
    async fn a_daemon_that_drops_a_request_refuses_instead_of_hanging() {
        let (handle, mut inbox, _show) = Handle::new(1, View::default());
        let asked = tokio::spawn(async move { handle.apply(serde_json::json!({})).await });
        drop(inbox.recv().await);
        assert_eq!(asked.await.unwrap().unwrap_err().cause, RefusalCause::NotLeading);
    }
}
