//! Carries one effect out, so that doing it twice is doing it once.
//!
//! Rules: look before doing, and look again after an ambiguous failure; a refusal is final, no answer is tried again until
//! the time for the effect is over; a job is known by its unique name; success is judged by what came of it, not by the
//! answer to the call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::ports::Ports;
use super::settings::Settings;
use super::switch::{self, Switch};
use super::watch::Audit;
use crate::model::effect::Effect;
use crate::model::job::{JobRef, JobSpec, JobText};
use crate::model::record::{self, TopicSpec};
use crate::model::template;
use crate::model::work::{ReadProgress, RunningJob};
use crate::plan::start;
use crate::port::PortError;

/// How long one effect may take, milliseconds.
pub(super) const EFFECT_MS: i64 = 120_000;
/// Time between two looks, milliseconds.
const LOOK_MS: u64 = 300;

/// Why an effect failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// The world refused, or did not answer in time.
    #[error(transparent)]
    Port(#[from] PortError),
    /// It is not what it should be.
    #[error("{0}")]
    Wrong(String),
}

/// What one run of an effect knows.
#[derive(Clone)]
pub struct Run {
    /// The world.
    pub ports: Ports,
    /// Settings.
    pub settings: Arc<Settings>,
    /// What was seen in the input topics.
    pub audit: Arc<Audit>,
    /// Rollout that it belongs to.
    pub rollout: String,
    /// What the names of its jobs begin with: as it was when it was proposed, whatever the configuration says now.
    pub prefix: String,
    /// Which try.
    pub attempt: u32,
    /// Jobs that are known, by physical table.
    pub jobs: BTreeMap<String, RunningJob>,
    /// Tries of starting each table's job so far, to find jobs and what they leave by name.
    pub job_attempts: BTreeMap<String, Tries>,
    /// True once the rollout goes another way: what only waits gives up.
    pub turned: Arc<AtomicBool>,
    /// True when green has served: a connector that is found on blue's topic without this run having put it there was put
    /// there by somebody who mended nothing, or by a daemon that did not come to its end.
    pub served: bool,
    /// True once this run has put the connector on the topic that it goes to.
    pub gone_over: Arc<AtomicBool>,
}

/// Tries of starting one job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tries {
    /// How many.
    pub attempts: u32,
    /// Its consumer groups, with the placeholder for the job's name.
    pub groups: Vec<String>,
}

/// What an effect that is done leaves to be journaled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// The job that it started, if it did.
    pub job: Option<RunningJob>,
    /// What people should know of it, one line.
    pub note: Option<String>,
}

/// Looks whether an effect may be tried for the first time: what it makes must not be there already.
///
/// # Errors
/// What stands in the way.
pub async fn precheck(ports: &Ports, effect: &Effect) -> Result<(), Failed> {
    match effect {
        Effect::CreateTopic { topic, .. } if ports.topics.describe(topic).await?.is_some() => {
            Err(Failed::Wrong(format!(
                "topic {topic} exists already and is not of this rollout: delete it if nothing uses it, or name another one"
            )))
        }
        Effect::MoveConnector { name, from, to, .. } => {
            let now = ports.connectors.config(name).await?.and_then(|c| c.get("topics").cloned()).unwrap_or_default();
            if now == *from || now == *to || switch::repairs(&now, to) {
                return Ok(());
            }
            Err(Failed::Wrong(format!(
                "connector {name} reads `{now}` and not {from}: somebody has changed it; plan again"
            )))
        }
        Effect::CreateConnector { name, .. } if ports.connectors.config(name).await?.is_some() => Err(Failed::Wrong(
            format!("connector {name} exists already and is not of this rollout: delete it or rename yours"),
        )),
        Effect::CreateTopic { topic, .. } => {
            // Undoing it deletes the topic's subjects as well.
            for subject in super::gather::subjects_of(topic) {
                if !ports.registry.versions(&subject).await?.is_empty() {
                    let text = format!("subject {subject} exists already and is not of this rollout: delete it first");
                    return Err(Failed::Wrong(text));
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Carries `effect` out.
///
/// # Errors
/// See [`Failed`].
pub async fn execute(run: &Run, effect: &Effect) -> Result<Done, Failed> {
    let limit_ms = match effect {
        // As long as green may take to work through the same records.
        Effect::InspectTopic { .. } => run.settings.terms.catch_up_ms,
        Effect::MoveConnector { .. } => run.settings.terms.catch_up_ms.max(EFFECT_MS),
        _ => EFFECT_MS,
    };
    let until = run.ports.clock.now_ms() + limit_ms;
    let mut pause_ms = LOOK_MS;
    loop {
        still_leading(run)?;
        match once(run, effect, until).await {
            Err(Failed::Port(error))
                if error.passing() && run.ports.clock.now_ms() < until && !run.turned.load(Ordering::SeqCst) =>
            {
                tracing::warn!(effect = effect.key(), %error, "no answer: tried again");
                run.ports.clock.sleep_ms(pause_ms).await;
                pause_ms = (pause_ms * 2).min(5_000);
            }
            other => return other,
        }
    }
}

async fn once(run: &Run, effect: &Effect, until: i64) -> Result<Done, Failed> {
    let ports = &run.ports;
    match effect {
        Effect::CreateTopic { topic, like, partitions, config } => {
            let spec = match like {
                Some(blue) => match ports.topics.describe(blue).await? {
                    Some(spec) => TopicSpec { name: topic.clone(), ..spec },
                    None => {
                        return Err(Failed::Wrong(format!("topic {blue}, which {topic} is made like, does not exist")));
                    }
                },
                None => TopicSpec { name: topic.clone(), partitions: *partitions, config: config.clone() },
            };
            ports.topics.create(&spec).await?;
        }
        Effect::InspectTopic { topic } => inspect_topic(run, topic, until).await?,
        Effect::CopySubjectLevel { subject, like } => {
            let level = ports.registry.level(like).await?;
            match ports.registry.set_level(subject, &level).await {
                // Some registries keep no level for a subject without versions: fine when it will have that level anyway.
                Err(PortError::Missing { .. }) if ports.registry.level(subject).await?.eq_ignore_ascii_case(&level) => {
                }
                done => done?,
            }
        }
        Effect::Explain { job } => {
            ports.engine.explain(&completed(&run.settings, job, &job_name(run, &job.table, run.attempt))?).await?;
        }
        Effect::StartJob { job } => {
            let job = Some(start_job(run, job).await?);
            return Ok(Done { job, note: None });
        }
        Effect::CancelJob { table } => cancel_job(run, table).await?,
        Effect::AdoptJob { job } => {
            adoptable(run, job).await?;
            forget(run, job).await?;
            return Ok(Done { job: Some(job.clone()), note: None });
        }
        // The journal entry that says it is done is the record.
        Effect::ReleaseJob { .. } => {}
        Effect::CreateConnector { name, config } => {
            let config = resolved(run, config)?;
            ports.connectors.configure(name, &config).await?;
            tasks_run(run, name, until).await?;
        }
        Effect::DeleteConnector { name } => ports.connectors.delete(name).await?,
        Effect::MoveConnector { name, after, from, to, .. } => {
            let after = resolved(run, after)?;
            let note = switch::switch(run, &Switch { name, after: &after, from, to }, until).await?;
            return Ok(Done { job: None, note });
        }
        Effect::DeleteTopic { topic } => {
            ports.topics.delete(topic).await?;
            for subject in super::gather::subjects_of(topic) {
                ports.registry.delete_subject(&subject).await?;
            }
        }
        // The journal entry that says it is done is the record.
        Effect::SetManifest { .. } => {}
    }
    Ok(Done::default())
}

/// Waits until the audit has read the topic to the end that it has now.
async fn inspect_topic(run: &Run, topic: &str, until: i64) -> Result<(), Failed> {
    let end = run.ports.topics.visible_ends(topic).await?;
    loop {
        if let Some(problem) = start::records(topic, &run.audit.seen(topic), true).next() {
            let way_out = problem.help.map(|help| format!("; {help}")).unwrap_or_default();
            return Err(Failed::Wrong(format!("{}{way_out}", problem.message)));
        }
        let have = run.audit.read_to(topic);
        if record::reached(&have, &end) {
            return Ok(());
        }
        let left = record::behind(&have, &end);
        later(run, until, || format!("topic {topic} is not looked through yet: {left} records are left")).await?;
    }
}

/// `<prefix><table>.<rollout>.<attempt>`: unique for the attempt.
pub fn name_of(prefix: &str, rollout: &str, table: &str, attempt: u32) -> String {
    format!("{prefix}{table}.{rollout}.{attempt}")
}

fn job_name(run: &Run, table: &str, attempt: u32) -> String {
    name_of(&run.prefix, &run.rollout, table, attempt)
}

/// The job's text, every placeholder resolved, under that name.
///
/// # Errors
/// A placeholder without a value.
pub(super) fn completed(settings: &Settings, job: &JobSpec, name: &str) -> Result<JobText, Failed> {
    let resolve = |text: &String| resolve(settings, text, name);
    let mut all = settings.job_settings.clone();
    all.extend(job.settings.clone());
    Ok(JobText {
        name: name.to_owned(),
        settings: all,
        ddl: job.ddl.iter().map(resolve).collect::<Result<_, _>>()?,
        insert: resolve(&job.insert)?,
    })
}

fn resolve(settings: &Settings, text: &str, job: &str) -> Result<String, Failed> {
    template::resolve_with(text, |name| {
        if name == template::JOB { Some(job) } else { settings.vars.get(name).map(String::as_str) }
    })
    .map_err(|e| Failed::Wrong(e.to_string()))
}

fn resolved(run: &Run, config: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Failed> {
    config
        .iter()
        .map(|(key, value)| {
            template::resolve(value, &run.settings.vars)
                .map(|v| (key.clone(), v))
                .map_err(|e| Failed::Wrong(format!("{key}: {e}")))
        })
        .collect()
}

/// The number of the next try at starting a job: the last one while its job is alive, else a new one. A new job under an
/// old name would find its consumer groups' offsets and look finished at once.
///
/// # Errors
/// Flink's.
pub async fn attempt_of(ports: &Ports, name: impl Fn(u32) -> String, attempted: u32) -> Result<u32, PortError> {
    if attempted == 0 {
        return Ok(1);
    }
    let alive = ports.engine.find(&name(attempted)).await?.iter().any(|j| !j.ended());
    Ok(if alive { attempted } else { attempted + 1 })
}

async fn start_job(run: &Run, job: &JobSpec) -> Result<RunningJob, Failed> {
    let name = job_name(run, &job.table, run.attempt);
    let found = run.ports.engine.find(&name).await?;
    let started: JobRef = match found.iter().find(|j| !j.ended()) {
        Some(running) => running.clone(),
        None if found.is_empty() => run.ports.engine.start(&completed(&run.settings, job, &name)?).await?,
        None => return Err(Failed::Wrong(format!("job {name} ended right after it was started"))),
    };
    cancel_twins(&run.ports, &name, &started.id).await?;
    let reads = job.reads.iter().map(|read| {
        let group = read.group.as_ref().map(|g| resolve(&run.settings, g, &name)).transpose()?;
        Ok(ReadProgress { table: read.table.clone(), topic: read.topic.clone(), group })
    });
    Ok(RunningJob {
        table: job.table.clone(),
        id: started.id,
        reads: reads.collect::<Result<_, Failed>>()?,
        topic: job.topic.clone(),
        exactly_once: job.exactly_once,
        name,
    })
}

/// Whether `job`, which somebody else started, still runs and writes its table and nothing else, and none that is known does.
async fn adoptable(run: &Run, job: &RunningJob) -> Result<(), Failed> {
    let ports = &run.ports;
    if let Some(known) = run.jobs.get(&job.table).filter(|known| known.id != job.id) {
        match ports.engine.health(&known.id).await {
            Err(PortError::Missing { .. }) => {}
            health if JobRef::has_ended(&health.as_ref().map_err(Clone::clone)?.state) => {}
            _ => {
                let text = format!("{} has a job that runs, {}: end one of the two", job.table, known.id);
                return Err(Failed::Wrong(text));
            }
        }
    }
    let state = ports.engine.health(&job.id).await?.state;
    if JobRef::has_ended(&state) {
        return Err(Failed::Wrong(format!("job {} of {} is {state} by now: adopt again", job.id, job.table)));
    }
    let writes = ports.engine.running(&job.id).await?.writes;
    if writes != [job.table.clone()] {
        let writes = writes.join(", ");
        return Err(Failed::Wrong(format!("job {} writes {writes} and not {} alone", job.id, job.table)));
    }
    Ok(())
}

/// Deletes the groups of the job that had the table before, which has ended.
async fn forget(run: &Run, job: &RunningJob) -> Result<(), Failed> {
    let before = run.jobs.get(&job.table).filter(|known| known.id != job.id);
    for group in before.iter().flat_map(|known| &known.reads).filter_map(|read| read.group.as_ref()) {
        run.ports.topics.delete_group(group).await?;
    }
    Ok(())
}

/// Cancels every job called `name` but the one with `id`: a start that was thought lost may have landed after all, and only
/// one job may write the topic.
///
/// # Errors
/// Flink's.
pub async fn cancel_twins(ports: &Ports, name: &str, id: &str) -> Result<(), PortError> {
    for twin in ports.engine.find(name).await? {
        if twin.id != id && !twin.ended() {
            tracing::warn!(job = name, id = twin.id, "a second job of this name is cancelled");
            ports.engine.cancel(&twin.id).await?;
        }
    }
    Ok(())
}

/// Cancels the table's job, known or found by the names of its attempts, and deletes its groups.
async fn cancel_job(run: &Run, table: &str) -> Result<(), Failed> {
    let ports = &run.ports;
    let known = run.jobs.get(table);
    if let Some(job) = known {
        ports.engine.cancel(&job.id).await?;
    }
    let mut groups: BTreeSet<String> = known.iter().flat_map(|j| &j.reads).filter_map(|r| r.group.clone()).collect();
    let tries = run.job_attempts.get(table).cloned().unwrap_or_default();
    for attempt in 1..=tries.attempts {
        let name = job_name(run, table, attempt);
        for job in ports.engine.find(&name).await? {
            if !job.ended() {
                ports.engine.cancel(&job.id).await?;
            }
        }
        // A job may have run of which nobody was told any more.
        for group in &tries.groups {
            groups.insert(resolve(&run.settings, group, &name)?);
        }
    }
    for group in &groups {
        ports.topics.delete_group(group).await?;
    }
    Ok(())
}

/// Waits until every task runs; a failed task fails the effect.
pub(super) async fn tasks_run(run: &Run, name: &str, until: i64) -> Result<(), Failed> {
    loop {
        let status = run.ports.connectors.status(name).await?;
        if let Some(status) = &status {
            if status.tasks.iter().any(|t| t == "FAILED") {
                let cause = status.failure.clone().unwrap_or_else(|| "no cause given".to_owned());
                return Err(Failed::Wrong(format!("a task of connector {name} failed: {cause}")));
            }
            if !status.tasks.is_empty() && status.tasks.iter().all(|t| t == "RUNNING") {
                return Ok(());
            }
        }
        let state = status.as_ref().map_or("gone".to_owned(), |status| {
            let tasks = if status.tasks.is_empty() { "none".to_owned() } else { status.tasks.join(", ") };
            format!("{}, its tasks: {tasks}", status.state)
        });
        later(run, until, || format!("connector {name} does not run, it is {state}")).await?;
    }
}

pub(super) async fn later(run: &Run, until: i64, what: impl FnOnce() -> String) -> Result<(), Failed> {
    if run.ports.clock.now_ms() >= until {
        return Err(Failed::Wrong(what()));
    }
    if run.turned.load(Ordering::SeqCst) {
        return Err(Failed::Wrong(format!("the rollout goes another way: {}", what())));
    }
    run.ports.clock.sleep_ms(LOOK_MS).await;
    still_leading(run)
}

/// A daemon that another one has taken over from touches nothing more: Kafka fences its journal, not its calls.
pub(super) fn still_leading(run: &Run) -> Result<(), Failed> {
    if run.ports.journal.leading() { Ok(()) } else { Err(Failed::Port(PortError::Fenced)) }
}
