//! What `ORDER BY` and `LIMIT` of queries hold.
//!
//! Rules, which are those of Flink's planner:
//! - an order without a limit is kept only for what leaves the whole query; by a time attribute, upwards, each row waits until
//!   no earlier one can come, otherwise all rows wait for the last one;
//! - a limit holds as many rows as it says of those that only come; where rows change, or where nothing but an offset is given,
//!   it holds all of them.

use std::collections::BTreeMap;

use super::Relation;
use super::Walker;
use super::changes::{Changes, Key, Kind, spread_by};
use super::scope::Time;
use crate::diagnostic::Span;
use crate::sql::operators::Clock;
use crate::sql::tree::{ExprKind, Literal, OrderItem, Query};

/// What `ORDER BY` or `LIMIT` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ordering {
    /// Rows that wait for earlier ones.
    ByTime,
    /// All rows, until there are no more.
    Sort,
    /// Some rows, by an order or without one.
    Limit {
        /// There is an order.
        sorted: bool,
        /// No more rows than are given are held.
        few: bool,
    },
}

/// A limit of rows in an order.
pub(crate) const TOP_N: &str = "top-N";

/// What the orders and limits of one query hold, by where they are written. Those that Flink leaves out are not among them,
/// nor are those of views.
pub(crate) type Orderings = BTreeMap<Span, Ordering>;

impl Walker<'_> {
    /// An order and a limit; `is_whole` for those of the whole query. `by_source` is the time of its sources that the first
    /// of the order is.
    pub(super) fn order_and_limit(
        &mut self,
        query: &Query,
        is_whole: bool,
        by_source: Option<Time>,
        relation: &mut Relation,
    ) {
        let sorted = !query.order_by.is_empty();
        let Some(limit) = query.limit.as_ref().or(query.offset.as_ref()) else {
            if let ([first, .., last] | [first @ last], true) = (query.order_by.as_slice(), is_whole) {
                let span = first.expr.span.join(last.expr.span);
                let time = by_time(&query.order_by, by_source, relation);
                self.judged.goes_by(time.map_or(Clock::None, Time::clock), span);
                self.judged.orderings.insert(span, if time.is_some() { Ordering::ByTime } else { Ordering::Sort });
                relation.forget_windows();
            }
            return;
        };
        let few = query.limit.is_some() && relation.changes.kind == Kind::Append;
        // One that is looked at twice holds the more of both.
        let found = self.judged.orderings.entry(limit.span).or_insert(Ordering::Limit { sorted, few });
        *found = Ordering::Limit { sorted, few: few && *found == Ordering::Limit { sorted, few } };
        relation.forget_windows();
        relation.rank = None;
        if !sorted {
            return;
        }
        let place = |item: &OrderItem| {
            let ExprKind::Column(name) = &item.expr.kind else { return None };
            relation.columns.iter().position(|column| column.name == name.last().name)
        };
        let ordered: Option<Key> = query.order_by.iter().map(place).collect();
        let keys = ordered.map(|ordered| spread_by(&relation.changes.keys, &ordered));
        let kind = Kind::Updating.max(relation.changes.kind);
        relation.changes = Changes::decided(kind, keys.unwrap_or_default(), TOP_N, limit.span);
        relation.forget_times();
    }
}

/// The time attribute that is the first of what rows are ordered by, upwards.
fn by_time(order_by: &[OrderItem], by_source: Option<Time>, relation: &Relation) -> Option<Time> {
    let Some(OrderItem { expr, descending: false, .. }) = order_by.first() else { return None };
    let column = match &expr.kind {
        ExprKind::Literal(Literal::Exact(place)) => {
            place.parse::<usize>().ok().and_then(|place| relation.columns.get(place.checked_sub(1)?))
        }
        ExprKind::Column(name) if name.parts.len() == 1 => {
            relation.columns.iter().find(|column| column.name == name.last().name)
        }
        _ => None,
    };
    column.map_or(by_source, |column| column.value.time)
}
