//! Rows, and how they are written: Avro behind a schema id, as Flink and Debezium write them.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// NULL.
    Null,
    /// BIGINT.
    Long(i64),
    /// STRING.
    Text(String),
}

/// A row, by column.
pub type Row = BTreeMap<String, Cell>;

/// What a record's value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A row.
    Row(Row),
    /// A change of a row, as Debezium writes it.
    Change {
        /// The row before.
        before: Option<Row>,
        /// The row after.
        after: Option<Row>,
    },
}

impl Body {
    /// The row that counts from now on.
    pub fn row(&self) -> Option<&Row> {
        match self {
            Self::Row(row) => Some(row),
            Self::Change { after, .. } => after.as_ref(),
        }
    }
}

/// A column: name, `long` or `string`, and whether it may be NULL.
pub struct Field<'a>(pub &'a str, pub &'a str, pub bool);

/// The schema of a flat record.
pub fn flat(name: &str, fields: &[Field<'_>]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|Field(name, kind, nullable)| match nullable {
            true => format!(r#"{{"name":"{name}","type":["null","{kind}"],"default":null}}"#),
            false => format!(r#"{{"name":"{name}","type":"{kind}"}}"#),
        })
        .collect();
    format!(r#"{{"type":"record","name":"{name}","fields":[{}]}}"#, fields.join(","))
}

/// The schema of Debezium's envelope around such a row.
pub fn envelope(fields: &[Field<'_>]) -> String {
    let value = flat("Value", fields);
    format!(
        r#"{{"type":"record","name":"Envelope","namespace":"p.a","fields":[
          {{"name":"before","type":["null",{value}],"default":null}},
          {{"name":"after","type":["null","Value"],"default":null}},
          {{"name":"op","type":"string"}}]}}"#
    )
}

/// `body` as it lies in a topic, written with the schema `text` of that id.
pub fn message(id: u32, text: &str, body: &Body) -> Vec<u8> {
    let schema: Json = serde_json::from_str(text).unwrap();
    let mut out = vec![0];
    out.extend(id.to_be_bytes());
    match body {
        Body::Row(row) => record(&schema, row, &mut out),
        Body::Change { before, after } => {
            let value = &schema["fields"][0]["type"][1];
            for side in [before, after] {
                match side {
                    None => long(0, &mut out),
                    Some(row) => {
                        long(1, &mut out);
                        record(value, row, &mut out);
                    }
                }
            }
            let op = match (before, after) {
                (None, _) => "c",
                (Some(_), None) => "d",
                (Some(_), Some(_)) => "u",
            };
            text_of(op, &mut out);
        }
    }
    out
}

fn record(schema: &Json, row: &Row, out: &mut Vec<u8>) {
    for field in schema["fields"].as_array().unwrap() {
        let cell = row.get(field["name"].as_str().unwrap()).unwrap_or(&Cell::Null);
        let nullable = field["type"].is_array();
        match cell {
            Cell::Null => assert!(nullable, "{field} cannot be NULL"),
            Cell::Long(_) | Cell::Text(_) if nullable => long(1, out),
            _ => {}
        }
        match cell {
            Cell::Null => long(0, out),
            Cell::Long(n) => long(*n, out),
            Cell::Text(text) => text_of(text, out),
        }
    }
}

fn text_of(text: &str, out: &mut Vec<u8>) {
    long(i64::try_from(text.len()).unwrap(), out);
    out.extend(text.as_bytes());
}

/// A variable-length integer, zigzag.
fn long(n: i64, out: &mut Vec<u8>) {
    let mut rest = ((n << 1) ^ (n >> 63)) as u64;
    loop {
        let byte = (rest & 0x7f) as u8;
        rest >>= 7;
        if rest == 0 {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

/// The row of a flat record, written with the schema `text`.
pub fn read(text: &str, bytes: &[u8]) -> Row {
    let schema: Json = serde_json::from_str(text).unwrap();
    let mut rest = &bytes[5..];
    let fields = schema["fields"].as_array().unwrap();
    let row = fields.iter().map(|field| {
        let (branches, null) = match field["type"].as_array() {
            Some(branches) => (branches.as_slice(), read_long(&mut rest) == 0),
            None => (std::slice::from_ref(&field["type"]), false),
        };
        let cell = match branches.last().and_then(Json::as_str) {
            _ if null => Cell::Null,
            Some("long") => Cell::Long(read_long(&mut rest)),
            _ => {
                let len = usize::try_from(read_long(&mut rest)).unwrap();
                let (text, after) = rest.split_at(len);
                rest = after;
                Cell::Text(String::from_utf8(text.to_vec()).unwrap())
            }
        };
        (field["name"].as_str().unwrap().to_owned(), cell)
    });
    row.collect()
}

fn read_long(rest: &mut &[u8]) -> i64 {
    let mut value: u64 = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first().unwrap();
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    (value >> 1) as i64 ^ -((value & 1) as i64)
}
