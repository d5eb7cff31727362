//! Everything the journal says, folded: manifest, jobs, watched subjects, rollouts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::{Body, Delivery, Entry, Event, Notice};
use super::state::{Rollout, State};
use super::transition::{Illegal, begin, next};
use crate::model::effect::Effect;
use crate::model::manifest::Manifest;
use crate::model::work::RunningJob;

/// A version of a subject that may not be planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Subject.
    pub subject: String,
    /// Version.
    pub version: i32,
    /// Why.
    pub reasons: Vec<String>,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
}

/// Deliveries that are remembered: only a holder of a secret can add one.
const DELIVERIES: usize = 10_000;

/// A delivery that was acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// The delivery.
    pub delivery: Delivery,
    /// Rollout that it was about.
    pub rollout: String,
    /// The rollout's state right after it.
    pub state: State,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
}

/// What the journal adds up to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    /// What is deployed.
    pub manifest: Manifest,
    /// Jobs that were started and not cancelled, by physical table.
    pub jobs: BTreeMap<String, RunningJob>,
    /// The version at which each subject was first seen: what the text was written for where the manifest names none.
    pub first_seen: BTreeMap<String, i32>,
    /// Last version looked at of each subject.
    pub looked_at: BTreeMap<String, i32>,
    /// Last version of each subject that some statement may see: what was planned for an older one is void.
    pub moved: BTreeMap<String, i32>,
    /// The version from which each subject's history counts, where somebody said so.
    pub baselines: BTreeMap<String, i32>,
    /// Versions that were refused, oldest first; those that a snapshot keeps, and newer ones.
    pub refused: Vec<Refused>,
    /// Rollouts by id; of those that were over before a snapshot, outlines.
    pub rollouts: BTreeMap<String, Rollout>,
    /// Signed deliveries that were acted on, by id; the newest [`DELIVERIES`] of them.
    pub deliveries: BTreeMap<String, Delivered>,
    /// How many rollouts were ever proposed.
    pub proposed: u64,
}

impl Ledger {
    /// Folds one entry in.
    ///
    /// # Errors
    /// [`Illegal`] when the entry does not fit; the ledger is unchanged then.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), Illegal> {
        match &entry.body {
            Body::Rollout { id, what } => self.apply_rollout(id, what, entry.at_ms)?,
            Body::Delivered { id, what, delivery } => {
                self.apply_rollout(id, what, entry.at_ms)?;
                self.remember(id, delivery, entry.at_ms);
            }
            Body::Evolution { subject, version, refused, notice } => {
                self.looked_at.insert(subject.clone(), *version);
                if *notice == Notice::Taken {
                    self.moved.insert(subject.clone(), *version);
                }
                self.refused.retain(|refused| refused.subject != *subject || refused.version < *version);
                if !refused.is_empty() {
                    self.refused.push(Refused {
                        subject: subject.clone(),
                        version: *version,
                        reasons: refused.clone(),
                        at_ms: entry.at_ms,
                    });
                }
            }
            Body::Watched { subject, version } => {
                self.first_seen.entry(subject.clone()).or_insert(*version);
                self.moved.insert(subject.clone(), *version);
                self.looked_at.insert(subject.clone(), *version);
            }
            Body::Baseline { subject, version, .. } => {
                self.baselines.insert(subject.clone(), *version);
                self.refused.retain(|refused| refused.subject != *subject);
                // What was refused because of what came before is looked at again.
                let before = self.manifest.subjects.get(subject).or_else(|| self.first_seen.get(subject));
                let before = before.copied().unwrap_or(0);
                self.looked_at.insert(subject.clone(), before);
                self.moved.insert(subject.clone(), before);
            }
            Body::Snapshot { manifest, rest: None } => self.manifest = (**manifest).clone(),
            Body::Snapshot { manifest, rest: Some(rest) } => *self = rest.ledger(manifest),
        }
        Ok(())
    }

    /// Rollouts that are not over, oldest first.
    pub fn open(&self) -> Vec<&Rollout> {
        let mut open: Vec<&Rollout> = self.rollouts.values().filter(|r| !r.state.ended()).collect();
        open.sort_by(|a, b| (a.created_ms, &a.id).cmp(&(b.created_ms, &b.id)));
        open
    }

    fn apply_rollout(&mut self, id: &str, what: &Event, at_ms: i64) -> Result<(), Illegal> {
        if let Event::Proposed(new) = what {
            if self.rollouts.contains_key(id) || new.id != id {
                return Err(Illegal::Existence { id: id.to_owned(), what: "it was proposed before" });
            }
            self.rollouts.insert(id.to_owned(), begin(new, at_ms));
            self.proposed += 1;
            return Ok(());
        }
        let Some(rollout) = self.rollouts.get(id) else {
            return Err(Illegal::Existence { id: id.to_owned(), what: "it was never proposed" });
        };
        let after = next(rollout, what, at_ms)?;
        if let Event::EffectDone { key, job, .. } = what {
            match rollout.each_effect().find(|e| e.key() == *key).map(Cow::into_owned) {
                Some(Effect::SetManifest { after, .. }) => self.manifest = *after,
                Some(Effect::CancelJob { table } | Effect::ReleaseJob { table }) => {
                    self.jobs.remove(&table);
                }
                _ => {}
            }
            if let Some(job) = job {
                self.jobs.insert(job.table.clone(), job.clone());
            }
        }
        self.rollouts.insert(id.to_owned(), after);
        Ok(())
    }

    fn remember(&mut self, rollout: &str, delivery: &Delivery, at_ms: i64) {
        let Some(state) = self.rollouts.get(rollout).map(|r| r.state) else { return };
        let delivered = Delivered { delivery: delivery.clone(), rollout: rollout.to_owned(), state, at_ms };
        self.deliveries.insert(delivery.id.clone(), delivered);
        if self.deliveries.len() > DELIVERIES
            && let Some(oldest) = self.deliveries.values().min_by_key(|d| d.at_ms).map(|d| d.delivery.id.clone())
        {
            self.deliveries.remove(&oldest);
        }
    }

    /// The version of `subject` that overtook `version`: no approval of what was planned for that is taken any more.
    pub fn overtaken(&self, subject: &str, version: i32) -> Option<i32> {
        self.moved.get(subject).copied().filter(|newer| *newer > version)
    }

    /// True when that version of the subject was refused.
    pub fn is_refused(&self, subject: &str, version: i32) -> bool {
        self.refused.iter().any(|refused| refused.subject == subject && refused.version == version)
    }

    /// True when an open rollout holds the table's pipeline: another one has to wait.
    pub fn busy(&self) -> Option<&Rollout> {
        self.open().into_iter().find(|r| !matches!(r.state, State::Proposed))
    }
}
