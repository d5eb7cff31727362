//! What is wrong with the columns that a statement lists itself: twice the same, none of the table's, computed of computed ones.
//!
//! Rules: as Flink's planner has it. A computed column is made of columns that are in the record, never of a computed one, in
//! whatever order they stand. What comes in by `LIKE` is not known here, and nothing is said of it.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::kosaraju_scc;
use petgraph::graphmap::DiGraphMap;

use super::code;
use super::lineage::Outline;
use super::tree::{ColumnDef, ColumnKind, CreateTable, CreateView, Expr, ExprKind, Ident, Insert};
use super::walk::{Child, children};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::column::ColumnType;

/// How many names are listed in a way out.
const LISTED: usize = 12;

/// What is wrong with the columns of a `CREATE TABLE`.
pub fn in_table(table: &CreateTable) -> Vec<Diagnostic> {
    let name = table.name.dotted();
    let mut found = twice(table.columns.iter().map(|column| &column.name), &format!("`{name}`"), "column");
    let key = table.primary_key.iter().flat_map(|key| &key.columns);
    found.extend(twice(key, &format!("the primary key of `{name}`"), "column"));
    for column in &table.columns {
        if let ColumnKind::Physical(ty) | ColumnKind::Metadata { ty, .. } = &column.kind
            && let Some(field) = field_twice(&ty.ty)
        {
            found.push(again(&format!("the row in `{}`", column.name.name), "field", field, column.span));
        }
    }
    found.extend(computed_of_computed(table));
    found
}

/// What is wrong with the columns of a `CREATE VIEW`; `outline` is that of its query.
pub fn in_view(view: &CreateView, outline: &Outline) -> Vec<Diagnostic> {
    let name = format!("`{}`", view.name.dotted());
    if !view.columns.is_empty() {
        return twice(view.columns.iter(), &name, "column");
    }
    let mut seen = BTreeSet::new();
    let doubled = outline.columns.iter().filter(|(column, _)| column != "*" && !seen.insert(column));
    doubled.map(|(column, span)| again(&name, "column", column, *span)).collect()
}

/// What is wrong with the columns that an `INSERT` lists; `table` is what it fills, if all of its columns are known.
pub fn in_insert(insert: &Insert, table: Option<&CreateTable>) -> Vec<Diagnostic> {
    let all = || insert.partition.iter().map(|(column, _)| column).chain(&insert.columns);
    let mut found = twice(all(), "what the INSERT fills", "column");
    let Some(table) = table else { return found };
    let columns: BTreeMap<&str, &ColumnDef> = table.columns.iter().map(|c| (c.name.name.as_str(), c)).collect();
    let target = insert.target.dotted();
    for column in all() {
        let name = &column.name;
        let why = match columns.get(name.as_str()).map(|known| &known.kind) {
            Some(ColumnKind::Physical(_) | ColumnKind::Metadata { is_virtual: false, .. }) => continue,
            Some(ColumnKind::Computed { .. }) => "computed",
            Some(ColumnKind::Metadata { .. }) => "virtual",
            None => {
                let names: Vec<String> = table.writable().into_iter().take(LISTED).map(|column| column.name).collect();
                let text = format!("`{target}` has no column `{name}`");
                let help = format!("correct the name: columns to write are {}", names.join(", "));
                found.push(Diagnostic::error(code::UNKNOWN_COLUMN, text).at(column.span, "not found").help(help));
                continue;
            }
        };
        let text = format!("column `{name}` of `{target}` is {why}: nothing can be written to it");
        let help = "leave it out of the list, and its value out of the query";
        found.push(Diagnostic::error(code::NOT_WRITABLE, text).at(column.span, why).help(help));
    }
    found
}

fn twice<'i>(names: impl Iterator<Item = &'i Ident>, of: &str, what: &str) -> Vec<Diagnostic> {
    let mut seen = BTreeSet::new();
    let doubled = names.filter(|ident| !seen.insert(&ident.name));
    doubled.map(|ident| again(of, what, &ident.name, ident.span)).collect()
}

/// A note on a name that is there for the second time; the same for all that have lists of names.
pub(super) fn again(of: &str, what: &str, name: &str, span: Span) -> Diagnostic {
    let text = format!("{of} has {what} `{name}` twice");
    Diagnostic::error(code::TWICE, text).at(span, "again").help("leave it out here, or give it another name")
}

/// A field that a row type has twice, also in rows within.
fn field_twice(ty: &ColumnType) -> Option<&str> {
    let mut left = vec![ty];
    while let Some(ty) = left.pop() {
        match ty {
            ColumnType::Row(fields) => {
                let mut seen = BTreeSet::new();
                if let Some(field) = fields.iter().find(|field| !seen.insert(&field.name)) {
                    return Some(&field.name);
                }
                left.extend(fields.iter().map(|field| &field.ty.ty));
            }
            ColumnType::Array(element) | ColumnType::Multiset(element) => left.push(&element.ty),
            ColumnType::Map(key, value) => left.extend([&key.ty, &value.ty]),
            _ => {}
        }
    }
    None
}

/// Computed columns that are made of computed ones, perhaps of themselves.
fn computed_of_computed(table: &CreateTable) -> Vec<Diagnostic> {
    let computed = |column: &&ColumnDef| matches!(column.kind, ColumnKind::Computed { .. });
    let names: BTreeSet<&str> = table.columns.iter().filter(computed).map(|column| column.name.name.as_str()).collect();
    let mut edges: DiGraphMap<&str, ()> = DiGraphMap::new();
    let mut uses = Vec::new();
    for column in &table.columns {
        let ColumnKind::Computed { expr, .. } = &column.kind else { continue };
        let own = column.name.name.as_str();
        named_in(expr, &mut |ident| {
            if let Some(used) = names.get(ident.name.as_str()) {
                edges.add_edge(own, used, ());
                uses.push((own, ident));
            }
        });
    }
    let mut circle_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (number, circle) in kosaraju_scc(&edges).into_iter().enumerate() {
        circle_of.extend(circle.into_iter().map(|name| (name, number)));
    }
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut seen = BTreeSet::new();
    for (own, ident) in uses.into_iter().filter(|(own, ident)| seen.insert((*own, ident.name.as_str()))) {
        let used = ident.name.as_str();
        let (text, help) = if own == used {
            (format!("computed column `{own}` is made of itself"), "name columns that are in the record".to_owned())
        } else if circle_of.get(own) == circle_of.get(used) {
            let text = format!("computed column `{own}` is made of `{used}`, which is made of `{own}`");
            (text, "cut the circle, and name columns that are in the record".to_owned())
        } else {
            let text = format!("computed column `{own}` is made of `{used}`, which is computed as well");
            (text, format!("write the expression of `{used}` in its place"))
        };
        found.push(Diagnostic::error(code::COMPUTED_OF_COMPUTED, text).at(ident.span, "computed").help(help));
    }
    found
}

/// Calls `see` for the first part of each name of a column.
fn named_in<'e>(expr: &'e Expr, see: &mut dyn FnMut(&'e Ident)) {
    if let ExprKind::Column(column) = &expr.kind {
        return column.parts.first().into_iter().for_each(see);
    }
    children(expr, &mut |child| {
        if let Child::Expr(part) = child {
            named_in(part, see);
        }
    });
}
