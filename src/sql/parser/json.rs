//! Arguments of the JSON functions.

use super::{Parse, Parser};
use crate::sql::token::Symbol;
use crate::sql::tree::{Arg, Call};

impl Parser<'_> {
    /// Arguments of the JSON functions: values between words of their own grammar.
    pub(super) fn json_args(&mut self, function: &str, call: &mut Call) -> Parse<()> {
        #[rustfmt::skip]
        const WORDS: &[&str] = &[
            "FORMAT", "JSON", "NULL", "ABSENT", "ERROR", "EMPTY", "ARRAY", "OBJECT", "TRUE", "FALSE", "UNKNOWN",
            "ON", "WITH", "WITHOUT", "CONDITIONAL", "UNCONDITIONAL", "WRAPPER", "AS", "UTF8", "UTF16", "UTF32",
            "ENCODING",
        ];
        let by_path = matches!(function, "JSON_VALUE" | "JSON_QUERY" | "JSON_EXISTS");
        let in_pairs = matches!(function, "JSON_OBJECT" | "JSON_OBJECTAGG");
        // Many of these words may name columns too: what stands where a value is due is one.
        let mut value_due = true;
        while !self.at_symbol(Symbol::RightParen) {
            if self.eat(Symbol::Comma) {
                value_due = true;
            } else if value_due && self.at_word("KEY") && !self.ends_value(1) {
                self.at += 1;
            } else if value_due && !self.null_clause() {
                let value = self.arg_value()?;
                if by_path && call.args.is_empty() && !self.at_symbol(Symbol::Comma) && !self.at_word("FORMAT") {
                    return Err(self.unexpected("`,` and a path"));
                }
                call.args.push(Arg { name: None, value });
                value_due = in_pairs && call.args.len() % 2 == 1;
                if value_due && !self.eat_word("VALUE") && !self.eat(Symbol::Colon) {
                    return Err(self.unexpected("`VALUE` or `:`, and a value"));
                }
            } else if self.eat_word("RETURNING") {
                call.returning = Some(self.result_type()?);
            } else if self.at_words(&["ORDER", "BY"]) {
                call.order_by = self.order_by()?;
            } else if self.at_any(&["DEFAULT", "PASSING"]) {
                self.at += 1;
                value_due = true;
            } else if self.at_word("ON") {
                self.at += 1;
                if !self.at_any(&["NULL", "EMPTY", "ERROR"]) {
                    return Err(self.unexpected("`NULL`, `EMPTY` or `ERROR`"));
                }
                self.at += 1;
                value_due = false;
            } else if self.at_any(WORDS) {
                self.at += 1;
                value_due = false;
            } else {
                return Err(self.unexpected("`)`"));
            }
        }
        let aggregates = matches!(function, "JSON_ARRAYAGG" | "JSON_OBJECTAGG");
        if self.previous_is(Symbol::Comma) {
            self.report_trailing_comma();
        } else if value_due && (aggregates || !call.args.is_empty()) {
            return Err(self.unexpected("an expression"));
        }
        Ok(())
    }

    /// True if the JSON function of this name has a grammar of its own.
    pub(super) fn has_json_grammar(function: &str) -> bool {
        #[rustfmt::skip]
        const FUNCTIONS: &[&str] = &[
            "JSON_ARRAY", "JSON_ARRAYAGG", "JSON_EXISTS", "JSON_OBJECT", "JSON_OBJECTAGG", "JSON_QUERY", "JSON_VALUE",
        ];
        FUNCTIONS.contains(&function)
    }

    /// `NULL ON NULL`, `ABSENT ON NULL`
    fn null_clause(&self) -> bool {
        self.at_words(&["NULL", "ON"]) || self.at_words(&["ABSENT", "ON"])
    }

    fn ends_value(&self, ahead: usize) -> bool {
        [Symbol::Comma, Symbol::RightParen, Symbol::Colon, Symbol::Dot, Symbol::LeftBracket]
            .iter()
            .any(|symbol| self.symbol_ahead(ahead, *symbol))
    }
}
