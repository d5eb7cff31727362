//! Going on behind a statement that could not be read.
//!
//! Rule: its names stay visible, also those inside of quotes that do not end.

use super::{Parser, dml, unquote};
use crate::diagnostic::{Diagnostic, Span};
use crate::sql::steps;
use crate::sql::token::{Symbol, Token, TokenKind};
use crate::sql::tree::{Ident, StatementKind};

impl Parser<'_> {
    /// Skips the statement that began at token `first`; its names stay visible. True if no semicolon ends it, but a statement
    /// that surely begins behind what is wrong with it.
    pub(super) fn recover(&mut self, first: usize) -> (StatementKind, bool) {
        let failed = self.at.min(self.tokens.len());
        self.depth = 0;
        self.at = first;
        let keyword = self.peek_text().to_ascii_uppercase();
        let opened = self.opened_set(first);
        let is_set = opened.is_some();
        let mut unclosed = None;
        let end = opened.and_then(|opened| self.end_of_set(opened));
        let end = end.unwrap_or_else(|| {
            // Only a statement set goes on after a semicolon, and not past the beginning of a statement that it cannot hold.
            let from = if is_set { failed.max(first) } else { first };
            if self.begins_on_its_line(failed) && failed > first && !is_set {
                return failed;
            }
            let ended = from.checked_sub(1).and_then(|at| self.tokens.get(at));
            if from > first
                && ended.is_some_and(|t| t.kind == TokenKind::Symbol(Symbol::Semicolon))
                && dml::begins_statement(self, from)
            {
                return from;
            }
            let rest = self.tokens.get(from..).unwrap_or(&[]);
            let wide = |t: &Token| t.kind == TokenKind::Unknown && t.text(self.text) == "\u{ff1b}";
            let ends = |t: &Token| t.kind == TokenKind::Symbol(Symbol::Semicolon) || wide(t);
            let end = rest.iter().position(ends).unwrap_or(rest.len());
            let behind = if is_set { 0..0 } else { failed + 1..from + end };
            unclosed = behind.into_iter().find(|at| self.begins_on_its_line(*at));
            if let Some(next) = unclosed {
                return next;
            }
            // The wide semicolon of Chinese text, meant as the narrow one, is no token of the next statement.
            from + end + usize::from(rest.get(end).is_some_and(wide))
        });
        self.at = end.max(first);
        (StatementKind::Unparsed { keyword, words: self.words(first, self.at) }, unclosed.is_some())
    }

    /// True for a token at the beginning of a line that surely begins a statement: the one above was not closed.
    fn begins_on_its_line(&self, at: usize) -> bool {
        let second: &[&str] = if self.word_at(at, "INSERT") {
            &["INTO", "OVERWRITE"]
        } else if self.word_at(at, "CREATE") || self.word_at(at, "ALTER") || self.word_at(at, "DROP") {
            &["TABLE", "VIEW", "TEMPORARY", "MATERIALIZED", "FUNCTION", "MODEL", "CATALOG", "DATABASE"]
        } else {
            return false;
        };
        let end = at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |t| t.span.end);
        let start = self.tokens.get(at).map_or(end, |t| t.span.start);
        second.iter().any(|word| self.word_at(at + 1, word)) && Span::new(end, start).of(self.text).contains('\n')
    }

    /// A problem that points at the beginning of the next statement is one of the statement above it, where it ends.
    pub(super) fn point_inside(&self, problem: &mut Diagnostic) {
        let next = self.peek().filter(|t| t.kind != TokenKind::Symbol(Symbol::Semicolon));
        if let (Some(next), Some(label)) = (next, problem.labels.first_mut())
            && label.span == next.span
        {
            let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
            label.span = before.map_or(label.span, |token| token.span);
            label.text += " after this";
        }
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
        steps::count(end - first);
        (first..end).find(|at| words(*at, ["STATEMENT", "SET", "BEGIN"])).map(|at| at + 3)
    }

    /// Past the `END` of the statement set whose statements begin at token `first`; `None` if others come before one.
    fn end_of_set(&mut self, first: usize) -> Option<usize> {
        if first < self.no_end_of_set_before {
            return None;
        }
        let is_semicolon =
            |at: usize| self.tokens.get(at).is_none_or(|t| t.kind == TokenKind::Symbol(Symbol::Semicolon));
        let mut end = None;
        let mut looked = self.tokens.len();
        for at in first + 1..self.tokens.len() {
            steps::count(1);
            if !is_semicolon(at - 1) {
                continue;
            }
            if self.word_at(at, "END") && is_semicolon(at + 1) {
                end = Some(at + 1);
                break;
            }
            if !self.word_at(at, "INSERT") && dml::begins_statement(self, at) {
                looked = at;
                break;
            }
        }
        if end.is_none() {
            self.no_end_of_set_before = looked;
        }
        end
    }

    /// Every name between two tokens, also inside of quotes that do not end or that Flink does not know.
    pub(super) fn words(&self, from: usize, to: usize) -> Vec<Ident> {
        let mut words = Vec::new();
        for token in self.tokens.get(from..to).unwrap_or(&[]) {
            steps::count(1);
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
