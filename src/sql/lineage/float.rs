//! Which values are floating-point numbers: whoever adds these up gets other last digits in another order.
//!
//! Rule: what nobody knows the type of may be one.

use crate::model::column::{Column, ColumnType};
use crate::sql::functions::{is_aggregate, is_ranking, is_scalar, needs_over};
use crate::sql::tree::{BinaryOperator, Call, Expr, ExprKind, Literal};
use crate::sql::types;
use crate::sql::walk::{Child, children};

/// Whether a value is, or may be, a floating-point number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Float {
    /// It is none.
    #[default]
    No,
    /// One of 53 binary digits, as `DOUBLE`.
    Double,
    /// One of 24 binary digits, as `FLOAT`.
    Single,
}

impl Float {
    /// Whether values of this type are.
    pub const fn of(ty: &ColumnType) -> Self {
        match ty {
            ColumnType::Float => Self::Single,
            ColumnType::Double | ColumnType::Other(_) => Self::Double,
            _ => Self::No,
        }
    }

    /// Whether a call's result is; `None` where that is as for its arguments.
    pub fn of_call(call: &Call) -> Option<Self> {
        let name = call.name.last().name.to_ascii_uppercase();
        if call.name.parts.len() > 1 {
            return Some(Self::Double);
        }
        if let Some(ty) = types::fixed(&name) {
            return Some(Self::of(ty));
        }
        match name.as_str() {
            "COUNT" | "APPROX_COUNT_DISTINCT" | "ROW_NUMBER" | "RANK" | "DENSE_RANK" | "NTILE" => Some(Self::No),
            "PERCENT_RANK" | "CUME_DIST" | "PERCENTILE" => Some(Self::Double),
            "JSON_VALUE" => Some(call.returning.as_ref().map_or(Self::No, |asked| Self::of(&asked.ty))),
            known if is_scalar(known) || is_aggregate(known) || needs_over(known) || is_ranking(known) => None,
            _ => Some(Self::Double),
        }
    }

    /// Whether an expression of its kind is; `None` where that is as for its parts.
    pub fn of_kind(kind: &ExprKind) -> Option<Self> {
        match kind {
            ExprKind::Literal(literal) => {
                Some(if matches!(literal, Literal::Approximate(_)) { Self::Double } else { Self::No })
            }
            ExprKind::Cast { ty, .. } => Some(Self::of(&ty.ty)),
            ExprKind::Binary { operators, .. } => {
                use BinaryOperator as B;
                let arithmetic = [B::Plus, B::Minus, B::Multiply, B::Divide, B::Modulo];
                (!operators.iter().all(|operator| arithmetic.contains(operator))).then_some(Self::No)
            }
            ExprKind::Is { .. }
            | ExprKind::Between { .. }
            | ExprKind::Like { .. }
            | ExprKind::InList { .. }
            | ExprKind::InQuery { .. }
            | ExprKind::Exists(_) => Some(Self::No),
            ExprKind::Call(call) => Self::of_call(call),
            _ => None,
        }
    }

    /// Whether an expression over `columns` alone is.
    pub(super) fn of_expr(expr: &Expr, columns: &[Column]) -> Self {
        match (Self::of_kind(&expr.kind), &expr.kind) {
            (Some(known), _) => known,
            (None, ExprKind::Column(name)) => {
                let column = columns.iter().find(|column| column.name == name.last().name);
                column.filter(|_| name.parts.len() == 1).map_or(Self::Double, |column| Self::of(&column.ty.ty))
            }
            (None, ExprKind::Access { .. }) => Self::Double,
            (None, _) => {
                let mut any = Self::No;
                children(expr, &mut |child| {
                    any = any.max(match child {
                        Child::Expr(part) => Self::of_expr(part, columns),
                        Child::Query(_) | Child::Table(_) => Self::Double,
                        Child::Descriptor(_) => Self::No,
                    });
                });
                any
            }
        }
    }
}
