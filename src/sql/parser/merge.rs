//! `MERGE`, as Calcite's grammar has it: one update, then one insert, at least one of them, and no other action.

use super::{Parse, Parser};
use crate::sql::token::{Symbol, TokenKind};
use crate::sql::tree::{Effects, Expr, Merge, MergeInsert, ObjectName, StatementKind};

impl Parser<'_> {
    /// `MERGE INTO target [AS alias] USING source ON condition WHEN ...`
    pub(super) fn merge(&mut self) -> Parse<StatementKind> {
        let first = self.at;
        self.expect_word("MERGE")?;
        self.expect_word("INTO")?;
        let target = self.object_name("the name of the table to merge into")?;
        let hints = self.hints()?;
        let aliased = self.at_kind(TokenKind::Quoted) || self.eat_word("AS") || self.at_ident();
        let alias = if aliased { Some(self.ident("an alias")?) } else { None };
        self.expect_word("USING")?;
        let source = self.factor()?;
        self.expect_word("ON")?;
        let on = self.expr()?;
        let update = if self.at_words(&["WHEN", "MATCHED"]) { self.merge_update()? } else { Vec::new() };
        let inserts = self.at_word("WHEN") || update.is_empty();
        let insert = if inserts { Some(self.merge_insert()?) } else { None };
        let writes = vec![target.clone()];
        let merge = Some(Box::new(Merge { target, alias, hints, source, on, update, insert }));
        Ok(self.read_as(first, "MERGE", Effects { writes, merge, ..Effects::default() }))
    }

    /// `WHEN MATCHED THEN UPDATE SET column = value, ...`
    fn merge_update(&mut self) -> Parse<Vec<(ObjectName, Expr)>> {
        self.at += 2;
        for word in ["THEN", "UPDATE", "SET"] {
            self.expect_word(word)?;
        }
        self.comma_list(|p| {
            let column = p.object_name("a column name")?;
            p.expect(Symbol::Equal)?;
            Ok((column, p.expr()?))
        })
    }

    /// `WHEN NOT MATCHED THEN INSERT [(columns)] VALUES (values)`, the values also in brackets with their word.
    fn merge_insert(&mut self) -> Parse<MergeInsert> {
        for word in ["WHEN", "NOT", "MATCHED", "THEN", "INSERT"] {
            self.expect_word(word)?;
        }
        let columns = if self.at_column_list() { self.ident_list("a column name")? } else { Vec::new() };
        let bracketed = self.eat(Symbol::LeftParen);
        if !self.eat_word("VALUES") {
            return Err(self.unexpected("`VALUES`"));
        }
        let values = self.values_row()?;
        if bracketed {
            self.expect(Symbol::RightParen)?;
        }
        Ok(MergeInsert { columns, values })
    }
}
