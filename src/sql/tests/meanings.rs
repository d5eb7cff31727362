//! What two texts say alike, and what one of them says otherwise.

use super::*;

fn same(a: &str, b: &str) -> bool {
    words(a).all().eq(words(b).all())
}

#[test]
fn layout_comments_and_the_case_of_keywords_mean_nothing() {
    let written = "CREATE TABLE t (\n  id BIGINT NOT NULL, -- the key\n  at TIMESTAMP(3),\n  WATERMARK FOR at AS at - INTERVAL '5' SECOND,\n  PRIMARY KEY (id) NOT ENFORCED\n) WITH ('connector' = 'kafka');";
    let other = "create table if not exists t(id bigint not null, at timestamp(3), watermark for at as at - interval '5' second,\n /* b */ primary key (id) not enforced) with ('connector'='kafka')";
    assert!(!same(written, other), "IF NOT EXISTS is more than the case of a keyword");
    assert!(same(written, &other.replace("if not exists ", "")));
    assert!(same("SELECT sha256(`a`), count(*) FROM t -- x", "select SHA256(a), COUNT(*)\nfrom t;"));
    assert!(same("CREATE VIEW v (a) COMMENT 'y' AS SELECT 1 AS a", "CREATE VIEW v (a) AS SELECT 1 AS a"));
    for keyword in ["virtual", "metadata from 'k'", "enforced"] {
        let text =
            format!("CREATE TABLE t (a INT METADATA FROM 'k' VIRTUAL, PRIMARY KEY (a) NOT ENFORCED) -- {keyword}");
        assert!(same(&text, &text.replace(&keyword.to_uppercase(), keyword)), "{keyword}");
    }
}

#[test]
fn names_literals_and_hints_mean_something() {
    for (a, b) in [
        ("SELECT key FROM t", "SELECT KEY FROM t"),
        ("SELECT a FROM t", "SELECT a AS b FROM t"),
        ("SELECT 'x' AS a", "SELECT 'X' AS a"),
        ("SELECT 1.0 AS a", "SELECT 1.00 AS a"),
        ("SELECT a FROM t", "SELECT a FROM t /*+ OPTIONS('k' = 'v') */"),
        ("SELECT a FROM Orders", "SELECT a FROM orders"),
        ("SELECT a || b FROM t", "SELECT b || a FROM t"),
    ] {
        assert!(!same(a, b), "{a} and {b}");
    }
}

/// `columns` that differ, and the clause that makes the rows others, `?` when they may come more often.
#[track_caller]
fn differs(old: &str, new: &str, columns: &[&str], rows: &str) {
    let catalog = catalog(&["a(id, x, y)", "b(id, z)", "c(id, w)"]);
    let (was, is) = (query(old), query(new));
    let found = difference((old, &was), (new, &is));
    let (before, after) = (lineage(&was, &catalog).outputs, lineage(&is, &catalog).outputs);
    let changed: Vec<&str> = after
        .iter()
        .filter(|n| before.iter().find(|o| o.name == n.name).is_none_or(|o| found.column(o, n)))
        .map(|n| n.name.as_str())
        .collect();
    assert_eq!(changed, columns, "columns of\n{new}");
    let repeated = if found.repeated() { "?" } else { "" };
    assert_eq!(found.rows().unwrap_or(repeated), rows, "rows of\n{new}");
}

#[test]
fn an_item_that_is_made_differently_is_named() {
    differs("SELECT id, x FROM a", "select id, -- k\n x from a", &[], "");
    differs("SELECT id, x FROM a", "SELECT id, UPPER(x) AS x FROM a", &["x"], "");
    differs("SELECT id, x FROM a", "SELECT x, id, y FROM a", &["y"], "");
    differs("SELECT id, x + y AS s FROM a", "SELECT id, x - y AS s FROM a", &["s"], "");
    differs(
        "SELECT id, (SELECT MAX(z) FROM b) AS m FROM a",
        "SELECT id, (SELECT MIN(z) FROM b) AS m FROM a",
        &["m"],
        "",
    );
}

#[test]
fn a_condition_that_differs_makes_the_rows_others() {
    let old = "SELECT id, x FROM a WHERE x > 0";
    differs(old, "SELECT id, x FROM a WHERE x > 1", &[], "WHERE");
    differs(old, "SELECT id, x FROM a", &[], "WHERE");
    let old = "SELECT x, COUNT(*) AS n FROM a GROUP BY x HAVING COUNT(*) > 1";
    differs(old, "SELECT x, COUNT(*) AS n FROM a GROUP BY x, y HAVING COUNT(*) > 1", &[], "GROUP BY");
    differs(old, "SELECT x, COUNT(*) AS n FROM a GROUP BY x HAVING COUNT(*) > 2", &[], "HAVING");
    differs("SELECT x FROM a", "SELECT DISTINCT x FROM a", &[], "DISTINCT");
    differs("SELECT DISTINCT x FROM a", "SELECT DISTINCT x + 1 AS x FROM a", &["x"], "DISTINCT");
    differs("SELECT x FROM a ORDER BY y LIMIT 3", "SELECT x FROM a ORDER BY y LIMIT 4", &[], "LIMIT");
    differs("SELECT x FROM a ORDER BY y LIMIT 3", "SELECT x FROM a ORDER BY y DESC LIMIT 3", &[], "ORDER BY");
    differs("SELECT x FROM a ORDER BY y", "SELECT x FROM a ORDER BY y DESC", &[], "");
    differs(
        "SELECT x AS g, COUNT(*) AS n FROM a GROUP BY g",
        "SELECT y AS g, COUNT(*) AS n FROM a GROUP BY g",
        &["g"],
        "GROUP BY",
    );
}

#[test]
fn a_source_more_or_less_makes_the_rows_others_but_an_outer_join_behind_keeps_them() {
    let old = "SELECT a.id, a.x FROM a";
    differs(old, "SELECT a.id, a.x FROM a JOIN b ON a.id = b.id", &[], "JOIN");
    differs(old, "SELECT a.id, a.x, b.z FROM a LEFT JOIN b ON a.id = b.id", &["z"], "?");
    differs(old, "SELECT a.id, a.x FROM a RIGHT JOIN b ON a.id = b.id", &[], "JOIN");
    differs(old, "SELECT a.id, a.x FROM a, b", &[], "JOIN");
    let old = "SELECT s.id, s.x FROM a AS s JOIN b ON s.id = b.id";
    differs(old, "SELECT s.id, s.x FROM a AS s JOIN b ON s.id = b.id AND b.z > 0", &[], "JOIN");
    differs(old, "SELECT s.id, s.x FROM a AS s LEFT JOIN b ON s.id = b.id", &[], "JOIN");
    differs(old, "SELECT s.id, s.x FROM b AS s JOIN a ON s.id = b.id", &["id", "x"], "FROM");
}

#[test]
fn derived_tables_and_ctes_are_looked_into() {
    let old = "SELECT s.id, s.m, s.n FROM (SELECT id, MAX(x) AS m, MIN(y) AS n FROM a GROUP BY id) AS s WHERE s.n > 0";
    differs(old, &old.replace("MAX(x)", "MAX(y)"), &["m"], "");
    differs(old, &old.replace("MIN(y)", "MIN(x)"), &["n"], "WHERE");
    differs(old, &old.replace("FROM a", "FROM a WHERE x > 1"), &[], "WHERE");
    let old = "WITH s AS (SELECT id, x + 1 AS x, y FROM a), t AS (SELECT * FROM s) SELECT t.id, t.x, t.y FROM t";
    differs(old, &old.replace("x + 1", "x + 2"), &["x"], "");
    differs(old, &old.replace("FROM a)", "FROM a WHERE y > 0)"), &[], "WHERE");
    let old = "WITH s AS (SELECT id FROM a) SELECT b.id, b.z FROM b WHERE b.id IN (SELECT id FROM s)";
    differs(old, &old.replace("FROM a)", "FROM a WHERE y > 0)"), &[], "WHERE");
    // A table that a CTE hid is another table.
    differs("WITH b AS (SELECT id, x AS z FROM a) SELECT id, z FROM b", "SELECT id, z FROM b", &["id", "z"], "WITH");
    let old = "SELECT * FROM (SELECT id, x FROM a) AS s";
    differs(old, "SELECT * FROM (SELECT id, UPPER(x) AS x FROM a) AS s", &["x"], "");
}

#[test]
fn items_that_are_known_by_their_places_are_others_at_other_places() {
    let old = "SELECT id, x FROM a UNION ALL SELECT id, z FROM b";
    differs(old, "SELECT id, x FROM a UNION ALL SELECT z, id FROM b", &["id", "x"], "");
    differs(old, "SELECT id, x FROM a UNION SELECT id, z FROM b", &["id", "x"], "query");
    let old = "SELECT s.p, s.q FROM (SELECT id, x FROM a) AS s (p, q)";
    differs(old, "SELECT s.p, s.q FROM (SELECT x, id FROM a) AS s (p, q)", &["p", "q"], "");
}

#[test]
fn equal_columns_are_found_where_every_row_has_them_equal() {
    let catalog = catalog(&["a(id, x, y)", "b(id, z)", "c(id, w)"]);
    let equal = |text: &str| -> Vec<String> {
        let found = lineage(&query(text), &catalog).equal;
        found.iter().map(|[l, r]| format!("{}.{} {}.{}", l.0, l.1, r.0, r.1)).collect()
    };
    assert_eq!(equal("SELECT 1 FROM a JOIN b ON a.x = b.id AND (b.z = a.y)"), ["a.x b.id", "b.z a.y"]);
    assert_eq!(equal("SELECT 1 FROM a, b WHERE a.x = b.id AND a.y = 'p'"), ["a.x b.id"]);
    assert_eq!(equal("SELECT 1 FROM a JOIN (SELECT id, z FROM b) AS s ON a.x = s.id"), ["a.x b.id"]);
    for text in [
        "SELECT 1 FROM a LEFT JOIN b ON a.x = b.id",
        "SELECT 1 FROM a JOIN b ON a.x = b.id OR a.y = b.z",
        "SELECT 1 FROM a JOIN b ON UPPER(a.x) = b.id",
        "SELECT 1 FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.id = a.x)",
        "SELECT (SELECT b.z FROM b WHERE b.id = a.x) AS z FROM a",
        "SELECT 1 FROM a JOIN (SELECT MAX(id) AS id FROM b) AS s ON a.x = s.id",
        "SELECT 1 FROM a JOIN b ON NOT (a.x = b.id)",
    ] {
        assert_eq!(equal(text), Vec::<String>::new(), "{text}");
    }
}
