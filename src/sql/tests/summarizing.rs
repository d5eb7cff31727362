use super::*;

fn first(text: &str) -> StatementSummary {
    summaries(text).remove(0)
}

fn names(names: &std::collections::BTreeSet<String>) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

#[test]
fn statements_in_a_few_words() {
    let text = "CREATE TABLE a.b (x INT);\nINSERT INTO c SELECT * FROM d, e.f; SELECT 1 FROM";
    let found = summaries(text);
    let kinds: Vec<&str> = found.iter().map(|s| s.kind.as_str()).collect();
    assert_eq!(kinds, ["CREATE TABLE", "INSERT", "SELECT"]);
    assert_eq!(names(&found[0].writes), ["a.b"]);
    assert_eq!((names(&found[1].reads), names(&found[1].writes)), (vec!["d", "e.f"], vec!["c"]));
    assert_eq!(found.iter().map(|s| s.ok).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(&text[found[1].span[0]..found[1].span[1]], "INSERT INTO c SELECT * FROM d, e.f");
    assert_eq!(found[2].errors.len(), 1);
    let json = serde_json::to_value(&found[0]).unwrap();
    assert_eq!(json["reads"], serde_json::json!([]));
    assert_eq!(json["span"], serde_json::json!([0, 24]));
}

#[test]
fn an_error_belongs_to_the_statement_that_it_is_in() {
    let found = summaries("SELECT a FROM t WHERE a != 1; SELECT b FROM u; SELECT FROM v");
    assert_eq!(found.iter().map(|s| s.errors.len()).collect::<Vec<_>>(), [1, 0, 1]);
    let found = summaries("INSERT INTO a SELECT * FROM b\nINSERT INTO c SELECT * FROM d");
    assert_eq!(found.iter().map(|s| s.ok).collect::<Vec<_>>(), [false, true]);
    assert_eq!(found[0].errors[0].code, "S007");
}

#[test]
fn tables_of_statements_without_a_tree_of_their_own() {
    for (text, reads, writes) in [
        ("ALTER TABLE a RENAME TO b", vec![], vec!["a", "b"]),
        ("ALTER VIEW v AS SELECT * FROM t", vec!["t"], vec!["v"]),
        ("DELETE FROM a WHERE x IN (SELECT y FROM b)", vec!["b"], vec!["a"]),
        ("UPDATE a SET x = (SELECT MAX(y) FROM b) WHERE a.z = 1", vec!["b"], vec!["a"]),
        ("TRUNCATE TABLE a", vec![], vec!["a"]),
        (
            "EXPLAIN STATEMENT SET BEGIN INSERT INTO a SELECT * FROM b; INSERT INTO c SELECT * FROM b; END",
            vec!["b"],
            vec!["a", "c"],
        ),
        ("CREATE MATERIALIZED TABLE m REFRESH_MODE = FULL AS SELECT * FROM t", vec!["t"], vec!["m"]),
        ("COMPILE PLAN 'p' FOR INSERT INTO a SELECT * FROM b", vec!["b"], vec!["a"]),
        ("EXECUTE SELECT * FROM a", vec!["a"], vec![]),
        ("SHOW CREATE TABLE a", vec![], vec![]),
        (
            "MERGE INTO a USING (SELECT * FROM b) AS x ON a.i = x.i AND a.j IN (SELECT j FROM c) \
             WHEN MATCHED THEN UPDATE SET k = (SELECT MAX(k) FROM d) WHEN NOT MATCHED THEN INSERT VALUES (1)",
            vec!["b", "c", "d"],
            vec!["a"],
        ),
        ("MERGE INTO a USING a AS x ON a.i = x.i WHEN MATCHED THEN UPDATE SET k = 1", vec!["a"], vec!["a"]),
    ] {
        let found = first(text);
        assert!(found.ok, "{text}: {:?}", found.errors);
        assert_eq!((names(&found.reads), names(&found.writes)), (reads, writes), "{text}");
    }
}

/// Every place where a table is named, in statements that have no tree of their own.
#[test]
fn renaming_reaches_every_role() {
    let names = [("t".to_owned(), "t_v2".to_owned())].into();
    for (text, renamed) in [
        ("ALTER TABLE t ADD x INT", "ALTER TABLE t_v2 ADD x INT"),
        ("ALTER TABLE t RENAME TO u", "ALTER TABLE t_v2 RENAME TO u"),
        ("UPDATE db.t SET x = t.y WHERE t.z = 1", "UPDATE db.t_v2 SET x = t_v2.y WHERE t_v2.z = 1"),
        (
            "DELETE FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a)",
            "DELETE FROM t_v2 WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t_v2.a)",
        ),
        ("TRUNCATE TABLE `t`", "TRUNCATE TABLE `t_v2`"),
        ("EXPLAIN INSERT INTO t SELECT t.a FROM t", "EXPLAIN INSERT INTO t_v2 SELECT t_v2.a FROM t_v2"),
        ("CREATE MATERIALIZED TABLE m AS SELECT t.a FROM t", "CREATE MATERIALIZED TABLE m AS SELECT t_v2.a FROM t_v2"),
        ("ALTER VIEW v AS SELECT * FROM t AS x", "ALTER VIEW v AS SELECT * FROM t_v2 AS x"),
        (
            "COMPILE PLAN 't' FOR INSERT INTO t SELECT 't' FROM u",
            "COMPILE PLAN 't' FOR INSERT INTO t_v2 SELECT 't' FROM u",
        ),
    ] {
        let parsed = parse(text);
        assert_eq!(parsed.diagnostics(), [], "{text}");
        assert_eq!(apply(text, &rename_tables(&parsed.statements()[0], &names)).unwrap(), renamed);
    }
}

#[test]
fn tables_beside_placeholders_are_known() {
    for (text, reads, writes) in [
        ("INSERT INTO y SELECT b FROM ${SRC};", vec![], vec!["y"]),
        (
            "INSERT INTO db.y SELECT b FROM ${DB}.z JOIN orders_${ENV} o ON TRUE JOIN `r` ON TRUE",
            vec!["r"],
            vec!["db.y"],
        ),
        ("INSERT INTO ${TARGET} SELECT b FROM z LIMIT ${N}", vec!["z"], vec![]),
        ("INSERT INTO y SELECT {{ columns }} FROM {{ ref('x') }}, z {# note #} WHERE a > ${MIN}", vec!["z"], vec!["y"]),
        ("CREATE TABLE y (a INT) WITH ('topic' = ${TOPIC}, 'b' = 'c')", vec![], vec!["y"]),
        (
            "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT ${X} FROM b; INSERT INTO c SELECT 1 FROM ${D}; END",
            vec!["b"],
            vec!["a", "c"],
        ),
        ("INSERT INTO y SELECT FROM FROM ${SRC}", vec![], vec![]),
    ] {
        let found = first(text);
        assert_eq!((names(&found.reads), names(&found.writes)), (reads, writes), "{text}");
        assert!(!found.ok, "{text}");
    }
    let found = summaries("INSERT INTO x SELECT a FROM t WHERE d = ${DAY}\nINSERT INTO y SELECT b FROM z;");
    let tables = |at: usize| (names(&found[at].reads), names(&found[at].writes));
    assert_eq!((tables(0), tables(1)), ((vec!["t"], vec!["x"]), (vec!["z"], vec!["y"])));
    assert!(!found[0].ok && found[1].ok);
}
