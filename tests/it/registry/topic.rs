//! A topic of one partition, in memory.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use cyanotype::model::record::{NewRecord, Offsets, RawRecord, TopicSpec};
use cyanotype::port::{PortError, PortResult, RecordStream, Topics};

/// What is waited for comes within it.
pub const LIMIT: Duration = Duration::from_secs(30);

/// One topic of one partition.
#[derive(Default)]
pub struct Topic {
    /// What it holds.
    pub records: Mutex<Vec<RawRecord>>,
    /// True while it cannot be read.
    pub away: Mutex<bool>,
    looks: Mutex<u32>,
}

impl Topic {
    /// Appends a record.
    pub fn write(&self, key: &[u8], value: Option<&[u8]>) {
        let mut records = self.records.lock().unwrap();
        let offset = i64::try_from(records.len()).unwrap();
        let (key, value) = (Some(key.to_vec()), value.map(<[u8]>::to_vec));
        records.push(RawRecord { partition: 0, offset, timestamp_ms: None, key, value, schema_headers: None });
    }

    /// Waits until it was looked at `times` more times.
    pub async fn looked_at(&self, times: u32) {
        let before = *self.looks.lock().unwrap();
        let waited = async {
            while *self.looks.lock().unwrap() < before + times {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LIMIT, waited).await.expect("the topic must be looked at");
    }
}

struct Stream(Vec<RawRecord>);

#[async_trait]
impl RecordStream for Stream {
    async fn next_batch(&mut self) -> PortResult<Option<Vec<RawRecord>>> {
        Ok(self.0.pop().map(|record| vec![record]))
    }
}

fn unasked<T>() -> PortResult<T> {
    Err(PortError::Missing { system: "Kafka", what: "such a call here".to_owned() })
}

#[async_trait]
impl Topics for Topic {
    async fn visible_ends(&self, _: &str) -> PortResult<Offsets> {
        *self.looks.lock().unwrap() += 1;
        if *self.away.lock().unwrap() {
            return unasked();
        }
        Ok(Offsets::from([(0, i64::try_from(self.records.lock().unwrap().len()).unwrap())]))
    }
    async fn read(&self, _: &str, from: &Offsets, to: &Offsets) -> PortResult<Box<dyn RecordStream>> {
        let first = from.get(&0).copied().unwrap_or(0);
        let records = self.records.lock().unwrap().clone().into_iter();
        Ok(Box::new(Stream(records.filter(|r| r.offset >= first && r.offset < to[&0]).rev().collect())))
    }
    async fn describe(&self, _: &str) -> PortResult<Option<TopicSpec>> {
        unasked()
    }
    async fn create(&self, _: &TopicSpec) -> PortResult<()> {
        unasked()
    }
    async fn delete(&self, _: &str) -> PortResult<()> {
        unasked()
    }
    async fn beginnings(&self, _: &str) -> PortResult<Offsets> {
        unasked()
    }
    async fn committed(&self, _: &str, _: &str) -> PortResult<Option<Offsets>> {
        unasked()
    }
    async fn readers(&self, _: &str) -> PortResult<Vec<String>> {
        unasked()
    }
    async fn delete_group(&self, _: &str) -> PortResult<()> {
        unasked()
    }
    async fn write(&self, _: &str, _: &[NewRecord]) -> PortResult<()> {
        unasked()
    }
}
