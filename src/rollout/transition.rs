//! The one function that owns every transition.
//!
//! It is small because the plan holds the detail. An event that makes no sense in a state is [`Illegal`]: live, the caller
//! tells whoever caused it; in a replay it means that the journal was written by something else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::event::{Event, Kind, NewRollout, with_work};
use super::state::{Rollout, State, Step};
use crate::model::effect::Effect;
use crate::model::verdict::Outcome;

/// An event that does not fit the state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// The rollout is in a state where this cannot happen.
    #[error("rollout {id} is {state}: {what} is not possible now")]
    State {
        /// Rollout.
        id: String,
        /// Its state.
        state: State,
        /// The event, in words.
        what: &'static str,
    },
    /// The decision was made on other evidence.
    #[error("rollout {id}: the decision names evidence {named}, the evidence is {actual}")]
    Evidence {
        /// Rollout.
        id: String,
        /// What the decision names.
        named: String,
        /// What there is.
        actual: String,
    },
    /// There is no rollout yet, or there is one already.
    #[error("rollout {id}: {what}")]
    Existence {
        /// Rollout.
        id: String,
        /// What is wrong.
        what: &'static str,
    },
}

/// The rollout as it is proposed.
pub fn begin(new: &NewRollout, at_ms: i64) -> Rollout {
    Rollout {
        id: new.id.clone(),
        kind: new.kind,
        title: new.title.clone(),
        plan_digest: new.plan_digest.clone(),
        plan: Arc::new(with_work(&new.plan, &new.work)),
        work: Arc::new(new.work.clone()),
        terms: new.terms.clone(),
        state: State::Proposed,
        since_ms: at_ms,
        created_ms: at_ms,
        intended: BTreeMap::new(),
        intent_ms: at_ms,
        done: BTreeSet::new(),
        jobs: BTreeMap::new(),
        evidence: None,
        found: None,
        approval: None,
        error: None,
        history: vec![Step { at_ms, state: State::Proposed, note: new.title.clone() }],
    }
}

/// The rollout after `event`, which happened at `at_ms`.
///
/// # Errors
/// [`Illegal`] when the event does not fit; the rollout is unchanged then.
pub fn next(rollout: &Rollout, event: &Event, at_ms: i64) -> Result<Rollout, Illegal> {
    let mut r = rollout.clone();
    let illegal = |what| Illegal::State { id: rollout.id.clone(), state: rollout.state, what };
    match event {
        Event::Proposed(_) => return Err(Illegal::Existence { id: r.id, what: "it was proposed before" }),
        Event::StagingAllowed { by } => match r.state {
            State::Proposed if r.kind == Kind::Undeploy => {
                go(&mut r, State::Retiring, at_ms, &format!("allowed by {by}"));
            }
            State::Proposed => go(&mut r, State::Staging, at_ms, &format!("allowed by {by}")),
            _ => return Err(illegal("staging")),
        },
        Event::EffectIntended { key, attempt } => {
            if r.each_effect().all(|e| e.key() != *key) {
                return Err(illegal("an effect of another phase"));
            }
            r.intent_ms = at_ms;
            if matches!(r.state, State::Staging | State::Promoting | State::Retiring) {
                r.intended.insert(key.clone(), *attempt);
            }
        }
        Event::EffectDone { key, job, note } => {
            let Some(effect) = rollout.each_effect().find(|e| e.key() == *key) else {
                return Err(illegal("an effect of another phase"));
            };
            if let Effect::CancelJob { table } | Effect::ReleaseJob { table } = &*effect {
                r.jobs.remove(table);
            }
            if let Some(job) = job {
                r.jobs.insert(job.table.clone(), job.clone());
            }
            if let Some(note) = note {
                r.history.push(Step { at_ms, state: r.state, note: note.clone() });
            }
            r.done.insert(key.clone());
            if rollout.each_effect().all(|e| r.done.contains(&e.key())) {
                phase_done(&mut r, at_ms);
            }
        }
        Event::EffectFailed { key, reason } => {
            // It came back after the direction was changed: the undo covers it, whatever became of it.
            if r.each_effect().all(|e| e.key() != *key) {
                return Err(illegal("an effect of another phase"));
            }
            let note = format!("{key}: {reason}");
            let to = match r.state {
                State::Staging => State::Aborting,
                State::Promoting => State::RollingBack,
                State::Retiring | State::Aborting | State::Rejected | State::RollingBack => State::Stuck,
                _ => return Err(illegal("an effect")),
            };
            r.error = Some(note.clone());
            go(&mut r, to, at_ms, &note);
        }
        Event::CaughtUp => match r.state {
            State::CatchingUp => go(&mut r, State::Validating, at_ms, "green holds the same input as blue"),
            _ => return Err(illegal("catching up")),
        },
        Event::CatchUpFailed { reason } => match r.state {
            State::CatchingUp => unproven(&mut r, at_ms, reason),
            _ => return Err(illegal("catching up")),
        },
        Event::Validated { evidence } => match r.state {
            State::Validating => {
                let (outcome, reason) = (evidence.outcome, evidence.reason.clone());
                r.evidence = Some((**evidence).clone());
                match outcome {
                    Outcome::Pass => go(&mut r, State::AwaitingApproval, at_ms, &reason),
                    Outcome::Fail | Outcome::Undecided => unproven(&mut r, at_ms, &reason),
                }
            }
            _ => return Err(illegal("a verdict")),
        },
        Event::ValidationBroken { reason } => match r.state {
            State::Validating => {
                r.evidence = None;
                unproven(&mut r, at_ms, reason);
            }
            _ => return Err(illegal("a verdict")),
        },
        Event::EvidenceExpired => match r.state {
            State::AwaitingApproval => unproven(&mut r, at_ms, "the evidence expired before anybody decided"),
            _ => return Err(illegal("expiry")),
        },
        Event::Revalidate { by } => match r.state {
            State::Unproven | State::AwaitingApproval => {
                r.evidence = None;
                r.error = None;
                go(&mut r, State::CatchingUp, at_ms, &format!("validation asked for by {by}"));
            }
            _ => return Err(illegal("a new validation")),
        },
        Event::Approved(approval) => {
            if r.state != State::AwaitingApproval {
                return Err(illegal("an approval"));
            }
            same_evidence(&r, &approval.evidence)?;
            r.approval = Some(approval.clone());
            go(&mut r, State::Promoting, at_ms, &format!("approved by {}", approval.by));
        }
        Event::Rejected(approval) => {
            if r.state != State::AwaitingApproval {
                return Err(illegal("a rejection"));
            }
            same_evidence(&r, &approval.evidence)?;
            r.approval = None;
            r.error = Some(format!("rejected by {}", approval.by));
            go(&mut r, State::Rejected, at_ms, &format!("rejected by {}", approval.by));
        }
        Event::AbortAsked { by, reason } => match r.state {
            State::Proposed => go(&mut r, State::Aborted, at_ms, &format!("aborted by {by}: {reason}")),
            State::Staging | State::CatchingUp | State::Validating | State::AwaitingApproval | State::Unproven => {
                r.error = Some(format!("aborted by {by}: {reason}"));
                go(&mut r, State::Aborting, at_ms, &format!("aborted by {by}: {reason}"));
            }
            // What failed is tried again: forward where green serves already, back where it does not.
            State::Stuck => {
                let before = r.before_stuck().unwrap_or(State::Aborting);
                go(&mut r, before, at_ms, &format!("tried again by {by}: {reason}"));
            }
            _ => return Err(illegal("an abort")),
        },
        Event::Superseded { by } => match r.state {
            State::Proposed => go(&mut r, State::Superseded, at_ms, &format!("superseded by {by}")),
            state if state.can_be_superseded() => {
                r.error = Some(format!("superseded by {by}"));
                go(&mut r, State::Aborting, at_ms, &format!("superseded by {by}"));
            }
            _ => return Err(illegal("superseding it")),
        },
        Event::RollBackAsked { by } => match r.state {
            State::Promoting | State::Soaking if matches!(r.kind, Kind::Evolution | Kind::Change) => {
                go(&mut r, State::RollingBack, at_ms, &format!("roll back asked for by {by}"));
            }
            _ => return Err(illegal("a roll back")),
        },
        Event::SoakOver => match r.state {
            State::Soaking => go(&mut r, State::Retiring, at_ms, "the soak is over"),
            _ => return Err(illegal("the end of a soak")),
        },
    }
    Ok(r)
}

fn same_evidence(r: &Rollout, named: &str) -> Result<(), Illegal> {
    let actual = r.evidence_digest().unwrap_or_default();
    if actual == named {
        return Ok(());
    }
    Err(Illegal::Evidence { id: r.id.clone(), named: named.to_owned(), actual })
}

fn phase_done(r: &mut Rollout, at_ms: i64) {
    match (r.state, r.kind) {
        (State::Staging, Kind::Deploy) => go(r, State::Promoting, at_ms, "everything runs"),
        (State::Staging, Kind::Adopt) => go(r, State::Promoting, at_ms, "every job was found as planned"),
        (State::Staging, _) => go(r, State::CatchingUp, at_ms, "green runs beside blue"),
        (State::Promoting, Kind::Deploy) => go(r, State::Done, at_ms, "deployed"),
        (State::Promoting, Kind::Adopt) => go(r, State::Done, at_ms, "adopted"),
        (State::Promoting, _) => go(r, State::Soaking, at_ms, "green serves"),
        (State::Retiring, Kind::Undeploy) => go(r, State::Done, at_ms, "it is taken down"),
        (State::Retiring, _) => go(r, State::Done, at_ms, "blue is retired"),
        (State::Aborting | State::Rejected, Kind::Adopt) => go(r, State::Aborted, at_ms, "nothing is taken over"),
        (State::Aborting | State::Rejected, _) => go(r, State::Aborted, at_ms, "green is removed"),
        (State::RollingBack, _) => go(r, State::RolledBack, at_ms, "blue serves again"),
        _ => {}
    }
}

fn unproven(r: &mut Rollout, at_ms: i64, why: &str) {
    r.error = Some(why.to_owned());
    go(r, State::Unproven, at_ms, why);
}

fn go(r: &mut Rollout, state: State, at_ms: i64, note: &str) {
    r.state = state;
    r.since_ms = at_ms;
    r.done.clear();
    r.history.push(Step { at_ms, state, note: note.to_owned() });
    if r.each_effect().next().is_none()
        && matches!(
            state,
            State::Staging
                | State::Promoting
                | State::Retiring
                | State::Aborting
                | State::Rejected
                | State::RollingBack
        )
    {
        phase_done(r, at_ms);
    }
}
