//! The value of an expression.

use super::Walker;
use super::scope::{Column, Found, Grouping, Time, Value};
use super::window::Window;
use crate::model::column::{Column as Field, ColumnType, Nullable};
use crate::sql::functions::{is_aggregate, is_ranking};
use crate::sql::steps;
use crate::sql::tree::{
    AccessStep, ArgValue, BinaryOperator, Call, Expr, ExprKind, Literal, ObjectName, Query, UnaryOperator, WindowSpec,
};
use crate::sql::types::{self, Argument, common};

impl Walker<'_> {
    pub(super) fn expr(&mut self, expr: &Expr) -> Value {
        steps::count(1);
        match &expr.kind {
            ExprKind::Column(name) => self.column(name),
            ExprKind::Nested(inner) => self.expr(inner),
            ExprKind::Cast { operand, ty, safe } => {
                let value = self.expr(operand);
                let passes = value.ty.as_ref().is_some_and(|from| stays_different(&from.ty, &ty.ty));
                let nullable = *safe || value.ty.as_ref().is_none_or(|from| from.nullable);
                let known = *safe || value.ty.is_some();
                let ty = (known && types::is_exact(&ty.ty)).then(|| Nullable { ty: ty.ty.clone(), nullable });
                // Flink leaves out a cast that changes nothing; a time attribute's type is another.
                let same = value.time.is_none() && value.ty == ty;
                let window = value.window.filter(|_| same);
                Value { ty, from: value.from.filter(|_| passes), window, constant: value.constant, ..Value::default() }
            }
            ExprKind::Call(call) => {
                let name = call.name.last().name.to_ascii_uppercase();
                let property = name.rsplit_once('_').filter(|(window, _)| crate::sql::functions::is_window(window));
                let time = match property {
                    Some((_, "ROWTIME")) => Some(Time::Event),
                    Some((_, "PROCTIME")) => Some(Time::Processing),
                    _ => (name == "PROCTIME").then_some(Time::Processing),
                };
                let window = property.and(time).map(|_| Window::of_group());
                Value { ty: types::fits(self.call(call)), time, window, ..Value::default() }
            }
            ExprKind::Row(_) | ExprKind::Array(_) | ExprKind::Map(_) => {
                Value { ty: types::fits(self.computed_type(expr)), ..Value::default() }
            }
            ExprKind::Literal(_) => Value { ty: self.computed_type(expr), constant: true, ..Value::default() },
            _ => Value { ty: self.computed_type(expr), ..Value::default() },
        }
    }

    fn ty(&mut self, expr: &Expr) -> Option<Nullable> {
        self.expr(expr).ty
    }

    fn computed_type(&mut self, expr: &Expr) -> Option<Nullable> {
        match &expr.kind {
            ExprKind::Literal(literal) => literal_type(literal),
            ExprKind::Interval(_) => Some(types::interval()),
            ExprKind::Binary { operators, operands } => self.binary(operators, operands),
            ExprKind::Unary { operator: UnaryOperator::Not, operand } => self.truth(&[operand]),
            ExprKind::Unary { operand, .. } => self.ty(operand),
            ExprKind::Is { .. } | ExprKind::Exists(_) => Some(types::required(ColumnType::Boolean)),
            ExprKind::Between { operand, bounds, .. } => self.truth(&[operand, &bounds.0, &bounds.1]),
            ExprKind::Like { operands, .. } => self.truth(&operands.iter().collect::<Vec<_>>()),
            ExprKind::InList { operand, list, .. } => {
                let all: Vec<&Expr> = std::iter::once(&**operand).chain(list).collect();
                self.truth(&all)
            }
            ExprKind::Case { branches, otherwise, .. } => {
                let mut all = match otherwise {
                    Some(otherwise) => self.ty(otherwise),
                    None => Some(types::null()),
                };
                for (_, then) in branches {
                    let then = self.ty(then);
                    all = common(&all, &then);
                }
                all
            }
            ExprKind::Subquery(query) => self.single(query),
            ExprKind::Row(items) => {
                let field =
                    |(i, item): (usize, &Expr)| Some(Field { name: format!("EXPR${i}"), ty: plain(self.ty(item)?)? });
                let fields: Option<Vec<Field>> = items.iter().enumerate().map(field).collect();
                Some(types::required(ColumnType::Row(fields?)))
            }
            ExprKind::Array(items) => {
                let element = self.common_of(items.iter())?;
                Some(types::required(ColumnType::Array(Box::new(element))))
            }
            ExprKind::Map(items) => {
                let keys = self.common_of(items.iter().step_by(2))?;
                let values = self.common_of(items.iter().skip(1).step_by(2))?;
                Some(types::required(ColumnType::Map(Box::new(keys), Box::new(values))))
            }
            ExprKind::Access { operand, steps } => {
                let mut ty = self.ty(operand)?;
                for step in steps {
                    ty = stepped(ty, step)?;
                }
                Some(ty)
            }
            _ => None,
        }
    }

    /// The one column of a query as a value; NULL where there is no row.
    fn single(&mut self, query: &Query) -> Option<Nullable> {
        let relation = self.subquery(query).relation;
        match relation.columns.as_slice() {
            [only] if !relation.open => Some(Nullable { nullable: true, ..plain(only.value.ty.clone()?)? }),
            _ => None,
        }
    }

    fn common_of<'e>(&mut self, items: impl Iterator<Item = &'e Expr>) -> Option<Nullable> {
        let mut all: Option<Option<Nullable>> = None;
        for item in items {
            let ty = self.ty(item);
            all = Some(all.map_or_else(|| ty.clone(), |all| common(&all, &ty)));
        }
        plain(all??)
    }

    /// True, false, or NULL if one of the operands may be.
    fn truth(&mut self, operands: &[&Expr]) -> Option<Nullable> {
        let mut nullable = false;
        for operand in operands {
            nullable |= self.ty(operand)?.nullable;
        }
        Some(Nullable { ty: ColumnType::Boolean, nullable })
    }

    fn binary(&mut self, operators: &[BinaryOperator], operands: &[Expr]) -> Option<Nullable> {
        use BinaryOperator as B;
        let (first, rest) = operands.split_first()?;
        let mut left = self.ty(first)?;
        for (operator, right) in operators.iter().zip(rest) {
            let right = self.ty(right)?;
            left = match operator {
                B::Or | B::And | B::Equal | B::NotEqual | B::Less | B::LessEqual | B::Greater | B::GreaterEqual => {
                    types::nullable(ColumnType::Boolean, [&left, &right])
                }
                B::Plus | B::Minus | B::Multiply | B::Divide | B::Modulo => {
                    types::arithmetic(*operator, &left, &right)?
                }
                B::Concat => types::concatenated(&left, &right)?,
                B::Other => return None,
            };
        }
        Some(left)
    }

    fn call(&mut self, call: &Call) -> Option<Nullable> {
        let name = call.name.last().name.to_ascii_uppercase();
        if call.name.parts.len() > 1 {
            return None;
        }
        if let Some(ty) = self.window_property(&name, call) {
            return ty;
        }
        let mut args: Vec<Argument> = Vec::new();
        for arg in &call.args {
            match &arg.value {
                ArgValue::Expr(Expr { kind: ExprKind::Literal(Literal::Keyword(_)), .. }) => {}
                ArgValue::Expr(expr) => args.push(self.ty(expr)),
                _ => args.push(None),
            }
        }
        if let Some(over) = &call.over {
            return over_type(&name, &args, over, call.filter.is_some());
        }
        if matches!(name.as_str(), "JSON_VALUE" | "JSON_QUERY") {
            let ty = call.returning.as_ref().map_or(ColumnType::String, |returning| returning.ty.clone());
            return types::is_exact(&ty).then_some(Nullable { ty, nullable: true });
        }
        if matches!(name.as_str(), "FIRST" | "LAST") {
            // Of the rows of a pattern.
            return args.into_iter().next()?;
        }
        if is_aggregate(&name) && !is_ranking(&name) {
            let grouped = self.scopes.last().is_some_and(|scope| scope.grouping != Grouping::None);
            return types::aggregate(&name, &args, !grouped || call.filter.is_some());
        }
        types::function(&name, &args)
    }

    /// `TUMBLE_START(time, ...)` and the like; the type only where it follows.
    fn window_property(&mut self, name: &str, call: &Call) -> Option<Option<Nullable>> {
        let (window, property) = name.rsplit_once('_')?;
        if !crate::sql::functions::is_window(window) {
            return None;
        }
        match property {
            "START" | "END" => Some(Some(types::required(ColumnType::Timestamp(3)))),
            "ROWTIME" => {
                let ArgValue::Expr(time) = &call.args.first()?.value else { return None };
                Some(self.ty(time))
            }
            "PROCTIME" => Some(Some(types::required(ColumnType::TimestampLtz(3)))),
            _ => None,
        }
    }

    pub(super) fn measure(&mut self, expr: &Expr) -> Value {
        // The time of a match is one; the time of a row is a value like any other behind it.
        let time = match &expr.kind {
            ExprKind::Call(call) => match call.name.last().name.to_ascii_uppercase().as_str() {
                "MATCH_ROWTIME" => Some(Time::Event),
                "MATCH_PROCTIME" => Some(Time::Processing),
                _ => None,
            },
            _ => None,
        };
        Value { from: None, time, window: None, ..self.expr(expr) }
    }

    /// What a name stands for, from the nearest select outwards.
    pub(super) fn column(&mut self, name: &ObjectName) -> Value {
        let Some((depth, found)) = self.find(name) else { return Value::default() };
        let nearest = depth + 1 == self.scopes.len();
        match found {
            Found::Column(place, parts) => {
                let column = self.scopes.get(depth).and_then(|scope| scope.columns.get(place));
                let Some(value) = column.map(|column| column.value.clone()) else { return Value::default() };
                match name.parts.get(parts..) {
                    None | Some([]) => Value { from: Some(place).filter(|_| nearest), ..value },
                    Some(fields) => {
                        let ty = fields.iter().try_fold(value.ty, |ty, field| Some(self::field(ty?, &field.name)));
                        Value { ty: ty.flatten(), ..Value::default() }
                    }
                }
            }
            Found::Merged(value) if name.parts.len() == 1 => Value { from: value.from.filter(|_| nearest), ..value },
            Found::Rowtime => Value {
                ty: Some(types::required(ColumnType::TimestampLtz(3))),
                time: Some(Time::Event),
                ..Value::default()
            },
            Found::Open | Found::Merged(_) => Value::default(),
        }
    }
}

/// The type of a function over a window of rows: one that begins behind the first row may hold none.
fn over_type(name: &str, args: &[Argument], over: &WindowSpec, filtered: bool) -> Option<Nullable> {
    if let Some(number) = types::ranking(name, args) {
        return Some(number);
    }
    let partial = types::aggregate(name, args, true)?;
    if filtered || !over.frame.is_empty() {
        return Some(partial);
    }
    let whole = types::aggregate(name, args, false)?;
    // A named window's frame is not seen from here.
    (over.base.is_none() || partial == whole).then_some(whole)
}

/// A type that a column can have.
fn plain(ty: Nullable) -> Option<Nullable> {
    (!matches!(ty.ty, ColumnType::Other(_))).then_some(ty)
}

fn literal_type(literal: &Literal) -> Option<Nullable> {
    let ty = match literal {
        Literal::Exact(text) => exact(text)?,
        Literal::Approximate(_) => ColumnType::Double,
        Literal::String(text) => ColumnType::Char(u32::try_from(text.encode_utf16().count()).ok()?),
        Literal::Boolean(value) => return Some(Nullable { ty: ColumnType::Boolean, nullable: value.is_none() }),
        Literal::Null => return Some(types::null()),
        Literal::Temporal(ty) if types::is_exact(ty) => ty.clone(),
        Literal::Bytes | Literal::Temporal(_) | Literal::Keyword(_) => return None,
    };
    Some(types::required(ty))
}

/// The type of a number without an exponent.
fn exact(text: &str) -> Option<ColumnType> {
    match text.split_once('.') {
        Some((_, fraction)) if !fraction.is_empty() => {
            let precision = u32::try_from(text.len() - 1).ok()?;
            let scale = u32::try_from(fraction.len()).ok()?;
            (precision <= 38).then_some(ColumnType::Decimal { precision, scale })
        }
        _ => {
            let whole = text.trim_end_matches('.');
            let small = whole.parse::<i32>().is_ok();
            whole.parse::<i64>().ok().map(|_| if small { ColumnType::Int } else { ColumnType::BigInt })
        }
    }
}

/// A field of a row.
fn field(ty: Nullable, name: &str) -> Option<Nullable> {
    let ColumnType::Row(fields) = ty.ty else { return None };
    let field = fields.into_iter().find(|field| field.name == name)?;
    Some(Nullable { nullable: field.ty.nullable || ty.nullable, ty: field.ty.ty })
}

/// What a step into a value leads to: an element that may not be there is NULL.
fn stepped(ty: Nullable, step: &AccessStep) -> Option<Nullable> {
    match (step, ty.ty) {
        (AccessStep::Field(name), row) => field(Nullable { ty: row, nullable: ty.nullable }, &name.name),
        (AccessStep::Index(_), ColumnType::Array(element)) => Some(Nullable { nullable: true, ..*element }),
        (AccessStep::Index(_), ColumnType::Map(_, value)) => Some(Nullable { nullable: true, ..*value }),
        _ => None,
    }
}

/// True for a cast that gives different values different results, and that Flink takes for one.
fn stays_different(from: &ColumnType, to: &ColumnType) -> bool {
    use ColumnType as T;
    let whole = [T::TinyInt, T::SmallInt, T::Int, T::BigInt];
    let place = |ty: &T| whole.iter().position(|known| known == ty);
    match (place(from), place(to)) {
        (Some(from), Some(to)) => from <= to,
        _ => from == to || (matches!(from, T::VarChar(_) | T::Char(_)) && *to == T::String),
    }
}

/// The columns of an expanded collection.
pub(super) fn unnested(ty: Option<&Nullable>, ordinality: bool) -> Option<Vec<Column>> {
    let column =
        |name: &str, ty: Nullable| Column { name: name.to_owned(), value: Value { ty: Some(ty), ..Value::default() } };
    let mut columns = match &ty?.ty {
        ColumnType::Array(element) | ColumnType::Multiset(element) => match &element.ty {
            ColumnType::Row(fields) => {
                let nullable = |field: &Field| element.nullable || field.ty.nullable;
                let field = |f: &Field| column(&f.name, Nullable { ty: f.ty.ty.clone(), nullable: nullable(f) });
                fields.iter().map(field).collect()
            }
            _ => vec![column("EXPR$0", (**element).clone())],
        },
        ColumnType::Map(key, value) => vec![column("KEY", (**key).clone()), column("VALUE", (**value).clone())],
        _ => return None,
    };
    if ordinality {
        columns.push(column("ORDINALITY", types::required(ColumnType::Int)));
    }
    Some(columns)
}

/// The type of a column that a window adds; `time` is that of the time attribute.
pub(super) fn window_column(time: Option<&Nullable>, is_time: bool) -> Option<Nullable> {
    if is_time {
        return Some(types::required(time?.ty.clone()));
    }
    Some(types::required(ColumnType::Timestamp(3)))
}
