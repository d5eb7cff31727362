//! Queries, from the inside out.

use super::scope::{Relation, RelationColumn, Scope, Source, Value};
use super::{Catalog, ColumnUse, UseKind};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::column::ColumnType;
use crate::sql::session::Session;
use crate::sql::tree::{
    AccessStep, Expr, ExprKind, Ident, Literal, ObjectName, OrderItem, Query, QueryBody, Select, SelectItem,
    SetOperand, SetOperator, WindowSpec,
};

/// Walks a query and remembers what decides its rows.
pub(super) struct Walker<'a> {
    pub catalog: &'a Catalog,
    /// What names in the query go by.
    pub session: &'a Session,
    /// CTEs in reach, inner ones last.
    pub ctes: Vec<(String, Relation)>,
    /// Selects in reach, inner ones last.
    pub scopes: Vec<Scope>,
    /// Views that are being looked through, so that a view over itself ends.
    pub views: Vec<String>,
    windows: Vec<(String, WindowSpec)>,
    pub rows: Vec<(Value, Span)>,
    pub row_calls: Vec<Span>,
    pub notes: Vec<Diagnostic>,
    pub float_aggregates: Vec<Span>,
    pub equal: Vec<[(String, String); 2]>,
    /// How many subqueries of expressions are open.
    pub inside: u32,
}

impl<'a> Walker<'a> {
    pub fn new(catalog: &'a Catalog) -> Self {
        Self {
            catalog,
            session: &catalog.session,
            ctes: Vec::new(),
            scopes: Vec::new(),
            views: Vec::new(),
            windows: Vec::new(),
            rows: Vec::new(),
            row_calls: Vec::new(),
            notes: Vec::new(),
            float_aggregates: Vec::new(),
            equal: Vec::new(),
            inside: 0,
        }
    }

    pub fn finished_rows(&mut self) -> Vec<ColumnUse> {
        let mut rows = Vec::new();
        for (value, span) in std::mem::take(&mut self.rows) {
            rows.extend(value.finished(span));
        }
        rows
    }

    /// Notes that a value decides about rows.
    pub fn row(&mut self, value: Value, kind: UseKind, span: Span) {
        let mut value = value.lifted(kind);
        for span in &value.calls {
            if !self.row_calls.contains(span) {
                self.row_calls.push(*span);
            }
        }
        for used in &mut value.uses {
            if matches!(used.kind, UseKind::Computed | UseKind::Aggregated) {
                used.kind = kind;
            }
        }
        if !value.uses.is_empty() {
            self.rows.push((value, span));
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

    pub fn named_window(&self, name: &str) -> Option<WindowSpec> {
        let (_, window) = self.windows.iter().rev().find(|(known, _)| known == name)?;
        Some(window.clone())
    }

    /// Windows build on earlier ones only; what they take over is put in at once, so none can build on itself.
    fn define_window(&mut self, name: &Ident, window: &WindowSpec) {
        let mut window = window.clone();
        if let Some(base) = window.base.take()
            && let Some(base) = self.named_window(&base.name)
        {
            window.partition_by.splice(0..0, base.partition_by);
            window.order_by.splice(0..0, base.order_by);
        }
        self.windows.push((name.name.clone(), window));
    }

    pub fn query(&mut self, query: &Query) -> Relation {
        let ctes = self.ctes.len();
        for cte in &query.with {
            let relation = self.query(&cte.query).renamed(cte.columns.iter().map(|c| c.name.as_str()));
            self.ctes.push((cte.name.name.clone(), relation));
        }
        let (relation, scope) = self.body(&query.body);
        self.order_by(&query.order_by, &relation, scope);
        self.ctes.truncate(ctes);
        relation
    }

    /// `ORDER BY` behind a query: names of its result first, then of its sources.
    fn order_by(&mut self, items: &[OrderItem], relation: &Relation, scope: Scope) {
        self.scopes.push(scope);
        for OrderItem { expr, .. } in items {
            let output = match &expr.kind {
                ExprKind::Column(name) if name.parts.len() == 1 => relation.column(&name.last().name),
                ExprKind::Literal(Literal::Exact(number)) => {
                    number.parse::<usize>().ok().and_then(|n| relation.columns.get(n.checked_sub(1)?))
                }
                _ => None,
            };
            let value = match output {
                Some(column) => column.value.clone(),
                None if matches!(expr.kind, ExprKind::Column(_)) => self.expr(expr),
                None => self.with_names_of(&closed(relation), |walker| walker.expr(expr)),
            };
            self.row(value, UseKind::Order, expr.span);
        }
        self.scopes.pop();
    }

    /// The rows of a body, and the sources that `ORDER BY` behind it may refer to.
    fn body(&mut self, body: &QueryBody) -> (Relation, Scope) {
        let relation = match body {
            QueryBody::Select(select) => return self.select(select),
            QueryBody::Values { rows, span } => self.values(rows, *span),
            QueryBody::Table(name) => self.table(name, name.span),
            QueryBody::Nested(query) => self.query(query),
            QueryBody::SetOperation { first, rest } => self.set_operation(first, rest),
        };
        (relation, Scope::default())
    }

    fn values(&mut self, rows: &[Vec<Expr>], span: Span) -> Relation {
        let mut relation = Relation::default();
        for row in rows {
            for (index, expr) in row.iter().enumerate() {
                let value = self.expr(expr);
                match relation.columns.get_mut(index) {
                    Some(column) => column.value.add(value),
                    None => relation.columns.push(RelationColumn { name: format!("EXPR${index}"), value, span }),
                }
            }
        }
        relation
    }

    fn set_operation(&mut self, first: &QueryBody, rest: &[SetOperand]) -> Relation {
        let mut relation = self.body(first).0;
        for SetOperand { operator, span, body } in rest {
            let right = self.body(body).0;
            if *operator != SetOperator::UnionAll {
                let mut compared = relation.all();
                compared.add(right.all());
                self.row(compared, UseKind::Group, *span);
            }
            let known = relation.open.is_empty() && right.open.is_empty();
            if known {
                for (column, other) in relation.columns.iter_mut().zip(right.columns) {
                    column.value.add(other.value);
                }
            } else {
                // Where columns are not known, no column's place is: each may get anything of the right side.
                let any = right.all().lifted(UseKind::Unknown);
                relation.columns.iter_mut().for_each(|column| column.value.add(any.clone()));
                relation.open.extend(right.open);
            }
        }
        relation
    }

    fn select(&mut self, select: &Select) -> (Relation, Scope) {
        self.scopes.push(Scope::default());
        let windows = self.windows.len();
        for (name, window) in &select.windows {
            self.define_window(name, window);
        }
        select.from.iter().for_each(|source| self.table_expr(source));
        select.filter.iter().for_each(|filter| {
            self.row_expr(filter, UseKind::Filter);
            self.equalities(filter);
        });
        let mut relation = Relation::default();
        for (index, item) in select.items.iter().enumerate() {
            self.item(index, item, &mut relation);
        }
        for key in select.group_by.iter().flat_map(|group| &group.keys) {
            self.group_key(key, &relation);
        }
        select.having.iter().chain(&select.qualify).for_each(|filter| self.condition(filter, &relation));
        if let Some(span) = select.distinct {
            let all = relation.all();
            self.row(all, UseKind::Group, span);
        }
        self.windows.truncate(windows);
        let scope = self.scopes.pop().unwrap_or_default();
        (relation, scope)
    }

    /// `HAVING` and `QUALIFY`, which may use the select list's names.
    fn condition(&mut self, filter: &Expr, relation: &Relation) {
        self.with_names_of(relation, |walker| walker.row_expr(filter, UseKind::Filter));
    }

    /// Looks at something that may use a result's names as well as those of its sources.
    fn with_names_of<T>(&mut self, relation: &Relation, look: impl FnOnce(&mut Self) -> T) -> T {
        let names = Source { parts: Vec::new(), relation: relation.clone(), qualified_only: false };
        // The select list is farther away than the sources.
        let outer = Scope { sources: vec![names], merged: Vec::new() };
        let at = self.scopes.len().saturating_sub(1);
        self.scopes.insert(at, outer);
        let found = look(self);
        if at < self.scopes.len() {
            self.scopes.remove(at);
        }
        found
    }

    fn group_key(&mut self, key: &Expr, relation: &Relation) {
        if let ExprKind::Column(name) = &key.kind
            && let [only] = name.parts.as_slice()
            && !self.in_sources(&only.name)
            && let Some(column) = relation.column(&only.name)
        {
            let value = column.value.clone();
            return self.row(value, UseKind::Group, key.span);
        }
        if matches!(key.kind, ExprKind::Column(_)) {
            return self.row_expr(key, UseKind::Group);
        }
        self.with_names_of(&closed(relation), |walker| walker.row_expr(key, UseKind::Group));
    }

    fn in_sources(&self, name: &str) -> bool {
        let sources = self.scopes.last().map_or(&[] as &[Source], |scope| &scope.sources);
        sources.iter().any(|source| source.relation.column(name).is_some() || !source.relation.open.is_empty())
    }

    fn item(&mut self, index: usize, item: &SelectItem, relation: &mut Relation) {
        match item {
            SelectItem::Wildcard { qualifier: None, span } => {
                let scope = self.scopes.last().cloned().unwrap_or_default();
                // What USING or NATURAL made one comes first, and is made of both sides.
                for name in &scope.merged {
                    let mut value = Value::default();
                    let sources = scope.sources.iter().filter_map(|source| source.relation.column(name));
                    sources.for_each(|column| value.add(column.value.clone()));
                    let value = value.placed(*span);
                    relation.columns.push(RelationColumn { name: name.clone(), value, span: *span });
                }
                for source in scope.sources.iter().filter(|source| !source.qualified_only) {
                    for column in &source.relation.columns {
                        if scope.merged.contains(&column.name) {
                            continue;
                        }
                        let value = column.value.clone().placed(*span);
                        relation.columns.push(RelationColumn { name: column.name.clone(), value, span: *span });
                    }
                    relation.open.extend(source.relation.open.iter().cloned());
                }
            }
            SelectItem::Wildcard { qualifier: Some(name), span } => self.qualified_star(name, *span, relation),
            SelectItem::Expr { expr, alias, span } => {
                let value = self.expr(expr);
                let name = alias.as_ref().map(|a| a.name.clone()).or_else(|| own_name(expr));
                let name = name.unwrap_or_else(|| format!("EXPR${index}"));
                relation.columns.push(RelationColumn { name, value, span: *span });
            }
        }
    }

    /// `t.*`, or all fields of a column.
    fn qualified_star(&mut self, name: &ObjectName, span: Span, relation: &mut Relation) {
        let parts: Vec<&str> = name.parts.iter().map(|part| part.name.as_str()).collect();
        let source =
            self.scopes.iter().rev().find_map(|scope| scope.sources.iter().find(|source| source.is_named(&parts)));
        if let Some(source) = source {
            for column in &source.relation.columns {
                let value = column.value.clone().placed(span);
                relation.columns.push(RelationColumn { name: column.name.clone(), value, span });
            }
            relation.open.extend(source.relation.open.iter().cloned());
            return;
        }
        let value = self.column(name);
        let fields = self.fields(&value, &parts);
        let value = value.lifted(UseKind::Computed).placed(span);
        match fields {
            Some(fields) => {
                let column = |name: String| RelationColumn { name, value: value.clone(), span };
                relation.columns.extend(fields.into_iter().map(column));
            }
            None => relation.open.push(super::scope::Open::Value(value)),
        }
    }

    /// The names of the fields of a row that is a column of a table, or that `path` leads to within one.
    fn fields(&self, value: &Value, path: &[&str]) -> Option<Vec<String>> {
        let [used] = value.uses.as_slice() else { return None };
        let column = self.catalog.tables.get(&used.table)?.columns.iter().find(|column| column.name == used.column)?;
        let at = path.iter().position(|part| *part == used.column)?;
        let mut ty = &column.ty.ty;
        for part in path.get(at + 1..)? {
            let ColumnType::Row(fields) = ty else { return None };
            ty = &fields.iter().find(|field| field.name == *part)?.ty.ty;
        }
        let ColumnType::Row(fields) = ty else { return None };
        Some(fields.iter().map(|field| field.name.clone()).collect())
    }
}

/// The columns that a result names.
fn closed(relation: &Relation) -> Relation {
    Relation { columns: relation.columns.clone(), open: Vec::new() }
}

/// The name that an item without an alias has.
fn own_name(expr: &Expr) -> Option<String> {
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
