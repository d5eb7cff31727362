//! The tables of a statement that nobody can read before its placeholders are replaced.
//!
//! Rule: it is read as if something harmless stood in place of each. A name that a placeholder is part of is not known, and left
//! out; where it cannot be read even so, nothing is known.

use std::collections::BTreeSet;
use std::ops::Range;

use super::names::{table_refs, written_tables};
use super::parser::parse;
use super::token::{Symbol, Token, TokenKind};
use super::tree::{ObjectName, StatementKind};
use crate::diagnostic::Span;

/// What it reads, and what it writes.
type Tables = (BTreeSet<String>, BTreeSet<String>);

/// The tables of the statement at `span` of `text`, as far as they are known; `tokens` are those of the statement.
pub(super) fn known_tables(text: &str, span: Span, tokens: &[Token]) -> Option<Tables> {
    let mut filled = String::new();
    let mut at = span.start;
    let mut holes: Vec<Range<usize>> = Vec::new();
    let mut before: [Option<Token>; 2] = [None, None];
    for token in tokens {
        if token.kind == TokenKind::Template {
            filled.push_str(Span::new(at, token.span.start).of(text));
            filled.push_str(&harmless(text, *token, before));
            at = token.span.end;
            holes.push(token.span.start - span.start..token.span.end - span.start);
        }
        if !token.kind.is_trivia() {
            before = [before[1], Some(*token)];
        }
    }
    if holes.is_empty() {
        return None;
    }
    filled.push_str(Span::new(at, span.end).of(text));
    let parsed = parse(&filled);
    let [statement] = parsed.statements() else { return None };
    if matches!(statement.kind, StatementKind::Unparsed { .. }) {
        return None;
    }
    let known = |name: &ObjectName| {
        // The holes are in order: the first that ends behind the name's beginning is the only one to look at.
        let next = holes.partition_point(|hole| hole.end <= name.span.start);
        holes.get(next).is_none_or(|hole| hole.start >= name.span.end)
    };
    let names =
        |names: Vec<&ObjectName>| names.into_iter().filter(|name| known(name)).map(ObjectName::dotted).collect();
    let refs = table_refs(statement);
    Some((names(refs.iter().map(|reference| &reference.name).collect()), names(written_tables(statement))))
}

/// As many bytes as the placeholder has, of what can stand behind the two tokens `before` it.
fn harmless(text: &str, placeholder: Token, before: [Option<Token>; 2]) -> String {
    let written = placeholder.text(text);
    let length = written.len();
    let [first, second] = before;
    let is = |token: Option<Token>, kind: TokenKind| token.is_some_and(|token| token.kind == kind);
    let counts = ["LIMIT", "OFFSET", "FIRST", "NEXT"];
    if written.starts_with("{%") || written.starts_with("{#") {
        " ".repeat(length)
    } else if second.is_some_and(|word| counts.iter().any(|known| word.text(text).eq_ignore_ascii_case(known))) {
        "1".repeat(length)
    } else if is(second, TokenKind::Symbol(Symbol::Equal)) && is(first, TokenKind::String) {
        // The value of an option.
        format!("'{}'", "x".repeat(length.saturating_sub(2)))
    } else {
        "x".repeat(length)
    }
}
