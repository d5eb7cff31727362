//! Items of select lists.

use super::{CannotEdit, EditSet, Joint, refused};
use crate::diagnostic::Span;
use crate::sql::carry::item_name;
use crate::sql::keyword::quote_if_needed;
use crate::sql::layout::List;
use crate::sql::tree::{Expr, ExprKind, Literal, Query, Select, SelectItem};

impl EditSet<'_> {
    /// Adds a last item to a select list: `expr`, written as SQL, under the name `alias` if there is one. To add a column of a
    /// source to all that is between it and the result use [`carry`](crate::sql::carry()).
    ///
    /// # Errors
    /// The list has an item of that name.
    pub fn add_projection(
        &mut self,
        select: &Select,
        expr: &str,
        alias: Option<&str>,
    ) -> Result<&mut Self, CannotEdit> {
        let operation = format!("add `{}` to the select list", alias.unwrap_or(expr));
        if let Some(same) = alias.and_then(|alias| select.items.iter().find(|item| item_name(item) == Some(alias))) {
            return Err(refused(operation, "it has an item of that name", Some(same.span())));
        }
        let item = match alias {
            Some(alias) => format!("{expr} AS {}", quote_if_needed(alias)),
            None => expr.to_owned(),
        };
        let spans: Vec<Span> = select.items.iter().map(SelectItem::span).collect();
        match (List::new(self.text, &spans).and_then(|list| list.append_one(&item)), spans.last()) {
            (Some(edit), Some(last)) => Ok(self.append(operation, edit, last.end, Joint::default())),
            _ => Err(refused(operation, "there is no select list", Some(select.span))),
        }
    }

    /// Takes the item that is called `name`, by its alias or as a column, out of the select list of `query`. What takes the
    /// query's columns by their place, such as an `INSERT` around it, has to be changed as well.
    ///
    /// # Errors
    /// No item of the list, or more than one, has that name; it is the only item; it may come from a `*`; the query's `ORDER BY`
    /// uses it; or the query is not one `SELECT`.
    pub fn remove_projection(&mut self, query: &Query, name: &str) -> Result<&mut Self, CannotEdit> {
        let operation = format!("remove `{name}` from the select list");
        let Some(select) = query.body.select() else {
            return Err(refused(operation, "the query is not one SELECT", Some(query.span)));
        };
        let (place, item) = only(select, name, &operation)?;
        if let Some(used) = query.order_by.iter().find(|order| orders_by(&order.expr, item, place)) {
            return Err(refused(operation, "ORDER BY uses it, or counts the items", Some(used.expr.span)));
        }
        let spans: Vec<Span> = select.items.iter().map(SelectItem::span).collect();
        if self.left(select.span, &spans, item.span()) == 0 {
            return Err(refused(operation, "the list would be empty", Some(item.span())));
        }
        self.take_out(operation, select.span, item.span());
        Ok(self)
    }
}

/// The one item of that name, and its place from 1.
fn only<'q>(select: &'q Select, name: &str, operation: &str) -> Result<(usize, &'q SelectItem), CannotEdit> {
    let mut named = select.items.iter().enumerate().filter(|(_, item)| item_name(item) == Some(name));
    let star = select.items.iter().find(|item| matches!(item, SelectItem::Wildcard { .. }));
    match (named.next(), named.next(), star) {
        (Some((at, item)), None, _) => Ok((at + 1, item)),
        (Some(_), Some((_, second)), _) => {
            Err(refused(operation.to_owned(), "two items have that name", Some(second.span())))
        }
        (None, _, Some(star)) => {
            Err(refused(operation.to_owned(), "it may come from the `*`: list the columns first", Some(star.span())))
        }
        (None, _, None) => Err(refused(operation.to_owned(), "no item of the list has that name", Some(select.span))),
    }
}

/// True if an entry of `ORDER BY` is the item's alias, or a number that means another item without it.
fn orders_by(expr: &Expr, item: &SelectItem, place: usize) -> bool {
    match &expr.kind {
        ExprKind::Column(name) => {
            let alias = match item {
                SelectItem::Expr { alias: Some(alias), .. } => Some(&alias.name),
                _ => None,
            };
            name.parts.len() == 1 && alias == Some(&name.last().name)
        }
        ExprKind::Literal(Literal::Exact(number)) => number.parse::<usize>().is_ok_and(|number| number >= place),
        _ => false,
    }
}
