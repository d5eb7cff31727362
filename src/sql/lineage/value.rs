//! The value of an expression, and what a name stands for.

use super::UseKind;
use super::made::Value;
use super::scope::Open;
use super::select::Walker;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::column::ColumnType;
use crate::sql::code;
use crate::sql::functions::{is_aggregate, is_non_deterministic, is_order_sensitive, sums_up};
use crate::sql::reach::Reach;
use crate::sql::steps;
use crate::sql::tree::{BinaryOperator, Call, Expr, ExprKind, Ident, Literal, ObjectName, Query, WindowSpec};
use crate::sql::walk::{Child, args_children, children};

impl Walker<'_> {
    pub(super) fn expr(&mut self, expr: &Expr) -> Value {
        steps::count(1);
        match &expr.kind {
            ExprKind::Column(name) => self.column(name),
            ExprKind::Literal(literal) => Value::literal(matches!(literal, Literal::Approximate(_))),
            ExprKind::Nested(inner) => self.expr(inner),
            ExprKind::Call(call) => self.call(call),
            ExprKind::Subquery(query) | ExprKind::CollectionQuery(query) => {
                self.subquery(query).lifted(UseKind::Computed)
            }
            ExprKind::Cast { ty, .. } => {
                let mut value = self.parts(expr);
                value.float = matches!(ty.ty, ColumnType::Float | ColumnType::Double);
                value
            }
            ExprKind::Binary { operators, .. } => {
                use BinaryOperator as B;
                let arithmetic = [B::Plus, B::Minus, B::Multiply, B::Divide, B::Modulo];
                let mut value = self.parts(expr);
                value.float &= operators.iter().all(|operator| arithmetic.contains(operator));
                value
            }
            _ => self.parts(expr),
        }
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

    fn subquery(&mut self, query: &Query) -> Value {
        self.inside += 1;
        let value = self.query(query).all();
        self.inside -= 1;
        value
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
            Child::Query(query) => self.subquery(query),
            Child::Table(table) => self.table_arg(table).all(),
            Child::Descriptor(column) => self.ident(column),
        }
    }

    fn call(&mut self, call: &Call) -> Value {
        let function = call.name.last().name.to_ascii_uppercase();
        let kind = if is_aggregate(&function) { UseKind::Aggregated } else { UseKind::Computed };
        let mut args = Value::default();
        args_children(call, &mut |child| {
            let part = self.child(child);
            args.add(part);
        });
        let sums = args.float && sums_up(&function);
        if sums {
            self.float_aggregates.push(call.span);
        }
        let mut value = args.lifted(kind);
        if sums || is_order_sensitive(&function) || is_non_deterministic(&function, call.args.len()) {
            value.call(call.span);
        }
        value.float &= !matches!(function.as_str(), "COUNT" | "ROW_NUMBER" | "RANK" | "DENSE_RANK");
        for item in &call.order_by {
            let order = self.expr(&item.expr);
            value.add(order.lifted(UseKind::Order).besides());
        }
        if let Some(filter) = &call.filter {
            let filter = self.expr(filter);
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
        if let Some(base) = &window.base
            && let Some(named) = self.named_window(&base.name)
        {
            value.add(named);
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

    /// What a name stands for, from the nearest select outwards.
    pub(super) fn column(&mut self, name: &ObjectName) -> Value {
        let parts: Vec<&str> = name.parts.iter().map(|part| part.name.as_str()).collect();
        let span = name.span;
        let mut maybe: Vec<Open> = Vec::new();
        for scope in self.scopes.iter_mut().rev() {
            for count in (1..=Reach::leading(parts.len(), 1)).rev() {
                let (Some(leading), Some(column)) = (parts.get(..count), parts.get(count)) else { continue };
                let Some(source) = scope.named(leading) else { continue };
                let value = match source.relation.column(column) {
                    Some(found) => Some(found.value.clone()),
                    None => {
                        let open = || source.relation.open.first().map(|open| open.column(column, UseKind::Direct));
                        source.relation.hidden(column).or_else(open)
                    }
                };
                if let Some(value) = value {
                    return field(value, parts.len() > count + 1).placed(span);
                }
            }
            let Some(first) = parts.first() else { continue };
            let places = scope.having(first, 0);
            let mut found: Vec<Value> = places.iter().filter_map(|place| scope.value(*place, first)).cloned().collect();
            if found.is_empty() {
                found = scope.hidden(first);
            }
            if !found.is_empty() {
                let ambiguous = found.len() > 1 && !scope.is_merged(first);
                let mut value = Value::default();
                found.into_iter().for_each(|one| value.add(one));
                if ambiguous {
                    let text = format!("column `{first}` could come from more than one source");
                    self.notes.push(Diagnostic::warning(code::AMBIGUOUS_COLUMN, text).at(span, "qualify it"));
                    value = value.lifted(UseKind::Computed);
                }
                // A source nearer by may have the column as well.
                maybe.iter().for_each(|open| value.add(open.column(first, UseKind::Unknown)));
                return field(value, parts.len() > 1).placed(span);
            }
            maybe.extend(scope.open().cloned());
        }
        self.open_column(&parts, maybe, span)
    }

    /// A column that no known source has.
    fn open_column(&mut self, parts: &[&str], maybe: Vec<Open>, span: Span) -> Value {
        let name = parts.first().copied().unwrap_or("");
        match maybe.as_slice() {
            [only] => return field(only.column(name, UseKind::Direct), parts.len() > 1).placed(span),
            [] => {
                let text = format!("column `{}` is in no table of this query", parts.join("."));
                self.notes.push(Diagnostic::warning(code::UNKNOWN_COLUMN, text).at(span, "not found"));
            }
            _ => {
                let text = format!("column `{name}` could come from any table whose columns are not known");
                self.notes.push(Diagnostic::warning(code::AMBIGUOUS_COLUMN, text).at(span, "qualify it"));
            }
        }
        let mut value = Value::default();
        maybe.iter().for_each(|open| value.add(open.column(name, UseKind::Unknown)));
        value.placed(span)
    }
}

/// A field of a value is computed from it.
fn field(value: Value, is_field: bool) -> Value {
    if is_field { value.lifted(UseKind::Computed) } else { value }
}
