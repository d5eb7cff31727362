//! From a journal's bytes to the ledger.
//!
//! Rules: a replay begins at the last snapshot that stands for everything before it, whatever is older; without one it
//! begins at the first entry, and only if that is the first that was ever written.

use super::event::{Body, Entry};
use super::ledger::Ledger;

/// Why a journal cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// An entry is not understood, or does not fit what came before it.
    #[error("journal entry {number} cannot be read: {reason}")]
    Entry {
        /// Which one, from 0.
        number: usize,
        /// Why.
        reason: String,
    },
    /// The first entries are gone, and none of those that are left stands for them.
    #[error(
        "the journal's first entries were deleted by something else than Cyanotype, and no snapshot stands for them"
    )]
    Headless,
}

/// What `entries`, oldest first, add up to. `shortened` says that there were entries before them, which are deleted.
///
/// # Errors
/// [`Unreadable`]: then nothing is known of what is deployed.
pub fn replay(entries: &[Vec<u8>], shortened: bool) -> Result<Ledger, Unreadable> {
    let mut newest_first = Vec::new();
    let mut complete = !shortened;
    for (number, bytes) in entries.iter().enumerate().rev() {
        let entry: Entry =
            serde_json::from_slice(bytes).map_err(|e| Unreadable::Entry { number, reason: e.to_string() })?;
        let stands_alone = matches!(entry.body, Body::Snapshot { rest: Some(_), .. });
        newest_first.push((number, entry));
        if stands_alone {
            complete = true;
            break;
        }
    }
    if !complete {
        return Err(Unreadable::Headless);
    }
    let mut ledger = Ledger::default();
    for (number, entry) in newest_first.iter().rev() {
        let unfit = |e: super::Illegal| Unreadable::Entry { number: *number, reason: e.to_string() };
        ledger.apply(entry).map_err(unfit)?;
    }
    Ok(ledger)
}
