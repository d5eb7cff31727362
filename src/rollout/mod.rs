//! The durable state machine that carries a plan out.
//!
//! Rules: an event is journaled before it is acted on; replay and live handling go through [`transition::next`]; what is
//! to be done follows from the state alone ([`todo::todo`]), so that a daemon which was killed anywhere goes on to the
//! same end; what is over is folded into snapshots ([`snapshot`]). Nothing blue is stopped, dropped or repointed before an
//! approval that names the evidence it was given on.

pub mod document;
pub mod event;
pub mod ledger;
pub mod replay;
pub mod snapshot;
pub mod state;
pub mod todo;
pub mod transition;

pub use event::{Approval, Delivery, Entry, Event, Kind, NewRollout, Terms};
pub use ledger::Ledger;
pub use replay::{Unreadable, replay};
pub use state::{Rollout, State};
pub use todo::{Todo, WaitingOn, todo};
pub use transition::{Illegal, next};
