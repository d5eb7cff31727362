//! Append tables: both sides as multisets of rows.
//!
//! Rules:
//! - Equal rows may be legal, so rows are counted, not looked up: blue's count of a row against green's.
//! - Blue's rows below the mark L that green does not have when the round ends are missing. Green's rows below the mark
//!   that blue does not have are extra, or a broken multiplicity where blue has the row, only not as often. Both answers
//!   are final.
//! - Rows at or after the mark that the other side does not have lie beyond the cut: no claim is made about them
//!   until a later mark passes them. There are always some while input arrives, so they do not keep a round open.
//! - A declared key that repeats in green is a duplicate.
//! - Where the plan declares that rows change, a row that one side has more often is counted and held against nobody; a
//!   declared key that repeats is a duplicate all the same.
//! - Where a class allows differences, rows that are left over on both sides and equal in all strictly compared
//!   columns are paired, and each pair is judged by the classes.

use std::collections::{BTreeMap, BTreeSet};

use super::Side;
use super::columns::{Columns, Printer, Row};
use super::compare::{Match, broken_new_column, describe, describe_row, rows};
use super::digest::{TableDigest, fingerprint};
use super::fold::{Map, Tally};
use super::verdict::{Counts, Kind, Samples};
use crate::model::record::Offsets;

/// How many candidates are tried to pair one row.
const CANDIDATES: usize = 64;

/// How often a row was read. Small, because there is one for every row of the table.
#[derive(Default)]
struct Entry {
    blue: u32,
    green: u32,
    /// Kept only while the counts differ.
    row: Option<Box<Row>>,
}

/// What is definitely wrong with a row, in numbers of records.
#[derive(Clone, Copy, Default)]
struct Wrong {
    missing: u64,
    extra: u64,
    multiplicity: u64,
}

/// Rows of one side that the other side does not have.
struct Left {
    row: Row,
    print: u128,
    /// Below the mark.
    due: u64,
    /// At or after it.
    beyond: u64,
}

impl Left {
    fn count(&self) -> u64 {
        self.due + self.beyond
    }

    fn take(&mut self, count: u64) {
        let due = self.due.min(count);
        self.due -= due;
        self.beyond = self.beyond.saturating_sub(count - due);
    }
}

/// Both sides of an append table.
pub(super) struct Append {
    entries: Map<u128, Entry>,
    uneven: BTreeSet<u128>,
    /// Records at or after the mark: fingerprint, partition, offset.
    late: [Vec<(u128, i32, i64)>; 2],
    keys: Map<u128, ()>,
    printer: Printer,
    wrong: BTreeMap<u128, Wrong>,
    news: Vec<[u64; 4]>,
    has_blue: bool,
    rows: [u64; 2],
    equal: u64,
    repeated: u64,
    broken: u64,
    // Of the last round:
    near: BTreeMap<usize, u64>,
    explained: BTreeMap<usize, u64>,
    explained_rows: u64,
    near_rows: u64,
    /// Rows that only blue has and only green has, where the plan declares that rows change.
    only: [u64; 2],
    beyond: u64,
    decided_before: u64,
}

impl Append {
    pub(super) fn new(has_blue: bool) -> Self {
        Self {
            entries: Map::default(),
            uneven: BTreeSet::new(),
            late: [Vec::new(), Vec::new()],
            keys: Map::default(),
            printer: Printer::default(),
            wrong: BTreeMap::new(),
            news: Vec::new(),
            has_blue,
            rows: [0; 2],
            equal: 0,
            repeated: 0,
            broken: 0,
            near: BTreeMap::new(),
            explained: BTreeMap::new(),
            explained_rows: 0,
            near_rows: 0,
            only: [0; 2],
            beyond: 0,
            decided_before: 0,
        }
    }

    /// Forgets that records below the new marks were late.
    pub(super) fn begin_round(&mut self, marks: [&Offsets; 2]) {
        for (late, mark) in self.late.iter_mut().zip(marks) {
            late.retain(|(_, p, o)| *o >= mark.get(p).copied().unwrap_or(0));
        }
    }

    /// Takes one row, with its declared key if it has one.
    pub(super) fn feed(
        &mut self,
        side: Side,
        mark: &Offsets,
        (partition, offset): (i32, i64),
        row: Row,
        key: Option<&[u8]>,
        (columns, samples): (&mut Columns, &mut Samples),
    ) {
        if side == Side::Green {
            self.green_only(&row, key, columns, samples);
        }
        if let Some(count) = self.rows.get_mut(side.index()) {
            *count += 1;
        }
        let print = self.printer.print(columns, &[], &row);
        let entry = self.entries.entry(print).or_default();
        let (mine, other) = match side {
            Side::Blue => (&mut entry.blue, entry.green),
            Side::Green => (&mut entry.green, entry.blue),
        };
        *mine = mine.saturating_add(1);
        if *mine <= other {
            self.equal += 1;
        }
        if entry.blue == entry.green || !self.has_blue {
            entry.row = None;
            self.uneven.remove(&print);
        } else {
            entry.row.get_or_insert_with(|| Box::new(row));
            self.uneven.insert(print);
        }
        if offset >= mark.get(&partition).copied().unwrap_or(0)
            && let Some(late) = self.late.get_mut(side.index())
        {
            late.push((print, partition, offset));
        }
    }

    /// What is claimed of green alone: declared keys and new columns.
    fn green_only(&mut self, row: &Row, key: Option<&[u8]>, columns: &mut Columns, samples: &mut Samples) {
        if let Some(key) = key
            && self.keys.insert(fingerprint(key), ()).is_some()
        {
            self.repeated += 1;
            samples.add(Kind::RepeatedKey, || columns.show_key(key));
        }
        if self.news.len() < row.news.len() {
            self.news.resize(row.news.len(), [0; 4]);
        }
        for (counts, new) in self.news.iter_mut().zip(&row.news) {
            new.count(counts);
        }
        if let Some((column, how)) = broken_new_column(columns, &row.news) {
            self.broken += 1;
            columns.differ(&[column]);
            samples.add(Kind::Different, || {
                format!("{}: new column {} is {how}", describe_row(columns, row), columns.name(column))
            });
        }
    }

    /// Judges every row whose counts differ.
    pub(super) fn end_round(&mut self, columns: &mut Columns, samples: &mut Samples) -> Tally {
        let mut late: Map<u128, [u64; 2]> = Map::default();
        for (side, records) in self.late.iter().enumerate() {
            for (print, ..) in records {
                if let Some(count) = late.entry(*print).or_default().get_mut(side) {
                    *count += 1;
                }
            }
        }
        let (mut blues, mut greens) = (Vec::new(), Vec::new());
        for print in &self.uneven {
            let Some(entry) = self.entries.get(print) else { continue };
            let Some(row) = entry.row.as_deref().cloned() else { continue };
            let [late_blue, late_green] = late.get(print).copied().unwrap_or_default();
            let (count, other, late) = if entry.blue > entry.green {
                (u64::from(entry.blue), u64::from(entry.green), late_blue)
            } else {
                (u64::from(entry.green), u64::from(entry.blue), late_green)
            };
            let due = count.saturating_sub(late).saturating_sub(other);
            let left = Left { row, print: *print, due, beyond: count - other - due };
            if entry.blue > entry.green { blues.push(left) } else { greens.push(left) }
        }
        self.near.clear();
        self.explained.clear();
        self.explained_rows = 0;
        self.near_rows = 0;
        self.only = [0; 2];
        if columns.soft() {
            self.pair(columns, &mut blues, &mut greens, samples);
        }
        self.beyond = blues.iter().chain(&greens).map(|l| l.beyond).sum();
        for left in blues.iter().filter(|l| l.due > 0) {
            self.judge(Kind::Missing, left, columns, samples);
        }
        for left in greens.iter().filter(|l| l.due > 0) {
            let in_blue = self.entries.get(&left.print).is_some_and(|e| e.blue > 0);
            self.judge(if in_blue { Kind::Multiplicity } else { Kind::Extra }, left, columns, samples);
        }
        let decided =
            if self.has_blue { self.equal + self.near_rows + self.differences() } else { self.rows.iter().sum() };
        let tally = Tally { decided: decided.saturating_sub(self.decided_before), ..Tally::default() };
        self.decided_before = decided;
        tally
    }

    fn judge(&mut self, kind: Kind, left: &Left, columns: &Columns, samples: &mut Samples) {
        let times = if left.due == 1 { String::new() } else { format!(" ({} times)", left.due) };
        if columns.rows_changed() {
            let (side, kind) = if kind == Kind::Missing { (0, Kind::OnlyBlue) } else { (1, Kind::OnlyGreen) };
            self.only.get_mut(side).into_iter().for_each(|count| *count += left.due);
            samples.add(kind, || {
                format!("{}{times}: the plan declares that rows change", describe_row(columns, &left.row))
            });
            return;
        }
        if columns.rows_explained() {
            self.explained_rows += left.due;
            samples.add(Kind::Explained, || {
                format!("{}{times}: {} in green", describe_row(columns, &left.row), kind.verb())
            });
            return;
        }
        let wrong = self.wrong.entry(left.print).or_default();
        let field = match kind {
            Kind::Missing => &mut wrong.missing,
            Kind::Extra => &mut wrong.extra,
            _ => &mut wrong.multiplicity,
        };
        if *field == 0 {
            samples.add(kind, || format!("{}{times}", describe_row(columns, &left.row)));
        }
        *field = left.due.max(*field);
    }

    /// Pairs rows that are left over on both sides; first those that agree, then those that a class explains.
    fn pair(&mut self, columns: &Columns, blues: &mut [Left], greens: &mut [Left], samples: &mut Samples) {
        let mut groups: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
        for (i, left) in greens.iter().enumerate() {
            groups.entry(strict_cells(columns, &left.row)).or_default().push(i);
        }
        for explained in [false, true] {
            for blue in blues.iter_mut() {
                let Some(group) = groups.get_mut(&strict_cells(columns, &blue.row)) else { continue };
                group.retain(|i| greens.get(*i).is_some_and(|g| g.count() > 0));
                for i in group.iter().take(CANDIDATES) {
                    let Some(green) = greens.get_mut(*i) else { continue };
                    let count = blue.count().min(green.count());
                    match (rows(columns, &blue.row, &green.row), explained) {
                        _ if count == 0 => continue,
                        (Match::Equal(which), _) => {
                            self.near_rows += count;
                            which.iter().for_each(|c| *self.near.entry(*c).or_default() += count);
                        }
                        (Match::Explained(which), true) => {
                            self.explained_rows += count;
                            which.iter().for_each(|c| *self.explained.entry(*c).or_default() += count);
                            samples.add(Kind::Explained, || describe(columns, &blue.row, &green.row, &which));
                        }
                        _ => continue,
                    }
                    blue.take(count);
                    green.take(count);
                }
            }
        }
    }

    /// What is definitely wrong, in records.
    pub(super) fn differences(&self) -> u64 {
        let wrong: u64 = self.wrong.values().map(|w| w.missing + w.extra + w.multiplicity).sum();
        wrong + self.repeated + self.broken
    }

    /// Rows that lie beyond the cut.
    pub(super) fn beyond(&self) -> u64 {
        self.beyond
    }

    /// The figures for the verdict.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts { rows: self.rows, different: self.broken, ..Counts::default() };
        counts.equal = self.equal + self.near_rows;
        for wrong in self.wrong.values() {
            counts.missing += wrong.missing;
            counts.extra += wrong.extra;
            counts.duplicate(Kind::Multiplicity, wrong.multiplicity);
        }
        counts.duplicate(Kind::RepeatedKey, self.repeated);
        counts.explained = self.explained_rows;
        counts.only = self.only;
        counts.beyond = self.beyond;
        counts.near = self.near.clone();
        counts.explained_in = self.explained.clone();
        counts.news = self.news.clone();
        let mut digests = [TableDigest::default(); 2];
        for (print, entry) in &self.entries {
            let [blue, green] = &mut digests;
            blue.add(*print, entry.blue.into());
            green.add(*print, entry.green.into());
        }
        counts.digests = digests;
        counts
    }
}

fn strict_cells(columns: &Columns, row: &Row) -> Vec<u8> {
    let mut out = Vec::new();
    for (column, value) in row.cells().filter(|(column, _)| columns.strict(*column)) {
        out.extend_from_slice(&(column as u32).to_be_bytes());
        out.extend_from_slice(value);
    }
    out
}
