//! The registry's own topic on a real Kafka, with records written by hand as Confluent's registry writes them. The local
//! stack's registry has no such topic.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at what it does not expect")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cyanotype::adapter::clock::SystemClock;
use cyanotype::adapter::kafka::{KafkaSettings, KafkaTopics};
use cyanotype::daemon::watch::{self as watching, Sighting};
use cyanotype::model::record::{NewRecord, TopicSpec};
use cyanotype::port::{Clock, RegistryLog, Topics};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use tokio::sync::{mpsc, watch};

/// Records whose way is timed.
const RECORDS: i32 = 20;
/// How long one may take: a busy machine takes its time, a broken follower takes for ever.
const LIMIT: Duration = Duration::from_secs(5);
const START: Duration = Duration::from_secs(30);

fn schema(version: i32) -> NewRecord {
    let key = format!(r#"{{"keytype":"SCHEMA","subject":"p.a-value","version":{version},"magic":1}}"#);
    let value =
        format!(r#"{{"subject":"p.a-value","version":{version},"id":{version},"schema":"\"int\"","deleted":false}}"#);
    NewRecord { key: key.into_bytes(), value: Some(value.into_bytes()) }
}

fn noise() -> Vec<NewRecord> {
    let written = [
        (r#"{"keytype":"NOOP","magic":0}"#, None),
        ("broken", Some("broken")),
        (r#"{"keytype":"CONFIG","subject":null,"magic":0}"#, Some(r#"{"compatibilityLevel":"FULL"}"#)),
    ];
    let record = |(key, value): (&str, Option<&str>)| NewRecord {
        key: key.as_bytes().to_vec(),
        value: value.map(|value| value.as_bytes().to_vec()),
    };
    written.into_iter().map(record).collect()
}

/// After it returns the record is in the topic.
fn send(producer: &BaseProducer, topic: &str, record: &NewRecord) {
    let base = BaseRecord::to(topic).partition(0).key(&record.key);
    let base = record.value.iter().fold(base, |base, value| base.payload(value));
    producer.send(base).map_err(|(error, _)| error).unwrap();
    producer.flush(START).unwrap();
}

async fn next(seen: &mut mpsc::Receiver<Sighting>, limit: Duration) -> i32 {
    tokio::time::timeout(limit, seen.recv()).await.expect("a sighting must come").unwrap().version
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_seen_soon_after_its_record() {
    let port = std::env::var("CYANOTYPE_PORT_KAFKA").unwrap_or_else(|_| "19092".to_owned());
    let brokers = format!("127.0.0.1:{port}");
    let settings = KafkaSettings { brokers: brokers.clone(), properties: BTreeMap::new() };
    let topics = Arc::new(KafkaTopics::new(settings).unwrap());
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let topic = format!("registry-log-{nanos:x}");
    let config = BTreeMap::from([("cleanup.policy".to_owned(), "compact".to_owned())]);
    topics.create(&TopicSpec { name: topic.clone(), partitions: 1, config }).await.unwrap();

    let place = RegistryLog { topic: topic.clone(), context: String::new() };
    let from = (Arc::clone(&topics) as Arc<dyn Topics>, Arc::new(SystemClock) as Arc<dyn Clock>);
    let (_kept, watched) = watch::channel(BTreeSet::from(["p.a".to_owned()]));
    let (out, mut seen) = mpsc::channel(64);
    let following = tokio::spawn(watching::log(place, from, Arc::default(), watched, out));
    let outcome = tokio::spawn({
        let topic = topic.clone();
        // One for all records, as a registry has: to make one takes longer than what is timed.
        let producer = ClientConfig::new().set("bootstrap.servers", brokers).create::<BaseProducer>().unwrap();
        async move {
            send(&producer, &topic, &schema(1));
            assert_eq!(next(&mut seen, START).await, 1);
            let mut took = Vec::new();
            for version in 2..=RECORDS {
                noise().iter().for_each(|record| send(&producer, &topic, record));
                let start = Instant::now();
                send(&producer, &topic, &schema(version));
                assert_eq!(next(&mut seen, LIMIT).await, version);
                took.push(start.elapsed());
            }
            took.sort_unstable();
            let (median, longest) = (took[took.len() / 2], took[took.len() - 1]);
            println!("from a record to its sighting: median {median:?}, longest {longest:?}");
            assert!(longest < LIMIT);
        }
    })
    .await;
    following.abort();
    topics.delete(&topic).await.unwrap();
    outcome.unwrap();
}
