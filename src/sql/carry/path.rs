//! The way of a column through a query.

use super::item::{has_aggregate, is_qualified, item_name};
use super::{CannotCarry, Carry, append_name};
use crate::diagnostic::{Edit, Span};
use crate::sql::functions::is_window;
use crate::sql::keyword::quote_if_needed;
use crate::sql::layout::List;
use crate::sql::lineage::Catalog;
use crate::sql::names::query_refs;
use crate::sql::tree::{
    ArgValue, Call, Cte, Expr, ExprKind, Factor, FactorKind, Ident, JoinKind, ObjectName, Query, QueryBody, Select,
    SelectItem, SetOperand, SetOperator, TableExpr,
};

/// A way that was found: the column is the last one of a result.
#[derive(Clone)]
pub(super) struct Way {
    pub edits: Vec<Edit>,
    pub notes: Vec<String>,
    /// What the column is called there.
    pub name: String,
    /// The expression is around it already.
    pub has_expr: bool,
}

/// The column in a source of a select.
struct Found {
    way: Way,
    /// What columns of the source are qualified by.
    qualifier: Option<Qualifier>,
    /// The column is the last one of the source.
    is_last: bool,
    /// The source's place among the sources.
    index: usize,
    span: Span,
}

/// A name before columns.
struct Qualifier {
    /// As it is now, without quotes.
    name: String,
    /// As it is to be written.
    text: String,
}

pub(super) struct Walk<'a> {
    pub text: &'a str,
    pub what: Carry<'a>,
    pub catalog: &'a Catalog,
}

type Result<T> = std::result::Result<T, CannotCarry>;

impl Walk<'_> {
    /// `ctes` are those in reach, inner ones last.
    pub fn query(&self, query: &Query, ctes: &[&Cte]) -> Result<Way> {
        let mut ctes = ctes.to_vec();
        ctes.extend(&query.with);
        self.body(&query.body, &ctes, query.span)
    }

    fn body(&self, body: &QueryBody, ctes: &[&Cte], span: Span) -> Result<Way> {
        match body {
            QueryBody::Select(select) => self.select(select, ctes),
            QueryBody::Nested(query) => self.query(query, ctes),
            QueryBody::Values { span, .. } => Err(CannotCarry::new("the rows are written out as VALUES", *span)),
            QueryBody::Table(name) => match self.table(name, None, ctes) {
                Some(found) => found.and_then(|found| self.star(found, name.span)),
                None => Err(self.not_read(name.span)),
            },
            QueryBody::SetOperation { first, rest } => self.union(first, rest, ctes, span),
        }
    }

    fn union(&self, first: &QueryBody, rest: &[SetOperand], ctes: &[&Cte], span: Span) -> Result<Way> {
        if let Some(other) = rest.iter().find(|operand| operand.operator != SetOperator::UnionAll) {
            return Err(CannotCarry::new(
                "a set operation compares whole rows, so a new column changes which rows there are",
                other.span,
            ));
        }
        let mut way = self.body(first, ctes, span)?;
        for operand in rest {
            let branch = self.body(&operand.body, ctes, operand.span).map_err(|inner| CannotCarry {
                reason: format!("not every branch of UNION ALL can have it: {}", inner.reason),
                span: inner.span,
            })?;
            if branch.has_expr != way.has_expr {
                return Err(CannotCarry::new(
                    "one branch of UNION ALL hands the column on by `SELECT *`, another lists it",
                    operand.span,
                ));
            }
            // Two branches may read the same CTE: its edits are the same ones.
            way.edits.extend(branch.edits);
            way.notes.extend(branch.notes);
        }
        way.edits.sort();
        way.edits.dedup();
        way.notes.dedup();
        Ok(way)
    }

    fn select(&self, select: &Select, ctes: &[&Cte]) -> Result<Way> {
        let found = self.source(select, ctes)?;
        self.keeps_rows(select)?;
        let output = self.what.output;
        if let Some(item) = select.items.iter().find(|item| item_name(item) == Some(output)) {
            return Err(CannotCarry::new(format!("the select list has a column `{output}` already"), item.span()));
        }
        let count = select.from.iter().map(|source| 1 + source.joins.len()).sum::<usize>();
        let star = select.items.iter().position(|item| covers(item, &found));
        if let Some(at) = star {
            let item = select.items.get(at).map_or(select.span, SelectItem::span);
            let last_item = at + 1 == select.items.len();
            let whole = matches!(select.items.get(at), Some(SelectItem::Wildcard { qualifier: None, .. }));
            if !last_item || (whole && found.index + 1 != count) {
                return Err(CannotCarry::new(
                    "`SELECT *` would put the new column in the middle of the result: list the columns",
                    item,
                ));
            }
            return self.star(found, item);
        }
        self.listed(select, found, count)
    }

    /// `*` hands the column on.
    fn star(&self, found: Found, span: Span) -> Result<Way> {
        if found.is_last {
            return Ok(found.way);
        }
        Err(CannotCarry::new("`SELECT *` would put the new column in the middle of the result: list the columns", span))
    }

    /// The column becomes the last item of a select list.
    fn listed(&self, select: &Select, found: Found, sources: usize) -> Result<Way> {
        let Found { mut way, qualifier, span, .. } = found;
        let column = quote_if_needed(&way.name);
        let qualified = match qualifier {
            Some(Qualifier { text, .. }) if sources > 1 || select.items.iter().any(is_qualified) => {
                format!("{text}.{column}")
            }
            _ => column,
        };
        let output = quote_if_needed(self.what.output);
        let item = match self.what.expr {
            Some(expr) if !way.has_expr => format!("{} AS {output}", expr.replacen("{}", &qualified, 1)),
            _ if way.name != self.what.output => format!("{qualified} AS {output}"),
            _ => qualified,
        };
        let spans: Vec<Span> = select.items.iter().map(SelectItem::span).collect();
        let edit = List::new(self.text, &spans).and_then(|list| list.append_one(&item));
        way.edits.push(edit.ok_or_else(|| CannotCarry::new("the select list has no items", span))?);
        self.what.output.clone_into(&mut way.name);
        way.has_expr = true;
        Ok(way)
    }

    /// The one source of a select that can hand the column on.
    fn source(&self, select: &Select, ctes: &[&Cte]) -> Result<Found> {
        let mut ways = Vec::new();
        let mut refused = None;
        let mut index = 0;
        for source in &select.from {
            self.sources(source, ctes, &mut index, &mut |found| match found {
                Ok(found) => ways.push(found),
                Err(problem) => {
                    refused.get_or_insert(problem);
                }
            });
        }
        match (ways.pop(), ways.pop(), refused) {
            (Some(found), None, _) => Ok(found),
            (Some(_), Some(second), _) => {
                let reason = format!(
                    "`{}` is read more than once here: choose by hand which one the column comes from",
                    self.what.from_table
                );
                Err(CannotCarry::new(reason, second.span))
            }
            (None, _, Some(problem)) => Err(problem),
            (None, _, None) => Err(self.not_read(select.span)),
        }
    }

    fn not_read(&self, span: Span) -> CannotCarry {
        let table = self.what.from_table;
        CannotCarry::new(
            format!("no row of `{table}` reaches this result: it is not read here, or in a condition only"),
            span,
        )
    }

    fn sources(&self, source: &TableExpr, ctes: &[&Cte], index: &mut usize, take: &mut dyn FnMut(Result<Found>)) {
        let kinds: Vec<JoinKind> = source.joins.iter().map(|join| join.kind).collect();
        let factors = std::iter::once(&source.base).chain(source.joins.iter().map(|join| &join.factor));
        for (position, factor) in factors.enumerate() {
            let before = position.checked_sub(1).and_then(|at| kinds.get(at));
            let outer_before = before.filter(|kind| matches!(kind, JoinKind::Left | JoinKind::Full));
            let after = kinds.get(position..).unwrap_or(&[]);
            let outer_after = after.iter().find(|kind| matches!(kind, JoinKind::Right | JoinKind::Full));
            let at = *index;
            *index += 1;
            let mut note = |found: Result<Found>| {
                take(found.map(|mut found| {
                    found.index = at;
                    if outer_before.or(outer_after).is_some() {
                        found.way.notes.push(self.outer_note());
                    }
                    found
                }));
            };
            if let FactorKind::Nested(inner) = &factor.kind {
                let last = inner.joins.len();
                self.sources(inner, ctes, &mut 0, &mut |found| {
                    note(found.map(|mut found| {
                        found.is_last &= found.index == last;
                        found
                    }));
                });
            } else if let Some(found) = self.factor(factor, ctes) {
                note(found);
            }
        }
    }

    fn outer_note(&self) -> String {
        let Carry { from_table, output, expr, .. } = self.what;
        let filled = if expr.is_some() { ", which the expression around it fills as well" } else { "" };
        format!(
            "`{output}` is NULL where no row of `{from_table}` matches, as it is on the outer side of a join{filled}"
        )
    }

    /// The column in one source; `None` if the source has nothing to do with the table.
    fn factor(&self, factor: &Factor, ctes: &[&Cte]) -> Option<Result<Found>> {
        let alias = factor.alias.as_ref().map(|alias| self.qualifier(alias, None));
        let found = match &factor.kind {
            FactorKind::Table { name, .. } => self.table(name, alias, ctes)?,
            FactorKind::Derived { query, .. } => self.derived(query, alias, ctes)?,
            FactorKind::Function { call, .. } => self.function(call, alias, ctes)?,
            FactorKind::Match { input, clause } => {
                self.factor(input, ctes)?.ok()?;
                Err(CannotCarry::new("MATCH_RECOGNIZE makes one row of many", clause.span))
            }
            FactorKind::Unnest { .. } | FactorKind::Nested(_) => return None,
        };
        Some(found.and_then(|mut found| {
            found.span = factor.span;
            if factor.alias_columns.is_empty() {
                return Ok(found);
            }
            if !found.is_last {
                return Err(CannotCarry::new("the alias names columns by their place", factor.span));
            }
            if factor.alias_columns.iter().any(|column| column.name == self.what.output) {
                return Err(CannotCarry::new(
                    format!("the alias has a column `{}` already", self.what.output),
                    factor.span,
                ));
            }
            found.way.edits.extend(append_name(self.text, &factor.alias_columns, self.what.output));
            self.what.output.clone_into(&mut found.way.name);
            Ok(found)
        }))
    }

    fn derived(&self, query: &Query, qualifier: Option<Qualifier>, ctes: &[&Cte]) -> Option<Result<Found>> {
        if !self.reads(query, ctes) {
            return None;
        }
        let found = |way| Found { way, qualifier, is_last: true, index: 0, span: query.span };
        Some(self.query(query, ctes).map(found))
    }

    /// A CTE, or the table itself.
    fn table(&self, name: &ObjectName, alias: Option<Qualifier>, ctes: &[&Cte]) -> Option<Result<Found>> {
        if let Some((cte, before)) = find_cte(name, ctes) {
            let qualifier = alias.or_else(|| Some(self.qualifier(name.last(), None)));
            return Some(self.derived(&cte.query, qualifier, before)?.and_then(|mut found| {
                if cte.columns.iter().any(|column| column.name == self.what.output) {
                    return Err(CannotCarry::new(
                        format!("`{}` has a column `{}` already", cte.name.name, self.what.output),
                        cte.name.span,
                    ));
                }
                if let Some(edit) = append_name(self.text, &cte.columns, self.what.output) {
                    found.way.edits.push(edit);
                    self.what.output.clone_into(&mut found.way.name);
                }
                Ok(found)
            }));
        }
        if !self.is_table(name) {
            return None;
        }
        let renamed = self.what.names.and_then(|names| names.get(&name.last().name));
        let qualifier = alias.or_else(|| Some(self.qualifier(name.last(), renamed)));
        let name_there = self.what.column.to_owned();
        let way = Way { edits: Vec::new(), notes: Vec::new(), name: name_there, has_expr: false };
        let is_last = super::is_last(self.catalog, name, self.what.column);
        Some(Ok(Found { way, qualifier, is_last, index: 0, span: name.span }))
    }

    /// A function of a table: the windows hand all columns on and put theirs behind them.
    fn function(&self, call: &Call, alias: Option<Qualifier>, ctes: &[&Cte]) -> Option<Result<Found>> {
        let mut found = call.args.iter().find_map(|arg| match &arg.value {
            ArgValue::Table(table) => self.table(&table.name, None, ctes),
            ArgValue::Query { query, .. } => self.derived(query, None, ctes),
            ArgValue::Expr(Expr { kind: ExprKind::Subquery(query), .. }) => self.derived(query, None, ctes),
            _ => None,
        })?;
        if !is_window(&call.name.last().name.to_ascii_uppercase()) {
            let reason = format!("it is not known which columns `{}` hands on", call.name.dotted());
            return Some(Err(CannotCarry::new(reason, call.span)));
        }
        if let Ok(found) = &mut found {
            found.qualifier = alias;
            found.is_last = false;
        }
        Some(found)
    }

    fn qualifier(&self, ident: &Ident, renamed: Option<&String>) -> Qualifier {
        let text = match renamed {
            Some(new) => quote_if_needed(new),
            None => ident.span.of(self.text).to_owned(),
        };
        Qualifier { name: ident.name.clone(), text }
    }

    fn is_table(&self, name: &ObjectName) -> bool {
        name.last().name == self.what.from_table || name.dotted() == self.what.from_table
    }

    /// True if the query reads the table, perhaps by a CTE.
    fn reads(&self, query: &Query, ctes: &[&Cte]) -> bool {
        query_refs(query).iter().any(|reference| match find_cte(&reference.name, ctes) {
            Some((cte, before)) => self.reads(&cte.query, before),
            None => self.is_table(&reference.name),
        })
    }

    fn keeps_rows(&self, select: &Select) -> Result<()> {
        if let Some(span) = select.distinct {
            return Err(CannotCarry::new(
                "DISTINCT compares whole rows, so a new column changes which rows there are",
                span,
            ));
        }
        if let Some(group) = &select.group_by {
            return Err(CannotCarry::new(
                "the rows are grouped, and a group has no single value of the column",
                group.span,
            ));
        }
        let aggregated =
            select.items.iter().find(|item| matches!(item, SelectItem::Expr { expr, .. } if has_aggregate(expr)));
        if let Some(item) = aggregated {
            return Err(CannotCarry::new("all rows are aggregated into one", item.span()));
        }
        match &select.having {
            Some(having) => Err(CannotCarry::new("all rows are aggregated into one", having.span)),
            None => Ok(()),
        }
    }
}

/// The CTE that a name stands for, with those that its own query can see.
fn find_cte<'c, 'a>(name: &ObjectName, ctes: &'c [&'a Cte]) -> Option<(&'a Cte, &'c [&'a Cte])> {
    let [only] = name.parts.as_slice() else { return None };
    let at = ctes.iter().rposition(|cte| cte.name.name == only.name)?;
    Some((*ctes.get(at)?, ctes.get(..at)?))
}

fn covers(item: &SelectItem, found: &Found) -> bool {
    match item {
        SelectItem::Wildcard { qualifier: None, .. } => true,
        SelectItem::Wildcard { qualifier: Some(name), .. } => {
            found.qualifier.as_ref().is_some_and(|qualifier| qualifier.name == name.last().name)
        }
        SelectItem::Expr { .. } => false,
    }
}
