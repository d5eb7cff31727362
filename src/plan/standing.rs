//! What a plan stands on, beside the manifest and the subjects: topics, connectors and files as they were when it was made.
//!
//! Rules (semantics, "Approvals"): what moves here voids a plan and every approval of its rollout; offsets, lag and rates
//! never do. A commit voids it only if it changes a file that the plan was made from, and not by merging the plan's own
//! branch: a repository where people work would void everything otherwise.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::document::Plan;
use crate::diagnostic::Diagnostic;
use crate::model::effect::Effect;
use crate::model::record::TopicSpec;

/// One file of the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    /// SHA-256 of its text; `None` when there is no such file.
    pub digest: Option<String>,
    /// True when it holds every text that the plan puts there: the plan's branch is merged.
    pub merged: bool,
}

/// What a plan stands on, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Blue's topics that green's are made like; `None` for one that does not exist.
    pub topics: BTreeMap<String, Option<TopicSpec>>,
    /// Connectors that move: the settings in which the running one is not the deployed one. Names only, values may be secret.
    pub connectors: BTreeMap<String, BTreeSet<String>>,
    /// Files of the statements that change.
    pub files: BTreeMap<String, FileState>,
    /// The commit that was checked out, for people; alone it voids nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
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
        let files = self.files.iter().filter(|_| compared == Files::Same).filter_map(|(path, before)| {
            let now = now.files.get(path);
            let same = now.is_some_and(|now| now.digest == before.digest || now.merged);
            (!same).then(|| format!("file {path} was changed"))
        });
        topics.chain(connectors).chain(files).collect()
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

    /// Files of the statements that change, each with the texts that the plan puts there.
    pub fn changed_files(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut files: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for table in &self.tables {
            if table.ddl_before.is_some() {
                files.entry(&table.ddl_file).or_default().push(&table.ddl_after);
            }
            if let (Some(file), Some(_), Some(after)) = (&table.dml_file, &table.dml_before, &table.dml_after) {
                files.entry(file).or_default().push(after);
            }
        }
        files
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
        let file = FileState { digest: Some("a".to_owned()), merged: false };
        Standing {
            topics: BTreeMap::from([("t".to_owned(), Some(spec))]),
            connectors: BTreeMap::from([("c".to_owned(), BTreeSet::from(["tasks.max".to_owned()]))]),
            files: BTreeMap::from([("f.sql".to_owned(), file)]),
            commit: Some("1".to_owned()),
        }
    }

    fn moved(change: impl FnOnce(&mut Standing)) -> String {
        let mut now = standing();
        change(&mut now);
        standing().moved(&now, Files::Same).join("; ")
    }

    #[test]
    fn what_stays_and_a_commit_elsewhere_move_nothing() {
        assert_eq!(moved(|_| {}), "");
        assert_eq!(moved(|now| now.commit = Some("2".to_owned())), "");
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
    fn a_file_that_was_changed_voids_unless_the_plan_s_branch_was_merged() {
        let file = |now: &mut Standing, merged| {
            now.files.insert("f.sql".to_owned(), FileState { digest: Some("b".to_owned()), merged });
        };
        assert_eq!(moved(|now| file(now, false)), "file f.sql was changed");
        assert_eq!(moved(|now| file(now, true)), "");
        assert_eq!(moved(|now| now.files.clear()), "file f.sql was changed");
        let elsewhere = Standing { files: BTreeMap::new(), ..standing() };
        assert_eq!(standing().moved(&elsewhere, Files::OfAnotherFolder), Vec::<String>::new());
    }
}
