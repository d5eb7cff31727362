//! The types of columns and expressions, where they follow from definitions and from what Flink documents.
//!
//! Rules: a type is exactly Flink's, `NOT NULL` included, or it is not given. A function that is not listed, a user's, has
//! no type that follows.
//!
//! Sources: <https://nightlies.apache.org/flink/flink-docs-release-2.2/docs/sql/reference/data-types/>,
//! <https://nightlies.apache.org/flink/flink-docs-release-2.2/docs/sql/functions/built-in-functions/>, and Flink's planner
//! itself, against which `tests/oracle` compares every answer.

mod function;
mod merge;
mod size;

pub(super) use self::function::{Argument, aggregate, fixed, function, ranking};
pub(super) use self::merge::{arithmetic, coalesced, common, concatenated, nullable};
pub(super) use self::size::fits;

use self::merge::MOST_DIGITS;
use super::flow::Definitions;
use super::relation::{Relation, relation};
use super::rows::Rows;
use super::tree::{Query, Statement};
use crate::model::column::{ColumnType, Nullable};

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedColumn {
    /// Its name; `EXPR$n` where the query gives none.
    pub name: String,
    /// Its type, where it follows.
    pub ty: Option<Nullable>,
}

/// The columns of a query's result in order, hidden ones left out; `None` when not all are known.
pub fn result_types(query: &Query, known: &Definitions) -> Option<Vec<TypedColumn>> {
    columns(&relation(query, known))
}

/// The columns of a result; `None` when not all are known.
pub(super) fn columns(made: &Relation) -> Option<Vec<TypedColumn>> {
    let column = |column: &super::relation::Column| TypedColumn {
        name: column.name.clone(),
        ty: shown(column.value.ty.clone()),
    };
    (!made.open).then(|| made.columns.iter().map(column).collect())
}

/// The columns that each query in `statement` makes, in the order of [`Definitions::flows`], by the query's own names.
pub fn statement_types(statement: &Statement, known: &Definitions) -> Vec<Option<Vec<TypedColumn>>> {
    Rows::of(statement, known).types()
}

/// A type that DDL can have; literals that stand for themselves have none.
fn shown(ty: Option<Nullable>) -> Option<Nullable> {
    ty.filter(|ty| is_exact(&ty.ty))
}

/// True for a type that is Flink's as it is written: it knows no fractions of a second in `TIME` and no decimal of more than
/// 38 digits, and what we do not know by its parts may be anything.
pub(super) fn is_exact(ty: &ColumnType) -> bool {
    match ty {
        ColumnType::Other(_) | ColumnType::Time(1..) => false,
        ColumnType::Decimal { precision, scale } => (1..=MOST_DIGITS).contains(precision) && scale <= precision,
        ColumnType::Array(element) | ColumnType::Multiset(element) => is_exact(&element.ty),
        ColumnType::Map(key, value) => is_exact(&key.ty) && is_exact(&value.ty),
        ColumnType::Row(fields) => fields.iter().all(|field| is_exact(&field.ty.ty)),
        _ => true,
    }
}

/// What stands for the type of `NULL`.
pub(super) fn null() -> Nullable {
    Nullable { ty: ColumnType::Other("NULL".to_owned()), nullable: true }
}

/// What stands for the type of an interval.
pub(super) fn interval() -> Nullable {
    required(ColumnType::Other("INTERVAL".to_owned()))
}

pub(super) fn is_null(ty: &Nullable) -> bool {
    matches!(&ty.ty, ColumnType::Other(text) if text == "NULL")
}

pub(super) fn is_interval(ty: &Nullable) -> bool {
    matches!(&ty.ty, ColumnType::Other(text) if text == "INTERVAL")
}

/// A type that is never NULL.
pub(super) const fn required(ty: ColumnType) -> Nullable {
    Nullable { ty, nullable: false }
}

/// Digits in all and after the point of a whole or a decimal number.
fn digits(ty: &ColumnType) -> Option<(u32, u32)> {
    match ty {
        ColumnType::TinyInt => Some((3, 0)),
        ColumnType::SmallInt => Some((5, 0)),
        ColumnType::Int => Some((10, 0)),
        ColumnType::BigInt => Some((19, 0)),
        ColumnType::Decimal { precision, scale } => Some((*precision, *scale)),
        _ => None,
    }
}

/// How wide a whole number is.
const fn width(ty: &ColumnType) -> Option<u8> {
    match ty {
        ColumnType::TinyInt => Some(0),
        ColumnType::SmallInt => Some(1),
        ColumnType::Int => Some(2),
        ColumnType::BigInt => Some(3),
        _ => None,
    }
}

/// A text: how long it may be, and whether it is filled up to that. `STRING` is as long as can be.
const fn text(ty: &ColumnType) -> Option<(u32, bool)> {
    match ty {
        ColumnType::Char(length) => Some((*length, true)),
        ColumnType::VarChar(length) => Some((*length, false)),
        ColumnType::String => Some((LONGEST, false)),
        _ => None,
    }
}

/// True for a text of any length.
pub(super) const fn is_text(ty: &ColumnType) -> bool {
    text(ty).is_some()
}

/// The length of `STRING`.
const LONGEST: u32 = i32::MAX as u32;

fn of_length(length: u32) -> ColumnType {
    if length >= LONGEST { ColumnType::String } else { ColumnType::VarChar(length) }
}
