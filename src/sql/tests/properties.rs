use proptest::prelude::*;

use super::*;
use crate::diagnostic::Severity;

/// Pieces that SQL is made of, broken ones among them.
fn piece() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "SELECT",
        "FROM",
        "WHERE",
        "INSERT INTO",
        "CREATE TABLE",
        "CREATE VIEW",
        "AS",
        "JOIN",
        "ON",
        "LATERAL",
        "TABLE",
        "UNNEST",
        "WITH",
        "GROUP BY",
        "ORDER BY",
        "PARTITION BY",
        "OVER",
        "CASE",
        "WHEN",
        "THEN",
        "END",
        "NOT",
        "IN",
        "EXISTS",
        "BETWEEN",
        "AND",
        "OR",
        "UNION ALL",
        "VALUES",
        "CAST",
        "INTERVAL '1' DAY",
        "EXECUTE STATEMENT SET BEGIN",
        "BEGIN STATEMENT SET",
        "SET",
        "MATCH_RECOGNIZE",
        "PATTERN",
        "DEFINE",
        "MEASURES",
        "LIMIT",
        "WATERMARK FOR",
        "PRIMARY KEY",
        "NOT ENFORCED",
        "METADATA",
        "ROW",
        "ARRAY",
        "MAP",
        "INT",
        "JSON_VALUE",
        "FOR SYSTEM_TIME AS OF",
        "GROUPING SETS",
        "DISTINCT",
        "LIKE",
        "DESCRIPTOR",
        "t",
        "a",
        "b",
        "`q`",
        "\"d\"",
        "'s'",
        "1",
        "1e5",
        "(",
        ")",
        "[",
        "]",
        "<",
        ">",
        ",",
        ";",
        ".",
        "=",
        "!=",
        "=>",
        "*",
        "+",
        "-",
        "{-",
        "-}",
        "/*",
        "*/",
        "/*+",
        "--",
        "//",
        "\n",
        "\r\n",
        "'",
        "`",
        "\"",
        "${x}",
        "{{ y }}",
        "{{",
        "{% z %}",
        "{# note #}",
        "${",
        "MERGE INTO t USING s ON",
        "WHEN MATCHED THEN UPDATE SET a =",
        "WHEN NOT MATCHED THEN INSERT VALUES (1)",
        "CREATE AGENT a USING MODEL m USING PROMPT 'p'",
        "CREATE TOOL t USING FUNCTION f WITH",
        "ALTER CONNECTION c SET",
        "START_MODE = FROM_NOW AS",
        "($rowtime)",
        "\0",
        "é",
        "\u{feff}",
        "\u{1f600}",
        ":",
        "?",
        "||",
        "COUNT",
        "SUM",
        "RETURNING",
    ]);
    prop_oneof![4 => words.prop_map(str::to_owned), 1 => any::<String>()]
}

fn soup() -> impl Strategy<Value = String> {
    let spaced = prop::collection::vec((piece(), prop::sample::select(vec!["", " ", "\n"])), 0..60);
    spaced.prop_map(|pieces| pieces.into_iter().map(|(piece, blank)| piece + blank).collect())
}

/// The texts of every fixture in some folders.
fn fixture_texts(folders: &[&str]) -> Vec<String> {
    let names =
        folders.iter().flat_map(|folder| fixtures(folder).into_iter().map(move |name| format!("{folder}/{name}.sql")));
    names.map(|path| fixture(&path)).collect()
}

/// A fixture's text with a part of it replaced.
fn mutant() -> impl Strategy<Value = String> {
    let texts = fixture_texts(&["accepted", "confluent", "mistakes"]);
    (prop::sample::select(texts), any::<prop::sample::Index>(), 0..40_usize, piece()).prop_map(
        |(text, at, length, piece)| {
            let chars: Vec<char> = text.chars().collect();
            let at = at.index(chars.len());
            let end = (at + length).min(chars.len());
            chars[..at].iter().collect::<String>() + &piece + &chars[end..].iter().collect::<String>()
        },
    )
}

/// Everything that stands on a parsed text; panics show here.
fn use_it_all(text: &str) {
    for kept in [invariant::reading(text), invariant::editing(text)] {
        if let Err(broken) = kept {
            panic!("{broken}\n{text}");
        }
    }
    each_good_statement_stands_alone(text, &parse(text));
}

/// The text of a good statement by itself is that statement: nothing around it was needed to understand it.
fn each_good_statement_stands_alone(text: &str, parsed: &Parsed) {
    for (statement, short) in parsed.statements().iter().zip(summary::of_parsed(text, parsed)) {
        if !short.ok {
            continue;
        }
        let inside = |t: &&Token| t.span.start >= statement.span.start && t.span.end <= statement.span.end;
        let placeholder = parsed.tokens().iter().filter(inside).find(|t| t.kind == TokenKind::Template);
        assert_eq!(placeholder, None, "a placeholder outside of a string is never taken for something: {text}");
        // Blanks before it, so that its places stay what they were.
        let alone = " ".repeat(statement.span.start) + statement.span.of(text);
        let again = parse(&alone);
        assert!(again.diagnostics().iter().all(|d| d.severity != Severity::Error), "{alone}");
        assert_eq!(again.statements(), std::slice::from_ref(statement), "{alone}");
    }
}

/// Any bytes, as a file may hold them: as far as they are text, and with what is no text replaced.
fn bytes() -> impl Strategy<Value = String> {
    let of_sql = prop::sample::select(b"SELECT';`\"(){}$%#-/*+.,=<>!\r\n\t\0\x0c\\ 019eExXnNuU&_".to_vec());
    let byte = prop_oneof![6 => of_sql, 1 => any::<u8>()];
    prop::collection::vec(byte, 0..300).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_at_all(text in any::<String>()) {
        use_it_all(&text);
    }

    #[test]
    fn any_bytes_at_all(text in bytes()) {
        use_it_all(&text);
    }

    #[test]
    fn pieces_of_sql_in_any_order(text in soup()) {
        use_it_all(&text);
    }

    #[test]
    fn good_sql_with_a_part_replaced(text in mutant()) {
        use_it_all(&text);
    }
}

/// A renamed text reads the new names where the old one read the old ones, and is as good as it was.
#[test]
fn renaming_keeps_the_statements() {
    let text = fixture("accepted/queries.sql");
    let refs = |statement: &Statement| table_refs(statement).iter().map(|r| r.name.last().name.clone()).collect();
    let before: Vec<Vec<String>> = parse(&text).statements().iter().map(refs).collect();
    let renames = before.iter().flatten().map(|n| (n.clone(), format!("{n}_v2"))).collect();
    let edits: Vec<_> = parse(&text).statements().iter().flat_map(|s| rename_tables(s, &renames)).collect();
    let changed = apply(&text, &edits).expect("edits that fit");
    let parsed = parse(&changed);
    assert_eq!(parsed.diagnostics(), []);
    let after: Vec<Vec<String>> = parsed.statements().iter().map(refs).collect();
    let wanted: Vec<Vec<String>> = before.iter().map(|r| r.iter().map(|n| format!("{n}_v2")).collect()).collect();
    assert_eq!(after, wanted);
}

/// Every statement of the fixtures, and of the corpus that is compared with Flink, stands alone.
#[test]
fn statements_of_files_stand_alone() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/corpus");
    let mut texts = fixture_texts(&["accepted", "confluent", "mistakes", "rename", "carry"]);
    for file in std::fs::read_dir(corpus).expect("the corpus").filter_map(Result::ok) {
        texts.push(std::fs::read_to_string(file.path()).expect("a text"));
    }
    let good = |text: &String| {
        let parsed = parse(text);
        each_good_statement_stands_alone(text, &parsed);
        summary::of_parsed(text, &parsed).iter().filter(|statement| statement.ok).count()
    };
    let read: usize = texts.iter().map(good).sum();
    assert!(read >= 500, "{read} statements");
}

#[test]
fn a_text_that_ends_in_a_wide_character_is_pointed_at_as_a_whole() {
    use_it_all("SET\u{feff}");
    use_it_all("SET é");
}
