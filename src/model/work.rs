//! The part of a plan that is carried out: effects by phase, and how the result is proven.

use serde::{Deserialize, Serialize};

use super::effect::Effect;
use super::parity::{Hop, TableContract};

/// What a rollout does, phase by phase. Effects of a phase run in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// Deploys green beside blue.
    pub staging: Vec<Effect>,
    /// The cascade in dependency order; empty when nothing is to be proven (a first deployment).
    pub hops: Vec<Hop>,
    /// How each green table is proven.
    pub contracts: Vec<TableContract>,
    /// Makes green serve. Done only after an approval.
    pub promoting: Vec<Effect>,
    /// Removes blue. Done only after the soak.
    pub retiring: Vec<Effect>,
}

/// A job that was started: what the engine calls it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningJob {
    /// Physical name of the table that it writes.
    pub table: String,
    /// `pipeline.name`, unique for the attempt.
    pub name: String,
    /// The engine's id.
    pub id: String,
    /// What it reads: (logical or physical table, topic, consumer group), placeholders resolved.
    pub reads: Vec<ReadProgress>,
    /// The topic that it writes.
    pub topic: String,
    /// True when its sink is exactly once.
    pub exactly_once: bool,
}

/// How a job's progress on one topic is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadProgress {
    /// Physical table.
    pub table: String,
    /// Topic.
    pub topic: String,
    /// Consumer group; `None` means that progress is unknown.
    pub group: Option<String>,
}
