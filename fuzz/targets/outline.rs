//! Two texts, one after the other, as Protobuf and as JSON Schema: read or refused, the same each time, and never judged.

#![no_main]

use cyanotype::schema::{SchemaKind, invariant};

/// What stands between the two; a text alone is held against itself.
const BETWEEN: &str = "\n====\n";

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (old, new) = text.split_once(BETWEEN).unwrap_or((&text, &text));
    for kind in [SchemaKind::Protobuf, SchemaKind::Json] {
        if let Err(broken) = invariant::outlines(&kind, old, new) {
            panic!("{kind}: {broken}\n{text}");
        }
    }
});
