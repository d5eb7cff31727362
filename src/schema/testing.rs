//! Builds schemas of the form that Debezium writes, for tests.

use serde_json::{Value, json};

use super::avro::AvroSchema;
use super::parse::parse;

pub(super) fn avro(schema: Value) -> AvroSchema {
    parse(&schema.to_string(), &[]).expect("a schema")
}

/// A record `Value` with these fields.
pub(super) fn record(fields: Value) -> AvroSchema {
    avro(json!({"type": "record", "name": "Value", "namespace": "shop", "fields": fields}))
}

pub(super) fn decimal(precision: u32, scale: u32) -> Value {
    json!({"type": "bytes", "scale": scale, "precision": precision, "connect.version": 1,
        "connect.parameters": {"scale": scale.to_string(), "connect.decimal.precision": precision.to_string()},
        "connect.name": "org.apache.kafka.connect.data.Decimal", "logicalType": "decimal"})
}

/// A type with a `connect.name`, as the adaptive time modes write it.
pub(super) fn named(base: &str, connect_name: &str) -> Value {
    json!({"type": base, "connect.version": 1, "connect.name": connect_name})
}

pub(super) fn smallint() -> Value {
    json!({"type": "int", "connect.type": "int16"})
}

#[derive(Clone)]
pub(super) struct Table {
    namespace: String,
    columns: Vec<(String, Value)>,
    key: Vec<String>,
    source_more: Vec<Value>,
}

/// `orders` with a column of each kind that the tests change.
pub(super) fn orders() -> Table {
    let table = Table {
        namespace: "shop.public.orders".into(),
        columns: Vec::new(),
        key: vec!["id".into()],
        source_more: Vec::new(),
    };
    table
        .required("id", json!("int"))
        .required("qty", json!("int"))
        .nullable("customer", json!("string"))
        .nullable("price", decimal(10, 2))
        .nullable("created", named("long", "io.debezium.time.Timestamp"))
        .nullable("due", named("int", "io.debezium.time.Date"))
        .required("weight", json!("double"))
        .nullable("size", smallint())
        .required("status", json!("string"))
}

impl Table {
    pub(super) fn required(self, name: &str, ty: Value) -> Self {
        self.put(name, json!({"name": name, "type": ty}))
    }

    pub(super) fn required_default(self, name: &str, ty: Value, default: Value) -> Self {
        self.put(name, json!({"name": name, "type": ty, "default": default}))
    }

    pub(super) fn nullable(self, name: &str, ty: Value) -> Self {
        self.put(name, json!({"name": name, "type": ["null", ty], "default": null}))
    }

    pub(super) fn nullable_default(self, name: &str, ty: Value, default: Value) -> Self {
        self.put(name, json!({"name": name, "type": [ty, "null"], "default": default}))
    }

    /// Adds the column, or replaces it where it stands.
    fn put(mut self, name: &str, field: Value) -> Self {
        match self.columns.iter_mut().find(|(n, _)| n == name) {
            Some(column) => column.1 = field,
            None => self.columns.push((name.to_owned(), field)),
        }
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.columns.retain(|(n, _)| n != name);
        self
    }

    /// As ALTER TABLE does it: the column stays where it is.
    pub(super) fn rename(mut self, from: &str, to: &str) -> Self {
        for (name, field) in self.columns.iter_mut().filter(|(n, _)| n == from) {
            *name = to.to_owned();
            field["name"] = json!(to);
        }
        for key in self.key.iter_mut().filter(|k| *k == from) {
            *key = to.to_owned();
        }
        self
    }

    pub(super) fn move_to_front(mut self, name: &str) -> Self {
        self.columns.sort_by_key(|(n, _)| n != name);
        self
    }

    pub(super) fn doc(mut self, name: &str, doc: &str) -> Self {
        for (_, field) in self.columns.iter_mut().filter(|(n, _)| n == name) {
            field["doc"] = json!(doc);
        }
        self
    }

    pub(super) fn namespace(mut self, namespace: &str) -> Self {
        self.namespace = namespace.into();
        self
    }

    pub(super) fn keyed_by(mut self, key: &[&str]) -> Self {
        self.key = key.iter().map(|k| (*k).to_owned()).collect();
        self
    }

    pub(super) fn source_field(mut self, name: &str) -> Self {
        self.source_more.push(json!({"name": name, "type": ["null", "string"], "default": null}));
        self
    }

    fn row(&self) -> Value {
        let fields: Vec<&Value> = self.columns.iter().map(|(_, f)| f).collect();
        json!({"type": "record", "name": "Value", "fields": fields, "connect.name": format!("{}.Value", self.namespace)})
    }

    /// The value schema, `before` holding the row's definition and `after` its name.
    pub(super) fn envelope(&self) -> AvroSchema {
        avro(self.envelope_json(["before", "after"]))
    }

    /// The same with `after` first, and so the definition there.
    pub(super) fn envelope_after_first(&self) -> AvroSchema {
        avro(self.envelope_json(["after", "before"]))
    }

    pub(super) fn envelope_json(&self, [first, second]: [&str; 2]) -> Value {
        let null_or = |name: &str, ty: Value| json!({"name": name, "type": ["null", ty], "default": null});
        let plain = |name: &str, ty: &str| json!({"name": name, "type": ty});
        let mut source = vec![
            plain("version", "string"),
            plain("connector", "string"),
            plain("ts_ms", "long"),
            json!({"name": "snapshot", "default": "false", "type": [
                {"type": "string", "connect.name": "io.debezium.data.Enum", "connect.default": "false"}, "null"]}),
            plain("db", "string"),
            null_or("lsn", json!("long")),
        ];
        source.extend(self.source_more.iter().cloned());
        let block = json!({"type": "record", "name": "block", "namespace": "event", "fields": [
            plain("id", "string"), plain("total_order", "long"), plain("data_collection_order", "long")]});
        json!({"type": "record", "name": "Envelope", "namespace": self.namespace,
        "connect.name": format!("{}.Envelope", self.namespace), "fields": [
            null_or(first, self.row()),
            null_or(second, json!("Value")),
            {"name": "source", "type": {"type": "record", "name": "Source",
                "namespace": "io.debezium.connector.postgresql", "fields": source}},
            null_or("transaction", block),
            plain("op", "string"),
            null_or("ts_ms", json!("long")),
            null_or("ts_us", json!("long")),
        ]})
    }

    /// What the unwrap transform leaves: the row alone.
    pub(super) fn flat(&self) -> AvroSchema {
        let mut row = self.row();
        row["namespace"] = json!(self.namespace);
        avro(row)
    }

    pub(super) fn key(&self) -> AvroSchema {
        let fields: Vec<&Value> = self.columns.iter().filter(|(n, _)| self.key.contains(n)).map(|(_, f)| f).collect();
        avro(json!({"type": "record", "name": "Key", "namespace": self.namespace, "fields": fields}))
    }
}
