//! `cyanotype adopt`: takes over what somebody else started.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::apply::Wait;
use super::client::understood;
use super::deploy::{hand_over, sound};
use super::output::{Failure, Reply};
use super::plan::Planned;
use super::project::{self, Diagnosed, Missing};
use super::{Shell, wire};
use crate::config::{Need, Scope};
use crate::daemon::found::{self, NotFound};
use crate::daemon::gather;
use crate::model::manifest::Manifest;
use crate::model::work::RunningJob;
use crate::plan::input::Adoption;
use crate::plan::{self, Cause};

/// Take over jobs and connectors that somebody else started, as they run: they are matched with the project's files by what
/// they read, write and do; what does not fit is left out with the reason, what is ambiguous is asked.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the project [default: `project` of the configuration].
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
    /// Show what would be taken over, and take over nothing.
    #[arg(long)]
    dry_run: bool,
    /// The job of a table, where several write it: Flink's id.
    #[arg(long = "job", value_name = "TABLE=ID", value_parser = answer)]
    jobs: Vec<(String, String)>,
    /// Leave a table out, and with it all that reads it.
    #[arg(long, value_name = "TABLE")]
    leave: Vec<String>,
    #[command(flatten)]
    wait: Wait,
}

/// `orders=<id>` in its parts.
fn answer(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((table, id)) if !table.is_empty() && !id.is_empty() => Ok((table.to_owned(), id.to_owned())),
        _ => Err("write it as TABLE=ID, with the id that Flink shows for the job".to_owned()),
    }
}

/// Nothing fits.
const NOTHING: &str = "nothing is taken over: mend what is named, or `cyanotype deploy` what does not run at all";
/// Nothing is changed while this is so.
const BLOCKED: &str = "nothing is taken over until this is answered";

/// `GET /api/v1/jobs`.
#[derive(serde::Deserialize)]
pub(super) struct Known {
    pub jobs: BTreeMap<String, RunningJob>,
}

pub(super) async fn run(args: Args, shell: &Shell) -> Result<Reply, Failure> {
    let config = shell.config(Need::Everything)?;
    let dir = project::folder(args.project.as_ref(), &config);
    let read = project::read(&dir, &config.env.variables(), Missing::Reported).await?;
    let read = match sound(read, BLOCKED) {
        Ok(read) => read,
        Err(reply) => return Ok(reply),
    };
    let ports = wire::ports(&config, &dir)?;
    let settings = wire::settings(&config.env)?;
    let said = shell.client(Scope::Read)?.get(&["manifest"]).await?;
    let manifest: Manifest = understood(&said, "the manifest")?;
    shell.say("looking at what runs");
    let said = shell.client(Scope::Read)?.get(&["jobs"]).await?;
    let known: Known = understood(&said, "the jobs")?;
    let adoption = match found::look(&ports, &settings, (&manifest, &known.jobs), read.project.manifest).await {
        Ok(adoption) => adoption,
        Err(NotFound::Files(problems)) => return Ok(Reply::no(Diagnosed::new(problems, read.texts, "")).help(BLOCKED)),
        Err(NotFound::Port(error)) => {
            let help = "`cyanotype doctor` looks at every system";
            return Err(Failure::new("what runs cannot be looked at").because(&error).help(help));
        }
    };
    let jobs: BTreeMap<String, String> = args.jobs.into_iter().collect();
    let leave: BTreeSet<String> = args.leave.into_iter().collect();
    let cause = Cause::Adopt(Box::new(Adoption { jobs, leave, ..adoption }));
    let input = gather::input(&ports, None, &settings, manifest, cause)
        .await
        .map_err(|e| Failure::new("what planning looks at cannot be gathered").because(&e))?;
    let planned = plan::plan(&input);
    let Some(plan) = planned.plan else {
        return Ok(Reply::no(Diagnosed::new(planned.diagnostics, read.texts, "")).help(BLOCKED));
    };
    if plan.is_empty() && !plan.untouched.is_empty() {
        return Ok(Reply::no(Planned::new(plan)).help(NOTHING));
    }
    if plan.is_empty() || args.dry_run {
        return Ok(Reply::yes(Planned::new(plan)));
    }
    plan.to_string().lines().for_each(|line| shell.say(line));
    hand_over(plan, &ports, &settings, &args.wait, shell).await
}
