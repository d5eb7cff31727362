//! A read between two positions, in batches.
//!
//! Rules: it ends exactly at its end positions, also where the last offsets before them are transaction markers or were
//! compacted away: a partition is done when a record at or past its end came, or when the reader stands at an end of
//! the partition that is known to be no earlier.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rdkafka::Message;
use rdkafka::message::Headers as _;

use super::client::CALL;
use super::reader::{Polled, Reader, Readers};
use crate::model::record::{Offsets, RawRecord, SchemaHeaders};
use crate::port::{PortError, PortResult, RecordStream};

/// Records in one batch.
const BATCH: usize = 2000;
/// Bytes after which a batch is full.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// How long a batch that has something waits for more.
const LINGER: Duration = Duration::from_millis(100);
/// How long the log end may take to come up to the asked end: it can lag behind after a change of leaders.
const LAG: Duration = Duration::from_secs(5);

/// A read that goes on.
pub(in crate::adapter) struct Records {
    /// `None` once the end was told, or when a batch was given up half way.
    read: Option<Read>,
    /// True once every partition was read to its end.
    ended: bool,
    topic: String,
}

struct Read {
    reader: Reader,
    topic: String,
    from: Offsets,
    /// End positions of the partitions that are not done.
    open: Offsets,
}

impl Records {
    /// Starts the read. Blocks.
    pub(in crate::adapter) fn start(
        readers: &Arc<Readers>,
        topic: &str,
        from: &Offsets,
        to: &Offsets,
    ) -> PortResult<Self> {
        let mut reader = readers.lease()?;
        let ids = reader.ids(topic)?;
        if let Some(unknown) = to.keys().find(|p| !ids.contains(p)) {
            let what = format!("partition {unknown} of topic `{topic}`");
            return Err(PortError::Missing { system: "Kafka", what });
        }
        let wanted: Vec<i32> = to.keys().copied().collect();
        let lows = reader.lows(topic, &wanted)?;
        let low = |p: &i32| lows.get(p).copied().unwrap_or(0);
        let start = |p: &i32| from.get(p).copied().unwrap_or(i64::MIN).max(low(p));
        let open: Offsets = to.iter().filter(|(p, end)| start(p) < **end).map(|(p, end)| (*p, *end)).collect();
        if open.is_empty() {
            reader.done();
            return Ok(Self { read: None, ended: true, topic: topic.to_owned() });
        }
        let patience = Instant::now() + LAG;
        reader.until(patience + CALL);
        let wanted: Vec<i32> = open.keys().copied().collect();
        loop {
            let highs = reader.highs(topic, &wanted)?;
            let short = open.iter().find(|(p, end)| highs.get(p).is_none_or(|high| high < end));
            let Some((partition, end)) = short else { break };
            if Instant::now() >= patience {
                let high = highs.get(partition).copied().unwrap_or(0);
                return Err(readers.clients().refused(
                    format!("to read topic `{topic}` up to offset {end} of partition {partition}"),
                    format!("only offsets below {high} are visible: take the end again"),
                ));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        reader.until(Instant::now() + CALL);
        let from: Offsets = open.keys().map(|p| (*p, start(p))).collect();
        reader.assign(topic, &from)?;
        let read = Read { reader, topic: topic.to_owned(), from, open };
        Ok(Self { read: Some(read), ended: false, topic: topic.to_owned() })
    }

    /// The next records. Blocks.
    pub(in crate::adapter) fn next(&mut self) -> PortResult<Option<Vec<RawRecord>>> {
        if self.ended {
            return Ok(None);
        }
        let Some(mut read) = self.read.take() else {
            let what = format!("to go on reading topic `{}`", self.topic);
            let reason = "the read was given up before: start it again".to_owned();
            return Err(PortError::Refused { system: "Kafka", what, reason });
        };
        let batch = read.batch()?;
        if read.open.is_empty() {
            read.reader.done();
            self.ended = true;
        } else {
            self.read = Some(read);
        }
        Ok(if batch.is_empty() && self.ended { None } else { Some(batch) })
    }
}

impl Read {
    fn batch(&mut self) -> PortResult<Vec<RawRecord>> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let started = Instant::now();
        self.reader.until(started + CALL);
        while !self.open.is_empty() && batch.len() < BATCH && bytes < BATCH_BYTES {
            if !batch.is_empty() && started.elapsed() >= LINGER {
                break;
            }
            if self.reader.late() {
                return Err(self.reader.stuck(&self.topic));
            }
            let done = match self.reader.poll(&self.topic, LINGER)? {
                Polled::Nothing => continue,
                Polled::End(partition) => self.open.contains_key(&partition).then_some(partition),
                Polled::Record(record) => {
                    let (partition, offset) = (record.partition(), record.offset());
                    let Some(end) = self.open.get(&partition).copied() else { continue };
                    if offset < end && self.from.get(&partition).is_some_and(|from| offset >= *from) {
                        bytes += record.payload_len() + record.key_len();
                        let mut schema_headers = None;
                        for header in record.headers().into_iter().flat_map(|headers| headers.iter()) {
                            SchemaHeaders::take(&mut schema_headers, header.key, header.value);
                        }
                        batch.push(RawRecord {
                            partition,
                            offset,
                            timestamp_ms: record.timestamp().to_millis(),
                            key: record.key().map(<[u8]>::to_vec),
                            value: record.payload().map(<[u8]>::to_vec),
                            schema_headers,
                        });
                    }
                    (offset >= end - 1).then_some(partition)
                }
            };
            if let Some(partition) = done {
                self.open.remove(&partition);
                self.reader.pause(&self.topic, partition);
            }
        }
        Ok(batch)
    }
}

#[async_trait]
impl RecordStream for Records {
    async fn next_batch(&mut self) -> PortResult<Option<Vec<RawRecord>>> {
        if self.ended {
            return Ok(None);
        }
        // While a batch is under way the read lives in the task: a caller that gives up cannot lose records unseen.
        let mut moved = Self { read: self.read.take(), ended: self.ended, topic: self.topic.clone() };
        let (moved, batch) = super::blocking(move || {
            let batch = moved.next();
            Ok((moved, batch))
        })
        .await?;
        *self = moved;
        batch
    }
}
