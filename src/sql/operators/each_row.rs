//! Which sources are asked for each row of those before them, and which are joined with them as tables are.
//!
//! Rules, which are those of Flink's planner:
//! - `UNNEST` is asked for each row where its argument names a column; what names none is joined, and kept;
//! - so is a `LATERAL` query that reads no table: it is asked for each row where what it begins with is;
//! - a function that takes no table is asked for each row; one that takes a table is joined, unless it takes columns of the
//!   rows before it as well (`VECTOR_SEARCH`).

use crate::sql::names::query_refs;
use crate::sql::tree::{ArgValue, Call, Expr, ExprKind, Factor, FactorKind, Query, QueryBody, SelectItem};
use crate::sql::walk::{Child, children};

/// True for a source that is asked for each row, and for which no join keeps anything.
pub(crate) fn is_of_each_row(factor: &Factor) -> bool {
    match &factor.kind {
        FactorKind::Unnest { expr, .. } => names_column(expr),
        FactorKind::Function { call, lateral } => !takes_table(call) || (*lateral && takes_column(call)),
        FactorKind::Derived { lateral: true, query } => query_refs(query).is_empty() && begins_with_each_row(query),
        _ => false,
    }
}

/// True for a function of the rows of a table.
pub(crate) fn takes_table(call: &Call) -> bool {
    call.args.iter().any(|arg| match &arg.value {
        ArgValue::Table(_) | ArgValue::Query { .. } => true,
        ArgValue::Expr(expr) => matches!(expr.kind, ExprKind::Subquery(_)),
        _ => false,
    })
}

fn takes_column(call: &Call) -> bool {
    call.args.iter().any(|arg| matches!(&arg.value, ArgValue::Expr(expr) if names_column(expr)))
}

/// True for `SELECT … FROM UNNEST(o.items) …` and `SELECT o.n`: nothing stands before it whose column that could be but the rows around.
fn begins_with_each_row(query: &Query) -> bool {
    match &query.body {
        _ if !query.with.is_empty() => false,
        QueryBody::Select(select) => match select.from.first().map(|source| &source.base.kind) {
            Some(FactorKind::Unnest { expr, .. }) => names_column(expr),
            Some(FactorKind::Function { call, .. }) => !takes_table(call) && takes_column(call),
            Some(_) => false,
            None => select.items.iter().any(|item| matches!(item, SelectItem::Expr { expr, .. } if names_column(expr))),
        },
        QueryBody::Nested(query) => begins_with_each_row(query),
        QueryBody::Values { .. } | QueryBody::Table(_) | QueryBody::SetOperation { .. } => false,
    }
}

/// True if an expression names a column outside of its queries.
fn names_column(expr: &Expr) -> bool {
    let mut found = matches!(expr.kind, ExprKind::Column(_));
    children(expr, &mut |child| found = found || matches!(child, Child::Expr(part) if names_column(part)));
    found
}
