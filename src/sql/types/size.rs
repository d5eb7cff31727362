//! How large a type may become: a row of two rows of two rows doubles with each query that stands on another.

use crate::model::column::{ColumnType, Nullable};

/// How many types a type may be made of.
const MOST_PARTS: usize = 4_096;

/// How deep they may stand in each other; what reads a text stops earlier.
const DEEPEST: usize = 200;

/// The type, unless it is too large to go on with.
pub(crate) fn fits(ty: Option<Nullable>) -> Option<Nullable> {
    ty.filter(|ty| is_small(&ty.ty))
}

fn is_small(ty: &ColumnType) -> bool {
    let (mut left, mut parts) = (vec![(ty, 0)], 0);
    while let Some((ty, depth)) = left.pop() {
        parts += 1;
        if parts > MOST_PARTS || depth > DEEPEST {
            return false;
        }
        match ty {
            ColumnType::Array(element) | ColumnType::Multiset(element) => left.push((&element.ty, depth + 1)),
            ColumnType::Map(key, value) => left.extend([(&key.ty, depth + 1), (&value.ty, depth + 1)]),
            ColumnType::Row(fields) => left.extend(fields.iter().map(|field| (&field.ty.ty, depth + 1))),
            _ => {}
        }
    }
    true
}
