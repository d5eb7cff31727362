//! `cyanotype validate`: validates a rollout again, or compares two topics outside of any rollout.
//!
//! Topics that rest are read once, by fingerprints (`at_rest`); topics that are written meanwhile are followed in rounds.

mod at_rest;

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use super::client::understood;
use super::output::{Failure, Reply, plain};
use super::reject::Decided;
use super::verdict::Tables;
use super::{Shell, wire};
use crate::config::{Need, Scope};
use crate::daemon::ports::Ports;
use crate::daemon::prove::{self, Broken};
use crate::model::parity::{ChangeRule, Changelog, ColumnClass, RowRule, TableContract};
use crate::model::verdict::{Outcome, TableVerdict};
use crate::schema::{self, AvroSchema};

/// Validate a rollout again, or compare two topics: duplicates in green, and parity of blue and green.
///
/// With ROLLOUT the daemon catches up, reads both outputs and compares them once more. With topics no daemon and no plan is
/// needed: columns that only green has are counted, not compared. The inputs are not known here: let them rest, or a green that
/// lags will have missing rows. Topics that are not written meanwhile are read once, and what is wrong in them once more.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Rollout that waits for a look or for an approval.
    #[arg(value_name = "ROLLOUT", conflicts_with_all = ["blue", "green", "topic"])]
    pub rollout: Option<String>,
    /// Who asks; the journal keeps it beside the token's name.
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true)]
    pub by: Option<String>,
    /// Topic that serves; without it, green is looked through for duplicates.
    #[arg(long, value_name = "TOPIC")]
    pub blue: Option<String>,
    /// Topic that is to replace it.
    #[arg(long, value_name = "TOPIC")]
    pub green: Option<String>,
    /// Topic to look through for duplicates alone; the same as --green without --blue.
    #[arg(long, value_name = "TOPIC", conflicts_with_all = ["blue", "green"])]
    pub topic: Option<String>,
    /// Columns of the key [default: all columns of the record's key].
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub key: Vec<String>,
    /// Every record is a row: the topics hold no upserts.
    #[arg(long)]
    pub append: bool,
    /// How long keys that do not agree yet are followed, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub follow: u32,
}

/// Where to look when a system does not answer.
const LOOK: &str = "`cyanotype doctor` looks at every system and says what is missing";

pub(super) async fn run(args: Args, shell: &Shell) -> Result<Reply, Failure> {
    let green = match (&args.rollout, args.green.as_ref().or(args.topic.as_ref())) {
        (Some(rollout), _) => return again(rollout, args.by.as_deref(), shell).await,
        (None, Some(green)) => green.clone(),
        (None, None) => return Err(nothing_named(args.blue.as_deref())),
    };
    let config = shell.config(Need::Everything)?;
    let ports = wire::ports(&config, &config.project)?;
    let contract = contract(&ports, &args, &green).await?;
    let follow_ms = i64::from(args.follow) * 1000;
    let broken = |e: Broken| Failure::new("the topics cannot be compared").because(&e).help(LOOK);
    let systems = at_rest::Systems { topics: &*ports.topics, registry: &*ports.registry, clock: &*ports.clock };
    let rested = at_rest::compare(systems, &contract, follow_ms, |line| shell.say(line)).await.map_err(broken)?;
    let verdict = match rested {
        Some(verdict) => verdict,
        None => {
            shell.say("the topics are being written: keys are followed until they agree");
            prove::compare(&ports, contract, ports.clock.now_ms() + follow_ms).await.map_err(broken)?
        }
    };
    let pass = verdict.outcome == Outcome::Pass;
    let shown = Compared(verdict);
    Ok(if pass { Reply::yes(shown) } else { Reply::no(shown) })
}

fn nothing_named(blue: Option<&str>) -> Failure {
    match blue {
        Some(blue) => Failure::new(format!("there is nothing to compare {blue} with"))
            .help(format!("name the topic that is to replace it: --blue {blue} --green TOPIC")),
        None => Failure::new("nothing to validate")
            .help("name a rollout, as `status` lists it; two topics, with --blue TOPIC --green TOPIC; or one, with --topic TOPIC"),
    }
}

/// Asks the daemon to validate a rollout again.
async fn again(rollout: &str, by: Option<&str>, shell: &Shell) -> Result<Reply, Failure> {
    let by = by.map(str::trim).filter(|name| !name.is_empty());
    let by = by.ok_or_else(|| Failure::new("nobody is named for the wish").help("say who asks with --by NAME"))?;
    let client = shell.client(Scope::Apply)?;
    let said = client.post(&["rollouts", rollout, "revalidate"], &serde_json::json!({ "by": by })).await?;
    Ok(Reply::yes(Decided { taken: understood(&said, "the answer")?, said }))
}

/// The comparison as an answer.
#[derive(Serialize)]
#[serde(transparent)]
struct Compared(TableVerdict);

impl Display for Compared {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Tables(std::slice::from_ref(&self.0)))?;
        writeln!(f, "\n{}", plain(&self.0.reason))?;
        self.0.samples.iter().try_for_each(|sample| writeln!(f, "  {}", plain(sample)))
    }
}

async fn contract(ports: &Ports, args: &Args, green: &String) -> Result<TableContract, Failure> {
    for topic in args.blue.iter().chain([green]) {
        let found = ports.topics.describe(topic).await;
        if found.map_err(|e| Failure::new("Kafka cannot be asked").because(&e).help(LOOK))?.is_none() {
            return Err(Failure::new(format!("there is no topic {topic}"))
                .help("correct the name; `cyanotype show` names the topics of a rollout's tables"));
        }
    }
    let key = match (args.append, args.key.is_empty()) {
        (false, true) => columns_of(ports, &format!("{green}-key")).await?,
        _ => args.key.clone(),
    };
    let mut columns = BTreeMap::new();
    if let Some(blue) = &args.blue {
        let old = columns_of(ports, &format!("{blue}-value")).await?;
        for column in columns_of(ports, &format!("{green}-value")).await? {
            if !old.contains(&column) {
                let rule = ChangeRule::NewColumn { default: serde_json::Value::Null, nullable: true };
                columns.insert(column, ColumnClass::Changed { rule });
            }
        }
    }
    Ok(TableContract {
        table: green.clone(),
        blue_topic: args.blue.clone(),
        green_topic: green.clone(),
        changelog: if args.append { Changelog::Append } else { Changelog::Upsert },
        key,
        columns,
        rows: RowRule::Same,
    })
}

/// Columns of a subject's newest version.
async fn columns_of(ports: &Ports, subject: &str) -> Result<Vec<String>, Failure> {
    let asked = |e: crate::port::PortError| Failure::new("the registry cannot be asked").because(&e).help(LOOK);
    let versions = ports.registry.versions(subject).await.map_err(asked)?;
    let Some(newest) = versions.last() else {
        return Err(Failure::new(format!("the registry has no subject {subject}"))
            .help("name the key's columns with --key; values must be Avro in the registry's wire format"));
    };
    let registered = ports.registry.schema(subject, *newest).await.map_err(asked)?;
    let parsed: AvroSchema = schema::parse(&registered.text, &registered.references).map_err(|e| {
        let help = "only Avro is compared: name topics whose values are Avro in the registry's wire format";
        Failure::new(format!("subject {subject} cannot be read")).because(&e).help(help)
    })?;
    Ok(parsed.field_names())
}

#[cfg(test)]
mod tests;
