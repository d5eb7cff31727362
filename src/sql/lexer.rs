//! From text to tokens.
//!
//! Rules: total and lossless: every byte of every input ends up in exactly one token, in order. Strings may span lines;
//! names in backquotes may not. A byte order mark is blank at the start and unknown elsewhere. A placeholder `${...}` ends on
//! its line; Jinja's `{{ ... }}` and `{% ... %}` may span lines but hold no other of their kind, `{# ... #}` may hold anything.

use super::steps;
use super::token::{Symbol, Token, TokenKind};
use crate::diagnostic::Span;

/// The tokens of `text`. Their texts, one after the other, are `text`.
///
/// Where the last string has no end, a quote is missing somewhere, and all strings behind it are inside out. Then a string
/// ends at the latest where a `;` ends a line, so that only one statement is lost.
pub fn tokenize(text: &str) -> Vec<Token> {
    let tokens = tokenize_as(text, Strings::OverLines);
    let open = tokens.last().filter(|t| t.kind == TokenKind::Unterminated && is_string(t.text(text)));
    if open.is_none() || end_of_statement_line(text).is_none() {
        return tokens;
    }
    tokenize_as(text, Strings::InStatement)
}

fn tokenize_as(text: &str, strings: Strings) -> Vec<Token> {
    let mut lexer =
        Lexer { text, at: 0, hint: Hint::Outside, strings, no_brace: 0, no_note: false, no_charset_before: 0 };
    let mut tokens = Vec::with_capacity(text.len() / 4);
    while lexer.at < text.len() {
        let start = lexer.at;
        let kind = lexer.next();
        if lexer.at <= start {
            // Cannot happen; if it ever does, one character becomes unknown and the lexer goes on.
            lexer.at = start + lexer.first().map_or(1, char::len_utf8);
        }
        tokens.push(Token { kind, span: Span::new(start, lexer.at) });
    }
    tokens
}

/// True if `c` may begin a name.
pub(crate) fn is_name_start(c: char) -> bool {
    c == '_' || c == '$' || c.is_alphabetic()
}

/// True if `c` may stand inside a name.
pub(crate) fn is_name_part(c: char) -> bool {
    is_name_start(c) || c.is_numeric()
}

#[derive(Clone, Copy, PartialEq)]
enum Hint {
    Outside,
    Inside,
}

/// How far a string may reach.
#[derive(Clone, Copy, PartialEq)]
enum Strings {
    OverLines,
    InStatement,
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    hint: Hint,
    strings: Strings,
    /// Up to here no `}` ends a `${`: known from an earlier look.
    no_brace: usize,
    /// No `#}` comes any more.
    no_note: bool,
    /// No string with the name of its character set begins before this byte: that far was looked already.
    no_charset_before: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn first(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !wanted(c)).unwrap_or(rest.len());
    }

    fn next(&mut self) -> TokenKind {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return TokenKind::Unknown };
        if is_blank(first) || (self.at == 0 && first == '\u{feff}') {
            self.at += first.len_utf8();
            self.take_while(is_blank);
            return TokenKind::Whitespace;
        }
        if rest.starts_with("--") || rest.starts_with("//") {
            self.take_while(|c| c != '\n' && c != '\r');
            return TokenKind::LineComment;
        }
        if rest.starts_with("/*+") {
            self.at += 3;
            self.hint = Hint::Inside;
            return TokenKind::HintOpen;
        }
        if rest.starts_with("/*") {
            return self.block_comment();
        }
        if self.hint == Hint::Inside && rest.starts_with("*/") {
            self.at += 2;
            self.hint = Hint::Outside;
            return TokenKind::HintClose;
        }
        if let Some(kind) = self.template() {
            return kind;
        }
        if let Some(kind) = self.prefixed_literal() {
            return kind;
        }
        match first {
            '\'' => self.string(1, TokenKind::String),
            '`' => self.quoted('`', TokenKind::Quoted),
            '"' => self.quoted('"', TokenKind::DoubleQuoted),
            c if is_name_start(c) => self.word(),
            c if c.is_ascii_digit() => self.number(),
            '.' if rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit()) => self.number(),
            _ => self.symbol(first),
        }
    }

    fn block_comment(&mut self) -> TokenKind {
        match self.rest().get(2..).and_then(|body| body.find("*/")) {
            Some(end) => {
                self.at += end + 4;
                TokenKind::BlockComment
            }
            None => {
                self.at = self.text.len();
                TokenKind::Unterminated
            }
        }
    }

    /// `${...}`, `{{ ... }}`, `{% ... %}`, `{# ... #}`
    fn template(&mut self) -> Option<TokenKind> {
        let rest = self.rest();
        let length = if rest.starts_with("${{") {
            // As workflows write it: the dollar belongs to it.
            1 + jinja(rest.get(1..)?, "}}")?
        } else if rest.starts_with("${") && self.at >= self.no_brace {
            match rest.find(['}', '\n']) {
                Some(end) if rest.as_bytes().get(end) == Some(&b'}') => end + 1,
                open => {
                    self.no_brace = self.at + open.unwrap_or(rest.len());
                    return None;
                }
            }
        } else if rest.starts_with("{{") {
            jinja(rest, "}}")?
        } else if rest.starts_with("{%") {
            jinja(rest, "%}")?
        } else if rest.starts_with("{#") && !self.no_note {
            let end = rest.get(2..)?.find("#}");
            self.no_note = end.is_none();
            end? + 4
        } else {
            return None;
        };
        self.at += length;
        Some(TokenKind::Template)
    }

    fn prefixed_literal(&mut self) -> Option<TokenKind> {
        let rest = self.rest();
        let begins = |openings: &[&str]| openings.iter().any(|open| rest.starts_with(open));
        if begins(&["n'", "N'"]) {
            return Some(self.string(2, TokenKind::String));
        }
        if begins(&["u&'", "U&'"]) {
            return Some(self.string(3, TokenKind::String));
        }
        if begins(&["x'", "X'"]) {
            return Some(self.string(2, TokenKind::Bytes));
        }
        if begins(&["e'", "E'"]) {
            return Some(self.escaped_string(2));
        }
        self.string_with_charset()
    }

    /// `_utf8'...'`
    fn string_with_charset(&mut self) -> Option<TokenKind> {
        let rest = self.rest();
        if !rest.starts_with('_') || self.at < self.no_charset_before {
            return None;
        }
        let quote = rest.find(|c: char| c == '$' || (!is_name_part(c) && c != '-')).unwrap_or(rest.len());
        steps::count(quote);
        if quote < 2 || !rest.get(quote..)?.starts_with('\'') {
            self.no_charset_before = self.at + quote;
            return None;
        }
        Some(self.string(quote + 1, TokenKind::String))
    }

    /// A string whose opening quote ends `open` bytes from here; two quotes are one.
    fn string(&mut self, open: usize, kind: TokenKind) -> TokenKind {
        self.at += open;
        loop {
            let rest = self.rest();
            let quote = rest.find('\'');
            let inside = rest.get(..quote.unwrap_or(rest.len())).unwrap_or(rest);
            if self.strings == Strings::InStatement
                && let Some(end) = end_of_statement_line(inside)
            {
                self.at += end;
                return TokenKind::Unterminated;
            }
            match quote {
                None => {
                    self.at = self.text.len();
                    return TokenKind::Unterminated;
                }
                Some(end) => {
                    self.at += end + 1;
                    if !self.rest().starts_with('\'') {
                        return kind;
                    }
                    self.at += 1;
                }
            }
        }
    }

    /// `E'...'`, in which a backslash takes the next character with it.
    fn escaped_string(&mut self, open: usize) -> TokenKind {
        self.at += open;
        while let Some(c) = self.first() {
            self.at += c.len_utf8();
            match c {
                '\\' => self.at += self.first().map_or(0, char::len_utf8),
                '\'' if self.rest().starts_with('\'') => self.at += 1,
                '\'' => return TokenKind::String,
                _ => {}
            }
        }
        TokenKind::Unterminated
    }

    /// A name in quotes, which ends on its line; a doubled quote is one quote.
    fn quoted(&mut self, quote: char, kind: TokenKind) -> TokenKind {
        self.at += 1;
        loop {
            let rest = self.rest();
            let end = rest.find([quote, '\n', '\r']).unwrap_or(rest.len());
            self.at += end;
            if !self.rest().starts_with(quote) {
                return TokenKind::Unterminated;
            }
            self.at += 1;
            if !self.rest().starts_with(quote) {
                return kind;
            }
            self.at += 1;
        }
    }

    fn word(&mut self) -> TokenKind {
        let rest = self.rest();
        let end = rest.find(|c| !is_name_part(c)).unwrap_or(rest.len());
        // `a${b}` is the word `a` before a template; a `$` elsewhere belongs to the word.
        let word = rest.get(..end).unwrap_or(rest);
        let template = word.ends_with('$') && word.len() > 1 && rest.get(end..).is_some_and(|r| r.starts_with('{'));
        self.at += if template { end - 1 } else { end };
        TokenKind::Word
    }

    fn number(&mut self) -> TokenKind {
        let mut kind = TokenKind::Integer;
        self.take_while(|c| c.is_ascii_digit());
        if self.rest().starts_with('.') && !self.rest().starts_with("..") {
            kind = TokenKind::Decimal;
            self.at += 1;
            self.take_while(|c| c.is_ascii_digit());
        }
        let rest = self.rest();
        if rest.starts_with(['e', 'E']) {
            let exponent = rest.get(1..).unwrap_or("");
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.starts_with(|c: char| c.is_ascii_digit()) {
                self.at += 1 + (exponent.len() - digits.len());
                self.take_while(|c| c.is_ascii_digit());
                kind = TokenKind::Approximate;
            }
        }
        kind
    }

    fn symbol(&mut self, first: char) -> TokenKind {
        let rest = self.rest();
        match Symbol::ALL.iter().find(|s| rest.starts_with(s.text())) {
            Some(symbol) => {
                self.at += symbol.text().len();
                TokenKind::Symbol(*symbol)
            }
            None => {
                self.at += first.len_utf8();
                TokenKind::Unknown
            }
        }
    }
}

/// Where the first `;` is that only blanks and a line end follow.
fn end_of_statement_line(text: &str) -> Option<usize> {
    let mut ends = text.match_indices(';').map(|(at, _)| at);
    ends.find(|at| {
        let rest = text.get(at + 1..).unwrap_or("").trim_start_matches([' ', '\t', '\r']);
        rest.starts_with('\n')
    })
}

/// True for the text of a string, whatever its prefix.
fn is_string(text: &str) -> bool {
    text.trim_start_matches(|c: char| is_name_part(c) || c == '&' || c == '-').starts_with('\'')
}

/// The length of `{{ ... }}` or `{% ... %}` at the start of `text`; `None` if another begins before it ends. So each part of
/// a text is looked at once, however many of them are open.
fn jinja(text: &str, close: &str) -> Option<usize> {
    let inside = text.get(2..)?;
    let marks = inside.as_bytes().windows(2).enumerate();
    let mut marks = marks.filter(|(_, pair)| matches!(*pair, b"{{" | b"{%" | b"{#") || *pair == close.as_bytes());
    let found = marks.next();
    steps::count(found.map_or(inside.len(), |(at, _)| at));
    let (at, pair) = found?;
    (pair == close.as_bytes()).then_some(at + 4)
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}
