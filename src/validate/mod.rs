//! Validation: what the outputs of blue and green prove, without doing any input or output itself.
//!
//! A caller drives it in rounds. In each round it
//! 1. takes the marks L: the visible ends of blue's and of green's output topic, and gives them to
//!    [`TableValidation::begin_round`];
//! 2. takes the cut S: the visible ends of all inputs;
//! 3. waits until both outputs hold S, hop by hop, and takes the ends F of both output topics;
//! 4. reads both topics from where the last round stopped up to F, as `read_committed`, and gives every record to
//!    [`TableValidation::feed`], with the schemas that [`TableValidation::missing_schemas`] asks for;
//! 5. calls [`TableValidation::end_round`].
//!
//! A record below L was written before S was taken, so it is no effect of an input later than S; a record at or after L
//! may be. After an aborted round the caller begins another one and reads on; nothing is counted twice, because
//! records at offsets that were read already are ignored.
//!
//! # What is decided
//! - **Keys** (upsert tables). Comparable in a round when neither side has a record for the key at or after its L: both
//!   then show the effects of exactly S, must be equal over the compared columns, and if they are not, the key is
//!   `missing`, `extra` or `different` for good. Equal at F although written since L: `followed`. Otherwise pending.
//!   A key still pending at the verdict is decided `by_history` if the last value of one side is among the
//!   other side's values since L, the value in force at L included; else it is undecided and named. History is the
//!   weakest evidence (two counters that are always one apart look like one that is ahead), so it has its own
//!   count; values older than the last L do not count, so a green that stands still is not excused by them.
//! - **Rows** (append tables), by count: see `append`. **Duplicates** come before any comparison: see `fold`.
//! - **Classes** of columns: see `compare` and `columns`. `event_time` and `history` also explain rows that are on one
//!   side only. Explained is undecided, never passed.
//! - **Rows that the plan declares changed** (`rows: changed`): a statement has another condition, join, grouping or window, so
//!   a key or row on one side only can be held against nobody. It is counted (`only_blue`, `only_green`), named in samples
//!   and in the reason, and proves nothing. What is still claimed, and must hold for a pass: every record can be read;
//!   green has no duplicate (an append table: no declared key twice); every key that both sides have agrees in every
//!   compared column, at rest, followed or by its history; and there is at least one such key or row. Sides that have none
//!   in common, an empty green included, are undecided. That green is fresh is claimed by the cut (both outputs hold S)
//!   and shown by the common keys, which are followed as ever; of a key on one side only nothing is shown. A pass never
//!   says more than that, and its reason says so.
//! - A table without blue is looked at for duplicates and new columns only.
//! - A record that cannot be read makes the table undecided, unless it is read in the end.
//!
//! The answer and its reason: see `verdict`. Digests: [`digest`]. Two topics that rest, or one alone, need no rounds: [`survey`]
//! decides the same from fingerprints (`fingerprint`), without keeping or decoding the rows.

mod append;
pub mod audit;
mod canon;
mod columns;
mod compare;
mod decode;
pub mod digest;
mod fingerprint;
mod fold;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod invariant;
pub mod repair;
mod schema;
mod show;
mod store;
pub mod survey;
mod verdict;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use decode::{DecodeError, Fault, RowError, RowReader, decode_row};
pub use schema::{SchemaError, SchemaFault};
pub use verdict::overall;

use crate::model::parity::{Changelog, TableContract};
use crate::model::record::{Offsets, RawRecord, schema_id};
use crate::model::verdict::TableVerdict;
use append::Append;
use columns::{Columns, Part, Role};
use decode::{Fields, field_names, message};
use fold::{Fold, Upsert};
use schema::Shape;
use verdict::{Samples, Setting};

/// Whose output a record is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The version that serves.
    Blue,
    /// Its replacement.
    Green,
}

impl Side {
    fn index(self) -> usize {
        match self {
            Self::Blue => 0,
            Self::Green => 1,
        }
    }
}

/// What a round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Keys that wait for another round.
    pub pending: u64,
    /// How many of them a verdict now would decide by their history. When it is all of them, another round is useful
    /// only in the hope of stronger evidence.
    pub by_history: u64,
    /// Keys and rows decided in this round.
    pub decided: u64,
    /// Keys and rows that are definitely wrong so far, duplicates included.
    pub differences: u64,
    /// Rows of an append table that lie beyond the cut: the next round decides them, new ones will follow.
    pub beyond: u64,
    /// Records read from blue in this round.
    pub read_blue: u64,
    /// Records read from green in this round.
    pub read_green: u64,
}

/// A schema and the columns that its fields are.
struct Loaded {
    shape: Shape,
    columns: Option<Vec<usize>>,
    /// As a value of an append table it lacks a column that the key may have.
    needs_key: bool,
}

/// True when the value lacks a column that the key may have. A new column is not looked for in keys.
fn needs_key(columns: &Columns, key: &[String], value: &Shape) -> bool {
    let names = field_names(value).unwrap_or_default();
    let kept = columns.list().iter().filter(|c| matches!(c.role, Role::Compare | Role::Wide));
    kept.filter(|c| c.class.is_some()).any(|c| !names.contains(&c.name.as_str()))
        || key.iter().any(|k| !names.contains(&k.as_str()))
}

enum State {
    Upsert(Fold),
    Append(Box<Append>),
}

/// The validation of one table over all rounds.
pub struct TableValidation {
    contract: TableContract,
    columns: Columns,
    schemas: BTreeMap<u32, Loaded>,
    state: State,
    samples: Samples,
    marks: [Offsets; 2],
    /// Offset of the next record, by side.
    next: [Offsets; 2],
    unread: BTreeMap<(Side, i32, i64), Fault>,
    read: [u64; 2],
    scratch: (Fields, Fields),
}

impl TableValidation {
    /// Starts a validation of a table that knows no schema and no record yet.
    pub fn new(contract: TableContract) -> Self {
        let has_blue = contract.blue_topic.is_some();
        let state = match contract.changelog {
            Changelog::Upsert => State::Upsert(Fold::new(has_blue)),
            Changelog::Append => State::Append(Box::new(Append::new(has_blue))),
        };
        Self {
            columns: Columns::new(&contract),
            contract,
            schemas: BTreeMap::new(),
            state,
            samples: Samples::default(),
            marks: [Offsets::new(), Offsets::new()],
            next: [Offsets::new(), Offsets::new()],
            unread: BTreeMap::new(),
            read: [0; 2],
            scratch: (Fields::default(), Fields::default()),
        }
    }

    /// Ids of schemas that must be added before the record can be fed.
    ///
    /// Call it again after adding them: whether an append table's key is needed is known only with the value's schema.
    pub fn missing_schemas(&self, record: &RawRecord) -> Vec<u32> {
        let value = record.value.as_deref().and_then(schema_id);
        let key = match (&self.state, value) {
            (State::Upsert(_), _) => true,
            (State::Append(_), Some(id)) => self.schemas.get(&id).is_some_and(|s| s.needs_key),
            (State::Append(_), None) => false,
        };
        let key = record.key.as_deref().filter(|_| key).and_then(schema_id);
        let mut ids: Vec<u32> = key.into_iter().chain(value).filter(|id| !self.schemas.contains_key(id)).collect();
        ids.dedup();
        ids
    }

    /// Adds a writer schema as the registry has it, with the schemas that it refers to.
    pub fn add_schema(&mut self, id: u32, text: &str, references: &[(String, String)]) -> Result<(), SchemaError> {
        let shape = Shape::parse(text, references).map_err(|cause| SchemaError { id, cause })?;
        let needs_key = needs_key(&self.columns, &self.contract.key, &shape);
        self.schemas.insert(id, Loaded { shape, columns: None, needs_key });
        Ok(())
    }

    /// Begins a round with the marks L of both output topics. A partition without a mark has mark 0.
    pub fn begin_round(&mut self, blue_low: &Offsets, green_low: &Offsets) {
        match &mut self.state {
            State::Upsert(fold) => fold.begin_round([blue_low, green_low]),
            State::Append(append) => append.begin_round([blue_low, green_low]),
        }
        self.marks = [blue_low.clone(), green_low.clone()];
        self.read = [0; 2];
    }

    /// Takes one record; in each partition in the order of offsets.
    ///
    /// After `Err` nothing of the record was taken. It may be fed again (with its schema, say); left out, it keeps the
    /// table from passing.
    pub fn feed(&mut self, side: Side, record: &RawRecord) -> Result<(), DecodeError> {
        let (partition, offset) = (record.partition, record.offset);
        if self.next_of(side).get(&partition).is_some_and(|next| offset < *next) {
            return Ok(());
        }
        match self.take(side, record) {
            Ok(()) => {
                self.unread.remove(&(side, partition, offset));
                if let Some(next) = self.next.get_mut(side.index()) {
                    next.insert(partition, offset.saturating_add(1));
                }
                if let Some(read) = self.read.get_mut(side.index()) {
                    *read += 1;
                }
                Ok(())
            }
            Err(fault) => {
                self.unread.insert((side, partition, offset), fault.clone());
                Err(DecodeError { topic: self.topic(side).to_owned(), partition, offset, fault })
            }
        }
    }

    fn topic(&self, side: Side) -> &str {
        match side {
            Side::Blue => self.contract.blue_topic.as_deref().unwrap_or("(no blue topic)"),
            Side::Green => &self.contract.green_topic,
        }
    }

    fn next_of(&self, side: Side) -> &Offsets {
        match side {
            Side::Blue => &self.next[0],
            Side::Green => &self.next[1],
        }
    }

    fn take(&mut self, side: Side, record: &RawRecord) -> Result<(), Fault> {
        if side == Side::Blue && self.contract.blue_topic.is_none() {
            return Err(Fault::NoTopic);
        }
        let value = record.value.as_deref().map(|bytes| message(bytes, "value")).transpose()?;
        let key = match (&self.state, record.key.as_deref(), value) {
            (State::Upsert(_), None, _) => return Err(Fault::NoKey),
            (State::Upsert(_), Some(bytes), _) => Some(message(bytes, "key")?),
            (State::Append(_), _, None) => return Err(Fault::NoValue),
            (State::Append(_), bytes, Some((id, _))) => {
                let needed = self.schemas.get(&id).is_some_and(|s| s.needs_key);
                bytes.filter(|_| needed).and_then(|bytes| message(bytes, "key").ok())
            }
        };
        let (key_fields, value_fields) = &mut self.scratch;
        let declared = self.contract.key.as_slice();
        let mut part = |message: Option<(u32, &[u8])>, fields: &mut Fields| {
            let Some((id, datum)) = message else { return Ok(None) };
            let loaded = self.schemas.get_mut(&id).ok_or(Fault::UnknownSchema(id))?;
            fields.read(&loaded.shape, datum, id)?;
            if loaded.columns.is_none() {
                let names = match (field_names(&loaded.shape), declared) {
                    (Some(names), _) => names,
                    (None, [one]) => vec![one.as_str()],
                    (None, _) => return Err(Fault::NotARow(id)),
                };
                loaded.columns = Some(self.columns.resolve(&names));
            }
            Ok(Some(id))
        };
        let key_id = part(key, key_fields)?;
        let value_id = part(value, value_fields)?;
        let loaded = |id: Option<u32>| id.and_then(|id| self.schemas.get(&id)).and_then(|l| l.columns.as_deref());
        let key_part = loaded(key_id).map(|columns| Part { fields: key_fields, columns });
        let value_part = loaded(value_id).map(|columns| Part { fields: value_fields, columns });
        for part in key_part.iter().chain(&value_part) {
            self.columns.saw(side, part.columns);
        }
        let row = value_part.as_ref().map(|value| self.columns.row(side, value, key_part.as_ref()));
        let [blue, green] = &self.marks;
        let mark = if side == Side::Blue { blue } else { green };
        let (partition, offset) = (record.partition, record.offset);
        match (&mut self.state, row) {
            (State::Upsert(fold), row) => {
                let part = key_part.as_ref().ok_or(Fault::NoKey)?;
                let key = self.columns.key_of(part).map_err(|(found, wanted)| Fault::OtherKey { found, wanted })?;
                let encoding = digest::mark(record.key.as_deref().unwrap_or_default());
                let value = digest::mark(record.value.as_deref().unwrap_or_default());
                fold.feed(side, mark, Upsert { key, partition, offset, encoding, value, row });
            }
            (State::Append(append), Some(row)) => {
                let parts: Vec<&Part<'_>> = value_part.iter().chain(&key_part).collect();
                let key = self.columns.key_in(&parts);
                let into = (&mut self.columns, &mut self.samples);
                append.feed(side, mark, (partition, offset), row, key.as_deref(), into);
            }
            (State::Append(_), None) => return Err(Fault::NoValue),
        }
        Ok(())
    }

    /// Ends the round: everything up to F was fed. Decides what can be decided.
    pub fn end_round(&mut self) -> Round {
        let tally = match &mut self.state {
            State::Upsert(fold) => fold.end_round(&mut self.columns, &mut self.samples),
            State::Append(append) => append.end_round(&mut self.columns, &mut self.samples),
        };
        let [read_blue, read_green] = self.read;
        let (differences, beyond) = match &self.state {
            State::Upsert(fold) => (fold.differences(), 0),
            State::Append(append) => (append.differences(), append.beyond()),
        };
        Round {
            pending: tally.pending,
            by_history: tally.by_history,
            decided: tally.decided,
            differences,
            beyond,
            read_blue,
            read_green,
        }
    }

    /// The verdict as of the last ended round.
    pub fn verdict(&self) -> TableVerdict {
        let mut samples = self.samples.clone();
        let counts = match &self.state {
            State::Upsert(fold) => verdict::count_keys(fold, &self.columns, &mut samples),
            State::Append(append) => append.counts(),
        };
        let first = self.unread.first_key_value();
        let setting = Setting {
            table: &self.contract.table,
            has_blue: self.contract.blue_topic.is_some(),
            unread: (
                self.unread.len() as u64,
                first.map(|((s, p, o), f)| format!("`{}` {p}@{o}: {f}", self.topic(*s))),
            ),
        };
        verdict::verdict(&setting, counts, &self.columns, &samples)
    }
}
