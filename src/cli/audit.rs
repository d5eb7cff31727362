//! `cyanotype audit`: which schemas wrote a topic, where, and what its records hold. Needs no daemon.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use serde::Serialize;

use super::output::{Failure, Reply, columns, count, plain};
use super::{Shell, wire};
use crate::config::Need;
use crate::daemon::watch;
use crate::model::record::SchemaId;
use crate::port::PortError;
use crate::validate::audit::{Op, PartReport, TopicReport};

/// Read a change topic and tell which schemas wrote it: for each partition the first and last record of each schema, where records
/// of several lie between each other, and what no job can read.
///
/// Every record is read, up to the end that the topic has when it begins. The answer is yes if each can be read, no update lacks
/// its row before, and none is a truncation. The daemon does the same for its inputs all the time: `GET /api/v1/topics`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Topic to read.
    #[arg(value_name = "TOPIC")]
    topic: String,
}

/// Where to look when a system does not answer.
const LOOK: &str = "`cyanotype doctor` looks at every system and says what is missing";
/// Records between two lines of progress.
const PROGRESS: u64 = 1_000_000;

pub(super) async fn run(args: Args, shell: &Shell) -> Result<Reply, Failure> {
    let topic = args.topic;
    let config = shell.config(Need::Everything)?;
    let ports = wire::ports(&config, &config.project)?;
    let kafka = |e: PortError| Failure::new("Kafka cannot be asked").because(&e).help(LOOK);
    if ports.topics.describe(&topic).await.map_err(kafka)?.is_none() {
        let help = "correct the name; the option 'topic' of a reader table has it";
        return Err(Failure::new(format!("there is no topic {topic}")).help(help));
    }
    let ends = ports.topics.visible_ends(&topic).await.map_err(kafka)?;
    let said = |records: u64| {
        if records.is_multiple_of(PROGRESS) {
            shell.say(&format!("{records} records of {topic} are read"));
        }
    };
    let from = (ports.registry.as_ref(), ports.topics.as_ref());
    let audit = watch::read_once(from, &topic, &ends, said)
        .await
        .map_err(|e| Failure::new(format!("topic {topic} cannot be read")).because(&e).help(LOOK))?;
    let report = audit.reports().remove(&topic).unwrap_or_default();
    let good = report.unreadable == 0 && report.updates_without_before == 0 && truncations(&report).next().is_none();
    let shown = Audited(report);
    Ok(if good { Reply::yes(shown) } else { Reply::no(shown) })
}

/// Partitions with records of truncations, and how many. Flink's Debezium formats know no such operation, and fail at it.
fn truncations(report: &TopicReport) -> impl Iterator<Item = (i32, u64)> {
    report.partitions.iter().filter_map(|p| Some((p.partition, *p.ops.get(&Op::Truncate)?)))
}

/// The audit as an answer.
#[derive(Serialize)]
#[serde(transparent)]
struct Audited(Arc<TopicReport>);

impl Audited {
    fn subjects(&self, schema: SchemaId) -> String {
        let versions = self.0.subjects.get(&schema).into_iter().flatten();
        let named: Vec<String> = versions.map(|v| format!("{} version {}", v.subject, v.version)).collect();
        if named.is_empty() { "not in the registry".to_owned() } else { named.join(", ") }
    }

    fn table(&self) -> Vec<String> {
        let heads = ["partition", "part", "schema", "records", "snapshot", "first", "last", "subject"];
        let mut rows = vec![heads.map(str::to_owned).to_vec()];
        for partition in &self.0.partitions {
            for (part, report) in [("key", &partition.key), ("value", &partition.value)] {
                rows.extend(report.schemas.iter().map(|s| {
                    vec![
                        partition.partition.to_string(),
                        part.to_owned(),
                        s.schema.to_string(),
                        s.records.to_string(),
                        s.snapshot.to_string(),
                        s.first.to_string(),
                        s.last.to_string(),
                        plain(&self.subjects(s.schema)),
                    ]
                }));
            }
        }
        if rows.len() == 1 { Vec::new() } else { columns(&rows) }
    }
}

impl Display for Audited {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let report = &self.0;
        let records = |n: u64| count(usize::try_from(n).unwrap_or(usize::MAX), "record");
        let partitions = count(report.partitions.len(), "partition");
        writeln!(f, "{}: {} in {partitions}", plain(&report.topic), records(report.records))?;
        self.table().iter().try_for_each(|line| writeln!(f, "{line}"))?;
        for p in &report.partitions {
            let mut kinds: Vec<String> = p.ops.iter().map(|(op, n)| format!("{op} {n}")).collect();
            if p.tombstones > 0 {
                kinds.push(format!("tombstone {}", p.tombstones));
            }
            if !kinds.is_empty() {
                writeln!(f, "partition {}: {}", p.partition, kinds.join(", "))?;
            }
            for (part, of) in [("keys", &p.key), ("values", &p.value)] {
                interleaved(f, p.partition, part, of)?;
            }
            if p.value.without_schema > 0 {
                writeln!(f, "partition {}: {} without a schema", p.partition, records(p.value.without_schema))?;
            }
        }
        for (column, times) in &report.placeholders {
            let column = plain(column);
            writeln!(
                f,
                "column {column}: not logged by the database in {}, which hold a placeholder",
                records(*times)
            )?;
        }
        for n in &report.nulls {
            let (column, schema) = (plain(&n.column), n.schema);
            writeln!(
                f,
                "column {column}: nullable with a default, NULL in {} of {} with schema {schema}",
                n.nulls,
                records(n.records)
            )?;
        }
        if report.subjects.keys().any(|schema| matches!(schema, SchemaId::Guid(_))) {
            writeln!(f, "schemas named by a GUID: Flink's Avro formats read no record that names its schema so")?;
        }
        for p in report.partitions.iter().filter(|p| p.unreadable > 0) {
            writeln!(f, "partition {}: {} cannot be read", p.partition, records(p.unreadable))?;
            for one in &p.first_unreadable {
                writeln!(f, "  offset {}: {}", one.offset, plain(&one.reason))?;
            }
        }
        for (partition, n) in truncations(report) {
            let truncations = count(usize::try_from(n).unwrap_or(usize::MAX), "truncation");
            writeln!(
                f,
                "partition {partition}: {truncations}: no job reads past it; set skipped.operations to t, which is Debezium's \
                 default"
            )?;
        }
        for p in &report.partitions {
            let Some(first) = p.first_update_without_before else { continue };
            let updates = count(usize::try_from(p.updates_without_before).unwrap_or(usize::MAX), "update");
            writeln!(
                f,
                "partition {}: {updates} without the row before, the first at offset {first}: no job reads past it; set \
                 REPLICA IDENTITY FULL",
                p.partition
            )?;
        }
        Ok(())
    }
}

fn interleaved(f: &mut Formatter<'_>, partition: i32, part: &str, of: &PartReport) -> fmt::Result {
    if of.switches > 0 {
        let switches = if of.switches == 1 { "once".to_owned() } else { format!("{} times", of.switches) };
        writeln!(f, "partition {partition}: the schema of {part} changes {switches}")?;
    }
    for mixed in &of.mixed {
        let schemas: Vec<String> = mixed.schemas.iter().map(ToString::to_string).collect();
        let (from, to, schemas) = (mixed.from, mixed.to, schemas.join(", "));
        writeln!(
            f,
            "partition {partition}: {part} of schemas {schemas} lie between each other at offsets {from} to {to}"
        )?;
    }
    if of.beyond > 0 {
        writeln!(f, "partition {partition}: {} {part} of further schemas", of.beyond)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::RawRecord;
    use crate::validate::audit::{TopicAudit, Version, Writer, Writers};

    const SCHEMA: &str = r#"{"type":"record","name":"Row","fields":[{"name":"__op","type":"string"},
        {"name":"note","type":["string","null"],"default":"none"}]}"#;

    /// A flattened change without a note: what it does, and NULL.
    fn change(id: u8, op: u8) -> Option<Vec<u8>> {
        Some(vec![0, 0, 0, 0, id, 2, op, 2])
    }

    fn shown(values: &[Option<Vec<u8>>]) -> String {
        let writers: Writers =
            [1, 2].map(|id| (SchemaId::Number(id), Writer::new("AVRO", SCHEMA, &[]))).into_iter().collect();
        let mut audit = TopicAudit::default();
        for (offset, value) in (0..).zip(values) {
            let value = value.clone();
            let record = RawRecord { partition: 0, offset, timestamp_ms: None, key: None, value, schema_headers: None };
            audit.fold(&record, &writers);
        }
        let version = Version { subject: "shop.orders-value".to_owned(), version: 1 };
        let subjects = [(SchemaId::Number(1), vec![version])].into_iter().collect();
        Audited(Arc::new(audit.report("shop.orders", &subjects))).to_string()
    }

    #[test]
    fn it_says_where_each_schema_is_and_what_is_wrong() {
        let values =
            [change(1, b'r'), change(2, b'c'), change(1, b'u'), None, change(2, b'u'), Some(b"\x1b[2J".to_vec())];
        let want = "\
shop.orders: 6 records in 1 partition
partition  part   schema  records  snapshot  first  last  subject
0          value  1       2        1         0      2     shop.orders-value version 1
0          value  2       2        0         1      4     not in the registry
partition 0: create 1, update 2, snapshot 1, tombstone 1
partition 0: the schema of values changes 3 times
partition 0: values of schemas 1, 2 lie between each other at offsets 1 to 2
partition 0: 1 record without a schema
column note: nullable with a default, NULL in 2 of 2 records with schema 1
column note: nullable with a default, NULL in 2 of 2 records with schema 2
partition 0: 1 record cannot be read
  offset 5: it names no schema and is no JSON: it was written by something else, or with another format
";
        assert_eq!(shown(&values), want);
    }

    #[test]
    fn a_truncation_is_told_as_what_no_job_reads_past() {
        let told = shown(&[change(1, b'c'), change(1, b't')]);
        assert!(
            told.contains("partition 0: 1 truncation: no job reads past it; set skipped.operations to t"),
            "{told}"
        );
    }

    #[test]
    fn an_empty_topic_has_no_table() {
        assert_eq!(shown(&[]), "shop.orders: 0 records in 0 partitions\n");
    }
}
