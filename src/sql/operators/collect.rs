//! Walks a query and notes its operators.

use super::each_row::{is_of_each_row, takes_table};
use super::{Clock, Operator, OperatorUse};
use crate::diagnostic::Span;
use crate::sql::functions::{is_aggregate_call, is_non_deterministic, is_order_sensitive, is_ranking, is_window};
use crate::sql::relation::Judged;
use crate::sql::steps;
use crate::sql::tree::{
    Call, Expr, ExprKind, Factor, FactorKind, Query, QueryBody, Select, SelectItem, SetOperator, TableExpr, WindowSpec,
};
use crate::sql::walk::{Child, call_children, children};

/// The operators of a query, in order of the text, as they turned out to be.
pub(in crate::sql) fn judged(query: &Query, judged: &Judged) -> Vec<OperatorUse> {
    let mut collector = Collector::default();
    collector.query(query);
    let mut found = collector.found;
    found.iter_mut().for_each(|op| judged.judge(op));
    found.sort_by_key(|op| (op.span.start, op.span.end));
    found
}

#[derive(Default)]
struct Collector {
    found: Vec<OperatorUse>,
}

impl Collector {
    fn note(&mut self, kind: Operator, span: Span) {
        self.found.push(OperatorUse { kind, span });
    }

    fn query(&mut self, query: &Query) {
        query.with.iter().for_each(|cte| self.query(&cte.query));
        self.body(&query.body);
        if let (Some(first), Some(last)) = (query.order_by.first(), query.order_by.last()) {
            self.note(Operator::OrderBy(Clock::None), first.expr.span.join(last.expr.span));
            query.order_by.iter().for_each(|item| self.expr(&item.expr));
        }
        if let Some(limit) = query.limit.as_ref().or(query.offset.as_ref()) {
            self.note(Operator::Limit, limit.span);
        }
    }

    fn body(&mut self, body: &QueryBody) {
        match body {
            QueryBody::Select(select) => self.select(select),
            QueryBody::Values { rows, .. } => rows.iter().flatten().for_each(|value| self.expr(value)),
            QueryBody::Table(_) => {}
            QueryBody::Nested(query) => self.query(query),
            QueryBody::SetOperation { first, rest } => {
                self.body(first);
                for operand in rest {
                    let all = operand.operator == SetOperator::UnionAll;
                    self.note(if all { Operator::UnionAll } else { Operator::SetOperation }, operand.span);
                    self.body(&operand.body);
                }
            }
        }
    }

    fn select(&mut self, select: &Select) {
        if let Some(span) = select.distinct {
            self.note(Operator::Distinct, span);
        }
        for (index, source) in select.from.iter().enumerate() {
            self.table_expr(source);
            if index > 0 {
                self.join(&source.base, source.base.span);
            }
        }
        for item in &select.items {
            if let SelectItem::Expr { expr, .. } = item {
                self.expr(expr);
            }
        }
        for filter in select.filter.iter().chain(&select.having).chain(&select.qualify) {
            self.note(Operator::Filter, filter.span);
            self.expr(filter);
        }
        let keys = select.group_by.as_ref().map_or(&[] as &[Expr], |group| &group.keys);
        keys.iter().for_each(|key| self.expr(key));
        self.aggregation(select);
    }

    fn aggregation(&mut self, select: &Select) {
        let mut first = None;
        let items = select.items.iter().filter_map(|item| match item {
            SelectItem::Expr { expr, .. } => Some(expr),
            SelectItem::Wildcard { .. } => None,
        });
        items.chain(&select.having).for_each(|expr| {
            aggregates(expr, &mut |call| {
                first.get_or_insert(call.span);
            });
        });
        // Without GROUP BY, HAVING makes one group of all rows.
        let having = select.having.as_ref().map(|having| having.span);
        if let Some(span) = select.group_by.as_ref().map(|group| group.span).or(first).or(having) {
            self.note(Operator::GroupAggregate, span);
        }
    }

    fn table_expr(&mut self, source: &TableExpr) {
        self.factor(&source.base);
        for join in &source.joins {
            self.factor(&join.factor);
            self.join(&join.factor, join.span);
            join.on.iter().for_each(|on| self.expr(on));
        }
    }

    /// A join; none where the source speaks for itself, as functions of each row do.
    fn join(&mut self, factor: &Factor, span: Span) {
        match &factor.kind {
            FactorKind::Table { system_time: Some(_), .. } => self.note(Operator::TemporalJoin, span),
            _ if is_of_each_row(factor) => {}
            // Whatever its condition compares, what it reads is joined by more than that.
            FactorKind::Derived { lateral: true, .. } => self.note(Operator::RegularJoin, factor.span),
            _ => self.note(Operator::RegularJoin, span),
        }
    }

    fn factor(&mut self, factor: &Factor) {
        match &factor.kind {
            FactorKind::Table { system_time, .. } => system_time.iter().for_each(|time| self.expr(time)),
            FactorKind::Derived { lateral, query } => {
                if *lateral && is_of_each_row(factor) {
                    self.note(Operator::Lateral, factor.span);
                }
                self.query(query);
            }
            FactorKind::Function { call, .. } => self.table_function(call),
            FactorKind::Unnest { expr, .. } => {
                self.note(Operator::Unnest, factor.span);
                self.expr(expr);
            }
            FactorKind::Nested(inner) => self.table_expr(inner),
            FactorKind::Match { input, clause } => {
                self.factor(input);
                self.note(Operator::Match { within: clause.within, by: Clock::Event }, clause.span);
                clause.measures.iter().for_each(|(expr, _)| self.expr(expr));
                clause.define.iter().for_each(|(_, expr)| self.expr(expr));
            }
        }
    }

    fn table_function(&mut self, call: &Call) {
        let name = call.name.last().name.to_ascii_uppercase();
        if is_non_deterministic(&name, call.args.len()) {
            self.note(Operator::NonDeterministicFunction(name.clone()), call.name.span);
        }
        if is_window(&name) {
            self.note(Operator::WindowTvf(name), call.span);
        } else if takes_table(call) {
            self.note(Operator::TableFunction(name), call.span);
        } else {
            self.note(Operator::Lateral, call.span);
        }
        for arg in &call.args {
            // A query where a table is due is a source, not a value.
            if let crate::sql::tree::ArgValue::Expr(Expr { kind: ExprKind::Subquery(query), .. }) = &arg.value {
                self.query(query);
            }
        }
        let mut rest = Vec::new();
        call_children(call, &mut |child| rest.push(child));
        for child in rest {
            if !matches!(child, Child::Expr(Expr { kind: ExprKind::Subquery(_), .. })) {
                self.child(child);
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        steps::count(1);
        match &expr.kind {
            ExprKind::InQuery { .. } | ExprKind::Exists(_) => self.note(Operator::SemiJoin, expr.span),
            ExprKind::Subquery(_) | ExprKind::CollectionQuery(_) => self.note(Operator::ScalarSubquery, expr.span),
            ExprKind::Call(call) => self.call(call),
            _ => {}
        }
        let mut parts = Vec::new();
        children(expr, &mut |child| parts.push(child));
        parts.into_iter().for_each(|child| self.child(child));
    }

    fn child(&mut self, child: Child<'_>) {
        match child {
            Child::Expr(expr) => self.expr(expr),
            Child::Query(query) => self.query(query),
            Child::Table(table) => {
                table.partition_by.iter().for_each(|expr| self.expr(expr));
                table.order_by.iter().for_each(|item| self.expr(&item.expr));
            }
            Child::Descriptor(_) => {}
        }
    }

    fn call(&mut self, call: &Call) {
        let name = call.name.last().name.to_ascii_uppercase();
        if is_non_deterministic(&name, call.args.len()) {
            self.note(Operator::NonDeterministicFunction(name.clone()), call.span);
        }
        if is_order_sensitive(&name) {
            self.note(Operator::OrderSensitiveAggregate(name.clone()), call.span);
        }
        if call.over.is_some() {
            let over = Operator::Over(Clock::Event);
            self.note(if is_ranking(&name) { Operator::TopN { total: false } } else { over }, call.span);
        }
    }
}

/// The window that is meant, with what it takes from `WINDOW`.
pub(crate) fn named(over: &WindowSpec, select: &Select) -> WindowSpec {
    let mut window = over.clone();
    let mut base = over.base.clone();
    // Each step goes to an earlier definition, so this ends.
    let mut left = select.windows.as_slice();
    while let Some(name) = base.take() {
        let Some(place) = left.iter().rposition(|(own, _)| own.name == name.name) else { break };
        let Some((_, spec)) = left.get(place) else { break };
        steps::count(1);
        window.partition_by.splice(0..0, spec.partition_by.iter().cloned());
        window.order_by.splice(0..0, spec.order_by.iter().cloned());
        base.clone_from(&spec.base);
        left = left.get(..place).unwrap_or_default();
    }
    window
}

/// Calls `visit` for each aggregate that is not over a window, without going into subqueries.
pub(crate) fn aggregates<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a Call)) {
    if let ExprKind::Call(call) = &expr.kind
        && call.over.is_none()
        && is_aggregate_call(call)
    {
        visit(call);
    }
    children(expr, &mut |child| {
        if let Child::Expr(expr) = child {
            aggregates(expr, visit);
        }
    });
}
