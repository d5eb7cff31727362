//! `cyanotype check`: reads a project and says everything that is wrong with it.

use std::path::PathBuf;

use super::output::{Failure, Reply};
use super::{Shell, not_built};

/// Read a project and say everything that is wrong with it. Needs no system.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the project [default: `project` of the configuration].
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

pub(super) async fn run(_args: Args, _shell: &Shell) -> Result<Reply, Failure> {
    Err(not_built("check"))
}
