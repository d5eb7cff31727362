//! What is said about a text that Flink would not accept.

use super::{Parser, unquote};
use crate::diagnostic::{Diagnostic, Edit, Span};
use crate::sql::code;
use crate::sql::keyword::{is_reserved, quote};
use crate::sql::token::{Symbol, Token, TokenKind};

impl Parser<'_> {
    pub(super) fn report_reserved(&mut self, token: Token) {
        let text = token.text(self.text);
        let mut problem = Diagnostic::error(code::RESERVED, format!("`{text}` is a reserved word"))
            .at(token.span, "used as a name")
            .help(format!("put it in backquotes: {}", quote(text)));
        problem.edits.push(Edit { span: token.span, text: quote(text) });
        self.diagnostics.push(problem);
    }

    pub(super) fn report_double_quotes(&mut self, token: Token, name: &str) {
        let text = token.text(self.text);
        let mut problem = Diagnostic::error(code::DOUBLE_QUOTES, format!("double quotes around the name {text}"))
            .at(token.span, "not a name in Flink SQL")
            .help("names are quoted by backquotes, strings by single quotes");
        // Compared with something, it can as well have been meant as a string.
        if !self.is_compared() {
            problem.edits.push(Edit { span: token.span, text: quote(name) });
        }
        self.diagnostics.push(problem);
    }

    /// True behind an operator that compares.
    pub(super) fn is_compared(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.is_some_and(|t| match t.kind {
            TokenKind::Symbol(symbol) => matches!(symbol, Symbol::Equal | Symbol::NotEqual | Symbol::BangEqual),
            _ => ["LIKE", "ILIKE", "RLIKE"].iter().any(|word| t.text(self.text).eq_ignore_ascii_case(word)),
        })
    }

    pub(super) fn report_double_quoted_string(&mut self, token: Token) {
        let text = token.text(self.text);
        let mut problem = Diagnostic::error(code::DOUBLE_QUOTES, format!("double quotes around the string {text}"))
            .at(token.span, "not a string in Flink SQL")
            .help("strings are quoted by single quotes");
        let string = format!("'{}'", unquote(text, '"').replace('\'', "''"));
        problem.edits.push(Edit { span: token.span, text: string });
        self.diagnostics.push(problem);
    }

    /// The next statement begins before the one above it has ended.
    pub(super) fn report_missing_semicolon(&mut self) {
        let end = self.previous_end();
        let span = self.peek().map_or(Span::new(end, end), |token| token.span);
        let mut problem =
            Diagnostic::error(code::MISSING_SEMICOLON, "a statement begins before the one above it has ended")
                .at(span, "begins here")
                .help("put a `;` between the two statements");
        problem.edits.push(Edit { span: Span::new(end, end), text: ";".to_owned() });
        self.diagnostics.push(problem);
    }

    /// Something else than `INSERT` or `END` in a statement set. A statement that cannot be in one is not to blame.
    pub(super) fn no_end_of_set(&self) -> Box<Diagnostic> {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        match before.filter(|t| t.kind == TokenKind::Symbol(Symbol::Semicolon)) {
            Some(semicolon) if super::dml::begins_statement(self, self.at) => Box::new(
                Diagnostic::error(code::SYNTAX, "the statement set has no `END`")
                    .at(semicolon.span, "expected `INSERT` or `END;` after this")
                    .help("close it with `END;`; only INSERT can stand in it"),
            ),
            _ => self.unexpected("`INSERT` or the `END` of the statement set"),
        }
    }

    /// The value of an option, and the key of the next one behind it.
    pub(super) fn missing_comma(&self) -> Box<Diagnostic> {
        let key = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(Span::new(0, 0), |t| t.span);
        let before = self.at.checked_sub(2).and_then(|at| self.tokens.get(at)).map_or(key.start, |t| t.span.end);
        let mut problem =
            Diagnostic::error(code::SYNTAX, format!("expected `,` before {}", shorten(key.of(self.text))))
                .at(key, "another option begins here");
        problem.edits.push(Edit { span: Span::new(before, before), text: ",".to_owned() });
        Box::new(problem)
    }

    /// The comma before the next token has nothing after it.
    pub(super) fn report_trailing_comma(&mut self) {
        let span = self.last_character();
        let mut problem = Diagnostic::error(code::TRAILING_COMMA, "a comma with nothing after it")
            .at(span, "remove this comma")
            .help("Flink SQL allows no comma after the last item of a list");
        problem.edits.push(Edit { span, text: String::new() });
        self.diagnostics.push(problem);
    }

    /// `MINUS` between two queries.
    pub(super) fn report_minus(&mut self) {
        let Some(token) = self.peek() else { return };
        let mut problem = Diagnostic::error(code::SYNTAX, "`MINUS` is not an operator of Flink SQL")
            .at(token.span, "rejected by Flink")
            .help("write EXCEPT");
        problem.edits.push(Edit { span: token.span, text: "EXCEPT".to_owned() });
        self.diagnostics.push(problem);
    }

    /// A watermark beside another one, which is at `first`.
    pub(super) fn report_second_watermark(&mut self, first: Span) {
        let Some(token) = self.peek() else { return };
        let problem = Diagnostic::error(code::SYNTAX, "a second watermark")
            .at(token.span, "a table has one watermark")
            .at(first, "the first one")
            .help("keep the watermark of one column; its delay may be an expression of others");
        self.diagnostics.push(problem);
    }

    /// What Flink takes at the end of a query only where the query does not begin with a bracket.
    pub(super) fn report_tail_behind_brackets(&mut self) {
        let Some(token) = self.peek() else { return };
        let word = token.text(self.text).to_ascii_uppercase();
        let message = format!("no `{word}` behind a query that begins with a bracket, where a table stands");
        let problem = Diagnostic::error(code::SYNTAX, message).at(token.span, "rejected by Flink").help(
            "take the brackets around the first query away, or write SELECT * FROM (...) around what is in front",
        );
        self.diagnostics.push(problem);
    }

    pub(super) fn too_deep(&self) -> Box<Diagnostic> {
        let span = self.peek().map_or(Span::new(self.text.len(), self.text.len()), |t| t.span);
        Box::new(
            Diagnostic::error(code::TOO_DEEP, "nested too deeply")
                .at(span, "the limit is reached here")
                .help("split the statement, for example with a view"),
        )
    }

    /// The last character of what was taken; it may be more than one byte.
    fn last_character(&self) -> Span {
        let end = self.previous_end();
        let width = self.text.get(..end).and_then(|t| t.chars().next_back()).map_or(0, char::len_utf8);
        Span::new(end.saturating_sub(width), end)
    }

    /// The error for the next token, where `wanted` should stand.
    pub(super) fn unexpected(&self, wanted: &str) -> Box<Diagnostic> {
        let Some(token) = self.peek() else {
            let problem = Diagnostic::error(code::SYNTAX, format!("expected {wanted}, found the end of the text"))
                .at(self.last_character(), format!("expected {wanted} after this"));
            return Box::new(problem);
        };
        let text = shorten(token.text(self.text));
        // `${` without an end is a dollar and a brace.
        let brace = if text == "$" { token.span.end } else { token.span.start };
        if self.text.get(brace..).is_some_and(|rest| rest.starts_with('{'))
            && let Some(problem) = super::placeholder::unclosed(self.text, brace)
        {
            return problem;
        }
        let problem = match token.kind {
            TokenKind::Unterminated => {
                let (what, close) = match text.chars().find(|c| matches!(c, '\'' | '`' | '"' | '/')) {
                    Some('`') => ("quoted name", "a backquote, on the same line"),
                    Some('"') => ("name in double quotes", "names are quoted by backquotes in Flink SQL"),
                    Some('/') => ("comment", "`*/`"),
                    _ => ("string", "a single quote; a quote inside of it is written twice"),
                };
                let open =
                    Span::new(token.span.start, token.span.start + text.chars().next().map_or(0, char::len_utf8));
                Diagnostic::error(code::UNTERMINATED, format!("this {what} has no end"))
                    .at(open, "begins here")
                    .help(format!("close it: {close}"))
            }
            TokenKind::Template => super::placeholder::unreplaced(token.text(self.text), token.span),
            TokenKind::Unknown => {
                Diagnostic::error(code::UNKNOWN_CHARACTER, format!("{text:?} means nothing in Flink SQL"))
                    .at(token.span, format!("expected {wanted}"))
            }
            TokenKind::Word if is_reserved(text) => {
                Diagnostic::error(code::SYNTAX, format!("expected {wanted}, found the reserved word `{text}`"))
                    .at(token.span, format!("expected {wanted}"))
            }
            TokenKind::Symbol(Symbol::DoubleColon) => {
                Diagnostic::error(code::SYNTAX, format!("expected {wanted}, found `::`"))
                    .at(token.span, "not an operator of Flink SQL")
            }
            _ => Diagnostic::error(code::SYNTAX, format!("expected {wanted}, found `{text}`"))
                .at(token.span, format!("expected {wanted}")),
        };
        Box::new(self.with_help(problem, token, wanted))
    }
}

pub(super) fn shorten(text: &str) -> &str {
    let line = text.split(['\n', '\r']).next().unwrap_or(text);
    line.char_indices().nth(40).and_then(|(end, _)| line.get(..end)).unwrap_or(line)
}
