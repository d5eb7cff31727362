//! When an output holds a cut: semantics, "Catch-up is never early".
//!
//! Progress of a job is what its consumer groups committed. Hop by hop: the ends of a table's topic are taken after the job
//! that writes it has passed the ends of everything that it reads. An exactly-once sink needs one more completed
//! checkpoint. A table without a group of its own is read as far as the engine says that its sources are, and what they have
//! taken in is worked off with the second checkpoint that is completed after that, if nothing has failed meanwhile: the
//! first may have begun before.

use std::collections::{BTreeMap, BTreeSet};

use super::execute;
use super::ports::Ports;
use crate::model::job::{JobHealth, JobRef};
use crate::model::parity::Hop;
use crate::model::record::{self, Offsets};
use crate::model::work::{ReadProgress, RunningJob};
use crate::port::PortError;
use crate::telemetry::Metrics;

/// Positions by topic.
pub type Positions = BTreeMap<String, Offsets>;

/// Time between two looks at the groups, milliseconds.
const LOOK_MS: u64 = 500;

/// Why outputs do not hold a cut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHeld {
    /// The time ran out.
    #[error("the time ran out: {what}")]
    TooLate {
        /// What is behind.
        what: String,
    },
    /// A job is not running.
    #[error("job {job} is {state}: {cause}")]
    JobFailed {
        /// The job.
        job: String,
        /// Its state.
        state: String,
        /// Cause, one line.
        cause: String,
    },
    /// Nobody has said up to where a topic is to be read.
    #[error("the cut says nothing of {topic}, which {table} reads")]
    NoCut {
        /// Physical table.
        table: String,
        /// Topic.
        topic: String,
    },
    /// A job that should run is not known.
    #[error("no job is known that writes {table}")]
    NoJob {
        /// Physical table.
        table: String,
    },
    /// The world did not answer.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// What to wait for.
#[derive(Clone, Copy)]
pub struct Wait<'a> {
    /// The world.
    pub ports: &'a Ports,
    /// For the lag of each table.
    pub metrics: &'a Metrics,
    /// The jobs on the way.
    pub hops: &'a [Hop],
    /// Jobs by physical table.
    pub jobs: &'a BTreeMap<String, RunningJob>,
    /// When to give up, milliseconds since 1970.
    pub until_ms: i64,
}

/// Topics that the jobs of `hops` read and none of them writes.
pub fn root_topics(hops: &[Hop], jobs: &BTreeMap<String, RunningJob>) -> BTreeSet<String> {
    let all: Vec<&RunningJob> = physical(hops).iter().filter_map(|t| jobs.get(t)).collect();
    let written: BTreeSet<&str> = all.iter().map(|j| j.topic.as_str()).collect();
    all.iter().flat_map(|j| &j.reads).filter(|r| !written.contains(r.topic.as_str())).map(|r| r.topic.clone()).collect()
}

/// Ends of several topics, now.
///
/// # Errors
/// Kafka's.
pub async fn ends(ports: &Ports, topics: impl IntoIterator<Item = &String>) -> Result<Positions, PortError> {
    let mut all = Positions::new();
    for topic in topics {
        all.insert(topic.clone(), ports.topics.visible_ends(topic).await?);
    }
    Ok(all)
}

/// Waits until every output of the hops holds `cut`; their ends, taken after they passed.
///
/// # Errors
/// See [`NotHeld`].
pub async fn hold(wait: Wait<'_>, cut: &Positions) -> Result<Positions, NotHeld> {
    let mut reached = cut.clone();
    let mut left: BTreeSet<String> = physical(wait.hops).into_iter().collect();
    let written: BTreeMap<String, String> =
        left.iter().filter_map(|t| wait.jobs.get(t).map(|j| (j.topic.clone(), t.clone()))).collect();
    while !left.is_empty() {
        let mut wave = Vec::new();
        for table in &left {
            let job = wait.jobs.get(table).ok_or_else(|| NotHeld::NoJob { table: table.clone() })?;
            if job.reads.iter().all(|r| reached.contains_key(&r.topic) || !written.contains_key(&r.topic)) {
                wave.push(job);
            }
        }
        let passed = futures::future::try_join_all(wave.iter().map(|job| patiently(wait, job, &reached))).await?;
        if passed.is_empty() {
            // Plans are free of cycles; a manifest that is not would end here.
            let table = left.first().cloned().unwrap_or_default();
            return Err(NotHeld::NoJob { table });
        }
        for (job, ends) in wave.into_iter().zip(passed) {
            left.remove(&job.table);
            reached.insert(job.topic.clone(), ends);
        }
    }
    Ok(reached)
}

/// As [`pass`]; a system that does not answer for a while is asked again, from the start of the hop.
async fn patiently(wait: Wait<'_>, job: &RunningJob, reached: &Positions) -> Result<Offsets, NotHeld> {
    loop {
        match pass(wait, job, reached).await {
            Err(NotHeld::Port(error)) if error.passing() => {
                tracing::warn!(job = job.name, %error, "no answer while catching up: asked again");
                later(wait, || format!("{}: {error}", job.table)).await?;
            }
            other => return other,
        }
    }
}

/// Waits until one job has passed the positions of everything that it reads; the ends of its topic then.
async fn pass(wait: Wait<'_>, job: &RunningJob, reached: &Positions) -> Result<Offsets, NotHeld> {
    let topics = &wait.ports.topics;
    if wait.hops.iter().any(|hop| hop.green.as_ref() == Some(&job.table)) {
        // One may have started after the last look.
        execute::cancel_twins(wait.ports, &job.name, &job.id).await?;
    }
    let by_sources = job.reads.iter().any(|read| read.group.is_none());
    let checkpoints = match (by_sources, job.exactly_once) {
        (true, _) => 2,
        (false, true) => 1,
        (false, false) => 0,
    };
    loop {
        for read in &job.reads {
            let Some(end) = reached.get(&read.topic) else {
                return Err(NotHeld::NoCut { table: job.table.clone(), topic: read.topic.clone() });
            };
            // A partition without records is done: nothing will ever be committed there.
            let first = topics.beginnings(&read.topic).await?;
            let target: Offsets =
                end.iter().filter(|(p, e)| **e > first.get(p).copied().unwrap_or(0)).map(|(p, e)| (*p, *e)).collect();
            arrive(wait, job, read, &target).await?;
        }
        let before = healthy(wait, job).await?;
        let mut now = before.clone();
        while now.checkpoints < before.checkpoints + checkpoints {
            later(wait, || format!("{} completes no checkpoint", job.table)).await?;
            now = healthy(wait, job).await?;
        }
        // After a failure the sources begin again before what they had taken in.
        if !by_sources || now.last_exception_ms == before.last_exception_ms {
            return Ok(topics.visible_ends(&job.topic).await?);
        }
    }
}

/// Waits until the job has read `target` of one table.
async fn arrive(wait: Wait<'_>, job: &RunningJob, read: &ReadProgress, target: &Offsets) -> Result<(), NotHeld> {
    loop {
        let have = match &read.group {
            Some(group) => Some(wait.ports.topics.committed(group, &read.topic).await?.unwrap_or_default()),
            None => wait.ports.engine.positions(&job.id, &read.table, &read.topic).await?,
        };
        let behind = record::behind(have.as_ref().unwrap_or(&Offsets::new()), target);
        wait.metrics.catch_up_lag_records.set([&job.table], behind as f64);
        if have.as_ref().is_some_and(|have| record::reached(have, target)) {
            return Ok(());
        }
        healthy(wait, job).await?;
        later(wait, || match have {
            Some(_) => format!("{} is {behind} records behind on {}", job.table, read.topic),
            None => format!(
                "how far {} has read {} is unknown: it has no consumer group of its own there, and Flink's metrics do \
                 not say it",
                job.table, read.topic
            ),
        })
        .await?;
    }
}

/// How a job that runs is doing; a job that has ended is an error, one that restarts is waited for.
async fn healthy(wait: Wait<'_>, job: &RunningJob) -> Result<JobHealth, NotHeld> {
    loop {
        let health = wait.ports.engine.health(&job.id).await?;
        let cause = health.last_exception.clone().unwrap_or_else(|| "no exception is known".to_owned());
        if JobRef::has_ended(&health.state) {
            return Err(NotHeld::JobFailed { job: job.name.clone(), state: health.state, cause });
        }
        if health.checkpoints_since_exception > 0 {
            return Ok(health);
        }
        later(wait, || format!("{} is {} and completes no checkpoint ({cause})", job.table, health.state)).await?;
    }
}

async fn later(wait: Wait<'_>, what: impl FnOnce() -> String) -> Result<(), NotHeld> {
    if wait.ports.clock.now_ms() >= wait.until_ms {
        return Err(NotHeld::TooLate { what: what() });
    }
    wait.ports.clock.sleep_ms(LOOK_MS).await;
    Ok(())
}

fn physical(hops: &[Hop]) -> Vec<String> {
    hops.iter().flat_map(|h| h.blue.iter().chain(&h.green)).cloned().collect()
}
