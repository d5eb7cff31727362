//! The state that Flink keeps for a statement: by the operators of its text, through views, and what Flink adds at sources
//! and sinks.
//!
//! Rules: nothing is called stateless that might hold state, and nothing is said to end that might not: windows and times are
//! those that the columns are known to be ([`super::relation`], which tells the changes as well), whatever they are called. A source that says only the new value of a row
//! (`upsert-kafka`, a table whose `changelog.mode` is upsert, and one of Confluent's, which name no connector and no mode, with
//! a primary key) is normalised, unless its rows go to such a sink as they are; so is a changelog with a primary key where jobs
//! are told that changes may come twice; a sink with a primary key is materialised
//! when what arrives can change and is not known by that key. Spans are in the text of the statement; for what a view does,
//! where the view is named.

use std::collections::BTreeSet;

use super::changelog::Filled;
use super::flow::Definitions;
use super::operators::{Operator, OperatorUse, judged};
use super::query_refs;
use super::relation::{Judged, Kind, Ordering, Relation, judged_in_view};
use super::rows::Rows;
use super::session::Session;
use super::steps;
use super::tree::{ColumnKind, CreateTable, Factor, FactorKind, Query, QueryBody, Statement, StatementKind, TableExpr};
use super::views::Kept;
use crate::diagnostic::Span;

/// An operator that holds state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateUse {
    /// What it is.
    pub operator: StateOperator,
    /// What bounds it.
    pub bounded_by: Bound,
    /// Where it comes from.
    pub span: Span,
    /// The view that it is in; `None` where it is written in the statement itself.
    pub via: Option<String>,
}

/// Operators that hold state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StateOperator {
    /// One that the text names.
    Written(&'static str),
    /// A source's changes made whole: the last row of each key.
    ChangelogNormalize,
    /// The rows of each key of the sink, because what arrives goes by another key.
    SinkMaterialize,
}

impl StateOperator {
    /// Its name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Written(name) => name,
            Self::ChangelogNormalize => "changelog normalise",
            Self::SinkMaterialize => "sink materialise",
        }
    }
}

/// What keeps state from growing for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    /// Nothing at all, not even a time to live.
    Nothing,
    /// Nothing but `table.exec.state.ttl` or a hint `STATE_TTL`, if one is set.
    Ttl,
    /// The end of the window.
    Window,
    /// The span of time in the condition.
    Interval,
    /// The watermark; for a time of processing, the clock.
    Watermark,
    /// A number of rows.
    RowCount,
}

impl Bound {
    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Ttl => "ttl",
            Self::Window => "window",
            Self::Interval => "interval",
            Self::Watermark => "watermark",
            Self::RowCount => "row count",
        }
    }
}

/// The state of what runs because of `statement`; nothing for one that runs nothing. It is what there is if the functions that
/// [`super::Changelog::assumes`] names are none that aggregate.
pub fn state(statement: &Statement, known: &Definitions) -> Vec<StateUse> {
    Rows::of(statement, known).state()
}

/// Adds the state of one query of `statement`, and of what it fills.
pub(super) fn of_filled(
    statement: &Statement,
    filled: &Filled<'_>,
    made: &Relation,
    known: &Definitions,
    found: &mut Vec<StateUse>,
) {
    of_query(filled.query, &made.judged, known, found);
    if matches!(statement.kind, StatementKind::Insert(_)) && hands_changes_on(filled, made, known) {
        found.clear();
    }
    let written = match &statement.kind {
        StatementKind::CreateTableAs(ctas) => Some((&ctas.table, ctas.table.span)),
        _ => filled.sink.and_then(|sink| known.table(sink).map(|table| (table, sink.span))),
    };
    if let Some((table, span)) = written {
        of_sink(filled, made, table, span, found);
    }
}

/// True where one source's changes go to a sink as they are: the newest row of each key is all that the sink asks for, and all
/// that the source says. Source: Flink's `ChangelogNormalizeRequirementResolver`.
fn hands_changes_on(filled: &Filled<'_>, made: &Relation, known: &Definitions) -> bool {
    let QueryBody::Select(select) = &filled.query.body else { return false };
    let [TableExpr { base: Factor { kind: FactorKind::Table { name, .. }, .. }, joins }] = select.from.as_slice()
    else {
        return false;
    };
    let is_upsert_kafka =
        |table: &CreateTable| table.option("connector").is_some_and(|connector| connector.value == "upsert-kafka");
    let of_records = |table: &CreateTable| table.columns.iter().any(|c| matches!(c.kind, ColumnKind::Metadata { .. }));
    let source = known.table(name).filter(|table| is_upsert_kafka(table) && !of_records(table));
    let sink = filled.sink.and_then(|sink| known.table(sink)).filter(|table| is_upsert_kafka(table));
    let (Some(_), Some(Some(key))) = (source, sink.map(|table| &table.primary_key)) else { return false };
    let is_plain = filled.query.with.is_empty() && joins.is_empty() && judged(filled.query, &made.judged).is_empty();
    is_plain && filled.keys(made).contains(&key.names().map(str::to_owned).collect())
}

/// What is known of views.
pub(super) type Views = Kept<Held>;

/// The state that a view holds.
type Held = BTreeSet<(StateOperator, Bound)>;

fn of_query(query: &Query, judged: &Judged, known: &Definitions, found: &mut Vec<StateUse>) {
    let catalog = known.catalog();
    known.with_states(|views| {
        views.prepare(query, catalog, &|(key, view, query), views| {
            let mut found = Vec::new();
            let judged = judged_in_view(key, known);
            Reader { known, session: &view.session, views, judged: &judged }.query(query, &mut found);
            found.into_iter().map(|used| (used.operator, used.bounded_by)).collect()
        });
        Reader { known, session: &catalog.session, views, judged }.query(query, found);
    });
}

/// Looks at queries of one session.
struct Reader<'a> {
    known: &'a Definitions,
    session: &'a Session,
    views: &'a Views,
    /// What the operators of the query turned out to be.
    judged: &'a Judged,
}

impl Reader<'_> {
    /// Adds the state of a query.
    fn query(&self, query: &Query, found: &mut Vec<StateUse>) {
        let known = self.known;
        for op in judged(query, self.judged).iter().filter(|op| op.kind.is_stateful()) {
            if let Some(bounded_by) = bound(op, self.judged) {
                let operator = StateOperator::Written(op.kind.name());
                found.push(StateUse { operator, bounded_by, span: op.span, via: None });
            }
        }
        let mut versioned = BTreeSet::new();
        super::walk::factors(query, &mut |factor: &Factor| {
            if let FactorKind::Table { name, system_time: Some(_), .. } = &factor.kind {
                versioned.insert(name.span.start);
            }
        });
        for reference in query_refs(query) {
            steps::count(1);
            let span = reference.name.span;
            let Some((key, table)) = known.catalog().find_in(self.session, &reference.name) else { continue };
            if table.view.is_some() {
                let held = self.views.get(key).into_iter().flatten().cloned();
                let via = Some(key.to_owned());
                found.extend(held.map(|(operator, bounded_by)| {
                    let (operator, bounded_by) = match self.judged.named(span, operator.name()) {
                        Some(name) => (StateOperator::Written(name), Bound::Ttl),
                        None => (operator, bounded_by),
                    };
                    StateUse { operator, bounded_by, span, via: via.clone() }
                }));
            } else if known.defined(key).is_some_and(|table| known.normalizes(table))
                && !versioned.contains(&span.start)
            {
                let operator = StateOperator::ChangelogNormalize;
                found.push(StateUse { operator, bounded_by: Bound::Ttl, span, via: None });
            }
        }
    }
}

/// Sink materialise, where what arrives at a table with a primary key may change and is not known by that key alone.
fn of_sink(filled: &Filled<'_>, made: &Relation, table: &CreateTable, span: Span, found: &mut Vec<StateUse>) {
    let Some(key) = &table.primary_key else { return };
    if made.changes.kind == Kind::Append || filled.keys(made).contains(&key.names().map(str::to_owned).collect()) {
        return;
    }
    found.push(StateUse { operator: StateOperator::SinkMaterialize, bounded_by: Bound::Ttl, span, via: None });
}

/// What bounds an operator's state; `None` for an order that Flink leaves out.
fn bound(op: &OperatorUse, judged: &Judged) -> Option<Bound> {
    Some(match (&op.kind, judged.orderings.get(&op.span)) {
        (Operator::OrderBy(_), Some(Ordering::ByTime)) => Bound::Watermark,
        (Operator::OrderBy(_), Some(_)) => Bound::Nothing,
        (Operator::OrderBy(_), None) => return None,
        (Operator::TopN { .. } | Operator::Limit, Some(Ordering::Limit { few: true, .. })) => Bound::RowCount,
        (Operator::IntervalJoin | Operator::Match { within: true, .. }, _) => Bound::Interval,
        (Operator::Match { within: false, .. }, _) => Bound::Nothing,
        (Operator::WindowTvf(_), _) => Bound::Window,
        (ends, _) if ends.ends() => Bound::Window,
        _ => Bound::Ttl,
    })
}
