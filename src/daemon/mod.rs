//! The daemon: one loop, one writer of the journal.
//!
//! Reading order: [`settings`] and [`ports`], [`leading`] guards these, [`stand_by`] waits for the lead, `pick_up` makes up
//! for what the daemon before left; [`turn`] is the loop, `append` journals for it, `beside` what runs beside it, `tell` what the outside is told.
//! [`watch`] sees evolutions and audits topics, [`subjects`] says what belongs to which, [`nulls`] what a default stands on, `evolve` decides on what was seen, [`gather`] brings
//! together what planning looks at. `answer` takes plans and decisions, `back` says what going back means, [`standing`]
//! whether what a plan stands on has moved, `well` whether green is what was proven and serves. [`execute`] carries one effect out, `switch` moves a sink connector so that its
//! destination stays exact, [`hold`] says when an output holds a cut, [`prove`] reads both outputs and compares. [`branch`]
//! puts green's statements where people review them, `snapshot` keeps the journal short, [`view`] is what the outside sees
//! (its form is in [`shown`]), [`handle`] how it asks; `failpoint` kills the process in tests.
//!
//! Rules: an event is journaled before it is acted on; what is to be done follows from the ledger alone; long work runs
//! beside the loop, at most one piece for each rollout, and comes back as an event.

mod answer;
mod append;
mod back;
mod beside;
pub mod branch;
mod evolve;
pub mod execute;
#[cfg(debug_assertions)]
mod failpoint;
pub mod found;
pub mod gather;
pub mod handle;
pub mod hold;
pub mod leading;
pub mod nulls;
mod pick_up;
pub mod ports;
pub mod prove;
pub mod readers;
pub mod settings;
pub mod shown;
mod snapshot;
pub mod stand_by;
pub mod standing;
pub mod subjects;
mod switch;
mod tell;
pub mod turn;
pub mod view;
pub mod watch;
mod well;

#[cfg(test)]
mod tests;
