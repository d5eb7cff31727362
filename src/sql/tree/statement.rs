//! Statements, and what DDL and DML add to queries.

use super::{Effects, Expr, Ident, ObjectName, Query};
use crate::diagnostic::Span;
use crate::model::column::{Column, ColumnType, Nullable};

/// One statement of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// From its first word to its last token; blanks, comments and `;` around it are outside.
    pub span: Span,
    /// What it is.
    pub kind: StatementKind,
}

/// The kinds of statements.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `CREATE TABLE`
    CreateTable(CreateTable),
    /// `CREATE TABLE ... AS query`
    CreateTableAs(Box<CreateTableAs>),
    /// `CREATE VIEW`
    CreateView(CreateView),
    /// `INSERT INTO`, `INSERT OVERWRITE`
    Insert(Insert),
    /// `EXECUTE STATEMENT SET BEGIN ...; END` or `BEGIN STATEMENT SET; ...; END`
    StatementSet(Vec<Insert>),
    /// A query on its own
    Query(Query),
    /// `SET key = value`, quoted or not
    Set {
        /// Key without quotes.
        key: String,
        /// Value without quotes.
        value: String,
        /// Where the value is, quotes included.
        value_span: Span,
    },
    /// `RESET`, `RESET key`
    Reset {
        /// Key without quotes; all keys if there is none.
        key: Option<String>,
    },
    /// `DROP TABLE` and the like
    Drop {
        /// `TABLE`, `VIEW`, `FUNCTION`, ...
        what: String,
        /// What is dropped.
        name: ObjectName,
    },
    /// A statement that has no kind of its own.
    Other {
        /// The words, such as `ALTER TABLE`, in upper case.
        keyword: String,
        /// Every name in it, so that a caller can tell what it may touch.
        words: Vec<Ident>,
        /// What of it matters to tables.
        effects: Effects,
    },
    /// A statement that could not be read; a diagnostic says where.
    Unparsed {
        /// Its first word in upper case.
        keyword: String,
        /// Every name in it, also inside of quotes that do not end.
        words: Vec<Ident>,
    },
}

/// `CREATE [TEMPORARY] TABLE`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTable {
    /// The whole statement.
    pub span: Span,
    /// The new table.
    pub name: ObjectName,
    /// `TEMPORARY` was given.
    pub temporary: bool,
    /// `OR REPLACE` was given.
    pub or_replace: bool,
    /// `IF NOT EXISTS` was given.
    pub if_not_exists: bool,
    /// Columns in order.
    pub columns: Vec<ColumnDef>,
    /// The brackets around columns and constraints.
    pub elements_span: Option<Span>,
    /// `PRIMARY KEY (...) NOT ENFORCED`, also when written at its column.
    pub primary_key: Option<PrimaryKey>,
    /// `WATERMARK FOR ... AS ...`
    pub watermark: Option<Watermark>,
    /// The table's comment.
    pub comment: Option<String>,
    /// `DISTRIBUTED ...`
    pub distribution: Option<Distribution>,
    /// `PARTITIONED BY (...)`
    pub partitioned_by: Vec<Ident>,
    /// `WITH (...)` in order.
    pub options: Vec<TableOption>,
    /// The brackets around the options.
    pub options_span: Option<Span>,
    /// Where `WITH` would go if there is none: behind everything but `LIKE` and the query of `CREATE TABLE ... AS`.
    pub options_place: usize,
    /// `LIKE table (...)`
    pub like: Option<Like>,
}

impl CreateTable {
    /// The option with this key; keys are case-sensitive. If it is there twice, the last one, as Flink has it.
    pub fn option(&self, key: &str) -> Option<&TableOption> {
        self.options.iter().rev().find(|o| o.key == key)
    }

    /// Every column in order. A computed column has no declared type: its type is `Other` with the expression's text.
    pub fn schema(&self) -> Vec<Column> {
        self.columns.iter().map(ColumnDef::column).collect()
    }

    /// The physical columns in order: those that are in the records.
    pub fn physical(&self) -> Vec<Column> {
        let is_physical = |c: &&ColumnDef| matches!(c.kind, ColumnKind::Physical(_));
        self.columns.iter().filter(is_physical).map(ColumnDef::column).collect()
    }

    /// Names of the columns that are in no record: computed ones and virtual metadata.
    pub fn virtual_columns(&self) -> impl Iterator<Item = &str> {
        let is_virtual = |c: &&ColumnDef| match &c.kind {
            ColumnKind::Physical(_) => false,
            ColumnKind::Metadata { is_virtual, .. } => *is_virtual,
            ColumnKind::Computed { .. } => true,
        };
        self.columns.iter().filter(is_virtual).map(|c| c.name.name.as_str())
    }

    /// The columns that an `INSERT` without a column list writes, in order: physical and non-virtual metadata columns.
    pub fn writable(&self) -> Vec<Column> {
        let is_writable = |c: &&ColumnDef| match &c.kind {
            ColumnKind::Physical(_) => true,
            ColumnKind::Metadata { is_virtual, .. } => !is_virtual,
            ColumnKind::Computed { .. } => false,
        };
        self.columns.iter().filter(is_writable).map(ColumnDef::column).collect()
    }
}

/// `CREATE TABLE ... AS query`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTableAs {
    /// The table's part.
    pub table: CreateTable,
    /// What fills it.
    pub query: Query,
}

/// A column of a `CREATE TABLE`.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnDef {
    /// Its name.
    pub name: Ident,
    /// Where its value comes from.
    pub kind: ColumnKind,
    /// Where the type or expression begins, for columns that are set out in a table.
    pub value_start: usize,
    /// Where the declared type, `NOT NULL` included, or the expression ends.
    pub value_end: usize,
    /// Its comment.
    pub comment: Option<String>,
    /// The whole definition, without the comma.
    pub span: Span,
}

impl ColumnDef {
    /// True for a column that is only named, as `CREATE TABLE ... AS` allows.
    pub fn is_bare(&self) -> bool {
        matches!(&self.kind, ColumnKind::Physical(ty) if ty.ty == ColumnType::Other(String::new()))
    }

    fn column(&self) -> Column {
        let ty = match &self.kind {
            ColumnKind::Physical(ty) | ColumnKind::Metadata { ty, .. } => ty.clone(),
            ColumnKind::Computed { text, .. } => Nullable { ty: ColumnType::Other(text.clone()), nullable: true },
        };
        Column { name: self.name.name.clone(), ty }
    }
}

/// Where a column's value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnKind {
    /// From the record.
    Physical(Nullable),
    /// `name AS expression`
    Computed {
        /// The expression.
        expr: Expr,
        /// Its text.
        text: String,
    },
    /// `name type METADATA [FROM 'key'] [VIRTUAL]`
    Metadata {
        /// The declared type.
        ty: Nullable,
        /// The key after `FROM`.
        key: Option<String>,
        /// `VIRTUAL`: read only.
        is_virtual: bool,
    },
}

/// `PRIMARY KEY (...)`
#[derive(Clone, Debug, PartialEq)]
pub struct PrimaryKey {
    /// The key's columns in order.
    pub columns: Vec<Ident>,
    /// The whole clause.
    pub span: Span,
}

/// `WATERMARK FOR column AS expression`
#[derive(Clone, Debug, PartialEq)]
pub struct Watermark {
    /// The time attribute; more than one part for a nested field.
    pub column: ObjectName,
    /// The watermark's expression.
    pub expr: Expr,
    /// The whole clause.
    pub span: Span,
}

/// `DISTRIBUTED [BY [HASH|RANGE] (...)] [INTO n BUCKETS]`
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    /// `HASH` or `RANGE` if it is named.
    pub kind: Option<String>,
    /// The columns after `BY`.
    pub columns: Vec<Ident>,
    /// The number of buckets.
    pub buckets: Option<u64>,
    /// The whole clause.
    pub span: Span,
}

/// `LIKE table (...)`
#[derive(Clone, Debug, PartialEq)]
pub struct Like {
    /// The table that is taken as a pattern.
    pub table: ObjectName,
    /// `INCLUDING ALL`, ... in upper case, in order.
    pub options: Vec<String>,
    /// The whole clause.
    pub span: Span,
}

/// `'key' = 'value'` of `WITH (...)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableOption {
    /// Key without quotes.
    pub key: String,
    /// Value without quotes.
    pub value: String,
    /// The key with its quotes.
    pub key_span: Span,
    /// The value with its quotes.
    pub value_span: Span,
}

/// `CREATE [TEMPORARY] VIEW`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateView {
    /// The new view.
    pub name: ObjectName,
    /// `TEMPORARY` was given.
    pub temporary: bool,
    /// The column list, empty if there is none.
    pub columns: Vec<Ident>,
    /// The comment.
    pub comment: Option<String>,
    /// What it shows.
    pub query: Query,
}

/// `INSERT INTO`, `INSERT OVERWRITE`
#[derive(Clone, Debug, PartialEq)]
pub struct Insert {
    /// From `INSERT` to the query's end.
    pub span: Span,
    /// The table that is written.
    pub target: ObjectName,
    /// `OVERWRITE` instead of `INTO`.
    pub overwrite: bool,
    /// `PARTITION (column = value, ...)`
    pub partition: Vec<(Ident, Option<Expr>)>,
    /// The column list, empty if there is none.
    pub columns: Vec<Ident>,
    /// What is written.
    pub query: Query,
    /// Hints after the target.
    pub hints: Vec<super::Hint>,
}
