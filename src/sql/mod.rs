//! Flink SQL as text with spans: read by [`parse`], changed only by edits on spans.

pub mod code;
pub mod keyword;
pub mod lexer;
pub mod parser;
pub mod token;
pub mod tree;

pub use parser::{Parsed, parse};
pub use token::{Symbol, Token, TokenKind};
pub use tree::*;
