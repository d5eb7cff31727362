//! How each column of a green table is proven: the parity classes of semantics, derived from operators and lineage.
//!
//! - A column that the change adds is `changed: new column`.
//! - A volatile function inside a column's expression makes that column volatile; one that decides about rows makes every
//!   column of the table `history`: differences are explained, never passed.
//! - Event-time operators (windows, interval and temporal joins, OVER, MATCH_RECOGNIZE) make every column `event time`.
//! - ROW_NUMBER and LIMIT without a total order make every column `order`; a total order is one whose partition and order
//!   columns hold a key of the input. Order-sensitive aggregates and float sums make their own column `order`.
//! - A column computed from a green column that is not `exact` takes that class over.
//! - Everything else is `exact`.

use std::collections::BTreeMap;

use super::estate::{Estate, Table};
use super::rewrite::NewColumn;
use crate::model::parity::{ChangeRule, ColumnClass};
use crate::sql::{self, Lineage, Operator, OperatorUse, OutputColumn, Query, UseKind};

/// Tolerance for sums of floating point numbers, whose order of addition is not fixed.
const FLOAT_TOLERANCE: f64 = 1e-9;

/// The stateful operators of a query, in words.
pub fn stateful(query: &Query) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for operator in sql::operators(query) {
        let word = in_words(&operator.kind);
        if sql::is_stateful(&operator) && !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

/// Class of every column of `table` once it is green; `classes` holds those of the green tables before it.
pub fn columns(
    estate: &Estate,
    table: &Table,
    added: &[(NewColumn, ChangeRule)],
    classes: &BTreeMap<String, BTreeMap<String, ColumnClass>>,
) -> BTreeMap<String, ColumnClass> {
    let mut out = BTreeMap::new();
    if let Some(query) = table.query() {
        let lineage = sql::lineage(query, &estate.catalog);
        let operators = sql::operators_of(query, &lineage);
        let decided = || lineage.rows.iter().find_map(|used| inherited(estate, used, classes));
        out = of_lineage(estate, table, &lineage, &operators, classes, decided);
    }
    for (new, rule) in added {
        out.insert(new.column.name.clone(), ColumnClass::Changed { rule: rule.clone() });
    }
    out
}

/// Class of every column that the query of `table` fills; `decided` is the class that those take over which decide about rows.
pub(super) fn of_lineage(
    estate: &Estate,
    table: &Table,
    lineage: &Lineage,
    operators: &[OperatorUse],
    classes: &BTreeMap<String, BTreeMap<String, ColumnClass>>,
    decided: impl FnOnce() -> Option<ColumnClass>,
) -> BTreeMap<String, ColumnClass> {
    let whole = of_operators(estate, table, operators, lineage).or_else(decided);
    let names = targets(table, &lineage.outputs).into_iter().enumerate();
    let class = |place: usize| match (&whole, lineage.outputs.get(place)) {
        (Some(class), _) => class.clone(),
        (None, Some(output)) => of_column(estate, output, operators, classes),
        (None, None) => ColumnClass::History { why: "its origin is not understood".to_owned() },
    };
    names.map(|(place, name)| (name, class(place))).collect()
}

/// Names of the columns that the query fills, by position.
pub(super) fn targets(table: &Table, outputs: &[OutputColumn]) -> Vec<String> {
    if let Some(insert) = table.insert()
        && !insert.columns.is_empty()
    {
        return insert.columns.iter().map(|c| c.name.clone()).collect();
    }
    match table.create() {
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

/// The class that every column has, when an operator decides about rows.
pub(super) fn of_operators(
    estate: &Estate,
    table: &Table,
    operators: &[OperatorUse],
    lineage: &Lineage,
) -> Option<ColumnClass> {
    let rows = &lineage.rows;
    for operator in operators {
        let why = || in_words(&operator.kind);
        match &operator.kind {
            Operator::IntervalJoin(_)
            | Operator::WindowJoin(_)
            | Operator::TemporalJoin
            | Operator::WindowTvf(_)
            | Operator::WindowAggregate { .. }
            | Operator::Over { .. }
            | Operator::Match { .. } => return Some(ColumnClass::EventTime { why: why() }),
            Operator::LookupJoin => return Some(ColumnClass::History { why: why() }),
            Operator::NonDeterministicFunction(_) if lineage.row_calls.contains(&operator.span) => {
                return Some(ColumnClass::History { why: format!("{} decides about rows", in_words(&operator.kind)) });
            }
            Operator::Limit => return Some(ColumnClass::Order { why: why(), tolerance: 0.0 }),
            Operator::RowNumber { .. } if !total_order(estate, table, rows) => {
                return Some(ColumnClass::Order {
                    why: format!("{} without a total order", in_words(&operator.kind)),
                    tolerance: 0.0,
                });
            }
            _ => {}
        }
    }
    None
}

/// The class of one column, from its own expression.
pub(super) fn of_column(
    estate: &Estate,
    output: &OutputColumn,
    operators: &[OperatorUse],
    classes: &BTreeMap<String, BTreeMap<String, ColumnClass>>,
) -> ColumnClass {
    for operator in operators.iter().filter(|o| output.calls.contains(&o.span)) {
        let why = in_words(&operator.kind);
        match &operator.kind {
            Operator::NonDeterministicFunction(_) => return ColumnClass::Volatile { why },
            Operator::OrderSensitiveAggregate(_) => return ColumnClass::Order { why, tolerance: 0.0 },
            Operator::FloatAggregate => return ColumnClass::Order { why, tolerance: FLOAT_TOLERANCE },
            _ => {}
        }
    }
    output.uses.iter().find_map(|used| inherited(estate, used, classes)).unwrap_or(ColumnClass::Exact)
}

/// The class that a used green column hands on, if it is not exact.
pub(super) fn inherited(
    estate: &Estate,
    used: &sql::ColumnUse,
    classes: &BTreeMap<String, BTreeMap<String, ColumnClass>>,
) -> Option<ColumnClass> {
    let table = estate.logical.get(&used.table)?;
    match classes.get(table)?.get(&used.column)? {
        ColumnClass::Exact => None,
        // Nothing that can be read still uses a column that is gone.
        ColumnClass::Changed { .. } => Some(ColumnClass::Changed { rule: ChangeRule::Recomputed }),
        other => Some(other.clone()),
    }
}

/// True when the partition and order columns of the query's ROW_NUMBER hold a key of one of its inputs.
fn total_order(estate: &Estate, table: &Table, rows: &[sql::ColumnUse]) -> bool {
    let ordered = |used: &&sql::ColumnUse| matches!(used.kind, UseKind::Order | UseKind::Partition);
    let mut by_table: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for used in rows.iter().filter(ordered) {
        by_table.entry(&used.table).or_default().push(&used.column);
    }
    table.reads.iter().filter_map(|name| estate.tables.get(name)).any(|input| {
        let key = input.key();
        let columns = by_table.get(input.deployed.physical.as_str());
        !key.is_empty() && columns.is_some_and(|c| key.iter().all(|k| c.contains(&k.as_str())))
    })
}

/// An operator in words.
pub(super) fn in_words(operator: &Operator) -> String {
    match operator {
        Operator::Filter => "filter".to_owned(),
        Operator::RegularJoin(_) => "join".to_owned(),
        Operator::IntervalJoin(_) => "interval join".to_owned(),
        Operator::WindowJoin(_) => "window join".to_owned(),
        Operator::TemporalJoin => "temporal join".to_owned(),
        Operator::LookupJoin => "lookup join".to_owned(),
        Operator::Lateral => "lateral function".to_owned(),
        Operator::Unnest => "unnest".to_owned(),
        Operator::TableFunction(name) => format!("table function {name}"),
        Operator::GroupAggregate { .. } => "group aggregate".to_owned(),
        Operator::Distinct => "DISTINCT".to_owned(),
        Operator::SetOperation(_) => "set operation".to_owned(),
        Operator::UnionAll => "UNION ALL".to_owned(),
        Operator::RowNumber { limit: Some(1), .. } => "deduplication".to_owned(),
        Operator::RowNumber { .. } => "rank".to_owned(),
        Operator::Over { function } => format!("{function} OVER"),
        Operator::WindowTvf(name) => format!("{name} window"),
        Operator::WindowAggregate { .. } => "window aggregate".to_owned(),
        Operator::Match { .. } => "MATCH_RECOGNIZE".to_owned(),
        Operator::OrderBy => "ORDER BY".to_owned(),
        Operator::Limit => "LIMIT".to_owned(),
        Operator::SemiJoin => "semi-join".to_owned(),
        Operator::ScalarSubquery => "scalar subquery".to_owned(),
        Operator::NonDeterministicFunction(name) => format!("non-deterministic {name}"),
        Operator::OrderSensitiveAggregate(name) => format!("order-sensitive {name}"),
        Operator::FloatAggregate => "sum of floating-point numbers".to_owned(),
    }
}
