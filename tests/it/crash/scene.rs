//! A scene: a world to begin with, what people do, and when it is over.
//!
//! Rule: what people do follows from what they see, so that they go on after a daemon was killed as people would: they look
//! again, and ask again for what has not happened.

use std::collections::BTreeSet;
use std::time::Duration;

use cyanotype::daemon::found;
use cyanotype::daemon::gather;
use cyanotype::daemon::handle::{Decision, DecisionRequest, Handle, Refusal, RolloutView, View};
use cyanotype::daemon::ports::Ports;
use cyanotype::daemon::readers;
use cyanotype::daemon::settings::Settings;
use cyanotype::daemon::standing;
use cyanotype::plan::input::Removal;
use cyanotype::plan::{self, Cause};

use super::project;
use crate::world::State;

/// A scene.
pub struct Scene {
    /// What it is about.
    pub name: &'static str,
    /// How it begins.
    pub begin: fn() -> State,
    /// What the daemon is told beside the usual.
    pub settings: fn(&mut Settings),
    /// What people do when they see this.
    pub next: fn(&View, &State) -> Option<Act>,
    /// Where the rollouts are in the end, oldest first.
    pub end: &'static [&'static str],
}

/// What people do.
pub enum Act {
    /// Hand the plan of a first deployment to the daemon.
    Deploy,
    /// Hand the plan of an adoption to the daemon.
    Adopt,
    /// Hand the plan that takes everything down to the daemon, topics too or not.
    Undeploy {
        /// True to delete topics.
        topics: bool,
    },
    /// Say yes to the rollout.
    Approve(String),
    /// Say no to it.
    Reject(String),
    /// Give it up, roll it back, or try again what failed.
    Abort(String),
    /// Have it validated again.
    Revalidate(String),
    /// Something that no daemon hears of.
    World(fn(&mut State)),
}

impl Act {
    /// Does it; what the daemon says against it, if it does.
    pub async fn perform(self, handle: &Handle, ports: &Ports, settings: &Settings) -> Result<(), Refusal> {
        let (by, via) = ("Ada".to_owned(), "token ada".to_owned());
        match self {
            Self::Deploy => {
                let cause = Cause::Deploy { project: project::read(&project::files()).manifest };
                handle.apply(planned(ports, settings, &handle.view(), cause).await).await.map(drop)
            }
            Self::Adopt => {
                let project = project::read(&project::files()).manifest;
                let view = handle.view();
                let found = found::look(ports, settings, (&view.manifest, &view.jobs), project).await.unwrap();
                let cause = Cause::Adopt(Box::new(found));
                handle.apply(planned(ports, settings, &view, cause).await).await.map(drop)
            }
            Self::Undeploy { topics } => {
                let view = handle.view();
                let jobs = view.jobs.iter().map(|(table, job)| (table.clone(), job.id.clone())).collect();
                let readers = readers::besides(ports, settings, &view.manifest, &jobs, found::SAYS_MS).await.unwrap();
                let removal = Removal { delete_topics: topics, readers, jobs, despite: BTreeSet::new() };
                handle.apply(planned(ports, settings, &view, Cause::Undeploy(removal)).await).await.map(drop)
            }
            Self::Approve(id) => decide(handle, id, Decision::Approve).await,
            Self::Reject(id) => decide(handle, id, Decision::Reject).await,
            Self::Abort(id) => handle.abort(id, by, via).await.map(drop),
            Self::Revalidate(id) => handle.revalidate(id, by, via).await.map(drop),
            Self::World(_) => Ok(()),
        }
    }
}

async fn decide(handle: &Handle, id: String, decision: Decision) -> Result<(), Refusal> {
    let evidence = handle.view().rollouts.iter().find(|r| r.id == id).and_then(|r| r.evidence_digest.clone());
    let evidence = evidence.unwrap();
    let request = DecisionRequest {
        delivery: format!("{id} {evidence}"),
        rollout: id,
        decision,
        content: Some(evidence.clone()),
        evidence,
        by: "Ada".to_owned(),
        via: "webhook chat".to_owned(),
        comment: None,
    };
    handle.decide(request).await.map(drop)
}

/// The plan that the command line hands over.
async fn planned(ports: &Ports, settings: &Settings, view: &View, cause: Cause) -> serde_json::Value {
    let input = gather::input(ports, None, settings, view.manifest.clone(), cause).await.unwrap();
    let plan = standing::settle(ports, settings, plan::plan(&input).plan.unwrap()).await.unwrap();
    serde_json::to_value(plan).unwrap()
}

/// The newest rollout, if it is in that state.
pub fn newest<'v>(view: &'v View, state: &str) -> Option<&'v RolloutView> {
    view.rollouts.first().filter(|r| r.state == state)
}

/// The rollouts' states, oldest first.
pub fn states(view: &View) -> Vec<&str> {
    view.rollouts.iter().rev().map(|r| r.state.as_str()).collect()
}

/// Longest time that a scene takes.
pub const LIMIT: Duration = Duration::from_secs(4 * 3600);
