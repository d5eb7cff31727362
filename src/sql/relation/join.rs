//! Joins: what becomes of the changes of two sides, and of the keys by which their rows are known.
//!
//! Source: <https://nightlies.apache.org/flink/flink-docs-release-2.2/docs/dev/table/sql/queries/joins/>

use super::Walker;
use super::changes::{Changes, Key, Kind, limited, spread_by};
use super::judged::INTERVAL_JOIN;
use super::scope::{Time, Value};
use crate::diagnostic::Span;
use crate::sql::operators::{Operator, conjuncts};
use crate::sql::tree::{BinaryOperator, Expr, ExprKind, JoinKind, ObjectName, UnaryOperator};
use crate::sql::types::{common, is_text};

/// What is joined: the columns before `at` with those from it on.
pub(super) struct Joined<'e> {
    pub kind: JoinKind,
    pub left: Changes,
    pub right: Changes,
    /// The place of the first column of the right side.
    pub at: usize,
    /// All that has to hold, each part on its own.
    pub conditions: Vec<Part<'e>>,
    /// Equal columns of `USING` or `NATURAL`.
    pub using: Vec<(usize, usize)>,
    pub span: Span,
}

/// How a right side is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// As a table like the left one.
    AsTable,
    /// As of the time of each row of the left one.
    AsOf(Option<Time>),
    /// It is a function of each row of the left one.
    ForEach,
}

impl Walker<'_> {
    /// The changes of a join.
    pub(super) fn join(&mut self, joined: Joined<'_>, asked: Asked) -> Changes {
        let few = joined.conditions.len() <= MOST_CONDITIONS;
        let pairs = if few { self.equal_pairs(&joined) } else { vec![(CAST, CAST)] };
        match asked {
            Asked::ForEach => {
                let kind = joined.left.kind.max(joined.right.kind);
                let because =
                    if joined.right.kind > joined.left.kind { joined.right.because } else { joined.left.because };
                return Changes { kind, keys: Vec::new(), because };
            }
            Asked::AsOf(time) => {
                let spread = time != Some(Time::Processing);
                // Another system is asked, and nothing is kept.
                self.judged.is((!spread).then_some(Operator::LookupJoin), joined.span);
                let keys = keys(&joined, &pairs, spread);
                if let Some(scope) = self.scopes.last_mut() {
                    scope.forget_windows();
                    // The time of the version that was found is a value like any other.
                    scope.columns.iter_mut().skip(joined.at).for_each(|column| column.value.time = None);
                }
                return Changes { keys, ..joined.left };
            }
            Asked::AsTable => {}
        }
        let both_append = few && joined.left.kind.max(joined.right.kind) == Kind::Append;
        if both_append && self.joins_windows(&joined) {
            let changes = Changes::decided(Kind::Append, Vec::new(), "window join", joined.span);
            self.judged.note(&changes, joined.span);
            return changes;
        }
        if both_append && self.is_within_interval(&joined) {
            let keys = keys(&joined, &pairs, true);
            if let Some(scope) = self.scopes.last_mut() {
                scope.forget_windows();
            }
            let changes = Changes::decided(Kind::Append, keys, INTERVAL_JOIN, joined.span);
            self.judged.note(&changes, joined.span);
            return changes;
        }
        let keys = keys(&joined, &pairs, true);
        if let Some(scope) = self.scopes.last_mut() {
            scope.forget_times();
        }
        self.judged.note(&Changes::default(), joined.span);
        match joined.kind {
            JoinKind::Inner | JoinKind::Cross => Changes { keys, ..joined.left.either(joined.right) },
            JoinKind::Left | JoinKind::Right | JoinKind::Full => {
                let kind = Kind::Updating.max(joined.left.kind).max(joined.right.kind);
                Changes::decided(kind, keys, "outer join", joined.span)
            }
        }
    }

    /// Columns of both sides that have to be equal.
    fn equal_pairs(&mut self, joined: &Joined<'_>) -> Vec<(usize, usize)> {
        let mut pairs = joined.using.clone();
        for condition in &joined.conditions {
            let Some((left, right)) = condition.equality() else { continue };
            let (Some(a), Some(b)) = (self.plain_column(left), self.plain_column(right)) else { continue };
            let (Some(first), Some(second)) = (a.from, b.from) else { continue };
            let [one, other] = compared([(first, &a), (second, &b)]);
            if first < joined.at && second >= joined.at {
                pairs.push((one, other));
            } else if second < joined.at && first >= joined.at {
                pairs.push((other, one));
            }
        }
        pairs
    }

    /// The column of the nearest select that an expression passes on.
    pub(super) fn place(&mut self, expr: &Expr) -> Option<usize> {
        self.plain_column(expr)?.from
    }

    /// The value of a column's name, in brackets or not. A join asks no more of its conditions: those of `WHERE` are held
    /// against each join, when the sources behind it are not in reach yet, and a query in one would be judged by less than
    /// it sees.
    pub(super) fn plain_column(&mut self, expr: &Expr) -> Option<Value> {
        column_name(expr).map(|name| self.column(name))
    }
}

/// How many conditions are looked at for one join; with more of them nothing is said of keys, windows and intervals.
const MOST_CONDITIONS: usize = 256;

/// How many columns a key of a join may have.
const MOST_COLUMNS: usize = 64;

/// A place that no key holds: of a value that is cast to be compared.
pub(super) const CAST: usize = usize::MAX;

/// The columns that are compared. One whose type is not the common one is cast, and its rows are spread by what comes of that.
pub(super) fn compared(sides: [(usize, &Value); 2]) -> [usize; 2] {
    let [(_, a), (_, b)] = sides;
    let ty = |value: &Value| value.ty.as_ref().map(|ty| ty.ty.clone());
    let both = common(&a.ty, &b.ty).map(|ty| ty.ty);
    let texts = [a, b].iter().all(|value| ty(value).is_some_and(|ty| is_text(&ty)));
    sides.map(|(place, value)| if texts || (both.is_some() && ty(value) == both) { place } else { CAST })
}

/// The name that stands alone, in brackets or not.
pub(super) fn column_name(mut expr: &Expr) -> Option<&ObjectName> {
    while let ExprKind::Nested(inner) = &expr.kind {
        expr = inner;
    }
    match &expr.kind {
        ExprKind::Column(name) => Some(name),
        _ => None,
    }
}

/// A part of a condition: what has to hold, or, with `not`, what must not.
#[derive(Clone, Copy)]
pub(super) struct Part<'e> {
    pub expr: &'e Expr,
    pub not: bool,
}

impl<'e> Part<'e> {
    /// The parts of a condition; `NOT (a OR b)` has two.
    pub fn of(condition: &'e Expr) -> Vec<Self> {
        let mut found = Vec::new();
        Self { expr: condition, not: false }.split(&mut found);
        found
    }

    fn split(self, found: &mut Vec<Self>) {
        let Self { expr, not } = self;
        let joint = if not { BinaryOperator::Or } else { BinaryOperator::And };
        match &expr.kind {
            ExprKind::Nested(inner) => Self { expr: inner, not }.split(found),
            ExprKind::Unary { operator: UnaryOperator::Not, operand } => {
                Self { expr: operand, not: !not }.split(found);
            }
            ExprKind::Binary { operators, operands } if operators.iter().all(|operator| *operator == joint) => {
                operands.iter().for_each(|expr| Self { expr, not }.split(found));
            }
            _ => found.push(self),
        }
    }

    /// The comparison of two values that has to hold.
    pub fn comparison(self) -> Option<(BinaryOperator, &'e Expr, &'e Expr)> {
        let ExprKind::Binary { operators, operands } = &self.expr.kind else { return None };
        let ([operator], [left, right]) = (operators.as_slice(), operands.as_slice()) else { return None };
        use BinaryOperator as B;
        let opposite = match operator {
            B::Equal => B::NotEqual,
            B::NotEqual => B::Equal,
            B::Less => B::GreaterEqual,
            B::LessEqual => B::Greater,
            B::Greater => B::LessEqual,
            B::GreaterEqual => B::Less,
            _ => return None,
        };
        Some((if self.not { opposite } else { *operator }, left, right))
    }

    /// The sides of `a = b`.
    pub fn equality(self) -> Option<(&'e Expr, &'e Expr)> {
        self.comparison().filter(|(operator, ..)| *operator == BinaryOperator::Equal).map(|(_, a, b)| (a, b))
    }
}

/// The sides of `a = b`.
pub(super) fn equality(condition: &Expr) -> Option<(&Expr, &Expr)> {
    match &condition.kind {
        ExprKind::Binary { operators, operands } => match (operators.as_slice(), operands.as_slice()) {
            ([BinaryOperator::Equal], [left, right]) => Some((left, right)),
            _ => None,
        },
        _ => None,
    }
}

/// The parts of conditions that all have to hold.
pub(super) fn parts<'e>(conditions: impl IntoIterator<Item = &'e Expr>) -> Vec<&'e Expr> {
    conditions.into_iter().flat_map(conjuncts).collect()
}

/// By what the rows of a join are known: by keys of both sides together, and by those of one side whose rows meet at most one
/// row of the other. Rows that an outer join fills up with NULL are not known by the side that is missing.
fn keys(joined: &Joined<'_>, pairs: &[(usize, usize)], spread: bool) -> Vec<Key> {
    let left_equal: Key = pairs.iter().map(|(left, _)| *left).collect();
    let right_equal: Key = pairs.iter().map(|(_, right)| *right).collect();
    let is_unique = |keys: &[Key], equal: &Key| keys.iter().any(|key| key.is_subset(equal));
    let left_unique = is_unique(&joined.left.keys, &left_equal);
    let right_unique = is_unique(&joined.right.keys, &right_equal);
    let of_side = |keys: &[Key], equal: &Key| if spread { spread_by(keys, equal) } else { keys.to_vec() };
    let (left, right) = (of_side(&joined.left.keys, &left_equal), of_side(&joined.right.keys, &right_equal));
    let mut found = Vec::new();
    for a in &left {
        let right = right.iter().filter(|b| a.len() + b.len() <= MOST_COLUMNS);
        found.extend(right.map(|b| a.union(b).copied().collect::<Key>()));
    }
    if right_unique && matches!(joined.kind, JoinKind::Inner | JoinKind::Cross | JoinKind::Left) {
        found.extend(left);
    }
    if left_unique && matches!(joined.kind, JoinKind::Inner | JoinKind::Cross | JoinKind::Right) {
        found.extend(right);
    }
    limited(found)
}
