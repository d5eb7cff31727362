//! What planning looks at, brought together: the only step of planning that asks the world.

use std::collections::{BTreeMap, BTreeSet};

use super::ports::Ports;
use super::settings::Settings;
use super::subjects::Subjects;
use super::watch::Audit;
use crate::model::manifest::Manifest;
use crate::plan::input::{Evolution, TopicFacts};
use crate::plan::{Cause, PlanInput};
use crate::port::{PortError, PortResult, RegisteredSchema, Registry, RegistryChecks};
use crate::schema::level::UnknownLevel;
use crate::schema::listed::{Metadata, Terms};
use crate::schema::{self, Assessment, AvroSchema, Level, SchemaKind};

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
    registry.latest(&topics.iter().flat_map(|t| subjects.of(t)).collect()).await
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
    let terms = match terms(ports.registry.as_ref(), settings.level, subject).await? {
        Ok(terms) => terms,
        Err(unknown) => {
            return Ok(Seen::Refused(vec![format!("the registry's level is not known: {unknown}; set policy.level")]));
        }
    };
    let listed: BTreeSet<i32> = ports.registry.versions(subject).await?.into_iter().collect();
    let mut earlier: Vec<(i32, AvroSchema)> = Vec::new();
    let mut metadata: BTreeMap<i32, Metadata> = BTreeMap::new();
    let counts = |version: i32| version >= baseline.unwrap_or(0);
    // What the text was written for can be read also where it is deleted softly.
    let written_for = (from < to).then_some(from);
    let asked: BTreeSet<i32> = listed.iter().copied().filter(|v| *v < to && counts(*v)).chain(written_for).collect();
    for version in asked {
        let registered = match ports.registry.schema(subject, version).await {
            Err(PortError::Missing { .. }) if version == from => continue,
            registered => registered?,
        };
        match read(&registered) {
            Ok(schema) => earlier.push((version, schema)),
            Err(reason) => return Ok(Seen::Refused(vec![format!("version {version}: {reason}")])),
        }
        metadata.insert(version, registered.metadata);
    }
    let registered = ports.registry.schema(subject, to).await?;
    let new = match read(&registered) {
        Ok(schema) => schema,
        Err(reason) => return Ok(Seen::Refused(vec![format!("version {to}: {reason}")])),
    };
    let is_key = settings.subjects.is_key(subject);
    let counting: Vec<(i32, AvroSchema)> = earlier.iter().filter(|(v, _)| counts(*v)).cloned().collect();
    let none = Metadata::new();
    let compared = counting.iter().filter(|(v, _)| listed.contains(v));
    let compared: Vec<(i32, &AvroSchema, &Metadata)> =
        compared.map(|(v, schema)| (*v, schema, metadata.get(v).unwrap_or(&none))).collect();
    // What another group or a deletion takes from the registry's answer is in the topic's records all the same.
    let assessment: Assessment = schema::assess(terms.level, is_key, &new, &counting)
        .with_registry(terms.check((&new, &registered.metadata), &compared));
    if !assessment.plannable() {
        return Ok(Seen::Refused(assessment.refusal()));
    }
    let (upto, between) = earlier.split_at(earlier.partition_point(|(v, _)| *v <= from));
    let Some((_, old)) = upto.last() else {
        let text = format!("version {from}, which the statements were written for, is no longer in the registry");
        return Ok(Seen::Refused(vec![text]));
    };
    let (changes, added) = (schema::diff(old, &new), schema::added_since(old, between, &new));
    let mut topics = settings.subjects.topics_of(subject);
    if topics.is_empty() {
        topics.insert(subject.to_owned());
    }
    Ok(Seen::Evolved(Box::new(Evolution {
        subject: subject.to_owned(),
        topics,
        from_version: from,
        to_version: to,
        assessment,
        changes,
        added,
    })))
}

/// What new versions of `subject` are held to.
async fn terms(
    registry: &dyn Registry,
    configured: Option<Level>,
    subject: &str,
) -> PortResult<Result<Terms, UnknownLevel>> {
    let told = match registry.checks(subject).await {
        Ok(told) => told,
        // Who sets the level may do without the right to see the registry's.
        Err(error) if configured.is_some() && !error.passing() => RegistryChecks::default(),
        Err(PortError::Missing { .. }) => RegistryChecks::default(),
        Err(error) => return Err(error),
    };
    Ok(Terms::new(configured, told.level.as_deref(), told.group))
}

fn read(registered: &RegisteredSchema) -> Result<AvroSchema, String> {
    if let Some(because) = SchemaKind::from(registered.kind.clone()).unknown_because() {
        return Err(because);
    }
    schema::parse(&registered.text, &registered.references).map_err(|e| e.to_string())
}
