//! What a select computes over more than a row: groupings, windows of rows, ranks.

use std::collections::{BTreeMap, BTreeSet};

use super::changes::{Changes, Key, Kind, each, spread_by};
use super::join::parts;
use super::query::item_expr;
use super::rank::{Rank, is_about};
use super::scope::Value;
use super::window::{apart, has_window};
use super::{Relation, Walker};
use crate::diagnostic::Span;
use crate::sql::functions::{is_aggregate_call, is_ranking, is_window};
use crate::sql::operators::{Clock, aggregates, bare};
use crate::sql::tree::{AccessStep, ArgValue, Call, Expr, ExprKind, Select, SelectItem};
use crate::sql::walk::{Child, children};

/// How many keys of a grouping are looked for in the select list.
const MOST_KEYS: usize = 256;

impl Walker<'_> {
    /// A grouping: what it groups by are the keys.
    pub(super) fn aggregate(
        &mut self,
        select: &Select,
        span: Span,
        before: &Changes,
        places: &Places<'_>,
        relation: &mut Relation,
    ) {
        let keys = select.group_by.as_ref().map_or(&[] as &[Expr], |group| &group.keys);
        let values: Vec<Value> = keys.iter().map(|key| self.group_key(key, select)).collect();
        let by_rows = keys.iter().any(is_window_call);
        let plain = select.group_by.as_ref().map_or(&[] as &[usize], |group| &group.plain);
        let plain = plain.iter().filter_map(|place| values.get(*place));
        // Sets of keys would take a session's rows apart otherwise.
        let is_whole = plain.clone().count() == values.len() || apart(plain.clone()).is_none();
        if by_rows || (is_whole && has_window(plain)) {
            let known = if by_rows && keys.len() <= MOST_KEYS { window_keys(keys, places) } else { Vec::new() };
            relation.keep_times_of_windows();
            if by_rows {
                relation.forget_windows();
            }
            relation.changes = Changes::decided(Kind::Append, known, "window aggregate", span);
            self.judged.note(&relation.changes, span);
            return;
        }
        let few = keys.len() <= MOST_KEYS;
        let columns = |(key, value): (&Expr, &Value)| match value.from {
            Some(from) => places.by_place.get(&from).cloned().unwrap_or_default(),
            None if few => places.alike(key),
            None => Vec::new(),
        };
        let found: Vec<Vec<usize>> = keys.iter().zip(&values).map(columns).collect();
        let sets = select.group_by.as_ref().is_some_and(|group| group.grouping_sets);
        let known: Vec<Key> = if sets || found.iter().any(Vec::is_empty) { Vec::new() } else { each(&found) };
        relation.forget_times();
        let kind = Kind::Updating.max(before.kind);
        relation.changes = Changes::decided(kind, known, "group aggregate", span);
        self.judged.note(&relation.changes, span);
    }

    /// What a key of a grouping stands for: a name of the select list where no source has it.
    fn group_key(&mut self, key: &Expr, select: &Select) -> Value {
        let few = select.group_by.as_ref().is_some_and(|group| group.keys.len() <= MOST_KEYS);
        if let ExprKind::Column(name) = &key.kind
            && let [only] = name.parts.as_slice()
            && few
            && self.find(name).is_none()
            && let Some(item) = select.items.iter().find_map(|item| match item {
                SelectItem::Expr { expr, alias: Some(alias), .. } if alias.name == only.name => Some(expr),
                _ => None,
            })
        {
            return self.expr(item);
        }
        self.expr(key)
    }

    /// Without grouping: functions over windows of rows, and ranks.
    pub(super) fn over<'e>(
        &mut self,
        select: &'e Select,
        found: &Found<'e>,
        before: Changes,
        places: &Places<'e>,
        relation: &mut Relation,
    ) {
        let count = self.scopes.last().map_or(0, |scope| scope.columns.len());
        let mut changes = before.clone();
        let mut rank = self.scopes.last().and_then(|scope| scope.rank.clone());
        for call in &found.over {
            let Some(over) = &call.over else { continue };
            let window = self.window(over, select);
            let partition: Option<Key> =
                window.as_ref().and_then(|window| window.partition_by.iter().map(|expr| self.place(expr)).collect());
            let keys = partition.map(|parts| spread_by(&changes.keys, &parts)).unwrap_or_default();
            let first = window.as_ref().and_then(|window| window.order_by.first());
            let first = first.map(|item| self.expr(&item.expr));
            let timed = first.as_ref().is_some_and(|value| value.time.is_some());
            if window.is_some() {
                self.judged.goes_by(first.map_or(Clock::None, |value| value.clock()), call.span);
            }
            let before = std::mem::take(&mut changes);
            changes = if timed {
                Changes { keys, ..before }
            } else {
                Changes::decided(Kind::Updating.max(before.kind), keys, "over aggregate", call.span)
            };
        }
        let mut places = places.clone();
        let source = self.scopes.last();
        let of_source = rank.as_ref().and_then(|rank| Some(source?.columns.get(rank.column())?.name.clone()));
        // Of numbers that a condition further out may reach by a way that is not followed.
        let mut unread = None;
        for i in 0..relation.columns.len() {
            let Some(expr) = places.expr(i) else { continue };
            let is_plain = matches!(bare(expr).kind, ExprKind::Column(_));
            if let (Some(name), Some(rank), false) = (&of_source, &rank, is_plain)
                && is_about(expr, Some(name))
            {
                unread = Some(rank.unread());
            }
            let Some((call, over)) = ranking_call(expr).and_then(|call| Some((call, call.over.as_ref()?))) else {
                continue;
            };
            places.add(Some(count), i);
            let own = self.rank(call, over, select, &before, count);
            let own = if matches!(bare(expr).kind, ExprKind::Call(_)) { own } else { own.computed() };
            unread = rank.replace(own).map(|other| other.unread()).or(unread);
        }
        // Only numbers within windows leave the windows as they are, and only where they are the only ones.
        let only_numbers_windows = rank.as_ref().is_some_and(Rank::is_of_windows) && found.over.len() == 1;
        if !found.over.is_empty() && !only_numbers_windows {
            relation.forget_windows();
        }
        if let Some(qualify) = &select.qualify {
            let conditions = parts([qualify]);
            let call = conditions.iter().find_map(|part| ranking_call(part));
            let limited = call.and_then(|call| {
                let rank = self.rank(call, call.over.as_ref()?, select, &before, count);
                let kept = rank.limited_by(&conditions, None, &[]);
                if kept.is_none() || !found.over.is_empty() || !rank.is_of_windows() {
                    relation.forget_windows();
                }
                kept
            });
            let named = rank.as_ref().and_then(|rank| {
                let name = relation.columns.get(*places.by_place.get(&rank.column())?.first()?)?.name.as_str();
                rank.limited_by(&conditions, Some(name), &[])
            });
            if let Some(kept) = limited.or(named) {
                self.judged.ranked(&kept);
                changes = kept;
                rank = None;
            }
        }
        if let Some(rank) = rank.take_if(|rank| places.by_place.get(&rank.column()).is_some_and(|to| to.len() > 1)) {
            unread = Some(rank.unread());
        }
        let changes = match unread {
            Some(unread) => changes.either(unread).sorted(),
            None => changes,
        };
        relation.changes = changes.projected(&places.by_place);
        relation.rank = rank.and_then(|rank| rank.projected(&places.by_place));
    }
}

/// Where the columns of the sources went.
#[derive(Clone, Default)]
pub(super) struct Places<'e> {
    pub by_place: BTreeMap<usize, Vec<usize>>,
    /// The expression of each column of the result; `None` for one that a star stands for.
    pub exprs: Vec<Option<&'e Expr>>,
    pub open: bool,
}

impl<'e> Places<'e> {
    pub fn add(&mut self, from: Option<usize>, to: usize) {
        if let Some(from) = from {
            self.by_place.entry(from).or_default().push(to);
        }
    }

    /// The places of each column of the sources, and of what is computed.
    pub(super) fn same(&self) -> Vec<Vec<usize>> {
        let passed: BTreeSet<usize> = self.by_place.values().flatten().copied().collect();
        let computed = (0..self.exprs.len()).filter(|place| !passed.contains(place)).map(|place| vec![place]);
        self.by_place.values().cloned().chain(computed).collect()
    }

    /// The columns of the result that say the same as `key`.
    fn alike(&self, key: &Expr) -> Vec<usize> {
        let exprs = self.exprs.iter().enumerate();
        exprs.filter(|(_, expr)| expr.is_some_and(|expr| alike(expr, key))).map(|(place, _)| place).collect()
    }

    fn expr(&self, column: usize) -> Option<&'e Expr> {
        self.exprs.get(column).copied().flatten()
    }
}

/// What a select computes over more than a row.
pub(super) struct Found<'a> {
    /// `GROUP BY`, the first aggregate, or `HAVING`.
    pub aggregated: Option<Span>,
    /// Functions over windows of rows.
    pub over: Vec<&'a Call>,
}

impl<'a> Found<'a> {
    pub(super) fn of(select: &'a Select) -> Self {
        let mut first = None;
        let mut over = Vec::new();
        for expr in select.items.iter().filter_map(item_expr).chain(&select.having) {
            aggregates(expr, &mut |call| {
                first.get_or_insert(call.span);
            });
            windowed(expr, &mut over);
        }
        // Without GROUP BY, HAVING makes one group of all rows.
        let having = select.having.as_ref().map(|having| having.span);
        Self { aggregated: select.group_by.as_ref().map(|group| group.span).or(first).or(having), over }
    }
}

fn windowed<'a>(expr: &'a Expr, found: &mut Vec<&'a Call>) {
    if let ExprKind::Call(call) = &expr.kind
        && call.over.is_some()
    {
        found.push(call);
    }
    children(expr, &mut |child| {
        if let Child::Expr(part) = child {
            windowed(part, found);
        }
    });
}

pub(super) fn ranking_call(expr: &Expr) -> Option<&Call> {
    let mut found = Vec::new();
    windowed(expr, &mut found);
    found.into_iter().find(|call| is_ranking(&call.name.last().name.to_ascii_uppercase()))
}

/// True for `TUMBLE(time, ...)` and the like as a key.
fn is_window_call(key: &Expr) -> bool {
    matches!(&key.kind, ExprKind::Call(call)
        if is_window(&call.name.last().name.to_ascii_uppercase()))
}

/// The keys of a grouping by a window of rows: the other keys with each of the window's properties.
fn window_keys(keys: &[Expr], places: &Places<'_>) -> Vec<Key> {
    let exprs = || places.exprs.iter().enumerate().filter_map(|(i, expr)| expr.map(|expr| (i, expr)));
    let place = |key: &Expr| exprs().find(|(_, item)| alike(item, key)).map(|(i, _)| i);
    let Some(others) = keys.iter().filter(|key| !is_window_call(key)).map(place).collect::<Option<Key>>() else {
        return Vec::new();
    };
    let is_property = |expr: &Expr| match &expr.kind {
        ExprKind::Call(call) => {
            let name = call.name.last().name.to_ascii_uppercase();
            name.split_once('_').is_some_and(|(window, _)| is_window(window))
        }
        _ => false,
    };
    let properties = exprs().filter(|(_, expr)| is_property(expr));
    properties.map(|(i, _)| others.iter().copied().chain([i]).collect()).collect()
}

/// True for an aggregate alone.
pub(super) fn is_plain_aggregate(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Call(call) if is_aggregate_call(call))
}

/// True if two expressions say the same, wherever they stand.
fn alike(a: &Expr, b: &Expr) -> bool {
    match (&a.kind, &b.kind) {
        (ExprKind::Nested(a), _) => alike(a, b),
        (_, ExprKind::Nested(b)) => alike(a, b),
        (ExprKind::Column(a), ExprKind::Column(b)) => a.dotted() == b.dotted(),
        (ExprKind::Literal(a), ExprKind::Literal(b)) => a == b,
        (ExprKind::Cast { operand: a, ty: x, safe: s }, ExprKind::Cast { operand: b, ty: y, safe: t }) => {
            (s, x) == (t, y) && alike(a, b)
        }
        (ExprKind::Call(a), ExprKind::Call(b)) => {
            let args = a.args.iter().zip(&b.args).all(|(a, b)| match (&a.value, &b.value) {
                (ArgValue::Expr(a), ArgValue::Expr(b)) => alike(a, b),
                _ => false,
            });
            let plain = |call: &Call| call.over.is_none() && call.filter.is_none() && call.order_by.is_empty();
            let name = |call: &Call| call.name.dotted().to_ascii_uppercase();
            name(a) == name(b)
                && a.args.len() == b.args.len()
                && a.distinct == b.distinct
                && plain(a)
                && plain(b)
                && args
        }
        (ExprKind::Binary { operators: x, operands: a }, ExprKind::Binary { operators: y, operands: b }) => {
            x == y && a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b))
        }
        (ExprKind::Access { operand: a, steps: x }, ExprKind::Access { operand: b, steps: y }) => {
            let step = |(x, y): (&AccessStep, &AccessStep)| match (x, y) {
                (AccessStep::Field(x), AccessStep::Field(y)) => x.name == y.name,
                (AccessStep::Index(x), AccessStep::Index(y)) => alike(x, y),
                _ => false,
            };
            x.len() == y.len() && x.iter().zip(y).all(step) && alike(a, b)
        }
        _ => false,
    }
}
