//! Taking items out of a comma-separated list.
//!
//! Rules: a comma goes with each item: the one in front of it where commas begin the lines, otherwise the one behind it, or
//! in front of the last one. Comments on the item's own line go with it, comments on lines of their own stay. A line that
//! nothing is left on goes as a whole, and no blanks stay behind where the item was.

use crate::diagnostic::{Edit, Span};
use crate::sql::lexer::tokenize;
use crate::sql::token::{Symbol, Token, TokenKind};

/// The edits that take `items` out of the list in `region`, which begins at a token at or before the list. At least one
/// item stays, or the list may be empty.
pub(super) fn cut(text: &str, region: Span, items: &[Span]) -> Vec<Edit> {
    let mut tokens = tokenize(region.of(text));
    for token in &mut tokens {
        token.span = Span::new(token.span.start + region.start, token.span.end + region.start);
    }
    let gone = vec![false; tokens.len()];
    let mut cut = Cut { text, tokens, gone };
    let mut sorted = items.to_vec();
    sorted.sort_unstable();
    let mut rest = sorted.as_slice();
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        let (begin, mut last) = cut.item(*first);
        while let Some((next, more)) = rest.split_first()
            && let Some(comma) = cut.next(last).filter(|at| cut.is_comma(*at))
            && cut.next(comma).is_some_and(|at| cut.span(at).start == next.start)
        {
            cut.take(comma);
            cut.take_comments_behind(last);
            last = cut.item(*next).1;
            rest = more;
        }
        cut.take_comma(begin, last);
        cut.take_comments_before(begin);
        cut.take_comments_behind(last);
    }
    cut.edits()
}

struct Cut<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    /// For each token, whether it goes.
    gone: Vec<bool>,
}

impl Cut<'_> {
    /// Takes an item; its first and last token.
    fn item(&mut self, item: Span) -> (usize, usize) {
        let first = self.tokens.partition_point(|t| t.span.start < item.start);
        let behind = self.tokens.partition_point(|t| t.span.end <= item.end).max(first + 1);
        (first..behind).for_each(|at| self.take(at));
        (first, behind - 1)
    }

    fn take(&mut self, at: usize) {
        self.gone.get_mut(at).into_iter().for_each(|gone| *gone = true);
    }

    fn span(&self, at: usize) -> Span {
        self.tokens.get(at).map_or(Span::new(usize::MAX, usize::MAX), |token| token.span)
    }

    fn kind(&self, at: usize) -> Option<TokenKind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    fn is_comma(&self, at: usize) -> bool {
        self.kind(at) == Some(TokenKind::Symbol(Symbol::Comma))
    }

    /// The next token that is no blank and no comment.
    fn next(&self, at: usize) -> Option<usize> {
        let rest = self.tokens.iter().enumerate().skip(at + 1);
        rest.into_iter().find(|(_, token)| !token.kind.is_trivia()).map(|(at, _)| at)
    }

    /// The one before.
    fn previous(&self, at: usize) -> Option<usize> {
        self.tokens.get(..at)?.iter().rposition(|token| !token.kind.is_trivia())
    }

    fn ends_line(&self, at: usize) -> bool {
        match self.tokens.get(at) {
            Some(token) => token.kind == TokenKind::Whitespace && token.text(self.text).contains(['\n', '\r']),
            None => true,
        }
    }

    fn begins_line(&self, at: usize) -> bool {
        at.checked_sub(1).is_some_and(|before| self.ends_line(before))
    }

    /// True if the list's closing bracket follows.
    fn closes(&self, last: usize) -> bool {
        let next = (last + 1..self.tokens.len()).find(|at| self.kind(*at) != Some(TokenKind::Whitespace));
        next.and_then(|at| self.kind(at)) == Some(TokenKind::Symbol(Symbol::RightParen))
    }

    fn is_comment(&self, at: usize) -> bool {
        matches!(self.kind(at), Some(TokenKind::LineComment | TokenKind::BlockComment))
    }

    fn take_comma(&mut self, first: usize, last: usize) {
        let before = self.previous(first).filter(|at| self.is_comma(*at));
        let behind = self.next(last).filter(|at| self.is_comma(*at));
        let leading = before.filter(|at| self.begins_line(*at));
        if let Some(comma) = leading.or(behind).or(before) {
            self.take(comma);
        }
    }

    /// Comments between the comma before the item and the item, on one line.
    fn take_comments_before(&mut self, first: usize) {
        let Some(comma) = self.previous(first).filter(|at| self.is_comma(*at)) else { return };
        if !(comma..first).any(|at| self.ends_line(at)) {
            self.take_comments(comma + 1, first);
        }
    }

    /// Comments on the line of the item's end, also behind its comma if nothing else follows on the line.
    fn take_comments_behind(&mut self, last: usize) {
        let mut at = last + 1;
        let mut own = at;
        let mut comma = false;
        while at < self.tokens.len() && !self.ends_line(at) {
            if self.is_comma(at) && !comma {
                comma = true;
                own = at;
            } else if self.kind(at).is_some_and(|kind| !kind.is_trivia()) {
                // Another item follows on the line, and comments behind the comma are its own.
                let end = if comma { own } else { at };
                return self.take_comments(last + 1, end);
            }
            at += 1;
        }
        self.take_comments(last + 1, at);
    }

    fn take_comments(&mut self, from: usize, to: usize) {
        (from..to).filter(|at| self.is_comment(*at)).collect::<Vec<_>>().into_iter().for_each(|at| self.take(at));
    }

    /// What goes, each stretch with the blanks that would be left over.
    fn edits(&self) -> Vec<Edit> {
        let mut edits = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            if !self.gone.get(at).copied().unwrap_or(false) {
                at += 1;
                continue;
            }
            let first = at;
            let mut last = at;
            while let Some(next) =
                (last + 1..self.tokens.len()).find(|at| self.kind(*at) != Some(TokenKind::Whitespace))
                && self.gone.get(next).copied().unwrap_or(false)
            {
                last = next;
            }
            edits.push(Edit { span: self.with_blanks(first, last), text: String::new() });
            at = last + 1;
        }
        edits
    }

    fn with_blanks(&self, first: usize, last: usize) -> Span {
        let mut span = self.span(first).join(self.span(last));
        let blanks = |at: Option<usize>| {
            let token = self.tokens.get(at?)?;
            (token.kind == TokenKind::Whitespace).then(|| (token.span, token.text(self.text)))
        };
        let (before, behind) = (blanks(first.checked_sub(1)), blanks(Some(last + 1)));
        let begins = before.and_then(|(at, blanks)| Some(at.start + blanks.rfind(['\n', '\r'])? + 1));
        let ends = behind.and_then(|(at, blanks)| Some(at.start + line_end(blanks)?));
        match (begins, ends) {
            (Some(begins), Some(ends)) => span = Span::new(begins, ends),
            // The bracket that closes the list on the last item's line does so on the line of the one before.
            (Some(_), None)
                if self.closes(last) && self.kind(first.wrapping_sub(2)) != Some(TokenKind::LineComment) =>
            {
                span.start = before.map_or(span.start, |(at, _)| at.start);
            }
            (Some(_), None) => span.end = behind.map_or(span.end, |(at, _)| at.end),
            (None, Some(_)) => span.start = before.map_or(span.start, |(at, _)| at.start),
            // Inside of a line the next item keeps the blanks in front of it, unless it becomes the first one.
            (None, None) if first.checked_sub(2).is_some_and(|at| self.is_comma(at)) => {
                span.start = before.map_or(span.start, |(at, _)| at.start);
            }
            (None, None) => {
                let opens = first.checked_sub(1).and_then(|at| self.kind(at));
                if before.is_some() || opens == Some(TokenKind::Symbol(Symbol::LeftParen)) {
                    span.end = behind.map_or(span.end, |(at, _)| at.end);
                }
            }
        }
        span
    }
}

/// The place behind the first line end.
fn line_end(blanks: &str) -> Option<usize> {
    let at = blanks.find(['\n', '\r'])?;
    let width = if blanks.get(at..)?.starts_with("\r\n") { 2 } else { 1 };
    Some(at + width)
}
