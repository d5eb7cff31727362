//! Outer joins that become inner ones, as `WHERE` leaves out the rows without their other side.
//!
//! Rules, which are those of Flink's planner: a comparison leaves them out that needs a value of that side, and so does
//! `IS NOT NULL`. Two conditions that compare one column with constants become a range or a list first, and these leave out
//! none; nor does anything behind a temporal join.

use std::collections::{BTreeMap, BTreeSet};

use super::Walker;
use super::condition::has_query;
use super::join::{Part, column_name};
use super::query::is_constant;
use crate::sql::operators::bare;
use crate::sql::steps;
use crate::sql::tree::{BinaryOperator, Expr, ExprKind, FactorKind, JoinKind, Literal, Select};
use crate::sql::walk::{Child, children};

/// How many conditions are looked at for each outer join.
const MOST_CONDITIONS: usize = 256;

/// What has to hold of the rows of joins, besides the conditions of these.
pub(super) struct Behind<'e> {
    parts: Vec<Part<'e>>,
    /// Columns are made one, so that a name alone may stand for another one later on.
    merges: bool,
}

impl<'e> Behind<'e> {
    /// The `WHERE` of a select that only joins tables, queries and windows; otherwise nothing.
    pub fn of(select: &'e Select) -> Self {
        let joins = || select.from.iter().flat_map(|source| &source.joins);
        let factors = select.from.iter().map(|source| &source.base).chain(joins().map(|join| &join.factor));
        let is_plain = |kind: &FactorKind| match kind {
            FactorKind::Table { system_time, .. } => system_time.is_none(),
            FactorKind::Derived { lateral, .. } | FactorKind::Function { lateral, .. } => !lateral,
            FactorKind::Unnest { .. } | FactorKind::Nested(_) | FactorKind::Match { .. } => false,
        };
        let is_outer = joins().any(|join| !matches!(join.kind, JoinKind::Inner | JoinKind::Cross));
        let filter = select.filter.as_ref().filter(|filter| is_outer && !has_query(filter));
        let mut parts = filter.map(Part::of).unwrap_or_default();
        if parts.len() > MOST_CONDITIONS || !factors.map(|factor| &factor.kind).all(is_plain) {
            parts.clear();
        }
        Self { parts, merges: joins().any(|join| join.natural || !join.using.is_empty()) }
    }

    /// Nothing.
    pub const fn nothing() -> Self {
        Self { parts: Vec::new(), merges: false }
    }
}

impl Walker<'_> {
    /// The kind of a join when the rows are gone that have to be; the right side begins with the column at `at`.
    pub(super) fn reduced(&mut self, kind: JoinKind, at: usize, behind: &Behind<'_>) -> JoinKind {
        // A query in an expression is joined with what is around it, before anything else is done.
        if matches!(kind, JoinKind::Inner | JoinKind::Cross) || self.scopes.len() != 1 {
            return kind;
        }
        steps::count(behind.parts.len());
        let columns: Vec<Named> = behind.parts.iter().map(|part| self.columns_of(part.expr, behind.merges)).collect();
        // How many conditions each column is in that are no comparisons with other columns.
        let mut alone: BTreeMap<usize, usize> = BTreeMap::new();
        let compares =
            |part: &Part<'_>, named: &Named| named.places.len() + named.others > 1 && part.comparison().is_some();
        for (_, named) in behind.parts.iter().zip(&columns).filter(|(part, named)| !compares(part, named)) {
            named.places.iter().for_each(|place| *alone.entry(*place).or_default() += 1);
        }
        let mut needed = [false, false];
        for (part, named) in behind.parts.iter().zip(&columns) {
            let own = usize::from(!compares(part, named));
            let is_alone = |place: &usize| alone.get(place).is_none_or(|count| *count == own);
            if needs_values(*part) && named.others == 0 && named.places.iter().all(is_alone) {
                named.places.iter().for_each(|place| needed[usize::from(*place >= at)] = true);
            }
        }
        match (kind, needed) {
            (JoinKind::Left, [_, true]) | (JoinKind::Right, [true, _]) | (JoinKind::Full, [true, true]) => {
                JoinKind::Inner
            }
            (JoinKind::Full, [true, false]) => JoinKind::Left,
            (JoinKind::Full, [false, true]) => JoinKind::Right,
            _ => kind,
        }
    }

    /// The columns that a condition names.
    fn columns_of(&mut self, expr: &Expr, merges: bool) -> Named {
        steps::count(1);
        let mut named = Named::default();
        if let ExprKind::Column(name) = &expr.kind {
            let place = self.column(name).from;
            named.others += usize::from(place.is_none() || (merges && name.parts.len() == 1));
            named.places.extend(place);
        }
        let mut parts = Vec::new();
        children(expr, &mut |child| {
            if let Child::Expr(part) = child {
                parts.push(part);
            }
        });
        for part in parts {
            let part = self.columns_of(part, merges);
            named.places.extend(part.places);
            named.others += part.others;
        }
        named
    }
}

/// The columns that a condition names.
#[derive(Default)]
struct Named {
    /// Those in reach.
    places: BTreeSet<usize>,
    /// How often one is named that is not, or that may turn out to be another one.
    others: usize,
}

/// True for a condition that holds only if all columns in it have values.
fn needs_values(part: Part<'_>) -> bool {
    match &part.expr.kind {
        ExprKind::Is { operand, what } => {
            let wanted = if part.not { "NULL" } else { "NOT NULL" };
            what.split_whitespace().eq(wanted.split_whitespace()) && column_name(operand).is_some()
        }
        ExprKind::Between { negated, symmetric: false, operand, bounds } => {
            let sides = [operand, &bounds.0, &bounds.1];
            *negated == part.not && sides.iter().all(|side| is_value(side) && !is_constant(side))
        }
        _ => part.comparison().is_some_and(|(_, a, b)| is_value(a) && is_value(b)),
    }
}

/// True for columns and literals, and for sums of them.
fn is_value(expr: &Expr) -> bool {
    match &bare(expr).kind {
        ExprKind::Column(_) | ExprKind::Interval(_) => true,
        ExprKind::Literal(literal) => !matches!(literal, Literal::Null | Literal::Keyword(_)),
        ExprKind::Binary { operators, operands } => {
            let is_sum = |operator| matches!(operator, &BinaryOperator::Plus | &BinaryOperator::Minus);
            operators.iter().all(is_sum) && operands.iter().all(is_value)
        }
        _ => false,
    }
}
