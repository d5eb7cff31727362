//! Any bytes as a record in the wire format, read with a drawn schema.

#![no_main]

mod drawn;

use cyanotype::validate::invariant;
use libfuzzer_sys::Corpus;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| -> Corpus {
    // How many bytes draw the schema, the schema, whether the frame is right, and the record.
    let Some((length, bytes)) = bytes.split_first() else { return Corpus::Reject };
    let (schema, record) = bytes.split_at(bytes.len().min(usize::from(*length) / 2));
    let mut draw = drawn::Draw::new(schema);
    let schema = if draw.below(4) == 1 { draw.ty(0) } else { draw.table() }.to_string();
    let Some(reader) = invariant::reader(&schema) else { return Corpus::Reject };
    let framed = [&[0, 0, 0, 0, 1][..], record].concat();
    let kept = invariant::record(&reader, &framed).and_then(|()| invariant::record(&reader, record));
    if let Err(broken) = kept {
        panic!("{broken}\n{schema}");
    }
    Corpus::Keep
});
