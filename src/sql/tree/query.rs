//! Queries: from `WITH` to `LIMIT`.

use super::{Call, Expr, Ident, ObjectName};
use crate::diagnostic::Span;

/// A query with everything around its body.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The whole query, without brackets around it.
    pub span: Span,
    /// `WITH name AS (...)` in order.
    pub with: Vec<Cte>,
    /// What is queried.
    pub body: QueryBody,
    /// `ORDER BY`
    pub order_by: Vec<OrderItem>,
    /// `LIMIT n`, `FETCH FIRST n ROWS ONLY`
    pub limit: Option<Expr>,
    /// `OFFSET n`
    pub offset: Option<Expr>,
}

/// `name [(columns)] AS (query)`
#[derive(Clone, Debug, PartialEq)]
pub struct Cte {
    /// The name, which hides a table of that name from the next one on.
    pub name: Ident,
    /// The column list, empty if there is none.
    pub columns: Vec<Ident>,
    /// The query.
    pub query: Query,
}

/// The body of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum QueryBody {
    /// `SELECT`
    Select(Box<Select>),
    /// `VALUES (...), (...)`
    Values {
        /// The rows; each a list of values.
        rows: Vec<Vec<Expr>>,
        /// The whole clause.
        span: Span,
    },
    /// `TABLE name`
    Table(ObjectName),
    /// A query in brackets.
    Nested(Box<Query>),
    /// Set operations of one rank, left to right.
    SetOperation {
        /// The first operand.
        first: Box<QueryBody>,
        /// Operator and operand, one after the other; at least one.
        rest: Vec<SetOperand>,
    },
}

impl QueryBody {
    /// The select that this body is, without the brackets around it.
    pub fn select(&self) -> Option<&Select> {
        match self {
            Self::Select(select) => Some(select),
            Self::Nested(query) if query.with.is_empty() && query.limit.is_none() => query.body.select(),
            _ => None,
        }
    }
}

/// The right side of a set operation.
#[derive(Clone, Debug, PartialEq)]
pub struct SetOperand {
    /// What is done.
    pub operator: SetOperator,
    /// The operator's words.
    pub span: Span,
    /// The operand.
    pub body: QueryBody,
}

/// Set operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SetOperator {
    /// `UNION`
    Union,
    /// `UNION ALL`
    UnionAll,
    /// `INTERSECT`
    Intersect,
    /// `INTERSECT ALL`
    IntersectAll,
    /// `EXCEPT`, `MINUS`
    Except,
    /// `EXCEPT ALL`, `MINUS ALL`
    ExceptAll,
}

/// `SELECT ... FROM ... WHERE ...`
#[derive(Clone, Debug, PartialEq)]
pub struct Select {
    /// From `SELECT` to the end of the last clause.
    pub span: Span,
    /// Hints after `SELECT`.
    pub hints: Vec<Hint>,
    /// Where `DISTINCT` is.
    pub distinct: Option<Span>,
    /// The select list; at least one item.
    pub items: Vec<SelectItem>,
    /// `FROM`, one entry for each comma-separated part; empty if there is no `FROM`.
    pub from: Vec<TableExpr>,
    /// `WHERE`
    pub filter: Option<Expr>,
    /// `GROUP BY`
    pub group_by: Option<GroupBy>,
    /// `HAVING`
    pub having: Option<Expr>,
    /// `WINDOW name AS (...)`
    pub windows: Vec<(Ident, WindowSpec)>,
    /// `QUALIFY`
    pub qualify: Option<Expr>,
}

/// One item of a select list.
#[derive(Clone, Debug, PartialEq)]
pub enum SelectItem {
    /// `*`, `t.*`
    Wildcard {
        /// What stands before the star.
        qualifier: Option<ObjectName>,
        /// Qualifier and star.
        span: Span,
    },
    /// `expression [AS alias]`
    Expr {
        /// The expression.
        expr: Expr,
        /// The alias.
        alias: Option<Ident>,
        /// Expression and alias.
        span: Span,
    },
}

impl SelectItem {
    /// The whole item.
    pub const fn span(&self) -> Span {
        match self {
            Self::Wildcard { span, .. } | Self::Expr { span, .. } => *span,
        }
    }
}

/// `GROUP BY`
#[derive(Clone, Debug, PartialEq)]
pub struct GroupBy {
    /// The whole clause.
    pub span: Span,
    /// Every expression that is grouped by, those in `GROUPING SETS`, `CUBE` and `ROLLUP` included.
    pub keys: Vec<Expr>,
    /// The places of those that stand beside them: every row is grouped by these.
    pub plain: Vec<usize>,
    /// `GROUPING SETS`, `CUBE` or `ROLLUP` is used.
    pub grouping_sets: bool,
}

/// One comma-separated part of `FROM`: a source and what is joined to it.
#[derive(Clone, Debug, PartialEq)]
pub struct TableExpr {
    /// The first source.
    pub base: Factor,
    /// Joins, left to right.
    pub joins: Vec<Join>,
}

/// A join.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// The kind.
    pub kind: JoinKind,
    /// `NATURAL` was given.
    pub natural: bool,
    /// The right side.
    pub factor: Factor,
    /// `ON ...`
    pub on: Option<Expr>,
    /// `USING (...)`
    pub using: Vec<Ident>,
    /// From the join's first word to the end of its condition.
    pub span: Span,
}

/// Kinds of joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JoinKind {
    /// `JOIN`, `INNER JOIN`
    Inner,
    /// `LEFT JOIN`
    Left,
    /// `RIGHT JOIN`
    Right,
    /// `FULL JOIN`
    Full,
    /// `CROSS JOIN`
    Cross,
}

/// A source of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    /// What it is.
    pub kind: FactorKind,
    /// `AS alias`
    pub alias: Option<Ident>,
    /// `AS alias (columns)`
    pub alias_columns: Vec<Ident>,
    /// The whole source, alias included.
    pub span: Span,
}

/// Kinds of sources.
#[derive(Clone, Debug, PartialEq)]
pub enum FactorKind {
    /// A table, a view or a CTE by name.
    Table {
        /// The name.
        name: ObjectName,
        /// Hints after the name.
        hints: Vec<Hint>,
        /// `FOR SYSTEM_TIME AS OF ...`
        system_time: Option<Expr>,
    },
    /// `(query)`
    Derived {
        /// `LATERAL` was given.
        lateral: bool,
        /// The query.
        query: Box<Query>,
    },
    /// `TABLE(function(...))`, `LATERAL TABLE(function(...))`, `function(...)`
    Function {
        /// `LATERAL` was given.
        lateral: bool,
        /// The call.
        call: Box<Call>,
    },
    /// `UNNEST(...)`
    Unnest {
        /// The collection.
        expr: Expr,
        /// `WITH ORDINALITY` was given.
        ordinality: bool,
    },
    /// Joins in brackets.
    Nested(Box<TableExpr>),
    /// `source MATCH_RECOGNIZE (...)`
    Match {
        /// The source.
        input: Box<Factor>,
        /// The clause.
        clause: Box<MatchClause>,
    },
}

/// `MATCH_RECOGNIZE (...)`
#[derive(Clone, Debug, PartialEq)]
pub struct MatchClause {
    /// The whole clause.
    pub span: Span,
    /// `PARTITION BY`
    pub partition_by: Vec<Expr>,
    /// `ORDER BY`
    pub order_by: Vec<OrderItem>,
    /// `MEASURES`
    pub measures: Vec<(Expr, Ident)>,
    /// `WITHIN` was given: a match that takes longer is given up.
    pub within: bool,
    /// The names in `PATTERN`, in order of first use, then those that are only in `SUBSET` or `DEFINE`.
    pub variables: Vec<Ident>,
    /// `DEFINE`
    pub define: Vec<(Ident, Expr)>,
}

/// One entry of `ORDER BY`.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderItem {
    /// What is ordered by.
    pub expr: Expr,
    /// `DESC` was given.
    pub descending: bool,
}

/// `PARTITION BY ... ORDER BY ... frame`
#[derive(Clone, Debug, PartialEq)]
pub struct WindowSpec {
    /// The whole specification.
    pub span: Span,
    /// A window that this one builds on, or all that is named in `OVER name`.
    pub base: Option<Ident>,
    /// `PARTITION BY`
    pub partition_by: Vec<Expr>,
    /// `ORDER BY`
    pub order_by: Vec<OrderItem>,
    /// `ROWS ...`, `RANGE ...`: the expressions in it.
    pub frame: Vec<Expr>,
}

/// One hint of `/*+ ... */`.
#[derive(Clone, Debug, PartialEq)]
pub struct Hint {
    /// Its name.
    pub name: Ident,
    /// Its arguments.
    pub args: Vec<HintArg>,
}

/// An argument of a hint: `word`, `'text'` or `key = value`.
#[derive(Clone, Debug, PartialEq)]
pub struct HintArg {
    /// What stands before `=`.
    pub key: Option<HintWord>,
    /// The word or text.
    pub value: HintWord,
}

/// A word or a text in a hint.
#[derive(Clone, Debug, PartialEq)]
pub struct HintWord {
    /// The word; the span of a text is inside of its quotes.
    pub ident: Ident,
    /// True for a text in single quotes.
    pub is_string: bool,
    /// True for a text in single quotes and for a number.
    pub is_literal: bool,
}
