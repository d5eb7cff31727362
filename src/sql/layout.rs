//! How a list is set out in the text, and how one more item is set out like the others.
//!
//! Rules: the new item follows the last one's layout: on its own line if the others are, with the comma in front if theirs
//! is. A comment behind the last item stays with that item. The edit is one insertion, and those of several new items at
//! the same place may be joined in order.

use std::fmt;

use super::lexer::tokenize;
use super::token::{Symbol, Token, TokenKind};
use crate::diagnostic::{Edit, Span};

/// Blanks.
#[derive(Clone, Copy)]
pub(crate) struct Gap(pub usize);

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:width$}", "", width = self.0)
    }
}

/// The line end that a text uses.
pub(crate) fn newline_of(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// A comma-separated list in a text.
pub(crate) struct List<'a> {
    text: &'a str,
    last: Span,
    /// What begins the line of the last item, up to the item, if only blanks and a comma stand before it.
    lead: Option<&'a str>,
}

impl<'a> List<'a> {
    /// A list by the spans of its items; `None` if it has none.
    pub(crate) fn new(text: &'a str, items: &[Span]) -> Option<Self> {
        let last = *items.last()?;
        let line = text.get(..last.start)?.rfind('\n').map_or(0, |at| at + 1);
        let before = text.get(line..last.start)?;
        let lead = Some(before).filter(|b| {
            (line > 0 || items.len() > 1)
                && b.chars().all(|c| c.is_whitespace() || c == ',')
                && b.matches(',').count() <= 1
        });
        Some(Self { text, last, lead })
    }

    /// The edit that puts `item` behind the last item.
    pub(crate) fn append_one(&self, item: &str) -> Option<Edit> {
        let newline = newline_of(self.text);
        let Some(lead) = self.lead else {
            let end = self.end_on_line()?;
            return Some(Edit { span: Span::new(end, end), text: format!(", {item}") });
        };
        let tail = self.tail()?;
        let end = self.last.end;
        let after = tail.end;
        // The first item has no comma in front of it, but the next one does.
        let in_front = Some(lead).filter(|lead| lead.contains(',')).or_else(|| self.next_lead());
        if let Some(lead) = in_front {
            return Some(Edit { span: Span::new(after, after), text: format!("{newline}{lead}{item}") });
        }
        if tail.has_comma {
            return Some(Edit { span: Span::new(after, after), text: format!("{newline}{lead}{item},") });
        }
        if after == end || !tail.ends_line {
            return Some(Edit { span: Span::new(after, after), text: format!(",{newline}{lead}{item}") });
        }
        // A comment to the line's end stands behind the last item and stays there: the comma goes to the new line, so that the
        // edit is one insertion, and several of them can be put together.
        Some(Edit { span: Span::new(after, after), text: format!("{newline}{lead}, {item}") })
    }

    /// The end of the last item with the block comments right behind it.
    fn end_on_line(&self) -> Option<usize> {
        let line = self.tail_text(self.text.get(self.last.end..)?);
        let mut end = self.last.end;
        for token in tokenize(line) {
            match token.kind {
                TokenKind::Whitespace => {}
                TokenKind::BlockComment if token.text(line).ends_with("*/") => end = self.last.end + token.span.end,
                _ => break,
            }
        }
        Some(end)
    }

    /// What still belongs to the last item's line: a comma and comments.
    fn tail(&self) -> Option<Tail> {
        let rest = self.text.get(self.last.end..)?;
        let line = self.tail_text(rest);
        let mut tail = Tail { end: self.last.end, has_comma: false, ends_line: false };
        let mut at = self.last.end;
        for token in tokenize(line) {
            let Token { kind, span } = token;
            let text = span.of(line);
            at += text.len();
            match kind {
                TokenKind::Whitespace if text.contains(['\n', '\r']) => break,
                TokenKind::Whitespace => {}
                TokenKind::LineComment => {
                    tail.end = at;
                    tail.ends_line = true;
                }
                TokenKind::BlockComment if !text.contains('\n') => tail.end = at,
                TokenKind::Symbol(Symbol::Comma) if !tail.has_comma => {
                    tail.has_comma = true;
                    tail.end = at;
                }
                _ => break,
            }
        }
        // A comma on a later line still separates the item from the next one.
        if !tail.has_comma && self.comma_follows(tail.end) {
            tail.has_comma = true;
            tail.end = self.comma_end(tail.end)?;
        }
        Some(tail)
    }

    fn tail_text(&self, rest: &'a str) -> &'a str {
        rest.get(..rest.find('\n').unwrap_or(rest.len())).unwrap_or(rest)
    }

    fn comma_follows(&self, from: usize) -> bool {
        // With the comma in front of items the next comma is the next item's.
        let in_front = self.lead.is_none_or(|lead| lead.contains(',')) || self.next_lead().is_some();
        !in_front && self.comma_end(from).is_some()
    }

    /// What begins the line of the item behind the last one, if that is a comma in front of the item.
    fn next_lead(&self) -> Option<&'a str> {
        let comma = self.comma_end(self.last.end)?.checked_sub(1)?;
        let line = self.text.get(..comma)?.rfind('\n').map_or(0, |at| at + 1);
        let indent = self.text.get(line..comma).filter(|indent| line > self.last.end && indent.trim().is_empty())?;
        let rest = self.tail_text(self.text.get(comma + 1..)?).trim_end();
        let gap = rest.len() - rest.trim_start().len();
        (gap < rest.len()).then(|| self.text.get(line..line + indent.len() + 1 + gap)).flatten()
    }

    fn comma_end(&self, from: usize) -> Option<usize> {
        let rest = self.text.get(from..)?;
        let next = tokenize(rest).into_iter().find(|t| !t.kind.is_trivia())?;
        (next.kind == TokenKind::Symbol(Symbol::Comma)).then_some(from + next.span.end)
    }
}

struct Tail {
    end: usize,
    has_comma: bool,
    /// The last of it is a comment to the line's end.
    ends_line: bool,
}
