//! Reads blue's and green's outputs and compares them, in rounds: semantics, "The cut".
//!
//! A round takes the outputs' ends (L), then the inputs' ends (S), waits until both outputs hold S, and reads on to the
//! ends taken then (F). Rounds go on while keys are undecided and time is left. A system that does not answer is asked
//! again for as long, and reading goes on where it stopped; whatever else goes wrong is an error, never a verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::hold::{self, NotHeld, Positions, Wait};
use super::ports::Ports;
use super::settings::Settings;
use super::watch::Audit;
use crate::model::parity::TableContract;
use crate::model::record::{Offsets, RawRecord};
use crate::model::verdict::{Evidence, TableVerdict};
use crate::model::work::RunningJob;
use crate::port::PortError;
use crate::rollout::Rollout;
use crate::telemetry::Metrics;
use crate::validate::{self, Side, TableValidation};

/// Keys that never rest are followed this often before their history decides.
const ROUNDS_FOR_HISTORY: u32 = 3;
/// Time between two rounds over topics whose inputs are not known, milliseconds.
const LOOK_MS: u64 = 1_000;

/// Why there is no verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// An output does not hold the cut.
    #[error(transparent)]
    NotHeld(#[from] NotHeld),
    /// The world did not answer.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A record or schema cannot be read.
    #[error("{0}")]
    Unreadable(String),
}

/// Everything that a validation needs.
pub struct Proof {
    /// The world.
    pub ports: Ports,
    /// Settings.
    pub settings: Arc<Settings>,
    /// Metrics.
    pub metrics: Arc<Metrics>,
    /// What was seen in the input topics.
    pub audit: Arc<Audit>,
    /// The rollout.
    pub rollout: Rollout,
    /// Every job, by physical table.
    pub jobs: BTreeMap<String, RunningJob>,
}

/// Reads and compares.
///
/// # Errors
/// See [`Broken`].
pub async fn prove(proof: &Proof) -> Result<Evidence, Broken> {
    let started_ms = proof.ports.clock.now_ms();
    let until_ms = started_ms + proof.settings.validation_ms;
    let work = &proof.rollout.work;
    let inputs = hold::root_topics(&work.hops, &proof.jobs);
    let mut tables: Vec<Reading> = work.contracts.iter().cloned().map(Reading::new).collect();
    let ports = &proof.ports;
    let patience = Patience { ports, until_ms };
    let first = patience.ends(&inputs).await?;
    let mut cut = first.clone();
    let mut rounds = 0;
    loop {
        for table in &mut tables {
            while let Err(error) = table.begin(ports).await {
                patience.after(error).await?;
            }
        }
        cut = advanced(&cut, patience.ends(&inputs).await?);
        let wait = Wait { ports: &proof.ports, metrics: &proof.metrics, hops: &work.hops, jobs: &proof.jobs, until_ms };
        let ends = hold::hold(wait, &cut).await?;
        rounds += 1;
        let (mut pending, mut by_history) = (0, 0);
        for table in &mut tables {
            while let Err(error) = table.read_on(ports, &ends).await {
                patience.after(error).await?;
            }
            let round = table.validation.end_round();
            proof.metrics.validation_rows_total.add(["blue"], round.read_blue);
            proof.metrics.validation_rows_total.add(["green"], round.read_green);
            pending += round.pending;
            by_history += round.by_history;
        }
        tracing::info!(rollout = proof.rollout.id, rounds, pending, by_history, "round of validation read");
        let decided = pending == 0 || (pending == by_history && rounds >= ROUNDS_FOR_HISTORY);
        if decided || proof.ports.clock.now_ms() >= until_ms {
            break;
        }
    }
    let last = patience.ends(&inputs).await?;
    let verdicts: Vec<_> = tables.iter().map(|t| t.validation.verdict()).collect();
    let (outcome, reason) = validate::overall(&verdicts);
    let ended_ms = proof.ports.clock.now_ms();
    Ok(Evidence {
        rollout: proof.rollout.id.clone(),
        plan: proof.rollout.plan_digest.clone(),
        outcome,
        reason,
        tables: verdicts,
        cut,
        read: tables.into_iter().flat_map(|t| t.read).collect(),
        schema_ids: proof.audit.schema_ids(),
        arrived: records_between(&first, &last),
        started_ms,
        ended_ms,
        expires_ms: ended_ms + proof.settings.approval_ms,
    })
}

/// Compares two topics outside of any rollout: rounds up to the topics' own ends, until every key is decided or `until_ms`.
///
/// No inputs are known, so this is sound where the inputs rest; a green that lags has missing rows here.
///
/// # Errors
/// See [`Broken`].
pub async fn compare(ports: &Ports, contract: TableContract, until_ms: i64) -> Result<TableVerdict, Broken> {
    let mut table = Reading::new(contract);
    let patience = Patience { ports, until_ms };
    loop {
        while let Err(error) = table.begin(ports).await {
            patience.after(error).await?;
        }
        while let Err(error) = table.read_on(ports, &Positions::new()).await {
            patience.after(error).await?;
        }
        let round = table.validation.end_round();
        if round.pending == 0 || ports.clock.now_ms() >= until_ms {
            return Ok(table.validation.verdict());
        }
        ports.clock.sleep_ms(LOOK_MS).await;
    }
}

/// How long a system that does not answer is asked again.
#[derive(Clone, Copy)]
struct Patience<'a> {
    ports: &'a Ports,
    until_ms: i64,
}

impl Patience<'_> {
    /// Waits a moment after a system that did not answer; any other error, and the end of the time, come back.
    async fn after(self, error: Broken) -> Result<(), Broken> {
        match error {
            Broken::Port(error) if error.passing() && self.ports.clock.now_ms() < self.until_ms => {
                tracing::warn!(%error, "no answer while validating: asked again");
                self.ports.clock.sleep_ms(LOOK_MS).await;
                Ok(())
            }
            other => Err(other),
        }
    }

    async fn ends(self, topics: &BTreeSet<String>) -> Result<Positions, Broken> {
        loop {
            match hold::ends(self.ports, topics).await {
                Ok(ends) => return Ok(ends),
                Err(error) => self.after(error.into()).await?,
            }
        }
    }
}

/// One table on its way through the rounds.
struct Reading {
    contract: TableContract,
    validation: TableValidation,
    /// Up to where each topic was read.
    read: Positions,
}

impl Reading {
    fn new(contract: TableContract) -> Self {
        Self { validation: TableValidation::new(contract.clone()), contract, read: Positions::new() }
    }

    /// Takes the outputs' ends: what lies beyond may be an effect of input later than the cut.
    async fn begin(&mut self, ports: &Ports) -> Result<(), Broken> {
        let blue = match &self.contract.blue_topic {
            Some(topic) => ports.topics.visible_ends(topic).await?,
            None => Offsets::new(),
        };
        let green = ports.topics.visible_ends(&self.contract.green_topic).await?;
        self.validation.begin_round(&blue, &green);
        Ok(())
    }

    /// Reads both topics up to `ends`. After an error, the same call goes on where this one stopped.
    async fn read_on(&mut self, ports: &Ports, ends: &Positions) -> Result<(), Broken> {
        let sides =
            [(Side::Blue, self.contract.blue_topic.clone()), (Side::Green, Some(self.contract.green_topic.clone()))];
        for (side, topic) in sides {
            let Some(topic) = topic else { continue };
            let to = match ends.get(&topic) {
                Some(to) => to.clone(),
                None => ports.topics.visible_ends(&topic).await?,
            };
            self.read_topic(ports, side, &topic, &to).await?;
        }
        Ok(())
    }

    async fn read_topic(&mut self, ports: &Ports, side: Side, topic: &str, to: &Offsets) -> Result<(), Broken> {
        let mut position = self.read.get(topic).cloned().unwrap_or_default();
        let mut stream = ports.topics.read(topic, &position, to).await?;
        while let Some(batch) = stream.next_batch().await? {
            for record in &batch {
                self.learn(ports, topic, record).await?;
                self.validation.feed(side, record).map_err(|e| Broken::Unreadable(format!("topic {topic}: {e}")))?;
                position.insert(record.partition, record.offset + 1);
            }
            self.read.insert(topic.to_owned(), position.clone());
        }
        self.read.insert(topic.to_owned(), advance(&position, to));
        Ok(())
    }
}

impl Reading {
    /// Adds the schemas that the record needs; the value's may show that the key's is needed as well.
    async fn learn(&mut self, ports: &Ports, topic: &str, record: &RawRecord) -> Result<(), Broken> {
        loop {
            let missing = self.validation.missing_schemas(record);
            if missing.is_empty() {
                return Ok(());
            }
            for id in missing {
                let schema = ports.registry.schema_by_id(id).await?;
                self.validation
                    .add_schema(id, &schema.text, &schema.references)
                    .map_err(|e| Broken::Unreadable(format!("schema {id} of topic {topic}: {e}")))?;
            }
        }
    }
}

fn advance(from: &Offsets, to: &Offsets) -> Offsets {
    let mut all = from.clone();
    for (partition, end) in to {
        let position = all.entry(*partition).or_insert(0);
        *position = (*position).max(*end);
    }
    all
}

fn advanced(old: &Positions, new: Positions) -> Positions {
    new.into_iter()
        .map(|(topic, ends)| {
            let merged = old.get(&topic).map_or_else(|| ends.clone(), |o| advance(o, &ends));
            (topic, merged)
        })
        .collect()
}

fn records_between(first: &Positions, last: &Positions) -> u64 {
    let sum = last.iter().flat_map(|(topic, ends)| {
        let before = first.get(topic);
        ends.iter().map(move |(p, end)| end - before.and_then(|b| b.get(p)).copied().unwrap_or(0))
    });
    u64::try_from(sum.filter(|n| *n > 0).sum::<i64>()).unwrap_or(0)
}
