//! `cyanotype rollback`: makes blue serve again, after a promotion.

use super::Shell;
use super::abort::{self, Args};
use super::output::{Failure, Reply};

/// Asks the daemon to roll a promoted rollout back; refused where nothing has been promoted, or blue is being removed.
pub(super) async fn run(args: Args, shell: &Shell) -> Result<Reply, Failure> {
    abort::ask(args, "rollback", shell).await
}
