//! The verdict: from what was counted to an answer with one reason.
//!
//! Rules:
//! - Fail: any duplicate in green, any row missing, extra or different.
//! - Fail, where the plan declares that rows change: the same without missing and extra rows, and in an append table without
//!   rows that come more often.
//! - Undecided: a key still pending and not settled by its history; a difference that a class explains; a record
//!   that could not be read; a column of the contract that neither side has; no row or no column compared.
//! - Pass: everything else. Only rows up to the cut are claimed; newer ones are named in the reason, and so is what a
//!   declared change of rows leaves unproven.

use std::collections::BTreeMap;

use super::Side;
use super::columns::{Column, Columns, Printer, Role};
use super::compare::{self, Match, describe_row};
use super::digest::TableDigest;
use super::fold::{Fold, Status};
use crate::model::parity::{ChangeRule, ColumnClass};
use crate::model::verdict::{Outcome, TableVerdict};

/// Most samples in a verdict.
const SAMPLES: usize = 20;

/// What a sample shows, in the order of weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    TwoPartitions,
    TwoEncodings,
    RepeatedKey,
    Multiplicity,
    Missing,
    Extra,
    Different,
    Undecided,
    Explained,
    OnlyBlue,
    OnlyGreen,
    Blue,
}

impl Kind {
    /// The name in verdicts.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::TwoPartitions => "two_partitions",
            Self::TwoEncodings => "two_encodings",
            Self::RepeatedKey => "repeated_key",
            Self::Multiplicity => "multiplicity",
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Different => "different",
            Self::Undecided => "undecided",
            Self::Explained => "explained",
            Self::OnlyBlue => "only in blue",
            Self::OnlyGreen => "only in green",
            Self::Blue => "blue",
        }
    }

    /// What the row is in green.
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Multiplicity => "more often",
            _ => "only",
        }
    }
}

/// Sample findings, a few of each kind.
#[derive(Clone, Default)]
pub(super) struct Samples(BTreeMap<Kind, Vec<String>>);

impl Samples {
    /// Keeps the text if there is room for it.
    pub(super) fn add(&mut self, kind: Kind, text: impl FnOnce() -> String) {
        let kept = self.0.entry(kind).or_default();
        if kept.len() < SAMPLES {
            kept.push(format!("{}: {}", kind.name(), text()));
        }
    }

    /// Takes over samples of these kinds.
    pub(super) fn take(&mut self, other: &Self, kinds: impl Fn(Kind) -> bool) {
        let taken = other.0.iter().filter(|(kind, _)| kinds(**kind));
        self.0.extend(taken.map(|(kind, texts)| (*kind, texts.clone())));
    }

    /// At most twenty lines; every kind has its share.
    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<(usize, Kind, &String)> =
            self.0.iter().flat_map(|(kind, texts)| texts.iter().enumerate().map(|(i, t)| (i, *kind, t))).collect();
        lines.sort_unstable();
        lines.truncate(SAMPLES);
        lines.sort_unstable_by_key(|(i, kind, _)| (*kind, *i));
        lines.into_iter().map(|(_, _, text)| text.clone()).collect()
    }
}

/// The figures of one table.
#[derive(Default)]
pub(super) struct Counts {
    pub rows: [u64; 2],
    pub equal: u64,
    pub followed: u64,
    pub by_history: u64,
    pub missing: u64,
    pub extra: u64,
    pub different: u64,
    pub pending: u64,
    pub explained: u64,
    /// On one side only, where the plan declares that rows change: blue's and green's.
    pub only: [u64; 2],
    pub beyond: u64,
    pub duplicates: BTreeMap<String, u64>,
    pub churn: u64,
    /// Rows equal within a tolerance, by column.
    pub near: BTreeMap<usize, u64>,
    pub explained_in: BTreeMap<usize, u64>,
    /// For each new column: default, other, NULL, absent.
    pub news: Vec<[u64; 4]>,
    pub digests: [TableDigest; 2],
    /// So many keys differ that only some were looked at to find out in which columns.
    pub sampled: bool,
}

impl Counts {
    pub(super) fn duplicate(&mut self, kind: Kind, count: u64) {
        if count > 0 {
            *self.duplicates.entry(kind.name().to_owned()).or_default() += count;
        }
    }

    fn compared(&self) -> u64 {
        self.equal + self.followed + self.by_history + self.missing + self.extra + self.different
    }
}

/// Counts an upsert table.
pub(super) fn count_keys(fold: &Fold, columns: &Columns, samples: &mut Samples) -> Counts {
    let mut counts = Counts { churn: fold.churn, ..Counts::default() };
    let mut printer = Printer::default();
    for (number, state) in fold.keys.iter().enumerate() {
        for (side, (rows, digest)) in
            [Side::Blue, Side::Green].into_iter().zip(counts.rows.iter_mut().zip(&mut counts.digests))
        {
            for copy in state.copies(side) {
                *rows += 1;
                digest.add(printer.print(columns, &state.key, &copy.row), 1);
                for (slot, new) in copy.row.news.iter().enumerate() {
                    if counts.news.len() <= slot {
                        counts.news.resize(slot + 1, [0; 4]);
                    }
                    counts.news.get_mut(slot).into_iter().for_each(|c| new.count(c));
                }
            }
        }
        duplicates(&mut counts, state, columns, samples);
        match state.status {
            Status::Nothing | Status::Duplicate => {}
            Status::Equal => counts.equal += 1,
            Status::Followed => counts.followed += 1,
            Status::Missing => counts.missing += 1,
            Status::Extra => counts.extra += 1,
            Status::Different => counts.different += 1,
            Status::Explained => counts.explained += 1,
            Status::Only(side) => counts.only.get_mut(side.index()).into_iter().for_each(|count| *count += 1),
            Status::Pending if fold.by_history(number, columns) => counts.by_history += 1,
            Status::Pending => {
                counts.pending += 1;
                samples.add(Kind::Undecided, || {
                    let row = |side| state.row(side).map_or("no row".to_owned(), |r| describe_row(columns, r));
                    let (blue, green) = (row(Side::Blue), row(Side::Green));
                    format!("{}: kept changing; blue {blue}; green {green}", columns.show_key(&state.key))
                });
            }
        }
        if let (Some(blue), Some(green)) = (state.row(Side::Blue), state.row(Side::Green))
            && blue.cells != green.cells
        {
            let (into, which) = match (state.status, compare::rows(columns, blue, green)) {
                (Status::Equal | Status::Followed, Match::Equal(which)) => (&mut counts.near, which),
                (Status::Explained, Match::Explained(which)) => (&mut counts.explained_in, which),
                _ => continue,
            };
            which.into_iter().for_each(|c| *into.entry(c).or_default() += 1);
        }
    }
    counts
}

fn duplicates(counts: &mut Counts, state: &super::fold::KeyState, columns: &Columns, samples: &mut Samples) {
    for side in [Side::Blue, Side::Green] {
        let copies = state.copies(side);
        let Some(first) = copies.first().filter(|_| copies.len() > 1) else { continue };
        let partitions: Vec<String> = copies.iter().map(|c| c.partition.to_string()).collect();
        let key = || columns.show_key(&state.key);
        let seen = [
            (Kind::TwoPartitions, copies.iter().any(|c| c.partition != first.partition)),
            (Kind::TwoEncodings, copies.iter().any(|c| c.encoding != first.encoding)),
        ];
        for (kind, _) in seen.into_iter().filter(|(_, seen)| *seen) {
            let text = || format!("{}: live {} times, in partitions {}", key(), copies.len(), partitions.join(" and "));
            if side == Side::Green {
                counts.duplicate(kind, 1);
                samples.add(kind, text);
            } else {
                samples.add(Kind::Blue, || format!("{} ({})", text(), kind.name()));
            }
        }
    }
}

/// What the verdict knows of the table besides the figures.
pub(super) struct Setting<'a> {
    pub table: &'a str,
    pub has_blue: bool,
    /// Records that could not be read, and one of them.
    pub unread: (u64, Option<String>),
}

/// Puts the verdict together.
pub(super) fn verdict(setting: &Setting<'_>, counts: Counts, columns: &Columns, samples: &Samples) -> TableVerdict {
    let (outcome, reason) = answer(setting, &counts, columns);
    let lines = columns.list().iter().enumerate();
    let [blue, green] = counts.digests;
    let [rows_blue, rows_green] = counts.rows;
    let [only_blue, only_green] = counts.only;
    TableVerdict {
        table: setting.table.to_owned(),
        outcome,
        reason,
        rows_blue,
        rows_green,
        equal: counts.equal,
        followed: counts.followed,
        by_history: counts.by_history,
        missing: counts.missing,
        extra: counts.extra,
        different: counts.different,
        undecided: counts.pending + counts.explained,
        only_blue,
        only_green,
        columns: lines.map(|(i, c)| (c.name.clone(), line(i, c, &counts, setting.has_blue))).collect(),
        samples: samples.lines(),
        digest_blue: blue.to_string(),
        digest_green: green.to_string(),
        duplicates: counts.duplicates,
        churn: counts.churn,
    }
}

fn answer(setting: &Setting<'_>, counts: &Counts, columns: &Columns) -> (Outcome, String) {
    let some = |n: u64, what: &str| (n > 0).then(|| format!("{n} {what}"));
    let duplicates: u64 = counts.duplicates.values().sum();
    let wrong: Vec<String> = [
        some(duplicates, "duplicate"),
        some(counts.missing, "missing"),
        some(counts.extra, "extra"),
        some(counts.different, "different"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !wrong.is_empty() {
        let lost = columns.list().iter().find(|c| c.role != Role::Skip && c.seen == [true, false] && setting.has_blue);
        let lost = lost.map(|c| format!("; column `{}` is in blue but not in green", c.name)).unwrap_or_default();
        let unread = some(setting.unread.0, "records could not be read").map(|u| format!("; {u}")).unwrap_or_default();
        return (Outcome::Fail, format!("green's rows are wrong: {}{lost}{unread}", wrong.join(", ")));
    }
    let unseen = columns.list().iter().find(|c| c.class.is_some() && c.role != Role::Skip && c.seen == [false, false]);
    let compared = |c: &Column| matches!(c.role, Role::Compare | Role::Wide);
    let open: Vec<String> = [
        some(setting.unread.0, "records could not be read"),
        some(counts.pending, "keys kept changing and could not be decided"),
        some(counts.explained, "rows differ where a column's class allows it, which is not proof"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let example = setting.unread.1.as_ref().map(|e| format!(" (the first: {e})")).unwrap_or_default();
    if !open.is_empty() {
        return (Outcome::Undecided, format!("{}{example}", open.join("; ")));
    }
    let green = counts.rows.get(Side::Green.index()).copied().unwrap_or(0);
    if (setting.has_blue && counts.compared() == 0) || (!setting.has_blue && green == 0) {
        let why = if columns.rows_changed() && green > 0 { ": blue and green have none in common" } else { "" };
        return (Outcome::Undecided, format!("no row was compared{why}"));
    }
    if let Some(column) = unseen {
        return (Outcome::Undecided, format!("column `{}` was seen neither in blue nor in green", column.name));
    }
    if setting.has_blue && !columns.list().iter().any(compared) {
        return (Outcome::Undecided, "no column is compared".to_owned());
    }
    if !setting.has_blue {
        return (Outcome::Pass, format!("there is no blue to compare with; {green} rows without duplicates"));
    }
    let mut how = format!("{} rows equal at rest", counts.equal);
    if columns.rows_changed() && !columns.compares_values() {
        how = format!("{} keys on both sides at rest, nothing but the key is compared", counts.equal);
    }
    for (n, what) in [(counts.followed, "followed until equal"), (counts.by_history, "equal by their history")] {
        if let Some(part) = some(n, what) {
            how = format!("{how}, {part}");
        }
    }
    let beyond = some(counts.beyond, "newer rows lie beyond the cut").map(|b| format!("; {b}")).unwrap_or_default();
    let [blue, green] = counts.only;
    let only = match columns.rows_changed() {
        true => format!("; {blue} rows only in blue and {green} only in green: declared by the plan, not proven"),
        false => String::new(),
    };
    (Outcome::Pass, format!("{how}, no duplicates{beyond}{only}"))
}

/// How one column was compared.
fn line(number: usize, column: &Column, counts: &Counts, has_blue: bool) -> String {
    let class = match &column.class {
        None => "exact (the contract does not name it)".to_owned(),
        Some(ColumnClass::Exact) => "exact".to_owned(),
        Some(ColumnClass::Order { why, tolerance }) if *tolerance > 0.0 => {
            format!("order ({why}), tolerance {tolerance}")
        }
        Some(ColumnClass::Order { why, .. }) => format!("order ({why})"),
        Some(ColumnClass::EventTime { why }) => format!("event time ({why})"),
        Some(ColumnClass::History { why }) => format!("history ({why})"),
        Some(ColumnClass::Volatile { why }) => return format!("volatile ({why}): left out"),
        Some(ColumnClass::Changed { rule: ChangeRule::Recomputed }) => return "recomputed: not compared".to_owned(),
        Some(ColumnClass::Changed { rule: ChangeRule::Removed }) => return "removed: not compared".to_owned(),
        Some(ColumnClass::Changed { rule: ChangeRule::Computed { .. } }) => return computed_line(column, counts),
        Some(ColumnClass::Changed { rule: ChangeRule::Wider }) => "wider, compared by value".to_owned(),
        Some(ColumnClass::Changed { rule: ChangeRule::NewColumn { default, .. } }) => {
            return new_line(column, default, counts);
        }
    };
    let [blue, green] = column.seen;
    let seen = match (blue, green) {
        _ if !has_blue => "no blue to compare with",
        (true, true) => "",
        (true, false) => "in blue only",
        (false, true) => "in green only",
        (false, false) => "seen on neither side",
    };
    let mut parts: Vec<String> = Vec::new();
    let at = |map: &BTreeMap<usize, u64>| map.get(&number).copied().unwrap_or(0);
    for (n, what) in [
        (column.different, if counts.sampled { "different among those looked at" } else { "different" }),
        (at(&counts.explained_in), "different, explained"),
        (at(&counts.near), "equal within the tolerance"),
    ] {
        if n > 0 {
            parts.push(format!("{n} {what}"));
        }
    }
    match (seen, parts.is_empty()) {
        ("", true) => format!("{class}: no difference"),
        ("", false) => format!("{class}: {}", parts.join(", ")),
        _ => format!("{class}: {seen}"),
    }
}

fn new_line(column: &Column, default: &serde_json::Value, counts: &Counts) -> String {
    let Role::New(slot) = column.role else { return String::new() };
    let [defaults, other, null, absent] = counts.news.get(slot).copied().unwrap_or_default();
    let default = match default {
        serde_json::Value::String(text) => format!("'{text}'"),
        serde_json::Value::Null => "NULL".to_owned(),
        other => other.to_string(),
    };
    let absent = if absent > 0 { format!(", {absent} without the column") } else { String::new() };
    if default == "NULL" {
        return format!("new: {null} NULL (the default), {other} other values{absent}");
    }
    format!("new: {defaults} default {default}, {other} other values, {null} NULL{absent}")
}

/// A new column that a changed statement makes: there is nothing to hold it against.
fn computed_line(column: &Column, counts: &Counts) -> String {
    let Role::New(slot) = column.role else { return String::new() };
    let [_, values, null, absent] = counts.news.get(slot).copied().unwrap_or_default();
    let absent = if absent > 0 { format!(", {absent} without the column") } else { String::new() };
    format!("new, computed: {values} values, {null} NULL{absent}")
}

/// The answer over all tables: one failure fails everything; nothing compared is undecided.
pub fn overall(tables: &[TableVerdict]) -> (Outcome, String) {
    let with = |outcome| tables.iter().filter(move |t| t.outcome == outcome);
    for (outcome, what) in [(Outcome::Fail, "failed"), (Outcome::Undecided, "could not be decided")] {
        let mut hits = with(outcome);
        if let Some(first) = hits.next() {
            let all = 1 + hits.count();
            return (
                outcome,
                format!("{all} of {} tables {what}, the first is `{}`: {}", tables.len(), first.table, first.reason),
            );
        }
    }
    let compared: u64 = tables.iter().map(|t| t.equal + t.followed + t.by_history).sum();
    if compared == 0 {
        return (Outcome::Undecided, "nothing was compared".to_owned());
    }
    let sum = |count: fn(&TableVerdict) -> u64| tables.iter().map(count).sum::<u64>();
    let only = match (sum(|t| t.only_blue), sum(|t| t.only_green)) {
        (0, 0) => String::new(),
        (blue, green) => {
            format!("; {blue} rows only in blue and {green} only in green: declared by the plan, not proven")
        }
    };
    let agree = match tables.len() {
        1 => "1 table agrees".to_owned(),
        n => format!("all {n} tables agree"),
    };
    let rows = if compared == 1 { "1 row" } else { &format!("{compared} rows") };
    (Outcome::Pass, format!("{agree}: {rows} compared, no duplicates{only}"))
}
