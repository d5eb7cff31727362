//! `cyanotype plan`: what a change means, before anything is done.

use std::path::PathBuf;

use super::output::{Failure, Reply};
use super::{Shell, not_built};

/// Show what a change means: impacted statements with the reason for each, SQL, start points, cost.
///
/// With --subject, --old and --new it works on files alone; without them it asks the registry and the daemon what has
/// changed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the project [default: `project` of the configuration].
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// Schema before the change.
    #[arg(long, value_name = "FILE", requires_all = ["new", "subject"])]
    pub old: Option<PathBuf>,
    /// Schema after the change.
    #[arg(long, value_name = "FILE", requires_all = ["old", "subject"])]
    pub new: Option<PathBuf>,
    /// Subject whose schema changes, such as `shop.shop.orders-value`.
    #[arg(long, value_name = "SUBJECT")]
    pub subject: Option<String>,
    /// Write the plan to a file for `apply` as well.
    #[arg(long, value_name = "FILE")]
    pub rollout_plan_out: Option<PathBuf>,
    /// Exit with 1 when there is something to do.
    #[arg(long)]
    pub exit_code: bool,
}

pub(super) async fn run(_args: Args, _shell: &Shell) -> Result<Reply, Failure> {
    Err(not_built("plan"))
}
