//! Numbered rows: with a condition on the number they become deduplication or top-N.
//!
//! Source: <https://nightlies.apache.org/flink/flink-docs-release-2.2/docs/dev/table/sql/queries/deduplication/>, `topn`,
//! `window-deduplication` and `window-topn` beside it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Walker;
use super::changes::{Changes, Key, Kind, limited, spread_by};
use super::grouping::ranking_call;
use super::scope::Value;
use super::window::has_window;
use crate::diagnostic::Span;
use crate::sql::operators::{bare, limit_of, named_window};
use crate::sql::steps;
use crate::sql::tree::{BinaryOperator, Call, Expr, ExprKind, Literal, Select, WindowSpec};
use crate::sql::walk::{Child, children};

/// A column that numbers rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rank {
    /// Its place.
    column: usize,
    /// How the rows change when only the first of each partition is kept.
    first: Changes,
    /// How they change when the first few are.
    top: Changes,
}

impl Rank {
    /// The rows that `conditions` keep, if one of them may limit the number; `name` is the column's, or none for the call, and
    /// `source` what it may be qualified by.
    pub fn limited_by(&self, conditions: &[&Expr], name: Option<&str>, source: &[String]) -> Option<Changes> {
        steps::count(conditions.len());
        let limit = conditions
            .iter()
            .filter(|condition| name.is_none() || is_of(condition, source))
            .find_map(|condition| limit_of(condition, name).or_else(|| between(condition, name)));
        match limit {
            Some(1) => Some(self.first.clone()),
            Some(_) => Some(self.top.clone()),
            // Flink works more out than is read here: `rank <= 1 + 2`, `rank <= n`, `rank IN (1)`.
            None => {
                let mut about = conditions.iter().filter(|condition| is_about(condition, name));
                about.any(|condition| !is_low_end(condition)).then(|| self.unread())
            }
        }
    }

    /// How the rows change when it is not known how many of them are kept.
    pub fn unread(&self) -> Changes {
        Changes { keys: Vec::new(), ..self.top.clone() }
    }

    /// The same for a column that is made of the numbers.
    pub fn computed(self) -> Self {
        let unread = self.unread();
        Self { column: self.column, first: unread.clone(), top: unread }
    }

    /// Forgets keys.
    pub fn retain_keys(&mut self, keep: impl Fn(&Key) -> bool) {
        self.first.keys.retain(&keep);
        self.top.keys.retain(&keep);
    }

    /// True if each row's number is within its window.
    pub fn is_of_windows(&self) -> bool {
        self.top.kind == Kind::Append
    }

    /// The place of the numbers.
    pub const fn column(&self) -> usize {
        self.column
    }

    /// The same, told where a view is named.
    pub fn through(&mut self, view: &str, span: Span) {
        self.first = std::mem::take(&mut self.first).through(view, span);
        self.top = std::mem::take(&mut self.top).through(view, span);
    }

    /// After a select list; `None` when the numbers are not in it.
    pub fn projected(&self, places: &BTreeMap<usize, Vec<usize>>) -> Option<Self> {
        let column = *places.get(&self.column)?.first()?;
        let (first, top) = (self.first.clone().projected(places), self.top.clone().projected(places));
        Some(Self { column, first, top })
    }
}

/// True if the columns that a condition compares may all be of the source with this name.
fn is_of(condition: &Expr, source: &[String]) -> bool {
    let own = |expr: &Expr| match &expr.kind {
        ExprKind::Column(name) => {
            let qualifiers = name.parts.iter().rev().skip(1).map(|part| part.name.as_str());
            qualifiers.clone().count() <= source.len() && qualifiers.zip(source.iter().rev()).all(|(a, b)| a == b)
        }
        _ => true,
    };
    match &condition.kind {
        ExprKind::Binary { operands, .. } => operands.iter().all(own),
        ExprKind::Between { operand, .. } => own(operand),
        _ => true,
    }
}

/// True if the column of that name, or a ranking call, is somewhere in the expression.
pub(super) fn is_about(expr: &Expr, name: Option<&str>) -> bool {
    let Some(name) = name else { return ranking_call(expr).is_some() };
    if let ExprKind::Column(column) = &expr.kind {
        return column.last().name == name;
    }
    let mut found = false;
    children(expr, &mut |child| {
        if let Child::Expr(part) = child {
            found |= is_about(part, Some(name));
        }
    });
    found
}

/// True for `rank > 3`: the rows behind it are given one after the other, as they come.
fn is_low_end(condition: &Expr) -> bool {
    let ExprKind::Binary { operators, operands } = &condition.kind else { return false };
    let ([operator], [left, right]) = (operators.as_slice(), operands.as_slice()) else { return false };
    let is_number = |expr: &Expr| matches!(bare(expr).kind, ExprKind::Literal(Literal::Exact(_)));
    let is_rank = |expr: &Expr| matches!(bare(expr).kind, ExprKind::Column(_));
    match operator {
        BinaryOperator::Greater | BinaryOperator::GreaterEqual => is_rank(left) && is_number(right),
        BinaryOperator::Less | BinaryOperator::LessEqual => is_number(left) && is_rank(right),
        _ => false,
    }
}

/// The high end of `rank BETWEEN low AND high`; never 1, as the rows before are kept as well.
fn between(condition: &Expr, name: Option<&str>) -> Option<u64> {
    let ExprKind::Between { negated: false, symmetric: false, operand, bounds } = &condition.kind else { return None };
    let (ExprKind::Column(column), Some(name)) = (&operand.kind, name) else { return None };
    match &bounds.1.kind {
        ExprKind::Literal(Literal::Exact(high)) if column.last().name == name => {
            high.parse::<u64>().ok().map(|high| high.max(2))
        }
        _ => None,
    }
}

/// How many windows with a name are looked up in one query; each lookup goes through all that `WINDOW` defines.
const MOST_NAMED_WINDOWS: usize = 64;

impl Walker<'_> {
    /// The window that is meant; `None` if nobody looks it up.
    pub(super) fn window<'e>(&mut self, over: &'e WindowSpec, select: &Select) -> Option<Cow<'e, WindowSpec>> {
        if over.base.is_none() {
            return Some(Cow::Borrowed(over));
        }
        self.named_windows += 1;
        (self.named_windows <= MOST_NAMED_WINDOWS).then(|| Cow::Owned(named_window(over, select)))
    }

    /// What a ranking call makes of the rows of the select in reach, with its numbers at `column`.
    pub(super) fn rank(
        &mut self,
        call: &Call,
        over: &WindowSpec,
        select: &Select,
        before: &Changes,
        column: usize,
    ) -> Rank {
        let window = self.window(over, select);
        let partition: Option<Vec<Value>> = window
            .as_ref()
            .map(|window| window.partition_by.iter().map(|expr| self.expr(expr)).collect())
            .filter(|partition: &Vec<Value>| partition.iter().all(|value| value.from.is_some()));
        let order = window.as_ref().map_or(&[] as &[_], |window| window.order_by.as_slice());
        let time = match order {
            [only] => self.expr(&only.expr).time.map(|_| only.descending),
            _ => None,
        };
        let is_row_number = call.name.last().name.eq_ignore_ascii_case("ROW_NUMBER");
        let span = call.span;
        let parts = window.iter().flat_map(|window| &window.partition_by).chain(order.iter().map(|item| &item.expr));
        let places: Key = parts.filter_map(|expr| self.place(expr)).collect();
        self.judged.ordered(before.keys.iter().any(|key| key.is_subset(&places)), span);
        if has_window(partition.iter().flatten()) && before.kind == Kind::Append {
            let name = if time.is_some() { "window deduplication" } else { "window top-N" };
            let first = Changes::decided(Kind::Append, Vec::new(), name, span);
            let top = Changes::decided(Kind::Append, Vec::new(), "window top-N", span);
            return Rank { column, first, top };
        }
        let parts: Option<Key> = partition.map(|parts| parts.into_iter().filter_map(|value| value.from).collect());
        let mut keys = parts.as_ref().map_or_else(Vec::new, |parts| spread_by(&before.keys, parts));
        let known_before = keys.clone();
        if let Some(parts) = parts.as_ref().filter(|_| is_row_number) {
            keys.push(parts.iter().copied().chain([column]).collect());
        }
        let top = Changes::decided(Kind::Updating.max(before.kind), limited(keys), "top-N", span);
        let first = match time {
            Some(descending) if is_row_number => {
                // The first by event time is given when the watermark has passed it.
                let keeps_first = !descending && before.kind == Kind::Append;
                let kind = if keeps_first { Kind::Append } else { top.kind };
                Changes::decided(kind, parts.into_iter().collect(), "deduplication", span)
            }
            // One row of each partition.
            _ if is_row_number => Changes { keys: parts.into_iter().collect(), ..top.clone() },
            _ => Changes { keys: known_before, ..top.clone() },
        };
        Rank { column, first, top }
    }
}
