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

/// The same columns by another writer: in another order, with another unit, scale and width.
pub const OTHER_VALUE: &str = r#"{"type":"record","name":"other","fields":[
    {"name":"is_gift","type":["null","boolean"],"default":null},
    {"name":"quantity","type":["null","long"],"default":null},
    {"name":"amount","type":["null",{"type":"bytes","logicalType":"decimal","precision":12,"scale":4}],"default":null},
    {"name":"note","type":["null","string"],"default":null},
    {"name":"ordered_at","type":["null",{"type":"long","logicalType":"timestamp-micros"}],"default":null},
    {"name":"status","type":["null","string"],"default":null},
    {"name":"customer_id","type":["null","long"],"default":null},
    {"name":"order_id","type":"long"}]}"#;
/// Id of the other writer's schema.
pub const OTHER_VALUE_ID: u32 = 9;

/// Length of the values of [`padded`] by the first writer, with the schema id.
pub const PADDED: usize = 128;

/// One record for each of `count` keys, whose note is so long that each value has [`PADDED`] bytes as [`VALUE`] writes it; and
/// the same rows as [`OTHER_VALUE`] writes them.
pub fn padded(count: i64, partitions: i32) -> Result<[Vec<RawRecord>; 2], String> {
    let (one, others) = (schema(VALUE)?, schema(OTHER_VALUE)?);
    let one = GenericDatumWriter::builder(&one).build().map_err(|e| e.to_string())?;
    let other = GenericDatumWriter::builder(&others).build().map_err(|e| e.to_string())?;
    let mut blue = orders(count, partitions)?;
    let mut green = blue.clone();
    for (id, (blue, green)) in (0..).zip(blue.iter_mut().zip(&mut green)) {
        let Value::Record(fields) = row(id) else { return Err("no row".to_owned()) };
        let text = |length: usize| Value::Union(1, Box::new(Value::String("x".repeat(length))));
        let with = |note: Value| {
            let note =
                |(name, value): (String, Value)| if name == "note" { (name, note.clone()) } else { (name, value) };
            fields.clone().into_iter().map(note).collect::<Vec<_>>()
        };
        let datum = |fields| one.write_value_to_vec(Value::Record(fields)).map_err(|e| e.to_string());
        let left = (PADDED - 5).saturating_sub(datum(with(text(0)))?.len());
        // The length of 64 characters and more takes another byte.
        let fields = with(text(if left > 64 { left - 1 } else { left }));
        blue.value = Some([&[0][..], &VALUE_ID.to_be_bytes(), &datum(fields.clone())?].concat());
        let rewritten = Value::Record(fields.into_iter().rev().map(|(n, v)| (n, rewritten(v))).collect());
        let datum = other.write_value_to_vec(rewritten).map_err(|e| e.to_string())?;
        green.value = Some([&[0][..], &OTHER_VALUE_ID.to_be_bytes(), &datum].concat());
    }
    Ok([blue, green])
}

/// The same value in the other writer's type.
fn rewritten(value: Value) -> Value {
    match value {
        Value::Union(i, inner) => Value::Union(i, Box::new(rewritten(*inner))),
        Value::Int(v) => Value::Long(v.into()),
        Value::TimestampMillis(v) => Value::TimestampMicros(v * 1000),
        Value::Decimal(v) => {
            let bytes = Vec::<u8>::try_from(v).unwrap_or_default();
            let cents = bytes.iter().fold(0i64, |v, byte| v << 8 | i64::from(*byte)) as i32;
            Value::Decimal((i64::from(cents) * 100).to_be_bytes().into())
        }
        other => other,
    }
}

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
