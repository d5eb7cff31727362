//! What kind of join a join is.

use super::Operator;
use crate::sql::steps;
use crate::sql::tree::{Expr, ExprKind, Factor, FactorKind, JoinKind};
use crate::sql::walk::{Child, children};

/// What a condition says of a join.
#[derive(Clone, Copy, Default)]
pub(super) struct Condition {
    windows: bool,
    interval: bool,
}

impl Condition {
    pub fn of(condition: &Expr) -> Self {
        Self { windows: joins_windows(condition), interval: compares_within_interval(condition) }
    }
}

/// The join's operator with a remark; `None` where the source speaks for itself, as functions of each row do.
pub(super) fn join_kind(
    kind: JoinKind,
    factor: &Factor,
    on: Option<&Expr>,
    filter: Option<Condition>,
) -> Option<(Operator, String)> {
    match &factor.kind {
        FactorKind::Table { system_time: Some(time), .. } => {
            if is_processing_time(time) {
                let remark = "judged by the name of its time; a temporal join if that is an event time";
                return Some((Operator::LookupJoin, remark.to_owned()));
            }
            let remark = "judged by the name of its time; a lookup join if that is a processing time";
            return Some((Operator::TemporalJoin, remark.to_owned()));
        }
        FactorKind::Unnest { .. } | FactorKind::Derived { lateral: true, .. } => return None,
        FactorKind::Function { call, lateral } => {
            let window = crate::sql::functions::is_window(&call.name.last().name.to_ascii_uppercase());
            if *lateral || !window {
                return None;
            }
        }
        _ => {}
    }
    // Only an inner join's condition may as well stand in WHERE.
    let filter = filter.filter(|_| matches!(kind, JoinKind::Inner | JoinKind::Cross));
    let conditions = [on.map(Condition::of), filter];
    let any = |wanted: fn(&Condition) -> bool| conditions.iter().flatten().any(wanted);
    if any(|condition| condition.windows) {
        return Some((Operator::WindowJoin(kind), "judged by the equal windows in its condition".to_owned()));
    }
    if any(|condition| condition.interval) {
        let remark = "judged by the INTERVAL in its condition; a regular join if the columns are no time attributes";
        return Some((Operator::IntervalJoin(kind), remark.to_owned()));
    }
    let remark = match (kind, on, filter) {
        (JoinKind::Cross, None, None) => "without a condition: every pair of rows",
        _ => "",
    };
    Some((Operator::RegularJoin(kind), remark.to_owned()))
}

fn any(expr: &Expr, wanted: &dyn Fn(&Expr) -> bool) -> bool {
    steps::count(1);
    if wanted(expr) {
        return true;
    }
    let mut found = false;
    children(expr, &mut |child| {
        if let Child::Expr(part) = child {
            found = found || any(part, wanted);
        }
    });
    found
}

fn is_processing_time(time: &Expr) -> bool {
    any(time, &|expr| match &expr.kind {
        ExprKind::Call(call) => call.name.last().name.eq_ignore_ascii_case("PROCTIME"),
        ExprKind::Column(name) => name.last().name.to_ascii_lowercase().contains("proc"),
        _ => false,
    })
}

/// A comparison of two sources' columns with an `INTERVAL` between them.
fn compares_within_interval(condition: &Expr) -> bool {
    any(condition, &|expr| {
        let compares = match &expr.kind {
            ExprKind::Between { .. } => true,
            ExprKind::Binary { operators, .. } => operators.iter().any(|op| {
                use crate::sql::tree::BinaryOperator as B;
                matches!(op, B::Less | B::LessEqual | B::Greater | B::GreaterEqual)
            }),
            _ => false,
        };
        compares && any(expr, &|part| matches!(part.kind, ExprKind::Interval(_))) && qualifiers(expr) > 1
    })
}

/// How many sources the columns of an expression are qualified by.
fn qualifiers(expr: &Expr) -> usize {
    let mut found = std::collections::BTreeSet::new();
    fn walk<'a>(expr: &'a Expr, found: &mut std::collections::BTreeSet<&'a str>) {
        if let ExprKind::Column(name) = &expr.kind {
            // Without a qualifier each column may be of another source.
            let source = if name.parts.len() > 1 { name.parts.first() } else { name.parts.last() };
            found.extend(source.map(|ident| ident.name.as_str()));
        }
        children(expr, &mut |child| {
            if let Child::Expr(part) = child {
                walk(part, found);
            }
        });
    }
    walk(expr, &mut found);
    found.len()
}

/// True if both ends of windows are compared; one alone makes a join like any other.
fn joins_windows(condition: &Expr) -> bool {
    ["window_start", "window_end"].iter().all(|edge| {
        any(condition, &|expr| match &expr.kind {
            ExprKind::Binary { operators, operands } => {
                let equal = operators.iter().all(|op| *op == crate::sql::tree::BinaryOperator::Equal);
                equal && operands.len() == 2 && operands.iter().all(|operand| is_column(operand, edge))
            }
            _ => false,
        })
    })
}

fn is_column(expr: &Expr, column: &str) -> bool {
    matches!(&expr.kind, ExprKind::Column(name) if name.last().name == column)
}
