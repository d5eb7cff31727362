//! Large entries, and a journal that is shortened.

use cyanotype::model::manifest::Manifest;
use cyanotype::port::Place;
use cyanotype::rollout::event::Body;
use cyanotype::rollout::{Entry, Ledger, Unreadable, replay};

use super::*;
use crate::brief::Brief;
use crate::story::daemon::Binary;

/// Bytes that do not compress.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// Sends one record of an entry as the journal's writer does, without committing it.
fn send_part(writer: &BaseProducer, topic: &str, part: &str, value: &[u8]) {
    writer.send(BaseRecord::to(topic).partition(0).key(part).payload(value)).unwrap();
    writer.flush(STEP).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_many_records_survives_and_a_monstrous_one_is_refused() {
    let topic = name("journal");
    let _cleanup = Cleanup(topic.clone());
    let first = journal(&topic);
    held(&first).await;
    let (big, text) = (noise(5_000_000), vec![b' '; 30_000_000]);
    first.append(b"before").await.unwrap();
    first.append(&big).await.unwrap();
    first.append(&text).await.unwrap();
    let error = first.append(&vec![0; 128 * 1024 * 1024 + 1]).await.unwrap_err();
    assert!(matches!(error, PortError::Refused { .. }), "{error}");
    assert!(error.to_string().contains("134217729 bytes and the most is 134217728"), "{error}");
    assert!(first.leading());
    first.append(b"after").await.unwrap();
    let want = [b"before".to_vec(), big, text, b"after".to_vec()];
    assert!(read_all(journal_settings(&topic)).await.unwrap() == want);
    // A broker takes records of this size without being told to.
    let ends = topics().visible_ends(&topic).await.unwrap();
    let records = read(&topics(), &topic, &Offsets::new(), &ends).await.unwrap();
    assert!(records.len() > 60 && records.iter().all(|r| r.value.as_ref().unwrap().len() <= 512 * 1024));
    drop(first);
    let second = journal(&topic);
    let held = held(&second).await;
    assert!(held.entries == want && !held.shortened, "{} entries", held.entries.len());
    second.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_of_before_is_read_and_written_on() {
    let (topics, topic) = (topics(), name("journal"));
    let _cleanup = Cleanup(topic.clone());
    topics.create(&spec(&topic, 1, &[("max.message.bytes", "8388608")])).await.unwrap();
    // One record of several MiB without a key, as entries were written first.
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers()).set("message.max.bytes", "8388608");
    let writer: BaseProducer = config.set("transactional.id", format!("{topic}.writer")).create().unwrap();
    writer.init_transactions(STEP).unwrap();
    writer.begin_transaction().unwrap();
    let old = noise(4_000_000);
    writer.send(BaseRecord::<(), [u8]>::to(&topic).partition(0).payload(&old)).unwrap();
    commit(&writer, &topic, 1);
    let first = journal(&topic);
    assert!(held(&first).await.entries == [old.clone()]);
    let new = noise(3_000_000);
    first.append(&new).await.unwrap();
    assert!(read_all(journal_settings(&topic)).await.unwrap() == [old, new]);
    first.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_ends_between_two_parts_leaves_no_half_entry() {
    let topic = name("journal");
    let _cleanup = Cleanup(topic.clone());
    let first = journal(&topic);
    held(&first).await;
    first.append(b"a").await.unwrap();
    first.leave().await;

    // Fenced: another daemon takes over between two parts, and the rest comes too late.
    let fenced = producer(Some(&format!("{topic}.writer")));
    fenced.begin_transaction().unwrap();
    send_part(&fenced, &topic, "1/3", b"half an ");
    send_part(&fenced, &topic, "2/3", b"entry");
    assert_eq!(read_all(journal_settings(&topic)).await.unwrap(), [b"a"]);
    let second = journal(&topic);
    assert_eq!(lead(&second).await, ["a"]);
    let _ = fenced.send(BaseRecord::to(&topic).partition(0).key("3/3").payload("!"));
    assert!(fenced.commit_transaction(STEP).is_err());
    second.append(b"b").await.unwrap();
    assert_eq!(read_all(journal_settings(&topic)).await.unwrap(), [b"a", b"b"]);
    second.leave().await;

    // Killed: nobody ends the transaction before the next leader does.
    let killed = producer(Some(&format!("{topic}.writer")));
    killed.begin_transaction().unwrap();
    send_part(&killed, &topic, "1/2", b"half an entry");
    drop(killed);
    let third = journal(&topic);
    assert_eq!(lead(&third).await, ["a", "b"]);
    third.append(&noise(2_000_000)).await.unwrap();
    assert_eq!(read_all(journal_settings(&topic)).await.unwrap().len(), 3);
    third.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_entry_of_which_one_record_is_refused_is_not_there() {
    let (topics, topic) = (topics(), name("journal"));
    let _cleanup = Cleanup(topic.clone());
    topics.create(&spec(&topic, 1, &[("max.message.bytes", "100000")])).await.unwrap();
    let first = journal(&topic);
    held(&first).await;
    first.append(b"a").await.unwrap();
    // Only the middle does not compress to what the topic takes.
    let entry = [vec![0; 524_288], noise(524_288), vec![0; 524_288]].concat();
    let error = first.append(&entry).await.unwrap_err();
    assert!(matches!(error, PortError::Refused { .. }) && error.to_string().contains("too large"), "{error}");
    assert!(first.leading());
    first.append(b"b").await.unwrap();
    assert_eq!(read_all(journal_settings(&topic)).await.unwrap(), [b"a", b"b"]);
    first.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_snapshot_stands_for_is_forgotten_and_the_next_leader_starts_from_it() {
    let topic = name("journal");
    let _cleanup = Cleanup(topic.clone());
    let first = journal(&topic);
    assert_eq!(first.forget(Place(0)).await, Err(PortError::Fenced));
    held(&first).await;
    first.append(b"a").await.unwrap();
    let old = first.append(b"b").await.unwrap();
    let snapshot = noise(2_000_000);
    let place = first.append(&snapshot).await.unwrap();
    // A daemon that ended here left everything: the next leader sees both.
    assert_eq!(read_all(journal_settings(&topic)).await.unwrap().len(), 3);
    first.append(b"c").await.unwrap();
    first.forget(place).await.unwrap();
    first.append(b"d").await.unwrap();
    let want = [snapshot, b"c".to_vec(), b"d".to_vec()];
    assert!(read_all(journal_settings(&topic)).await.unwrap() == want);
    assert_eq!(topics().beginnings(&topic).await.unwrap(), Offsets::from([(0, place.0)]));
    // Once more, and what is gone already: both change nothing.
    first.forget(place).await.unwrap();
    first.forget(old).await.unwrap();
    drop(first);

    let second = journal(&topic);
    let held = held(&second).await;
    assert!(held.entries == want && held.shortened, "{} entries", held.entries.len());
    // From here on as before: large entries, the next snapshot, and what came before it goes.
    second.append(&noise(3_000_000)).await.unwrap();
    let place = second.append(b"snapshot").await.unwrap();
    second.forget(place).await.unwrap();
    assert_eq!(read_all(journal_settings(&topic)).await.unwrap(), [b"snapshot"]);
    second.append(b"e").await.unwrap();
    second.leave().await;
    assert_eq!(lead(&second).await, ["snapshot", "e"]);
    // Only who leads shortens the journal.
    second.leave().await;
    assert_eq!(second.forget(place).await, Err(PortError::Fenced));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_whose_beginning_somebody_deleted_is_refused() {
    let topic = name("journal");
    let _cleanup = Cleanup(topic.clone());
    let first = journal(&topic);
    held(&first).await;
    let watched = |subject: &str| Body::Watched { subject: subject.to_owned(), version: 1 };
    let entry = |body| serde_json::to_vec(&Entry { at_ms: 1, body }).unwrap();
    let mut places = Vec::new();
    for subject in ["a", "b", "c"] {
        places.push(first.append(&entry(watched(subject))).await.unwrap());
    }
    // As a retention would.
    first.forget(places[1]).await.unwrap();
    first.leave().await;
    let left = held(&first).await;
    assert_eq!((left.entries.len(), left.shortened), (2, true));
    assert_eq!(replay(&left.entries, left.shortened), Err(Unreadable::Headless));
    first.leave().await;

    // The daemon says so and ends, and what is left stays as it is.
    let said = serve(&topic).await;
    for words in ["first entries were deleted", "retention.ms", "a copy of the topic", "journal.topic"] {
        assert!(said.contains(words), "{words}\n---\n{said}");
    }
    assert_eq!(read_all(journal_settings(&topic)).await.unwrap(), left.entries);

    // Also when nothing at all is left: it is no new journal.
    held(&first).await;
    let end = first.append(&entry(watched("d"))).await.unwrap();
    let beyond = Place(topics().visible_ends(&topic).await.unwrap()[&0]);
    assert!(beyond > end);
    first.forget(beyond).await.unwrap();
    first.leave().await;
    let none = held(&first).await;
    assert_eq!(none, Held { entries: Vec::new(), shortened: true });
    assert_eq!(replay(&none.entries, none.shortened), Err(Unreadable::Headless));

    // A snapshot makes it whole again, whatever is missing before it.
    let ledger =
        Ledger { manifest: Manifest { ahead: Some("x".to_owned()), ..Manifest::default() }, ..Ledger::default() };
    first.append(&entry(watched("e"))).await.unwrap();
    first.append(&entry(ledger.snapshot())).await.unwrap();
    first.leave().await;
    let mended = held(&first).await;
    assert_eq!(replay(&mended.entries, mended.shortened), Ok(ledger));
    first.leave().await;
}

/// Runs the daemon on a journal that it refuses; what it says at its end.
async fn serve(topic: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(topic);
    std::fs::create_dir_all(folder.join("pipelines")).unwrap();
    let config = folder.join("cyanotype.toml");
    let text = format!(
        "project = {project:?}\n[env.dev]\nprefix = \"x-\"\nkafka = {{ brokers = {brokers:?} }}\n\
         registry = {{ url = \"http://127.0.0.1:9\" }}\n\
         flink = {{ gateway = \"http://127.0.0.1:9\", rest = \"http://127.0.0.1:9\" }}\n\
         journal = {{ topic = {topic:?} }}\n\
         api = {{ listen = \"127.0.0.1:0\", tokens = [{{ name = \"me\", secret = {{ env = \"JOURNAL_TEST\" }}, scopes = [\"read\"] }}] }}\n",
        project = folder.display().to_string(),
        brokers = brokers(),
    );
    std::fs::write(&config, text).unwrap();
    let secret = "0123456789abcdef0123456789abcdef".to_owned();
    let environment = vec![("JOURNAL_TEST".to_owned(), secret)];
    let program = env!("CARGO_BIN_EXE_cyanotype").into();
    let binary = Binary { program, config, logs: folder.clone(), environment };
    let said = binary.run(&["serve"], STEP * 2, &mut Brief::new("journal")).await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(said.code, Some(2), "{}", said.all());
    said.err
}
