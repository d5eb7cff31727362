use super::*;
use crate::diagnostic::Diagnostic;
use crate::model::column::{ColumnType, Nullable};

fn codes(text: &str) -> Vec<String> {
    parse(text).diagnostics().iter().map(|d| d.code.clone()).collect()
}

fn mended(text: &str) -> String {
    let edits: Vec<_> = parse(text).diagnostics().iter().flat_map(|d| d.edits.clone()).collect();
    apply(text, &edits).expect("edits that fit")
}

fn label<'a>(problem: &Diagnostic, text: &'a str) -> &'a str {
    problem.labels[0].span.of(text)
}

#[test]
fn everything_that_flink_accepts_is_read() {
    for name in fixtures("accepted") {
        let text = fixture(&format!("accepted/{name}.sql"));
        let parsed = parse(&text);
        assert_eq!(parsed.diagnostics(), [], "{name}");
        assert!(parsed.statements().len() >= 9, "{name}");
        for statement in parsed.statements() {
            assert!(!matches!(statement.kind, StatementKind::Unparsed { .. }), "{}", statement.span.of(&text));
        }
    }
}

#[test]
fn the_example_project_is_read() {
    fn visit(folder: &std::path::Path, read: &mut usize) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
            let path = entry.path();
            if path.is_dir() {
                visit(&path, read);
            } else if path.extension().is_some_and(|e| e == "sql") {
                let text = std::fs::read_to_string(&path).expect("a text");
                let parsed = parse(&text);
                assert_eq!(parsed.diagnostics(), [], "{}", path.display());
                assert_eq!(parsed.statements().len(), 1, "{}", path.display());
                *read += 1;
            }
        }
    }
    let project = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/shop/pipelines");
    let mut read = 0;
    visit(&project, &mut read);
    assert!(read > 10, "{read} files in {}", project.display());
}

#[test]
fn columns_of_every_kind() {
    let text = fixture("accepted/ddl.sql");
    let parsed = parse(&text);
    let StatementKind::CreateTable(table) = &parsed.statements()[0].kind else { panic!("a table") };
    assert_eq!(table.name.dotted(), "my catalog.db.everything");
    assert!(table.temporary && table.if_not_exists);
    let schema = table.schema();
    let ty = |name: &str| schema.iter().find(|c| c.name == name).map(|c| c.ty.to_string()).unwrap_or_default();
    assert_eq!(ty("e"), "INT NOT NULL");
    assert_eq!(ty("l"), "DECIMAL(12, 3)");
    assert_eq!(ty("j"), "DECIMAL(10, 0)");
    assert_eq!(ty("w"), "TIME(0)");
    assert_eq!(ty("y"), "TIMESTAMP(6)");
    assert_eq!(ty("ab"), "TIMESTAMP_LTZ(3)");
    assert_eq!(ty("ad"), "ARRAY<INT NOT NULL>");
    assert_eq!(
        ty("ag"),
        "ROW<`id` BIGINT, `name` STRING NOT NULL, `tags` ARRAY<ROW<`k` STRING, `v` STRING>>> NOT NULL"
    );
    assert_eq!(ty("aj"), "ARRAY<ARRAY<STRING>>");
    assert_eq!(ty("cost"), "CAST(d AS DECIMAL(10, 2)) * 2");
    assert_eq!(table.columns.iter().find(|c| c.name.name == "r").and_then(|c| c.comment.as_deref()), Some("it's text"));
    let meta = table.columns.iter().find(|c| c.name.name == "ts_type").map(|c| c.kind.clone());
    let string = Nullable { ty: ColumnType::String, nullable: true };
    assert_eq!(
        meta,
        Some(ColumnKind::Metadata { ty: string, key: Some("timestamp-type".to_owned()), is_virtual: true })
    );
    let physical: Vec<String> = table.physical().into_iter().map(|c| c.name).collect();
    assert!(!physical.iter().any(|n| ["cost", "timestamp", "am"].contains(&n.as_str())));
    let writable: Vec<String> = table.writable().into_iter().map(|c| c.name).collect();
    assert!(writable.contains(&"timestamp".to_owned()) && !writable.contains(&"am".to_owned()));
    assert_eq!(table.primary_key.as_ref().map(|k| k.names().collect::<Vec<_>>()), Some(vec!["e", "f"]));
    assert_eq!(table.watermark.as_ref().map(|w| w.expr.span.of(&text)), Some("ts - INTERVAL '5' SECOND"));
    assert_eq!(table.distribution.as_ref().and_then(|d| d.buckets), Some(4));
    assert_eq!(table.partitioned_by.len(), 2);
    let topic = table.option("topic").expect("an option");
    assert_eq!((topic.value.as_str(), topic.value_span.of(&text)), ("a;b", "'a;b'"));
    assert_eq!(table.option("TOPIC"), None);
}

#[test]
fn a_statement_ends_before_its_semicolon_and_comments_stay_outside() {
    let text = "-- about orders\n SELECT 1 -- one\n; /* two */ SELECT ';' ;";
    let parsed = parse(text);
    let spans: Vec<&str> = parsed.statements().iter().map(|s| s.span.of(text)).collect();
    assert_eq!(spans, ["SELECT 1", "SELECT ';'"]);
}

#[test]
fn keywords_in_any_case_names_as_they_are() {
    let StatementKind::Insert(insert) = one("insert Into Sink select A from `My Src`").kind else {
        panic!("an insert")
    };
    assert_eq!(insert.target.dotted(), "Sink");
}

#[test]
fn settings_quoted_and_raw() {
    let set = |text: &str| match one(text).kind {
        StatementKind::Set { key, value, value_span } => (key, value, value_span.of(text).to_owned()),
        other => panic!("{other:?}"),
    };
    assert_eq!(set("SET 'a.b' = 'c''d';"), ("a.b".to_owned(), "c'd".to_owned(), "'c''d'".to_owned()));
    assert_eq!(
        set("set table.exec.state.ttl = 1d"),
        ("table.exec.state.ttl".to_owned(), "1d".to_owned(), "1d".to_owned())
    );
    assert_eq!(one("RESET").kind, StatementKind::Reset { key: None });
    assert_eq!(one("RESET a.b").kind, StatementKind::Reset { key: Some("a.b".to_owned()) });
}

#[test]
fn both_forms_of_a_statement_set() {
    for text in [
        "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT * FROM s; INSERT INTO b SELECT CASE WHEN x THEN 1 END FROM s; END;",
        "BEGIN STATEMENT SET; INSERT INTO a SELECT * FROM s; INSERT INTO b SELECT * FROM s; END; ",
    ] {
        let StatementKind::StatementSet(inserts) = one(text).kind else { panic!("a set: {text}") };
        assert_eq!(inserts.iter().map(|i| i.target.dotted()).collect::<Vec<_>>(), ["a", "b"]);
    }
}

#[test]
fn a_broken_statement_set_is_skipped_as_a_whole() {
    let text = "BEGIN STATEMENT SET; INSERT INTO a SELEC x; INSERT INTO b SELECT * FROM s; END; SELECT 1";
    let parsed = parse(text);
    assert_eq!(parsed.statements().len(), 2);
    let StatementKind::Unparsed { keyword, words } = &parsed.statements()[0].kind else { panic!("unparsed") };
    assert_eq!(keyword, "BEGIN");
    assert!(words.iter().any(|w| w.name == "b"));
}

#[test]
fn reading_goes_on_after_the_semicolon() {
    let text = "SELECT FROM x;\nCREATE TABLE t (a INT);";
    let parsed = parse(text);
    assert_eq!(codes(text), ["S001"]);
    assert!(matches!(parsed.statements()[0].kind, StatementKind::Unparsed { .. }));
    assert!(matches!(parsed.statements()[1].kind, StatementKind::CreateTable(_)));
}

#[test]
fn every_name_of_an_unread_statement_is_visible() {
    let text = "GRANT INTO `a``b` USING \"c\" ON d.e = 'lost src_orders; not closed";
    let parsed = parse(text);
    let StatementKind::Unparsed { words, .. } = &parsed.statements()[0].kind else { panic!("unparsed") };
    let names: Vec<&str> = words.iter().map(|w| w.name.as_str()).collect();
    for name in ["a`b", "c", "d", "e", "src_orders", "closed"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    let text = "ALTER TABLE src_orders ADD x INT";
    let StatementKind::Other { keyword, words, .. } = &parse(text).statements()[0].kind.clone() else {
        panic!("other")
    };
    assert_eq!(keyword, "ALTER TABLE");
    assert!(words.iter().any(|w| w.name == "src_orders" && w.span.of(text) == "src_orders"));
}

#[test]
fn merge_keeps_its_parts() {
    let text = "MERGE INTO t AS x USING s ON x.id = s.id \
                WHEN MATCHED THEN UPDATE SET x.a = s.a, b = 1 WHEN NOT MATCHED THEN INSERT (id, a) VALUES (s.id, 'new')";
    let StatementKind::Other { keyword, effects, .. } = one(text).kind else { panic!("other") };
    let merge = effects.merge.expect("its parts");
    assert_eq!((keyword.as_str(), merge.target.dotted().as_str()), ("MERGE", "t"));
    assert_eq!(merge.alias.map(|alias| alias.name).as_deref(), Some("x"));
    assert_eq!((merge.source.span.of(text), merge.on.span.of(text)), ("s", "x.id = s.id"));
    let set: Vec<_> = merge.update.iter().map(|(column, value)| (column.dotted(), value.span.of(text))).collect();
    assert_eq!(set, [("x.a".to_owned(), "s.a"), ("b".to_owned(), "1")]);
    let insert = merge.insert.expect("an insert");
    assert_eq!(insert.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["id", "a"]);
    assert_eq!(insert.values.iter().map(|value| value.span.of(text)).collect::<Vec<_>>(), ["s.id", "'new'"]);
}

#[test]
fn bang_equal_is_reported_and_understood() {
    let text = "SELECT * FROM t WHERE a != 1";
    assert_eq!(codes(text), ["S004"]);
    assert!(matches!(parse(text).statements()[0].kind, StatementKind::Query(_)));
    assert_eq!(mended(text), "SELECT * FROM t WHERE a <> 1");
}

#[test]
fn double_quotes_are_no_names() {
    let text = "SELECT \"a\" FROM \"t x\"";
    assert_eq!(codes(text), ["S003", "S003"]);
    assert_eq!(mended(text), "SELECT `a` FROM `t x`");
}

#[test]
fn reserved_words_need_backquotes() {
    let text = "CREATE TABLE t (id INT, timestamp TIMESTAMP(3), `date` DATE, value STRING)";
    assert_eq!(codes(text), ["S005", "S005"]);
    assert_eq!(mended(text), "CREATE TABLE t (id INT, `timestamp` TIMESTAMP(3), `date` DATE, `value` STRING)");
    assert!(matches!(parse(text).statements()[0].kind, StatementKind::CreateTable(_)));
    assert_eq!(mended("SELECT user.id, t.value FROM t"), "SELECT `user`.id, t.`value` FROM t");
}

#[test]
fn a_trailing_comma_is_reported_and_passed_over() {
    let text = "CREATE TABLE t (a INT,) WITH ('k' = 'v',); SELECT a, FROM t";
    assert_eq!(codes(text), ["S006", "S006", "S006"]);
    assert_eq!(mended(text), "CREATE TABLE t (a INT) WITH ('k' = 'v'); SELECT a FROM t");
}

#[test]
fn a_missing_semicolon_is_found() {
    let text = "CREATE TABLE t (a INT)\nINSERT INTO t SELECT 1";
    let parsed = parse(text);
    assert_eq!(codes(text), ["S007"]);
    assert_eq!(parsed.statements().len(), 2);
    assert_eq!(mended(text), "CREATE TABLE t (a INT);\nINSERT INTO t SELECT 1");
}

#[test]
fn placeholders_outside_of_strings_are_reported() {
    let text = "SELECT * FROM ${DB}.orders";
    assert_eq!(codes(text), ["S008"]);
    assert_eq!(label(&parse(text).diagnostics()[0], text), "${DB}");
    assert!(codes("CREATE TABLE t (a INT) WITH ('topic' = '${T}')").is_empty());
}

#[test]
fn an_enforced_primary_key_is_reported() {
    let text = "CREATE TABLE t (a INT, PRIMARY KEY (a))";
    assert_eq!(codes(text), ["S012"]);
    assert_eq!(mended(text), "CREATE TABLE t (a INT, PRIMARY KEY (a) NOT ENFORCED)");
}

#[test]
fn what_has_no_end_is_named_at_its_beginning() {
    for (text, begins) in [("SELECT 'abc\n;", "'"), ("SELECT 1; /* abc", "/"), ("SELECT `abc\n FROM t", "`")] {
        let parsed = parse(text);
        let problem = &parsed.diagnostics()[0];
        assert_eq!((problem.code.as_str(), label(problem, text)), ("S002", begins), "{text}");
    }
}

#[test]
fn nesting_without_end_is_a_diagnostic() {
    let deep = 20_000;
    for (open, close) in
        [("(", ")"), ("f(", ")"), ("NOT ", ""), ("- ", ""), ("CASE WHEN ", " THEN 1 END"), ("ARRAY[", "]")]
    {
        let text = format!("SELECT {}1{}", open.repeat(deep), close.repeat(deep));
        assert_eq!(codes(&text), ["S009"], "{open}");
    }
    for (open, close) in [("(SELECT * FROM ", ")"), ("(", ")")] {
        let text = format!("SELECT * FROM {}t{}", open.repeat(deep), close.repeat(deep));
        assert_eq!(codes(&text), ["S009"], "{open}");
    }
    assert_eq!(codes(&format!("CREATE TABLE t (a {}INT{})", "ARRAY<".repeat(deep), ">".repeat(deep))), ["S009"]);
    assert_eq!(codes(&format!("CREATE TABLE t (a INT {})", "ARRAY ".repeat(deep))), ["S009"]);
    assert_eq!(codes(&format!("SELECT a{}", " IS NULL".repeat(deep))), ["S009"]);
    assert_eq!(codes(&format!("SELECT {}a", "EXISTS ".repeat(deep))), ["S009"]);
    let pattern = format!("{}A{}", "(".repeat(deep), ")".repeat(deep));
    let text = format!("SELECT * FROM t MATCH_RECOGNIZE (ORDER BY a PATTERN ({pattern}) DEFINE A AS TRUE)");
    assert_eq!(codes(&text), ["S009"]);
    assert_eq!(codes(&format!("SELECT 1 FROM t {}", "/*+ A(a, b), B */ ".repeat(deep))), [""; 0]);
}

/// What is just not too deep is looked through without running out of stack.
#[test]
fn deep_queries_are_looked_through() {
    for (open, close) in [("(SELECT a FROM ", ") AS x"), ("(SELECT a FROM t WHERE a IN ", ")")] {
        let deepest = (1..60).rev().find_map(|depth| {
            let middle = if close == ")" { "(1)" } else { "t" };
            let text = if close == ")" {
                format!("SELECT a FROM t WHERE a IN {}{middle}{}", open.repeat(depth), close.repeat(depth))
            } else {
                format!("SELECT a FROM {}{middle}{}", open.repeat(depth), close.repeat(depth))
            };
            parse(&text).diagnostics().is_empty().then_some(text)
        });
        let text = deepest.expect("some depth is read");
        let parsed = parse(&text);
        let known = Definitions::default();
        for statement in parsed.statements() {
            known.flows(statement);
            state(statement, &known);
            assert!(!table_refs(statement).is_empty());
        }
    }
}

#[test]
fn long_but_flat_texts_are_read() {
    let many = 20_000;
    assert!(codes(&format!("SELECT a{}", " + a".repeat(many))).is_empty());
    assert!(codes(&format!("SELECT a{}", " OR a = 1 AND b".repeat(many))).is_empty());
    assert!(codes(&format!("SELECT a{}", "[1].x".repeat(many))).is_empty());
    assert!(codes(&format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(many))).is_empty());
    assert!(codes(&format!("SELECT * FROM a{}", " JOIN a ON TRUE".repeat(many))).is_empty());
    assert!(codes(&format!("SELECT {}1", "a, ".repeat(many))).is_empty());
}

#[test]
fn reasonable_nesting_is_read() {
    let text = format!("SELECT {}a{} FROM t", "REPLACE(".repeat(60), ", 'x', 'y')".repeat(60));
    assert!(codes(&text).is_empty());
    let text = format!("SELECT * FROM {}t{}", "(SELECT a, b FROM ".repeat(40), " WHERE a = 1) AS x".repeat(40));
    assert!(codes(&text).is_empty());
}

#[test]
fn the_length_of_an_interval_is_made_of_columns() {
    for text in ["INTERVAL a DAY", "INTERVAL (a) DAY", "INTERVAL -(a + 1) DAY(3)", "INTERVAL t.a SECOND(3, 2)"] {
        let known = catalog(&["t(a, c)"]);
        let found = lineage(&query(&format!("SELECT c + {text} AS moved FROM t")), &known);
        let mut made: Vec<&str> = found.outputs[0].uses.iter().map(|used| used.column.as_str()).collect();
        made.sort_unstable();
        assert_eq!(made, ["a", "c"], "{text}");
    }
    for text in ["INTERVAL 1 DAY", "INTERVAL 1.5 DAY", "INTERVAL -1 HOURS", "FLOOR(c - INTERVAL '1' HOUR TO DAY)"] {
        query(&format!("SELECT {text} FROM t"));
    }
}

#[test]
fn literals_of_time() {
    let text =
        "SELECT TIMESTAMP WITH LOCAL TIME ZONE '2020-01-01 00:00:00.123', DATE '${DAY}', INTERVAL '${N}' DAY FROM t";
    let QueryBody::Select(select) = query(text).body else { panic!("a select") };
    let SelectItem::Expr { expr, .. } = &select.items[0] else { panic!("an expression") };
    assert_eq!(expr.kind, ExprKind::Literal(Literal::Temporal(ColumnType::TimestampLtz(3))));
}

#[test]
fn what_follows_a_query_in_brackets() {
    for text in [
        "(SELECT a FROM t) UNION ALL (SELECT a FROM u) ORDER BY a LIMIT 3",
        "SELECT a FROM t WHERE a IN ((SELECT a FROM t) UNION ALL (SELECT a FROM u) ORDER BY a LIMIT 3)",
        "SELECT * FROM (SELECT a FROM t UNION ALL (SELECT a FROM u) ORDER BY a LIMIT 3)",
        "SELECT * FROM ((SELECT a FROM t ORDER BY a) UNION ALL (SELECT a FROM u))",
        "WITH x AS (((SELECT a FROM t)) UNION ALL SELECT a FROM u) SELECT * FROM x",
    ] {
        query(text);
    }
}
