//! Statements by their first words; `INSERT`, `SET`, statement sets.

use super::{Parse, Parser, string_value};
use crate::diagnostic::{Diagnostic, Span};
use crate::sql::code;
use crate::sql::token::{Symbol, TokenKind};
use crate::sql::tree::{Effects, Insert, StatementKind};

/// First words of statements that we know but do not read. Longer ones come first.
const OTHERS: &[&[&str]] = &[
    &["COMPILE", "AND", "EXECUTE", "PLAN"],
    &["COMPILE", "PLAN"],
    &["EXECUTE", "PLAN"],
    &["ALTER", "MATERIALIZED", "TABLE"],
    &["ALTER", "TABLE"],
    &["ALTER", "VIEW"],
    &["ALTER", "FUNCTION"],
    &["ALTER", "DATABASE"],
    &["ALTER", "CATALOG"],
    &["ALTER", "MODEL"],
    &["ALTER"],
    &["SHOW"],
    &["DESCRIBE"],
    &["DESC"],
    &["EXPLAIN"],
    &["USE"],
    &["ANALYZE", "TABLE"],
    &["CALL"],
    &["LOAD", "MODULE"],
    &["UNLOAD", "MODULE"],
    &["ADD", "JAR"],
    &["REMOVE", "JAR"],
    &["STOP", "JOB"],
    &["UPDATE"],
    &["DELETE", "FROM"],
    &["TRUNCATE", "TABLE"],
    &["BEGIN"],
    &["END"],
    &["HELP"],
    &["QUIT"],
    &["EXIT"],
    &["CLEAR"],
    &["SOURCE"],
];

/// First words that no statement can contain elsewhere at its outermost level.
const BEGINNINGS: &[&str] = &[
    "INSERT", "CREATE", "DROP", "ALTER", "SET", "RESET", "EXECUTE", "BEGIN", "EXPLAIN", "SHOW", "USE", "DESCRIBE",
    "SELECT", "END",
];

/// True for the token `at` if it is a word that only the beginning of a statement can be.
pub(super) fn begins_statement(parser: &Parser<'_>, at: usize) -> bool {
    BEGINNINGS.iter().any(|word| parser.word_at(at, word))
}

impl Parser<'_> {
    pub(super) fn statement(&mut self) -> Parse<StatementKind> {
        let first = self.at;
        if self.at_word("CREATE") {
            return self.create();
        }
        if self.at_word("INSERT") {
            return Ok(StatementKind::Insert(self.insert()?));
        }
        if self.at_any(&["SELECT", "WITH", "VALUES", "TABLE"]) || self.at_symbol(Symbol::LeftParen) {
            return Ok(StatementKind::Query(self.query()?));
        }
        if self.eat_words(&["EXECUTE", "STATEMENT", "SET", "BEGIN"]) {
            return self.statement_set();
        }
        if self.eat_words(&["BEGIN", "STATEMENT", "SET"]) {
            self.expect(Symbol::Semicolon)?;
            return self.statement_set();
        }
        if self.at_words(&["EXECUTE", "INSERT"])
            || self.at_words(&["EXECUTE", "SELECT"])
            || self.at_words(&["EXECUTE", "WITH"])
        {
            self.at += 1;
            return self.statement();
        }
        if self.at_word("SET") {
            return self.set();
        }
        if self.at_word("RESET") {
            return Ok(self.reset());
        }
        if self.at_word("DROP") {
            return self.drop_statement();
        }
        match OTHERS.iter().find(|words| self.at_words(words)) {
            Some(words) => self.other(first, words.join(" ")),
            None => Err(self.unknown_statement()),
        }
    }

    /// Takes the rest of a statement that began at token `first` and that we do not read.
    pub(super) fn other(&mut self, first: usize, keyword: String) -> Parse<StatementKind> {
        self.at = first;
        while let Some(token) = self.peek() {
            match token.kind {
                TokenKind::Symbol(Symbol::Semicolon) => break,
                TokenKind::Unterminated | TokenKind::Template => {
                    return Err(self.unexpected("the end of the statement"));
                }
                _ => self.at += 1,
            }
        }
        Ok(StatementKind::Other { keyword, words: self.words(first, self.at), effects: Effects::default() })
    }

    fn unknown_statement(&self) -> Box<Diagnostic> {
        match self.peek() {
            Some(token) if matches!(token.kind, TokenKind::Word | TokenKind::Symbol(_)) => Box::new(
                Diagnostic::error(code::UNKNOWN_STATEMENT, format!("no statement begins with `{}`", self.peek_text()))
                    .at(token.span, "not the start of a statement"),
            ),
            _ => self.unexpected("a statement"),
        }
    }

    pub(super) fn insert(&mut self) -> Parse<Insert> {
        let start = self.start();
        self.expect_word("INSERT")?;
        let overwrite = self.eat_word("OVERWRITE");
        if overwrite {
            self.eat_word("INTO");
            self.eat_word("TABLE");
        } else {
            self.expect_word("INTO")?;
        }
        let target = self.object_name("the name of the table to insert into")?;
        let hints = self.hints()?;
        let mut partition = Vec::new();
        if self.eat_word("PARTITION") {
            partition = self.bracketed_list(|p| {
                let column = p.ident("a partition column")?;
                let value = if p.eat(Symbol::Equal) { Some(p.expr()?) } else { None };
                Ok((column, value))
            })?;
        }
        let columns = if self.at_column_list() { self.ident_list("a column name")? } else { Vec::new() };
        let query = self.query()?;
        Ok(Insert { span: self.since(start), target, overwrite, partition, columns, query, hints })
    }

    /// `(` that opens a column list, not a query.
    pub(super) fn at_column_list(&self) -> bool {
        self.at_symbol(Symbol::LeftParen)
            && !["SELECT", "WITH", "VALUES", "TABLE"].iter().any(|word| self.word_at(self.at + 1, word))
            && !self.symbol_ahead(1, Symbol::LeftParen)
    }

    /// The statements of a set, up to and with its `END`.
    fn statement_set(&mut self) -> Parse<StatementKind> {
        let mut inserts = Vec::new();
        loop {
            while self.eat(Symbol::Semicolon) {}
            if self.eat_word("END") {
                return Ok(StatementKind::StatementSet(inserts));
            }
            if !self.at_word("INSERT") {
                return Err(self.unexpected("`INSERT` or the `END` of the statement set"));
            }
            inserts.push(self.insert()?);
            if !self.at_symbol(Symbol::Semicolon) {
                return Err(self.unexpected("`;`"));
            }
        }
    }

    fn set(&mut self) -> Parse<StatementKind> {
        let first = self.at;
        self.expect_word("SET")?;
        if self.peek().is_none() || self.at_symbol(Symbol::Semicolon) {
            return self.other(first, "SET".to_owned());
        }
        let (key, _) = self.setting(Symbol::Equal);
        if key.is_empty() {
            return Err(self.unexpected("the name of a setting"));
        }
        self.expect(Symbol::Equal)?;
        let (value, value_span) = self.setting(Symbol::Semicolon);
        Ok(StatementKind::Set { key, value, value_span })
    }

    fn reset(&mut self) -> StatementKind {
        self.at += 1;
        let (key, _) = self.setting(Symbol::Semicolon);
        StatementKind::Reset { key: Some(key).filter(|key| !key.is_empty()) }
    }

    /// A key or value of `SET`: one string, or the raw text up to `end`, as Flink takes it.
    fn setting(&mut self, end: Symbol) -> (String, Span) {
        let first = self.peek();
        let start = self.at;
        while self.peek().is_some() && !self.at_symbol(end) && !self.at_symbol(Symbol::Semicolon) {
            self.at += 1;
        }
        match first {
            Some(token) if self.at > start => {
                let span = self.since(token.span.start);
                let text = span.of(self.text);
                let quoted = self.at == start + 1 && token.kind == TokenKind::String;
                (if quoted { string_value(text) } else { text.to_owned() }, span)
            }
            _ => (String::new(), self.since(self.previous_end())),
        }
    }

    fn drop_statement(&mut self) -> Parse<StatementKind> {
        self.expect_word("DROP")?;
        self.eat_word("TEMPORARY");
        self.eat_word("SYSTEM");
        let what = if self.eat_words(&["MATERIALIZED", "TABLE"]) {
            "MATERIALIZED TABLE".to_owned()
        } else {
            let known =
                ["TABLE", "VIEW", "FUNCTION", "DATABASE", "CATALOG", "MODEL", "CONNECTION", "AGENT", "TOOL", "SECRET"];
            match known.iter().find(|word| self.eat_word(word)) {
                Some(word) => (*word).to_owned(),
                None => return Err(self.unexpected("what is dropped, such as `TABLE`")),
            }
        };
        self.eat_words(&["IF", "EXISTS"]);
        let name = self.object_name("the name of what is dropped")?;
        let _ = self.eat_word("RESTRICT") || self.eat_word("CASCADE");
        Ok(StatementKind::Drop { what, name })
    }
}
