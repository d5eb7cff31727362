//! A text's statements in a few words each: kind, place, verdict, tables. For tools that want no tree.
//!
//! Rules: a statement is `ok` when nothing of severity error was found in it; tables are given as they are written, without
//! quotes, each once; what could not be read has no tables, but for those that are known although something else in it is a
//! placeholder.

use std::collections::BTreeSet;

use serde::Serialize;

use super::names::{table_refs, written_tables};
use super::parser::{Parsed, parse};
use super::token::{Symbol, Token, TokenKind};
use super::tree::{Statement, StatementKind};
use super::unreplaced::known_tables;
use crate::diagnostic::{Diagnostic, Severity, Span};

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatementSummary {
    /// Its words, such as `CREATE TABLE`, in upper case.
    pub kind: String,
    /// First byte, and one past the last.
    pub span: [usize; 2],
    /// Flink's parser would take it, as far as we can tell.
    pub ok: bool,
    /// The tables and views that it reads.
    pub reads: BTreeSet<String>,
    /// The tables and views that it creates, fills, changes or drops.
    pub writes: BTreeSet<String>,
    /// What is wrong with it.
    pub errors: Vec<Problem>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The diagnostic's code.
    pub code: String,
    /// One line.
    pub message: String,
    /// First byte, and one past the last.
    pub span: [usize; 2],
}

/// The statements of `text` in order.
pub fn summaries(text: &str) -> Vec<StatementSummary> {
    of_parsed(text, &parse(text))
}

/// The same of a text that was parsed already.
pub fn of_parsed(text: &str, parsed: &Parsed) -> Vec<StatementSummary> {
    let errors: Vec<&Diagnostic> = parsed.diagnostics().iter().filter(|d| d.severity == Severity::Error).collect();
    let statements = parsed.statements();
    let mut found = Vec::with_capacity(statements.len());
    let mut next_error = 0;
    for (i, statement) in statements.iter().enumerate() {
        // What is wrong behind the last token of a statement is wrong with it, up to where the next one begins.
        let end = statements.get(i + 1).map_or(usize::MAX, |next| next.span.start);
        let own: Vec<Problem> = errors
            .iter()
            .skip(next_error)
            .map(|d| problem(d))
            .take_while(|p| p.span[0] < end || (p.span[0] == end && p.code == super::code::MISSING_SEMICOLON))
            .collect();
        next_error += own.len();
        let mut summary = summary(text, statement, own);
        if matches!(statement.kind, StatementKind::Unparsed { .. })
            && let Some((reads, writes)) = known_tables(text, statement.span, tokens_of(parsed, statement.span))
        {
            summary = StatementSummary { reads, writes, ..summary };
        }
        found.push(summary);
    }
    found
}

/// The tokens between two bytes.
fn tokens_of(parsed: &Parsed, span: Span) -> &[Token] {
    let tokens = parsed.tokens();
    let from = tokens.partition_point(|token| token.span.start < span.start);
    let to = tokens.partition_point(|token| token.span.start < span.end);
    tokens.get(from..to).unwrap_or(&[])
}

fn problem(diagnostic: &Diagnostic) -> Problem {
    let span = diagnostic.labels.first().map_or([0, 0], |label| [label.span.start, label.span.end]);
    Problem { code: diagnostic.code.clone(), message: diagnostic.message.clone(), span }
}

fn summary(text: &str, statement: &Statement, errors: Vec<Problem>) -> StatementSummary {
    let ok = errors.is_empty() && !matches!(statement.kind, StatementKind::Unparsed { .. });
    StatementSummary {
        kind: kind(text, statement),
        span: [statement.span.start, statement.span.end],
        ok,
        reads: table_refs(statement).iter().map(|reference| reference.name.dotted()).collect(),
        writes: written_tables(statement).iter().map(|name| name.dotted()).collect(),
        errors,
    }
}

/// The words that say what kind of statement it is.
fn kind(text: &str, statement: &Statement) -> String {
    match &statement.kind {
        StatementKind::CreateTable(_) => "CREATE TABLE".to_owned(),
        StatementKind::CreateTableAs(_) => "CREATE TABLE AS".to_owned(),
        StatementKind::CreateView(_) => "CREATE VIEW".to_owned(),
        StatementKind::Insert(_) => "INSERT".to_owned(),
        StatementKind::StatementSet(_) => "STATEMENT SET".to_owned(),
        StatementKind::Query(_) => "QUERY".to_owned(),
        StatementKind::Set { .. } => "SET".to_owned(),
        StatementKind::Reset { .. } => "RESET".to_owned(),
        StatementKind::Drop { what, .. } => format!("DROP {what}"),
        StatementKind::Other { keyword, .. } => keyword.clone(),
        StatementKind::Unparsed { keyword, .. } if keyword.is_empty() => statement.span.of(text).to_owned(),
        StatementKind::Unparsed { keyword, .. } => keyword.clone(),
    }
}

/// The number of tokens before the byte `at`, blanks and comments not counted: how far apart two places are.
pub fn token_at(parsed: &Parsed, at: usize) -> usize {
    let counts = |kind: TokenKind| !kind.is_trivia() && kind != TokenKind::Symbol(Symbol::Semicolon);
    parsed.tokens().iter().filter(|t| counts(t.kind)).take_while(|t| t.span.start < at).count()
}
