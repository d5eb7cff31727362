//! Edits on a text: made all at once, or not at all.

use crate::diagnostic::{Edit, Span};

/// Why edits could not be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// Two edits want the same bytes.
    #[error("two edits change the same text at byte {at}")]
    Overlap {
        /// Where the second one begins.
        at: usize,
    },
    /// An edit is not on this text.
    #[error("an edit at bytes {start}..{end} does not fit the text")]
    OutOfRange {
        /// Its first byte.
        start: usize,
        /// One past its last byte.
        end: usize,
    },
}

/// `text` with all edits made, in any order. For edits that were made elsewhere, such as those of a diagnostic; to change a
/// statement use an [`EditSet`](super::EditSet).
///
/// # Errors
/// Two edits that overlap, and one that is not on the text.
pub fn apply(text: &str, edits: &[Edit]) -> Result<String, EditError> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort();
    let mut previous: Option<Span> = None;
    for edit in &sorted {
        let Span { start, end } = edit.span;
        if text.get(start..end).is_none() {
            return Err(EditError::OutOfRange { start, end });
        }
        if previous.is_some_and(|previous| collide(previous, edit.span)) {
            return Err(EditError::Overlap { at: start });
        }
        previous = Some(edit.span);
    }
    Ok(joined(text, &sorted))
}

/// True if the second one, which does not begin before the first one, cannot be made beside it. An insertion right before
/// or behind a replacement can, two insertions at one place cannot.
pub(super) fn collide(first: Span, second: Span) -> bool {
    let is_insertion = |span: Span| span.start == span.end;
    second.start < first.end || (first.start == second.start && is_insertion(first) == is_insertion(second))
}

/// The text with edits that are in order and apart.
pub(super) fn joined(text: &str, edits: &[&Edit]) -> String {
    let mut result = String::with_capacity(text.len() + edits.iter().map(|e| e.text.len()).sum::<usize>());
    let mut at = 0;
    for edit in edits {
        result.push_str(text.get(at..edit.span.start).unwrap_or(""));
        result.push_str(&edit.text);
        at = edit.span.end;
    }
    result.push_str(text.get(at..).unwrap_or(""));
    result
}
