//! What may follow an operand as a predicate: `IS`, `BETWEEN`, `LIKE`, `IN`.

use super::expr::RANK_IS;
use super::{Parse, Parser};
use crate::sql::token::Symbol;
use crate::sql::tree::{BinaryOperator, Expr, ExprKind};

impl Parser<'_> {
    pub(super) fn is_predicate(&mut self, left: Expr) -> Parse<ExprKind> {
        let start = self.start();
        self.eat_word("NOT");
        if self.eat_words(&["DISTINCT", "FROM"]) {
            let right = self.ranked(RANK_IS + 1)?;
            let operators = vec![BinaryOperator::Other];
            return Ok(ExprKind::Binary { operators, operands: vec![left, right] });
        }
        let known = ["NULL", "TRUE", "FALSE", "UNKNOWN", "JSON", "NAN", "EMPTY", "NORMALIZED", "A"];
        if !self.at_any(&known) {
            return Err(self.unexpected("`NULL`, `TRUE`, `FALSE`, `UNKNOWN`, `DISTINCT FROM` or `JSON`"));
        }
        let json = self.at_word("JSON");
        let set = self.at_word("A");
        self.at += 1;
        if json {
            let _ =
                self.eat_word("VALUE") || self.eat_word("OBJECT") || self.eat_word("ARRAY") || self.eat_word("SCALAR");
        }
        if set {
            self.expect_word("SET")?;
        }
        let what = self.since(start).of(self.text).to_ascii_uppercase();
        Ok(ExprKind::Is { operand: Box::new(left), what })
    }

    pub(super) fn between(&mut self, left: Expr, negated: bool) -> Parse<ExprKind> {
        let symmetric = self.eat_word("SYMMETRIC");
        let _ = !symmetric && self.eat_word("ASYMMETRIC");
        let low = self.ranked(RANK_IS)?;
        self.expect_word("AND")?;
        let high = self.operand()?;
        Ok(ExprKind::Between { negated, symmetric, operand: Box::new(left), bounds: Box::new((low, high)) })
    }

    pub(super) fn like_predicate(&mut self, left: Expr, negated: bool) -> Parse<ExprKind> {
        let mut operands = vec![left, self.operand()?];
        if self.eat_word("ESCAPE") {
            operands.push(self.operand()?);
        }
        Ok(ExprKind::Like { negated, operands })
    }

    /// After `IN`: a list or a query in brackets.
    pub(super) fn in_predicate(&mut self, left: Expr, negated: bool) -> Parse<ExprKind> {
        self.expect(Symbol::LeftParen)?;
        let operand = Box::new(left);
        if self.at_query_start() {
            let query = Box::new(self.query()?);
            self.expect(Symbol::RightParen)?;
            return Ok(ExprKind::InQuery { negated, quantified: false, operand, query });
        }
        let start = self.start();
        let mut list = Vec::new();
        loop {
            list.push(self.expr()?);
            if !self.eat(Symbol::Comma) {
                break;
            }
            if self.at_symbol(Symbol::RightParen) {
                self.report_trailing_comma();
                break;
            }
        }
        let alone = list.len() == 1;
        let only = list.pop_if(|only| alone && matches!(only.kind, ExprKind::Subquery(_)));
        if let Some(Expr { kind: ExprKind::Subquery(first), .. }) = only {
            let query = if self.at_query_rest() { Box::new(self.query_rest(start, *first)?) } else { first };
            self.expect(Symbol::RightParen)?;
            return Ok(ExprKind::InQuery { negated, quantified: false, operand, query });
        }
        self.expect(Symbol::RightParen)?;
        Ok(ExprKind::InList { negated, operand, list })
    }
}
