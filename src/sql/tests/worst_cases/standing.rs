//! What stands on the tree: names, lineage, operators, state, flows, summaries, renaming, difference.

use super::*;

/// Everything that stands on the tree of each statement, with what the statements before it define. `n` is what was asked for.
fn everything(text: &str, n: usize) -> usize {
    let parsed = parse(text);
    assert_eq!(parsed.diagnostics().first(), None);
    let mut known = Definitions::default();
    let names = (0..n).map(|i| (format!("t{i}"), format!("t{i}_v2"))).collect();
    for statement in parsed.statements() {
        known.flows(statement);
        changelogs(statement, &known);
        statement_types(statement, &known);
        state(statement, &known);
        rename_tables(statement, &names);
        if let StatementKind::Query(query) = &statement.kind {
            operators(query, &known);
        }
        known.add(statement);
    }
    summary::of_parsed(text, &parsed);
    differing(text);
    n
}

/// The last query, held against itself and against a text that names a table otherwise.
fn differing(text: &str) {
    let other = text.replacen(" t", " t2", 1);
    let (old, new) = (parse(text), parse(&other));
    let last = |parsed: &Parsed| match parsed.statements().last().map(|s| s.kind.clone()) {
        Some(StatementKind::Query(query)) => Some(query),
        _ => None,
    };
    if let (Some(old), Some(new)) = (last(&old), last(&new)) {
        assert_eq!(difference((text, &old), (text, &old)).rows(), None);
        difference((text, &old), (&other, &new)).rows();
    }
}

const TABLES: &str = "CREATE TABLE t (a INT, b INT, x INT, ts TIMESTAMP(3)); CREATE TABLE s (a INT, b INT, y INT);";

/// Queries over `TABLES`.
const QUERIES: &[Case] = &[
    ("columns of one table", |n| format!("SELECT {} FROM t", list(n, ", ", |i| format!("a AS c{i}")))),
    ("a sum", |n| format!("SELECT {} AS c FROM t", list(n, " + ", |_| "t.a".into()))),
    ("AND", |n| format!("SELECT 1 FROM t, s WHERE {}", list(n, " AND ", |_| "t.a = s.y".into()))),
    ("IN", |n| format!("SELECT 1 FROM t WHERE a IN ({})", list(n, ", ", |_| "b".into()))),
    ("VALUES", |n| format!("VALUES {}", list(n, ", ", |i| format!("({i}, 'x')")))),
    ("UNION ALL", |n| list(n, " UNION ALL ", |_| "SELECT a, b FROM t".into())),
    ("UNION", |n| list(n, " UNION ", |_| "SELECT a, b FROM t".into())),
    ("EXCEPT and UNION ALL", |n| list(n, " EXCEPT SELECT y FROM s UNION ALL ", |_| "SELECT a FROM t".into())),
    ("joins", |n| format!("SELECT t.x FROM t {}", list(n, " ", |i| format!("JOIN s AS s{i} ON t.a = s{i}.y")))),
    ("joins of tables that nobody knows", |n| {
        format!("SELECT t.x FROM t {}", list(n, " ", |i| format!("JOIN t{i} ON t.a = t{i}.y")))
    }),
    ("joins by USING", |n| format!("SELECT t.x FROM t {}", list(n, " ", |i| format!("JOIN s AS s{i} USING (a)")))),
    ("joins by USING, far from the table that has the column", |n| {
        let (others, columns) =
            (list(n, " CROSS JOIN ", |i| format!("s AS s{i}")), list(n, ", ", |i| format!("x AS c{i}")));
        let joins = list(n, " ", |i| format!("JOIN (SELECT x AS c{i} FROM t) AS t{i} USING (c{i})"));
        format!("SELECT s0.y FROM {others} CROSS JOIN (SELECT {columns} FROM t) AS w {joins}")
    }),
    ("joins by NATURAL", |n| format!("SELECT t.x FROM t {}", list(n, " ", |i| format!("NATURAL JOIN s AS s{i}")))),
    ("joins and their columns", |n| {
        let columns = list(n, ", ", |i| format!("c{i}"));
        format!("SELECT {columns} FROM {}", list(n, ", ", |i| format!("(SELECT a AS c{i} FROM t) AS d{i}")))
    }),
    ("columns of the query around it", |n| {
        let columns = list(n, " + ", |_| "y".into());
        format!("SELECT (SELECT MAX({columns}) FROM {}) FROM s", list(n, ", ", |i| format!("t AS t{i}")))
    }),
    ("CTEs that read one", |n| {
        format!(
            "WITH c AS (SELECT a FROM t), {} SELECT a FROM c",
            list(n, ", ", |i| format!("c{i} AS (SELECT a FROM c)"))
        )
    }),
    ("CTEs that read the one before twice", |n| {
        let next = |i| format!("c{} AS (SELECT l.a + r.a AS a FROM c{i} AS l JOIN c{i} AS r ON l.a = r.a)", i + 1);
        format!("WITH c0 AS (SELECT a FROM t), {} SELECT a FROM c{n}", list(n, ", ", next))
    }),
    ("CTEs that take up more and more", |n| {
        let next = |i| format!("c{} AS (SELECT c{i}.a + t.b AS a FROM c{i}, t)", i + 1);
        format!("WITH c0 AS (SELECT a FROM t), {} SELECT a FROM c{n}", list(n, ", ", next))
    }),
    ("GROUP BY", |n| format!("SELECT COUNT(*) AS c FROM t GROUP BY {}", list(n, ", ", |i| format!("a + {i}")))),
    ("ORDER BY", |n| {
        format!(
            "SELECT {} FROM t ORDER BY {}",
            list(n, ", ", |i| format!("a AS c{i}")),
            list(n, ", ", |i| format!("c{i} + 1"))
        )
    }),
    ("windows that build on each other", |n| {
        let windows = list(n, ", ", |i| format!("w{} AS (w{i})", i + 1));
        let calls = list(n, ", ", |i| format!("SUM(a) OVER w{i} AS c{i}"));
        format!("SELECT {calls} FROM t WINDOW w0 AS (PARTITION BY b), {windows}")
    }),
    ("ranks of a window", |n| {
        let (calls, windows) = (
            list(n, ", ", |i| format!("RANK() OVER w{i} AS c{i}")),
            list(n, ", ", |i| format!("w{i} AS (ORDER BY a)")),
        );
        format!("SELECT {calls} FROM t WINDOW {windows}")
    }),
    ("ranks that are limited", |n| {
        let ranked = |i| format!("(SELECT a, ROW_NUMBER() OVER (ORDER BY b) AS r{i} FROM t) AS d{i}");
        format!("SELECT 1 FROM {} WHERE {}", list(n, ", ", ranked), list(n, " AND ", |i| format!("r{i} = 1")))
    }),
    ("a ranked CTE that is limited", |n| {
        let ranks = list(n, ", ", |i| format!("ROW_NUMBER() OVER (ORDER BY b) AS r{i}"));
        format!(
            "WITH c AS (SELECT {ranks} FROM t) {}",
            list(n, " UNION ALL ", |_| "SELECT r1 FROM c WHERE r1 = 1".into())
        )
    }),
    ("queries that are compared with columns around them", |n| {
        let compared = |_| "(SELECT MAX(y) FROM s WHERE s.a = t.b) = t.a".into();
        format!("SELECT t.a FROM t JOIN s ON t.a = s.a WHERE {}", list(n, " AND ", compared))
    }),
    ("EXISTS", |n| {
        let exists = |i| format!("EXISTS (SELECT 1 FROM s AS s{i} WHERE s{i}.a = t.a)");
        format!("SELECT t.a FROM t WHERE {}", list(n, " AND ", exists))
    }),
    ("UNION ALL of tables that nobody knows", |n| list(n, " UNION ALL ", |i| format!("SELECT a FROM t{i}"))),
    ("rows of rows", |n| {
        let next = |i| format!("c{} AS (SELECT ROW(a, a) AS a FROM c{i})", i + 1);
        format!("WITH c0 AS (SELECT a FROM t), {} SELECT a FROM c{n}", list(n, ", ", next))
    }),
    ("a pattern", |n| {
        let (variables, defined) =
            (list(n, " ", |i| format!("A{i}")), list(n, ", ", |i| format!("A{i} AS A{i}.a = 1")));
        format!(
            "SELECT * FROM t MATCH_RECOGNIZE (ORDER BY ts MEASURES A1.a AS m PATTERN ({variables}) DEFINE {defined})"
        )
    }),
    ("hints", |n| format!("SELECT /*+ {} */ 1 AS c FROM t", list(n, ", ", |_| "BROADCAST(t)".into()))),
    ("arguments of calls", |n| format!("SELECT f({}) AS c FROM t", list(n, ", ", |_| "g(a)".into()))),
];

fn queries(part: usize) {
    for (name, text) in QUERIES.iter().skip(part).step_by(2) {
        // Each of these names takes all columns, up to a limit that has to be reached.
        let many = if *name == "a ranked CTE that is limited" { 2_560 } else { 800 };
        linear(name, 4_000.0, many, |n| everything(&format!("{TABLES} {};", text(n)), n));
    }
}

#[test]
fn whatever_stands_on_a_query_costs_each_part_of_it_the_same() {
    queries(0);
}

#[test]
fn whatever_stands_on_another_query_costs_each_part_of_it_the_same() {
    queries(1);
}

/// Texts of many statements.
const PROJECTS: &[Case] = &[
    ("a wide table", |n| {
        let columns = list(n, ", ", |i| format!("c{i} INT"));
        format!("CREATE TABLE w ({columns}); INSERT INTO w SELECT {} FROM w", list(n, ", ", |i| format!("c{i}")))
    }),
    ("a star of a wide table", |n| {
        format!("CREATE TABLE w ({}); INSERT INTO w SELECT * FROM w", list(n, ", ", |i| format!("c{i} INT")))
    }),
    ("fields of a wide row", |n| {
        let fields = list(n, ", ", |i| format!("f{i} INT"));
        let named = |before: &str| list(n, ", ", |i| format!("{before}f{i}"));
        format!("CREATE TABLE w (r ROW<{fields}>); SELECT {}, {}, {} FROM w", named(""), named("r."), named("(r)."))
    }),
    ("fields of many rows", |n| {
        let rows = list(n, ", ", |i| format!("r{i} ROW<f{i} INT, g{i} ROW<h{i} INT>>"));
        let named = list(n, ", ", |i| format!("f{i}, w.h{i}, r{i}.h{i}"));
        format!("CREATE TABLE w ({rows}); SELECT {named} FROM w")
    }),
    ("fields of many sources", |n| {
        let (tables, sources) =
            (list(n, "; ", |i| format!("CREATE TABLE w{i} (r ROW<f{i} INT>)")), list(n, ", ", |i| format!("w{i}")));
        format!("{tables}; SELECT {} FROM {sources}", list(n, ", ", |i| format!("f{i}")))
    }),
    ("stars of one table", |n| format!("SELECT {} FROM t", list(n, ", ", |_| "*".into()))),
    ("computed columns that read the one before twice", |n| {
        let columns = list(n, ", ", |i| format!("c{} AS c{i} + c{i}", i + 1));
        format!("CREATE TABLE w (c0 INT, {columns}); SELECT c{n} FROM w")
    }),
    ("views that read the one before twice", |n| {
        let view =
            |i| format!("CREATE VIEW v{} AS SELECT l.a + r.a AS a FROM v{i} AS l JOIN v{i} AS r ON l.a = r.a", i + 1);
        format!("CREATE VIEW v0 AS SELECT a FROM t; {}; SELECT a FROM v{n}", list(n, ";", view))
    }),
    ("views on views", |n| {
        let view = |i| format!("CREATE VIEW v{} AS SELECT a, b + 1 AS b, x FROM v{i} WHERE x > {i}", i + 1);
        format!("CREATE VIEW v0 AS SELECT a, b, x FROM t; {}; SELECT a, b FROM v{n}", list(n, ";", view))
    }),
    ("views of two views that read two views", |n| {
        let view = |i| {
            let read = format!("SELECT l.a + r.a AS a FROM v{i} AS l JOIN w{i} AS r ON l.a = r.a");
            format!("CREATE VIEW v{0} AS {read}; CREATE VIEW w{0} AS {read}", i + 1)
        };
        let first = "SELECT a FROM t";
        format!("CREATE VIEW v0 AS {first}; CREATE VIEW w0 AS {first}; {}; SELECT a FROM v{n}", list(n, ";", view))
    }),
    ("statements that read one view", |n| {
        format!(
            "CREATE VIEW v AS SELECT a FROM t WHERE b > 1; {}",
            list(n, ";", |i| format!("INSERT INTO t{i} SELECT a FROM v"))
        )
    }),
    ("sinks with a primary key", |n| {
        let table = |i| format!("CREATE TABLE k{i} (a INT, b INT, PRIMARY KEY (a) NOT ENFORCED)");
        let fill = |i| format!("INSERT INTO k{} SELECT a, MAX(b) FROM k{i} GROUP BY a", i + 1);
        format!("{}; {}", list(n + 1, ";", table), list(n, ";", fill))
    }),
    ("views that join the one before and a sink with a primary key", |n| {
        let view = |i| format!("CREATE VIEW v{} AS SELECT l.a, r.b FROM v{i} AS l JOIN k AS r ON l.a = r.a", i + 1);
        format!(
            "CREATE TABLE k (a INT, b INT, PRIMARY KEY (a) NOT ENFORCED); CREATE VIEW v0 AS SELECT a, b FROM k; {};
             INSERT INTO k SELECT a, b FROM v{n}",
            list(n, ";", view)
        )
    }),
    ("a sink of one wide key", |n| {
        let columns = list(n, ", ", |i| format!("c{i}"));
        format!(
            "CREATE TABLE w ({}, PRIMARY KEY ({columns}) NOT ENFORCED); INSERT INTO w SELECT {columns} FROM w GROUP BY {columns}",
            list(n, ", ", |i| format!("c{i} INT"))
        )
    }),
    ("tables, each filled from the one before", |n| {
        let table = |i| format!("CREATE TABLE t{} (a INT); INSERT INTO t{} SELECT a FROM t{i}", i + 1, i + 1);
        format!("CREATE TABLE t0 (a INT); {}", list(n, ";", table))
    }),
    ("tables like another one", |n| {
        format!("CREATE TABLE t0 (a INT); {}", list(n, ";", |i| format!("CREATE TABLE t{} (b{i} INT) LIKE t", i + 1)))
    }),
];

/// Views that stand on each other, each as deep as can be read.
#[test]
fn views_on_views_leave_stack_for_everything() {
    in_a_thread(|| {
        let mut text =
            "CREATE TABLE t (a INT, b INT, PRIMARY KEY (a) NOT ENFORCED); CREATE VIEW v0 AS SELECT a FROM t;"
                .to_owned();
        for i in 0..40 {
            let (open, close) = ("SELECT a FROM (".repeat(35), ") AS x".repeat(35));
            text += &format!("CREATE VIEW v{} AS {open} SELECT a FROM v{i} {close};", i + 1);
        }
        everything(&format!("{text} INSERT INTO t SELECT a, 1 FROM v40"), 1);
    });
}

#[test]
fn whatever_stands_on_a_project_costs_each_statement_the_same() {
    for (name, text) in PROJECTS {
        let (many, limit) = if name.starts_with("views") { (400, 10_000.0) } else { (1_600, 2_000.0) };
        linear(name, limit, many, |n| everything(&format!("{TABLES} {}", text(n)), n));
    }
}

/// 16 is what the paths in `via` are cut at; each way that leads through more views would be one of 2^40.
/// Each star doubles the columns, so that a short text stands for more of them than anyone can hold.
#[test]
fn stars_of_stars_end_where_nobody_tells_their_columns_apart() {
    let steps = |length: usize| {
        let twice = |i| format!("c{} AS (SELECT * FROM c{i} AS l JOIN c{i} AS r ON l.a = r.a)", i + 1);
        let text = format!("WITH c0 AS (SELECT a FROM t), {} SELECT * FROM c{length}", list(length, ", ", twice));
        counted(|| lineage(&query(&text), &Catalog::default()).outputs.len()).1
    };
    let (few, many) = (steps(17), steps(24));
    assert!(
        many < 32 * few,
        "{few} steps for seventeen, {many} for seven more, which would be 128 times as many columns"
    );
}

#[test]
fn every_use_behind_views_is_found_however_many_ways_lead_to_it() {
    let mut text = "CREATE VIEW v0 AS SELECT x AS a, y AS b FROM base WHERE z > 0;".to_owned();
    for i in 0..40 {
        let next = i + 1;
        text += &format!("CREATE VIEW v{next} AS SELECT l.a, r.b FROM v{i} AS l JOIN v{i} AS r ON l.a = r.b;");
    }
    let mut known = Definitions::default();
    parse("CREATE TABLE base (x INT, y INT, z INT)").statements().iter().for_each(|s| known.add(s));
    parse(&text).statements().iter().for_each(|s| known.add(s));
    let asked = query("SELECT a, b FROM v40");
    let found = lineage(&asked, known.catalog());
    let of = |uses: &[ColumnUse]| -> std::collections::BTreeSet<(String, String, UseKind)> {
        let of_base = uses.iter().filter(|used| used.table == "base");
        of_base.map(|used| (used.table.clone(), used.column.clone(), used.kind)).collect()
    };
    let base = |column: &str, kind| ("base".to_owned(), column.to_owned(), kind);
    assert_eq!(of(&found.outputs[0].uses), [base("x", UseKind::Direct)].into());
    assert_eq!(of(&found.outputs[1].uses), [base("y", UseKind::Direct)].into());
    assert_eq!(
        of(&found.rows),
        [base("x", UseKind::Join), base("y", UseKind::Join), base("z", UseKind::Filter)].into()
    );
    let via: Vec<&Vec<String>> = found.outputs[0].uses.iter().filter(|u| u.table == "base").map(|u| &u.via).collect();
    assert_eq!(via, [&(25..=40).rev().map(|i| format!("v{i}")).collect::<Vec<_>>()]);
    assert_eq!(known.flows(&one("SELECT a, b FROM v40"))[0].rows.len(), 3);
}

/// What a CTE reads is scanned once for each use of it, also where that is more than can be counted.
#[test]
fn scans_of_ctes_are_counted_and_not_walked() {
    let next = |i| format!("c{} AS (SELECT l.a FROM c{i} AS l JOIN c{i} AS r ON l.a = r.a)", i + 1);
    let text = |n: usize| format!("WITH c0 AS (SELECT a FROM t), {} SELECT a FROM c{n}", list(n, ", ", next));
    assert_eq!(query_refs(&query(&text(10)))[0].scans, 1024);
    assert_eq!(query_refs(&query(&text(1000)))[0].scans, usize::MAX);
}
