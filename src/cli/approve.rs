//! `cyanotype approve`: says yes to a rollout, on evidence that is named.
//!
//! Rules: nothing is approved that was not named or shown: without `--evidence` the evidence is shown, and counts only with
//! `--yes`; evidence that is not a pass is never sent.

use serde_json::json;

use super::client::{Client, understood};
use super::output::{Failure, Reply};
use super::show::{self, fetch};
use super::view::Taken;
use super::{Shell, reject};
use crate::config::Scope;
use crate::model::verdict::Outcome;

/// Say yes to a rollout, on the evidence that is named.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Rollout, as `status` lists it.
    id: String,
    /// Digest of the evidence that the yes is given on, as `show` prints it.
    #[arg(long, value_name = "DIGEST", conflicts_with = "yes")]
    evidence: Option<String>,
    /// Take the evidence that is shown now, without naming it.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    who: Who,
}

/// Who decides, and why.
#[derive(Debug, clap::Args)]
pub(super) struct Who {
    /// Who decides; the journal keeps it beside the token's name.
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true)]
    pub by: Option<String>,
    /// Why, for the journal.
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
}

impl Who {
    /// Who, which the daemon wants to know.
    pub fn named(&self) -> Result<&str, Failure> {
        let name = self.by.as_deref().map(str::trim).filter(|name| !name.is_empty());
        name.ok_or_else(|| Failure::new("nobody is named for the decision").help("say who decides with --by NAME"))
    }
}

pub(super) async fn run(args: Args, shell: &Shell) -> Result<Reply, Failure> {
    approve(&args, &shell.client(Scope::Approve)?, shell).await
}

async fn approve(args: &Args, client: &Client, shell: &Shell) -> Result<Reply, Failure> {
    let digest = match &args.evidence {
        Some(digest) => digest.clone(),
        None => match shown_evidence(args, client, shell).await? {
            Shown::Take(digest) => digest,
            Shown::Ask(reply) => return Ok(reply),
        },
    };
    let by = args.who.named()?;
    let body = json!({ "evidence": digest, "by": by, "comment": args.who.comment });
    let taken = client.post(&["rollouts", &args.id, "approve"], &body).await?;
    Ok(Reply::yes(reject::Decided { taken: understood::<Taken>(&taken, "the answer")?, said: taken }))
}

/// What becomes of evidence that was not named.
enum Shown {
    Take(String),
    Ask(Reply),
}

async fn shown_evidence(args: &Args, client: &Client, shell: &Shell) -> Result<Shown, Failure> {
    let shown: show::Shown = fetch(client, &args.id).await?;
    let rollout = &shown.rollout;
    let Some(digest) = rollout.evidence_digest.clone() else {
        return Err(Failure::refused(format!(
            "rollout {} has nothing to approve: it is in state {}",
            rollout.id, rollout.state
        ))
        .help(if rollout.ended {
            reject::over(rollout)
        } else {
            format!("it waits on: {}", rollout.waiting_on)
        }));
    };
    if let Some(evidence) = &rollout.evidence
        && evidence.outcome != Outcome::Pass
    {
        let help = "only a pass can be approved: look at what was found, then abort or have it validated again";
        return Ok(Shown::Ask(Reply::no(shown).help(help)));
    }
    if args.yes {
        shell.say(&format!("approving on evidence {digest}"));
        return Ok(Shown::Take(digest));
    }
    let help = format!("nothing is approved yet: cyanotype approve {} --evidence {digest}", rollout.id);
    Ok(Shown::Ask(Reply::no(shown).help(help)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::client::tests::daemon;
    use crate::cli::output::{Answer, Format};
    use crate::cli::show::tests::rollout;
    use crate::cli::verdict::tests::evidence;

    fn args(evidence: Option<&str>, yes: bool) -> Args {
        let who = Who { by: Some("alice".to_owned()), comment: None };
        Args { id: "r1".to_owned(), evidence: evidence.map(str::to_owned), yes, who }
    }

    fn shell() -> Shell {
        Shell { config: "none.toml".into(), env: None, output: Format::Text }
    }

    /// Runs it against a daemon whose rollout has evidence of `outcome`; the answer and the decisions that arrived.
    async fn decide(args: Args, outcome: Outcome) -> (Result<Reply, Failure>, Vec<serde_json::Value>) {
        let taken = json!({ "rollout": "r1", "state": "promoting", "message": "approved" });
        let (env, calls) =
            daemon(move |what| (200, if what.starts_with("GET") { rollout(outcome) } else { taken.clone() })).await;
        let reply = approve(&args, &Client::new(&env, Scope::Approve).unwrap(), &shell()).await;
        let sent = calls.lock().unwrap().iter().filter(|c| c.0.starts_with("POST")).map(|c| c.2.clone()).collect();
        (reply, sent)
    }

    #[tokio::test]
    async fn named_evidence_is_sent_as_it_is() {
        let (reply, sent) = decide(args(Some("sha256:abc"), false), Outcome::Pass).await;
        assert_eq!(reply.unwrap().answer(), Answer::Yes);
        assert_eq!(sent, [json!({ "evidence": "sha256:abc", "by": "alice", "comment": null })]);
    }

    #[tokio::test]
    async fn shown_evidence_counts_only_with_yes() {
        let (reply, sent) = decide(args(None, false), Outcome::Pass).await;
        assert_eq!((reply.unwrap().answer(), sent.len()), (Answer::No, 0));
        let (reply, sent) = decide(args(None, true), Outcome::Pass).await;
        assert_eq!(reply.unwrap().answer(), Answer::Yes);
        assert_eq!(sent[0]["evidence"], evidence(Outcome::Pass).digest());
    }

    #[tokio::test]
    async fn evidence_that_is_not_a_pass_is_never_sent() {
        for outcome in [Outcome::Fail, Outcome::Undecided] {
            let (reply, sent) = decide(args(None, true), outcome).await;
            assert_eq!((reply.unwrap().answer(), sent.len()), (Answer::No, 0));
        }
    }

    #[tokio::test]
    async fn a_rollout_without_evidence_says_what_it_waits_on_or_that_it_has_ended() {
        for (ended, waits, help) in
            [(true, "", "it has ended; `cyanotype show r1` says how"), (false, "its turn", "it waits on: its turn")]
        {
            let shown = json!({ "id": "r1", "state": "x", "ended": ended, "waiting_on": waits });
            let (env, _) = daemon(move |_| (200, shown.clone())).await;
            let reply = approve(&args(None, true), &Client::new(&env, Scope::Approve).unwrap(), &shell()).await;
            assert_eq!(reply.err().unwrap().help.as_deref(), Some(help));
        }
    }

    #[tokio::test]
    async fn somebody_must_be_named() {
        let mut nobody = args(Some("sha256:abc"), false);
        nobody.who.by = Some(" ".to_owned());
        let (reply, sent) = decide(nobody, Outcome::Pass).await;
        assert!(reply.err().unwrap().help.unwrap().contains("--by"));
        assert!(sent.is_empty());
    }
}
