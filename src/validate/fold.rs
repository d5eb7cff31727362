//! Upsert tables: both sides folded by key, and what is known of each key.
//!
//! Rules:
//! - The last record of a key counts, a tombstone deletes it, in each partition and each byte form of the key on its
//!   own. A decoded key that is live more than once in green is a duplicate; that is looked for before any comparison.
//! - A key is *late* on a side while it has a record there at or after the round's mark L.
//! - A key that is late on neither side is comparable, and the answer is final: a later change does not make up for a
//!   difference at a sound cut. A late key whose two sides are equal has been followed. Every other key is pending.
//! - Of late keys the values since the mark are kept (the value in force at the mark first, the last
//!   [`HISTORY`] at most), and no longer than until a later mark passes them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use super::Side;
use super::columns::{Columns, Row};
use super::compare::{Match, broken_new_column, describe, rows};
use super::verdict::{Kind, Samples};
use crate::model::record::Offsets;

/// Values of one late key that are kept on one side.
pub(super) const HISTORY: usize = 64;

/// A hash map that behaves the same in every run.
pub(super) type Map<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Not live on either side, or not looked at yet.
    Nothing,
    Equal,
    Followed,
    /// Live more than once in green.
    Duplicate,
    /// A difference that its class explains.
    Explained,
    /// Live on this side only, where the plan declares that rows change.
    Only(Side),
    Pending,
    Missing,
    Extra,
    Different,
}

impl Status {
    fn is_final(self) -> bool {
        matches!(self, Self::Missing | Self::Extra | Self::Different)
    }
}

/// A live record of a key.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub partition: i32,
    /// Mark of the key's bytes.
    pub encoding: u32,
    /// Mark of the value's bytes.
    value: u32,
    pub row: Row,
}

/// A record as the fold takes it.
pub(super) struct Upsert {
    pub key: Vec<u8>,
    pub partition: i32,
    pub offset: i64,
    pub encoding: u32,
    pub value: u32,
    /// `None` deletes.
    pub row: Option<Row>,
}

/// A key and its live records on both sides; the last written is last.
pub(super) struct KeyState {
    pub key: Arc<[u8]>,
    pub live: [Vec<Copy>; 2],
    pub status: Status,
    dirty: bool,
}

impl KeyState {
    /// The current row of a side.
    pub(super) fn row(&self, side: Side) -> Option<&Row> {
        self.copies(side).last().map(|c| &c.row)
    }

    /// All live records of a side.
    pub(super) fn copies(&self, side: Side) -> &[Copy] {
        match side {
            Side::Blue => &self.live[0],
            Side::Green => &self.live[1],
        }
    }
}

/// A value of a late key: where it was written, and what.
struct Moment {
    at: Option<(i32, i64)>,
    row: Option<Row>,
}

/// Values of a late key since the mark.
type History = VecDeque<Moment>;

/// Both sides of an upsert table.
pub(super) struct Fold {
    index: Map<Arc<[u8]>, usize>,
    pub keys: Vec<KeyState>,
    /// Keys to be looked at when the round ends.
    dirty: Vec<usize>,
    late: [BTreeMap<usize, History>; 2],
    has_blue: bool,
    pub churn: u64,
}

/// What a round did.
#[derive(Default)]
pub(super) struct Tally {
    pub decided: u64,
    pub pending: u64,
    pub by_history: u64,
}

impl Fold {
    pub(super) fn new(has_blue: bool) -> Self {
        Self {
            index: Map::default(),
            keys: Vec::new(),
            dirty: Vec::new(),
            late: [BTreeMap::new(), BTreeMap::new()],
            has_blue,
            churn: 0,
        }
    }

    /// Forgets the histories that end before the new marks.
    pub(super) fn begin_round(&mut self, marks: [&Offsets; 2]) {
        for (late, mark) in self.late.iter_mut().zip(marks) {
            let before = |m: &Moment| m.at.is_none_or(|(p, o)| o < mark.get(&p).copied().unwrap_or(0));
            late.retain(|_, history| {
                let in_force = history.iter().rposition(&before).unwrap_or(0);
                history.drain(..in_force);
                !history.iter().all(&before)
            });
        }
    }

    /// Takes one record.
    pub(super) fn feed(&mut self, side: Side, mark: &Offsets, record: Upsert) {
        let number = match self.index.get(record.key.as_slice()) {
            Some(number) => *number,
            None if record.row.is_none() => return, // deletes what nobody has
            None => {
                let key: Arc<[u8]> = record.key.into();
                self.index.insert(Arc::clone(&key), self.keys.len());
                let live = [Vec::new(), Vec::new()];
                self.keys.push(KeyState { key, live, status: Status::Nothing, dirty: false });
                self.keys.len() - 1
            }
        };
        let Some(state) = self.keys.get_mut(number) else { return };
        let (copies, other) = match &mut state.live {
            [blue, green] if side == Side::Blue => (blue, green),
            [blue, green] => (green, blue),
        };
        let before = copies.last().map(|c| c.row.clone());
        let same = copies.iter().position(|c| c.partition == record.partition && c.encoding == record.encoding);
        let replaced = same.map(|i| copies.remove(i));
        if let Some(mut row) = record.row {
            if side == Side::Green && replaced.is_some_and(|c| c.value == record.value) {
                self.churn += 1;
            }
            if let Some(twin) = other.iter().find(|c| c.row.cells == row.cells) {
                row.cells = Arc::clone(&twin.row.cells); // equal rows share their bytes
            }
            let (partition, encoding, value) = (record.partition, record.encoding, record.value);
            copies.reserve_exact(1);
            copies.push(Copy { partition, encoding, value, row });
        }
        let after = copies.last().map(|c| c.row.clone());
        if !state.dirty {
            state.dirty = true;
            self.dirty.push(number);
        }
        if record.offset >= mark.get(&record.partition).copied().unwrap_or(0)
            && let Some(late) = self.late.get_mut(side.index())
        {
            let history = late.entry(number).or_insert_with(|| VecDeque::from([Moment { at: None, row: before }]));
            if history.len() > HISTORY {
                history.pop_front();
            }
            history.push_back(Moment { at: Some((record.partition, record.offset)), row: after });
        }
    }

    /// Looks at every key that was written in this round or was pending before it.
    pub(super) fn end_round(&mut self, columns: &mut Columns, samples: &mut Samples) -> Tally {
        let mut tally = Tally::default();
        let mut numbers = std::mem::take(&mut self.dirty);
        numbers.sort_unstable();
        let mut pending = Vec::new();
        for number in numbers {
            let Some(state) = self.keys.get(number).filter(|s| !s.status.is_final()) else { continue };
            let at_rest = self.late.iter().all(|late| !late.contains_key(&number));
            let (status, sample) = decide(state, at_rest, self.has_blue, columns);
            let by_history = status == Status::Pending && self.by_history(number, columns);
            let Some(state) = self.keys.get_mut(number) else { continue };
            state.status = status;
            state.dirty = status == Status::Pending;
            match sample {
                Some(Finding { kind, columns: which, text }) => {
                    columns.differ(&which);
                    samples.add(kind, || format!("{}: {text}", columns.show_key(&state.key)));
                }
                None if status == Status::Pending => pending.push(number),
                None => {}
            }
            match status {
                Status::Pending => {
                    tally.pending += 1;
                    tally.by_history += u64::from(by_history);
                }
                Status::Nothing => {}
                _ => tally.decided += 1,
            }
        }
        self.dirty = pending;
        tally
    }

    /// Keys that are definitely wrong or live more than once in green.
    pub(super) fn differences(&self) -> u64 {
        self.keys.iter().filter(|k| k.status.is_final() || k.status == Status::Duplicate).count() as u64
    }

    /// True when the last value of one side is among the other side's values since the mark.
    pub(super) fn by_history(&self, number: usize, columns: &Columns) -> bool {
        let Some(state) = self.keys.get(number) else { return false };
        let values = |side: Side| match self.late.get(side.index()).and_then(|late| late.get(&number)) {
            Some(history) => history.iter().map(|m| m.row.as_ref()).collect(),
            None => vec![state.row(side)],
        };
        let (blue, green) = (values(Side::Blue), values(Side::Green));
        let (blue_last, green_last) = (state.row(Side::Blue), state.row(Side::Green));
        green.iter().any(|g| agree(columns, blue_last, *g)) || blue.iter().any(|b| agree(columns, *b, green_last))
    }
}

/// Why a key failed, for a sample.
struct Finding {
    kind: Kind,
    columns: Vec<usize>,
    text: String,
}

fn agree(columns: &Columns, blue: Option<&Row>, green: Option<&Row>) -> bool {
    match (blue, green) {
        (None, None) => true,
        (Some(b), Some(g)) => matches!(rows(columns, b, g), Match::Equal(_)),
        _ => false,
    }
}

fn decide(state: &KeyState, at_rest: bool, has_blue: bool, columns: &Columns) -> (Status, Option<Finding>) {
    let green = state.row(Side::Green);
    let mut greens = state.copies(Side::Green).iter().rev();
    if let Some((column, how)) = greens.find_map(|copy| broken_new_column(columns, &copy.row.news)) {
        let text = format!("new column {} is {how}", columns.name(column));
        return (Status::Different, Some(Finding { kind: Kind::Different, columns: vec![column], text }));
    }
    if state.copies(Side::Green).len() > 1 {
        return (Status::Duplicate, None);
    }
    if !has_blue {
        return (Status::Nothing, None);
    }
    let equal = if at_rest { Status::Equal } else { Status::Followed };
    let open = if at_rest { None } else { Some((Status::Pending, None)) };
    let one_sided = |status: Status, kind: Kind| {
        if columns.rows_explained() {
            let text = format!("{} in green, which a column's class explains", kind.verb());
            return (Status::Explained, Some(Finding { kind: Kind::Explained, columns: Vec::new(), text }));
        }
        let text = format!("{} in green", kind.verb());
        (status, Some(Finding { kind, columns: Vec::new(), text }))
    };
    // Blue may hold the key twice (reported, not green's fault): green agrees when it agrees with one of them.
    let blues = state.copies(Side::Blue);
    match (blues.last(), green) {
        (None, None) => (Status::Nothing, None),
        // Nothing is claimed of it, so there is nothing to wait for: a key that comes later is looked at again.
        (Some(_), None) if columns.rows_changed() => declared(at_rest, Side::Blue),
        (None, Some(_)) if columns.rows_changed() => declared(at_rest, Side::Green),
        (Some(_), None) => open.unwrap_or_else(|| one_sided(Status::Missing, Kind::Missing)),
        (None, Some(_)) => open.unwrap_or_else(|| one_sided(Status::Extra, Kind::Extra)),
        (Some(last), Some(green)) => {
            if blues.iter().any(|b| agree(columns, Some(&b.row), Some(green))) {
                return (equal, None);
            }
            if let Some(open) = open {
                return open;
            }
            let (status, kind, which) = match rows(columns, &last.row, green) {
                Match::Different(which) => (Status::Different, Kind::Different, which),
                Match::Explained(which) | Match::Equal(which) => (Status::Explained, Kind::Explained, which),
            };
            let text = describe(columns, &last.row, green, &which);
            let counted = if status == Status::Different { which } else { Vec::new() };
            (status, Some(Finding { kind, columns: counted, text }))
        }
    }
}

/// A key on one side only, where the plan declares that rows change. One that is still being written is no sample.
fn declared(at_rest: bool, side: Side) -> (Status, Option<Finding>) {
    let kind = if side == Side::Blue { Kind::OnlyBlue } else { Kind::OnlyGreen };
    let text = "the plan declares that rows change".to_owned();
    (Status::Only(side), at_rest.then(|| Finding { kind, columns: Vec::new(), text }))
}
