//! The changes in a topic, as the product decodes them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use cyanotype::model::record;
use cyanotype::port::Registry as _;
use cyanotype::validate::RowReader;
use serde_json::{Map, Value};

use super::scene::Scene;
use crate::story::failure::{During as _, Outcome};

/// One change.
pub struct Change {
    /// Debezium's operation.
    pub op: String,
    /// The row before.
    pub before: Option<Map<String, Value>>,
    after: Option<Map<String, Value>>,
}

impl Change {
    /// The row's `id` after the change.
    pub fn id(&self) -> Option<i64> {
        self.after.as_ref()?.get("id")?.as_i64()
    }

    /// Text of a column after the change, if it is there and is text.
    pub fn after(&self, column: &str) -> Option<&str> {
        self.after.as_ref()?.get(column)?.as_str()
    }
}

impl Scene {
    /// Every change in the topic of a table, oldest first.
    pub async fn changes(&self, table: &str) -> Outcome<Vec<Change>> {
        let mut readers = BTreeMap::new();
        let mut changes = Vec::new();
        for bytes in self.kafka.read(&self.topic(table)).await?.into_iter().filter_map(|record| record.value) {
            let id = record::schema_id(&bytes).during("a schema id")?;
            let reader: &RowReader = match readers.entry(id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let schema = self.registry.schema_by_id(id).await.during("a schema")?;
                    new.insert(RowReader::new(id, &schema.text, &schema.references).during("a schema")?)
                }
            };
            let mut envelope = reader.read(&bytes).during("a change")?;
            let mut row = |name: &str| envelope.get_mut(name).and_then(Value::as_object_mut).map(std::mem::take);
            let (before, after) = (row("before"), row("after"));
            let op = envelope.get("op").and_then(Value::as_str).during("an operation")?.to_owned();
            changes.push(Change { op, before, after });
        }
        Ok(changes)
    }
}
