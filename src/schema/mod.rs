//! What a schema change means, for the registry and for the data.
//!
//! Read in this order: [`kind`] (which schema language), [`avro`] and [`mod@parse`] (our own model of Avro), [`flaw`] (what a
//! strict parser refuses), [`form`] (what a stored value means), [`compat`], [`level`] and [`listed`] (the registry's answer),
//! [`envelope`] and [`flink`] (the columns that a table sees), [`change`] and [`mod@diff`] (what differs), [`verdict`] (what that
//! does to jobs and values), [`added`] and [`declared`] (what tables gain and declare), [`pair`] (all of it about two texts). Apart
//! from these,
//! [`registry_log`] reads what a registry writes into its own topic.
//!
//! Rules: the registry's answer and the meaning for the data are two answers, and the worse one counts. What cannot be
//! judged is `unknown, because ...`, never compatible. Stored schemas are read leniently: a schema that a strict parser
//! would refuse today may have been registered years ago. No input makes this module panic or run away.

pub mod added;
pub mod avro;
mod branches;
pub mod change;
pub mod compat;
mod concern;
pub mod declared;
pub mod diff;
mod differences;
pub mod envelope;
mod finding;
pub mod flaw;
pub mod flink;
pub mod form;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod invariant;
pub mod kind;
pub mod level;
pub mod listed;
pub mod literal;
mod order;
mod outline;
pub mod pair;
pub mod parse;
mod record;
pub mod registry_log;
mod rename;
pub mod rule;
mod scalar;
pub mod verdict;

pub use added::{AddedColumn, Declared, added_columns, added_since};
pub use avro::{AvroSchema, SchemaError};
pub use change::{Change, ChangeKind, Effect, Scope};
pub use compat::{Incompatibility, can_read};
pub use diff::diff;
pub use envelope::{RowField, Shape, row_fields, shape};
pub use flaw::{Flaw, Remark};
pub use kind::SchemaKind;
pub use level::{CompatReport, Direction, Level, RegistryVerdict, VersionFailure, check};
pub use literal::default_literal;
pub use parse::parse;
pub use verdict::{Assessment, Concern, DataVerdict, SubjectText, assess, assess_texts};

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
