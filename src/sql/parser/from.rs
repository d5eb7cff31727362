//! `FROM`: sources, joins, hints.

use super::{Parse, Parser};
use crate::diagnostic::Span;
use crate::sql::token::{Symbol, TokenKind};
use crate::sql::tree::{
    Call, Expr, Factor, FactorKind, Hint, HintArg, HintWord, Ident, Join, JoinKind, ObjectName, Query, QueryBody,
    TableExpr,
};

impl Parser<'_> {
    pub(super) fn table_expr(&mut self) -> Parse<TableExpr> {
        let base = self.factor()?;
        self.joins(base)
    }

    fn joins(&mut self, base: Factor) -> Parse<TableExpr> {
        let mut joins = Vec::new();
        while let Some(join) = self.join()? {
            joins.push(join);
        }
        Ok(TableExpr { base, joins })
    }

    fn join(&mut self) -> Parse<Option<Join>> {
        let start = self.start();
        let before = self.at;
        let natural = self.eat_word("NATURAL");
        let outer = self.at_any(&["LEFT", "RIGHT", "FULL"]);
        let kind = if self.eat_word("LEFT") {
            JoinKind::Left
        } else if self.eat_word("RIGHT") {
            JoinKind::Right
        } else if self.eat_word("FULL") {
            JoinKind::Full
        } else if self.eat_word("CROSS") {
            JoinKind::Cross
        } else {
            self.eat_word("INNER");
            JoinKind::Inner
        };
        if outer {
            self.eat_word("OUTER");
        }
        if self.at == before && !self.at_word("JOIN") {
            return Ok(None);
        }
        self.expect_word("JOIN")?;
        let factor = self.factor()?;
        let (mut on, mut using) = (None, Vec::new());
        if self.eat_word("ON") {
            on = Some(self.expr()?);
        } else if self.eat_word("USING") {
            using = self.ident_list("a column name")?;
        }
        Ok(Some(Join { kind, natural, factor, on, using, span: self.since(start) }))
    }

    pub(super) fn factor(&mut self) -> Parse<Factor> {
        self.nested(|p| {
            let start = p.start();
            let kind = p.factor_kind()?;
            p.factor_tail(start, kind)
        })
    }

    fn factor_kind(&mut self) -> Parse<FactorKind> {
        let lateral = self.eat_word("LATERAL");
        if self.at_word("TABLE") && self.symbol_ahead(1, Symbol::LeftParen) {
            self.at += 2;
            let start = self.start();
            let name = self.function_name()?;
            let call = self.table_call(start, name)?;
            self.expect(Symbol::RightParen)?;
            return Ok(FactorKind::Function { lateral, call });
        }
        if self.at_word("UNNEST") && self.symbol_ahead(1, Symbol::LeftParen) {
            self.at += 2;
            let expr = self.expr()?;
            self.expect(Symbol::RightParen)?;
            let ordinality = self.eat_words(&["WITH", "ORDINALITY"]);
            return Ok(FactorKind::Unnest { expr, ordinality });
        }
        if self.at_symbol(Symbol::LeftParen) {
            return self.bracketed_source(lateral);
        }
        if lateral {
            return Err(self.unexpected("`TABLE`, `UNNEST` or a query in brackets"));
        }
        let name = self.object_name("a table")?;
        if self.at_symbol(Symbol::LeftParen) {
            let call = self.table_call(name.span.start, name)?;
            return Ok(FactorKind::Function { lateral, call });
        }
        let hints = self.hints()?;
        let mut system_time = None;
        if self.at_word("FOR") {
            system_time = Some(self.system_time()?);
        }
        Ok(FactorKind::Table { name, hints, system_time })
    }

    /// A call that gives rows: `DISTINCT` has no meaning for it.
    fn table_call(&mut self, start: usize, name: ObjectName) -> Parse<Box<Call>> {
        if self.word_at(self.at + 1, "DISTINCT") || self.word_at(self.at + 1, "ALL") {
            self.at += 1;
            return Err(self.unexpected("an argument"));
        }
        self.call(start, name)
    }

    /// `FOR SYSTEM_TIME AS OF expression`
    fn system_time(&mut self) -> Parse<Expr> {
        for word in ["FOR", "SYSTEM_TIME", "AS", "OF"] {
            self.expect_word(word)?;
        }
        self.expr()
    }

    /// `TABLESAMPLE BERNOULLI (10) [REPEATABLE (1)]`, `TABLESAMPLE SUBSTITUTE ('name')`
    fn sample(&mut self) -> Parse<bool> {
        if !self.eat_word("TABLESAMPLE") {
            return Ok(false);
        }
        if self.eat_word("SUBSTITUTE") {
            self.expect(Symbol::LeftParen)?;
            self.string("the name of a sample in single quotes")?;
            self.expect(Symbol::RightParen)?;
            return Ok(true);
        }
        if !self.eat_word("BERNOULLI") && !self.eat_word("SYSTEM") {
            return Err(self.unexpected("`BERNOULLI` or `SYSTEM`"));
        }
        self.sample_number()?;
        if self.eat_word("REPEATABLE") {
            self.sample_number()?;
        }
        Ok(true)
    }

    fn sample_number(&mut self) -> Parse<()> {
        self.expect(Symbol::LeftParen)?;
        self.eat(Symbol::Minus);
        if !self.at_kind(TokenKind::Integer) && !self.at_kind(TokenKind::Decimal) {
            return Err(self.unexpected("a number"));
        }
        self.at += 1;
        self.expect(Symbol::RightParen)
    }

    /// `(query)`, `(joins)`, or a query whose first operand is in brackets itself.
    fn bracketed_source(&mut self, lateral: bool) -> Parse<FactorKind> {
        self.expect(Symbol::LeftParen)?;
        let start = self.start();
        if self.at_query_start() {
            let query = Box::new(self.query()?);
            self.expect(Symbol::RightParen)?;
            return Ok(FactorKind::Derived { lateral, query });
        }
        let inner = match sole_query(self.table_expr()?) {
            Ok(query) => {
                let query = if self.at_query_rest() { Box::new(self.table_query_rest(start, *query)?) } else { query };
                self.expect(Symbol::RightParen)?;
                // A query in more brackets than it needs is that query.
                return Ok(FactorKind::Derived { lateral, query });
            }
            Err(inner) => inner,
        };
        if inner.joins.is_empty()
            && matches!(
                inner.base.kind,
                FactorKind::Table { .. } | FactorKind::Function { .. } | FactorKind::Unnest { .. }
            )
        {
            // What stands in brackets is a query or a join.
            self.at = self.tokens.partition_point(|t| t.span.start < start);
            return Err(self.unexpected("a query or a join"));
        }
        self.expect(Symbol::RightParen)?;
        Ok(FactorKind::Nested(inner))
    }

    /// Goes on with a query whose first operand was read already, where a table stands: `FROM ((SELECT ...) UNION ALL (SELECT ...))`. Flink's grammar ends the query there, before
    /// what could follow it elsewhere.
    pub(super) fn table_query_rest(&mut self, start: usize, first: Query) -> Parse<Query> {
        let body = self.intersection_rest(QueryBody::Nested(Box::new(first)))?;
        let body = self.union_rest(body)?;
        if self.at_any(&["ORDER", "LIMIT", "OFFSET", "FETCH"]) {
            self.report_tail_behind_brackets();
        }
        self.query_tail(start, Vec::new(), body)
    }

    /// A query that begins with a bracket, where a table stands.
    pub(super) fn bracketed_table_query(&mut self) -> Parse<Query> {
        self.nested(|p| {
            let start = p.start();
            p.expect(Symbol::LeftParen)?;
            let first = if p.at_symbol(Symbol::LeftParen) { p.bracketed_table_query()? } else { p.query()? };
            p.expect(Symbol::RightParen)?;
            p.table_query_rest(start, first)
        })
    }

    /// True at the first word of a query that can only be one.
    pub(super) fn at_query_start(&self) -> bool {
        self.at_any(&["SELECT", "WITH", "VALUES", "VALUE"])
            || (self.at_word("TABLE") && !self.symbol_ahead(1, Symbol::LeftParen))
    }

    /// Alias, `MATCH_RECOGNIZE`, and the alias of that.
    fn factor_tail(&mut self, start: usize, kind: FactorKind) -> Parse<Factor> {
        let mut factor = Factor { kind, alias: None, alias_columns: Vec::new(), span: self.since(start) };
        // After a sample no alias may come.
        if self.sample()? {
            factor.span = self.since(start);
            return Ok(factor);
        }
        self.alias(&mut factor)?;
        self.sample()?;
        // FOR SYSTEM_TIME may also stand after the alias.
        if self.at_word("FOR")
            && let FactorKind::Table { system_time, .. } = &mut factor.kind
        {
            let problem = self.unexpected("the alias behind `FOR SYSTEM_TIME AS OF ...`, or none");
            self.diagnostics.push(*problem);
            *system_time = Some(self.system_time()?);
        }
        while self.at_word("MATCH_RECOGNIZE") {
            let clause = Box::new(self.match_recognize()?);
            factor.span = self.since(start);
            let kind = FactorKind::Match { input: Box::new(factor), clause };
            factor = Factor { kind, alias: None, alias_columns: Vec::new(), span: self.since(start) };
            self.alias(&mut factor)?;
            if self.at_word("MATCH_RECOGNIZE") {
                return Err(self.unexpected("the end of this source"));
            }
        }
        factor.span = self.since(start);
        Ok(factor)
    }

    fn alias(&mut self, factor: &mut Factor) -> Parse<()> {
        if self.eat_word("AS") || self.at_ident() {
            factor.alias = Some(self.ident("an alias")?);
            if self.at_symbol(Symbol::LeftParen) {
                factor.alias_columns = self.ident_list("a column name")?;
            }
            if self.at_kind(TokenKind::HintOpen)
                && let FactorKind::Table { hints, .. } = &mut factor.kind
            {
                let problem = self.unexpected("hints before the alias");
                self.diagnostics.push(*problem);
                hints.extend(self.hints()?);
            }
        }
        Ok(())
    }

    /// Any number of `/*+ ... */`.
    pub(super) fn hints(&mut self) -> Parse<Vec<Hint>> {
        let mut hints = Vec::new();
        while self.at_kind(TokenKind::HintOpen) {
            self.at += 1;
            loop {
                let name = self.ident("the name of a hint")?;
                let mut args = Vec::new();
                if self.at_symbol(Symbol::LeftParen) {
                    args = self.bracketed_list(Self::hint_arg)?;
                    let shape = |arg: &HintArg| (arg.key.is_some(), arg.value.is_literal);
                    if args.iter().any(|arg| Some(shape(arg)) != args.first().map(shape)) {
                        self.at -= 1;
                        return Err(self.unexpected("arguments of one kind: names, literals, or `key = 'value'`"));
                    }
                }
                hints.push(Hint { name, args });
                if !self.eat(Symbol::Comma) {
                    break;
                }
            }
            if !self.at_kind(TokenKind::HintClose) {
                return Err(self.unexpected("`,` or `*/`"));
            }
            self.at += 1;
        }
        Ok(hints)
    }

    fn hint_arg(&mut self) -> Parse<HintArg> {
        self.eat(Symbol::Minus);
        let value = self.hint_word("a hint's argument")?;
        if self.eat(Symbol::Equal) {
            if !self.at_kind(TokenKind::String) {
                self.at -= 1;
                return Err(self.unexpected("the value of a hint's argument in single quotes"));
            }
            return Ok(HintArg { key: Some(value), value: self.hint_word("the value of a hint's argument")? });
        }
        Ok(HintArg { key: None, value })
    }

    fn hint_word(&mut self, what: &str) -> Parse<HintWord> {
        let Some(token) = self.peek() else { return Err(self.unexpected(what)) };
        let text = token.text(self.text);
        let is_string = token.kind == TokenKind::String;
        let ident = match token.kind {
            TokenKind::Integer | TokenKind::Decimal => Ident { name: text.to_owned(), span: token.span },
            TokenKind::Word if !crate::sql::keyword::is_reserved(text) => {
                Ident { name: text.to_owned(), span: token.span }
            }
            TokenKind::Quoted => Ident { name: super::unquote(text, '`'), span: token.span },
            TokenKind::String => {
                let open = text.find('\'').unwrap_or(0) + 1;
                let span = Span::new(token.span.start + open, token.span.end.saturating_sub(1));
                Ident { name: super::string_value(text), span }
            }
            _ => return Err(self.unexpected(what)),
        };
        self.at += 1;
        if is_string {
            // Strings in a row are one; the first gives the place.
            while self.at_kind(TokenKind::String) {
                self.at += 1;
            }
        }
        let is_literal = is_string || matches!(token.kind, TokenKind::Integer | TokenKind::Decimal);
        Ok(HintWord { ident, is_string, is_literal })
    }
}

/// The query in brackets if that is all there is; otherwise what there is.
fn sole_query(inner: TableExpr) -> Result<Box<Query>, Box<TableExpr>> {
    match inner.base {
        Factor { kind: FactorKind::Derived { query, .. }, alias: None, .. } if inner.joins.is_empty() => Ok(query),
        base => Err(Box::new(TableExpr { base, joins: inner.joins })),
    }
}
