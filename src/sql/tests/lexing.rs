use super::*;
use crate::sql::lexer::tokenize;

fn kinds(text: &str) -> Vec<TokenKind> {
    tokenize(text).iter().map(|t| t.kind).filter(|k| *k != TokenKind::Whitespace).collect()
}

#[test]
fn comments_of_all_kinds() {
    use TokenKind::*;
    assert_eq!(
        kinds("-- a\n// b\r\n/* c\n * d */ /**/ e"),
        [LineComment, LineComment, BlockComment, BlockComment, Word]
    );
    assert_eq!(kinds("/*+ OPTIONS */"), [HintOpen, Word, HintClose]);
    assert_eq!(kinds("a */ b"), [Word, Symbol(super::Symbol::Star), Symbol(super::Symbol::Slash), Word]);
}

#[test]
fn a_comment_mark_inside_of_a_string_is_text() {
    assert_eq!(kinds("'-- no' '/* no */' `-- no`"), [TokenKind::String, TokenKind::String, TokenKind::Quoted]);
}

#[test]
fn strings_with_quotes_lines_and_prefixes() {
    use TokenKind::*;
    assert_eq!(
        kinds("'it''s' 'two\nlines' N'x' U&'\\0041' _utf8'x' X'0A' E'a\\'b' ''"),
        [String, String, String, String, String, Bytes, String, String]
    );
    assert_eq!(kinds("x'"), [Unterminated]);
}

#[test]
fn what_has_no_end_is_one_token() {
    assert_eq!(kinds("'a b"), [TokenKind::Unterminated]);
    assert_eq!(kinds("/* a b"), [TokenKind::Unterminated]);
    assert_eq!(kinds("`a b\nc"), [TokenKind::Unterminated, TokenKind::Word]);
    assert_eq!(kinds("\"a\nc"), [TokenKind::Unterminated, TokenKind::Word]);
}

#[test]
fn numbers_and_dots() {
    use TokenKind::*;
    assert_eq!(
        kinds("1 1.5 .5 1. 1e10 1.5E-3 a.b"),
        [Integer, Decimal, Decimal, Decimal, Approximate, Approximate, Word, Symbol(super::Symbol::Dot), Word]
    );
}

#[test]
fn templates_are_tokens_of_their_own() {
    use TokenKind::*;
    assert_eq!(
        kinds("${A} my_${B}_t {{ c }} {% d %} $rowtime"),
        [Template, Word, Template, Word, Template, Template, Word]
    );
}

#[test]
fn placeholders_of_jinja_may_span_lines() {
    use TokenKind::*;
    assert_eq!(kinds("{{ a(\n';' ) }} {% if x\n%}"), [Template, Template]);
    assert_eq!(kinds("{# it's; {{ gone }}\n#} x"), [Template, Word]);
    assert_eq!(
        kinds("${{ x.y }} db_${A}.t_{{ b }}"),
        [Template, Word, Template, Symbol(super::Symbol::Dot), Word, Template]
    );
}

#[test]
fn a_placeholder_without_an_end_takes_nothing_with_it() {
    use TokenKind::*;
    let brace = Symbol(super::Symbol::LeftBrace);
    assert_eq!(kinds("{{ a\n{{ b }}"), [brace, brace, Word, Template]);
    assert_eq!(kinds("{# a"), [brace, Unknown, Word]);
    assert_eq!(kinds("${A\nb}"), [Word, brace, Word, Word, Symbol(super::Symbol::RightBrace)]);
}

/// A text in which many placeholders are open is gone through once, not once for each of them.
#[test]
fn many_open_placeholders_are_looked_at_once() {
    let many = 50_000;
    for open in ["{{ ", "{% ", "{# ", "${", "${{ ", "{{ %} ", "'a' {# "] {
        let text = open.repeat(many);
        assert_eq!(tokenize(&text).last().map(|t| t.span.end), Some(text.len()), "{open}");
    }
}

#[test]
fn a_missing_quote_costs_one_statement() {
    use TokenKind::*;
    let semicolon = Symbol(super::Symbol::Semicolon);
    assert_eq!(kinds("a 'b;\nc 'd';\n"), [Word, Unterminated, semicolon, Word, String, semicolon]);
    // All quotes are there: strings may hold what they like.
    assert_eq!(kinds("a 'b;\nc' d 'e;\n';"), [Word, String, Word, String, semicolon]);
    let many = "a 'b;\n".repeat(30_000) + "'";
    assert_eq!(tokenize(&many).iter().map(|t| t.span.end - t.span.start).sum::<usize>(), many.len());
}

#[test]
fn a_byte_order_mark_is_blank_at_the_start_only() {
    assert_eq!(kinds("\u{feff}SELECT"), [TokenKind::Word]);
    assert_eq!(kinds("a \u{feff}"), [TokenKind::Word, TokenKind::Unknown]);
}

#[test]
fn names_outside_of_ascii() {
    assert_eq!(kinds("größe 表 `имя`"), [TokenKind::Word, TokenKind::Word, TokenKind::Quoted]);
    assert_eq!(kinds("\0 \u{1f600}"), [TokenKind::Unknown, TokenKind::Unknown]);
}
