//! The way out of frequent mistakes: what to write instead, where the text shows what was meant.

use super::Parser;
use crate::diagnostic::{Diagnostic, Edit, Span};
use crate::sql::keyword::{is_reserved, is_structure, quote};
use crate::sql::token::{Symbol, Token, TokenKind};

/// Words that begin a clause and are misspelled most.
#[rustfmt::skip]
const CLAUSES: &[&str] = &[
    "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "JOIN", "LEFT", "INNER", "UNION", "VALUES", "WITH", "SELECT",
];

/// Words that begin a statement, or follow `CREATE`, `ALTER` and `DROP`.
#[rustfmt::skip]
const STARTS: &[&str] = &[
    "SELECT", "INSERT", "CREATE", "ALTER", "DROP", "WITH", "EXECUTE", "DESCRIBE", "EXPLAIN", "TABLE", "TEMPORARY", "VIEW",
    "FUNCTION", "CATALOG", "DATABASE", "MATERIALIZED", "VALUES", "UPDATE", "DELETE", "TRUNCATE", "RESET", "REPLACE", "MERGE",
];

/// Characters that look like one of SQL's, and the one that was meant.
#[rustfmt::skip]
const ALIKE: &[(char, &str)] = &[
    ('\u{2018}', "'"), ('\u{2019}', "'"), ('\u{201c}', "'"), ('\u{201d}', "'"), ('\u{b4}', "'"), ('\u{ff1b}', ";"),
    ('\u{ff0c}', ","), ('\u{ff08}', "("), ('\u{ff09}', ")"), ('\u{ff1d}', "="), ('\u{2013}', "-"), ('\u{2014}', "--"),
    ('\u{a0}', " "), ('\u{3000}', " "), ('\u{200b}', ""), ('\u{feff}', ""), ('#', "--"),
];

impl Parser<'_> {
    /// Adds to `problem`, which is about `token` where `wanted` should stand, what to do about it.
    pub(super) fn with_help(&self, mut problem: Diagnostic, token: Token, wanted: &str) -> Diagnostic {
        if let Some((help, edit)) = self.help(token, wanted) {
            problem.help = Some(help);
            problem.edits.extend(edit);
        }
        problem
    }

    fn help(&self, token: Token, wanted: &str) -> Option<(String, Option<Edit>)> {
        let text = token.text(self.text);
        let replace = |by: &str| Some(Edit { span: token.span, text: by.to_owned() });
        match token.kind {
            TokenKind::Unknown => {
                let (_, meant) = ALIKE.iter().find(|(c, _)| text.starts_with(*c))?;
                return Some(match *meant {
                    "--" if text == "#" => ("a comment begins with `--`".to_owned(), None),
                    "'" => ("write a string in straight single quotes: '...'".to_owned(), replace("'")),
                    " " | "" => {
                        ("this character cannot be seen: take it out, or write a blank".to_owned(), replace(meant))
                    }
                    meant => (format!("write `{meant}`"), replace(meant)),
                });
            }
            TokenKind::String if names_something(wanted) => {
                let name = super::string_value(text);
                return Some((format!("names are quoted by backquotes: {}", quote(&name)), replace(&quote(&name))));
            }
            TokenKind::Word | TokenKind::Integer | TokenKind::Decimal if wanted.ends_with("in single quotes") => {
                return Some(("put single quotes around it".to_owned(), None));
            }
            TokenKind::Word => {}
            TokenKind::Symbol(symbol) => return self.help_for_symbol(token, symbol),
            _ => return None,
        }
        self.help_for_word(token, text, wanted).map(|help| (help, None))
    }

    fn help_for_symbol(&self, token: Token, symbol: Symbol) -> Option<(String, Option<Edit>)> {
        let previous = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).copied()?;
        let adjacent = previous.span.end == token.span.start;
        let twice = |other: Symbol| adjacent && previous.kind == TokenKind::Symbol(other);
        match symbol {
            Symbol::DoubleColon => Some(("write CAST(value AS type)".to_owned(), None)),
            Symbol::Equal if twice(Symbol::Equal) => {
                Some(("write a single `=`".to_owned(), Some(Edit { span: token.span, text: String::new() })))
            }
            Symbol::Ampersand => Some(("write AND".to_owned(), None)),
            Symbol::Minus if adjacent && matches!(previous.kind, TokenKind::Word) => self.help_for_hyphens(previous),
            Symbol::Less if previous.text(self.text).eq_ignore_ascii_case("STRUCT") => {
                Some(("Flink's type for nested fields is ROW<name type, ...>".to_owned(), None))
            }
            _ => None,
        }
    }

    /// `my-topic` where a name stands: everything up to the next blank belongs to it.
    fn help_for_hyphens(&self, first: Token) -> Option<(String, Option<Edit>)> {
        let mut span = first.span;
        for token in self.tokens.get(self.at..).unwrap_or(&[]).iter().take(20) {
            let part = matches!(token.kind, TokenKind::Word | TokenKind::Integer | TokenKind::Symbol(Symbol::Minus));
            if token.span.start != span.end || !part {
                break;
            }
            span = span.join(token.span);
        }
        let name = quote(span.of(self.text));
        Some((format!("a name with `-` in it needs backquotes: {name}"), Some(Edit { span, text: name })))
    }

    fn help_for_word(&self, token: Token, text: &str, wanted: &str) -> Option<String> {
        let previous = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).copied();
        if let Some(previous) = previous
            && previous.kind == TokenKind::String
            && previous.span.end == token.span.start
        {
            return Some("a quote is missing, or one inside of a string is not written twice: 'it''s'".to_owned());
        }
        if wanted.starts_with("a name after the dot") && text.contains('$') {
            return Some(format!("put it in backquotes: {}", quote(text)));
        }
        let upper = text.to_ascii_uppercase();
        let by = self.word_at(self.at + 1, "BY");
        if upper == "TO" && self.at.checked_sub(1).is_some_and(|at| self.unit_at(at).is_some()) {
            return Some("two units go with a length in single quotes, and are YEAR TO MONTH or DAY, HOUR, MINUTE TO a smaller one, down to SECOND".to_owned());
        }
        match upper.as_str() {
            "GROUP" | "ORDER" if wanted == END && !by => return Some(format!("write {upper} BY")),
            "PARTITION" if wanted == END && by => return Some("write PARTITIONED BY (...)".to_owned()),
            "DATETIME" if wanted == "a data type" => return Some("Flink's type is TIMESTAMP(3)".to_owned()),
            _ => {}
        }
        if is_reserved(text) {
            let meant = match wanted {
                END => !is_structure(text),
                "an expression" => self.could_follow_a_name(),
                _ => names_something(wanted),
            };
            return meant.then(|| format!("if it is meant as a name, put it in backquotes: {}", quote(text)));
        }
        if wanted.starts_with("what is ") {
            return near(text, STARTS).map(did_you_mean);
        }
        // The word before was taken for an alias.
        let alias = previous.filter(|t| wanted == END && t.kind == TokenKind::Word)?;
        near(alias.text(self.text), CLAUSES).map(did_you_mean)
    }

    /// True if what comes behind the next token is what comes behind a name.
    fn could_follow_a_name(&self) -> bool {
        let Some(next) = self.peek_at(1) else { return true };
        let words = ["FROM", "AS", "IS", "IN", "AND", "OR", "LIKE", "BETWEEN", "ASC", "DESC"];
        match next.kind {
            TokenKind::Symbol(symbol) => !matches!(symbol, Symbol::LeftParen | Symbol::Semicolon | Symbol::Star),
            _ => words.iter().any(|word| self.word_at(self.at + 1, word)),
        }
    }

    /// A statement that no known word begins.
    pub(super) fn help_for_start(word: &str) -> Option<String> {
        near(word, STARTS).map(did_you_mean)
    }

    /// `COLUMN` in `ALTER TABLE`, `TABLE` in `INSERT INTO TABLE`: other systems have the word, Flink has not. Says so and
    /// goes on behind it.
    pub(super) fn pass_foreign_word(&mut self, word: &str) {
        let names = |t: Token| matches!(t.kind, TokenKind::Word | TokenKind::Quoted);
        let named = self.peek_at(1).is_some_and(names);
        if !self.at_word(word) || !named {
            return;
        }
        let Some(token) = self.bump() else { return };
        let next = self.start();
        let mut problem = Diagnostic::error(crate::sql::code::SYNTAX, format!("Flink SQL has no `{word}` here"))
            .at(token.span, "leave it out");
        problem.edits.push(Edit { span: Span::new(token.span.start, next), text: String::new() });
        self.diagnostics.push(problem);
    }
}

const END: &str = "the end of the statement";

fn names_something(wanted: &str) -> bool {
    ["a table", "a column", "an alias", "the name of", "a name", "the new name", "a function", "a partition column"]
        .iter()
        .any(|start| wanted.starts_with(start))
        && !wanted.ends_with("in single quotes")
}

fn did_you_mean(word: &str) -> String {
    format!("did you mean {word}?")
}

/// The known word that `word` is one slip away from: a letter too many, too few, another one, or two of them swapped.
fn near<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    if !(3..=16).contains(&word.len()) || !word.is_ascii() {
        return None;
    }
    let word = word.to_ascii_uppercase();
    known.iter().copied().find(|known| *known != word && is_slip(word.as_bytes(), known.as_bytes()))
}

fn is_slip(word: &[u8], known: &[u8]) -> bool {
    let same = word.iter().zip(known).take_while(|(a, b)| a == b).count();
    let (word, known) = (word.get(same..).unwrap_or(&[]), known.get(same..).unwrap_or(&[]));
    let rest = |bytes: &[u8], from: usize| bytes.get(from..).map(<[u8]>::to_vec);
    match (word, known) {
        ([a, b, tail @ ..], [c, d, end @ ..]) if a == d && b == c && tail == end => true,
        _ => [(1, 0), (0, 1), (1, 1)].iter().any(|(skip, other)| {
            let tails = (rest(word, *skip), rest(known, *other));
            tails.0.is_some() && tails.0 == tails.1
        }),
    }
}
