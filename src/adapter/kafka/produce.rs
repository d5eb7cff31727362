//! Writes records to a topic that the daemon made.
//!
//! Rules: a producer is idempotent, so a repeat by the library is no second record and the order stays; one call has it at a
//! time, and the next one gets it only after a call without an error; the call ends when every record is confirmed, or with
//! the first error.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, ProducerContext};

use super::client::{Clients, Context, absent, code_of};
use crate::model::record::NewRecord;
use crate::port::PortResult;

/// How long one call may take: below what a new leader waits for a late call of the old one.
const WRITE: Duration = Duration::from_secs(30);
/// As the library's setting, which counts from each record's own sending.
const WRITE_MS: &str = "25000";
/// Largest record, with what a batch adds: as large as Kafka may be set to take on any topic of ours.
const LARGEST: &str = "16777216";

/// How long a producer is kept for the next call, which saves half a second. What it knows of a topic that was made anew
/// meanwhile would be old.
const KEPT: Duration = Duration::from_secs(30);

/// The producer that wrote last, while nobody writes.
#[derive(Default)]
pub(super) struct Producers(Mutex<Option<(Producer, Instant)>>);

struct Producer {
    client: BaseProducer<Confirmed>,
    told: Arc<Mutex<Told>>,
}

impl Producers {
    /// Writes `records` to partition 0. Blocks.
    pub(super) fn write(&self, clients: &Clients, topic: &str, records: &[NewRecord]) -> PortResult<()> {
        let producer = match self.kept() {
            Some(producer) => producer,
            None => Producer::new(clients)?,
        };
        // One that failed may still have records on their way, and no next call may confirm them.
        write(&producer, clients, topic, records)?;
        *self.place() = Some((producer, Instant::now()));
        Ok(())
    }

    fn kept(&self) -> Option<Producer> {
        let (producer, since) = self.place().take()?;
        (since.elapsed() < KEPT).then_some(producer)
    }

    fn place(&self) -> MutexGuard<'_, Option<(Producer, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Producer {
    fn new(clients: &Clients) -> PortResult<Self> {
        let ours = [
            ("enable.idempotence", "true"),
            ("acks", "all"),
            ("message.timeout.ms", WRITE_MS),
            ("message.max.bytes", LARGEST),
            ("queue.buffering.max.ms", "5"),
            ("compression.type", "zstd"),
        ];
        let context = Confirmed { inner: clients.context(), state: Arc::default() };
        let told = Arc::clone(&context.state);
        Ok(Self { client: clients.make(&ours, context)?, told })
    }
}

fn write(producer: &Producer, clients: &Clients, topic: &str, records: &[NewRecord]) -> PortResult<()> {
    let Producer { client: producer, told: state } = producer;
    *state.lock().unwrap_or_else(PoisonError::into_inner) = Told::default();
    let what = || format!("to write to topic `{topic}`");
    let told = |error: &KafkaError| match code_of(error) {
        Some(code) if absent(code) => clients.no_topic(topic),
        _ => clients.error(what(), error),
    };
    let until = Instant::now() + WRITE;
    let confirmed = || {
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failed.clone().map_or(Ok(state.confirmed), |error| Err(told(&error)))
    };
    for record in records {
        let mut next: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).partition(0).key(&record.key);
        if let Some(value) = &record.value {
            next = next.payload(value);
        }
        loop {
            let Err((error, again)) = producer.send(next) else { break };
            // The library's queue is full: it empties as records are confirmed.
            if code_of(&error) != Some(Code::QueueFull) || Instant::now() >= until {
                return Err(told(&error));
            }
            producer.poll(Duration::from_millis(10));
            confirmed()?;
            next = again;
        }
        producer.poll(Duration::ZERO);
    }
    while confirmed()? < records.len() {
        if Instant::now() >= until {
            return Err(clients.unreachable(format!("no confirmation when asked {}", what())));
        }
        producer.poll(Duration::from_millis(10));
    }
    Ok(())
}

/// What the library has told of the records so far.
#[derive(Default)]
struct Told {
    confirmed: usize,
    failed: Option<KafkaError>,
}

struct Confirmed {
    inner: Context,
    state: Arc<Mutex<Told>>,
}

impl ClientContext for Confirmed {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, log_message: &str) {
        self.inner.log(level, fac, log_message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.inner.error(error, reason);
    }

    fn stats_raw(&self, _: &[u8]) {}
}

impl ProducerContext for Confirmed {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(_) => state.confirmed += 1,
            Err((error, _)) => {
                let _ = state.failed.get_or_insert_with(|| error.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rdkafka::mocking::MockCluster;
    use rdkafka::producer::DefaultProducerContext;
    use rdkafka::types::{RDKafkaApiKey as Api, RDKafkaRespErr as Answer};

    use super::super::client::KafkaSettings;
    use super::*;

    fn cluster() -> MockCluster<'static, DefaultProducerContext> {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("repair", 1, 1).unwrap();
        cluster
    }

    fn clients(cluster: &MockCluster<'_, DefaultProducerContext>) -> Clients {
        Clients::new(KafkaSettings { brokers: cluster.bootstrap_servers(), properties: BTreeMap::new() })
    }

    fn records(count: u32) -> Vec<NewRecord> {
        let record =
            |n: u32| NewRecord { key: n.to_be_bytes().to_vec(), value: n.is_multiple_of(2).then(|| vec![7; 100]) };
        (0..count).map(record).collect()
    }

    #[test]
    fn every_record_is_confirmed_before_the_call_returns() {
        let cluster = cluster();
        let (producers, clients) = (Producers::default(), clients(&cluster));
        producers.write(&clients, "repair", &records(5_000)).unwrap();
        producers.write(&clients, "repair", &[]).unwrap();
    }

    #[test]
    fn a_producer_is_used_again_unless_it_failed() {
        let cluster = cluster();
        let (producers, clients) = (Producers::default(), clients(&cluster));
        let kept = || producers.place().as_ref().map(|(producer, _)| Arc::as_ptr(&producer.told));
        producers.write(&clients, "repair", &records(3)).unwrap();
        let first = kept().unwrap();
        producers.write(&clients, "repair", &records(3)).unwrap();
        assert_eq!(kept(), Some(first), "the same one, which counts its confirmations anew");
        cluster.request_errors(Api::Produce, &[Answer::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED]);
        assert!(producers.write(&clients, "repair", &records(3)).is_err());
        assert!(kept().is_none());
        producers.write(&clients, "repair", &records(3)).unwrap();
        assert!(kept().is_some());
    }

    #[test]
    fn a_refused_record_is_an_error_with_its_reason() {
        let cluster = cluster();
        cluster.request_errors(Api::Produce, &[Answer::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED]);
        let error = Producers::default().write(&clients(&cluster), "repair", &records(3)).unwrap_err().to_string();
        assert!(error.contains("to write to topic `repair`") && error.contains("authorization failed"), "{error}");
    }

    #[test]
    fn a_passing_error_is_tried_again_by_the_library() {
        let cluster = cluster();
        cluster.request_errors(Api::Produce, &[Answer::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS]);
        Producers::default().write(&clients(&cluster), "repair", &records(3)).unwrap();
    }
}
