//! Placeholders that another tool replaces: `${...}` and Jinja's.
//!
//! Rule: outside of a string in single quotes a placeholder is an error and never taken for a name or a value. Inside of one
//! `${NAME}` is filled in when a statement is sent; Jinja's stays as it is, which is worth a warning in a table's options.

use super::Parser;
use super::report::shorten;
use crate::diagnostic::{Diagnostic, Span};
use crate::sql::code;
use crate::sql::lexer::tokenize;
use crate::sql::token::{Symbol, Token, TokenKind};
use crate::sql::tree::{Statement, StatementKind, TableOption};

const IN_STRINGS: &str = "write the value itself, or use the placeholder inside of a string in single quotes: only there values \
                          of [env.<name>.vars] are put in";
const RENDER: &str = "render the template first, as `dbt compile` does, and give the rendered text";

impl Parser<'_> {
    /// A placeholder that stands where a statement should begin, with the end of the text or a statement behind it.
    pub(super) fn eat_lone_placeholder(&mut self) -> Option<Statement> {
        let token = self.peek().filter(|t| t.kind == TokenKind::Template)?;
        let next = self.at + 1;
        let ends = self.tokens.get(next).is_none_or(|t| {
            matches!(t.kind, TokenKind::Template | TokenKind::Symbol(Symbol::Semicolon))
                || super::dml::begins_statement(self, next)
                || self.word_at(next, "WITH")
        });
        if !ends {
            return None;
        }
        self.at = next;
        self.diagnostics.push(unreplaced(token.text(self.text), token.span));
        let kind = StatementKind::Unparsed { keyword: "TEMPLATE".to_owned(), words: self.words(next - 1, next) };
        Some(Statement { span: token.span, kind })
    }

    /// The first placeholder of the statement that began at token `first`, if it is why reading failed here.
    pub(super) fn placeholder_up_to_here(&self, first: usize) -> Option<Box<Diagnostic>> {
        let read = self.tokens.get(first..)?.iter().take((self.at + 2).saturating_sub(first));
        let token = read.take_while(|t| t.kind != TokenKind::Symbol(Symbol::Semicolon));
        let token = token.copied().find(|t| t.kind == TokenKind::Template)?;
        Some(Box::new(unreplaced(token.text(self.text), token.span)))
    }

    /// A name in backquotes that holds a placeholder is not known before that is replaced.
    pub(super) fn report_placeholder_in(&mut self, name: Token) {
        let text = name.text(self.text);
        if let Some(inner) = first_inside(text) {
            let span = Span::new(name.span.start + inner.start, name.span.start + inner.end);
            self.diagnostics.push(unreplaced(inner.of(text), span));
        }
    }

    /// Jinja's placeholder in the value of a table's option.
    pub(super) fn warn_of_jinja(&mut self, option: &TableOption) {
        let text = option.value_span.of(self.text);
        let Some(inner) = first_inside(text).filter(|inner| !inner.of(text).starts_with('$')) else { return };
        let span = Span::new(option.value_span.start + inner.start, option.value_span.start + inner.end);
        let message = format!("`{}` in `{}` is not replaced", shorten(inner.of(text)), option.key);
        self.diagnostics
            .push(Diagnostic::warning(code::TEMPLATE, message).at(span, "Flink gets it as it is").help(RENDER));
    }
}

/// What is said of a placeholder where a name, a value or a statement should stand.
pub(super) fn unreplaced(text: &str, span: Span) -> Diagnostic {
    let help = if text.starts_with("${") && !text.starts_with("${{") { IN_STRINGS } else { RENDER };
    Diagnostic::error(code::TEMPLATE, format!("`{}` is a placeholder that nothing has replaced", shorten(text)))
        .at(span, "not replaced")
        .help(help)
}

/// What is said of `${`, `{{`, `{%` or `{#` whose end is missing; `at` is the brace of it that was met.
pub(super) fn unclosed(text: &str, at: usize) -> Option<Box<Diagnostic>> {
    let rest = text.get(at..)?;
    let dollar = text.get(..at)?.ends_with('$');
    let (open, close) = match rest.get(..2) {
        _ if dollar => ("${", "`}` on the same line"),
        Some("{{") => ("{{", "`}}`"),
        Some("{%") => ("{%", "`%}`"),
        Some("{#") => ("{#", "`#}`"),
        _ => return None,
    };
    let start = at - usize::from(dollar);
    let problem = Diagnostic::error(code::TEMPLATE, format!("the placeholder that `{open}` begins has no end"))
        .at(Span::new(start, start + open.len()), "begins here")
        .help(format!("close it with {close}, and have it replaced before the text is read"));
    Some(Box::new(problem))
}

/// Where the first placeholder inside of a quoted text is.
pub(super) fn first_inside(text: &str) -> Option<Span> {
    if !text.contains('{') {
        return None;
    }
    let at = ["${", "{{", "{%", "{#"].iter().filter_map(|open| text.find(open)).min()?;
    let inside = text.get(at..text.len().checked_sub(1)?)?;
    let first = tokenize(inside).first().copied()?;
    (first.kind == TokenKind::Template).then(|| Span::new(at, at + first.span.end))
}
