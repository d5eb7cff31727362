//! Watching: a registry that is away delays and forgets nothing, and only what is read is looked at.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cyanotype::daemon::ports::Ports;
use cyanotype::daemon::watch::{self as watching, Audit, Sighting};
use cyanotype::port::Topics;
use cyanotype::telemetry::Metrics;
use tokio::sync::{mpsc, watch};

use super::stub::{Can, Mood, Stub};
use super::topic::{LIMIT, Topic};
use crate::world::{Keep, Seat, State, World};

/// A watcher at work.
struct Watcher {
    topics: watch::Sender<BTreeSet<String>>,
    seen: mpsc::Receiver<Sighting>,
    task: tokio::task::JoinHandle<()>,
}

impl Watcher {
    fn new(stub: &Stub, topics: &[&str]) -> Self {
        Self::with(stub, topics, 20, Arc::default())
    }

    fn with(stub: &Stub, topics: &[&str], poll_ms: u64, audit: Arc<Audit>) -> Self {
        let world = World::new(State::default(), Keep::End);
        let ports = Ports { registry: Arc::new(stub.client()), ..Seat::onlooker(&world).ports() };
        let (topics, watched) = watch::channel(set(topics));
        let (out, seen) = mpsc::channel(64);
        let metrics = Arc::new(Metrics::new().unwrap());
        let task = tokio::spawn(watching::registry(ports, (metrics, audit, Arc::default()), watched, poll_ms, out));
        Self { topics, seen, task }
    }

    async fn next(&mut self) -> (String, i32) {
        let sighting = tokio::time::timeout(LIMIT, self.seen.recv()).await.expect("a sighting must come").unwrap();
        (sighting.subject, sighting.version)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Waits until the registry was asked `times` more times.
async fn asked(stub: &Stub, times: usize) {
    let before = stub.now().asked.len();
    let waited = async {
        while stub.now().asked.len() < before + times {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, waited).await.expect("the registry must be asked");
}

#[tokio::test]
async fn a_registry_that_is_away_delays_and_nothing_is_told_twice() {
    let moods = [Mood::Down, Mood::Unauthorized, Mood::Broken, Mood::Garbage, Mood::Limited(0)];
    futures::future::join_all(moods.map(away_and_back)).await;
}

async fn away_and_back(mood: Mood) {
    let stub = Stub::new(Can::confluent(), &["p.a-value", "p.b-value"]).await;
    let mut watcher = Watcher::new(&stub, &["p.a", "p.b"]);
    assert_eq!(watcher.next().await, ("p.a-value".to_owned(), 1));
    assert_eq!(watcher.next().await, ("p.b-value".to_owned(), 1));
    stub.now().mood = mood;
    asked(&stub, 2).await;
    for _ in 0..3 {
        stub.now().register("p.a-value");
    }
    asked(&stub, 1).await;
    stub.now().mood = Mood::Well;
    assert_eq!(watcher.next().await, ("p.a-value".to_owned(), 4), "{mood:?}");
    asked(&stub, 5).await;
    assert!(watcher.seen.try_recv().is_err(), "{mood:?}: told twice");
}

#[tokio::test]
async fn only_subjects_of_topics_that_are_read_are_looked_at() {
    let stub = Stub::new(Can::apicurio(), &["p.a-value", "p.b-value", "p.b-key"]).await;
    let mut watcher = Watcher::new(&stub, &["p.a"]);
    assert_eq!(watcher.next().await, ("p.a-value".to_owned(), 1));
    stub.asked();
    stub.now().register("p.b-value");
    asked(&stub, 10).await;
    assert!(stub.asked().iter().all(|line| line.contains("/p.a-")));
    assert!(watcher.seen.try_recv().is_err());
    // A topic more is looked at without waiting for the next look.
    watcher.topics.send(set(&["p.a", "p.b"])).unwrap();
    assert_eq!(watcher.next().await, ("p.b-key".to_owned(), 1));
    assert_eq!(watcher.next().await, ("p.b-value".to_owned(), 2));
}

#[tokio::test]
async fn a_subject_that_is_made_anew_is_told_again() {
    let stub = Stub::new(Can::karapace(), &["p.a-value", "p.a-key"]).await;
    let mut watcher = Watcher::new(&stub, &["p.a"]);
    assert_eq!(watcher.next().await, ("p.a-key".to_owned(), 1));
    assert_eq!(watcher.next().await, ("p.a-value".to_owned(), 1));
    stub.now().subjects.remove("p.a-value");
    asked(&stub, 3).await;
    stub.now().register("p.a-value");
    assert_eq!(watcher.next().await, ("p.a-value".to_owned(), 1));
}

#[tokio::test]
async fn a_record_with_a_schema_that_was_not_seen_before_is_a_reason_to_look_at_once() {
    let stub = Stub::new(Can::confluent(), &["p.a-value"]).await;
    let audit = Arc::new(Audit::default());
    // Twice as long as is waited for: nothing comes of the time that passes.
    let poll_ms = u64::try_from(2 * LIMIT.as_millis()).unwrap();
    let mut watcher = Watcher::with(&stub, &["p.a"], poll_ms, Arc::clone(&audit));
    assert_eq!(watcher.next().await, ("p.a-value".to_owned(), 1));
    let topic = Arc::new(Topic::default());
    let world = World::new(State::default(), Keep::End);
    let topics = Arc::clone(&topic) as Arc<dyn Topics>;
    let ports = Ports { registry: Arc::new(stub.client()), topics, ..Seat::onlooker(&world).ports() };
    let (_kept, watched) = watch::channel(set(&["p.a"]));
    let metrics = Arc::new(Metrics::new().unwrap());
    let (out, _carried) = mpsc::channel(64);
    let reading = tokio::spawn(watching::topics(ports, (metrics, audit, Arc::default()), watched, 20, out));
    stub.now().register("p.a-value");
    topic.write(b"k", Some(&[0, 0, 0, 0, 2, 2, b'x']));
    assert_eq!(watcher.next().await, ("p.a-value".to_owned(), 2));
    // An id that the registry does not know may be of a version that it is about to have.
    stub.asked();
    topic.write(b"k", Some(&[0, 0, 0, 0, 9, 2, b'x']));
    let looked = async {
        while !stub.now().asked.iter().any(|(line, _)| line.contains("latestOnly")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, looked).await.expect("the newest versions must be asked for");
    reading.abort();
}
