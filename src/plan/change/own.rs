//! What the statements of one table say otherwise than the deployed ones: columns, rows, time.

use std::collections::{BTreeMap, BTreeSet};

use super::super::estate::{Estate, Table};
use super::super::parity;
use crate::model::column::{Column, ColumnType};
use crate::sql::{self, ColumnKind, CreateTable, OutputColumn, words};

/// What differs.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// Columns that the table has now and had not.
    pub added: Vec<String>,
    /// Columns that it had and has no more.
    pub removed: Vec<String>,
    /// Columns whose value is made differently.
    pub remade: BTreeSet<String>,
    /// Columns with the same values in a wider type.
    pub wider: BTreeSet<String>,
    /// Why the rows may be others.
    pub rows: Option<String>,
    /// A row may come more often than it did.
    pub repeated: bool,
    /// Its watermark is another one.
    pub retimed: bool,
}

/// What a type became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeChange {
    /// The same.
    Same,
    /// Every value is kept and compared by value.
    Wider,
    /// Every value is kept, but shown otherwise: not compared.
    Finer,
    /// Values may be lost.
    Other,
}

/// What `new` says otherwise than `old`; both stand under the deployed names.
pub fn of(blue: &Estate, old: &Table, base: &Estate, new: &Table) -> Own {
    let mut own = Own::default();
    let (was, is) = (columns(blue, old), columns(base, new));
    own.added = is.keys().filter(|name| !was.contains_key(*name)).cloned().collect();
    own.removed = was.keys().filter(|name| !is.contains_key(*name)).cloned().collect();
    // In the order in which people read them.
    if let Some(create) = new.create() {
        let place = |name: &String| create.columns.iter().position(|c| c.name.name == *name);
        own.added.sort_by_key(|name| (place(name), name.clone()));
    }
    let kept = || is.keys().filter(|name| was.contains_key(*name));
    if let (Some(before), Some(after)) = (old.create(), new.create()) {
        definitions(before, old, after, new, &mut own);
    }
    if let (Some(before), Some(after)) = (old.query(), new.query()) {
        let difference = sql::difference((old.query_text(), before), (new.query_text(), after));
        own.rows = own.rows.take().or(difference.rows().map(str::to_owned));
        own.repeated = difference.repeated();
        let (before, after) = (outputs(blue, old), outputs(base, new));
        for name in kept() {
            let differs = match (before.get(name), after.get(name)) {
                (Some(old), Some(new)) => difference.column(old, new),
                (None, None) => false,
                _ => true,
            };
            if differs {
                own.remade.insert(name.clone());
            }
        }
    }
    own.wider.retain(|name| !own.remade.contains(name));
    own
}

/// Columns of a table or view by name, with the type that is declared.
fn columns(estate: &Estate, table: &Table) -> BTreeMap<String, Option<Column>> {
    match table.create() {
        Some(create) => create.schema().into_iter().map(|c| (c.name.clone(), Some(c))).collect(),
        None => outputs(estate, table).into_keys().map(|name| (name, None)).collect(),
    }
}

/// What the query fills each column with.
fn outputs(estate: &Estate, table: &Table) -> BTreeMap<String, OutputColumn> {
    let Some(query) = table.query() else { return BTreeMap::new() };
    let outputs = sql::lineage(query, &estate.catalog).outputs;
    parity::targets(table, &outputs).into_iter().zip(outputs).collect()
}

/// What the DDL says otherwise.
fn definitions(before: &CreateTable, old: &Table, after: &CreateTable, new: &Table, own: &mut Own) {
    let (old_words, new_words) = (words(&old.deployed.ddl), words(&new.deployed.ddl));
    for column in &after.columns {
        let name = &column.name.name;
        let Some(was) = before.columns.iter().find(|c| c.name.name == *name) else { continue };
        match (&was.kind, &column.kind) {
            (ColumnKind::Physical(old), ColumnKind::Physical(new)) => match type_change(&old.ty, &new.ty) {
                TypeChange::Same => {}
                TypeChange::Wider => {
                    own.wider.insert(name.clone());
                }
                TypeChange::Finer | TypeChange::Other => {
                    own.remade.insert(name.clone());
                }
            },
            _ if old_words.within(was.span).eq(new_words.within(column.span)) => {}
            _ => {
                own.remade.insert(name.clone());
            }
        }
    }
    let key = |create: &CreateTable| -> Option<Vec<String>> {
        create.primary_key.as_ref().map(|key| key.columns.iter().map(|c| c.name.clone()).collect())
    };
    if key(before) != key(after) {
        own.rows = Some("primary key".to_owned());
    }
    let mode = |create: &CreateTable| create.option("scan.startup.mode").map(|o| o.value.clone());
    if old.deployed.dml.is_none() && mode(before) != mode(after) {
        own.rows = Some("scan.startup.mode".to_owned());
    }
    let time = |create: &CreateTable, words: &sql::Words| -> Vec<sql::Word> {
        create.watermark.as_ref().map(|w| words.within(w.span).cloned().collect()).unwrap_or_default()
    };
    let attribute = after.watermark.as_ref().map(|w| w.column.dotted());
    let remade = attribute.is_some_and(|column| own.remade.contains(&column));
    own.retimed = remade || time(before, &old_words) != time(after, &new_words);
}

/// What became of a type, nullability aside.
pub fn type_change(old: &ColumnType, new: &ColumnType) -> TypeChange {
    use ColumnType as T;
    let whole = |ty: &ColumnType| match ty {
        T::TinyInt => Some(3),
        T::SmallInt => Some(5),
        T::Int => Some(10),
        T::BigInt => Some(19),
        _ => None,
    };
    match (old, new) {
        _ if old == new => TypeChange::Same,
        (T::Decimal { precision: p, scale: s }, T::Decimal { precision, scale })
            if scale >= s && precision.saturating_sub(*scale) >= p.saturating_sub(*s) =>
        {
            TypeChange::Wider
        }
        (T::VarChar(_) | T::Char(_), T::String) | (T::VarBinary(_) | T::Binary(_), T::Bytes) => TypeChange::Wider,
        (T::VarChar(a), T::VarChar(b)) | (T::VarBinary(a), T::VarBinary(b)) if b > a => TypeChange::Wider,
        (T::Float, T::Double) => TypeChange::Finer,
        (T::Timestamp(a), T::Timestamp(b)) | (T::TimestampLtz(a), T::TimestampLtz(b)) | (T::Time(a), T::Time(b))
            if b > a =>
        {
            TypeChange::Finer
        }
        (_, T::Decimal { precision, scale }) if whole(old).is_some_and(|d| precision.saturating_sub(*scale) >= d) => {
            TypeChange::Wider
        }
        _ => match (whole(old), whole(new)) {
            (Some(a), Some(b)) if b > a => TypeChange::Wider,
            _ => TypeChange::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_wider_only_if_no_value_is_lost() {
        use ColumnType as T;
        let decimal = |precision, scale| T::Decimal { precision, scale };
        for (old, new, became) in [
            (T::Int, T::Int, TypeChange::Same),
            (T::Int, T::BigInt, TypeChange::Wider),
            (T::BigInt, T::Int, TypeChange::Other),
            (T::BigInt, decimal(19, 0), TypeChange::Wider),
            (T::BigInt, decimal(20, 2), TypeChange::Other),
            (decimal(10, 2), decimal(12, 4), TypeChange::Wider),
            (decimal(10, 2), decimal(10, 4), TypeChange::Other),
            (decimal(10, 2), decimal(12, 1), TypeChange::Other),
            (T::VarChar(5), T::String, TypeChange::Wider),
            (T::String, T::VarChar(5), TypeChange::Other),
            (T::Float, T::Double, TypeChange::Finer),
            (T::Timestamp(3), T::Timestamp(6), TypeChange::Finer),
            (T::Timestamp(6), T::Timestamp(3), TypeChange::Other),
            (T::Int, T::String, TypeChange::Other),
        ] {
            assert_eq!(type_change(&old, &new), became, "{old} to {new}");
        }
    }
}
