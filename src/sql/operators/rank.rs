//! How many rows of each partition a ranking keeps.

use crate::diagnostic::Span;
use crate::sql::functions::is_ranking;
use crate::sql::tree::{
    BinaryOperator, Call, Cte, Expr, ExprKind, Factor, FactorKind, Literal, Query, QueryBody, Select, SelectItem,
    TableExpr,
};

/// The rankings in the sources of `select` that its `WHERE` limits: the call's span and how many rows are kept.
pub(super) fn limits(select: &Select, ctes: &[&Cte]) -> Vec<(Span, u64)> {
    let Some(filter) = &select.filter else { return Vec::new() };
    let mut found = Vec::new();
    for factor in select.from.iter().flat_map(factors) {
        let query = match &factor.kind {
            FactorKind::Derived { query, .. } => query,
            FactorKind::Table { name, .. } => match ctes.iter().rev().find(|cte| cte.name.name == name.dotted()) {
                Some(cte) => &cte.query,
                None => continue,
            },
            _ => continue,
        };
        for (call, column) in rankings(query) {
            found.extend(limit_of(filter, Some(column)).map(|limit| (call.span, limit)));
        }
    }
    found
}

fn factors(source: &TableExpr) -> Vec<&Factor> {
    let direct = std::iter::once(&source.base).chain(source.joins.iter().map(|join| &join.factor));
    direct
        .flat_map(|factor| match &factor.kind {
            FactorKind::Nested(inner) => factors(inner),
            _ => vec![factor],
        })
        .collect()
}

/// The ranking calls of a select list with the names of their columns.
fn rankings(query: &Query) -> Vec<(&Call, &str)> {
    let select = match &query.body {
        QueryBody::Select(select) => select,
        QueryBody::Nested(inner) => return rankings(inner),
        _ => return Vec::new(),
    };
    let ranking = |item| match item {
        &SelectItem::Expr { expr: Expr { kind: ExprKind::Call(ref call), .. }, alias: Some(ref alias), .. }
            if ranks(call) =>
        {
            Some((&**call, alias.name.as_str()))
        }
        _ => None,
    };
    select.items.iter().filter_map(ranking).collect()
}

fn ranks(call: &Call) -> bool {
    call.over.is_some() && is_ranking(&call.name.last().name.to_ascii_uppercase())
}

/// The parts of a condition that all have to hold.
pub(crate) fn conjuncts(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Binary { operators, operands } if operators.iter().all(|op| *op == BinaryOperator::And) => {
            operands.iter().flat_map(conjuncts).collect()
        }
        ExprKind::Nested(inner) => conjuncts(inner),
        _ => vec![expr],
    }
}

/// How many rows a condition on a rank keeps: on the column `rank`, or on the ranking call itself.
pub(crate) fn limit_of(condition: &Expr, rank: Option<&str>) -> Option<u64> {
    let is_rank = |expr: &Expr| match (&expr.kind, rank) {
        (ExprKind::Column(name), Some(rank)) => name.last().name == rank,
        (ExprKind::Call(call), None) => ranks(call),
        _ => false,
    };
    let number = |expr: &Expr| match &expr.kind {
        ExprKind::Literal(Literal::Exact(text)) => text.parse::<u64>().ok(),
        _ => None,
    };
    conjuncts(condition).into_iter().find_map(|part| {
        let ExprKind::Binary { operators, operands } = &part.kind else { return None };
        let ([operator], [left, right]) = (operators.as_slice(), operands.as_slice()) else { return None };
        let (operator, limit) = if is_rank(left) {
            (*operator, number(right)?)
        } else if is_rank(right) {
            let turned = match operator {
                BinaryOperator::Greater => BinaryOperator::Less,
                BinaryOperator::GreaterEqual => BinaryOperator::LessEqual,
                other => *other,
            };
            (turned, number(left)?)
        } else {
            return None;
        };
        match operator {
            BinaryOperator::Equal | BinaryOperator::LessEqual => Some(limit),
            BinaryOperator::Less => limit.checked_sub(1),
            _ => None,
        }
    })
}
