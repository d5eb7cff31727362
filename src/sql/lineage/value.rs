//! The value of an expression.

use super::UseKind;
use super::columns::{counted, width};
use super::float::Float;
use super::form::{Form, of_kind};
use super::made::Value;
use super::name::no_field;
use super::select::Walker;
use crate::sql::functions::{is_aggregate_call, is_non_deterministic, is_order_sensitive, sums_up};
use crate::sql::steps;
use crate::sql::tree::{AccessStep, BinaryOperator, Call, Expr, ExprKind, Ident, ObjectName, Query, WindowSpec};
use crate::sql::walk::{Child, args_children, children};

impl Walker<'_> {
    pub(super) fn expr(&mut self, expr: &Expr) -> Value {
        steps::count(1);
        let mut value = self.unformed(expr);
        value.float = Float::of_kind(&expr.kind).unwrap_or(value.float);
        match of_kind(&expr.kind) {
            Some(form) => value.formed(form),
            None => value,
        }
    }

    /// The value of an expression; its form and whether it is a floating-point number go by its parts.
    fn unformed(&mut self, expr: &Expr) -> Value {
        match &expr.kind {
            ExprKind::Column(name) if is_pi(name) => Value::literal().floating(Float::Double),
            ExprKind::Column(name) => self.column(name),
            ExprKind::Literal(_) => Value::literal(),
            ExprKind::Nested(inner) => self.expr(inner),
            ExprKind::Call(call) => self.call(call),
            ExprKind::Subquery(query) => self.subquery(query, Some(1)).lifted(UseKind::Computed),
            ExprKind::CollectionQuery(query) => self.subquery(query, None).lifted(UseKind::Computed),
            ExprKind::InQuery { operand, query, .. } => {
                let mut value = self.expr(operand);
                let wanted = columns_of(operand).or_else(|| (!value.form.is_row()).then_some(1));
                value.add(self.subquery(query, wanted));
                value.lifted(UseKind::Computed)
            }
            ExprKind::Access { operand, steps } => self.access(operand, steps),
            _ => self.parts(expr),
        }
    }

    /// What steps into a value lead to.
    fn access(&mut self, operand: &Expr, steps: &[AccessStep]) -> Value {
        let mut value = self.expr(operand);
        let mut form = value.form.clone();
        for step in steps {
            form = match step {
                AccessStep::Index(index) => {
                    let part = self.expr(index);
                    value.add(part);
                    form.element()
                }
                AccessStep::Field(field) => {
                    let next = form.field(&field.name);
                    if next.is_none() {
                        self.notes.push(no_field("the row", &form, field, field.span));
                    }
                    next.unwrap_or_default()
                }
                AccessStep::Star => Form::Unknown,
            };
        }
        value.lifted(UseKind::Computed).floating(form.float()).formed(form)
    }

    /// Everything an expression is made of.
    fn parts(&mut self, expr: &Expr) -> Value {
        let mut value = Value::default();
        children(expr, &mut |child| {
            let part = self.child(child);
            value.add(part);
        });
        value.lifted(UseKind::Computed)
    }

    /// The value of a query in an expression, which is to give `wanted` columns.
    fn subquery(&mut self, query: &Query, wanted: Option<usize>) -> Value {
        self.inside += 1;
        let relation = self.query(query);
        self.inside -= 1;
        let given = relation.columns().len();
        if let Some(wanted) = wanted.filter(|wanted| relation.open.is_empty() && given != *wanted) {
            let text = format!("this query gives {}, where {wanted} is expected", counted(given));
            let text = if wanted == 1 { text } else { text.replace(" is expected", " are expected") };
            self.notes.push(width(text, query.span, "another number of columns"));
        }
        relation.all()
    }

    /// Notes the columns that `condition` makes equal, where it stands alone or is joined by `AND`.
    pub(super) fn equalities(&mut self, condition: &Expr) {
        match &condition.kind {
            ExprKind::Nested(inner) => self.equalities(inner),
            ExprKind::Binary { operators, operands } if operators.iter().all(|o| *o == BinaryOperator::And) => {
                operands.iter().for_each(|operand| self.equalities(operand));
            }
            ExprKind::Binary { operators, operands } if self.inside == 0 => {
                let ([BinaryOperator::Equal], [left, right]) = (operators.as_slice(), operands.as_slice()) else {
                    return;
                };
                // Both were looked at before: what is to be said of them has been said.
                let (notes, sides) = (self.notes.len(), [self.passed_on(left), self.passed_on(right)]);
                self.notes.truncate(notes);
                if let [Some(left), Some(right)] = sides {
                    self.equal.push([left, right]);
                }
            }
            _ => {}
        }
    }

    /// The only column of a table that an expression passes on as it is.
    fn passed_on(&mut self, expr: &Expr) -> Option<(String, String)> {
        let ExprKind::Column(name) = &expr.kind else { return None };
        self.column(name).passed_on()
    }

    fn child(&mut self, child: Child<'_>) -> Value {
        match child {
            Child::Expr(expr) => self.expr(expr),
            Child::Query(query) => self.subquery(query, None),
            Child::Table(table) => self.table_arg(table).all(),
            Child::Descriptor(column) => self.ident(column),
        }
    }

    fn call(&mut self, call: &Call) -> Value {
        let function = call.name.last().name.to_ascii_uppercase();
        let kind = if is_aggregate_call(call) { UseKind::Aggregated } else { UseKind::Computed };
        let mut args = Value::default();
        let within = self.place_within(call, &function);
        self.in_place(within, |walker| {
            args_children(call, &mut |child| {
                let part = walker.child(child);
                args.add(part);
            });
        });
        let sums = args.float != Float::No && sums_up(&function);
        if sums {
            self.float_aggregates.push((call.span, args.float));
        }
        let mut value = args.lifted(kind);
        if sums || is_order_sensitive(&function) || is_non_deterministic(&function, call.args.len()) {
            value.call(call.span);
        }
        for item in &call.order_by {
            let order = self.expr(&item.expr);
            value.add(order.lifted(UseKind::Order).besides());
        }
        if let Some(filter) = &call.filter {
            let filter = self.single_rows("FILTER", |walker| walker.expr(filter));
            value.add(filter.lifted(UseKind::Filter).besides());
        }
        if let Some(over) = &call.over {
            let window = self.window(over);
            value.add(window);
        }
        value
    }

    fn window(&mut self, window: &WindowSpec) -> Value {
        let mut value = Value::default();
        if let Some(base) = &window.base {
            self.know_window(base);
            value.add(self.named_window(&base.name).unwrap_or_default());
        }
        value.add(self.window_parts(window));
        value.besides()
    }

    /// What is partitioned and ordered by in a window itself, without one that it builds on.
    pub(super) fn window_parts(&mut self, window: &WindowSpec) -> Value {
        let mut value = Value::default();
        for expr in &window.partition_by {
            let part = self.expr(expr);
            value.add(part.lifted(UseKind::Partition));
        }
        for item in &window.order_by {
            let part = self.expr(&item.expr);
            value.add(part.lifted(UseKind::Order));
        }
        value.besides()
    }

    pub(super) fn ident(&mut self, ident: &Ident) -> Value {
        self.column(&ObjectName { parts: vec![ident.clone()], span: ident.span })
    }
}

/// The only function of Flink that needs no brackets and is no word of the grammar. It is nearer than a column; in backquotes it is
/// none.
fn is_pi(name: &ObjectName) -> bool {
    name.span.end - name.span.start == 2 && name.last().name.eq_ignore_ascii_case("PI")
}

/// How many columns a row that is written out has.
fn columns_of(operand: &Expr) -> Option<usize> {
    match &operand.kind {
        ExprKind::Nested(inner) => columns_of(inner),
        ExprKind::Row(items) => Some(items.len()),
        _ => None,
    }
}
