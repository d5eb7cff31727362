//! What a daemon that takes the lead makes up for, before it turns: what the one before it had journaled and not done yet.
//!
//! Rules: everything else follows from the ledger by itself; what is here was to be done beside the loop, or stands in two
//! entries of which a stop may have left the first alone. Doing it again is harmless: a branch that holds the files is left
//! as it is, and an event has the same id each time.

use serde::Deserialize;

use super::turn::{Daemon, Stopped};
use crate::plan::Plan;
use crate::rollout::event::Notice;
use crate::rollout::{Rollout, State};

/// How old a refusal may be that is told once more, milliseconds: the daemon before may have ended while it told it.
const TOLD_MS: i64 = 3_600_000;

impl Daemon {
    /// Makes up for what the daemon before this one did not come to.
    pub(super) async fn pick_up(&mut self) -> Result<(), Stopped> {
        let open: Vec<Rollout> = self.ledger.open().into_iter().cloned().collect();
        for rollout in open {
            let Ok(plan) = Plan::deserialize(&*rollout.plan) else { continue };
            self.look_at_versions(&plan).await?;
            if matches!(rollout.state, State::Proposed | State::Staging) {
                self.propose_branch(&plan);
            }
        }
        let since_ms = self.ports.clock.now_ms() - TOLD_MS;
        let told: Vec<_> = self.ledger.refused.iter().filter(|r| r.at_ms >= since_ms).cloned().collect();
        for refused in told {
            self.tell_refused(&refused.subject, refused.version, &refused.reasons);
        }
        Ok(())
    }

    /// A proposal is journaled before the version that it is for counts as looked at: without the second entry the version
    /// would be planned once more when the rollout is over.
    async fn look_at_versions(&mut self, plan: &Plan) -> Result<(), Stopped> {
        for (subject, version) in &plan.assumptions.subjects {
            if self.ledger.looked_at.get(subject).is_none_or(|seen| seen < version) {
                self.accept(subject, *version, Notice::Taken).await?;
            }
        }
        Ok(())
    }
}
