//! `cyanotype serve`: the daemon.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::output::{Failure, Reply};
use super::{Shell, not_built};

/// Run the daemon: watch, plan, stage, prove, ask, promote, retire.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the project [default: `project` of the configuration].
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// Address to listen on [default: `api.listen` of the configuration].
    #[arg(long, value_name = "IP:PORT")]
    pub listen: Option<SocketAddr>,
}

pub(super) async fn run(_args: Args, _shell: &Shell) -> Result<Reply, Failure> {
    Err(not_built("serve"))
}
