//! Good statements with a token taken out, put in, doubled, swapped or replaced: mostly wrong, and wrong in places that
//! nobody thought of. Seeded, so that every run draws the same.

use cyanotype::sql::{self, Token};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

/// What is put in or stands in for a token.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "SELECT", "FROM", "WHERE", "GROUP", "BY", "ORDER", "AS", "ON", "JOIN", "LEFT", "AND", "OR", "NOT", "IN", "IS", "NULL",
    "TABLE", "WITH", "VALUES", "INTO", "INTERVAL", "DAY", "CASE", "WHEN", "END", "DISTINCT", "ALL", "UNION", "OVER",
    "PARTITION", "LIKE", "BETWEEN", "EXISTS", "SET", "FOR", "LIMIT", "DESCRIPTOR", "date", "user", "value", "x", "`q`", "'s'",
    "1", "2.5", "(", ")", ",", ".", "=", "<", "*", "-", "[", "]", "!=", "==", "::", "=>", "\"d\"", "||", ":",
];

/// One change to each of the statements that the draw takes, until there are `count`. `CYANOTYPE_ORACLE_SEED` as for the
/// generator.
pub fn mutants(statements: &[String], count: usize, seed: u64) -> Vec<String> {
    let seed = seed + std::env::var("CYANOTYPE_ORACLE_SEED").map_or(0, |more| more.parse::<u64>().unwrap());
    let mut rng = StdRng::seed_from_u64(seed);
    let mut found = Vec::with_capacity(count);
    while found.len() < count {
        let text = statements.choose(&mut rng).unwrap();
        let tokens: Vec<Token> = sql::lexer::tokenize(text).into_iter().filter(|t| !t.kind.is_trivia()).collect();
        // The longest statements would be most of the text.
        if tokens.len() < 2 || tokens.len() > 150 {
            continue;
        }
        let mutant = mutate(text, &tokens, &mut rng);
        if mutant != *text {
            found.push(mutant);
        }
    }
    found
}

/// A character of the text taken out, put in or replaced: where one token ends and the next begins.
fn misspell(text: &str, rng: &mut StdRng) -> String {
    #[rustfmt::skip]
    const CHARACTERS: &[&str] = &[
        "'", "`", "\"", "\\", "/", "*", "--", "//", "/*", "*/", "/*+", "$", "_", "#", "@", "!", "?", ".", "..", "0", "1e",
        "x'", "u&'", "_utf8'", "n'", "\u{e9}", "\u{6570}", "\u{a0}", "\u{3000}", "\u{feff}", "\0", "\t", "\r", "\u{b}", "{", "}", "|", "&",
        "^", "~", "%", ":", ";", "a", "Z", "-", "<", ">", "\u{2019}", "\u{1f600}",
    ];
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let at = *places.choose(rng).unwrap();
    let end = at + text[at..].chars().next().map_or(0, char::len_utf8);
    let piece = CHARACTERS.choose(rng).unwrap();
    match rng.random_range(0..3) {
        0 => format!("{}{}", &text[..at], &text[end..]),
        1 => format!("{}{piece}{}", &text[..at], &text[at..]),
        _ => format!("{}{piece}{}", &text[..at], &text[end..]),
    }
}

fn mutate(text: &str, tokens: &[Token], rng: &mut StdRng) -> String {
    if rng.random_ratio(1, 4) {
        return misspell(text, rng);
    }
    let at = rng.random_range(0..tokens.len());
    let token = tokens[at].span;
    let replaced = |with: &str| format!("{} {with} {}", &text[..token.start], &text[token.end..]);
    let own = token.of(text);
    match rng.random_range(0..6) {
        0 | 1 => replaced(""),
        2 => replaced(PIECES.choose(rng).unwrap()),
        3 => replaced(&format!("{own} {}", PIECES.choose(rng).unwrap())),
        4 => replaced(&format!("{own} {own}")),
        _ => match tokens.get(at + 1) {
            Some(next) => {
                let between = &text[token.end..next.span.start];
                let next_text = next.span.of(text);
                format!("{}{next_text} {between} {own}{}", &text[..token.start], &text[next.span.end..])
            }
            None => text[..token.start].to_owned(),
        },
    }
}
