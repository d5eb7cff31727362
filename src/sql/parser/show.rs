//! Statements that ask or set something for the session: `SHOW`, `DESCRIBE`, `EXPLAIN`, `USE`, modules, jars, jobs, plans.

use super::cloud::CLOUD_ONLY;
use super::{Parse, Parser};
use crate::sql::token::{Symbol, TokenKind};
use crate::sql::tree::{Effects, NamedObject, ObjectName, Statement, StatementKind};

/// What `EXPLAIN` can be asked to tell besides.
const DETAILS: &[&str] = &["ESTIMATED_COST", "CHANGELOG_MODE", "JSON_EXECUTION_PLAN", "PLAN_ADVICE"];

impl Parser<'_> {
    /// The statement from token `first` up to here, which has no kind of its own.
    pub(super) fn read_as(&self, first: usize, keyword: &str, effects: Effects) -> StatementKind {
        StatementKind::Other { keyword: keyword.to_owned(), words: self.words(first, self.at), effects }
    }

    fn asked(&self, first: usize, keyword: &str) -> StatementKind {
        self.read_as(first, keyword, Effects::default())
    }

    /// About a table or view.
    fn asked_about(&self, first: usize, keyword: &str, table: ObjectName) -> StatementKind {
        self.read_as(first, keyword, Effects { mentions: vec![table], ..Effects::default() })
    }

    pub(super) fn show(&mut self) -> Parse<StatementKind> {
        let first = self.at;
        self.expect_word("SHOW")?;
        if self.eat_word("CREATE") {
            return self.show_create(first);
        }
        if self.eat_word("CURRENT") {
            if !self.eat_word("CATALOG") {
                self.expect_word("DATABASE")?;
            }
        } else if self.eat_word("PARTITIONS") {
            let table = self.object_name("the name of a table")?;
            if self.at_word("PARTITION") {
                self.partition_spec(true)?;
            }
            return Ok(self.asked_about(first, "SHOW", table));
        } else if self.eat_word("CATALOGS") {
            self.like_filter(true)?;
        } else if self.eat_word("COLUMNS") {
            if !self.at_any(&["FROM", "IN"]) {
                return Err(self.unexpected("`FROM` or `IN`"));
            }
            let table = self.within()?;
            self.like_filter(false)?;
            return Ok(match table {
                Some(table) => self.asked_about(first, "SHOW", table),
                None => self.asked(first, "SHOW"),
            });
        } else {
            let whole = ["MODULES", "JARS", "JOBS"];
            if self.eat_words(&["FULL", "MODULES"]) || whole.iter().any(|word| self.eat_word(word)) {
                return Ok(self.asked(first, "SHOW"));
            }
            let _ = self.at_words(&["USER", "FUNCTIONS"]) && self.eat_word("USER");
            let _ = self.at_words(&["MATERIALIZED", "TABLES"]) && self.eat_word("MATERIALIZED");
            let any_case = self.at_any(&["DATABASES", "FUNCTIONS", "PROCEDURES"]);
            // The last three are Confluent Cloud's.
            let kinds = ["TABLES", "VIEWS", "MODELS", "CONNECTIONS", "TOOLS", "AGENTS"];
            if !any_case && !self.at_any(&kinds) {
                return Err(self.unexpected("what to show, such as `TABLES`"));
            }
            self.at += 1;
            self.within()?;
            self.like_filter(any_case)?;
        }
        Ok(self.asked(first, "SHOW"))
    }

    fn show_create(&mut self, first: usize) -> Parse<StatementKind> {
        if self.at_words(&["MATERIALIZED", "TABLE"]) {
            self.at += 1;
        }
        let kinds = ["TABLE", "VIEW", "CATALOG", "MODEL"].iter().chain(CLOUD_ONLY);
        let Some(kind) = kinds.copied().find(|word| self.eat_word(word)) else {
            return Err(self.unexpected("`TABLE`, `VIEW`, `CATALOG` or `MODEL`"));
        };
        let name = self.object_name("a name")?;
        if matches!(kind, "TABLE" | "VIEW") {
            return Ok(self.asked_about(first, "SHOW", name));
        }
        Ok(self.about(first, "SHOW", NamedObject::new(kind, name)))
    }

    /// `FROM catalog.database`
    fn within(&mut self) -> Parse<Option<ObjectName>> {
        if self.eat_word("FROM") || self.eat_word("IN") {
            return self.object_name("a name").map(Some);
        }
        Ok(None)
    }

    /// `[NOT] LIKE 'pattern'`; `ILIKE` only in some statements.
    fn like_filter(&mut self, any_case: bool) -> Parse<()> {
        let not = self.eat_word("NOT");
        if self.eat_word("LIKE") || (any_case && self.eat_word("ILIKE")) {
            self.one_string("a pattern in single quotes")?;
        } else if not {
            return Err(self.unexpected("`LIKE` or `ILIKE`"));
        }
        Ok(())
    }

    pub(super) fn describe(&mut self) -> Parse<StatementKind> {
        let first = self.at;
        self.at += 1;
        if self.eat_word("JOB") {
            self.one_string("the job's id in single quotes")?;
            return Ok(self.asked(first, "DESCRIBE"));
        }
        let mut kind = None;
        if !self.eat_word("TABLE") {
            let named = self.peek_at(1).is_some_and(|t| matches!(t.kind, TokenKind::Word | TokenKind::Quoted));
            // A table may have the name of one of Confluent Cloud's kinds.
            let cloud: &[&str] = if named { CLOUD_ONLY } else { &[] };
            let kinds = ["CATALOG", "DATABASE", "FUNCTION", "MODEL"].iter().chain(cloud);
            kind = kinds.copied().find(|word| self.eat_word(word));
            self.eat_word("EXTENDED");
        }
        let name = self.object_name("the name of what is described")?;
        Ok(match kind {
            Some(kind) => self.about(first, "DESCRIBE", NamedObject::new(kind, name)),
            None => self.asked_about(first, "DESCRIBE", name),
        })
    }

    pub(super) fn explain(&mut self) -> Parse<StatementKind> {
        let first = self.at;
        self.expect_word("EXPLAIN")?;
        if self.at_any(DETAILS) {
            loop {
                if !DETAILS.iter().any(|word| self.eat_word(word)) {
                    return Err(self.unexpected("what to tell, such as `CHANGELOG_MODE`"));
                }
                if !self.eat(Symbol::Comma) {
                    break;
                }
            }
        } else if self.eat_word("PLAN") {
            self.expect_word("FOR")?;
        }
        let part = self.part(&[
            "EXECUTE",
            "STATEMENT",
            "INSERT",
            "UPSERT",
            "CREATE",
            "REPLACE",
            "SELECT",
            "WITH",
            "VALUES",
            "VALUE",
            "TABLE",
        ])?;
        if let StatementKind::CreateTable(_) = &part.kind {
            return Err(self.unexpected("`AS`"));
        }
        Ok(self.read_as(first, "EXPLAIN", Effects { parts: vec![part], ..Effects::default() }))
    }

    /// A statement inside of another one, which begins with one of `words` or is a query in brackets.
    pub(super) fn part(&mut self, words: &[&str]) -> Parse<Statement> {
        if !self.at_any(words) && !self.at_symbol(Symbol::LeftParen) {
            return Err(self.unexpected("a statement"));
        }
        let start = self.start();
        let kind = self.nested(|p| if p.at_words(&["STATEMENT", "SET"]) { p.short_set() } else { p.statement() })?;
        Ok(Statement { span: self.since(start), kind })
    }

    /// `STATEMENT SET BEGIN ...; END`, as after `EXPLAIN`.
    fn short_set(&mut self) -> Parse<StatementKind> {
        self.at += 2;
        self.expect_word("BEGIN")?;
        self.statement_set()
    }

    /// `COMPILE PLAN`, `COMPILE AND EXECUTE PLAN`
    pub(super) fn compile(&mut self) -> Parse<StatementKind> {
        let first = self.at;
        self.expect_word("COMPILE")?;
        let runs = self.eat_words(&["AND", "EXECUTE"]);
        self.expect_word("PLAN")?;
        self.string("the plan's path in single quotes")?;
        if !runs {
            self.eat_words(&["IF", "NOT", "EXISTS"]);
        }
        self.expect_word("FOR")?;
        let part = self.part(&["INSERT", "STATEMENT"])?;
        let keyword = if runs { "COMPILE AND EXECUTE PLAN" } else { "COMPILE PLAN" };
        Ok(self.read_as(first, keyword, Effects { parts: vec![part], ..Effects::default() }))
    }

    pub(super) fn use_statement(&mut self) -> Parse<StatementKind> {
        let first = self.at;
        self.expect_word("USE")?;
        if self.eat_word("MODULES") {
            self.comma_list(|p| p.ident("the name of a module"))?;
            return Ok(self.asked(first, "USE MODULES"));
        }
        if self.eat_word("CATALOG") {
            self.ident("the name of a catalog")?;
            return Ok(self.asked(first, "USE CATALOG"));
        }
        self.object_name("the name of a database")?;
        Ok(self.asked(first, "USE"))
    }

    /// `LOAD MODULE`, `UNLOAD MODULE`
    pub(super) fn module(&mut self) -> Parse<StatementKind> {
        let first = self.at;
        let loads = self.eat_word("LOAD");
        if !loads {
            self.expect_word("UNLOAD")?;
        }
        self.expect_word("MODULE")?;
        self.ident("the name of a module")?;
        if loads && self.eat_word("WITH") {
            self.properties()?;
        }
        Ok(self.asked(first, if loads { "LOAD MODULE" } else { "UNLOAD MODULE" }))
    }

    /// `ADD JAR 'path'`, `REMOVE JAR 'path'`
    pub(super) fn jar(&mut self) -> Parse<StatementKind> {
        let first = self.at;
        let adds = self.at_word("ADD");
        self.at += 1;
        self.expect_word("JAR")?;
        self.one_string("the jar's path in single quotes")?;
        Ok(self.asked(first, if adds { "ADD JAR" } else { "REMOVE JAR" }))
    }

    pub(super) fn stop_job(&mut self) -> Parse<StatementKind> {
        let first = self.at;
        self.expect_word("STOP")?;
        self.expect_word("JOB")?;
        self.one_string("the job's id in single quotes")?;
        let _ = self.eat_words(&["WITH", "SAVEPOINT"]) && self.eat_words(&["WITH", "DRAIN"]);
        Ok(self.asked(first, "STOP JOB"))
    }

    pub(super) fn call_procedure(&mut self) -> Parse<StatementKind> {
        let first = self.at;
        self.expect_word("CALL")?;
        let start = self.start();
        let name = self.object_name("the name of a procedure")?;
        if !self.at_symbol(Symbol::LeftParen) {
            return Err(self.unexpected("`(`"));
        }
        self.call(start, name)?;
        Ok(self.asked(first, "CALL"))
    }

    pub(super) fn analyze(&mut self) -> Parse<StatementKind> {
        let first = self.at;
        self.expect_word("ANALYZE")?;
        self.expect_word("TABLE")?;
        let table = self.object_name("the name of a table")?;
        if self.at_word("PARTITION") {
            self.partition_spec(false)?;
        }
        self.expect_word("COMPUTE")?;
        self.expect_word("STATISTICS")?;
        if self.eat_word("FOR") && !self.eat_words(&["ALL", "COLUMNS"]) {
            self.expect_word("COLUMNS")?;
            self.comma_list(|p| p.ident("a column name"))?;
        }
        Ok(self.asked_about(first, "ANALYZE TABLE", table))
    }

    /// `HELP`, `QUIT`, ...: commands of the SQL client.
    pub(super) fn client_command(&mut self) -> Parse<StatementKind> {
        let first = self.at;
        let keyword = self.peek_text().to_ascii_uppercase();
        self.at += 1;
        if keyword == "SOURCE" {
            return self.other(first, keyword);
        }
        Ok(self.asked(first, &keyword))
    }
}
