//! Any bytes as a record of a registry's own topic: the key up to the first line break, then the value, if there is one.

#![no_main]

use cyanotype::schema::invariant;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let (key, value) = (parts.next().unwrap_or_default(), parts.next());
    if let Err(broken) = invariant::registry_record(key, value) {
        panic!("{broken}\n{}", String::from_utf8_lossy(bytes));
    }
});
