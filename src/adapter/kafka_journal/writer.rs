//! The journal's one writer: a transactional producer, one transaction for each entry.
//!
//! Rules: opening it fences every older writer; the records of an entry are in the log together or not at all; after an
//! error nothing is written with it any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use rdkafka::Message;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};

use super::parts;
use crate::adapter::kafka::{Clients, Context, code_of};
use crate::port::{PortError, PortResult};

/// Largest batch of records that is sent: a little less than a broker takes by default.
const BATCH_BYTES: &str = "1000000";
/// Largest entry: what a transaction of [`STEP`] can hold even where little of it compresses and the way is slow.
pub(super) const ENTRY_BYTES: usize = 128 * 1024 * 1024;
/// How long one step of a transaction may take.
const STEP: Duration = Duration::from_secs(20);
/// How long to wait for room in the queue of what is to be sent.
const ROOM: Duration = Duration::from_millis(10);

/// A transactional producer that holds the right to write.
pub(super) struct Writer {
    producer: BaseProducer<Delivered>,
    clients: Clients,
    topic: String,
}

/// How an append that failed left the journal.
pub(super) enum Failed {
    /// Another writer took over, or the client is beyond repair.
    Fenced(String),
    /// Kafka forgot this writer because it was idle for long: open it again.
    Forgotten,
    /// The entry is not there and will not come.
    GivenUp(PortError),
    /// The entry may be there.
    Unsure(PortError),
}

impl Writer {
    /// Opens a writer under the transactional id `<topic>.writer` and fences the older ones. Blocks.
    pub(super) fn open(clients: &Clients, topic: &str) -> PortResult<Self> {
        let id = format!("{topic}.writer");
        let ours = [
            ("transactional.id", id.as_str()),
            ("transaction.timeout.ms", "60000"),
            ("message.timeout.ms", "15000"),
            ("socket.timeout.ms", "10000"),
            ("message.max.bytes", BATCH_BYTES),
            ("queue.buffering.max.ms", "0"),
            ("enable.idempotence", "true"),
            ("acks", "all"),
            ("compression.type", "zstd"),
        ];
        let context = Delivered { inner: clients.context(), offset: Arc::new(AtomicI64::new(-1)) };
        let producer: BaseProducer<Delivered> = clients.make(&ours, context)?;
        producer.init_transactions(STEP).map_err(|e| match code_of(&e) {
            Some(code) if fenced(code) => PortError::Fenced,
            _ => clients.error(format!("to open the writer `{id}`"), &e),
        })?;
        Ok(Self { producer, clients: clients.clone(), topic: topic.to_owned() })
    }

    /// Writes one entry in a transaction of its own; answers with the offset of its last record. Blocks.
    pub(super) fn write(&self, entry: &[u8]) -> Result<i64, Failed> {
        self.producer.begin_transaction().map_err(|e| self.failed(&e))?;
        self.producer.context().offset.store(-1, Ordering::SeqCst);
        let until = Instant::now() + STEP;
        for (key, value) in parts::cut(entry) {
            let record: BaseRecord<'_, str, [u8]> = BaseRecord::to(&self.topic).partition(0).payload(value);
            let record = match &key {
                Some(key) => record.key(key),
                None => record,
            };
            self.send(record, until).map_err(|error| self.give_up(&error))?;
        }
        // Committing flushes as well, but looks up only ten times a second.
        while self.producer.in_flight_count() > 0 && Instant::now() < until {
            self.producer.poll(Duration::from_millis(1));
        }
        match self.producer.commit_transaction(STEP) {
            Ok(()) => Ok(self.producer.context().offset.load(Ordering::SeqCst)),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Puts a record in the queue, which may have to send others first.
    fn send(&self, record: BaseRecord<'_, str, [u8]>, until: Instant) -> Result<(), KafkaError> {
        let mut next = record;
        loop {
            match self.producer.send(next) {
                Err((KafkaError::MessageProduction(Code::QueueFull), full)) if Instant::now() < until => next = full,
                sent => return sent.map_err(|(error, _)| error),
            }
            self.producer.poll(ROOM);
        }
    }

    fn failed(&self, error: &KafkaError) -> Failed {
        if let Some((code, reason)) = self.producer.client().fatal_error() {
            return match forgotten(code) {
                true => Failed::Forgotten,
                false => Failed::Fenced(reason),
            };
        }
        match (error, code_of(error)) {
            (_, Some(code)) if forgotten(code) => Failed::Forgotten,
            (_, Some(code)) if fenced(code) => Failed::Fenced(code.to_string()),
            (KafkaError::Transaction(e), _) if e.is_fatal() => Failed::Fenced(e.to_string()),
            (KafkaError::Transaction(e), _) if e.txn_requires_abort() => self.give_up(error),
            _ => Failed::Unsure(self.told(error)),
        }
    }

    fn give_up(&self, error: &KafkaError) -> Failed {
        match self.producer.abort_transaction(STEP) {
            Ok(()) => Failed::GivenUp(self.told(error)),
            Err(abort) => match self.producer.client().fatal_error() {
                Some((code, _)) if forgotten(code) => Failed::Forgotten,
                Some((_, reason)) => Failed::Fenced(reason),
                None if code_of(&abort).is_some_and(forgotten) => Failed::Forgotten,
                None if code_of(&abort).is_some_and(fenced) => Failed::Fenced(abort.to_string()),
                None => Failed::Unsure(self.told(error)),
            },
        }
    }

    fn told(&self, error: &KafkaError) -> PortError {
        self.clients.error(format!("to append to journal `{}`", self.topic), error)
    }
}

fn fenced(code: Code) -> bool {
    matches!(code, Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch | Code::Fatal)
}

fn forgotten(code: Code) -> bool {
    matches!(code, Code::InvalidProducerIdMapping | Code::UnknownProducerId)
}

/// Remembers where the last record went.
struct Delivered {
    inner: Context,
    offset: Arc<AtomicI64>,
}

impl ClientContext for Delivered {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, log_message: &str) {
        self.inner.log(level, fac, log_message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.inner.error(error, reason);
    }

    fn stats_raw(&self, _: &[u8]) {}
}

impl ProducerContext for Delivered {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Ok(record) = result {
            self.offset.fetch_max(record.offset(), Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rdkafka::mocking::MockCluster;
    use rdkafka::producer::DefaultProducerContext;
    use rdkafka::types::{RDKafkaApiKey as Api, RDKafkaRespErr as Answer};

    use super::super::Shared;
    use super::*;
    use crate::adapter::kafka::{KafkaSettings, Readers};

    fn cluster() -> MockCluster<'static, DefaultProducerContext> {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("journal", 1, 1).unwrap();
        cluster
    }

    fn open(cluster: &MockCluster<'_, DefaultProducerContext>) -> Writer {
        let settings = KafkaSettings { brokers: cluster.bootstrap_servers(), properties: BTreeMap::new() };
        Writer::open(&Clients::new(settings), "journal").unwrap()
    }

    fn how(written: Result<i64, Failed>) -> String {
        match written {
            Ok(offset) => format!("at {offset}"),
            Err(Failed::Fenced(_)) => "fenced".to_owned(),
            Err(Failed::Forgotten) => "forgotten".to_owned(),
            Err(Failed::GivenUp(error)) => format!("given up: {error}"),
            Err(Failed::Unsure(error)) => format!("unsure: {error}"),
        }
    }

    #[test]
    fn a_writer_that_kafka_forgot_is_not_taken_for_fenced() {
        let cluster = cluster();
        let writer = open(&cluster);
        assert_eq!(how(writer.write(b"a")), "at 0");
        drop(writer);
        for entry in [b"b".to_vec(), vec![7; 3 * parts::PART_BYTES]] {
            let writer = open(&cluster);
            cluster.request_errors(Api::AddPartitionsToTxn, &[Answer::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING]);
            // Rarely the transaction fails a moment before it is committed, and the client says only that its state is wrong.
            let failed = how(writer.write(&entry));
            assert!(failed == "forgotten" || failed.starts_with("unsure: "), "{failed}");
            let written = how(open(&cluster).write(&entry));
            assert!(written.starts_with("at "), "{written}");
        }
    }

    #[test]
    fn a_newer_writer_fences() {
        for answer in [
            Answer::RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
            Answer::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
            Answer::RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        ] {
            let cluster = cluster();
            let writer = open(&cluster);
            cluster.request_errors(Api::AddPartitionsToTxn, &[answer]);
            assert_eq!(how(writer.write(b"a")), "fenced");
        }
    }

    #[test]
    fn an_entry_of_several_records_is_read_as_one() {
        let cluster = cluster();
        let writer = open(&cluster);
        let large: Vec<u8> = (0..3 * parts::PART_BYTES + 9).map(|n| (n % 251) as u8).collect();
        assert_eq!(how(writer.write(b"a")), "at 0");
        assert_eq!(how(writer.write(&large)), "at 4");
        assert_eq!(how(writer.write(b"b")), "at 5");
        let settings = KafkaSettings { brokers: cluster.bootstrap_servers(), properties: BTreeMap::new() };
        let shared = Shared::new(Readers::new(Clients::new(settings)), "journal".to_owned());
        let all = shared.entries(None).unwrap();
        assert!(all.all == [b"a".to_vec(), large.clone(), b"b".to_vec()], "{} entries", all.all.len());
        assert_eq!((all.low, all.end), (0, 6));
        // What was written after the first entry, as a writer that was not answered looks for it.
        assert!(shared.entries(Some(1)).unwrap().all == [large, b"b".to_vec()]);
    }

    #[test]
    fn an_entry_is_given_up_when_one_of_its_records_is_refused() {
        let cluster = cluster();
        let writer = open(&cluster);
        let fine = Answer::RD_KAFKA_RESP_ERR_NO_ERROR;
        cluster.request_errors(Api::Produce, &[fine, Answer::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE]);
        let written = how(writer.write(&vec![7; 3 * parts::PART_BYTES]));
        assert!(written.starts_with("given up: Kafka refused") && written.contains("size too large"), "{written}");
    }

    #[test]
    fn a_queue_that_is_smaller_than_an_entry_only_slows_it_down() {
        let cluster = cluster();
        let properties = BTreeMap::from([("queue.buffering.max.kbytes".to_owned(), "600".to_owned())]);
        let clients = Clients::new(KafkaSettings { brokers: cluster.bootstrap_servers(), properties });
        let writer = Writer::open(&clients, "journal").unwrap();
        assert_eq!(how(writer.write(&vec![7; 4 * parts::PART_BYTES])), "at 3");
    }

    #[test]
    fn a_refused_entry_is_given_up_with_the_reason() {
        let cluster = cluster();
        let writer = open(&cluster);
        cluster.request_errors(Api::Produce, &[Answer::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE]);
        let first = how(writer.write(b"a"));
        assert!(first.starts_with("given up: Kafka refused") && first.contains("size too large"), "{first}");
        let second = how(open(&cluster).write(b"b"));
        assert!(second.starts_with("at "), "{second}");
    }
}
