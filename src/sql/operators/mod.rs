//! What Flink has to do for a query: the operators, those that keep state above all.
//!
//! Rules: what the text alone cannot tell (whether columns are times or windows) is asked of what the columns are known to be
//! ([`super::relation`]); where that is not known either, the operator is one whose state does not end. Operators of views that
//! are read are not among them. State that Flink adds at sources and sinks is not visible in a query.

mod collect;
mod each_row;
mod rank;

pub(super) use self::collect::judged;
pub(crate) use self::collect::{aggregates, named as named_window};
pub(crate) use self::each_row::is_of_each_row;
pub(crate) use self::rank::{bare, conjuncts, limit_of};

use super::flow::Definitions;
use super::relation::relation;
use super::tree::Query;
use crate::diagnostic::Span;

/// One operator, or one property of one, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorUse {
    /// What it is.
    pub kind: Operator,
    /// Where it is written.
    pub span: Span,
}

/// Operators, and functions that make a result depend on more than its input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `WHERE`, `HAVING`, `QUALIFY`
    Filter,
    /// A join that keeps both sides for ever.
    RegularJoin,
    /// A join within a span of time.
    IntervalJoin,
    /// A join of equal windows.
    WindowJoin,
    /// `FOR SYSTEM_TIME AS OF` an event time, or a time that is not known.
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
    GroupAggregate,
    /// `SELECT DISTINCT`
    Distinct,
    /// A set operation that has to remember rows.
    SetOperation,
    /// `UNION ALL`
    UnionAll,
    /// `ROW_NUMBER` and other ranks.
    TopN {
        /// No two rows of a partition have the same place in the order.
        total: bool,
    },
    /// The first or the last row of each partition by a time.
    Deduplication {
        /// No two rows of a partition have the same place in the order.
        total: bool,
    },
    /// Ranks that end with their window.
    WindowTopN,
    /// A deduplication that ends with its window.
    WindowDeduplication,
    /// Another function over a window of rows, by the time that these are ordered by.
    Over(Clock),
    /// The rank of each row, which no condition in the query limits, by the time that rows are ordered by.
    Ranks {
        /// The time.
        by: Clock,
        /// No two rows of a partition have the same place in the order.
        total: bool,
    },
    /// `TUMBLE`, `HOP`, `CUMULATE`, `SESSION` as functions of a table.
    WindowTvf(String),
    /// An aggregation that ends with its window.
    WindowAggregate,
    /// `MATCH_RECOGNIZE`
    Match {
        /// It gives a match up that takes too long.
        within: bool,
        /// The time that rows are ordered by.
        by: Clock,
    },
    /// `ORDER BY` of a whole result, by the time that rows wait by.
    OrderBy(Clock),
    /// `LIMIT`, `OFFSET`, `FETCH`
    Limit,
    /// `IN (query)`, `EXISTS (query)`
    SemiJoin,
    /// The same with `NOT`.
    AntiJoin,
    /// A query as a value.
    ScalarSubquery,
    /// A function that gives another answer on another run.
    NonDeterministicFunction(String),
    /// An aggregate whose result depends on the order of rows.
    OrderSensitiveAggregate(String),
}

/// The time that an operator goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clock {
    /// None: rows are ordered by other values, or not at all.
    None,
    /// That of a watermark, behind which rows are late; also a time that nobody knows.
    Event,
    /// That at which a row is processed.
    Processing,
}

impl Operator {
    /// Its name, everywhere: in plans, in what is said of state, of changes and of comparing.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::RegularJoin => "regular join",
            Self::IntervalJoin => "interval join",
            Self::WindowJoin => "window join",
            Self::TemporalJoin => "temporal join",
            Self::LookupJoin => "lookup join",
            Self::Lateral => "function of each row",
            Self::Unnest => "unnest",
            Self::TableFunction(_) => "process table function",
            Self::GroupAggregate => "group aggregate",
            Self::Distinct => "distinct",
            Self::SetOperation => "set operation",
            Self::UnionAll => "union all",
            Self::TopN { .. } => "top-N",
            Self::Deduplication { .. } => "deduplication",
            Self::WindowTopN => "window top-N",
            Self::WindowDeduplication => "window deduplication",
            Self::Over(_) | Self::Ranks { .. } => "over aggregate",
            Self::WindowTvf(function) => match function.as_str() {
                "TUMBLE" => "tumbling window",
                "HOP" => "hopping window",
                "CUMULATE" => "cumulating window",
                _ => "session window",
            },
            Self::WindowAggregate => "window aggregate",
            Self::Match { .. } => "pattern match",
            Self::OrderBy(_) => "sort",
            Self::Limit => "limit",
            Self::SemiJoin => "semi join",
            Self::AntiJoin => "anti join",
            Self::ScalarSubquery => "scalar subquery",
            Self::NonDeterministicFunction(_) => "non-deterministic function",
            Self::OrderSensitiveAggregate(_) => "order-sensitive aggregate",
        }
    }

    /// True if its state ends with a window or an interval.
    pub const fn ends(&self) -> bool {
        matches!(
            self,
            Self::IntervalJoin
                | Self::WindowJoin
                | Self::WindowAggregate
                | Self::WindowTopN
                | Self::WindowDeduplication
        )
    }

    /// True if it keeps state, so that green has to start without it and read from the earliest offset.
    pub fn is_stateful(&self) -> bool {
        match self {
            // The session window is found by looking at the rows; the others by arithmetic.
            Self::WindowTvf(function) => function == "SESSION",
            Self::TableFunction(function) => function != "ML_PREDICT",
            Self::Filter
            | Self::LookupJoin
            | Self::Lateral
            | Self::Unnest
            | Self::UnionAll
            | Self::NonDeterministicFunction(_)
            | Self::OrderSensitiveAggregate(_) => false,
            _ => true,
        }
    }
}

/// The operators of `query`, in order of the text.
pub fn operators(query: &Query, known: &Definitions) -> Vec<OperatorUse> {
    judged(query, &relation(query, known).judged)
}
