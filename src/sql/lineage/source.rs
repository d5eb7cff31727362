//! The sources of `FROM`.

use super::scope::{Open, Relation, RelationColumn, Scope, Source, Value};
use super::select::Walker;
use super::{CatalogTable, UseKind};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::column::ColumnType;
use crate::sql::code;
use crate::sql::functions::is_window;
use crate::sql::tree::{
    ArgValue, Call, Expr, ExprKind, Factor, FactorKind, JoinKind, MatchClause, ObjectName, TableArg, TableExpr,
};

/// How many views may stand on each other before we name them only.
const MAX_VIEWS: usize = 16;

impl<'a> Walker<'a> {
    /// Makes one table the only source.
    pub fn open_table(&mut self, name: &ObjectName) {
        let relation = self.table(name, name.span);
        let parts = name.parts.iter().map(|part| part.name.clone()).collect();
        self.scopes
            .push(Scope { sources: vec![Source { parts, relation, qualified_only: false }], merged: Vec::new() });
    }

    pub fn table_expr(&mut self, source: &TableExpr) {
        self.factor(&source.base);
        for join in &source.joins {
            self.factor(&join.factor);
            join.on.iter().for_each(|on| self.row_expr(on, UseKind::Join));
            if join.kind == JoinKind::Inner {
                join.on.iter().for_each(|on| self.equalities(on));
            }
            let mut columns: Vec<String> = join.using.iter().map(|column| column.name.clone()).collect();
            if join.natural {
                columns.extend(self.shared_columns());
            }
            for column in columns {
                self.merge(column, join.span);
            }
        }
    }

    /// Columns that the last source has in common with those before it.
    fn shared_columns(&self) -> Vec<String> {
        let Some((last, before)) = self.scopes.last().and_then(|scope| scope.sources.split_last()) else {
            return Vec::new();
        };
        let names = last.relation.columns.iter().map(|column| column.name.clone());
        names.filter(|name| before.iter().any(|source| source.relation.column(name).is_some())).collect()
    }

    fn merge(&mut self, column: String, span: Span) {
        let Some(scope) = self.scopes.last_mut() else { return };
        let mut value = Value::default();
        for source in &scope.sources {
            match source.relation.column(&column) {
                Some(found) => value.add(found.value.clone()),
                None => source.relation.open.iter().for_each(|open| value.add(open.column(&column, UseKind::Unknown))),
            }
        }
        scope.merged.push(column);
        self.row(value.placed(span), UseKind::Join, span);
    }

    fn factor(&mut self, factor: &Factor) {
        let mut parts = Vec::new();
        let relation = match &factor.kind {
            FactorKind::Table { name, system_time, .. } => {
                system_time.iter().for_each(|time| self.row_expr(time, UseKind::Join));
                parts = name.parts.iter().map(|part| part.name.clone()).collect();
                self.table(name, name.span)
            }
            FactorKind::Derived { lateral: true, query } => self.query(query),
            FactorKind::Derived { lateral: false, query } => {
                let beside = self.scopes.pop();
                let relation = self.query(query);
                self.scopes.extend(beside);
                relation
            }
            FactorKind::Function { call, .. } => self.function(call, factor),
            FactorKind::Unnest { expr, .. } => {
                let value = self.expr(expr).lifted(UseKind::Computed);
                self.row(value.clone(), UseKind::Join, expr.span);
                made_of(value, factor)
            }
            FactorKind::Nested(inner) => return self.table_expr(inner),
            FactorKind::Match { input, clause } => self.match_recognize(input, clause),
        };
        let relation = relation.renamed(factor.alias_columns.iter().map(|column| column.name.as_str()));
        if let Some(alias) = &factor.alias {
            parts = vec![alias.name.clone()];
        }
        if let Some(scope) = self.scopes.last_mut() {
            scope.sources.push(Source { parts, relation, qualified_only: false });
        }
    }

    /// A CTE, a view or a table by its name.
    pub fn table(&mut self, name: &ObjectName, span: Span) -> Relation {
        if let [only] = name.parts.as_slice()
            && let Some((_, relation)) = self.ctes.iter().rev().find(|(cte, _)| *cte == only.name)
        {
            return relation.clone();
        }
        let catalog = self.catalog;
        let Some((key, table)) = catalog.find_in(self.session, name) else {
            let text = format!("the columns of table `{}` are not known", name.dotted());
            self.notes.push(Diagnostic::warning(code::UNKNOWN_TABLE, text).at(name.span, "no definition found"));
            return Relation { columns: Vec::new(), open: vec![Open::Table(name.last().name.clone())] };
        };
        let mut relation = Relation::default();
        for column in &table.columns {
            let mut value = Value::one(key, &column.name, UseKind::Direct);
            value.float = matches!(column.ty.ty, ColumnType::Float | ColumnType::Double);
            relation.columns.push(RelationColumn { name: column.name.clone(), value, span });
        }
        match &table.view {
            Some(_) if self.views.len() >= MAX_VIEWS || self.views.iter().any(|view| view == key) => relation,
            Some(_) => self.through_view(key, table, relation, span),
            None if table.columns.is_empty() => Relation { open: vec![Open::Table(key.to_owned())], ..relation },
            None => relation,
        }
    }

    /// Adds what is behind a view to the view's own columns.
    fn through_view(&mut self, key: &str, table: &'a CatalogTable, own: Relation, span: Span) -> Relation {
        let Some(query) = &table.view else { return own };
        let mut inner = Walker::new(self.catalog);
        inner.session = &table.session;
        inner.views.clone_from(&self.views);
        inner.views.push(key.to_owned());
        let behind = inner.query(query).renamed(table.columns.iter().map(|column| column.name.as_str()));
        let behind_view = |mut value: Value| {
            for used in &mut value.uses {
                used.span = None;
                used.via.insert(0, key.to_owned());
            }
            // They are in the view's text, not in this one.
            value.calls.clear();
            value
        };
        for (value, _) in inner.rows {
            self.rows.push((behind_view(value), span));
        }
        let mut relation = Relation::default();
        for column in behind.columns {
            let mut value = Value::one(key, &column.name, UseKind::Direct);
            value.add(behind_view(column.value));
            relation.columns.push(RelationColumn { name: column.name, value, span });
        }
        if !behind.open.is_empty() {
            relation.open.push(Open::Table(key.to_owned()));
            relation.open.extend(
                behind.open.into_iter().map(|open| Open::Value(behind_view(open.column("*", UseKind::Unknown)))),
            );
        }
        relation
    }

    /// The rows of a table argument.
    pub fn table_arg(&mut self, table: &TableArg) -> Relation {
        let relation = self.table(&table.name, table.name.span);
        let parts = table.name.parts.iter().map(|part| part.name.clone()).collect();
        let source = Source { parts, relation: relation.clone(), qualified_only: false };
        self.scopes.push(Scope { sources: vec![source], merged: Vec::new() });
        table.partition_by.iter().for_each(|expr| self.row_expr(expr, UseKind::Partition));
        table.order_by.iter().for_each(|item| self.row_expr(&item.expr, UseKind::Order));
        self.scopes.pop();
        relation
    }

    /// A table-valued function.
    fn function(&mut self, call: &Call, factor: &Factor) -> Relation {
        let function = call.name.last().name.to_ascii_uppercase();
        let mut input: Option<Relation> = None;
        let mut scalar = Value::default();
        let mut descriptors = Vec::new();
        let before = self.rows.len();
        let mut partitioned = Vec::new();
        for arg in &call.args {
            if let ArgValue::Table(TableArg { partition_by, .. }) | ArgValue::Query { partition_by, .. } = &arg.value {
                partitioned.extend(partition_by.iter().filter_map(column_name));
            }
            let relation = match &arg.value {
                ArgValue::Table(table) => self.table_arg(table),
                ArgValue::Query { query, partition_by, order_by } => {
                    let beside = self.scopes.pop();
                    let relation = self.query(query);
                    self.scopes.extend(beside);
                    let source = Source { parts: Vec::new(), relation: relation.clone(), qualified_only: false };
                    self.scopes.push(Scope { sources: vec![source], merged: Vec::new() });
                    partition_by.iter().for_each(|expr| self.row_expr(expr, UseKind::Partition));
                    order_by.iter().for_each(|item| self.row_expr(&item.expr, UseKind::Order));
                    self.scopes.pop();
                    relation
                }
                ArgValue::Expr(expr) => match &expr.kind {
                    ExprKind::Subquery(query) => self.query(query),
                    _ => {
                        let value = self.expr(expr);
                        scalar.add(value);
                        continue;
                    }
                },
                ArgValue::Descriptor(columns) => {
                    descriptors.extend(columns);
                    continue;
                }
                ArgValue::Star | ArgValue::Model(_) | ArgValue::Default => continue,
            };
            match &mut input {
                Some(input) => {
                    input.columns.extend(relation.columns);
                    input.open.extend(relation.open);
                }
                None => input = Some(relation),
            }
        }
        let Some(mut relation) = input else {
            let value = scalar.lifted(UseKind::Computed);
            self.row(value.clone(), UseKind::Join, call.span);
            return made_of(value, factor);
        };
        let mut time = Value::default();
        let source = Source { parts: Vec::new(), relation: relation.clone(), qualified_only: false };
        self.scopes.push(Scope { sources: vec![source], merged: Vec::new() });
        let notes = self.notes.len();
        for column in descriptors {
            let value = self.ident(column).lifted(UseKind::Window);
            time.add(value);
        }
        if !is_window(&function) {
            // What a function does with a name is its own affair: it may be one that it makes.
            self.notes.truncate(notes);
        }
        self.scopes.pop();
        if function == "SESSION" {
            // A session is found among the rows of a partition.
            let parts: Vec<Value> = self.rows.iter().skip(before).map(|(value, _)| value.clone()).collect();
            let of_partition = |used: &super::scope::Use| used.kind == UseKind::Partition;
            for mut part in parts {
                part.uses.retain(of_partition);
                time.add(part);
            }
        }
        self.row(time.clone(), UseKind::Window, call.span);
        let span = call.span;
        if is_window(&function) {
            for name in ["window_start", "window_end", "window_time"] {
                relation.columns.push(RelationColumn { name: name.to_owned(), value: time.clone(), span });
            }
        } else {
            // A model's output is made of the columns that it is given, whatever they are called; the rows pass.
            let predicts = function == "ML_PREDICT";
            let taken = if predicts {
                "taken to be made of what the model is given"
            } else {
                "taken to be made of all its input"
            };
            let text = format!("the columns that `{}` adds are not known", call.name.dotted());
            self.notes.push(Diagnostic::warning(code::OPAQUE, text).at(call.name.span, taken));
            let mut all = if predicts { Value::default() } else { relation.all().lifted(UseKind::Computed) };
            all.add(scalar);
            all.add(time);
            self.row(all.clone().placed(span), UseKind::Unknown, span);
            // The built-in ones pass their input on; others do so for what they partition by, and who knows what else.
            if !predicts && function != "VECTOR_SEARCH" {
                relation.columns.retain(|column| partitioned.contains(&column.name));
                relation.open.clear();
            }
            relation.open.push(Open::Value(all));
        }
        relation
    }

    fn match_recognize(&mut self, input: &Factor, clause: &MatchClause) -> Relation {
        self.scopes.push(Scope::default());
        self.factor(input);
        let mut result = Relation::default();
        for expr in &clause.partition_by {
            let value = self.expr(expr);
            if let ExprKind::Column(name) = &expr.kind {
                result.columns.push(RelationColumn {
                    name: name.last().name.clone(),
                    value: value.clone(),
                    span: expr.span,
                });
            }
            self.row(value, UseKind::Partition, expr.span);
        }
        clause.order_by.iter().for_each(|item| self.row_expr(&item.expr, UseKind::Order));
        if let Some(scope) = self.scopes.last_mut() {
            let mut rows = Relation::default();
            for source in &scope.sources {
                rows.columns.extend(source.relation.columns.iter().cloned());
                rows.open.extend(source.relation.open.iter().cloned());
            }
            let variables = clause.variables.iter().map(|variable| Source {
                parts: vec![variable.name.clone()],
                relation: rows.clone(),
                qualified_only: true,
            });
            scope.sources.splice(0..0, variables);
        }
        clause.define.iter().for_each(|(_, condition)| self.row_expr(condition, UseKind::Pattern));
        for (expr, name) in &clause.measures {
            let value = self.expr(expr).lifted(UseKind::Computed);
            result.columns.push(RelationColumn { name: name.name.clone(), value, span: expr.span });
        }
        self.scopes.pop();
        result
    }
}

fn column_name(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Column(name) => Some(name.last().name.clone()),
        ExprKind::Nested(inner) => column_name(inner),
        _ => None,
    }
}

/// Columns that are all made of one value: named by the alias, or not known.
fn made_of(value: Value, factor: &Factor) -> Relation {
    if factor.alias_columns.is_empty() {
        return Relation { columns: Vec::new(), open: vec![Open::Value(value)] };
    }
    let column = |name: &crate::sql::tree::Ident| RelationColumn {
        name: name.name.clone(),
        value: value.clone(),
        span: name.span,
    };
    Relation { columns: factor.alias_columns.iter().map(column).collect(), open: Vec::new() }
}
