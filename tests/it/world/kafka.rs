//! Topics and consumer groups. Readers are committed readers: markers of transactions take an offset and are never seen.

use std::collections::{BTreeMap, VecDeque};

use async_trait::async_trait;
use cyanotype::model::record::{self, NewRecord, Offsets, RawRecord, TopicSpec};
use cyanotype::port::{PortResult, RecordStream, Topics};

use super::avro::{Body, Cell, Row, message, read};
use super::{Deed, Seat, State, missing};

/// Records of one batch.
const BATCH: usize = 3;

/// What takes an offset.
#[derive(Clone)]
pub enum Slot {
    /// A record: key and value with their schema ids.
    Record(Option<(u32, Row)>, Option<(u32, Body)>),
    /// The end of a transaction.
    Marker,
}

/// A topic.
#[derive(Clone)]
pub struct Topic {
    /// Partitions and settings.
    pub spec: TopicSpec,
    /// What each partition holds.
    pub partitions: Vec<Vec<Slot>>,
}

impl Topic {
    /// An empty one.
    pub fn new(spec: TopicSpec) -> Self {
        let partitions = vec![Vec::new(); usize::try_from(spec.partitions).unwrap()];
        Self { spec, partitions }
    }

    /// Appends a record where its key belongs.
    pub fn push(&mut self, key: i64, slot: Slot) {
        let place = usize::try_from(key).unwrap() % self.partitions.len();
        self.partitions[place].push(slot);
    }

    /// Ends a transaction in every partition.
    pub fn mark(&mut self) {
        self.partitions.iter_mut().for_each(|partition| partition.push(Slot::Marker));
    }

    /// One past the last record of each partition; not past a marker.
    pub fn ends(&self) -> Offsets {
        let end = |slots: &Vec<Slot>| slots.iter().rposition(|s| matches!(s, Slot::Record(..))).map_or(0, |at| at + 1);
        let numbered = self.partitions.iter().enumerate();
        numbered.map(|(p, slots)| (i32::try_from(p).unwrap(), i64::try_from(end(slots)).unwrap())).collect()
    }

    /// Records from `from` on: partition, offset, and what it holds.
    pub fn from(&self, from: &Offsets) -> Vec<(i32, i64, &Slot)> {
        let mut all = Vec::new();
        for (p, slots) in (0..).zip(&self.partitions) {
            let first = usize::try_from(from.get(&p).copied().unwrap_or(0)).unwrap();
            for (at, slot) in slots.iter().enumerate().skip(first) {
                if matches!(slot, Slot::Record(..)) {
                    all.push((p, i64::try_from(at).unwrap(), slot));
                }
            }
        }
        all
    }

    /// The rows that are live, by key.
    pub fn rows(&self) -> std::collections::BTreeMap<i64, Row> {
        let mut rows = std::collections::BTreeMap::new();
        for (_, _, slot) in self.from(&Offsets::new()) {
            let Slot::Record(key, value) = slot else { continue };
            let row = value.as_ref().and_then(|(_, body)| body.row());
            let Some(id) = id_of(key.as_ref().map(|(_, k)| k).or(row)) else { continue };
            match row {
                Some(row) => rows.insert(id, row.clone()),
                None => rows.remove(&id),
            };
        }
        rows
    }
}

/// The key column.
pub fn id_of(row: Option<&Row>) -> Option<i64> {
    match row?.get("id") {
        Some(Cell::Long(id)) => Some(*id),
        _ => None,
    }
}

impl State {
    fn topic(&self, topic: &str) -> PortResult<&Topic> {
        self.topics.get(topic).ok_or_else(|| missing("Kafka", format!("topic {topic}")))
    }

    /// Appends records to partition 0, as they are.
    pub(super) fn write_raw(&mut self, topic: &str, records: &[NewRecord]) -> PortResult<()> {
        self.topic(topic)?;
        let typed = |bytes: &Vec<u8>| {
            let id = record::schema_id(bytes).unwrap();
            (id, read(self.schemas.text(id).unwrap(), bytes))
        };
        let slots: Vec<Slot> = records
            .iter()
            .map(|r| {
                let value = r.value.as_ref().map(typed).map(|(id, row)| (id, Body::Row(row)));
                Slot::Record(Some(typed(&r.key)), value)
            })
            .collect();
        self.topics.get_mut(topic).unwrap().partitions[0].extend(slots);
        Ok(())
    }

    fn raw(&self, partition: i32, offset: i64, slot: &Slot) -> RawRecord {
        let bytes = |(id, body): (u32, Body)| message(id, self.schemas.text(id).unwrap(), &body);
        let Slot::Record(key, value) = slot else { unreachable!("markers are never read") };
        let key = key.clone().map(|(id, row)| bytes((id, Body::Row(row))));
        RawRecord { partition, offset, timestamp_ms: None, key, value: value.clone().map(bytes), schema_headers: None }
    }
}

/// A few records at a time.
struct Stream {
    seat: Seat,
    left: VecDeque<RawRecord>,
}

#[async_trait]
impl RecordStream for Stream {
    async fn next_batch(&mut self) -> PortResult<Option<Vec<RawRecord>>> {
        self.seat.moment().await;
        let batch: Vec<RawRecord> = self.left.drain(..self.left.len().min(BATCH)).collect();
        Ok((!batch.is_empty()).then_some(batch))
    }
}

#[async_trait]
impl Topics for Seat {
    async fn describe(&self, topic: &str) -> PortResult<Option<TopicSpec>> {
        self.look(|state| Ok(state.topics.get(topic).map(|t| t.spec.clone()))).await
    }

    async fn create(&self, spec: &TopicSpec) -> PortResult<()> {
        self.act(Deed::CreateTopic { spec: spec.clone() }).await.map(drop)
    }

    async fn delete(&self, topic: &str) -> PortResult<()> {
        self.act(Deed::DeleteTopic { topic: topic.to_owned() }).await.map(drop)
    }

    async fn beginnings(&self, topic: &str) -> PortResult<Offsets> {
        self.look(|state| Ok((0..state.topic(topic)?.spec.partitions).map(|p| (p, 0)).collect())).await
    }

    async fn visible_ends(&self, topic: &str) -> PortResult<Offsets> {
        self.look(|state| Ok(state.topic(topic)?.ends())).await
    }

    async fn committed(&self, group: &str, topic: &str) -> PortResult<Option<Offsets>> {
        self.look(|state| {
            state.topic(topic)?;
            Ok(state.groups.get(group).and_then(|topics| topics.get(topic)).cloned())
        })
        .await
    }

    async fn readers(&self, topic: &str) -> PortResult<Vec<String>> {
        self.look(|state| {
            let read = |topics: &BTreeMap<String, Offsets>| topics.contains_key(topic);
            Ok(state.groups.iter().filter(|(_, topics)| read(topics)).map(|(group, _)| group.clone()).collect())
        })
        .await
    }

    async fn delete_group(&self, group: &str) -> PortResult<()> {
        self.act(Deed::DeleteGroup { group: group.to_owned() }).await.map(drop)
    }

    async fn write(&self, topic: &str, records: &[NewRecord]) -> PortResult<()> {
        self.act(Deed::Write { topic: topic.to_owned(), records: records.to_vec() }).await.map(drop)
    }

    async fn read(&self, topic: &str, from: &Offsets, to: &Offsets) -> PortResult<Box<dyn RecordStream>> {
        let left = self
            .look(|state| {
                let records = state.topic(topic)?.from(from);
                let wanted = records.into_iter().filter(|(p, at, _)| *at < to.get(p).copied().unwrap_or(0));
                Ok(wanted.map(|(p, at, slot)| state.raw(p, at, slot)).collect())
            })
            .await?;
        Ok(Box::new(Stream { seat: self.clone(), left }))
    }
}
