//! What was seen in the input topics, by topic.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::arrivals::Arrivals;
use crate::model::record::{self, Offsets, RawRecord, SchemaId};
use crate::model::verdict::SchemaUse;
use crate::plan::input::{NullCount, NullFacts, TopicFacts};
use crate::validate::audit::{Folded, Nulls, TopicAudit, TopicReport, Version, Writers};

/// What was seen, by topic.
#[derive(Debug, Default)]
pub struct Audit {
    topics: Mutex<BTreeMap<String, Seen>>,
    /// When versions became known.
    pub(crate) arrivals: Arrivals,
    /// Told when a record has a schema that was not seen before.
    news: Notify,
}

/// What was seen of one topic.
#[derive(Debug, Default)]
struct Seen {
    audit: TopicAudit,
    /// Up to where it was read, which may be past its last record.
    read: Offsets,
    subjects: BTreeMap<SchemaId, Vec<Version>>,
    /// As it was at the end of the last read.
    report: Arc<TopicReport>,
}

impl Audit {
    fn topics(&self) -> MutexGuard<'_, BTreeMap<String, Seen>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of<T>(&self, topic: &str, look: impl FnOnce(&Seen) -> T) -> Option<T> {
        self.topics().get(topic).map(look)
    }

    fn change<T>(&self, topic: &str, change: impl FnOnce(&mut Seen) -> T) -> T {
        change(self.topics().entry(topic.to_owned()).or_default())
    }

    /// What was seen of each schema id, by topic.
    pub fn schema_ids(&self) -> BTreeMap<String, BTreeMap<String, SchemaUse>> {
        self.topics().iter().map(|(topic, seen)| (topic.clone(), seen.audit.schemas())).collect()
    }

    /// What was seen in `topic` that planning asks about; nothing of what its settings say, nor of NULLs.
    pub fn seen(&self, topic: &str) -> TopicFacts {
        let look = |seen: &Seen| TopicFacts {
            update_without_before: seen.audit.update_without_before(),
            truncation: seen.audit.truncation(),
            without_key: seen.audit.without_key(),
            ..TopicFacts::default()
        };
        self.of(topic, look).unwrap_or_default()
    }

    /// Up to where `topic` was read.
    pub fn read_to(&self, topic: &str) -> Offsets {
        self.of(topic, |seen| seen.read.clone()).unwrap_or_default()
    }

    /// The NULLs in `topic`, whose end was `ends` when planning began; `None` when it is not read at all.
    pub fn nulls(&self, topic: &str, ends: &Offsets) -> Option<NullFacts> {
        self.of(topic, |seen| {
            let count = |n: Nulls| NullCount { records: n.records, nulls: n.nulls };
            let columns = seen.audit.nulls().into_iter().map(|(column, nulls)| (column, count(nulls))).collect();
            let to_the_end = record::reached(&seen.read, ends);
            NullFacts { to_the_end, read: seen.read.clone(), unread: seen.audit.rows_unread(), columns }
        })
    }

    /// Every topic as it was at the end of its last read.
    pub fn reports(&self) -> BTreeMap<String, Arc<TopicReport>> {
        self.topics().iter().map(|(topic, seen)| (topic.clone(), Arc::clone(&seen.report))).collect()
    }

    /// Forgets everything about `topic`: it was made anew under its name.
    pub(super) fn forget(&self, topic: &str) {
        self.topics().remove(topic);
    }

    /// Waits for a record with a schema that was not seen before; one that came since the last wait counts.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }

    /// A record has a schema that the registry does not know yet.
    pub(super) fn unknown_schema(&self) {
        self.news.notify_one();
    }

    /// Folds in one record.
    pub(super) fn fold(&self, topic: &str, record: &RawRecord, writers: &Writers) -> Folded {
        let folded = self.change(topic, |seen| seen.audit.fold(record, writers));
        if folded.new_key.is_some() || folded.new_value.is_some() {
            self.news.notify_one();
        }
        folded
    }

    /// Notes what the registry calls a schema.
    pub(super) fn name(&self, topic: &str, schema: SchemaId, versions: &[Version]) {
        self.change(topic, |seen| {
            seen.subjects.insert(schema, versions.to_vec());
            seen.show(topic);
        });
    }

    /// Notes up to where the topic was read.
    pub(super) fn reached(&self, topic: &str, read: &Offsets) {
        self.change(topic, |seen| {
            if seen.read != *read || seen.report.topic.is_empty() {
                seen.read.clone_from(read);
                seen.show(topic);
            }
        });
    }
}

impl Seen {
    fn show(&mut self, topic: &str) {
        self.report = Arc::new(self.audit.report(topic, &self.subjects));
    }
}
