//! `INTERVAL`: a length of time as a literal, or made of a number, a column or an expression in brackets.
//!
//! Rules: only a plain string may go with two units. Flink's grammar takes every text in the quotes, its planner only one that
//! fits the units, and no more digits in front than two unless the unit says how many.

use super::report::shorten;
use super::{Parse, Parser, string_value};
use crate::diagnostic::{Diagnostic, Edit, Span};
use crate::sql::code;
use crate::sql::token::{Symbol, Token, TokenKind};
use crate::sql::tree::{BinaryOperator, Expr, ExprKind, UnaryOperator};

/// Units of time, longer ones first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
}

#[rustfmt::skip]
const UNITS: &[(&str, &str, Unit)] = &[
    ("YEAR", "YEARS", Unit::Year), ("QUARTER", "QUARTERS", Unit::Quarter), ("MONTH", "MONTHS", Unit::Month),
    ("WEEK", "WEEKS", Unit::Week), ("DAY", "DAYS", Unit::Day), ("HOUR", "HOURS", Unit::Hour),
    ("MINUTE", "MINUTES", Unit::Minute), ("SECOND", "SECONDS", Unit::Second),
];

/// Units that can follow a longer one in a literal: what stands in front of their digits, and the most that they can be.
#[rustfmt::skip]
const PARTS: &[(Unit, char, u32)] = &[
    (Unit::Month, '-', 11), (Unit::Hour, ' ', 23), (Unit::Minute, ':', 59), (Unit::Second, ':', 59),
];

/// Digits of the first number where the unit does not say how many.
const DIGITS: u32 = 2;

/// Digits behind the point of a second where it does not say how many.
const FRACTION: u32 = 6;

/// What stands behind the length of an interval.
struct Units {
    first: Unit,
    last: Unit,
    digits: Option<u32>,
    fraction: Option<u32>,
    /// The first unit's word.
    word: Span,
    span: Span,
}

impl Parser<'_> {
    /// After `INTERVAL`, where an expression can stand.
    pub(super) fn interval(&mut self) -> Parse<ExprKind> {
        let keyword = self.tokens.get(self.at.saturating_sub(1)).map_or(Span::new(0, 0), |token| token.span);
        let start = self.start();
        let minus = self.at_symbol(Symbol::Minus);
        let _ = self.eat(Symbol::Minus) || self.eat(Symbol::Plus);
        if let Some(string) = self.peek().filter(|_| self.at_plain_string()) {
            self.at += 1;
            let units = self.interval_units(true)?;
            self.judge_interval(string, &units);
            return Ok(self.interval_since(start));
        }
        let numbers = [TokenKind::Integer, TokenKind::Decimal, TokenKind::Approximate];
        if numbers.iter().any(|kind| self.at_kind(*kind)) {
            self.at += 1;
            self.interval_units(false)?;
            return Ok(self.interval_since(start));
        }
        let length_start = self.start();
        let mut kind = if self.at_symbol(Symbol::LeftParen) {
            self.interval_in_brackets()?
        } else if self.at_ident() {
            ExprKind::Column(self.object_name("a column")?)
        } else {
            return Err(self.no_length(keyword));
        };
        if minus {
            let operand = Box::new(Expr { span: self.since(length_start), kind });
            kind = ExprKind::Unary { operator: UnaryOperator::Minus, operand };
        }
        let length = Expr { span: self.since(start), kind };
        let units = self.interval_units(false)?;
        // So many times one unit, as Flink's planner has it.
        let one = format!("1 {}", units.span.of(self.text).to_ascii_uppercase());
        let one = Expr { span: units.span, kind: ExprKind::Interval(one) };
        Ok(ExprKind::Binary { operators: vec![BinaryOperator::Multiply], operands: vec![length, one] })
    }

    /// `INTERVAL` and a string, where no expression can stand.
    pub(super) fn interval_literal(&mut self) -> Parse<()> {
        let (string, units) = self.string_and_units()?;
        self.judge_interval(string, &units);
        Ok(())
    }

    /// The freshness of a materialized table: the same, but no planner looks at its text.
    pub(super) fn freshness(&mut self) -> Parse<()> {
        self.string_and_units().map(|_| ())
    }

    fn string_and_units(&mut self) -> Parse<(Token, Units)> {
        self.expect_word("INTERVAL")?;
        let _ = self.eat(Symbol::Minus) || self.eat(Symbol::Plus);
        match self.peek() {
            Some(string) if self.at_plain_string() => {
                self.at += 1;
                Ok((string, self.interval_units(true)?))
            }
            _ => Err(self.unexpected("the length of the interval in single quotes")),
        }
    }

    fn interval_in_brackets(&mut self) -> Parse<ExprKind> {
        self.expect(Symbol::LeftParen)?;
        if self.at_query_start() {
            return Err(self.unexpected("an expression"));
        }
        let inner = self.expr()?;
        self.expect(Symbol::RightParen)?;
        Ok(ExprKind::Nested(Box::new(inner)))
    }

    fn interval_since(&self, start: usize) -> ExprKind {
        ExprKind::Interval(self.since(start).of(self.text).to_ascii_uppercase())
    }

    /// The unit of an interval's type, or its two units.
    pub(super) fn interval_type(&mut self) -> Parse<()> {
        self.interval_units(true).map(|_| ())
    }

    /// `DAY`, `SECOND(2, 3)`; with `range` also `DAY(3) TO SECOND(3)`.
    fn interval_units(&mut self, range: bool) -> Parse<Units> {
        let start = self.start();
        let Some(first) = self.unit_at(self.at) else { return Err(self.unexpected("a unit of time")) };
        self.at += 1;
        let word = self.since(start);
        let (mut digits, mut fraction) = (None, None);
        if self.eat(Symbol::LeftParen) {
            digits = Some(self.small_number("a whole number")?);
            if first == Unit::Second && self.eat(Symbol::Comma) {
                fraction = Some(self.small_number("a whole number")?);
            }
            self.expect(Symbol::RightParen)?;
        }
        let mut last = first;
        // What is no unit here belongs to something else: FLOOR(ts - INTERVAL '1' HOUR TO DAY).
        if range
            && self.at_word("TO")
            && let Some(to) = self.unit_at(self.at + 1).filter(|to| goes_with(first, *to))
        {
            self.at += 2;
            last = to;
            if last == Unit::Second && self.eat(Symbol::LeftParen) {
                fraction = Some(self.small_number("a whole number")?);
                self.expect(Symbol::RightParen)?;
            }
        }
        Ok(Units { first, last, digits, fraction, word, span: self.since(start) })
    }

    /// The unit that the token is a word of.
    pub(super) fn unit_at(&self, at: usize) -> Option<Unit> {
        let is = |word: &str| self.word_at(at, word);
        UNITS.iter().find(|(one, many, _)| is(one) || is(many)).map(|(_, _, unit)| *unit)
    }

    /// What stands behind the word at `keyword` is no length.
    fn no_length(&self, keyword: Span) -> Box<Diagnostic> {
        let problem = self.unexpected("the length of the interval");
        if problem.code != code::SYNTAX {
            return problem;
        }
        let text = problem.message;
        let help =
            "write a string, a number, a column or an expression in brackets: INTERVAL '1' DAY, INTERVAL (a + 1) DAY";
        Box::new(Diagnostic::error(code::SYNTAX, text).at(keyword, "no length after this").help(help))
    }

    /// Says what the planner will refuse.
    fn judge_interval(&mut self, string: Token, units: &Units) {
        let text = string.text(self.text);
        if super::placeholder::first_inside(text).is_some() {
            return;
        }
        let of = units.span.of(self.text);
        let value = string_value(text);
        let digits = units.digits.unwrap_or(DIGITS);
        let fraction = units.fraction.unwrap_or(FRACTION);
        let problem = if !(1..=10).contains(&digits) {
            Diagnostic::error(code::LITERAL, format!("a unit of time has 1 to 10 digits, not {digits}"))
                .at(units.span, "so many digits")
        } else if !(1..=9).contains(&fraction) {
            Diagnostic::error(code::LITERAL, format!("a second has 1 to 9 digits behind the point, not {fraction}"))
                .at(units.span, "so many digits")
        } else if let Some(first) = first_number(&value, units, fraction) {
            let needed = first.trim_start_matches('0').len();
            let fits = u32::try_from(needed).is_ok_and(|needed| needed <= digits) && first.parse::<i32>().is_ok();
            if fits {
                return;
            }
            let word = units.word.of(self.text).to_ascii_uppercase();
            let message = format!("{} has more digits than {word} takes, which is {digits}", shorten(first));
            let mut problem = Diagnostic::error(code::LITERAL, message).at(string.span, "too many digits");
            if units.digits.is_none() && first.parse::<i32>().is_ok() {
                problem.help = Some(format!("say how many digits there are: {word}({needed})"));
                problem
                    .edits
                    .push(Edit { span: Span::new(units.word.end, units.word.end), text: format!("({needed})") });
            }
            problem
        } else {
            Diagnostic::error(code::LITERAL, format!("{} is no length in {of}", shorten(text)))
                .at(string.span, "Flink refuses this text")
                .help(format!("write it as {}", example(units)))
        };
        self.diagnostics.push(problem);
    }
}

/// True for two units of which an interval can be made.
fn goes_with(first: Unit, last: Unit) -> bool {
    match first {
        Unit::Year => last == Unit::Month,
        Unit::Day | Unit::Hour | Unit::Minute => first < last,
        _ => false,
    }
}

/// The digits in front of an interval's text; `None` if the text does not fit the units.
fn first_number<'v>(value: &'v str, units: &Units, fraction: u32) -> Option<&'v str> {
    let value = value.trim_matches(|c| c <= ' ');
    let value = value.strip_prefix(['-', '+']).unwrap_or(value);
    let (first, mut rest) = digits(value)?;
    for (unit, before, most) in PARTS {
        if *unit <= units.first || *unit > units.last {
            continue;
        }
        let (part, behind) = digits(rest.strip_prefix(*before)?)?;
        if part.len() > 2 || part.parse::<u32>().is_ok_and(|part| part > *most) {
            return None;
        }
        rest = behind;
    }
    if units.last == Unit::Second
        && let Some(behind) = rest.strip_prefix('.')
    {
        let (part, end) = digits(behind)?;
        if u32::try_from(part.len()).is_ok_and(|length| length > fraction) {
            return None;
        }
        rest = end;
    }
    rest.is_empty().then_some(first)
}

/// The digits that `text` begins with, at least one, and what follows them.
pub(super) fn digits(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(digits, _)| !digits.is_empty())
}

/// How the text of such an interval looks.
fn example(units: &Units) -> String {
    let mut text = "1".to_owned();
    for (unit, before, _) in PARTS {
        if *unit > units.first && *unit <= units.last {
            text.push(*before);
            text.push('2');
        }
    }
    format!("'{text}'")
}
