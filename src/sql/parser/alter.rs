//! `ALTER` in all its forms.

use super::{Parse, Parser};
use crate::sql::token::Symbol;
use crate::sql::tree::{
    CreateTable, Effects, Expr, ExprKind, Ident, NamedObject, ObjectName, StatementKind, TableOption, Watermark,
};

impl Parser<'_> {
    pub(super) fn alter(&mut self) -> Parse<StatementKind> {
        let first = self.at;
        self.expect_word("ALTER")?;
        if self.eat_words(&["MATERIALIZED", "TABLE"]) {
            return self.alter_materialized(first);
        }
        if self.eat_word("TABLE") {
            return self.alter_table(first);
        }
        if self.eat_word("VIEW") {
            return self.alter_view(first);
        }
        if self.eat_word("MODEL") {
            self.eat_words(&["IF", "EXISTS"]);
            let mut object = NamedObject::new("MODEL", self.object_name("the name of a model")?);
            self.rename_or_set(&mut object)?;
            return Ok(self.about(first, "ALTER", object));
        }
        if self.eat_word("CATALOG") {
            let mut object = NamedObject::new("CATALOG", self.only_part("the name of a catalog")?);
            if !self.at_word("COMMENT") {
                object.options = self.set_or_reset("`SET`, `RESET` or `COMMENT`")?;
            } else {
                object.comment = self.comment()?;
            }
            return Ok(self.about(first, "ALTER", object));
        }
        if self.eat_word("DATABASE") {
            let mut object = NamedObject::new("DATABASE", self.object_name("the name of a database")?);
            self.expect_word("SET")?;
            object.options = self.properties()?;
            return Ok(self.about(first, "ALTER", object));
        }
        if self.at_any(&["FUNCTION", "TEMPORARY"]) {
            let _ = self.eat_word("TEMPORARY") && self.eat_word("SYSTEM");
            self.expect_word("FUNCTION")?;
            self.eat_words(&["IF", "EXISTS"]);
            let object = NamedObject::new("FUNCTION", self.object_name("the name of a function")?);
            self.function_class()?;
            return Ok(self.about(first, "ALTER", object));
        }
        match self.eat_cloud_kind() {
            Some(kind) => self.alter_cloud(first, kind),
            None => Err(self.unexpected("what is altered, such as `TABLE`")),
        }
    }

    /// `SET (...)`, whose options are returned, or `RESET (...)`.
    pub(super) fn set_or_reset(&mut self, forms: &str) -> Parse<Vec<TableOption>> {
        if self.eat_word("SET") {
            return self.properties();
        }
        if self.eat_word("RESET") {
            self.property_keys()?;
            return Ok(Vec::new());
        }
        Err(self.unexpected(forms))
    }

    fn altered(&self, first: usize, what: &str, writes: Vec<ObjectName>) -> StatementKind {
        self.read_as(first, what, Effects { writes, ..Effects::default() })
    }

    fn alter_view(&mut self, first: usize) -> Parse<StatementKind> {
        let mut writes = vec![self.object_name("the name of a view")?];
        if self.eat_word("AS") {
            let parts = vec![self.query_part()?];
            return Ok(self.read_as(first, "ALTER VIEW", Effects { writes, parts, ..Effects::default() }));
        }
        if self.eat_words(&["RENAME", "TO"]) {
            writes.push(self.object_name("the new name")?);
        } else if self.eat_word("SET") {
            self.properties()?;
        } else {
            return Err(self.unexpected("`AS`, `SET` or `RENAME TO`"));
        }
        Ok(self.altered(first, "ALTER VIEW", writes))
    }

    fn alter_table(&mut self, first: usize) -> Parse<StatementKind> {
        self.eat_words(&["IF", "EXISTS"]);
        let mut writes = vec![self.object_name("the name of a table")?];
        if self.eat_word("RENAME") {
            self.pass_foreign_word("COLUMN");
            if self.eat_word("TO") {
                writes.push(self.object_name("the new name")?);
            } else {
                self.object_name("a column name")?;
                self.expect_word("TO")?;
                self.ident("the new name")?;
            }
        } else if self.eat_word("ADD") {
            if self.at_words(&["IF", "NOT", "EXISTS"]) || self.at_word("PARTITION") {
                self.add_partitions()?;
            } else {
                self.changed_elements()?;
            }
        } else if self.eat_word("MODIFY") {
            self.changed_elements()?;
        } else if self.eat_word("DROP") {
            self.dropped_elements()?;
        } else if self.eat_words(&["SET", "LIGHTNING", "MODE"]) {
            // Confluent Cloud's.
            self.expect(Symbol::LeftParen)?;
            self.ident("a mode")?;
            self.expect(Symbol::RightParen)?;
        } else {
            self.set_or_reset("`ADD`, `MODIFY`, `DROP`, `RENAME`, `SET` or `RESET`")?;
        }
        Ok(self.altered(first, "ALTER TABLE", writes))
    }

    fn add_partitions(&mut self) -> Parse<()> {
        self.eat_words(&["IF", "NOT", "EXISTS"]);
        loop {
            self.partition_spec(true)?;
            if self.eat_word("WITH") {
                self.properties()?;
            }
            if !self.at_word("PARTITION") {
                return Ok(());
            }
        }
    }

    /// `PARTITION (column = value, ...)`; without values only where `valued` is false.
    pub(super) fn partition_spec(&mut self, valued: bool) -> Parse<Vec<(Ident, Option<Expr>)>> {
        self.expect_word("PARTITION")?;
        let parts = self.bracketed_list(|p| {
            let column = p.ident("a partition column")?;
            if !valued && !p.at_symbol(Symbol::Equal) {
                return Ok((column, None));
            }
            p.expect(Symbol::Equal)?;
            Ok((column, Some(p.constant()?)))
        })?;
        if parts.is_empty() {
            self.at -= 1;
            return Err(self.unexpected("a partition column"));
        }
        Ok(parts)
    }

    /// A literal, with its sign.
    fn constant(&mut self) -> Parse<Expr> {
        let start = self.start();
        let signed = self.eat(Symbol::Minus) || self.eat(Symbol::Plus);
        let value = self.primary()?;
        match value.kind {
            ExprKind::Literal(_) => Ok(Expr { span: self.since(start), kind: value.kind }),
            ExprKind::Interval(_) if !signed => Ok(value),
            _ => {
                self.at = self.tokens.partition_point(|t| t.span.start < value.span.start);
                Err(self.unexpected("a literal"))
            }
        }
    }

    /// After `ADD` or `MODIFY`: one element, several in brackets, or the distribution.
    fn changed_elements(&mut self) -> Parse<()> {
        if self.at_word("DISTRIBUTION") {
            return self.distribution().map(|_| ());
        }
        self.pass_foreign_word("COLUMN");
        if self.at_symbol(Symbol::LeftParen) {
            let mut watermark = None;
            let elements = self.bracketed_list(|p| p.changed_element(&mut watermark))?;
            if elements.is_empty() {
                self.at -= 1;
                return Err(self.unexpected("a column, a constraint or a watermark"));
            }
            return Ok(());
        }
        self.changed_element(&mut None)
    }

    /// One of several elements; `watermark` is the one that was among those before it.
    fn changed_element(&mut self, watermark: &mut Option<Watermark>) -> Parse<()> {
        let mut table = self.empty_table();
        table.watermark = watermark.take();
        self.altered_element(&mut table)?;
        *watermark = table.watermark.take();
        self.all_typed(&table)?;
        if table.columns.is_empty() {
            return Ok(());
        }
        if self.eat_word("AFTER") {
            self.object_name("a column name")?;
        } else {
            self.eat_word("FIRST");
        }
        Ok(())
    }

    /// An element of a table, whose column may be a field of a nested row.
    fn altered_element(&mut self, table: &mut CreateTable) -> Parse<()> {
        while self.at_ident() && self.symbol_ahead(1, Symbol::Dot) {
            self.ident("a column name")?;
            self.at += 1;
        }
        self.element(table)
    }

    fn dropped_elements(&mut self) -> Parse<()> {
        if self.eat_words(&["PRIMARY", "KEY"]) || self.eat_word("WATERMARK") || self.eat_word("DISTRIBUTION") {
            return Ok(());
        }
        if self.eat_word("CONSTRAINT") {
            return self.ident("the constraint's name").map(|_| ());
        }
        self.pass_foreign_word("COLUMN");
        if self.at_words(&["IF", "EXISTS"]) || self.at_word("PARTITION") {
            self.eat_words(&["IF", "EXISTS"]);
            loop {
                self.partition_spec(true)?;
                if !self.eat(Symbol::Comma) {
                    return Ok(());
                }
            }
        }
        if self.at_symbol(Symbol::LeftParen) {
            let names = self.bracketed_list(|p| p.object_name("a column name"))?;
            if names.is_empty() {
                self.at -= 1;
                return Err(self.unexpected("a column name"));
            }
            return Ok(());
        }
        self.object_name("a column name").map(|_| ())
    }

    fn alter_materialized(&mut self, first: usize) -> Parse<StatementKind> {
        let name = self.object_name("the name of a table")?;
        let defined = ["AS", "COMMENT", "DISTRIBUTED", "WITH", "START_MODE"];
        if self.at_symbol(Symbol::LeftParen) || self.at_any(&defined) {
            return self.materialized_definition(first, "ALTER MATERIALIZED TABLE", name);
        }
        if self.eat_word("SUSPEND") {
        } else if self.eat_word("RESUME") {
            if self.eat_word("WITH") {
                self.properties()?;
            }
        } else if self.eat_word("REFRESH") {
            if self.at_word("PARTITION") {
                self.partition_spec(true)?;
            }
        } else if self.at_words(&["SET", "FRESHNESS"]) {
            self.at += 2;
            self.expect(Symbol::Equal)?;
            self.freshness()?;
        } else if self.at_words(&["SET", "REFRESH_MODE"]) {
            self.at += 2;
            self.expect(Symbol::Equal)?;
            self.refresh_mode()?;
        } else if self.eat_word("ADD") || self.eat_word("MODIFY") {
            // Columns and watermarks are Confluent Cloud's.
            self.changed_elements()?;
        } else if self.eat_word("DROP") {
            if !self.eat_word("DISTRIBUTION") && !self.eat_word("WATERMARK") {
                return Err(self.unexpected("`DISTRIBUTION` or `WATERMARK`"));
            }
        } else {
            self.set_or_reset("`AS`, `SUSPEND`, `RESUME`, `REFRESH`, `SET` or `RESET`")?;
        }
        Ok(self.altered(first, "ALTER MATERIALIZED TABLE", vec![name]))
    }
}
