//! Tables, views and CTEs by their names.

use std::collections::HashMap;
use std::rc::Rc;

use super::changes::{Changes, Key, Kind, SourceChanges, source_changes};
use super::scope::{Column, Scope, Time, Value};
use super::{Relation, Walker};
use crate::diagnostic::Span;
use crate::model::column::Column as TypedColumn;
use crate::sql::tree::{ColumnKind, CreateTable, ObjectName};

impl Walker<'_> {
    /// A CTE, a view or a table by its name, and whether it is a table.
    pub(super) fn table(&mut self, name: &ObjectName) -> (Relation, bool) {
        if self.columns_left == 0 {
            let changes = Changes::decided(Kind::Unknown, Vec::new(), "query of very many columns", name.span);
            return (Relation { open: true, changes, ..Relation::default() }, false);
        }
        let (relation, is_table) = self.named(name);
        self.columns_left = self.columns_left.saturating_sub(relation.columns.len());
        (relation, is_table)
    }

    /// Where the query of a CTE is written, and its relation.
    pub(super) fn cte(&self, name: &ObjectName) -> Option<&(Span, Rc<Relation>)> {
        let [only] = name.parts.as_slice() else { return None };
        self.ctes.iter().rev().find(|(cte, _)| *cte == only.name).map(|(_, found)| found)
    }

    fn named(&mut self, name: &ObjectName) -> (Relation, bool) {
        if let Some((_, relation)) = self.cte(name) {
            return (Relation::clone(relation), false);
        }
        let (known, last) = (self.known, &name.last().name);
        let Some((key, found)) = known.catalog().find_in(self.session, name) else {
            let changes = Changes::of_source(Kind::Unknown, Vec::new(), last, name.span);
            return (Relation { open: true, changes, ..Relation::default() }, true);
        };
        if found.view.is_some() {
            return (self.view(key, name), false);
        }
        if let Some(table) = known.defined(key) {
            return (self.table_of(table, &found.columns, key, name), true);
        }
        let changes = Changes::of_source(Kind::Unknown, Vec::new(), key, name.span);
        let column = |column: &TypedColumn| Column { name: column.name.clone(), value: typed(column) };
        let columns: Vec<Column> = found.columns.iter().map(column).collect();
        (Relation { open: columns.is_empty(), columns, changes, ..Relation::default() }, true)
    }

    /// A table by its definition.
    fn table_of(&mut self, table: &CreateTable, columns: &[TypedColumn], last: &str, name: &ObjectName) -> Relation {
        let named = columns.iter().map(|column| Column { name: column.name.clone(), value: typed(column) });
        let mut relation = Relation { columns: named.collect(), open: columns.is_empty(), ..Relation::default() };
        let kind = match source_changes(table) {
            SourceChanges::Append => Kind::Append,
            SourceChanges::Upsert | SourceChanges::All => Kind::Updating,
        };
        let place = |name: &str| relation.columns.iter().position(|column| column.name == name);
        let key: Option<Key> = table.primary_key.as_ref().and_then(|key| key.names().map(place).collect());
        for place in key.iter().flatten() {
            if let Some(ty) = relation.columns.get_mut(*place).and_then(|column| column.value.ty.as_mut()) {
                ty.nullable = false;
            }
        }
        relation.changes = Changes::of_source(kind, key.into_iter().collect(), last, name.span);
        self.computed(table, &mut relation);
        let rowtime = table.watermark.as_ref().filter(|watermark| watermark.column.parts.len() == 1);
        if let Some(watermark) = rowtime
            && let Some(column) = relation.columns.iter_mut().find(|c| c.name == watermark.column.last().name)
        {
            column.value.time = Some(Time::Event);
        }
        relation
    }

    /// Gives computed columns the types and times of their expressions.
    fn computed(&mut self, table: &CreateTable, relation: &mut Relation) {
        let computed = table.columns.iter().filter_map(|column| match &column.kind {
            ColumnKind::Computed { expr, .. } => Some((&column.name.name, expr)),
            _ => None,
        });
        let computed: Vec<_> = computed.collect();
        if computed.is_empty() {
            return;
        }
        let outer = std::mem::take(&mut self.scopes);
        let mut scope = Scope::default();
        let columns = Relation { columns: relation.columns.clone(), ..Relation::default() };
        scope.add(&[], columns, false);
        self.scopes.push(scope);
        let mut values = HashMap::new();
        for (name, expr) in computed {
            let value = self.expr(expr);
            values.insert(name.as_str(), Value { from: None, window: None, ..value });
        }
        self.scopes = outer;
        for column in &mut relation.columns {
            if let Some(value) = values.remove(column.name.as_str()) {
                column.value = value;
            }
        }
    }

    fn view(&mut self, key: &str, name: &ObjectName) -> Relation {
        let Some(found) = self.views.get(key) else {
            let changes = Changes::of_source(Kind::Unknown, Vec::new(), key, name.span);
            return Relation { open: true, changes, ..Relation::default() };
        };
        let mut relation = Relation::clone(found);
        relation.changes = relation.changes.through(key, name.span);
        self.assume_of_view(&std::mem::take(&mut relation.assumed), key, name);
        if let Some(rank) = &mut relation.rank {
            rank.through(key, name.span);
        }
        relation
    }
}

/// A column of a definition; the type of a computed one is not in it.
fn typed(column: &TypedColumn) -> Value {
    let ty = crate::sql::types::is_exact(&column.ty.ty).then(|| column.ty.clone());
    Value { ty, ..Value::default() }
}
