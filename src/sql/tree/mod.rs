//! What the parser understood: typed views with spans.
//!
//! Rules: every span is in byte offsets of the text that was parsed; names are kept without their quotes; nothing here is
//! ever printed back as SQL.

mod expr;
mod other;
mod query;
mod statement;

pub use expr::*;
pub use other::*;
pub use query::*;
pub use statement::*;

use crate::diagnostic::Span;

/// One identifier.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ident {
    /// The name without quotes.
    pub name: String,
    /// Where it is, quotes included.
    pub span: Span,
}

/// A name of up to three parts: catalog, database, object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectName {
    /// The parts in order; at least one.
    pub parts: Vec<Ident>,
    /// From the first part to the last.
    pub span: Span,
}

impl ObjectName {
    /// The last part: the object's own name.
    pub fn last(&self) -> &Ident {
        // Built by the parser only, which never leaves it empty.
        self.parts.last().unwrap_or(&NO_IDENT)
    }

    /// The parts joined by dots, without quotes.
    pub fn dotted(&self) -> String {
        self.parts.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(".")
    }
}

static NO_IDENT: Ident = Ident { name: String::new(), span: Span::new(0, 0) };
