//! From which columns of which tables a statement fills its columns, once the definitions around it are known.
//!
//! Rules: views, computed columns and `LIKE` are looked through, so that an origin is a column that its table really has:
//! a physical or a metadata column. A table that nobody defined keeps its name, and `*` where its column is not known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::changelog::filled;
use super::lineage::{self, Catalog, CatalogTable, ColumnUse, Lineage, UseKind, Views, table_lineage};
use super::relation::{SourceChanges, source_changes};
use super::session::may_be_one;
use super::tree::{ColumnKind, CreateTable, Insert, ObjectName, Query, Statement, StatementKind};
use super::{relation, state, steps};
use crate::diagnostic::Diagnostic;
use crate::model::column::{Column, ColumnType, Nullable};

/// The tables and views that are known.
#[derive(Debug, Default)]
pub struct Definitions {
    catalog: Catalog,
    tables: BTreeMap<String, CreateTable>,
    /// For each table with computed columns: what each of them is made of, columns of the table.
    computed: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// Each change of a table with a primary key may come twice.
    duplicates: bool,
    /// What was found out about them so far.
    views: Mutex<Views>,
    relations: Mutex<relation::Views>,
    states: Mutex<state::Views>,
}

impl Clone for Definitions {
    fn clone(&self) -> Self {
        let (catalog, tables, computed) = (self.catalog.clone(), self.tables.clone(), self.computed.clone());
        Self { catalog, tables, computed, duplicates: self.duplicates, ..Self::default() }
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The table, by its key in the catalog: its last part, or more where two tables share that.
    pub table: String,
    /// The column; `*` if it could be any.
    pub column: String,
}

/// What one query fills.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// The table or view that is filled; empty for a query on its own.
    pub target: String,
    /// Its columns in order.
    pub columns: Vec<FlowColumn>,
    /// The columns that decide which rows there are, and how.
    pub rows: BTreeSet<(Origin, UseKind)>,
    /// What could not be told.
    pub notes: Vec<Diagnostic>,
}

/// A column that is filled.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowColumn {
    /// Its name.
    pub name: String,
    /// What its value is made of.
    pub origins: BTreeSet<Origin>,
    /// What its value depends on besides, as the order or the partition of a window, and how.
    pub influences: BTreeSet<(Origin, UseKind)>,
}

impl Definitions {
    /// The same for jobs that run with `table.exec.source.cdc-events-duplicate`, or without.
    #[must_use]
    pub fn with_duplicates(self, duplicates: bool) -> Self {
        Self { duplicates, ..self.clone() }
    }

    /// True if a source's changes are made whole before anything else sees them.
    pub(super) fn normalizes(&self, table: &CreateTable) -> bool {
        match source_changes(table) {
            SourceChanges::Upsert => true,
            SourceChanges::All => self.duplicates && table.primary_key.is_some(),
            SourceChanges::Append => false,
        }
    }

    /// Takes what `statement` defines. A later definition of the same name wins.
    pub fn add(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::CreateTable(table) => self.add_table(table.clone()),
            StatementKind::CreateTableAs(ctas) => {
                let mut table = ctas.table.clone();
                let filled = self.result_columns(&ctas.query);
                let given: BTreeSet<String> = table.columns.iter().map(|c| c.name.name.clone()).collect();
                let (same, more): (Vec<Column>, Vec<Column>) =
                    filled.into_iter().partition(|column| given.contains(&column.name));
                let bare: BTreeSet<&str> =
                    table.columns.iter().filter(|c| c.is_bare()).map(|c| c.name.name.as_str()).collect();
                // A column that is only named has the query's type.
                let same: BTreeMap<String, Column> = same.into_iter().map(|c| (c.name.clone(), c)).collect();
                let typed = |own: Column| match same.get(&own.name).filter(|_| bare.contains(own.name.as_str())) {
                    Some(column) => column.clone(),
                    None => own,
                };
                let columns: Vec<Column> = table.schema().into_iter().map(typed).chain(more).collect();
                table.like = None;
                self.insert_table(table, columns);
            }
            StatementKind::CreateView(view) => {
                let columns = if view.columns.is_empty() {
                    Vec::new()
                } else {
                    view.columns.iter().map(|column| untyped(&column.name)).collect()
                };
                self.insert(&view.name, columns, Some(view.query.clone()));
            }
            StatementKind::Other { keyword, effects, .. } if keyword == "CREATE MATERIALIZED TABLE" => {
                let query = effects.parts.iter().find_map(|part| match &part.kind {
                    StatementKind::Query(query) => Some(query),
                    _ => None,
                });
                if let (Some(name), Some(query)) = (effects.writes.first(), query) {
                    let columns = self.result_columns(query);
                    self.insert(name, columns, None);
                }
            }
            _ => self.catalog.session.follow(statement),
        }
    }

    /// What is known, for [`lineage`] and the like.
    pub const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The definition of a table, with what it takes over by `LIKE`.
    pub fn table(&self, name: &ObjectName) -> Option<&CreateTable> {
        self.catalog.find(name).and_then(|(key, _)| self.tables.get(key))
    }

    /// The definition of a table by its key.
    pub(crate) fn defined(&self, key: &str) -> Option<&CreateTable> {
        self.tables.get(key)
    }

    /// Every known table that has columns of its own, in order of their names.
    pub fn tables(&self) -> impl Iterator<Item = &CreateTable> {
        self.tables.values()
    }

    /// The key of a table that is known; the last part of another.
    pub(crate) fn key<'a>(&'a self, name: &'a ObjectName) -> &'a str {
        self.catalog.find(name).map_or(&name.last().name, |(key, _)| key)
    }

    /// The query of a view.
    pub fn view(&self, name: &ObjectName) -> Option<&Query> {
        self.catalog.find(name).and_then(|(_, table)| table.view.as_ref())
    }

    /// Gives `work` what is known of the lineage of views.
    fn with_views<T>(&self, work: impl FnOnce(&mut Views) -> T) -> T {
        work(&mut self.views.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives `work` what is known of the relations of views.
    pub(super) fn with_relations<T>(&self, work: impl FnOnce(&mut relation::Views) -> T) -> T {
        work(&mut self.relations.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives `work` what is known of the state of views.
    pub(super) fn with_states<T>(&self, work: impl FnOnce(&mut state::Views) -> T) -> T {
        work(&mut self.states.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The key by which the table or view is known from now on.
    fn insert(&mut self, name: &ObjectName, columns: Vec<Column>, view: Option<Query>) -> String {
        let session = self.catalog.session.clone();
        let full = session.full(name);
        let last = name.last().name.clone();
        let other = self.catalog.tables.get_mut(&last).filter(|other| !may_be_one(&other.name, &full));
        let shares_its_name = other.map(|other| other.shares_its_name = true).is_some();
        let key = if shares_its_name { full.join(".") } else { last };
        let last = &name.last().name;
        self.views.get_mut().unwrap_or_else(PoisonError::into_inner).forget(&key, last);
        self.relations.get_mut().unwrap_or_else(PoisonError::into_inner).forget(&key, last);
        self.states.get_mut().unwrap_or_else(PoisonError::into_inner).forget(&key, last);
        self.tables.remove(&key);
        self.computed.remove(&key);
        let table = CatalogTable { columns, view, name: full, shares_its_name, session };
        self.catalog.tables.insert(key.clone(), table);
        key
    }

    fn result_columns(&self, query: &Query) -> Vec<Column> {
        if let Some(columns) = super::types::result_types(query, self) {
            let column = |column: super::types::TypedColumn| match column.ty {
                Some(ty) => Column { name: column.name, ty },
                None => untyped(&column.name),
            };
            return columns.into_iter().map(column).collect();
        }
        self.with_views(|views| lineage::names(query, &self.catalog, views)).iter().map(|name| untyped(name)).collect()
    }

    fn add_table(&mut self, mut table: CreateTable) {
        if let Some(like) = &table.like
            && let Some(base) = self.table(&like.table)
        {
            let leaves_out =
                |what: &str| like.options.iter().any(|o| o == "EXCLUDING ALL" || o == &format!("EXCLUDING {what}"));
            let kept = |kind: &ColumnKind| match kind {
                ColumnKind::Physical(_) => true,
                ColumnKind::Computed { .. } => !leaves_out("GENERATED"),
                ColumnKind::Metadata { .. } => !leaves_out("METADATA"),
            };
            let own: BTreeSet<&str> = table.columns.iter().map(|c| c.name.name.as_str()).collect();
            let inherited = base.columns.iter().filter(|c| kept(&c.kind) && !own.contains(c.name.name.as_str()));
            let inherited: Vec<_> = inherited.cloned().collect();
            let options: BTreeSet<&str> = table.options.iter().map(|o| o.key.as_str()).collect();
            let inherited_options =
                base.options.iter().filter(|o| !leaves_out("OPTIONS") && !options.contains(o.key.as_str()));
            let inherited_options: Vec<_> = inherited_options.cloned().collect();
            if table.primary_key.is_none() && !leaves_out("CONSTRAINTS") {
                table.primary_key.clone_from(&base.primary_key);
            }
            if table.watermark.is_none() && !leaves_out("WATERMARKS") {
                table.watermark.clone_from(&base.watermark);
            }
            table.columns.splice(0..0, inherited);
            table.options.extend(inherited_options);
        }
        let columns = table.schema();
        self.insert_table(table, columns);
    }

    fn insert_table(&mut self, table: CreateTable, columns: Vec<Column>) {
        let key = self.insert(&table.name, columns, None);
        if table.columns.iter().any(|column| matches!(column.kind, ColumnKind::Computed { .. })) {
            self.computed.insert(key.clone(), computed(&table));
        }
        self.tables.insert(key, table);
    }

    /// What `statement` fills, one entry for each query that is written somewhere or asked.
    pub fn flows(&self, statement: &Statement) -> Vec<Flow> {
        self.flows_by(statement, &|query| self.with_views(|views| lineage::origins(query, &self.catalog, views)))
    }

    /// The same, for who asks about one statement and no other. It costs what is behind the statement, where [`Self::flows`] finds
    /// out for every view on the way all that is behind it: of views that each read one more table that is the square.
    pub fn flows_of_one(&self, statement: &Statement) -> Vec<Flow> {
        self.flows_by(statement, &|query| lineage::lineage(query, &self.catalog))
    }

    fn flows_by(&self, statement: &Statement, lineage: &dyn Fn(&Query) -> Lineage) -> Vec<Flow> {
        let mut flows = Vec::new();
        for filled in filled(statement, self) {
            let mut flow = self.flow(lineage(filled.query), filled.target, filled.names.clone());
            filled.arrange(&mut flow.columns, |column| &column.name);
            flows.push(flow);
        }
        flows
    }

    /// The columns that the query of an `INSERT` fills, in order; empty for a table that is not known.
    pub(crate) fn filled_by(&self, insert: &Insert) -> Vec<String> {
        let fixed: BTreeSet<&str> = insert.partition.iter().map(|(column, _)| column.name.as_str()).collect();
        if insert.columns.is_empty() {
            let table = self.table(&insert.target).map(CreateTable::writable).unwrap_or_default();
            table.into_iter().map(|column| column.name).filter(|name| !fixed.contains(name.as_str())).collect()
        } else {
            insert.columns.iter().map(|column| column.name.clone()).collect()
        }
    }

    fn flow(&self, found: Lineage, target: &str, names: Vec<String>) -> Flow {
        let mut names = names.into_iter();
        let mut columns = Vec::new();
        for output in found.outputs {
            let name = names.next().unwrap_or(output.name);
            let mut column = FlowColumn { name, origins: BTreeSet::new(), influences: BTreeSet::new() };
            for (origin, kind) in self.origins(&output.uses) {
                if is_value(kind) {
                    column.origins.insert(origin);
                } else {
                    column.influences.insert((origin, kind));
                }
            }
            columns.push(column);
        }
        Flow { target: target.to_owned(), columns, rows: self.origins(&found.rows), notes: found.notes }
    }

    /// Uses of columns that their tables really have.
    fn origins(&self, uses: &[ColumnUse]) -> BTreeSet<(Origin, UseKind)> {
        let mut found = BTreeSet::new();
        let asked: BTreeSet<(&str, &str, UseKind)> =
            uses.iter().map(|used| (used.table.as_str(), used.column.as_str(), used.kind)).collect();
        for (table, column, kind) in asked {
            self.origin(table, column, kind, &mut found);
        }
        found
    }

    fn origin(&self, table: &str, column: &str, kind: UseKind, found: &mut BTreeSet<(Origin, UseKind)>) {
        steps::count(1);
        // What is behind a view is among the uses as well.
        if self.catalog.tables.get(table).is_some_and(|known| known.view.is_some()) && column != "*" {
            return;
        }
        let origin = |column: &str| Origin { table: table.to_owned(), column: column.to_owned() };
        let Some(computed) = self.computed.get(table).filter(|computed| computed.contains_key(column)) else {
            found.insert((origin(column), kind));
            return;
        };
        let kind = if kind == UseKind::Direct { UseKind::Computed } else { kind };
        let (mut seen, mut left) = (BTreeSet::from([column]), vec![column]);
        while let Some(column) = left.pop() {
            steps::count(1);
            match computed.get(column) {
                Some(parts) => left.extend(parts.iter().map(String::as_str).filter(|part| seen.insert(part))),
                None => {
                    found.insert((origin(column), kind));
                }
            }
        }
        // Made of itself, which Flink rejects: then it is named.
        if computed.get(column).is_some_and(|parts| parts.contains(column)) {
            found.insert((origin(column), kind));
        }
    }
}

/// What each computed column of a table is made of.
fn computed(table: &CreateTable) -> BTreeMap<String, BTreeSet<String>> {
    let parts = |uses: Vec<ColumnUse>| uses.into_iter().map(|used| used.column).collect();
    table_lineage(table).outputs.into_iter().map(|output| (output.name, parts(output.uses))).collect()
}

/// True where a use is part of the value, not only of what it depends on.
const fn is_value(kind: UseKind) -> bool {
    matches!(kind, UseKind::Direct | UseKind::Computed | UseKind::Aggregated | UseKind::Window | UseKind::Unknown)
}

fn untyped(name: &str) -> Column {
    Column { name: name.to_owned(), ty: Nullable { ty: ColumnType::Other(String::new()), nullable: true } }
}
