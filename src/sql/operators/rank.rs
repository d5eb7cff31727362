//! How many rows of each partition a ranking keeps.

use std::collections::BTreeMap;

use crate::diagnostic::Span;
use crate::sql::functions::is_ranking;
use crate::sql::steps;
use crate::sql::tree::{
    BinaryOperator, Call, Expr, ExprKind, Factor, FactorKind, Literal, Query, QueryBody, Select, SelectItem, TableExpr,
};

/// The rankings of a select list: the calls' spans by the names of their columns.
pub(super) type Rankings<'a> = BTreeMap<&'a str, Vec<Span>>;

/// The rankings in the sources of `select` that its `WHERE` limits: the call's span and how many rows are kept. `of_cte` gives
/// the rankings of a CTE.
pub(super) fn limits<'r>(select: &Select, of_cte: impl Fn(&str) -> Option<&'r Rankings<'r>>) -> Vec<(Span, u64)> {
    let limits = select.filter.as_ref().map(column_limits).unwrap_or_default();
    let mut found = Vec::new();
    if limits.is_empty() {
        return found;
    }
    let mut limit = |rankings: &Rankings<'_>| {
        steps::count(limits.len().min(rankings.len()));
        let mut ranked = |calls: &[Span], kept: u64| found.extend(calls.iter().map(|call| (*call, kept)));
        if rankings.len() < limits.len() {
            let limited = rankings.iter().filter_map(|(column, calls)| Some((calls, *limits.get(column)?)));
            limited.for_each(|(calls, kept)| ranked(calls, kept));
        } else {
            let limited = limits.iter().filter_map(|(column, kept)| Some((rankings.get(column)?, *kept)));
            limited.for_each(|(calls, kept)| ranked(calls, kept));
        }
    };
    for factor in select.from.iter().flat_map(factors) {
        match &factor.kind {
            FactorKind::Derived { query, .. } => limit(&rankings(query)),
            FactorKind::Table { name, .. } => of_cte(&name.dotted()).into_iter().for_each(&mut limit),
            _ => {}
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

/// The rankings of a query's select list.
pub(super) fn rankings(query: &Query) -> Rankings<'_> {
    let mut found = Rankings::new();
    let select = match &query.body {
        QueryBody::Select(select) => select,
        QueryBody::Nested(inner) => return rankings(inner),
        _ => return found,
    };
    steps::count(select.items.len());
    let ranking = |item| match item {
        &SelectItem::Expr { expr: Expr { kind: ExprKind::Call(ref call), .. }, alias: Some(ref alias), .. }
            if ranks(call) =>
        {
            Some((alias.name.as_str(), call.span))
        }
        _ => None,
    };
    select.items.iter().filter_map(ranking).for_each(|(name, call)| found.entry(name).or_default().push(call));
    found
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

/// How many rows the conditions on ranking calls themselves keep.
pub(super) fn call_limit(condition: &Expr) -> Option<u64> {
    let ranked = |expr: &Expr| matches!(&expr.kind, ExprKind::Call(call) if ranks(call)).then_some(());
    conjuncts(condition).into_iter().find_map(|part| limit(part, &ranked)).map(|((), limit)| limit)
}

/// How many rows a condition on a rank keeps: on the column `rank`, or on the ranking call itself.
pub(crate) fn limit_of(condition: &Expr, rank: Option<&str>) -> Option<u64> {
    match rank {
        Some(rank) => column_limits(condition).get(rank).copied(),
        None => call_limit(condition),
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
