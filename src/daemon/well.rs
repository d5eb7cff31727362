//! Whether green is well: before somebody approves it, before a connector goes to it, and before blue is removed.
//!
//! Rules: what was proven is still there, so a topic of green that is gone, or holds less than was read of it, is not the one
//! that was proven; a job that has ended serves nobody; a connector that is paused, failed, or on another topic than the one
//! that it was moved to keeps blue in being. Flink shows a job as it was up to a few seconds ago.

use super::answer::within;
use super::handle::{Refusal, RefusalCause};
use super::turn::Daemon;
use crate::model::effect::Effect;
use crate::port::PortError;
use crate::rollout::Rollout;

impl Daemon {
    /// Whether green is what was proven, and runs.
    ///
    /// # Errors
    /// What is not so, or cannot be seen.
    pub(super) async fn green_stands(&self, rollout: &Rollout) -> Result<(), Refusal> {
        let moved = |text: String| Err(Refusal::new(RefusalCause::AssumptionsMoved, text));
        for job in rollout.jobs.values() {
            let state = within(async {
                match self.ports.engine.health(&job.id).await {
                    Err(PortError::Missing { .. }) => Ok("unknown to Flink".to_owned()),
                    health => health.map(|health| health.state),
                }
            });
            let state = state.await?;
            match state.as_str() {
                "RUNNING" => {}
                "CREATED" | "INITIALIZING" | "RESTARTING" | "FAILING" | "RECONCILING" => {
                    let text = format!("green's job {} is {state}: wait until it runs again", job.name);
                    return Err(Refusal::new(RefusalCause::Unchecked, text));
                }
                _ => {
                    return moved(format!("green's job {} is {state}: abort, and let it be planned again", job.name));
                }
            }
            if let Some(text) = within(self.not_as_proven(rollout, &job.topic)).await? {
                return moved(text);
            }
        }
        Ok(())
    }

    /// Why `topic` is not the one that was proven; `None` when it may be.
    async fn not_as_proven(&self, rollout: &Rollout, topic: &str) -> Result<Option<String>, PortError> {
        if self.ports.topics.describe(topic).await?.is_none() {
            return Ok(Some(format!("green's topic {topic} is gone: abort, and let it be planned again")));
        }
        let Some(read) = rollout.evidence.as_ref().and_then(|evidence| evidence.read.get(topic)) else {
            return Ok(None);
        };
        let ends = self.ports.topics.visible_ends(topic).await?;
        let less = read.iter().any(|(partition, read)| ends.get(partition).is_none_or(|end| end < read));
        Ok(less.then(|| {
            format!(
                "green's topic {topic} holds less than was read of it when it was proven, so somebody made it anew: abort, \
                 and let it be planned again"
            )
        }))
    }

    /// Why blue is not retired yet: a job of green that does not run and complete checkpoints, or a connector that does not
    /// serve from green's topic.
    pub(super) async fn not_well(&self, rollout: &Rollout) -> Option<String> {
        for job in rollout.jobs.values() {
            match self.ports.engine.health(&job.id).await {
                Ok(health) if health.state == "RUNNING" && health.checkpoints_since_exception > 0 => {}
                Ok(health) if health.state == "RUNNING" => {
                    return Some(format!("green's job {} completes no checkpoint", job.name));
                }
                Ok(health) => return Some(format!("green's job {} is {}", job.name, health.state)),
                Err(error) => return Some(error.to_string()),
            }
        }
        for effect in &rollout.work.promoting {
            let Effect::MoveConnector { name, to, .. } = effect else { continue };
            match self.does_not_serve(name, to).await {
                Ok(None) => {}
                Ok(Some(why)) => return Some(why),
                Err(error) => return Some(error.to_string()),
            }
        }
        None
    }

    /// Why the connector does not write `topic` to its destination.
    async fn does_not_serve(&self, name: &str, topic: &str) -> Result<Option<String>, PortError> {
        let Some(config) = self.ports.connectors.config(name).await? else {
            return Ok(Some(format!("connector {name} is gone")));
        };
        let reads = config.get("topics").map_or("", String::as_str);
        if reads != topic {
            return Ok(Some(format!("connector {name} reads {reads} and not {topic}")));
        }
        let Some(status) = self.ports.connectors.status(name).await? else {
            return Ok(Some(format!("connector {name} is gone")));
        };
        let runs = !status.tasks.is_empty() && status.tasks.iter().all(|task| task == "RUNNING");
        if runs && status.state == "RUNNING" {
            return Ok(None);
        }
        let tasks = if status.tasks.is_empty() { "none".to_owned() } else { status.tasks.join(", ") };
        let cause = status.failure.map(|cause| format!(": {cause}")).unwrap_or_default();
        Ok(Some(format!("connector {name} is {}, its tasks: {tasks}{cause}", status.state)))
    }
}
