//! Which subjects are watched for a topic: those that are named after it or listed in the configuration, and those that its
//! records lead to.
//!
//! Rules: an id that a record carries leads to the subjects that have it. If one of them is the topic's already, nothing is
//! learned. Otherwise it is the one that a naming strategy gives the record (`<topic>-<record>` or `<record>`), or the only one
//! there is; of several none is taken, and the configuration must say which.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::model::naming::{Side, SubjectNames};
use crate::validate::audit::Version;

/// Subjects by topic.
#[derive(Debug, Default)]
pub struct Subjects {
    names: Mutex<SubjectNames>,
}

/// What the subjects of an id say of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// These versions are the topic's.
    Known(Vec<Version>),
    /// This one is, which was not known before.
    Learned(Version),
    /// It may be any of these subjects.
    Ambiguous(Vec<String>),
    /// The registry knows none.
    Nothing,
}

impl Subjects {
    /// As the configuration lists them.
    pub fn new(listed: SubjectNames) -> Self {
        Self { names: Mutex::new(listed) }
    }

    fn with<T>(&self, ask: impl FnOnce(&mut SubjectNames) -> T) -> T {
        ask(&mut self.names.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Subjects of `topic`: of its values, then of its keys.
    pub fn of(&self, topic: &str) -> Vec<String> {
        let found = self.with(|names| names.of(topic));
        found.value.into_iter().chain(found.key).collect()
    }

    /// The topics of `subject`: several where it is named after the record that they share.
    pub fn topics_of(&self, subject: &str) -> BTreeSet<String> {
        self.with(|names| names.topics_of(subject).into_iter().map(|(topic, _)| topic.to_owned()).collect())
    }

    /// Whether `subject` holds the schemas of keys, of any of its topics.
    pub fn is_key(&self, subject: &str) -> bool {
        self.with(|names| names.topics_of(subject).iter().any(|(_, side)| *side == Side::Key))
    }

    /// Takes in that records of `topic` carry an id that `versions` have; `record` is the full name of their record.
    pub fn claim(&self, topic: &str, side: Side, versions: &[Version], record: Option<&str>) -> Claim {
        self.with(|names| {
            let own = names.of(topic);
            let known: Vec<Version> = versions.iter().filter(|v| own.of(side).contains(&v.subject)).cloned().collect();
            if !known.is_empty() {
                return Claim::Known(known);
            }
            let by_strategy = |v: &&Version| {
                record.is_some_and(|r| {
                    v.subject == r || v.subject.strip_prefix(topic).is_some_and(|s| s.strip_prefix('-') == Some(r))
                })
            };
            let mut subjects: Vec<String> = versions.iter().map(|v| v.subject.clone()).collect();
            subjects.dedup();
            // The newest version that has the id, of one subject.
            let found = versions.iter().rfind(by_strategy).or(versions.last().filter(|_| subjects.len() == 1));
            match found {
                Some(found) => {
                    let listed = names.listed.entry(topic.to_owned()).or_insert(own);
                    listed.of_mut(side).insert(found.subject.clone());
                    Claim::Learned(found.clone())
                }
                None if subjects.is_empty() => Claim::Nothing,
                None => Claim::Ambiguous(subjects),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(of: &[(&str, i32)]) -> Vec<Version> {
        of.iter().map(|(subject, version)| Version { subject: (*subject).to_owned(), version: *version }).collect()
    }

    fn one(topic: &str) -> BTreeSet<String> {
        BTreeSet::from([topic.to_owned()])
    }

    #[test]
    fn a_subject_of_the_topics_name_is_known() {
        let subjects = Subjects::default();
        let found = versions(&[("copy-value", 1), ("orders-value", 2)]);
        assert_eq!(
            subjects.claim("orders", Side::Value, &found, Some("shop.Order")),
            Claim::Known(found[1..].to_vec())
        );
        assert_eq!(subjects.of("orders"), ["orders-value", "orders-key"]);
        // The same subject says nothing of keys.
        assert!(matches!(subjects.claim("orders", Side::Key, &found, None), Claim::Ambiguous(_)));
    }

    #[test]
    fn a_naming_strategy_gives_the_subject_of_a_record() {
        for subject in ["shop.Order", "orders-shop.Order"] {
            let subjects = Subjects::default();
            let found = versions(&[("audit-value", 1), (subject, 3)]);
            let learned = subjects.claim("orders", Side::Value, &found, Some("shop.Order"));
            assert_eq!(learned, Claim::Learned(found[1].clone()));
            let all = subjects.of("orders");
            assert!(all.len() == 3 && all.contains(&subject.to_owned()) && all.contains(&"orders-value".to_owned()));
            assert_eq!(subjects.topics_of(subject), one("orders"));
            assert_eq!(
                subjects.claim("orders", Side::Value, &found, Some("shop.Order")),
                Claim::Known(found[1..].to_vec())
            );
        }
    }

    #[test]
    fn a_record_of_several_topics_has_one_subject_in_all_of_them() {
        let subjects = Subjects::default();
        let found = versions(&[("shop.Order", 3)]);
        for topic in ["orders", "returns"] {
            let learned = subjects.claim(topic, Side::Value, &found, Some("shop.Order"));
            assert_eq!(learned, Claim::Learned(found[0].clone()), "{topic}");
        }
        assert_eq!(subjects.topics_of("shop.Order"), BTreeSet::from(["orders", "returns"].map(str::to_owned)));
        assert!(!subjects.is_key("shop.Order"));
        assert_eq!(subjects.claim("returns", Side::Key, &found, None), Claim::Learned(found[0].clone()));
        assert!(subjects.is_key("shop.Order"), "a change of it is a change of keys");
    }

    #[test]
    fn the_only_subject_is_taken_and_of_several_none() {
        let subjects = Subjects::default();
        let one = versions(&[("mirror-key", 1), ("mirror-key", 4)]);
        assert_eq!(subjects.claim("orders", Side::Key, &one, None), Claim::Learned(one[1].clone()));
        assert!(subjects.is_key("mirror-key") && subjects.topics_of("mirror-key").contains("orders"));
        let several = versions(&[("a", 1), ("b", 1)]);
        let names = ["a", "b"].map(str::to_owned).to_vec();
        assert_eq!(subjects.claim("orders", Side::Value, &several, Some("c")), Claim::Ambiguous(names));
        assert_eq!(subjects.claim("orders", Side::Value, &[], None), Claim::Nothing);
    }
}
