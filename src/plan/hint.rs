//! Hints that say, past the DDL, where a reader begins or ends and what it reads: `FROM t /*+ OPTIONS('key' = 'value') */`.
//!
//! Rules: `OPTIONS` in a query is looked at, whatever table it stands at, and of its options only those that a plan
//! relies on; of `STATE_TTL` whether state is forgotten. Every other hint is left to Flink.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Role;
use super::estate::{Estate, Table, is_some_time};
use super::project::placed;
use crate::diagnostic::{Diagnostic, Span};
use crate::sql::lexer::tokenize;
use crate::sql::{Symbol, Token, TokenKind};

/// The option that says where a reader begins.
const START: &str = "scan.startup.mode";
/// The same, where the table says that the group's offsets decide.
const RESET: &str = "properties.auto.offset.reset";

/// One option in a hint.
#[derive(Debug, PartialEq, Eq)]
struct HintOption {
    key: String,
    value: String,
    /// Key and value.
    span: Span,
}

/// A problem for each hint in what runs when `green` is started: its statements, and the views that they read.
/// `texts` are the files by path, for places.
pub fn in_the_way(
    estate: &Estate,
    green: &BTreeSet<String>,
    texts: Option<&BTreeMap<String, String>>,
) -> Vec<Diagnostic> {
    let mut open: Vec<&String> = green.iter().collect();
    let mut seen: BTreeSet<&String> = green.iter().collect();
    while let Some(table) = open.pop().and_then(|name| estate.tables.get(name)) {
        let is_view = |name: &&String| estate.tables.get(*name).is_some_and(|read| read.role == Role::View);
        open.extend(table.reads.iter().filter(is_view).filter(|name| seen.insert(name)));
    }
    seen.into_iter().filter_map(|name| estate.tables.get(name)).flat_map(|table| of(table, texts)).collect()
}

/// A problem for each hint of a table's query that a plan cannot go along with.
pub fn of(table: &Table, texts: Option<&BTreeMap<String, String>>) -> Vec<Diagnostic> {
    let Some(query) = table.query() else { return Vec::new() };
    let own = table.query_text();
    let problem = |option: HintOption| {
        let (code, help) = against(&option.key, &option.value)?;
        let text = format!("a hint in the query of `{}` sets '{}' to '{}'", table.name, option.key, option.value);
        let problem = Diagnostic::error(code, text).in_file(table.query_file()).at(option.span, "set here").help(help);
        Some(match texts {
            Some(texts) => placed(problem, own, texts),
            None => problem,
        })
    };
    hints(own, query.span, "OPTIONS").into_iter().filter_map(problem).collect()
}

/// Why a query forgets state after a time, where a hint says so.
pub fn state_ttl(table: &Table) -> Option<String> {
    let own = table.query_text();
    let hints = hints(own, table.query()?.span, "STATE_TTL");
    let set = hints.into_iter().find(|hint| is_some_time(&hint.value))?;
    Some(format!("state of {} is forgotten after {}: STATE_TTL", set.key, set.value))
}

/// The code and the way out for an option that a plan cannot go along with.
fn against(key: &str, value: &str) -> Option<(&'static str, &'static str)> {
    match key {
        START if value == "earliest-offset" => None,
        RESET if value == "earliest" => None,
        RESET => Some(("C210", "take it out of the hint: green has to read the history that blue holds")),
        "topic" | "topic-pattern" => {
            Some(("C303", "take it out of the hint, and make a reader table of its own for another topic"))
        }
        "properties.group.id" => {
            Some(("C303", "take it out of the hint: every job gets a group of its own, which tells how far it is"))
        }
        _ if key.starts_with("scan.startup.") => {
            Some(("C210", "take it out of the hint: green has to read the history that blue holds"))
        }
        _ if key.starts_with("scan.bounded.") => {
            Some(("C303", "take it out of the hint: green has to read on for as long as blue does"))
        }
        _ => None,
    }
}

/// What every hint of that name within `span` of `text` sets, in order.
fn hints(text: &str, span: Span, wanted: &str) -> Vec<HintOption> {
    let within = |token: &Token| span.start <= token.span.start && token.span.end <= span.end;
    let tokens: Vec<Token> = tokenize(text).into_iter().filter(|t| !t.kind.is_trivia() && within(t)).collect();
    let mut found = Vec::new();
    for opened in tokens.split(|t| t.kind == TokenKind::HintOpen).skip(1) {
        let hint = opened.split(|t| t.kind == TokenKind::HintClose).next().unwrap_or_default();
        for (at, name) in hint.iter().enumerate() {
            let opens = hint.get(at + 1).is_some_and(|t| t.kind == TokenKind::Symbol(Symbol::LeftParen));
            if !opens || !word(text, name).is_some_and(|name| name.eq_ignore_ascii_case(wanted)) {
                continue;
            }
            let inside = hint.get(at + 2..).unwrap_or_default();
            let inside = inside.split(|t| t.kind == TokenKind::Symbol(Symbol::RightParen)).next().unwrap_or_default();
            let pairs = inside.split(|t| t.kind == TokenKind::Symbol(Symbol::Comma));
            found.extend(pairs.filter_map(|pair| option(text, pair)));
        }
    }
    found
}

/// `key = value`; strings in a row are one.
fn option(text: &str, pair: &[Token]) -> Option<HintOption> {
    let equal = pair.iter().position(|t| t.kind == TokenKind::Symbol(Symbol::Equal))?;
    let (key, value) = (pair.get(..equal)?, pair.get(equal + 1..)?);
    let said = |tokens: &[Token]| tokens.iter().filter_map(|token| word(text, token)).collect::<String>();
    let span = Span::new(pair.first()?.span.start, pair.last()?.span.end);
    Some(HintOption { key: said(key), value: said(value), span })
}

/// What a word, a quoted name or a string says.
fn word(text: &str, token: &Token) -> Option<String> {
    let written = token.text(text);
    let inside = |quote: char| {
        let (prefix, rest) = written.split_once(quote)?;
        let rest = rest.strip_suffix(quote)?;
        Some((prefix, rest.replace(&format!("{quote}{quote}"), &quote.to_string())))
    };
    match token.kind {
        TokenKind::Word => Some(written.to_owned()),
        TokenKind::Quoted => inside('`').map(|(_, said)| said),
        TokenKind::String => {
            let (prefix, said) = inside('\'')?;
            Some(if prefix.eq_ignore_ascii_case("U&") { unescaped(&said) } else { said })
        }
        _ => None,
    }
}

/// A text with `\` and four hexadecimal digits for a character.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut said = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        match code {
            Some(c) => {
                said.push(c);
                said.push_str(part.get(4..).unwrap_or_default());
            }
            None => said.push_str(part),
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys and values of the hints in a text, each with the text that it stands in.
    fn found(text: &str) -> Vec<(String, String, String)> {
        let all = hints(text, Span::new(0, text.len()), "OPTIONS");
        all.into_iter().map(|o| (o.key, o.value, o.span.of(text).to_owned())).collect()
    }

    #[test]
    fn options_are_read_however_they_are_written() {
        for (hint, key, value, place) in [
            ("/*+ OPTIONS('topic'='x') */", "topic", "x", "'topic'='x'"),
            ("/*+ options ( topic = 'it''s' ) */", "topic", "it's", "topic = 'it''s'"),
            ("/*+ LOOKUP('table'='a'), OPTIONS(`a.b` = 'x') */", "a.b", "x", "`a.b` = 'x'"),
            ("/*+ OPTIONS(/* x */ 'sc'\n'an.y' = 'a'\n'b') */", "scan.y", "ab", "'sc'\n'an.y' = 'a'\n'b'"),
            (r"/*+ OPTIONS(U&'t\006fpic' = 'x') */", "topic", "x", r"U&'t\006fpic' = 'x'"),
        ] {
            let text = format!("SELECT * FROM t {hint} AS a");
            let one = (key.to_owned(), value.to_owned(), place.to_owned());
            let only_options = found(&text);
            assert_eq!(only_options, [one], "{hint}");
        }
        let two = "SELECT * FROM a /*+ OPTIONS('k'='1', 'l'='2') */ JOIN b /*+ OPTIONS('m'='3') */ ON TRUE";
        assert_eq!(found(two).into_iter().map(|o| o.0).collect::<Vec<_>>(), ["k", "l", "m"]);
    }

    #[test]
    fn what_is_no_hint_says_nothing() {
        for text in [
            "SELECT '/*+ OPTIONS(''topic''=''x'') */' FROM t",
            "SELECT a -- /*+ OPTIONS('topic'='x') */\nFROM t",
            "SELECT OPTIONS('topic'='x') FROM t",
            "SELECT /*+ STATE_TTL('a' = '1d') */ a FROM a",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn only_what_a_plan_relies_on_is_held_against_a_hint() {
        let code = |key: &str, value: &str| against(key, value).map(|(code, _)| code);
        for key in [START, RESET, "scan.startup.timestamp-millis", "scan.startup.specific-offsets"] {
            assert_eq!(code(key, "latest"), Some("C210"), "{key}");
        }
        for key in ["topic", "topic-pattern", "properties.group.id", "scan.bounded.mode"] {
            assert_eq!(code(key, "x"), Some("C303"), "{key}");
        }
        assert_eq!((code(START, "earliest-offset"), code(RESET, "earliest")), (None, None));
        for key in ["scan.parallelism", "scan.topic-partition-discovery.interval", "properties.max.poll.records"] {
            assert_eq!(code(key, "1"), None, "{key}");
        }
    }
}
