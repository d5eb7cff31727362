//! Diagnostics as a terminal shows them: the line, what is wrong in it, and the way out.
//!
//! Rules: a span that does not fit the text is moved to the nearest place that does, never a panic; text from outside is
//! printed without control characters. What a diagnostic costs is the lines that it points at, and of a long line a part.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Patch, Renderer, Snippet};

use super::output::{Colour, Paint, Painted, plain};
use crate::diagnostic::{Diagnostic, Severity, Span};

/// How many bytes of a line are kept on each side of what is pointed at: more than a terminal shows.
const AROUND: usize = 200;

/// How many bytes are counted at once.
const BLOCK: usize = 1024;

/// The content of a file, and what many diagnostics ask of it.
pub struct Source<'a> {
    text: &'a str,
    /// Where lines begin.
    lines: Vec<usize>,
    /// How many characters begin before each block.
    characters: Vec<usize>,
}

/// A part of a text: whole lines, or of long ones what is around a place.
struct Excerpt<'a> {
    text: Cow<'a, str>,
    /// Where it begins in the whole text.
    begins: usize,
    /// How many bytes were put in front of it.
    put: usize,
    /// The line that it begins in, from 1.
    line: usize,
}

impl<'a> Source<'a> {
    /// Looks at `text` once.
    pub fn new(text: &'a str) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut characters = vec![0];
        let mut before = 0;
        for block in text.as_bytes().chunks(BLOCK) {
            before += beginnings(block);
            characters.push(before);
        }
        Self { text, lines, characters }
    }

    /// The number of the line that `at` is in, from 0.
    fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|line| *line <= at).saturating_sub(1)
    }

    fn begin(&self, line: usize) -> usize {
        self.lines.get(line).copied().unwrap_or(self.text.len())
    }

    /// How many characters are before `at`.
    fn characters(&self, at: usize) -> usize {
        let block = at / BLOCK;
        let rest = self.text.as_bytes().get(block * BLOCK..at).unwrap_or(&[]);
        self.characters.get(block).copied().unwrap_or(0) + beginnings(rest)
    }

    /// Line and column of `at`, both from 1.
    fn place(&self, at: usize) -> (usize, usize) {
        let line = self.line(at);
        (line + 1, self.characters(at).saturating_sub(self.characters(self.begin(line))) + 1)
    }

    /// What is to be shown of the text for these places.
    fn excerpt(&self, places: &[Range<usize>]) -> Excerpt<'a> {
        let from = places.iter().map(|place| place.start).min().unwrap_or(0);
        let to = places.iter().map(|place| place.end).max().unwrap_or(0);
        let mut line = self.line(from);
        if self.begin(line) == self.text.len() {
            line = line.saturating_sub(1);
        }
        let (start, end) = (self.begin(line), self.begin(self.line(to) + 1));
        let cut_start = self.text.floor_char_boundary(from.saturating_sub(AROUND).max(start));
        let cut_end = self.text.ceil_char_boundary((to + AROUND).min(end));
        let kept = self.text.get(cut_start..cut_end).unwrap_or("");
        let [before, behind] = [cut_start > start, cut_end < end].map(|cut| if cut { "\u{2026}" } else { "" });
        let text = if before.len() + behind.len() > 0 {
            Cow::Owned(format!("{before}{kept}{behind}"))
        } else {
            Cow::Borrowed(kept)
        };
        Excerpt { text, begins: cut_start, put: before.len(), line: line + 1 }
    }
}

impl Excerpt<'_> {
    fn of(&self, place: &Range<usize>) -> Range<usize> {
        let at = |at: usize| at.saturating_sub(self.begins) + self.put;
        at(place.start)..at(place.end)
    }
}

/// How many characters begin in these bytes.
fn beginnings(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

/// `diagnostic` over the content of its file. Ends without a line break.
pub fn render(diagnostic: &Diagnostic, source: &Source<'_>, colour: Colour) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let text = source.text;
    let path = diagnostic.file.as_deref().map(plain);
    let title = level.primary_title(plain(&diagnostic.message)).id(plain(&diagnostic.code));
    let mut first = Group::with_title(title);
    // The place in what was cut, and the one in the file.
    let mut moved = None;
    let places: Vec<Range<usize>> = diagnostic.labels.iter().map(|label| fitted(label.span, text)).collect();
    if let (Some(main), false) = (places.first(), text.is_empty()) {
        let excerpt = source.excerpt(&places);
        let kinds = std::iter::once(AnnotationKind::Primary).chain(std::iter::repeat(AnnotationKind::Context));
        let marks = diagnostic.labels.iter().zip(&places).zip(kinds).map(|((label, place), kind)| {
            let mark = kind.span(excerpt.of(place));
            if label.text.is_empty() { mark } else { mark.label(plain(&label.text)) }
        });
        let snippet = Snippet::source(excerpt.text.clone()).line_start(excerpt.line).annotations(marks);
        first = first.element(snippet.path(path.clone()));
        if let Some(path) = path.as_ref().filter(|_| excerpt.put > 0) {
            let (line, column) = source.place(main.start);
            let before = excerpt.text.get(..excerpt.of(main).start).unwrap_or("");
            moved = Some([before.chars().count() + 1, column].map(|column| format!("{path}:{line}:{column}")));
        }
    } else if let Some(path) = &path {
        first = first.element(Origin::path(path.clone()));
    }
    let patches = patches(diagnostic, text);
    let mut groups = vec![first];
    let mut help = diagnostic.help.as_deref().map(plain);
    if !patches.is_empty() {
        let title = help.take().unwrap_or_else(|| "change it like this".to_owned());
        let changed: Vec<Range<usize>> = patches.iter().map(|(place, _)| place.clone()).collect();
        let excerpt = source.excerpt(&changed);
        let patches = patches.into_iter().map(|(place, text)| Patch::new(excerpt.of(&place), text));
        let change = Snippet::source(excerpt.text.clone()).line_start(excerpt.line).path(path).patches(patches);
        groups.push(Group::with_title(Level::HELP.secondary_title(title)).element(change));
    }
    let renderer = if colour == Colour::Ansi { Renderer::styled() } else { Renderer::plain() };
    let drawn = renderer.render(&groups);
    let mut out = drawn.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    if let Some([cut, whole]) = moved {
        out = out.replacen(&cut, &whole, 1);
    }
    if let Some(help) = help {
        out.push_str(&format!("\n{}: {help}", Painted(colour, Paint::Cyan, "help")));
    }
    out
}

/// The edits in the order of the text; none when two of them overlap, for then nobody could say what comes out.
fn patches(diagnostic: &Diagnostic, text: &str) -> Vec<(Range<usize>, String)> {
    let lines = |text: &str| text.split('\n').map(plain).collect::<Vec<_>>().join("\n");
    let mut edits: Vec<_> = diagnostic.edits.iter().map(|edit| (fitted(edit.span, text), lines(&edit.text))).collect();
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let apart = edits.iter().zip(edits.iter().skip(1)).all(|((a, _), (b, _))| a.end <= b.start && a.start != b.start);
    if text.is_empty() || !apart {
        return Vec::new();
    }
    edits
}

/// The bytes of `span` that are in `text`, at whole characters.
fn fitted(span: Span, text: &str) -> Range<usize> {
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

    fn drawn(diagnostic: &Diagnostic, text: &str, colour: Colour) -> String {
        render(diagnostic, &Source::new(text), colour)
    }

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
        assert_eq!(drawn(&missing_column(), SQL, Colour::Plain), want);
    }

    #[test]
    fn of_a_long_line_a_part_is_shown_with_its_place_in_the_file() {
        let many = |count: usize| "\u{e9}, ".repeat(count);
        let text = format!("-- first\nSELECT {}nope, {}1\n-- last\n", many(300), many(300));
        let at = text.find("nope").unwrap();
        let diagnostic = Diagnostic::error("S101", "no such column").in_file("a.sql").at(Span::new(at, at + 4), "here");
        let shown = drawn(&diagnostic, &text, Colour::Plain);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[1], " --> a.sql:2:908", "{shown}");
        let marked = lines.iter().position(|line| line.contains('^')).unwrap();
        let column = |line: &str, part: &str| line.find(part).map(|at| line[..at].chars().count());
        assert_eq!(column(lines[marked - 1], "nope"), column(lines[marked], "^^^^ here"), "{shown}");
        assert!(lines[marked - 1].starts_with("2 | ...") && lines[marked - 1].ends_with("..."), "{shown}");
        let mut mended = diagnostic;
        mended.edits.push(Edit { span: Span::new(at, at + 4), text: "a".to_owned() });
        let shown = drawn(&mended, &text, Colour::Plain);
        assert!(shown.len() < 2_000 && shown.contains("\u{e9}, a, \u{e9}"), "{shown}");
        assert!(shown.contains("2 + \u{2026}"), "{shown}");
    }

    #[test]
    fn the_end_of_a_text_can_be_pointed_at() {
        let end =
            Diagnostic::error("S001", "no end").in_file("a.sql").at(Span::new(SQL.len(), SQL.len()), "after this");
        let shown = drawn(&end, SQL, Colour::Plain);
        assert!(shown.contains("FROM orders AS o;") && shown.contains("after this"), "{shown}");
    }

    #[test]
    fn a_second_place_and_an_edit_are_shown() {
        let at = SQL.find("o.price").unwrap();
        let from = SQL.find("orders AS").unwrap();
        let mut diagnostic = missing_column().at(Span::new(from, from + 6), "read here");
        diagnostic.edits.push(Edit { span: Span::new(at + 2, at + 7), text: "price_cents".to_owned() });
        let shown = drawn(&diagnostic, SQL, Colour::Plain);
        assert!(shown.contains("^^^^^^^ removed in version 4") && shown.contains("------ read here"), "{shown}");
        assert!(shown.contains("SELECT o.price_cents * o.qty"), "{shown}");
    }

    #[test]
    fn one_without_a_place_is_its_message_its_file_and_its_help() {
        let bare = Diagnostic::warning("C001", "nothing is watched").help("name a subject");
        assert_eq!(drawn(&bare, "", Colour::Plain), "warning[C001]: nothing is watched\nhelp: name a subject");
        let in_file = Diagnostic::error("C002", "the file is empty").in_file("a.sql");
        assert!(drawn(&in_file, "", Colour::Plain).contains("--> a.sql"));
    }

    #[test]
    fn colour_only_when_it_is_asked_for() {
        assert!(!drawn(&missing_column(), SQL, Colour::Plain).contains('\x1b'));
        assert!(drawn(&missing_column(), SQL, Colour::Ansi).contains('\x1b'));
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
            let shown = drawn(&diagnostic, &text, Colour::Plain);
            prop_assert!(shown.starts_with("error[C000]:"), "{shown}");
            prop_assert!(!shown.contains('\x1b'));
        }
    }
}
