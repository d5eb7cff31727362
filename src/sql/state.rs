//! The state that Flink keeps for a statement: by the operators of its text, through views, and what Flink adds at sources
//! and sinks.
//!
//! Rules: nothing is called stateless that might hold state. A source that says only the new value of a row
//! (`upsert-kafka`, or a table whose `changelog.mode` is upsert) is normalised; a sink with a primary key is materialised
//! when what arrives can change and is not known by that key. Spans are in the text of the statement; for what a view does,
//! where the view is named.

use std::collections::{BTreeMap, BTreeSet};

use super::flow::Definitions;
use super::operators::{Operator, OperatorUse, is_stateful, operators_with};
use super::query_refs;
use super::tree::{
    ColumnKind, CreateTable, Expr, ExprKind, Factor, FactorKind, Insert, Query, Statement, StatementKind,
};
use crate::diagnostic::Span;

/// How many views may stand on each other before we stop looking through them.
const MAX_VIEWS: usize = 16;

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
    /// Nothing but `table.exec.state.ttl` or a hint `STATE_TTL`, if one is set.
    Ttl,
    /// The end of the window.
    Window,
    /// The span of time in the condition.
    Interval,
    /// The watermark.
    Watermark,
    /// A number of rows.
    RowCount,
}

impl Bound {
    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ttl => "ttl",
            Self::Window => "window",
            Self::Interval => "interval",
            Self::Watermark => "watermark",
            Self::RowCount => "row count",
        }
    }
}

/// The state of what runs because of `statement`; nothing for one that runs nothing.
pub fn state(statement: &Statement, known: &Definitions) -> Vec<StateUse> {
    let mut found = Vec::new();
    match &statement.kind {
        StatementKind::Query(query) => of_query(query, known, &mut found),
        StatementKind::Insert(insert) => of_insert(insert, known, &mut found),
        StatementKind::StatementSet(inserts) => inserts.iter().for_each(|insert| of_insert(insert, known, &mut found)),
        StatementKind::CreateTableAs(ctas) => {
            of_query(&ctas.query, known, &mut found);
            if ctas.table.primary_key.is_some() {
                of_sink(&ctas.table, &ctas.query, &[], known, ctas.table.span, &mut found);
            }
        }
        StatementKind::CreateView(view) => of_query(&view.query, known, &mut found),
        StatementKind::Other { effects, .. } => {
            effects.parts.iter().for_each(|part| found.extend(state(part, known)));
        }
        _ => {}
    }
    found
}

fn of_query(query: &Query, known: &Definitions, found: &mut Vec<StateUse>) {
    let mut views = Views { known, seen: BTreeMap::new() };
    views.query(query, 0, found);
}

/// Looks through views, each once.
struct Views<'a> {
    known: &'a Definitions,
    /// What each view holds; nothing while it is looked at, so that a view over itself ends.
    seen: BTreeMap<String, BTreeSet<(StateOperator, Bound)>>,
}

impl Views<'_> {
    fn query(&mut self, query: &Query, depth: usize, found: &mut Vec<StateUse>) {
        let known = self.known;
        for op in operators_with(query, known.catalog()) {
            // A lookup is judged by the name of its time; the definitions know better.
            if is_stateful(&op) && op.kind != Operator::TemporalJoin {
                let (name, bounded_by) = named(&op);
                found.push(StateUse { operator: StateOperator::Written(name), bounded_by, span: op.span, via: None });
            }
        }
        let mut versioned = BTreeSet::new();
        super::walk::factors(query, &mut |factor: &Factor| {
            let FactorKind::Table { name, system_time: Some(time), .. } = &factor.kind else { return };
            versioned.insert(name.span.start);
            if !is_processing_time(time, known) {
                let operator = StateOperator::Written("temporal join");
                found.push(StateUse { operator, bounded_by: Bound::Ttl, span: factor.span, via: None });
            }
        });
        for reference in query_refs(query) {
            let span = reference.name.span;
            if let Some(view) = known.view(&reference.name) {
                let name = &reference.name.last().name;
                let behind = self.view(name, view, depth);
                let in_view = |(operator, bounded_by)| StateUse { operator, bounded_by, span, via: Some(name.clone()) };
                found.extend(behind.into_iter().map(in_view));
            } else if known.table(&reference.name).is_some_and(|t| changes(t) == Changes::Upsert)
                && !versioned.contains(&span.start)
            {
                let operator = StateOperator::ChangelogNormalize;
                found.push(StateUse { operator, bounded_by: Bound::Ttl, span, via: None });
            }
        }
    }

    fn view(&mut self, name: &str, query: &Query, depth: usize) -> BTreeSet<(StateOperator, Bound)> {
        if let Some(seen) = self.seen.get(name) {
            return seen.clone();
        }
        if depth >= MAX_VIEWS {
            // Nobody looked, so it is not said to hold nothing.
            return BTreeSet::from([(StateOperator::Written("whatever is behind that many views"), Bound::Ttl)]);
        }
        self.seen.insert(name.to_owned(), BTreeSet::new());
        let mut found = Vec::new();
        self.query(query, depth + 1, &mut found);
        let held: BTreeSet<_> = found.into_iter().map(|used| (used.operator, used.bounded_by)).collect();
        self.seen.insert(name.to_owned(), held.clone());
        held
    }
}

/// True for a time that is surely the time of processing: then another system is asked, and nothing is kept.
fn is_processing_time(time: &Expr, known: &Definitions) -> bool {
    let is_call = |expr: &Expr| match &expr.kind {
        ExprKind::Call(call) => call.name.last().name.eq_ignore_ascii_case("PROCTIME"),
        _ => false,
    };
    let ExprKind::Column(name) = &time.kind else { return is_call(time) };
    let column = &name.last().name;
    let mut defined = known.tables().flat_map(|table| &table.columns).filter(|c| c.name.name == *column).peekable();
    defined.peek().is_some() && defined.all(|c| matches!(&c.kind, ColumnKind::Computed { expr, .. } if is_call(expr)))
}

/// The changes that a table's records carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Changes {
    Append,
    Upsert,
    All,
}

fn changes(table: &CreateTable) -> Changes {
    let option = |key: &str| table.option(key).map_or("", |option| option.value.as_str());
    if option("connector") == "upsert-kafka" || option("changelog.mode") == "upsert" {
        return Changes::Upsert;
    }
    let format = [option("value.format"), option("format")].concat();
    let is_cdc = ["debezium", "canal", "maxwell", "ogg"].iter().any(|kind| format.contains(kind));
    if is_cdc || option("connector").ends_with("-cdc") || option("changelog.mode") == "retract" {
        return Changes::All;
    }
    Changes::Append
}

fn of_insert(insert: &Insert, known: &Definitions, found: &mut Vec<StateUse>) {
    of_query(&insert.query, known, found);
    if let Some(table) = known.table(&insert.target).filter(|table| table.primary_key.is_some()) {
        let columns: Vec<&str> = insert.columns.iter().map(|column| column.name.as_str()).collect();
        of_sink(table, &insert.query, &columns, known, insert.target.span, found);
    }
}

/// Sink materialise, where what arrives at a table with a primary key may change and go by another key.
fn of_sink(
    table: &CreateTable,
    query: &Query,
    columns: &[&str],
    known: &Definitions,
    span: Span,
    found: &mut Vec<StateUse>,
) {
    let Some(key) = &table.primary_key else { return };
    let keys: BTreeSet<String> = key.names().map(str::to_owned).collect();
    if !may_change(query, known, found) || arrives_by(&keys, table, query, columns, known) {
        return;
    }
    found.push(StateUse { operator: StateOperator::SinkMaterialize, bounded_by: Bound::Ttl, span, via: None });
}

/// True if rows of the result may be changed or taken back later on.
fn may_change(query: &Query, known: &Definitions, found: &[StateUse]) -> bool {
    let by_operator = found.iter().any(|used| {
        matches!(
            used.operator,
            StateOperator::Written(
                "regular join"
                    | "group aggregate"
                    | "distinct"
                    | "set operation"
                    | "top-N"
                    | "semi join"
                    | "scalar subquery"
                    | "limit"
            )
        )
    });
    by_operator || reads_changes(query, known)
}

fn reads_changes(query: &Query, known: &Definitions) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![query];
    while let Some(query) = open.pop() {
        for reference in query_refs(query) {
            match known.view(&reference.name) {
                Some(view) if seen.insert(reference.name.last().name.clone()) => open.push(view),
                Some(_) => {}
                None if known.table(&reference.name).is_some_and(|table| changes(table) != Changes::Append) => {
                    return true;
                }
                None => {}
            }
        }
    }
    false
}

/// True if the sink's key is, column by column, the one key that the result is known by: that of a single source or of the
/// grouping.
fn arrives_by(
    keys: &BTreeSet<String>,
    table: &CreateTable,
    query: &Query,
    columns: &[&str],
    known: &Definitions,
) -> bool {
    let names: Vec<String> = if columns.is_empty() {
        table.writable().into_iter().map(|column| column.name).collect()
    } else {
        columns.iter().map(|column| (*column).to_owned()).collect()
    };
    let found = super::lineage(query, known.catalog());
    let direct = |name: &String| -> Option<(String, String)> {
        let place = names.iter().position(|known| known == name)?;
        let output = found.outputs.get(place)?;
        let mut uses = output.uses.iter().filter(|used| {
            used.via.is_empty()
                && used.kind == super::UseKind::Direct
                && known.catalog().tables.contains_key(&used.table)
        });
        match (uses.next(), output.uses.len()) {
            (Some(only), 1) => Some((only.table.clone(), only.column.clone())),
            _ => None,
        }
    };
    let Some(arriving) = keys.iter().map(direct).collect::<Option<BTreeSet<_>>>() else { return false };
    let is = |table: &str, key: Vec<&str>| {
        !key.is_empty()
            && key.iter().map(|column| (table.to_owned(), (*column).to_owned())).collect::<BTreeSet<_>>() == arriving
    };
    if let Some(select) = query.body.select() {
        if let Some(group) = &select.group_by {
            let grouped: BTreeSet<(String, String)> = found
                .rows
                .iter()
                .filter(|used| used.kind == super::UseKind::Group)
                .map(|used| (used.table.clone(), used.column.clone()))
                .collect();
            return !group.grouping_sets && grouped == arriving;
        }
        if let [source] = select.from.as_slice()
            && source.joins.is_empty()
            && select.distinct.is_none()
            && let FactorKind::Table { name, .. } = &source.base.kind
            && let Some(read) = known.table(name)
        {
            let key: Vec<&str> = read.primary_key.iter().flat_map(|key| key.names()).collect();
            return is(&name.last().name, key);
        }
    }
    false
}

/// An operator's name and what bounds its state.
fn named(op: &OperatorUse) -> (&'static str, Bound) {
    match &op.kind {
        Operator::RegularJoin(_) => ("regular join", Bound::Ttl),
        Operator::IntervalJoin(_) => ("interval join", Bound::Interval),
        Operator::WindowJoin(_) => ("window join", Bound::Window),
        Operator::GroupAggregate { .. } => ("group aggregate", Bound::Ttl),
        Operator::Distinct => ("distinct", Bound::Ttl),
        Operator::SetOperation(_) => ("set operation", Bound::Ttl),
        Operator::RowNumber { .. } => ("top-N", Bound::Ttl),
        Operator::Over { .. } => ("over aggregate", Bound::Ttl),
        Operator::WindowTvf(_) => ("session window", Bound::Window),
        Operator::WindowAggregate { .. } => ("window aggregate", Bound::Window),
        Operator::Match => ("pattern match", Bound::Ttl),
        Operator::OrderBy => ("sort", Bound::Watermark),
        Operator::Limit => ("limit", Bound::RowCount),
        Operator::SemiJoin => ("semi join", Bound::Ttl),
        Operator::ScalarSubquery => ("scalar subquery", Bound::Ttl),
        Operator::TableFunction(_) => ("process table function", Bound::Ttl),
        _ => ("operator", Bound::Ttl),
    }
}
