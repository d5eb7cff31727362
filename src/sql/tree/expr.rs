//! Expressions.

use super::{Ident, ObjectName, OrderItem, Query, WindowSpec};
use crate::diagnostic::Span;
use crate::model::column::{ColumnType, Nullable};

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// The whole expression.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

/// Kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A column, qualified or not, or a field of one: `a`, `t.a`, `t.a.b`.
    Column(ObjectName),
    /// A literal.
    Literal(Literal),
    /// `INTERVAL '1' DAY`: what is behind the word, in upper case.
    Interval(String),
    /// Operands between operators of one rank, left to right: one more operand than operators.
    Binary {
        /// The operators.
        operators: Vec<BinaryOperator>,
        /// The operands.
        operands: Vec<Expr>,
    },
    /// `NOT x`, `-x`, `+x`
    Unary {
        /// The operator.
        operator: UnaryOperator,
        /// The operand.
        operand: Box<Expr>,
    },
    /// `x IS [NOT] NULL`, `x IS TRUE`, `x IS JSON`, ...
    Is {
        /// What is asked about.
        operand: Box<Expr>,
        /// The words after `IS`, in upper case.
        what: String,
    },
    /// `x [NOT] BETWEEN [SYMMETRIC] low AND high`
    Between {
        /// `NOT` was given.
        negated: bool,
        /// `SYMMETRIC` was given: the ends may be the other way round.
        symmetric: bool,
        /// What is compared.
        operand: Box<Expr>,
        /// Low and high end.
        bounds: Box<(Expr, Expr)>,
    },
    /// `x [NOT] LIKE pattern [ESCAPE c]`, `SIMILAR TO`, `RLIKE`
    Like {
        /// `NOT` was given.
        negated: bool,
        /// What is compared, the pattern, the escape character.
        operands: Vec<Expr>,
    },
    /// `x [NOT] IN (a, b)`
    InList {
        /// `NOT` was given.
        negated: bool,
        /// What is looked for.
        operand: Box<Expr>,
        /// Where.
        list: Vec<Expr>,
    },
    /// `x [NOT] IN (query)`, `x = ANY (query)`
    InQuery {
        /// `NOT` was given.
        negated: bool,
        /// A comparison with `ANY`, `SOME` or `ALL`, whatever it compares with.
        quantified: bool,
        /// What is looked for.
        operand: Box<Expr>,
        /// Where.
        query: Box<Query>,
    },
    /// `EXISTS (query)`
    Exists(Box<Query>),
    /// `(query)` as a value
    Subquery(Box<Query>),
    /// `CASE`
    Case {
        /// What stands after `CASE`.
        operand: Option<Box<Expr>>,
        /// `WHEN a THEN b`
        branches: Vec<(Expr, Expr)>,
        /// `ELSE`
        otherwise: Option<Box<Expr>>,
    },
    /// `CAST(x AS type)`, `TRY_CAST(x AS type)`
    Cast {
        /// What is cast.
        operand: Box<Expr>,
        /// To what.
        ty: Nullable,
        /// `TRY_CAST`: what cannot be cast is NULL.
        safe: bool,
    },
    /// A function call, an aggregate, a window function.
    Call(Box<Call>),
    /// `ROW(a, b)`, `(a, b)`
    Row(Vec<Expr>),
    /// `ARRAY[a, b]`
    Array(Vec<Expr>),
    /// `MAP['k', v]`
    Map(Vec<Expr>),
    /// `ARRAY(query)`, `MAP(query)`, `MULTISET(query)`
    CollectionQuery(Box<Query>),
    /// `x[1]`, `x.field`, one after the other
    Access {
        /// What is looked into.
        operand: Box<Expr>,
        /// The steps; at least one.
        steps: Vec<AccessStep>,
    },
    /// `(x)`
    Nested(Box<Expr>),
}

/// A step into a value.
#[derive(Clone, Debug, PartialEq)]
pub enum AccessStep {
    /// `[index]`
    Index(Expr),
    /// `.field`
    Field(Ident),
    /// `.*`
    Star,
}

/// Literals.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// A number without an exponent, as written.
    Exact(String),
    /// A number with an exponent, as written.
    Approximate(String),
    /// A string without quotes.
    String(String),
    /// `X'...'`
    Bytes,
    /// `TRUE`, `FALSE`; `None` for `UNKNOWN`.
    Boolean(Option<bool>),
    /// `NULL`
    Null,
    /// `DATE '...'`, `TIME '...'`, `TIMESTAMP '...'`
    Temporal(ColumnType),
    /// A unit of time or a word of the function's own grammar, in upper case.
    Keyword(String),
}

/// Operators between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOperator {
    /// `OR`
    Or,
    /// `AND`
    And,
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
    /// `||`
    Concat,
    /// `AT TIME ZONE`, `OVERLAPS`, `MEMBER OF` and other rare ones
    Other,
}

/// Operators before one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOperator {
    /// `NOT`
    Not,
    /// `-`
    Minus,
    /// `+`
    Plus,
}

/// A call of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The whole call, with `FILTER` and `OVER`.
    pub span: Span,
    /// The function.
    pub name: ObjectName,
    /// `DISTINCT` before the arguments.
    pub distinct: bool,
    /// The arguments.
    pub args: Vec<Arg>,
    /// `ORDER BY` inside the brackets or in `WITHIN GROUP (...)`.
    pub order_by: Vec<OrderItem>,
    /// `FILTER (WHERE ...)`
    pub filter: Option<Expr>,
    /// `OVER (...)`, `OVER name`
    pub over: Option<WindowSpec>,
    /// `RETURNING type` of a JSON function.
    pub returning: Option<Nullable>,
    /// True when it is written with brackets; `CURRENT_TIMESTAMP` has none.
    pub brackets: bool,
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// The name before `=>`.
    pub name: Option<Ident>,
    /// The value.
    pub value: ArgValue,
}

/// The value of an argument.
#[derive(Clone, Debug, PartialEq)]
pub enum ArgValue {
    /// An expression.
    Expr(Expr),
    /// `*`
    Star,
    /// `TABLE name`, with partitioning and order
    Table(TableArg),
    /// `TABLE (query)`, `(query)` where a table is due
    Query {
        /// The query.
        query: Box<Query>,
        /// `PARTITION BY`
        partition_by: Vec<Expr>,
        /// `ORDER BY`
        order_by: Vec<OrderItem>,
    },
    /// `DESCRIPTOR(a, b)`
    Descriptor(Vec<Ident>),
    /// `MODEL name`
    Model(ObjectName),
    /// `DEFAULT`
    Default,
}

/// `TABLE name [PARTITION BY ...] [ORDER BY ...]`
#[derive(Clone, Debug, PartialEq)]
pub struct TableArg {
    /// The table.
    pub name: ObjectName,
    /// `PARTITION BY`
    pub partition_by: Vec<Expr>,
    /// `ORDER BY`
    pub order_by: Vec<OrderItem>,
}
