//! Rows with columns: what a source has.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::float::Float;
use super::form::Fields;
use super::made::{Expansion, Value};
use super::{OutputColumn, UseKind};
use crate::diagnostic::Span;
use crate::sql::steps;

/// Above how many columns, or sources, an index pays.
pub(super) const FEW: usize = 8;

/// The time of a record, which tables of Confluent Cloud have without saying so.
pub(super) const ROWTIME: &str = "$rowtime";

/// A column with its value and the place that made it.
#[derive(Clone, Debug)]
pub(super) struct RelationColumn {
    pub name: Arc<str>,
    pub value: Value,
    pub span: Span,
}

/// Rows with columns.
#[derive(Debug, Default)]
pub(super) struct Relation {
    columns: Vec<RelationColumn>,
    /// Columns that are not known.
    pub open: Vec<Open>,
    /// The table that it is, which has a hidden `$rowtime` on Confluent Cloud: no star shows it.
    pub table: Option<Arc<str>>,
    /// The first column of each name, and whether there are more, once one was asked for.
    index: OnceLock<BTreeMap<Arc<str>, (usize, bool)>>,
    /// The fields of its columns, once one was asked for.
    fields: OnceLock<Fields>,
}

impl Clone for Relation {
    fn clone(&self) -> Self {
        steps::count(self.columns.len());
        let (columns, open, table) = (self.columns.clone(), self.open.clone(), self.table.clone());
        Self { columns, open, table, index: OnceLock::new(), fields: OnceLock::new() }
    }
}

/// Columns that are not known.
#[derive(Clone, Debug)]
pub(super) enum Open {
    /// Any column of a table.
    Table(Arc<str>),
    /// Any column of a view.
    View(Arc<str>),
    /// Columns that are made of this.
    Value(Value),
}

impl Open {
    /// What a column of this name would be.
    pub fn column(&self, name: &str, kind: UseKind) -> Value {
        match self {
            Self::Table(table) => Value::column(table, &name.into(), kind),
            Self::View(view) => Value::view_column(view, &name.into(), kind),
            Self::Value(value) => value.clone().lifted(UseKind::Computed).lifted(kind),
        }
    }
}

impl Relation {
    pub const fn new(columns: Vec<RelationColumn>, open: Vec<Open>) -> Self {
        Self { columns, open, table: None, index: OnceLock::new(), fields: OnceLock::new() }
    }

    /// The hidden column of that name.
    pub fn hidden(&self, name: &str) -> Option<Value> {
        let table = self.table.as_ref().filter(|_| name == ROWTIME)?;
        Some(Value::column(table, &name.into(), UseKind::Direct))
    }

    pub fn columns(&self) -> &[RelationColumn] {
        &self.columns
    }

    pub fn columns_mut(&mut self) -> &mut Vec<RelationColumn> {
        (self.index, self.fields) = (OnceLock::new(), OnceLock::new());
        &mut self.columns
    }

    pub fn column(&self, name: &str) -> Option<&RelationColumn> {
        if self.columns.len() <= FEW {
            return self.columns.iter().find(|column| &*column.name == name);
        }
        self.index().get(name).and_then(|(place, _)| self.columns.get(*place))
    }

    /// True if several columns have this name.
    pub fn has_twice(&self, name: &str) -> bool {
        if self.columns.len() <= FEW {
            return self.columns.iter().filter(|column| &*column.name == name).count() > 1;
        }
        self.index().get(name).is_some_and(|(_, twice)| *twice)
    }

    fn index(&self) -> &BTreeMap<Arc<str>, (usize, bool)> {
        self.index.get_or_init(|| {
            steps::count(self.columns.len());
            let mut index = BTreeMap::new();
            for (place, column) in self.columns.iter().enumerate() {
                index.entry(Arc::clone(&column.name)).and_modify(|(_, twice)| *twice = true).or_insert((place, false));
            }
            index
        })
    }

    /// The fields that can be named without their columns.
    pub fn fields(&self) -> &Fields {
        self.fields.get_or_init(|| Fields::of(self.columns.iter().map(|column| &column.value)))
    }

    /// Every value in it.
    pub fn all(&self) -> Value {
        let mut all = Value::default();
        self.columns.iter().for_each(|column| all.add(column.value.clone()));
        self.open.iter().for_each(|open| all.add(open.column("*", UseKind::Unknown)));
        all
    }

    /// The columns that it names.
    pub fn closed(self: &Arc<Self>) -> Arc<Self> {
        if self.open.is_empty() { Arc::clone(self) } else { Arc::new(Self::new(self.columns.clone(), Vec::new())) }
    }

    /// The columns under the names of a column list, which may be shorter.
    pub fn renamed<'a>(self: Arc<Self>, names: impl ExactSizeIterator<Item = &'a str>) -> Arc<Self> {
        if names.len() == 0 {
            return self;
        }
        if self.columns.len() < names.len() && !self.open.is_empty() {
            // Nobody knows which unknown column gets which name.
            let mut any = self.all().lifted(UseKind::Computed);
            any.float = Float::Double;
            let span = self.columns.first().map_or(Span::new(0, 0), |c| c.span);
            let columns = names.map(|name| RelationColumn { name: name.into(), value: any.clone(), span }).collect();
            return Arc::new(Self::new(columns, Vec::new()));
        }
        let mut renamed = Arc::unwrap_or_clone(self);
        for (column, name) in renamed.columns_mut().iter_mut().zip(names) {
            column.name = name.into();
        }
        Arc::new(renamed)
    }

    /// The names of its columns as those of a result, each with its place.
    pub fn names(&self) -> Vec<(String, Span)> {
        let span = self.columns.first().map_or(Span::new(0, 0), |c| c.span);
        let known = self.columns.iter().map(|column| (column.name.to_string(), column.span));
        known.chain(self.open.iter().map(|_| ("*".to_owned(), span))).collect()
    }

    /// The columns as those of a result.
    pub fn outputs(&self) -> Vec<OutputColumn> {
        let span = self.columns.first().map_or(Span::new(0, 0), |c| c.span);
        let output = |name: &str, value: &Value, span: Span| {
            let Expansion { uses, calls, .. } = Expansion::of(value, span);
            OutputColumn { name: name.to_owned(), uses, span, calls }
        };
        let known = self.columns.iter().map(|column| output(&column.name, &column.value, column.span));
        known.chain(self.open.iter().map(|open| output("*", &open.column("*", UseKind::Unknown), span))).collect()
    }
}

impl RelationColumn {
    /// The column as a star at `span` lists it.
    pub fn starred(&self, span: Span) -> Self {
        Self { name: Arc::clone(&self.name), value: self.value.clone().placed(span), span }
    }
}
