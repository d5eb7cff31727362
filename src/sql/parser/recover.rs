//! Going on behind a statement that could not be read.
//!
//! Rule: its names stay visible, also those inside of quotes that do not end.

use super::{Parser, dml, unquote};
use crate::diagnostic::Span;
use crate::sql::token::{Symbol, Token, TokenKind};
use crate::sql::tree::{Ident, StatementKind};

impl Parser<'_> {
    /// Skips the statement that began at token `first`; its names stay visible.
    pub(super) fn recover(&mut self, first: usize) -> StatementKind {
        let failed = self.at;
        self.depth = 0;
        self.at = first;
        let keyword = self.peek_text().to_ascii_uppercase();
        let opened = self.opened_set(first);
        let is_set = opened.is_some();
        let end = opened.and_then(|opened| self.end_of_set(opened));
        let end = end.unwrap_or_else(|| {
            // Only a statement set goes on after a semicolon.
            let from = if is_set { failed.max(first) } else { first };
            let rest = self.tokens.get(from..).unwrap_or(&[]);
            from + rest.iter().position(|t| t.kind == TokenKind::Symbol(Symbol::Semicolon)).unwrap_or(rest.len())
        });
        self.at = end.max(first);
        StatementKind::Unparsed { keyword, words: self.words(first, self.at) }
    }

    /// Past the `BEGIN` of the statement set that the statement at token `first` is or holds.
    fn opened_set(&self, first: usize) -> Option<usize> {
        let words = |at: usize, words: [&str; 3]| words.iter().enumerate().all(|(i, word)| self.word_at(at + i, word));
        if words(first, ["BEGIN", "STATEMENT", "SET"]) {
            return Some(first + 3);
        }
        let is_semicolon = |t: &&Token| t.kind == TokenKind::Symbol(Symbol::Semicolon);
        let rest = self.tokens.get(first..).unwrap_or(&[]);
        let end = first + rest.iter().take_while(|t| !is_semicolon(t)).count();
        (first..end).find(|at| words(*at, ["STATEMENT", "SET", "BEGIN"])).map(|at| at + 3)
    }

    /// Past the `END` of the statement set whose statements begin at token `first`; `None` if others come before one.
    fn end_of_set(&self, first: usize) -> Option<usize> {
        let is_semicolon =
            |at: usize| self.tokens.get(at).is_none_or(|t| t.kind == TokenKind::Symbol(Symbol::Semicolon));
        for at in first + 1..self.tokens.len() {
            if !is_semicolon(at - 1) {
                continue;
            }
            if self.word_at(at, "END") && is_semicolon(at + 1) {
                return Some(at + 1);
            }
            if !self.word_at(at, "INSERT") && dml::begins_statement(self, at) {
                return None;
            }
        }
        None
    }

    /// Every name between two tokens, also inside of quotes that do not end or that Flink does not know.
    pub(super) fn words(&self, from: usize, to: usize) -> Vec<Ident> {
        let mut words = Vec::new();
        for token in self.tokens.get(from..to).unwrap_or(&[]) {
            match token.kind {
                TokenKind::Word => words.push(Ident { name: token.text(self.text).to_owned(), span: token.span }),
                TokenKind::Quoted => words.push(Ident { name: unquote(token.text(self.text), '`'), span: token.span }),
                TokenKind::DoubleQuoted => {
                    words.push(Ident { name: unquote(token.text(self.text), '"'), span: token.span })
                }
                TokenKind::Unterminated | TokenKind::Template => self.words_inside(token.span, &mut words),
                _ => {}
            }
        }
        words
    }

    fn words_inside(&self, span: Span, words: &mut Vec<Ident>) {
        let mut at = span.start;
        let is_part = crate::sql::lexer::is_name_part;
        for piece in span.of(self.text).split(|c: char| !is_part(c)) {
            if !piece.is_empty() {
                words.push(Ident { name: piece.to_owned(), span: Span::new(at, at + piece.len()) });
            }
            at += piece.len();
            at += self.text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        }
    }
}
