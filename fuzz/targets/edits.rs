//! Renames, a new option and a new column, in texts without mistakes: the text says what it said but for the edit.

#![no_main]

use cyanotype::sql::invariant;
use libfuzzer_sys::Corpus;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(bytes) else { return Corpus::Reject };
    if let Err(broken) = invariant::editing(text) {
        panic!("{broken}\n{text}");
    }
    Corpus::Keep
});
