//! Expressions, by operator rank.

use super::{Parse, Parser, string_value, unquote};
use crate::diagnostic::{Diagnostic, Edit, Severity};
use crate::sql::code;
use crate::sql::keyword::{is_reserved, is_structure, needs_quotes};
use crate::sql::token::{Symbol, TokenKind};
use crate::sql::tree::{AccessStep, BinaryOperator, Expr, ExprKind, Ident, Literal, ObjectName, Query, UnaryOperator};

const RANK_OR: u8 = 1;
const RANK_AND: u8 = 2;
const RANK_NOT: u8 = 3;
pub(super) const RANK_IS: u8 = 4;
const RANK_COMPARE: u8 = 5;
const RANK_IN: u8 = 6;
const RANK_SUM: u8 = 7;
const RANK_PRODUCT: u8 = 8;
const RANK_SIGN: u8 = 9;

/// How many predicates may follow each other on one operand: `a IS NULL IS TRUE`. Keeps the tree from growing high.
const MAX_CHAIN: u32 = 6;

/// An operator after an operand.
#[derive(Clone, Copy)]
enum Infix {
    Binary(BinaryOperator),
    Is,
    Between,
    Like,
    In,
}

impl Parser<'_> {
    pub(super) fn expr(&mut self) -> Parse<Expr> {
        self.ranked(RANK_OR)
    }

    /// An expression without comparisons, `AND` and `OR`.
    pub(super) fn operand(&mut self) -> Parse<Expr> {
        self.ranked(RANK_SUM)
    }

    pub(super) fn ranked(&mut self, rank: u8) -> Parse<Expr> {
        self.nested(|p| p.ranked_inner(rank))
    }

    fn ranked_inner(&mut self, min: u8) -> Parse<Expr> {
        let start = self.start();
        let mut left = self.prefix()?;
        let mut left_rank = u8::MAX;
        let mut chain = 0;
        while let Some((infix, rank, words)) = self.infix() {
            if rank < min {
                break;
            }
            let negated = self.at_word("NOT");
            let operator_token = self.peek();
            self.second_word(self.at + usize::from(negated))?;
            self.at += words;
            if let Infix::Binary(operator) = infix {
                if operator_token.is_some_and(|t| t.kind == TokenKind::Symbol(Symbol::BangEqual)) {
                    self.report_bang_equal();
                }
                let right = self.right_operand(operator, rank, &mut left)?;
                left = self.binary(start, left, left_rank == rank, operator, right);
            } else {
                chain += 1;
                if chain > MAX_CHAIN {
                    return Err(self.too_deep());
                }
                let kind = match infix {
                    Infix::Is => self.is_predicate(left)?,
                    Infix::Between => self.between(left, negated)?,
                    Infix::Like => self.like_predicate(left, negated)?,
                    _ => self.in_predicate(left, negated)?,
                };
                left = Expr { span: self.since(start), kind };
            }
            left_rank = rank;
        }
        Ok(left)
    }

    /// An error where the operator at token `first` has two words and the second is not there.
    fn second_word(&mut self, first: usize) -> Parse<()> {
        let second: &[&str] = if self.word_at(first, "SUBMULTISET") || self.word_at(first, "MEMBER") {
            &["OF"]
        } else if self.word_at(first, "SIMILAR") {
            &["TO"]
        } else if self.word_at(first, "MULTISET") {
            &["UNION", "INTERSECT", "EXCEPT"]
        } else {
            return Ok(());
        };
        if second.iter().any(|word| self.word_at(first + 1, word)) {
            return Ok(());
        }
        self.at = first + 1;
        Err(self.unexpected(&format!("`{}`", second.join("` or `"))))
    }

    /// Operands of one rank stay in one list, so that a long sum does not make a high tree.
    fn binary(&self, start: usize, left: Expr, same_rank: bool, operator: BinaryOperator, right: Option<Expr>) -> Expr {
        let span = self.since(start);
        let Some(right) = right else { return Expr { span, kind: left.kind } };
        match left.kind {
            ExprKind::Binary { mut operators, mut operands } if same_rank => {
                operators.push(operator);
                operands.push(right);
                Expr { span, kind: ExprKind::Binary { operators, operands } }
            }
            kind => {
                let left = Expr { span: left.span, kind };
                Expr { span, kind: ExprKind::Binary { operators: vec![operator], operands: vec![left, right] } }
            }
        }
    }

    /// What stands right of an operator; `None` if it was put into `left`, as `= ANY (query)` is.
    fn right_operand(&mut self, operator: BinaryOperator, rank: u8, left: &mut Expr) -> Parse<Option<Expr>> {
        let quantified =
            rank == RANK_COMPARE && self.at_any(&["ANY", "SOME", "ALL"]) && self.symbol_ahead(1, Symbol::LeftParen);
        if quantified {
            self.at += 1;
            let operand = std::mem::replace(left, Expr { span: left.span, kind: ExprKind::Interval(String::new()) });
            let span = operand.span;
            let mut kind = self.in_predicate(operand, false)?;
            if let ExprKind::InQuery { quantified, .. } = &mut kind {
                *quantified = true;
            }
            *left = Expr { span: self.since(span.start), kind };
            return Ok(None);
        }
        // AT TIME ZONE 'x', COLLATE x and the like take a plain operand.
        let rank = if operator == BinaryOperator::Other { RANK_SUM } else { rank + 1 };
        self.ranked(rank).map(Some)
    }

    fn report_bang_equal(&mut self) {
        let span = self.since(self.previous_end().saturating_sub(2));
        let mut problem = Diagnostic::error(code::BANG_EQUAL, "`!=` is not an operator of Flink SQL")
            .at(span, "rejected by Flink")
            .help("write `<>`");
        problem.edits.push(Edit { span, text: "<>".to_owned() });
        self.diagnostics.push(problem);
    }

    /// The operator at this place, its rank and how many tokens it has.
    fn infix(&self) -> Option<(Infix, u8, usize)> {
        use BinaryOperator as B;
        let token = self.peek()?;
        let symbol = match token.kind {
            TokenKind::Symbol(symbol) => symbol,
            TokenKind::Word => return self.infix_word(),
            _ => return None,
        };
        let (operator, rank) = match symbol {
            Symbol::Equal => (B::Equal, RANK_COMPARE),
            Symbol::NotEqual | Symbol::BangEqual => (B::NotEqual, RANK_COMPARE),
            Symbol::Less => (B::Less, RANK_COMPARE),
            Symbol::LessEqual => (B::LessEqual, RANK_COMPARE),
            Symbol::Greater => (B::Greater, RANK_COMPARE),
            Symbol::GreaterEqual => (B::GreaterEqual, RANK_COMPARE),
            Symbol::Plus => (B::Plus, RANK_SUM),
            Symbol::Minus => (B::Minus, RANK_SUM),
            Symbol::Star => (B::Multiply, RANK_PRODUCT),
            Symbol::Slash => (B::Divide, RANK_PRODUCT),
            Symbol::Percent => (B::Modulo, RANK_PRODUCT),
            Symbol::Concat => (B::Concat, RANK_PRODUCT),
            _ => return None,
        };
        Some((Infix::Binary(operator), rank, 1))
    }

    fn infix_word(&self) -> Option<(Infix, u8, usize)> {
        use BinaryOperator as B;
        let not = usize::from(self.at_word("NOT"));
        let word = |text| self.word_at(self.at + not, text);
        if word("BETWEEN") {
            return Some((Infix::Between, RANK_IN, not + 1));
        }
        if word("IN") {
            return Some((Infix::In, RANK_IN, not + 1));
        }
        if word("LIKE") || word("ILIKE") || word("RLIKE") {
            return Some((Infix::Like, RANK_IN, not + 1));
        }
        if word("SIMILAR") {
            return Some((Infix::Like, RANK_IN, not + 2));
        }
        if word("SUBMULTISET") || word("MEMBER") {
            return Some((Infix::Binary(B::Other), RANK_COMPARE, not + 2));
        }
        if not == 1 {
            return None;
        }
        let (infix, rank, words) = if word("OR") {
            (Infix::Binary(B::Or), RANK_OR, 1)
        } else if word("AND") {
            (Infix::Binary(B::And), RANK_AND, 1)
        } else if word("IS") {
            (Infix::Is, RANK_IS, 1)
        } else if word("OVERLAPS") || word("CONTAINS") || word("EQUALS") || word("PRECEDES") || word("SUCCEEDS") {
            (Infix::Binary(B::Other), RANK_COMPARE, 1)
        } else if self.at_words(&["AT", "TIME", "ZONE"]) {
            (Infix::Binary(B::Other), RANK_SIGN, 3)
        } else if word("COLLATE") {
            (Infix::Binary(B::Other), RANK_SIGN, 1)
        } else if word("MULTISET") {
            // A third word may say whether doubled elements stay.
            let quantified = ["ALL", "DISTINCT"].iter().any(|word| self.word_at(self.at + 2, word));
            (Infix::Binary(B::Other), RANK_SUM, if quantified { 3 } else { 2 })
        } else {
            return None;
        };
        Some((infix, rank, words))
    }

    fn prefix(&mut self) -> Parse<Expr> {
        let start = self.start();
        let (operator, rank) = if self.at_word("NOT") {
            (UnaryOperator::Not, RANK_NOT)
        } else if self.at_symbol(Symbol::Minus) {
            (UnaryOperator::Minus, RANK_SIGN)
        } else if self.at_symbol(Symbol::Plus) {
            (UnaryOperator::Plus, RANK_SIGN)
        } else {
            let primary = self.primary()?;
            return self.access(start, primary);
        };
        self.at += 1;
        let operand = Box::new(self.ranked(rank)?);
        Ok(Expr { span: self.since(start), kind: ExprKind::Unary { operator, operand } })
    }

    /// `[1]`, `.field`, `.*` after a value.
    fn access(&mut self, start: usize, primary: Expr) -> Parse<Expr> {
        let mut steps = Vec::new();
        loop {
            if self.eat(Symbol::LeftBracket) {
                let index = self.expr()?;
                self.expect(Symbol::RightBracket)?;
                steps.push(AccessStep::Index(index));
            } else if self.eat(Symbol::Dot) {
                if self.eat(Symbol::Star) {
                    steps.push(AccessStep::Star);
                } else {
                    steps.push(AccessStep::Field(self.ident("the name of a field")?));
                }
            } else if steps.is_empty() {
                return Ok(primary);
            } else {
                let kind = ExprKind::Access { operand: Box::new(primary), steps };
                return Ok(Expr { span: self.since(start), kind });
            }
        }
    }

    pub(super) fn primary(&mut self) -> Parse<Expr> {
        let start = self.start();
        let Some(token) = self.peek() else { return Err(self.unexpected("an expression")) };
        let text = token.text(self.text);
        let literal = match token.kind {
            TokenKind::Integer | TokenKind::Decimal => Literal::Exact(text.to_owned()),
            TokenKind::Approximate => Literal::Approximate(text.to_owned()),
            TokenKind::Bytes => return self.bytes_literal(start),
            TokenKind::String => return Ok(self.string_literal(start)),
            TokenKind::Symbol(Symbol::Question) => Literal::Keyword("?".to_owned()),
            TokenKind::Symbol(Symbol::LeftParen) => return self.bracketed(start),
            TokenKind::Word => return self.word_expr(start, text),
            TokenKind::DoubleQuoted if self.is_compared() && needs_quotes(&unquote(text, '"')) => {
                let value = self.one_string("a string")?;
                return Ok(Expr { span: self.since(start), kind: ExprKind::Literal(Literal::String(value)) });
            }
            TokenKind::Quoted | TokenKind::DoubleQuoted => {
                let name = self.object_name("a column")?;
                return self.name_or_call(start, name);
            }
            _ => return Err(self.unexpected("an expression")),
        };
        self.at += 1;
        Ok(Expr { span: self.since(start), kind: ExprKind::Literal(literal) })
    }

    fn bytes_literal(&mut self, start: usize) -> Parse<Expr> {
        let mut wanted = TokenKind::Bytes;
        let mut all = 0;
        while let Some(token) = self.peek().filter(|t| t.kind == wanted) {
            let digits = token.text(self.text).trim_start_matches(['x', 'X']).trim_matches('\'');
            if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(self.unexpected("hexadecimal digits between the quotes"));
            }
            all += digits.len();
            self.at += 1;
            wanted = TokenKind::String;
        }
        if all % 2 == 1 {
            let problem = Diagnostic::error(code::LITERAL, format!("{all} hexadecimal digits: a byte has two"))
                .at(self.since(start), "Flink refuses this text")
                .help("write two digits for each byte: X'0f'");
            self.diagnostics.push(problem);
        }
        Ok(Expr { span: self.since(start), kind: ExprKind::Literal(Literal::Bytes) })
    }

    fn string_literal(&mut self, start: usize) -> Expr {
        let mut value = String::new();
        while let Some(token) = self.peek().filter(|t| t.kind == TokenKind::String) {
            value.push_str(&string_value(token.text(self.text)));
            self.at += 1;
        }
        if self.eat_word("UESCAPE") && self.at_kind(TokenKind::String) {
            self.at += 1;
        }
        Expr { span: self.since(start), kind: ExprKind::Literal(Literal::String(value)) }
    }

    /// `(x)`, `(a, b)`, `(query)`
    fn bracketed(&mut self, start: usize) -> Parse<Expr> {
        self.expect(Symbol::LeftParen)?;
        if self.at_query_start() {
            let query = self.query()?;
            return self.close_query(start, query);
        }
        let inner_start = self.start();
        let Expr { span, kind } = self.expr()?;
        let first = match kind {
            ExprKind::Subquery(query) if self.at_query_rest() => {
                let query = self.query_rest(inner_start, *query)?;
                return self.close_query(start, query);
            }
            ExprKind::Subquery(query) if self.at_symbol(Symbol::RightParen) => return self.close_query(start, *query),
            kind => Expr { span, kind },
        };
        if !self.at_symbol(Symbol::Comma) {
            self.expect(Symbol::RightParen)?;
            return Ok(Expr { span: self.since(start), kind: ExprKind::Nested(Box::new(first)) });
        }
        let mut items = vec![first];
        while self.eat(Symbol::Comma) {
            items.push(self.expr()?);
        }
        self.expect(Symbol::RightParen)?;
        Ok(Expr { span: self.since(start), kind: ExprKind::Row(items) })
    }

    fn close_query(&mut self, start: usize, query: Query) -> Parse<Expr> {
        self.expect(Symbol::RightParen)?;
        Ok(Expr { span: self.since(start), kind: ExprKind::Subquery(Box::new(query)) })
    }

    pub(super) fn keyword_literal(&self, word: &str) -> Expr {
        let start = self.tokens.get(self.at.saturating_sub(1)).map_or(0, |t| t.span.start);
        Expr { span: self.since(start), kind: ExprKind::Literal(Literal::Keyword(word.to_owned())) }
    }

    /// An expression that begins with a word: a keyword's own form, a column, a call.
    fn word_expr(&mut self, start: usize, text: &str) -> Parse<Expr> {
        if let Some(kind) = self.keyword_expr(text)? {
            return Ok(Expr { span: self.since(start), kind });
        }
        let calls = self.symbol_ahead(1, Symbol::LeftParen) && super::call::is_callable(text);
        if is_reserved(text) && !calls {
            if super::call::is_bare_function(text) || super::call::is_column(text) {
                if !self.symbol_ahead(1, Symbol::Dot) {
                    return self.reserved_name(start);
                }
                // The grammar takes it for a field of what the function gives; it was surely meant as a table's name.
                let name = self.object_name("a column")?;
                if let Some(problem) = self.diagnostics.last_mut().filter(|d| d.code == code::RESERVED) {
                    problem.severity = Severity::Warning;
                }
                return self.name_or_call(start, name);
            }
            if is_structure(text) {
                return Err(self.unexpected("an expression"));
            }
        }
        if calls {
            let name = self.function_name()?;
            return self.name_or_call(start, name);
        }
        let name = self.object_name("a column")?;
        self.name_or_call(start, name)
    }

    /// A function's name, which may be a reserved word such as `COUNT`.
    pub(super) fn function_name(&mut self) -> Parse<ObjectName> {
        match self.peek() {
            Some(token)
                if token.kind == TokenKind::Word
                    && self.symbol_ahead(1, Symbol::LeftParen)
                    && super::call::is_callable(token.text(self.text)) =>
            {
                self.at += 1;
                let name = token.text(self.text).to_owned();
                Ok(ObjectName { parts: vec![Ident { name, span: token.span }], span: token.span })
            }
            _ => self.object_name("a function"),
        }
    }

    fn name_or_call(&mut self, start: usize, name: ObjectName) -> Parse<Expr> {
        if self.at_symbol(Symbol::LeftParen) {
            let call = self.call(start, name)?;
            return Ok(Expr { span: call.span, kind: ExprKind::Call(call) });
        }
        Ok(Expr { span: self.since(start), kind: ExprKind::Column(name) })
    }
}
