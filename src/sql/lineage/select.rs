//! Queries, from the inside out.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::columns::{Names, counted, place, width};
use super::form::Form;
use super::made::{Expansion, Value};
use super::scope::{Open, Relation, RelationColumn, Scope, Source};
use super::{Catalog, Lineage, OutputColumn, UseKind, Views};
use crate::diagnostic::{Diagnostic, Span};
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
    /// What is known of tables and views.
    pub views: &'a Views,
    /// CTEs in reach by their names, inner ones last.
    pub ctes: BTreeMap<String, Vec<Arc<Relation>>>,
    /// Selects in reach, inner ones last.
    pub scopes: Vec<Scope>,
    windows: Vec<Window>,
    /// Where in `windows` the windows of a name are, inner ones last.
    window_places: BTreeMap<String, Vec<usize>>,
    pub rows: Vec<(Value, Span)>,
    pub notes: Vec<Diagnostic>,
    pub float_aggregates: Vec<Span>,
    pub equal: Vec<[(String, String); 2]>,
    /// How many subqueries of expressions are open.
    pub inside: u32,
    /// Fields of rows can be named without the column that they are in, as in queries.
    pub bare_fields: bool,
}

/// What is meant by a name that both the select list and the sources have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nearer {
    Sources,
    SelectList,
}

/// A window that is named in reach.
struct Window {
    name: String,
    spec: Arc<WindowSpec>,
    /// The window that it builds on.
    base: Option<usize>,
    /// What it is made of, once it was used.
    value: Option<Value>,
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

    /// The value of a window that is named in reach.
    pub fn named_window(&mut self, name: &str) -> Option<Value> {
        let mut place = *self.window_places.get(name)?.last()?;
        // Down to one whose value is known, and up again: each is looked at once.
        let mut chain = Vec::new();
        let mut value = loop {
            let window = self.windows.get(place)?;
            if let Some(value) = &window.value {
                break value.clone();
            }
            chain.push(place);
            match window.base {
                Some(base) => place = base,
                None => break Value::default(),
            }
        };
        while let Some(place) = chain.pop() {
            let spec = Arc::clone(&self.windows.get(place)?.spec);
            value.add(self.window_parts(&spec));
            if let Some(window) = self.windows.get_mut(place) {
                window.value = Some(value.clone());
            }
        }
        Some(value)
    }

    /// Windows build on earlier ones only, so none can build on itself.
    fn define_window(&mut self, name: &Ident, spec: &WindowSpec) {
        let places = |walker: &Self, name: &str| walker.window_places.get(name).and_then(|p| p.last().copied());
        let base = spec.base.as_ref().and_then(|base| places(self, &base.name));
        self.window_places.entry(name.name.clone()).or_default().push(self.windows.len());
        self.windows.push(Window { name: name.name.clone(), spec: Arc::new(spec.clone()), base, value: None });
    }

    fn forget_windows(&mut self, down_to: usize) {
        for window in self.windows.drain(down_to.min(self.windows.len())..) {
            self.window_places.get_mut(&window.name).and_then(Vec::pop);
        }
    }

    pub fn query(&mut self, query: &Query) -> Arc<Relation> {
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
    fn order_by(&mut self, items: &[OrderItem], relation: &Arc<Relation>, scope: Scope) {
        self.scopes.push(scope);
        let named = relation.closed();
        for OrderItem { expr, .. } in items {
            let output = match &expr.kind {
                ExprKind::Column(name) if name.parts.len() == 1 => relation.column(&name.last().name),
                ExprKind::Literal(Literal::Exact(number)) => {
                    number.parse::<usize>().ok().and_then(|n| relation.columns().get(n.checked_sub(1)?))
                }
                _ => None,
            };
            let value = match output {
                Some(column) => column.value.clone(),
                None if matches!(expr.kind, ExprKind::Column(_)) => self.expr(expr),
                None => self.with_names_of(&named, Nearer::SelectList, |walker| walker.expr(expr)),
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
        let mut names = Names::default();
        for (index, item) in select.items.iter().enumerate() {
            let from = relation.columns().len();
            self.item(index, item, &mut relation);
            if matches!(item, SelectItem::Wildcard { .. }) {
                names.apart(&mut relation, from);
            }
        }
        let relation = Arc::new(relation);
        let named = relation.closed();
        for key in select.group_by.iter().flat_map(|group| &group.keys) {
            self.group_key(key, &relation, &named);
        }
        select.having.iter().for_each(|filter| self.condition(filter, &relation, Nearer::Sources));
        select.qualify.iter().for_each(|filter| self.condition(filter, &relation, Nearer::SelectList));
        if let Some(span) = select.distinct {
            let all = relation.all();
            self.row(all, UseKind::Group, span);
        }
        self.forget_windows(windows);
        let scope = self.scopes.pop().unwrap_or_default();
        (relation, scope)
    }

    /// `HAVING` and `QUALIFY`, which may use the select list's names.
    fn condition(&mut self, filter: &Expr, relation: &Arc<Relation>, nearer: Nearer) {
        self.with_names_of(relation, nearer, |walker| walker.row_expr(filter, UseKind::Filter));
    }

    /// Looks at something that may use a result's names as well as those of its sources.
    fn with_names_of<T>(&mut self, relation: &Arc<Relation>, nearer: Nearer, look: impl FnOnce(&mut Self) -> T) -> T {
        let names = Source { parts: Vec::new(), relation: Arc::clone(relation), qualified_only: false };
        let at = match nearer {
            Nearer::Sources => self.scopes.len().saturating_sub(1),
            Nearer::SelectList => self.scopes.len(),
        };
        self.scopes.insert(at, Scope::of(vec![names]));
        let found = look(self);
        if at < self.scopes.len() {
            self.scopes.remove(at);
        }
        found
    }

    fn group_key(&mut self, key: &Expr, relation: &Relation, named: &Arc<Relation>) {
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
        self.with_names_of(named, Nearer::Sources, |walker| walker.row_expr(key, UseKind::Group));
    }

    fn in_sources(&mut self, name: &str) -> bool {
        let bare_fields = self.bare_fields;
        let Some(scope) = self.scopes.last_mut() else { return false };
        let has = !scope.having(name, 0).is_empty() || scope.open().next().is_some();
        has || (bare_fields && !scope.fields(name).is_empty())
    }

    fn item(&mut self, index: usize, item: &SelectItem, relation: &mut Relation) {
        match item {
            SelectItem::Wildcard { qualifier: None, span } => {
                let Some(scope) = self.scopes.last_mut() else { return };
                let mut star = scope.star(*span);
                relation.columns_mut().append(star.columns_mut());
                relation.open.append(&mut star.open);
            }
            SelectItem::Wildcard { qualifier: Some(name), span } => self.qualified_star(name, *span, relation),
            SelectItem::Expr { expr, alias, span } => {
                let value = self.expr(expr);
                let name = alias.as_ref().map(|a| a.name.clone()).or_else(|| own_name(expr));
                let name = name.unwrap_or_else(|| format!("EXPR${index}")).into();
                relation.columns_mut().push(RelationColumn { name, value, span: *span });
            }
        }
    }

    /// `t.*`, or all fields of a column.
    fn qualified_star(&mut self, name: &ObjectName, span: Span, relation: &mut Relation) {
        let parts: Vec<&str> = name.parts.iter().map(|part| part.name.as_str()).collect();
        let source = self.scopes.iter().rev().find_map(|scope| scope.named(&parts));
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
