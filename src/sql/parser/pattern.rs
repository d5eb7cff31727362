//! `MATCH_RECOGNIZE`.

use super::{Parse, Parser};
use crate::sql::token::{Symbol, TokenKind};
use crate::sql::tree::MatchClause;

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
            within: false,
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
        if self.eat_word("ONE") {
            self.expect_all(&["ROW", "PER", "MATCH"])?;
        } else if self.eat_word("ALL") {
            self.expect_all(&["ROWS", "PER", "MATCH"])?;
        }
        if self.eat_word("AFTER") {
            self.expect_all(&["MATCH", "SKIP"])?;
            self.skip_to()?;
        }
        self.expect_word("PATTERN")?;
        self.expect(Symbol::LeftParen)?;
        self.eat(Symbol::Caret);
        self.alternatives(&mut clause)?;
        let mut seen = std::collections::BTreeSet::new();
        clause.variables.retain(|variable| seen.insert(variable.name.clone()));
        // `$` for the end of the partition is a word to the lexer.
        self.eat_word("$");
        self.expect(Symbol::RightParen)?;
        if self.eat_word("WITHIN") {
            self.interval_literal()?;
            clause.within = true;
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
        self.expect_word("DEFINE")?;
        clause.define = self.comma_list(|p| {
            let name = p.ident("a pattern variable")?;
            p.expect_word("AS")?;
            // One that the pattern does not use is one all the same.
            if seen.insert(name.name.clone()) {
                clause.variables.push(name.clone());
            }
            Ok((name, p.expr()?))
        })?;
        self.expect(Symbol::RightParen)?;
        clause.span = self.since(start);
        Ok(clause)
    }

    fn expect_all(&mut self, words: &[&str]) -> Parse<()> {
        words.iter().try_for_each(|word| self.expect_word(word))
    }

    /// After `AFTER MATCH SKIP`.
    fn skip_to(&mut self) -> Parse<()> {
        if self.eat_word("PAST") {
            return self.expect_all(&["LAST", "ROW"]);
        }
        self.expect_word("TO")?;
        if self.eat_word("NEXT") {
            return self.expect_word("ROW");
        }
        let bound = self.at_any(&["FIRST", "LAST"]) && self.peek_at(1).is_some_and(|t| t.kind == TokenKind::Word);
        if bound && !self.word_at(self.at + 1, "PATTERN") {
            self.at += 1;
        }
        self.ident("a pattern variable").map(|_| ())
    }

    /// `A B | C`
    fn alternatives(&mut self, clause: &mut MatchClause) -> Parse<()> {
        self.nested(|p| {
            loop {
                let mut any = false;
                while !p.at_symbol(Symbol::Bar) && p.pattern_factor(clause)? {
                    any = true;
                }
                if !any {
                    return Err(p.unexpected("a pattern variable"));
                }
                if !p.eat(Symbol::Bar) {
                    return Ok(());
                }
            }
        })
    }

    /// A variable or something in brackets, with how often; false where no factor begins.
    fn pattern_factor(&mut self, clause: &mut MatchClause) -> Parse<bool> {
        if self.eat(Symbol::LeftParen) {
            self.alternatives(clause)?;
            self.expect(Symbol::RightParen)?;
        } else if self.eat(Symbol::ExcludeOpen) {
            self.alternatives(clause)?;
            self.expect(Symbol::ExcludeClose)?;
        } else if self.eat_word("PERMUTE") {
            self.expect(Symbol::LeftParen)?;
            self.alternatives(clause)?;
            while self.eat(Symbol::Comma) {
                self.alternatives(clause)?;
            }
            self.expect(Symbol::RightParen)?;
        } else if self.at_ident() && !self.at_word("$") {
            let name = self.ident("a pattern variable")?;
            clause.variables.push(name);
        } else {
            return Ok(false);
        }
        self.quantifier()?;
        Ok(true)
    }

    /// `*`, `+`, `?`, `{n}`, `{n,}`, `{,m}`, `{n,m}`, each perhaps with `?` behind it.
    fn quantifier(&mut self) -> Parse<()> {
        if self.eat(Symbol::LeftBrace) {
            let low = self.at_kind(TokenKind::Integer);
            if low {
                self.small_number("a number of times")?;
            }
            let range = self.eat(Symbol::Comma);
            if self.at_kind(TokenKind::Integer) && range {
                self.small_number("a number of times")?;
            } else if !low {
                return Err(self.unexpected("a number of times"));
            }
            self.expect(Symbol::RightBrace)?;
        } else if !self.eat(Symbol::Star) && !self.eat(Symbol::Plus) && !self.eat(Symbol::Question) {
            return Ok(());
        }
        self.eat(Symbol::Question);
        Ok(())
    }
}
