//! Records and positions in topics.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A position for each partition: the offset of the next record.
pub type Offsets = BTreeMap<i32, i64>;

/// One record as it lies in the topic, not decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRecord {
    /// Partition.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
    /// Time of the record, milliseconds since 1970, if it has one.
    pub timestamp_ms: Option<i64>,
    /// Key bytes.
    pub key: Option<Vec<u8>>,
    /// Value bytes; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// The headers that name schemas, of the few records that have them; no other header is kept.
    pub schema_headers: Option<Box<SchemaHeaders>>,
}

impl RawRecord {
    /// The key, with the schema that it names.
    pub fn key_part(&self) -> Part<'_> {
        part(self.key.as_deref(), self.schema_headers.as_ref().and_then(|h| h.key.as_deref()))
    }

    /// The value, with the schema that it names.
    pub fn value_part(&self) -> Part<'_> {
        part(self.value.as_deref(), self.schema_headers.as_ref().and_then(|h| h.value.as_deref()))
    }
}

/// Headers that name a record's schemas (Confluent's `HeaderSchemaIdSerializer`), as they are in the record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaHeaders {
    /// The last `__key_schema_id`.
    pub key: Option<Vec<u8>>,
    /// The last `__value_schema_id`.
    pub value: Option<Vec<u8>>,
}

impl SchemaHeaders {
    /// Name of the header for the key.
    pub const KEY: &str = "__key_schema_id";
    /// Name of the header for the value.
    pub const VALUE: &str = "__value_schema_id";

    /// Takes a header in: of several with the same name the last one counts, and one without a value does not.
    pub fn take(kept: &mut Option<Box<Self>>, name: &str, value: Option<&[u8]>) {
        let key = match name {
            Self::KEY => true,
            Self::VALUE => false,
            _ => return,
        };
        let headers = kept.get_or_insert_default();
        *(if key { &mut headers.key } else { &mut headers.value }) = value.map(<[u8]>::to_vec);
    }
}

/// How a key or value names its schema: the registry's number, or the GUID that is the same in every registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum SchemaId {
    /// The registry's number.
    Number(u32),
    /// GUID, big endian.
    Guid(u128),
}

impl SchemaId {
    /// The id that `bytes` begin with, and what follows it: byte 0 and four bytes, or byte 1 and a GUID. Headers and
    /// payloads have the same form (Confluent's `SchemaId.fromBytes`).
    pub fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        match bytes.split_first()? {
            (0, rest) => rest.split_first_chunk().map(|(id, rest)| (Self::Number(u32::from_be_bytes(*id)), rest)),
            (1, rest) => rest.split_first_chunk().map(|(id, rest)| (Self::Guid(u128::from_be_bytes(*id)), rest)),
            _ => None,
        }
    }
}

impl fmt::Display for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(id) => id.fmt(f),
            Self::Guid(guid) => {
                let [time, mid, high, clock, node] = [
                    guid >> 96,
                    guid >> 80 & 0xffff,
                    guid >> 64 & 0xffff,
                    guid >> 48 & 0xffff,
                    guid & 0xffff_ffff_ffff,
                ];
                write!(f, "{time:08x}-{mid:04x}-{high:04x}-{clock:04x}-{node:012x}")
            }
        }
    }
}

impl From<SchemaId> for String {
    fn from(id: SchemaId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for SchemaId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no schema id and no GUID");
        if let Ok(id) = text.parse() {
            return Ok(Self::Number(id));
        }
        let digits: String = text.split('-').collect();
        let guid = u128::from_str_radix(&digits, 16).map(Self::Guid).map_err(|_| wrong())?;
        if guid.to_string().eq_ignore_ascii_case(&text) { Ok(guid) } else { Err(wrong()) }
    }
}

/// A record's key or value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'r> {
    /// There is none: no key, or a tombstone.
    Absent,
    /// It names its schema, in a header or before the payload.
    Named {
        /// Schema.
        schema: SchemaId,
        /// The payload without it.
        payload: &'r [u8],
    },
    /// It names none: it was written by something else than the registry's serializers.
    Foreign(&'r [u8]),
    /// It has a header for the schema's id that holds no such id: no reader takes it.
    BadHeader,
}

/// Readers look at the header first, then at the payload (Confluent's `DualSchemaIdDeserializer`).
fn part<'r>(bytes: Option<&'r [u8]>, header: Option<&[u8]>) -> Part<'r> {
    let Some(bytes) = bytes else { return Part::Absent };
    match (header, SchemaId::split(bytes)) {
        (Some(header), _) => match SchemaId::split(header) {
            Some((schema, _)) => Part::Named { schema, payload: bytes },
            None => Part::BadHeader,
        },
        (None, Some((schema, payload))) => Part::Named { schema, payload },
        (None, None) => Part::Foreign(bytes),
    }
}

/// A record to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecord {
    /// Key bytes.
    pub key: Vec<u8>,
    /// Value bytes; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
}

/// The schema id of Confluent's wire format: magic byte 0, four bytes big endian. `None` when the bytes are not in it.
pub fn schema_id(bytes: &[u8]) -> Option<u32> {
    match bytes {
        [0, a, b, c, d, ..] => Some(u32::from_be_bytes([*a, *b, *c, *d])),
        _ => None,
    }
}

/// True when `have` has reached `want` in every partition; a partition missing in `have` counts as 0.
pub fn reached(have: &Offsets, want: &Offsets) -> bool {
    want.iter().all(|(p, w)| have.get(p).copied().unwrap_or(0) >= *w)
}

/// How many records `have` is behind `want`, over all partitions.
pub fn behind(have: &Offsets, want: &Offsets) -> i64 {
    want.iter().map(|(p, w)| (w - have.get(p).copied().unwrap_or(0)).max(0)).sum()
}

/// What is known of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicSpec {
    /// Name.
    pub name: String,
    /// Number of partitions.
    pub partitions: i32,
    /// Settings that differ from the broker's defaults.
    pub config: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUID: &str = "cc0e0e0e-53c1-4a1a-8f1a-000000000001";

    fn guid() -> Vec<u8> {
        let digits = GUID.replace('-', "");
        let byte = |i: usize| u8::from_str_radix(&digits[i..i + 2], 16).unwrap();
        std::iter::once(1).chain((0..32).step_by(2).map(byte)).collect()
    }

    fn record(value: &[u8], header: Option<&[u8]>) -> RawRecord {
        let mut schema_headers = None;
        if let Some(header) = header {
            SchemaHeaders::take(&mut schema_headers, SchemaHeaders::VALUE, Some(header));
        }
        let value = Some(value.to_vec());
        RawRecord { partition: 0, offset: 0, timestamp_ms: None, key: None, value, schema_headers }
    }

    fn named(part: Part<'_>) -> (String, Vec<u8>) {
        let Part::Named { schema, payload } = part else { panic!("{part:?}") };
        (schema.to_string(), payload.to_vec())
    }

    #[test]
    fn a_schema_is_named_by_a_header_or_before_the_payload() {
        assert_eq!(named(record(&[0, 0, 0, 0, 7, 42], None).value_part()), ("7".to_owned(), vec![42]));
        assert_eq!(named(record(&[42], Some(&guid())).value_part()), (GUID.to_owned(), vec![42]));
        // Protobuf's serializer puts the message's place behind the id.
        let with_indexes = [guid(), vec![2, 0]].concat();
        assert_eq!(named(record(&[42], Some(&with_indexes)).value_part()).0, GUID);
        let in_payload = [guid(), vec![42]].concat();
        assert_eq!(named(record(&in_payload, None).value_part()), (GUID.to_owned(), vec![42]));
    }

    #[test]
    fn the_header_counts_and_the_payload_is_then_whole() {
        let both = record(&[0, 0, 0, 0, 7, 42], Some(&guid()));
        assert_eq!(named(both.value_part()), (GUID.to_owned(), vec![0, 0, 0, 0, 7, 42]));
        assert_eq!(both.key_part(), Part::Absent);
        assert_eq!(record(&[0, 0, 0, 0, 7], Some(&[2, 0])).value_part(), Part::BadHeader);
        assert_eq!(record(&[0, 0, 0, 0, 7], Some(&guid()[..16])).value_part(), Part::BadHeader);
        for foreign in [&b""[..], &[0, 0, 0, 7], b"{}", &[1, 2, 3]] {
            assert_eq!(record(foreign, None).value_part(), Part::Foreign(foreign));
        }
        let tombstone = RawRecord { value: None, ..record(&[], Some(&guid())) };
        assert_eq!(tombstone.value_part(), Part::Absent);
    }

    #[test]
    fn of_several_headers_the_last_counts_and_others_are_not_kept() {
        let mut kept = None;
        SchemaHeaders::take(&mut kept, "traceparent", Some(b"00"));
        assert_eq!(kept, None);
        SchemaHeaders::take(&mut kept, SchemaHeaders::KEY, Some(&[1]));
        SchemaHeaders::take(&mut kept, SchemaHeaders::KEY, Some(&guid()));
        SchemaHeaders::take(&mut kept, SchemaHeaders::VALUE, Some(&guid()));
        SchemaHeaders::take(&mut kept, SchemaHeaders::VALUE, None);
        assert_eq!(kept, Some(Box::new(SchemaHeaders { key: Some(guid()), value: None })));
    }

    #[test]
    fn an_id_is_written_and_read_back() {
        let (id, _) = SchemaId::split(&guid()).unwrap();
        for id in [id, SchemaId::Number(7), SchemaId::Guid(1)] {
            assert_eq!(SchemaId::try_from(id.to_string()), Ok(id));
        }
        assert!(SchemaId::try_from("cc0e".to_owned()).is_err() && SchemaId::try_from(String::new()).is_err());
    }
}
