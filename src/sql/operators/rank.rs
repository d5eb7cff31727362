//! How many rows of each partition a ranking keeps.

use std::collections::BTreeMap;

use crate::sql::functions::is_ranking;
use crate::sql::steps;
use crate::sql::tree::{BinaryOperator, Call, Expr, ExprKind, Literal};

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
    match rank {
        Some(rank) => column_limits(condition).get(rank).copied(),
        None => {
            let ranked = |expr: &Expr| matches!(&expr.kind, ExprKind::Call(call) if ranks(call)).then_some(());
            conjuncts(condition).into_iter().find_map(|part| limit(part, &ranked)).map(|((), limit)| limit)
        }
    }
}

/// How many rows a condition keeps of each column that it compares with a number: the first condition on it counts.
fn column_limits(condition: &Expr) -> BTreeMap<&str, u64> {
    let mut limits = BTreeMap::new();
    for part in conjuncts(condition) {
        steps::count(1);
        if let Some((column, kept)) = limit(part, &column) {
            limits.entry(column).or_insert(kept);
        }
    }
    limits
}

fn column(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Column(name) => Some(&name.last().name),
        _ => None,
    }
}

/// The expression without brackets around it.
pub(crate) fn bare(mut expr: &Expr) -> &Expr {
    while let ExprKind::Nested(inner) = &expr.kind {
        expr = inner;
    }
    expr
}

/// What `part` compares with a number, and how many ranks it lets pass.
fn limit<'e, T>(part: &'e Expr, ranked: &dyn Fn(&'e Expr) -> Option<T>) -> Option<(T, u64)> {
    let number = |expr: &Expr| match &expr.kind {
        ExprKind::Literal(Literal::Exact(text)) => text.parse::<u64>().ok(),
        _ => None,
    };
    let ExprKind::Binary { operators, operands } = &part.kind else { return None };
    let ([operator], [left, right]) = (operators.as_slice(), operands.as_slice()) else { return None };
    let (left, right) = (bare(left), bare(right));
    let (rank, operator, limit) = match (ranked(left), number(right)) {
        (Some(rank), limit) => (rank, *operator, limit?),
        (None, _) => {
            let turned = match operator {
                BinaryOperator::Greater => BinaryOperator::Less,
                BinaryOperator::GreaterEqual => BinaryOperator::LessEqual,
                other => *other,
            };
            (ranked(right)?, turned, number(left)?)
        }
    };
    match operator {
        BinaryOperator::Equal | BinaryOperator::LessEqual => Some((rank, limit)),
        BinaryOperator::Less => limit.checked_sub(1).map(|limit| (rank, limit)),
        _ => None,
    }
}
