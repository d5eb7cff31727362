//! Joins whose state ends: of equal windows, and within a span of time.
//!
//! Rules, which are those of Flink's planner:
//! - windows are joined where both of their ends are equal and the windows are put alike;
//! - a join is within an interval where exactly two comparisons of a time attribute of one side with one of the other bound it
//!   from both ends, or where exactly one says that they are equal. A comparison that mentions times of both sides otherwise
//!   makes it a join like any other, also where it stands further out;
//! - in such a comparison a time stands alone, or is moved by what names no column.

use super::Walker;
use super::join::{Joined, Part, column_name};
use super::query::is_constant;
use super::scope::{Found, Time, Value};
use super::window::Edge;
use crate::diagnostic::Span;
use crate::sql::operators::bare;
use crate::sql::tree::{ArgValue, BinaryOperator, Call, Expr, ExprKind, ObjectName};
use crate::sql::walk::{Child, children};

/// A side of a join.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// What a condition says of the times of both sides.
enum Bounds {
    /// Nothing.
    None,
    /// The left one is not before the right one, or not long before.
    Low,
    /// It is not behind it, or not far.
    High,
    /// Both.
    Both,
    /// They are the same.
    Equal,
    /// Something else.
    Other,
}

impl Walker<'_> {
    /// True if both ends of windows are compared that are put alike.
    pub(super) fn joins_windows(&mut self, joined: &Joined<'_>) -> bool {
        let mut found = [false, false];
        let mut compare = |left: &Value, right: &Value| match left.same_edge(right) {
            Some(Edge::Start) => found[0] = true,
            Some(Edge::End) => found[1] = true,
            Some(Edge::Time | Edge::Apart(_)) | None => {}
        };
        for condition in &joined.conditions {
            let Some((left, right)) = condition.equality() else { continue };
            let (Some(left), Some(right)) = (self.plain_column(left), self.plain_column(right)) else { continue };
            let (Some(a), Some(b)) = (left.from, right.from) else { continue };
            if (a < joined.at) != (b < joined.at) {
                compare(&left, &right);
            }
        }
        for (left, right) in self.using(joined) {
            compare(&left, &right);
        }
        found == [true, true]
    }

    /// True if time attributes of both sides bound each other from both ends.
    pub(super) fn is_within_interval(&mut self, joined: &Joined<'_>) -> bool {
        let (mut low, mut high, mut equal, mut other) = (0, 0, 0, false);
        for condition in &joined.conditions {
            match self.bounds(*condition, joined.at) {
                Bounds::None => {}
                Bounds::Low => low += 1,
                Bounds::High => high += 1,
                Bounds::Both => (low, high) = (low + 1, high + 1),
                Bounds::Equal => equal += 1,
                Bounds::Other => other = true,
            }
        }
        other |= self.is_compared_elsewhere(joined);
        let same = |(left, right): &(Value, Value)| left.time.is_some() && left.time == right.time;
        equal += self.using(joined).iter().filter(|pair| same(pair)).count();
        !other && matches!((low, high, equal), (1, 1, 0) | (0, 0, 1))
    }

    /// True if conditions that are none of the join compare times of its sides: Flink makes them some of it where it can.
    fn is_compared_elsewhere(&self, joined: &Joined<'_>) -> bool {
        let Some(scope) = self.scopes.last() else { return false };
        let Some(compared) = &scope.compared else { return true };
        let is_own = |span: Span| {
            joined.conditions.iter().any(|part| span.start <= part.expr.span.start && part.expr.span.end <= span.end)
        };
        let compares = |names: &[ObjectName]| {
            let times = scope.times(names);
            times.range(..joined.at).next().is_some() && times.range(joined.at..).next().is_some()
        };
        compared.iter().any(|(span, names)| compares(names) && !is_own(*span))
    }

    /// Forgets times and windows that conditions give one value, from the column at `start` on: Flink puts the value in their
    /// place, down to where they come from. True if there were some.
    pub(super) fn forget_fixed(&mut self, start: usize) -> bool {
        let Some(scope) = self.scopes.last_mut() else { return false };
        let fixed = std::mem::take(&mut scope.fixed);
        let mut any = false;
        for name in &fixed {
            let parts: Vec<&str> = name.parts.iter().map(|part| part.name.as_str()).collect();
            let place = match scope.find(&parts) {
                Some(Found::Column(place, count)) if count == parts.len() => place,
                Some(Found::Merged(Value { from: Some(place), .. })) => place,
                _ => continue,
            };
            let value = scope.columns.get_mut(place).filter(|_| place >= start).map(|column| &mut column.value);
            let Some(value) = value.filter(|value| value.time.is_some() || value.window.is_some()) else { continue };
            (value.time, value.window) = (None, None);
            any = true;
        }
        scope.fixed = fixed;
        any
    }

    /// Forgets the times of a source, from the column at `start` on, two of which a condition here may compare: Flink holds
    /// that against the join that brought the times together, which has bounds enough already. True if there are some.
    pub(super) fn forget_compared(&mut self, start: usize) -> bool {
        let Some(scope) = self.scopes.last_mut() else { return false };
        let is_of_times =
            |names: &[ObjectName]| scope.times(names).range(start..).map(|(_, times)| times).sum::<usize>() > 1;
        let compared = scope.compared.as_ref();
        if !compared.is_none_or(|compared| compared.iter().any(|(_, names)| is_of_times(names))) {
            return false;
        }
        scope.columns.iter_mut().skip(start).for_each(|column| column.value.time = None);
        true
    }

    /// The values that `USING` or `NATURAL` compares.
    fn using(&self, joined: &Joined<'_>) -> Vec<(Value, Value)> {
        let Some(scope) = self.scopes.last() else { return Vec::new() };
        let value = |place: usize| scope.columns.get(place).map(|column| column.value.clone());
        joined.using.iter().filter_map(|(left, right)| Some((value(*left)?, value(*right)?))).collect()
    }

    /// What a condition says of the times of both sides.
    fn bounds(&mut self, part: Part<'_>, at: usize) -> Bounds {
        let bounds = match (&part.expr.kind, part.comparison()) {
            (ExprKind::Between { negated, symmetric: false, operand, bounds }, _) if *negated == part.not => {
                let times = [operand, &bounds.0, &bounds.1].map(|time| self.moved(time, at));
                match times {
                    [Some(own), Some(from), Some(to)] if from == to && own.is_against(from) => Some(Bounds::Both),
                    _ => None,
                }
            }
            (_, Some((operator, a, b))) => {
                let plain = column_name(a).is_some() && column_name(b).is_some();
                use BinaryOperator as B;
                match (self.moved(a, at), self.moved(b, at)) {
                    (Some(first), Some(second)) if first.is_against(second) => match (operator, first.side) {
                        // Flink computes a moved time first, and then it is none any more.
                        (B::Equal, _) => plain.then_some(Bounds::Equal),
                        (B::Greater | B::GreaterEqual, Side::Left) | (B::Less | B::LessEqual, Side::Right) => {
                            Some(Bounds::Low)
                        }
                        (B::Less | B::LessEqual, Side::Left) | (B::Greater | B::GreaterEqual, Side::Right) => {
                            Some(Bounds::High)
                        }
                        _ => None,
                    },
                    _ => None,
                }
            }
            _ => None,
        };
        bounds.unwrap_or_else(|| self.none_or_other(part.expr, at))
    }

    fn none_or_other(&mut self, condition: &Expr, at: usize) -> Bounds {
        let mut sides = [false, false];
        self.times(condition, at, &mut sides);
        if sides == [true, true] { Bounds::Other } else { Bounds::None }
    }

    /// Finds the sides whose times an expression mentions.
    fn times(&mut self, expr: &Expr, at: usize, sides: &mut [bool; 2]) {
        if let Some(Value { time: Some(_), from: Some(place), .. }) = self.plain_column(expr) {
            sides[usize::from(place >= at)] = true;
            return;
        }
        let mut parts = Vec::new();
        children(expr, &mut |child| {
            if let Child::Expr(part) = child {
                parts.push(part);
            }
        });
        parts.into_iter().for_each(|part| self.times(part, at, sides));
    }

    /// The time attribute that an expression moves.
    fn moved(&mut self, expr: &Expr, at: usize) -> Option<Moved> {
        let mut expr = bare(expr);
        loop {
            expr = match &expr.kind {
                ExprKind::Column(name) => {
                    let value = self.column(name);
                    let side = if value.from? < at { Side::Left } else { Side::Right };
                    return Some(Moved { side, time: value.time? });
                }
                ExprKind::Binary { operators, operands } => {
                    let (first, rest) = operands.split_first()?;
                    let sums = operators.iter().all(|op| matches!(op, BinaryOperator::Plus | BinaryOperator::Minus));
                    if !sums || !rest.iter().all(is_constant) {
                        return None;
                    }
                    bare(first)
                }
                ExprKind::Cast { operand, .. } => bare(operand),
                ExprKind::Call(call) => bare(rounded(call)?),
                _ => return None,
            };
        }
    }
}

/// A time attribute that stands alone or is moved.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Moved {
    side: Side,
    time: Time,
}

impl Moved {
    /// True for times of both sides that go by one clock.
    fn is_against(self, other: Self) -> bool {
        self.side != other.side && self.time == other.time
    }
}

/// The time in `FLOOR(time TO unit)`, `CEIL(time TO unit)`, `TIMESTAMPADD(unit, -3, time)`.
fn rounded(call: &Call) -> Option<&Expr> {
    let name = call.name.last().name.to_ascii_uppercase();
    let mut args = call.args.iter().filter_map(|arg| match &arg.value {
        ArgValue::Expr(expr) if !is_constant(expr) => Some(expr),
        _ => None,
    });
    let only = args.next().filter(|_| matches!(name.as_str(), "FLOOR" | "CEIL" | "CEILING" | "TIMESTAMPADD"));
    only.filter(|_| args.next().is_none())
}
