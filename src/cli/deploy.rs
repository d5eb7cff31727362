//! `cyanotype deploy`: brings a project up from nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::apply::{Wait, follow};
use super::client::understood;
use super::output::{Failure, Reply};
use super::plan::Planned;
use super::project::{self, Diagnosed, Missing, Offline, Read};
use super::view::Taken;
use super::{Shell, wire};
use crate::config::{Need, Scope};
use crate::daemon::ports::Ports;
use crate::daemon::settings::Settings;
use crate::daemon::{gather, standing};
use crate::model::manifest::Manifest;
use crate::plan::{self, Cause, Plan, PlanInput};

/// How long input topics may be missing: a source connector makes them with its first records.
const TOPICS_LIMIT: Duration = Duration::from_secs(60);
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// Bring a project up from nothing, in dependency order; run again, it changes nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the project [default: `project` of the configuration].
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Ask no system: nothing counts as deployed yet. Only with --dry-run.
    #[arg(long, requires = "dry_run")]
    pub offline: bool,
    #[command(flatten)]
    pub wait: Wait,
}

pub(super) async fn run(args: Args, shell: &Shell) -> Result<Reply, Failure> {
    if args.offline {
        return from_files(&args, shell).await;
    }
    let config = shell.config(Need::Everything)?;
    let dir = project::folder(args.project.as_ref(), &config);
    let read = project::read(&dir, &config.env.variables(), Missing::Reported).await?;
    let read = match sound(read, BLOCKED) {
        Ok(read) => read,
        Err(reply) => return Ok(reply),
    };
    let ports = wire::ports(&config, &dir)?;
    let settings = wire::settings(&config.env)?;
    let said = shell.client(Scope::Read)?.get(&["manifest"]).await;
    let said = said.map_err(|failure| if args.dry_run { failure.help(WITHOUT) } else { failure })?;
    let manifest: Manifest = understood(&said, "the manifest")?;
    inputs_exist(&ports, &read.project.manifest, shell).await?;
    let cause = Cause::Deploy { project: read.project.manifest };
    let input = gather::input(&ports, None, &settings, manifest, cause)
        .await
        .map_err(|e| Failure::new("what planning looks at cannot be gathered").because(&e))?;
    let planned = plan::plan(&input);
    let Some(plan) = planned.plan else {
        return Ok(Reply::no(Diagnosed::new(planned.diagnostics, read.texts, "")).help(BLOCKED));
    };
    if plan.is_empty() || args.dry_run {
        return Ok(Reply::yes(Planned::new(plan)));
    }
    hand_over(plan, &ports, &settings, &args.wait, shell).await
}

/// Gives the daemon a plan, with what it stands on; and waits for the rollout's end if asked to.
pub(super) async fn hand_over(
    plan: Plan,
    ports: &Ports,
    settings: &Settings,
    wait: &Wait,
    shell: &Shell,
) -> Result<Reply, Failure> {
    let plan = standing::settle(ports, settings, plan)
        .await
        .map_err(|e| Failure::new("what the plan stands on cannot be looked at").because(&e))?;
    let document = serde_json::to_value(&plan).map_err(|e| Failure::new("the plan cannot be sent").because(&e))?;
    let said = shell.client(Scope::Apply)?.post(&["rollouts"], &document).await?;
    let taken: Taken = understood(&said, "the answer")?;
    follow(&shell.client(Scope::Read)?, &taken.rollout, Duration::from_secs(wait.timeout), shell).await
}

/// How a dry run does without a daemon.
const WITHOUT: &str = "start the daemon with `cyanotype serve`, or add --offline: then nothing counts as deployed yet";
const BLOCKED: &str = "nothing is deployed until this is mended";

/// The project, if something can be done with it: every statement read, every placeholder with a value.
pub(super) fn sound(read: Read, blocked: &str) -> Result<Read, Reply> {
    if !plan::project::broken(&read.project.diagnostics) {
        return Ok(read);
    }
    Err(Reply::no(Diagnosed::new(read.project.diagnostics, read.texts, "")).help(blocked))
}

/// What a first deployment would do, from files alone.
async fn from_files(args: &Args, shell: &Shell) -> Result<Reply, Failure> {
    let Offline { dir, vars, missing, settings, .. } = project::offline(shell, args.project.as_ref())?;
    let read = project::read(&dir, &vars, missing).await?;
    let read = match sound(read, BLOCKED) {
        Ok(read) => read,
        Err(reply) => return Ok(reply),
    };
    let input = PlanInput {
        env: shell.env.clone().unwrap_or_else(|| "offline".to_owned()),
        manifest: Manifest::default(),
        cause: Cause::Deploy { project: read.project.manifest },
        policy: wire::plan_policy(&crate::config::Policy::default()),
        vars,
        settings,
        topics: BTreeMap::new(),
        subjects: BTreeMap::new(),
    };
    let planned = plan::plan(&input);
    Ok(match planned.plan {
        Some(plan) => Reply::yes(Planned::new(plan)),
        None => Reply::no(Diagnosed::new(planned.diagnostics, read.texts, "")).help(BLOCKED),
    })
}

/// Waits until every input topic exists: a job that reads a missing topic fails.
async fn inputs_exist(ports: &Ports, project: &Manifest, shell: &Shell) -> Result<(), Failure> {
    let started = Instant::now();
    for topic in gather::input_topics(project) {
        let mut said = false;
        loop {
            let found = ports.topics.describe(&topic).await;
            if found
                .map_err(|e| {
                    Failure::new("Kafka cannot be asked").because(&e).help("`cyanotype doctor` looks at every system")
                })?
                .is_some()
            {
                break;
            }
            if started.elapsed() > TOPICS_LIMIT {
                return Err(Failure::new(format!("input topic {topic} does not exist"))
                    .help("start its source connector; Debezium makes a topic with the first row of its table"));
            }
            if !said {
                shell.say(&format!("waiting for input topic {topic}"));
                said = true;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
    Ok(())
}
