//! The sources of `FROM`.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::UseKind;
use super::float::Float;
use super::form::Form;
use super::made::Value;
use super::misplaced::Place;
use super::relation::{Open, Relation, RelationColumn};
use super::scope::{Scope, Source};
use super::select::Walker;
use super::views::own_columns;
use crate::diagnostic::{Diagnostic, Span};
use crate::sql::code;
use crate::sql::functions::{is_non_deterministic, is_window};
use crate::sql::steps;
use crate::sql::tree::{ArgValue, Call, Expr, ExprKind, Factor, FactorKind, Ident, MatchClause, ObjectName, TableArg};

/// The function that asks a model.
const PREDICT: &str = "ML_PREDICT";

impl Walker<'_> {
    /// Makes one table the only source.
    pub fn open_table(&mut self, name: &ObjectName) {
        let relation = self.table(name);
        let parts = name.parts.iter().map(|part| part.name.clone()).collect();
        self.scopes.push(Scope::of(vec![Source { parts, relation, qualified_only: false }]));
    }

    pub fn factor(&mut self, factor: &Factor) {
        let mut parts = Vec::new();
        let relation = match &factor.kind {
            FactorKind::Table { name, system_time, .. } => {
                system_time.iter().for_each(|time| self.row_expr(time, UseKind::Join));
                parts = name.parts.iter().map(|part| part.name.clone()).collect();
                self.table(name)
            }
            FactorKind::Derived { lateral: true, query } => self.query(query),
            FactorKind::Derived { lateral: false, query } => {
                let beside = self.scopes.pop();
                let relation = self.query(query);
                self.scopes.extend(beside);
                relation
            }
            FactorKind::Function { call, .. } => self.function(call, factor),
            FactorKind::Unnest { expr, ordinality } => {
                let value = self.expr(expr);
                let names = columns_of(&value.form, *ordinality, factor.alias.as_ref());
                let value = value.lifted(UseKind::Computed).formed(Form::Unknown);
                self.row(value.clone(), UseKind::Join, expr.span);
                names.map_or_else(|| made_of(&value, factor), |names| elements(&value, names, factor.span))
            }
            FactorKind::Nested(inner) => return self.table_expr(inner),
            FactorKind::Match { input, clause } => self.match_recognize(input, clause),
        };
        if !matches!(factor.kind, FactorKind::Function { .. } | FactorKind::Match { .. }) {
            self.width(&relation, &factor.alias_columns);
        }
        let relation = relation.renamed(factor.alias_columns.iter().map(|column| column.name.as_str()));
        if let Some(alias) = &factor.alias {
            parts = vec![alias.name.clone()];
        }
        self.source_twice(factor, &parts);
        if let Some(scope) = self.scopes.last_mut() {
            scope.push(Source { parts, relation, qualified_only: false });
        }
    }

    /// Notes a source whose name another source of the select has.
    fn source_twice(&mut self, factor: &Factor, parts: &[String]) {
        let (Some(name), Some(scope)) = (parts.last(), self.scopes.last()) else { return };
        if scope.place(&[name]).is_some() {
            let text = format!("`FROM` has two sources that are called `{name}`");
            let note = Diagnostic::error(code::SOURCE_TWICE, text).at(factor.span, "again");
            self.notes.push(note.help("give one of them another name: AS and an alias"));
        }
    }

    /// A CTE, a view or a table by its name.
    pub fn table(&mut self, name: &ObjectName) -> Arc<Relation> {
        steps::count(1);
        if let [only] = name.parts.as_slice()
            && let Some(relation) = self.ctes.get(&only.name).and_then(|known| known.last())
        {
            return Arc::clone(relation);
        }
        let catalog = self.catalog;
        let Some((key, table)) = catalog.find_in(self.session, name) else {
            let text = format!("the columns of table `{}` are not known", name.dotted());
            self.notes.push(Diagnostic::warning(code::UNKNOWN_TABLE, text).at(name.span, "no definition found"));
            return Arc::new(Relation::new(Vec::new(), vec![Open::Table(name.last().name.as_str().into())]));
        };
        let Some(known) = self.views.get(key) else { return Arc::new(own_columns(key, table)) };
        if !known.rows.is_empty() {
            self.rows.push((known.rows.clone(), name.span));
        }
        Arc::clone(&known.relation)
    }

    /// The rows of a table argument.
    pub fn table_arg(&mut self, table: &TableArg) -> Arc<Relation> {
        let relation = self.table(&table.name);
        let parts = table.name.parts.iter().map(|part| part.name.clone()).collect();
        self.scopes.push(Scope::of(vec![Source { parts, relation: Arc::clone(&relation), qualified_only: false }]));
        table.partition_by.iter().for_each(|expr| self.row_expr(expr, UseKind::Partition));
        table.order_by.iter().for_each(|item| self.row_expr(&item.expr, UseKind::Order));
        self.scopes.pop();
        relation
    }

    /// A table-valued function.
    fn function(&mut self, call: &Call, factor: &Factor) -> Arc<Relation> {
        let function = call.name.last().name.to_ascii_uppercase();
        let mut input: Option<Relation> = None;
        let mut scalar = Value::default();
        let mut descriptors = Vec::new();
        let before = self.rows.len();
        let mut partitioned = BTreeSet::new();
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
                    self.scopes.push(unnamed(&relation));
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
                    input.columns_mut().extend(relation.columns().iter().cloned());
                    input.open.extend(relation.open.iter().cloned());
                }
                None => input = Some(Arc::unwrap_or_clone(relation)),
            }
        }
        let Some(relation) = input.map(Arc::new) else {
            let value = scalar.lifted(UseKind::Computed).formed(Form::Unknown).floating(Float::Double);
            let value = self.answer(value, UseKind::Join, call);
            return made_of(&value, factor);
        };
        let mut time = Value::default();
        self.scopes.push(unnamed(&relation));
        let notes = self.notes.len();
        // A descriptor names a column, never a field of one.
        let bare_fields = std::mem::replace(&mut self.bare_fields, false);
        for column in descriptors {
            let value = self.ident(column);
            let value = if is_window(&function) { value.lifted(UseKind::Window) } else { value };
            time.add(value);
        }
        self.bare_fields = bare_fields;
        if !is_window(&function) {
            // What a function does with a name is its own affair: it may be one that it makes.
            self.notes.truncate(notes);
        }
        self.scopes.pop();
        if function == "SESSION" {
            // A session is found among the rows of a partition.
            let parts: Vec<Value> = self.rows.iter().skip(before).map(|(value, _)| value.clone()).collect();
            parts.into_iter().for_each(|part| time.add(part.only(UseKind::Partition)));
        }
        let span = call.span;
        let mut relation = Arc::unwrap_or_clone(relation);
        if is_window(&function) {
            self.row(time.clone(), UseKind::Window, span);
            for name in ["window_start", "window_end", "window_time"] {
                let value = time.clone().formed(Form::Plain(Float::No));
                relation.columns_mut().push(RelationColumn { name: name.into(), value, span });
            }
        } else {
            let predicts = function == PREDICT;
            // A model's output is made of the columns that it is given, whatever they are called; the rows pass.
            let taken = if predicts {
                "taken to be made of what the model is given"
            } else {
                "taken to be made of all its input"
            };
            let text = format!("the columns that `{}` adds are not known", call.name.dotted());
            self.notes.push(Diagnostic::warning(code::OPAQUE, text).at(call.name.span, taken));
            let mut all = if predicts { Value::default() } else { relation.all().lifted(UseKind::Computed) };
            all.add(scalar);
            all.add(time.lifted(UseKind::Computed));
            all.float = Float::Double;
            let all = self.answer(all, UseKind::Unknown, call);
            // The built-in ones pass their input on; others do so for what they partition by, and who knows what else.
            if !predicts && function != "VECTOR_SEARCH" {
                relation.columns_mut().retain(|column| partitioned.contains(&*column.name));
                relation.open.clear();
            }
            relation.open.push(Open::Value(all));
        }
        Arc::new(relation)
    }

    /// What a function of a table answers, whose rows are decided by what it is asked with.
    fn answer(&mut self, asked: Value, kind: UseKind, call: &Call) -> Value {
        let function = call.name.last().name.to_ascii_uppercase();
        let mut answer = asked.clone();
        if is_non_deterministic(&function, call.args.len()) {
            answer.call(call.name.span);
        }
        // A model is asked for each row, and answers with one.
        let rows = if function == PREDICT { asked } else { answer.clone() };
        self.row(rows.placed(call.span), kind, call.span);
        answer
    }

    fn match_recognize(&mut self, input: &Factor, clause: &MatchClause) -> Arc<Relation> {
        self.scopes.push(Scope::default());
        self.factor(input);
        let mut columns = Vec::new();
        for expr in &clause.partition_by {
            let value = self.expr(expr);
            if let ExprKind::Column(name) = &expr.kind {
                let name = name.last().name.as_str().into();
                columns.push(RelationColumn { name, value: value.clone(), span: expr.span });
            }
            self.row(value, UseKind::Partition, expr.span);
        }
        clause.order_by.iter().for_each(|item| self.row_expr(&item.expr, UseKind::Order));
        if let Some(scope) = self.scopes.last_mut() {
            let sources = scope.take();
            let columns = sources.iter().flat_map(|source| source.relation.columns()).cloned().collect();
            let open = sources.iter().flat_map(|source| &source.relation.open).cloned().collect();
            let rows = Arc::new(Relation::new(columns, open));
            let variables = clause.variables.iter().map(|variable| Source {
                parts: vec![variable.name.clone()],
                relation: Arc::clone(&rows),
                qualified_only: true,
            });
            *scope = Scope::of(variables.chain(sources).collect());
        }
        self.in_place(Place::Pattern, |walker| {
            clause.define.iter().for_each(|(_, condition)| walker.row_expr(condition, UseKind::Pattern));
            for (expr, name) in &clause.measures {
                let value = walker.expr(expr).lifted(UseKind::Computed);
                columns.push(RelationColumn { name: name.name.as_str().into(), value, span: expr.span });
            }
        });
        self.scopes.pop();
        Arc::new(Relation::new(columns, Vec::new()))
    }
}

/// One source without a name.
fn unnamed(relation: &Arc<Relation>) -> Scope {
    Scope::of(vec![Source { parts: Vec::new(), relation: Arc::clone(relation), qualified_only: false }])
}

fn column_name(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Column(name) => Some(name.last().name.clone()),
        ExprKind::Nested(inner) => column_name(inner),
        _ => None,
    }
}

/// The columns that a collection is expanded to, if its type is known. A single one has the name of the alias.
fn columns_of(form: &Form, ordinality: bool, alias: Option<&Ident>) -> Option<Vec<(String, Form)>> {
    let mut names = form.expanded()?;
    if let ([(name, _)], Some(alias)) = (names.as_mut_slice(), alias) {
        name.clone_from(&alias.name);
    }
    if ordinality {
        names.push(("ORDINALITY".to_owned(), Form::Plain(Float::No)));
    }
    Some(names)
}

/// Columns that are all made of one value.
fn elements(value: &Value, names: Vec<(String, Form)>, span: Span) -> Arc<Relation> {
    let column = |(name, form): (String, Form)| {
        let value = value.clone().floating(form.float()).formed(form);
        RelationColumn { name: name.into(), value, span }
    };
    Arc::new(Relation::new(names.into_iter().map(column).collect(), Vec::new()))
}

/// Columns that are all made of one value: named by the alias, or not known.
fn made_of(value: &Value, factor: &Factor) -> Arc<Relation> {
    if factor.alias_columns.is_empty() {
        return Arc::new(Relation::new(Vec::new(), vec![Open::Value(value.clone())]));
    }
    let column =
        |name: &Ident| RelationColumn { name: name.name.as_str().into(), value: value.clone(), span: name.span };
    Arc::new(Relation::new(factor.alias_columns.iter().map(column).collect(), Vec::new()))
}
