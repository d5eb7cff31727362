//! An entry as records of the topic: one, or several that are put together again.
//!
//! Rules: an entry of up to [`PART_BYTES`] is one record without a key; a larger one is cut, and the key of each record says
//! which part it is: `2/5`. The records of an entry are one transaction of the one writer, so a reader sees all of them or
//! none, one behind the other; anything else is an error, save that a log which was shortened may begin in the middle of an
//! entry, of which the rest is passed over.

use crate::model::record::RawRecord;

/// Largest value of a record: half of what a broker takes as a batch by default (`message.max.bytes`), whatever compression
/// makes of it.
pub(super) const PART_BYTES: usize = 512 * 1024;

/// The records of an entry: key and value of each.
pub(super) fn cut(entry: &[u8]) -> Vec<(Option<String>, &[u8])> {
    if entry.len() <= PART_BYTES {
        return vec![(None, entry)];
    }
    let of = entry.len().div_ceil(PART_BYTES);
    (1..).zip(entry.chunks(PART_BYTES)).map(|(part, value)| (Some(format!("{part}/{of}")), value)).collect()
}

/// Which part of how many a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    part: usize,
    of: usize,
}

impl Part {
    fn read(key: &[u8]) -> Option<Self> {
        let (part, of) = std::str::from_utf8(key).ok()?.split_once('/')?;
        let (part, of) = (part.parse().ok()?, of.parse().ok()?);
        (1..=of).contains(&part).then_some(Self { part, of })
    }
}

/// Where a read begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begins {
    /// At the first record that is left.
    AtTheFirst,
    /// Behind a whole entry.
    BehindAnEntry,
}

/// Entries in the making.
#[derive(Debug)]
pub(super) struct Assembly {
    entries: Vec<Vec<u8>>,
    /// The last part taken of an entry that is not whole yet, and its bytes so far.
    open: Option<(Part, Vec<u8>)>,
    /// True while the rest of an entry may come whose beginning is gone.
    rest: bool,
}

impl Assembly {
    pub(super) fn new(begins: Begins) -> Self {
        Self { entries: Vec::new(), open: None, rest: begins == Begins::AtTheFirst }
    }

    /// Takes the next record; what is wrong with it, in words, if something is.
    pub(super) fn take(&mut self, record: RawRecord) -> Result<(), String> {
        let RawRecord { key, value, offset, .. } = record;
        let value = value.unwrap_or_default();
        let part = match key.as_deref() {
            None => None,
            Some(key) => {
                let foreign = || format!("the record at offset {offset} has a key that no part of an entry has");
                Some(Part::read(key).ok_or_else(foreign)?)
            }
        };
        match (part, self.open.take()) {
            (None, None) => self.entries.push(value),
            (Some(Part { part: 1, of: 1 }), None) => self.entries.push(value),
            (Some(part @ Part { part: 1, .. }), None) => self.open = Some((part, value)),
            (Some(_), None) if self.rest => return Ok(()),
            (Some(part), Some((last, mut bytes))) if part.of == last.of && part.part == last.part + 1 => {
                bytes.extend(value);
                match part.part == part.of {
                    true => self.entries.push(bytes),
                    false => self.open = Some((part, bytes)),
                }
            }
            (Some(Part { part, of }), None) => {
                return Err(format!("part {part} of {of} at offset {offset} has nothing before it"));
            }
            (_, Some((last, _))) => {
                return Err(format!("part {} of {} does not come before offset {offset}", last.part + 1, last.of));
            }
        }
        self.rest = false;
        Ok(())
    }

    /// The entries; what is missing, in words, if something is.
    pub(super) fn whole(self) -> Result<Vec<Vec<u8>>, String> {
        match self.open {
            None => Ok(self.entries),
            Some((last, _)) => Err(format!("it ends before part {} of {}", last.part + 1, last.of)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(offset: i64, key: Option<&str>, value: &[u8]) -> RawRecord {
        let key = key.map(|key| key.as_bytes().to_vec());
        RawRecord { partition: 0, offset, timestamp_ms: None, key, value: Some(value.to_vec()), schema_headers: None }
    }

    fn assembled(begins: Begins, records: &[(Option<&str>, &str)]) -> Result<Vec<String>, String> {
        let mut assembly = Assembly::new(begins);
        for (offset, (key, value)) in (0..).zip(records) {
            assembly.take(record(offset, *key, value.as_bytes()))?;
        }
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ok(assembly.whole()?.into_iter().map(text).collect())
    }

    #[test]
    fn what_is_cut_is_put_together_again() {
        for len in [0, 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES, 3 * PART_BYTES + 7] {
            let entry: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
            let records = cut(&entry);
            assert_eq!(records.len(), len.div_ceil(PART_BYTES).max(1));
            assert!(records.iter().all(|(_, value)| value.len() <= PART_BYTES));
            assert_eq!(records[0].0.is_none(), len <= PART_BYTES, "{len}");
            let mut assembly = Assembly::new(Begins::BehindAnEntry);
            for (offset, (key, value)) in (0..).zip(&records) {
                assembly.take(record(offset, key.as_deref(), value)).unwrap();
            }
            assert!(assembly.whole().unwrap() == [entry], "{len}");
        }
    }

    #[test]
    fn whole_and_cut_entries_stand_side_by_side() {
        let records = [(None, "a"), (Some("1/2"), "b"), (Some("2/2"), "c"), (Some("1/1"), "d"), (None, "e")];
        assert_eq!(assembled(Begins::BehindAnEntry, &records).unwrap(), ["a", "bc", "d", "e"]);
    }

    #[test]
    fn half_an_entry_is_never_an_entry() {
        for (records, why) in [
            (vec![(Some("1/3"), "a"), (Some("2/3"), "b")], "ends before part 3 of 3"),
            (vec![(Some("1/3"), "a"), (Some("3/3"), "c")], "part 2 of 3 does not come before offset 1"),
            (vec![(Some("1/2"), "a"), (None, "b")], "part 2 of 2 does not come before offset 1"),
            (vec![(Some("1/2"), "a"), (Some("1/2"), "a")], "part 2 of 2 does not come before offset 1"),
            (vec![(Some("1/2"), "a"), (Some("2/3"), "b")], "part 2 of 2 does not come before offset 1"),
            (vec![(Some("2/2"), "b")], "part 2 of 2 at offset 0 has nothing before it"),
            (vec![(Some("3/2"), "b")], "key that no part of an entry has"),
            (vec![(Some("0/2"), "b")], "key that no part of an entry has"),
            (vec![(Some("k"), "b")], "key that no part of an entry has"),
        ] {
            let told = assembled(Begins::BehindAnEntry, &records).unwrap_err();
            assert!(told.contains(why), "{records:?}: {told}");
        }
    }

    #[test]
    fn a_log_that_was_shortened_may_begin_in_the_middle_of_an_entry() {
        let rest = [(Some("2/3"), "b"), (Some("3/3"), "c")];
        assert_eq!(assembled(Begins::AtTheFirst, &rest).unwrap(), [""; 0]);
        let more: Vec<_> = rest.into_iter().chain([(None, "d")]).collect();
        assert_eq!(assembled(Begins::AtTheFirst, &more).unwrap(), ["d"]);
        let later: Vec<_> = [(None, "d")].into_iter().chain(rest).collect();
        assert!(assembled(Begins::AtTheFirst, &later).is_err());
    }
}
