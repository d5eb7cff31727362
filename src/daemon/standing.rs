//! Looks at what a plan stands on: once when it is made, again before it is applied and before it is approved.

use std::collections::{BTreeMap, BTreeSet};

use super::ports::Ports;
use super::readers;
use super::settings::Settings;
use super::switch;
use crate::model::manifest::Manifest;
use crate::model::template;
use crate::plan::standing::{NO_CONNECTOR, Standing};
use crate::plan::{Plan, project};
use crate::port::{PortError, PortResult, ProjectFile};

/// How long jobs are waited for that do not say what they read: the loop waits meanwhile.
const PATIENCE_MS: i64 = 4_000;
/// What Connect adds to a connector's settings by itself.
const OWN_NAME: &str = "name";
/// The setting that a move changes.
const TOPICS: &str = "topics";

/// What `plan` stands on, now.
///
/// # Errors
/// Kafka's, Connect's, and the project folder's if there is one.
pub async fn look(ports: &Ports, settings: &Settings, plan: &Plan) -> PortResult<Standing> {
    let mut topics = BTreeMap::new();
    for topic in plan.copied_topics() {
        topics.insert(topic.to_owned(), ports.topics.describe(topic).await?);
    }
    let mut connectors = BTreeMap::new();
    for (name, deployed) in plan.moved_connectors() {
        let running = ports.connectors.config(name).await?;
        connectors.insert(name.to_owned(), differing(settings, deployed, running.as_ref()));
    }
    let files = match ports.repository.files().await {
        Ok(files) => files,
        // A daemon need not have the project's folder.
        Err(PortError::Missing { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    let readers = match plan.taken_down() {
        Some(manifest) => readers::besides(ports, settings, manifest, &plan.assumptions.jobs, PATIENCE_MS).await?,
        None => BTreeMap::new(),
    };
    let statements = plan.said_by(&read(&files, &settings.public_vars));
    Ok(Standing { topics, connectors, statements, readers })
}

/// The project's files as a manifest.
pub(super) fn read(files: &[ProjectFile], vars: &BTreeMap<String, String>) -> Manifest {
    let texts: Vec<project::File> = files.iter().map(|f| (f.path.clone(), f.text.clone())).collect();
    project::read(&texts, vars).manifest
}

/// The plan, standing on what there is now.
///
/// # Errors
/// As [`look`].
pub async fn settle(ports: &Ports, settings: &Settings, plan: Plan) -> PortResult<Plan> {
    let standing = look(ports, settings, &plan).await?;
    Ok(plan.standing_on(standing))
}

/// Settings in which the running connector is not the deployed one.
pub(super) fn differing(
    settings: &Settings,
    deployed: &BTreeMap<String, String>,
    running: Option<&BTreeMap<String, String>>,
) -> BTreeSet<String> {
    let Some(running) = running else { return BTreeSet::from([NO_CONNECTOR.to_owned()]) };
    let is_deployed = |key: &String| {
        let value = deployed.get(key).and_then(|value| template::resolve(value, &settings.vars).ok());
        match (&value, running.get(key)) {
            // It is on its way there: its destination is being mended.
            (Some(to), Some(on)) if key == TOPICS && switch::repairs(on, to) => true,
            (value, on) => value.as_ref() == on,
        }
    };
    let keys = deployed.keys().chain(running.keys());
    keys.filter(|key| *key != OWN_NAME && !is_deployed(key)).cloned().collect()
}
