//! Digests of tables: equal for equal sets of rows, whatever order and partitions they were read in.
//!
//! Rules:
//! - A row's fingerprint is XXH3-128 with [`SEED`] over its key and its compared columns, encoded as `fingerprint` says.
//! - A table's digest is the number of rows and two wrapping sums, one of the fingerprints' low halves and one of their
//!   high halves: 48 hexadecimal digits. Sums, not XOR: two equal rows do not cancel out.

use std::fmt;

use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128_with_seed};

/// Seed of all fingerprints: the letters `cyanotyp`. Published, so that others can compute the same digests.
pub const SEED: u64 = u64::from_be_bytes(*b"cyanotyp");

/// Digest of a table, row by row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableDigest {
    rows: u64,
    low: u64,
    high: u64,
}

impl TableDigest {
    /// Adds `times` equal rows.
    pub fn add(&mut self, fingerprint: u128, times: u64) {
        self.rows = self.rows.wrapping_add(times);
        self.low = self.low.wrapping_add((fingerprint as u64).wrapping_mul(times));
        self.high = self.high.wrapping_add(((fingerprint >> 64) as u64).wrapping_mul(times));
    }
}

impl fmt::Display for TableDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}{:016x}", self.rows, self.low, self.high)
    }
}

/// Fingerprint of canonical bytes.
pub fn fingerprint(bytes: &[u8]) -> u128 {
    xxh3_128_with_seed(bytes, SEED)
}

/// A short mark that two byte strings are probably the same; nothing is decided by it alone.
pub(super) fn mark(bytes: &[u8]) -> u32 {
    xxh3_64_with_seed(bytes, SEED) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_equal_rows_do_not_cancel_out() {
        let mut twice = TableDigest::default();
        twice.add(fingerprint(b"row"), 1);
        twice.add(fingerprint(b"row"), 1);
        assert_ne!(twice, TableDigest::default());
        let mut other = TableDigest::default();
        other.add(fingerprint(b"other"), 2);
        assert_ne!(twice, other, "two equal rows are not two other equal rows");
        let mut at_once = TableDigest::default();
        at_once.add(fingerprint(b"row"), 2);
        assert_eq!(twice.to_string(), at_once.to_string());
    }

    #[test]
    fn the_published_fingerprint_stays() {
        assert_eq!(format!("{:032x}", fingerprint(b"cyanotype")), "116e780c5671d100c2d90dcd7587c6bb");
        assert_eq!(SEED, 0x6379_616e_6f74_7970);
    }
}
