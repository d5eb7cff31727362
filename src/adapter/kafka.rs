//! Kafka's topics, positions and consumer groups, over librdkafka.
//!
//! Rules: reads are assigned, `read_committed`, and never join a group; what is written is confirmed before the call
//! returns; nothing that can go stale is kept between calls; what has to be waited for is asked again until it holds or the
//! deadline is over.

mod client;
mod groups;
mod produce;
mod reader;
mod stream;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigEntry, ConfigSource, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

pub use self::client::KafkaSettings;
pub(super) use self::client::{CALL, Clients, Context, code_of, passing};
use self::produce::Producers;
pub(super) use self::reader::{Leader, Reader, Readers};
pub(super) use self::stream::Records;
use crate::model::record::{NewRecord, Offsets, TopicSpec};
use crate::port::{PortError, PortResult, RecordStream, Topics};

/// How long a topic that was made or deleted may take to come or go.
const SETTLE: Duration = Duration::from_secs(30);
/// How long to wait between two looks at a topic that comes or goes.
const LOOK: Duration = Duration::from_millis(50);

/// Topics of one Kafka cluster.
#[derive(Clone)]
pub struct KafkaTopics {
    admin: Arc<AdminClient<Context>>,
    readers: Arc<Readers>,
    producers: Arc<Producers>,
}

impl KafkaTopics {
    /// Sets the clients up. Nothing is asked of Kafka yet: an address that does not answer shows at the first call.
    ///
    /// # Errors
    /// When a setting is unknown or cannot have its value.
    pub fn new(settings: KafkaSettings) -> PortResult<Self> {
        let clients = Clients::new(settings);
        let admin = Arc::new(clients.make(&[], clients.context())?);
        let topics = Self { admin, readers: Readers::new(clients), producers: Arc::default() };
        // A consumer finds settings wrong that an administrator does not look at.
        topics.readers.lease()?.done();
        Ok(topics)
    }

    pub(super) fn clients(&self) -> &Clients {
        self.readers.clients()
    }

    pub(super) fn readers(&self) -> &Arc<Readers> {
        &self.readers
    }

    /// Every setting of a topic, the broker's defaults too; `None` when there is no such topic.
    pub(super) async fn settings(&self, topic: &str) -> PortResult<Option<Vec<ConfigEntry>>> {
        let what = || format!("for the settings of topic `{topic}`");
        let asked = [ResourceSpecifier::Topic(topic)];
        let told = self.admin.describe_configs(&asked, &options()).await;
        let told = told.map_err(|e| self.clients().error(what(), &e))?;
        match told.into_iter().next() {
            Some(Ok(resource)) => Ok(Some(resource.entries)),
            Some(Err(code)) if client::absent(code) => Ok(None),
            Some(Err(code)) => Err(self.clients().code(what(), code)),
            None => Ok(None),
        }
    }

    /// Deletes the records of partition 0 before `offset`. After `Ok` no reader sees them.
    pub(super) async fn delete_before(&self, topic: &str, offset: i64) -> PortResult<()> {
        let what = || format!("to delete the records of topic `{topic}` before offset {offset}");
        let mut before = TopicPartitionList::with_capacity(1);
        before.add_partition_offset(topic, 0, Offset::Offset(offset)).map_err(|e| self.clients().error(what(), &e))?;
        let told = self.admin.delete_records(&before, &options()).await;
        let told = told.map_err(|e| self.clients().error(what(), &e))?;
        told.elements().iter().try_for_each(|e| e.error()).map_err(|e| self.clients().error(what(), &e))
    }

    /// Runs questions that block on a reader.
    async fn ask<T, F>(&self, question: F) -> PortResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Reader) -> PortResult<T> + Send + 'static,
    {
        let readers = Arc::clone(&self.readers);
        blocking(move || {
            let reader = readers.lease()?;
            let answer = question(&reader)?;
            reader.done();
            Ok(answer)
        })
        .await
    }

    async fn partitions(&self, topic: &str) -> PortResult<Option<Vec<(i32, Leader)>>> {
        let topic = topic.to_owned();
        self.ask(move |reader| reader.partitions(&topic)).await
    }

    /// True when every partition's leader answers for it, which is later than that it is told.
    async fn answers(&self, topic: &str) -> PortResult<bool> {
        match self.beginnings(topic).await {
            Ok(_) => Ok(true),
            Err(PortError::Missing { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the topic exists with as many partitions and every leader; `None` when it does not exist.
    async fn exists_as(&self, spec: &TopicSpec) -> PortResult<Option<bool>> {
        let Some(found) = self.partitions(&spec.name).await? else { return Ok(None) };
        if found.len() as i64 != i64::from(spec.partitions) {
            let reason = format!(
                "it exists with {} partitions, not {}: delete it or use another name",
                found.len(),
                spec.partitions
            );
            return Err(self.clients().refused(format!("to create topic `{}`", spec.name), reason));
        }
        Ok(Some(found.iter().all(|(_, leader)| *leader == Leader::Some)))
    }
}

#[async_trait]
impl Topics for KafkaTopics {
    async fn describe(&self, topic: &str) -> PortResult<Option<TopicSpec>> {
        let Some(found) = self.partitions(topic).await? else { return Ok(None) };
        let Some(entries) = self.settings(topic).await? else { return Ok(None) };
        let config: BTreeMap<String, String> = entries
            .into_iter()
            .filter(|entry| entry.source == ConfigSource::DynamicTopic)
            .filter_map(|entry| Some((entry.name, entry.value?)))
            .collect();
        let partitions = i32::try_from(found.len()).unwrap_or(i32::MAX);
        Ok(Some(TopicSpec { name: topic.to_owned(), partitions, config }))
    }

    async fn create(&self, spec: &TopicSpec) -> PortResult<()> {
        let what = || format!("to create topic `{}`", spec.name);
        if spec.partitions < 1 {
            return Err(self.clients().refused(what(), format!("{} partitions: give 1 or more", spec.partitions)));
        }
        if self.exists_as(spec).await? == Some(true) {
            return Ok(());
        }
        // -1: as many replicas as the broker gives by default.
        let mut topic = NewTopic::new(&spec.name, spec.partitions, TopicReplication::Fixed(-1));
        for (name, value) in &spec.config {
            topic = topic.set(name, value);
        }
        let told =
            self.admin.create_topics([&topic], &options()).await.map_err(|e| self.clients().error(what(), &e))?;
        match told.into_iter().next() {
            Some(Err((_, Code::TopicAlreadyExists))) | Some(Ok(_)) | None => {}
            Some(Err((_, code))) => return Err(self.clients().code(what(), code)),
        }
        let deadline = Instant::now() + SETTLE;
        while self.exists_as(spec).await? != Some(true) || !self.answers(&spec.name).await? {
            if Instant::now() >= deadline {
                return Err(self.clients().unreachable(format!("topic `{}` was made but does not show", spec.name)));
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    async fn delete(&self, topic: &str) -> PortResult<()> {
        let what = || format!("to delete topic `{topic}`");
        let told =
            self.admin.delete_topics(&[topic], &options()).await.map_err(|e| self.clients().error(what(), &e))?;
        match told.into_iter().next() {
            Some(Err((_, code))) if client::absent(code) => {}
            Some(Err((_, code))) => return Err(self.clients().code(what(), code)),
            Some(Ok(_)) | None => {}
        }
        let deadline = Instant::now() + SETTLE;
        while self.partitions(topic).await?.is_some() {
            if Instant::now() >= deadline {
                let reason =
                    "it was deleted and is there again: stop the client that makes it anew, then delete it again";
                return Err(self.clients().refused(what(), reason));
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    async fn beginnings(&self, topic: &str) -> PortResult<Offsets> {
        let topic = topic.to_owned();
        self.ask(move |reader| reader.lows(&topic, &reader.ids(&topic)?)).await
    }

    async fn visible_ends(&self, topic: &str) -> PortResult<Offsets> {
        let topic = topic.to_owned();
        self.ask(move |reader| reader.visible_ends(&topic)).await
    }

    async fn ends(&self, topic: &str) -> PortResult<Offsets> {
        let topic = topic.to_owned();
        self.ask(move |reader| reader.highs(&topic, &reader.ids(&topic)?)).await
    }

    async fn committed(&self, group: &str, topic: &str) -> PortResult<Option<Offsets>> {
        let (topic, group) = (topic.to_owned(), group.to_owned());
        let readers = Arc::clone(&self.readers);
        blocking(move || {
            let reader = readers.lease_as(&group)?;
            let committed = reader.committed(&topic, &reader.ids(&topic)?)?;
            reader.done();
            Ok(committed)
        })
        .await
    }

    async fn readers(&self, topic: &str) -> PortResult<Vec<String>> {
        let groups = self.ask(groups::all).await?;
        let mut readers = Vec::new();
        for group in groups {
            // What a group committed outlives its members, and members need not have committed anything yet.
            if group.reads.contains(topic) || self.committed(&group.name, topic).await?.is_some() {
                readers.push(group.name);
            }
        }
        readers.sort();
        Ok(readers)
    }

    async fn delete_group(&self, group: &str) -> PortResult<()> {
        let what = || format!("to delete group `{group}`");
        let told =
            self.admin.delete_groups(&[group], &options()).await.map_err(|e| self.clients().error(what(), &e))?;
        match told.into_iter().next() {
            Some(Err((_, Code::GroupIdNotFound))) | Some(Ok(_)) | None => Ok(()),
            Some(Err((_, Code::NonEmptyGroup))) => {
                Err(self.clients().refused(what(), "it still has members: stop what reads with it, then try again"))
            }
            Some(Err((_, code))) => Err(self.clients().code(what(), code)),
        }
    }

    async fn write(&self, topic: &str, records: &[NewRecord]) -> PortResult<()> {
        let (topic, records, clients) = (topic.to_owned(), records.to_vec(), self.clients().clone());
        let producers = Arc::clone(&self.producers);
        blocking(move || producers.write(&clients, &topic, &records)).await
    }

    async fn read(&self, topic: &str, from: &Offsets, to: &Offsets) -> PortResult<Box<dyn RecordStream>> {
        let (topic, from, to) = (topic.to_owned(), from.clone(), to.clone());
        let readers = Arc::clone(&self.readers);
        let records = blocking(move || Records::start(&readers, &topic, &from, &to)).await?;
        Ok(Box::new(records))
    }
}

/// How long administration may take.
fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(CALL)).operation_timeout(Some(CALL))
}

/// Runs what blocks where it may.
pub(super) async fn blocking<T, F>(work: F) -> PortResult<T>
where
    T: Send + 'static,
    F: FnOnce() -> PortResult<T> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| {
        let reason = if e.is_cancelled() { "the program is stopping" } else { "the call broke off: this is a bug" };
        Err(PortError::Refused { system: "Kafka", what: "a call".to_owned(), reason: reason.to_owned() })
    })
}
