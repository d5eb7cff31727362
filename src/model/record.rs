//! Records and positions in topics.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A position for each partition: the offset of the next record.
pub type Offsets = BTreeMap<i32, i64>;

/// One record as it lies in the topic, not decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRecord {
    /// Partition.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
    /// Time of the record, milliseconds since 1970, if it has one.
    pub timestamp_ms: Option<i64>,
    /// Key bytes.
    pub key: Option<Vec<u8>>,
    /// Value bytes; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
}

/// A record to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecord {
    /// Key bytes.
    pub key: Vec<u8>,
    /// Value bytes; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
}

/// The schema id of Confluent's wire format: magic byte 0, four bytes big endian. `None` when the bytes are not in it.
pub fn schema_id(bytes: &[u8]) -> Option<u32> {
    match bytes {
        [0, a, b, c, d, ..] => Some(u32::from_be_bytes([*a, *b, *c, *d])),
        _ => None,
    }
}

/// True when `have` has reached `want` in every partition; a partition missing in `have` counts as 0.
pub fn reached(have: &Offsets, want: &Offsets) -> bool {
    want.iter().all(|(p, w)| have.get(p).copied().unwrap_or(0) >= *w)
}

/// How many records `have` is behind `want`, over all partitions.
pub fn behind(have: &Offsets, want: &Offsets) -> i64 {
    want.iter().map(|(p, w)| (w - have.get(p).copied().unwrap_or(0)).max(0)).sum()
}

/// What is known of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicSpec {
    /// Name.
    pub name: String,
    /// Number of partitions.
    pub partitions: i32,
    /// Settings that differ from the broker's defaults.
    pub config: BTreeMap<String, String>,
}
