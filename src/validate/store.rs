//! Fingerprints of a whole topic in memory, ordered.
//!
//! Rules:
//! - An entry goes to the end of one of 256 buckets, by the first byte of its key's fingerprint. A bucket is sorted and
//!   folded when it has doubled since it was last folded, and at the end. So a bucket holds two entries at most for each
//!   that is needed, and memory grows with the keys, not with the records.
//! - Sorting is stable: entries that fold into each other stay in the order in which they came.
//! - Buckets in order, and entries in each, are in the order of their fingerprints: two topics are compared by walking both
//!   once. A bucket needs nothing of another one, so buckets could as well lie on disk.

/// Number of buckets.
const BUCKETS: usize = 256;
/// Entries that a bucket holds before it is folded for the first time.
const FIRST_FOLD: usize = 1024;

/// What a bucket holds.
pub(super) trait Entry: Copy {
    /// Fingerprint that it is ordered by.
    fn key(&self) -> u128;

    /// Sorts, and leaves one entry where several come to one. Gives back how many identical ones followed each other.
    fn fold(entries: &mut Vec<Self>) -> u64;
}

/// A live record of an upsert table: 40 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Live {
    key: [u64; 2],
    row: [u64; 2],
    /// Mark of the key's bytes.
    pub encoding: u32,
    pub partition: u16,
    /// Which combination of values the new columns hold; [`DELETED`] for a tombstone.
    pub news: u16,
}

/// Marks a tombstone.
pub(super) const DELETED: u16 = u16::MAX;

impl Live {
    pub(super) fn new(key: u128, row: u128, encoding: u32, partition: u16, news: u16) -> Self {
        Self { key: halves(key), row: halves(row), encoding, partition, news }
    }

    pub(super) fn row(&self) -> u128 {
        whole(self.row)
    }

    fn copy(&self) -> ([u64; 2], u16, u32) {
        (self.key, self.partition, self.encoding)
    }
}

impl Entry for Live {
    fn key(&self) -> u128 {
        whole(self.key)
    }

    /// Of each key, partition and byte form of the key the last record counts, and none if that is a tombstone.
    fn fold(entries: &mut Vec<Self>) -> u64 {
        entries.sort_by_key(Self::copy);
        let mut repeated = 0;
        in_place(entries, |last, next| {
            if last.copy() != next.copy() {
                return false;
            }
            if next.news != DELETED && last.row == next.row && last.news == next.news {
                repeated += 1;
            }
            *last = *next;
            true
        });
        entries.retain(|e| e.news != DELETED);
        repeated
    }
}

/// A value that is counted: 24 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    key: [u64; 2],
    pub count: u64,
}

impl Counted {
    pub(super) fn one(key: u128) -> Self {
        Self { key: halves(key), count: 1 }
    }
}

impl Entry for Counted {
    fn key(&self) -> u128 {
        whole(self.key)
    }

    fn fold(entries: &mut Vec<Self>) -> u64 {
        entries.sort_by_key(|e| e.key);
        in_place(entries, |last, next| {
            let same = last.key == next.key;
            if same {
                last.count += next.count;
            }
            same
        });
        0
    }
}

/// Goes over neighbours; where `merge` says so, it has taken the second into the first.
fn in_place<E: Copy>(entries: &mut Vec<E>, mut merge: impl FnMut(&mut E, &E) -> bool) {
    entries.dedup_by(|next, last| merge(last, next));
}

fn halves(print: u128) -> [u64; 2] {
    [(print >> 64) as u64, print as u64]
}

fn whole([high, low]: [u64; 2]) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

/// Entries of one topic.
pub(super) struct Store<E> {
    buckets: Vec<Bucket<E>>,
    repeated: u64,
}

struct Bucket<E> {
    entries: Vec<E>,
    fold_at: usize,
}

impl<E: Entry> Store<E> {
    pub(super) fn new() -> Self {
        let buckets = (0..BUCKETS).map(|_| Bucket { entries: Vec::new(), fold_at: FIRST_FOLD }).collect();
        Self { buckets, repeated: 0 }
    }

    /// Takes an entry.
    pub(super) fn push(&mut self, entry: E) {
        let Some(bucket) = self.buckets.get_mut((entry.key() >> 120) as usize) else { return };
        if bucket.entries.len() == bucket.entries.capacity() {
            // In small steps: what is reserved and not used is memory as well.
            bucket.entries.reserve_exact(bucket.entries.len() / 8 + 16);
        }
        bucket.entries.push(entry);
        if bucket.entries.len() >= bucket.fold_at {
            self.repeated += E::fold(&mut bucket.entries);
            bucket.fold_at = FIRST_FOLD.max(2 * bucket.entries.len());
        }
    }

    /// Folds everything. After this the entries of a bucket are in order.
    pub(super) fn finish(&mut self) {
        for bucket in &mut self.buckets {
            self.repeated += E::fold(&mut bucket.entries);
            bucket.entries.shrink_to_fit();
        }
    }

    /// The buckets, in order.
    pub(super) fn buckets(&self) -> impl Iterator<Item = &[E]> {
        self.buckets.iter().map(|b| b.entries.as_slice())
    }

    /// How many identical entries followed each other.
    pub(super) fn repeated(&self) -> u64 {
        self.repeated
    }

    /// Bytes that are held.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.buckets.iter().map(|b| b.entries.capacity() * size_of::<E>()).sum()
    }
}

/// The entries of one key in two buckets, in the order of the keys. Both are sorted.
pub(super) fn together<'a, E: Entry>(blue: &'a [E], green: &'a [E]) -> impl Iterator<Item = (&'a [E], &'a [E])> {
    let (mut blue, mut green) = (blue, green);
    std::iter::from_fn(move || {
        let key = match (blue.first(), green.first()) {
            (Some(b), Some(g)) => b.key().min(g.key()),
            (Some(one), None) | (None, Some(one)) => one.key(),
            (None, None) => return None,
        };
        let take = |from: &mut &'a [E]| {
            let count = from.iter().take_while(|e| e.key() == key).count();
            let (taken, rest) = from.split_at(count);
            *from = rest;
            taken
        };
        Some((take(&mut blue), take(&mut green)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(key: u64, row: u64, partition: u16) -> Live {
        Live::new(u128::from(key).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834), row.into(), 1, partition, 0)
    }

    fn all(store: &Store<Live>) -> Vec<Live> {
        store.buckets().flatten().copied().collect()
    }

    #[test]
    fn an_entry_takes_forty_bytes_and_a_count_twenty_four() {
        assert_eq!((size_of::<Live>(), size_of::<Counted>()), (40, 24));
    }

    #[test]
    fn memory_grows_with_the_keys_and_not_with_the_records() {
        let held = |keys: u64, writes: u64| {
            let mut store = Store::new();
            for write in 0..writes {
                (0..keys).for_each(|key| store.push(live(key, write, 0)));
                assert!(store.bytes() as u64 <= 90 * keys.max(300_000), "while it is filled: {}", store.bytes());
            }
            store.finish();
            (all(&store).len() as u64, store.bytes() as u64)
        };
        for keys in [300_000, 600_000] {
            assert_eq!(held(keys, 1), (keys, 40 * keys));
        }
        assert_eq!(held(300_000, 5), (300_000, 40 * 300_000));
    }

    #[test]
    fn the_last_of_a_copy_counts_and_a_tombstone_leaves_nothing() {
        let mut store = Store::new();
        let deleted = Live::new(live(1, 0, 0).key(), 0, 1, 0, DELETED);
        for entry in [live(1, 1, 0), live(1, 1, 0), live(1, 2, 1), live(2, 1, 0), live(1, 3, 0), deleted] {
            store.push(entry);
        }
        store.finish();
        assert_eq!(store.repeated(), 1, "written twice, with nothing in between");
        let mut left = all(&store);
        left.sort_by_key(|e| e.partition);
        assert_eq!(left, [live(2, 1, 0), live(1, 2, 1)]);
        // After a deletion the same row is no repetition.
        store.push(live(2, 1, 0));
        store.push(Live::new(live(2, 0, 0).key(), 0, 1, 0, DELETED));
        store.push(live(2, 1, 0));
        store.finish();
        assert_eq!(store.repeated(), 2);
    }

    #[test]
    fn entries_of_a_key_meet() {
        let (blue, green) = ([1, 1, 2, 5].map(Counted::one), [1, 3, 5, 5].map(Counted::one));
        let met: Vec<(usize, usize)> = together(&blue, &green).map(|(b, g)| (b.len(), g.len())).collect();
        assert_eq!(met, [(2, 1), (1, 0), (0, 1), (1, 2)]);
    }
}
