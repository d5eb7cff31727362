//! Which subjects hold the schemas of a topic's records.
//!
//! Rules: a topic's subjects are `<topic>-value` and `<topic>-key` (Confluent's `TopicNameStrategy`) unless others are listed for
//! it; what is listed for values says nothing of keys, and the other way round.

use std::collections::{BTreeMap, BTreeSet};

/// A record's key or its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Key.
    Key,
    /// Value.
    Value,
}

/// Subjects of one topic: those of its keys and those of its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicSubjects {
    /// Of keys.
    pub key: BTreeSet<String>,
    /// Of values.
    pub value: BTreeSet<String>,
}

impl TopicSubjects {
    /// Those of one side.
    pub fn of(&self, side: Side) -> &BTreeSet<String> {
        match side {
            Side::Key => &self.key,
            Side::Value => &self.value,
        }
    }

    /// Those of one side, to be added to.
    pub fn of_mut(&mut self, side: Side) -> &mut BTreeSet<String> {
        match side {
            Side::Key => &mut self.key,
            Side::Value => &mut self.value,
        }
    }
}

/// Subjects by topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubjectNames {
    /// Topics whose subjects are listed.
    pub listed: BTreeMap<String, TopicSubjects>,
}

impl SubjectNames {
    /// Subjects of `topic`.
    pub fn of(&self, topic: &str) -> TopicSubjects {
        let mut found = self.listed.get(topic).cloned().unwrap_or_default();
        if found.value.is_empty() {
            found.value.insert(format!("{topic}-value"));
        }
        if found.key.is_empty() {
            found.key.insert(format!("{topic}-key"));
        }
        found
    }

    /// The topic that `subject` belongs to, and on which side. Of several topics that list it the first by name.
    pub fn topic_of<'a>(&'a self, subject: &'a str) -> Option<(&'a str, Side)> {
        for (topic, subjects) in &self.listed {
            for side in [Side::Value, Side::Key] {
                if subjects.of(side).contains(subject) {
                    return Some((topic, side));
                }
            }
        }
        let (topic, side) = match subject.strip_suffix("-value") {
            Some(topic) => (topic, Side::Value),
            None => (subject.strip_suffix("-key")?, Side::Key),
        };
        // A topic whose own subjects are others has no subject of its name.
        let replaced = self.listed.get(topic).is_some_and(|listed| !listed.of(side).is_empty());
        (!replaced).then_some((topic, side))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> SubjectNames {
        let value = BTreeSet::from(["shop.Order".to_owned(), "shop.Refund".to_owned()]);
        let listed = BTreeMap::from([("orders".to_owned(), TopicSubjects { value, ..TopicSubjects::default() })]);
        SubjectNames { listed }
    }

    #[test]
    fn subjects_are_named_after_their_topic_unless_others_are_listed() {
        let names = names();
        let all = |topic| names.of(topic).value.into_iter().chain(names.of(topic).key).collect::<Vec<_>>();
        assert_eq!(all("orders"), ["shop.Order", "shop.Refund", "orders-key"]);
        assert_eq!(all("customers"), ["customers-value", "customers-key"]);
    }

    #[test]
    fn a_subject_leads_back_to_its_topic() {
        let names = names();
        assert_eq!(names.topic_of("shop.Refund"), Some(("orders", Side::Value)));
        assert_eq!(names.topic_of("orders-key"), Some(("orders", Side::Key)));
        assert_eq!(names.topic_of("customers-value"), Some(("customers", Side::Value)));
        assert_eq!(names.topic_of("orders-value"), None, "the values of orders have other subjects");
        assert_eq!(names.topic_of("shop.Customer"), None);
    }
}
