//! Windows: the columns that tell a row's window, and which windows are put alike.
//!
//! Rules, which are those of Flink's planner:
//! - windows are put alike by the same function with the same lengths, however these are written;
//! - those of two sides of a join also have to be windows of one type of time, down to whether it may be NULL;
//! - a session ends only for what is grouped by exactly what it is kept apart by.
//!
//! Source: <https://nightlies.apache.org/flink/flink-docs-release-2.2/docs/dev/table/sql/queries/window-tvf/>

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Relation;
use super::join::column_name;
use super::scope::{Column, Time, Value};
use crate::model::column::Nullable;
use crate::sql::tree::{ArgValue, Call, Expr, ExprKind, TableArg};

/// What a column tells of the row's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Edge {
    /// Its first moment.
    Start,
    /// The moment behind its last one.
    End,
    /// Its last moment, which is a time attribute.
    Time,
    /// One of the columns that it is kept apart by, in their order.
    Apart(usize),
}

/// The window that a column tells something of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// What it tells.
    pub edge: Edge,
    /// How windows are put over time; `None` where windows put alike may be others.
    put: Option<Arc<str>>,
    /// The type of the time, where it follows.
    time: Option<Nullable>,
    /// By how many columns a session is kept apart; `None` for another window.
    apart: Option<usize>,
}

impl Window {
    /// The time of a window that rows are grouped by.
    pub const fn of_group() -> Self {
        Self { edge: Edge::Time, put: None, time: None, apart: None }
    }

    /// The same window for rows of both kinds, where both tell the same of windows that are surely put alike.
    pub fn of_both(self, other: &Self) -> Option<Self> {
        let alike = self.put.is_some() && (self.edge, &self.put) == (other.edge, &other.put);
        alike.then(|| Self { time: self.time.filter(|time| other.time.as_ref() == Some(time)), ..self })
    }

    /// True if two columns tell the same of windows that can be joined.
    pub fn matches(&self, other: &Self) -> bool {
        self.put.is_some() && self.time.is_some() && self == other
    }
}

/// True if rows with the same values are those of a window: both of its ends are among them, and with those of a session
/// just what it is kept apart by.
pub(super) fn has_window<'v>(values: impl Iterator<Item = &'v Value> + Clone) -> bool {
    let has = |edge| values.clone().any(|value| value.is_edge(edge));
    has(Edge::Start)
        && has(Edge::End)
        && apart(values.clone()).is_none_or(|count| {
            let edges = values.filter_map(|value| match value.window.as_ref().map(|window| window.edge) {
                Some(Edge::Start | Edge::End | Edge::Time) => None,
                edge => Some(edge),
            });
            edges.collect::<BTreeSet<_>>() == (0..count).map(|place| Some(Edge::Apart(place))).collect()
        })
}

/// By how many columns the session is kept apart that values tell of.
pub(super) fn apart<'v>(mut values: impl Iterator<Item = &'v Value>) -> Option<usize> {
    values.find_map(|value| value.window.as_ref()?.apart)
}

/// The rows of a table in windows. Windows that they were in before are forgotten.
pub(super) fn windowed(mut relation: Relation, call: &Call) -> Relation {
    let descriptor = call.args.iter().find_map(|arg| match &arg.value {
        ArgValue::Descriptor(columns) => columns.first(),
        _ => None,
    });
    let by = descriptor.and_then(|name| relation.columns.iter().find(|column| column.name == name.name));
    let (time, ty) = by.map_or((None, None), |column| (column.value.time, column.value.ty.clone()));
    relation.changes.keys.clear();
    relation.forget_windows();
    let partition = partition(call);
    let apart = partition.map(<[Expr]>::len);
    let put = if apart.unwrap_or(0) == 0 { put(call, time) } else { None };
    let window = |edge| Some(Window { edge, put: put.clone(), time: ty.clone(), apart });
    for (place, expr) in partition.unwrap_or_default().iter().enumerate() {
        let name = column_name(expr).map(|name| name.last().name.as_str());
        if let Some(column) = relation.columns.iter_mut().find(|column| Some(column.name.as_str()) == name) {
            column.value.window = window(Edge::Apart(place));
        }
    }
    for (name, edge) in [("window_start", Edge::Start), ("window_end", Edge::End), ("window_time", Edge::Time)] {
        let is_time = edge == Edge::Time;
        let value = Value {
            ty: super::expr::window_column(ty.as_ref(), is_time),
            time: time.filter(|_| is_time),
            window: window(edge),
            ..Value::default()
        };
        relation.columns.push(Column { name: name.to_owned(), value });
    }
    relation
}

/// What sessions are kept apart by; `None` for other windows.
fn partition(call: &Call) -> Option<&[Expr]> {
    let partition = |value| match value {
        &ArgValue::Table(TableArg { ref partition_by, .. }) | &ArgValue::Query { ref partition_by, .. } => {
            Some(partition_by.as_slice())
        }
        _ => None,
    };
    let is_session = call.name.last().name.eq_ignore_ascii_case("SESSION");
    is_session.then(|| match call.args.iter().find_map(|arg| partition(&arg.value)).unwrap_or_default() {
        [Expr { kind: ExprKind::Row(several), .. }] => several,
        partition => partition,
    })
}

/// How windows are put over time: by which function, how long, how far apart, and by which kind of time.
fn put(call: &Call, time: Option<Time>) -> Option<Arc<str>> {
    let function = call.name.last().name.to_ascii_uppercase();
    // What comes behind the table and its time, where it is not named.
    let names: &[&str] = match function.as_str() {
        "TUMBLE" => &["SIZE", "OFFSET"],
        "HOP" => &["SLIDE", "SIZE", "OFFSET"],
        "CUMULATE" => &["STEP", "SIZE", "OFFSET"],
        "SESSION" => &["GAP"],
        _ => return None,
    };
    let mut lengths = BTreeMap::new();
    for (place, arg) in call.args.iter().enumerate() {
        match &arg.value {
            ArgValue::Expr(Expr { kind: ExprKind::Subquery(_), .. })
            | ArgValue::Table(_)
            | ArgValue::Query { .. }
            | ArgValue::Descriptor(_) => {}
            ArgValue::Expr(Expr { kind: ExprKind::Interval(text), .. }) => {
                let name = match &arg.name {
                    Some(name) => name.name.to_ascii_uppercase(),
                    None => (*names.get(place.checked_sub(2)?)?).to_owned(),
                };
                lengths.insert(name, length(text));
            }
            _ => return None,
        }
    }
    Some(format!("{function} {:?} {lengths:?}", time?).into())
}

/// A length of time: in milliseconds where it is written in days and less, otherwise as it is written.
fn length(text: &str) -> String {
    // MINUTE and MINUTES say the same.
    let words = || text.split_whitespace().map(|word| word.trim_end_matches('S'));
    milliseconds(text).map_or_else(|| words().collect::<Vec<_>>().join(" "), |length| length.to_string())
}

/// The units that Flink takes windows in.
const UNITS: [(&str, u64); 4] = [("DAY", 86_400_000), ("HOUR", 3_600_000), ("MINUTE", 60_000), ("SECOND", 1000)];

/// `'90' MINUTE`, `'01:30' HOUR TO MINUTE`, `'1.5' SECOND`.
fn milliseconds(text: &str) -> Option<u64> {
    let (number, units) = match text.strip_prefix('\'') {
        Some(quoted) => quoted.split_once('\'')?,
        None => text.split_once(' ')?,
    };
    let unit = |word: &str| {
        let word = word.split('(').next()?.trim();
        UNITS.iter().position(|(name, _)| word.strip_suffix('S').unwrap_or(word) == *name)
    };
    let mut ends = units.trim().split(" TO ").map(unit);
    let first = ends.next()??;
    let last = ends.next().unwrap_or(Some(first))?;
    let units = UNITS.get(first..=last).filter(|_| ends.next().is_none())?;
    let numbers: Vec<&str> = number.trim().split([' ', ':']).collect();
    if numbers.len() != units.len() {
        return None;
    }
    let mut sum = 0_u64;
    for (number, (name, size)) in numbers.into_iter().zip(units) {
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if !fraction.is_empty() && (*name != "SECOND" || fraction.len() > 3) {
            return None;
        }
        let fraction = format!("{fraction:0<3}").parse::<u64>().ok()?;
        let whole = whole.parse::<u64>().ok()?.checked_mul(*size)?;
        sum = sum.checked_add(whole)?.checked_add(fraction)?;
    }
    Some(sum)
}
