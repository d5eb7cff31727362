//! Types of two types: of arithmetic, and of a value that may be either.
//!
//! Source of the rules for decimals:
//! <https://nightlies.apache.org/flink/flink-docs-release-2.2/docs/sql/functions/built-in-functions/#arithmetic-functions>

use super::{LONGEST, digits, is_interval, is_null, of_length, text, width};
use crate::model::column::{ColumnType, Nullable};
use crate::sql::tree::BinaryOperator;

/// The most digits that a decimal has.
pub(super) const MOST_DIGITS: u32 = 38;

/// The digits after the point that are kept where a decimal has too many.
const KEPT_SCALE: u32 = 6;

/// The type of a value that is either.
pub(crate) fn common(a: &Option<Nullable>, b: &Option<Nullable>) -> Option<Nullable> {
    let (a, b) = (a.as_ref()?, b.as_ref()?);
    let nullable = a.nullable || b.nullable;
    if is_null(a) || is_null(b) {
        let other = if is_null(a) { b } else { a };
        return Some(Nullable { ty: other.ty.clone(), nullable: true });
    }
    Some(Nullable { ty: either(&a.ty, &b.ty)?, nullable })
}

/// The type of the first of two that is not NULL.
pub(crate) fn coalesced(a: &Option<Nullable>, b: &Option<Nullable>) -> Option<Nullable> {
    let both = common(a, b)?;
    Some(Nullable { nullable: a.as_ref()?.nullable && b.as_ref()?.nullable, ..both })
}

fn either(a: &ColumnType, b: &ColumnType) -> Option<ColumnType> {
    use ColumnType as T;
    if a == b {
        return Some(a.clone());
    }
    if let (Some(x), Some(y)) = (width(a), width(b)) {
        return Some(if x >= y { a.clone() } else { b.clone() });
    }
    if let (Some((p, s)), Some((q, t))) = (digits(a), digits(b)) {
        let scale = s.max(t);
        let precision = p.saturating_sub(s).max(q.saturating_sub(t)).saturating_add(scale);
        return (precision <= MOST_DIGITS).then_some(T::Decimal { precision, scale });
    }
    if let (Some((x, _)), Some((y, _))) = (text(a), text(b)) {
        return Some(of_length(x.max(y)));
    }
    match (a, b) {
        (T::Double, other) | (other, T::Double) if digits(other).is_some() => Some(T::Double),
        (T::Float, other) | (other, T::Float) if width(other).is_some() => Some(T::Float),
        (T::Timestamp(p), T::Timestamp(q)) => Some(T::Timestamp(*p.max(q))),
        (T::TimestampLtz(p), T::TimestampLtz(q)) => Some(T::TimestampLtz(*p.max(q))),
        _ => None,
    }
}

/// The same type, NULL if any of `others` may be.
pub(crate) fn nullable<'a>(ty: ColumnType, others: impl IntoIterator<Item = &'a Nullable>) -> Nullable {
    Nullable { ty, nullable: others.into_iter().any(|other| other.nullable) }
}

/// The type of `a || b`.
pub(crate) fn concatenated(a: &Nullable, b: &Nullable) -> Option<Nullable> {
    let ((x, fixed), (y, also)) = (text(&a.ty)?, text(&b.ty)?);
    let length = x.saturating_add(y).min(LONGEST);
    let ty = if fixed && also { ColumnType::Char(length) } else { of_length(length) };
    Some(nullable(ty, [a, b]))
}

/// The type of `a + b` and the like.
pub(crate) fn arithmetic(operator: BinaryOperator, a: &Nullable, b: &Nullable) -> Option<Nullable> {
    use BinaryOperator as B;
    use ColumnType as T;
    let ty = match (&a.ty, &b.ty) {
        (time, _) if is_interval(b) && matches!(operator, B::Plus | B::Minus) => shifted(time)?,
        (_, time) if is_interval(a) && operator == B::Plus => shifted(time)?,
        (T::Double, other) | (other, T::Double) if digits(other).is_some() || *other == T::Double => T::Double,
        (T::Float, other) | (other, T::Float) if width(other).is_some() || *other == T::Float => T::Float,
        (x, y) if width(x).is_some() && width(y).is_some() => either(x, y)?,
        (x, y) => decimal(operator, digits(x)?, digits(y)?)?,
    };
    Some(nullable(ty, [a, b]))
}

/// A time moved by an interval.
fn shifted(time: &ColumnType) -> Option<ColumnType> {
    use ColumnType as T;
    match time {
        T::Timestamp(precision) | T::TimestampLtz(precision) if *precision >= 3 => Some(time.clone()),
        T::Date => Some(T::Date),
        _ => None,
    }
}

fn decimal(operator: BinaryOperator, (p, s): (u32, u32), (q, t): (u32, u32)) -> Option<ColumnType> {
    use BinaryOperator as B;
    let whole = |precision: u32, scale: u32| precision.saturating_sub(scale);
    let sum = |digits: [u32; 3]| digits.into_iter().fold(0, u32::saturating_add);
    let (precision, scale) = match operator {
        B::Plus | B::Minus => (sum([whole(p, s).max(whole(q, t)), s.max(t), 1]), s.max(t)),
        B::Multiply => (sum([p, q, 1]), sum([s, t, 0])),
        B::Divide => {
            let scale = sum([s, q, 1]).max(KEPT_SCALE);
            (sum([whole(p, s), t, scale]), scale)
        }
        B::Modulo => (sum([whole(p, s).min(whole(q, t)), s.max(t), 0]), s.max(t)),
        _ => return None,
    };
    if precision <= MOST_DIGITS {
        return Some(ColumnType::Decimal { precision, scale });
    }
    let kept = scale.min(KEPT_SCALE).max(MOST_DIGITS.saturating_sub(whole(precision, scale)));
    Some(ColumnType::Decimal { precision: MOST_DIGITS, scale: kept })
}
