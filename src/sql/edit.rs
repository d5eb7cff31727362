//! Changing SQL by edits on spans.
//!
//! Rules: every byte outside of an edit stays, comments and layout included. Edits may come in any order and give the same
//! text; two that touch the same bytes, or insert at the same place, are an error and not a guess. An edit belongs to the
//! text it was made for: apply, parse again, then make the next ones.

use super::keyword::quote_if_needed;
use super::layout::{Gap, List, newline_of};
use super::tree::{ColumnKind, CreateTable};
use crate::diagnostic::{Edit, Span};
use crate::model::column::Column;

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

/// `text` with all edits made, in any order.
pub fn apply(text: &str, edits: &[Edit]) -> Result<String, EditError> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort();
    let mut result = String::with_capacity(text.len() + edits.iter().map(|e| e.text.len()).sum::<usize>());
    let mut at = 0;
    let mut previous: Option<Span> = None;
    for edit in sorted {
        let Span { start, end } = edit.span;
        if text.get(start..end).is_none() {
            return Err(EditError::OutOfRange { start, end });
        }
        // An insertion right before a replacement is fine, two insertions at one place are not.
        if start < at || previous.is_some_and(|p| p.start == start && (p.end == p.start) == (end == start)) {
            return Err(EditError::Overlap { at: start });
        }
        result.push_str(text.get(at..start).unwrap_or(""));
        result.push_str(&edit.text);
        at = end;
        previous = Some(edit.span);
    }
    result.push_str(text.get(at..).unwrap_or(""));
    Ok(result)
}

/// The edit that gives option `key` the value `value`: in its place, or as a new last option in the file's layout.
pub fn set_option(text: &str, table: &CreateTable, key: &str, value: &str) -> Edit {
    let literal = string_literal(value);
    if let Some(option) = table.option(key) {
        return Edit { span: option.value_span, text: literal };
    }
    let option = format!("{} = {literal}", string_literal(key));
    let Some(brackets) = table.options_span else {
        // WITH comes after everything but LIKE.
        let end = table.like.as_ref().map_or(table.span.end, |like| like.span.start);
        let newline = newline_of(text);
        let text = match &table.like {
            Some(_) => format!("WITH ({newline}  {option}{newline}) "),
            None => format!(" WITH ({newline}  {option}{newline})"),
        };
        return Edit { span: Span::new(end, end), text };
    };
    let items: Vec<Span> = table.options.iter().map(|o| o.key_span.join(o.value_span)).collect();
    match List::new(text, &items).and_then(|list| list.append_one(&option)) {
        Some(edit) => edit,
        None => {
            let inside = Span::new(brackets.start + 1, brackets.start + 1);
            Edit { span: inside, text: option }
        }
    }
}

/// The edit that adds a physical column after the last one, in the layout of the others.
pub fn add_column(text: &str, table: &CreateTable, column: &Column) -> Edit {
    let name = quote_if_needed(&column.name);
    let last = table.columns.iter().rposition(|c| matches!(c.kind, ColumnKind::Physical(_)));
    let gap = padding(text, table, name.len());
    let definition = format!("{name}{gap}{}", column.ty);
    let spans: Vec<Span> = table.columns.iter().map(|c| c.span).collect();
    let Some(last) = last else {
        // No physical column yet: before everything else.
        let at = table.elements_span.map_or(table.name.span.end, |brackets| brackets.start + 1);
        let text = match (table.elements_span, spans.first()) {
            (None, _) => format!(" ({definition})"),
            (Some(_), None) => definition,
            (Some(_), Some(first)) => {
                let lead = text.get(at..first.start).filter(|lead| lead.trim().is_empty()).unwrap_or(" ");
                format!("{lead}{definition},")
            }
        };
        return Edit { span: Span::new(at, at), text };
    };
    let spans = spans.get(..=last).unwrap_or(&spans);
    match List::new(text, spans).and_then(|list| list.append_one(&definition)) {
        Some(edit) => edit,
        None => {
            let end = spans.last().map_or(table.span.end, |span| span.end);
            Edit { span: Span::new(end, end), text: format!(", {definition}") }
        }
    }
}

/// What stands between name and type: as much as lines the new column up with the others, if they are lined up.
fn padding(text: &str, table: &CreateTable, name: usize) -> Gap {
    let offsets: Vec<usize> = table
        .columns
        .iter()
        .filter(|c| !matches!(c.kind, ColumnKind::Computed { .. }))
        .map(|c| text.get(c.span.start..c.value_start).map_or(0, |t| t.chars().count()))
        .collect();
    match offsets.as_slice() {
        [first, rest @ ..] if !rest.is_empty() && rest.iter().all(|o| o == first) && *first > name => Gap(first - name),
        _ => Gap(1),
    }
}

/// `text` as a string literal.
pub fn string_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
