//! Flink SQL as text with spans: read by [`parse`], changed only by edits on spans.
//!
//! In reading order: [`token`] and [`lexer`] (lossless), [`tree`] and [`parser`] (what is not understood is a diagnostic and
//! stays visible by its names), [`names`] (which tables a statement reads and writes; renaming), [`session`] (what is left
//! out in front of a name), [`mod@lineage`] (which columns make values and rows), [`listed`] (what is
//! wrong with lists of columns), [`flow`] (the same across statements, once
//! the definitions are known), [`mod@operators`] (what Flink has to do), `relation` (a query as rows with columns: what
//! [`changelog`], [`mod@state`] and [`types`] stand on: how rows change and by what they are known, what is kept for that,
//! and the types of results), [`summary`] (statements in a few words, also what is known before placeholders are replaced: `unreplaced`), [`edit`] and [`mod@carry`] (changes), [`meaning`] and
//! [`mod@difference`] (what two texts say alike and otherwise). Edits are made for one text: apply them, parse again, then
//! make the next ones.

pub mod carry;
pub mod changelog;
pub mod code;
pub mod difference;
pub mod edit;
pub mod flow;
mod functions;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod invariant;
pub mod keyword;
mod layout;
pub mod lexer;
pub mod lineage;
pub mod listed;
pub mod meaning;
pub mod names;
pub mod operators;
pub mod parser;
mod reach;
mod relation;
pub mod rows;
pub mod session;
pub mod state;
pub(crate) use crate::steps;
pub mod summary;
pub mod token;
pub mod tree;
pub mod types;
mod unreplaced;
mod views;
mod walk;

pub use carry::{CannotCarry, Carried, Carry, carry, carry_column, carry_view};
pub use changelog::{Assumption, Because, Cause, ChangeMode, Changelog, changelogs};
pub use difference::{Difference, difference};
pub use edit::{CannotEdit, EditError, EditSet, apply};
pub use flow::{Definitions, Flow, FlowColumn, Origin};
pub use lineage::{
    Catalog, CatalogTable, ColumnUse, Float, Lineage, Outline, OutputColumn, Reader, UseKind, lineage, table_lineage,
};
pub use meaning::{Word, Words, words};
pub use names::{TableRef, mentioned_tables, query_refs, rename_tables, table_refs, written_tables};
pub use operators::{Clock, Operator, OperatorUse, operators};
pub use parser::{Parsed, parse};
pub use rows::Rows;
pub use session::Session;
pub use state::{Bound, StateOperator, StateUse, state};
pub use summary::{Problem, StatementSummary, summaries};
pub use token::{Symbol, Token, TokenKind};
pub use tree::*;
pub use types::{TypedColumn, result_types, statement_types};

#[cfg(test)]
mod tests;
