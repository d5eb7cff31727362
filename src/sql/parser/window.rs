//! Windows of rows: `OVER`, `WINDOW`, `PARTITION BY`.

use super::{Parse, Parser};
use crate::sql::token::Symbol;
use crate::sql::tree::{Expr, WindowSpec};

impl Parser<'_> {
    pub(super) fn over(&mut self) -> Parse<WindowSpec> {
        if self.at_symbol(Symbol::LeftParen) {
            return self.window_spec();
        }
        let base = self.ident("a window")?;
        Ok(WindowSpec {
            span: base.span,
            base: Some(base),
            partition_by: Vec::new(),
            order_by: Vec::new(),
            frame: Vec::new(),
        })
    }

    /// `(base PARTITION BY ... ORDER BY ... ROWS ...)`
    pub(super) fn window_spec(&mut self) -> Parse<WindowSpec> {
        let start = self.start();
        self.expect(Symbol::LeftParen)?;
        let mut spec = WindowSpec {
            span: self.since(start),
            base: None,
            partition_by: Vec::new(),
            order_by: Vec::new(),
            frame: Vec::new(),
        };
        if self.at_ident() {
            spec.base = Some(self.ident("the name of a window")?);
        }
        spec.partition_by = self.partition_by()?;
        spec.order_by = self.order_by()?;
        if self.eat_word("ROWS") || self.eat_word("RANGE") || self.eat_word("GROUPS") {
            if self.eat_word("BETWEEN") {
                self.frame_bound(&mut spec)?;
                self.expect_word("AND")?;
            }
            self.frame_bound(&mut spec)?;
        }
        let _ = self.eat_words(&["ALLOW", "PARTIAL"]) || self.eat_words(&["DISALLOW", "PARTIAL"]);
        self.expect(Symbol::RightParen)?;
        spec.span = self.since(start);
        Ok(spec)
    }

    pub(super) fn partition_by(&mut self) -> Parse<Vec<Expr>> {
        if !self.eat_words(&["PARTITION", "BY"]) {
            return Ok(Vec::new());
        }
        self.comma_list(Self::expr)
    }

    fn frame_bound(&mut self, spec: &mut WindowSpec) -> Parse<()> {
        if self.eat_word("CURRENT") {
            return self.expect_word("ROW");
        }
        if !self.eat_word("UNBOUNDED") {
            let bound = self.operand()?;
            spec.frame.push(bound);
        }
        if self.eat_word("PRECEDING") || self.eat_word("FOLLOWING") {
            return Ok(());
        }
        Err(self.unexpected("`PRECEDING` or `FOLLOWING`"))
    }
}
