//! The value of an expression, and what a name stands for.

use super::UseKind;
use super::columns::{counted, width};
use super::form::{Form, of_kind};
use super::made::Value;
use super::scope::{Open, Scope, Source};
use super::select::Walker;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::column::ColumnType;
use crate::sql::code;
use crate::sql::functions::{is_aggregate_call, is_non_deterministic, is_order_sensitive, sums_up};
use crate::sql::reach::Reach;
use crate::sql::steps;
use crate::sql::tree::{
    AccessStep, BinaryOperator, Call, Expr, ExprKind, Ident, Literal, ObjectName, Query, WindowSpec,
};
use crate::sql::walk::{Child, args_children, children};

impl Walker<'_> {
    pub(super) fn expr(&mut self, expr: &Expr) -> Value {
        steps::count(1);
        let value = self.unformed(expr);
        match of_kind(&expr.kind) {
            Some(form) => value.formed(form),
            None => value,
        }
    }

    /// The value of an expression; its form is that of its parts.
    fn unformed(&mut self, expr: &Expr) -> Value {
        match &expr.kind {
            ExprKind::Column(name) if is_pi(name) => Value::literal(true),
            ExprKind::Column(name) => self.column(name),
            ExprKind::Literal(literal) => Value::literal(matches!(literal, Literal::Approximate(_))),
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
        value.lifted(UseKind::Computed).formed(form)
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

    /// What a name stands for, from the nearest select outwards.
    pub(super) fn column(&mut self, name: &ObjectName) -> Value {
        let parts: Vec<&str> = name.parts.iter().map(|part| part.name.as_str()).collect();
        let mut search =
            Search { name, parts: &parts, bare_fields: self.bare_fields, maybe: Vec::new(), lacking: None };
        for scope in self.scopes.iter_mut().rev() {
            let found = search.qualified(scope, Scope::named).or_else(|| search.plain(scope));
            let found = found.or_else(|| search.qualified(scope, Scope::named_in_full));
            let Some(Match { values, leading, unclear }) = found else {
                continue;
            };
            let mut value = Value::default();
            values.into_iter().for_each(|one| value.add(one));
            if let Some(unclear) = unclear {
                self.notes.push(ambiguity(&parts, leading, &unclear, name.span));
                value = value.lifted(UseKind::Computed).formed(Form::Unknown);
            }
            // A source nearer by may have the column as well.
            let first = parts.first().copied().unwrap_or("");
            search.maybe.iter().for_each(|open| value.add(open.column(first, UseKind::Unknown)));
            let form = search.form(&value.form, leading);
            let value = if parts.len() > leading { value.lifted(UseKind::Computed) } else { value };
            return value.formed(form.unwrap_or_default()).placed(name.span);
        }
        let Search { maybe, lacking, .. } = search;
        match lacking {
            Some((value, leading)) if maybe.is_empty() => {
                let mut form = value.form.clone();
                for at in leading..parts.len() {
                    let (Some(field), Some(owner)) = (name.parts.get(at), parts.get(at - 1)) else { break };
                    match form.field_within(&field.name) {
                        Some(next) => form = next,
                        None => {
                            let from = name.parts.get(leading - 1).map_or(name.span.start, |part| part.span.start);
                            let span = Span::new(from, field.span.end);
                            self.notes.push(no_field(&format!("`{owner}`"), &form, field, span));
                            break;
                        }
                    }
                }
                value.lifted(UseKind::Computed).formed(Form::Unknown).placed(name.span)
            }
            _ => self.open_column(&parts, maybe, name.span),
        }
    }

    /// A column that no known source has.
    fn open_column(&mut self, parts: &[&str], maybe: Vec<Open>, span: Span) -> Value {
        let name = parts.first().copied().unwrap_or("");
        match maybe.as_slice() {
            [only] => {
                let value = only.column(name, UseKind::Direct);
                let value = if parts.len() > 1 { value.lifted(UseKind::Computed) } else { value };
                return value.formed(Form::Unknown).placed(span);
            }
            [] => {
                if let Some(value) = self.of_select_list(parts, span) {
                    return value;
                }
                let text = format!("column `{}` is in no table of this query", parts.join("."));
                let note = Diagnostic::error(code::UNKNOWN_COLUMN, text).at(span, "not found");
                let choices = self.scopes.last().and_then(|scope| choices(scope, parts));
                self.notes.push(Diagnostic { help: choices, ..note });
            }
            _ => {
                let text = format!("column `{name}` could come from any table whose columns are not known");
                self.notes.push(Diagnostic::warning(code::OPAQUE, text).at(span, "qualify it"));
            }
        }
        let mut value = Value::default();
        maybe.iter().for_each(|open| value.add(open.column(name, UseKind::Unknown)));
        value.formed(Form::Unknown).placed(span)
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

/// What a name is looked for with.
struct Search<'n> {
    name: &'n ObjectName,
    parts: &'n [&'n str],
    bare_fields: bool,
    /// What it could be besides, in the scopes that were looked at.
    maybe: Vec<Open>,
    /// The first column that the first parts name and that has no such field, and how many parts those are.
    lacking: Option<(Value, usize)>,
}

/// What a name stands for.
struct Match {
    /// What it is made of, more than one where the name is not clear, or where columns were made one.
    values: Vec<Value>,
    /// How many parts of the name lead to it; the others are fields of it.
    leading: usize,
    /// Why it is not clear which one is meant.
    unclear: Option<Unclear>,
}

/// Why a name could be one of several.
enum Unclear {
    /// Sources of these names have such a column; nothing where one has no name.
    Sources(Vec<String>),
    /// Rows in several columns have such a field.
    Rows,
    /// Several columns of a source have this name.
    Columns,
}

impl Search<'_> {
    /// A column of a source that the name's first parts name; `by` says which.
    fn qualified(&mut self, scope: &Scope, by: for<'s> fn(&'s Scope, &[&str]) -> Option<&'s Source>) -> Option<Match> {
        for count in (1..=Reach::leading(self.parts.len(), 1)).rev() {
            let (Some(leading), Some(column)) = (self.parts.get(..count), self.parts.get(count)) else { continue };
            let Some(source) = by(scope, leading) else { continue };
            let relation = &source.relation;
            let known = relation.column(column).map(|found| found.value.clone());
            if let Some(mut found) = known.and_then(|value| self.fits(value, count + 1)) {
                found.unclear = relation.has_twice(column).then_some(Unclear::Columns);
                return Some(found);
            }
            let fields = if self.bare_fields { relation.fields().named(column) } else { &[] };
            if let Some(found) = self.fields(fields.to_vec(), count + 1) {
                return Some(found);
            }
            let open = || relation.open.first().map(|open| open.column(column, UseKind::Direct).formed(Form::Unknown));
            let unknown = || relation.fields().unknown().filter(|_| self.bare_fields).cloned();
            if let Some(value) = relation.hidden(column).or_else(open).or_else(unknown) {
                return Some(Match { values: vec![value], leading: count + 1, unclear: None });
            }
        }
        None
    }

    /// A column of any source.
    fn plain(&mut self, scope: &mut Scope) -> Option<Match> {
        let first = *self.parts.first()?;
        let places = scope.having(first, 0);
        let mut values: Vec<Value> = places.iter().filter_map(|at| scope.value(*at, first)).cloned().collect();
        if values.is_empty() {
            values = scope.hidden(first);
        }
        match values.as_slice() {
            [] => {}
            [only] => {
                if let Some(mut found) = self.fits(only.clone(), 1) {
                    let mut sources = places.iter().filter_map(|at| scope.sources().get(*at));
                    let twice = sources.any(|source| source.relation.has_twice(first));
                    found.unclear = twice.then_some(Unclear::Columns);
                    return Some(found);
                }
            }
            _ => {
                let unclear = (!scope.is_merged(first)).then(|| Unclear::Sources(scope.names(&places, LISTED)));
                return Some(Match { values, leading: 1, unclear });
            }
        }
        let fields = if self.bare_fields { scope.fields(first) } else { Vec::new() };
        if let Some(found) = self.fields(fields, 1) {
            return Some(found);
        }
        self.maybe.extend(scope.open().cloned());
        if self.bare_fields {
            self.maybe.extend(scope.unknown_fields().into_iter().map(Open::Value));
        }
        None
    }

    /// The column, if the parts of the name behind it may be its fields.
    fn fits(&mut self, value: Value, leading: usize) -> Option<Match> {
        if self.form(&value.form, leading).is_some() {
            return Some(Match { values: vec![value], leading, unclear: None });
        }
        self.lacking.get_or_insert((value, leading));
        None
    }

    fn fields(&mut self, values: Vec<Value>, leading: usize) -> Option<Match> {
        match values.as_slice() {
            [] => None,
            [only] => self.fits(only.clone(), leading),
            _ => Some(Match { values, leading, unclear: Some(Unclear::Rows) }),
        }
    }

    /// The form of what the parts behind the `leading` ones lead to; `None` if there are surely no such fields.
    fn form(&self, form: &Form, leading: usize) -> Option<Form> {
        let mut form = form.clone();
        for field in self.name.parts.get(leading..).unwrap_or(&[]) {
            form = form.field_within(&field.name)?;
        }
        Some(form)
    }
}

/// How many names are listed in a way out.
const LISTED: usize = 12;

/// The columns of the sources in reach, or of the one that the name's first parts name, for people.
fn choices(scope: &Scope, parts: &[&str]) -> Option<String> {
    let of = |source: &Source| {
        let columns = source.relation.columns();
        let names: Vec<&str> = columns.iter().take(LISTED).map(|column| &*column.name).collect();
        let more = columns.len().saturating_sub(LISTED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let name =
            if source.parts.is_empty() { "the source".to_owned() } else { format!("`{}`", source.parts.join(".")) };
        (!names.is_empty()).then(|| format!("{name} has {}{more}", names.join(", ")))
    };
    let named = parts.split_last().and_then(|(_, leading)| scope.named(leading));
    let all: Vec<String> = match named {
        Some(source) => of(source).into_iter().collect(),
        None => scope.sources().iter().filter_map(of).take(LISTED).collect(),
    };
    (!all.is_empty()).then(|| format!("correct the name: {}", all.join("; ")))
}

/// A name that could be one of several columns.
fn ambiguity(parts: &[&str], leading: usize, unclear: &Unclear, span: Span) -> Diagnostic {
    let column = parts.get(leading.saturating_sub(1)).copied().unwrap_or("");
    let (what, help) = match unclear {
        Unclear::Rows => ("row", "write the column in front that it is a field of".to_owned()),
        Unclear::Columns => {
            ("column of its source", "give each of them a name of its own there: AS and an alias".to_owned())
        }
        Unclear::Sources(names) if names.is_empty() => {
            ("source", "give each source a name of its own, and write the one that is meant in front".to_owned())
        }
        Unclear::Sources(names) => {
            let choices: Vec<String> = names.iter().map(|name| format!("`{name}.{column}`")).collect();
            ("source", format!("write which one is meant: {}", choices.join(" or ")))
        }
    };
    let text = format!("column `{column}` could come from more than one {what}");
    Diagnostic::error(code::AMBIGUOUS_COLUMN, text).at(span, "qualify it").help(help)
}

/// A field that a row does not have.
fn no_field(owner: &str, form: &Form, field: &Ident, span: Span) -> Diagnostic {
    let text = format!("{owner} has no field `{}`", field.name);
    let help = match form.fields() {
        Some(fields) => {
            let fields: Vec<&str> = fields.iter().take(LISTED).map(|field| field.name.as_str()).collect();
            format!("correct the name: {owner} has {}", fields.join(", "))
        }
        None => format!("correct the name: {owner} is no row"),
    };
    Diagnostic::error(code::UNKNOWN_FIELD, text).at(span, "not found").help(help)
}
