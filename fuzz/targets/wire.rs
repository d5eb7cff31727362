//! Any bytes as the records of a topic, folded into its audit: ids before the payload, GUIDs in headers, and what is neither.

#![no_main]

use std::sync::LazyLock;

use cyanotype::model::record::{RawRecord, SchemaHeaders, SchemaId};
use cyanotype::validate::audit::{Writer, Writers};
use cyanotype::validate::invariant;

const FLAT: &str = r#"{"type":"record","name":"Row","fields":[{"name":"__op","type":"string"},
    {"name":"note","type":["string","null"],"default":"none"}]}"#;
const ENVELOPE: &str = r#"{"type":"record","name":"Envelope","fields":[
    {"name":"before","type":["null",{"type":"record","name":"Value","fields":[
        {"name":"tags","type":{"type":"array","items":"string"}},
        {"name":"note","type":["string","null"],"default":"none"}]}],"default":null},
    {"name":"after","type":["null","Value"],"default":null},{"name":"op","type":"string"}]}"#;

/// Schemas 1 and 2, and the GUID of sixteen times 1.
static WRITERS: LazyLock<Writers> = LazyLock::new(|| {
    let one = |id, text| (id, Writer::new("AVRO", text, &[]));
    let guid = SchemaId::Guid(u128::from_be_bytes([1; 16]));
    [one(SchemaId::Number(1), FLAT), one(SchemaId::Number(2), ENVELOPE), one(guid, ENVELOPE)].into()
});

/// A length and as many bytes, as far as there are.
fn text(bytes: &mut &[u8]) -> Vec<u8> {
    let Some((length, rest)) = bytes.split_first() else { return Vec::new() };
    let (text, rest) = rest.split_at(rest.len().min(usize::from(*length)));
    *bytes = rest;
    text.to_vec()
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    let mut records = Vec::new();
    while let Some((kind, after)) = rest.split_first() {
        rest = after;
        let mut part = |bit: u8| (kind & bit != 0).then(|| text(&mut rest));
        let (key, value) = (part(4), part(8));
        let mut schema_headers = None;
        for (bit, name) in [(16, SchemaHeaders::KEY), (32, SchemaHeaders::VALUE)] {
            if let Some(header) = part(bit) {
                SchemaHeaders::take(&mut schema_headers, name, Some(&header));
            }
        }
        let partition = i32::from(kind & 3);
        records.push(RawRecord {
            partition,
            offset: records.len() as i64,
            timestamp_ms: None,
            key,
            value,
            schema_headers,
        });
    }
    if let Err(broken) = invariant::audit(&records, &WRITERS) {
        panic!("{broken}\n{records:?}");
    }
});
