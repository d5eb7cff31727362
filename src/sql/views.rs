//! What is found out about views, once for each.
//!
//! Rules: views are looked at from the innermost outwards and not one inside of the other, so however many stand on each
//! other, nothing runs deep. A view that is read by itself is not known there; Flink has none.

use std::collections::{BTreeMap, BTreeSet};

use super::lineage::{Catalog, CatalogTable};
use super::names::query_refs;
use super::session::Session;
use super::steps;
use super::tree::Query;

/// What was found out about the views of one catalog.
#[derive(Debug, Default)]
pub(super) struct Kept<T> {
    known: BTreeMap<String, T>,
    /// The last part of every name that a view names.
    asked: BTreeSet<String>,
    /// Something holds only as long as nothing is defined.
    of_all: bool,
}

/// What was found out about a view.
pub(super) struct Seen<T> {
    pub value: T,
    /// It depends on what other tables there are, not only on those that the view names.
    pub of_all: bool,
}

/// A view's key, definition and query.
pub(super) type View<'a> = (&'a str, &'a CatalogTable, &'a Query);

/// A query whose views are being looked at.
struct Reader<'a> {
    /// The view that it is of; `None` for the query that is asked about.
    view: Option<View<'a>>,
    /// The views that it reads and that nobody looked at yet.
    left: Vec<View<'a>>,
}

impl<T> Kept<T> {
    /// What is known of the view with this key.
    pub fn get(&self, key: &str) -> Option<&T> {
        self.known.get(key)
    }

    /// Forgets everything if something depends on a table or view that is defined anew: by its key and the last part of its
    /// name.
    pub fn forget(&mut self, key: &str, last: &str) {
        let depends = self.asked.contains(last) || [key, last].iter().any(|key| self.known.contains_key(*key));
        if depends || self.of_all {
            (self.known, self.asked, self.of_all) = (BTreeMap::new(), BTreeSet::new(), false);
        }
    }

    /// Looks at every view that `query` reads, also through views. `look` is told what is known of those that it reads itself.
    pub fn prepare(&mut self, query: &Query, catalog: &Catalog, look: &dyn Fn(View<'_>, &Self) -> Seen<T>) {
        let mut open: BTreeSet<&str> = BTreeSet::new();
        let mut readers = vec![Reader { view: None, left: self.read_by(query, catalog, &catalog.session) }];
        while let Some(reader) = readers.last_mut() {
            steps::count(1);
            let Some(view) = reader.left.pop() else {
                if let Some(view) = reader.view {
                    let seen = look(view, self);
                    self.of_all |= seen.of_all;
                    self.known.insert(view.0.to_owned(), seen.value);
                }
                readers.pop();
                continue;
            };
            let (key, table, query) = view;
            if !self.known.contains_key(key) && open.insert(key) {
                self.asked.extend(query_refs(query).into_iter().map(|read| read.name.last().name.clone()));
                let left = self.read_by(query, catalog, &table.session);
                readers.push(Reader { view: Some(view), left });
            }
        }
    }

    /// The views that a query reads and that nobody looked at yet.
    fn read_by<'a>(&self, query: &Query, catalog: &'a Catalog, session: &Session) -> Vec<View<'a>> {
        let found = query_refs(query).into_iter().filter_map(|read| catalog.find_in(session, &read.name));
        let views = found.filter_map(|(key, table)| Some((key, (table, table.view.as_ref()?))));
        let unknown: BTreeMap<&str, _> = views.filter(|(key, _)| !self.known.contains_key(*key)).collect();
        unknown.into_iter().map(|(key, (table, query))| (key, table, query)).collect()
    }
}
