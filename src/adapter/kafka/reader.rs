//! Consumers that are assigned, never joined to a group, and the questions they answer about positions.
//!
//! Rules: every read is `read_committed`; a partition's end is asked of Kafka each time; a consumer that failed once is
//! thrown away, one that did not is used again without an assignment.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code};
use rdkafka::message::BorrowedMessage;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::client::{CALL, Clients, Context, absent, code_of, passing};
use crate::model::record::Offsets;
use crate::port::{PortError, PortResult};

/// Consumers kept for the next question: a new one takes many times longer to answer.
const KEPT: usize = 8;
/// How many offsets before the end are looked at first for the last visible record.
const FIRST_LOOK: i64 = 50;
/// The group that reads name when nothing else is configured. They never join it and commit nothing.
const GROUP: &str = "cyanotype-reader";

/// How often a consumer is polled for what it logged.
const EVENTS: usize = 50;
/// How long to wait before a question is asked again.
const AGAIN: Duration = Duration::from_millis(50);

/// What polling gave.
pub(in crate::adapter) enum Polled<'a> {
    /// A visible record.
    Record(BorrowedMessage<'a>),
    /// The reader stands at the end of what is visible in this partition.
    End(i32),
    /// Nothing yet.
    Nothing,
}

/// A pool of consumers.
pub(in crate::adapter) struct Readers {
    clients: Clients,
    /// Each with the group that it names; the one used last at the end.
    idle: Mutex<Vec<(String, BaseConsumer<Context>)>>,
}

impl Readers {
    pub(in crate::adapter) fn new(clients: Clients) -> Arc<Self> {
        Arc::new(Self { clients, idle: Mutex::new(Vec::new()) })
    }

    pub(in crate::adapter) fn clients(&self) -> &Clients {
        &self.clients
    }

    /// Takes a consumer without an assignment.
    pub(in crate::adapter) fn lease(self: &Arc<Self>) -> PortResult<Reader> {
        let group = self.clients.configured("group.id").unwrap_or(GROUP).to_owned();
        self.lease_as(&group)
    }

    /// Takes a consumer that names `group`, without joining it.
    pub(in crate::adapter) fn lease_as(self: &Arc<Self>, group: &str) -> PortResult<Reader> {
        let kept = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let place = idle.iter().rposition(|(name, _)| name == group);
            place.map(|place| idle.remove(place))
        };
        let consumer = match kept {
            Some(kept) => kept,
            None => (group.to_owned(), self.consumer(group)?),
        };
        Ok(Reader { consumer: Some(consumer), pool: Arc::clone(self), deadline: Instant::now() + CALL })
    }

    fn consumer(&self, group: &str) -> PortResult<BaseConsumer<Context>> {
        let ours = [
            ("group.id", group),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "earliest"),
            ("isolation.level", "read_committed"),
            ("enable.partition.eof", "true"),
            ("allow.auto.create.topics", "false"),
            // The end of a partition is told by an empty answer, so the broker must not hold that back.
            ("fetch.wait.max.ms", "10"),
            ("fetch.min.bytes", "1"),
            ("fetch.error.backoff.ms", "50"),
            ("fetch.queue.backoff.ms", "20"),
            ("queued.max.messages.kbytes", "16384"),
        ];
        self.clients.make(&ours, self.clients.context())
    }

    fn keep(&self, consumer: (String, BaseConsumer<Context>)) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(consumer);
        let oldest = (idle.len() > KEPT).then(|| idle.remove(0));
        drop(idle);
        if let Some((_, consumer)) = oldest {
            close(consumer);
        }
    }
}

/// A consumer on loan. Every method blocks; none blocks beyond the deadline.
pub(in crate::adapter) struct Reader {
    /// `None` only while it is given back.
    consumer: Option<(String, BaseConsumer<Context>)>,
    pool: Arc<Readers>,
    deadline: Instant,
}

impl Reader {
    /// Gives the consumer back to the pool. Dropping the reader instead throws it away.
    pub(in crate::adapter) fn done(mut self) {
        let Some((group, consumer)) = self.consumer.take() else { return };
        if resume(&consumer).and_then(|()| consumer.unassign()).is_err() {
            return close(consumer);
        }
        // What was already fetched for the old assignment must not meet the next one.
        let until = Instant::now() + Duration::from_millis(200);
        while consumer.poll(Duration::ZERO).is_some() && Instant::now() < until {}
        self.pool.keep((group, consumer));
    }

    /// Sets the time by which the next calls must have answered.
    pub(in crate::adapter) fn until(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// True when the deadline is over.
    pub(in crate::adapter) fn late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    pub(super) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
    }

    fn clients(&self) -> &Clients {
        &self.pool.clients
    }

    pub(super) fn consumer(&self) -> PortResult<&BaseConsumer<Context>> {
        let given_back = || self.clients().unreachable("the reader was given back");
        self.consumer.as_ref().map(|(_, consumer)| consumer).ok_or_else(given_back)
    }

    /// The error of a call, with what the library has to say about it.
    pub(super) fn failed(&self, what: impl Into<String>, error: &KafkaError) -> PortError {
        self.listen();
        self.clients().error(what, error)
    }

    /// Lets the library tell what it logged: it does so only when it is polled.
    fn listen(&self) {
        if let Some((_, consumer)) = self.consumer.as_ref() {
            for _ in 0..EVENTS {
                let _ = consumer.poll(Duration::ZERO);
            }
        }
    }

    /// Partitions of a topic, or `None` when there is no such topic. A topic in the making has partitions without a leader.
    pub(in crate::adapter) fn partitions(&self, topic: &str) -> PortResult<Option<Vec<(i32, Leader)>>> {
        let what = || format!("for the partitions of topic `{topic}`");
        let metadata =
            self.consumer()?.fetch_metadata(Some(topic), self.left()).map_err(|e| self.failed(what(), &e))?;
        let Some(found) = metadata.topics().iter().find(|t| t.name() == topic) else { return Ok(None) };
        if let Some(code) = found.error().map(Code::from) {
            return match code {
                code if absent(code) => Ok(None),
                code => Err(self.clients().code(what(), code)),
            };
        }
        let leader = |id: i32| if id < 0 { Leader::None } else { Leader::Some };
        let mut all: Vec<_> = found.partitions().iter().map(|p| (p.id(), leader(p.leader()))).collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        Ok(Some(all))
    }

    /// Ids of a topic's partitions.
    pub(in crate::adapter) fn ids(&self, topic: &str) -> PortResult<Vec<i32>> {
        let found = self.partitions(topic)?.ok_or_else(|| self.clients().no_topic(topic))?;
        Ok(found.into_iter().map(|(id, _)| id).collect())
    }

    /// First offset held by each partition.
    pub(in crate::adapter) fn lows(&self, topic: &str, partitions: &[i32]) -> PortResult<Offsets> {
        self.positions(topic, partitions, Offset::Beginning)
    }

    /// The last stable offset of each partition: nothing at or after it is visible yet.
    pub(in crate::adapter) fn highs(&self, topic: &str, partitions: &[i32]) -> PortResult<Offsets> {
        self.positions(topic, partitions, Offset::End)
    }

    fn positions(&self, topic: &str, partitions: &[i32], which: Offset) -> PortResult<Offsets> {
        loop {
            let error = match self.positions_once(topic, partitions, which) {
                Ok(offsets) => return Ok(offsets),
                Err(error) => error,
            };
            match code_of(&error) {
                Some(code) if absent(code) => return Err(self.clients().no_topic(topic)),
                // A leader that is new does not answer at once.
                Some(code) if leaderless(code) && !self.late() => std::thread::sleep(AGAIN),
                _ => return Err(self.failed(format!("for the offsets of topic `{topic}`"), &error)),
            }
        }
    }

    fn positions_once(&self, topic: &str, partitions: &[i32], which: Offset) -> KafkaResult<Offsets> {
        let mut all = Offsets::new();
        if partitions.is_empty() {
            return Ok(all);
        }
        let mut asked = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            asked.add_partition_offset(topic, *partition, which)?;
        }
        let Some((_, consumer)) = self.consumer.as_ref() else { return Err(KafkaError::Canceled) };
        let told = consumer.offsets_for_times(asked, self.left())?;
        for element in told.elements() {
            element.error()?;
            if let Offset::Offset(offset) = element.offset() {
                all.insert(element.partition(), offset);
            }
        }
        match partitions.iter().all(|p| all.contains_key(p)) {
            true => Ok(all),
            false => Err(KafkaError::OffsetFetch(Code::LeaderNotAvailable)),
        }
    }

    /// What the named group committed on these partitions; `None` when nothing.
    pub(in crate::adapter) fn committed(&self, topic: &str, partitions: &[i32]) -> PortResult<Option<Offsets>> {
        let what = || format!("for what group `{}` committed on topic `{topic}`", self.group());
        let mut asked = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            asked.add_partition(topic, *partition);
        }
        let told = self.consumer()?.committed_offsets(asked, self.left()).map_err(|e| self.failed(what(), &e))?;
        let mut all = Offsets::new();
        for element in told.elements() {
            element.error().map_err(|e| self.failed(what(), &e))?;
            if let Offset::Offset(offset) = element.offset() {
                all.insert(element.partition(), offset);
            }
        }
        Ok((!all.is_empty()).then_some(all))
    }

    fn group(&self) -> &str {
        self.consumer.as_ref().map_or("", |(group, _)| group)
    }

    /// Reads these partitions from these offsets from now on, and nothing else.
    pub(in crate::adapter) fn assign(&self, topic: &str, from: &Offsets) -> PortResult<()> {
        let what = || format!("to read topic `{topic}`");
        let mut list = TopicPartitionList::with_capacity(from.len());
        for (partition, offset) in from {
            list.add_partition_offset(topic, *partition, Offset::Offset(*offset))
                .map_err(|e| self.failed(what(), &e))?;
        }
        let consumer = self.consumer()?;
        resume(consumer).and_then(|()| consumer.assign(&list)).map_err(|e| self.failed(what(), &e))
    }

    /// Fetches no more of a partition. Best effort: what still comes is for the caller to leave out.
    pub(in crate::adapter) fn pause(&self, topic: &str, partition: i32) {
        let mut list = TopicPartitionList::with_capacity(1);
        list.add_partition(topic, partition);
        if let Ok(consumer) = self.consumer() {
            let _ = consumer.pause(&list);
        }
    }

    /// What comes next, waiting at most `wait`.
    pub(in crate::adapter) fn poll(&self, topic: &str, wait: Duration) -> PortResult<Polled<'_>> {
        let error = match self.consumer()?.poll(wait.min(self.left())) {
            None => return Ok(Polled::Nothing),
            Some(Ok(record)) if record.topic() == topic => return Ok(Polled::Record(record)),
            Some(Ok(_)) => return Ok(Polled::Nothing),
            Some(Err(KafkaError::PartitionEOF(partition))) => return Ok(Polled::End(partition)),
            Some(Err(error)) => error,
        };
        match code_of(&error) {
            Some(code) if absent(code) => Err(self.clients().no_topic(topic)),
            // The group is only a name here: a right to it is not needed to read.
            Some(code) if passing(code) || code == Code::GroupAuthorizationFailed => Ok(Polled::Nothing),
            _ => Err(self.failed(format!("to read topic `{topic}`"), &error)),
        }
    }

    /// The error of a read that did not come to its end in time.
    pub(in crate::adapter) fn stuck(&self, topic: &str) -> PortError {
        self.listen();
        self.clients().unreachable(format!("topic `{topic}` could not be read to its end in time"))
    }

    /// One past the last visible record of each partition; its beginning where there is none.
    pub(in crate::adapter) fn visible_ends(&self, topic: &str) -> PortResult<Offsets> {
        let ids = self.ids(topic)?;
        let lows = self.lows(topic, &ids)?;
        let highs = self.highs(topic, &ids)?;
        let mut ends = lows.clone();
        let low = |p: i32| lows.get(&p).copied().unwrap_or(0);
        let mut open: BTreeMap<i32, i64> =
            highs.iter().filter(|(p, high)| **high > low(**p)).map(|(p, h)| (*p, *h)).collect();
        let mut look = FIRST_LOOK;
        while !open.is_empty() {
            let from: Offsets = open.iter().map(|(p, high)| (*p, high.saturating_sub(look).max(low(*p)))).collect();
            let last = self.last_visible(topic, &from, &open)?;
            for (partition, offset) in &last {
                ends.insert(*partition, offset + 1);
            }
            open.retain(|p, _| !last.contains_key(p) && from.get(p).is_some_and(|from| *from > low(*p)));
            look = look.saturating_mul(10);
        }
        Ok(ends)
    }

    /// The last visible offset of each partition in `from..to`, where there is one. `to` is not beyond the stable end.
    fn last_visible(&self, topic: &str, from: &Offsets, to: &Offsets) -> PortResult<Offsets> {
        self.assign(topic, from)?;
        let mut open = to.clone();
        let mut last = Offsets::new();
        while !open.is_empty() {
            if self.late() {
                return Err(self.stuck(topic));
            }
            match self.poll(topic, Duration::from_millis(100))? {
                Polled::Nothing => {}
                Polled::End(partition) => {
                    open.remove(&partition);
                }
                Polled::Record(record) => {
                    let (partition, offset) = (record.partition(), record.offset());
                    let Some(end) = open.get(&partition).copied() else { continue };
                    if offset < end && from.get(&partition).is_some_and(|from| offset >= *from) {
                        last.insert(partition, offset);
                    }
                    if offset >= end - 1 {
                        open.remove(&partition);
                        self.pause(topic, partition);
                    }
                }
            }
        }
        Ok(last)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some((_, consumer)) = self.consumer.take() {
            close(consumer);
        }
    }
}

/// Closes a consumer, which waits for its threads: not for the caller to wait for, who may be on an async thread.
fn close(consumer: BaseConsumer<Context>) {
    std::thread::spawn(move || drop(consumer));
}

/// True when a partition has no leader that answers yet.
fn leaderless(code: Code) -> bool {
    matches!(
        code,
        Code::NotLeaderForPartition
            | Code::LeaderNotAvailable
            | Code::FencedLeaderEpoch
            | Code::UnknownLeaderEpoch
            | Code::OffsetNotAvailable
    )
}

/// Ends the pause of every assigned partition: a pause would outlive the assignment.
fn resume(consumer: &BaseConsumer<Context>) -> KafkaResult<()> {
    let assigned = consumer.assignment()?;
    if assigned.count() == 0 {
        return Ok(());
    }
    consumer.resume(&assigned)
}

/// Whether a partition has a leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::adapter) enum Leader {
    /// It can be read and written.
    Some,
    /// Not now.
    None,
}
