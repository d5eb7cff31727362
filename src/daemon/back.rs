//! Going back: giving a rollout up, or making blue serve again.
//!
//! Rules: to go back is never refused for the age of the evidence, because it is the safe side; what asks to roll back and
//! nothing else is refused where that is not possible, with what is possible instead.

use super::answer::{Refused, mismatch, unknown};
use super::handle::{DecisionRequest, Refusal, RefusalCause, Reply};
use super::turn::Daemon;
use crate::rollout::event::Body;
use crate::rollout::{Event, Rollout, State};

/// How a rollout goes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Back {
    /// Whatever is possible: green is removed, or blue made to serve again.
    GiveUp,
    /// Blue is made to serve again, or nothing.
    RollBack,
}

impl Daemon {
    pub(super) async fn go_back(&mut self, id: &str, by: &str, via: &str, back: Back) -> Result<Reply, Refused> {
        let rollout = self.ledger.rollouts.get(id).cloned().ok_or_else(|| unknown(id))?;
        let (what, message) = going_back(&rollout, back, format!("{by} ({via})"), None)?;
        self.append(Body::Rollout { id: id.to_owned(), what }).await?;
        self.turn_away(&rollout);
        Ok(self.reply(id, message))
    }
}

/// Whether a decision to go back names what the rollout shows now: its evidence, or its plan while there is none.
pub(super) fn names(request: &DecisionRequest, rollout: &Rollout) -> Result<(), Refusal> {
    let digest = rollout.decided_on().unwrap_or_else(|| rollout.plan_digest.clone());
    if digest == request.evidence { Ok(()) } else { Err(mismatch(request, &digest)) }
}

/// The event that takes the rollout back, and what is answered.
pub(super) fn going_back(
    rollout: &Rollout,
    back: Back,
    by: String,
    reason: Option<String>,
) -> Result<(Event, &'static str), Refusal> {
    let wrong = |text: String| Err(Refusal::new(RefusalCause::WrongState, text));
    let Rollout { id, state, .. } = rollout;
    let abort = |by| Event::AbortAsked { by, reason: reason.unwrap_or_else(|| "asked for".to_owned()) };
    match (state, back) {
        (State::Promoting | State::Soaking, _) => {
            Ok((Event::RollBackAsked { by }, "blue is being made to serve again"))
        }
        (State::Stuck, Back::GiveUp) => Ok((abort(by), "what failed is tried again")),
        (State::Stuck, Back::RollBack) if rollout.before_stuck() == Some(State::RollingBack) => {
            Ok((abort(by), "what failed is tried again"))
        }
        (State::Proposed, Back::GiveUp) => Ok((abort(by), "given up: nothing was done")),
        (_, Back::GiveUp) => Ok((abort(by), "what was made is being removed")),
        (State::RollingBack | State::RolledBack, Back::RollBack) => {
            wrong(format!("rollout {id} is {state}: it was asked for before"))
        }
        (State::Retiring | State::Done | State::Stuck, Back::RollBack) => {
            wrong(format!("rollout {id} is {state}: blue is being removed or gone, there is no way back"))
        }
        (_, Back::RollBack) => wrong(format!(
            "rollout {id} is {state}: nothing has been promoted, so there is nothing to roll back; abort gives it up"
        )),
    }
}
