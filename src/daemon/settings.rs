//! What the daemon is told: taken from the configuration once, at the start.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::subjects::Subjects;
use crate::plan::Policy;
use crate::rollout::Terms;
use crate::schema::Level;

/// Settings of one environment. `Debug` shows no values of placeholders.
#[derive(Clone)]
pub struct Settings {
    /// Environment.
    pub env: String,
    /// Before every job's name.
    pub prefix: String,
    /// Where the API is reached, for links.
    pub url: String,
    /// Compatibility that an evolution must have; `None` asks what the registry has for its subject.
    pub level: Option<Level>,
    /// Policy for plans.
    pub policy: Policy,
    /// Terms for rollouts.
    pub terms: Terms,
    /// How long evidence can be approved, milliseconds.
    pub approval_ms: i64,
    /// How long a validation may go on, milliseconds.
    pub validation_ms: i64,
    /// Time between looks at the registry and the topics, milliseconds.
    pub poll_ms: u64,
    /// Session settings of every job.
    pub job_settings: BTreeMap<String, String>,
    /// Values of placeholders, secrets among them.
    pub vars: BTreeMap<String, String>,
    /// Values of placeholders for topic names, which plan and journal show.
    pub public_vars: BTreeMap<String, String>,
    /// Which subjects belong to which topic; what the records tell is added.
    pub subjects: Arc<Subjects>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("env", &self.env).field("policy", &self.policy).finish_non_exhaustive()
    }
}
