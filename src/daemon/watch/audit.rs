//! What was seen in the input topics.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tokio::sync::Notify;

use crate::daemon::nulls::Nulls;
use crate::model::record::Offsets;
use crate::model::verdict::SchemaUse;

/// What was seen, by topic.
#[derive(Debug, Default)]
pub struct Audit {
    seen: Mutex<BTreeMap<String, BTreeMap<String, SchemaUse>>>,
    /// The first update without its row before, by topic: partition and offset.
    updates_without_before: Mutex<BTreeMap<String, (i32, i64)>>,
    /// Explicit NULLs.
    pub nulls: Nulls,
    /// Told when a record has a schema that was not seen before.
    news: Notify,
}

impl Audit {
    /// What was seen of each schema id, by topic.
    pub fn schema_ids(&self) -> BTreeMap<String, BTreeMap<String, SchemaUse>> {
        self.seen.lock().map(|seen| seen.clone()).unwrap_or_default()
    }

    /// Partition and offset of the first update in `topic` that does not say what the row was before. Flink's Debezium
    /// formats fail on it for ever: the table had no `REPLICA IDENTITY FULL`.
    pub fn update_without_before(&self, topic: &str) -> Option<(i32, i64)> {
        self.updates_without_before.lock().ok()?.get(topic).copied()
    }

    /// Up to where `topic` was read.
    pub fn read_to(&self, topic: &str) -> Offsets {
        self.nulls.read_to(topic)
    }

    /// Waits for a record with a schema that was not seen before; one that came since the last wait counts.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }

    /// A record has a schema that the registry does not know yet.
    pub(super) fn unknown_schema(&self) {
        self.news.notify_one();
    }

    /// Forgets everything about `topic`: it was made anew under its name.
    pub(super) fn forget(&self, topic: &str) {
        if let Ok(mut seen) = self.seen.lock() {
            seen.remove(topic);
        }
        if let Ok(mut updates) = self.updates_without_before.lock() {
            updates.remove(topic);
        }
        self.nulls.forget(topic);
    }

    /// Counts a record; true when its schema id was not seen in the topic before.
    pub(super) fn count(&self, topic: &str, id: &str, partition: i32, offset: i64) -> bool {
        let Ok(mut seen) = self.seen.lock() else { return false };
        let ids = seen.entry(topic.to_owned()).or_default();
        let new = !ids.contains_key(id);
        if new {
            self.news.notify_one();
        }
        let used = ids.entry(id.to_owned()).or_default();
        used.records += 1;
        let first = used.first.entry(partition).or_insert(offset);
        *first = (*first).min(offset);
        new
    }

    pub(super) fn poisoned(&self, topic: &str, partition: i32, offset: i64) {
        let Ok(mut all) = self.updates_without_before.lock() else { return };
        if all.insert(topic.to_owned(), (partition, offset)).is_none() {
            tracing::warn!(
                topic,
                partition,
                offset,
                "update without its row before: no job that reads this topic as Debezium's changelog gets past it; set REPLICA IDENTITY FULL"
            );
        }
    }
}
