//! What statements that have no kind of their own hold: tables, parts, things that are no tables, `MERGE`.

use super::{Expr, Factor, Hint, Ident, ObjectName, Statement, TableOption};

/// What a statement that has no kind of its own does to tables, and what it holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// The tables and views that it creates, changes, empties or drops.
    pub writes: Vec<ObjectName>,
    /// Statements and queries inside of it: what is explained, compiled, run, or makes a materialized table.
    pub parts: Vec<Statement>,
    /// Expressions inside of it, in which the columns of the written table are in reach: those of `UPDATE` and `DELETE`.
    pub exprs: Vec<Expr>,
    /// The tables and views that it is about without reading or changing their rows: `SHOW CREATE`, `DESCRIBE`, `ANALYZE`.
    pub mentions: Vec<ObjectName>,
    /// What it is about, if that is no table and no view.
    pub object: Option<NamedObject>,
    /// What `MERGE` holds; its target is under `writes` as well.
    pub merge: Option<Box<Merge>>,
}

/// A thing that is no table and no view, as a statement creates, changes, shows or describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedObject {
    /// `CATALOG`, `DATABASE`, `FUNCTION`, `MODEL`, or of Confluent Cloud `CONNECTION`, `TOOL`, `AGENT`.
    pub kind: String,
    /// Its name.
    pub name: ObjectName,
    /// The name after `RENAME TO`.
    pub new_name: Option<ObjectName>,
    /// `WITH (...)` or `SET (...)` in order.
    pub options: Vec<TableOption>,
    /// Its comment.
    pub comment: Option<String>,
    /// What it is made of, or what is given to it and taken from it, in order.
    pub uses: Vec<ObjectUse>,
}

/// Another thing that a thing is made of: `USING MODEL m`.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectUse {
    /// `MODEL`, `TOOL`, `AGENT`, `FUNCTION` or `CONNECTION`.
    pub kind: String,
    /// Its name.
    pub name: ObjectName,
}

/// `MERGE INTO target USING source ON condition WHEN ...`, which Flink 2.2 parses and its planner refuses.
#[derive(Clone, Debug, PartialEq)]
pub struct Merge {
    /// The table that is written.
    pub target: ObjectName,
    /// The target's alias.
    pub alias: Option<Ident>,
    /// Hints after the target.
    pub hints: Vec<Hint>,
    /// What is merged into it.
    pub source: Factor,
    /// Which rows match.
    pub on: Expr,
    /// `WHEN MATCHED THEN UPDATE SET column = value, ...`
    pub update: Vec<(ObjectName, Expr)>,
    /// `WHEN NOT MATCHED THEN INSERT ...`
    pub insert: Option<MergeInsert>,
}

/// `INSERT [(columns)] VALUES (values)` of `MERGE`.
#[derive(Clone, Debug, PartialEq)]
pub struct MergeInsert {
    /// The column list, empty if there is none.
    pub columns: Vec<Ident>,
    /// The row.
    pub values: Vec<Expr>,
}
