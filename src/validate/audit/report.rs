//! The audit as it is shown: lists in the order of partitions and offsets.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Op, PartAudit, PartitionAudit, TopicAudit, Unreadable};
use crate::model::record::SchemaId;

/// What the records of one topic show, as far as they were read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicReport {
    /// Topic.
    pub topic: String,
    /// Records.
    pub records: u64,
    /// Records that cannot be read.
    pub unreadable: u64,
    /// Updates that do not say what the row was before: no job that reads the topic as Debezium's changelog gets past one.
    pub updates_without_before: u64,
    /// Every partition with records.
    pub partitions: Vec<PartitionReport>,
    /// Explicit NULLs in nullable columns with a default, by schema and column.
    pub nulls: Vec<ColumnNulls>,
    /// How often each column holds the placeholder of a value that the database did not log.
    pub placeholders: BTreeMap<String, u64>,
    /// What the registry calls each schema, as far as it was asked and knows it.
    pub subjects: BTreeMap<SchemaId, Vec<Version>>,
}

/// A version of a subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// Subject.
    pub subject: String,
    /// Version.
    pub version: i32,
}

/// One partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionReport {
    /// Partition.
    pub partition: i32,
    /// Offset of its first record.
    pub first: i64,
    /// Offset of the last record that was read.
    pub last: i64,
    /// Records.
    pub records: u64,
    /// Records without a value.
    pub tombstones: u64,
    /// Records by what they do to their row, where they say it.
    pub ops: BTreeMap<Op, u64>,
    /// Schemas of the values.
    pub value: PartReport,
    /// Schemas of the keys.
    pub key: PartReport,
    /// Records that cannot be read.
    pub unreadable: u64,
    /// The first few of them.
    pub first_unreadable: Vec<Unreadable>,
    /// Updates that do not say what the row was before.
    pub updates_without_before: u64,
    /// Offset of the first of them.
    pub first_update_without_before: Option<i64>,
    /// Records of rows that have no key.
    #[serde(default)]
    pub without_key: u64,
}

/// The keys, or the values, of one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartReport {
    /// Every schema, by its first record.
    pub schemas: Vec<SchemaReport>,
    /// How often a record has another schema than the one before.
    pub switches: u64,
    /// Where records of several schemas lie between each other.
    pub mixed: Vec<Mixed>,
    /// Records that name no schema.
    pub without_schema: u64,
    /// Records of schemas that are not told apart, because there are too many.
    pub beyond: u64,
}

/// The records of one schema in one partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaReport {
    /// Schema.
    pub schema: SchemaId,
    /// Records.
    pub records: u64,
    /// Those of them that a snapshot wrote.
    pub snapshot: u64,
    /// Offset of the first.
    pub first: i64,
    /// Offset of the last.
    pub last: i64,
}

/// A stretch of offsets in which records of several schemas appear: from the first record of a newer schema to the last of an
/// older one. Stretches that touch are one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mixed {
    /// First offset of it.
    pub from: i64,
    /// Last offset of it.
    pub to: i64,
    /// The schemas.
    pub schemas: Vec<SchemaId>,
}

/// Explicit NULLs in one column, in records of one schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnNulls {
    /// Schema.
    pub schema: SchemaId,
    /// Column.
    pub column: String,
    /// Records whose row has the column.
    pub records: u64,
    /// Those of them that hold NULL there.
    pub nulls: u64,
}

impl TopicAudit {
    /// The audit of `topic`, with the names that the registry has for its schemas.
    pub fn report(&self, topic: &str, subjects: &BTreeMap<SchemaId, Vec<Version>>) -> TopicReport {
        let all = || self.partitions.values();
        let mut nulls: BTreeMap<(SchemaId, &str), super::Nulls> = BTreeMap::new();
        let mut placeholders = BTreeMap::new();
        for partition in all() {
            for (schema, columns) in &partition.nulls {
                for (column, count) in columns {
                    let sum = nulls.entry((*schema, column)).or_default();
                    sum.records += count.records;
                    sum.nulls += count.nulls;
                }
            }
            for (column, times) in &partition.placeholders {
                *placeholders.entry(column.clone()).or_insert(0) += times;
            }
        }
        let nulls = nulls.into_iter().map(|((schema, column), count)| ColumnNulls {
            schema,
            column: column.to_owned(),
            records: count.records,
            nulls: count.nulls,
        });
        TopicReport {
            topic: topic.to_owned(),
            records: all().map(|p| p.records).sum(),
            unreadable: all().map(|p| p.unreadable).sum(),
            updates_without_before: all().map(|p| p.without_before).sum(),
            partitions: self.partitions.iter().map(|(number, p)| p.report(*number)).collect(),
            nulls: nulls.collect(),
            placeholders,
            subjects: subjects.clone(),
        }
    }
}

impl PartitionAudit {
    fn report(&self, partition: i32) -> PartitionReport {
        PartitionReport {
            partition,
            first: self.first.unwrap_or(self.next),
            last: self.next.saturating_sub(1),
            records: self.records,
            tombstones: self.tombstones,
            ops: self.ops.clone(),
            value: self.value.report(),
            key: self.key.report(),
            unreadable: self.unreadable,
            first_unreadable: self.samples.clone(),
            updates_without_before: self.without_before,
            first_update_without_before: self.first_without_before,
            without_key: self.without_key,
        }
    }
}

impl PartAudit {
    fn report(&self) -> PartReport {
        let mut schemas: Vec<SchemaReport> = self
            .schemas
            .iter()
            .map(|(schema, span)| SchemaReport {
                schema: *schema,
                records: span.records,
                snapshot: span.snapshot,
                first: span.first,
                last: span.last,
            })
            .collect();
        schemas.sort_by_key(|s| (s.first, s.schema));
        let mixed = mixed(&schemas);
        PartReport { schemas, switches: self.switches, mixed, without_schema: self.without_schema, beyond: self.beyond }
    }
}

/// `schemas` by their first record.
fn mixed(schemas: &[SchemaReport]) -> Vec<Mixed> {
    let mut stretches: Vec<(i64, i64, BTreeSet<SchemaId>)> = Vec::new();
    // The schema that reaches furthest of those that began before.
    let mut furthest: Option<&SchemaReport> = None;
    for schema in schemas {
        if let Some(before) = furthest.filter(|before| before.last > schema.first) {
            let (from, to) = (schema.first, schema.last.min(before.last));
            let both = [before.schema, schema.schema];
            match stretches.last_mut().filter(|(_, end, _)| *end >= from) {
                Some((_, end, all)) => {
                    *end = (*end).max(to);
                    all.extend(both);
                }
                None => stretches.push((from, to, both.into())),
            }
        }
        if furthest.is_none_or(|before| before.last < schema.last) {
            furthest = Some(schema);
        }
    }
    stretches.into_iter().map(|(from, to, all)| Mixed { from, to, schemas: all.into_iter().collect() }).collect()
}
