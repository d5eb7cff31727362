//! The part of a plan that is carried out: effects by phase, and how the result is proven.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::effect::Effect;
use super::parity::{Hop, TableContract};

/// What a rollout does, phase by phase. Effects of a phase run in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// Deploys green beside blue.
    pub staging: Vec<Effect>,
    /// The cascade in dependency order; empty when nothing is to be proven (a first deployment).
    pub hops: Vec<Hop>,
    /// How each green table is proven.
    pub contracts: Vec<TableContract>,
    /// Makes green serve. Done only after an approval.
    pub promoting: Vec<Effect>,
    /// Removes blue. Done only after the soak.
    pub retiring: Vec<Effect>,
}

impl Work {
    /// What reaches beyond its phase, in words. Before a yes only new things may be made, each of them with a topic of its
    /// own, and a first deployment (`asks_nobody`) ends without one. `running` are the tables that have a job.
    pub fn overreach(&self, asks_nobody: bool, running: &BTreeSet<String>) -> Option<String> {
        let made: BTreeSet<&str> = self
            .staging
            .iter()
            .filter_map(|e| if let Effect::CreateTopic { topic, .. } = e { Some(topic.as_str()) } else { None })
            .collect();
        let stages = |effect: &&Effect| match effect {
            Effect::InspectTopic { .. } | Effect::CreateTopic { .. } | Effect::Explain { .. } => true,
            Effect::CopySubjectLevel { subject, .. } => {
                ["-value", "-key"].iter().any(|end| subject.strip_suffix(end).is_some_and(|t| made.contains(t)))
            }
            Effect::StartJob { job } => made.contains(job.topic.as_str()) && !running.contains(&job.table),
            _ => false,
        };
        let adds = |effect: &&Effect| matches!(effect, Effect::CreateConnector { .. } | Effect::SetManifest { .. });
        let staged = self.staging.iter().find(|e| !stages(e));
        let promoted = self.promoting.iter().find(|e| asks_nobody && !adds(e));
        let retired = self.retiring.iter().find(|_| asks_nobody);
        staged.or(promoted).or(retired).map(Effect::title)
    }
}

/// A job that was started: what the engine calls it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningJob {
    /// Physical name of the table that it writes.
    pub table: String,
    /// `pipeline.name`, unique for the attempt.
    pub name: String,
    /// The engine's id.
    pub id: String,
    /// What it reads: (logical or physical table, topic, consumer group), placeholders resolved.
    pub reads: Vec<ReadProgress>,
    /// The topic that it writes.
    pub topic: String,
    /// True when its sink is exactly once.
    pub exactly_once: bool,
}

/// How a job's progress on one topic is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadProgress {
    /// Physical table.
    pub table: String,
    /// Topic.
    pub topic: String,
    /// Consumer group; `None` means that progress is unknown.
    pub group: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::job::JobSpec;

    fn topic(name: &str) -> Effect {
        Effect::CreateTopic { topic: name.to_owned(), like: None, partitions: 1, config: BTreeMap::new() }
    }

    fn start(table: &str, topic: &str) -> Effect {
        let job = JobSpec {
            table: table.to_owned(),
            settings: BTreeMap::new(),
            ddl: Vec::new(),
            insert: String::new(),
            reads: Vec::new(),
            topic: topic.to_owned(),
            exactly_once: false,
        };
        Effect::StartJob { job }
    }

    #[test]
    fn before_a_yes_only_new_things_are_made() {
        let running = BTreeSet::from(["a".to_owned()]);
        let level =
            |subject: &str| Effect::CopySubjectLevel { subject: subject.to_owned(), like: "t.a-key".to_owned() };
        let cancel = || Effect::CancelJob { table: "a".to_owned() };
        let delete = || Effect::DeleteTopic { topic: "t.a".to_owned() };
        let staged = |more: Vec<Effect>| {
            let staging = [topic("t.a_v2")].into_iter().chain(more).collect();
            Work { staging, promoting: vec![cancel()], retiring: vec![delete()], ..Work::default() }
        };
        assert_eq!(staged(vec![level("t.a_v2-key"), start("a_v2", "t.a_v2")]).overreach(false, &running), None);
        let wrong = [cancel(), delete(), level("t.a-key"), start("a_v2", "t.a"), start("a", "t.a_v2")];
        for effect in wrong {
            let title = effect.title();
            assert_eq!(staged(vec![effect]).overreach(false, &running), Some(title));
        }
    }

    #[test]
    fn a_first_deployment_adds_only() {
        let connector = Effect::CreateConnector { name: "c".to_owned(), config: BTreeMap::new() };
        let mut work = Work { staging: vec![topic("t.a")], promoting: vec![connector], ..Work::default() };
        assert_eq!(work.overreach(true, &BTreeSet::new()), None);
        let delete = Effect::DeleteConnector { name: "c".to_owned() };
        work.promoting.push(delete.clone());
        assert_eq!(work.overreach(true, &BTreeSet::new()), Some(delete.title()));
        assert_eq!(work.overreach(false, &BTreeSet::new()), None);
    }
}
