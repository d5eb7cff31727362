//! A query as relations: columns with types and time attributes, how the rows change, and by which columns they are known.
//!
//! Rules:
//! - As Flink's planner has it: a source gives rows that only come, or rows that change; an operator passes that on or
//!   decides it anew, and says by which columns a changed row is found again (Flink's *upsert keys*).
//! - What cannot be told is unknown, or taken for rows that change; rows are never said only to come when they might change.
//! - A type that does not follow from definitions and from what Flink documents is not given.
//! - Views are looked through once each; what happens in one is told where the view is named.

mod changes;
mod condition;
mod expr;
mod grouping;
mod join;
mod query;
mod rank;
mod scope;
mod source;
mod table;

pub use self::changes::{Because, Cause};
pub(crate) use self::changes::{Changes, Kind, SourceChanges, source_changes};
pub(crate) use self::scope::Column;

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use self::changes::Key;
use self::rank::Rank;
use self::scope::Scope;
use super::flow::Definitions;
use super::session::Session;
use super::tree::Query;
use crate::diagnostic::Span;

/// Rows with columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Relation {
    /// The columns in order.
    pub columns: Vec<Column>,
    /// There are columns besides that are not known.
    pub open: bool,
    /// How the rows change.
    pub changes: Changes,
    /// A column that numbers the rows, which a condition may limit.
    pub rank: Option<Rank>,
}

/// The relation that a query makes.
pub(crate) fn relation(query: &Query, known: &Definitions) -> Relation {
    Walker::new(known).query(query)
}

/// Walks a query from the inside out.
struct Walker<'a> {
    known: &'a Definitions,
    /// The current catalog and database of the text that is looked at.
    session: &'a Session,
    /// CTEs in reach, inner ones last.
    ctes: Vec<(String, Rc<Relation>)>,
    /// Selects in reach, inner ones last.
    scopes: Vec<Scope>,
    /// Views that were looked through; `None` while one is.
    views: BTreeMap<String, Option<Rc<Relation>>>,
    /// How many views are open.
    depth: usize,
    /// Columns of the select around a subquery that the subquery compares its own with.
    correlated: Vec<usize>,
    /// Queries inside of expressions that were looked at, by where they are in memory: each is asked for more than once.
    subqueries: HashMap<(usize, Span), (Rc<Relation>, Key)>,
}

impl<'a> Walker<'a> {
    fn new(known: &'a Definitions) -> Self {
        Self {
            known,
            session: &known.catalog().session,
            ctes: Vec::new(),
            scopes: Vec::new(),
            views: BTreeMap::new(),
            depth: 0,
            correlated: Vec::new(),
            subqueries: HashMap::new(),
        }
    }
}
