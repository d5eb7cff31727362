//! `cyanotype deploy`: brings a project up from nothing.

use std::path::PathBuf;

use super::apply::Wait;
use super::output::{Failure, Reply};
use super::{Shell, not_built};

/// Bring a project up from nothing, in dependency order; run again, it changes nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the project [default: `project` of the configuration].
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub wait: Wait,
}

pub(super) async fn run(_args: Args, _shell: &Shell) -> Result<Reply, Failure> {
    Err(not_built("deploy"))
}
