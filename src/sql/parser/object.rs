//! `CREATE` of what is no table and no view; materialized tables.

use super::{Parse, Parser};
use crate::diagnostic::Span;
use crate::model::column::ColumnType;
use crate::sql::token::{Symbol, TokenKind};
use crate::sql::tree::{
    ColumnKind, CreateTable, Effects, NamedObject, ObjectName, Statement, StatementKind, TableOption,
};

impl Parser<'_> {
    /// After `CREATE [TEMPORARY] [SYSTEM]`; the statement began at token `first`.
    pub(super) fn create_object(&mut self, first: usize) -> Parse<StatementKind> {
        if self.eat_words(&["MATERIALIZED", "TABLE"]) {
            return self.create_materialized(first);
        }
        if self.eat_word("FUNCTION") {
            return self.create_function(first);
        }
        if self.eat_word("MODEL") {
            return self.create_model(first);
        }
        if self.eat_word("CATALOG") {
            self.eat_words(&["IF", "NOT", "EXISTS"]);
            let mut object = NamedObject::new("CATALOG", self.only_part("the name of the catalog")?);
            self.comment_and_properties(&mut object)?;
            return Ok(self.about(first, "CREATE", object));
        }
        if self.eat_word("DATABASE") {
            self.eat_words(&["IF", "NOT", "EXISTS"]);
            let mut object = NamedObject::new("DATABASE", self.object_name("the name of the database")?);
            self.comment_and_properties(&mut object)?;
            return Ok(self.about(first, "CREATE", object));
        }
        match self.eat_cloud_kind() {
            Some(kind) => self.create_cloud(first, kind),
            None => Err(self.unexpected("what is created, such as `TABLE` or `VIEW`")),
        }
    }

    /// A name that has no catalog and no database before it.
    pub(super) fn only_part(&mut self, what: &str) -> Parse<ObjectName> {
        let only = self.ident(what)?;
        Ok(ObjectName { span: only.span, parts: vec![only] })
    }

    fn comment_and_properties(&mut self, object: &mut NamedObject) -> Parse<()> {
        object.comment = self.comment()?;
        if self.eat_word("WITH") {
            object.options = self.properties()?;
        }
        Ok(())
    }

    /// `('key' = 'value', ...)`
    pub(super) fn properties(&mut self) -> Parse<Vec<TableOption>> {
        self.bracketed_list(Self::table_option)
    }

    /// `('key', ...)`
    pub(super) fn property_keys(&mut self) -> Parse<()> {
        self.bracketed_list(|p| p.string("an option's key in single quotes")).map(|_| ())
    }

    fn create_function(&mut self, first: usize) -> Parse<StatementKind> {
        self.eat_words(&["IF", "NOT", "EXISTS"]);
        let mut object = NamedObject::new("FUNCTION", self.object_name("the name of the function")?);
        self.function_class()?;
        if self.at_word("USING") && !self.at_words(&["USING", "CONNECTIONS"]) {
            self.at += 1;
            self.comma_list(|p| {
                p.expect_word("JAR")?;
                p.one_string("a path in single quotes")
            })?;
        }
        if self.eat_words(&["USING", "CONNECTIONS"]) {
            self.function_connections(&mut object.uses)?;
        }
        if self.eat_word("WITH") {
            object.options = self.properties()?;
        }
        Ok(self.about(first, "CREATE", object))
    }

    /// `AS 'class' [LANGUAGE JAVA]`
    pub(super) fn function_class(&mut self) -> Parse<()> {
        self.expect_word("AS")?;
        self.one_string("the name of a class in single quotes")?;
        if self.eat_word("LANGUAGE") && !["JAVA", "SCALA", "SQL", "PYTHON"].iter().any(|word| self.eat_word(word)) {
            return Err(self.unexpected("`JAVA`, `SCALA`, `SQL` or `PYTHON`"));
        }
        Ok(())
    }

    fn create_model(&mut self, first: usize) -> Parse<StatementKind> {
        self.eat_words(&["IF", "NOT", "EXISTS"]);
        let mut object = NamedObject::new("MODEL", self.object_name("the name of the model")?);
        let mut typed = false;
        for word in ["INPUT", "OUTPUT"] {
            if self.eat_word(word) {
                typed = true;
                self.model_columns()?;
            }
        }
        self.comment_and_properties(&mut object)?;
        let mut parts = Vec::new();
        if !typed && self.eat_word("AS") {
            parts.push(self.query_part()?);
        }
        Ok(self.read_as(first, "CREATE MODEL", Effects { parts, object: Some(object), ..Effects::default() }))
    }

    fn model_columns(&mut self) -> Parse<()> {
        let mut columns = self.empty_table();
        self.bracketed_list(|p| {
            let column = p.column(&mut columns)?;
            match &column.kind {
                ColumnKind::Physical(ty) if ty.ty != ColumnType::Other(String::new()) => Ok(()),
                ColumnKind::Physical(_) => Err(p.unexpected("a data type")),
                _ => Err(p.unexpected("`,` or `)`")),
            }
        })?;
        Ok(())
    }

    /// A table without anything: a beginning, or filled and thrown away where elements of tables stand in other statements.
    pub(super) fn empty_table(&self) -> CreateTable {
        let span = Span::new(self.start(), self.start());
        CreateTable {
            span,
            name: ObjectName { parts: Vec::new(), span },
            temporary: false,
            or_replace: false,
            if_not_exists: false,
            columns: Vec::new(),
            elements_span: None,
            primary_key: None,
            watermark: None,
            comment: None,
            distribution: None,
            partitioned_by: Vec::new(),
            options: Vec::new(),
            options_span: None,
            options_place: span.end,
            like: None,
        }
    }

    pub(super) fn query_part(&mut self) -> Parse<Statement> {
        let start = self.start();
        let query = self.query()?;
        Ok(Statement { span: self.since(start), kind: StatementKind::Query(query) })
    }

    fn create_materialized(&mut self, first: usize) -> Parse<StatementKind> {
        self.eat_words(&["IF", "NOT", "EXISTS"]);
        let name = self.object_name("the name of the table")?;
        self.materialized_definition(first, "CREATE MATERIALIZED TABLE", name)
    }

    /// What stands between the name of a materialized table and the end of its query.
    ///
    /// Columns, watermarks and `START_MODE` are Confluent Cloud's; Flink 2.2 has keys only.
    pub(super) fn materialized_definition(
        &mut self,
        first: usize,
        keyword: &str,
        name: ObjectName,
    ) -> Parse<StatementKind> {
        let mut table = self.empty_table();
        if self.at_symbol(Symbol::LeftParen) {
            if self.symbol_ahead(1, Symbol::RightParen) {
                self.at += 1;
                return Err(self.unexpected("a column, a constraint or a watermark"));
            }
            self.bracketed_list(|p| p.element(&mut table))?;
        }
        self.comment()?;
        self.distribution()?;
        if self.eat_words(&["PARTITIONED", "BY"]) {
            self.ident_list("a column name")?;
        }
        if self.eat_word("WITH") {
            self.properties()?;
        }
        if self.eat_word("FRESHNESS") {
            self.expect(Symbol::Equal)?;
            self.freshness()?;
        }
        if self.eat_word("REFRESH_MODE") {
            self.expect(Symbol::Equal)?;
            self.refresh_mode()?;
        }
        if self.eat_word("START_MODE") {
            self.expect(Symbol::Equal)?;
            self.start_mode()?;
        }
        self.expect_word("AS")?;
        let parts = vec![self.query_part()?];
        Ok(self.read_as(first, keyword, Effects { writes: vec![name], parts, ..Effects::default() }))
    }

    /// Where a materialized table begins to read: `FROM_BEGINNING`, `FROM_NOW(INTERVAL '1' DAY)`, ...
    fn start_mode(&mut self) -> Parse<()> {
        if self.eat_word("FROM_BEGINNING") || self.eat_word("RESUME_OR_FROM_BEGINNING") {
            return Ok(());
        }
        let timestamp = self.at_any(&["FROM_TIMESTAMP", "RESUME_OR_FROM_TIMESTAMP"]);
        if !timestamp && !self.at_any(&["FROM_NOW", "RESUME_OR_FROM_NOW"]) {
            return Err(self.unexpected("where to begin, such as `FROM_BEGINNING`"));
        }
        self.at += 1;
        if !timestamp && !self.at_symbol(Symbol::LeftParen) {
            return Ok(());
        }
        self.expect(Symbol::LeftParen)?;
        self.expr()?;
        self.expect(Symbol::RightParen)
    }

    pub(super) fn refresh_mode(&mut self) -> Parse<()> {
        if self.eat_word("FULL") || self.eat_word("CONTINUOUS") {
            return Ok(());
        }
        Err(self.unexpected("`FULL` or `CONTINUOUS`"))
    }

    /// `UPDATE t SET a = 1 [WHERE ...]`, `DELETE FROM t [WHERE ...]`, `TRUNCATE TABLE t`
    pub(super) fn change_rows(&mut self) -> Parse<StatementKind> {
        let first = self.at;
        let mut exprs = Vec::new();
        let keyword = self.peek_text().to_ascii_uppercase();
        self.at += 1;
        match keyword.as_str() {
            "DELETE" => self.expect_word("FROM")?,
            "TRUNCATE" => self.expect_word("TABLE")?,
            _ => {}
        }
        let name = self.object_name("the name of a table")?;
        if keyword != "TRUNCATE" {
            self.hints()?;
            let aliased = self.at_kind(TokenKind::Quoted) || self.eat_word("AS") || self.at_ident();
            if aliased {
                self.ident("an alias")?;
            }
        }
        if keyword == "UPDATE" {
            self.expect_word("SET")?;
            self.comma_list(|p| {
                p.ident("a column name")?;
                p.expect(Symbol::Equal)?;
                exprs.push(p.expr()?);
                Ok(())
            })?;
        }
        if keyword != "TRUNCATE" && self.eat_word("WHERE") {
            exprs.push(self.expr()?);
        }
        Ok(self.read_as(first, &keyword, Effects { writes: vec![name], exprs, ..Effects::default() }))
    }
}
