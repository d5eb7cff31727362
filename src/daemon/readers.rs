//! Who reads a project's topics and is not of the project: consumer groups, sink connectors, jobs.
//!
//! Kafka does not tell whether a group without members is one of a job that assigns itself its partitions, or one that
//! nobody uses any more; so each group that has committed something counts, until a person says otherwise.

use std::collections::{BTreeMap, BTreeSet};

use super::found;
use super::ports::Ports;
use super::settings::Settings;
use crate::model::job::JobRef;
use crate::model::manifest::Manifest;
use crate::model::sink;
use crate::model::template;
use crate::plan::undeploy;
use crate::port::{PortError, PortResult};

/// The readers of each topic that the manifest's statements write: `group g`, `connector c`, `job <id> (name)`. `jobs` are the
/// ids of the project's own jobs, by table; one that is not among them and writes a table of that name counts as well, where
/// the table's own job does not run. `patience_ms` is how long jobs are waited for, all together, that do not say yet what they
/// read.
///
/// # Errors
/// Kafka's, Connect's, Flink's.
pub async fn besides(
    ports: &Ports,
    settings: &Settings,
    manifest: &Manifest,
    jobs: &BTreeMap<String, String>,
    patience_ms: i64,
) -> PortResult<BTreeMap<String, BTreeSet<String>>> {
    let written = manifest.written();
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut add = |topic: &str, reader: String| {
        all.entry(topic.to_owned()).or_default().insert(reader);
    };
    let own = Own::of(settings, manifest);
    let running: Vec<JobRef> = ports.engine.jobs().await?.into_iter().filter(|job| !job.ended()).collect();
    let alive: BTreeSet<&String> = running.iter().map(|job| &job.id).collect();
    for topic in written.values() {
        let groups = match ports.topics.readers(topic).await {
            Err(PortError::Missing { .. }) => continue,
            groups => groups?,
        };
        groups.into_iter().filter(|group| !own.has(group)).for_each(|group| add(topic, format!("group {group}")));
    }
    for (name, config) in ports.connectors.all().await? {
        if manifest.connectors.contains_key(&name) {
            continue;
        }
        for topic in sink::topics(&config).filter(|topic| written.values().any(|w| w == topic)) {
            add(topic, format!("connector {name}"));
        }
    }
    let topics: BTreeSet<String> = written.values().map(|topic| (*topic).to_owned()).collect();
    let until = ports.clock.now_ms() + patience_ms;
    for job in running.iter().filter(|job| !jobs.values().any(|id| *id == job.id)) {
        let shape = match ports.engine.running(&job.id).await {
            Err(PortError::Missing { .. }) => continue,
            shape => shape?,
        };
        let called = format!("job {} ({})", job.id, job.name);
        for topic in found::topics_read(ports, &job.id, &topics, until).await? {
            add(&topic, called.clone());
        }
        // Where the table's own job runs, this is another environment's; where it does not, this may be what writes the topic.
        for (table, topic) in shape.writes.iter().filter_map(|table| written.get_key_value(table.as_str())) {
            if jobs.get(*table).is_none_or(|id| !alive.contains(id)) {
                add(topic, format!("{called}, which writes a table `{table}`"));
            }
        }
    }
    Ok(all)
}

/// The project's own groups.
struct Own {
    /// Those that files and connectors name, and Connect's.
    named: BTreeSet<String>,
    /// What the group of a job begins and ends with: between them are rollout and attempt.
    jobs: Vec<(String, String)>,
}

impl Own {
    fn of(settings: &Settings, manifest: &Manifest) -> Self {
        let named = undeploy::named_groups(manifest);
        let by_files = named.iter().filter_map(|group| template::resolve(group, &settings.vars).ok());
        let connectors = manifest.connectors.iter().map(|(name, connector)| {
            let own = connector.config.get("consumer.override.group.id");
            own.and_then(|group| template::resolve(group, &settings.vars).ok())
                .unwrap_or_else(|| format!("connect-{name}"))
        });
        let specs = manifest.tables.values().filter_map(|table| table.job.as_ref());
        let jobs = specs.flat_map(|job| {
            let begin = format!("{}{}.", settings.prefix, job.table);
            job.reads.iter().map(move |read| (begin.clone(), format!(".{}", read.table)))
        });
        Self { named: by_files.chain(connectors).collect(), jobs: jobs.collect() }
    }

    fn has(&self, group: &str) -> bool {
        let of_job = |(begin, end): &(String, String)| group.starts_with(begin) && group.ends_with(end);
        self.named.contains(group) || self.jobs.iter().any(of_job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_the_projects_by_its_whole_name() {
        let own = Own {
            named: BTreeSet::from(["connect-sink".to_owned(), "shop.orders".to_owned()]),
            jobs: vec![("c-fct.".to_owned(), ".orders".to_owned())],
        };
        for group in ["connect-sink", "shop.orders", "c-fct.deploy-1-x.1.orders"] {
            assert!(own.has(group), "{group}");
        }
        for group in ["connect-sink2", "shop.orders2", "c-fct2.deploy-1-x.1.orders", "c-fct.deploy-1-x.1.other", ""] {
            assert!(!own.has(group), "{group}");
        }
    }
}
