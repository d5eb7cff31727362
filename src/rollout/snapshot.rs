//! Ended history, folded into one entry that stands for everything before it, so that older entries may be forgotten.
//!
//! Rules: what a later decision looks at is kept whole: what is deployed, which jobs run, which versions were looked at, and
//! every rollout that is not over. Of rollouts that are over the newest [`ENDED`] are kept, as outlines: what each was, how
//! it went and who said yes, without plan and work; the newest keeps its evidence as well, the others its digest and answer.
//! The newest [`REFUSED`] refused versions are kept, and the deliveries that the ledger remembers. Nothing else is lost, and folding what was folded changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::event::{Body, with_work, without_work};
use super::ledger::{Delivered, Ledger, Refused};
use super::state::{Found, Rollout};
use crate::model::manifest::Manifest;
use crate::model::verdict::Evidence;
use crate::model::work::{RunningJob, Work};

/// Rollouts that are over of which an outline is kept: years of them, in a few hundred kilobytes.
pub const ENDED: usize = 100;
/// Refused versions that are kept: they are shown, and nothing is decided by them.
pub const REFUSED: usize = 100;
/// Entries after which a snapshot is due although no rollout has ended: a start reads no more than about as many.
pub const MANY: usize = 1000;

/// What the journal said so far, beside the manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Jobs that were started and not cancelled, by physical table.
    pub jobs: BTreeMap<String, RunningJob>,
    /// The version at which each subject was first seen.
    pub first_seen: BTreeMap<String, i32>,
    /// Last version looked at of each subject.
    pub looked_at: BTreeMap<String, i32>,
    /// Last version of each subject that some statement may see.
    #[serde(default)]
    pub moved: BTreeMap<String, i32>,
    /// The version from which each subject's history counts, where somebody said so.
    #[serde(default)]
    pub baselines: BTreeMap<String, i32>,
    /// The newest refused versions, oldest first.
    pub refused: Vec<Refused>,
    /// Rollouts that are not over, and outlines of those that are. A plan is without its work, which is beside it.
    pub rollouts: Vec<Rollout>,
    /// How many rollouts were ever proposed.
    pub proposed: u64,
    /// Signed deliveries that were acted on.
    #[serde(default)]
    pub deliveries: Vec<Delivered>,
}

impl Snapshot {
    /// The ledger that this stands for.
    pub(super) fn ledger(&self, manifest: &Manifest) -> Ledger {
        let whole = |r: &Rollout| (r.id.clone(), Rollout { plan: Arc::new(with_work(&r.plan, &r.work)), ..r.clone() });
        Ledger {
            manifest: manifest.clone(),
            jobs: self.jobs.clone(),
            first_seen: self.first_seen.clone(),
            looked_at: self.looked_at.clone(),
            moved: self.moved.clone(),
            baselines: self.baselines.clone(),
            refused: self.refused.clone(),
            rollouts: self.rollouts.iter().map(whole).collect(),
            deliveries: self.deliveries.iter().map(|d| (d.delivery.id.clone(), d.clone())).collect(),
            proposed: self.proposed,
        }
    }
}

impl Ledger {
    /// The entry that stands for everything so far.
    pub fn snapshot(&self) -> Body {
        let Self { manifest, jobs, first_seen, looked_at, moved, baselines, refused, rollouts, deliveries, proposed } =
            self.folded();
        let deliveries = deliveries.into_values().collect();
        let lean = |r: Rollout| Rollout { plan: Arc::new(without_work((*r.plan).clone())), ..r };
        let rollouts = rollouts.into_values().map(lean).collect();
        let rest = Snapshot { jobs, first_seen, looked_at, moved, baselines, refused, rollouts, proposed, deliveries };
        Body::Snapshot { manifest: Box::new(manifest), rest: Some(Box::new(rest)) }
    }

    /// What is left of the ledger in a snapshot.
    pub fn folded(&self) -> Self {
        let mut over: Vec<&Rollout> = self.rollouts.values().filter(|r| r.state.ended()).collect();
        over.sort_by(|a, b| (b.since_ms, &b.id).cmp(&(a.since_ms, &a.id)));
        let newest = over.first().map(|r| r.id.clone());
        let gone: BTreeSet<&str> = over.iter().skip(ENDED).map(|r| r.id.as_str()).collect();
        let kept = self.rollouts.values().filter(|r| !gone.contains(r.id.as_str())).map(|r| {
            let r = match (r.state.ended(), newest.as_ref() == Some(&r.id)) {
                (false, _) => r.clone(),
                (true, true) => Rollout { evidence: r.evidence.clone(), ..outline(r) },
                (true, false) => outline(r),
            };
            (r.id.clone(), r)
        });
        let refused = self.refused.iter().skip(self.refused.len().saturating_sub(REFUSED)).cloned().collect();
        Self {
            manifest: self.manifest.clone(),
            jobs: self.jobs.clone(),
            first_seen: self.first_seen.clone(),
            looked_at: self.looked_at.clone(),
            moved: self.moved.clone(),
            baselines: self.baselines.clone(),
            refused,
            rollouts: kept.collect(),
            deliveries: self.deliveries.clone(),
            proposed: self.proposed,
        }
    }

    /// True when a snapshot is due, `entries` entries after the last one: a rollout has ended since, or there are [`MANY`].
    pub fn snapshot_due(&self, entries: usize) -> bool {
        let unfolded = |r: &Rollout| r.state.ended() && !(r.plan.is_null() && *r.work == Work::default());
        entries >= MANY || self.rollouts.values().any(unfolded)
    }
}

/// What is kept of a rollout that is over: nothing of it is carried out any more.
fn outline(rollout: &Rollout) -> Rollout {
    let found = |e: &Evidence| Found { digest: e.digest(), outcome: e.outcome };
    Rollout {
        plan: Arc::default(),
        work: Arc::default(),
        intended: BTreeMap::new(),
        done: BTreeSet::new(),
        jobs: BTreeMap::new(),
        evidence: None,
        found: rollout.evidence.as_ref().map(found).or_else(|| rollout.found.clone()),
        ..rollout.clone()
    }
}
