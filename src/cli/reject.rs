//! `cyanotype reject`: says no to a rollout.

use std::fmt::{self, Display, Formatter};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::Shell;
use super::approve::Who;
use super::client::understood;
use super::output::{Failure, Reply, plain};
use super::show::fetch;
use super::view::Taken;
use crate::config::Scope;

/// Say no to a rollout: green is taken down, blue goes on.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Rollout, as `status` lists it.
    id: String,
    /// Digest of the evidence that the no is given on [default: the rollout's newest].
    #[arg(long, value_name = "DIGEST")]
    evidence: Option<String>,
    #[command(flatten)]
    who: Who,
}

pub(super) async fn run(args: Args, shell: &Shell) -> Result<Reply, Failure> {
    let by = args.who.named()?;
    let client = shell.client(Scope::Approve)?;
    let evidence = match args.evidence {
        Some(digest) => digest,
        None => {
            let rollout = fetch(&client, &args.id).await?.rollout;
            rollout.evidence_digest.ok_or_else(|| {
                Failure::refused(format!("rollout {} has no evidence to say no to", rollout.id))
                    .help(format!("give it up with `cyanotype abort {}`", rollout.id))
            })?
        }
    };
    let body = json!({ "evidence": evidence, "by": by, "comment": args.who.comment });
    let said = client.post(&["rollouts", &args.id, "reject"], &body).await?;
    Ok(Reply::yes(Decided { taken: understood(&said, "the answer")?, said }))
}

/// What the daemon did about a wish.
pub(super) struct Decided {
    pub taken: Taken,
    pub said: Value,
}

impl Serialize for Decided {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.said.serialize(serializer)
    }
}

impl Display for Decided {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Taken { rollout, state, message } = &self.taken;
        writeln!(f, "{}: {} (state {})", plain(rollout), plain(message), plain(state))
    }
}
