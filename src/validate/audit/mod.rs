//! What the records of one change topic show: which schemas wrote them and where, what they do, and what no job reads.
//!
//! Rules:
//! - Records are folded in one by one, those of a partition in the order of their offsets. One at an offset that was passed is
//!   ignored, so a read that was broken off may begin again a little earlier. Partitions know nothing of each other.
//! - A switch is a record whose schema is another than that of the last record before it that names one. Where records of
//!   several schemas lie between each other is a stretch of offsets, not a point: see [`Mixed`].
//! - Records of a snapshot (`op` is `r`) are counted apart as well: they bring rows of any age with the newest schema.
//! - NULLs are counted in columns that the record's own schema calls nullable and gives a default, in the row that the record
//!   leaves: under `after` in an envelope, else the record itself. A connector that writes the default in the place of a NULL
//!   leaves nothing to count.
//! - What cannot be read is counted, each of the first few with offset and reason. Nothing is fatal. A key that names no schema
//!   is nothing wrong, and no key is decoded.
//! - Memory is bounded by schemas and columns, not by records: of more than [`MOST_SCHEMAS`] schemas in one partition the others
//!   are counted together.

mod placeholder;
mod report;
mod writer;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use report::{ColumnNulls, Mixed, PartReport, PartitionReport, SchemaReport, TopicReport, Version};
pub use writer::Writer;
use writer::{Look, json};

use crate::model::record::{Offsets, Part, RawRecord, SchemaId};
use crate::model::verdict::SchemaUse;

/// Schemas of one partition that are told apart. No topic's keys or values have as many.
pub const MOST_SCHEMAS: usize = 1_000;

/// Unreadable records of one partition that are kept with their reason.
pub const MOST_SAMPLES: usize = 5;

/// How records of each schema are read.
pub type Writers = BTreeMap<SchemaId, Writer>;

/// What a record does to its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// `c`: a new row.
    Create,
    /// `u`
    Update,
    /// `d`
    Delete,
    /// `r`: a row that a snapshot read.
    Snapshot,
    /// `t`: the table was emptied.
    Truncate,
    /// `m`: a message of the log, no row.
    Message,
    /// Anything else.
    Other,
}

impl Op {
    fn of(text: &str) -> Self {
        match text {
            "c" => Self::Create,
            "u" => Self::Update,
            "d" => Self::Delete,
            "r" => Self::Snapshot,
            "t" => Self::Truncate,
            "m" => Self::Message,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Snapshot => "snapshot",
            Self::Truncate => "truncate",
            Self::Message => "message",
            Self::Other => "other",
        })
    }
}

/// Explicit NULLs in one column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nulls {
    /// Records whose row has the column, nullable and with a default in the schema that they were written with.
    pub records: u64,
    /// Those of them that hold NULL there.
    pub nulls: u64,
}

/// A record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// Offset.
    pub offset: i64,
    /// Why, one line.
    pub reason: String,
}

/// Where one schema's records are in one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    records: u64,
    snapshot: u64,
    first: i64,
    last: i64,
}

/// The keys, or the values, of one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct PartAudit {
    schemas: BTreeMap<SchemaId, Span>,
    /// Records of further schemas.
    beyond: u64,
    /// There is something, but it names no schema.
    without_schema: u64,
    switches: u64,
    /// The last schema that was named.
    newest: Option<SchemaId>,
}

/// One partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct PartitionAudit {
    first: Option<i64>,
    /// One past the last record.
    next: i64,
    records: u64,
    tombstones: u64,
    key: PartAudit,
    value: PartAudit,
    ops: BTreeMap<Op, u64>,
    placeholders: BTreeMap<String, u64>,
    nulls: BTreeMap<SchemaId, BTreeMap<String, Nulls>>,
    /// Records of which nobody knows whether a counted column is NULL.
    rows_unread: u64,
    unreadable: u64,
    samples: Vec<Unreadable>,
    without_before: u64,
    first_without_before: Option<i64>,
    first_truncation: Option<i64>,
    /// Records of rows that have no key.
    without_key: u64,
    first_without_key: Option<i64>,
}

/// One topic, as far as it was folded in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicAudit {
    partitions: BTreeMap<i32, PartitionAudit>,
}

/// What one record showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// False for a record that was passed before; all else is empty then.
    pub counted: bool,
    /// The key's schema, if no record of the topic had it in its key before.
    pub new_key: Option<SchemaId>,
    /// The value's schema, if no record of the topic had it in its value before.
    pub new_value: Option<SchemaId>,
    /// Its value has another schema than the one before it in its partition.
    pub switched: bool,
    /// It could not be read, and why.
    pub unreadable: Option<String>,
    /// It is its partition's first update that does not say what the row was before: Flink's Debezium formats fail on it for ever.
    pub first_without_before: bool,
    /// Columns that hold the placeholder of a value that the database did not log.
    pub placeholders: u64,
    /// Columns that hold the first NULL that was counted in them, in records of this schema.
    pub first_nulls: Vec<String>,
}

impl TopicAudit {
    /// Folds in one record of the topic; `writers` has every schema that the registry knows.
    pub fn fold(&mut self, record: &RawRecord, writers: &Writers) -> Folded {
        let RawRecord { partition, offset, .. } = *record;
        let known = self.partitions.get(&partition);
        if known.is_some_and(|p| offset < p.next) {
            return Folded::default();
        }
        let (key, value) = (record.key_part(), record.value_part());
        let look = look(value, writers);
        let new_key = named(key).filter(|id| !self.partitions.values().any(|p| p.key.schemas.contains_key(id)));
        let new_value = named(value).filter(|id| !self.partitions.values().any(|p| p.value.schemas.contains_key(id)));
        let here = self.partitions.entry(partition).or_default();
        here.first.get_or_insert(offset);
        here.next = offset.saturating_add(1);
        here.records += 1;
        here.tombstones += u64::from(record.value.is_none());
        let snapshot = look.op == Some(Op::Snapshot);
        here.key.take(key, offset, snapshot);
        let switched = here.value.take(value, offset, snapshot);
        let mut folded = Folded { counted: true, new_key, new_value, switched, ..Folded::default() };
        // A truncation and a message of the log have no row, and so no key.
        let of_row = !matches!(value, Part::Absent) && !matches!(look.op, Some(Op::Truncate | Op::Message));
        if of_row && look.unreadable.is_none() && matches!(key, Part::Absent) {
            here.without_key += 1;
            here.first_without_key.get_or_insert(offset);
        }
        here.take(look, named(value), offset, &mut folded);
        folded
    }

    /// Up to where each partition was folded in.
    pub fn read_to(&self) -> Offsets {
        self.partitions.iter().map(|(partition, p)| (*partition, p.next)).collect()
    }

    /// What was seen of each schema of the values: by id or GUID, and under `tombstone` and `none` what has none.
    pub fn schemas(&self) -> BTreeMap<String, SchemaUse> {
        let mut all: BTreeMap<String, SchemaUse> = BTreeMap::new();
        for (partition, p) in &self.partitions {
            for (id, span) in &p.value.schemas {
                let used = all.entry(id.to_string()).or_default();
                used.records += span.records;
                used.first.insert(*partition, span.first);
                used.last.insert(*partition, span.last);
            }
            for (name, records) in [("none", p.value.without_schema), ("tombstone", p.tombstones)] {
                if records > 0 {
                    all.entry(name.to_owned()).or_default().records += records;
                }
            }
        }
        all
    }

    /// Partition and offset of the first update without its row before.
    pub fn update_without_before(&self) -> Option<(i32, i64)> {
        self.partitions.iter().find_map(|(partition, p)| Some((*partition, p.first_without_before?)))
    }

    /// Partition and offset of the first record that says that the table was emptied.
    pub fn truncation(&self) -> Option<(i32, i64)> {
        self.partitions.iter().find_map(|(partition, p)| Some((*partition, p.first_truncation?)))
    }

    /// Partition and offset of the first record of a row that has no key, where others have one: the table's primary key came
    /// or went. A topic without any key is of a table that never had one.
    pub fn without_key(&self) -> Option<(i32, i64)> {
        let is_keyed = self.partitions.values().any(|p| p.key.is_there());
        let mut all = self.partitions.iter();
        all.find_map(|(partition, p)| Some((*partition, p.first_without_key?))).filter(|_| is_keyed)
    }

    /// NULLs by column, over all schemas.
    pub fn nulls(&self) -> BTreeMap<String, Nulls> {
        let mut all: BTreeMap<String, Nulls> = BTreeMap::new();
        for (column, count) in self.partitions.values().flat_map(|p| p.nulls.values()).flatten() {
            let sum = all.entry(column.clone()).or_default();
            sum.records += count.records;
            sum.nulls += count.nulls;
        }
        all
    }

    /// Records of which nobody knows whether a counted column is NULL.
    pub fn rows_unread(&self) -> u64 {
        self.partitions.values().map(|p| p.rows_unread).sum()
    }
}

impl PartAudit {
    /// Whether any record has one.
    fn is_there(&self) -> bool {
        !self.schemas.is_empty() || self.without_schema > 0
    }

    /// True when the schema is another than the one before.
    fn take(&mut self, part: Part<'_>, offset: i64, snapshot: bool) -> bool {
        let schema = match part {
            Part::Named { schema, .. } => schema,
            Part::Foreign(_) | Part::BadHeader => {
                self.without_schema += 1;
                return false;
            }
            Part::Absent => return false,
        };
        let switched = self.newest.replace(schema).is_some_and(|before| before != schema);
        self.switches += u64::from(switched);
        if self.schemas.len() >= MOST_SCHEMAS && !self.schemas.contains_key(&schema) {
            self.beyond += 1;
            return switched;
        }
        let none = Span { records: 0, snapshot: 0, first: offset, last: offset };
        let span = self.schemas.entry(schema).or_insert(none);
        span.records += 1;
        span.snapshot += u64::from(snapshot);
        span.last = offset;
        switched
    }
}

impl PartitionAudit {
    fn take(&mut self, look: Look, schema: Option<SchemaId>, offset: i64, folded: &mut Folded) {
        if let Some(op) = look.op {
            *self.ops.entry(op).or_insert(0) += 1;
        }
        if let Some(reason) = &look.unreadable {
            self.unreadable += 1;
            if self.samples.len() < MOST_SAMPLES {
                self.samples.push(Unreadable { offset, reason: reason.clone() });
            }
        }
        self.rows_unread += u64::from(look.row_unread);
        if look.op == Some(Op::Truncate) {
            self.first_truncation.get_or_insert(offset);
        }
        if look.without_before {
            self.without_before += 1;
            self.first_without_before.get_or_insert(offset);
        }
        folded.placeholders = look.placeholders.len() as u64;
        for column in look.placeholders {
            *self.placeholders.entry(column).or_insert(0) += 1;
        }
        if let Some(schema) = schema
            && !look.columns.is_empty()
        {
            let counted = self.nulls.entry(schema).or_default();
            for (column, null) in look.columns {
                let count = counted.entry(column.clone()).or_default();
                count.records += 1;
                count.nulls += u64::from(null);
                if null && count.nulls == 1 {
                    folded.first_nulls.push(column);
                }
            }
        }
        folded.unreadable = look.unreadable;
        folded.first_without_before = look.without_before && self.without_before == 1;
    }
}

fn named(part: Part<'_>) -> Option<SchemaId> {
    match part {
        Part::Named { schema, .. } => Some(schema),
        _ => None,
    }
}

fn look(value: Part<'_>, writers: &Writers) -> Look {
    match value {
        Part::Absent => Look::default(),
        Part::BadHeader => Look::unreadable("its header for the schema's id holds no id and no GUID"),
        Part::Foreign(bytes) => json(bytes),
        Part::Named { schema, payload } => match writers.get(&schema) {
            Some(writer) => writer.look(payload),
            None => Look { row_unread: true, ..Look::unreadable(format!("the registry has no schema {schema}")) },
        },
    }
}
