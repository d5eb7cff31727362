//! What an expression directly contains.
//!
//! Rule: each child is visited once, in the order of the text as far as the tree keeps it.

use super::tree::{AccessStep, Arg, ArgValue, Call, Expr, ExprKind, Ident, Query, TableArg, WindowSpec};

/// A direct part of an expression.
#[derive(Clone, Copy)]
pub(crate) enum Child<'a> {
    /// An expression.
    Expr(&'a Expr),
    /// A query, which has a scope of its own.
    Query(&'a Query),
    /// A table that is handed to a function.
    Table(&'a TableArg),
    /// A column that is named to a function.
    Descriptor(&'a Ident),
}

/// Calls `visit` for each direct part of `expr`.
pub(crate) fn children<'a>(expr: &'a Expr, visit: &mut dyn FnMut(Child<'a>)) {
    match &expr.kind {
        ExprKind::Column(_) | ExprKind::Literal(_) | ExprKind::Interval => {}
        ExprKind::Binary { operands, .. } | ExprKind::Like { operands, .. } => each(operands, visit),
        ExprKind::Unary { operand, .. }
        | ExprKind::Is { operand, .. }
        | ExprKind::Cast { operand, .. }
        | ExprKind::Nested(operand) => visit(Child::Expr(operand)),
        ExprKind::Between { operand, bounds, .. } => {
            visit(Child::Expr(operand));
            visit(Child::Expr(&bounds.0));
            visit(Child::Expr(&bounds.1));
        }
        ExprKind::InList { operand, list, .. } => {
            visit(Child::Expr(operand));
            each(list, visit);
        }
        ExprKind::InQuery { operand, query, .. } => {
            visit(Child::Expr(operand));
            visit(Child::Query(query));
        }
        ExprKind::Exists(query) | ExprKind::Subquery(query) | ExprKind::CollectionQuery(query) => {
            visit(Child::Query(query))
        }
        ExprKind::Case { operand, branches, otherwise } => {
            if let Some(operand) = operand {
                visit(Child::Expr(operand));
            }
            for (when, then) in branches {
                visit(Child::Expr(when));
                visit(Child::Expr(then));
            }
            if let Some(otherwise) = otherwise {
                visit(Child::Expr(otherwise));
            }
        }
        ExprKind::Call(call) => call_children(call, visit),
        ExprKind::Row(items) | ExprKind::Array(items) | ExprKind::Map(items) => each(items, visit),
        ExprKind::Access { operand, steps } => {
            visit(Child::Expr(operand));
            for step in steps {
                if let AccessStep::Index(index) = step {
                    visit(Child::Expr(index));
                }
            }
        }
    }
}

/// Calls `visit` for each direct part of a call.
pub(crate) fn call_children<'a>(call: &'a Call, visit: &mut dyn FnMut(Child<'a>)) {
    for arg in &call.args {
        arg_children(arg, visit);
    }
    call.order_by.iter().for_each(|item| visit(Child::Expr(&item.expr)));
    call.filter.iter().for_each(|filter| visit(Child::Expr(filter)));
    if let Some(over) = &call.over {
        window_children(over, visit);
    }
}

/// Calls `visit` for each expression of a window.
pub(crate) fn window_children<'a>(window: &'a WindowSpec, visit: &mut dyn FnMut(Child<'a>)) {
    each(&window.partition_by, visit);
    window.order_by.iter().for_each(|item| visit(Child::Expr(&item.expr)));
    each(&window.frame, visit);
}

fn arg_children<'a>(arg: &'a Arg, visit: &mut dyn FnMut(Child<'a>)) {
    match &arg.value {
        ArgValue::Expr(expr) => visit(Child::Expr(expr)),
        ArgValue::Table(table) => visit(Child::Table(table)),
        ArgValue::Query { query, partition_by, order_by } => {
            visit(Child::Query(query));
            each(partition_by, visit);
            order_by.iter().for_each(|item| visit(Child::Expr(&item.expr)));
        }
        ArgValue::Descriptor(columns) => columns.iter().for_each(|column| visit(Child::Descriptor(column))),
        ArgValue::Star | ArgValue::Model(_) | ArgValue::Default => {}
    }
}

fn each<'a>(exprs: &'a [Expr], visit: &mut dyn FnMut(Child<'a>)) {
    exprs.iter().for_each(|expr| visit(Child::Expr(expr)));
}
