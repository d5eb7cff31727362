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

    /// The topics that `subject` belongs to, and on which side: those that list it, or the one that it is named after.
    pub fn topics_of<'a>(&'a self, subject: &'a str) -> Vec<(&'a str, Side)> {
        let mut found = Vec::new();
        for (topic, subjects) in &self.listed {
            let sides = [Side::Value, Side::Key].into_iter().filter(|side| subjects.of(*side).contains(subject));
            found.extend(sides.map(|side| (topic.as_str(), side)));
        }
        let named = [("-value", Side::Value), ("-key", Side::Key)];
        let named = named.into_iter().find_map(|(end, side)| Some((subject.strip_suffix(end)?, side)));
        // A topic whose own subjects are others has no subject of its name.
        let replaced = |(topic, side): &(&str, Side)| self.listed.get(*topic).is_some_and(|l| !l.of(*side).is_empty());
        found.extend(named.filter(|of| !replaced(of)));
        found
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
        assert_eq!(names.topics_of("shop.Refund"), [("orders", Side::Value)]);
        assert_eq!(names.topics_of("orders-key"), [("orders", Side::Key)]);
        assert_eq!(names.topics_of("customers-value"), [("customers", Side::Value)]);
        assert_eq!(names.topics_of("orders-value"), [], "the values of orders have other subjects");
        assert_eq!(names.topics_of("shop.Customer"), []);
    }

    #[test]
    fn a_subject_of_several_topics_leads_to_all_of_them() {
        let mut names = names();
        for topic in ["returns", "archive"] {
            names.listed.entry(topic.to_owned()).or_default().value.insert("shop.Order".to_owned());
        }
        names.listed.entry("audit".to_owned()).or_default().key.insert("customers-value".to_owned());
        let value = |topic| (topic, Side::Value);
        assert_eq!(names.topics_of("shop.Order"), [value("archive"), value("orders"), value("returns")]);
        assert_eq!(names.topics_of("customers-value"), [("audit", Side::Key), value("customers")]);
    }
}
