//! Aggregates and window functions where none may be.
//!
//! Rules: `WHERE`, `ON`, `GROUP BY` and `FILTER` look at single rows: no aggregate, no window function. An aggregate is made of
//! neither, a window function of no other one. A query inside of an expression has places of its own. Only functions that Flink
//! has are known to be aggregates.

use super::select::Walker;
use crate::diagnostic::Diagnostic;
use crate::sql::code;
use crate::sql::functions::{is_own_aggregate, needs_over};
use crate::sql::tree::Call;

/// Where an expression stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Place {
    /// Where there may be both.
    #[default]
    Free,
    /// In a clause that looks at single rows.
    Rows(&'static str),
    /// In an aggregate.
    Aggregate,
    /// In a window function.
    Window,
    /// In the `ORDER BY` of rows that are not aggregated.
    Order,
    /// In a pattern, which has rules of its own.
    Pattern,
}

impl Walker<'_> {
    /// Looks at something that stands in `place`.
    pub fn in_place<T>(&mut self, place: Place, look: impl FnOnce(&mut Self) -> T) -> T {
        let around = std::mem::replace(&mut self.place, place);
        let found = look(self);
        self.place = around;
        found
    }

    /// Looks at a clause that knows single rows only.
    pub fn single_rows<T>(&mut self, clause: &'static str, look: impl FnOnce(&mut Self) -> T) -> T {
        self.in_place(Place::Rows(clause), look)
    }

    /// The place of a call's arguments; notes a call that may not be where it is.
    pub fn place_within(&mut self, call: &Call, function: &str) -> Place {
        let aggregate = call.name.parts.len() == 1 && is_own_aggregate(function);
        let ranks = call.name.parts.len() == 1 && needs_over(function);
        if self.place == Place::Pattern || !(aggregate || ranks || call.over.is_some()) {
            return self.place;
        }
        let name = &call.name.last().name;
        let first = "aggregate in a query inside of this one first, and use its column here";
        let found = match (self.place, &call.over) {
            (Place::Rows(clause), Some(_)) => {
                let help = match clause {
                    "WHERE" => "filter by it with QUALIFY, or in a query around this one",
                    _ => "compute it in a query inside of this one, and use its column here",
                };
                Some((format!("{clause} cannot use the window function `{name}`"), help))
            }
            (Place::Aggregate | Place::Window, Some(_)) => {
                let text =
                    format!("the window function `{name}` is an argument of another such function or an aggregate");
                Some((text, "compute it in a query inside of this one, and use its column here"))
            }
            (_, None) if ranks => {
                Some((format!("`{name}` has no OVER"), "write OVER (PARTITION BY ... ORDER BY ...) behind it"))
            }
            (Place::Rows(clause), None) => {
                let help =
                    if clause == "WHERE" { "filter by it with HAVING, or in a query around this one" } else { first };
                Some((format!("{clause} cannot use the aggregate `{name}`"), help))
            }
            (Place::Aggregate, None) => {
                Some((format!("the aggregate `{name}` is an argument of another aggregate"), first))
            }
            (Place::Order, None) => {
                let text = format!("ORDER BY uses the aggregate `{name}`, and the query does not aggregate");
                Some((text, "group the query, or order by a column"))
            }
            _ => None,
        };
        if let Some((text, help)) = found {
            self.notes.push(Diagnostic::error(code::MISPLACED, text).at(call.span, "not allowed here").help(help));
        }
        match &call.over {
            Some(_) => Place::Window,
            None if aggregate => Place::Aggregate,
            None => self.place,
        }
    }
}
