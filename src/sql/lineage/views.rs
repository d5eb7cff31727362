//! What tables and views give to those that read them, found out once for each.
//!
//! Rules: views are looked at from the innermost outwards and not one inside of the other, so however many stand on each
//! other, nothing runs deep. A view that is read by itself is known there by its own columns only; Flink has none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::made::Value;
use super::scope::{Open, Relation, RelationColumn};
use super::select::Walker;
use super::{Catalog, CatalogTable, UseKind};
use crate::diagnostic::Span;
use crate::model::column::ColumnType;
use crate::sql::names::query_refs;
use crate::sql::session::Session;
use crate::sql::steps;
use crate::sql::tree::Query;

/// What is known of the tables and views of one catalog.
#[derive(Debug, Default)]
pub(crate) struct Views {
    known: BTreeMap<String, Known>,
    /// The last part of every name that a view names.
    asked: BTreeSet<String>,
}

/// What a table or a view gives.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// Its columns, their places being open.
    pub relation: Arc<Relation>,
    /// What decides which rows of a view there are.
    pub rows: Value,
}

/// A query whose tables and views are being looked at.
struct Reader<'a> {
    /// The view that it is of; `None` for the query that is asked about.
    view: Option<(&'a str, &'a CatalogTable)>,
    /// The tables and views that it reads and that nobody looked at yet.
    left: Vec<(&'a str, &'a CatalogTable)>,
}

impl Views {
    pub(super) fn get(&self, key: &str) -> Option<&Known> {
        self.known.get(key)
    }

    /// Forgets everything if something depends on a table or view that is defined anew: by its key and the last part of its
    /// name.
    pub(crate) fn forget(&mut self, key: &str, last: &str) {
        if self.asked.contains(last) || [key, last].iter().any(|key| self.known.contains_key(*key)) {
            *self = Self::default();
        }
    }

    /// Looks at everything that `query` reads, also through views.
    pub(super) fn prepare(&mut self, query: &Query, catalog: &Catalog) {
        let mut open: BTreeSet<&str> = BTreeSet::new();
        let mut readers = vec![Reader { view: None, left: self.read_by(query, catalog, &catalog.session) }];
        while let Some(reader) = readers.last_mut() {
            steps::count(1);
            let Some((key, table)) = reader.left.pop() else {
                if let Some((key, table)) = reader.view {
                    let known = self.view(key, table, catalog);
                    self.known.insert(key.to_owned(), known);
                }
                readers.pop();
                continue;
            };
            match &table.view {
                _ if self.known.contains_key(key) => {}
                None => {
                    let relation = Arc::new(own_columns(key, table));
                    self.known.insert(key.to_owned(), Known { relation, rows: Value::default() });
                }
                Some(query) if open.insert(key) => {
                    self.asked.extend(query_refs(query).into_iter().map(|read| read.name.last().name.clone()));
                    let left = self.read_by(query, catalog, &table.session);
                    readers.push(Reader { view: Some((key, table)), left });
                }
                Some(_) => {}
            }
        }
    }

    /// The tables and views that a query reads and that nobody looked at yet.
    fn read_by<'a>(&self, query: &Query, catalog: &'a Catalog, session: &Session) -> Vec<(&'a str, &'a CatalogTable)> {
        let found = query_refs(query).into_iter().filter_map(|read| catalog.find_in(session, &read.name));
        let unknown: BTreeMap<&str, &CatalogTable> = found.filter(|(key, _)| !self.known.contains_key(*key)).collect();
        unknown.into_iter().collect()
    }

    /// A view's own columns, and what is behind it.
    fn view<'a>(&'a self, key: &str, table: &'a CatalogTable, catalog: &'a Catalog) -> Known {
        let Some(query) = &table.view else {
            return Known { relation: Arc::new(own_columns(key, table)), rows: Value::default() };
        };
        let view: Arc<str> = key.into();
        let mut walker = Walker::new(catalog, self);
        walker.session = &table.session;
        let behind = walker.query(query).renamed(table.columns.iter().map(|column| column.name.as_str()));
        let mut rows = Value::default();
        walker.rows.into_iter().for_each(|(value, _)| rows.add(value));
        let columns = behind.columns().iter().map(|column| {
            let mut value = Value::view_column(&view, &column.name, UseKind::Direct);
            value.add(column.value.clone().behind(&view));
            RelationColumn { name: Arc::clone(&column.name), value, span: NOWHERE }
        });
        let unknown = behind.open.iter().map(|open| Open::Value(open.column("*", UseKind::Unknown).behind(&view)));
        let own = (!behind.open.is_empty()).then(|| Open::View(Arc::clone(&view)));
        let relation = Arc::new(Relation::new(columns.collect(), own.into_iter().chain(unknown).collect()));
        Known { relation, rows: rows.behind(&view) }
    }
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
        value.float = matches!(column.ty.ty, ColumnType::Float | ColumnType::Double);
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
