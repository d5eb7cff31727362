//! Which tables a statement reads, and where it says so.
//!
//! Rules: a reference is what the catalog resolves: never a CTE, an alias, a function, a column, a literal or a comment. A
//! CTE hides a table of its name from the next CTE on, not inside of its own query. A table without an alias can qualify
//! columns by its own name, also from subqueries further in, unless something nearer has that name.

mod rename;
mod resolver;

pub use self::rename::rename_tables;

use self::resolver::Resolver;
use super::tree::{Ident, ObjectName, Query, Statement, StatementKind};
use crate::diagnostic::Span;

/// A reference to a table or view of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRef {
    /// The name as written.
    pub name: ObjectName,
    /// Its alias.
    pub alias: Option<Ident>,
    /// The identifiers elsewhere that name this table because it has no alias: `orders` in `orders.id`, `orders.*`.
    pub qualifiers: Vec<Span>,
    /// The same inside of string literals of hints, without the quotes.
    pub hint_names: Vec<Span>,
    /// How often this place is read: once for each use of the CTE that it stands in.
    pub scans: usize,
}

/// Every reference to a table or view that `statement` reads. What it creates or writes is not among them.
pub fn table_refs(statement: &Statement) -> Vec<TableRef> {
    let mut resolver = Resolver::default();
    resolver.statement(&statement.kind);
    resolver.counted()
}

/// The tables and views that `statement` creates, fills, changes or drops, in order of the text.
pub fn written_tables(statement: &Statement) -> Vec<&ObjectName> {
    match &statement.kind {
        StatementKind::CreateTable(table) => vec![&table.name],
        StatementKind::CreateTableAs(ctas) => vec![&ctas.table.name],
        StatementKind::CreateView(view) => vec![&view.name],
        StatementKind::Insert(insert) => vec![&insert.target],
        StatementKind::StatementSet(inserts) => inserts.iter().map(|insert| &insert.target).collect(),
        StatementKind::Drop { what, name } if what.ends_with("TABLE") || what == "VIEW" => vec![name],
        StatementKind::Other { effects, .. } => {
            effects.writes.iter().chain(effects.parts.iter().flat_map(written_tables)).collect()
        }
        StatementKind::Drop { .. }
        | StatementKind::Query(_)
        | StatementKind::Set { .. }
        | StatementKind::Reset { .. }
        | StatementKind::Unparsed { .. } => Vec::new(),
    }
}

/// The tables and views that `statement` is about without reading or changing their rows, as in `DESCRIBE`; in order of the
/// text.
pub fn mentioned_tables(statement: &Statement) -> Vec<&ObjectName> {
    match &statement.kind {
        StatementKind::Other { effects, .. } => {
            effects.mentions.iter().chain(effects.parts.iter().flat_map(mentioned_tables)).collect()
        }
        _ => Vec::new(),
    }
}

/// Every reference to a table or view in `query`.
pub fn query_refs(query: &Query) -> Vec<TableRef> {
    let mut resolver = Resolver::default();
    resolver.query(query);
    resolver.counted()
}
