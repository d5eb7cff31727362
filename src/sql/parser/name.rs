//! Names: what can be one, and what was surely meant as one.

use super::{Parse, Parser, unquote};
use crate::sql::keyword::{is_reserved, is_structure};
use crate::sql::lexer::is_name_part;
use crate::sql::token::{Symbol, TokenKind};
use crate::sql::tree::{Ident, ObjectName};

impl Parser<'_> {
    /// An identifier. A reserved word is taken as one if it can have been meant so, with a diagnostic.
    pub(super) fn ident(&mut self, what: &str) -> Parse<Ident> {
        let Some(token) = self.peek() else { return Err(self.unexpected(what)) };
        let text = token.text(self.text);
        let name = match token.kind {
            TokenKind::Word if text == "$" => return Err(self.unexpected(what)),
            TokenKind::Word if !is_reserved(text) => text.to_owned(),
            TokenKind::Word if !is_structure(text) => {
                self.report_reserved(token);
                text.to_owned()
            }
            TokenKind::Quoted => {
                self.report_placeholder_in(token);
                unquote(text, '`')
            }
            TokenKind::DoubleQuoted => {
                let name = unquote(text, '"');
                self.report_double_quotes(token, &name);
                name
            }
            _ => return Err(self.unexpected(what)),
        };
        self.at += 1;
        self.names.push(token.span);
        Ok(Ident { name, span: token.span })
    }

    /// True if the next token can be a name as it stands.
    pub(super) fn at_ident(&self) -> bool {
        match self.peek() {
            Some(t) => match t.kind {
                TokenKind::Word => !is_reserved(t.text(self.text)),
                TokenKind::Quoted | TokenKind::DoubleQuoted => true,
                _ => false,
            },
            None => false,
        }
    }

    pub(super) fn object_name(&mut self, what: &str) -> Parse<ObjectName> {
        let first = self.ident(what)?;
        let mut span = first.span;
        let mut parts = vec![first];
        while self.at_symbol(Symbol::Dot) && !self.symbol_ahead(1, Symbol::Star) {
            self.at += 1;
            if self.at_dollar_behind_dot() {
                return Err(self.unexpected("a name after the dot, in backquotes if it has a `$`"));
            }
            let part = self.ident("a name after the dot")?;
            span = span.join(part.span);
            parts.push(part);
        }
        Ok(ObjectName { parts, span })
    }

    /// True behind a dot at a name that Flink's lexer would take together with the one before: `t.$rowtime`, `t.a$b`, but
    /// not `t. $rowtime`, `t.a$`, `t.a$1`.
    fn at_dollar_behind_dot(&self) -> bool {
        let Some(token) = self.peek().filter(|t| t.kind == TokenKind::Word) else { return false };
        let [name, dot] = [2, 1].map(|back| self.at.checked_sub(back).and_then(|at| self.tokens.get(at)).copied());
        let (Some(name), Some(dot)) = (name, dot) else { return false };
        let together =
            name.kind == TokenKind::Word && name.span.end == dot.span.start && dot.span.end == token.span.start;
        let text = token.text(self.text);
        let joins = |tail: &str| tail.starts_with(|c: char| c == '$' || is_name_part(c) && !c.is_numeric());
        together && text.split_once('$').is_some_and(|(_, tail)| joins(tail))
    }

    /// `(a, b)`
    pub(super) fn ident_list(&mut self, what: &str) -> Parse<Vec<Ident>> {
        let names = self.bracketed_list(|p| p.ident(what))?;
        if names.is_empty() {
            // The closing bracket is where the first name should stand.
            self.at -= 1;
            return Err(self.unexpected(what));
        }
        Ok(names)
    }
}
