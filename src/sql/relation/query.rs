//! Queries, from the inside out.

use std::rc::Rc;

use super::changes::{Changes, Key, Kind};
use super::condition::has_query;
use super::grouping::{Found, Places, is_plain_aggregate};
use super::join::{column_name, equality, parts};
use super::outer::Behind;
use super::scope::{Column, Grouping, Scope, Time, Value};
use super::window::{Edge, apart, has_window};
use super::{Relation, Walker};
use crate::diagnostic::Span;
use crate::sql::lineage::own_name;
use crate::sql::steps;
use crate::sql::tree::{
    Expr, ExprKind, FactorKind, GroupBy, ObjectName, OrderItem, Query, QueryBody, Select, SelectItem, SetOperand,
    SetOperator, TableExpr,
};
use crate::sql::types::common;
use crate::sql::walk::{Child, children};

/// How many columns a result may have whose stars are written out: two stars of one query double with each query that stands
/// on another.
pub(super) const MOST_STARRED: usize = 10_000;

impl Walker<'_> {
    pub(super) fn query(&mut self, query: &Query) -> Relation {
        steps::count(1);
        let is_whole = std::mem::take(&mut self.whole);
        let ctes = self.ctes.len();
        for cte in &query.with {
            let relation = self.query(&cte.query).renamed(cte.columns.iter().map(|c| c.name.as_str()));
            self.ctes.push((cte.name.name.clone(), (cte.query.span, Rc::new(relation))));
        }
        self.whole = is_whole && matches!(query.body, QueryBody::Nested(_));
        let (mut relation, by_source) = self.body(&query.body, query.order_by.first());
        self.whole = false;
        self.ctes.truncate(ctes);
        self.order_and_limit(query, is_whole, by_source, &mut relation);
        relation
    }

    /// A body, and the time of its own sources that it is ordered by, which its columns may not have.
    fn body(&mut self, body: &QueryBody, order_by: Option<&OrderItem>) -> (Relation, Option<Time>) {
        let relation = match body {
            QueryBody::Select(select) => return self.select(select, order_by),
            QueryBody::Values { rows, span } => self.values(rows, *span),
            QueryBody::Table(name) => self.table(name).0,
            QueryBody::Nested(query) => self.query(query),
            QueryBody::SetOperation { first, rest } => self.set_operation(first, rest),
        };
        (relation, None)
    }

    fn values(&mut self, rows: &[Vec<Expr>], span: Span) -> Relation {
        let mut columns: Vec<Column> = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            for (i, expr) in row.iter().enumerate() {
                let value = Value { from: None, time: None, ..self.expr(expr) };
                match columns.get_mut(i) {
                    Some(column) if number > 0 => column.value.ty = common(&column.value.ty, &value.ty),
                    _ => columns.push(Column { name: format!("EXPR${i}"), value }),
                }
            }
        }
        let changes = Changes::decided(Kind::Append, Vec::new(), "values", span);
        Relation { columns, changes, ..Relation::default() }
    }

    fn set_operation(&mut self, first: &QueryBody, rest: &[SetOperand]) -> Relation {
        let (mut relation, _) = self.body(first, None);
        for SetOperand { operator, span, body } in rest {
            let (right, _) = self.body(body, None);
            steps::count(relation.columns.len() + right.columns.len() + right.changes.because.len());
            for (column, other) in relation.columns.iter_mut().zip(&right.columns) {
                let time = column.value.time.filter(|time| Some(*time) == other.value.time);
                let ty = common(&column.value.ty, &other.value.ty);
                let (times, other) = (other.value.times(), other.value.window.as_ref());
                let window = column.value.window.take().and_then(|own| own.of_both(other?));
                let times = column.value.times().max(times);
                column.value = Value { ty, time, times, window, ..Value::default() };
            }
            relation.open |= right.open;
            // A condition further out may reach the numbers of either side.
            let ranked = relation.rank.take().or(right.rank);
            let all: Key = (0..relation.columns.len()).collect();
            let mut keys = if relation.open { Vec::new() } else { vec![all] };
            if matches!(operator, SetOperator::Intersect | SetOperator::Except) {
                // Rows that are known by less than all columns are not made distinct again, and the join that finds them on
                // the other side compares all columns.
                keys.retain(|all| relation.changes.keys.iter().all(|known| known == all));
            }
            let kind = Kind::Updating.max(relation.changes.kind).max(right.changes.kind);
            relation.changes = match operator {
                SetOperator::UnionAll => {
                    let both = std::mem::take(&mut relation.changes).either(right.changes);
                    match ranked {
                        Some(rank) => both.either(rank.unread()),
                        None => both,
                    }
                }
                SetOperator::Union | SetOperator::Intersect | SetOperator::Except => {
                    Changes::decided(kind, keys, "set operation", *span)
                }
                SetOperator::IntersectAll | SetOperator::ExceptAll => {
                    Changes::decided(kind, Vec::new(), "set operation", *span)
                }
            };
            if *operator != SetOperator::UnionAll {
                relation.forget_times();
            }
        }
        relation.changes = relation.changes.sorted();
        relation
    }

    fn select(&mut self, select: &Select, order_by: Option<&OrderItem>) -> (Relation, Option<Time>) {
        self.scopes.push(Scope::default());
        let filter = parts(&select.filter);
        let mut on = Vec::new();
        select.from.iter().for_each(|source| conditions(source, &mut on));
        let conditions: Vec<&Expr> = filter.iter().copied().chain(parts(on)).collect();
        if let Some(scope) = self.scopes.last_mut() {
            scope.fixed = fixed(&conditions);
            scope.compared = compared(&conditions);
        }
        let behind = Behind::of(select);
        for (i, source) in select.from.iter().enumerate() {
            self.table_expr(source, &filter, &behind, i > 0);
        }
        let before = self.scopes.last_mut().and_then(|scope| scope.changes.take());
        let changes = before.unwrap_or_else(|| Changes::decided(Kind::Append, Vec::new(), "values", select.span));
        let mut changes = filter.iter().fold(changes, |changes, part| self.condition(part, changes)).sorted();
        let found = Found::of(select);
        self.correlate(select, &filter, found.aggregated.is_none() && select.distinct.is_none());
        for expr in select.items.iter().filter_map(item_expr).chain(&select.having).chain(&select.qualify) {
            changes = self.scalar_subqueries(expr, changes);
            if found.aggregated.is_none()
                && has_query(expr)
                && let Some(scope) = self.scopes.last_mut()
            {
                scope.forget_times();
            }
        }
        if let (Some(group), Some(scope)) = (&select.group_by, self.scopes.last_mut()) {
            scope.grouping = match group {
                GroupBy { keys, .. } if keys.is_empty() => Grouping::None,
                GroupBy { grouping_sets: true, .. } => Grouping::Sets,
                GroupBy { .. } => Grouping::Keys,
            };
        }
        let mut relation = Relation::default();
        let mut places = Places::default();
        for (i, item) in select.items.iter().enumerate() {
            self.item(i, item, &mut relation, &mut places);
            places.exprs.resize(relation.columns.len(), item_expr(item));
        }
        relation.open |= places.open;
        if let Some(span) = found.aggregated {
            self.aggregate(select, span, &changes, &places, &mut relation);
            let items = select.items.iter().filter_map(item_expr);
            let grouped = std::mem::take(&mut relation.changes);
            if items.clone().chain(&select.having).any(has_query) {
                relation.forget_times();
            }
            relation.changes = self.queries_of_groups(items, select.having.as_ref(), &changes, grouped);
        } else {
            self.assume(select);
            self.over(select, &found, changes, &places, &mut relation);
        }
        if let Some(span) = select.distinct {
            let columns = relation.columns.iter().map(|column| &column.value);
            relation.changes = if has_window(columns) && relation.changes.kind == Kind::Append {
                relation.keep_times_of_windows();
                Changes::decided(Kind::Append, Vec::new(), "window aggregate", span)
            } else {
                let keys = if relation.open { Vec::new() } else { super::changes::each(&places.same()) };
                relation.forget_times();
                Changes::decided(Kind::Updating.max(relation.changes.kind), keys, "distinct", span)
            };
            self.judged.note(&relation.changes, span);
            relation.rank = None;
        }
        self.forget_constant_keys(select, &filter, &mut relation);
        let order_by = order_by.filter(|_| found.aggregated.is_none() && select.distinct.is_none());
        let by_source = order_by.and_then(|item| self.expr(&item.expr).time);
        self.scopes.pop();
        relation.columns.iter_mut().for_each(|column| column.value.from = None);
        (relation, by_source)
    }

    fn item(&mut self, index: usize, item: &SelectItem, relation: &mut Relation, places: &mut Places<'_>) {
        match item {
            SelectItem::Wildcard { qualifier: None, .. } => self.star(relation, places),
            SelectItem::Wildcard { qualifier: Some(name), .. } => self.qualified_star(name, relation, places),
            SelectItem::Expr { expr, alias, .. } => {
                let mut value = self.expr(expr);
                value.times = self.times_in(expr);
                if self.scopes.last().is_some_and(|scope| scope.grouping == Grouping::Sets) && !is_plain_aggregate(expr)
                {
                    // A key that a set leaves out is NULL.
                    value.ty = value.ty.filter(|ty| ty.nullable);
                }
                let name = alias.as_ref().map(|a| a.name.clone()).or_else(|| own_name(expr));
                let name = name.unwrap_or_else(|| format!("EXPR${index}"));
                places.add(value.from, relation.columns.len());
                relation.columns.push(Column { name, value });
            }
        }
    }

    /// How many time attributes an expression is computed from.
    fn times_in(&mut self, expr: &Expr) -> usize {
        if let ExprKind::Column(name) = &expr.kind {
            return self.column(name).times();
        }
        let mut parts = Vec::new();
        children(expr, &mut |child| {
            if let Child::Expr(part) = child {
                parts.push(part);
            }
        });
        parts.into_iter().fold(0, |sum, part| sum + self.times_in(part))
    }

    fn star(&mut self, relation: &mut Relation, places: &mut Places<'_>) {
        let Some(scope) = self.scopes.last() else { return };
        if scope.columns.len() + relation.columns.len() > MOST_STARRED {
            places.open = true;
            return;
        }
        for (name, value) in &scope.merged {
            places.add(value.from, relation.columns.len());
            relation.columns.push(Column { name: name.clone(), value: value.clone() });
        }
        for (place, column) in scope.columns.iter().enumerate() {
            if scope.merged(&column.name).is_none() {
                places.add(Some(place), relation.columns.len());
                let value = Value { from: Some(place), ..column.value.clone() };
                relation.columns.push(Column { name: column.name.clone(), value });
            }
        }
        places.open |= scope.open;
    }
}

/// How many columns with one value are looked at in one select.
const MOST_FIXED: usize = 64;

/// How many conditions of one select are looked at for times that they compare.
const MOST_COMPARED: usize = 256;

/// The columns that conditions compare with what names no column and asks nothing.
fn fixed(conditions: &[&Expr]) -> Vec<ObjectName> {
    let fixed = |part: &&Expr| {
        let (left, right) = match &part.kind {
            ExprKind::InList { negated: false, operand, list } => match list.as_slice() {
                [only] => (&**operand, only),
                _ => return None,
            },
            _ => equality(part)?,
        };
        match (column_name(left), column_name(right)) {
            (Some(name), None) if is_constant(right) => Some(name.clone()),
            (None, Some(name)) if is_constant(left) => Some(name.clone()),
            _ => None,
        }
    };
    conditions.iter().filter_map(fixed).take(MOST_FIXED).collect()
}

/// The columns that each condition names.
fn compared(conditions: &[&Expr]) -> Option<Vec<(Span, Vec<ObjectName>)>> {
    fn names(expr: &Expr, found: &mut Vec<ObjectName>) {
        if let ExprKind::Column(name) = &expr.kind {
            found.push(name.clone());
        }
        children(expr, &mut |child| {
            if let Child::Expr(part) = child {
                names(part, found);
            }
        });
    }
    if conditions.len() > MOST_COMPARED {
        return None;
    }
    let named = |condition: &&Expr| {
        steps::count(1);
        let mut found = Vec::new();
        names(condition, &mut found);
        (condition.span, found)
    };
    Some(conditions.iter().map(named).collect())
}

/// The conditions of joins.
fn conditions<'e>(source: &'e TableExpr, found: &mut Vec<&'e Expr>) {
    for factor in std::iter::once(&source.base).chain(source.joins.iter().map(|join| &join.factor)) {
        if let FactorKind::Nested(inner) = &factor.kind {
            conditions(inner, found);
        }
    }
    found.extend(source.joins.iter().filter_map(|join| join.on.as_ref()));
}

/// True if an expression names no column and asks nothing.
pub(super) fn is_constant(expr: &Expr) -> bool {
    let mut constant = !matches!(expr.kind, ExprKind::Column(_));
    children(expr, &mut |child| constant = constant && matches!(child, Child::Expr(part) if is_constant(part)));
    constant
}

pub(super) fn item_expr(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::Expr { expr, .. } => Some(expr),
        SelectItem::Wildcard { .. } => None,
    }
}

impl Relation {
    /// The columns under the names of a column list, which may be shorter.
    pub fn renamed<'n>(mut self, names: impl ExactSizeIterator<Item = &'n str>) -> Self {
        if names.len() > 0 && self.open {
            // Nobody knows which unknown column gets which name.
            self.columns = names.map(|name| Column { name: name.to_owned(), value: Value::default() }).collect();
            (self.open, self.rank) = (false, None);
            self.changes.keys.clear();
            return self;
        }
        for (column, name) in self.columns.iter_mut().zip(names) {
            name.clone_into(&mut column.name);
        }
        self
    }

    /// Forgets time attributes and windows.
    pub fn forget_times(&mut self) {
        for value in self.columns.iter_mut().map(|column| &mut column.value) {
            (value.time, value.window) = (None, None);
        }
    }

    /// Forgets windows, of which no operator behind can make use any more.
    pub fn forget_windows(&mut self) {
        self.columns.iter_mut().for_each(|column| column.value.window = None);
    }

    /// Behind a grouping by windows only the times of the windows are time attributes, and no session can be grouped again.
    pub fn keep_times_of_windows(&mut self) {
        for value in self.columns.iter_mut().map(|column| &mut column.value) {
            value.time = value.time.filter(|_| value.is_edge(Edge::Time));
        }
        if apart(self.columns.iter().map(|column| &column.value)).is_some() {
            self.forget_windows();
        }
    }
}
