//! Queries: `WITH`, set operations, `SELECT`, `VALUES`.

use super::{Parse, Parser};
use crate::diagnostic::Diagnostic;
use crate::sql::token::{Symbol, Token, TokenKind};
use crate::sql::tree::{Cte, Expr, GroupBy, OrderItem, Query, QueryBody, Select, SelectItem, SetOperand, SetOperator};

impl Parser<'_> {
    pub(super) fn query(&mut self) -> Parse<Query> {
        self.nested(Self::query_inner)
    }

    fn query_inner(&mut self) -> Parse<Query> {
        let start = self.start();
        let mut with = Vec::new();
        if self.eat_word("WITH") {
            self.eat_word("RECURSIVE");
            loop {
                with.push(self.cte()?);
                if !self.eat(Symbol::Comma) {
                    break;
                }
                if self.at_any(&["SELECT", "INSERT"]) {
                    self.report_trailing_comma();
                    break;
                }
            }
        }
        let body = self.union()?;
        self.query_tail(start, with, body)
    }

    fn cte(&mut self) -> Parse<Cte> {
        let name = self.ident("the name of a common table expression")?;
        let columns = if self.at_symbol(Symbol::LeftParen) { self.ident_list("a column name")? } else { Vec::new() };
        self.expect_word("AS")?;
        self.expect(Symbol::LeftParen)?;
        let query = if self.at_symbol(Symbol::LeftParen) { self.bracketed_table_query()? } else { self.query()? };
        self.expect(Symbol::RightParen)?;
        Ok(Cte { name, columns, query })
    }

    /// `ORDER BY`, `LIMIT` and the like after a body.
    pub(super) fn query_tail(&mut self, start: usize, with: Vec<Cte>, body: QueryBody) -> Parse<Query> {
        let order_by = self.order_by()?;
        let mut limit = None;
        let offset;
        if self.eat_word("LIMIT") {
            let first = self.peek();
            if !self.eat_word("ALL") {
                limit = Some(self.row_count()?);
                if let (true, Some(first), Some(second)) = (self.at_symbol(Symbol::Comma), first, self.peek_at(1)) {
                    let (first, second) = (first.text(self.text), second.text(self.text));
                    return Err(self.out_of_order(&format!("write LIMIT {second} OFFSET {first}")));
                }
            }
            offset = self.offset()?;
        } else {
            offset = self.offset()?;
            if offset.is_some() && self.at_word("LIMIT") {
                return Err(self.out_of_order("write LIMIT before OFFSET"));
            }
            if self.eat_word("FETCH") {
                limit = Some(self.fetch()?);
            }
        }
        Ok(Query { span: self.since(start), with, body, order_by, limit, offset })
    }

    /// What is known elsewhere and stands in another order here.
    fn out_of_order(&self, help: &str) -> Box<Diagnostic> {
        let mut problem = self.unexpected("the end of the query");
        problem.help = Some(help.to_owned());
        problem
    }

    /// `OFFSET n [ROWS]`
    fn offset(&mut self) -> Parse<Option<Expr>> {
        if !self.eat_word("OFFSET") {
            return Ok(None);
        }
        let rows = self.row_count()?;
        let _ = self.eat_word("ROW") || self.eat_word("ROWS");
        Ok(Some(rows))
    }

    /// What is behind `FETCH`.
    fn fetch(&mut self) -> Parse<Expr> {
        if !self.eat_word("FIRST") && !self.eat_word("NEXT") {
            return Err(self.unexpected("`FIRST` or `NEXT`"));
        }
        let rows = self.row_count()?;
        if !self.eat_word("ROW") && !self.eat_word("ROWS") {
            return Err(self.unexpected("`ROW` or `ROWS`"));
        }
        self.expect_word("ONLY")?;
        Ok(rows)
    }

    /// A number or a parameter.
    fn row_count(&mut self) -> Parse<Expr> {
        let counts = |kind| {
            matches!(
                kind,
                TokenKind::Integer | TokenKind::Decimal | TokenKind::Approximate | TokenKind::Symbol(Symbol::Question)
            )
        };
        if self.peek().is_some_and(|t| counts(t.kind)) {
            self.primary()
        } else {
            Err(self.unexpected("a number of rows"))
        }
    }

    pub(super) fn order_by(&mut self) -> Parse<Vec<OrderItem>> {
        if !self.eat_words(&["ORDER", "BY"]) {
            return Ok(Vec::new());
        }
        self.order_items()
    }

    pub(super) fn order_items(&mut self) -> Parse<Vec<OrderItem>> {
        // ORDER BY (a, b DESC), as after a table argument.
        if self.at_symbol(Symbol::LeftParen) && self.order_in_brackets() {
            return self.bracketed_list(Self::order_item);
        }
        self.comma_list(Self::order_item)
    }

    /// True for a bracket around a whole order list: one that has `ASC`, `DESC` or `NULLS` directly inside.
    fn order_in_brackets(&self) -> bool {
        let mut open = 0_i32;
        for token in self.tokens.get(self.at..).unwrap_or(&[]) {
            crate::sql::steps::count(1);
            match token.kind {
                TokenKind::Symbol(Symbol::LeftParen) => open += 1,
                TokenKind::Symbol(Symbol::RightParen) => open -= 1,
                TokenKind::Symbol(Symbol::Semicolon) => return false,
                TokenKind::Word if open == 1 => {
                    let text = token.text(self.text);
                    if ["ASC", "DESC", "NULLS"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
                        return true;
                    }
                }
                _ => {}
            }
            if open <= 0 {
                return false;
            }
        }
        false
    }

    fn order_item(&mut self) -> Parse<OrderItem> {
        let expr = self.expr()?;
        let descending = self.eat_word("DESC");
        self.eat_word("ASC");
        if self.eat_word("NULLS") && !self.eat_word("FIRST") {
            self.expect_word("LAST")?;
        }
        Ok(OrderItem { expr, descending })
    }

    pub(super) fn comma_list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parse<T>) -> Parse<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.eat(Symbol::Comma) {
            if self.at_end_of_list() {
                self.report_trailing_comma();
                break;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn union(&mut self) -> Parse<QueryBody> {
        let first = self.intersection()?;
        self.union_rest(first)
    }

    pub(super) fn union_rest(&mut self, first: QueryBody) -> Parse<QueryBody> {
        let mut rest = Vec::new();
        while let Some((operator, span)) = self.set_operator(&["UNION", "EXCEPT", "MINUS"]) {
            let body = self.intersection()?;
            rest.push(SetOperand { operator, span, body });
        }
        Ok(operation(first, rest))
    }

    fn intersection(&mut self) -> Parse<QueryBody> {
        let first = self.query_primary()?;
        self.intersection_rest(first)
    }

    pub(super) fn intersection_rest(&mut self, first: QueryBody) -> Parse<QueryBody> {
        let mut rest = Vec::new();
        while let Some((operator, span)) = self.set_operator(&["INTERSECT"]) {
            let body = self.query_primary()?;
            rest.push(SetOperand { operator, span, body });
        }
        Ok(operation(first, rest))
    }

    fn set_operator(&mut self, words: &[&str]) -> Option<(SetOperator, crate::diagnostic::Span)> {
        let start = self.start();
        let word = *words.iter().find(|word| self.at_word(word))?;
        if word == "MINUS" {
            self.report_minus();
        }
        self.at += 1;
        let all = self.eat_word("ALL");
        if !all {
            self.eat_word("DISTINCT");
        }
        let operator = match (word, all) {
            ("UNION", true) => SetOperator::UnionAll,
            ("UNION", false) => SetOperator::Union,
            ("INTERSECT", true) => SetOperator::IntersectAll,
            ("INTERSECT", false) => SetOperator::Intersect,
            (_, true) => SetOperator::ExceptAll,
            (_, false) => SetOperator::Except,
        };
        Some((operator, self.since(start)))
    }

    /// True where a query in brackets goes on: a set operation or what may follow one.
    pub(super) fn at_query_rest(&self) -> bool {
        self.at_any(&["UNION", "EXCEPT", "MINUS", "INTERSECT", "ORDER", "LIMIT", "OFFSET", "FETCH"])
    }

    /// Goes on with a query whose first operand was read already, in its brackets.
    pub(super) fn query_rest(&mut self, start: usize, first: Query) -> Parse<Query> {
        let body = self.intersection_rest(QueryBody::Nested(Box::new(first)))?;
        let body = self.union_rest(body)?;
        self.query_tail(start, Vec::new(), body)
    }

    fn query_primary(&mut self) -> Parse<QueryBody> {
        if self.at_word("SELECT") {
            return self.nested(|p| Ok(QueryBody::Select(Box::new(p.select()?))));
        }
        if self.at_any(&["VALUES", "VALUE"]) {
            let start = self.start();
            self.at += 1;
            let rows = self.comma_list(Self::values_row)?;
            return Ok(QueryBody::Values { rows, span: self.since(start) });
        }
        if self.eat_word("TABLE") {
            return Ok(QueryBody::Table(self.object_name("the name of a table")?));
        }
        if self.eat(Symbol::LeftParen) {
            let query = self.query()?;
            self.expect(Symbol::RightParen)?;
            return Ok(QueryBody::Nested(Box::new(query)));
        }
        Err(self.unexpected("`SELECT`, `VALUES` or another query"))
    }

    pub(super) fn values_row(&mut self) -> Parse<Vec<Expr>> {
        let row = self.at_word("ROW") && self.symbol_ahead(1, Symbol::LeftParen);
        self.at += usize::from(row);
        if self.at_symbol(Symbol::LeftParen) {
            if self.symbol_ahead(1, Symbol::RightParen) {
                self.at += 1;
                return Err(self.unexpected("an expression"));
            }
            return self
                .bracketed_list(|p| if p.eat_word("DEFAULT") { Ok(p.keyword_literal("DEFAULT")) } else { p.expr() });
        }
        Ok(vec![self.expr()?])
    }

    fn select(&mut self) -> Parse<Select> {
        let start = self.start();
        self.expect_word("SELECT")?;
        let hints = self.hints()?;
        self.eat_word("STREAM");
        let mut distinct = None;
        let word = self.start();
        if self.eat_word("DISTINCT") {
            distinct = Some(self.since(word));
        } else {
            self.eat_word("ALL");
        }
        let items = self.select_items()?;
        let mut select = Select {
            span: self.since(start),
            hints,
            distinct,
            items,
            from: Vec::new(),
            filter: None,
            group_by: None,
            having: None,
            windows: Vec::new(),
            qualify: None,
        };
        if !self.eat_word("FROM") {
            select.span = self.since(start);
            return Ok(select);
        }
        select.from = self.comma_list(Self::table_expr)?;
        if self.eat_word("WHERE") {
            select.filter = Some(self.expr()?);
        }
        select.group_by = self.group_by()?;
        if self.eat_word("HAVING") {
            select.having = Some(self.expr()?);
        }
        if self.eat_word("WINDOW") {
            select.windows = self.comma_list(|p| {
                let name = p.ident("the name of a window")?;
                p.expect_word("AS")?;
                Ok((name, p.window_spec()?))
            })?;
        }
        if self.eat_word("QUALIFY") {
            select.qualify = Some(self.expr()?);
        }
        select.span = self.since(start);
        Ok(select)
    }

    fn select_items(&mut self) -> Parse<Vec<SelectItem>> {
        let mut items = vec![self.select_item()?];
        while self.eat(Symbol::Comma) {
            if self.at_end_of_list() {
                self.report_trailing_comma();
                break;
            }
            items.push(self.select_item()?);
        }
        Ok(items)
    }

    /// True at what can come behind a list and not in it.
    fn at_end_of_list(&self) -> bool {
        const BEHIND: &[&str] = &["FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "UNION", "WITH", "WHEN"];
        let closes = |t: Token| {
            matches!(t.kind, TokenKind::Symbol(Symbol::RightParen | Symbol::RightBracket | Symbol::Semicolon))
        };
        let Some(next) = self.peek() else { return true };
        if next.kind != TokenKind::Word {
            return closes(next);
        }
        let text = next.text(self.text);
        let clause = BEHIND.iter().any(|word| text.eq_ignore_ascii_case(word));
        // And not a name that should have been quoted.
        clause && !self.symbol_ahead(1, Symbol::Comma) && !self.word_at(self.at + 1, "FROM")
    }

    fn select_item(&mut self) -> Parse<SelectItem> {
        let start = self.start();
        if self.eat(Symbol::Star) {
            // An alias is no error of grammar, and means nothing.
            if self.eat_word("AS") || self.at_ident() {
                self.ident("an alias")?;
            }
            return Ok(SelectItem::Wildcard { qualifier: None, span: self.since(start) });
        }
        if self.at_qualified_star() {
            let qualifier = self.object_name("a table")?;
            self.expect(Symbol::Dot)?;
            self.expect(Symbol::Star)?;
            return Ok(SelectItem::Wildcard { qualifier: Some(qualifier), span: self.since(start) });
        }
        let expr = self.expr()?;
        let alias = if self.eat_word("AS") || self.at_ident() { Some(self.ident("an alias")?) } else { None };
        Ok(SelectItem::Expr { expr, alias, span: self.since(start) })
    }

    /// `a.b.*`
    fn at_qualified_star(&self) -> bool {
        let is_name =
            |ahead| self.peek_at(ahead).is_some_and(|t| matches!(t.kind, TokenKind::Word | TokenKind::Quoted));
        let mut ahead = 0;
        while is_name(ahead) && self.symbol_ahead(ahead + 1, Symbol::Dot) {
            if self.symbol_ahead(ahead + 2, Symbol::Star) {
                return true;
            }
            ahead += 2;
        }
        false
    }

    fn group_by(&mut self) -> Parse<Option<GroupBy>> {
        let start = self.start();
        if !self.eat_words(&["GROUP", "BY"]) {
            return Ok(None);
        }
        let _ = self.eat_word("DISTINCT") || self.eat_word("ALL");
        let mut group = GroupBy { span: self.since(start), keys: Vec::new(), plain: Vec::new(), grouping_sets: false };
        loop {
            self.group_element(&mut group, Where::Beside)?;
            if !self.eat(Symbol::Comma) {
                break;
            }
            if self.at_end_of_list() {
                self.report_trailing_comma();
                break;
            }
        }
        group.span = self.since(start);
        Ok(Some(group))
    }

    fn group_element(&mut self, group: &mut GroupBy, place: Where) -> Parse<()> {
        self.nested(|p| {
            let sets = p.eat_words(&["GROUPING", "SETS"]);
            if sets || p.at_word("CUBE") || p.at_word("ROLLUP") {
                p.at += usize::from(!sets);
                group.grouping_sets = true;
                if p.symbol_ahead(1, Symbol::RightParen) {
                    p.at += 1;
                    return Err(p.unexpected("what is grouped by"));
                }
                p.bracketed_list(|p| p.group_element(group, Where::Inside))?;
                return Ok(());
            }
            if p.at_symbol(Symbol::LeftParen) && p.symbol_ahead(1, Symbol::RightParen) {
                p.at += 2;
                return Ok(());
            }
            let key = p.expr()?;
            if place == Where::Beside {
                group.plain.push(group.keys.len());
            }
            group.keys.push(key);
            Ok(())
        })
    }
}

/// Where a key of a grouping stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    /// Beside `GROUPING SETS`, `CUBE` and `ROLLUP`, or without them.
    Beside,
    /// Inside of them.
    Inside,
}

fn operation(first: QueryBody, rest: Vec<SetOperand>) -> QueryBody {
    if rest.is_empty() { first } else { QueryBody::SetOperation { first: Box::new(first), rest } }
}
