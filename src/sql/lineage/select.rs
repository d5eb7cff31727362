//! Queries, from the inside out.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::columns::{Names, counted, place, width};
use super::float::Float;
use super::form::Form;
use super::grouped::{Ungrouped, groups, listed};
use super::made::{Expansion, Value};
use super::misplaced::Place;
use super::relation::{Open, Relation, RelationColumn};
use super::scope::{Scope, Source};
use super::windows::Window;
use super::{Catalog, Lineage, OutputColumn, UseKind, Views};
use crate::diagnostic::{Diagnostic, Span};
use crate::sql::code;
use crate::sql::session::Session;
use crate::sql::tree::{
    AccessStep, Expr, ExprKind, Ident, Literal, ObjectName, OrderItem, Query, QueryBody, Select, SelectItem,
    SetOperand, SetOperator,
};

/// How many columns are told apart in one relation.
const MOST_COLUMNS: usize = 120_000;

/// How many kinds of columns that are not known are told apart in one relation.
const MOST_OPEN: usize = 1_000;

/// Walks a query and remembers what decides its rows.
pub(super) struct Walker<'a> {
    pub catalog: &'a Catalog,
    /// What names in the query go by.
    pub session: &'a Session,
    /// What is known of tables and views.
    pub views: &'a Views,
    /// CTEs in reach by their names, inner ones last.
    pub ctes: BTreeMap<String, Vec<Arc<Relation>>>,
    /// Selects in reach, inner ones last.
    pub scopes: Vec<Scope>,
    pub windows: Vec<Window>,
    /// Where in `windows` the windows of a name are, inner ones last.
    pub window_places: BTreeMap<String, Vec<usize>>,
    pub rows: Vec<(Value, Span)>,
    pub notes: Vec<Diagnostic>,
    pub float_aggregates: Vec<(Span, Float)>,
    pub equal: Vec<[(String, String); 2]>,
    /// How many subqueries of expressions are open.
    pub inside: u32,
    /// Fields of rows can be named without the column that they are in, as in queries.
    pub bare_fields: bool,
    /// Where the expression stands that is looked at.
    pub place: Place,
    /// The clause that is looked at, and the select list's names, which it does not know.
    beyond: Option<(&'static str, Arc<Relation>)>,
}

impl<'a> Walker<'a> {
    pub fn new(catalog: &'a Catalog, views: &'a Views) -> Self {
        Self {
            catalog,
            session: &catalog.session,
            views,
            ctes: BTreeMap::new(),
            scopes: Vec::new(),
            windows: Vec::new(),
            window_places: BTreeMap::new(),
            rows: Vec::new(),
            notes: Vec::new(),
            float_aggregates: Vec::new(),
            equal: Vec::new(),
            inside: 0,
            bare_fields: true,
            place: Place::Free,
            beyond: None,
        }
    }

    /// What was found, with the result's columns.
    pub fn finished(self, outputs: Vec<OutputColumn>) -> Lineage {
        let mut rows = Expansion::default();
        self.rows.iter().for_each(|(value, span)| rows.add(value, *span));
        Lineage {
            outputs,
            rows: rows.uses,
            row_calls: rows.calls,
            notes: self.notes,
            float_aggregates: self.float_aggregates,
            equal: self.equal,
        }
    }

    /// Notes that a value decides about rows.
    pub fn row(&mut self, value: Value, kind: UseKind, span: Span) {
        if !value.is_empty() {
            self.rows.push((value.deciding(kind), span));
        }
    }

    pub fn row_expr(&mut self, expr: &Expr, kind: UseKind) {
        let value = self.expr(expr);
        self.row(value, kind, expr.span);
    }

    pub fn row_ident(&mut self, ident: &Ident, kind: UseKind) {
        let value = self.ident(ident);
        self.row(value, kind, ident.span);
    }

    pub fn row_column(&mut self, name: &ObjectName, kind: UseKind) {
        let value = self.column(name);
        self.row(value, kind, name.span);
    }

    pub fn query(&mut self, query: &Query) -> Arc<Relation> {
        let beyond = self.beyond.take();
        let relation = self.in_place(Place::Free, |walker| walker.whole(query));
        self.beyond = beyond;
        relation
    }

    fn whole(&mut self, query: &Query) -> Arc<Relation> {
        for cte in &query.with {
            let relation = self.query(&cte.query);
            if cte.columns.is_empty() {
                self.twice(&relation, &cte.name.name);
            }
            self.width(&relation, &cte.columns);
            let relation = relation.renamed(cte.columns.iter().map(|c| c.name.as_str()));
            self.ctes.entry(cte.name.name.clone()).or_default().push(relation);
        }
        let (relation, scope) = self.body(&query.body);
        self.order_by(&query.order_by, &relation, scope);
        for cte in &query.with {
            self.ctes.get_mut(&cte.name.name).and_then(Vec::pop);
        }
        relation
    }

    /// `ORDER BY` behind a query: names of its result first, then of its sources.
    fn order_by(&mut self, items: &[OrderItem], relation: &Arc<Relation>, mut scope: Scope) {
        if let Some(groups) = scope.groups.take() {
            let mut ungrouped =
                Ungrouped { groups: &groups, scope: &mut scope, nearer: Some(relation), notes: Vec::new() };
            items.iter().for_each(|item| ungrouped.expr(&item.expr));
            self.notes.append(&mut ungrouped.notes);
            scope.groups = Some(groups);
        }
        let place = if scope.plain { Place::Order } else { Place::Free };
        let of_sources = !scope.sources().is_empty();
        self.scopes.push(scope);
        let named = relation.closed();
        for OrderItem { expr, .. } in items {
            let output = match &expr.kind {
                ExprKind::Column(name) if name.parts.len() == 1 => relation.column(&name.last().name),
                _ => position(expr).and_then(|number| {
                    let column = number.checked_sub(1).and_then(|place| relation.columns().get(place));
                    if column.is_none() && relation.open.is_empty() {
                        self.notes.push(no_position(number, relation.columns().len(), expr.span));
                    }
                    column
                }),
            };
            let value = match output {
                Some(column) => column.value.clone(),
                None if of_sources && matches!(expr.kind, ExprKind::Column(_)) => self.expr(expr),
                None => self.in_place(place, |walker| walker.with_names_of(&named, |walker| walker.expr(expr))),
            };
            self.row(value, UseKind::Order, expr.span);
        }
        self.scopes.pop();
    }

    /// The rows of a body, and the sources that `ORDER BY` behind it may refer to.
    fn body(&mut self, body: &QueryBody) -> (Arc<Relation>, Scope) {
        let relation = match body {
            QueryBody::Select(select) => return self.select(select),
            QueryBody::Values { rows, span } => Arc::new(self.values(rows, *span)),
            QueryBody::Table(name) => {
                let mut relation = Arc::unwrap_or_clone(self.table(name));
                relation.columns_mut().iter_mut().for_each(|column| column.span = name.span);
                Arc::new(relation)
            }
            QueryBody::Nested(query) => self.query(query),
            QueryBody::SetOperation { first, rest } => Arc::new(self.set_operation(first, rest)),
        };
        (relation, Scope::default())
    }

    fn values(&mut self, rows: &[Vec<Expr>], span: Span) -> Relation {
        let mut columns: Vec<RelationColumn> = Vec::new();
        let first = rows.first().map_or(0, Vec::len);
        if let Some(other) = rows.iter().find(|row| row.len() != first)
            && let (Some(from), Some(to)) = (other.first(), other.last())
        {
            let text = format!("this row has {}, and the first one {first}", counted(other.len()));
            self.notes.push(width(text, from.span.join(to.span), "another number of columns"));
        }
        for row in rows {
            for (index, expr) in row.iter().enumerate() {
                let value = self.expr(expr);
                match columns.get_mut(index) {
                    Some(column) => column.value.add(value),
                    None => columns.push(RelationColumn { name: format!("EXPR${index}").into(), value, span }),
                }
            }
        }
        Relation::new(columns, Vec::new())
    }

    fn set_operation(&mut self, first: &QueryBody, rest: &[SetOperand]) -> Relation {
        let mut relation = Arc::unwrap_or_clone(self.body(first).0);
        // What no operator has compared yet.
        let mut apart =
            if rest.iter().any(|o| o.operator != SetOperator::UnionAll) { relation.all() } else { Value::default() };
        for SetOperand { operator, span, body } in rest {
            let right = self.body(body).0;
            apart.add(right.all());
            if *operator != SetOperator::UnionAll {
                self.row(std::mem::take(&mut apart), UseKind::Group, *span);
            }
            let known = relation.open.is_empty() && right.open.is_empty();
            let (before, behind) = (relation.columns().len(), right.columns().len());
            if known && before != behind {
                let text = format!("this query gives {}, and the one before it {before}", counted(behind));
                self.notes.push(width(text, place(body).unwrap_or(*span), "another number of columns"));
            }
            if known {
                for (column, other) in relation.columns_mut().iter_mut().zip(right.columns()) {
                    column.value.add(other.value.clone());
                }
            } else {
                // Where columns are not known, no column's place is: each may get anything of the right side.
                let any = right.all().lifted(UseKind::Unknown);
                relation.columns_mut().iter_mut().for_each(|column| column.value.add(any.clone()));
                relation.open.extend(right.open.iter().cloned());
            }
        }
        relation
    }

    fn select(&mut self, select: &Select) -> (Arc<Relation>, Scope) {
        self.scopes.push(Scope::default());
        let windows = self.define_windows(select);
        select.from.iter().for_each(|source| self.table_expr(source));
        select.filter.iter().for_each(|filter| {
            self.single_rows("WHERE", |walker| walker.row_expr(filter, UseKind::Filter));
            self.equalities(filter);
        });
        let mut relation = Relation::default();
        let mut names = Names::default();
        for (index, item) in select.items.iter().enumerate() {
            let from = relation.columns().len();
            self.item(index, item, &mut relation);
            if matches!(item, SelectItem::Wildcard { .. }) {
                names.apart(&mut relation, from);
            }
        }
        let relation = Arc::new(relation);
        for key in select.group_by.iter().flat_map(|group| &group.keys) {
            let look = |walker: &mut Self| walker.row_expr(key, UseKind::Group);
            self.without_names_of(&relation, "GROUP BY", |walker| walker.single_rows("GROUP BY", look));
        }
        if let Some(filter) = &select.having {
            self.without_names_of(&relation, "HAVING", |walker| walker.row_expr(filter, UseKind::Filter));
        }
        if let Some(filter) = &select.qualify {
            self.with_names_of(&relation, |walker| walker.row_expr(filter, UseKind::Filter));
        }
        if let Some(span) = select.distinct {
            let all = relation.all();
            self.row(all, UseKind::Group, span);
        }
        self.forget_windows(select, windows);
        let mut scope = self.scopes.pop().unwrap_or_default();
        scope.plain = true;
        if let Some(groups) = groups(select, &mut scope) {
            let mut ungrouped = Ungrouped { groups: &groups, scope: &mut scope, nearer: None, notes: Vec::new() };
            select.items.iter().for_each(|item| ungrouped.item(item));
            select.having.iter().for_each(|filter| ungrouped.expr(filter));
            self.notes.append(&mut ungrouped.notes);
            (scope.plain, scope.groups) = (false, Some(groups));
        } else {
            scope.groups = listed(select, &mut scope);
        }
        (relation, scope)
    }

    /// Looks at something that may use a result's names, and those of its sources where it has none.
    fn with_names_of<T>(&mut self, relation: &Arc<Relation>, look: impl FnOnce(&mut Self) -> T) -> T {
        let names = Source { parts: Vec::new(), relation: Arc::clone(relation), qualified_only: false };
        self.scopes.push(Scope::of(vec![names]));
        let found = look(self);
        self.scopes.pop();
        found
    }

    /// Looks at a clause that people take to know the select list's names.
    fn without_names_of(&mut self, relation: &Arc<Relation>, clause: &'static str, look: impl FnOnce(&mut Self)) {
        self.beyond = Some((clause, Arc::clone(relation)));
        look(self);
        self.beyond = None;
    }

    /// The column of the select list that a name in a clause is meant for, which cannot be named there.
    pub fn of_select_list(&mut self, parts: &[&str], span: Span) -> Option<Value> {
        let (clause, relation) = self.beyond.as_ref()?;
        let [only] = parts else { return None };
        let value = relation.column(only)?.value.clone();
        let text = format!("{clause} does not know `{only}`, which is a name of the select list");
        let note = Diagnostic::error(code::UNKNOWN_COLUMN, text).at(span, "not found");
        self.notes.push(note.help("write its expression here, or name it in a query inside of this one"));
        Some(value.placed(span))
    }

    fn item(&mut self, index: usize, item: &SelectItem, relation: &mut Relation) {
        match item {
            SelectItem::Wildcard { qualifier: None, span } => {
                let Some(scope) = self.scopes.last_mut() else { return };
                let mut star = scope.star(*span);
                relation.columns_mut().append(star.columns_mut());
                relation.open.append(&mut star.open);
                self.limit_stars(relation, *span);
            }
            SelectItem::Wildcard { qualifier: Some(name), span } => {
                self.qualified_star(name, *span, relation);
                self.limit_stars(relation, *span);
            }
            SelectItem::Expr { expr, alias, span } => {
                let value = self.expr(expr);
                let name = alias.as_ref().map(|a| a.name.clone()).or_else(|| own_name(expr));
                let name = name.unwrap_or_else(|| format!("EXPR${index}")).into();
                relation.columns_mut().push(RelationColumn { name, value, span: *span });
            }
        }
    }

    /// Makes one of the columns that are not told apart any more: stars of stars double them with each step.
    fn limit_stars(&mut self, relation: &mut Relation, span: Span) {
        let count = relation.columns().len();
        if count > MOST_COLUMNS || relation.open.len() > MOST_OPEN {
            *relation = Relation::new(Vec::new(), vec![Open::Value(relation.all())]);
        }
        if count > MOST_COLUMNS {
            let text = format!("`*` stands for {count} columns here: they are not told apart");
            self.notes.push(Diagnostic::warning(code::OPAQUE, text).at(span, "taken to be made of all of them"));
        }
    }

    /// `t.*`, or all fields of a column.
    fn qualified_star(&mut self, name: &ObjectName, span: Span, relation: &mut Relation) {
        let parts: Vec<&str> = name.parts.iter().map(|part| part.name.as_str()).collect();
        let named = |scope: &'_ Scope| scope.named(&parts).or_else(|| scope.named_in_full(&parts)).cloned();
        let source = self.scopes.iter().rev().find_map(named);
        if let Some(source) = source {
            let columns = source.relation.columns().iter().map(|column| column.starred(span));
            relation.columns_mut().extend(columns);
            relation.open.extend(source.relation.open.iter().cloned());
            return;
        }
        let value = self.column(name);
        let fields: Option<Vec<(Arc<str>, Form)>> = value
            .form
            .fields()
            .map(|fields| fields.iter().map(|f| (f.name.as_str().into(), Form::of(&f.ty.ty))).collect());
        let value = value.lifted(UseKind::Computed).placed(span);
        match fields {
            Some(fields) => {
                let column = |(name, form)| RelationColumn { name, value: value.clone().formed(form), span };
                relation.columns_mut().extend(fields.into_iter().map(column));
            }
            None => relation.open.push(Open::Value(value)),
        }
    }
}

/// The position in the select list that an entry of `ORDER BY` is.
fn position(expr: &Expr) -> Option<usize> {
    match &expr.kind {
        ExprKind::Literal(Literal::Exact(number)) => number.parse().ok(),
        ExprKind::Nested(inner) => position(inner),
        _ => None,
    }
}

fn no_position(number: usize, columns: usize, span: Span) -> Diagnostic {
    let text = format!("ORDER BY {number}: the query gives {}", counted(columns));
    let help = "name the column, or count from 1 in the select list";
    Diagnostic::error(code::POSITION, text).at(span, "no such column").help(help)
}

/// The name that an item without an alias has.
pub(crate) fn own_name(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Column(name) => Some(name.last().name.clone()),
        ExprKind::Nested(inner) => own_name(inner),
        ExprKind::Access { steps, .. } => match steps.last() {
            Some(AccessStep::Field(field)) => Some(field.name.clone()),
            _ => None,
        },
        _ => None,
    }
}
