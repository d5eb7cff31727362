//! `CREATE TABLE` and `CREATE VIEW`.

use super::{Parse, Parser};
use crate::diagnostic::{Diagnostic, Edit, Span};
use crate::model::column::{ColumnType, Nullable};
use crate::sql::code;
use crate::sql::token::Symbol;
use crate::sql::tree::{
    ColumnDef, ColumnKind, CreateTable, CreateTableAs, CreateView, Distribution, Ident, Like, PrimaryKey,
    StatementKind, TableOption, Watermark,
};

impl Parser<'_> {
    pub(super) fn create(&mut self) -> Parse<StatementKind> {
        let first = self.at;
        let start = self.start();
        if self.at_words(&["REPLACE", "TABLE"]) {
            self.at += 1;
            return self.replace_table(start);
        }
        self.expect_word("CREATE")?;
        let or_replace = self.eat_words(&["OR", "REPLACE"]);
        if self.at_words(&["OR", "ALTER", "MATERIALIZED"]) || self.at_words(&["OR", "ALTER", "TABLE"]) {
            self.at += 2;
        }
        let temporary = self.eat_word("TEMPORARY");
        if self.at_word("SYSTEM") {
            // Functions only, and only temporary ones.
            let functions = temporary && self.word_at(self.at + 1, "FUNCTION");
            self.at += usize::from(temporary);
            if !functions {
                return Err(self.unexpected(if temporary { "`FUNCTION`" } else { "`TEMPORARY SYSTEM FUNCTION`" }));
            }
        }
        if self.eat_word("TABLE") {
            let mut table = self.create_table(start)?;
            table.temporary = temporary;
            table.or_replace = or_replace;
            if self.eat_word("AS") {
                let query = self.query()?;
                table.span = self.since(start);
                return Ok(StatementKind::CreateTableAs(Box::new(CreateTableAs { table, query })));
            }
            self.all_typed(&table)?;
            return Ok(StatementKind::CreateTable(table));
        }
        if self.eat_word("VIEW") {
            return self.create_view(temporary);
        }
        self.create_object(first)
    }

    /// `REPLACE TABLE ... AS query`
    fn replace_table(&mut self, start: usize) -> Parse<StatementKind> {
        self.expect_word("TABLE")?;
        let mut table = self.create_table(start)?;
        table.or_replace = true;
        self.expect_word("AS")?;
        let query = self.query()?;
        table.span = self.since(start);
        Ok(StatementKind::CreateTableAs(Box::new(CreateTableAs { table, query })))
    }

    /// Only `CREATE TABLE ... AS` may leave types out.
    pub(super) fn all_typed(&self, table: &CreateTable) -> Parse<()> {
        let is_bare =
            |c: &&ColumnDef| matches!(&c.kind, ColumnKind::Physical(ty) if ty.ty == ColumnType::Other(String::new()));
        match table.columns.iter().find(is_bare) {
            Some(column) => Err(Box::new(
                Diagnostic::error(code::SYNTAX, format!("column `{}` has no type", column.name.name))
                    .at(column.span, "expected a data type after the name"),
            )),
            None => Ok(()),
        }
    }

    fn create_view(&mut self, temporary: bool) -> Parse<StatementKind> {
        self.eat_words(&["IF", "NOT", "EXISTS"]);
        let name = self.object_name("the name of the view")?;
        let mut columns = Vec::new();
        if self.at_symbol(Symbol::LeftParen) {
            columns = self.ident_list("a column name")?;
        }
        let comment = self.table_comment()?;
        self.expect_word("AS")?;
        let query = self.query()?;
        Ok(StatementKind::CreateView(CreateView { name, temporary, columns, comment, query }))
    }

    /// The comment of a column or a catalog.
    pub(super) fn comment(&mut self) -> Parse<Option<String>> {
        if !self.eat_word("COMMENT") {
            return Ok(None);
        }
        Ok(Some(self.string("a comment in single quotes")?.0))
    }

    /// The comment of a table or a view.
    pub(super) fn table_comment(&mut self) -> Parse<Option<String>> {
        if !self.eat_word("COMMENT") {
            return Ok(None);
        }
        self.one_string("a comment in single quotes").map(Some)
    }

    fn create_table(&mut self, start: usize) -> Parse<CreateTable> {
        let if_not_exists = self.eat_words(&["IF", "NOT", "EXISTS"]);
        let name = self.object_name("the name of the table")?;
        let mut table = CreateTable { span: self.since(start), name, if_not_exists, ..self.empty_table() };
        if self.at_symbol(Symbol::LeftParen) {
            let open = self.start();
            if self.symbol_ahead(1, Symbol::RightParen) {
                self.at += 1;
                return Err(self.unexpected("a column, a constraint or a watermark"));
            }
            self.bracketed_list(|p| p.element(&mut table))?;
            table.elements_span = Some(self.since(open));
        }
        table.comment = self.table_comment()?;
        table.distribution = self.distribution()?;
        if self.eat_words(&["PARTITIONED", "BY"]) {
            table.partitioned_by = self.ident_list("a column name")?;
        }
        table.options_place = self.previous_end();
        if self.eat_word("WITH") {
            let open = self.start();
            table.options = self.bracketed_list(Self::table_option)?;
            table.options.iter().for_each(|option| self.warn_of_jinja(option));
            table.options_span = Some(self.since(open));
        }
        if self.at_word("LIKE") {
            table.like = Some(self.like()?);
        }
        table.span = self.since(start);
        Ok(table)
    }

    pub(super) fn element(&mut self, table: &mut CreateTable) -> Parse<()> {
        let start = self.start();
        if self.at_words(&["WATERMARK", "FOR"]) {
            if let Some(first) = &table.watermark {
                self.report_second_watermark(first.span);
            }
            self.at += 2;
            let column = self.object_name("the time attribute's name")?;
            self.expect_word("AS")?;
            let expr = self.expr()?;
            table.watermark = Some(Watermark { column, expr, span: self.since(start) });
            return Ok(());
        }
        let constraint = self.eat_word("CONSTRAINT");
        if constraint {
            self.ident("the constraint's name")?;
        }
        if self.at_words(&["PRIMARY", "KEY"]) {
            self.at += 2;
            let columns = self.ident_list("a column name")?;
            self.not_enforced(start);
            table.primary_key = Some(PrimaryKey { columns, span: self.since(start) });
            return Ok(());
        }
        if constraint || (self.at_word("UNIQUE") && self.symbol_ahead(1, Symbol::LeftParen)) {
            self.expect_word("UNIQUE")?;
            self.ident_list("a column name")?;
            self.eat_words(&["NOT", "ENFORCED"]);
            return Ok(());
        }
        let column = self.column(table)?;
        table.columns.push(column);
        Ok(())
    }

    fn not_enforced(&mut self, start: usize) {
        if self.eat_words(&["NOT", "ENFORCED"]) {
            return;
        }
        self.eat_word("ENFORCED");
        let span = self.since(start);
        let mut problem = Diagnostic::error(code::ENFORCED_KEY, "a primary key without `NOT ENFORCED`")
            .at(span, "Flink cannot enforce it")
            .help("write PRIMARY KEY (...) NOT ENFORCED");
        problem.edits.push(Edit { span: Span::new(span.end, span.end), text: " NOT ENFORCED".to_owned() });
        self.diagnostics.push(problem);
    }

    pub(super) fn column(&mut self, table: &mut CreateTable) -> Parse<ColumnDef> {
        let start = self.start();
        let name = self.ident("a column name")?;
        let value_start = self.start();
        if self.at_symbol(Symbol::Comma) || self.at_symbol(Symbol::RightParen) {
            // CREATE TABLE t (a, b) AS SELECT ...: the query gives the types.
            let kind = ColumnKind::Physical(Nullable { ty: ColumnType::Other(String::new()), nullable: true });
            let span = self.since(start);
            return Ok(ColumnDef { name, kind, value_start: span.end, value_end: span.end, comment: None, span });
        }
        if self.eat_word("AS") {
            let expr = self.expr()?;
            let text = expr.span.of(self.text).to_owned();
            let value_end = expr.span.end;
            let comment = self.comment()?;
            return Ok(ColumnDef {
                name,
                kind: ColumnKind::Computed { expr, text },
                value_start,
                value_end,
                comment,
                span: self.since(start),
            });
        }
        let ty = self.column_type()?;
        let value_end = self.previous_end();
        let named = self.eat_word("CONSTRAINT");
        if named {
            self.ident("the constraint's name")?;
        }
        let key_start = self.start();
        if self.eat_words(&["PRIMARY", "KEY"]) {
            self.not_enforced(key_start);
            table.primary_key = Some(PrimaryKey { columns: vec![name.clone()], span: self.since(key_start) });
        } else if self.eat_word("UNIQUE") {
            self.eat_words(&["NOT", "ENFORCED"]);
        } else if named {
            return Err(self.unexpected("`PRIMARY KEY` or `UNIQUE`"));
        }
        let keyed = self.previous_end() > key_start;
        let kind = if !keyed && self.eat_word("METADATA") {
            let key =
                if self.eat_word("FROM") { Some(self.string("the metadata key in single quotes")?.0) } else { None };
            ColumnKind::Metadata { ty, key, is_virtual: self.eat_word("VIRTUAL") }
        } else {
            ColumnKind::Physical(ty)
        };
        let comment = self.comment()?;
        Ok(ColumnDef { name, kind, value_start, value_end, comment, span: self.since(start) })
    }

    pub(super) fn distribution(&mut self) -> Parse<Option<Distribution>> {
        let start = self.start();
        if !self.eat_word("DISTRIBUTED") && !self.eat_words(&["DISTRIBUTION"]) {
            return Ok(None);
        }
        let mut kind = None;
        let mut columns = Vec::new();
        if self.eat_word("BY") {
            if !self.at_symbol(Symbol::LeftParen) {
                kind = Some(self.peek_text().to_ascii_uppercase());
                if !self.eat_word("HASH") && !self.eat_word("RANGE") {
                    return Err(self.unexpected("`HASH`, `RANGE` or a column list"));
                }
            }
            columns = self.ident_list("a column name")?;
        }
        let mut buckets = None;
        if self.eat_word("INTO") {
            buckets = Some(u64::from(self.small_number("the number of buckets")?));
            self.expect_word("BUCKETS")?;
        }
        Ok(Some(Distribution { kind, columns, buckets, span: self.since(start) }))
    }

    pub(super) fn table_option(&mut self) -> Parse<TableOption> {
        let (key, key_span) = self.string("an option's key in single quotes")?;
        self.expect(Symbol::Equal)?;
        let (value, value_span) = self.string("the option's value in single quotes")?;
        if self.at_symbol(Symbol::Equal) {
            return Err(self.missing_comma());
        }
        Ok(TableOption { key, value, key_span, value_span })
    }

    fn like(&mut self) -> Parse<Like> {
        let start = self.start();
        self.expect_word("LIKE")?;
        let table = self.object_name("the name of the table to be like")?;
        let mut options = Vec::new();
        if self.eat(Symbol::LeftParen) {
            while !self.eat(Symbol::RightParen) {
                let from = self.start();
                const PARTS: &[&str] = &[
                    "ALL",
                    "CONSTRAINTS",
                    "DISTRIBUTION",
                    "GENERATED",
                    "METADATA",
                    "OPTIONS",
                    "PARTITIONS",
                    "WATERMARKS",
                ];
                if !self.at_any(&["INCLUDING", "EXCLUDING", "OVERWRITING"]) {
                    return Err(self.unexpected("`INCLUDING`, `EXCLUDING` or `OVERWRITING`"));
                }
                self.at += 1;
                if !self.at_any(PARTS) {
                    return Err(self.unexpected("what to include, such as `ALL` or `OPTIONS`"));
                }
                self.at += 1;
                let text = self.since(from).of(self.text).to_ascii_uppercase();
                options.push(text.split_whitespace().collect::<Vec<_>>().join(" "));
            }
        }
        Ok(Like { table, options, span: self.since(start) })
    }
}

/// The key's columns as plain names.
impl PrimaryKey {
    /// The names of the key's columns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|c: &Ident| c.name.as_str())
    }
}
