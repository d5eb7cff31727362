//! What a plan stands on, beside the manifest and the subjects: topics, connectors and the files' statements as they were when
//! it was made.
//!
//! Rules (semantics, "Approvals"): what moves here voids a plan and every approval of its rollout; offsets, lag and rates
//! never do. Statements are compared by what they say ([`meaning`]): a commit voids a plan only if it changes what a
//! statement of the plan says, and neither by merging the plan's own branch nor by going back to what is deployed. A
//! repository where people work would void everything otherwise.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::document::{Plan, TablePlan};
use super::meaning;
use crate::diagnostic::Diagnostic;
use crate::model::effect::Effect;
use crate::model::manifest::Manifest;
use crate::model::record::TopicSpec;

/// What the files say of one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Digest of what they say; `None` when they do not hold the table.
    pub digest: Option<String>,
    /// True when that is what is deployed, or what the plan deploys.
    pub known: bool,
}

/// What a plan stands on, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Blue's topics that green's are made like; `None` for one that does not exist.
    pub topics: BTreeMap<String, Option<TopicSpec>>,
    /// Connectors that move: the settings in which the running one is not the deployed one. Names only, values may be secret.
    pub connectors: BTreeMap<String, BTreeSet<String>>,
    /// What the project's files say of the tables that become green.
    pub statements: BTreeMap<String, Said>,
    /// Who else reads the topics that are taken down.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub readers: BTreeMap<String, BTreeSet<String>>,
}

/// Each topic with each of those who read it besides the project.
pub fn read_besides(readers: &BTreeMap<String, BTreeSet<String>>) -> impl Iterator<Item = (&String, &String)> {
    readers.iter().flat_map(|(topic, readers)| readers.iter().map(move |reader| (topic, reader)))
}

/// How a connector that does not exist is told from one whose settings differ.
pub const NO_CONNECTOR: &str = "(it does not exist)";

/// Whose files two states are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    /// The same folder's: a difference is a change.
    Same,
    /// Another folder's: a difference says nothing.
    OfAnotherFolder,
}

impl Standing {
    /// What has moved from `self` to `now`, one line each.
    pub fn moved(&self, now: &Self, compared: Files) -> Vec<String> {
        let topics = self.topics.iter().filter_map(|(topic, before)| {
            let now = now.topics.get(topic).cloned().flatten();
            (*before != now).then(|| match (before, now) {
                (Some(before), Some(now)) => format!("topic {topic} has another {}", difference(before, &now)),
                (_, None) => format!("topic {topic} does not exist any more"),
                (None, Some(_)) => format!("topic {topic} exists now"),
            })
        });
        let connectors = self.connectors.iter().filter_map(|(name, before)| {
            let now = now.connectors.get(name).cloned().unwrap_or_default();
            let changed: Vec<&str> = before.symmetric_difference(&now).map(String::as_str).collect();
            (!changed.is_empty()).then(|| format!("connector {name} was changed: {}", changed.join(", ")))
        });
        let statements = self.statements.iter().filter(|_| compared == Files::Same).filter_map(|(table, before)| {
            let now = now.statements.get(table)?;
            (!now.known && now.digest != before.digest).then(|| format!("the statement of `{table}` was changed"))
        });
        let readers = read_besides(&now.readers)
            .filter(|(topic, reader)| !self.readers.get(*topic).is_some_and(|known| known.contains(*reader)))
            .map(|(topic, reader)| format!("topic {topic} is read by {reader} now"));
        topics.chain(connectors).chain(statements).chain(readers).collect()
    }
}

fn difference(before: &TopicSpec, now: &TopicSpec) -> String {
    let mut keys: BTreeSet<&str> = BTreeSet::new();
    if before.partitions != now.partitions {
        keys.insert("number of partitions");
    }
    for key in before.config.keys().chain(now.config.keys()) {
        if before.config.get(key) != now.config.get(key) {
            keys.insert(key);
        }
    }
    keys.into_iter().collect::<Vec<_>>().join(", ")
}

impl Plan {
    /// The plan, standing on what was gathered for it. A connector that somebody has changed is pointed out: moving it sets
    /// its settings back to the deployed ones.
    #[must_use]
    pub fn standing_on(mut self, standing: Standing) -> Self {
        for (name, keys) in standing.connectors.iter().filter(|(_, keys)| !keys.is_empty()) {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let text = format!("connector {name} is not as it was deployed: {}", keys.join(", "));
            self.warnings.push(
                Diagnostic::warning("C220", text)
                    .help("moving it sets this back to what was deployed: set it again after the promotion"),
            );
        }
        self.assumptions.standing = Some(standing);
        self
    }

    /// Topics that other topics are made like.
    pub fn copied_topics(&self) -> BTreeSet<&str> {
        let mut copied = BTreeSet::new();
        for effect in &self.work.staging {
            if let Effect::CreateTopic { like: Some(topic), .. } = effect {
                copied.insert(topic.as_str());
            }
        }
        copied
    }

    /// Connectors that move, with their settings as deployed; placeholders in them.
    pub fn moved_connectors(&self) -> BTreeMap<&str, &BTreeMap<String, String>> {
        let mut moved = BTreeMap::new();
        for effect in &self.work.promoting {
            if let Effect::MoveConnector { name, before, .. } = effect {
                moved.insert(name.as_str(), before);
            }
        }
        moved
    }

    /// What it takes down; `None` for a plan that takes nothing down.
    pub fn taken_down(&self) -> Option<&Manifest> {
        let retiring = if self.kind == "undeploy" { self.work.retiring.as_slice() } else { &[] };
        retiring.iter().find_map(|effect| match effect {
            Effect::SetManifest { before, .. } => Some(&**before),
            _ => None,
        })
    }

    /// What `files`, read as a manifest, say of the tables that become green.
    pub fn said_by(&self, files: &Manifest) -> BTreeMap<String, Said> {
        let set = self.work.promoting.iter().find_map(|effect| match effect {
            Effect::SetManifest { before, after } => Some((before, after)),
            _ => None,
        });
        let Some((before, after)) = set else { return BTreeMap::new() };
        let says = |manifest: &Manifest, names: &BTreeMap<String, String>, table: &str| {
            manifest.tables.get(table).map(|deployed| meaning::of(deployed, names).digest())
        };
        let (in_files, blue, green) = (meaning::logical(files), meaning::logical(before), meaning::logical(after));
        let tables = self.tables.iter().filter(|table| table.ddl_before.is_some());
        tables
            .map(|TablePlan { table, .. }| {
                let digest = says(files, &in_files, table);
                let known = digest == says(before, &blue, table) || digest == says(after, &green, table);
                (table.clone(), Said { digest, known })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing() -> Standing {
        let spec = TopicSpec {
            name: "t".to_owned(),
            partitions: 2,
            config: BTreeMap::from([("cleanup.policy".to_owned(), "compact".to_owned())]),
        };
        let said = Said { digest: Some("a".to_owned()), known: true };
        Standing {
            topics: BTreeMap::from([("t".to_owned(), Some(spec))]),
            connectors: BTreeMap::from([("c".to_owned(), BTreeSet::from(["tasks.max".to_owned()]))]),
            statements: BTreeMap::from([("s".to_owned(), said)]),
            readers: BTreeMap::from([("t".to_owned(), BTreeSet::from(["group a".to_owned()]))]),
        }
    }

    fn moved(change: impl FnOnce(&mut Standing)) -> String {
        let mut now = standing();
        change(&mut now);
        standing().moved(&now, Files::Same).join("; ")
    }

    #[test]
    fn what_stays_moves_nothing() {
        assert_eq!(moved(|_| {}), "");
    }

    #[test]
    fn a_topic_that_moved_is_named_with_its_settings() {
        let spec = |now: &mut Standing, change: fn(&mut TopicSpec)| {
            if let Some(Some(spec)) = now.topics.get_mut("t") {
                change(spec);
            }
        };
        assert_eq!(moved(|now| spec(now, |s| s.partitions = 3)), "topic t has another number of partitions");
        let compaction = moved(|now| spec(now, |s| s.config.clear()));
        assert_eq!(compaction, "topic t has another cleanup.policy");
        assert_eq!(moved(|now| now.topics.clear()), "topic t does not exist any more");
    }

    #[test]
    fn a_connector_that_was_changed_or_set_back_is_named() {
        let keys = |now: &mut Standing, keys: &[&str]| {
            now.connectors.insert("c".to_owned(), keys.iter().map(|k| (*k).to_owned()).collect());
        };
        assert_eq!(moved(|now| keys(now, &["tasks.max", "topics"])), "connector c was changed: topics");
        assert_eq!(moved(|now| keys(now, &[])), "connector c was changed: tasks.max");
    }

    #[test]
    fn a_reader_that_has_come_voids_and_one_that_has_gone_does_not() {
        let now = |readers: &[&str]| {
            let readers = readers.iter().map(|r| (*r).to_owned()).collect();
            moved(|now| {
                now.readers.insert("t".to_owned(), readers);
            })
        };
        assert_eq!(now(&["group a", "job 1"]), "topic t is read by job 1 now");
        assert_eq!(now(&[]), "");
    }

    #[test]
    fn a_statement_that_was_changed_voids_unless_it_says_what_is_known() {
        let says = |now: &mut Standing, digest: &str, known| {
            now.statements.insert("s".to_owned(), Said { digest: Some(digest.to_owned()), known });
        };
        assert_eq!(moved(|now| says(now, "b", false)), "the statement of `s` was changed");
        assert_eq!(moved(|now| says(now, "b", true)), "");
        let mut elsewhere = standing();
        says(&mut elsewhere, "b", false);
        assert_eq!(standing().moved(&elsewhere, Files::OfAnotherFolder), Vec::<String>::new());
        // What nobody knows already when the plan is made may stay so.
        assert_eq!(elsewhere.moved(&elsewhere, Files::Same), Vec::<String>::new());
    }
}
