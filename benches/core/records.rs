//! Records as a job writes them for a table of eight columns: keys and values in the registry's wire format.

use apache_avro::Schema;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use cyanotype::model::record::RawRecord;

/// Id of the key's schema.
pub const KEY_ID: u32 = 7;
/// Id of the value's schema.
pub const VALUE_ID: u32 = 8;
/// Columns of the table.
pub const COLUMNS: [&str; 8] =
    ["order_id", "customer_id", "status", "ordered_at", "note", "amount", "quantity", "is_gift"];

/// The key's schema.
pub const KEY: &str = r#"{"type":"record","name":"key","fields":[{"name":"order_id","type":"long"}]}"#;
/// The value's schema: every column may be NULL but the key, as in tables that Debezium's changes end up in.
pub const VALUE: &str = r#"{"type":"record","name":"value","fields":[
    {"name":"order_id","type":"long"},
    {"name":"customer_id","type":["null","long"],"default":null},
    {"name":"status","type":["null","string"],"default":null},
    {"name":"ordered_at","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"default":null},
    {"name":"note","type":["null","string"],"default":null},
    {"name":"amount","type":["null",{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}],"default":null},
    {"name":"quantity","type":["null","int"],"default":null},
    {"name":"is_gift","type":["null","boolean"],"default":null}]}"#;

/// One record for each of `count` keys, in `partitions` partitions; every second record is shorter by a NULL.
pub fn orders(count: i64, partitions: i32) -> Result<Vec<RawRecord>, String> {
    let (key, value) = (schema(KEY)?, schema(VALUE)?);
    let key = GenericDatumWriter::builder(&key).build().map_err(|e| e.to_string())?;
    let value = GenericDatumWriter::builder(&value).build().map_err(|e| e.to_string())?;
    let mut next = vec![0i64; usize::try_from(partitions).unwrap_or(0)];
    let mut records = Vec::new();
    for id in 0..count {
        let partition = scrambled(id) % next.len() as u64;
        let Some(offset) = next.get_mut(partition as usize) else { return Err("no partition".to_owned()) };
        let datum = |writer: &GenericDatumWriter<'_>, id: u32, value: Value| {
            let datum = writer.write_value_to_vec(value).map_err(|e| e.to_string())?;
            Ok::<_, String>([&[0][..], &id.to_be_bytes(), &datum].concat())
        };
        let key = datum(&key, KEY_ID, Value::Record(vec![("order_id".to_owned(), Value::Long(id))]))?;
        let value = datum(&value, VALUE_ID, row(id))?;
        records.push(RawRecord {
            partition: partition as i32,
            offset: *offset,
            timestamp_ms: None,
            key: Some(key),
            value: Some(value),
            schema_headers: None,
        });
        *offset += 1;
    }
    Ok(records)
}

/// A schema as apache-avro reads it.
pub fn schema(text: &str) -> Result<Schema, String> {
    Schema::parse_str(text).map_err(|e| e.to_string())
}

/// The row of a key.
fn row(id: i64) -> Value {
    let random = scrambled(id);
    let some = |value: Value| Value::Union(1, Box::new(value));
    let status = ["placed", "paid", "shipped", "delivered", "returned"].get((random % 5) as usize).unwrap_or(&"paid");
    let note = match random % 2 {
        0 => Value::Union(0, Box::new(Value::Null)),
        _ => some(Value::String(format!("leave it at door {} of the house behind the mill", random % 997))),
    };
    let cents = (random % 5_000_000) as i32 - 10_000;
    let values = [
        Value::Long(id),
        some(Value::Long((random % 50_000) as i64)),
        some(Value::String((*status).to_owned())),
        some(Value::TimestampMillis(1_700_000_000_000 + id * 1_013)),
        note,
        some(Value::Decimal(cents.to_be_bytes().into())),
        some(Value::Int((random % 12) as i32)),
        some(Value::Boolean(random.is_multiple_of(10))),
    ];
    Value::Record(COLUMNS.iter().map(|name| (*name).to_owned()).zip(values).collect())
}

/// A number that looks drawn and is the same each time.
fn scrambled(id: i64) -> u64 {
    xxhash_rust::xxh3::xxh3_64(&id.to_be_bytes())
}
