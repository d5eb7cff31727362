//! Statements by their first words; `INSERT`, `SET`, statement sets.

use super::{Parse, Parser, string_value};
use crate::diagnostic::{Diagnostic, Span};
use crate::sql::code;
use crate::sql::token::{Symbol, TokenKind};
use crate::sql::tree::{Effects, Insert, StatementKind};

/// First words that no statement can contain elsewhere at its outermost level.
const BEGINNINGS: &[&str] = &[
    "INSERT", "CREATE", "DROP", "ALTER", "SET", "RESET", "EXECUTE", "BEGIN", "EXPLAIN", "SHOW", "USE", "DESCRIBE",
    "SELECT", "END", "MERGE", "UPDATE", "DELETE", "TRUNCATE", "CALL",
];

/// True for the token `at` if it is a word that only the beginning of a statement can be.
pub(super) fn begins_statement(parser: &Parser<'_>, at: usize) -> bool {
    BEGINNINGS.iter().any(|word| parser.word_at(at, word))
}

impl Parser<'_> {
    pub(super) fn statement(&mut self) -> Parse<StatementKind> {
        if self.at_word("CREATE") || self.at_words(&["REPLACE", "TABLE"]) {
            return self.create();
        }
        if self.at_any(&["INSERT", "UPSERT"]) {
            return Ok(StatementKind::Insert(self.insert()?));
        }
        if self.at_any(&["SELECT", "WITH", "VALUES", "VALUE", "TABLE"]) || self.at_symbol(Symbol::LeftParen) {
            return Ok(StatementKind::Query(self.query()?));
        }
        if self.eat_word("BEGIN") {
            self.expect_word("STATEMENT")?;
            self.expect_word("SET")?;
            // The script may go on elsewhere.
            if self.peek().is_none() {
                return Ok(self.read_as(self.at - 3, "BEGIN STATEMENT SET", Effects::default()));
            }
            self.expect(Symbol::Semicolon)?;
            return self.statement_set();
        }
        if self.at_word("EXECUTE") {
            return self.execute();
        }
        if self.at_word("SET") {
            return self.set();
        }
        if self.at_word("RESET") {
            return self.reset();
        }
        if self.at_word("DROP") {
            return self.drop_statement();
        }
        match self.peek_text().to_ascii_uppercase().as_str() {
            "ALTER" => self.alter(),
            "SHOW" => self.show(),
            "DESCRIBE" | "DESC" => self.describe(),
            "EXPLAIN" => self.explain(),
            "COMPILE" => self.compile(),
            "USE" => self.use_statement(),
            "LOAD" | "UNLOAD" => self.module(),
            "STOP" => self.stop_job(),
            "CALL" => self.call_procedure(),
            "ANALYZE" => self.analyze(),
            "UPDATE" | "DELETE" | "TRUNCATE" => self.change_rows(),
            "MERGE" => self.merge(),
            "ADD" | "REMOVE" => self.jar(),
            "END" | "HELP" | "QUIT" | "EXIT" | "CLEAR" | "SOURCE" => self.client_command(),
            _ => Err(self.unknown_statement()),
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

    /// `EXECUTE PLAN 'path'`, `EXECUTE INSERT ...`, `EXECUTE SELECT ...`
    fn execute(&mut self) -> Parse<StatementKind> {
        let first = self.at;
        self.expect_word("EXECUTE")?;
        if self.eat_word("STATEMENT") {
            self.expect_word("SET")?;
            self.expect_word("BEGIN")?;
            if !self.at_any(&["INSERT", "UPSERT"]) {
                return Err(self.unexpected("`INSERT`"));
            }
            return self.statement_set();
        }
        if self.eat_word("PLAN") {
            self.string("the plan's path in single quotes")?;
            return Ok(self.read_as(first, "EXECUTE PLAN", Effects::default()));
        }
        Ok(self.part(&["INSERT", "UPSERT", "SELECT", "WITH", "VALUES", "VALUE", "TABLE"])?.kind)
    }

    fn unknown_statement(&self) -> Box<Diagnostic> {
        match self.peek() {
            Some(token) if matches!(token.kind, TokenKind::Word | TokenKind::Symbol(_)) => {
                let text = self.peek_text();
                let message = format!("no statement begins with `{text}`");
                let problem =
                    Diagnostic::error(code::UNKNOWN_STATEMENT, message).at(token.span, "not the start of a statement");
                Box::new(Diagnostic { help: Self::help_for_start(text), ..problem })
            }
            _ => self.unexpected("a statement"),
        }
    }

    pub(super) fn insert(&mut self) -> Parse<Insert> {
        let start = self.start();
        let upsert = self.eat_word("UPSERT");
        if !upsert {
            self.expect_word("INSERT")?;
        }
        let overwrite = !upsert && self.eat_word("OVERWRITE");
        if !overwrite {
            self.expect_word("INTO")?;
        }
        self.pass_foreign_word("TABLE");
        let target = self.object_name("the name of the table to insert into")?;
        let hints = self.hints()?;
        let mut partition = Vec::new();
        if self.at_word("PARTITION") {
            partition = self.partition_spec(true)?;
        }
        let columns = if self.at_column_list() { self.ident_list("a column name")? } else { Vec::new() };
        let query = self.query()?;
        Ok(Insert { span: self.since(start), target, overwrite, partition, columns, query, hints })
    }

    /// `(` that opens a column list, not a query.
    pub(super) fn at_column_list(&self) -> bool {
        self.at_symbol(Symbol::LeftParen)
            && !["SELECT", "WITH", "VALUES", "VALUE", "TABLE"].iter().any(|word| self.word_at(self.at + 1, word))
            && !self.symbol_ahead(1, Symbol::LeftParen)
    }

    /// The statements of a set, up to and with its `END`.
    pub(super) fn statement_set(&mut self) -> Parse<StatementKind> {
        let mut inserts = Vec::new();
        loop {
            while self.eat(Symbol::Semicolon) {}
            if self.eat_word("END") {
                return Ok(StatementKind::StatementSet(inserts));
            }
            if !self.at_any(&["INSERT", "UPSERT"]) {
                return Err(self.no_end_of_set());
            }
            inserts.push(self.insert()?);
            if self.at_any(&["INSERT", "UPSERT", "END"]) {
                self.report_missing_semicolon();
            } else if !self.at_symbol(Symbol::Semicolon) {
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
        if self.at_kind(TokenKind::String) {
            let (key, _) = self.string("the name of a setting")?;
            self.expect(Symbol::Equal)?;
            let (value, value_span) = self.string("the setting's value in single quotes")?;
            return Ok(StatementKind::Set { key, value, value_span });
        }
        let (key, _) = self.raw_setting(Symbol::Equal)?;
        if key.is_empty() {
            return Err(self.unexpected("the name of a setting"));
        }
        self.expect(Symbol::Equal)?;
        let quoted = self.peek().filter(|t| t.kind == TokenKind::String);
        let (value, value_span) = match quoted {
            Some(token) => {
                self.at += 1;
                (string_value(token.text(self.text)), token.span)
            }
            None => self.raw_setting(Symbol::Semicolon)?,
        };
        if value_span.start == value_span.end {
            return Err(self.unexpected("the setting's value"));
        }
        Ok(StatementKind::Set { key, value, value_span })
    }

    fn reset(&mut self) -> Parse<StatementKind> {
        self.at += 1;
        let (key, _) = if self.at_kind(TokenKind::String) {
            self.string("the name of a setting")?
        } else {
            self.raw_setting(Symbol::Semicolon)?
        };
        Ok(StatementKind::Reset { key: Some(key).filter(|key| !key.is_empty()) })
    }

    /// A key or value that is not in quotes: the raw text up to `end`, as Flink takes it, without blanks in it.
    fn raw_setting(&mut self, end: Symbol) -> Parse<(String, Span)> {
        let (first, start) = (self.at, self.start());
        while self.peek().is_some() && !self.at_symbol(end) && !self.at_symbol(Symbol::Semicolon) {
            if self.at_kind(TokenKind::Template) {
                return Err(self.unexpected("one word, or text in single quotes"));
            }
            self.at += 1;
        }
        if self.at == first {
            return Ok((String::new(), Span::new(self.previous_end(), self.previous_end())));
        }
        let span = self.since(start);
        let text = span.of(self.text);
        if text.contains(char::is_whitespace) || text.starts_with('\'') {
            self.at = first;
            return Err(self.unexpected("one word, or text in single quotes"));
        }
        Ok((text.to_owned(), span))
    }

    fn drop_statement(&mut self) -> Parse<StatementKind> {
        self.expect_word("DROP")?;
        self.eat_word("TEMPORARY");
        let system = self.eat_word("SYSTEM");
        if system && !self.at_word("FUNCTION") {
            return Err(self.unexpected("`FUNCTION`"));
        }
        let what = if self.eat_words(&["MATERIALIZED", "TABLE"]) {
            "MATERIALIZED TABLE".to_owned()
        } else {
            let known = ["TABLE", "VIEW", "FUNCTION", "DATABASE", "CATALOG", "MODEL"];
            match known.iter().chain(super::cloud::CLOUD_ONLY).find(|word| self.eat_word(word)) {
                Some(word) => (*word).to_owned(),
                None => return Err(self.unexpected("what is dropped, such as `TABLE`")),
            }
        };
        self.eat_words(&["IF", "EXISTS"]);
        let name = if what == "CATALOG" {
            self.only_part("the name of what is dropped")?
        } else {
            self.object_name("the name of what is dropped")?
        };
        let _ = what == "DATABASE" && (self.eat_word("RESTRICT") || self.eat_word("CASCADE"));
        Ok(StatementKind::Drop { what, name })
    }
}
