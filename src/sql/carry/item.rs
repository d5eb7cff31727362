//! What an item of a select list tells.

use crate::sql::functions::is_aggregate_call;
use crate::sql::tree::{Expr, ExprKind, SelectItem};
use crate::sql::walk::{Child, children};

/// The name of the item's column, if it has one of its own.
pub(crate) fn item_name(item: &SelectItem) -> Option<&str> {
    match item {
        SelectItem::Expr { alias: Some(alias), .. } => Some(&alias.name),
        SelectItem::Expr { expr: Expr { kind: ExprKind::Column(name), .. }, .. } => Some(&name.last().name),
        _ => None,
    }
}

/// True for an item that qualifies a column.
pub(super) fn is_qualified(item: &SelectItem) -> bool {
    fn within(expr: &Expr) -> bool {
        let mut found = matches!(&expr.kind, ExprKind::Column(name) if name.parts.len() > 1);
        children(expr, &mut |child| {
            if let Child::Expr(part) = child {
                found = found || within(part);
            }
        });
        found
    }
    matches!(item, SelectItem::Expr { expr, .. } if within(expr))
}

/// True for an aggregate that is not over a window, outside of subqueries.
pub(super) fn has_aggregate(expr: &Expr) -> bool {
    let mut found = matches!(&expr.kind, ExprKind::Call(call)
        if call.over.is_none() && is_aggregate_call(call));
    children(expr, &mut |child| {
        if let Child::Expr(part) = child {
            found = found || has_aggregate(part);
        }
    });
    found
}
