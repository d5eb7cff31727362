//! Diagnostics as a terminal shows them: the line, what is wrong in it, and the way out.
//!
//! Rules: a span that does not fit the text is moved to the nearest place that does, never a panic; text from outside is
//! printed without control characters.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Patch, Renderer, Snippet};

use super::output::{Colour, Paint, Painted, plain};
use crate::diagnostic::{Diagnostic, Severity, Span};

/// `diagnostic` over `text`, the content of its file. Ends without a line break.
pub fn render(diagnostic: &Diagnostic, text: &str, colour: Colour) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let path = diagnostic.file.as_deref().map(plain);
    let title = level.primary_title(plain(&diagnostic.message)).id(plain(&diagnostic.code));
    let mut first = Group::with_title(title);
    if !diagnostic.labels.is_empty() && !text.is_empty() {
        let kinds = std::iter::once(AnnotationKind::Primary).chain(std::iter::repeat(AnnotationKind::Context));
        let marks = diagnostic.labels.iter().zip(kinds).map(|(label, kind)| {
            let mark = kind.span(fitted(label.span, text));
            if label.text.is_empty() { mark } else { mark.label(plain(&label.text)) }
        });
        first = first.element(Snippet::source(text).path(path.clone()).annotations(marks));
    } else if let Some(path) = &path {
        first = first.element(Origin::path(path.clone()));
    }
    let patches = patches(diagnostic, text);
    let mut groups = vec![first];
    let mut help = diagnostic.help.as_deref().map(plain);
    if !patches.is_empty() {
        let title = help.take().unwrap_or_else(|| "change it like this".to_owned());
        let change = Snippet::source(text).path(path).patches(patches);
        groups.push(Group::with_title(Level::HELP.secondary_title(title)).element(change));
    }
    let renderer = if colour == Colour::Ansi { Renderer::styled() } else { Renderer::plain() };
    let drawn = renderer.render(&groups);
    let mut out = drawn.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    if let Some(help) = help {
        out.push_str(&format!("\n{}: {help}", Painted(colour, Paint::Cyan, "help")));
    }
    out
}

/// The edits in the order of the text; none when two of them overlap, for then nobody could say what comes out.
fn patches<'a>(diagnostic: &Diagnostic, text: &str) -> Vec<Patch<'a>> {
    let lines = |text: &str| text.split('\n').map(plain).collect::<Vec<_>>().join("\n");
    let mut edits: Vec<_> = diagnostic.edits.iter().map(|edit| (fitted(edit.span, text), lines(&edit.text))).collect();
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let apart = edits.iter().zip(edits.iter().skip(1)).all(|((a, _), (b, _))| a.end <= b.start && a.start != b.start);
    if text.is_empty() || !apart {
        return Vec::new();
    }
    edits.into_iter().map(|(range, text)| Patch::new(range, text)).collect()
}

/// The bytes of `span` that are in `text`, at whole characters.
fn fitted(span: Span, text: &str) -> std::ops::Range<usize> {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let end = text.ceil_char_boundary(span.end.clamp(start, text.len()));
    start..end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diagnostic::Edit;

    const SQL: &str = "INSERT INTO fct_orders\n-- money\nSELECT o.price * o.qty\nFROM orders AS o;\n";

    fn missing_column() -> Diagnostic {
        let at = SQL.find("o.price").unwrap();
        Diagnostic::error("C012", "column `price` no longer exists in subject `orders-value` version 4")
            .in_file("pipelines/facts/fct_orders.sql")
            .at(Span::new(at, at + 7), "removed in version 4")
            .help("`price_cents` was added in the same version")
    }

    #[test]
    fn it_points_at_the_text_and_names_the_way_out() {
        let want = "\
error[C012]: column `price` no longer exists in subject `orders-value` version 4
 --> pipelines/facts/fct_orders.sql:3:8
  |
3 | SELECT o.price * o.qty
  |        ^^^^^^^ removed in version 4
help: `price_cents` was added in the same version";
        assert_eq!(render(&missing_column(), SQL, Colour::Plain), want);
    }

    #[test]
    fn a_second_place_and_an_edit_are_shown() {
        let at = SQL.find("o.price").unwrap();
        let from = SQL.find("orders AS").unwrap();
        let mut diagnostic = missing_column().at(Span::new(from, from + 6), "read here");
        diagnostic.edits.push(Edit { span: Span::new(at + 2, at + 7), text: "price_cents".to_owned() });
        let drawn = render(&diagnostic, SQL, Colour::Plain);
        assert!(drawn.contains("^^^^^^^ removed in version 4") && drawn.contains("------ read here"), "{drawn}");
        assert!(drawn.contains("SELECT o.price_cents * o.qty"), "{drawn}");
    }

    #[test]
    fn one_without_a_place_is_its_message_its_file_and_its_help() {
        let bare = Diagnostic::warning("C001", "nothing is watched").help("name a subject");
        assert_eq!(render(&bare, "", Colour::Plain), "warning[C001]: nothing is watched\nhelp: name a subject");
        let in_file = Diagnostic::error("C002", "the file is empty").in_file("a.sql");
        assert!(render(&in_file, "", Colour::Plain).contains("--> a.sql"));
    }

    #[test]
    fn colour_only_when_it_is_asked_for() {
        assert!(!render(&missing_column(), SQL, Colour::Plain).contains('\x1b'));
        assert!(render(&missing_column(), SQL, Colour::Ansi).contains('\x1b'));
    }

    proptest! {
        #[test]
        fn no_span_and_no_text_makes_it_panic(
            text in "\\PC{0,40}(\r?\n\t\x1b?)?\\PC{0,40}",
            spans in prop::collection::vec((0usize..120, 0usize..120), 0..4),
            message in "\\PC{0,30}\x1b?",
        ) {
            let mut diagnostic = Diagnostic::error("C000", message).in_file("x.sql").help("h");
            for (start, end) in spans {
                diagnostic = diagnostic.at(Span::new(start, end), "here");
                diagnostic.edits.push(Edit { span: Span::new(start, end), text: "x\ny\x1b".to_owned() });
            }
            let drawn = render(&diagnostic, &text, Colour::Plain);
            prop_assert!(drawn.starts_with("error[C000]:"), "{drawn}");
            prop_assert!(!drawn.contains('\x1b'));
        }
    }
}
