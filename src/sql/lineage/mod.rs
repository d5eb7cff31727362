//! Where the columns and the rows of a query come from.
//!
//! Rules:
//! - `outputs` says for each result column which table columns its *value* is made of; `rows` says which table columns
//!   decide *which rows* there are: conditions, keys of grouping, `DISTINCT` and set operations, order, patterns, expansion.
//!   Both together are everything that a change of a column can reach.
//! - A derived table, a CTE and a subquery are looked through. A view is named *and* looked through: the view's own column
//!   is a use, and so are the columns behind it, with the view in `via`. [`Reader::of_steps`] names it and goes no further.
//! - A window function's value is made of its arguments and of its `PARTITION BY` and `ORDER BY` columns; a filter on it
//!   hands them on to `rows`.
//! - What cannot be told is a use of kind `Unknown` or a note, never nothing.
//! - Spans are in the text of the query that was asked about, at the innermost place that names the column.
//!
//! What it costs grows with the text, the views behind it and the answer, and with nothing else: what is read twice is shared
//! and walked once for each way of being used. The answer can be longer than the text: a star lists the columns of all
//! sources, and a column that a hundred sources may have is made of a hundred.

mod columns;
mod float;
mod form;
mod grouped;
mod joins;
mod made;
mod misplaced;
mod name;
mod relation;
mod scope;
mod select;
mod source;
mod value;
mod views;
mod windows;

use std::collections::BTreeMap;

pub use self::float::Float;
use self::made::Expansion;
use self::select::Walker;
pub(crate) use self::select::own_name;
pub(crate) use self::views::Views;
use self::views::{Behind, prepare};
use super::session::{Session, may_be_one};
use super::tree::{ColumnKind, CreateTable, ObjectName, Query};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::column::Column;

/// What is known of tables and views.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    /// By key: the last part of its name, or as much more of it as tells it from another.
    pub tables: BTreeMap<String, CatalogTable>,
    /// What stands in front of a name that is written with fewer than three parts.
    pub session: Session,
}

impl Catalog {
    /// The table that a name of any number of parts stands for in this catalog's session, and its key.
    pub fn find(&self, name: &ObjectName) -> Option<(&str, &CatalogTable)> {
        self.find_in(&self.session, name)
    }

    /// The table that a name stands for in another session, as that in which a view was made, and its key. `None` where it
    /// could be one of several.
    pub fn find_in(&self, session: &Session, name: &ObjectName) -> Option<(&str, &CatalogTable)> {
        let full = session.full(name);
        let mut found = None;
        // Keys are as long as names can be: catalog, database and table.
        for from in full.len().saturating_sub(4)..full.len() {
            let key = full.get(from..).unwrap_or_default().join(".");
            let Some((key, table)) = self.tables.get_key_value(&key) else { continue };
            if may_be_one(&table.name, &full) {
                found = Some((key.as_str(), table));
                break;
            }
        }
        // More is known of the table's name than of this one, and other tables have such a name.
        let (key, table) = found?;
        (table.name.len() <= full.len() || !table.shares_its_name).then_some((key, table))
    }
}

/// A table or a view.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CatalogTable {
    /// Its columns in order; of a view that has a query they may be left out, unless the view has a column list: their names
    /// are then the view's.
    pub columns: Vec<Column>,
    /// A view's query.
    pub view: Option<Query>,
    /// The parts of its name, as far as they are known; nothing where only the key is.
    pub name: Vec<String>,
    /// True if another table of another database has the same last part.
    pub shares_its_name: bool,
    /// The session in which a view was made: names in its query go by that.
    pub session: Session,
}

/// Where a query's result comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lineage {
    /// The result's columns in order. One that is named `*` stands for columns that are not known.
    pub outputs: Vec<OutputColumn>,
    /// What decides which rows there are.
    pub rows: Vec<ColumnUse>,
    /// What could not be told.
    pub notes: Vec<Diagnostic>,
    /// The calls of that kind that decide which rows there are.
    pub row_calls: Vec<Span>,
    /// Where floating-point numbers are summed up, so that the order of rows shows in the last digits.
    pub float_aggregates: Vec<(Span, Float)>,
    /// Pairs of columns, each a table and its column, that are equal in every row of the result: by inner joins and `WHERE`
    /// of the query itself and its derived tables, not of subqueries in expressions or of views.
    pub equal: Vec<[(String, String); 2]>,
}

/// A column of a result.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputColumn {
    /// Its name.
    pub name: String,
    /// What its value is made of.
    pub uses: Vec<ColumnUse>,
    /// The item of the select list.
    pub span: Span,
    /// The calls in it that make it depend on more than its input, also those in derived tables and CTEs: the spans of the
    /// operators that say so (non-deterministic functions, order-sensitive aggregates, sums of floating-point numbers).
    pub calls: Vec<Span>,
}

/// A use of a table's column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ColumnUse {
    /// The table, by the catalog's key; a table that is not in the catalog by its last part.
    pub table: String,
    /// The column; `*` if it could be any.
    pub column: String,
    /// How it is used.
    pub kind: UseKind,
    /// Where it is named.
    pub span: Span,
    /// The views between the query and the table, the outermost first: sixteen at most, and one way if several lead from the
    /// outermost one to the column.
    pub via: Vec<String>,
}

/// How a column is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UseKind {
    /// Its value is passed on as it is.
    Direct,
    /// Its value goes into an expression.
    Computed,
    /// Its values go into an aggregate.
    Aggregated,
    /// In `WHERE`, `HAVING`, `QUALIFY`, `FILTER`.
    Filter,
    /// In a join's condition, or expanded to rows.
    Join,
    /// Grouped by, made distinct, compared by a set operation.
    Group,
    /// Ordered by.
    Order,
    /// Partitioned by.
    Partition,
    /// Decides the window.
    Window,
    /// In the conditions of `MATCH_RECOGNIZE`.
    Pattern,
    /// In a watermark.
    Watermark,
    /// In a primary key.
    Key,
    /// Perhaps.
    Unknown,
}

impl UseKind {
    /// Every kind, in order.
    const ALL: [Self; 13] = [
        Self::Direct,
        Self::Computed,
        Self::Aggregated,
        Self::Filter,
        Self::Join,
        Self::Group,
        Self::Order,
        Self::Partition,
        Self::Window,
        Self::Pattern,
        Self::Watermark,
        Self::Key,
        Self::Unknown,
    ];
}

/// The lineage of a query.
pub fn lineage(query: &Query, catalog: &Catalog) -> Lineage {
    Reader::new(catalog).lineage(query)
}

/// Looks at many queries over one catalog, and at what they read once.
#[derive(Debug)]
pub struct Reader<'a> {
    catalog: &'a Catalog,
    views: Views,
    behind: Behind,
}

/// What a query gives, without where that comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outline {
    /// The names of the result's columns in order, each with its item of the select list. One that is named `*` stands for
    /// columns that are not known.
    pub columns: Vec<(String, Span)>,
    /// What could not be told.
    pub notes: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    /// Nothing is known yet.
    pub fn new(catalog: &'a Catalog) -> Self {
        Self { catalog, views: Views::default(), behind: Behind::Ways }
    }

    /// A reader that does not look through views: a use is a column that the query itself reads, of a table or of a view, and
    /// what decides about the rows of a view is told of that view alone. What all queries of a project cost then grows with
    /// their text, however many views stand on each other.
    pub fn of_steps(catalog: &'a Catalog) -> Self {
        Self { behind: Behind::Nothing, ..Self::new(catalog) }
    }

    /// The lineage of a query.
    pub fn lineage(&mut self, query: &Query) -> Lineage {
        prepare(query, self.catalog, &mut self.views, self.behind);
        found(query, self.catalog, &self.views)
    }

    /// What a query gives. What that costs grows with its text alone, however much is behind the views that it reads.
    pub fn outline(&mut self, query: &Query) -> Outline {
        prepare(query, self.catalog, &mut self.views, self.behind);
        outline(query, self.catalog, &self.views)
    }
}

fn found(query: &Query, catalog: &Catalog, views: &Views) -> Lineage {
    let mut walker = Walker::new(catalog, views);
    let relation = walker.query(query);
    let mut found = walker.finished(relation.outputs());
    found.rows.sort();
    found.rows.dedup();
    found.notes.dedup();
    found
}

fn outline(query: &Query, catalog: &Catalog, views: &Views) -> Outline {
    let mut walker = Walker::new(catalog, views);
    let relation = walker.query(query);
    let mut notes = walker.notes;
    notes.dedup();
    Outline { columns: relation.names(), notes }
}

/// The lineage of a query as far as [`flow`](super::flow) asks: a column behind a view is there once for each kind of use, and
/// columns of views behind views are not. `views` holds what was found out about this catalog, and takes up more.
pub(super) fn origins(query: &Query, catalog: &Catalog, views: &mut Views) -> Lineage {
    prepare(query, catalog, views, Behind::Columns);
    found(query, catalog, views)
}

/// The names of the columns that a query gives; `views` as for [`origins`].
pub(super) fn names(query: &Query, catalog: &Catalog, views: &mut Views) -> Vec<String> {
    prepare(query, catalog, views, Behind::Columns);
    outline(query, catalog, views).columns.into_iter().map(|(name, _)| name).collect()
}

/// What a table's own definition does with its columns: computed columns are the outputs; watermark, primary key,
/// partitions and buckets are the rows.
pub fn table_lineage(table: &CreateTable) -> Lineage {
    let name = table.name.last().name.clone();
    let mut catalog = Catalog::default();
    catalog.tables.insert(name, CatalogTable { columns: table.schema(), ..CatalogTable::default() });
    let views = Views::default();
    let mut walker = Walker::new(&catalog, &views);
    walker.bare_fields = false;
    walker.open_table(&table.name);
    let mut outputs = Vec::new();
    for column in &table.columns {
        if let ColumnKind::Computed { expr, .. } = &column.kind {
            let value = walker.expr(expr);
            let Expansion { uses, calls, .. } = Expansion::of(&value, expr.span);
            outputs.push(OutputColumn { name: column.name.name.clone(), uses, span: column.span, calls });
        }
    }
    if let Some(watermark) = &table.watermark {
        walker.row_column(&watermark.column, UseKind::Watermark);
        walker.row_expr(&watermark.expr, UseKind::Watermark);
    }
    let key = table.primary_key.iter().flat_map(|key| &key.columns);
    key.for_each(|column| walker.row_ident(column, UseKind::Key));
    let parts = table.partitioned_by.iter().chain(table.distribution.iter().flat_map(|d| &d.columns));
    parts.for_each(|column| walker.row_ident(column, UseKind::Partition));
    walker.finished(outputs)
}
