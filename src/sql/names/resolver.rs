//! Walks a statement with the names that are in reach, and notes what is read.

use std::collections::{BTreeMap, BTreeSet};

use super::TableRef;
use crate::sql::reach::Reach;
use crate::sql::steps;
use crate::sql::tree::{
    CreateTable, Effects, Expr, ExprKind, Factor, FactorKind, Hint, Ident, Insert, MatchClause, Merge, ObjectName,
    Query, QueryBody, Select, SelectItem, StatementKind, TableArg, TableExpr, WindowSpec,
};
use crate::sql::walk::{Child, call_children, children, window_children};

/// The names that columns can be qualified by in one select.
#[derive(Default)]
struct Visible {
    names: Reach,
    /// For each of them the reference that it belongs to; `None` for aliases, CTEs and the like.
    references: Vec<Option<usize>>,
}

impl Visible {
    fn of(parts: &[String], reference: Option<usize>) -> Self {
        let mut visible = Self::default();
        visible.add(parts, reference);
        visible
    }

    fn add(&mut self, parts: &[String], reference: Option<usize>) {
        self.names.add(parts, self.references.len());
        self.references.push(reference);
    }

    /// What these parts name: a reference, or `Some(None)` for something else.
    fn find(&self, parts: &[&str]) -> Option<Option<usize>> {
        self.names.find(parts).and_then(|number| self.references.get(number).copied())
    }
}

/// What a query or a CTE reads itself.
#[derive(Default)]
struct Reads {
    /// References.
    refs: Vec<usize>,
    /// CTEs, once for each use.
    ctes: Vec<usize>,
}

#[derive(Default)]
pub(super) struct Resolver {
    pub refs: Vec<TableRef>,
    /// References that are none: tables that are written and whose columns are qualified by them, as in `UPDATE`.
    targets: BTreeSet<usize>,
    /// CTEs in reach by their names, inner ones last.
    ctes: BTreeMap<String, Vec<usize>>,
    /// What each CTE reads. One reads only those before it.
    cte_reads: Vec<Reads>,
    /// What is read by the statement itself.
    outer: Reads,
    /// What is read by the CTEs that are being looked at, inner ones last.
    inner: Vec<Reads>,
    /// Sources in reach, inner selects last.
    scopes: Vec<Visible>,
}

impl Resolver {
    /// The references, with how often each is read: what a CTE reads counts for each use of it.
    pub fn counted(mut self) -> Vec<TableRef> {
        let mut used = vec![0_usize; self.cte_reads.len()];
        let mut count = |reads: &Reads, times: usize, used: &mut Vec<usize>| {
            for number in &reads.refs {
                let reference = self.refs.get_mut(*number);
                reference.into_iter().for_each(|r| r.scans = r.scans.saturating_add(times));
            }
            for cte in &reads.ctes {
                used.get_mut(*cte).into_iter().for_each(|uses| *uses = uses.saturating_add(times));
            }
        };
        count(&self.outer, 1, &mut used);
        for (cte, reads) in self.cte_reads.iter().enumerate().rev() {
            let times = used.get(cte).copied().unwrap_or(0);
            count(reads, times, &mut used);
        }
        let targets = self.targets;
        self.refs.into_iter().enumerate().filter(|(number, _)| !targets.contains(number)).map(|(_, r)| r).collect()
    }

    /// What is read here.
    fn reads(&mut self) -> &mut Reads {
        self.inner.last_mut().unwrap_or(&mut self.outer)
    }

    pub fn statement(&mut self, kind: &StatementKind) {
        match kind {
            StatementKind::CreateTable(table) => self.like(table),
            StatementKind::CreateTableAs(ctas) => {
                self.like(&ctas.table);
                self.query(&ctas.query);
            }
            StatementKind::CreateView(view) => self.query(&view.query),
            StatementKind::Insert(insert) => self.insert(insert),
            StatementKind::StatementSet(inserts) => inserts.iter().for_each(|insert| self.insert(insert)),
            StatementKind::Query(query) => self.query(query),
            StatementKind::Other { effects, .. } => {
                effects.parts.iter().for_each(|part| self.statement(&part.kind));
                self.effects(effects);
            }
            StatementKind::Set { .. }
            | StatementKind::Reset { .. }
            | StatementKind::Drop { .. }
            | StatementKind::Unparsed { .. } => {}
        }
    }

    /// `UPDATE` and `DELETE`: their table is written, and in reach of their expressions.
    fn effects(&mut self, effects: &Effects) {
        if let Some(merge) = &effects.merge {
            return self.merge(merge);
        }
        let Some(target) = effects.writes.first().filter(|_| !effects.exprs.is_empty()) else { return };
        self.scopes.push(Visible::default());
        let number = self.target(target, None, &[]);
        effects.exprs.iter().for_each(|expr| self.expr(expr));
        self.written(number);
    }

    /// `MERGE`: its table is written, its source is read, and both are in reach of its expressions.
    fn merge(&mut self, merge: &Merge) {
        self.scopes.push(Visible::default());
        self.factor(&merge.source);
        let number = self.target(&merge.target, merge.alias.as_ref(), &merge.hints);
        self.expr(&merge.on);
        for (column, value) in &merge.update {
            self.qualifier(column, column.parts.len().saturating_sub(1));
            self.expr(value);
        }
        merge.insert.iter().flat_map(|insert| &insert.values).for_each(|value| self.expr(value));
        self.written(number);
    }

    /// Notes the table that is written, as a reference like any other while expressions are read; returns its number.
    fn target(&mut self, name: &ObjectName, alias: Option<&Ident>, hints: &[Hint]) -> usize {
        let number = self.refs.len();
        self.reference(name, None);
        let parts: Vec<String> = name.parts.iter().map(|part| part.name.clone()).collect();
        if let Some(scope) = self.scopes.last_mut() {
            match alias {
                Some(alias) => scope.add(std::slice::from_ref(&alias.name), None),
                None => scope.add(&parts, Some(number)),
            }
        }
        self.hints(hints);
        number
    }

    /// Closes the scope of a written table and takes it out of what is read.
    fn written(&mut self, number: usize) {
        self.scopes.pop();
        self.targets.insert(number);
    }

    fn like(&mut self, table: &CreateTable) {
        if let Some(like) = &table.like {
            self.reference(&like.table, None);
        }
    }

    fn insert(&mut self, insert: &Insert) {
        insert.partition.iter().filter_map(|(_, value)| value.as_ref()).for_each(|value| self.expr(value));
        self.query(&insert.query);
    }

    /// Notes a reference unless it is a CTE; returns its number.
    fn reference(&mut self, name: &ObjectName, alias: Option<&Ident>) -> Option<usize> {
        if let [only] = name.parts.as_slice()
            && let Some(cte) = self.ctes.get(&only.name).and_then(|known| known.last().copied())
        {
            self.reads().ctes.push(cte);
            return None;
        }
        let number = self.refs.len();
        self.refs.push(TableRef {
            name: name.clone(),
            alias: alias.cloned(),
            qualifiers: Vec::new(),
            hint_names: Vec::new(),
            scans: 0,
        });
        self.reads().refs.push(number);
        Some(number)
    }

    pub fn query(&mut self, query: &Query) {
        for cte in &query.with {
            self.inner.push(Reads::default());
            self.query(&cte.query);
            self.ctes.entry(cte.name.name.clone()).or_default().push(self.cte_reads.len());
            self.cte_reads.extend(self.inner.pop());
        }
        let scope = self.body(&query.body);
        self.scopes.push(scope);
        query.order_by.iter().for_each(|item| self.expr(&item.expr));
        query.limit.iter().chain(&query.offset).for_each(|expr| self.expr(expr));
        self.scopes.pop();
        for cte in &query.with {
            self.ctes.get_mut(&cte.name.name).and_then(Vec::pop);
        }
    }

    /// Returns what `ORDER BY` behind the body may refer to.
    fn body(&mut self, body: &QueryBody) -> Visible {
        match body {
            QueryBody::Select(select) => return self.select(select),
            QueryBody::Values { rows, .. } => rows.iter().flatten().for_each(|value| self.expr(value)),
            QueryBody::Table(name) => {
                self.reference(name, None);
            }
            QueryBody::Nested(query) => self.query(query),
            QueryBody::SetOperation { first, rest } => {
                self.body(first);
                rest.iter().for_each(|operand| {
                    self.body(&operand.body);
                });
            }
        }
        Visible::default()
    }

    fn select(&mut self, select: &Select) -> Visible {
        self.scopes.push(Visible::default());
        select.from.iter().for_each(|source| self.table_expr(source));
        self.hints(&select.hints);
        for item in &select.items {
            match item {
                SelectItem::Wildcard { qualifier: Some(name), .. } => self.qualifier(name, name.parts.len()),
                SelectItem::Wildcard { qualifier: None, .. } => {}
                SelectItem::Expr { expr, .. } => self.expr(expr),
            }
        }
        select.filter.iter().chain(&select.having).chain(&select.qualify).for_each(|expr| self.expr(expr));
        select.group_by.iter().flat_map(|group| &group.keys).for_each(|key| self.expr(key));
        select.windows.iter().for_each(|(_, window)| self.window(window));
        self.scopes.pop().unwrap_or_default()
    }

    fn window(&mut self, window: &WindowSpec) {
        window_children(window, &mut |child| self.child(child));
    }

    fn table_expr(&mut self, source: &TableExpr) {
        self.factor(&source.base);
        for join in &source.joins {
            self.factor(&join.factor);
            join.on.iter().for_each(|on| self.expr(on));
        }
    }

    fn factor(&mut self, factor: &Factor) {
        match &factor.kind {
            FactorKind::Table { name, hints, system_time } => {
                system_time.iter().for_each(|time| self.expr(time));
                let reference = self.reference(name, factor.alias.as_ref());
                let parts: Vec<String> = name.parts.iter().map(|part| part.name.clone()).collect();
                self.see(factor, &parts, reference);
                return self.hints(hints);
            }
            FactorKind::Derived { lateral: true, query } => self.query(query),
            FactorKind::Derived { lateral: false, query } => {
                // Without LATERAL the sources beside it are out of reach.
                let beside = self.scopes.pop();
                self.query(query);
                self.scopes.extend(beside);
            }
            FactorKind::Function { call, .. } => call_children(call, &mut |child| self.child(child)),
            FactorKind::Unnest { expr, .. } => self.expr(expr),
            FactorKind::Nested(inner) => self.table_expr(inner),
            FactorKind::Match { input, clause } => self.match_recognize(input, clause),
        }
        self.see(factor, &[], None);
    }

    /// Makes a source's name, or its alias, known to the select around it.
    fn see(&mut self, factor: &Factor, parts: &[String], reference: Option<usize>) {
        let Some(scope) = self.scopes.last_mut() else { return };
        match &factor.alias {
            Some(alias) => scope.add(std::slice::from_ref(&alias.name), None),
            None if parts.is_empty() => {}
            None => scope.add(parts, reference),
        }
    }

    fn match_recognize(&mut self, input: &Factor, clause: &MatchClause) {
        self.scopes.push(Visible::default());
        self.factor(input);
        clause.partition_by.iter().for_each(|expr| self.expr(expr));
        clause.order_by.iter().for_each(|item| self.expr(&item.expr));
        // Pattern variables are nearer than the table.
        self.scopes.push(Visible::default());
        if let Some(scope) = self.scopes.last_mut() {
            clause.variables.iter().for_each(|variable| scope.add(std::slice::from_ref(&variable.name), None));
        }
        clause.measures.iter().for_each(|(expr, _)| self.expr(expr));
        clause.define.iter().for_each(|(_, expr)| self.expr(expr));
        self.scopes.pop();
        self.scopes.pop();
    }

    fn expr(&mut self, expr: &Expr) {
        if let ExprKind::Column(name) = &expr.kind {
            return self.qualifier(name, name.parts.len().saturating_sub(1));
        }
        children(expr, &mut |child| self.child(child));
    }

    fn child(&mut self, child: Child<'_>) {
        match child {
            Child::Expr(expr) => self.expr(expr),
            Child::Query(query) => self.query(query),
            Child::Table(table) => self.table_arg(table),
            Child::Descriptor(_) => {}
        }
    }

    fn table_arg(&mut self, table: &TableArg) {
        let reference = self.reference(&table.name, None);
        let parts: Vec<String> = table.name.parts.iter().map(|part| part.name.clone()).collect();
        self.scopes.push(Visible::of(&parts, reference));
        table.partition_by.iter().for_each(|expr| self.expr(expr));
        table.order_by.iter().for_each(|item| self.expr(&item.expr));
        self.scopes.pop();
    }

    /// Finds the source that up to `most` leading parts of `name` stand for, and notes the part that is the table's name.
    fn qualifier(&mut self, name: &ObjectName, most: usize) {
        let parts: Vec<&str> = name.parts.iter().map(|part| part.name.as_str()).collect();
        for scope in self.scopes.iter().rev() {
            for count in 1..=Reach::leading(most, 0) {
                steps::count(1);
                let Some(leading) = parts.get(..count) else { break };
                let Some(found) = scope.find(leading) else { continue };
                if let (Some(reference), Some(ident)) = (found, name.parts.get(count - 1))
                    && let Some(reference) = self.refs.get_mut(reference)
                {
                    reference.qualifiers.push(ident.span);
                }
                return;
            }
        }
    }

    /// Hints name tables in their arguments; `OPTIONS` holds options only.
    fn hints(&mut self, hints: &[Hint]) {
        let words =
            hints.iter().filter(|hint| !hint.name.name.eq_ignore_ascii_case("OPTIONS")).flat_map(|hint| &hint.args);
        for word in words.flat_map(|arg| arg.key.iter().chain([&arg.value])) {
            let found = self.scopes.last().and_then(|scope| scope.find(&[&word.ident.name]));
            let Some(reference) = found.flatten() else { continue };
            let Some(reference) = self.refs.get_mut(reference) else { continue };
            let spans = if word.is_string { &mut reference.hint_names } else { &mut reference.qualifiers };
            spans.push(word.ident.span);
        }
    }
}
