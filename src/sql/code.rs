//! Codes of the diagnostics that this module makes.

/// Something else was expected here.
pub const SYNTAX: &str = "S001";
/// A string, a quoted name or a comment has no end.
pub const UNTERMINATED: &str = "S002";
/// Double quotes around a name or a string.
pub const DOUBLE_QUOTES: &str = "S003";
/// `!=`.
pub const BANG_EQUAL: &str = "S004";
/// A reserved word as a name.
pub const RESERVED: &str = "S005";
/// A comma with nothing after it.
pub const TRAILING_COMMA: &str = "S006";
/// Two statements without `;` between them.
pub const MISSING_SEMICOLON: &str = "S007";
/// A placeholder that another tool should have replaced.
pub const TEMPLATE: &str = "S008";
/// Nested more deeply than we read.
pub const TOO_DEEP: &str = "S009";
/// A statement that begins with no known word.
pub const UNKNOWN_STATEMENT: &str = "S010";
/// A character that means nothing in Flink SQL.
pub const UNKNOWN_CHARACTER: &str = "S011";
/// `PRIMARY KEY` without `NOT ENFORCED`.
pub const ENFORCED_KEY: &str = "S012";
/// A literal whose text is no value: a date that does not exist, half a byte.
pub const LITERAL: &str = "S013";
/// A column that no source in reach has.
pub const UNKNOWN_COLUMN: &str = "S101";
/// A column that more than one source in reach has.
pub const AMBIGUOUS_COLUMN: &str = "S102";
/// A table whose columns are not known.
pub const UNKNOWN_TABLE: &str = "S103";
/// The lineage through this construct is a guess.
pub const OPAQUE: &str = "S104";
/// A column that is there twice.
pub const TWICE: &str = "S105";
/// A field that a row does not have.
pub const UNKNOWN_FIELD: &str = "S106";
/// A computed column that is made of a computed column.
pub const COMPUTED_OF_COMPUTED: &str = "S107";
/// A column that nothing can be written to.
pub const NOT_WRITABLE: &str = "S108";
/// More or fewer columns than there are names or other rows.
pub const WIDTH: &str = "S109";
/// A source of `FROM` whose name another one has.
pub const SOURCE_TWICE: &str = "S110";
/// A join without a condition, or with one where none may be.
pub const JOIN: &str = "S111";
/// A window that nobody names, or that two are named like.
pub const WINDOW: &str = "S112";
/// A column that is neither grouped by nor aggregated, or in the order of `DISTINCT` rows and not in their list.
pub const UNGROUPED: &str = "S113";
/// An aggregate or a window function where none may be.
pub const MISPLACED: &str = "S114";
/// A position in the select list that no column has.
pub const POSITION: &str = "S115";
