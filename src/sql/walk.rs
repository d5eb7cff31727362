//! What an expression directly contains, and the sources of a query.
//!
//! Rule: each child is visited once, in the order of the text as far as the tree keeps it.

use super::tree::{
    AccessStep, Arg, ArgValue, Call, Expr, ExprKind, Factor, FactorKind, Ident, Query, QueryBody, Select, SelectItem,
    TableArg, TableExpr, WindowSpec,
};

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
        ExprKind::Column(_) | ExprKind::Literal(_) | ExprKind::Interval(_) => {}
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
    args_children(call, visit);
    call.order_by.iter().for_each(|item| visit(Child::Expr(&item.expr)));
    call.filter.iter().for_each(|filter| visit(Child::Expr(filter)));
    if let Some(over) = &call.over {
        window_children(over, visit);
    }
}

/// Calls `visit` for each direct part of a call's arguments.
pub(crate) fn args_children<'a>(call: &'a Call, visit: &mut dyn FnMut(Child<'a>)) {
    call.args.iter().for_each(|arg| arg_children(arg, visit));
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

/// Calls `visit` for each source in `query`, also in the queries inside of it, the outer ones first.
pub(crate) fn factors<'a>(query: &'a Query, visit: &mut dyn FnMut(&'a Factor)) {
    query.with.iter().for_each(|cte| factors(&cte.query, visit));
    body_factors(&query.body, visit);
    query.order_by.iter().for_each(|item| expr_factors(&item.expr, visit));
}

fn body_factors<'a>(body: &'a QueryBody, visit: &mut dyn FnMut(&'a Factor)) {
    match body {
        QueryBody::Select(select) => select_factors(select, visit),
        QueryBody::Values { rows, .. } => rows.iter().flatten().for_each(|value| expr_factors(value, visit)),
        QueryBody::Table(_) => {}
        QueryBody::Nested(query) => factors(query, visit),
        QueryBody::SetOperation { first, rest } => {
            body_factors(first, visit);
            rest.iter().for_each(|operand| body_factors(&operand.body, visit));
        }
    }
}

fn select_factors<'a>(select: &'a Select, visit: &mut dyn FnMut(&'a Factor)) {
    for source in &select.from {
        table_factors(source, visit);
    }
    for item in &select.items {
        if let SelectItem::Expr { expr, .. } = item {
            expr_factors(expr, visit);
        }
    }
    let keys = select.group_by.iter().flat_map(|group| &group.keys);
    let conditions = select.filter.iter().chain(&select.having).chain(&select.qualify);
    conditions.chain(keys).for_each(|expr| expr_factors(expr, visit));
}

fn table_factors<'a>(source: &'a TableExpr, visit: &mut dyn FnMut(&'a Factor)) {
    let joined = source.joins.iter().map(|join| &join.factor);
    for factor in std::iter::once(&source.base).chain(joined) {
        factor_factors(factor, visit);
    }
    source.joins.iter().filter_map(|join| join.on.as_ref()).for_each(|on| expr_factors(on, visit));
}

fn factor_factors<'a>(factor: &'a Factor, visit: &mut dyn FnMut(&'a Factor)) {
    visit(factor);
    match &factor.kind {
        FactorKind::Table { .. } => {}
        FactorKind::Derived { query, .. } => factors(query, visit),
        FactorKind::Function { call, .. } => call_children(call, &mut |child| child_factors(child, visit)),
        FactorKind::Unnest { expr, .. } => expr_factors(expr, visit),
        FactorKind::Nested(inner) => table_factors(inner, visit),
        FactorKind::Match { input, .. } => factor_factors(input, visit),
    }
}

fn expr_factors<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a Factor)) {
    children(expr, &mut |child| child_factors(child, visit));
}

fn child_factors<'a>(child: Child<'a>, visit: &mut dyn FnMut(&'a Factor)) {
    match child {
        Child::Expr(expr) => expr_factors(expr, visit),
        Child::Query(query) => factors(query, visit),
        Child::Table(_) | Child::Descriptor(_) => {}
    }
}
