//! Conditions: queries inside of them, and what they fix.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::changes::{Changes, Key, Kind, spread_by};
use super::join::{CAST, column_name, compared, equality, parts};
use super::scope::{Found, Value};
use super::window::Edge;
use super::{Relation, Walker};
use crate::sql::operators::Operator;
use crate::sql::steps;
use crate::sql::tree::{BinaryOperator, Expr, ExprKind, JoinKind, Query, Select, UnaryOperator};
use crate::sql::walk::{Child, children};

impl Walker<'_> {
    /// Keys with a column that conditions make the same in every row.
    pub(super) fn forget_constant_keys(&mut self, select: &Select, filter: &[&Expr], relation: &mut Relation) {
        let having = parts(&select.having);
        let joins = select.from.iter().flat_map(|source| &source.joins);
        let on = parts(joins.filter(|join| join.kind == JoinKind::Inner).filter_map(|join| join.on.as_ref()));
        let mut constant = Vec::new();
        let mut equal: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for condition in filter.iter().chain(&having).chain(&on) {
            match self.fixed(condition) {
                Some(Fixed::Column(place)) => constant.push(place),
                Some(Fixed::Equal(a, b)) => {
                    equal.entry(a).or_default().push(b);
                    equal.entry(b).or_default().push(a);
                }
                None => {}
            }
        }
        let mut known = BTreeSet::new();
        while let Some(place) = constant.pop() {
            if known.insert(place) {
                constant.extend(equal.get(&place).into_iter().flatten());
            }
        }
        for value in relation.columns.iter_mut().map(|column| &mut column.value) {
            value.constant |= value.from.is_some_and(|from| known.contains(&from));
        }
        let columns = &relation.columns;
        let is_constant = |place: &usize| columns.get(*place).is_some_and(|column| column.value.constant);
        relation.changes.keys.retain(|key| !key.iter().any(is_constant));
        if let Some(rank) = &mut relation.rank {
            rank.retain_keys(|key| !key.iter().any(is_constant));
        }
    }

    /// What a condition fixes.
    fn fixed(&mut self, condition: &Expr) -> Option<Fixed> {
        let sides = match unwrapped(condition) {
            (ExprKind::Binary { operators, operands }, not) => match (operators.as_slice(), operands.as_slice(), not) {
                // What is not `IS DISTINCT FROM` is equal.
                ([BinaryOperator::Equal], [a, b], false) | ([BinaryOperator::Other], [a, b], true) => [a, b],
                _ => return None,
            },
            (ExprKind::InList { negated: false, operand, list }, false) => match list.as_slice() {
                [only] => [&**operand, only],
                _ => return None,
            },
            (ExprKind::Is { operand, what }, false) if what == "NULL" => {
                return self.place(operand).map(Fixed::Column);
            }
            _ => return None,
        };
        let [a, b] = sides.map(|side| self.expr(side));
        match (a.from, b.from) {
            (Some(a), Some(b)) => Some(Fixed::Equal(a, b)),
            (Some(place), None) | (None, Some(place)) if !names_columns(sides) => Some(Fixed::Column(place)),
            _ => None,
        }
    }

    /// A condition, which may hold queries.
    pub(super) fn condition(&mut self, part: &Expr, changes: Changes) -> Changes {
        steps::count(1);
        let (asks, not) = without_not(part);
        let (query, operand, anti) = match &asks.kind {
            ExprKind::InQuery { negated, quantified: false, operand, query } => (query, Some(operand), *negated != not),
            ExprKind::Exists(query) => (query, None, not),
            _ => return self.scalar_condition(part, changes),
        };
        let Asked { relation: inner, compared: mut spread, mut windows, correlated, within } = self.subquery(query);
        let operands = operand.map_or(&[] as &[Expr], |operand| match &operand.kind {
            ExprKind::Row(items) => items,
            _ => std::slice::from_ref(&**operand),
        });
        for (operand, column) in operands.iter().zip(&inner.columns) {
            let value = self.expr(operand);
            if let Some(place) = value.from {
                spread.insert(compared([(place, &value), (place, &column.value)])[0]);
                windows.extend(value.same_edge(&column.value));
            }
        }
        let both_append = changes.kind.max(inner.changes.kind) == Kind::Append;
        if both_append && !within && windows.contains(&Edge::Start) && windows.contains(&Edge::End) {
            let joined = Changes::decided(Kind::Append, Vec::new(), "window join", asks.span);
            self.judged.note(&joined, asks.span);
            return joined;
        }
        if let Some(scope) = self.scopes.last_mut() {
            scope.forget_times();
        }
        self.judged.is(anti.then_some(Operator::AntiJoin), asks.span);
        let keys = spread_by(&changes.keys, &spread);
        // Without a condition Flink counts the rows of EXISTS, and joins with the count.
        if within || (operand.is_none() && !correlated) {
            let kind = Kind::Updating.max(changes.kind).max(inner.changes.kind);
            let name = if anti { "anti join" } else { "semi join" };
            return Changes::decided(kind, Vec::new(), name, part.span);
        }
        if !anti {
            return Changes { keys, ..changes.either(inner.changes.clone()) };
        }
        let kind = Kind::Updating.max(changes.kind).max(inner.changes.kind);
        Changes::decided(kind, keys, "anti join", part.span)
    }

    /// A condition with queries as values. Flink puts an equality into the join: then the rows of both sides are spread by
    /// it, and the only row of a query, or of a group of it, is not known by its value.
    pub(super) fn scalar_condition(&mut self, part: &Expr, changes: Changes) -> Changes {
        if has_query(part)
            && let Some(scope) = self.scopes.last_mut()
        {
            scope.forget_times();
        }
        let mut changes = self.scalar_subqueries(part, changes);
        let equal = sides(part).filter(|_| has_query(part));
        if equal.is_some_and(|sides| sides.into_iter().any(|side| !self.depths(side).is_empty())) {
            changes.keys.clear();
        }
        changes
    }

    /// What queries in the select list and in `HAVING` make of grouped rows: they are joined behind the grouping.
    pub(super) fn queries_of_groups<'e>(
        &mut self,
        items: impl Iterator<Item = &'e Expr>,
        having: Option<&'e Expr>,
        before: &Changes,
        grouped: Changes,
    ) -> Changes {
        let mut keeps_keys = !having.is_some_and(has_query);
        let mut first = having.filter(|having| has_query(having)).map(|having| having.span);
        for item in items.filter(|item| has_query(item)) {
            first = first.or(Some(item.span));
            keeps_keys &= !self.is_correlated(item);
        }
        let Some(span) = first else { return grouped };
        let kind = Kind::Updating.max(before.kind).max(grouped.kind);
        let keys = if keeps_keys { grouped.keys } else { Vec::new() };
        Changes::decided(kind, keys, "scalar subquery", span)
    }

    /// True if a query in an expression compares its columns with those around it.
    fn is_correlated(&mut self, expr: &Expr) -> bool {
        let mut parts = Vec::new();
        children(expr, &mut |child| parts.push(child));
        parts.into_iter().any(|part| match part {
            Child::Expr(part) => self.is_correlated(part),
            Child::Query(query) => !self.subquery(query).compared.is_empty(),
            Child::Table(_) | Child::Descriptor(_) => false,
        })
    }

    /// Queries as values, anywhere in an expression: each is an outer join.
    pub(super) fn scalar_subqueries(&mut self, expr: &Expr, mut changes: Changes) -> Changes {
        let mut parts = Vec::new();
        children(expr, &mut |child| parts.push(child));
        for part in parts {
            changes = match part {
                Child::Expr(part) => self.scalar_subqueries(part, changes),
                Child::Query(query) => {
                    let Asked { relation: inner, compared, .. } = self.subquery(query);
                    let kind = Kind::Updating.max(changes.kind).max(inner.changes.kind);
                    let keys = spread_by(&changes.keys, &compared);
                    Changes::decided(kind, keys, "scalar subquery", expr.span)
                }
                Child::Table(_) | Child::Descriptor(_) => changes,
            };
        }
        changes
    }

    /// A query inside of an expression, and what it asks of the select around it.
    pub(super) fn subquery(&mut self, query: &Query) -> Asked {
        let place = (std::ptr::from_ref(query).addr(), query.span);
        if let Some(found) = self.subqueries.get(&place) {
            return found.clone();
        }
        let outer = std::mem::take(&mut self.correlated);
        let relation = Rc::new(self.query(query));
        let here = self.scopes.len().checked_sub(1);
        let mut asked = Asked { relation, compared: Key::new(), windows: Vec::new(), correlated: false, within: false };
        for (depth, correlation) in std::mem::replace(&mut self.correlated, outer) {
            asked.correlated |= Some(depth) == here;
            match correlation {
                _ if Some(depth) != here => self.correlated.push((depth, correlation)),
                Correlation::Equal(place) => {
                    asked.compared.insert(place);
                }
                Correlation::Window(edge) => asked.windows.push(edge),
                Correlation::Condition => {}
                Correlation::Within => asked.within = true,
            }
        }
        self.subqueries.insert(place, asked.clone());
        asked
    }

    /// True if the query of each row, which was just looked at, uses the row otherwise than in equalities: Flink then joins
    /// it with all that it may be asked for, each once.
    pub(super) fn is_asked_for_values(&mut self, known: usize) -> bool {
        let here = self.scopes.len().checked_sub(1);
        let (own, others): (Vec<_>, Vec<_>) = self
            .correlated
            .split_off(known.min(self.correlated.len()))
            .into_iter()
            .partition(|(depth, _)| Some(*depth) == here);
        self.correlated.extend(others);
        own.iter().any(|(_, correlation)| matches!(correlation, Correlation::Condition | Correlation::Within))
    }

    /// Notes what a select uses of those around it; `is_plain` if each of its rows is one of its sources.
    pub(super) fn correlate(&mut self, select: &Select, filter: &[&Expr], is_plain: bool) {
        let Some(own_depth) = self.scopes.len().checked_sub(1).filter(|depth| *depth > 0) else { return };
        for part in filter {
            let found = self.correlated.len();
            self.correlate_equal(part, own_depth, is_plain);
            if self.correlated.len() == found {
                let outer = self.depths(part).into_iter().filter(|depth| *depth < own_depth);
                let used = outer.map(|depth| {
                    let near = depth + 1 == own_depth;
                    (depth, if near { Correlation::Condition } else { Correlation::Within })
                });
                self.correlated.extend(used.collect::<Vec<_>>());
            }
        }
        let items = select.items.iter().filter_map(super::query::item_expr);
        let keys = select.group_by.iter().flat_map(|group| &group.keys);
        for expr in items.chain(keys).chain(&select.having).chain(&select.qualify) {
            let outer = self.depths(expr).into_iter().filter(|depth| *depth < own_depth);
            self.correlated.extend(outer.map(|depth| (depth, Correlation::Within)).collect::<Vec<_>>());
        }
    }

    /// Notes where a condition compares something of this select with something of a select around it.
    fn correlate_equal(&mut self, part: &Expr, own_depth: usize, is_plain: bool) {
        let Some((left, right)) = equality(part) else { return };
        for (own, other) in [(left, right), (right, left)] {
            let depths = self.depths(other);
            if depths.is_empty() || depths.contains(&own_depth) || !self.depths(own).contains(&own_depth) {
                continue;
            }
            let place = self.outer_place(own, other);
            let near = depths.len() == 1 && depths.contains(&(own_depth - 1));
            if near && is_plain && place != CAST {
                let (own, other) = (self.expr(own), self.expr(other));
                let windows = own.from.and(own.same_edge(&other));
                self.correlated.extend(windows.map(|edge| (own_depth - 1, Correlation::Window(edge))));
            }
            self.correlated.extend(depths.iter().map(|depth| (*depth, Correlation::Equal(place))));
            if !near {
                self.correlated.extend(depths.iter().map(|depth| (*depth, Correlation::Within)));
            } else if column_name(other).is_none() || self.depths(own) != BTreeSet::from([own_depth]) {
                self.correlated.extend(depths.iter().map(|depth| (*depth, Correlation::Condition)));
            }
        }
    }

    /// The column of a select around it by which the rows of that are spread, when it is compared with `own`.
    fn outer_place(&mut self, own: &Expr, other: &Expr) -> usize {
        let Some(name) = column_name(other) else { return CAST };
        let place = match self.find(name) {
            Some((_, Found::Column(place, parts))) if parts == name.parts.len() => place,
            Some((_, Found::Merged(Value { from: Some(place), .. }))) if name.parts.len() == 1 => place,
            _ => return CAST,
        };
        let (own, other) = (self.expr(own), self.expr(other));
        compared([(place, &own), (place, &other)])[1]
    }

    /// The selects whose columns an expression names, outside of its queries.
    fn depths(&self, expr: &Expr) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        if let ExprKind::Column(name) = &expr.kind {
            found.extend(self.find(name).map(|(depth, _)| depth));
        }
        children(expr, &mut |child| {
            if let Child::Expr(part) = child {
                found.extend(self.depths(part));
            }
        });
        found
    }
}

/// A query inside of an expression.
#[derive(Clone)]
pub(super) struct Asked {
    pub relation: Rc<Relation>,
    /// The columns around it that it compares its own with.
    pub compared: Key,
    /// The ends of windows of both that have to be equal.
    pub windows: Vec<Edge>,
    /// It uses the row around it.
    pub correlated: bool,
    /// It uses the row around it elsewhere than in its own conditions.
    pub within: bool,
}

/// How a select uses a column of one around it.
#[derive(Clone, Copy)]
pub(super) enum Correlation {
    /// It has to be equal to something of its own: the column by which the rows around are spread.
    Equal(usize),
    /// It is the end of a window, and has to be that of its own.
    Window(Edge),
    /// In another condition.
    Condition,
    /// As a value, as what is grouped by, or further in.
    Within,
}

/// What a condition fixes.
enum Fixed {
    /// A column has one value.
    Column(usize),
    /// Two columns have the same.
    Equal(usize, usize),
}

/// The sides of a condition that may say that two values are equal.
fn sides(condition: &Expr) -> Option<[&Expr; 2]> {
    match unwrapped(condition).0 {
        ExprKind::Binary { operators, operands } => match (operators.as_slice(), operands.as_slice()) {
            ([BinaryOperator::Equal | BinaryOperator::Other], [left, right]) => Some([left, right]),
            _ => None,
        },
        ExprKind::InList { operand, list, .. } => match list.as_slice() {
            [only] => Some([operand, only]),
            _ => None,
        },
        _ => None,
    }
}

/// True if there is a query anywhere in an expression.
pub(super) fn has_query(expr: &Expr) -> bool {
    let mut found = false;
    children(expr, &mut |child| {
        found = found
            || match child {
                Child::Expr(part) => has_query(part),
                Child::Query(_) => true,
                Child::Table(_) | Child::Descriptor(_) => false,
            }
    });
    found
}

/// True if both sides are made of columns.
fn names_columns(sides: [&Expr; 2]) -> bool {
    fn any(expr: &Expr) -> bool {
        let mut found = matches!(expr.kind, ExprKind::Column(_));
        children(expr, &mut |child| {
            found = found
                || match child {
                    Child::Expr(part) => any(part),
                    _ => true,
                }
        });
        found
    }
    sides.into_iter().all(any)
}

/// A condition without brackets and `NOT`, and whether it is negated.
fn unwrapped(expr: &Expr) -> (&ExprKind, bool) {
    let (expr, not) = without_not(expr);
    (&expr.kind, not)
}

fn without_not(mut expr: &Expr) -> (&Expr, bool) {
    let mut not = false;
    loop {
        match &expr.kind {
            ExprKind::Nested(inner) => expr = inner,
            ExprKind::Unary { operator: UnaryOperator::Not, operand } => {
                expr = operand;
                not = !not;
            }
            _ => return (expr, not),
        }
    }
}
