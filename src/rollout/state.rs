//! A rollout and its states.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::event::{Approval, Kind, Terms};
use crate::model::effect::Effect;
use crate::model::verdict::{Evidence, Outcome};
use crate::model::work::{RunningJob, Work};

/// Where a rollout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Planned; waits for a yes to stage if the policy says so.
    Proposed,
    /// Green is being deployed beside blue.
    Staging,
    /// Green works through history.
    CatchingUp,
    /// Both outputs are read and compared.
    Validating,
    /// The evidence waits for a yes.
    AwaitingApproval,
    /// Green is being made to serve.
    Promoting,
    /// Green serves, blue stays warm.
    Soaking,
    /// Blue is being removed.
    Retiring,
    /// Over: green serves, blue is gone.
    Done,
    /// The verdict failed or stayed undecided; green is kept for a look.
    Unproven,
    /// A person said no; green is being removed, then aborted.
    Rejected,
    /// A newer rollout took its place before anything was done.
    Superseded,
    /// Green is being removed.
    Aborting,
    /// Over: green is gone, blue was never touched.
    Aborted,
    /// Blue is being made to serve again.
    RollingBack,
    /// Over: blue serves again, green is gone.
    RolledBack,
    /// An undo failed: a person is needed.
    Stuck,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 17] = [
        Self::Proposed,
        Self::Staging,
        Self::CatchingUp,
        Self::Validating,
        Self::AwaitingApproval,
        Self::Promoting,
        Self::Soaking,
        Self::Retiring,
        Self::Done,
        Self::Unproven,
        Self::Rejected,
        Self::Superseded,
        Self::Aborting,
        Self::Aborted,
        Self::RollingBack,
        Self::RolledBack,
        Self::Stuck,
    ];

    /// True in a state that a rollout never leaves.
    pub fn ended(self) -> bool {
        matches!(self, Self::Done | Self::Superseded | Self::Aborted | Self::RolledBack)
    }

    /// True while green does not serve and nobody has said no: what overtakes the rollout may end it.
    pub fn can_be_superseded(self) -> bool {
        matches!(
            self,
            Self::Proposed
                | Self::Staging
                | Self::CatchingUp
                | Self::Validating
                | Self::AwaitingApproval
                | Self::Unproven
        )
    }

    /// The name as journal, API and metrics have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Staging => "staging",
            Self::CatchingUp => "catching_up",
            Self::Validating => "validating",
            Self::AwaitingApproval => "awaiting_approval",
            Self::Promoting => "promoting",
            Self::Soaking => "soaking",
            Self::Retiring => "retiring",
            Self::Done => "done",
            Self::Unproven => "unproven",
            Self::Rejected => "rejected",
            Self::Superseded => "superseded",
            Self::Aborting => "aborting",
            Self::Aborted => "aborted",
            Self::RollingBack => "rolling_back",
            Self::RolledBack => "rolled_back",
            Self::Stuck => "stuck",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One line of a rollout's history: a state that it came into, or a remark on the way through one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// The state.
    pub state: State,
    /// Why, one line.
    pub note: String,
}

/// What is known of evidence that is no longer kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Its digest.
    pub digest: String,
    /// Its answer.
    pub outcome: Outcome,
}

/// A rollout, folded from its events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rollout {
    /// Id.
    pub id: String,
    /// Why there is one.
    pub kind: Kind,
    /// One line for people.
    pub title: String,
    /// Digest of the plan.
    pub plan_digest: String,
    /// The plan as people and tools read it; nothing in an outline.
    pub plan: Arc<serde_json::Value>,
    /// What is done.
    pub work: Arc<Work>,
    /// On which terms.
    pub terms: Terms,
    /// Where it stands.
    pub state: State,
    /// Since when, milliseconds since 1970.
    pub since_ms: i64,
    /// When it was proposed.
    pub created_ms: i64,
    /// Keys of forward effects that were intended, with the number of tries; done or not, they must be undone.
    pub intended: BTreeMap<String, u32>,
    /// When an effect was last intended, milliseconds since 1970: a leader that was cut off may still be at it.
    pub intent_ms: i64,
    /// Keys of effects that are done in the present direction.
    pub done: BTreeSet<String>,
    /// Jobs that it started, by physical table.
    pub jobs: BTreeMap<String, RunningJob>,
    /// The last verdict.
    pub evidence: Option<Evidence>,
    /// What is left of it in an outline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
    /// The yes.
    pub approval: Option<Approval>,
    /// What went wrong, if something did.
    pub error: Option<String>,
    /// How it came here.
    pub history: Vec<Step>,
}

impl Rollout {
    /// What a decision must name now: the evidence's digest, or the plan's while staging waits for a yes.
    pub fn decided_on(&self) -> Option<String> {
        match self.state {
            State::Proposed if self.terms.ask_before_staging => Some(self.plan_digest.clone()),
            _ => self.evidence_digest(),
        }
    }

    /// Digest of the last evidence.
    pub fn evidence_digest(&self) -> Option<String> {
        self.evidence.as_ref().map(Evidence::digest).or_else(|| self.found.as_ref().map(|f| f.digest.clone()))
    }

    /// Answer of the last evidence.
    pub fn outcome(&self) -> Option<Outcome> {
        self.evidence.as_ref().map(|e| e.outcome).or_else(|| self.found.as_ref().map(|f| f.outcome))
    }

    /// The version of each subject that it was made for.
    pub fn planned_for(&self) -> BTreeMap<String, i32> {
        let subjects = self.plan.get("assumptions").and_then(|assumptions| assumptions.get("subjects"));
        subjects.and_then(|subjects| BTreeMap::deserialize(subjects).ok()).unwrap_or_default()
    }

    /// The state in which something failed, for one that is stuck.
    pub fn before_stuck(&self) -> Option<State> {
        let before = || self.history.iter().rev().map(|step| step.state).find(|state| *state != State::Stuck);
        (self.state == State::Stuck).then(before).flatten()
    }

    /// Tries of an effect so far.
    pub fn attempts(&self, key: &str) -> u32 {
        self.intended.get(key).copied().unwrap_or(0)
    }

    /// The effects of the present state, in order: forward ones, or the undoing of what was intended, newest first.
    pub fn effects(&self) -> Vec<Effect> {
        self.each_effect().map(Cow::into_owned).collect()
    }

    /// As [`Rollout::effects`], without copies of the forward ones: an effect may hold every statement of the project.
    pub(super) fn each_effect(&self) -> impl Iterator<Item = Cow<'_, Effect>> {
        let Work { staging, promoting, retiring, .. } = &*self.work;
        let (forward, undone): (&[Effect], [&[Effect]; 2]) = match self.state {
            State::Staging => (staging, [&[], &[]]),
            State::Promoting => (promoting, [&[], &[]]),
            State::Retiring => (retiring, [&[], &[]]),
            State::Aborting | State::Rejected => (&[], [&[], staging]),
            State::RollingBack => (&[], [promoting, staging]),
            _ => (&[], [&[], &[]]),
        };
        let undo = undone.into_iter().flat_map(|effects| self.undo_of(effects));
        forward.iter().map(Cow::Borrowed).chain(undo.map(Cow::Owned))
    }

    fn undo_of(&self, effects: &[Effect]) -> impl Iterator<Item = Effect> {
        effects.iter().rev().filter(|e| self.intended.contains_key(&e.key())).filter_map(Effect::undo)
    }
}
