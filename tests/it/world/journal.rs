//! The journal, and what it adds up to.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use cyanotype::port::{Held, Journal, Place, PortError, PortResult};
use cyanotype::rollout::event::Body;
use cyanotype::rollout::{Entry, Event, Ledger};

use super::{Deed, Moment, Seat, continued};

/// Who leads when nobody does.
pub const NOBODY: u64 = u64::MAX;

/// Entries, who may write them, and what follows from them.
#[derive(Clone, Default)]
pub struct Log {
    /// Every entry that is left, as bytes.
    pub entries: Vec<Arc<Vec<u8>>>,
    /// How many there were before them.
    pub forgotten: usize,
    /// The daemon that leads.
    pub leader: u64,
    /// What the entries add up to.
    pub ledger: Arc<Ledger>,
    /// The effect that each rollout was last said to be about to try, while its outcome is not known.
    pub intents: BTreeMap<String, String>,
    /// The last entry, in words.
    last: String,
}

impl Log {
    /// The last entry, in words.
    pub fn tail(&self) -> String {
        format!("entry {}, {}", self.written(), self.last)
    }

    /// How many entries were ever written.
    pub fn written(&self) -> usize {
        self.forgotten + self.entries.len()
    }

    /// True when the entry at `place` stands for everything before it.
    pub fn stands_alone(&self, place: i64) -> bool {
        let at = usize::try_from(place).unwrap().checked_sub(self.forgotten);
        let entry = at.and_then(|at| self.entries.get(at)).map(|bytes| serde_json::from_slice::<Entry>(bytes).unwrap());
        entry.is_some_and(|entry| matches!(entry.body, Body::Snapshot { rest: Some(_), .. }))
    }

    /// Forgets the entries before `place`.
    pub(super) fn forget(&mut self, place: i64) {
        let gone = usize::try_from(place).unwrap().saturating_sub(self.forgotten);
        self.entries.drain(..gone);
        self.forgotten += gone;
    }

    fn push(&mut self, bytes: &[u8]) {
        let entry: Entry = serde_json::from_slice(bytes).expect("an entry that can be read again");
        Arc::make_mut(&mut self.ledger).apply(&entry).expect("an entry that fits what came before it");
        self.last = words(&entry.body);
        if let Body::Rollout { id, what } | Body::Delivered { id, what, .. } = &entry.body {
            match what {
                Event::EffectIntended { key, .. } => {
                    self.intents.insert(id.clone(), key.clone());
                }
                Event::EffectDone { .. } | Event::EffectFailed { .. } => {
                    self.intents.remove(id);
                }
                _ => {}
            }
        }
        self.entries.push(Arc::new(bytes.to_vec()));
    }
}

fn words(body: &Body) -> String {
    let (Body::Rollout { id, what } | Body::Delivered { id, what, .. }) = body else {
        let whole = serde_json::to_value(body).unwrap();
        return format!("{} {} {}", whole["entry"], whole["subject"], whole["version"])
            .replace('"', "")
            .replace("null", "");
    };
    let what = serde_json::to_value(what).unwrap();
    let event = what["event"].as_str().unwrap_or_default().to_owned();
    let key = what["key"].as_str().map(|key| format!(" {key}")).unwrap_or_default();
    format!("{event}{key} of {}", id.rsplit_once('-').map_or(id.as_str(), |(name, _)| name))
}

#[async_trait]
impl Journal for Seat {
    async fn lead(&self) -> PortResult<Held> {
        self.look(|state| {
            let log = &mut state.journal;
            log.leader = self.life;
            let entries = log.entries.iter().map(|entry| entry.to_vec()).collect();
            Ok(Held { entries, shortened: log.forgotten > 0 })
        })
        .await
    }

    async fn append(&self, entry: &[u8]) -> PortResult<Place> {
        self.moment().await;
        let mut state = self.world.now();
        if state.journal.leader != self.life {
            return Err(PortError::Fenced);
        }
        let place = Place(i64::try_from(state.journal.written()).unwrap());
        state.journal.push(entry);
        self.world.keep(|| Moment { what: state.journal.tail(), state: continued(&state), sent: None });
        self.world.lose(&mut state);
        Ok(place)
    }

    async fn forget(&self, before: Place) -> PortResult<()> {
        if !self.leading() {
            return Err(PortError::Fenced);
        }
        self.act(Deed::Forget { before: before.0 }).await.map(drop)
    }

    async fn leave(&self) {
        let mut state = self.world.now();
        if state.journal.leader == self.life {
            state.journal.leader = NOBODY;
        }
    }

    fn leading(&self) -> bool {
        self.world.now().journal.leader == self.life
    }
}
