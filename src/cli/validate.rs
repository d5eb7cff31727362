//! `cyanotype validate`: compares two topics, outside of any rollout.

use super::output::{Failure, Reply};
use super::{Shell, not_built};

/// Compare two topics: duplicates in green, and parity of blue and green.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Topic that serves.
    #[arg(long, value_name = "TOPIC")]
    pub blue: String,
    /// Topic that is to replace it.
    #[arg(long, value_name = "TOPIC")]
    pub green: String,
    /// Columns of the key [default: all columns of the record's key].
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub key: Vec<String>,
    /// Every record is a row: the topics hold no upserts.
    #[arg(long)]
    pub append: bool,
}

pub(super) async fn run(_args: Args, _shell: &Shell) -> Result<Reply, Failure> {
    Err(not_built("validate"))
}
