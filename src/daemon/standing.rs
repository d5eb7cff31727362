//! Looks at what a plan stands on: once when it is made, again before it is applied and before it is approved.

use std::collections::{BTreeMap, BTreeSet};

use super::ports::Ports;
use super::settings::Settings;
use super::switch;
use crate::model::template;
use crate::model::verdict::digest_of;
use crate::plan::Plan;
use crate::plan::standing::{FileState, NO_CONNECTOR, Standing};
use crate::port::{PortError, PortResult};

/// What Connect adds to a connector's settings by itself.
const OWN_NAME: &str = "name";
/// The setting that a move changes.
const TOPICS: &str = "topics";

/// What `plan` stands on, now.
///
/// # Errors
/// Kafka's, Connect's and the project folder's.
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
    let texts: BTreeMap<String, String> = match ports.repository.files().await {
        Ok(files) => files.into_iter().map(|file| (file.path, file.text)).collect(),
        // A daemon need not have the project's folder.
        Err(PortError::Missing { .. }) => BTreeMap::new(),
        Err(error) => return Err(error),
    };
    let state = |path: &str, after: &[&str]| FileState {
        digest: texts.get(path).map(digest_of),
        merged: texts.get(path).is_some_and(|text| after.iter().all(|a| text.contains(a))),
    };
    let files = plan.changed_files().into_iter().map(|(path, after)| (path.to_owned(), state(path, &after)));
    Ok(Standing { topics, connectors, files: files.collect(), commit: ports.repository.commit().await? })
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
fn differing(
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
