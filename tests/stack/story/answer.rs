//! The daemon's answers, as far as the story reads them.

use cyanotype::model::verdict::Evidence;
use serde::Deserialize;
use serde_json::Value;

/// A rollout as `/api/v1/rollouts/{id}` shows it.
#[derive(Clone, Debug, Deserialize)]
pub struct Rollout {
    /// Id.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// `deploy`, `evolution`, ...
    pub kind: String,
    /// Where it stands.
    pub state: String,
    /// What it waits for.
    #[serde(default)]
    pub waiting_on: Option<Value>,
    /// When it was proposed, milliseconds since 1970.
    pub created_ms: i64,
    /// The plan.
    #[serde(default)]
    pub plan: Value,
    /// The last verdict.
    #[serde(default)]
    pub evidence: Option<Evidence>,
    /// What an approval must name.
    #[serde(default)]
    pub evidence_digest: Option<String>,
    /// What went wrong.
    #[serde(default)]
    pub error: Option<String>,
}

/// States that lead nowhere without a person.
const LOST: [&str; 9] =
    ["unproven", "rejected", "superseded", "aborting", "aborted", "rolling_back", "rolled_back", "stuck", "failed"];

impl Rollout {
    /// True when it will not get on by itself any more.
    pub fn lost(&self) -> bool {
        LOST.contains(&self.state.as_str())
    }

    /// What it waits for, as one line.
    pub fn waits_for(&self) -> String {
        match &self.waiting_on {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }

    /// Everything that says why it stands where it stands.
    pub fn why(&self) -> String {
        let mut why = format!("rollout {} is {}", self.id, self.state);
        if !self.waits_for().is_empty() {
            why.push_str(&format!("; it waits for: {}", self.waits_for()));
        }
        if let Some(error) = &self.error {
            why.push_str(&format!("; error: {error}"));
        }
        if let Some(evidence) = &self.evidence {
            why.push_str(&format!("; verdict: {:?}, {}", evidence.outcome, evidence.reason));
            for table in &evidence.tables {
                why.push_str(&format!("\n  {}: {:?}, {}", table.table, table.outcome, table.reason));
                for sample in table.samples.iter().take(3) {
                    why.push_str(&format!("\n    {sample}"));
                }
            }
        }
        why
    }
}

/// What `/api/v1/status` says of an evolution that may not be planned.
#[derive(Clone, Debug, Deserialize)]
pub struct Refused {
    /// Subject.
    pub subject: String,
    /// Version.
    pub version: i64,
    /// Why.
    pub reasons: Vec<String>,
}
