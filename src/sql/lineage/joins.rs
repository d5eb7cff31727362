//! Joins, and what their conditions may be.

use std::ops::Range;

use super::UseKind;
use super::scope::Scope;
use super::select::Walker;
use crate::diagnostic::{Diagnostic, Span};
use crate::sql::code;
use crate::sql::tree::{Ident, Join, JoinKind, TableExpr};

impl Walker<'_> {
    pub fn table_expr(&mut self, source: &TableExpr) {
        let left = self.sources();
        self.factor(&source.base);
        for join in &source.joins {
            let right = self.sources();
            self.factor(&join.factor);
            self.condition_of(join);
            join.on.iter().for_each(|on| self.single_rows("ON", |walker| walker.row_expr(on, UseKind::Join)));
            if join.kind == JoinKind::Inner {
                join.on.iter().for_each(|on| self.equalities(on));
            }
            join.using.iter().for_each(|column| self.on_both_sides(column, left, right));
            let mut columns: Vec<String> = join.using.iter().map(|column| column.name.clone()).collect();
            if join.natural {
                columns.extend(self.scopes.last_mut().map(Scope::shared).unwrap_or_default());
            }
            for column in columns {
                self.merge(column, join.span);
            }
        }
    }

    /// How many sources the select has so far.
    fn sources(&self) -> usize {
        self.scopes.last().map_or(0, |scope| scope.sources().len())
    }

    /// Notes a join without a condition, and a condition where none may be.
    fn condition_of(&mut self, join: &Join) {
        let given = join.on.as_ref().map(|on| on.span);
        let given = given.or_else(|| Some(join.using.first()?.span.join(join.using.last()?.span)));
        let note = match (given, join.kind, join.natural) {
            (None, JoinKind::Cross, _) | (None, _, true) => return,
            (None, _, false) => {
                let cross = if join.kind == JoinKind::Inner {
                    ", or write CROSS JOIN if every row belongs to every row"
                } else {
                    ""
                };
                let text = "this join has no condition";
                let help = format!("add ON or USING{cross}");
                Diagnostic::error(code::JOIN, text).at(join.span, "no ON, no USING").help(help)
            }
            (Some(given), JoinKind::Cross, _) => {
                let note = Diagnostic::error(code::JOIN, "a CROSS JOIN has no condition").at(given, "condition");
                note.help("write JOIN without CROSS, or take the condition out")
            }
            (Some(given), _, true) => {
                let text = "a NATURAL JOIN has its condition from the names of the columns";
                Diagnostic::error(code::JOIN, text)
                    .at(given, "a second condition")
                    .help("take NATURAL out, or the condition")
            }
            (Some(_), _, false) => return,
        };
        self.notes.push(note);
    }

    /// Notes a column of `USING` that one of the sides surely does not have: the sources from `left` on, or those from `right` on.
    fn on_both_sides(&mut self, column: &Ident, left: usize, right: usize) {
        let Some(scope) = self.scopes.last_mut() else { return };
        let mut lacks = |places: Range<usize>| !scope.may_have(&column.name, places);
        let side = match (lacks(left..right), lacks(right..usize::MAX)) {
            (false, false) => return,
            (true, true) => "no side",
            (true, false) => "no table on the left side",
            (false, true) => "no table on the right side",
        };
        let text = format!("{side} of this join has a column `{}`", column.name);
        let help = "USING needs the column on both sides: correct the name, or write ON";
        self.notes.push(Diagnostic::error(code::UNKNOWN_COLUMN, text).at(column.span, "not found").help(help));
    }

    fn merge(&mut self, column: String, span: Span) {
        let Some(scope) = self.scopes.last_mut() else { return };
        let value = scope.merge(&column);
        self.row(value.placed(span), UseKind::Join, span);
    }
}
