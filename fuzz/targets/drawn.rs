//! Schemas drawn from bytes: each byte decides one thing, and where none is left, the simplest comes.

use serde_json::{Value, json};

/// The bytes that decide.
pub struct Draw<'a>(std::slice::Iter<'a, u8>);

impl<'a> Draw<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.iter())
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0.next().map_or(0, |byte| usize::from(*byte) % end.max(1))
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        self.0.as_slice()
    }

    fn one_of(&mut self, words: &[&str]) -> String {
        words.get(self.below(words.len())).map(|word| (*word).to_owned()).unwrap_or_default()
    }

    /// Few names, so that they meet.
    fn name(&mut self) -> String {
        self.one_of(&["A", "B", "C", "n.A", "n.B", "Value", "Envelope", "Key", "2", "int"])
    }

    fn field_name(&mut self) -> String {
        self.one_of(&["a", "b", "c", "before", "after", "op", "source", "id", "a", ""])
    }

    fn default(&mut self, depth: usize) -> Value {
        match self.below(12) {
            0 => json!(null),
            1 => json!(true),
            2 => json!(i64::from(i32::MAX) + 1),
            3 => json!(-1),
            4 => json!(0.5),
            5 => json!("A"),
            6 => json!("NaN"),
            7 if depth < 4 => json!([self.default(depth + 1)]),
            8 if depth < 4 => {
                json!({self.field_name(): self.default(depth + 1), self.field_name(): self.default(depth + 1)})
            }
            9 => json!({}),
            _ => json!(0),
        }
    }

    /// A type, or what is nearly one.
    pub fn ty(&mut self, depth: usize) -> Value {
        let deep = depth > 5;
        match self.below(24) {
            0..=7 => {
                let words = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
                json!(self.one_of(&words))
            }
            8 => {
                json!({"type": "bytes", "logicalType": "decimal", "precision": self.below(45), "scale": self.below(12)})
            }
            9 => {
                let logical = [
                    "date",
                    "time-millis",
                    "time-micros",
                    "timestamp-millis",
                    "timestamp-micros",
                    "timestamp-nanos",
                    "local-timestamp-micros",
                    "uuid",
                    "big-decimal",
                    "duration",
                ];
                let base = ["int", "long", "string", "bytes"];
                json!({"type": self.one_of(&base), "logicalType": self.one_of(&logical)})
            }
            10 => {
                let names =
                    ["io.debezium.time.MicroTimestamp", "io.debezium.time.Date", "io.debezium.time.ZonedTimestamp"];
                let base = ["int", "long", "string"];
                json!({"type": self.one_of(&base), "connect.name": self.one_of(&names)})
            }
            11 => json!({"type": "fixed", "name": self.name(), "size": self.below(20)}),
            12 => {
                let symbols: Vec<String> = (0..self.below(4)).map(|_| self.one_of(&["A", "B", "C", "1"])).collect();
                let mut ty = json!({"type": "enum", "name": self.name(), "symbols": symbols});
                if self.below(3) == 1 {
                    ty["default"] = self.default(4);
                }
                ty
            }
            13 | 14 => json!(self.name()),
            _ if deep => json!("long"),
            15 => json!({"type": "array", "items": self.ty(depth + 1)}),
            16 => json!({"type": "map", "values": self.ty(depth + 1)}),
            17 => json!(["null", self.ty(depth + 1)]),
            18 => json!((0..self.below(5)).map(|_| self.ty(depth + 1)).collect::<Vec<_>>()),
            19 => json!({"type": self.ty(depth + 1)}),
            _ => self.record(depth),
        }
    }

    fn record(&mut self, depth: usize) -> Value {
        let name = self.name();
        let fields: Vec<Value> = (0..self.below(7)).map(|_| self.field(depth)).collect();
        let mut record = json!({"type": "record", "name": name, "fields": fields});
        match self.below(6) {
            1 => record["namespace"] = json!(self.one_of(&["n", "m.n", ""])),
            2 => record["aliases"] = json!([self.name()]),
            _ => {}
        }
        record
    }

    fn field(&mut self, depth: usize) -> Value {
        let mut field = json!({"name": self.field_name(), "type": self.ty(depth + 1)});
        match self.below(6) {
            1 | 2 => field["default"] = self.default(0),
            3 => field["aliases"] = json!([self.field_name(), self.field_name()]),
            4 => field["doc"] = json!("said"),
            _ => {}
        }
        field
    }

    /// A record, as the records of tables are.
    pub fn table(&mut self) -> Value {
        let fields: Vec<Value> =
            (0..=self.below(6)).map(|i| json!({"name": format!("c{i}"), "type": self.ty(1)})).collect();
        json!({"type": "record", "name": "shop.Row", "fields": fields})
    }

    /// The schema with some of its parts drawn anew.
    #[allow(dead_code, reason = "one of the targets draws one schema only")]
    pub fn changed(&mut self, schema: &Value) -> Value {
        match schema {
            Value::Object(own) => {
                let changed = own.iter().map(|(key, value)| {
                    let value = match (key.as_str(), self.below(8)) {
                        ("type", 1) if !value.is_string() || !own.contains_key("fields") => self.ty(4),
                        ("default", 1) => self.default(0),
                        ("size", 1) => json!(self.below(9)),
                        ("name", 1) if own.contains_key("fields") => json!(self.name()),
                        ("name", 1) => json!(self.field_name()),
                        _ => self.changed(value),
                    };
                    (key.clone(), value)
                });
                Value::Object(changed.collect())
            }
            Value::Array(items) => {
                let mut items: Vec<Value> = items.iter().map(|item| self.changed(item)).collect();
                match self.below(8) {
                    1 if !items.is_empty() => drop(items.remove(self.below(items.len()))),
                    2 => items.reverse(),
                    3 if !items.is_empty() => items.push(items[0].clone()),
                    _ => {}
                }
                json!(items)
            }
            other => other.clone(),
        }
    }
}
