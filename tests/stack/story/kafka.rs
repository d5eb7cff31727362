//! Kafka: which topics and groups there are, whole topics as a committed reader sees them, and removing.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::failure::{During as _, Failure, Outcome};

/// How long one call may take.
const CALL: Duration = Duration::from_secs(10);

/// Committed offsets by group, topic and partition.
pub type Committed = BTreeMap<(String, String, i32), i64>;

/// A record: key and value as they are on the wire.
#[derive(Clone, Debug)]
pub struct Record {
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
}

/// The broker.
#[derive(Clone, Debug)]
pub struct Kafka {
    brokers: String,
}

impl Kafka {
    /// The broker at that address.
    pub fn new(brokers: &str) -> Self {
        Self { brokers: brokers.to_owned() }
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers).set("client.id", "cyanotype-story");
        config
    }

    fn consumer(&self) -> Outcome<BaseConsumer> {
        self.config()
            .set("group.id", "cyanotype-story-never-committed")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "earliest")
            .set("isolation.level", "read_committed")
            .create()
            .during("making a Kafka consumer")
    }

    /// Every topic.
    ///
    /// # Errors
    /// The broker does not answer.
    pub async fn topics(&self) -> Outcome<Vec<String>> {
        let this = self.clone();
        blocking(move || {
            let metadata = this.consumer()?.fetch_metadata(None, CALL).during("listing topics")?;
            Ok(metadata.topics().iter().map(|t| t.name().to_owned()).collect())
        })
        .await
    }

    /// Every record of the topic that a committed reader sees at this moment.
    ///
    /// # Errors
    /// No such topic, or its end is not reached in time.
    pub async fn read(&self, topic: &str) -> Outcome<Vec<Record>> {
        let (this, topic) = (self.clone(), topic.to_owned());
        blocking(move || this.read_now(&topic)).await
    }

    fn read_now(&self, topic: &str) -> Outcome<Vec<Record>> {
        let consumer = self.consumer()?;
        let metadata = consumer.fetch_metadata(Some(topic), CALL).during(format!("describing topic {topic}"))?;
        let partitions: Vec<i32> =
            metadata.topics().iter().flat_map(|t| t.partitions()).map(|partition| partition.id()).collect();
        if partitions.is_empty() {
            return Err(Failure::new(format!("topic {topic} does not exist")));
        }
        let mut assignment = TopicPartitionList::new();
        for partition in &partitions {
            assignment
                .add_partition_offset(topic, *partition, Offset::Beginning)
                .during(format!("reading topic {topic}"))?;
        }
        consumer.assign(&assignment).during(format!("reading topic {topic}"))?;
        let mut open = partitions;
        let mut records = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(60);
        while !open.is_empty() {
            if Instant::now() > deadline {
                return Err(Failure::new(format!("topic {topic} was not read to its end within 60 s")));
            }
            match consumer.poll(Duration::from_millis(200)) {
                Some(Ok(message)) => records.push(Record {
                    key: message.key().map(<[u8]>::to_vec),
                    value: message.payload().map(<[u8]>::to_vec),
                }),
                Some(Err(KafkaError::PartitionEOF(partition))) => open.retain(|p| *p != partition),
                Some(Err(error)) => return Err(error).during(format!("reading topic {topic}")),
                None => {}
            }
        }
        Ok(records)
    }

    fn admin(&self) -> Outcome<AdminClient<DefaultClientContext>> {
        self.config().create().during("making a Kafka admin client")
    }

    /// Deletes topics; after `Ok` they are gone from the list.
    ///
    /// # Errors
    /// The broker refuses one.
    pub async fn delete_topics(&self, topics: &[String]) -> Outcome {
        if topics.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        let options = AdminOptions::new().operation_timeout(Some(CALL)).request_timeout(Some(CALL));
        for answer in self.admin()?.delete_topics(&names, &options).await.during("deleting topics")? {
            match answer {
                Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
                Err((topic, code)) => return Err(Failure::new(format!("deleting topic {topic}: {code}"))),
            }
        }
        Ok(())
    }

    /// Consumer groups whose name begins with one of `prefixes`.
    ///
    /// # Errors
    /// The broker does not answer.
    pub async fn groups(&self, prefixes: &[String]) -> Outcome<Vec<String>> {
        let (this, prefixes) = (self.clone(), prefixes.to_vec());
        blocking(move || {
            let list = this.consumer()?.fetch_group_list(None, CALL).during("listing consumer groups")?;
            let ours = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()));
            Ok(list.groups().iter().map(|g| g.name()).filter(|name| ours(name)).map(str::to_owned).collect())
        })
        .await
    }

    /// What the groups have committed on these topics, by group, topic and partition.
    ///
    /// # Errors
    /// The broker does not answer.
    pub async fn committed(&self, groups: Vec<String>, topics: Vec<String>) -> Outcome<Committed> {
        let this = self.clone();
        blocking(move || {
            let metadata = this.consumer()?.fetch_metadata(None, CALL).during("listing topics")?;
            let mut places = TopicPartitionList::new();
            for topic in metadata.topics().iter().filter(|topic| topics.iter().any(|name| name == topic.name())) {
                topic.partitions().iter().for_each(|partition| {
                    places.add_partition(topic.name(), partition.id());
                });
            }
            let mut found = Committed::new();
            for group in groups {
                // It only asks: who does not subscribe is no member.
                let consumer: BaseConsumer = this.config().set("group.id", &group).create().during(&group)?;
                for place in consumer.committed_offsets(places.clone(), CALL).during(&group)?.elements() {
                    if let Offset::Offset(offset) = place.offset() {
                        found.insert((group.clone(), place.topic().to_owned(), place.partition()), offset);
                    }
                }
            }
            Ok(found)
        })
        .await
    }

    /// Deletes consumer groups.
    ///
    /// # Errors
    /// One is still in use.
    pub async fn delete_groups(&self, groups: &[String]) -> Outcome {
        if groups.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = groups.iter().map(String::as_str).collect();
        let options = AdminOptions::new().request_timeout(Some(CALL));
        for answer in self.admin()?.delete_groups(&names, &options).await.during("deleting consumer groups")? {
            match answer {
                Ok(_) | Err((_, RDKafkaErrorCode::GroupIdNotFound)) => {}
                Err((group, code)) => return Err(Failure::new(format!("deleting consumer group {group}: {code}"))),
            }
        }
        Ok(())
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Outcome<T> + Send + 'static) -> Outcome<T> {
    tokio::task::spawn_blocking(work).await.during("reading Kafka")?
}
