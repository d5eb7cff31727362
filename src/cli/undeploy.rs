//! `cyanotype undeploy`: takes a project down.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::adopt::Known;
use super::client::understood;
use super::output::{Colour, Failure, Reply, Shown};
use super::plan::Planned;
use super::project::{Diagnosed, folder};
use super::view::Taken;
use super::{Shell, wire};
use crate::config::{Need, Scope};
use crate::daemon::found::SAYS_MS;
use crate::daemon::{gather, readers};
use crate::model::manifest::Manifest;
use crate::plan::input::Removal;
use crate::plan::{self, Cause, Plan};

/// Take down what is deployed: connectors, then jobs, what reads before what it reads. It waits for an approval of the plan,
/// and is refused while something else reads the project's topics.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Show what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Delete the topics of the project's statements as well, with their subjects.
    #[arg(long)]
    delete_topics: bool,
    /// Go on although this reads a topic, named as the refusal names it: `group reports`.
    #[arg(long, value_name = "READER")]
    despite: Vec<String>,
}

/// Nothing is done while this is so.
const BLOCKED: &str = "nothing is taken down until then";

pub(super) async fn run(args: Args, shell: &Shell) -> Result<Reply, Failure> {
    let config = shell.config(Need::Everything)?;
    let dir = folder(None, &config);
    let ports = wire::ports(&config, &dir)?;
    let settings = wire::settings(&config.env)?;
    let said = shell.client(Scope::Read)?.get(&["manifest"]).await?;
    let manifest: Manifest = understood(&said, "the manifest")?;
    let said = shell.client(Scope::Read)?.get(&["jobs"]).await?;
    let Known { jobs } = understood(&said, "the jobs")?;
    let jobs: BTreeMap<String, String> = jobs.into_iter().map(|(table, job)| (table, job.id)).collect();
    let help = "`cyanotype doctor` looks at every system";
    let readers = readers::besides(&ports, &settings, &manifest, &jobs, SAYS_MS)
        .await
        .map_err(|e| Failure::new("it cannot be seen who reads the topics").because(&e).help(help))?;
    let despite: BTreeSet<String> = args.despite.into_iter().collect();
    let cause = Cause::Undeploy(Removal { delete_topics: args.delete_topics, readers, despite, jobs });
    let input = gather::input(&ports, None, &settings, manifest, cause)
        .await
        .map_err(|e| Failure::new("what planning looks at cannot be gathered").because(&e).help(help))?;
    let planned = plan::plan(&input);
    let Some(plan) = planned.plan else {
        return Ok(Reply::no(Diagnosed::new(planned.diagnostics, Default::default(), "")).help(BLOCKED));
    };
    if plan.is_empty() || args.dry_run {
        return Ok(Reply::yes(Planned::new(plan)));
    }
    let document = serde_json::to_value(&plan).map_err(|e| Failure::new("the plan cannot be sent").because(&e))?;
    let said = shell.client(Scope::Apply)?.post(&["rollouts"], &document).await?;
    let taken: Taken = understood(&said, "the answer")?;
    Ok(Reply::yes(Waits { plan, taken, said }))
}

/// A plan that waits for a yes.
struct Waits {
    plan: Plan,
    taken: Taken,
    said: Value,
}

impl Shown for Waits {
    fn text(&self, _colour: Colour) -> String {
        let (plan, id) = (&self.plan, &self.taken.rollout);
        format!(
            "{plan}\nnothing is done yet: rollout {id} waits for a yes\n  cyanotype approve {id} --by NAME --evidence {}",
            plan.digest()
        )
    }

    fn json(&self) -> Value {
        self.said.clone()
    }
}
