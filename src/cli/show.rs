//! `cyanotype show`: one rollout with its evidence and its past.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize as _, Serialize, Serializer};
use serde_json::Value;

use super::Shell;
use super::client::{Client, understood};
use super::output::{Failure, Paint, Painted, Reply, colour, columns, plain};
use super::verdict::{Verdict, word};
use super::view::{Rollout, moment};
use crate::config::Scope;
use crate::plan::Plan;

/// Show one rollout with its evidence and its past.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Rollout, as `status` lists it.
    id: String,
}

pub(super) async fn run(args: Args, shell: &Shell) -> Result<Reply, Failure> {
    Ok(Reply::yes(fetch(&shell.client(Scope::Read)?, &args.id).await?))
}

/// The rollout as the daemon shows it now.
pub(super) async fn fetch(client: &Client, id: &str) -> Result<Shown, Failure> {
    if id.is_empty() {
        return Err(Failure::new("the rollout's id is empty").help("`cyanotype status` lists the rollouts"));
    }
    let said = client.get(&["rollouts", id]).await.map_err(|failure| match failure.cause.as_deref() {
        Some("unknown_rollout") => failure.help("`cyanotype status --all` lists the rollouts"),
        _ => failure,
    })?;
    let rollout = understood(&said, "the rollout")?;
    Ok(Shown { said, rollout })
}

/// A rollout in the daemon's words and as it is read here.
pub(super) struct Shown {
    said: Value,
    pub rollout: Rollout,
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.said.serialize(serializer)
    }
}

impl Display for Shown {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rollout = &self.rollout;
        writeln!(f, "{}  {}", Painted(colour(f), Paint::Bold, plain(&rollout.id)), plain(&rollout.title))?;
        let mut facts = vec![
            ("kind", plain(&rollout.kind)),
            ("state", format!("{} since {}", plain(&rollout.state), moment(rollout.since_ms))),
        ];
        if !rollout.waiting_on.is_empty() {
            facts.push(("waits on", plain(&rollout.waiting_on)));
        }
        facts.push(("created", moment(rollout.created_ms)));
        if !rollout.plan_digest.is_empty() {
            facts.push(("plan", plain(&rollout.plan_digest)));
        }
        if let Some(error) = &rollout.error {
            facts.push(("error", plain(error)));
        }
        if let Some(digest) = &rollout.evidence_digest {
            facts.push(("evidence", plain(digest)));
        }
        if let (Some(outcome), None) = (rollout.outcome, &rollout.evidence) {
            facts.push(("verdict", format!("{}; its tables are no longer kept", word(outcome).0)));
        }
        for (name, value) in facts {
            writeln!(f, "  {name:<9} {value}")?;
        }
        // What is approved unseen otherwise: there will be no evidence.
        if matches!(rollout.kind.as_str(), "adopt" | "undeploy")
            && let Ok(plan) = Plan::deserialize(&self.said["plan"])
        {
            writeln!(f, "\n{}", Painted(colour(f), Paint::Bold, "plan"))?;
            plan.to_string().lines().try_for_each(|line| writeln!(f, "  {}", plain(line)))?;
        }
        if let Some(evidence) = &rollout.evidence {
            write!(f, "\n{}", Painted(colour(f), Paint::Bold, "verdict "))?;
            Verdict(evidence).fmt(f)?;
        }
        if !rollout.history.is_empty() {
            writeln!(f, "\n{}", Painted(colour(f), Paint::Bold, "history"))?;
            let steps =
                rollout.history.iter().map(|step| vec![moment(step.at_ms), plain(&step.state), plain(&step.note)]);
            for line in columns(&steps.collect::<Vec<_>>()) {
                writeln!(f, "  {line}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::client::tests::daemon;
    use crate::cli::verdict::tests::evidence;
    use crate::model::verdict::Outcome;

    pub fn rollout(outcome: Outcome) -> Value {
        let evidence = evidence(outcome);
        json!({
            "id": "r1", "title": "orders-value 3 -> 4", "kind": "evolution", "state": "awaiting_approval", "ended": false,
            "waiting_on": "an approval", "since_ms": 1_700_000_000_000_i64, "created_ms": 1_700_000_000_000_i64,
            "plan": { "digest": "sha256:p" }, "evidence": evidence, "evidence_digest": evidence.digest(),
            "history": [{ "at_ms": 1_700_000_000_000_i64, "state": "staging", "note": "level allows it" }], "error": null,
        })
    }

    #[tokio::test]
    async fn it_shows_evidence_and_past_and_keeps_the_daemons_json() {
        let (env, _) = daemon(|_| (200, rollout(Outcome::Pass))).await;
        let client = Client::new(&env, Scope::Read).unwrap();
        let shown = fetch(&client, "r1").await.unwrap();
        assert_eq!(serde_json::to_value(&shown).unwrap(), rollout(Outcome::Pass));
        let text = shown.to_string();
        for want in [
            "r1  orders-value 3 -> 4\n  kind      evolution\n  state     awaiting_approval since 2023-11-14 22:13:20Z\n",
            "  waits on  an approval\n",
            "\nverdict pass: one table\n",
            "\nhistory\n  2023-11-14 22:13:20Z  staging  level allows it\n",
        ] {
            assert!(text.contains(want), "{want}\n---\n{text}");
        }
    }

    #[tokio::test]
    async fn of_an_outline_it_shows_what_is_left() {
        let mut outline = rollout(Outcome::Pass);
        for (field, left) in [("plan", json!(null)), ("evidence", json!(null)), ("outcome", json!("pass"))] {
            outline[field] = left;
        }
        outline["plan_digest"] = json!("sha256:p");
        let (env, _) = daemon(move |_| (200, outline.clone())).await;
        let text = fetch(&Client::new(&env, Scope::Read).unwrap(), "r1").await.unwrap().to_string();
        for want in ["  plan      sha256:p\n", "  verdict   pass; its tables are no longer kept\n", "\nhistory\n"] {
            assert!(text.contains(want), "{want}\n---\n{text}");
        }
    }

    #[tokio::test]
    async fn an_unknown_rollout_is_no_answer_and_says_where_to_look() {
        let refusal =
            json!({ "error": { "cause": "unknown_rollout", "message": "no rollout has the id \"r9\"", "help": "x" } });
        let (env, _) = daemon(move |_| (404, refusal.clone())).await;
        let failure = fetch(&Client::new(&env, Scope::Read).unwrap(), "r9").await.err().unwrap();
        assert_eq!(failure.help.unwrap(), "`cyanotype status --all` lists the rollouts");
        assert_eq!(failure.answer, None);
    }
}
