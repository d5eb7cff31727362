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
        let after = self.after(entry)?;
        self.fold(entry, after);
        Ok(())
    }

    /// What the rollout of an entry will be once the entry is folded in; `None` for an entry that is about no rollout.
    ///
    /// # Errors
    /// [`Illegal`] when the entry does not fit.
    pub fn after(&self, entry: &Entry) -> Result<Option<Rollout>, Illegal> {
        let (Body::Rollout { id, what } | Body::Delivered { id, what, .. }) = &entry.body else { return Ok(None) };
        if let Event::Proposed(new) = what {
            if self.rollouts.contains_key(id) || new.id != *id {
                return Err(Illegal::Existence { id: id.to_owned(), what: "it was proposed before" });
            }
            return Ok(Some(begin(new, entry.at_ms)));
        }
        let Some(rollout) = self.rollouts.get(id) else {
            return Err(Illegal::Existence { id: id.to_owned(), what: "it was never proposed" });
        };
        next(rollout, what, entry.at_ms).map(Some)
    }

    /// Folds one entry in, `after` being what [`Ledger::after`] has just said of it.
    pub fn fold(&mut self, entry: &Entry, after: Option<Rollout>) {
        match &entry.body {
            Body::Rollout { id, what } => self.move_on(id, what, after),
            Body::Delivered { id, what, delivery } => {
                self.move_on(id, what, after);
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
    }

    /// Rollouts that are not over, oldest first.
    pub fn open(&self) -> Vec<&Rollout> {
        let mut open: Vec<&Rollout> = self.rollouts.values().filter(|r| !r.state.ended()).collect();
        open.sort_by(|a, b| (a.created_ms, &a.id).cmp(&(b.created_ms, &b.id)));
        open
    }

    /// What an event of a rollout leads to.
    fn move_on(&mut self, id: &str, what: &Event, after: Option<Rollout>) {
        self.proposed += u64::from(matches!(what, Event::Proposed(_)));
        if let Event::EffectDone { key, job, .. } = what {
            let effect =
                self.rollouts.get(id).and_then(|r| r.each_effect().find(|e| e.key() == *key).map(Cow::into_owned));
            match effect {
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
        if let Some(after) = after {
            self.rollouts.insert(id.to_owned(), after);
        }
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
