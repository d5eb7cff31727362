//! Records: from bytes in the wire format to canonical fields.
//!
//! Rules:
//! - A message is a zero byte, a schema id in four bytes, then one Avro datum that fills the rest exactly. Too short is
//!   [`Fault::Truncated`], too long is [`Fault::LeftOver`]; neither is ever taken for NULL.
//! - Values are written canonically (see `canon`) as they are read; there is no tree in between. `apache-avro` parses
//!   the schemas, but its datum reader is not used: it reads a truncated text, boolean or union as NULL.
//! - Reading is bounded by the length of the message and by [`MAX_ROW`]; hostile lengths and counts end in an error.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value as Json;
use thiserror::Error;

use super::canon;
use super::schema::{SchemaError, Shape};
use super::show;
use crate::model::record::schema_id;

/// Longest canonical row in bytes: Kafka's records are far shorter.
pub(super) const MAX_ROW: usize = 64 << 20;

/// Bytes that a value counts for which took none of the message, such as a NULL in a list: a few bytes can stand for any
/// number of them.
const OUT_OF_NOTHING: usize = 64;

/// A record that could not be read. The validation goes on without it and then cannot pass.
#[derive(Debug, Error)]
#[error("record {offset} in partition {partition} of topic `{topic}` cannot be read")]
pub struct DecodeError {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Why.
    #[source]
    pub fault: Fault,
}

/// Why a record could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// An upsert topic must have keys.
    #[error("it has no key, but the table is an upsert table")]
    NoKey,
    /// An append topic must have values.
    #[error("it has no value, but the table is an append table")]
    NoValue,
    /// Key or value is something else than Avro with a schema id.
    #[error("the {0} does not start with a schema id: it was written by something else, or with another format")]
    Foreign(&'static str),
    /// The schema was never given.
    #[error("schema {0} is not known; fetch it from the registry")]
    UnknownSchema(u32),
    /// The bytes end inside a value.
    #[error("it is truncated")]
    Truncated,
    /// Bytes follow the datum.
    #[error("{0} bytes are left over: it was written with another schema")]
    LeftOver(usize),
    /// A value that its schema does not allow.
    #[error("{0}")]
    BadValue(&'static str),
    /// The datum is not a record with fields.
    #[error("schema {0} is not a record")]
    NotARow(u32),
    /// The key has other fields than the table's primary key.
    #[error("the key has the fields {found}, but the primary key is {wanted}")]
    OtherKey {
        /// Fields of the key.
        found: String,
        /// Columns of the primary key.
        wanted: String,
    },
    /// The contract has no topic on this side.
    #[error("the table has no topic on this side")]
    NoTopic,
}

/// Reads one Avro datum.
pub(super) struct Cursor<'a> {
    /// What is still to be read.
    rest: &'a [u8],
    /// What it has unfolded to so far: bytes, and one for each value.
    made: usize,
}

impl<'a> Cursor<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, made: 0 }
    }

    /// Few bytes may stand for many values, in many lists at once: all of them together are bounded.
    fn makes(&mut self, bytes: usize) -> Result<(), Fault> {
        self.made += 1 + bytes;
        bounded(self.made)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or(Fault::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(Fault::Truncated)?;
        self.rest = rest;
        Ok(*head)
    }

    fn long(&mut self) -> Result<i64, Fault> {
        let mut value: u64 = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.chunk::<1>()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        Err(Fault::BadValue("an integer has more than ten bytes"))
    }

    fn int(&mut self) -> Result<i64, Fault> {
        let value = self.long()?;
        i32::try_from(value).map(i64::from).map_err(|_| Fault::BadValue("an int does not fit four bytes"))
    }

    fn sized(&mut self) -> Result<&'a [u8], Fault> {
        let len = usize::try_from(self.long()?).map_err(|_| Fault::BadValue("a length is negative"))?;
        self.take(len)
    }

    fn text(&mut self) -> Result<&'a str, Fault> {
        std::str::from_utf8(self.sized()?).map_err(|_| Fault::BadValue("a text is not UTF-8"))
    }

    /// Items of the next block of an array or map; 0 at the end.
    fn block(&mut self) -> Result<u64, Fault> {
        let count = self.long()?;
        if count < 0 {
            self.long()?; // its length in bytes, for readers that skip
        }
        Ok(count.unsigned_abs())
    }

    fn value(&mut self, shape: &Shape, out: &mut Vec<u8>) -> Result<(), Fault> {
        let (before, unread) = (out.len(), self.rest.len());
        match shape {
            Shape::Null => canon::null(out),
            Shape::Boolean => match self.chunk::<1>()? {
                [0] => canon::boolean(out, false),
                [1] => canon::boolean(out, true),
                _ => return Err(Fault::BadValue("a boolean is neither 0 nor 1")),
            },
            Shape::Int => canon::int(out, self.int()?),
            Shape::Long => canon::int(out, self.long()?),
            Shape::Float => canon::float(out, f64::from(f32::from_le_bytes(self.chunk()?))),
            Shape::Double => canon::float(out, f64::from_le_bytes(self.chunk()?)),
            Shape::Bytes => canon::bytes(out, self.sized()?),
            Shape::String => canon::text(out, self.text()?),
            Shape::Fixed(size) => canon::bytes(out, self.take(*size)?),
            Shape::Enum(symbols) => {
                let symbol = usize::try_from(self.int()?).ok().and_then(|i| symbols.get(i));
                canon::text(out, symbol.ok_or(Fault::BadValue("an enum has no such symbol"))?);
            }
            Shape::Decimal(scale, size) => {
                let unscaled = match size {
                    Some(size) => self.take(*size)?,
                    None => self.sized()?,
                };
                decimal(out, unscaled, *scale)?;
            }
            Shape::BigDecimal => {
                let mut inner = Cursor::new(self.sized()?);
                let (unscaled, scale) = (inner.sized()?, inner.long()?);
                decimal(out, unscaled, scale)?;
            }
            Shape::Uuid(size) => {
                let bytes = match size {
                    Some(size) => self.take(*size)?,
                    None => self.sized()?,
                };
                canon::text(out, &uuid(bytes)?);
            }
            Shape::Date => canon::date(out, self.int()?),
            Shape::TimeMillis => canon::time(out, i128::from(self.int()?) * 1_000_000),
            Shape::TimeMicros => canon::time(out, i128::from(self.long()?) * 1_000),
            Shape::Instant(unit) => canon::instant(out, i128::from(self.long()?) * unit),
            Shape::Local(unit) => canon::local(out, i128::from(self.long()?) * unit),
            Shape::Union(variants) => {
                let variant = usize::try_from(self.long()?).ok().and_then(|i| variants.get(i));
                self.value(variant.ok_or(Fault::BadValue("a union has no such variant"))?, out)?;
            }
            Shape::Array(item) => {
                let (mut items, mut total) = (Vec::new(), 0u32);
                loop {
                    let count = self.block()?;
                    if count == 0 {
                        break;
                    }
                    for _ in 0..count {
                        self.value(item, &mut items)?;
                        total += 1;
                    }
                }
                canon::array(out, total, &items);
            }
            Shape::Map(item) => {
                let mut entries = BTreeMap::new();
                loop {
                    let count = self.block()?;
                    if count == 0 {
                        break;
                    }
                    for _ in 0..count {
                        let (mut key, mut value) = (Vec::new(), Vec::new());
                        canon::text(&mut key, self.text()?);
                        self.makes(key.len())?;
                        self.value(item, &mut value)?;
                        entries.insert(key, value);
                    }
                }
                canon::map(out, &entries);
            }
            Shape::Record(fields) => {
                let mut entries = BTreeMap::new();
                for (name, shape) in fields {
                    let (mut key, mut value) = (Vec::new(), Vec::new());
                    canon::text(&mut key, name);
                    self.makes(key.len())?;
                    self.value(shape, &mut value)?;
                    entries.insert(key, value);
                }
                canon::record(out, &entries);
            }
        }
        match shape {
            // Their parts are counted already.
            Shape::Union(_) | Shape::Array(_) | Shape::Map(_) | Shape::Record(_) => self.makes(0)?,
            _ => self.makes(out.len() - before)?,
        }
        if self.rest.len() == unread {
            self.makes(OUT_OF_NOTHING)?;
        }
        bounded(out.len())
    }
}

fn bounded(len: usize) -> Result<(), Fault> {
    if len > MAX_ROW { Err(Fault::BadValue("it unfolds to more than 64 MiB")) } else { Ok(()) }
}

fn decimal(out: &mut Vec<u8>, unscaled: &[u8], scale: i64) -> Result<(), Fault> {
    if canon::decimal(out, unscaled, scale) { Ok(()) } else { Err(Fault::BadValue("a decimal is absurdly long")) }
}

fn uuid(bytes: &[u8]) -> Result<String, Fault> {
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let part = |range: Range<usize>| hex.get(range).ok_or(Fault::BadValue("a UUID does not have 16 bytes"));
    if bytes.len() != 16 {
        return Err(Fault::BadValue("a UUID does not have 16 bytes"));
    }
    Ok([part(0..8)?, part(8..12)?, part(12..16)?, part(16..20)?, part(20..32)?].join("-"))
}

/// Fields of one datum: canonical values, one after the other, in the order of the schema.
#[derive(Default)]
pub(super) struct Fields {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Fields {
    /// Value of field number `i`.
    pub(super) fn get(&self, i: usize) -> Option<&[u8]> {
        let start = if i == 0 { 0 } else { *self.ends.get(i - 1)? };
        self.bytes.get(start..*self.ends.get(i)?)
    }

    /// Reads a message without its first five bytes. A datum that is no record is one field.
    pub(super) fn read(&mut self, shape: &Shape, datum: &[u8], id: u32) -> Result<(), Fault> {
        self.bytes.clear();
        self.ends.clear();
        let mut cursor = Cursor::new(datum);
        let mut shape = shape;
        if let Shape::Union(variants) = shape {
            let index = usize::try_from(cursor.long()?).ok();
            shape = index.and_then(|i| variants.get(i)).ok_or(Fault::BadValue("a union has no such variant"))?;
            let record = variants.iter().position(|v| matches!(v, Shape::Record(_)));
            if matches!(shape, Shape::Null) || (record.is_some() && record != index) {
                return Err(Fault::NotARow(id));
            }
        }
        if let Shape::Record(fields) = shape {
            for (_, field) in fields {
                cursor.value(field, &mut self.bytes)?;
                self.ends.push(self.bytes.len());
            }
        } else {
            cursor.value(shape, &mut self.bytes)?;
            self.ends.push(self.bytes.len());
        }
        if cursor.rest.is_empty() { Ok(()) } else { Err(Fault::LeftOver(cursor.rest.len())) }
    }
}

/// Where each field of a record's datum lies in it.
pub(super) fn field_ranges(fields: &[(String, Shape)], datum: &[u8]) -> Result<Vec<Range<usize>>, Fault> {
    let (mut cursor, mut value) = (Cursor::new(datum), Vec::new());
    let mut ranges = Vec::with_capacity(fields.len());
    for (_, field) in fields {
        let start = datum.len() - cursor.rest.len();
        value.clear();
        cursor.value(field, &mut value)?;
        ranges.push(start..datum.len() - cursor.rest.len());
    }
    if cursor.rest.is_empty() { Ok(ranges) } else { Err(Fault::LeftOver(cursor.rest.len())) }
}

/// The schema id of a message and its datum.
pub(super) fn message<'a>(bytes: &'a [u8], part: &'static str) -> Result<(u32, &'a [u8]), Fault> {
    if bytes.first() == Some(&0) && bytes.len() < 5 {
        return Err(Fault::Truncated);
    }
    match (schema_id(bytes), bytes.split_at_checked(5)) {
        (Some(id), Some((_, datum))) => Ok((id, datum)),
        _ => Err(Fault::Foreign(part)),
    }
}

/// Names of the top-level fields; `None` for a schema that is no record.
pub(super) fn field_names(shape: &Shape) -> Option<Vec<&str>> {
    match shape {
        Shape::Record(fields) => Some(fields.iter().map(|(name, _)| name.as_str()).collect()),
        Shape::Union(variants) => variants.iter().find_map(field_names),
        _ => None,
    }
}

/// Reads a message (wire format, key or value) with the text of its schema: column to JSON value.
///
/// Decimals, dates, times, timestamps and bytes (hexadecimal) are texts. A message that is no record has the one
/// column `value`.
pub fn decode_row(schema: &str, bytes: &[u8]) -> Result<BTreeMap<String, Json>, RowError> {
    let (id, _) = message(bytes, "message")?;
    Ok(RowReader::new(id, schema, &[])?.read(bytes)?)
}

/// Reads many messages of one schema, each as [`decode_row`] does.
pub struct RowReader(Shape);

impl RowReader {
    /// A reader for messages with this schema id; `references` are the schemas that it refers to, as (name, text), each
    /// after those that it needs itself.
    pub fn new(id: u32, schema: &str, references: &[(String, String)]) -> Result<Self, SchemaError> {
        Shape::parse(schema, references).map(Self).map_err(|cause| SchemaError { id, cause })
    }

    /// How it reads.
    #[cfg(any(test, fuzzing))]
    pub(super) fn shape(&self) -> &Shape {
        &self.0
    }

    /// Column to JSON value. The schema id in the message is not looked at.
    pub fn read(&self, bytes: &[u8]) -> Result<BTreeMap<String, Json>, Fault> {
        let (id, datum) = message(bytes, "message")?;
        self.datum(id, datum)
    }

    /// The same for a payload without an id before it.
    pub(super) fn datum(&self, id: u32, datum: &[u8]) -> Result<BTreeMap<String, Json>, Fault> {
        let mut fields = Fields::default();
        fields.read(&self.0, datum, id)?;
        let names = field_names(&self.0).unwrap_or_else(|| vec!["value"]);
        let value = |i| fields.get(i).and_then(canon::read).map_or(Json::Null, |v| show::json(&v));
        Ok(names.into_iter().enumerate().map(|(i, name)| (name.to_owned(), value(i))).collect())
    }
}

/// Why [`decode_row`] gave no row.
#[derive(Debug, Error)]
pub enum RowError {
    /// The schema cannot be used.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The bytes cannot be read with it.
    #[error(transparent)]
    Record(#[from] Fault),
}
