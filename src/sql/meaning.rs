//! What a text says, word by word, so that two texts can be compared.
//!
//! Rules: comments, layout, `;` and the case of keywords and functions mean nothing; names do, in backquotes or not; so do
//! literals, byte by byte. `COMMENT '...'` of a table, column or view is documentation and means nothing. Hints mean
//! something. Nothing is rearranged: `a = b` and `b = a` are different texts.

use super::parser::{Parsed, parse, unquote};
use super::token::{Symbol, Token, TokenKind};
use crate::diagnostic::Span;

/// One word, without what means nothing in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Word {
    /// A name of a table, column, alias or the like.
    Name(String),
    /// A keyword or function in upper case, a literal, an operator.
    Other(String),
}

/// The words of a text, in order, with their places.
#[derive(Clone, Debug, Default)]
pub struct Words {
    words: Vec<(Span, Word)>,
}

/// The words of `text`.
pub fn words(text: &str) -> Words {
    words_of(text, &parse(text))
}

/// The words of a text that has been parsed.
pub fn words_of(text: &str, parsed: &Parsed) -> Words {
    let tokens: Vec<&Token> = parsed.tokens().iter().filter(|t| !t.kind.is_trivia()).collect();
    let mut words: Vec<(Span, Word)> = Vec::with_capacity(tokens.len());
    for (i, token) in tokens.iter().enumerate() {
        let own = token.text(text);
        let called = tokens.get(i + 1).is_some_and(|t| t.kind == TokenKind::Symbol(Symbol::LeftParen));
        let word = match token.kind {
            TokenKind::Symbol(Symbol::Semicolon) => continue,
            TokenKind::Quoted => Word::Name(unquote(own, '`')),
            TokenKind::DoubleQuoted => Word::Name(unquote(own, '"')),
            TokenKind::Word if parsed.names().binary_search(&token.span).is_ok() && !called => {
                Word::Name(own.to_owned())
            }
            TokenKind::Word => Word::Other(own.to_uppercase()),
            _ => Word::Other(own.to_owned()),
        };
        let comment = token.kind == TokenKind::String
            && words.last().is_some_and(|(_, before)| *before == Word::Other("COMMENT".to_owned()));
        if comment {
            words.pop();
        } else {
            words.push((token.span, word));
        }
    }
    Words { words }
}

impl Words {
    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Word> {
        self.words.iter().map(|(_, word)| word)
    }

    /// Those within `span`.
    pub fn within(&self, span: Span) -> impl Iterator<Item = &Word> {
        let first = self.words.partition_point(|(own, _)| own.start < span.start);
        let rest = self.words.get(first..).unwrap_or(&[]);
        rest.iter().take_while(move |(own, _)| own.end <= span.end).map(|(_, word)| word)
    }

    /// Those that stand outside of all `spans`.
    pub fn without<'a>(&'a self, spans: &'a [Span]) -> impl Iterator<Item = &'a Word> {
        let inside = |own: &Span| spans.iter().any(|s| s.start <= own.start && own.end <= s.end);
        self.words.iter().filter(move |(own, _)| !inside(own)).map(|(_, word)| word)
    }
}
