//! What is to be done next, and what a rollout waits on. Follows from the rollout alone.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::state::{Rollout, State};
use crate::model::effect::Effect;

/// What the daemon does next for a rollout.
#[derive(Clone, Debug, PartialEq)]
pub enum Todo {
    /// Allow staging: the policy asks nobody.
    AllowStaging,
    /// Carry out an effect.
    Run {
        /// The effect.
        effect: Box<Effect>,
        /// The last attempt that was intended; 0 for none.
        attempted: u32,
    },
    /// See whether green has caught up.
    CatchUp,
    /// Read both outputs and compare.
    Validate,
    /// Nothing before something happens.
    Wait(WaitingOn),
}

/// Why nothing happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "waiting_on")]
pub enum WaitingOn {
    /// A yes to stage.
    StagingYes,
    /// An approval of the evidence.
    Approval {
        /// The evidence's digest.
        evidence: String,
        /// Until when, milliseconds since 1970.
        until_ms: i64,
    },
    /// The end of the soak.
    Soak {
        /// When, milliseconds since 1970.
        until_ms: i64,
    },
    /// A person: look, then validate again or abort.
    Look {
        /// What is wrong.
        why: String,
    },
    /// A person: an undo failed.
    Repair {
        /// What failed.
        why: String,
    },
    /// Nothing: it is over.
    Nothing,
}

impl fmt::Display for WaitingOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StagingYes => f.write_str("a yes to begin: an approval of the plan's digest"),
            Self::Approval { evidence, .. } => write!(f, "an approval of evidence {evidence}"),
            Self::Soak { .. } => f.write_str("the end of the soak"),
            Self::Look { why } => write!(f, "a look: {why}; then validate again or abort"),
            Self::Repair { why } => write!(f, "a person: {why}; mend it, then abort again"),
            Self::Nothing => f.write_str("nothing: it is over"),
        }
    }
}

/// The next thing to do for `rollout` at `now_ms`.
pub fn todo(rollout: &Rollout) -> Todo {
    match rollout.state {
        State::Proposed if rollout.terms.ask_before_staging => Todo::Wait(WaitingOn::StagingYes),
        State::Proposed => Todo::AllowStaging,
        State::Staging
        | State::Promoting
        | State::Retiring
        | State::Aborting
        | State::Rejected
        | State::RollingBack => rollout.each_effect().find(|e| !rollout.done.contains(&e.key())).map_or(
            Todo::Wait(WaitingOn::Nothing),
            |e| {
                let attempted = rollout.attempts(&e.key());
                Todo::Run { effect: Box::new(e.into_owned()), attempted }
            },
        ),
        State::CatchingUp => Todo::CatchUp,
        State::Validating => Todo::Validate,
        State::AwaitingApproval => Todo::Wait(WaitingOn::Approval {
            evidence: rollout.evidence_digest().unwrap_or_default(),
            until_ms: rollout.evidence.as_ref().map_or(0, |e| e.expires_ms),
        }),
        State::Soaking => Todo::Wait(WaitingOn::Soak { until_ms: rollout.since_ms + rollout.terms.soak_ms }),
        State::Unproven => Todo::Wait(WaitingOn::Look { why: rollout.error.clone().unwrap_or_default() }),
        State::Stuck => Todo::Wait(WaitingOn::Repair { why: rollout.error.clone().unwrap_or_default() }),
        State::Done | State::Superseded | State::Aborted | State::RolledBack => Todo::Wait(WaitingOn::Nothing),
    }
}
