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

async fn next(seen: &mut mpsc::Receiver<Sighting>, limit: Duration) -> i32 {
    tokio::time::timeout(limit, seen.recv()).await.expect("a sighting must come").unwrap().version
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_seen_soon_after_its_record() {
    let port = std::env::var("CYANOTYPE_PORT_KAFKA").unwrap_or_else(|_| "19092".to_owned());
    let settings = KafkaSettings { brokers: format!("127.0.0.1:{port}"), properties: BTreeMap::new() };
    let topics = Arc::new(KafkaTopics::new(settings).unwrap());
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let topic = format!("registry-log-{nanos:x}");
    let config = BTreeMap::from([("cleanup.policy".to_owned(), "compact".to_owned())]);
    topics.create(&TopicSpec { name: topic.clone(), partitions: 1, config }).await.unwrap();

    let place = RegistryLog { topic: topic.clone(), context: String::new() };
    let from = (Arc::clone(&topics) as Arc<dyn Topics>, Arc::new(SystemClock) as Arc<dyn Clock>);
    let (_kept, watched) = watch::channel(BTreeSet::from(["p.a".to_owned()]));
    let (out, mut seen) = mpsc::channel(64);
    let following = tokio::spawn(watching::log(place, from, watched, out));
    let outcome = tokio::spawn({
        let (topics, topic) = (Arc::clone(&topics), topic.clone());
        async move {
            topics.write(&topic, &[schema(1)]).await.unwrap();
            assert_eq!(next(&mut seen, START).await, 1);
            let mut took = Vec::new();
            for version in 2..=RECORDS {
                topics.write(&topic, &noise()).await.unwrap();
                let start = Instant::now();
                topics.write(&topic, &[schema(version)]).await.unwrap();
                assert_eq!(next(&mut seen, LIMIT).await, version);
                took.push(start.elapsed());
            }
            took.sort_unstable();
            let (median, longest) = (took[took.len() / 2], took[took.len() - 1]);
            println!("from a record to its sighting, the write included: median {median:?}, longest {longest:?}");
            assert!(longest < LIMIT);
        }
    })
    .await;
    following.abort();
    topics.delete(&topic).await.unwrap();
    outcome.unwrap();
}
