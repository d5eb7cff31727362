//! `cyanotype abort`: gives a rollout up, or rolls it back when it has been promoted.

use serde_json::json;

use super::Shell;
use super::client::understood;
use super::output::{Failure, Reply};
use super::reject::Decided;
use crate::config::Scope;

/// Which rollout, and who asks.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Rollout, as `status` lists it.
    id: String,
    /// Who asks; the journal keeps it beside the token's name.
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true)]
    by: Option<String>,
}

pub(super) async fn run(args: Args, shell: &Shell) -> Result<Reply, Failure> {
    ask(args, "abort", shell).await
}

/// Posts a wish that needs no more than a name.
pub(super) async fn ask(args: Args, wish: &str, shell: &Shell) -> Result<Reply, Failure> {
    let client = shell.client(Scope::Abort)?;
    let by = args.by.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let by = by.ok_or_else(|| Failure::new("nobody is named for the wish").help("say who asks with --by NAME"))?;
    let said = client.post(&["rollouts", &args.id, wish], &json!({ "by": by })).await?;
    Ok(Reply::yes(Decided { taken: understood(&said, "the answer")?, said }))
}
