//! `MATCH_RECOGNIZE`.

use super::{Parse, Parser};
use crate::sql::token::{Symbol, TokenKind};
use crate::sql::tree::{Ident, MatchClause};

impl Parser<'_> {
    pub(super) fn match_recognize(&mut self) -> Parse<MatchClause> {
        let start = self.start();
        self.expect_word("MATCH_RECOGNIZE")?;
        self.expect(Symbol::LeftParen)?;
        let mut clause = MatchClause {
            span: self.since(start),
            partition_by: self.partition_by()?,
            order_by: self.order_by()?,
            measures: Vec::new(),
            variables: Vec::new(),
            define: Vec::new(),
        };
        if self.eat_word("MEASURES") {
            clause.measures = self.comma_list(|p| {
                let expr = p.expr()?;
                p.expect_word("AS")?;
                Ok((expr, p.ident("the name of a measure")?))
            })?;
        }
        // ONE ROW PER MATCH, AFTER MATCH SKIP ...
        while self.peek().is_some() && !self.at_word("PATTERN") {
            if self.at_symbol(Symbol::RightParen) || self.at_symbol(Symbol::Semicolon) {
                return Err(self.unexpected("`PATTERN`"));
            }
            self.at += 1;
        }
        self.expect_word("PATTERN")?;
        self.pattern(&mut clause)?;
        if self.eat_word("WITHIN") {
            self.operand()?;
        }
        if self.eat_word("SUBSET") {
            self.comma_list(|p| {
                let name = p.ident("the name of a set of variables")?;
                p.expect(Symbol::Equal)?;
                p.ident_list("a pattern variable")?;
                clause.variables.push(name);
                Ok(())
            })?;
        }
        if self.eat_word("DEFINE") {
            clause.define = self.comma_list(|p| {
                let name = p.ident("a pattern variable")?;
                p.expect_word("AS")?;
                Ok((name, p.expr()?))
            })?;
        }
        self.expect(Symbol::RightParen)?;
        clause.span = self.since(start);
        Ok(clause)
    }

    /// The pattern's brackets: only its variables matter to us.
    fn pattern(&mut self, clause: &mut MatchClause) -> Parse<()> {
        self.expect(Symbol::LeftParen)?;
        let mut open = 1_u32;
        while open > 0 {
            let Some(token) = self.peek() else { return Err(self.unexpected("the end of the pattern")) };
            let text = token.text(self.text);
            match token.kind {
                TokenKind::Symbol(Symbol::LeftParen) => open += 1,
                TokenKind::Symbol(Symbol::RightParen) => open -= 1,
                TokenKind::Symbol(Symbol::Semicolon) | TokenKind::Unterminated => {
                    return Err(self.unexpected("the end of the pattern"));
                }
                TokenKind::Word | TokenKind::Quoted if !text.eq_ignore_ascii_case("PERMUTE") => {
                    let name = super::unquote(text, '`');
                    if clause.variables.iter().all(|known| known.name != name) {
                        clause.variables.push(Ident { name, span: token.span });
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
        Ok(())
    }
}
