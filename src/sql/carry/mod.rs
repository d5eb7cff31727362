//! Adding a column of a source to a query's result, by edits.
//!
//! Rules:
//! - The new column is always the last one of every select list it passes, and of the `INSERT`'s column list.
//! - It passes through derived tables and CTEs, which get it too. `SELECT *` hands it on without an edit, but only where
//!   it then comes last.
//! - It goes only where rows go one by one: not through `GROUP BY`, aggregates, `DISTINCT`, set operations other than
//!   `UNION ALL` of branches that all have it, or `MATCH_RECOGNIZE`. There the answer is a reason in plain words.
//! - The expression around it is written once, where the source is read.

mod item;
mod path;

use std::collections::BTreeMap;

pub(crate) use item::item_name;

use super::keyword::quote_if_needed;
use super::layout::List;
use super::lineage::Catalog;
use super::tree::{CreateView, Ident, Insert, Query};
use crate::diagnostic::{Edit, Span};

/// Why a column cannot be carried through a query by a tool.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct CannotCarry {
    /// The reason, in plain words.
    pub reason: String,
    /// Where the query stands in the way.
    pub span: Option<Span>,
}

impl CannotCarry {
    fn new(reason: impl Into<String>, span: Span) -> Self {
        Self { reason: reason.into(), span: Some(span) }
    }
}

/// What carries a column, and what a reader should know of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// The edits; none if `SELECT *` hands the column on already.
    pub edits: Vec<Edit>,
    /// Remarks in plain words, such as that an outer join leaves the column NULL.
    pub notes: Vec<String>,
}

/// What is to be carried.
#[derive(Clone, Copy, Debug)]
pub struct Carry<'a> {
    /// The table, view or CTE-free source that has the column: the catalog's key or its own name.
    pub from_table: &'a str,
    /// The column there.
    pub column: &'a str,
    /// An expression around it, the first `{}` for the qualified column; the column itself if there is none.
    pub expr: Option<&'a str>,
    /// The new column's name.
    pub output: &'a str,
    /// New names that tables get by [`rename_tables`](super::rename_tables) in the same go: a column that has to be qualified
    /// by its table's own name is qualified by the new one.
    pub names: Option<&'a BTreeMap<String, String>>,
}

/// The edits that add a column of `from_table` to what `insert` writes, if no table is renamed in the same go. See [`carry`].
pub fn carry_column(
    text: &str,
    insert: &Insert,
    from_table: &str,
    column: &str,
    expr: Option<&str>,
    output: &str,
    catalog: &Catalog,
) -> Result<Vec<Edit>, CannotCarry> {
    Ok(carry(text, insert, Carry { from_table, column, expr, output, names: None }, catalog)?.edits)
}

/// Adds a column to what `insert` writes: to its query and, if it has one, to its column list. The table it writes gets the
/// column by [`add_column`](super::add_column).
pub fn carry(text: &str, insert: &Insert, what: Carry<'_>, catalog: &Catalog) -> Result<Carried, CannotCarry> {
    if insert.columns.iter().any(|column| column.name == what.output) {
        return Err(CannotCarry::new(format!("`{}` is written already", what.output), insert.span));
    }
    if insert.columns.is_empty() && !is_last(catalog, &insert.target, what.output) {
        let target = insert.target.dotted();
        let reason =
            format!("`{}` is not the last column of `{target}`, and the INSERT has no column list", what.output);
        return Err(CannotCarry::new(reason, insert.target.span));
    }
    let mut carried = through_query(text, &insert.query, what, catalog, Names::DoNotMatter)?;
    carried.edits.extend(append_name(text, &insert.columns, what.output));
    Ok(carried)
}

/// Adds a column to a view: to its query and, if it has one, to its column list.
pub fn carry_view(text: &str, view: &CreateView, what: Carry<'_>, catalog: &Catalog) -> Result<Carried, CannotCarry> {
    if view.columns.iter().any(|column| column.name == what.output) {
        return Err(CannotCarry::new(format!("the view has a column `{}` already", what.output), view.name.span));
    }
    let names = if view.columns.is_empty() { Names::Matter } else { Names::DoNotMatter };
    let mut carried = through_query(text, &view.query, what, catalog, names)?;
    carried.edits.extend(append_name(text, &view.columns, what.output));
    Ok(carried)
}

/// Whether a reader sees the names of the result's columns, or their order alone.
#[derive(Clone, Copy, PartialEq)]
enum Names {
    Matter,
    DoNotMatter,
}

fn through_query(
    text: &str,
    query: &Query,
    what: Carry<'_>,
    catalog: &Catalog,
    names: Names,
) -> Result<Carried, CannotCarry> {
    let walk = path::Walk { text, what, catalog };
    let way = walk.query(query, &[])?;
    if what.expr.is_some() && !way.has_expr {
        let reason =
            format!("`SELECT *` hands `{}` on as it is: list the columns to put an expression around it", what.column);
        return Err(CannotCarry::new(reason, query.span));
    }
    if names == Names::Matter && way.name != what.output {
        let reason = format!("`SELECT *` hands `{}` on under its own name, not as `{}`", what.column, what.output);
        return Err(CannotCarry::new(reason, query.span));
    }
    Ok(Carried { edits: way.edits, notes: way.notes })
}

/// True unless the catalog says that the column stands before others.
fn is_last(catalog: &Catalog, table: &super::tree::ObjectName, column: &str) -> bool {
    let Some((_, table)) = catalog.find(table) else { return true };
    table.columns.iter().all(|c| c.name != column) || table.columns.last().is_some_and(|last| last.name == column)
}

/// The edit that appends a name to a list of names, if there is one.
fn append_name(text: &str, names: &[Ident], name: &str) -> Option<Edit> {
    let spans: Vec<Span> = names.iter().map(|name| name.span).collect();
    List::new(text, &spans)?.append_one(&quote_if_needed(name))
}
