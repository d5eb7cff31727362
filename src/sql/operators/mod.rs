//! What Flink has to do for a query: the operators, those that keep state above all.
//!
//! Rules: judged by the text, so nothing is called stateless that might not be. What the text cannot settle (whether a column
//! is a time attribute) is said in the remark. Operators of views that are read are not among them. State that Flink adds at
//! sources and sinks is not visible in a query.

mod collect;
mod join;
mod rank;

pub(crate) use self::collect::{aggregates, named as named_window};
pub(crate) use self::rank::{bare, conjuncts, limit_of};

use crate::diagnostic::Span;
use crate::sql::lineage::{Catalog, Lineage, lineage};
use crate::sql::tree::{JoinKind, Query, SetOperator};

/// One operator, or one property of one, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorUse {
    /// What it is.
    pub kind: Operator,
    /// Where it is written.
    pub span: Span,
    /// What a reader should know of it; may be empty.
    pub remark: String,
}

/// Operators, and functions that make a result depend on more than its input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `WHERE`, `HAVING`, `QUALIFY`
    Filter,
    /// A join that keeps both sides for ever.
    RegularJoin(JoinKind),
    /// A join within a span of time.
    IntervalJoin(JoinKind),
    /// A join of equal windows.
    WindowJoin(JoinKind),
    /// `FOR SYSTEM_TIME AS OF` an event time.
    TemporalJoin,
    /// `FOR SYSTEM_TIME AS OF` a processing time: asks the other system for each row.
    LookupJoin,
    /// `LATERAL`, a function of each row.
    Lateral,
    /// `UNNEST`
    Unnest,
    /// A function of a table that is none of the built-in windows.
    TableFunction(String),
    /// `GROUP BY`, or aggregates without it.
    GroupAggregate {
        /// The aggregates, `DISTINCT` after the name where it is given.
        functions: Vec<String>,
    },
    /// `SELECT DISTINCT`
    Distinct,
    /// A set operation that has to remember rows.
    SetOperation(SetOperator),
    /// `UNION ALL`
    UnionAll,
    /// `ROW_NUMBER` and other ranks: deduplication or top-N.
    RowNumber {
        /// What is partitioned by; an expression is `(...)`.
        partition: Vec<String>,
        /// What is ordered by, with ` DESC` where it is so.
        order: Vec<String>,
        /// How many rows of each partition are kept, if a condition says so.
        limit: Option<u64>,
    },
    /// Another function over a window of rows.
    Over {
        /// The function.
        function: String,
    },
    /// `TUMBLE`, `HOP`, `CUMULATE`, `SESSION` as functions of a table.
    WindowTvf(String),
    /// An aggregation that ends with its window.
    WindowAggregate {
        /// The aggregates.
        functions: Vec<String>,
    },
    /// `MATCH_RECOGNIZE`
    Match {
        /// It gives a match up that takes too long.
        within: bool,
    },
    /// `ORDER BY` of a whole result.
    OrderBy,
    /// `LIMIT`, `OFFSET`, `FETCH`
    Limit,
    /// `IN (query)`, `EXISTS (query)`
    SemiJoin,
    /// A query as a value.
    ScalarSubquery,
    /// A function that gives another answer on another run.
    NonDeterministicFunction(String),
    /// An aggregate whose result depends on the order of rows.
    OrderSensitiveAggregate(String),
    /// A sum of floating-point numbers.
    FloatAggregate,
}

/// The operators of `query`, in order of the text.
pub fn operators(query: &Query) -> Vec<OperatorUse> {
    operators_with(query, &Catalog::default())
}

/// The operators that may hold state, in order of the text.
pub(super) fn stateful(query: &Query) -> Vec<OperatorUse> {
    let mut found: Vec<OperatorUse> = collect::collect(query).into_iter().filter(is_stateful).collect();
    found.sort_by_key(|op| (op.span.start, op.span.end));
    found
}

/// The same; the catalog's column types tell where floating-point numbers are summed up.
pub fn operators_with(query: &Query, catalog: &Catalog) -> Vec<OperatorUse> {
    operators_of(query, &lineage(query, catalog))
}

/// The same for a query whose lineage is known.
pub fn operators_of(query: &Query, lineage: &Lineage) -> Vec<OperatorUse> {
    let mut found = collect::collect(query);
    for span in &lineage.float_aggregates {
        let remark = "the last digits depend on the order of rows".to_owned();
        found.push(OperatorUse { kind: Operator::FloatAggregate, span: *span, remark });
    }
    found.sort_by_key(|op| (op.span.start, op.span.end));
    found
}

/// True if the operator keeps state, so that green has to start without it and read from the earliest offset.
pub fn is_stateful(op: &OperatorUse) -> bool {
    match &op.kind {
        Operator::RegularJoin(_)
        | Operator::IntervalJoin(_)
        | Operator::WindowJoin(_)
        | Operator::TemporalJoin
        | Operator::GroupAggregate { .. }
        | Operator::Distinct
        | Operator::SetOperation(_)
        | Operator::RowNumber { .. }
        | Operator::Over { .. }
        | Operator::WindowAggregate { .. }
        | Operator::Match { .. }
        | Operator::OrderBy
        | Operator::Limit
        | Operator::SemiJoin
        | Operator::ScalarSubquery => true,
        // The session window is found by looking at the rows; the others by arithmetic.
        Operator::WindowTvf(function) => function == "SESSION",
        Operator::TableFunction(function) => function != "ML_PREDICT",
        Operator::Filter
        | Operator::LookupJoin
        | Operator::Lateral
        | Operator::Unnest
        | Operator::UnionAll
        | Operator::NonDeterministicFunction(_)
        | Operator::OrderSensitiveAggregate(_)
        | Operator::FloatAggregate => false,
    }
}
