//! What can happen to a rollout, and the journal's entries.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::snapshot::Snapshot;
use crate::model::manifest::Manifest;
use crate::model::verdict::Evidence;
use crate::model::work::{Reach, RunningJob, Work};

/// Why there is a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A first deployment: there is no blue.
    Deploy,
    /// A schema evolved.
    Evolution,
    /// Statements were changed.
    Change,
    /// What somebody else started is taken over: there is no green.
    Adopt,
    /// A project is taken down.
    Undeploy,
}

impl Kind {
    /// The kind of rollout that a plan with this word for its kind is for.
    pub fn of_plan(kind: &str) -> Option<Self> {
        Some(match kind {
            "deploy" => Self::Deploy,
            "evolution" => Self::Evolution,
            "change" => Self::Change,
            "adopt" => Self::Adopt,
            "undeploy" => Self::Undeploy,
            _ => return None,
        })
    }

    /// What the work of such a rollout may do.
    pub fn reach(self) -> Reach {
        match self {
            Self::Deploy => Reach::First,
            Self::Evolution | Self::Change => Reach::Replacement,
            Self::Adopt => Reach::Adoption,
            Self::Undeploy => Reach::Removal,
        }
    }
}

/// What the policy says about this rollout, fixed when it is proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// True when staging waits for a yes.
    pub ask_before_staging: bool,
    /// How long blue stays warm after promotion, milliseconds.
    pub soak_ms: i64,
    /// How long green may take to catch up before the rollout is unproven, milliseconds.
    pub catch_up_ms: i64,
    /// What the names of its jobs and groups begin with; journals of before do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
}

/// A rollout as it is proposed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewRollout {
    /// Id.
    pub id: String,
    /// Why.
    pub kind: Kind,
    /// One line for people.
    pub title: String,
    /// Digest of the plan.
    pub plan_digest: String,
    /// The plan as people and tools read it, without its work ([`without_work`]); older journals have it here as well.
    pub plan: Value,
    /// What is done.
    pub work: Work,
    /// On which terms.
    pub terms: Terms,
}

/// Where a plan's document holds the work.
const WORK: &str = "work";

/// A plan's document without the work, which the journal keeps beside it: once instead of twice.
pub fn without_work(mut plan: Value) -> Value {
    if let Some(document) = plan.as_object_mut() {
        document.remove(WORK);
    }
    plan
}

/// A plan's document with the work in its place, as people and tools read it.
pub fn with_work(plan: &Value, work: &Work) -> Value {
    let mut plan = plan.clone();
    if let (Some(document), Ok(work)) = (plan.as_object_mut(), serde_json::to_value(work)) {
        document.entry(WORK).or_insert(work);
    }
    plan
}

/// A yes or a no, with what it was given on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Digest of the evidence.
    pub evidence: String,
    /// Who.
    pub by: String,
    /// Remark.
    pub comment: Option<String>,
    /// Id of the delivery, so that a repeated one has no second effect.
    pub delivery: String,
}

/// Something that happened to one rollout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// It was proposed.
    Proposed(Box<NewRollout>),
    /// Staging may begin.
    StagingAllowed {
        /// Who said so; `policy` when no one was asked.
        by: String,
    },
    /// An effect is about to be tried.
    EffectIntended {
        /// Its key.
        key: String,
        /// Which try, from 1.
        attempt: u32,
    },
    /// An effect is done.
    EffectDone {
        /// Its key.
        key: String,
        /// The job that it started, if it did.
        job: Option<RunningJob>,
        /// What people should know of it, one line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// An effect failed for good.
    EffectFailed {
        /// Its key.
        key: String,
        /// Why, one line.
        reason: String,
    },
    /// Green has caught up.
    CaughtUp,
    /// Green will not catch up: a job failed or the time ran out.
    CatchUpFailed {
        /// Why, one line.
        reason: String,
    },
    /// A validation ended with a verdict.
    Validated {
        /// What it found.
        evidence: Box<Evidence>,
    },
    /// A validation ended without a verdict: an error, a cancellation, a time-out. Never a pass.
    ValidationBroken {
        /// Why, one line.
        reason: String,
    },
    /// The evidence is too old to be approved.
    EvidenceExpired,
    /// Validate again.
    Revalidate {
        /// Who asked.
        by: String,
    },
    /// A person or system said yes.
    Approved(Approval),
    /// A person or system said no.
    Rejected(Approval),
    /// Abort was asked for.
    AbortAsked {
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// What it was made for has been overtaken.
    Superseded {
        /// By what: `SUBJECT version N`.
        by: String,
    },
    /// Roll back was asked for.
    RollBackAsked {
        /// Who.
        by: String,
    },
    /// The soak is over.
    SoakOver,
}

/// A signed decision's delivery, as the journal keeps it: the same id and content gets the same answer for as long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The sender's id of the message (`webhook-id`).
    pub id: String,
    /// Digest of everything that it said.
    pub content: String,
    /// What it was answered with, one line.
    pub message: String,
}

/// One entry of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was written, milliseconds since 1970.
    pub at_ms: i64,
    /// What.
    #[serde(flatten)]
    pub body: Body,
}

/// Whether any statement notices a subject's version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// One does, or nobody could tell.
    #[default]
    Taken,
    /// None does: what was planned for the version before it still holds.
    NotTaken,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "entry")]
pub enum Body {
    /// Something happened to a rollout.
    Rollout {
        /// Its id.
        id: String,
        /// What.
        what: Event,
    },
    /// Something happened to a rollout because a signed delivery said so.
    Delivered {
        /// Id of the rollout.
        id: String,
        /// What.
        what: Event,
        /// What brought it.
        delivery: Delivery,
    },
    /// A subject's version was looked at: accepted, or refused with reasons.
    Evolution {
        /// Subject.
        subject: String,
        /// Version.
        version: i32,
        /// Empty when it was accepted.
        refused: Vec<String>,
        /// Whether any statement sees the difference to the version before.
        #[serde(default)]
        notice: Notice,
    },
    /// From this version on a subject's history counts: what came before is accepted as it is.
    Baseline {
        /// Subject.
        subject: String,
        /// Version.
        version: i32,
        /// Who said so.
        by: String,
        /// Why.
        reason: String,
    },
    /// The first version of a subject that the daemon saw.
    Watched {
        /// Subject.
        subject: String,
        /// Version.
        version: i32,
    },
    /// Everything so far, folded: the entry stands for all before it.
    Snapshot {
        /// The manifest.
        manifest: Box<Manifest>,
        /// Everything else; `None` in an older form, which replaces the manifest alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rest: Option<Box<Snapshot>>,
    },
}
