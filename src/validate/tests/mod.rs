//! Scenarios: two output topics as logs, rounds over them, and the verdict.

mod append;
mod audit;
mod classes;
mod decoding;
mod figures;
mod prints;
mod repair;
mod rows;
mod upsert;

use std::collections::BTreeMap;

use apache_avro::Schema;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;

use super::{Round, Side, TableValidation};
use crate::model::parity::{ChangeRule, Changelog, ColumnClass, RowRule, TableContract};
use crate::model::record::{Offsets, RawRecord};
use crate::model::verdict::{Outcome, TableVerdict};

/// Ids of the schemas that every scene knows.
const KEY: u32 = 1;
const BLUE: u32 = 2;
const GREEN: u32 = 3;
const OTHER_KEY: u32 = 4;

const KEY_SCHEMA: &str = r#"{"type":"record","name":"k","fields":[{"name":"id","type":"long"}]}"#;
/// The same key with a narrower type: other bytes, same key.
const OTHER_KEY_SCHEMA: &str =
    r#"{"type":"record","name":"k2","fields":[{"name":"id","type":["null","int"],"default":null}]}"#;
const ROW_SCHEMA: &str = r#"{"type":"record","name":"v","fields":[
    {"name":"id","type":"long"},{"name":"name","type":["null","string"],"default":null},
    {"name":"total","type":"double"}]}"#;

/// One message: the datum as `apache-avro` writes it, after the schema id.
fn wire(id: u32, schema: &str, fields: &[(&str, Value)]) -> Vec<u8> {
    let schema = Schema::parse_str(schema).expect("schema");
    let record = Value::Record(fields.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect());
    let record = record.resolve(&schema).expect("value fits the schema");
    let mut out = [&[0u8][..], &id.to_be_bytes()[..]].concat();
    out.extend(
        GenericDatumWriter::builder(&schema).build().expect("writer").write_value_to_vec(record).expect("datum"),
    );
    out
}

fn contract(changelog: Changelog, columns: &[(&str, ColumnClass)]) -> TableContract {
    TableContract {
        table: "orders".to_owned(),
        blue_topic: Some("orders_v1".to_owned()),
        green_topic: "orders_v2".to_owned(),
        changelog,
        key: vec!["id".to_owned()],
        columns: columns.iter().map(|(n, c)| ((*n).to_owned(), c.clone())).collect(),
        rows: RowRule::Same,
    }
}

fn exact(changelog: Changelog) -> TableContract {
    let names = ["id", "name", "total"];
    contract(changelog, &names.map(|n| (n, ColumnClass::Exact)))
}

/// A row of the usual table.
fn row(id: i64, name: &str, total: f64) -> Vec<(&'static str, Value)> {
    vec![("id", id.into()), ("name", Value::String(name.to_owned())), ("total", total.into())]
}

struct Scene {
    table: TableValidation,
    schemas: BTreeMap<u32, String>,
    logs: BTreeMap<Side, Vec<RawRecord>>,
    marks: [Offsets; 2],
}

impl Scene {
    fn new(contract: TableContract) -> Self {
        Self::with_schemas(contract, ROW_SCHEMA, ROW_SCHEMA)
    }

    fn upsert() -> Self {
        Self::new(exact(Changelog::Upsert))
    }

    fn append() -> Self {
        let mut contract = exact(Changelog::Append);
        contract.key.clear();
        Self::new(contract)
    }

    fn with_schemas(contract: TableContract, blue: &str, green: &str) -> Self {
        let schemas = [(KEY, KEY_SCHEMA), (BLUE, blue), (GREEN, green), (OTHER_KEY, OTHER_KEY_SCHEMA)];
        Self {
            table: TableValidation::new(contract),
            schemas: schemas.into_iter().map(|(id, text)| (id, text.to_owned())).collect(),
            logs: BTreeMap::new(),
            marks: [Offsets::new(), Offsets::new()],
        }
    }

    fn ends(&self, side: Side) -> Offsets {
        let mut ends = Offsets::new();
        for record in self.logs.get(&side).into_iter().flatten() {
            ends.insert(record.partition, record.offset + 1);
        }
        ends
    }

    /// Appends a record to a topic.
    fn write(&mut self, side: Side, partition: i32, key: Option<Vec<u8>>, value: Option<Vec<u8>>) {
        let offset = self.ends(side).get(&partition).copied().unwrap_or(0);
        let record = RawRecord { partition, offset, timestamp_ms: None, key, value, schema_headers: None };
        self.logs.entry(side).or_default().push(record);
    }

    fn value(&self, side: Side, fields: &[(&str, Value)]) -> Vec<u8> {
        let id = if side == Side::Blue { BLUE } else { GREEN };
        wire(id, self.schemas.get(&id).expect("schema"), fields)
    }

    fn key(id: i64) -> Option<Vec<u8>> {
        Some(wire(KEY, KEY_SCHEMA, &[("id", id.into())]))
    }

    /// Upserts a row under its id, in the partition that the id hashes to.
    fn put(&mut self, side: Side, fields: &[(&str, Value)]) {
        let Some((_, Value::Long(id))) = fields.iter().find(|(n, _)| *n == "id") else { panic!("no id") };
        let value = self.value(side, fields);
        self.write(side, i32::from(id % 2 == 1), Self::key(*id), Some(value));
    }

    fn both(&mut self, fields: &[(&str, Value)]) {
        self.put(Side::Blue, fields);
        self.put(Side::Green, fields);
    }

    fn delete(&mut self, side: Side, id: i64) {
        self.write(side, i32::from(id % 2 == 1), Self::key(id), None);
    }

    /// Takes the marks L. What is written from here on may be an effect of input after the cut.
    fn mark(&mut self) {
        self.marks = [self.ends(Side::Blue), self.ends(Side::Green)];
    }

    /// Reads both topics to their ends as one round.
    fn read(&mut self) -> Round {
        let [blue, green] = &self.marks;
        self.table.begin_round(blue, green);
        for (side, log) in &self.logs {
            for record in log {
                feed(&mut self.table, &self.schemas, *side, record);
            }
        }
        self.table.end_round()
    }

    /// A round while nothing is written.
    fn round(&mut self) -> Round {
        self.mark();
        self.read()
    }

    fn verdict(&self) -> TableVerdict {
        self.table.verdict()
    }
}

fn feed(table: &mut TableValidation, schemas: &BTreeMap<u32, String>, side: Side, record: &RawRecord) {
    loop {
        let missing = table.missing_schemas(record);
        if missing.is_empty() {
            break;
        }
        for id in missing {
            table.add_schema(id, schemas.get(&id).expect("a known schema"), &[]).expect("a usable schema");
        }
    }
    table.feed(side, record).expect("a readable record");
}

#[track_caller]
fn assert_outcome(verdict: &TableVerdict, outcome: Outcome, reason: &str) {
    assert_eq!(verdict.outcome, outcome, "{verdict:#?}");
    assert!(verdict.reason.contains(reason), "`{}` does not say `{reason}`", verdict.reason);
}
