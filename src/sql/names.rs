//! Which tables a statement reads, and where it says so.
//!
//! Rules: a reference is what the catalog resolves: never a CTE, an alias, a function, a column, a literal or a comment. A
//! CTE hides a table of its name from the next CTE on, not inside of its own query. A table without an alias can qualify
//! columns by its own name, also from subqueries further in, unless something nearer has that name.

use std::collections::BTreeMap;

use super::tree::{
    Effects, Expr, ExprKind, Factor, FactorKind, Hint, Ident, Insert, MatchClause, Merge, ObjectName, Query, QueryBody,
    Select, SelectItem, Statement, StatementKind, TableArg, TableExpr, WindowSpec,
};
use super::walk::{Child, call_children, children, window_children};
use crate::diagnostic::{Edit, Span};
use crate::sql::keyword::{quote, quote_if_needed};

/// A reference to a table or view of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRef {
    /// The name as written.
    pub name: ObjectName,
    /// Its alias.
    pub alias: Option<Ident>,
    /// The identifiers elsewhere that name this table because it has no alias: `orders` in `orders.id`, `orders.*`.
    pub qualifiers: Vec<Span>,
    /// The same inside of string literals of hints, without the quotes.
    pub hint_names: Vec<Span>,
    /// How often this place is read: once for each use of the CTE that it stands in.
    pub scans: usize,
}

/// Every reference to a table or view that `statement` reads. What it creates or writes is not among them.
pub fn table_refs(statement: &Statement) -> Vec<TableRef> {
    let mut resolver = Resolver::default();
    resolver.statement(&statement.kind);
    resolver.counted()
}

/// The tables and views that `statement` creates, fills, changes or drops, in order of the text.
pub fn written_tables(statement: &Statement) -> Vec<&ObjectName> {
    match &statement.kind {
        StatementKind::CreateTable(table) => vec![&table.name],
        StatementKind::CreateTableAs(ctas) => vec![&ctas.table.name],
        StatementKind::CreateView(view) => vec![&view.name],
        StatementKind::Insert(insert) => vec![&insert.target],
        StatementKind::StatementSet(inserts) => inserts.iter().map(|insert| &insert.target).collect(),
        StatementKind::Drop { what, name } if what.ends_with("TABLE") || what == "VIEW" => vec![name],
        StatementKind::Other { effects, .. } => {
            effects.writes.iter().chain(effects.parts.iter().flat_map(written_tables)).collect()
        }
        StatementKind::Drop { .. }
        | StatementKind::Query(_)
        | StatementKind::Set { .. }
        | StatementKind::Reset { .. }
        | StatementKind::Unparsed { .. } => Vec::new(),
    }
}

/// The tables and views that `statement` is about without reading or changing their rows, as in `DESCRIBE`; in order of the
/// text.
pub fn mentioned_tables(statement: &Statement) -> Vec<&ObjectName> {
    match &statement.kind {
        StatementKind::Other { effects, .. } => {
            effects.mentions.iter().chain(effects.parts.iter().flat_map(mentioned_tables)).collect()
        }
        _ => Vec::new(),
    }
}

/// Every reference to a table or view in `query`.
pub fn query_refs(query: &Query) -> Vec<TableRef> {
    let mut resolver = Resolver::default();
    resolver.query(query);
    resolver.counted()
}

/// The edits that put other names in place of tables: where they are created, written, dropped, read and asked about, and
/// where columns are qualified by them. `names` maps old to new, both without quotes and without catalog and database, which stay.
pub fn rename_tables(statement: &Statement, names: &BTreeMap<String, String>) -> Vec<Edit> {
    let mut edits = Vec::new();
    for name in written_tables(statement).into_iter().chain(mentioned_tables(statement)) {
        if let Some(new) = names.get(&name.last().name) {
            edits.push(renamed(&name.last().name, name.last().span, new));
        }
    }
    let mut resolver = Resolver::default();
    resolver.statement(&statement.kind);
    for reference in resolver.refs.into_iter().chain(resolver.targets) {
        let old = &reference.name.last().name;
        let Some(new) = names.get(old) else { continue };
        edits.push(renamed(old, reference.name.last().span, new));
        edits.extend(reference.qualifiers.iter().map(|span| renamed(old, *span, new)));
        edits.extend(reference.hint_names.iter().map(|span| Edit { span: *span, text: new.replace('\'', "''") }));
    }
    edits.sort();
    edits.dedup();
    edits
}

/// Backquotes stay where they were, and come where the new name needs them.
fn renamed(old: &str, span: Span, new: &str) -> Edit {
    let was_quoted = span.end.saturating_sub(span.start) != old.len();
    Edit { span, text: if was_quoted { quote(new) } else { quote_if_needed(new) } }
}

/// A name that columns can be qualified by.
struct Visible {
    /// Its parts; an alias has one.
    parts: Vec<String>,
    /// The reference it belongs to; `None` for aliases, CTEs and the like.
    reference: Option<usize>,
}

#[derive(Default)]
struct Resolver {
    refs: Vec<TableRef>,
    /// Tables that are written and whose columns are qualified by them, as in `UPDATE`.
    targets: Vec<TableRef>,
    /// CTEs in reach, inner ones last, each with the references that one use of it reads.
    ctes: Vec<(String, Vec<usize>)>,
    /// References in the order in which they are read, those of a CTE once for each use.
    read: Vec<usize>,
    /// Sources in reach, inner selects last.
    scopes: Vec<Vec<Visible>>,
}

impl Resolver {
    fn counted(mut self) -> Vec<TableRef> {
        for number in self.read {
            self.refs.get_mut(number).into_iter().for_each(|reference| reference.scans += 1);
        }
        self.refs
    }

    fn statement(&mut self, kind: &StatementKind) {
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
        self.scopes.push(Vec::new());
        let number = self.target(target, None, &[]);
        effects.exprs.iter().for_each(|expr| self.expr(expr));
        self.written(number);
    }

    /// `MERGE`: its table is written, its source is read, and both are in reach of its expressions.
    fn merge(&mut self, merge: &Merge) {
        self.scopes.push(Vec::new());
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
        let visible = match alias {
            Some(alias) => Visible { parts: vec![alias.name.clone()], reference: None },
            None => {
                Visible { parts: name.parts.iter().map(|part| part.name.clone()).collect(), reference: Some(number) }
            }
        };
        if let Some(scope) = self.scopes.last_mut() {
            scope.push(visible);
        }
        self.hints(hints);
        number
    }

    /// Closes the scope of a written table and takes it out of what is read.
    fn written(&mut self, number: usize) {
        self.scopes.pop();
        self.read.retain(|read| *read != number);
        self.read.iter_mut().filter(|read| **read > number).for_each(|read| *read -= 1);
        self.targets.push(self.refs.remove(number));
    }

    fn like(&mut self, table: &super::tree::CreateTable) {
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
            && let Some((_, reads)) = self.ctes.iter().rfind(|(cte, _)| *cte == only.name)
        {
            self.read.extend(reads);
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
        self.read.push(number);
        Some(number)
    }

    fn query(&mut self, query: &Query) {
        let ctes = self.ctes.len();
        for cte in &query.with {
            let before = self.read.len();
            self.query(&cte.query);
            let reads = self.read.split_off(before);
            self.ctes.push((cte.name.name.clone(), reads));
        }
        let scope = self.body(&query.body);
        self.scopes.push(scope);
        query.order_by.iter().for_each(|item| self.expr(&item.expr));
        query.limit.iter().chain(&query.offset).for_each(|expr| self.expr(expr));
        self.scopes.pop();
        self.ctes.truncate(ctes);
    }

    /// Returns what `ORDER BY` behind the body may refer to.
    fn body(&mut self, body: &QueryBody) -> Vec<Visible> {
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
        Vec::new()
    }

    fn select(&mut self, select: &Select) -> Vec<Visible> {
        self.scopes.push(Vec::new());
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
        let mut reference = None;
        let mut parts = Vec::new();
        match &factor.kind {
            FactorKind::Table { name, hints, system_time } => {
                system_time.iter().for_each(|time| self.expr(time));
                reference = self.reference(name, factor.alias.as_ref());
                parts = name.parts.iter().map(|part| part.name.clone()).collect();
                self.see(factor, parts, reference);
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
        self.see(factor, std::mem::take(&mut parts), reference.take());
    }

    /// Makes a source's name, or its alias, known to the select around it.
    fn see(&mut self, factor: &Factor, parts: Vec<String>, reference: Option<usize>) {
        let visible = match &factor.alias {
            Some(alias) => Visible { parts: vec![alias.name.clone()], reference: None },
            None if parts.is_empty() => return,
            None => Visible { parts, reference },
        };
        if let Some(scope) = self.scopes.last_mut() {
            scope.push(visible);
        }
    }

    fn match_recognize(&mut self, input: &Factor, clause: &MatchClause) {
        self.scopes.push(Vec::new());
        self.factor(input);
        clause.partition_by.iter().for_each(|expr| self.expr(expr));
        clause.order_by.iter().for_each(|item| self.expr(&item.expr));
        if let Some(scope) = self.scopes.last_mut() {
            // Pattern variables are nearer than the table.
            let variables = clause.variables.iter().map(|v| Visible { parts: vec![v.name.clone()], reference: None });
            scope.splice(0..0, variables);
        }
        clause.measures.iter().for_each(|(expr, _)| self.expr(expr));
        clause.define.iter().for_each(|(_, expr)| self.expr(expr));
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
        let parts = table.name.parts.iter().map(|part| part.name.clone()).collect();
        self.scopes.push(vec![Visible { parts, reference }]);
        table.partition_by.iter().for_each(|expr| self.expr(expr));
        table.order_by.iter().for_each(|item| self.expr(&item.expr));
        self.scopes.pop();
    }

    /// Finds the source that up to `most` leading parts of `name` stand for, and notes the part that is the table's name.
    fn qualifier(&mut self, name: &ObjectName, most: usize) {
        for scope in self.scopes.iter().rev() {
            for count in 1..=most {
                let Some(leading) = name.parts.get(..count) else { break };
                let found = scope.iter().find(|visible| {
                    let skipped = visible.parts.len().checked_sub(count);
                    skipped
                        .and_then(|skip| visible.parts.get(skip..))
                        .is_some_and(|tail| tail.iter().zip(leading).all(|(part, ident)| *part == ident.name))
                });
                let Some(visible) = found else { continue };
                if let (Some(reference), Some(ident)) = (visible.reference, leading.last())
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
            let scope = self.scopes.last().map_or(&[] as &[Visible], Vec::as_slice);
            let found = scope.iter().find(|visible| visible.parts.last() == Some(&word.ident.name));
            let Some(reference) = found.and_then(|visible| visible.reference) else { continue };
            let Some(reference) = self.refs.get_mut(reference) else { continue };
            let spans = if word.is_string { &mut reference.hint_names } else { &mut reference.qualifiers };
            spans.push(word.ident.span);
        }
    }
}
