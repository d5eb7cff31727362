//! Any bytes at all, valid UTF-8 or made so: the text is kept, and everything that stands on the tree can be made.

#![no_main]

use cyanotype::sql::invariant;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if let Err(broken) = invariant::reading(&text) {
        panic!("{broken}\n{text}");
    }
});
