//! The part of a plan that is carried out: effects by phase, and how the result is proven.

use std::collections::{BTreeMap, BTreeSet};

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
    /// What reaches beyond what work of its kind may do, in words. `running` are the tables that statements write, with their
    /// topics, and `connectors` the names of those that are deployed.
    pub fn overreach(
        &self,
        reach: Reach,
        running: &BTreeMap<String, String>,
        connectors: &BTreeSet<&str>,
    ) -> Option<String> {
        match reach {
            Reach::First => self.beyond_rollout(true, running),
            Reach::Replacement => self.beyond_rollout(false, running),
            Reach::Adoption => self.beyond(
                // What is deployed gets another job only where its own has ended, which is looked at when it is done.
                |effect| matches!(effect, Effect::AdoptJob { job } if running.get(&job.table).is_none_or(|t| *t == job.topic)),
                |effect| matches!(effect, Effect::SetManifest { .. }),
                |_| false,
            ),
            Reach::Removal => self.beyond(
                |_| false,
                |_| false,
                |effect| match effect {
                    Effect::CancelJob { table } => running.contains_key(table),
                    Effect::DeleteTopic { topic } => running.values().any(|written| written == topic),
                    Effect::DeleteConnector { name } => connectors.contains(name.as_str()),
                    Effect::SetManifest { .. } => true,
                    _ => false,
                },
            ),
        }
    }

    /// The first effect of a phase that the phase's rule does not take.
    fn beyond(
        &self,
        stages: impl Fn(&Effect) -> bool,
        promotes: impl Fn(&Effect) -> bool,
        retires: impl Fn(&Effect) -> bool,
    ) -> Option<String> {
        let staged = self.staging.iter().find(|e| !stages(e));
        let promoted = self.promoting.iter().find(|e| !promotes(e));
        let retired = self.retiring.iter().find(|e| !retires(e));
        staged.or(promoted).or(retired).map(Effect::title)
    }

    /// Before a yes only new things may be made, each of them with a topic of its own, and a first deployment
    /// (`asks_nobody`) ends without one. After it only what is replaced may be left and removed: tables with a green that
    /// is started and proven.
    fn beyond_rollout(&self, asks_nobody: bool, running: &BTreeMap<String, String>) -> Option<String> {
        let made: BTreeSet<&str> = self
            .staging
            .iter()
            .filter_map(|e| if let Effect::CreateTopic { topic, .. } = e { Some(topic.as_str()) } else { None })
            .collect();
        let proven: BTreeSet<&str> = self.contracts.iter().map(|contract| contract.table.as_str()).collect();
        let green: BTreeMap<&str, Option<&str>> = self
            .hops
            .iter()
            .filter(|hop| proven.contains(hop.table.as_str()))
            .filter_map(|hop| Some((hop.green.as_deref()?, hop.blue.as_deref())))
            .collect();
        let stages = |effect: &Effect| match effect {
            Effect::InspectTopic { .. } | Effect::CreateTopic { .. } | Effect::Explain { .. } => true,
            Effect::CopySubjectLevel { subject, .. } => {
                ["-value", "-key"].iter().any(|end| subject.strip_suffix(end).is_some_and(|t| made.contains(t)))
            }
            Effect::StartJob { job } => {
                let unproven = !asks_nobody && !green.contains_key(job.table.as_str());
                made.contains(job.topic.as_str()) && !running.contains_key(&job.table) && !unproven
            }
            _ => false,
        };
        let started: BTreeSet<&str> = self
            .staging
            .iter()
            .filter_map(|e| if let Effect::StartJob { job } = e { Some(job.table.as_str()) } else { None })
            .collect();
        let replaced: BTreeMap<&str, &str> = green
            .iter()
            .filter(|(table, _)| started.contains(*table))
            .filter_map(|(_, blue)| running.get_key_value((*blue)?))
            .map(|(table, topic)| (table.as_str(), topic.as_str()))
            .collect();
        let leaves = |topic: &str| replaced.values().any(|replaced| *replaced == topic);
        let promotes = |effect: &Effect| match effect {
            Effect::SetManifest { .. } => true,
            Effect::CreateConnector { .. } => asks_nobody,
            Effect::MoveConnector { from, to, .. } => !asks_nobody && leaves(from) && made.contains(to.as_str()),
            _ => false,
        };
        let retires = |effect: &Effect| match effect {
            Effect::CancelJob { table } => !asks_nobody && replaced.contains_key(table.as_str()),
            Effect::DeleteTopic { topic } => !asks_nobody && leaves(topic),
            _ => false,
        };
        self.beyond(stages, promotes, retires)
    }
}

/// What work of one kind may do at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Make new things; nobody is asked.
    First,
    /// Make new things, and after a yes leave and remove what they replace.
    Replacement,
    /// Take over jobs that run already, and change nothing.
    Adoption,
    /// Remove what is deployed, after a yes.
    Removal,
}

/// A job that was started or adopted: what the engine calls it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningJob {
    /// Physical name of the table that it writes.
    pub table: String,
    /// `pipeline.name`, unique for the attempt; one that was adopted has any name.
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
    /// Consumer group that this reader alone commits to; `None` when there is none: the engine is asked how far it has read.
    pub group: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::job::JobSpec;
    use crate::model::parity::{Changelog, RowRule};

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

    fn running() -> BTreeMap<String, String> {
        ["a", "b"].map(|table| (table.to_owned(), format!("t.{table}"))).into()
    }

    fn connectors() -> BTreeSet<&'static str> {
        BTreeSet::from(["c"])
    }

    /// `a` is replaced by `a_v2` and proven.
    fn replacing(staging: Vec<Effect>) -> Work {
        let contract = TableContract {
            table: "a".to_owned(),
            blue_topic: Some("t.a".to_owned()),
            green_topic: "t.a_v2".to_owned(),
            changelog: Changelog::Upsert,
            key: vec!["id".to_owned()],
            columns: BTreeMap::new(),
            rows: RowRule::default(),
        };
        let hop = Hop { table: "a".to_owned(), blue: Some("a".to_owned()), green: Some("a_v2".to_owned()) };
        Work { staging, hops: vec![hop], contracts: vec![contract], ..Work::default() }
    }

    #[test]
    fn before_a_yes_only_new_things_are_made() {
        let level =
            |subject: &str| Effect::CopySubjectLevel { subject: subject.to_owned(), like: "t.a-key".to_owned() };
        let cancel = Effect::CancelJob { table: "a".to_owned() };
        let delete = Effect::DeleteTopic { topic: "t.a".to_owned() };
        let staged = |more: Vec<Effect>| {
            let work = replacing([topic("t.a_v2")].into_iter().chain(more).collect());
            work.overreach(Reach::Replacement, &running(), &connectors())
        };
        assert_eq!(staged(vec![level("t.a_v2-key"), start("a_v2", "t.a_v2")]), None);
        let wrong =
            [cancel, delete, level("t.a-key"), start("a_v2", "t.a"), start("a", "t.a_v2"), start("c", "t.a_v2")];
        for effect in wrong {
            let title = effect.title();
            assert_eq!(staged(vec![effect]), Some(title));
        }
    }

    #[test]
    fn after_a_yes_only_what_is_replaced_and_proven_is_left_and_removed() {
        let moved = |from: &str, to: &str| Effect::MoveConnector {
            name: "c".to_owned(),
            before: BTreeMap::new(),
            after: BTreeMap::new(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        let cancel = |table: &str| Effect::CancelJob { table: table.to_owned() };
        let delete = |topic: &str| Effect::DeleteTopic { topic: topic.to_owned() };
        let work = || replacing(vec![topic("t.a_v2"), start("a_v2", "t.a_v2")]);
        let good =
            Work { promoting: vec![moved("t.a", "t.a_v2")], retiring: vec![cancel("a"), delete("t.a")], ..work() };
        assert_eq!(good.overreach(Reach::Replacement, &running(), &connectors()), None);
        for effect in [moved("t.b", "t.a_v2"), moved("t.a", "t.b"), cancel("a")] {
            let title = effect.title();
            assert_eq!(
                Work { promoting: vec![effect], ..work() }.overreach(Reach::Replacement, &running(), &connectors()),
                Some(title)
            );
        }
        for effect in [cancel("b"), delete("t.b"), delete("unrelated"), start("b", "t.a_v2")] {
            let title = effect.title();
            assert_eq!(
                Work { retiring: vec![effect], ..work() }.overreach(Reach::Replacement, &running(), &connectors()),
                Some(title)
            );
        }
        // What nobody compares may not be started, and so nothing is replaced by it.
        let unproven = Work { contracts: Vec::new(), ..good };
        assert_eq!(
            unproven.overreach(Reach::Replacement, &running(), &connectors()),
            Some(start("a_v2", "t.a_v2").title())
        );
    }

    #[test]
    fn a_first_deployment_adds_only() {
        let connector = Effect::CreateConnector { name: "c".to_owned(), config: BTreeMap::new() };
        let staging = vec![topic("t.a"), start("a", "t.a")];
        let mut work = Work { staging, promoting: vec![connector], ..Work::default() };
        assert_eq!(work.overreach(Reach::First, &BTreeMap::new(), &connectors()), None);
        let delete = Effect::DeleteConnector { name: "c".to_owned() };
        work.promoting.push(delete.clone());
        assert_eq!(work.overreach(Reach::First, &BTreeMap::new(), &connectors()), Some(delete.title()));
    }

    #[test]
    fn an_adoption_takes_over_what_is_nobodys_and_changes_nothing() {
        let adopt = |table: &str| Effect::AdoptJob {
            job: RunningJob {
                table: table.to_owned(),
                name: "insert-into_a".to_owned(),
                id: "1".to_owned(),
                reads: Vec::new(),
                topic: format!("t.{table}"),
                exactly_once: false,
            },
        };
        let staged = |effect: Effect| Work { staging: vec![effect], ..Work::default() };
        assert_eq!(staged(adopt("c")).overreach(Reach::Adoption, &running(), &connectors()), None);
        assert_eq!(staged(adopt("a")).overreach(Reach::Adoption, &running(), &connectors()), None);
        let elsewhere = match adopt("a") {
            Effect::AdoptJob { job } => Effect::AdoptJob { job: RunningJob { topic: "t.b".to_owned(), ..job } },
            other => other,
        };
        for effect in [elsewhere, topic("t.c"), start("c", "t.c"), Effect::CancelJob { table: "a".to_owned() }] {
            let title = effect.title();
            assert_eq!(staged(effect).overreach(Reach::Adoption, &running(), &connectors()), Some(title));
        }
        let title = adopt("c").title();
        assert_eq!(staged(adopt("c")).overreach(Reach::First, &running(), &connectors()), Some(title.clone()));
        assert_eq!(staged(adopt("c")).overreach(Reach::Replacement, &running(), &connectors()), Some(title));
    }

    #[test]
    fn a_removal_removes_what_is_deployed_and_makes_nothing() {
        let cancel = |table: &str| Effect::CancelJob { table: table.to_owned() };
        let delete = |topic: &str| Effect::DeleteTopic { topic: topic.to_owned() };
        let retired = |retiring: Vec<Effect>| {
            Work { retiring, ..Work::default() }.overreach(Reach::Removal, &running(), &connectors())
        };
        let connector = Effect::DeleteConnector { name: "c".to_owned() };
        assert_eq!(retired(vec![connector.clone(), cancel("a"), delete("t.a")]), None);
        let theirs = Effect::DeleteConnector { name: "theirs".to_owned() };
        for effect in [cancel("c"), delete("unrelated"), topic("t.c"), theirs] {
            let title = effect.title();
            assert_eq!(retired(vec![effect]), Some(title));
        }
        let early = Work { staging: vec![connector.clone()], ..Work::default() };
        assert_eq!(early.overreach(Reach::Removal, &running(), &connectors()), Some(connector.title()));
    }
}
