//! What tables and views give to those that read them.
//!
//! Rule: a view that is read by itself is known there by its own columns only; Flink has none.

use std::sync::Arc;

use super::float::Float;
use super::form::{Form, of_text};
use super::made::Value;
use super::relation::{Open, Relation, RelationColumn};
use super::select::Walker;
use super::{Catalog, CatalogTable, UseKind};
use crate::diagnostic::Span;
use crate::model::column::ColumnType;
use crate::sql::tree::Query;
use crate::sql::views::Kept;

/// What is known of the tables and views of one catalog.
pub(crate) type Views = Kept<Known>;

/// What a table or a view gives.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Its columns, their places being open.
    pub(super) relation: Arc<Relation>,
    /// What decides which rows of a view there are.
    pub(super) rows: Value,
}

/// How much is kept of what is behind a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    /// Nothing: a view has columns, and that is all.
    Nothing,
    /// Every use, and the views that lead to it.
    Ways,
    /// The columns of tables, each once for each kind of use: of a view on a hundred views no more than of one.
    Columns,
}

/// Looks at everything that `query` reads, also through views.
pub(super) fn prepare(query: &Query, catalog: &Catalog, views: &mut Views, behind: Behind) {
    views.prepare_all(query, catalog, &|(key, table), views| {
        Some(match &table.view {
            Some(query) => view(key, table, query, catalog, views, behind),
            None => Known { relation: Arc::new(own_columns(key, table)), rows: Value::default() },
        })
    });
}

/// A view's own columns, and what is behind it.
fn view(key: &str, table: &CatalogTable, query: &Query, catalog: &Catalog, views: &Views, behind: Behind) -> Known {
    let name: Arc<str> = key.into();
    let mut walker = Walker::new(catalog, views);
    walker.session = &table.session;
    let made = walker.query(query).renamed(table.columns.iter().map(|column| column.name.as_str()));
    let mut rows = Value::default();
    walker.rows.into_iter().for_each(|(value, _)| rows.add(value));
    let is_view = |key: &str| catalog.tables.get(key).is_some_and(|table| table.view.is_some());
    let seen = |value: &Value| match behind {
        Behind::Nothing => Value::default(),
        Behind::Ways => value.clone().behind(&name),
        Behind::Columns => value.columns(&|table, column| !is_view(table) || column == "*").behind(&name),
    };
    let columns = made.columns().iter().map(|column| {
        let mut value = Value::view_column(&name, &column.name, UseKind::Direct);
        value.add(seen(&column.value));
        value.form = column.value.form.clone();
        value.float = column.value.float;
        RelationColumn { name: Arc::clone(&column.name), value, span: NOWHERE }
    });
    let unknown = made.open.iter().map(|open| Open::Value(seen(&open.column("*", UseKind::Unknown))));
    let own = (!made.open.is_empty()).then(|| Open::View(Arc::clone(&name)));
    let relation = Arc::new(Relation::new(columns.collect(), own.into_iter().chain(unknown).collect()));
    Known { relation, rows: seen(&rows) }
}

/// Where no text is.
const NOWHERE: Span = Span::new(0, 0);

/// The columns that a table or a view names itself.
pub(super) fn own_columns(key: &str, table: &CatalogTable) -> Relation {
    let name: Arc<str> = key.into();
    let column = |column: &crate::model::column::Column| {
        let own: Arc<str> = column.name.as_str().into();
        let make = if table.view.is_some() { Value::view_column } else { Value::column };
        let mut value = make(&name, &own, UseKind::Direct);
        (value.form, value.float) = match &column.ty.ty {
            ColumnType::Other(text) if table.view.is_none() => of_text(text, &table.columns),
            ty => (Form::of(ty), Float::of(ty)),
        };
        RelationColumn { name: own, value, span: NOWHERE }
    };
    let open = if table.columns.is_empty() && table.view.is_none() {
        vec![Open::Table(Arc::clone(&name))]
    } else {
        Vec::new()
    };
    let mut relation = Relation::new(table.columns.iter().map(column).collect(), open);
    relation.table = table.view.is_none().then_some(name.clone());
    relation
}
