//! A query as relations: columns with types and time attributes, how the rows change, and by which columns they are known.
//!
//! Rules:
//! - As Flink's planner has it: a source gives rows that only come, or rows that change; an operator passes that on or
//!   decides it anew, and says by which columns a changed row is found again (Flink's *upsert keys*).
//! - What cannot be told is unknown, or taken for rows that change; rows are never said only to come when they might change.
//! - A type that does not follow from definitions and from what Flink documents is not given.
//! - Views are looked through once each, the innermost first; what happens in one is told where the view is named.

mod assumed;
mod bounds;
mod changes;
mod condition;
mod expr;
mod grouping;
mod join;
mod judged;
mod order;
mod outer;
mod query;
mod rank;
mod scope;
mod source;
mod table;
mod window;

pub use self::assumed::Assumption;
pub use self::changes::{Because, Cause};
pub(crate) use self::changes::{Changes, Kind, SourceChanges, source_changes};
pub(crate) use self::judged::Judged;
pub(crate) use self::order::Ordering;
pub(crate) use self::scope::Column;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use self::condition::{Asked, Correlation};
use self::rank::Rank;
use self::scope::Scope;
use super::flow::Definitions;
use super::session::Session;
use super::tree::Query;
use super::views::Kept;
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
    /// What operators turned out to be; with the relation of a whole query only.
    pub judged: Arc<Judged>,
    /// What is assumed of functions; with the relation of a whole query only.
    pub assumed: Arc<Vec<Assumption>>,
}

/// How many columns one query, or that of one view, takes from tables, views and CTEs; behind that nothing is said. Each
/// name takes all columns of what it stands for.
const MOST_TAKEN: usize = 100_000;

/// What is known of views.
pub(crate) type Views = Kept<Arc<Relation>>;

/// The relation that a query makes.
pub(crate) fn relation(query: &Query, known: &Definitions) -> Relation {
    known.with_relations(|views| {
        views.prepare(query, known.catalog(), &|(_, view, query), views| {
            let made = Walker::new(known, views, &view.session).whole(query);
            let made = made.renamed(view.columns.iter().map(|column| column.name.as_str()));
            Arc::new(made)
        });
        Walker::new(known, views, &known.catalog().session).whole(query)
    })
}

/// What the operators of a view turned out to be; the view is one that a query reads whose relation was asked for.
pub(crate) fn judged_in_view(key: &str, known: &Definitions) -> Arc<Judged> {
    known.with_relations(|views| views.get(key).map(|made| Arc::clone(&made.judged)).unwrap_or_default())
}

/// Walks a query from the inside out.
struct Walker<'a> {
    known: &'a Definitions,
    /// The current catalog and database of the text that is looked at.
    session: &'a Session,
    /// CTEs in reach with where their queries are written, inner ones last.
    ctes: Vec<(String, (Span, Rc<Relation>))>,
    /// Selects in reach, inner ones last.
    scopes: Vec<Scope>,
    /// The views that are named; one that reads itself is not known yet.
    views: &'a Views,
    /// How many columns may still be taken from tables, views and CTEs.
    columns_left: usize,
    /// How many windows with a name were looked up.
    named_windows: usize,
    /// What selects use of those around them: which of the selects in reach has it, and how.
    correlated: Vec<(usize, Correlation)>,
    /// Queries inside of expressions that were looked at, by where they are in memory: each is asked for more than once.
    subqueries: HashMap<(usize, Span), Asked>,
    /// What operators turned out to be.
    judged: Judged,
    /// The query that is looked at next is the whole one.
    whole: bool,
    /// What is assumed of functions.
    assumed: Vec<Assumption>,
}

impl<'a> Walker<'a> {
    fn new(known: &'a Definitions, views: &'a Views, session: &'a Session) -> Self {
        Self {
            known,
            session,
            ctes: Vec::new(),
            scopes: Vec::new(),
            views,
            columns_left: MOST_TAKEN,
            named_windows: 0,
            correlated: Vec::new(),
            subqueries: HashMap::new(),
            judged: Judged::default(),
            whole: true,
            assumed: Vec::new(),
        }
    }

    /// The relation of a query that stands in no other.
    fn whole(mut self, query: &Query) -> Relation {
        let made = self.query(query);
        self.assumed.sort();
        self.assumed.dedup();
        Relation { judged: Arc::new(self.judged), assumed: Arc::new(self.assumed), ..made }
    }
}
