//! What an error says: one line, short, and nothing secret.
//!
//! Rules: user and password in an address go, as do the values of settings that are named like secrets; a page made for
//! people is not repeated.

use serde_json::Value;

use super::rest::Answer;

/// Longest reason in an error, in characters.
pub(super) const REASON_LIMIT: usize = 300;

/// What lies at the bottom of an error: it says what happened.
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}

/// Status and message, as far as there is one.
pub(super) fn reason(answer: &Answer) -> String {
    let value = answer.value();
    let status = answer.status;
    let code = value.get("error_code").and_then(Value::as_i64).filter(|c| *c != i64::from(status));
    let head = code.map_or_else(|| format!("HTTP {status}"), |c| format!("HTTP {status}, code {c}"));
    let meaning = match status {
        300..=399 => "it redirects: give the address that it redirects to",
        401 => "the credentials are missing or wrong",
        403 => "these credentials may not do this",
        _ => "",
    };
    let message = value.get("message").or_else(|| value.get("error")).and_then(Value::as_str).map(str::trim);
    let said = match message.filter(|m| !m.is_empty()) {
        Some(message) => message.to_owned(),
        None if meaning.is_empty() => glance(&answer.body),
        None => String::new(),
    };
    [head.as_str(), meaning, said.as_str()].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(": ")
}

/// The first characters of a text that was not expected; nothing of a page made for people.
pub(super) fn glance(body: &str) -> String {
    let text = body.trim();
    match text.chars().next() {
        None => "an empty answer".into(),
        Some('<') => "a web page; is the address right?".into(),
        Some(_) => format!("`{}`", one_line(text, 80)),
    }
}

/// Any text as one line of at most `limit` characters.
pub(super) fn one_line(text: &str, limit: usize) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        // Bytes are never fewer than characters, so nothing that is shown is lost.
        if line.len() > limit * 4 {
            break;
        }
    }
    match line.char_indices().nth(limit) {
        Some(_) => line.chars().take(limit.saturating_sub(3)).chain("...".chars()).collect(),
        None => line,
    }
}

/// A text without user and password in addresses and without values of settings that are named like secrets.
pub(super) fn scrub(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || "/?#\"'`<>".contains(c)).unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((_, host)) => {
                out.push_str("***@");
                out.push_str(host);
            }
            None => out.push_str(authority),
        }
        rest = tail;
    }
    out.push_str(rest);
    scrub_settings(&out)
}

/// `password=x`, `"token": "x"`, `secret='x'`: the value goes.
fn scrub_settings(text: &str) -> String {
    const NAMES: [&str; 5] = ["password", "passwd", "secret", "token", "credentials"];
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    while let Some((at, name)) =
        NAMES.iter().filter_map(|n| lower.get(done..)?.find(n).map(|i| (done + i, *n))).min_by_key(|(i, _)| *i)
    {
        let after = at + name.len();
        out.push_str(text.get(done..after).unwrap_or_default());
        done = after;
        let tail = text.get(after..).unwrap_or_default();
        let mark = tail.trim_start_matches(['"', '\'', '`', ' ']);
        let Some(value) = mark.strip_prefix(['=', ':']) else { continue };
        let value = value.trim_start_matches([' ', '"', '\'', '`']);
        let start = text.len() - value.len();
        let end = value.find(|c: char| c.is_whitespace() || "\"'`,;&)}".contains(c)).unwrap_or(value.len());
        if end == 0 {
            continue;
        }
        out.push_str(text.get(after..start).unwrap_or_default());
        out.push_str("***");
        done = start + end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_cut_out_of_texts() {
        let cases = [
            ("at http://u:p@h:1/x and jdbc://a@b", "at http://***@h:1/x and jdbc://***@b"),
            ("password=abc;user=x", "password=***;user=x"),
            (r#"{"Password": "abc", "n": 1}"#, r#"{"Password": "***", "n": 1}"#),
            ("the password is wrong", "the password is wrong"),
            ("'sasl.password'='x y'", "'sasl.password'='*** y'"),
            ("database.password: hunter2", "database.password: ***"),
            ("password=", "password="),
            ("ÄÖ token=ÄÖ", "ÄÖ token=***"),
        ];
        for (text, want) in cases {
            assert_eq!(scrub(text), want);
        }
    }

    #[test]
    fn a_line_is_one_line_and_short() {
        assert_eq!(one_line(" a\n\tb\u{0}c ", 10), "a b c");
        assert_eq!(one_line("äöüäöüäöü", 6), "äöü...");
        assert_eq!(one_line(&"x ".repeat(10_000), 300).chars().count(), 300);
    }

    #[test]
    fn a_reason_says_what_the_service_said() {
        let of = |status, body: &str| reason(&Answer { status, body: body.into(), ..Answer::default() });
        assert_eq!(of(404, r#"{"error_code":40401,"message":"no subject"}"#), "HTTP 404, code 40401: no subject");
        assert_eq!(of(500, r#"{"error_code":500,"message":"x"}"#), "HTTP 500: x");
        assert_eq!(of(401, "<html>"), "HTTP 401: the credentials are missing or wrong");
        assert_eq!(of(404, "<html>"), "HTTP 404: a web page; is the address right?");
        assert_eq!(of(500, ""), "HTTP 500: an empty answer");
    }
}
