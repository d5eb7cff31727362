//! What is found out about tables and views, once for each.
//!
//! Rules: views are looked at from the innermost outwards and not one inside of the other, so however many stand on each
//! other, nothing runs deep. A view that is read by itself is not known there; Flink has none.

use std::collections::{BTreeMap, BTreeSet};

use super::lineage::{Catalog, CatalogTable};
use super::names::{TableRef, query_refs};
use super::session::Session;
use super::steps;
use super::tree::Query;

/// What was found out about the tables and views of one catalog.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    known: BTreeMap<String, T>,
    /// The last part of every name that a view names.
    asked: BTreeSet<String>,
}

/// A view's key, definition and query.
pub(crate) type View<'a> = (&'a str, &'a CatalogTable, &'a Query);

/// The key and the definition of a table or a view.
pub(crate) type Item<'a> = (&'a str, &'a CatalogTable);

/// A query whose tables and views are being looked at.
struct Reader<'a> {
    /// The view that it is of; `None` for the query that is asked about.
    view: Option<Item<'a>>,
    /// The tables and views that it reads and that nobody looked at yet.
    left: Vec<Item<'a>>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { known: BTreeMap::new(), asked: BTreeSet::new() }
    }
}

impl<T> Kept<T> {
    /// What is known of the table or view with this key.
    pub fn get(&self, key: &str) -> Option<&T> {
        self.known.get(key)
    }

    /// Forgets everything if something depends on a table or view that is defined anew: by its key and the last part of its
    /// name.
    pub fn forget(&mut self, key: &str, last: &str) {
        let depends = self.asked.contains(last) || [key, last].iter().any(|key| self.known.contains_key(*key));
        if depends {
            *self = Self::default();
        }
    }

    /// Looks at every view that `query` reads, also through views. `look` is told what is known of those that it reads itself.
    pub fn prepare(&mut self, query: &Query, catalog: &Catalog, look: &dyn Fn(View<'_>, &Self) -> T) {
        self.prepare_all(query, catalog, &|(key, table), kept| {
            table.view.as_ref().map(|query| look((key, table, query), kept))
        });
    }

    /// The same for tables as well; `look` gives nothing where nothing is to be kept.
    pub fn prepare_all(&mut self, query: &Query, catalog: &Catalog, look: &dyn Fn(Item<'_>, &Self) -> Option<T>) {
        let mut open: BTreeSet<&str> = BTreeSet::new();
        let mut readers =
            vec![Reader { view: None, left: self.read_by(&query_refs(query), catalog, &catalog.session) }];
        while let Some(reader) = readers.last_mut() {
            steps::count(1);
            let Some((key, table)) = reader.left.pop() else {
                if let Some(view) = reader.view {
                    self.keep(view, look);
                }
                readers.pop();
                continue;
            };
            if self.known.contains_key(key) {
                continue;
            }
            match &table.view {
                None => self.keep((key, table), look),
                Some(query) if open.insert(key) => {
                    let read = query_refs(query);
                    let left = self.read_by(&read, catalog, &table.session);
                    self.asked.extend(read.into_iter().map(|read| read.name.last().name.clone()));
                    readers.push(Reader { view: Some((key, table)), left });
                }
                Some(_) => {}
            }
        }
    }

    fn keep(&mut self, item: Item<'_>, look: &dyn Fn(Item<'_>, &Self) -> Option<T>) {
        if let Some(value) = look(item, self) {
            self.known.insert(item.0.to_owned(), value);
        }
    }

    /// The tables and views that a query reads and that nobody looked at yet.
    fn read_by<'a>(&self, read: &[TableRef], catalog: &'a Catalog, session: &Session) -> Vec<Item<'a>> {
        let found = read.iter().filter_map(|read| catalog.find_in(session, &read.name));
        let unknown: BTreeMap<&str, &CatalogTable> = found.filter(|(key, _)| !self.known.contains_key(*key)).collect();
        unknown.into_iter().collect()
    }
}
