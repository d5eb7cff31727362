//! Survey: two topics at rest compared by fingerprints, or one looked through for duplicates.
//!
//! A caller
//! 1. takes the visible ends of both topics, reads both up to them as `read_committed`, and gives every record to
//!    [`Survey::feed`], with the schemas that [`Survey::missing_schemas`] asks for;
//! 2. takes the ends again: if they have moved, the topics do not rest and a survey says nothing; rounds do
//!    ([`super::TableValidation`]);
//! 3. calls [`Survey::finish`], and while [`Findings::wants_look`], reads the same records once more and gives them to
//!    [`Findings::look`];
//! 4. asks for the [`Findings::verdict`].
//!
//! # What is decided
//! The same as by one round of a validation whose marks are the ends: nothing is late, so every answer is final. What makes
//! rows equal, duplicate, missing, extra or different is in the module docs of `fold`, `append` and `compare`, and a property
//! test holds both against each other, digests included. Only contracts are taken whose columns are all equal or
//! different, with nothing to be explained, and whose rows must be the same.
//!
//! # How
//! - Of each record its fingerprints are kept (`fingerprint`), in `store`: 40 bytes for a live row of an upsert table on each
//!   side, 24 bytes for each distinct row of an append table and for each of green's declared keys. All counts and both
//!   digests come from these, and are exact whatever their size.
//! - Samples and the columns that differ come from a second read of the keys and rows that were found, by a
//!   validation that decodes: of the findings of each kind the [`SHOWN`] with the smallest fingerprints are looked at,
//!   which is a fair sample and the same on any machine; of keys that differ [`LOOKED`], to count the columns in which they do.
//!   If there are more, a column's count says that it is of those. So a million findings fill no memory.
//! - A record that cannot be read is counted and keeps the table from passing.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::{Columns, NewValue};
use super::compare::broken_new_column;
use super::decode::{DecodeError, Fault};
use super::digest::TableDigest;
use super::fingerprint::Fingerprints;
use super::fold::Map;
use super::schema::SchemaError;
use super::store::{Counted, DELETED, Entry, Live, Store, together};
use super::verdict::{self, Counts, Kind, Samples, Setting};
use super::{Side, State, TableValidation};
use crate::model::parity::{Changelog, TableContract};
use crate::model::record::{Offsets, RawRecord};
use crate::model::verdict::TableVerdict;

/// Findings of each kind that are looked at to be shown.
const SHOWN: usize = 20;
/// Keys that differ which are looked at.
const LOOKED: usize = 100_000;

/// What is kept of the records.
enum Held {
    Upsert([Store<Live>; 2]),
    Append { rows: [Store<Counted>; 2], keys: Store<Counted> },
}

/// The first read.
pub struct Survey {
    contract: TableContract,
    prints: Fingerprints,
    schemas: BTreeMap<u32, (String, Vec<(String, String)>)>,
    held: Held,
    /// Offset of the next record, by side.
    next: [Offsets; 2],
    /// Numbers of the combinations of values in new columns.
    news: Map<Box<[NewValue]>, u16>,
    counts: Counts,
    /// Rows of an append table with a broken new column, a few.
    broken: BTreeSet<u128>,
    unread: (u64, Option<String>),
    /// There are more partitions or combinations than an entry can hold.
    too_many: bool,
}

impl Survey {
    /// Starts a survey; `None` when the contract needs more than fingerprints.
    pub fn new(contract: TableContract) -> Option<Self> {
        let prints = Fingerprints::new(&contract);
        if prints.columns().soft() || prints.columns().rows_changed() {
            return None;
        }
        let held = match contract.changelog {
            Changelog::Upsert => Held::Upsert([Store::new(), Store::new()]),
            Changelog::Append => Held::Append { rows: [Store::new(), Store::new()], keys: Store::new() },
        };
        Some(Self {
            contract,
            prints,
            schemas: BTreeMap::new(),
            held,
            next: [Offsets::new(), Offsets::new()],
            news: Map::default(),
            counts: Counts::default(),
            broken: BTreeSet::new(),
            unread: (0, None),
            too_many: false,
        })
    }

    /// Ids of schemas that must be added before the record can be fed. Call it again after adding them.
    pub fn missing_schemas(&self, record: &RawRecord) -> impl Iterator<Item = u32> + use<> {
        self.prints.missing_schemas(record).into_iter().flatten()
    }

    /// Adds a writer schema as the registry has it, with the schemas that it refers to.
    pub fn add_schema(&mut self, id: u32, text: &str, references: &[(String, String)]) -> Result<(), SchemaError> {
        self.prints.add_schema(id, text, references)?;
        self.schemas.insert(id, (text.to_owned(), references.to_vec()));
        Ok(())
    }

    /// Takes one record; in each partition in the order of offsets. A record that was taken already is ignored.
    ///
    /// After `Err` the record is counted as one that cannot be read.
    pub fn feed(&mut self, side: Side, record: &RawRecord) -> Result<(), DecodeError> {
        let (partition, offset) = (record.partition, record.offset);
        let [blue, green] = &mut self.next;
        let next = if side == Side::Blue { blue } else { green };
        let next = next.entry(partition).or_insert(0);
        if offset < *next {
            return Ok(());
        }
        *next = offset.saturating_add(1);
        self.take(side, record).map_err(|fault| {
            let topic = match side {
                Side::Blue => self.contract.blue_topic.as_deref().unwrap_or("(no blue topic)"),
                Side::Green => &self.contract.green_topic,
            };
            self.unread.0 += 1;
            self.unread.1.get_or_insert_with(|| format!("`{topic}` {partition}@{offset}: {fault}"));
            DecodeError { topic: topic.to_owned(), partition, offset, fault }
        })
    }

    fn take(&mut self, side: Side, record: &RawRecord) -> Result<(), Fault> {
        let print = self.prints.print(side, record)?;
        let new = self.prints.news();
        match &mut self.held {
            Held::Upsert(stores) => {
                let key = print.key.ok_or(Fault::NoKey)?;
                let Ok(partition) = u16::try_from(record.partition) else {
                    self.too_many = true;
                    return Ok(());
                };
                let news = match print.row {
                    None => DELETED,
                    Some(_) if new.is_empty() => 0,
                    Some(_) => match self.news.get(new) {
                        Some(number) => *number,
                        None => {
                            // Number 0 is that of rows without new columns.
                            let number = self.news.len() as u16 + 1;
                            self.too_many |= number == DELETED;
                            self.news.insert(new.into(), number);
                            number
                        }
                    },
                };
                let entry = Live::new(key, print.row.unwrap_or_default(), print.encoding, partition, news);
                if !self.too_many
                    && let Some(store) = stores.get_mut(side.index())
                {
                    store.push(entry);
                }
            }
            Held::Append { rows, keys } => {
                let row = print.row.ok_or(Fault::NoValue)?;
                if let Some(store) = rows.get_mut(side.index()) {
                    store.push(Counted::one(row));
                }
                let Side::Green = side else { return Ok(()) };
                if let Some(key) = print.key {
                    keys.push(Counted::one(key));
                }
                self.counts.news.resize(new.len(), [0; 4]);
                new.iter().zip(&mut self.counts.news).for_each(|(new, counts)| new.count(counts));
                let broken = broken_new_column(self.prints.columns(), new);
                if let Some((column, _)) = broken {
                    self.counts.different += 1;
                    self.prints.differ(column);
                    if self.broken.len() < SHOWN {
                        self.broken.insert(row);
                    }
                }
            }
        }
        Ok(())
    }

    /// Counts. `None` when there is more than fingerprints can tell apart: only rounds decide then.
    pub fn finish(self) -> Option<Findings> {
        if self.too_many {
            return None;
        }
        let Self { contract, prints, schemas, held, next, news, mut counts, broken, unread, .. } = self;
        let mut wanted = Wanted::default();
        match held {
            Held::Upsert(mut stores) => {
                stores.iter_mut().for_each(Store::finish);
                let mut combinations: Vec<&[NewValue]> = vec![&[]; news.len() + 1];
                for (combination, number) in &news {
                    if let Some(place) = combinations.get_mut(usize::from(*number)) {
                        *place = combination;
                    }
                }
                let blue = contract.blue_topic.is_some();
                upserts(&stores, (blue, prints.columns(), &combinations), &mut counts, &mut wanted);
            }
            Held::Append { mut rows, mut keys } => {
                rows.iter_mut().for_each(Store::finish);
                keys.finish();
                appends(&rows, contract.blue_topic.is_some(), &mut counts, &mut wanted);
                for entry in keys.buckets().flatten().filter(|e| e.count > 1) {
                    counts.duplicate(Kind::RepeatedKey, entry.count - 1);
                    wanted.add(Kind::RepeatedKey, entry.key());
                }
                broken.into_iter().for_each(|row| wanted.add(Kind::Different, row));
            }
        }
        let mut table = TableValidation::new(contract.clone());
        let mut keys = TableValidation::new(TableContract { blue_topic: None, ..contract.clone() });
        for (id, (text, references)) in &schemas {
            // They were usable before.
            let _ = table.add_schema(*id, text, references).and_then(|()| keys.add_schema(*id, text, references));
        }
        // Samples name the columns in the order in which the first read met them.
        let names: Vec<&str> = prints.columns().list().iter().map(|column| column.name.as_str()).collect();
        for look in [&mut table, &mut keys] {
            look.columns.resolve(&names);
        }
        let [blue, green] = &next;
        table.begin_round(blue, green);
        keys.begin_round(&Offsets::new(), green);
        Some(Findings { contract, prints, next, counts, unread, wanted: wanted.sets(), table, keys })
    }
}

/// Keys and rows that are to be looked at, by the kind of finding.
#[derive(Default)]
struct Wanted(BTreeMap<Kind, Vec<u128>>);

impl Wanted {
    /// Findings come in the order of their fingerprints.
    fn add(&mut self, kind: Kind, print: u128) {
        let most = if kind == Kind::Different { LOOKED } else { SHOWN };
        let found = self.0.entry(kind).or_default();
        if found.len() < most {
            found.push(print);
        }
    }

    /// Declared keys, and everything else.
    fn sets(mut self) -> [BTreeSet<u128>; 2] {
        let keys = self.0.remove(&Kind::RepeatedKey).unwrap_or_default();
        [keys.into_iter().collect(), self.0.into_values().flatten().collect()]
    }
}

/// Folds and compares an upsert table.
fn upserts(
    stores: &[Store<Live>; 2],
    (has_blue, columns, combinations): (bool, &Columns, &[&[NewValue]]),
    counts: &mut Counts,
    wanted: &mut Wanted,
) {
    let [blues, greens] = stores;
    let [blue_digest, green_digest] = &mut counts.digests;
    let [blue_rows, green_rows] = &mut counts.rows;
    let mut duplicates = [(Kind::TwoPartitions, 0u64), (Kind::TwoEncodings, 0)];
    let news = |live: &Live| combinations.get(usize::from(live.news)).copied().unwrap_or_default();
    for (blue, green) in blues.buckets().zip(greens.buckets()).flat_map(|(blue, green)| together(blue, green)) {
        let Some(key) = blue.iter().chain(green).map(Entry::key).next() else { continue };
        *blue_rows += blue.len() as u64;
        *green_rows += green.len() as u64;
        blue.iter().for_each(|live| blue_digest.add(live.row(), 1));
        for live in green {
            green_digest.add(live.row(), 1);
            counts.news.resize(counts.news.len().max(news(live).len()), [0; 4]);
            news(live).iter().zip(&mut counts.news).for_each(|(new, counts)| new.count(counts));
        }
        let apart = |lives: &[Live]| {
            let differs = |of: fn(&Live) -> u64| lives.iter().any(|l| lives.first().is_some_and(|f| of(f) != of(l)));
            [differs(|l| l.partition.into()), differs(|l| l.encoding.into())]
        };
        if blue.len() > 1 {
            wanted.add(Kind::Blue, key);
        }
        for ((kind, count), seen) in duplicates.iter_mut().zip(apart(green)) {
            if seen {
                *count += 1;
                wanted.add(*kind, key);
            }
        }
        let broken = green.iter().any(|live| broken_new_column(columns, news(live)).is_some());
        match (blue, green) {
            _ if broken => {
                counts.different += 1;
                wanted.add(Kind::Different, key);
            }
            (_, [_, _, ..]) => {}
            _ if !has_blue => {}
            (_, []) => {
                counts.missing += 1;
                wanted.add(Kind::Missing, key);
            }
            ([], [_]) => {
                counts.extra += 1;
                wanted.add(Kind::Extra, key);
            }
            // Blue may hold the key twice (reported, not green's fault): green agrees when it agrees with one of them.
            (_, [one]) if blue.iter().any(|live| live.row() == one.row()) => counts.equal += 1,
            _ => {
                counts.different += 1;
                wanted.add(Kind::Different, key);
            }
        }
    }
    duplicates.into_iter().for_each(|(kind, count)| counts.duplicate(kind, count));
    counts.churn = greens.repeated();
    counts.sampled = counts.different > LOOKED as u64;
}

/// Compares an append table by how often each row is there.
fn appends(stores: &[Store<Counted>; 2], has_blue: bool, counts: &mut Counts, wanted: &mut Wanted) {
    let [blues, greens] = stores;
    let mut digests = [TableDigest::default(); 2];
    for (blue, green) in blues.buckets().zip(greens.buckets()).flat_map(|(blue, green)| together(blue, green)) {
        let Some(row) = blue.iter().chain(green).map(Entry::key).next() else { continue };
        let [blue, green] = [blue, green].map(|entries| entries.iter().map(|e| e.count).sum::<u64>());
        for ((digest, rows), count) in digests.iter_mut().zip(&mut counts.rows).zip([blue, green]) {
            digest.add(row, count);
            *rows += count;
        }
        if !has_blue {
            continue;
        }
        counts.equal += blue.min(green);
        if blue > green {
            counts.missing += blue - green;
            wanted.add(Kind::Missing, row);
        } else if green > blue && blue == 0 {
            counts.extra += green;
            wanted.add(Kind::Extra, row);
        } else if green > blue {
            counts.duplicate(Kind::Multiplicity, green - blue);
            wanted.add(Kind::Multiplicity, row);
        }
    }
    counts.digests = digests;
}

/// What the first read found, and the look at some of it.
pub struct Findings {
    contract: TableContract,
    prints: Fingerprints,
    next: [Offsets; 2],
    counts: Counts,
    unread: (u64, Option<String>),
    /// Declared keys that are looked at, and rows, or keys of an upsert table.
    wanted: [BTreeSet<u128>; 2],
    table: TableValidation,
    /// Green's rows whose declared key repeats; held against no blue, which may have other rows of that key.
    keys: TableValidation,
}

impl Findings {
    /// True when there is something to be shown: the same records are to be read again.
    pub fn wants_look(&self) -> bool {
        self.wanted.iter().any(|wanted| !wanted.is_empty())
    }

    /// Takes one record of the second read. Records that the first one did not have are ignored.
    pub fn look(&mut self, side: Side, record: &RawRecord) {
        let seen = self.next.get(side.index()).and_then(|next| next.get(&record.partition));
        if seen.is_none_or(|next| record.offset >= *next) {
            return;
        }
        // What cannot be read has been counted.
        let Ok(print) = self.prints.print(side, record) else { return };
        let [keys, others] = &self.wanted;
        let (key, other) = match self.contract.changelog {
            Changelog::Upsert => (None, print.key),
            Changelog::Append => (print.key, print.row),
        };
        if other.is_some_and(|print| others.contains(&print)) {
            let _ = self.table.feed(side, record);
        }
        if side == Side::Green && key.is_some_and(|print| keys.contains(&print)) {
            let _ = self.keys.feed(side, record);
        }
    }

    /// The verdict, with what was looked at.
    pub fn verdict(mut self) -> TableVerdict {
        self.table.end_round();
        self.keys.end_round();
        let mut samples = Samples::default();
        if let State::Upsert(fold) = &self.table.state {
            samples = self.table.samples.clone();
            verdict::count_keys(fold, &self.table.columns, &mut samples);
            self.prints.differs_as(&self.table.columns);
        } else {
            samples.take(&self.table.samples, |kind| kind != Kind::RepeatedKey);
            samples.take(&self.keys.samples, |kind| kind == Kind::RepeatedKey);
        }
        let setting =
            Setting { table: &self.contract.table, has_blue: self.contract.blue_topic.is_some(), unread: self.unread };
        verdict::verdict(&setting, self.counts, self.prints.columns(), &samples)
    }
}
