//! Columns: what the contract says of each, and rows of the columns that are compared.
//!
//! Rules:
//! - A row keeps the columns that are compared, in one order for both sides, so equal rows are equal bytes. A column
//!   that the record does not have is left out, which is not the same as NULL.
//! - Volatile and recomputed columns are not kept. Of a new column only is kept what kind of value it has.
//! - A column that the contract does not name is compared as exact: what nobody thought of is not left out in silence.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Side;
use super::canon;
use super::compare::is_default;
use super::decode::Fields;
use super::digest;
use super::show;
use crate::model::parity::{ChangeRule, ColumnClass, TableContract};

/// What is done with a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Kept and compared as it is.
    Compare,
    /// Kept and compared with all numbers made decimals.
    Wide,
    /// The n-th new column.
    New(usize),
    /// Left out.
    Skip,
}

/// A column of the table.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub name: String,
    /// `None` when the contract does not name it.
    pub class: Option<ColumnClass>,
    pub role: Role,
    /// Some record of blue, of green, has it.
    pub seen: [bool; 2],
    /// Rows that definitely differ in it.
    pub different: u64,
}

impl Column {
    fn new(name: &str, class: Option<ColumnClass>, news: &mut usize) -> Self {
        let role = match &class {
            Some(
                ColumnClass::Volatile { .. }
                | ColumnClass::Changed { rule: ChangeRule::Recomputed | ChangeRule::Removed },
            ) => Role::Skip,
            Some(ColumnClass::Changed { rule: ChangeRule::Wider }) => Role::Wide,
            Some(ColumnClass::Changed { rule: ChangeRule::NewColumn { .. } | ChangeRule::Computed { .. } }) => {
                *news += 1;
                Role::New(*news - 1)
            }
            _ => Role::Compare,
        };
        Self { name: name.to_owned(), class, role, seen: [false; 2], different: 0 }
    }

    /// Default, if the plan names one, and nullability of a new column.
    pub(super) fn new_column(&self) -> Option<(Option<&serde_json::Value>, bool)> {
        match &self.class {
            Some(ColumnClass::Changed { rule: ChangeRule::NewColumn { default, nullable } }) => {
                Some((Some(default), *nullable))
            }
            Some(ColumnClass::Changed { rule: ChangeRule::Computed { nullable } }) => Some((None, *nullable)),
            _ => None,
        }
    }
}

/// What a new column holds in one row of green.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum NewValue {
    /// The record has no such column.
    Absent,
    Null,
    Default,
    Other,
}

impl NewValue {
    /// Counts it: default, other, NULL, absent.
    pub(super) fn count(self, [default, other, null, absent]: &mut [u64; 4]) {
        *match self {
            Self::Default => default,
            Self::Other => other,
            Self::Null => null,
            Self::Absent => absent,
        } += 1;
    }
}

/// The compared columns of one row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// For each column: its number (2 bytes), the length of the value (4 bytes), the canonical value.
    pub cells: Arc<[u8]>,
    /// What the new columns hold; empty for blue.
    pub news: Box<[NewValue]>,
}

impl Row {
    /// Columns and values in the order of the columns.
    pub(super) fn cells(&self) -> Cells<'_> {
        Cells(&self.cells)
    }
}

/// Iterates over the cells of a row.
pub(super) struct Cells<'a>(&'a [u8]);

impl<'a> Iterator for Cells<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (column, rest) = self.0.split_first_chunk::<2>()?;
        let (len, rest) = rest.split_first_chunk::<4>()?;
        let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*len) as usize)?;
        self.0 = rest;
        Some((usize::from(u16::from_be_bytes(*column)), value))
    }
}

/// Fields of a datum and the column that each belongs to.
pub(super) struct Part<'a> {
    pub fields: &'a Fields,
    pub columns: &'a [usize],
}

/// Makes fingerprints of rows as `fingerprint` defines them; rows with the same columns follow each other.
#[derive(Default)]
pub(super) struct Printer {
    /// Columns of the row before, in the order of its cells.
    columns: Vec<usize>,
    /// Places of its cells in the order of the columns' names.
    order: Vec<usize>,
    layout: [u8; 16],
    buffer: Vec<u8>,
}

impl Printer {
    /// Fingerprint of a row, its key before it.
    pub(super) fn print(&mut self, columns: &Columns, key: &[u8], row: &Row) -> u128 {
        let cells: Vec<(usize, &[u8])> = row.cells().collect();
        if self.buffer.is_empty() || !cells.iter().map(|(column, _)| column).eq(&self.columns) {
            self.columns = cells.iter().map(|(column, _)| *column).collect();
            self.order = (0..cells.len()).collect();
            let name = |at: &usize| self.columns.get(*at).map_or("", |column| columns.name(*column));
            self.order.sort_unstable_by(|a, b| name(a).cmp(name(b)));
            let mut names = Vec::new();
            self.order.iter().for_each(|at| canon::text(&mut names, name(at)));
            self.layout = digest::fingerprint(&names).to_be_bytes();
        }
        self.buffer.clear();
        self.buffer.extend_from_slice(key);
        self.buffer.extend_from_slice(&self.layout);
        for (_, value) in self.order.iter().filter_map(|at| cells.get(*at)) {
            self.buffer.extend_from_slice(value);
        }
        digest::fingerprint(&self.buffer)
    }
}

/// All columns of a table.
pub(super) struct Columns {
    list: Vec<Column>,
    index: BTreeMap<String, usize>,
    key: Vec<String>,
    news: usize,
    /// The plan declares that rows change.
    rows_changed: bool,
}

impl Columns {
    pub(super) fn new(contract: &TableContract) -> Self {
        let mut columns = Self {
            list: Vec::new(),
            index: BTreeMap::new(),
            key: contract.key.clone(),
            news: 0,
            rows_changed: !contract.rows.is_same(),
        };
        for (name, class) in &contract.columns {
            columns.add(name, Some(class.clone()));
        }
        columns
    }

    fn add(&mut self, name: &str, class: Option<ColumnClass>) -> usize {
        let column = Column::new(name, class, &mut self.news);
        self.index.insert(name.to_owned(), self.list.len());
        self.list.push(column);
        self.list.len() - 1
    }

    /// Numbers of the named columns; names that are new are added.
    pub(super) fn resolve(&mut self, names: &[&str]) -> Vec<usize> {
        names
            .iter()
            .map(|name| match self.index.get(*name) {
                Some(i) => *i,
                None => self.add(name, None),
            })
            .collect()
    }

    pub(super) fn list(&self) -> &[Column] {
        &self.list
    }

    pub(super) fn get(&self, column: usize) -> Option<&Column> {
        self.list.get(column)
    }

    pub(super) fn name(&self, column: usize) -> &str {
        self.list.get(column).map_or("?", |c| &c.name)
    }

    /// Notes that records of `side` have these columns.
    pub(super) fn saw(&mut self, side: Side, columns: &[usize]) {
        for i in columns {
            if let Some(column) = self.list.get_mut(*i)
                && let Some(seen) = column.seen.get_mut(side.index())
            {
                *seen = true;
            }
        }
    }

    /// Counts one row that definitely differs in these columns.
    pub(super) fn differ(&mut self, columns: &[usize]) {
        for i in columns {
            if let Some(column) = self.list.get_mut(*i) {
                column.different += 1;
            }
        }
    }

    /// Takes over how many rows differ in each column.
    pub(super) fn differ_as(&mut self, other: &Self) {
        for column in &mut self.list {
            column.different = other.list.iter().find(|c| c.name == column.name).map_or(0, |c| c.different);
        }
    }

    /// True when whole rows may be on one side only for a legitimate reason: late rows, expired state, lost history.
    pub(super) fn rows_explained(&self) -> bool {
        self.list.iter().any(|c| matches!(c.class, Some(ColumnClass::EventTime { .. } | ColumnClass::History { .. })))
    }

    /// True when the plan declares that rows change: whole rows may be on one side only, and prove nothing.
    pub(super) fn rows_changed(&self) -> bool {
        self.rows_changed
    }

    /// True when something besides the key is compared.
    pub(super) fn compares_values(&self) -> bool {
        let values = self.list.iter().filter(|c| !self.key.contains(&c.name));
        values.into_iter().any(|c| matches!(c.role, Role::Compare | Role::Wide))
    }

    /// True when rows that are not equal may still agree.
    pub(super) fn soft(&self) -> bool {
        self.rows_explained() || self.list.iter().any(|c| matches!(c.class, Some(ColumnClass::Order { .. })))
    }

    /// True when the column is compared for equality and nothing else.
    pub(super) fn strict(&self, column: usize) -> bool {
        self.get(column).is_some_and(|c| {
            matches!(c.role, Role::Compare | Role::Wide)
                && !matches!(
                    c.class,
                    Some(ColumnClass::Order { .. } | ColumnClass::EventTime { .. } | ColumnClass::History { .. })
                )
        })
    }

    /// The row that the value makes, with the key's fields for columns that the value does not have.
    pub(super) fn row(&self, side: Side, value: &Part<'_>, key: Option<&Part<'_>>) -> Row {
        let mut found: Vec<Option<&[u8]>> = vec![None; self.list.len()];
        for part in key.into_iter().chain([value]) {
            for (i, column) in part.columns.iter().enumerate() {
                if let Some(slot) = found.get_mut(*column) {
                    *slot = part.fields.get(i);
                }
            }
        }
        let mut cells = Vec::new();
        let mut wide = Vec::new();
        let mut news = match side {
            Side::Blue => Vec::new(),
            Side::Green => vec![NewValue::Absent; self.news],
        };
        for (i, (column, value)) in self.list.iter().zip(found).enumerate() {
            let Some(value) = value else { continue };
            match column.role {
                Role::Compare => cell(&mut cells, i, value),
                Role::Wide => {
                    wide.clear();
                    canon::widen(&mut wide, value);
                    cell(&mut cells, i, &wide);
                }
                Role::New(slot) => {
                    if let (Some(new), Some((default, _))) = (news.get_mut(slot), column.new_column()) {
                        *new = new_value(value, default);
                    }
                }
                Role::Skip => {}
            }
        }
        Row { cells: cells.into(), news: news.into() }
    }

    /// The primary key of a record: its values in the order of the key's columns.
    ///
    /// `Err` when the key has fields that do not fit. Fields are found by name; when the names are others but the
    /// number is right (a prefix for key fields, a key that is no record), by position.
    pub(super) fn key_of(&self, part: &Part<'_>) -> Result<Vec<u8>, (String, String)> {
        let mut key = Vec::new();
        for field in self.key_order(part.columns)? {
            let value = part.fields.get(field).unwrap_or_default();
            let wide = part.columns.get(field).and_then(|i| self.get(*i)).is_some_and(|c| c.role == Role::Wide);
            if wide { canon::widen(&mut key, value) } else { key.extend_from_slice(value) }
        }
        Ok(key)
    }

    /// Which fields of a key with these columns make the primary key, in its order. Fails as [`Columns::key_of`] does.
    pub(super) fn key_order(&self, columns: &[usize]) -> Result<Vec<usize>, (String, String)> {
        let name_at = |i: &usize| self.name(*i);
        let mut order: Vec<usize> = Vec::with_capacity(columns.len());
        for name in &self.key {
            match columns.iter().position(|i| name_at(i) == name) {
                Some(field) => order.push(field),
                None => break,
            }
        }
        if order.len() != self.key.len() || self.key.is_empty() {
            if self.key.len() != columns.len() && !self.key.is_empty() {
                let found: Vec<&str> = columns.iter().map(name_at).collect();
                return Err((found.join(", "), self.key.join(", ")));
            }
            order = (0..columns.len()).collect();
        }
        Ok(order)
    }

    /// Number of new columns.
    pub(super) fn news(&self) -> usize {
        self.news
    }

    /// The declared key of a row that came without a key; `None` when a column is missing or none is declared.
    pub(super) fn key_in(&self, parts: &[&Part<'_>]) -> Option<Vec<u8>> {
        let mut key = Vec::new();
        for name in &self.key {
            let column = self.index.get(name)?;
            let value = parts.iter().find_map(|part| {
                part.columns.iter().position(|i| i == column).and_then(|field| part.fields.get(field))
            })?;
            key.extend_from_slice(value);
        }
        (!self.key.is_empty()).then_some(key)
    }

    /// The key for people: `order_id=7, line=2`.
    pub(super) fn show_key(&self, key: &[u8]) -> String {
        let mut out = Vec::new();
        let mut rest = key;
        while let Some((value, after)) = canon::next(rest) {
            let text = super::compare::capped(&show::text(&value));
            out.push(match self.key.get(out.len()) {
                Some(name) => format!("{name}={text}"),
                None => text,
            });
            rest = after;
        }
        out.join(", ")
    }
}

fn cell(cells: &mut Vec<u8>, column: usize, value: &[u8]) {
    cells.extend_from_slice(&(column as u16).to_be_bytes());
    cells.extend_from_slice(&(value.len() as u32).to_be_bytes());
    cells.extend_from_slice(value);
}

pub(super) fn new_value(value: &[u8], default: Option<&serde_json::Value>) -> NewValue {
    match canon::read(value) {
        _ if canon::is_null(value) => NewValue::Null,
        Some(value) if default.is_some_and(|default| is_default(&value, default)) => NewValue::Default,
        _ => NewValue::Other,
    }
}
