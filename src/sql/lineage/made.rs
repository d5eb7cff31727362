//! What values are made of, shared: reading a value again costs nothing, however much it is made of.
//!
//! Rules: a value is an edge to what it is made of. On the edge stands what happens to it on the way: another kind of use,
//! a place, a view around it. What is made of many values is a graph without circles, which is walked once when the lineage
//! is finished: each part once for each way of being used, not once for each way that leads to it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::float::Float;
use super::form::Form;
use super::{ColumnUse, UseKind};
use crate::diagnostic::Span;
use crate::sql::steps;

/// What a value is made of.
#[derive(Clone, Debug, Default)]
pub(super) struct Value {
    edge: Option<Edge>,
    /// The only table column in it.
    sole: Sole,
    /// Whether it is a floating-point number.
    pub float: Float,
    /// What is known of its type.
    pub form: Form,
}

/// The way to what something is made of.
#[derive(Clone, Debug)]
struct Edge {
    made: Arc<Made>,
    /// How it is used.
    lift: Lift,
    /// Where it is named, if it was not named further in.
    place: Option<Span>,
    /// The view that it is in; then no place further in is in this text.
    view: Option<Arc<str>>,
}

/// What something is made of.
#[derive(Debug, Default)]
struct Made {
    parts: Vec<Part>,
    /// There are uses in it that have no place yet.
    open: bool,
}

#[derive(Debug)]
enum Part {
    /// A column of a table or a view.
    Column(Arc<str>, Arc<str>, UseKind),
    /// A call that makes it depend on more than its input.
    Call(Span),
    Edge(Edge),
}

/// The table column that a value is made of, besides those of views.
#[derive(Clone, Debug, Default, PartialEq)]
enum Sole {
    #[default]
    None,
    One {
        table: Arc<str>,
        column: Arc<str>,
        kind: UseKind,
        place: Option<Span>,
        /// The column of a view is named as well.
        in_view: bool,
    },
    /// A view's column alone.
    View,
    Many,
}

/// For each kind of use what it becomes; `None` where it is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Lift([Option<UseKind>; UseKind::ALL.len()]);

impl Lift {
    fn new(to: impl Fn(UseKind) -> Option<UseKind>) -> Self {
        Self(UseKind::ALL.map(to))
    }

    const KEEP: Self = {
        let mut kept = [None; UseKind::ALL.len()];
        let mut at = 0;
        while at < kept.len() {
            kept[at] = Some(UseKind::ALL[at]);
            at += 1;
        }
        Self(kept)
    };

    fn of(self, kind: UseKind) -> Option<UseKind> {
        self.0.get(kind as usize).copied().flatten()
    }

    /// First `inner`, then this.
    fn after(self, inner: Self) -> Self {
        if inner == Self::KEEP { self } else { Self(inner.0.map(|kind| kind.and_then(|kind| self.of(kind)))) }
    }
}

impl Edge {
    fn is_open(&self) -> bool {
        self.place.is_none() && (self.view.is_some() || self.made.open)
    }

    fn is_plain(&self) -> bool {
        self.place.is_none() && self.view.is_none() && self.lift == Lift::KEEP
    }
}

impl Made {
    fn push(&mut self, part: Part) {
        self.open |= match &part {
            Part::Column(..) => true,
            Part::Call(_) => false,
            Part::Edge(edge) => edge.is_open(),
        };
        self.parts.push(part);
    }
}

impl Drop for Made {
    /// A long chain of values would otherwise be dropped from call to call.
    fn drop(&mut self) {
        let mut left = std::mem::take(&mut self.parts);
        while let Some(part) = left.pop() {
            if let Part::Edge(edge) = part
                && let Some(mut made) = Arc::into_inner(edge.made)
            {
                left.append(&mut made.parts);
            }
        }
    }
}

impl Value {
    /// A column of a table.
    pub fn column(table: &Arc<str>, column: &Arc<str>, kind: UseKind) -> Self {
        let sole =
            Sole::One { table: Arc::clone(table), column: Arc::clone(column), kind, place: None, in_view: false };
        Self { sole, ..Self::view_column(table, column, kind) }
    }

    /// A column of a view.
    pub fn view_column(view: &Arc<str>, column: &Arc<str>, kind: UseKind) -> Self {
        let mut value = Self { sole: Sole::View, ..Self::default() };
        value.push(Part::Column(Arc::clone(view), Arc::clone(column), kind));
        value
    }

    /// A literal.
    pub fn literal() -> Self {
        Self { form: Form::Plain(Float::No), ..Self::default() }
    }

    /// The same value where it is no part of a number.
    pub fn besides(self) -> Self {
        self.floating(Float::No)
    }

    /// True if nothing is known to be in it.
    pub const fn is_empty(&self) -> bool {
        self.edge.is_none()
    }

    fn push(&mut self, part: Part) {
        steps::count(1);
        if let Some(edge) = self.edge.as_mut().filter(|edge| edge.is_plain())
            && let Some(made) = Arc::get_mut(&mut edge.made)
        {
            return made.push(part);
        }
        let mut made = Made::default();
        if let Some(edge) = self.edge.take() {
            made.push(Part::Edge(edge));
        }
        made.push(part);
        self.edge = Some(Edge { made: Arc::new(made), lift: Lift::KEEP, place: None, view: None });
    }

    /// The same value, used as `kind` if it was passed on or computed so far.
    pub fn lifted(self, kind: UseKind) -> Self {
        self.turned(|inner| {
            Some(match inner {
                UseKind::Direct => kind,
                UseKind::Computed if kind != UseKind::Direct => kind,
                inner => inner,
            })
        })
    }

    /// The same value, deciding about rows as `kind`.
    pub fn deciding(self, kind: UseKind) -> Self {
        self.lifted(kind).turned(|inner| {
            Some(match inner {
                UseKind::Computed | UseKind::Aggregated => kind,
                inner => inner,
            })
        })
    }

    /// Only what is used as `kind`.
    pub fn only(self, kind: UseKind) -> Self {
        self.turned(|inner| Some(inner).filter(|inner| *inner == kind))
    }

    fn turned(mut self, to: impl Fn(UseKind) -> Option<UseKind>) -> Self {
        if let Sole::One { kind, .. } = &mut self.sole {
            match to(*kind) {
                Some(turned) => *kind = turned,
                None => self.sole = Sole::Many,
            }
        }
        if let Some(edge) = &mut self.edge {
            edge.lift = Lift::new(to).after(edge.lift);
        }
        self
    }

    pub fn add(&mut self, other: Self) {
        self.float = self.float.max(other.float);
        let begins = self.edge.is_none() && self.sole == Sole::None && self.form == Form::Unknown;
        self.form = if begins { other.form } else { std::mem::take(&mut self.form).or(other.form) };
        self.sole = match (std::mem::take(&mut self.sole), other.sole) {
            (Sole::None, sole) | (sole, Sole::None) => sole,
            (Sole::View, Sole::View) => Sole::View,
            (Sole::View, Sole::One { table, column, kind, place, .. })
            | (Sole::One { table, column, kind, place, .. }, Sole::View) => {
                Sole::One { table, column, kind, place, in_view: true }
            }
            (one, other) if one == other => one,
            _ => Sole::Many,
        };
        match other.edge {
            Some(edge) if self.edge.is_none() => self.edge = Some(edge),
            Some(edge) => self.push(Part::Edge(edge)),
            None => {}
        }
    }

    /// The same value as a floating-point number, or as none.
    pub fn floating(self, float: Float) -> Self {
        Self { float, ..self }
    }

    /// The same value with another form.
    pub fn formed(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// Notes a call that makes it depend on more than its input.
    pub fn call(&mut self, span: Span) {
        self.push(Part::Call(span));
    }

    /// Open places become `span`.
    pub fn placed(mut self, span: Span) -> Self {
        if let Sole::One { place, .. } = &mut self.sole {
            place.get_or_insert(span);
        }
        if let Some(edge) = &mut self.edge {
            edge.place.get_or_insert(span);
        }
        self
    }

    /// The same value seen through a view: its places and calls are in the view's text, not in this one.
    pub fn behind(self, view: &Arc<str>) -> Self {
        let Some(inner) = self.edge else { return self };
        let mut made = Made::default();
        made.push(Part::Edge(inner));
        let edge = Edge { made: Arc::new(made), lift: Lift::KEEP, place: None, view: Some(Arc::clone(view)) };
        let mut sole = self.sole;
        if let Sole::One { place, .. } = &mut sole {
            *place = None;
        }
        Self { edge: Some(edge), sole, float: self.float, form: self.form }
    }

    /// Only its columns of tables, each once for each kind of use, without the ways that lead to them. `kept` says which.
    pub fn columns(&self, kept: &dyn Fn(&str, &str) -> bool) -> Self {
        let mut found = Expansion::default();
        found.add(self, Span::new(0, 0));
        let mut seen = BTreeSet::new();
        let mut columns = Self { edge: None, ..self.clone() };
        for ColumnUse { table, column, kind, .. } in found.uses {
            if kept(&table, &column) && seen.insert((table.clone(), column.clone(), kind)) {
                columns.push(Part::Column(table.into(), column.into(), kind));
            }
        }
        columns
    }

    /// The only column of a table that it passes on as it is, perhaps through views.
    pub fn passed_on(&self) -> Option<(String, String)> {
        match &self.sole {
            Sole::One { table, column, kind: UseKind::Direct, .. } => Some((table.to_string(), column.to_string())),
            _ => None,
        }
    }
}

/// How many of the views around a use are named.
const MAX_VIA: usize = 16;

/// Views around a use, the innermost first.
#[derive(Debug)]
struct Via {
    view: Arc<str>,
    outer: Option<Arc<Via>>,
    /// The outermost of them.
    first: Arc<str>,
    /// How many there are.
    count: usize,
}

impl Via {
    /// The views of `outer`, and `view` inside of them.
    fn inside(outer: Option<Arc<Self>>, view: &Arc<str>) -> Arc<Self> {
        match outer {
            Some(outer) if outer.count >= MAX_VIA => outer,
            outer => {
                let first = Arc::clone(outer.as_ref().map_or(view, |outer| &outer.first));
                let count = outer.as_ref().map_or(0, |outer| outer.count) + 1;
                Arc::new(Self { view: Arc::clone(view), outer, first, count })
            }
        }
    }

    /// Their names, the outermost first.
    fn names(&self) -> Vec<String> {
        let mut names = vec![self.view.to_string()];
        let mut next = self.outer.as_ref();
        while let Some(around) = next {
            names.push(around.view.to_string());
            next = around.outer.as_ref();
        }
        names.reverse();
        names
    }
}

/// How a part is come to.
#[derive(Clone)]
struct Way {
    lift: Lift,
    place: Span,
    via: Option<Arc<Via>>,
}

/// A part, and what tells one way of using it from another: how, where if that is still open, and the view in this text.
type Seen = (usize, Lift, Option<Span>, Option<Arc<str>>);

/// A use: table, column, how, where, and the view in this text.
type SeenUse = (Arc<str>, Arc<str>, UseKind, Span, Option<Arc<str>>);

/// Walks values and collects the columns and calls in them, each once, in the order in which they are found.
#[derive(Default)]
pub(super) struct Expansion {
    pub uses: Vec<ColumnUse>,
    pub calls: Vec<Span>,
    seen: BTreeSet<Seen>,
    seen_uses: BTreeSet<SeenUse>,
    seen_calls: BTreeSet<Span>,
}

impl Expansion {
    /// Everything in one value; open places become `span`.
    pub fn of(value: &Value, span: Span) -> Self {
        let mut expansion = Self::default();
        match &value.edge {
            // Most values are one column: nothing can be found twice.
            Some(Edge { made, lift, place, view: None }) if matches!(made.parts.as_slice(), [Part::Column(..)]) => {
                let Some(Part::Column(table, column, kind)) = made.parts.first() else { return expansion };
                steps::count(1);
                let (table, column, span) = (table.to_string(), column.to_string(), place.unwrap_or(span));
                let used = lift.of(*kind).map(|kind| ColumnUse { table, column, kind, span, via: Vec::new() });
                expansion.uses.extend(used);
            }
            _ => expansion.add(value, span),
        }
        expansion
    }

    /// Adds what is in `value`; open places become `span`.
    pub fn add(&mut self, value: &Value, span: Span) {
        let Some(edge) = &value.edge else { return };
        let way = Way { lift: Lift::KEEP, place: span, via: None };
        let mut left: Vec<(&Part, Way)> = Vec::new();
        self.enter(edge, way, &mut left);
        while let Some((part, way)) = left.pop() {
            steps::count(1);
            match part {
                Part::Column(table, column, kind) => self.column(table, column, *kind, &way),
                Part::Call(span) if way.via.is_none() && self.seen_calls.insert(*span) => self.calls.push(*span),
                Part::Call(_) => {}
                Part::Edge(edge) => self.enter(edge, way, &mut left),
            }
        }
    }

    /// Goes on with what `edge` leads to, unless that was walked on such a way before.
    fn enter<'v>(&mut self, edge: &'v Edge, mut way: Way, left: &mut Vec<(&'v Part, Way)>) {
        way.lift = way.lift.after(edge.lift);
        if let (Some(place), None) = (edge.place, &way.via) {
            way.place = place;
        }
        if let Some(view) = &edge.view {
            way.via = Some(Via::inside(way.via.take(), view));
        }
        let first = way.via.as_ref().map(|via| Arc::clone(&via.first));
        let place = Some(way.place).filter(|_| first.is_some() || edge.made.open);
        if self.seen.insert((Arc::as_ptr(&edge.made) as usize, way.lift, place, first)) {
            left.extend(edge.made.parts.iter().rev().map(|part| (part, way.clone())));
        }
    }

    fn column(&mut self, table: &Arc<str>, column: &Arc<str>, kind: UseKind, way: &Way) {
        let Some(kind) = way.lift.of(kind) else { return };
        let first = way.via.as_ref().map(|via| Arc::clone(&via.first));
        if !self.seen_uses.insert((Arc::clone(table), Arc::clone(column), kind, way.place, first)) {
            return;
        }
        let via = way.via.as_ref().map(|via| via.names()).unwrap_or_default();
        let (table, column) = (table.to_string(), column.to_string());
        self.uses.push(ColumnUse { table, column, kind, span: way.place, via });
    }
}
