//! Columns that a query names although it has made one row of many.
//!
//! Rules: a query aggregates if it has `GROUP BY`, `HAVING` or an aggregate. Then each column outside of an aggregate must be
//! grouped by, alone or as the part of an expression that is. A column is reported only where that is sure: its source is known,
//! and it is in no key, or it stands alone and no key is this column. Nothing is said of columns in functions that may be
//! aggregates.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::relation::Relation;
use super::scope::{Found, Scope};
use crate::diagnostic::{Diagnostic, Span};
use crate::sql::code;
use crate::sql::functions::{is_aggregate_call, is_own_aggregate, is_scalar};
use crate::sql::steps;
use crate::sql::tree::{Call, Expr, ExprKind, Literal, ObjectName, Select, SelectItem};
use crate::sql::walk::{Child, args_children, children, window_children};

/// A source by its place, and a column of it.
type Key = (usize, Arc<str>);

/// What a query groups by.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// There is a `GROUP BY`.
    given: bool,
    /// They are those of `DISTINCT`: the select list.
    distinct: bool,
    /// Whole columns.
    whole: BTreeSet<Key>,
    /// Columns of which a field is grouped by.
    parts: BTreeSet<Key>,
    /// Columns in expressions that are grouped by.
    within: BTreeSet<Key>,
    /// A field is grouped by that is named without its column.
    fields: bool,
    /// A number is grouped by, which means nothing.
    number: bool,
    /// Something is grouped by of which it is not known what it is.
    unsure: bool,
}

/// What a select groups by; `None` if it does not aggregate.
pub(super) fn groups(select: &Select, scope: &mut Scope) -> Option<Groups> {
    let items = || {
        select.items.iter().filter_map(|item| match item {
            SelectItem::Expr { expr, .. } => Some(expr),
            SelectItem::Wildcard { .. } => None,
        })
    };
    if select.group_by.is_none() && select.having.is_none() && !items().any(aggregates) {
        return None;
    }
    let mut groups = Groups { given: select.group_by.is_some(), ..Groups::default() };
    select.group_by.iter().flat_map(|group| &group.keys).for_each(|key| groups.key(key, scope));
    Some(groups)
}

/// What the `ORDER BY` behind a `SELECT DISTINCT` may name.
pub(super) fn listed(select: &Select, scope: &mut Scope) -> Option<Groups> {
    select.distinct?;
    let mut groups = Groups { distinct: true, ..Groups::default() };
    for item in &select.items {
        match item {
            SelectItem::Expr { expr, .. } => groups.key(expr, scope),
            SelectItem::Wildcard { qualifier, .. } => match places(qualifier.as_ref(), scope) {
                Some(places) => {
                    let sources = scope.sources().iter().enumerate().skip(places.start).take(places.len());
                    for (place, source) in sources {
                        steps::count(source.relation.columns().len());
                        groups.unsure |= !source.relation.open.is_empty();
                        let columns = source.relation.columns().iter();
                        groups.whole.extend(columns.map(|column| (place, Arc::clone(&column.name))));
                    }
                }
                None => groups.unsure = true,
            },
        }
    }
    Some(groups)
}

/// The sources whose columns a star lists, if that is all that it lists.
fn places(qualifier: Option<&ObjectName>, scope: &Scope) -> Option<Range<usize>> {
    let Some(name) = qualifier else { return (!scope.merges()).then(|| 0..scope.sources().len()) };
    let parts: Vec<&str> = name.parts.iter().map(|part| part.name.as_str()).collect();
    scope.place(&parts).map(|place| place..place + 1)
}

/// True if there is an aggregate in it that is one of this query.
fn aggregates(expr: &Expr) -> bool {
    steps::count(1);
    if let ExprKind::Call(call) = &expr.kind
        && call.over.is_none()
        && is_own_aggregate(&function(call))
    {
        return true;
    }
    let mut found = false;
    children(expr, &mut |child| {
        if let Child::Expr(part) = child {
            found = found || aggregates(part);
        }
    });
    found
}

/// The name of a built-in function; nothing for one of a catalog.
fn function(call: &Call) -> String {
    match call.name.parts.as_slice() {
        [only] => only.name.to_ascii_uppercase(),
        _ => String::new(),
    }
}

impl Groups {
    fn key(&mut self, key: &Expr, scope: &mut Scope) {
        match &key.kind {
            ExprKind::Nested(inner) => self.key(inner, scope),
            ExprKind::Row(items) => items.iter().for_each(|item| self.key(item, scope)),
            ExprKind::Literal(Literal::Exact(_)) => self.number = true,
            ExprKind::Column(name) => match find(name, scope) {
                Some(Found { place, column, leading }) => {
                    let keys = if leading == name.parts.len() { &mut self.whole } else { &mut self.parts };
                    keys.insert((place, column));
                }
                None => self.unknown(name, scope),
            },
            _ => self.within(key, scope),
        }
    }

    /// The columns in an expression that is grouped by.
    fn within(&mut self, expr: &Expr, scope: &mut Scope) {
        if let ExprKind::Column(name) = &expr.kind {
            match find(name, scope) {
                Some(Found { place, column, .. }) => {
                    self.within.insert((place, column));
                }
                None => self.unknown(name, scope),
            }
            return;
        }
        children(expr, &mut |child| match child {
            Child::Expr(part) => self.within(part, scope),
            Child::Query(_) | Child::Table(_) | Child::Descriptor(_) => self.unsure = true,
        });
    }

    fn unknown(&mut self, name: &ObjectName, scope: &mut Scope) {
        if is_field(name, scope) { self.fields = true } else { self.unsure = true }
    }
}

/// The column that a name surely stands for.
fn find(name: &ObjectName, scope: &mut Scope) -> Option<Found> {
    let parts: Vec<&str> = name.parts.iter().map(|part| part.name.as_str()).collect();
    scope.find(&parts)
}

/// True for a field that is surely named without the column that it is in.
fn is_field(name: &ObjectName, scope: &mut Scope) -> bool {
    let Some(first) = name.parts.first() else { return false };
    let hidden = name.parts.len() == 1 && scope.open().next().is_none() && scope.having(&first.name, 0).is_empty();
    hidden && scope.fields(&first.name).len() == 1
}

/// Looks for columns that are not grouped by.
pub(super) struct Ungrouped<'a> {
    pub groups: &'a Groups,
    pub scope: &'a mut Scope,
    /// Where names of the select list are nearer: the result.
    pub nearer: Option<&'a Relation>,
    pub notes: Vec<Diagnostic>,
}

impl Ungrouped<'_> {
    pub fn item(&mut self, item: &SelectItem) {
        match item {
            SelectItem::Expr { expr, .. } => self.expr(expr),
            SelectItem::Wildcard { qualifier, span } => self.star(qualifier.as_ref(), *span),
        }
    }

    pub fn expr(&mut self, expr: &Expr) {
        if !self.groups.unsure {
            self.part(expr, false);
        }
    }

    /// The first column of a star that is not grouped by.
    fn star(&mut self, qualifier: Option<&ObjectName>, span: Span) {
        let Some(places) = places(qualifier, self.scope) else { return };
        if self.groups.unsure {
            return;
        }
        let sources = self.scope.sources().iter().enumerate().skip(places.start).take(places.len());
        let mut columns = sources.flat_map(|(place, source)| source.relation.columns().iter().map(move |c| (place, c)));
        let lacking = columns.find(|(place, column)| {
            steps::count(1);
            !self.groups.whole.contains(&(*place, Arc::clone(&column.name)))
        });
        if let Some((_, column)) = lacking {
            let name = column.name.to_string();
            self.note(&name, span);
        }
    }

    /// `composed`: it is a part of an expression, which may be grouped by as a whole.
    fn part(&mut self, expr: &Expr, composed: bool) {
        steps::count(1);
        match &expr.kind {
            ExprKind::Column(name) => self.column(name, composed),
            ExprKind::Nested(inner) => self.part(inner, composed),
            ExprKind::Call(call) => self.call(call),
            _ => children(expr, &mut |child| self.child(child)),
        }
    }

    fn child(&mut self, child: Child<'_>) {
        if let Child::Expr(part) = child {
            self.part(part, true);
        }
    }

    fn call(&mut self, call: &Call) {
        match &call.over {
            Some(over) => {
                args_children(call, &mut |child| self.child(child));
                window_children(over, &mut |child| self.child(child));
            }
            None if !is_aggregate_call(call) && is_scalar(&function(call)) => {
                args_children(call, &mut |child| self.child(child));
            }
            // An aggregate, or a function that may be one.
            None => {}
        }
    }

    fn column(&mut self, name: &ObjectName, composed: bool) {
        let Groups { whole, parts, within, fields, .. } = self.groups;
        if let ([only], Some(nearer)) = (name.parts.as_slice(), self.nearer)
            && (nearer.column(&only.name).is_some() || !nearer.open.is_empty())
        {
            return;
        }
        let grouped = match find(name, self.scope) {
            Some(Found { place, column, leading }) => {
                let key = (place, column);
                let is_whole = leading == name.parts.len();
                whole.contains(&key)
                    || (composed && within.contains(&key))
                    || (!is_whole && (*fields || parts.contains(&key) || within.contains(&key)))
            }
            None => !is_field(name, self.scope) || *fields || !parts.is_empty() || !within.is_empty(),
        };
        if !grouped {
            self.note(&name.dotted(), name.span);
        }
    }

    fn note(&mut self, column: &str, span: Span) {
        let Groups { given, number, distinct, .. } = self.groups;
        if *distinct {
            let text = format!("ORDER BY names `{column}`, which is not in the list of SELECT DISTINCT");
            let note = Diagnostic::error(code::UNGROUPED, text).at(span, "not in the select list");
            return self.notes.push(note.help("add it to the select list, or order by a column of that"));
        }
        let (label, help) = match (given, number) {
            (_, true) => {
                ("not in GROUP BY", "write the column in GROUP BY: a number there is no position in the select list")
            }
            (true, false) => ("not in GROUP BY", "add it to GROUP BY, or aggregate it"),
            (false, false) => ("the query aggregates and has no GROUP BY", "add GROUP BY, or aggregate it"),
        };
        let text = format!("column `{column}` is neither grouped by nor aggregated");
        self.notes.push(Diagnostic::error(code::UNGROUPED, text).at(span, label).help(help));
    }
}
