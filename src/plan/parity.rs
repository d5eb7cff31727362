//! How each column of a green table is proven: the parity classes of semantics, derived from operators and lineage.
//!
//! Rules:
//! - Of all that is said of a column the strongest class holds ([`ColumnClass::stronger`]).
//! - A column that the change adds is `changed: new column`.
//! - A volatile function inside a column's expression makes that column volatile; where one decides about rows, every
//!   column is `history`: differences are explained, never passed.
//! - Event-time operators (windows, interval and temporal joins, and by an event time OVER, MATCH_RECOGNIZE and ORDER BY, which
//!   drops late rows) make every column `event time`; lookup joins, and what goes by processing time, make it `history`, and
//!   OVER by no time makes it `order`. What an operator is goes by what its columns are known to be ([`sql::operators()`]).
//! - Where state is forgotten after a time (`table.exec.state.ttl`, a hint `STATE_TTL`), every column is `history`.
//! - Where and when a record was written (virtual metadata, `$rowtime`) is left out for a table whose topic is made anew.
//! - ROW_NUMBER and LIMIT without a total order make every column `order`; a total order is one whose partition and order
//!   columns hold columns by which the numbered rows are known. Order-sensitive aggregates and float sums make their own column
//!   `order`.
//! - A column takes over the classes of the green columns that it is made of, and all columns those of the columns that decide
//!   about rows, and what is said of the rows of everything that is read.
//! - Views and computed columns of a table run in each job that reads them, so they are looked at whether they are green or not.
//! - Everything else is `exact`.
//!
//! Each query is looked at by itself, and hands on what is found, so that views on views cost no more than their texts.

use std::collections::BTreeMap;

use super::cascade::Classes;
use super::document::Role;
use super::estate::{Estate, Table};
use super::hint;
use super::rewrite::NewColumn;
use crate::diagnostic::Span;
use crate::model::parity::{ChangeRule, ColumnClass};
use crate::sql::{
    self, Bound, Clock, ColumnDef, ColumnKind, ColumnUse, Float, Lineage, Operator, OperatorUse, OutputColumn, UseKind,
};

/// Tolerance for sums of floating-point numbers, whose order of addition is not fixed: a share of the number, which leaves
/// room for the last digits of many additions.
const fn tolerance(float: Float) -> f64 {
    match float {
        Float::No => 0.0,
        Float::Double => 1e-9,
        Float::Single => 1e-4,
    }
}

/// The time of a record, which tables of Confluent Cloud have without saying so.
const ROWTIME: &str = "$rowtime";

/// A column that a change adds, and the rule that it is held against.
pub type Added = (NewColumn, ChangeRule);

/// Class of every column of the tables that become green. `order` names what is to be looked at, inputs before what reads them.
pub fn classes<'n>(
    estate: &Estate,
    order: impl IntoIterator<Item = &'n str>,
    green: impl Fn(&str) -> bool,
    added: &BTreeMap<String, Vec<Added>>,
) -> Classes {
    let mut known = Known::new(estate);
    for table in order.into_iter().filter_map(|name| estate.tables.get(name)) {
        let new = added.get(&table.name).map_or(&[] as &[Added], Vec::as_slice);
        known.add(table, green(&table.name), new);
    }
    known.tables.into_iter().filter(|(name, _)| green(name)).map(|(name, seen)| (name, seen.columns)).collect()
}

/// The operators of the table's query.
pub(super) fn operators(estate: &Estate, table: &Table) -> Vec<OperatorUse> {
    table.query().map(|query| sql::operators(query, &estate.known)).unwrap_or_default()
}

/// What is known of the tables so far.
pub(super) struct Known<'e> {
    estate: &'e Estate,
    /// Goes no further than the columns that a query names.
    reader: sql::Reader<'e>,
    /// By logical name.
    tables: BTreeMap<String, Seen>,
}

/// What a table hands on.
struct Seen {
    columns: BTreeMap<String, ColumnClass>,
    /// Columns that each reader computes.
    computed: BTreeMap<String, ColumnClass>,
    /// The strongest of all.
    any: ColumnClass,
    rows: ColumnClass,
}

/// What a query makes.
pub(super) struct Made {
    pub lineage: Lineage,
    pub operators: Vec<OperatorUse>,
    /// The columns that it fills, each with the class of its own expression.
    pub columns: Vec<(String, ColumnClass)>,
    /// The class of what decides about rows.
    pub rows: ColumnClass,
}

impl<'e> Known<'e> {
    pub fn new(estate: &'e Estate) -> Self {
        Self { estate, reader: sql::Reader::of_steps(&estate.catalog), tables: BTreeMap::new() }
    }

    /// Takes up a table whose inputs are known.
    pub fn add(&mut self, table: &Table, green: bool, added: &[Added]) {
        let made = if green || table.view().is_some() { self.look(table, |_| true) } else { None };
        let (made, rows) = made.map_or((Vec::new(), ColumnClass::Exact), |made| (made.columns, made.rows));
        let mut columns: BTreeMap<_, _> = of_rows(&rows, &made).collect();
        for (new, rule) in added {
            columns.insert(new.column.name.clone(), ColumnClass::Changed { rule: rule.clone() });
        }
        self.take_up(table, green, columns, rows);
    }

    /// Takes up what is known of a table that runs twice.
    pub fn put(&mut self, table: &Table, columns: BTreeMap<String, ColumnClass>, rows: ColumnClass) {
        self.take_up(table, true, columns, rows);
    }

    fn take_up(&mut self, table: &Table, green: bool, columns: BTreeMap<String, ColumnClass>, rows: ColumnClass) {
        let mut made = columns.clone();
        if green && table.role == Role::Written {
            made.extend(of_records(table));
        }
        let mut computed = computed(table, &made, |name| columns.get(name).cloned());
        made.retain(|name, _| !columns.contains_key(name));
        computed.extend(made);
        let any = strongest(columns.values().chain(computed.values()).cloned());
        self.tables.insert(table.name.clone(), Seen { columns, computed, any, rows });
    }

    /// What the query of `table` makes; of the classes that decide about rows those that `counts`.
    pub fn look(&mut self, table: &Table, counts: impl Fn(&ColumnClass) -> bool) -> Option<Made> {
        let lineage = self.reader.lineage(table.query()?);
        let mut operators = operators(self.estate, table);
        if table.view().is_some() {
            operators.iter_mut().for_each(limited_behind);
        }
        let calls = calls(&operators, &lineage);
        let found = |spans: &[Span]| spans.iter().filter_map(|span| calls.get(span).cloned()).collect::<Vec<_>>();
        let named = targets(table, &lineage.outputs).into_iter().enumerate();
        let class = |output: &OutputColumn| {
            let used = output.uses.iter().filter_map(|used| match (self.inherited(used)?, used.kind) {
                (class, UseKind::Order) => Some(deciding(class, UseKind::Order)),
                (class, _) => Some(class),
            });
            strongest(found(&output.calls).into_iter().chain(used))
        };
        let strange = || ColumnClass::History { why: "its origin is not understood".to_owned() };
        let columns = named.map(|(place, name)| (name, lineage.outputs.get(place).map_or_else(strange, class)));
        let columns = columns.collect();
        let used = lineage.rows.iter().filter_map(|used| Some(deciding(self.inherited(used)?, used.kind)));
        let called = found(&lineage.row_calls).into_iter().map(|class| deciding(class, UseKind::Filter));
        let read = table.reads.iter().filter_map(|name| self.tables.get(name)).map(|seen| seen.rows.clone());
        let forgotten = self.forgotten(table);
        let all = operators.iter().filter_map(of_operator).chain(called).chain(used).chain(read).chain(forgotten);
        let rows = strongest(all.filter(counts));
        Some(Made { lineage, operators, columns, rows })
    }

    /// What is said of all rows where state is forgotten after a time.
    fn forgotten(&self, table: &Table) -> Option<ColumnClass> {
        let why = hint::state_ttl(table).or_else(|| self.estate.ttl.clone())?;
        // What a view reads is held by the jobs that read the view.
        let holds = |dml| sql::state(dml, &self.estate.known).iter().any(|held| held.bounded_by == Bound::Ttl);
        let holds = table.dml.as_ref().map_or_else(|| table.query().is_some(), holds);
        holds.then_some(ColumnClass::History { why })
    }

    /// The class that a used column hands on, if it is not exact.
    fn inherited(&self, used: &ColumnUse) -> Option<ColumnClass> {
        let seen = self.tables.get(self.estate.logical.get(&used.table)?)?;
        let named = seen.columns.get(&used.column).or_else(|| seen.computed.get(&used.column));
        let open = used.column == "*" || seen.columns.contains_key("*");
        handed_on(named.or(open.then_some(&seen.any))?)
    }
}

/// The columns of a query, with what is said of its rows. Where nothing would be left that tells of the rows, all columns do.
pub(super) fn of_rows(
    rows: &ColumnClass,
    made: &[(String, ColumnClass)],
) -> impl Iterator<Item = (String, ColumnClass)> {
    let hidden = *rows != ColumnClass::Exact && made.iter().all(|(_, own)| matches!(own, ColumnClass::Volatile { .. }));
    let class = move |own: &ColumnClass| if hidden { rows.clone() } else { rows.clone().stronger(own.clone()) };
    made.iter().map(move |(name, own)| (name.clone(), class(own)))
}

/// The columns that each reader of the table computes of its `columns`; `said` is what is known of them otherwise.
pub(super) fn computed(
    table: &Table,
    columns: &BTreeMap<String, ColumnClass>,
    said: impl Fn(&str) -> Option<ColumnClass>,
) -> BTreeMap<String, ColumnClass> {
    let mut computed: BTreeMap<String, ColumnClass> = BTreeMap::new();
    for output in table.defined().map(|create| sql::table_lineage(create).outputs).unwrap_or_default() {
        // What is taken over by `LIKE` stands in another text.
        let named = |call: &Span| match table.whole {
            Some(_) => "function",
            None => call.of(&table.deployed.ddl).trim_end_matches("()"),
        };
        let calls = output.calls.iter().map(|call| ColumnClass::Volatile { why: non_deterministic(named(call)) });
        let used = output.uses.iter().filter_map(|used| computed.get(&used.column).or(columns.get(&used.column)));
        let class = said(&output.name).unwrap_or_else(|| strongest(calls.chain(used.filter_map(handed_on))));
        computed.insert(output.name, class);
    }
    computed
}

/// What says where and when a record was written, of a table whose topic is made anew.
fn of_records(table: &Table) -> impl Iterator<Item = (String, ColumnClass)> {
    let of_record = |c: &&ColumnDef| matches!(c.kind, ColumnKind::Metadata { is_virtual: true, .. });
    let declared = table.defined().into_iter().flat_map(|create| &create.columns).filter(of_record);
    let names = declared.map(|c| c.name.name.clone()).chain([ROWTIME.to_owned()]);
    names.map(|name| (name, ColumnClass::Volatile { why: "metadata of another topic".to_owned() }))
}

/// What a column hands on that is not exact.
fn handed_on(class: &ColumnClass) -> Option<ColumnClass> {
    match class {
        ColumnClass::Exact => None,
        // Nothing that can be read still uses a column that is gone.
        ColumnClass::Changed { .. } => Some(ColumnClass::Changed { rule: ChangeRule::Recomputed }),
        other => Some(other.clone()),
    }
}

fn strongest(classes: impl Iterator<Item = ColumnClass>) -> ColumnClass {
    classes.fold(ColumnClass::Exact, ColumnClass::stronger)
}

/// Names of the columns that the query fills, by position.
pub(super) fn targets(table: &Table, outputs: &[OutputColumn]) -> Vec<String> {
    if let Some(insert) = table.insert()
        && !insert.columns.is_empty()
    {
        return insert.columns.iter().map(|c| c.name.clone()).collect();
    }
    match table.defined() {
        Some(create) => {
            // What a partition is given a value for is not the query's.
            let partition = table.insert().map(|insert| insert.partition.as_slice()).unwrap_or_default();
            let given = |name: &str| partition.iter().any(|(column, value)| value.is_some() && column.name == name);
            create.writable().into_iter().map(|c| c.name).filter(|name| !given(name)).collect()
        }
        None if table.view().is_some_and(|view| !view.columns.is_empty()) => {
            table.view().into_iter().flat_map(|view| &view.columns).map(|c| c.name.clone()).collect()
        }
        None => outputs.iter().map(|o| o.name.clone()).collect(),
    }
}

/// What the calls of a query do to the values that they are part of.
fn calls(operators: &[OperatorUse], lineage: &Lineage) -> BTreeMap<Span, ColumnClass> {
    let order = |why, tolerance| ColumnClass::Order { why, tolerance };
    let name = "sum of floating-point numbers";
    let floats = lineage.float_aggregates.iter();
    let floats = floats.map(|(span, float)| (*span, order(name.to_owned(), tolerance(*float))));
    let others = operators.iter().filter_map(|operator| match &operator.kind {
        Operator::NonDeterministicFunction(name) => {
            Some((operator.span, ColumnClass::Volatile { why: non_deterministic(name) }))
        }
        Operator::OrderSensitiveAggregate(name) => Some((operator.span, order(format!("order-sensitive {name}"), 0.0))),
        _ => None,
    });
    floats.chain(others).collect()
}

fn non_deterministic(function: &str) -> String {
    format!("non-deterministic {function}")
}

/// What becomes of rows that a value decides about. Where a volatile one orders them, all are tied.
fn deciding(class: ColumnClass, kind: UseKind) -> ColumnClass {
    match class {
        ColumnClass::Volatile { why } if kind == UseKind::Order => ColumnClass::Order { why, tolerance: 0.0 },
        ColumnClass::Volatile { why } => ColumnClass::History { why: format!("{why} decides about rows") },
        other => other,
    }
}

/// Ranks in a view are there for conditions of its readers.
fn limited_behind(operator: &mut OperatorUse) {
    if let Operator::Ranks { total, .. } = operator.kind {
        operator.kind = Operator::TopN { total };
    }
}

/// The class that every column has behind an operator.
fn of_operator(operator: &OperatorUse) -> Option<ColumnClass> {
    let why = operator.kind.name().to_owned();
    let order = |why| ColumnClass::Order { why, tolerance: 0.0 };
    match &operator.kind {
        Operator::LookupJoin => Some(ColumnClass::History { why }),
        Operator::Limit => Some(order(why)),
        Operator::TopN { total: false } | Operator::Deduplication { total: false } => {
            Some(order(format!("{why} without a total order")))
        }
        Operator::Over(Clock::None) | Operator::Ranks { by: Clock::None, .. } => {
            Some(order(format!("{why} by no time")))
        }
        Operator::Over(Clock::Processing)
        | Operator::Ranks { by: Clock::Processing, .. }
        | Operator::Match { by: Clock::Processing, .. } => {
            Some(ColumnClass::History { why: format!("{why} by processing time") })
        }
        timed if by_event_time(timed) => Some(ColumnClass::EventTime { why }),
        _ => None,
    }
}

/// True for an operator that goes by an event time.
pub(super) const fn by_event_time(operator: &Operator) -> bool {
    matches!(
        operator,
        Operator::TemporalJoin
            | Operator::WindowTvf(_)
            | Operator::Over(Clock::Event)
            | Operator::Ranks { by: Clock::Event, .. }
            | Operator::Match { by: Clock::Event, .. }
            | Operator::OrderBy(Clock::Event)
    ) || operator.ends()
}
