//! Comparing two rows by the classes of their columns.
//!
//! Rules:
//! - Equal bytes are equal rows. Otherwise each column whose values are not the same is judged by its class.
//! - `order` with a tolerance: floating-point numbers whose difference is within that share of the larger one (of 1 if both are
//!   smaller) are equal, all others different. `order` without one, `event_time`
//!   and `history`: the difference is explained, which is neither equal nor different.
//! - One different column makes the row different; else one explained column makes it explained.

use serde_json::Value as Json;

use super::canon::{self, Val};
use super::columns::{Columns, NewValue, Row};
use super::show;
use crate::model::parity::ColumnClass;

/// Longest value in a sample, in characters.
const SHOWN: usize = 80;

/// What two rows are to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// The same in every compared column, or within tolerance in the columns named.
    Equal(Vec<usize>),
    /// Not the same in these columns, whose class explains it.
    Explained(Vec<usize>),
    /// Not the same in these columns.
    Different(Vec<usize>),
}

/// Compares two rows.
pub(super) fn rows(columns: &Columns, blue: &Row, green: &Row) -> Match {
    if blue.cells == green.cells {
        return Match::Equal(Vec::new());
    }
    let (mut near, mut explained, mut different) = (Vec::new(), Vec::new(), Vec::new());
    for (column, blue, green) in pairs(blue, green) {
        if blue == green {
            continue;
        }
        match columns.get(column).and_then(|c| c.class.as_ref()) {
            Some(ColumnClass::Order { tolerance, .. }) if *tolerance > 0.0 => match (value(blue), value(green)) {
                (Some(b), Some(g)) if (b - g).abs() <= tolerance * b.abs().max(g.abs()).max(1.0) => {
                    near.push(column);
                }
                _ => different.push(column),
            },
            Some(ColumnClass::Order { .. } | ColumnClass::EventTime { .. } | ColumnClass::History { .. })
                if blue.is_some() && green.is_some() =>
            {
                explained.push(column);
            }
            _ => different.push(column),
        }
    }
    match (different.is_empty(), explained.is_empty()) {
        (false, _) => Match::Different(different),
        (true, false) => Match::Explained(explained),
        (true, true) => Match::Equal(near),
    }
}

/// A floating-point number. Other numbers have no digits that depend on an order.
fn value(bytes: Option<&[u8]>) -> Option<f64> {
    match canon::read(bytes?)? {
        Val::Float(value) => Some(value),
        _ => None,
    }
}

/// A column's number and its values in blue and in green.
type Pair<'a> = (usize, Option<&'a [u8]>, Option<&'a [u8]>);

/// Every column that one of the rows has, with both values.
fn pairs<'a>(blue: &'a Row, green: &'a Row) -> Vec<Pair<'a>> {
    let (mut blues, mut greens) = (blue.cells().peekable(), green.cells().peekable());
    let mut out = Vec::new();
    loop {
        let column = match (blues.peek(), greens.peek()) {
            (Some((b, _)), Some((g, _))) => *b.min(g),
            (Some((b, _)), None) => *b,
            (None, Some((g, _))) => *g,
            (None, None) => return out,
        };
        let blue = blues.next_if(|(c, _)| *c == column).map(|(_, v)| v);
        let green = greens.next_if(|(c, _)| *c == column).map(|(_, v)| v);
        out.push((column, blue, green));
    }
}

/// The named columns of two rows for a sample: `total: blue 10.5, green 11`.
pub(super) fn describe(columns: &Columns, blue: &Row, green: &Row, which: &[usize]) -> String {
    let shown = |value: Option<&[u8]>| match value {
        Some(bytes) => canon::read(bytes).map_or_else(|| "?".to_owned(), |v| capped(&show::text(&v))),
        None => "(no such column)".to_owned(),
    };
    let texts: Vec<String> = pairs(blue, green)
        .into_iter()
        .filter(|(column, ..)| which.contains(column))
        .map(|(column, b, g)| format!("{}: blue {}, green {}", columns.name(column), shown(b), shown(g)))
        .collect();
    texts.join("; ")
}

/// All compared columns of one row for a sample.
pub(super) fn describe_row(columns: &Columns, row: &Row) -> String {
    let texts: Vec<String> = row
        .cells()
        .map(|(column, value)| {
            let text = canon::read(value).map_or_else(|| "?".to_owned(), |v| capped(&show::text(&v)));
            format!("{}={text}", columns.name(column))
        })
        .collect();
    texts.join(", ")
}

/// The text, or its first characters and a mark that there are more.
pub(super) fn capped(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The new column that breaks its rule in this row of green: NULL where NULL may not be, or not there at all.
pub(super) fn broken_new_column(columns: &Columns, green: &[NewValue]) -> Option<(usize, &'static str)> {
    let mut slots = green.iter();
    columns.list().iter().enumerate().find_map(|(i, column)| {
        let (_, nullable) = column.new_column()?;
        match slots.next()? {
            NewValue::Absent => Some((i, "missing")),
            NewValue::Null if !nullable => Some((i, "NULL, but it may not be NULL")),
            _ => None,
        }
    })
}

/// True when the value is the default that the plan names: numbers by value, everything else by its text.
pub(super) fn is_default(value: &Val<'_>, default: &Json) -> bool {
    let text = match default {
        Json::Null => return *value == Val::Null,
        Json::Bool(d) => return *value == Val::Bool(*d),
        Json::Number(d) => d.to_string(),
        Json::String(d) => d.clone(),
        Json::Array(_) | Json::Object(_) => return show::json(value) == *default,
    };
    match value {
        Val::Int(_) | Val::Float(_) | Val::Decimal { .. } => {
            show::text(value) == text || text.trim().parse::<f64>().is_ok_and(|d| show::number(value) == Some(d))
        }
        _ => show::text(value) == text,
    }
}
