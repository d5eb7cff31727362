//! `cyanotype status`: what runs, what moves, what waits for somebody.

use std::fmt::{self, Display, Formatter};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::client::understood;
use super::output::{Failure, Paint, Painted, Reply, colour, columns, count, plain};
use super::view::{Status, Summary, length};
use super::{Shell, verdict};
use crate::config::Scope;
use crate::model::manifest::Manifest;
use crate::model::name::Version;

/// What runs, what moves, what waits for somebody.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Show rollouts that have ended as well.
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(args: Args, shell: &Shell) -> Result<Reply, Failure> {
    let client = shell.client(Scope::Read)?;
    let said = client.get(&["status"]).await?;
    let manifest = client.get(&["manifest"]).await?;
    let status = understood(&said, "the status")?;
    let deployed = understood(&manifest, "the manifest")?;
    let which = if args.all { Which::All } else { Which::Moving };
    Ok(Reply::yes(Shown { address: client.address().to_owned(), said, manifest, status, deployed, which }))
}

/// Which rollouts are listed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Moving,
    All,
}

struct Shown {
    address: String,
    said: Value,
    manifest: Value,
    status: Status,
    deployed: Manifest,
    which: Which,
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({ "status": self.said, "manifest": self.manifest }).serialize(serializer)
    }
}

impl Display for Shown {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { status, deployed, .. } = self;
        let (role, paint) = match (status.leading, status.replayed) {
            (true, true) => ("leads", Paint::Green),
            (true, false) => ("reads the journal", Paint::Yellow),
            (false, _) => ("stands by", Paint::Yellow),
        };
        let role = Painted(colour(f), paint, role);
        let env = Painted(colour(f), Paint::Bold, plain(&status.env));
        writeln!(f, "{env}  {}  {role}, {} subjects watched", self.address, status.subjects_watched)?;
        let green = deployed.tables.values().filter(|table| table.version > Version::FIRST).count();
        let tables = count(deployed.tables.len(), "table");
        let connectors = count(deployed.connectors.len(), "sink connector");
        writeln!(f, "deployed: {tables} ({green} beyond v1), {connectors}")?;
        if let Some(branch) = status.ahead.as_ref() {
            let ahead = format!("files are behind the cluster: merge {}", plain(branch));
            writeln!(f, "{}", Painted(colour(f), Paint::Yellow, ahead))?;
        }
        let listed = |rollout: &&Summary| self.which == Which::All || !rollout.ended;
        let rollouts: Vec<&Summary> = status.rollouts.iter().filter(listed).collect();
        if rollouts.is_empty() {
            writeln!(f, "no rollout {}", if self.which == Which::All { "so far" } else { "is under way" })?;
        } else {
            writeln!(f)?;
            list(f, &rollouts, status.now_ms)?;
        }
        for queued in &status.queued {
            let what = format!("queued: {} version {}", plain(&queued.subject), queued.version);
            writeln!(f, "\n{}\n  waits for {}", Painted(colour(f), Paint::Yellow, what), plain(&queued.waiting_on))?;
        }
        for refused in &status.refused {
            let what = format!("refused: {} version {}", plain(&refused.subject), refused.version);
            writeln!(f, "\n{}", Painted(colour(f), Paint::Red, what))?;
            for reason in &refused.reasons {
                writeln!(f, "  {}", plain(reason))?;
            }
        }
        Ok(())
    }
}

fn list(f: &mut Formatter<'_>, rollouts: &[&Summary], now_ms: i64) -> fmt::Result {
    let mut rows = vec![["ROLLOUT", "STATE", "FOR", "VERDICT", "WAITS ON"].map(str::to_owned).to_vec()];
    rows.extend(rollouts.iter().map(|rollout| {
        let outcome = rollout.outcome.map_or("-", |outcome| verdict::word(outcome).0);
        let waits = rollout.error.as_ref().filter(|e| !e.is_empty()).unwrap_or(&rollout.waiting_on);
        vec![
            plain(&rollout.id),
            plain(&rollout.state),
            length(now_ms.saturating_sub(rollout.since_ms)),
            outcome.to_owned(),
            plain(waits),
        ]
    }));
    for (i, line) in columns(&rows).iter().enumerate() {
        match i.checked_sub(1).and_then(|i| rollouts.get(i)) {
            None => writeln!(f, "{}", Painted(colour(f), Paint::Bold, line))?,
            Some(rollout) => writeln!(f, "{line}\n  {}", plain(&rollout.title))?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(which: Which) -> String {
        let said = json!({
            "env": "dev", "leading": true, "replayed": true, "now_ms": 130_000, "subjects_watched": 4, "ahead": "cyanotype/r2",
            "rollouts": [
                { "id": "r2", "title": "orders-value 3 -> 4", "state": "awaiting_approval", "ended": false, "outcome": "pass",
                  "waiting_on": "an approval", "since_ms": 5_000, "something_new": 1 },
                { "id": "r1", "title": "first deployment", "state": "done", "ended": true, "waiting_on": "", "since_ms": 0 }
            ],
            "queued": [{ "subject": "orders-value", "version": 5, "waiting_on": "the end of rollout r2" }],
            "refused": [{ "subject": "items-value", "version": 2, "reasons": ["field `id` was removed"], "at_ms": 1 }]
        });
        let manifest = json!({ "tables": {}, "connectors": {}, "subjects": {} });
        let (status, deployed) = (understood(&said, "x").unwrap(), understood(&manifest, "x").unwrap());
        Shown { address: "http://d".to_owned(), said, manifest, status, deployed, which }.to_string()
    }

    #[test]
    fn it_says_what_moves_and_what_it_waits_on() {
        let want = "\
dev  http://d  leads, 4 subjects watched
deployed: 0 tables (0 beyond v1), 0 sink connectors
files are behind the cluster: merge cyanotype/r2

ROLLOUT  STATE              FOR    VERDICT  WAITS ON
r2       awaiting_approval  2m 5s  pass     an approval
  orders-value 3 -> 4

queued: orders-value version 5
  waits for the end of rollout r2

refused: items-value version 2
  field `id` was removed
";
        assert_eq!(shown(Which::Moving), want);
        assert!(shown(Which::All).contains("r1       done"));
    }
}
