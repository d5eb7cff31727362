//! Words of SQL in any order: each byte draws one from the dictionary, or one of the reserved words. Both the text and its
//! edits keep what they promise.

#![no_main]

use std::sync::LazyLock;

use cyanotype::sql::invariant;

/// The words of the dictionary that the other targets are given, which are those that occur most.
static FREQUENT: LazyLock<Vec<String>> = LazyLock::new(|| {
    let lines = include_str!("../sql.dict").lines();
    lines.filter_map(|line| line.strip_prefix('"')?.strip_suffix('"')).map(unescaped).collect()
});

/// A dictionary's `\\`, `\"` and `\xAB`.
fn unescaped(text: &str) -> String {
    let mut found = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some('x') => {
                    let digits: String = rest.by_ref().take(2).collect();
                    found.extend(u8::from_str_radix(&digits, 16).map(char::from));
                }
                other => found.extend(other),
            },
            c => found.push(c),
        }
    }
    found
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut text = String::new();
    let mut bytes = bytes.iter().map(|byte| usize::from(*byte));
    while let Some(byte) = bytes.next() {
        let word = match FREQUENT.get(byte) {
            Some(word) => word.as_str(),
            None => {
                let at = (byte * 256 + bytes.next().unwrap_or(0)) % invariant::RESERVED.len();
                invariant::RESERVED[at]
            }
        };
        text.push_str(word);
        text.push(' ');
    }
    for kept in [invariant::reading(&text), invariant::editing(&text)] {
        if let Err(broken) = kept {
            panic!("{broken}\n{text}");
        }
    }
});
