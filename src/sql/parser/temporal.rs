//! `DATE '...'`, `TIME '...'`, `TIMESTAMP '...'`, `TIMESTAMP WITH LOCAL TIME ZONE '...'`.
//!
//! Rules: Flink's grammar takes every text in the quotes, its planner only a date or a time: with fewer digits if need be, never
//! with a zone, a `T` or blanks behind it. What we are not sure of passes.

use super::interval::digits;
use super::report::shorten;
use super::{Parse, Parser, string_value};
use crate::diagnostic::{Diagnostic, Edit};
use crate::model::column::ColumnType;
use crate::sql::code;
use crate::sql::token::{Token, TokenKind};
use crate::sql::tree::{ExprKind, Literal};

impl Parser<'_> {
    /// True at a string without a prefix: others are no literals of time.
    pub(super) fn at_plain_string(&self) -> bool {
        self.plain_string_ahead(0).is_some()
    }

    fn plain_string_ahead(&self, ahead: usize) -> Option<Token> {
        self.peek_at(ahead).filter(|t| t.kind == TokenKind::String && t.text(self.text).starts_with('\''))
    }

    /// A literal of time, or `None` where none begins. `word` is the next word in upper case.
    pub(super) fn temporal(&mut self, word: &str) -> Parse<Option<ExprKind>> {
        if word == "TIMESTAMP" && self.word_at(self.at + 1, "WITH") {
            return self.local_timestamp().map(Some);
        }
        let Some(string) = self.plain_string_ahead(1) else { return Ok(None) };
        if word == "TIMESTAMP_LTZ" {
            self.report_timestamp_ltz();
        }
        self.at += 2;
        Ok(Some(self.temporal_literal(word, string)))
    }

    /// `TIMESTAMP WITH LOCAL TIME ZONE '...'`
    fn local_timestamp(&mut self) -> Parse<ExprKind> {
        self.at += 2;
        for word in ["LOCAL", "TIME", "ZONE"] {
            self.expect_word(word)?;
        }
        let Some(string) = self.plain_string_ahead(0) else {
            return Err(self.unexpected("a time in single quotes"));
        };
        self.at += 1;
        Ok(self.temporal_literal("TIMESTAMP_LTZ", string))
    }

    fn temporal_literal(&mut self, word: &str, string: Token) -> ExprKind {
        let text = string.text(self.text);
        let value = string_value(text);
        let open = !value.is_ascii() || super::placeholder::first_inside(text).is_some();
        if !open && !is_value(word, &value) {
            let (what, form) = match word {
                "DATE" => ("date", "yyyy-MM-dd"),
                "TIME" => ("time of the day", "HH:mm:ss"),
                _ => ("point in time", "yyyy-MM-dd HH:mm:ss"),
            };
            let problem = Diagnostic::error(code::LITERAL, format!("{} is no {what}", shorten(text)))
                .at(string.span, "Flink refuses this text")
                .help(format!("write a {what} that exists as '{form}'"));
            self.diagnostics.push(problem);
        }
        ExprKind::Literal(Literal::Temporal(type_of(word, &value)))
    }

    fn report_timestamp_ltz(&mut self) {
        let Some(token) = self.peek() else { return };
        let text = "TIMESTAMP WITH LOCAL TIME ZONE";
        let mut problem = Diagnostic::error(code::SYNTAX, "no literal begins with `TIMESTAMP_LTZ`")
            .at(token.span, "the name of a type")
            .help(format!("write {text} '...'"));
        problem.edits.push(Edit { span: token.span, text: text.to_owned() });
        self.diagnostics.push(problem);
    }
}

/// The type of such a literal: as many digits after the second as are written.
fn type_of(word: &str, value: &str) -> ColumnType {
    let digits = value.rsplit_once('.').map_or(0, |(_, fraction)| fraction.len());
    match (word, u32::try_from(digits)) {
        ("DATE", _) => ColumnType::Date,
        ("TIME", _) => ColumnType::Time(0),
        ("TIMESTAMP", Ok(precision @ 0..=9)) => ColumnType::Timestamp(precision),
        ("TIMESTAMP_LTZ", Ok(precision @ 0..=9)) => ColumnType::TimestampLtz(precision),
        _ => ColumnType::Other(word.to_owned()),
    }
}

fn is_value(word: &str, value: &str) -> bool {
    match word {
        "DATE" => date(value).is_some_and(|(year, rest)| year <= 9999 && rest.is_empty()),
        "TIME" => time(value).is_some(),
        _ => date(value).is_some_and(|(_, rest)| {
            rest.is_empty() || rest.strip_prefix(' ').is_some_and(|rest| time(rest).is_some())
        }),
    }
}

/// The year of the date that `text` begins with, and what follows.
fn date(text: &str) -> Option<(u32, &str)> {
    let (year, rest) = number(text)?;
    let (month, rest) = number(rest.strip_prefix('-')?)?;
    let (day, rest) = number(rest.strip_prefix('-')?)?;
    // Before the calendar was mended every fourth year had a day more.
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0 || year < 1582);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    // The days that were left out then.
    let left_out = (year, month) == (1582, 10) && (5..=14).contains(&day);
    (year > 0 && (1..=days).contains(&day) && !left_out).then_some((year, rest))
}

/// A time of the day, up to the end.
fn time(text: &str) -> Option<()> {
    let (hour, rest) = number(text)?;
    let (minute, rest) = number(rest.strip_prefix(':')?)?;
    let (second, rest) = number(rest.strip_prefix(':')?)?;
    let fraction = rest.strip_prefix('.').unwrap_or(rest);
    let ends = rest.is_empty() || (rest.starts_with('.') && fraction.bytes().all(|b| b.is_ascii_digit()));
    (hour < 24 && minute < 60 && second < 60 && ends).then_some(())
}

/// A number, perhaps behind blanks.
fn number(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = digits(text.trim_start_matches([' ', '\t']))?;
    Some((digits.parse().ok()?, rest))
}
