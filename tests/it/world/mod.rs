//! A whole world in memory: every system that the daemon talks to, with time that moves when somebody waits.
//!
//! Rules: what is outside of the daemon is one [`State`], so that a daemon that is killed here is a clone of the state and
//! nothing else; a call takes a moment, so that calls of several tasks mix; each call that changes something is a [`Deed`],
//! held against [`law`] before it is carried out, and what a real world would punish is written down as an offence.

pub mod avro;
pub mod connect;
pub mod deed;
pub mod flink;
pub mod journal;
pub mod kafka;
pub mod law;
pub mod outside;
pub mod registry;
pub mod state;

use std::sync::{Arc, Mutex, MutexGuard};

use cyanotype::daemon::ports::Ports;
use cyanotype::model::job::JobRef;
use cyanotype::port::{PortError, PortResult};
use tokio::sync::Notify;
use tokio::time::Instant;

pub use deed::Deed;
pub use state::State;

/// How long a call takes, milliseconds.
const CALL_MS: u64 = 1;
/// Calls after which a world has gone astray: a scene needs a few thousand.
const MOST_CALLS: u64 = 100_000;

/// Where a daemon may be killed: right after an entry of the journal, or right after a deed whose outcome is not journaled.
#[derive(Clone)]
pub struct Moment {
    /// What had just happened.
    pub what: String,
    /// Everything outside of the daemon then.
    pub state: State,
    /// Before the deed, and the deed: for a call that was sent and lands late.
    pub sent: Option<(State, Deed)>,
}

/// When the lead is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Right after that many entries of the journal.
    Entries(usize),
    /// Right after that many calls that changed something.
    Deeds(usize),
}

/// The world.
pub struct World {
    state: Mutex<State>,
    began: Instant,
    moments: Option<Mutex<Vec<Moment>>>,
    loss: Mutex<Option<(Loss, Arc<Notify>)>>,
}

/// Whether a world keeps every moment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Every moment.
    Moments,
    /// Only the end.
    End,
}

impl World {
    /// The world going on from `state`. Time is tokio's, which stands still while somebody works.
    pub fn new(state: State, keep: Keep) -> Arc<Self> {
        let moments = (keep == Keep::Moments).then(Mutex::default);
        Arc::new(Self { state: Mutex::new(state), began: Instant::now(), moments, loss: Mutex::default() })
    }

    /// The state as it is now: jobs and connectors have done what they had time for.
    pub fn now(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap();
        state.now_ms = state.base_ms + i64::try_from(self.began.elapsed().as_millis()).unwrap();
        state.catch_up_with_time();
        state
    }

    /// A state that another world can go on from.
    pub fn kept(&self) -> State {
        continued(&self.now())
    }

    /// Every moment so far.
    pub fn moments(&self) -> Vec<Moment> {
        self.moments.as_ref().map(|m| m.lock().unwrap().clone()).unwrap_or_default()
    }

    /// Takes the lead away then; the answer tells when it has happened.
    pub fn take_lead_away(&self, loss: Loss) -> Arc<Notify> {
        let told = Arc::new(Notify::new());
        *self.loss.lock().unwrap() = Some((loss, Arc::clone(&told)));
        told
    }

    fn lose(&self, state: &mut State) {
        let now = |loss: Loss| match loss {
            Loss::Entries(n) => state.journal.written() == n,
            Loss::Deeds(n) => state.deeds == n,
        };
        if let Some((_, told)) = self.loss.lock().unwrap().take_if(|(loss, _)| now(*loss)) {
            state.journal.leader = journal::NOBODY;
            told.notify_one();
        }
    }

    fn keep(&self, moment: impl FnOnce() -> Moment) {
        if let Some(moments) = &self.moments {
            moments.lock().unwrap().push(moment());
        }
    }
}

fn continued(state: &State) -> State {
    State { base_ms: state.now_ms, ..state.clone() }
}

/// One daemon's place in the world.
#[derive(Clone)]
pub struct Seat {
    world: Arc<World>,
    /// Which daemon, from 1.
    life: u64,
}

impl Seat {
    /// The ports of the next daemon.
    pub fn take(world: &Arc<World>) -> Self {
        let mut state = world.now();
        state.lives += 1;
        Self { world: Arc::clone(world), life: state.lives }
    }

    /// The ports of somebody who only looks.
    pub fn onlooker(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world), life: 0 }
    }

    /// Every port.
    pub fn ports(&self) -> Ports {
        let seat = Arc::new(self.clone());
        Ports {
            registry: seat.clone(),
            topics: seat.clone(),
            engine: seat.clone(),
            connectors: seat.clone(),
            repository: seat.clone(),
            journal: seat.clone(),
            notifier: seat.clone(),
            clock: seat,
        }
    }

    /// Looks.
    async fn look<T>(&self, look: impl FnOnce(&mut State) -> PortResult<T>) -> PortResult<T> {
        self.moment().await;
        look(&mut self.world.now())
    }

    /// Changes something.
    async fn act(&self, deed: Deed) -> PortResult<Option<JobRef>> {
        // A call that was sent cannot be taken back: who led then may do it.
        let led = self.world.now().journal.leader == self.life;
        self.moment().await;
        let mut state = self.world.now();
        if !led {
            let life = self.life;
            state.offence(format!("daemon {life} does not lead any more and would {deed}"));
        }
        law::judge(&mut state, &deed);
        let sent = self.world.moments.as_ref().map(|_| (continued(&state), deed.clone()));
        let outcome = state.carry_out(&deed);
        state.deeds += 1;
        let number = state.deeds;
        self.world.keep(|| Moment { what: format!("deed {number}, {deed}"), state: continued(&state), sent });
        self.world.lose(&mut state);
        if state.losing == Some(number) {
            return Err(unreachable("the world"));
        }
        outcome
    }

    async fn moment(&self) {
        tokio::time::sleep(std::time::Duration::from_millis(CALL_MS)).await;
        let mut state = self.world.state.lock().unwrap();
        state.calls += 1;
        assert!(state.calls < MOST_CALLS, "the world does not come to rest: {}", state.journal.tail());
    }
}

fn unreachable(system: &'static str) -> PortError {
    PortError::Unreachable { system, address: "memory".to_owned(), reason: "no answer".to_owned() }
}

fn refused(system: &'static str, what: impl Into<String>, reason: &str) -> PortError {
    PortError::Refused { system, what: what.into(), reason: reason.to_owned() }
}

fn missing(system: &'static str, what: impl Into<String>) -> PortError {
    PortError::Missing { system, what: what.into() }
}
