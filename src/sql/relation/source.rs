//! The sources of `FROM`.

use std::collections::HashMap;

use super::changes::{Changes, Kind};
use super::grouping::Places;
use super::join::{Asked, CAST, Joined, Part, parts};
use super::outer::Behind;
use super::query::MOST_STARRED;
use super::scope::{Column, Found, Scope, Value};
use super::window::windowed;
use super::{Relation, Walker};
use crate::diagnostic::Span;
use crate::model::column::{ColumnType, Nullable};
use crate::sql::functions::is_window;
use crate::sql::operators::is_of_each_row;
use crate::sql::steps;
use crate::sql::tree::{
    ArgValue, Call, Expr, ExprKind, Factor, FactorKind, JoinKind, MatchClause, ObjectName, Query, TableArg, TableExpr,
};

/// How many sources of one select are looked at.
const MOST_SOURCES: usize = 64;

/// What holds of a join.
#[derive(Default)]
struct Condition<'f, 'e> {
    /// The parts of `ON`.
    on: Vec<&'e Expr>,
    /// What holds of inner joins as well.
    filter: &'f [&'e Expr],
    /// The columns of `USING`.
    using: Vec<&'e str>,
    natural: bool,
}

impl Walker<'_> {
    /// A source with what is joined to it; `comma` if others stand before it.
    pub(super) fn table_expr<'e>(
        &mut self,
        source: &'e TableExpr,
        filter: &[&'e Expr],
        behind: &Behind<'e>,
        comma: bool,
    ) {
        let TableExpr { base, joins, .. } = source;
        if comma {
            let on = Condition { filter, ..Condition::default() };
            self.joined(JoinKind::Cross, base, on, base.span, behind);
        } else {
            let changes = self.factor(base, filter);
            self.put(changes);
        }
        for join in joins {
            let using = join.using.iter().map(|column| column.name.as_str()).collect();
            let on = Condition { on: parts(&join.on), filter, using, natural: join.natural };
            self.joined(join.kind, &join.factor, on, join.span, behind);
            if let Some(on) = &join.on
                && let Some(changes) = self.take()
            {
                let changes =
                    parts([on]).into_iter().fold(changes, |changes, part| self.scalar_condition(part, changes));
                self.put(changes);
            }
        }
    }

    fn put(&mut self, changes: Changes) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.changes = Some(changes);
        }
    }

    fn take(&mut self) -> Option<Changes> {
        self.scopes.last_mut().and_then(|scope| scope.changes.take())
    }

    /// Joins one more source to those that are there.
    fn joined<'e>(
        &mut self,
        kind: JoinKind,
        factor: &'e Factor,
        condition: Condition<'_, 'e>,
        span: Span,
        behind: &Behind<'e>,
    ) {
        if self.scopes.last().is_some_and(|scope| scope.sources.len() >= MOST_SOURCES) {
            return self.give_up(span);
        }
        let Condition { on: mut conditions, filter, using, natural } = condition;
        let is_inner = |kind| matches!(kind, JoinKind::Inner | JoinKind::Cross);
        if is_inner(kind) {
            conditions.extend(filter);
        }
        steps::count(1 + conditions.len());
        let left = self.take().unwrap_or_default();
        // A condition further out may reach the numbers through the join.
        let ranked = self.scopes.last_mut().and_then(|scope| scope.rank.take());
        let left = ranked.map_or(left, |rank| rank.unread());
        let at = self.scopes.last().map_or(0, |scope| scope.columns.len());
        // An outer join keeps rows that its condition leaves out.
        let right = self.factor(factor, if is_inner(kind) { &conditions } else { &[] });
        let asked = self.asked(factor);
        self.optional(kind, at);
        let using = self.merge(kind, at, &using, natural);
        let reduced = self.reduced(kind, at, behind);
        if is_inner(reduced) && !is_inner(kind) {
            conditions.extend(filter);
        }
        let conditions = conditions.into_iter().flat_map(Part::of).collect();
        let changes = self.join(Joined { kind: reduced, left, right, at, conditions, using, span }, asked);
        self.put(changes);
    }

    /// Of joins of very many sources nothing is said.
    fn give_up(&mut self, span: Span) {
        let Some(scope) = self.scopes.last_mut() else { return };
        if scope.sources.len() == MOST_SOURCES {
            scope.add(&[], Relation { open: true, ..Relation::default() }, false);
        }
        scope.rank = None;
        scope.changes = Some(Changes::decided(Kind::Unknown, Vec::new(), "join of very many sources", span));
    }

    fn asked(&mut self, factor: &Factor) -> Asked {
        match &factor.kind {
            FactorKind::Table { system_time: Some(time), .. } => Asked::AsOf(self.expr(time).time),
            _ if is_of_each_row(factor) => Asked::ForEach,
            _ => Asked::AsTable,
        }
    }

    /// Columns of a side that an outer join may leave out are NULL then.
    fn optional(&mut self, kind: JoinKind, at: usize) {
        let Some(scope) = self.scopes.last_mut() else { return };
        if matches!(kind, JoinKind::Right | JoinKind::Full) {
            scope.merged.iter_mut().filter_map(|(_, value)| value.ty.as_mut()).for_each(|ty| ty.nullable = true);
        }
        for (place, column) in scope.columns.iter_mut().enumerate() {
            let optional = match kind {
                JoinKind::Left => place >= at,
                JoinKind::Right => place < at,
                JoinKind::Full => true,
                JoinKind::Inner | JoinKind::Cross => false,
            };
            if let Some(ty) = column.value.ty.as_mut().filter(|_| optional) {
                ty.nullable = true;
            }
        }
    }

    /// The columns that `USING` or `NATURAL` makes one.
    fn merge(&mut self, kind: JoinKind, at: usize, using: &[&str], natural: bool) -> Vec<(usize, usize)> {
        let Some(scope) = self.scopes.last_mut() else { return Vec::new() };
        let mut right_by_name = HashMap::new();
        for (place, column) in scope.columns.iter().enumerate().skip(at) {
            right_by_name.entry(column.name.clone()).or_insert(place);
        }
        let shared = scope.columns.iter().skip(at).filter(|_| natural).map(|column| column.name.clone());
        let names: Vec<String> = using.iter().map(|name| (*name).to_owned()).chain(shared).collect();
        steps::count(names.len());
        let mut pairs = Vec::new();
        for name in names {
            let (left, right) = (scope.place(&name).filter(|place| *place < at), right_by_name.remove(&name));
            let (Some(left), Some(right)) = (left, right) else { continue };
            let value = |place: usize| {
                let value = scope.columns.get(place).map(|column| column.value.clone()).unwrap_or_default();
                Value { from: Some(place), ..value }
            };
            // What earlier joins made one goes on as one.
            let (left, right) = (scope.merged(&name).cloned().unwrap_or_else(|| value(left)), value(right));
            pairs.push((left.from.unwrap_or(CAST), right.from.unwrap_or(CAST)));
            let merged = match kind {
                JoinKind::Right => right,
                JoinKind::Full => Value { ty: crate::sql::types::coalesced(&left.ty, &right.ty), ..Value::default() },
                _ => left,
            };
            scope.merge(&name, merged);
        }
        pairs
    }

    /// Adds a source to the scope; its changes with places of the scope.
    fn factor<'e>(&mut self, factor: &'e Factor, filter: &[&'e Expr]) -> Changes {
        let mut parts = Vec::new();
        let mut rowtime = false;
        let mut relation = match &factor.kind {
            FactorKind::Table { name, .. } => {
                parts = name.parts.iter().map(|part| part.name.clone()).collect();
                let (relation, is_table) = self.table(name);
                rowtime = is_table;
                relation
            }
            FactorKind::Derived { lateral: true, query } => {
                let known = self.correlated.len();
                let mut relation = self.query(query);
                let reads = || !crate::sql::names::query_refs(query).is_empty();
                if self.is_asked_for_values(known) && reads() {
                    let kind = Kind::Updating.max(relation.changes.kind);
                    relation.changes = Changes::decided(kind, Vec::new(), "query of each row", factor.span);
                }
                relation
            }
            FactorKind::Derived { lateral: false, query } => self.aside(query),
            FactorKind::Function { call, lateral } => self.function(call, *lateral),
            FactorKind::Unnest { expr, ordinality } => self.unnest(expr, *ordinality),
            FactorKind::Nested(inner) => {
                let outer = self.take();
                self.table_expr(inner, filter, &Behind::nothing(), false);
                let changes = self.take().unwrap_or_default();
                if let Some(scope) = self.scopes.last_mut() {
                    scope.changes = outer;
                }
                return changes;
            }
            FactorKind::Match { input, clause } => self.match_recognize(input, clause),
        };
        relation = relation.renamed(factor.alias_columns.iter().map(|column| column.name.as_str()));
        if let Some(alias) = &factor.alias {
            parts = vec![alias.name.clone()];
        }
        let mut changes = std::mem::take(&mut relation.changes);
        if let Some(rank) = &relation.rank
            && let Some(column) = relation.columns.get(rank.column())
            && let Some(kept) = rank.limited_by(filter, Some(&column.name), &parts)
        {
            self.judged.ranked(&kept);
            changes = kept;
            relation.rank = None;
        }
        if relation.rank.is_some() {
            // Numbers that nothing limits are a function over rows.
            relation.forget_windows();
        }
        let Some(scope) = self.scopes.last_mut() else { return changes };
        let start = scope.columns.len();
        if let Some(rank) = relation.rank.take() {
            if scope.sources.is_empty() {
                scope.rank = Some(rank);
            } else {
                changes = rank.unread();
            }
        }
        scope.add(&parts, relation, rowtime);
        let changes = changes.shifted(start);
        let spoiled = self.forget_fixed(start) | (changes.is_within_interval() && self.forget_compared(start));
        if !spoiled {
            return changes;
        }
        let cte = match &factor.kind {
            FactorKind::Table { name, .. } => self.cte(name).map(|(span, _)| *span).or(Some(name.span)),
            _ => None,
        };
        self.judged.unbounded(changes, cte.unwrap_or(factor.span))
    }

    /// A query that does not see the sources beside it.
    fn aside(&mut self, query: &Query) -> Relation {
        let beside = self.scopes.pop();
        let relation = self.query(query);
        self.scopes.extend(beside);
        relation
    }

    /// The columns of `t.*`, or all fields of a column.
    pub(super) fn qualified_star(&mut self, name: &ObjectName, relation: &mut Relation, places: &mut Places<'_>) {
        let parts: Vec<&str> = name.parts.iter().map(|part| part.name.as_str()).collect();
        let own = self.scopes.last();
        if let Some((scope, source)) = own.and_then(|scope| Some((scope, scope.source(&parts)?))) {
            if relation.columns.len() + source.count > MOST_STARRED {
                places.open = true;
                return;
            }
            for (i, column) in scope.columns.iter().skip(source.start).take(source.count).enumerate() {
                let from = Some(source.start + i);
                places.add(from, relation.columns.len());
                let value = Value { from, ..column.value.clone() };
                relation.columns.push(Column { name: column.name.clone(), value });
            }
            places.open |= source.open;
            return;
        }
        let value = self.column(name);
        match value.ty {
            Some(Nullable { ty: ColumnType::Row(fields), nullable }) => {
                for field in fields {
                    let ty = Some(Nullable { nullable: field.ty.nullable || nullable, ty: field.ty.ty });
                    relation.columns.push(Column { name: field.name, value: Value { ty, ..Value::default() } });
                }
            }
            _ => places.open = true,
        }
    }

    /// The rows of a table argument.
    fn argument(&mut self, value: &ArgValue) -> Option<Relation> {
        match value {
            ArgValue::Table(TableArg { name, .. }) => Some(self.table(name).0),
            ArgValue::Query { query, .. } => Some(self.aside(query)),
            ArgValue::Expr(Expr { kind: ExprKind::Subquery(query), .. }) => Some(self.aside(query)),
            _ => None,
        }
    }

    /// A table-valued function.
    fn function(&mut self, call: &Call, lateral: bool) -> Relation {
        let name = call.name.last().name.to_ascii_uppercase();
        let inputs: Vec<Relation> = call.args.iter().filter_map(|arg| self.argument(&arg.value)).collect();
        let Some(mut relation) = inputs.into_iter().next() else {
            let name = if lateral { "function of each row" } else { "table function" };
            let changes = Changes::decided(Kind::Append, Vec::new(), name, call.span);
            return Relation { open: true, changes, ..Relation::default() };
        };
        relation.rank = None;
        if is_window(&name) {
            return windowed(relation, call);
        }
        relation.changes.keys.clear();
        if matches!(name.as_str(), "ML_PREDICT" | "VECTOR_SEARCH") {
            relation.open = true;
            relation.forget_windows();
            return relation;
        }
        let changes = Changes::decided(Kind::Unknown, Vec::new(), "process table function", call.span);
        Relation { open: true, changes, ..Relation::default() }
    }

    fn unnest(&mut self, expr: &Expr, ordinality: bool) -> Relation {
        let value = self.expr(expr);
        let changes = Changes::decided(Kind::Append, Vec::new(), "unnest", expr.span);
        let columns = super::expr::unnested(value.ty.as_ref(), ordinality);
        let open = columns.is_none();
        Relation { columns: columns.unwrap_or_default(), open, changes, ..Relation::default() }
    }

    fn match_recognize(&mut self, input: &Factor, clause: &MatchClause) -> Relation {
        self.scopes.push(Scope::default());
        self.factor(input, &[]);
        if let Some(scope) = self.scopes.last_mut() {
            clause.variables.iter().take(MOST_SOURCES).for_each(|variable| scope.add_variable(&variable.name));
        }
        if let Some(first) = clause.order_by.first()
            && let Some(time) = self.expr(&first.expr).time
        {
            self.judged.goes_by(time.clock(), clause.span);
        }
        let mut columns = Vec::new();
        for expr in &clause.partition_by {
            if let ExprKind::Column(name) = &expr.kind {
                let value = Value { from: None, time: None, window: None, ..self.expr(expr) };
                columns.push(Column { name: name.last().name.clone(), value });
            }
        }
        for (expr, name) in &clause.measures {
            let value = self.measure(expr);
            columns.push(Column { name: name.name.clone(), value });
        }
        self.scopes.pop();
        let changes = Changes::decided(Kind::Append, Vec::new(), "pattern match", clause.span);
        Relation { columns, changes, ..Relation::default() }
    }

    /// What a name stands for, and in which of the selects in reach.
    pub(super) fn find(&self, name: &ObjectName) -> Option<(usize, Found)> {
        let parts: Vec<&str> = name.parts.iter().map(|part| part.name.as_str()).collect();
        let scopes = self.scopes.iter().enumerate().rev();
        scopes.into_iter().find_map(|(depth, scope)| scope.find(&parts).map(|found| (depth, found)))
    }
}
