//! What runs that somebody else started, as far as it has to do with a project's tables. Looks, and changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::execute::completed;
use super::ports::Ports;
use super::settings::Settings;
use super::standing::differing;
use crate::diagnostic::Diagnostic;
use crate::model::job::{JobRef, JobText};
use crate::model::manifest::Manifest;
use crate::model::sink;
use crate::model::work::RunningJob;
use crate::plan::adopt;
use crate::plan::input::{Adoption, Expected, FoundConnector, FoundJob};
use crate::plan::start::DUPLICATE_EVENTS;
use crate::port::{PortError, PortResult};

/// How long the engine may take to say which topics a job reads: it gathers metrics every ten seconds by default.
pub const SAYS_MS: i64 = 20_000;
/// Time between two questions, milliseconds.
const LOOK_MS: u64 = 500;
/// The setting that says what a sink connector reads.
const TOPICS: &str = "topics";

/// Why nothing was found out.
#[derive(Debug, thiserror::Error)]
pub enum NotFound {
    /// The project's files are wrong.
    #[error("the project's files cannot be read")]
    Files(Vec<Diagnostic>),
    /// A system did not answer.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// Everything that adoption is planned from, but for what a person says.
///
/// # Errors
/// See [`NotFound`].
pub async fn look(
    ports: &Ports,
    settings: &Settings,
    (deployed, known): (&Manifest, &BTreeMap<String, RunningJob>),
    files: Manifest,
) -> Result<Adoption, NotFound> {
    let project = adopt::merged(deployed, files);
    let jobs = adopt::expected(&project).map_err(NotFound::Files)?;
    let alive: Vec<JobRef> = ports.engine.jobs().await?.into_iter().filter(|job| !job.ended()).collect();
    let runs = |table: &str| known.get(table).is_some_and(|known| alive.iter().any(|job| job.id == known.id));
    let written = deployed.tables.values().filter(|table| table.dml.is_some()).map(|table| table.physical.clone());
    let ended: BTreeSet<String> = written.filter(|table| !runs(table)).collect();
    let found = concerned(ports, &project, &alive).await?;
    let written: BTreeSet<&String> = found.iter().flat_map(|job| &job.shape.writes).collect();
    let mut expected = BTreeMap::new();
    for (table, job) in jobs.iter().filter(|(_, job)| written.contains(&job.table)) {
        let would = match completed(settings, job, "cyanotype-adopt") {
            Ok(text) => would_do(ports, text).await?,
            Err(failed) => Err(failed.to_string()),
        };
        expected.insert(table.clone(), would);
    }
    let mut topics = BTreeMap::new();
    for topic in project.tables.values().filter_map(|table| table.topic.as_ref()) {
        if ports.topics.describe(topic).await?.is_some() {
            let written = ports.topics.visible_ends(topic).await?.values().any(|end| *end > 0);
            topics.insert(topic.clone(), written);
        }
    }
    let connectors = ports.connectors.all().await?.into_iter().map(|(name, config)| {
        let file = project.connectors.get(&name);
        let mut keys = file.map(|file| differing(settings, &file.config, Some(&config))).unwrap_or_default();
        keys.remove(TOPICS);
        let topics = sink::topics(&config).map(str::to_owned).collect();
        (name, FoundConnector { topics, differing: keys })
    });
    let connectors = connectors.collect();
    Ok(Adoption {
        prefix: settings.prefix.clone(),
        found,
        ended,
        expected,
        topics,
        connectors,
        project,
        ..Adoption::default()
    })
}

/// What the engine would do for a statement with the settings that jobs of Cyanotype have, and without the one that they
/// have by default and others seldom do. A refusal is something to be told, no answer is an error.
async fn would_do(ports: &Ports, mut text: JobText) -> PortResult<Result<Vec<Expected>, String>> {
    let mut all = Vec::new();
    let absorbs = text.settings.get(DUPLICATE_EVENTS).is_some_and(|value| value == "true");
    for without in [None, Some(DUPLICATE_EVENTS)].into_iter().take(if absorbs { 2 } else { 1 }) {
        without.iter().for_each(|key| {
            text.settings.insert((*key).to_owned(), "false".to_owned());
        });
        match ports.engine.shape(&text).await {
            Ok(shape) => all.push(Expected { shape, without: without.map(str::to_owned) }),
            Err(error @ PortError::Refused { .. }) => return Ok(Err(error.to_string())),
            Err(error) => return Err(error),
        }
    }
    Ok(Ok(all))
}

/// Which of `topics` a job reads, under whatever name of a table. Until then the engine is waited for to say it of all of the
/// job's sources; one that says nothing reads no topic.
pub(super) async fn topics_read(
    ports: &Ports,
    id: &str,
    topics: &BTreeSet<String>,
    until_ms: i64,
) -> PortResult<BTreeSet<String>> {
    loop {
        let (read, said) = match ports.engine.topics_read(id, topics).await {
            Err(PortError::Missing { .. }) => return Ok(BTreeSet::new()),
            read => read?,
        };
        if said || ports.clock.now_ms() >= until_ms {
            return Ok(read);
        }
        ports.clock.sleep_ms(LOOK_MS).await;
    }
}

/// Those of the jobs `alive` that read or write one of the project's tables.
async fn concerned(ports: &Ports, project: &Manifest, alive: &[JobRef]) -> PortResult<Vec<FoundJob>> {
    let topics: BTreeMap<&str, Option<&str>> =
        project.tables.values().map(|t| (t.physical.as_str(), t.topic.as_deref())).collect();
    let mut found = Vec::new();
    for job in alive {
        let shape = match ports.engine.running(&job.id).await {
            // It has ended since.
            Err(PortError::Missing { .. }) => continue,
            shape => shape?,
        };
        if shape.reads.iter().chain(&shape.writes).any(|table| topics.contains_key(table.as_str())) {
            found.push(FoundJob { id: job.id.clone(), name: job.name.clone(), shape, read_from: BTreeSet::new() });
        }
    }
    let until = ports.clock.now_ms() + SAYS_MS;
    loop {
        let mut silent = false;
        for job in &mut found {
            for table in job.shape.reads.iter().filter(|table| !job.read_from.contains(*table)).collect::<BTreeSet<_>>()
            {
                let Some(Some(topic)) = topics.get(table.as_str()) else { continue };
                match ports.engine.positions(&job.id, table, topic).await {
                    Ok(Some(_)) => {
                        job.read_from.insert(table.clone());
                    }
                    Ok(None) => silent = true,
                    Err(PortError::Missing { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        if !silent || ports.clock.now_ms() >= until {
            return Ok(found);
        }
        ports.clock.sleep_ms(LOOK_MS).await;
    }
}
