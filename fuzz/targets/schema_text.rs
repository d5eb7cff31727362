//! Any bytes as the text of a schema: read or refused, the same each time, and judged beside a schema as Debezium writes them.

#![no_main]

use std::sync::LazyLock;

use cyanotype::schema::{AvroSchema, invariant, parse};

/// A row in an envelope.
static ENVELOPE: LazyLock<AvroSchema> = LazyLock::new(|| {
    let text = r#"{"type":"record","name":"Envelope","namespace":"shop","fields":[
        {"name":"before","type":["null",{"type":"record","name":"Value","fields":[{"name":"id","type":"int"},
            {"name":"a","type":["null","string"],"default":null}]}],"default":null},
        {"name":"after","type":["null","Value"],"default":null},{"name":"op","type":"string"}]}"#;
    parse(text, &[]).expect("a schema")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut kept = invariant::reading(&text);
    if let (Ok(()), Ok(schema)) = (&kept, parse(&text, &[])) {
        kept = invariant::pair(&ENVELOPE, &schema);
    }
    if let Err(broken) = kept {
        panic!("{broken}\n{text}");
    }
});
