//! From tokens to statements, by recursive descent.
//!
//! Rules: every input gives a result; what cannot be read becomes [`StatementKind::Unparsed`] with a diagnostic, and reading
//! goes on after the next `;`. What Flink rejects but we understand (`!=`, a reserved word as a name, a trailing comma) is
//! a diagnostic on a statement that stays readable. Nesting is limited, so no input overflows the stack.

mod alter;
mod call;
mod cloud;
mod ddl;
mod dml;
mod expr;
mod from;
mod help;
mod interval;
mod json;
mod merge;
mod name;
mod object;
mod pattern;
mod placeholder;
mod predicate;
mod query;
mod recover;
mod report;
mod show;
mod temporal;
mod types;
mod window;

use super::code;
use super::lexer::tokenize;
use super::steps;
use super::token::{Symbol, Token, TokenKind};
use super::tree::Statement;
use crate::diagnostic::{Diagnostic, Span};

/// How many guarded rules may be open at once: 42 derived tables, 64 calls or 128 brackets inside of each other. The
/// costliest of them then takes 1.5 MB of stack without optimization, and a thread of Rust has 2 MB.
const MAX_DEPTH: u32 = 128;

/// A parsed text.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    statements: Vec<Statement>,
    diagnostics: Vec<Diagnostic>,
    tokens: Vec<Token>,
    names: Vec<Span>,
}

impl Parsed {
    /// The statements in order.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// What is wrong with the text, in order of the text.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Every token, blanks and comments included; together they are the text.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Where the words are that were taken as names, functions among them; in order. A word that was tried as a name and
    /// then taken as a keyword may be among them, a name is never missing.
    pub fn names(&self) -> &[Span] {
        &self.names
    }
}

/// Reads a text of any number of statements.
pub fn parse(text: &str) -> Parsed {
    let tokens = tokenize(text);
    let significant = tokens.iter().filter(|t| !t.kind.is_trivia()).copied().collect();
    let mut parser = Parser {
        text,
        tokens: significant,
        at: 0,
        depth: 0,
        no_end_of_set_before: 0,
        diagnostics: Vec::new(),
        names: Vec::new(),
    };
    let statements = parser.file();
    let Parser { mut diagnostics, mut names, .. } = parser;
    names.sort_unstable();
    names.dedup();
    diagnostics.sort_by_key(|d| d.labels.first().map_or(0, |l| l.span.start));
    Parsed { statements, diagnostics, tokens, names }
}

/// A result whose error ends the statement.
pub(super) type Parse<T> = Result<T, Box<Diagnostic>>;

pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: u32,
    /// No statement set ends before this token: that far was looked already.
    no_end_of_set_before: usize,
    diagnostics: Vec<Diagnostic>,
    names: Vec<Span>,
}

impl<'a> Parser<'a> {
    fn file(&mut self) -> Vec<Statement> {
        let mut statements = Vec::new();
        loop {
            while self.eat(Symbol::Semicolon) {}
            if self.peek().is_none() {
                return statements;
            }
            let first = self.at;
            let start = self.start();
            let before = self.diagnostics.len();
            if let Some(placeholder) = self.eat_lone_placeholder() {
                statements.push(placeholder);
                continue;
            }
            let kind = match self.statement().and_then(|kind| self.end_of_statement().map(|()| kind)) {
                Ok(kind) => kind,
                Err(problem) => {
                    let mut problem = self.placeholder_up_to_here(first).unwrap_or(problem);
                    let said = self.follows_a_reserved_word(before);
                    let (kind, unclosed) = self.recover(first);
                    self.point_inside(&mut problem);
                    if said && !problem.edits.is_empty() {
                        // The word is only the beginning of what needs quotes.
                        self.diagnostics.pop();
                    }
                    if !said || !problem.edits.is_empty() {
                        self.diagnostics.push(*problem);
                    }
                    if unclosed {
                        self.report_missing_semicolon();
                    }
                    kind
                }
            };
            debug_assert!(self.at > first, "a statement takes at least one token");
            if self.at == first {
                self.at += 1;
            }
            // One statement can be wrong in very many places; the first ones are enough to mend it.
            self.diagnostics.truncate(before + 20);
            statements.push(Statement { span: self.since(start), kind });
        }
    }

    fn end_of_statement(&mut self) -> Parse<()> {
        let Some(token) = self.peek() else { return Ok(()) };
        if token.kind == TokenKind::Symbol(Symbol::Semicolon) {
            return Ok(());
        }
        if dml::begins_statement(self, self.at) {
            self.report_missing_semicolon();
            return Ok(());
        }
        Err(self.unexpected("the end of the statement"))
    }

    /// True if the last thing that was said, after `before` others, is that the word before this place is reserved: where
    /// reading fails right behind it, that is the mistake, and one message is enough.
    fn follows_a_reserved_word(&self, before: usize) -> bool {
        let said = self.diagnostics.get(before..).unwrap_or(&[]).last();
        said.is_some_and(|d| {
            d.code == code::RESERVED && d.labels.first().is_some_and(|label| label.span.end == self.previous_end())
        })
    }

    // ---- looking ----

    fn peek(&self) -> Option<Token> {
        steps::count(1);
        self.tokens.get(self.at).copied()
    }

    fn peek_at(&self, ahead: usize) -> Option<Token> {
        steps::count(1);
        self.tokens.get(self.at + ahead).copied()
    }

    fn peek_text(&self) -> &'a str {
        self.peek().map_or("", |t| t.text(self.text))
    }

    fn word_at(&self, at: usize, word: &str) -> bool {
        steps::count(1);
        self.tokens.get(at).is_some_and(|t| t.kind == TokenKind::Word && t.text(self.text).eq_ignore_ascii_case(word))
    }

    fn at_word(&self, word: &str) -> bool {
        self.word_at(self.at, word)
    }

    fn at_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.at_word(word))
    }

    fn at_words(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(i, word)| self.word_at(self.at + i, word))
    }

    fn symbol_ahead(&self, ahead: usize, symbol: Symbol) -> bool {
        self.peek_at(ahead).is_some_and(|t| t.kind == TokenKind::Symbol(symbol))
    }

    fn at_symbol(&self, symbol: Symbol) -> bool {
        self.symbol_ahead(0, symbol)
    }

    fn at_kind(&self, kind: TokenKind) -> bool {
        self.peek().is_some_and(|t| t.kind == kind)
    }

    /// Where the next token begins.
    fn start(&self) -> usize {
        self.peek().map_or(self.text.len(), |t| t.span.start)
    }

    fn previous_end(&self) -> usize {
        // Operators of several words may have gone past the end of the text.
        let at = self.at.min(self.tokens.len());
        at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |t| t.span.end)
    }

    /// From `start` to the end of the last token that was taken.
    fn since(&self, start: usize) -> Span {
        Span::new(start, self.previous_end().max(start))
    }

    // ---- taking ----

    fn bump(&mut self) -> Option<Token> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    fn eat(&mut self, symbol: Symbol) -> bool {
        let found = self.at_symbol(symbol);
        self.at += usize::from(found);
        found
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        self.at += usize::from(found);
        found
    }

    fn eat_words(&mut self, words: &[&str]) -> bool {
        let found = self.at_words(words);
        self.at += if found { words.len() } else { 0 };
        found
    }

    fn expect(&mut self, symbol: Symbol) -> Parse<()> {
        if self.eat(symbol) { Ok(()) } else { Err(self.unexpected(&format!("`{}`", symbol.text()))) }
    }

    fn expect_word(&mut self, word: &str) -> Parse<()> {
        if self.eat_word(word) { Ok(()) } else { Err(self.unexpected(&format!("`{word}`"))) }
    }

    /// A string literal where several in a row are an error.
    fn one_string(&mut self, what: &str) -> Parse<String> {
        match self.peek() {
            Some(token) if token.kind == TokenKind::String => {
                self.at += 1;
                Ok(string_value(token.text(self.text)))
            }
            Some(token) if token.kind == TokenKind::DoubleQuoted => {
                self.report_double_quoted_string(token);
                self.at += 1;
                Ok(unquote(token.text(self.text), '"'))
            }
            _ => Err(self.unexpected(what)),
        }
    }

    /// A string literal, or several in a row, which are one: without quotes, and where it is.
    fn string(&mut self, what: &str) -> Parse<(String, Span)> {
        match self.peek() {
            Some(token) if token.kind == TokenKind::String => {
                self.at += 1;
                let (mut value, mut span) = (string_value(token.text(self.text)), token.span);
                while let Some(next) = self.peek().filter(|t| t.kind == TokenKind::String) {
                    value.push_str(&string_value(next.text(self.text)));
                    span = span.join(next.span);
                    self.at += 1;
                }
                Ok((value, span))
            }
            Some(token) if token.kind == TokenKind::DoubleQuoted => {
                self.report_double_quoted_string(token);
                self.at += 1;
                Ok((unquote(token.text(self.text), '"'), token.span))
            }
            _ => Err(self.unexpected(what)),
        }
    }

    fn previous_is(&self, symbol: Symbol) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.is_some_and(|t| t.kind == TokenKind::Symbol(symbol))
    }

    /// A list in round brackets; a trailing comma is reported and passed over.
    fn bracketed_list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parse<T>) -> Parse<Vec<T>> {
        self.expect(Symbol::LeftParen)?;
        let mut items = Vec::new();
        if self.eat(Symbol::RightParen) {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if !self.eat(Symbol::Comma) {
                break;
            }
            if self.at_symbol(Symbol::RightParen) {
                self.report_trailing_comma();
                break;
            }
        }
        if !self.eat(Symbol::RightParen) {
            return Err(self.unexpected("`,` or `)`"));
        }
        Ok(items)
    }

    /// Runs a rule that may contain itself.
    fn nested<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.depth >= MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.depth += 1;
        let result = rule(self);
        self.depth = self.depth.saturating_sub(1);
        result
    }
}

/// A name without the quotes around it.
pub(super) fn unquote(text: &str, quote: char) -> String {
    let inner = text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote)).unwrap_or(text);
    let doubled: String = [quote, quote].iter().collect();
    inner.replace(&doubled, quote.encode_utf8(&mut [0; 4]))
}

/// The value of a string literal: without prefix and quotes.
fn string_value(text: &str) -> String {
    let inner = text.find('\'').and_then(|open| text.get(open + 1..)).unwrap_or(text);
    inner.strip_suffix('\'').unwrap_or(inner).replace("''", "'")
}
