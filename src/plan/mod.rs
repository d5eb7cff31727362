//! From an evolution, changed statements, or a project, to the smallest right set of changes: pure, deterministic, explained.
//!
//! Reading order: [`project`] turns files into a manifest, [`estate`] a manifest into parsed statements, [`graph`] says what
//! depends on what, [`impact`] which tables become green and why, [`rewrite`] how their SQL changes, `defaults` what old
//! records get in a new column, [`parity`] how each column is proven, [`start`] from where green begins (`hint`: what
//! hints say of that), [`job`] what a session needs, [`cascade`] what every cascade has in common, [`meaning`] what statements say, [`evolve`], [`change`],
//! [`deploy`], [`adopt`] and [`undeploy`] put a [`document::Plan`] together, [`standing`] what it stands on, [`report`]
//! prints it; [`trace`] answers where a column comes from and goes to, [`check`] what else is wrong with the files.
//!
//! Rules: planning changes nothing in the world; the same input gives the same bytes; what is not understood blocks the
//! plan with a diagnostic; SQL is changed by edits on spans only.

pub mod adopt;
pub mod cascade;
pub mod change;
pub mod check;
mod connector;
mod defaults;
pub mod deploy;
pub mod document;
pub mod estate;
pub mod evolve;
pub mod graph;
mod hint;
pub mod impact;
pub mod input;
pub mod job;
pub mod meaning;
pub mod parity;
pub mod project;
pub mod report;
pub mod rewrite;
pub mod standing;
pub mod start;
pub mod trace;
pub mod undeploy;

pub use document::Plan;
pub use input::{Cause, PlanInput, Policy};

use crate::diagnostic::Diagnostic;

/// The outcome of planning: a plan, or the errors that block it; neither when the change reaches no statement.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The plan, if nothing blocks it.
    pub plan: Option<Plan>,
    /// What blocks it, and what a person should look at.
    pub diagnostics: Vec<Diagnostic>,
}

/// Plans. Total and deterministic.
pub fn plan(input: &PlanInput) -> Planned {
    match &input.cause {
        Cause::Deploy { project } => deploy::plan(input, project),
        Cause::Evolution(evolution) => evolve::plan(input, evolution),
        Cause::Change(change) => change::plan(input, change),
        Cause::Adopt(adoption) => adopt::plan(input, adoption),
        Cause::Undeploy(removal) => undeploy::plan(input, removal),
    }
}
