//! Calls, and the expressions that have a grammar of their own.

use super::{Parse, Parser};
use crate::sql::keyword::is_reserved;
use crate::sql::token::{Symbol, TokenKind};
use crate::sql::tree::{Arg, ArgValue, Call, Expr, ExprKind, Ident, Literal, ObjectName, OrderItem, TableArg};

/// Functions that are written without brackets.
#[rustfmt::skip]
const BARE: &[&str] = &["CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"];

/// Reserved words that the grammar takes for such functions. Flink has none of them: to its planner they are columns.
#[rustfmt::skip]
const COLUMNS: &[&str] = &[
    "CURRENT_CATALOG", "CURRENT_DEFAULT_TRANSFORM_GROUP", "CURRENT_PATH", "CURRENT_ROLE", "CURRENT_SCHEMA", "CURRENT_USER",
    "SESSION_USER", "SYSTEM_USER", "USER",
];

/// Reserved words that are functions where a bracket follows.
#[rustfmt::skip]
const CALLABLE: &[&str] = &[
    "ABS", "ARRAY_CONCAT_AGG", "AVG", "CARDINALITY", "CEIL", "CEILING", "CHAR", "CHARACTER_LENGTH", "CHAR_LENGTH",
    "CLASSIFIER", "COALESCE", "COLLECT", "CONTAINS_SUBSTR", "CONVERT", "COUNT", "COVAR_POP", "COVAR_SAMP", "CUME_DIST",
    "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "DATE", "DATETIME", "DATETIME_TRUNC", "DATE_TRUNC",
    "DENSE_RANK", "ELEMENT", "EVERY", "EXP", "EXTRACT", "FIRST_VALUE", "FLOOR", "FUSION", "GROUPING", "GROUP_CONCAT",
    "HOUR", "INTERSECTION", "JSON_ARRAY", "JSON_ARRAYAGG", "JSON_EXISTS", "JSON_OBJECT", "JSON_OBJECTAGG",
    "JSON_QUERY", "JSON_VALUE", "LAG", "LAST_VALUE", "LEAD", "LEFT", "LN", "LOCALTIME", "LOCALTIMESTAMP", "LOWER",
    "MATCH_NUMBER", "MAX", "MIN", "MINUTE", "MOD", "MONTH", "NEXT", "NTH_VALUE", "NTILE", "NULLIF", "OCTET_LENGTH",
    "OVERLAY", "PERCENTILE_CONT", "PERCENTILE_DISC", "PERCENT_RANK", "PERIOD", "POSITION", "POWER", "PREV", "RANK",
    "REGR_COUNT", "REGR_SXX", "REGR_SYY", "RIGHT", "ROW_NUMBER", "SECOND", "SOME", "SQRT", "STDDEV_POP",
    "STDDEV_SAMP", "STRING_AGG", "SUBSTRING", "SUM", "TIME", "TIMESTAMP", "TIMESTAMP_DIFF", "TIMESTAMP_TRUNC",
    "TIME_DIFF", "TIME_TRUNC", "TRANSLATE", "TRIM", "TRUNCATE", "UPPER", "USER", "VAR_POP", "VAR_SAMP", "YEAR",
];

/// Words between the arguments of functions that SQL gives a sentence of their own.
const CONNECTORS: &[&str] = &["FROM", "FOR", "PLACING", "USING", "TO", "IN"];

pub(super) fn is_bare_function(word: &str) -> bool {
    BARE.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// True for a reserved word that stands for a column where no bracket follows.
pub(super) fn is_column(word: &str) -> bool {
    COLUMNS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// True for a word that a bracket makes a function.
pub(super) fn is_callable(word: &str) -> bool {
    !is_reserved(word) || CALLABLE.iter().any(|known| known.eq_ignore_ascii_case(word))
}

impl Parser<'_> {
    /// `CASE`, `CAST`, `INTERVAL` and others; `None` if the word is none of them here.
    pub(super) fn keyword_expr(&mut self, text: &str) -> Parse<Option<ExprKind>> {
        let paren = self.symbol_ahead(1, Symbol::LeftParen);
        let bracket = self.symbol_ahead(1, Symbol::LeftBracket);
        let word = text.to_ascii_uppercase();
        let literal = |l| Ok(Some(ExprKind::Literal(l)));
        match word.as_str() {
            "NULL" => self.at += 1,
            "TRUE" | "FALSE" | "UNKNOWN" => {
                self.at += 1;
                return literal(Literal::Boolean((word != "UNKNOWN").then_some(word == "TRUE")));
            }
            "DATE" | "TIME" | "TIMESTAMP" | "TIMESTAMP_LTZ" => return self.temporal(&word),
            "INTERVAL" => {
                self.at += 1;
                return self.interval().map(Some);
            }
            "CASE" => return self.case().map(Some),
            "CAST" | "TRY_CAST" | "SAFE_CAST" if paren => return self.cast().map(Some),
            "EXISTS" | "UNIQUE" => {
                self.at += 1;
                if !paren || !self.query_in_brackets() {
                    // The grammar takes any expression here; only a query makes sense.
                    return Ok(Some(ExprKind::Nested(Box::new(self.nested(Self::operand)?))));
                }
                self.at += 1;
                let query = Box::new(self.query()?);
                self.expect(Symbol::RightParen)?;
                return Ok(Some(ExprKind::Exists(query)));
            }
            "ROW" if paren => {
                self.at += 1;
                if self.symbol_ahead(1, Symbol::RightParen) {
                    self.at += 1;
                    return Err(self.unexpected("an expression"));
                }
                return Ok(Some(ExprKind::Row(self.bracketed_list(Self::expr)?)));
            }
            "ARRAY" | "MULTISET" if bracket => return Ok(Some(ExprKind::Array(self.elements()?))),
            "MAP" if bracket => return Ok(Some(ExprKind::Map(self.elements()?))),
            "ARRAY" | "MAP" | "MULTISET" if paren => {
                self.at += 2;
                let query = Box::new(self.query()?);
                self.expect(Symbol::RightParen)?;
                return Ok(Some(ExprKind::CollectionQuery(query)));
            }
            // In MATCH_RECOGNIZE: RUNNING LAST(a.x), FINAL LAST(a.x).
            "RUNNING" | "FINAL"
                if self.peek_at(1).is_some_and(|t| t.kind == TokenKind::Word)
                    && self.symbol_ahead(2, Symbol::LeftParen) =>
            {
                self.at += 1;
                return Ok(Some(self.nested(Self::operand)?.kind));
            }
            _ => return Ok(None),
        }
        literal(Literal::Null)
    }

    /// True if a query begins in the brackets that come next, however many there are.
    fn query_in_brackets(&self) -> bool {
        let is_open = |t: &&crate::sql::token::Token| t.kind == TokenKind::Symbol(Symbol::LeftParen);
        let open = self.tokens.get(self.at..).unwrap_or(&[]).iter().take_while(is_open).count();
        crate::sql::steps::count(open);
        ["SELECT", "WITH", "VALUES", "VALUE", "TABLE"].iter().any(|word| self.word_at(self.at + open, word))
    }

    fn elements(&mut self) -> Parse<Vec<Expr>> {
        self.at += 2;
        let mut items = Vec::new();
        if !self.at_symbol(Symbol::RightBracket) {
            items = self.comma_list(Self::expr)?;
        }
        self.expect(Symbol::RightBracket)?;
        Ok(items)
    }

    fn case(&mut self) -> Parse<ExprKind> {
        self.at += 1;
        let operand = if self.at_word("WHEN") { None } else { Some(Box::new(self.expr()?)) };
        let mut branches = Vec::new();
        while self.eat_word("WHEN") {
            // CASE x WHEN 1, 2 THEN ...
            let mut when = self.expr()?;
            if self.at_symbol(Symbol::Comma) {
                let start = when.span.start;
                let mut items = vec![when];
                while self.eat(Symbol::Comma) {
                    items.push(self.expr()?);
                }
                when = Expr { span: self.since(start), kind: ExprKind::Row(items) };
            }
            self.expect_word("THEN")?;
            branches.push((when, self.expr()?));
        }
        if branches.is_empty() {
            return Err(self.unexpected("`WHEN`"));
        }
        let otherwise = if self.eat_word("ELSE") { Some(Box::new(self.expr()?)) } else { None };
        self.expect_word("END")?;
        Ok(ExprKind::Case { operand, branches, otherwise })
    }

    fn cast(&mut self) -> Parse<ExprKind> {
        let safe = !self.at_word("CAST");
        self.at += 2;
        let operand = Box::new(self.expr()?);
        self.expect_word("AS")?;
        let ty = self.result_type()?;
        if self.eat_word("FORMAT") {
            self.string("a format in single quotes")?;
        }
        self.expect(Symbol::RightParen)?;
        Ok(ExprKind::Cast { operand, ty, safe })
    }

    /// A function without brackets, or a column, that is called by a reserved word.
    pub(super) fn reserved_name(&mut self, start: usize) -> Parse<Expr> {
        let Some(token) = self.bump() else { return Err(self.unexpected("a function")) };
        let ident = Ident { name: token.text(self.text).to_owned(), span: token.span };
        let name = ObjectName { span: ident.span, parts: vec![ident] };
        let span = self.since(start);
        let kind = if is_column(token.text(self.text)) {
            ExprKind::Column(name)
        } else {
            ExprKind::Call(Box::new(Call { span, ..empty_call(name) }))
        };
        Ok(Expr { span, kind })
    }

    /// The brackets after a function's name, and `FILTER`, `WITHIN GROUP`, `OVER` after them.
    pub(super) fn call(&mut self, start: usize, name: ObjectName) -> Parse<Box<Call>> {
        self.nested(|p| p.call_inner(start, name))
    }

    fn call_inner(&mut self, start: usize, name: ObjectName) -> Parse<Box<Call>> {
        let mut call = Box::new(empty_call(name));
        call.brackets = true;
        self.expect(Symbol::LeftParen)?;
        let function = match call.name.parts.as_slice() {
            [only] => only.name.to_ascii_uppercase(),
            _ => String::new(),
        };
        call.distinct = self.at_word("DISTINCT");
        if self.eat_word("DISTINCT") || self.eat_word("ALL") {
            if self.at_symbol(Symbol::RightParen) {
                return Err(self.unexpected("an argument"));
            }
            if self.at_word("TABLE") {
                self.at -= 1;
                return Err(self.unexpected("an argument"));
            }
        }
        if Self::has_json_grammar(&function) {
            self.json_args(&function, &mut call)?;
        } else {
            self.args(&function, &mut call)?;
            super::cloud::name_external_table(&function, &mut call);
        }
        self.expect(Symbol::RightParen)?;
        let _ = self.eat_words(&["IGNORE", "NULLS"]) || self.eat_words(&["RESPECT", "NULLS"]);
        if self.at_words(&["WITHIN", "GROUP"]) || self.at_words(&["WITHIN", "DISTINCT"]) {
            self.at += 2;
            self.expect(Symbol::LeftParen)?;
            if self.eat_words(&["ORDER", "BY"]) {
                call.order_by = self.order_items()?;
            } else {
                self.comma_list(Self::expr)?;
            }
            self.expect(Symbol::RightParen)?;
        }
        if self.at_word("FILTER") && self.symbol_ahead(1, Symbol::LeftParen) {
            self.at += 2;
            self.expect_word("WHERE")?;
            call.filter = Some(self.expr()?);
            self.expect(Symbol::RightParen)?;
        }
        if self.eat_word("OVER") {
            call.over = Some(self.over()?);
        }
        call.span = self.since(start);
        Ok(call)
    }

    fn args(&mut self, function: &str, call: &mut Call) -> Parse<()> {
        if self.at_symbol(Symbol::RightParen) {
            return Ok(());
        }
        let sentence = matches!(
            function,
            "EXTRACT"
                | "TRIM"
                | "SUBSTRING"
                | "POSITION"
                | "OVERLAY"
                | "CEIL"
                | "CEILING"
                | "FLOOR"
                | "CONVERT"
                | "TRANSLATE"
        );
        let unit_first =
            matches!(function, "EXTRACT" | "TIMESTAMPADD" | "TIMESTAMPDIFF" | "TIMESTAMP_ADD" | "TIMESTAMP_DIFF");
        let flag_first = function == "TRIM" && self.at_any(&["BOTH", "LEADING", "TRAILING"]);
        if unit_first || flag_first {
            self.not_the_end("a unit of time")?;
            self.at += 1;
            let word = self.tokens.get(self.at - 1).map_or("", |t| t.text(self.text)).to_ascii_uppercase();
            call.args.push(Arg { name: None, value: ArgValue::Expr(self.keyword_literal(&word)) });
            if !self.eat(Symbol::Comma) && !self.eat_word("FROM") && !flag_first {
                return Err(self.unexpected("`FROM` or `,`"));
            }
        }
        loop {
            let value = if function == "POSITION" { ArgValue::Expr(self.operand()?) } else { ArgValue::Default };
            let arg = if matches!(value, ArgValue::Default) { self.arg()? } else { Arg { name: None, value } };
            call.args.push(arg);
            if self.eat(Symbol::Comma) {
                if self.at_symbol(Symbol::RightParen) {
                    self.report_trailing_comma();
                    return Ok(());
                }
                continue;
            }
            if sentence && self.at_any(CONNECTORS) {
                let to = self.at_word("TO");
                self.at += 1;
                self.not_the_end("an argument")?;
                if to && self.bump().is_some() {
                    let word = self.tokens.get(self.at - 1).map_or("", |t| t.text(self.text)).to_ascii_uppercase();
                    call.args.push(Arg { name: None, value: ArgValue::Expr(self.keyword_literal(&word)) });
                    return Ok(());
                }
                continue;
            }
            if self.at_words(&["ORDER", "BY"]) {
                call.order_by = self.order_by()?;
            }
            let _ = self.eat_words(&["IGNORE", "NULLS"]) || self.eat_words(&["RESPECT", "NULLS"]);
            if self.eat_word("SEPARATOR") {
                self.string("a separator in single quotes")?;
            }
            return Ok(());
        }
    }

    /// An error where the statement ends.
    fn not_the_end(&self, wanted: &str) -> Parse<()> {
        if self.peek().is_none() || self.at_symbol(Symbol::Semicolon) { Err(self.unexpected(wanted)) } else { Ok(()) }
    }

    fn arg(&mut self) -> Parse<Arg> {
        let mut name = None;
        let is_name = self.peek().is_some_and(|t| matches!(t.kind, TokenKind::Word | TokenKind::Quoted));
        if is_name && self.symbol_ahead(1, Symbol::FatArrow) {
            name = Some(self.ident("the name of an argument")?);
            self.expect(Symbol::FatArrow)?;
        }
        Ok(Arg { name, value: self.arg_value()? })
    }

    pub(super) fn arg_value(&mut self) -> Parse<ArgValue> {
        if self.at_symbol(Symbol::Star) {
            // Only all columns, and nothing else, can be counted.
            let opened = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
            let alone = opened.is_some_and(|t| t.kind == TokenKind::Symbol(Symbol::LeftParen));
            if !alone {
                return Err(self.unexpected("an argument"));
            }
            self.at += 1;
            if !self.at_symbol(Symbol::RightParen) {
                return Err(self.unexpected("`)`"));
            }
            return Ok(ArgValue::Star);
        }
        if self.at_word("TABLE") {
            self.at += 1;
            let table = self.object_name("the name of a table: a query stands in brackets without `TABLE`")?;
            let (partition_by, order_by) = self.table_arg_tail()?;
            return Ok(ArgValue::Table(TableArg { name: table, partition_by, order_by }));
        }
        if self.at_word("DESCRIPTOR") && self.symbol_ahead(1, Symbol::LeftParen) {
            self.at += 1;
            return Ok(ArgValue::Descriptor(self.bracketed_list(|p| p.ident("a column name"))?));
        }
        if self.at_word("MODEL")
            && self.peek_at(1).is_some_and(|t| matches!(t.kind, TokenKind::Word | TokenKind::Quoted))
        {
            self.at += 1;
            return Ok(ArgValue::Model(self.object_name("the name of a model")?));
        }
        if self.at_word("DEFAULT") {
            self.at += 1;
            return Ok(ArgValue::Default);
        }
        if self.at_query_start() {
            let query = Box::new(self.query()?);
            return Ok(ArgValue::Query { query, partition_by: Vec::new(), order_by: Vec::new() });
        }
        let expr = self.expr()?;
        match expr.kind {
            ExprKind::Subquery(query) if self.at_words(&["PARTITION", "BY"]) || self.at_words(&["ORDER", "BY"]) => {
                let (partition_by, order_by) = self.table_arg_tail()?;
                Ok(ArgValue::Query { query, partition_by, order_by })
            }
            // A table may go without the word where its partitions tell it apart.
            ExprKind::Column(name) if self.at_words(&["PARTITION", "BY"]) => {
                let (partition_by, order_by) = self.table_arg_tail()?;
                Ok(ArgValue::Table(TableArg { name, partition_by, order_by }))
            }
            _ => Ok(ArgValue::Expr(expr)),
        }
    }

    /// `PARTITION BY` and `ORDER BY` of a table argument: one expression, or several in brackets.
    fn table_arg_tail(&mut self) -> Parse<(Vec<Expr>, Vec<OrderItem>)> {
        let mut partition_by = Vec::new();
        if self.eat_words(&["PARTITION", "BY"]) {
            partition_by.push(self.expr()?);
        }
        let mut order_by = Vec::new();
        if self.eat_words(&["ORDER", "BY"]) {
            if self.at_symbol(Symbol::LeftParen) {
                order_by = self.order_items()?;
            } else {
                let expr = self.expr()?;
                let descending = self.eat_word("DESC");
                self.eat_word("ASC");
                order_by.push(OrderItem { expr, descending });
            }
        }
        Ok((partition_by, order_by))
    }
}

fn empty_call(name: ObjectName) -> Call {
    Call {
        span: name.span,
        name,
        distinct: false,
        args: Vec::new(),
        order_by: Vec::new(),
        filter: None,
        over: None,
        returning: None,
        brackets: false,
    }
}
