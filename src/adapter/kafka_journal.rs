//! The journal in a topic of Kafka with one partition.
//!
//! Rules: who holds the partition in the group `<topic>.leader` leads; only a leader opens the writer
//! `<topic>.writer`, and does so before it replays, so that an older leader can write nothing after what was replayed;
//! each entry is its own committed transaction of one or more records; a writer that Kafka forgot (it forgets idle ones)
//! is opened again only while this daemon still leads and nobody else has written; the topic is never compacted, its
//! oldest records are deleted on demand, and a replay begins at the first that is left.

mod election;
mod parts;
mod read;
mod writer;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use tokio::sync::Mutex;

use self::election::Election;
use self::read::Entries;
use self::writer::{ENTRY_BYTES, Failed, Writer};
use super::kafka::{Clients, KafkaSettings, KafkaTopics, Readers, blocking};
use crate::model::record::TopicSpec;
use crate::port::{Held, Journal, Place, PortError, PortResult, Topics};

/// Largest batch that the topic takes, as brokers have it by default: one that takes less by default is overruled.
const BATCH_BYTES: usize = 1024 * 1024 + 12;
/// No term: this daemon does not lead.
const NO_TERM: u64 = 0;

/// Where the journal is.
#[derive(Clone, PartialEq, Eq)]
pub struct JournalSettings {
    /// `host:port`, several separated by commas.
    pub brokers: String,
    /// Settings by librdkafka's names, for every client alike.
    pub properties: BTreeMap<String, String>,
    /// The journal's topic.
    pub topic: String,
}

impl JournalSettings {
    fn kafka(&self) -> KafkaSettings {
        KafkaSettings { brokers: self.brokers.clone(), properties: self.properties.clone() }
    }
}

impl fmt::Debug for JournalSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalSettings").field("kafka", &self.kafka()).field("topic", &self.topic).finish()
    }
}

/// The journal of one environment.
pub struct KafkaJournal {
    topics: KafkaTopics,
    shared: Arc<Shared>,
    desk: Arc<Mutex<Desk>>,
}

/// What every call needs.
struct Shared {
    readers: Arc<Readers>,
    topic: String,
    election: std::sync::Mutex<Option<Arc<Election>>>,
    /// The term in which this daemon leads.
    term: AtomicU64,
}

/// What the leader knows of the journal.
#[derive(Default)]
struct Desk {
    writer: Option<Writer>,
    /// Every entry before this offset was replayed or written by this daemon.
    end: i64,
    /// The entry whose append was not answered: it may follow at `end`.
    unsure: Option<Vec<u8>>,
}

/// Whether an entry whose append was not answered is in the journal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Landed {
    Yes,
    No,
}

impl KafkaJournal {
    /// Sets the clients up. Nothing is asked of Kafka, and the election not joined, before [`Journal::lead`].
    ///
    /// # Errors
    /// When a setting is unknown or cannot have its value.
    pub fn new(settings: JournalSettings) -> PortResult<Self> {
        let topics = KafkaTopics::new(settings.kafka())?;
        let shared = Shared::new(Arc::clone(topics.readers()), settings.topic);
        Ok(Self { topics, shared: Arc::new(shared), desk: Arc::default() })
    }

    /// Makes the topic if there is none, and refuses one that would lose or shuffle entries.
    async fn settle_topic(&self) -> PortResult<()> {
        let topic = &self.shared.topic;
        let refused = |reason: &str| self.topics.clients().refused(format!("topic `{topic}` as a journal"), reason);
        let config = [
            ("cleanup.policy", "delete".to_owned()),
            ("retention.ms", "-1".to_owned()),
            ("retention.bytes", "-1".to_owned()),
            ("max.message.bytes", BATCH_BYTES.to_string()),
        ];
        let config = config.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        let spec = TopicSpec { name: topic.clone(), partitions: 1, config };
        let Some(found) = self.topics.describe(topic).await? else { return self.topics.create(&spec).await };
        if found.partitions != 1 {
            let reason = format!("it has {} partitions and a journal has one: name another topic", found.partitions);
            return Err(refused(&reason));
        }
        let entries = self.topics.settings(topic).await?.unwrap_or_default();
        let value = |name: &str| entries.iter().find(|e| e.name == name).and_then(|e| e.value.as_deref());
        if value("cleanup.policy").is_some_and(|policy| policy.contains("compact")) {
            return Err(refused(
                "it is compacted, which loses entries: set cleanup.policy=delete or name another topic",
            ));
        }
        for name in ["retention.ms", "retention.bytes"] {
            if let Some(limit) = value(name).filter(|v| *v != "-1") {
                tracing::warn!(topic, name, limit, "the journal's topic forgets old entries: set it to -1");
            }
        }
        Ok(())
    }
}

impl Shared {
    fn new(readers: Arc<Readers>, topic: String) -> Self {
        Self { readers, topic, election: std::sync::Mutex::new(None), term: AtomicU64::new(NO_TERM) }
    }

    fn clients(&self) -> &Clients {
        self.readers.clients()
    }

    fn elections(&self) -> std::sync::MutexGuard<'_, Option<Arc<Election>>> {
        self.election.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes part in the election, from now on if not already.
    fn election(&self) -> PortResult<Arc<Election>> {
        let mut slot = self.elections();
        if let Some(election) = slot.as_ref() {
            return Ok(Arc::clone(election));
        }
        let election = Arc::new(Election::join(self.clients(), &self.topic, &format!("{}.leader", self.topic))?);
        *slot = Some(Arc::clone(&election));
        Ok(election)
    }

    fn leading(&self) -> bool {
        let term = self.term.load(Ordering::SeqCst);
        term != NO_TERM && self.elections().as_ref().is_some_and(|election| election.holds(term))
    }

    /// Gives the lead up: another writer was there.
    fn step_down(&self) -> PortError {
        self.term.store(NO_TERM, Ordering::SeqCst);
        if let Some(election) = self.elections().as_ref() {
            election.rejoin();
        }
        PortError::Fenced
    }

    /// Opens the writer and replays everything.
    fn take_over(&self, desk: &mut Desk) -> PortResult<Held> {
        *desk = Desk::default();
        let writer = Writer::open(self.clients(), &self.topic)?;
        let Entries { all, low, end } = self.entries(None)?;
        *desk = Desk { writer: Some(writer), end, unsure: None };
        Ok(Held { entries: all, shortened: low > 0 })
    }

    /// Opens the writer again in the same term. Answers whether the unsure entry is in the journal.
    fn reopen(&self, desk: &mut Desk) -> PortResult<Landed> {
        if !self.leading() {
            return Err(PortError::Fenced);
        }
        let writer = Writer::open(self.clients(), &self.topic)?;
        let Entries { all: news, low, end } = self.entries(Some(desk.end))?;
        // Only the leader shortens the journal, and what is gone from behind this desk's end was somebody else's.
        let ours = low <= desk.end;
        let Some(landed) = landed(&news, desk.unsure.as_deref()).filter(|_| ours) else {
            tracing::error!(topic = self.topic, "the journal has entries of another writer: this daemon steps down");
            return Err(self.step_down());
        };
        *desk = Desk { writer: Some(writer), end, unsure: None };
        Ok(landed)
    }

    fn append(&self, desk: &mut Desk, entry: &[u8]) -> PortResult<Place> {
        if !self.leading() {
            return Err(PortError::Fenced);
        }
        if desk.writer.is_none() {
            self.reopen(desk)?;
        }
        let place = Place(desk.end);
        let first = self.write(desk, entry);
        if !matches!(first, Err(Failed::Forgotten)) {
            return first.map(|()| place).map_err(|failed| self.told(failed));
        }
        tracing::info!(
            topic = self.topic,
            "Kafka forgot the journal's writer, which was idle for long: opening it again"
        );
        match self.reopen(desk)? {
            Landed::Yes => Ok(place),
            Landed::No => self.write(desk, entry).map(|()| place).map_err(|failed| self.told(failed)),
        }
    }

    fn write(&self, desk: &mut Desk, entry: &[u8]) -> Result<(), Failed> {
        let Some(writer) = desk.writer.as_ref() else {
            return Err(Failed::Unsure(self.clients().unreachable("the journal's writer is closed")));
        };
        match writer.write(entry) {
            Ok(offset) => {
                desk.end = desk.end.max(offset + 1);
                Ok(())
            }
            Err(failed) => {
                // A new writer is sure to be in order, whatever happened to this one.
                desk.writer = None;
                if !matches!(failed, Failed::GivenUp(_)) {
                    desk.unsure = Some(entry.to_vec());
                }
                Err(failed)
            }
        }
    }

    fn told(&self, failed: Failed) -> PortError {
        match failed {
            Failed::Fenced(reason) => {
                tracing::warn!(topic = self.topic, reason, "the journal's writer was fenced");
                self.step_down()
            }
            Failed::Forgotten => self.clients().unreachable("the journal's writer was forgotten twice in a row"),
            Failed::GivenUp(error) | Failed::Unsure(error) => error,
        }
    }
}

/// Whether the entry whose append was not answered is in the journal, which has `news` since. An entry of several records
/// is there with all of them or with none. `None` when somebody else has written.
fn landed(news: &[Vec<u8>], unsure: Option<&[u8]>) -> Option<Landed> {
    match (news, unsure) {
        ([], _) => Some(Landed::No),
        ([entry], Some(unsure)) if entry == unsure => Some(Landed::Yes),
        _ => None,
    }
}

/// Takes part in the election while it waits. One that gives up must leave, or it would hold the lead without leading.
struct Candidate<'a> {
    shared: &'a Shared,
    won: bool,
}

impl Candidate<'_> {
    fn won<T>(mut self, prize: T) -> T {
        self.won = true;
        prize
    }
}

impl Drop for Candidate<'_> {
    fn drop(&mut self) {
        if !self.won {
            *self.shared.elections() = None;
        }
    }
}

#[async_trait]
impl Journal for KafkaJournal {
    async fn lead(&self) -> PortResult<Held> {
        self.settle_topic().await?;
        self.shared.term.store(NO_TERM, Ordering::SeqCst);
        let candidate = Candidate { shared: &self.shared, won: false };
        loop {
            let election = self.shared.election()?;
            let term = election.held().await?;
            let (shared, mut desk) = (Arc::clone(&self.shared), Arc::clone(&self.desk).lock_owned().await);
            let taken = blocking(move || {
                let held = shared.take_over(&mut desk)?;
                if !election.holds(term) {
                    *desk = Desk::default();
                    return Ok(None);
                }
                // While the desk is ours: an append sees both or neither.
                shared.term.store(term, Ordering::SeqCst);
                Ok(Some(held))
            })
            .await;
            match taken {
                Ok(Some(held)) => return Ok(candidate.won(held)),
                Ok(None) => {}
                Err(PortError::Fenced) => {
                    self.shared.step_down();
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn append(&self, entry: &[u8]) -> PortResult<Place> {
        if entry.len() > ENTRY_BYTES {
            let what = format!("to append to journal `{}`", self.shared.topic);
            let reason = format!("the entry has {} bytes and the most is {ENTRY_BYTES}", entry.len());
            return Err(self.topics.clients().refused(what, reason));
        }
        if !self.leading() {
            return Err(PortError::Fenced);
        }
        let (shared, entry) = (Arc::clone(&self.shared), entry.to_vec());
        let mut desk = Arc::clone(&self.desk).lock_owned().await;
        blocking(move || shared.append(&mut desk, &entry)).await
    }

    async fn leave(&self) {
        self.shared.term.store(NO_TERM, Ordering::SeqCst);
        let election = self.shared.elections().take();
        let mut desk = Arc::clone(&self.desk).lock_owned().await;
        let closed = blocking(move || {
            *desk = Desk::default();
            Ok(())
        });
        if let Err(error) = closed.await {
            tracing::debug!(%error, "the journal's writer was not closed");
        }
        if let Some(election) = election {
            election.leave().await;
        }
    }

    async fn forget(&self, before: Place) -> PortResult<()> {
        if !self.leading() {
            return Err(PortError::Fenced);
        }
        // Kafka fences no deletion: a leader of before that is still at it deletes what its own snapshot stands for.
        self.topics.delete_before(&self.shared.topic, before.0).await
    }

    fn leading(&self) -> bool {
        self.shared.leading()
    }
}

/// Reads every entry that is left of a journal, oldest first, without leading: all whose append returned before the call.
///
/// # Errors
/// When Kafka does not answer or there is no such topic.
pub async fn read_all(settings: JournalSettings) -> PortResult<Vec<Vec<u8>>> {
    blocking(move || {
        let readers = Readers::new(Clients::new(settings.kafka()));
        let shared = Shared::new(readers, settings.topic);
        shared.decided()?;
        shared.entries(None).map(|entries| entries.all)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_whose_append_was_not_answered_landed_if_it_is_all_there_is_to_read() {
        let (entry, other) = (b"entry".to_vec(), b"other".to_vec());
        let told = |news: &[&Vec<u8>], unsure: Option<&Vec<u8>>| {
            let news: Vec<Vec<u8>> = news.iter().map(|e| (*e).clone()).collect();
            landed(&news, unsure.map(Vec::as_slice))
        };
        assert!(told(&[], None) == Some(Landed::No));
        assert!(told(&[], Some(&entry)) == Some(Landed::No));
        assert!(told(&[&entry], Some(&entry)) == Some(Landed::Yes));
        for news in [[&other].as_slice(), &[&entry, &other], &[&entry, &entry]] {
            assert!(told(news, Some(&entry)).is_none());
            assert!(told(news, None).is_none());
        }
    }
}
