//! What planning looks at, brought together: the only step of planning that asks the world.

use std::collections::{BTreeMap, BTreeSet};

use super::ports::Ports;
use super::settings::Settings;
use super::subjects::Subjects;
use super::watch::Audit;
use crate::model::manifest::Manifest;
use crate::plan::input::{Evolution, TopicFacts};
use crate::plan::{Cause, PlanInput};
use crate::port::{PortResult, RegisteredSchema, Registry};
use crate::schema::{self, Assessment, AvroSchema, SchemaKind};

/// Topics of the manifest's reader tables.
pub fn input_topics(manifest: &Manifest) -> BTreeSet<String> {
    manifest.tables.values().filter(|t| t.dml.is_none()).filter_map(|t| t.topic.clone()).collect()
}

/// Subjects of a topic that Flink writes: value and key.
pub fn subjects_of(topic: &str) -> [String; 2] {
    [format!("{topic}-value"), format!("{topic}-key")]
}

/// The topic of a subject that is named after it.
pub fn topic_of(subject: &str) -> Option<&str> {
    subject.strip_suffix("-value").or_else(|| subject.strip_suffix("-key"))
}

/// The latest version of every subject of `topics` that exists.
///
/// # Errors
/// The registry's.
pub async fn versions(
    registry: &dyn Registry,
    subjects: &Subjects,
    topics: &BTreeSet<String>,
) -> PortResult<BTreeMap<String, i32>> {
    let mut latest = BTreeMap::new();
    for subject in topics.iter().flat_map(|t| subjects.of(t)) {
        if let Some(last) = registry.versions(&subject).await?.last() {
            latest.insert(subject, *last);
        }
    }
    Ok(latest)
}

/// Facts on input topics; what was read in them comes from the daemon's `audit`.
///
/// # Errors
/// Kafka's.
pub async fn topic_facts(
    ports: &Ports,
    audit: Option<&Audit>,
    topics: &BTreeSet<String>,
) -> PortResult<BTreeMap<String, TopicFacts>> {
    let mut facts = BTreeMap::new();
    for topic in topics {
        let Some(spec) = ports.topics.describe(topic).await? else { continue };
        let compacted = spec.config.get("cleanup.policy").is_some_and(|p| p.contains("compact"));
        let truncated = ports.topics.beginnings(topic).await?.values().any(|first| *first > 0);
        // NULLs are counted in the topic of an evolution only: `count_nulls`.
        let seen = audit.map(|a| a.seen(topic)).unwrap_or_default();
        facts.insert(topic.clone(), TopicFacts { compacted, truncated, ..seen });
    }
    Ok(facts)
}

/// The input for planning `cause` on top of `manifest`.
///
/// # Errors
/// Kafka's and the registry's.
pub async fn input(
    ports: &Ports,
    audit: Option<&Audit>,
    settings: &Settings,
    manifest: Manifest,
    cause: Cause,
) -> PortResult<PlanInput> {
    let mut topics = input_topics(&manifest);
    match &cause {
        Cause::Deploy { project } => topics.extend(input_topics(project)),
        Cause::Change(change) => topics.extend(input_topics(&change.project)),
        Cause::Adopt(adoption) => topics.extend(input_topics(&adoption.project)),
        Cause::Evolution(_) | Cause::Undeploy(_) => {}
    }
    Ok(PlanInput {
        env: settings.env.clone(),
        manifest,
        cause,
        policy: settings.policy.clone(),
        vars: settings.public_vars.clone(),
        settings: settings.job_settings.clone(),
        subjects: versions(ports.registry.as_ref(), &settings.subjects, &topics).await?,
        topics: topic_facts(ports, audit, &topics).await?,
    })
}

/// What became of a subject: every version in the registry, and what the newest means.
#[derive(Clone, Debug)]
pub enum Seen {
    /// It can be planned for, from the version that is deployed.
    Evolved(Box<Evolution>),
    /// It may not be planned.
    Refused(Vec<String>),
}

/// Looks at `subject`, whose newest version is `to` and whose deployed text was written for `from`. Versions before
/// `baseline` do not count, but the one that the text was written for is what changes are taken from.
///
/// # Errors
/// The registry's.
pub async fn assess(
    ports: &Ports,
    settings: &Settings,
    subject: &str,
    baseline: Option<i32>,
    (from, to): (i32, i32),
) -> PortResult<Seen> {
    let versions = ports.registry.versions(subject).await?;
    let mut earlier: Vec<(i32, AvroSchema)> = Vec::new();
    let counts = |version: i32| version >= baseline.unwrap_or(0);
    for version in versions.into_iter().filter(|v| *v < to && (counts(*v) || *v == from)) {
        let registered = ports.registry.schema(subject, version).await?;
        match read(&registered) {
            Ok(schema) => earlier.push((version, schema)),
            Err(reason) => return Ok(Seen::Refused(vec![format!("version {version}: {reason}")])),
        }
    }
    let registered = ports.registry.schema(subject, to).await?;
    let new = match read(&registered) {
        Ok(schema) => schema,
        Err(reason) => return Ok(Seen::Refused(vec![format!("version {to}: {reason}")])),
    };
    let is_key = settings.subjects.is_key(subject);
    let counting: Vec<(i32, AvroSchema)> = earlier.iter().filter(|(v, _)| counts(*v)).cloned().collect();
    let assessment: Assessment = schema::assess(settings.level, is_key, &new, &counting);
    if !assessment.plannable() {
        return Ok(Seen::Refused(assessment.refusal()));
    }
    let (upto, between) = earlier.split_at(earlier.partition_point(|(v, _)| *v <= from));
    if upto.is_empty() && baseline.is_some() {
        let text = format!("version {from}, which the statements were written for, is no longer in the registry");
        return Ok(Seen::Refused(vec![text]));
    }
    let (changes, added) = match upto.last() {
        Some((_, old)) => (schema::diff(old, &new), schema::added_since(old, between, &new)),
        None => (assessment.changes.clone(), assessment.added_columns()),
    };
    Ok(Seen::Evolved(Box::new(Evolution {
        subject: subject.to_owned(),
        topic: settings.subjects.topic_of(subject).unwrap_or_else(|| subject.to_owned()),
        from_version: from,
        to_version: to,
        assessment,
        changes,
        added,
    })))
}

fn read(registered: &RegisteredSchema) -> Result<AvroSchema, String> {
    if let Some(because) = SchemaKind::from(registered.kind.clone()).unknown_because() {
        return Err(because);
    }
    schema::parse(&registered.text, &registered.references).map_err(|e| e.to_string())
}
