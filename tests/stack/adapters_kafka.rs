//! The Kafka adapter and the journal against a real broker: the local stack's, or the one at `CYANOTYPE_PORT_KAFKA`.
//!
//! Rules: topics and groups have names of their own with a random ending; what a test makes is removed, also when it
//! fails.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at what it does not expect")]

mod journal;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cyanotype::adapter::kafka::{KafkaSettings, KafkaTopics};
use cyanotype::adapter::kafka_journal::{JournalSettings, KafkaJournal, read_all};
use cyanotype::model::record::{NewRecord, Offsets, Part, RawRecord, SchemaHeaders, SchemaId, TopicSpec};
use cyanotype::port::{Held, Journal, PortError, PortResult, Topics};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

const STEP: Duration = Duration::from_secs(20);

fn brokers() -> String {
    format!("127.0.0.1:{}", std::env::var("CYANOTYPE_PORT_KAFKA").unwrap_or_else(|_| "19092".to_owned()))
}

fn name(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    format!("adapter-{what}-{:x}-{}", nanos, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Deletes a topic and the group that elects on it, at the end of the test. To be made before what uses them.
struct Cleanup(String);

impl Drop for Cleanup {
    fn drop(&mut self) {
        let topic = self.0.clone();
        let cleaned = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (topics, group) = (topics(), format!("{topic}.leader"));
                topics.delete(&topic).await.unwrap();
                let deadline = Instant::now() + STEP;
                while let Err(error) = topics.delete_group(&group).await {
                    assert!(Instant::now() < deadline, "{error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            });
        });
        let cleaned = cleaned.join();
        assert!(cleaned.is_ok() || std::thread::panicking(), "`{}` was not removed", self.0);
    }
}

fn topics() -> KafkaTopics {
    KafkaTopics::new(KafkaSettings { brokers: brokers(), properties: BTreeMap::new() }).unwrap()
}

fn spec(name: &str, partitions: i32, config: &[(&str, &str)]) -> TopicSpec {
    let config = config.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    TopicSpec { name: name.to_owned(), partitions, config }
}

/// A producer of the test's own, with or without transactions.
fn producer(transactional: Option<&str>) -> BaseProducer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers());
    if let Some(id) = transactional {
        config.set("transactional.id", id);
    }
    let producer: BaseProducer = config.create().unwrap();
    if transactional.is_some() {
        producer.init_transactions(STEP).unwrap();
    }
    producer
}

fn send(producer: &BaseProducer, topic: &str, partition: i32, values: std::ops::Range<u32>) {
    for value in values {
        let text = value.to_string();
        loop {
            match producer.send(BaseRecord::to(topic).partition(partition).key("k").payload(&text)) {
                Ok(()) => break,
                Err(_) => producer.poll(Duration::from_millis(10)),
            }
        }
    }
    producer.flush(STEP).unwrap();
}

/// Commits, and waits until readers see it: Kafka answers a moment before they do.
fn commit(writer: &BaseProducer, topic: &str, partitions: i32) {
    writer.commit_transaction(STEP).unwrap();
    decided(topic, partitions);
}

fn decided(topic: &str, partitions: i32) {
    let reader = |isolation: &str| -> BaseConsumer {
        ClientConfig::new().set("bootstrap.servers", brokers()).set("isolation.level", isolation).create().unwrap()
    };
    let (stable, all) = (reader("read_committed"), reader("read_uncommitted"));
    let end = |reader: &BaseConsumer, partition| reader.fetch_watermarks(topic, partition, STEP).unwrap().1;
    let deadline = Instant::now() + STEP;
    for partition in 0..partitions {
        while end(&stable, partition) < end(&all, partition) {
            assert!(Instant::now() < deadline, "a transaction stays open in partition {partition}");
        }
    }
}

fn texts(records: &[RawRecord]) -> Vec<String> {
    records.iter().map(|r| String::from_utf8(r.value.clone().unwrap()).unwrap()).collect()
}

async fn read(topics: &KafkaTopics, topic: &str, from: &Offsets, to: &Offsets) -> PortResult<Vec<RawRecord>> {
    let mut stream = topics.read(topic, from, to).await?;
    let mut all = Vec::new();
    while let Some(batch) = stream.next_batch().await? {
        all.extend(batch);
    }
    assert_eq!(stream.next_batch().await?, None, "the end stays the end");
    Ok(all)
}

#[tokio::test]
async fn what_is_written_is_read_in_its_order_and_again_when_it_is_written_again() {
    let topic = name("write");
    let _cleanup = Cleanup(topic.clone());
    let topics = topics();
    topics.create(&spec(&topic, 1, &[])).await.unwrap();
    let record = |n: u32| NewRecord {
        key: n.to_be_bytes().to_vec(),
        value: (!n.is_multiple_of(3)).then(|| format!("value {n}").into_bytes()),
    };
    let records: Vec<NewRecord> = (0..7_000).map(record).collect();
    topics.write(&topic, &records).await.unwrap();
    topics.write(&topic, &records[..10]).await.unwrap();
    let ends = topics.visible_ends(&topic).await.unwrap();
    assert_eq!(ends, Offsets::from([(0, 7_010)]), "no marker and no gap");
    let mut stream = topics.read(&topic, &Offsets::new(), &ends).await.unwrap();
    let mut read = Vec::new();
    while let Some(batch) = stream.next_batch().await.unwrap() {
        read.extend(batch.into_iter().map(|r| NewRecord { key: r.key.unwrap(), value: r.value }));
    }
    assert!(read == [&records[..], &records[..10]].concat());
}

#[tokio::test]
async fn a_topic_that_was_made_anew_is_written_like_any_other() {
    let topic = name("anew");
    let _cleanup = Cleanup(topic.clone());
    let topics = topics();
    let record = [NewRecord { key: b"k".to_vec(), value: Some(b"v".to_vec()) }];
    for life in 0..2 {
        topics.create(&spec(&topic, 1, &[])).await.unwrap();
        for written in 1..=3 {
            let start = std::time::Instant::now();
            topics.write(&topic, &record).await.unwrap();
            println!("life {life}, call {written}: {:?}", start.elapsed());
            assert_eq!(topics.visible_ends(&topic).await.unwrap(), Offsets::from([(0, written)]));
        }
        topics.delete(&topic).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_headers_those_that_name_schemas_are_read_and_no_other() {
    let topic = name("headers");
    let _cleanup = Cleanup(topic.clone());
    let topics = topics();
    topics.create(&spec(&topic, 1, &[])).await.unwrap();
    let guid = 0xcc0e_0e0e_53c1_4a1a_8f1a_0000_0000_0001_u128;
    let named = [&[1][..], &guid.to_be_bytes()].concat();
    let header = |key: &'static str, value: &[u8]| (key, value.to_vec());
    let drawn = [
        vec![header("traceparent", b"00"), header(SchemaHeaders::VALUE, &[9]), header(SchemaHeaders::VALUE, &named)],
        vec![header("traceparent", b"00")],
        Vec::new(),
    ];
    let producer = producer(None);
    for headers in &drawn {
        let mut owned = OwnedHeaders::new();
        for (key, value) in headers {
            owned = owned.insert(Header { key, value: Some(value) });
        }
        let record = BaseRecord::to(&topic).partition(0).key("k").payload(&[42_u8][..]).headers(owned);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(STEP).unwrap();
    let ends = topics.visible_ends(&topic).await.unwrap();
    let found = read(&topics, &topic, &Offsets::new(), &ends).await.unwrap();
    let [with, without, bare] = &found[..] else { panic!("{found:?}") };
    let want = Part::Named { schema: SchemaId::Guid(guid), payload: &[42] };
    assert_eq!((with.value_part(), with.key_part()), (want, Part::Foreign(b"k")));
    assert_eq!((&without.schema_headers, &bare.schema_headers), (&None, &None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_comes_and_goes() {
    let (topics, topic) = (topics(), name("come"));
    let _cleanup = Cleanup(topic.clone());
    assert_eq!(topics.describe(&topic).await.unwrap(), None);
    let wanted = spec(&topic, 3, &[("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "0.3")]);
    topics.create(&wanted).await.unwrap();
    assert_eq!(topics.describe(&topic).await.unwrap(), Some(wanted.clone()));
    topics.create(&wanted).await.unwrap();
    let other = topics.create(&spec(&topic, 2, &[])).await.unwrap_err();
    assert!(matches!(other, PortError::Refused { .. }) && other.to_string().contains("3 partitions, not 2"), "{other}");
    let none = topics.create(&spec(&name("none"), 0, &[])).await.unwrap_err();
    assert!(none.to_string().contains("give 1 or more"), "{none}");
    let bad = topics.create(&spec(&name("bad"), 1, &[("cleanup.policy", "burn")])).await.unwrap_err();
    assert!(matches!(bad, PortError::Refused { .. }), "{bad}");
    topics.delete(&topic).await.unwrap();
    assert_eq!(topics.describe(&topic).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_topic_is_called_missing() {
    let (topics, topic) = (topics(), name("missing"));
    let _cleanup = Cleanup(topic.clone());
    let to = Offsets::from([(0, 1)]);
    let errors = [
        topics.beginnings(&topic).await.unwrap_err(),
        topics.visible_ends(&topic).await.unwrap_err(),
        topics.committed("some-group", &topic).await.unwrap_err(),
        topics.read(&topic, &Offsets::new(), &to).await.err().unwrap(),
    ];
    for error in errors {
        assert!(matches!(error, PortError::Missing { .. }) && error.to_string().contains(&topic), "{error}");
    }
    // Looking must not have made it.
    assert_eq!(topics.describe(&topic).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_are_those_of_visible_records() {
    let (topics, topic) = (topics(), name("ends"));
    let _cleanup = Cleanup(topic.clone());
    topics.create(&spec(&topic, 4, &[])).await.unwrap();
    assert_eq!(topics.visible_ends(&topic).await.unwrap(), Offsets::from([(0, 0), (1, 0), (2, 0), (3, 0)]));
    // 0: plain records. 1: a commit marker at the end. 2: 700 aborted records behind 5 visible ones. 3: nothing visible.
    send(&producer(None), &topic, 0, 0..7);
    let writer = producer(Some(&name("tx")));
    writer.begin_transaction().unwrap();
    send(&writer, &topic, 1, 0..3);
    send(&writer, &topic, 2, 0..5);
    commit(&writer, &topic, 4);
    writer.begin_transaction().unwrap();
    send(&writer, &topic, 2, 100..800);
    send(&writer, &topic, 3, 0..20);
    writer.abort_transaction(STEP).unwrap();
    decided(&topic, 4);
    let ends = Offsets::from([(0, 7), (1, 3), (2, 5), (3, 0)]);
    assert_eq!(topics.visible_ends(&topic).await.unwrap(), ends);
    assert_eq!(topics.beginnings(&topic).await.unwrap(), Offsets::from([(0, 0), (1, 0), (2, 0), (3, 0)]));
    // An open transaction hides what follows it, other writers' records too.
    writer.begin_transaction().unwrap();
    send(&writer, &topic, 1, 3..6);
    send(&producer(None), &topic, 1, 6..9);
    assert_eq!(topics.visible_ends(&topic).await.unwrap(), ends);
    let got = read(&topics, &topic, &Offsets::new(), &ends).await.unwrap();
    assert_eq!(got.len(), 7 + 3 + 5);
    commit(&writer, &topic, 4);
    let after = topics.visible_ends(&topic).await.unwrap();
    // Offsets 0..3, marker, 4..7, 7..10, marker.
    assert_eq!(after.get(&1), Some(&10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_ends_exactly_at_its_end() {
    let (topics, topic) = (topics(), name("read"));
    let _cleanup = Cleanup(topic.clone());
    topics.create(&spec(&topic, 3, &[])).await.unwrap();
    let writer = producer(Some(&name("tx")));
    writer.begin_transaction().unwrap();
    send(&writer, &topic, 0, 0..5000);
    send(&writer, &topic, 1, 0..10);
    commit(&writer, &topic, 3);
    writer.begin_transaction().unwrap();
    send(&writer, &topic, 1, 90..95);
    writer.abort_transaction(STEP).unwrap();
    writer.begin_transaction().unwrap();
    send(&writer, &topic, 1, 10..20);
    commit(&writer, &topic, 3);
    let none = Offsets::new();

    let ends = topics.visible_ends(&topic).await.unwrap();
    assert_eq!(ends, Offsets::from([(0, 5000), (1, 10 + 1 + 5 + 1 + 10), (2, 0)]));
    let all = read(&topics, &topic, &none, &ends).await.unwrap();
    let of = |p: i32| all.iter().filter(|r| r.partition == p).cloned().collect::<Vec<_>>();
    assert_eq!(texts(&of(0)), (0..5000).map(|v| v.to_string()).collect::<Vec<_>>());
    assert_eq!(texts(&of(1)), (0..20).map(|v| v.to_string()).collect::<Vec<_>>());
    assert!(all.iter().all(|r| r.key.as_deref() == Some(b"k") && r.timestamp_ms.is_some()));

    // Ends behind markers and aborted records: nothing visible is left before them, and the read still ends.
    let behind = Offsets::from([(0, 5001), (1, 16)]);
    assert_eq!(read(&topics, &topic, &none, &behind).await.unwrap().len(), 5000 + 10);
    // Ends and starts in the middle; a partition without an end is not read.
    let part = read(&topics, &topic, &Offsets::from([(0, 10), (1, 3)]), &Offsets::from([(0, 13)])).await.unwrap();
    assert_eq!(part.iter().map(|r| (r.partition, r.offset)).collect::<Vec<_>>(), [(0, 10), (0, 11), (0, 12)]);
    // Only a marker and aborted records lie between: an empty read.
    assert!(read(&topics, &topic, &Offsets::from([(1, 10)]), &Offsets::from([(1, 17)])).await.unwrap().is_empty());
    // Start at the end, and an empty partition.
    assert!(read(&topics, &topic, &ends, &ends).await.unwrap().is_empty());
    let unknown = topics.read(&topic, &none, &Offsets::from([(7, 1)])).await.err().unwrap();
    assert!(unknown.to_string().contains("partition 7"), "{unknown}");
    let beyond = topics.read(&topic, &none, &Offsets::from([(2, 5)])).await.err().unwrap();
    assert!(beyond.to_string().contains("only offsets below 0"), "{beyond}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_given_up_half_way_does_not_disturb_the_next() {
    let (topics, topic) = (topics(), name("give-up"));
    let _cleanup = Cleanup(topic.clone());
    topics.create(&spec(&topic, 1, &[])).await.unwrap();
    send(&producer(None), &topic, 0, 0..9000);
    let ends = topics.visible_ends(&topic).await.unwrap();
    let mut stream = topics.read(&topic, &Offsets::new(), &ends).await.unwrap();
    let first = stream.next_batch().await.unwrap().unwrap();
    assert!(!first.is_empty() && first.len() <= 2000, "{}", first.len());
    drop(stream);
    let again = read(&topics, &topic, &Offsets::from([(0, 8995)]), &ends).await.unwrap();
    assert_eq!(texts(&again), ["8995", "8996", "8997", "8998", "8999"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn committed_offsets_of_a_group() {
    let (topics, topic, group) = (topics(), name("committed"), name("group"));
    let _cleanup = Cleanup(topic.clone());
    topics.create(&spec(&topic, 2, &[])).await.unwrap();
    assert_eq!(topics.committed(&group, &topic).await.unwrap(), None);
    topics.delete_group(&group).await.unwrap();
    let consumer: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", brokers()).set("group.id", &group).create().unwrap();
    for offset in [5, 9] {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&topic, 1, Offset::Offset(offset)).unwrap();
        consumer.commit(&list, CommitMode::Sync).unwrap();
        assert_eq!(topics.committed(&group, &topic).await.unwrap(), Some(Offsets::from([(1, offset)])));
    }
    assert_eq!(topics.readers(&topic).await.unwrap(), std::slice::from_ref(&group));
    topics.delete_group(&group).await.unwrap();
    assert_eq!(topics.committed(&group, &topic).await.unwrap(), None);
    assert_eq!(topics.readers(&topic).await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_with_members_is_not_deleted() {
    let (topics, topic, group) = (topics(), name("members"), name("group"));
    let _cleanup = Cleanup(topic.clone());
    topics.create(&spec(&topic, 1, &[])).await.unwrap();
    let consumer: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", brokers()).set("group.id", &group).create().unwrap();
    consumer.subscribe(&[&topic]).unwrap();
    let deadline = Instant::now() + STEP;
    while consumer.assignment().unwrap().count() == 0 {
        assert!(Instant::now() < deadline);
        let _ = consumer.poll(Duration::from_millis(50));
    }
    // It has committed nothing yet, and reads all the same.
    assert_eq!(topics.readers(&topic).await.unwrap(), std::slice::from_ref(&group));
    let error = topics.delete_group(&group).await.unwrap_err();
    assert!(error.to_string().contains("still has members"), "{error}");
    drop(consumer);
    topics.delete_group(&group).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_is_quick() {
    let (topics, topic, group) = (topics(), name("quick"), name("group"));
    let _cleanup = Cleanup(topic.clone());
    topics.create(&spec(&topic, 4, &[])).await.unwrap();
    let writer = producer(Some(&name("tx")));
    writer.begin_transaction().unwrap();
    (0..4).for_each(|p| send(&writer, &topic, p, 0..100));
    commit(&writer, &topic, 4);
    topics.visible_ends(&topic).await.unwrap();
    let times = |n: u32, t: Instant| t.elapsed() / n;
    let start = Instant::now();
    for _ in 0..20 {
        assert_eq!(topics.visible_ends(&topic).await.unwrap().get(&3), Some(&100));
    }
    let ends = times(20, start);
    let start = Instant::now();
    for _ in 0..10 {
        assert_eq!(topics.committed(&group, &topic).await.unwrap(), None);
    }
    let committed = times(10, start);
    println!("visible_ends {ends:?}, committed {committed:?}");
    // Far above what it takes on an idle machine; a look that waits for a time-out of the library is above it.
    assert!(ends < Duration::from_millis(300), "{ends:?}");
    assert!(committed < Duration::from_millis(900), "{committed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_broker_is_unreachable_in_time() {
    let properties = BTreeMap::from([("sasl.password".to_owned(), "hunter2hunter2".to_owned())]);
    let topics = KafkaTopics::new(KafkaSettings { brokers: "127.0.0.1:9".to_owned(), properties }).unwrap();
    let start = Instant::now();
    let error = topics.describe("any").await.unwrap_err();
    assert!(error.passing() && error.to_string().contains("127.0.0.1:9"), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());
}

fn journal(topic: &str) -> KafkaJournal {
    KafkaJournal::new(journal_settings(topic)).unwrap()
}

async fn held(journal: &KafkaJournal) -> Held {
    tokio::time::timeout(Duration::from_secs(40), journal.lead()).await.expect("leads").unwrap()
}

fn journal_settings(topic: &str) -> JournalSettings {
    JournalSettings { brokers: brokers(), properties: BTreeMap::new(), topic: topic.to_owned() }
}

async fn lead(journal: &KafkaJournal) -> Vec<String> {
    held(journal).await.entries.into_iter().map(|e| String::from_utf8(e).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_is_replayed_by_the_next_leader() {
    let topic = name("journal");
    let _cleanup = Cleanup(topic.clone());
    assert!(matches!(read_all(journal_settings(&topic)).await, Err(PortError::Missing { .. })));
    let first = journal(&topic);
    assert!(!first.leading());
    assert_eq!(first.append(b"early").await, Err(PortError::Fenced));
    assert!(lead(&first).await.is_empty());
    assert!(first.leading());
    let made = topics().describe(&topic).await.unwrap().unwrap();
    assert_eq!(made.partitions, 1);
    assert_eq!(made.config.get("retention.ms").map(String::as_str), Some("-1"));
    assert_eq!(made.config.get("max.message.bytes").map(String::as_str), Some("1048588"));
    for entry in ["a", "b", "c"] {
        first.append(entry.as_bytes()).await.unwrap();
    }
    assert_eq!(read_all(journal_settings(&topic)).await.unwrap(), [b"a", b"b", b"c"]);
    // Another one waits while the first leads, and does not disturb it.
    let second = journal(&topic);
    assert!(tokio::time::timeout(Duration::from_secs(6), second.lead()).await.is_err());
    assert!(first.leading() && !second.leading());
    first.append(b"d").await.unwrap();
    drop(first);
    assert_eq!(lead(&second).await, ["a", "b", "c", "d"]);
    second.append(b"e").await.unwrap();
    assert_eq!(read_all(journal_settings(&topic)).await.unwrap().len(), 5);
    drop(second);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fenced_leader_writes_nothing_more() {
    let topic = name("journal");
    let _cleanup = Cleanup(topic.clone());
    let first = journal(&topic);
    lead(&first).await;
    first.append(b"a").await.unwrap();
    // Another daemon that believes it leads, as after a long pause of the first.
    let usurper = producer(Some(&format!("{topic}.writer")));
    assert!(first.leading(), "nothing told it yet");
    assert_eq!(first.append(b"lost").await, Err(PortError::Fenced));
    assert!(!first.leading());
    assert_eq!(first.append(b"lost").await, Err(PortError::Fenced));
    usurper.begin_transaction().unwrap();
    usurper.send(BaseRecord::<(), str>::to(&topic).partition(0).payload("b")).unwrap();
    usurper.commit_transaction(STEP).unwrap();
    assert_eq!(read_all(journal_settings(&topic)).await.unwrap(), [b"a", b"b"]);
    // It may lead again, with what the other one wrote.
    assert_eq!(lead(&first).await, ["a", "b"]);
    first.append(b"c").await.unwrap();
    assert!(
        usurper.begin_transaction().is_err() || {
            let _ = usurper.send(BaseRecord::<(), str>::to(&topic).partition(0).payload("no"));
            usurper.commit_transaction(STEP).is_err()
        }
    );
    assert_eq!(read_all(journal_settings(&topic)).await.unwrap(), [b"a", b"b", b"c"]);
    drop(first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_would_lose_entries_is_refused() {
    let topics = topics();
    for (partitions, config, why) in
        [(1, [("cleanup.policy", "compact")].as_slice(), "compacted"), (2, [].as_slice(), "2 partitions")]
    {
        let topic = name("journal");
        let _cleanup = Cleanup(topic.clone());
        topics.create(&spec(&topic, partitions, config)).await.unwrap();
        let error = journal(&topic).lead().await.unwrap_err();
        assert!(matches!(error, PortError::Refused { .. }) && error.to_string().contains(why), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_is_followed_before_a_session_ends() {
    let topic = name("journal");
    let _cleanup = Cleanup(topic.clone());
    let first = journal(&topic);
    lead(&first).await;
    first.append(b"a").await.unwrap();
    // One that gives up waiting leaves as well: it must not hold up, or win, the next election.
    let impatient = journal(&topic);
    assert!(tokio::time::timeout(Duration::from_secs(4), impatient.lead()).await.is_err());
    let start = Instant::now();
    first.leave().await;
    assert!(!first.leading());
    assert_eq!(first.append(b"no").await, Err(PortError::Fenced));
    let second = journal(&topic);
    assert_eq!(lead(&second).await, ["a"]);
    assert!(start.elapsed() < Duration::from_secs(6), "a session lasts 8 s, this took {:?}", start.elapsed());
    // Who left may come back.
    second.leave().await;
    assert_eq!(lead(&first).await, ["a"]);
    first.append(b"b").await.unwrap();
    first.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_kafka_refuses_does_not_stop_the_next() {
    let (topics, topic) = (topics(), name("journal"));
    let _cleanup = Cleanup(topic.clone());
    topics.create(&spec(&topic, 1, &[("max.message.bytes", "1000")])).await.unwrap();
    let first = journal(&topic);
    lead(&first).await;
    first.append(b"a").await.unwrap();
    let noise: Vec<u8> = (0..20_000_u64).map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as u8).collect();
    let error = first.append(&noise).await.unwrap_err();
    assert!(matches!(error, PortError::Refused { .. }) && error.to_string().contains("too large"), "{error}");
    assert!(first.leading());
    first.append(b"b").await.unwrap();
    assert_eq!(read_all(journal_settings(&topic)).await.unwrap(), [b"a", b"b"]);
    first.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_made_anew_under_its_name_is_read_from_its_own_beginning() {
    let (topics, topic) = (topics(), name("anew"));
    let _cleanup = Cleanup(topic.clone());
    for (partitions, records) in (1..).zip([9, 4, 0, 6]) {
        topics.create(&spec(&topic, partitions, &[])).await.unwrap();
        let last = partitions - 1;
        send(&producer(None), &topic, last, 0..records);
        let mut ends: Offsets = (0..partitions).map(|p| (p, 0)).collect();
        ends.insert(last, i64::from(records));
        assert_eq!(topics.visible_ends(&topic).await.unwrap(), ends);
        let got = read(&topics, &topic, &Offsets::new(), &ends).await.unwrap();
        assert_eq!(texts(&got), (0..records).map(|v| v.to_string()).collect::<Vec<_>>());
        topics.delete(&topic).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appended_entry_is_read_at_once() {
    let topic = name("journal");
    let _cleanup = Cleanup(topic.clone());
    let first = journal(&topic);
    lead(&first).await;
    for count in 1..=40 {
        first.append(&[count]).await.unwrap();
        assert_eq!(read_all(journal_settings(&topic)).await.unwrap().len(), usize::from(count));
    }
    // Somebody's open transaction does not hold a reader up for long.
    let usurper = producer(Some(&format!("{topic}.writer")));
    usurper.begin_transaction().unwrap();
    send(&usurper, &topic, 0, 0..1);
    assert_eq!(read_all(journal_settings(&topic)).await.unwrap().len(), 40);
    first.leave().await;
}
