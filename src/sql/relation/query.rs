//! Queries, from the inside out.

use std::rc::Rc;

use super::changes::{Changes, Key, Kind};
use super::condition::has_query;
use super::grouping::{Found, Places, is_plain_aggregate};
use super::join::{column_name, equality, parts};
use super::scope::{Column, Grouping, Scope, Value};
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
        let ctes = self.ctes.len();
        for cte in &query.with {
            let relation = self.query(&cte.query).renamed(cte.columns.iter().map(|c| c.name.as_str()));
            self.ctes.push((cte.name.name.clone(), (cte.query.span, Rc::new(relation))));
        }
        let mut relation = self.body(&query.body);
        self.ctes.truncate(ctes);
        self.order_and_limit(query, &mut relation);
        relation
    }

    fn order_and_limit(&mut self, query: &Query, relation: &mut Relation) {
        if !query.order_by.is_empty() {
            relation.forget_windows();
        }
        let Some(limit) = query.limit.as_ref().or(query.offset.as_ref()) else { return };
        relation.forget_windows();
        relation.rank = None;
        if query.order_by.is_empty() {
            return;
        }
        let place = |item: &OrderItem| {
            let ExprKind::Column(name) = &item.expr.kind else { return None };
            relation.columns.iter().position(|column| column.name == name.last().name)
        };
        let ordered: Option<Key> = query.order_by.iter().map(place).collect();
        let keys = ordered.map(|ordered| super::changes::spread_by(&relation.changes.keys, &ordered));
        let kind = Kind::Updating.max(relation.changes.kind);
        relation.changes = Changes::decided(kind, keys.unwrap_or_default(), "limit", limit.span);
        relation.forget_times();
    }

    fn body(&mut self, body: &QueryBody) -> Relation {
        match body {
            QueryBody::Select(select) => self.select(select),
            QueryBody::Values { rows, span } => self.values(rows, *span),
            QueryBody::Table(name) => self.table(name).0,
            QueryBody::Nested(query) => self.query(query),
            QueryBody::SetOperation { first, rest } => self.set_operation(first, rest),
        }
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
        let mut relation = self.body(first);
        for SetOperand { operator, span, body } in rest {
            let right = self.body(body);
            steps::count(relation.columns.len() + right.columns.len() + right.changes.because.len());
            for (column, other) in relation.columns.iter_mut().zip(&right.columns) {
                let time = column.value.time.filter(|time| Some(*time) == other.value.time);
                let ty = common(&column.value.ty, &other.value.ty);
                let other = other.value.window.as_ref();
                let window = column.value.window.take().and_then(|own| own.of_both(other?));
                column.value = Value { ty, time, window, ..Value::default() };
            }
            relation.open |= right.open;
            // A condition further out may reach the numbers of either side.
            let ranked = relation.rank.take().or(right.rank);
            let all: Key = (0..relation.columns.len()).collect();
            let keys = if relation.open { Vec::new() } else { vec![all] };
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

    fn select(&mut self, select: &Select) -> Relation {
        self.scopes.push(Scope::default());
        let filter = parts(&select.filter);
        if let Some(scope) = self.scopes.last_mut() {
            scope.fixed = fixed(select, &filter);
        }
        for (i, source) in select.from.iter().enumerate() {
            self.table_expr(source, &filter, i > 0);
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
        self.scopes.pop();
        relation.columns.iter_mut().for_each(|column| column.value.from = None);
        relation
    }

    fn item(&mut self, index: usize, item: &SelectItem, relation: &mut Relation, places: &mut Places<'_>) {
        match item {
            SelectItem::Wildcard { qualifier: None, .. } => self.star(relation, places),
            SelectItem::Wildcard { qualifier: Some(name), .. } => self.qualified_star(name, relation, places),
            SelectItem::Expr { expr, alias, .. } => {
                let mut value = self.expr(expr);
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

/// The columns that conditions compare with what names no column and asks nothing.
fn fixed(select: &Select, filter: &[&Expr]) -> Vec<ObjectName> {
    let mut on = Vec::new();
    select.from.iter().for_each(|source| conditions(source, &mut on));
    let on = parts(on);
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
    filter.iter().chain(&on).filter_map(fixed).take(MOST_FIXED).collect()
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
