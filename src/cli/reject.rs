//! `cyanotype reject`: says no to a rollout.

use std::fmt::{self, Display, Formatter};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::Shell;
use super::approve::Who;
use super::client::understood;
use super::output::{Failure, Reply, plain};
use super::show::fetch;
use super::view::{Rollout, Taken};
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
            rollout.evidence_digest.clone().ok_or_else(|| without_evidence(&rollout))?
        }
    };
    let body = json!({ "evidence": evidence, "by": by, "comment": args.who.comment });
    let said = client.post(&["rollouts", &args.id, "reject"], &body).await?;
    Ok(Reply::yes(Decided { taken: understood(&said, "the answer")?, said }))
}

fn without_evidence(rollout: &Rollout) -> Failure {
    let failure = Failure::refused(format!("rollout {} has no evidence to say no to", rollout.id));
    let abort = || format!("give it up with `cyanotype abort {}`", rollout.id);
    failure.help(if rollout.ended { over(rollout) } else { abort() })
}

/// The help where nothing can be decided any more.
pub(super) fn over(rollout: &Rollout) -> String {
    format!("it has ended; `cyanotype show {}` says how", rollout.id)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_is_not_to_be_given_up() {
        let help = |ended| without_evidence(&Rollout { id: "r1".to_owned(), ended, ..Rollout::default() }).help;
        assert_eq!(help(true).as_deref(), Some("it has ended; `cyanotype show r1` says how"));
        assert_eq!(help(false).as_deref(), Some("give it up with `cyanotype abort r1`"));
    }
}
