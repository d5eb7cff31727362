//! Data types.

use super::{Parse, Parser};
use crate::diagnostic::{Diagnostic, Edit, Span};
use crate::model::column::{Column, ColumnType, Nullable};
use crate::sql::code;
use crate::sql::token::{Symbol, TokenKind};

/// The length of `STRING` and `BYTES`, and of what varies in length where none is given.
const LONGEST: u32 = i32::MAX as u32;

impl Parser<'_> {
    /// A type with its nullability.
    pub(super) fn data_type(&mut self) -> Parse<Nullable> {
        self.nested(Self::data_type_inner)
    }

    fn data_type_inner(&mut self) -> Parse<Nullable> {
        self.type_with(Self::nullability)
    }

    /// The type of a result, which can be null whatever it is: what stands in it may say otherwise.
    pub(super) fn result_type(&mut self) -> Parse<Nullable> {
        self.nested(|p| {
            p.type_with(|p| {
                p.report_nullability();
                true
            })
        })
    }

    /// A type, and `ARRAY` and `MULTISET` behind it; `nullability` takes what is said about nulls.
    fn type_with(&mut self, nullability: fn(&mut Self) -> bool) -> Parse<Nullable> {
        let mut ty = self.bare_type()?;
        loop {
            let nullable = nullability(self);
            let collection: fn(Box<Nullable>) -> ColumnType = if self.at_word("ARRAY") {
                ColumnType::Array
            } else if self.at_word("MULTISET") {
                ColumnType::Multiset
            } else {
                return Ok(Nullable { ty, nullable });
            };
            self.at += 1;
            if self.depth_of_type(&ty) > 20 {
                return Err(self.too_deep());
            }
            ty = collection(Box::new(Nullable { ty, nullable }));
        }
    }

    fn depth_of_type(&self, mut ty: &ColumnType) -> u32 {
        let mut depth = 0;
        while let ColumnType::Array(inner) | ColumnType::Multiset(inner) = ty {
            ty = &inner.ty;
            depth += 1;
        }
        depth
    }

    fn nullability(&mut self) -> bool {
        if self.eat_words(&["NOT", "NULL"]) {
            return false;
        }
        self.eat_word("NULL");
        true
    }

    /// `NOT NULL` or `NULL` where Flink takes neither: says so and goes on behind it.
    fn report_nullability(&mut self) {
        let (before, start) = (self.previous_end(), self.start());
        // Not the NULL of `NULL ON EMPTY`.
        let alone = self.at_word("NULL") && !self.word_at(self.at + 1, "ON");
        if !self.eat_words(&["NOT", "NULL"]) {
            if !alone {
                return;
            }
            self.at += 1;
        }
        let span = self.since(start);
        let message = format!("no `{}` behind the type of a result", span.of(self.text).to_ascii_uppercase());
        let mut problem = Diagnostic::error(code::SYNTAX, message)
            .at(span, "Flink refuses this")
            .help("leave it out: a value that cannot be null stays so in CAST");
        problem.edits.push(Edit { span: Span::new(before, span.end), text: String::new() });
        self.diagnostics.push(problem);
    }

    fn bare_type(&mut self) -> Parse<ColumnType> {
        let start = self.start();
        let word = self.peek_text().to_ascii_uppercase();
        if !self.at_kind(TokenKind::Word) || self.symbol_ahead(1, Symbol::Dot) {
            return self.named_type(start);
        }
        self.at += 1;
        Ok(match word.as_str() {
            "BOOLEAN" => ColumnType::Boolean,
            "TINYINT" => ColumnType::TinyInt,
            "SMALLINT" => ColumnType::SmallInt,
            "INT" | "INTEGER" => ColumnType::Int,
            "BIGINT" => ColumnType::BigInt,
            "FLOAT" | "REAL" => ColumnType::Float,
            "DOUBLE" => {
                self.eat_word("PRECISION");
                ColumnType::Double
            }
            "DECIMAL" | "DEC" | "NUMERIC" => {
                let numbers = self.type_numbers(2)?;
                let precision = numbers.first().copied().unwrap_or(10);
                ColumnType::Decimal { precision, scale: numbers.get(1).copied().unwrap_or(0) }
            }
            "CHAR" | "CHARACTER" if !self.eat_word("VARYING") => ColumnType::Char(self.text_length(1)?),
            "CHAR" | "CHARACTER" | "VARCHAR" => match self.text_length(LONGEST)? {
                LONGEST => ColumnType::String,
                length => ColumnType::VarChar(length),
            },
            "STRING" => ColumnType::String,
            "BINARY" if !self.eat_word("VARYING") => ColumnType::Binary(self.type_number(1)?),
            "BINARY" | "VARBINARY" => match self.type_number(LONGEST)? {
                LONGEST => ColumnType::Bytes,
                length => ColumnType::VarBinary(length),
            },
            "BYTES" => ColumnType::Bytes,
            "DATE" => ColumnType::Date,
            "TIME" => {
                let precision = self.type_number(0)?;
                self.eat_words(&["WITHOUT", "TIME", "ZONE"]);
                ColumnType::Time(precision)
            }
            "TIMESTAMP" => self.timestamp_type()?,
            "TIMESTAMP_LTZ" => ColumnType::TimestampLtz(self.type_number(6)?),
            "ARRAY" if self.at_symbol(Symbol::Less) => ColumnType::Array(Box::new(self.type_argument()?)),
            "MULTISET" if self.at_symbol(Symbol::Less) => ColumnType::Multiset(Box::new(self.type_argument()?)),
            "MAP" => {
                self.expect(Symbol::Less)?;
                let key = self.data_type()?;
                self.expect(Symbol::Comma)?;
                let value = self.data_type()?;
                self.expect(Symbol::Greater)?;
                ColumnType::Map(Box::new(key), Box::new(value))
            }
            "ROW" => ColumnType::Row(self.row_fields()?),
            _ => {
                self.at -= 1;
                self.named_type(start)?
            }
        })
    }

    fn timestamp_type(&mut self) -> Parse<ColumnType> {
        let precision = self.type_number(6)?;
        if self.eat_words(&["WITH", "LOCAL", "TIME", "ZONE"]) {
            return Ok(ColumnType::TimestampLtz(precision));
        }
        self.eat_words(&["WITHOUT", "TIME", "ZONE"]);
        Ok(ColumnType::Timestamp(precision))
    }

    /// `INTERVAL ...`, `RAW(...)`, `STRUCTURED<...>`, `VARIANT`, a user's type: kept as written.
    fn named_type(&mut self, start: usize) -> Parse<ColumnType> {
        if self.eat_word("INTERVAL") {
            self.interval_type()?;
        } else if self.eat_word("RAW") {
            self.expect(Symbol::LeftParen)?;
            self.string("the name of a class in single quotes")?;
            self.expect(Symbol::Comma)?;
            self.string("a serializer's snapshot in single quotes")?;
            self.expect(Symbol::RightParen)?;
        } else if self.eat_word("STRUCTURED") {
            self.structured()?;
        } else if self.eat_word("VARIANT") || self.eat_word("ANY") {
        } else if self.at_ident() {
            self.object_name("a data type")?;
        } else {
            return Err(self.unexpected("a data type"));
        }
        Ok(ColumnType::Other(self.since(start).of(self.text).to_owned()))
    }

    /// After `STRUCTURED`: `<'class', name type, ...>`
    fn structured(&mut self) -> Parse<()> {
        self.expect(Symbol::Less)?;
        self.string("the name of a class in single quotes")?;
        while self.eat(Symbol::Comma) {
            self.ident("the name of a field")?;
            self.data_type()?;
            if self.at_kind(TokenKind::String) {
                self.at += 1;
            }
        }
        self.expect(Symbol::Greater)
    }

    /// The type of a column, which no interval can be.
    pub(super) fn column_type(&mut self) -> Parse<Nullable> {
        let first = self.at;
        let ty = self.data_type()?;
        if let Some(interval) = (first..self.at).find(|at| self.word_at(*at, "INTERVAL")) {
            self.at = interval;
            return Err(self.unexpected("a data type that a column can have"));
        }
        Ok(ty)
    }

    fn type_argument(&mut self) -> Parse<Nullable> {
        self.expect(Symbol::Less)?;
        let ty = self.data_type()?;
        self.expect(Symbol::Greater)?;
        Ok(ty)
    }

    /// `<name type 'comment', ...>` or the same in round brackets.
    fn row_fields(&mut self) -> Parse<Vec<Column>> {
        if self.eat(Symbol::NotEqual) {
            return Ok(Vec::new());
        }
        let close = if self.eat(Symbol::Less) {
            Symbol::Greater
        } else {
            self.expect(Symbol::LeftParen)?;
            Symbol::RightParen
        };
        let mut fields = Vec::new();
        if self.eat(close) {
            return Ok(fields);
        }
        loop {
            let name = self.ident("the name of a field")?.name;
            let ty = self.data_type()?;
            self.at += usize::from(self.at_kind(TokenKind::String));
            fields.push(Column { name, ty });
            if !self.eat(Symbol::Comma) {
                break;
            }
            if self.at_symbol(close) {
                self.report_trailing_comma();
                break;
            }
        }
        self.expect(close)?;
        Ok(fields)
    }

    /// `(n)`, or `default` if there is no bracket; then perhaps a character set, which changes nothing.
    fn text_length(&mut self, default: u32) -> Parse<u32> {
        let length = self.type_number(default)?;
        if self.eat_words(&["CHARACTER", "SET"]) {
            self.ident("the name of a character set")?;
        }
        Ok(length)
    }

    /// `(n)`, or `default` if there is no bracket.
    fn type_number(&mut self, default: u32) -> Parse<u32> {
        Ok(self.type_numbers(1)?.first().copied().unwrap_or(default))
    }

    /// `(n)`, `(n, m)`: at most `most` numbers.
    fn type_numbers(&mut self, most: usize) -> Parse<Vec<u32>> {
        if !self.eat(Symbol::LeftParen) {
            return Ok(Vec::new());
        }
        let mut numbers = vec![self.small_number("a whole number")?];
        while numbers.len() < most && self.eat(Symbol::Comma) {
            numbers.push(self.small_number("a whole number")?);
        }
        self.expect(Symbol::RightParen)?;
        Ok(numbers)
    }

    pub(super) fn small_number(&mut self, what: &str) -> Parse<u32> {
        let Some(token) = self.peek().filter(|t| t.kind == TokenKind::Integer) else {
            return Err(self.unexpected(what));
        };
        let text = token.text(self.text);
        let number = text.parse().map_err(|_| {
            Box::new(Diagnostic::error(code::SYNTAX, format!("{text} is too large here")).at(token.span, "too large"))
        })?;
        self.at += 1;
        Ok(number)
    }
}
