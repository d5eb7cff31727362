//! Records of a topic as rows of text, decoded with the schema that each of them names.
//!
//! Rule: the text of a value is the text that PostgreSQL gives it, so that both sides can be compared as they are.

use std::collections::BTreeMap;

use apache_avro::types::Value;
use apache_avro::{Decimal, Schema};
use num_bigint::{BigInt, Sign};
use reqwest::Client;

use super::database::Row;
use super::failure::{During as _, Failure, Outcome};
use super::http;
use super::kafka::{Kafka, Record};

/// Reads topics as tables.
pub struct Records<'a> {
    kafka: &'a Kafka,
    http: &'a Client,
    registry: &'a str,
    schemas: BTreeMap<u32, Schema>,
}

impl<'a> Records<'a> {
    /// Decodes with the schemas of that registry.
    pub fn new(kafka: &'a Kafka, http: &'a Client, registry: &'a str) -> Self {
        Self { kafka, http, registry, schemas: BTreeMap::new() }
    }

    /// The rows that are live in an upsert topic: the last value of each key, without deleted ones.
    ///
    /// # Errors
    /// The topic cannot be read or decoded, or holds a record without a key.
    pub async fn live(&mut self, topic: &str) -> Outcome<Vec<Row>> {
        let mut last: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
        for Record { key, value } in self.kafka.read(topic).await? {
            last.insert(key.during(format!("the key of a record of {topic}"))?, value);
        }
        let mut rows = Vec::new();
        for value in last.into_values().flatten() {
            rows.push(self.row(topic, &value).await?);
        }
        Ok(rows)
    }

    /// Every record of an append topic.
    ///
    /// # Errors
    /// The topic cannot be read or decoded.
    pub async fn all(&mut self, topic: &str) -> Outcome<Vec<Row>> {
        let mut rows = Vec::new();
        for record in self.kafka.read(topic).await? {
            let value = record.value.during(format!("the value of a record of {topic}"))?;
            rows.push(self.row(topic, &value).await?);
        }
        Ok(rows)
    }

    async fn row(&mut self, topic: &str, bytes: &[u8]) -> Outcome<Row> {
        let (id, mut body) = match bytes {
            [0, a, b, c, d, body @ ..] => (u32::from_be_bytes([*a, *b, *c, *d]), body),
            _ => return Err(Failure::new(format!("a record of {topic} is not in the registry's wire format"))),
        };
        if !self.schemas.contains_key(&id) {
            let answer = http::get(self.http, &format!("{}/schemas/ids/{id}", self.registry)).await?;
            let text = answer["schema"].as_str().unwrap_or_default();
            let schema = Schema::parse_str(text).during(format!("the schema with id {id}"))?;
            self.schemas.insert(id, schema);
        }
        let schema = self.schemas.get(&id).during(format!("the schema with id {id}"))?;
        let value = apache_avro::reader::datum::GenericDatumReader::builder(schema)
            .build()
            .and_then(|reader| reader.read_value(&mut body))
            .during(format!("decoding a record of {topic}"))?;
        let scales = scales(schema);
        let Value::Record(fields) = value else {
            return Err(Failure::new(format!("a record of {topic} holds no record")));
        };
        let cell = |(name, value): (String, Value)| {
            let scale = scales.get(&name).copied().unwrap_or_default();
            text(&value, scale).map(|text| (name.clone(), text)).during(format!("field {name} of {topic}"))
        };
        fields.into_iter().map(cell).collect()
    }
}

/// The scale of each decimal field.
fn scales(schema: &Schema) -> BTreeMap<String, usize> {
    fn scale(schema: &Schema) -> Option<usize> {
        match schema {
            Schema::Decimal(decimal) => Some(decimal.scale),
            Schema::Union(union) => union.variants().iter().find_map(scale),
            _ => None,
        }
    }
    let Schema::Record(record) = schema else { return BTreeMap::new() };
    record.fields.iter().filter_map(|field| Some((field.name.clone(), scale(&field.schema)?))).collect()
}

fn text(value: &Value, scale: usize) -> Outcome<Option<String>> {
    Ok(Some(match value {
        Value::Null => return Ok(None),
        Value::Union(_, inner) => return text(inner, scale),
        Value::Boolean(true) => "t".to_owned(),
        Value::Boolean(false) => "f".to_owned(),
        Value::Int(n) => n.to_string(),
        Value::Long(n) | Value::TimestampMillis(n) | Value::LocalTimestampMillis(n) => n.to_string(),
        Value::String(s) => s.clone(),
        Value::Decimal(d) => decimal(d, scale)?,
        other => return Err(Failure::new(format!("a value that the story does not compare: {other:?}"))),
    }))
}

fn decimal(value: &Decimal, scale: usize) -> Outcome<String> {
    let bytes = <Vec<u8>>::try_from(value).during("a decimal")?;
    let number = BigInt::from_signed_bytes_be(&bytes);
    let digits = format!("{:0>width$}", number.magnitude().to_string(), width = scale + 1);
    let sign = if number.sign() == Sign::Minus { "-" } else { "" };
    let (whole, part) = digits.split_at(digits.len() - scale);
    Ok(if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") })
}
