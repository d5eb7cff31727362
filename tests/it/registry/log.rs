//! Following the registry's own topic: what is news is told at once, and nothing that the topic holds stops it.

use std::collections::BTreeSet;
use std::sync::Arc;

use cyanotype::adapter::clock::SystemClock;
use cyanotype::adapter::registry::RegistryClient;
use cyanotype::adapter::rest::Endpoint;
use cyanotype::daemon::watch::{self as watching, Sighting};
use cyanotype::port::{Clock, Registry, RegistryLog, Topics};
use tokio::sync::{mpsc, watch};

use super::topic::{LIMIT, Topic};

fn write(topic: &Topic, key: &str, value: &str) {
    topic.write(key.as_bytes(), Some(value.as_bytes()));
}

fn schema(topic: &Topic, subject: &str, version: i32, deleted: bool) {
    let key = format!(r#"{{"keytype":"SCHEMA","subject":"{subject}","version":{version},"magic":1}}"#);
    let value =
        format!(r#"{{"subject":"{subject}","version":{version},"id":1,"schema":"\"int\"","deleted":{deleted}}}"#);
    write(topic, &key, &value);
}

/// Follows `topic` for the subjects of `p.a` and `p.b` in `context`.
fn follow(topic: &Arc<Topic>, context: &str) -> mpsc::Receiver<Sighting> {
    let place = RegistryLog { topic: "_schemas".to_owned(), context: context.to_owned() };
    let from = (Arc::clone(topic) as Arc<dyn Topics>, Arc::new(SystemClock) as Arc<dyn Clock>);
    let watched = BTreeSet::from(["p.a".to_owned(), "p.b".to_owned()]);
    let (out, seen) = mpsc::channel(64);
    tokio::spawn(async move {
        let (_kept, watched) = watch::channel(watched);
        watching::log(place, from, Arc::default(), watched, out).await;
    });
    seen
}

async fn next(seen: &mut mpsc::Receiver<Sighting>) -> (String, i32) {
    let sighting = tokio::time::timeout(LIMIT, seen.recv()).await.expect("a sighting must come").unwrap();
    (sighting.subject, sighting.version)
}

#[tokio::test]
async fn what_is_new_is_told_once_whatever_lies_between() {
    let topic = Arc::new(Topic::default());
    write(&topic, "no key of a registry", "x");
    schema(&topic, "p.a-value", 1, false);
    schema(&topic, "p.a-value", 2, false);
    schema(&topic, "other-value", 1, false);
    schema(&topic, "p.b-value", 1, true);
    let mut seen = follow(&topic, "");
    assert_eq!(next(&mut seen).await, ("p.a-value".to_owned(), 2), "the newest of what was there");
    schema(&topic, "p.a-value", 2, false);
    schema(&topic, "p.a-value", 1, true);
    write(&topic, r#"{"keytype":"DELETE_SUBJECT","subject":"p.b-value","magic":0}"#, "broken");
    schema(&topic, "p.b-key", 1, false);
    assert_eq!(next(&mut seen).await, ("p.b-key".to_owned(), 1));
    topic.looked_at(3).await;
    assert!(seen.try_recv().is_err());
}

#[tokio::test]
async fn a_topic_that_is_away_is_asked_for_again_and_one_that_was_made_anew_is_read_from_its_beginning() {
    let topic = Arc::new(Topic::default());
    *topic.away.lock().unwrap() = true;
    let mut seen = follow(&topic, "");
    topic.looked_at(1).await;
    schema(&topic, "p.a-value", 1, false);
    schema(&topic, "p.a-value", 2, false);
    *topic.away.lock().unwrap() = false;
    assert_eq!(next(&mut seen).await, ("p.a-value".to_owned(), 2));
    topic.records.lock().unwrap().clear();
    schema(&topic, "p.b-value", 1, false);
    assert_eq!(next(&mut seen).await, ("p.b-value".to_owned(), 1));
}

#[tokio::test]
async fn only_one_context_counts() {
    let topic = Arc::new(Topic::default());
    schema(&topic, "p.a-value", 1, false);
    schema(&topic, ":.eu:p.a-value", 7, false);
    assert_eq!(next(&mut follow(&topic, ".eu")).await, ("p.a-value".to_owned(), 7));
    assert_eq!(next(&mut follow(&topic, "")).await, ("p.a-value".to_owned(), 1));
}

#[test]
fn a_topic_is_followed_only_if_it_is_named_and_for_the_context_of_the_address() {
    let at = |topic: Option<&str>| {
        let client = RegistryClient::new(&Endpoint::new("http://r/contexts/.eu")).unwrap();
        client.with_topic(topic.map(str::to_owned)).log()
    };
    assert_eq!(at(None), None);
    let place = RegistryLog { topic: "_schemas".to_owned(), context: ".eu".to_owned() };
    assert_eq!(at(Some("_schemas")), Some(place));
}
