//! Functions that nobody knows, where they may be aggregates.
//!
//! Rules: Flink asks its catalogue whether a function is an aggregate; a text does not tell it. An aggregate makes one group of
//! all rows where nothing is grouped by, and then nothing else may name a column of the select's own: where something does,
//! the function is one of each row. Otherwise it is taken for one of each row, and that is said.

use super::Walker;
use crate::diagnostic::Span;
use crate::sql::functions::{is_aggregate_call, is_scalar, is_window};
use crate::sql::tree::{Call, Expr, ExprKind, ObjectName, Select, SelectItem};
use crate::sql::walk::{Child, children};

/// A function that is taken for one of each row. If it is an aggregate, one row is made of all, which changes with each of them,
/// and state is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Assumption {
    /// The function as it is written.
    pub function: String,
    /// Where it is called.
    pub span: Span,
    /// The view that it is in; `None` where it is written in the statement itself.
    pub via: Option<String>,
}

/// How many assumptions are told of one query.
pub(super) const MOST_ASSUMED: usize = 64;

impl Walker<'_> {
    /// Notes what is assumed of a select that nothing is known to group.
    pub(super) fn assume(&mut self, select: &Select) {
        let mut unknown = Vec::new();
        for item in &select.items {
            let SelectItem::Expr { expr, .. } = item else { return };
            if self.names_own(expr, &mut unknown) {
                return;
            }
        }
        unknown.truncate(MOST_ASSUMED.saturating_sub(self.assumed.len()));
        let assumed =
            unknown.into_iter().map(|call| Assumption { function: call.name.dotted(), span: call.span, via: None });
        self.assumed.extend(assumed);
    }

    /// The same of a view, told where it is named.
    pub(super) fn assume_of_view(&mut self, assumed: &[Assumption], view: &str, name: &ObjectName) {
        let left = MOST_ASSUMED.saturating_sub(self.assumed.len());
        let told = |one: &Assumption| Assumption {
            function: one.function.clone(),
            span: name.span,
            via: Some(view.to_owned()),
        };
        self.assumed.extend(assumed.iter().take(left).map(told));
    }

    /// True if an expression names a column of the nearest select outside of functions that may be aggregates; these are found.
    fn names_own<'e>(&self, expr: &'e Expr, unknown: &mut Vec<&'e Call>) -> bool {
        match &expr.kind {
            ExprKind::Column(name) => self.find(name).is_some_and(|(depth, _)| depth + 1 == self.scopes.len()),
            ExprKind::Call(call) if may_aggregate(call) => {
                unknown.push(call);
                false
            }
            _ => {
                let mut parts = Vec::new();
                children(expr, &mut |child| {
                    if let Child::Expr(part) = child {
                        parts.push(part);
                    }
                });
                parts.into_iter().any(|part| self.names_own(part, unknown))
            }
        }
    }
}

/// True for a function that nobody knows, which would be an aggregate of a group if it is one.
fn may_aggregate(call: &Call) -> bool {
    let name = call.name.last().name.to_ascii_uppercase();
    let known = is_scalar(&name) || is_aggregate_call(call) || name.split('_').next().is_some_and(is_window);
    call.over.is_none() && (call.name.parts.len() > 1 || !known)
}
