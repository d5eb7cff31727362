//! Journals what happened, and only then takes it for true.

#[cfg(debug_assertions)]
use super::failpoint::{self, When};
use super::turn::{Daemon, Stopped};
use crate::port::{Place, PortError};
use crate::rollout::event::Body;
use crate::rollout::{Entry, Event, Illegal, Rollout};

impl Daemon {
    /// Journals `body`, then folds it in. After `Ok`, a restart knows it.
    pub(super) async fn append(&mut self, body: Body) -> Result<(), AppendError> {
        self.append_at(body).await.map(|_| ())
    }

    /// Does what [`Daemon::append`] does, and answers with the place before the entry.
    pub(super) async fn append_at(&mut self, body: Body) -> Result<Place, AppendError> {
        if !self.ports.journal.leading() {
            return Err(AppendError::Stopped(Stopped::Journal(PortError::Fenced)));
        }
        let entry = Entry { at_ms: self.ports.clock.now_ms(), body };
        let after = self.ledger.after(&entry)?;
        let bytes = serde_json::to_vec(&entry).map_err(|e| Stopped::Unwritable(e.to_string()))?;
        #[cfg(debug_assertions)]
        failpoint::reached(When::Before, &self.ledger, &entry);
        let place = self.ports.journal.append(&bytes).await.map_err(|error| match error {
            // Such as an entry that is larger than the topic takes: the journal is as it was.
            PortError::Refused { .. } => AppendError::Refused(error),
            other => AppendError::Stopped(Stopped::Journal(other)),
        })?;
        #[cfg(debug_assertions)]
        failpoint::reached(When::After, &self.ledger, &entry);
        if let Some(after) = &after {
            self.count_transition(after);
        }
        self.ledger.fold(&entry, after);
        self.unfolded += 1;
        Ok(place)
    }

    /// Journals an event of a rollout that the loop itself found; one that no longer fits is dropped and said so.
    pub(super) async fn happened(&mut self, rollout: &str, what: Event) -> Result<(), Stopped> {
        match self.append(Body::Rollout { id: rollout.to_owned(), what }).await {
            Ok(()) => Ok(()),
            Err(AppendError::Illegal(illegal)) => {
                tracing::info!(rollout, %illegal, "came too late");
                Ok(())
            }
            Err(AppendError::Refused(error)) => Err(Stopped::Journal(error)),
            Err(AppendError::Stopped(stopped)) => Err(stopped),
        }
    }

    fn count_transition(&self, rollout: &Rollout) {
        let id = &rollout.id;
        let before = self.ledger.rollouts.get(id).map(|r| r.history.len()).unwrap_or(0);
        for (n, step) in rollout.history.iter().enumerate().skip(before) {
            let last = n.checked_sub(1).and_then(|n| rollout.history.get(n)).map(|s| s.state);
            if last == Some(step.state) {
                // A remark on the way: what an effect did.
                continue;
            }
            self.metrics.rollout_transitions_total.inc([step.state.name()]);
            tracing::info!(rollout = id, state = step.state.name(), note = step.note, "rollout moved");
        }
    }
}

/// Why something was not journaled.
#[derive(Debug, thiserror::Error)]
pub(super) enum AppendError {
    /// It does not fit.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// The journal does not take it, and is as it was.
    #[error(transparent)]
    Refused(PortError),
    /// The loop must end.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}
