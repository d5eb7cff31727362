//! Walks a query and notes its operators.

use std::collections::BTreeMap;

use super::join::{Condition, join_kind};
use super::rank::{self, Rankings, call_limit, rankings};
use super::{Operator, OperatorUse};
use crate::diagnostic::Span;
use crate::sql::functions::{is_aggregate_call, is_non_deterministic, is_order_sensitive, is_ranking, is_window};
use crate::sql::steps;
use crate::sql::tree::{
    Call, Expr, ExprKind, Factor, FactorKind, Join, JoinKind, Query, QueryBody, Select, SelectItem, SetOperator,
    TableExpr, WindowSpec,
};
use crate::sql::walk::{Child, call_children, children};

pub(super) fn collect(query: &Query) -> Vec<OperatorUse> {
    let mut collector = Collector::default();
    collector.query(query);
    collector.found
}

/// Where an expression stands: what it can change.
#[derive(Clone, Copy, Default, PartialEq)]
enum Context {
    #[default]
    Value,
    Rows,
}

#[derive(Default)]
struct Collector<'a> {
    found: Vec<OperatorUse>,
    /// Where in `found` rankings are, by the spans of their calls.
    ranked: BTreeMap<(usize, usize), Vec<usize>>,
    /// The rankings of CTEs in reach by their names, inner ones last.
    ctes: BTreeMap<&'a str, Vec<Rankings<'a>>>,
    /// What is known of selects, by where they begin.
    selects: BTreeMap<usize, SelectFacts<'a>>,
    context: Context,
}

/// What each ranking of a select would ask for again.
struct SelectFacts<'a> {
    /// Where the windows of a name are in the list of windows.
    windows: BTreeMap<&'a str, Vec<usize>>,
    /// How many rows `QUALIFY` keeps.
    kept: Option<u64>,
}

impl<'a> SelectFacts<'a> {
    fn of(select: &'a Select) -> Self {
        let mut windows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (place, (name, _)) in select.windows.iter().enumerate() {
            windows.entry(&name.name).or_default().push(place);
        }
        Self { windows, kept: select.qualify.as_ref().and_then(call_limit) }
    }
}

impl<'a> Collector<'a> {
    fn note(&mut self, kind: Operator, span: Span, remark: impl Into<String>) {
        self.found.push(OperatorUse { kind, span, remark: remark.into() });
    }

    fn query(&mut self, query: &'a Query) {
        for cte in &query.with {
            self.query(&cte.query);
            self.ctes.entry(&cte.name.name).or_default().push(rankings(&cte.query));
        }
        self.body(&query.body);
        if let (Some(first), Some(last)) = (query.order_by.first(), query.order_by.last()) {
            self.note(Operator::OrderBy, first.expr.span.join(last.expr.span), "");
            query.order_by.iter().for_each(|item| self.expr(&item.expr, Context::Rows));
        }
        if let Some(limit) = query.limit.as_ref().or(query.offset.as_ref()) {
            let remark = if query.order_by.is_empty() {
                "any rows, as nothing orders them"
            } else {
                "ties are kept or left out by chance"
            };
            self.note(Operator::Limit, limit.span, remark);
        }
        for cte in &query.with {
            self.ctes.get_mut(cte.name.name.as_str()).and_then(Vec::pop);
        }
    }

    fn body(&mut self, body: &'a QueryBody) {
        match body {
            QueryBody::Select(select) => self.select(select),
            QueryBody::Values { rows, .. } => rows.iter().flatten().for_each(|value| self.expr(value, Context::Value)),
            QueryBody::Table(_) => {}
            QueryBody::Nested(query) => self.query(query),
            QueryBody::SetOperation { first, rest } => {
                self.body(first);
                for operand in rest {
                    let kind = match operand.operator {
                        SetOperator::UnionAll => Operator::UnionAll,
                        other => Operator::SetOperation(other),
                    };
                    self.note(kind, operand.span, "");
                    self.body(&operand.body);
                }
            }
        }
    }

    fn select(&mut self, select: &'a Select) {
        if let Some(span) = select.distinct {
            self.note(Operator::Distinct, span, "");
        }
        self.sources(select);
        for item in &select.items {
            if let SelectItem::Expr { expr, .. } = item {
                self.expr_in(expr, Context::Value, Some(select));
            }
        }
        for filter in select.filter.iter().chain(&select.having).chain(&select.qualify) {
            self.note(Operator::Filter, filter.span, "");
            self.expr_in(filter, Context::Rows, Some(select));
        }
        let keys = select.group_by.as_ref().map_or(&[] as &[Expr], |group| &group.keys);
        keys.iter().for_each(|key| self.expr(key, Context::Rows));
        self.aggregation(select, keys);
        self.rank_limits(select);
    }

    /// A condition here limits the ranks that sources of this select number.
    fn rank_limits(&mut self, select: &Select) {
        let ctes = &self.ctes;
        for (span, kept) in rank::limits(select, |name| ctes.get(name).and_then(|known| known.last())) {
            for place in self.ranked.get(&(span.start, span.end)).into_iter().flatten() {
                if let Some(OperatorUse { kind: Operator::RowNumber { limit, .. }, .. }) = self.found.get_mut(*place) {
                    *limit = Some(kept);
                }
            }
        }
    }

    fn aggregation(&mut self, select: &Select, keys: &[Expr]) {
        let mut functions = Vec::new();
        let mut first = None;
        let items = select.items.iter().filter_map(|item| match item {
            SelectItem::Expr { expr, .. } => Some(expr),
            SelectItem::Wildcard { .. } => None,
        });
        items.chain(&select.having).for_each(|expr| {
            aggregates(expr, &mut |call| {
                first.get_or_insert(call.span);
                let name = call.name.last().name.to_ascii_uppercase();
                functions.push(if call.distinct { format!("{name} DISTINCT") } else { name });
            })
        });
        // Without GROUP BY, HAVING makes one group of all rows.
        let having = select.having.as_ref().map(|having| having.span);
        let Some(span) = select.group_by.as_ref().map(|group| group.span).or(first).or(having) else { return };
        functions.dedup();
        let has = |edge| keys.iter().any(|key| matches!(&key.kind, ExprKind::Column(name) if name.last().name == edge));
        let calls = |key: &Expr| matches!(&key.kind, ExprKind::Call(call) if is_window(&call.name.last().name.to_ascii_uppercase()));
        // One end alone is a grouping like any other.
        if (has("window_start") && has("window_end")) || keys.iter().any(calls) {
            self.note(Operator::WindowAggregate { functions }, span, "");
        } else {
            let remark = if keys.is_empty() { "one group for all rows" } else { "" };
            self.note(Operator::GroupAggregate { functions }, span, remark);
        }
    }

    fn sources(&mut self, select: &'a Select) {
        let joins = select.from.len() > 1 || select.from.iter().any(has_joins);
        let filter = select.filter.as_ref().filter(|_| joins).map(Condition::of);
        for (index, source) in select.from.iter().enumerate() {
            self.table_expr(source, filter);
            if index > 0 {
                self.join(JoinKind::Cross, &source.base, source.base.span, None, filter);
            }
        }
    }

    fn table_expr(&mut self, source: &'a TableExpr, filter: Option<Condition>) {
        self.factor(&source.base, filter);
        for Join { kind, factor, on, span, .. } in &source.joins {
            self.factor(factor, filter);
            self.join(*kind, factor, *span, on.as_ref(), filter);
            if let Some(on) = on {
                self.expr(on, Context::Rows);
            }
        }
    }

    fn join(&mut self, kind: JoinKind, factor: &Factor, span: Span, on: Option<&Expr>, filter: Option<Condition>) {
        if let Some((operator, remark)) = join_kind(kind, factor, on, filter) {
            self.note(operator, span, remark);
        }
    }

    fn factor(&mut self, factor: &'a Factor, filter: Option<Condition>) {
        match &factor.kind {
            FactorKind::Table { system_time, .. } => {
                if let Some(time) = system_time {
                    self.expr(time, Context::Rows);
                }
            }
            FactorKind::Derived { lateral, query } => {
                if *lateral && crate::sql::names::query_refs(query).is_empty() {
                    self.note(Operator::Lateral, factor.span, "");
                } else if *lateral {
                    let remark = "the query of each row becomes a join with the tables that it reads";
                    self.note(Operator::RegularJoin(JoinKind::Inner), factor.span, remark);
                }
                self.query(query);
            }
            FactorKind::Function { call, .. } => self.table_function(call),
            FactorKind::Unnest { expr, .. } => {
                self.note(Operator::Unnest, factor.span, "");
                self.expr(expr, Context::Rows);
            }
            FactorKind::Nested(inner) => self.table_expr(inner, filter),
            FactorKind::Match { input, clause } => {
                self.factor(input, filter);
                self.note(Operator::Match { within: clause.within }, clause.span, "");
                clause.measures.iter().for_each(|(expr, _)| self.expr(expr, Context::Value));
                clause.define.iter().for_each(|(_, expr)| self.expr(expr, Context::Rows));
            }
        }
    }

    fn table_function(&mut self, call: &'a Call) {
        let name = call.name.last().name.to_ascii_uppercase();
        let mut takes_table = false;
        call_children(call, &mut |child| takes_table |= matches!(child, Child::Table(_) | Child::Query(_)));
        takes_table |= call.args.iter().any(|arg| match &arg.value {
            crate::sql::tree::ArgValue::Expr(expr) => matches!(expr.kind, ExprKind::Subquery(_)),
            _ => false,
        });
        if is_non_deterministic(&name, call.args.len()) {
            self.note(Operator::NonDeterministicFunction(name.clone()), call.name.span, "as a value");
        }
        if is_window(&name) {
            self.note(Operator::WindowTvf(name), call.span, "");
        } else if takes_table {
            self.note(Operator::TableFunction(name), call.span, "what it remembers is not known");
        } else {
            self.note(Operator::Lateral, call.span, "");
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
            match child {
                Child::Expr(Expr { kind: ExprKind::Subquery(_), .. }) => {}
                other => self.child(other, Context::Rows, None),
            }
        }
    }

    fn expr(&mut self, expr: &'a Expr, context: Context) {
        self.expr_in(expr, context, None);
    }

    /// `select` is the select whose list or condition the expression is in.
    fn expr_in(&mut self, expr: &'a Expr, context: Context, select: Option<&'a Select>) {
        steps::count(1);
        match &expr.kind {
            ExprKind::InQuery { .. } | ExprKind::Exists(_) => self.note(Operator::SemiJoin, expr.span, ""),
            ExprKind::Subquery(_) | ExprKind::CollectionQuery(_) => self.note(Operator::ScalarSubquery, expr.span, ""),
            ExprKind::Call(call) => self.call(call, context, select),
            _ => {}
        }
        let mut parts = Vec::new();
        children(expr, &mut |child| parts.push(child));
        parts.into_iter().for_each(|child| self.child(child, context, select));
    }

    fn child(&mut self, child: Child<'a>, context: Context, select: Option<&'a Select>) {
        match child {
            Child::Expr(expr) => self.expr_in(expr, context, select),
            Child::Query(query) => {
                let outer = std::mem::replace(&mut self.context, context);
                self.query(query);
                self.context = outer;
            }
            Child::Table(table) => {
                table.partition_by.iter().for_each(|expr| self.expr_in(expr, Context::Rows, None));
                table.order_by.iter().for_each(|item| self.expr_in(&item.expr, Context::Rows, None));
            }
            Child::Descriptor(_) => {}
        }
    }

    fn call(&mut self, call: &'a Call, context: Context, select: Option<&'a Select>) {
        let name = call.name.last().name.to_ascii_uppercase();
        if is_non_deterministic(&name, call.args.len()) {
            let decides = context == Context::Rows || self.context == Context::Rows;
            let remark = if decides { "decides which rows there are" } else { "as a value" };
            self.note(Operator::NonDeterministicFunction(name.clone()), call.span, remark);
        }
        if is_order_sensitive(&name) {
            let remark =
                if call.order_by.is_empty() { "rows come in no fixed order" } else { "ties come in no fixed order" };
            self.note(Operator::OrderSensitiveAggregate(name.clone()), call.span, remark);
        }
        let Some(over) = &call.over else { return };
        if !is_ranking(&name) {
            return self.note(Operator::Over { function: name }, call.span, "");
        }
        let facts =
            select.map(|select| &*self.selects.entry(select.span.start).or_insert_with(|| SelectFacts::of(select)));
        let window = named_among(over, select, facts);
        let limit = facts.and_then(|facts| facts.kept);
        let partition = window.partition_by.iter().map(label).collect();
        let order =
            window.order_by.iter().map(|item| label(&item.expr) + if item.descending { " DESC" } else { "" }).collect();
        let remark = if name == "ROW_NUMBER" { String::new() } else { format!("by {name}") };
        // A limit in the select around it is put in when that is seen.
        self.ranked.entry((call.span.start, call.span.end)).or_default().push(self.found.len());
        self.note(Operator::RowNumber { partition, order, limit }, call.span, remark);
    }
}

/// The window that is meant, with what it takes from `WINDOW`.
pub(crate) fn named(over: &WindowSpec, select: Option<&Select>) -> WindowSpec {
    named_among(over, select, select.map(SelectFacts::of).as_ref())
}

/// The same, if what is known of the select is known already.
fn named_among(over: &WindowSpec, select: Option<&Select>, facts: Option<&SelectFacts<'_>>) -> WindowSpec {
    let mut window = over.clone();
    let mut base = over.base.clone();
    // Each step goes to an earlier definition, so this ends.
    let (Some(select), Some(facts)) = (select, facts) else { return window };
    let mut before = usize::MAX;
    let mut chain = Vec::new();
    while let Some(name) = base.take() {
        let places = facts.windows.get(name.name.as_str()).map_or(&[] as &[usize], Vec::as_slice);
        let earlier = places.partition_point(|place| *place < before);
        let Some(place) = earlier.checked_sub(1).and_then(|last| places.get(last)) else { break };
        let Some((_, spec)) = select.windows.get(*place) else { break };
        steps::count(1);
        chain.push(spec);
        base.clone_from(&spec.base);
        before = *place;
    }
    for spec in chain {
        window.partition_by.splice(0..0, spec.partition_by.iter().cloned());
        window.order_by.splice(0..0, spec.order_by.iter().cloned());
    }
    window
}

fn has_joins(source: &TableExpr) -> bool {
    let nested = |factor: &Factor| matches!(&factor.kind, FactorKind::Nested(_) | FactorKind::Match { .. });
    !source.joins.is_empty() || nested(&source.base)
}

fn label(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Column(name) => name.dotted(),
        _ => "(...)".to_owned(),
    }
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
