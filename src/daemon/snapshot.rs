//! Keeps the journal short: writes a snapshot when one is due, and lets the journal forget what is older.
//!
//! Rules: nothing is forgotten before the entry that stands for it is in the journal; a stop in between leaves older
//! entries that a replay passes over; a journal that does not take a snapshot, or keeps older entries, is no reason to stop.

use super::append::AppendError;
use super::turn::{Daemon, Stopped};
use crate::port::PortError;
use crate::rollout::snapshot::MANY;

impl Daemon {
    /// Folds what is over when it is time to.
    pub(super) async fn fold_history(&mut self) -> Result<(), Stopped> {
        if self.unfolded < self.snapshot_after || !self.ledger.snapshot_due(self.unfolded) {
            return Ok(());
        }
        let entries = self.unfolded;
        let before = match self.append_at(self.ledger.snapshot()).await {
            Ok(before) => before,
            Err(AppendError::Stopped(stopped)) => return Err(stopped),
            Err(refused) => {
                tracing::warn!(error = %refused, "no snapshot: the journal keeps everything, a start takes longer");
                self.snapshot_after = self.unfolded.saturating_add(MANY);
                return Ok(());
            }
        };
        (self.unfolded, self.snapshot_after) = (0, 0);
        match self.ports.journal.forget(before).await {
            Ok(()) => tracing::info!(entries, "snapshot: older entries of the journal are deleted"),
            Err(PortError::Fenced) => return Err(Stopped::Journal(PortError::Fenced)),
            Err(error) => {
                tracing::warn!(%error, "older entries stay in the journal; deleted with the next snapshot");
            }
        }
        Ok(())
    }
}
