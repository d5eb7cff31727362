use std::collections::BTreeMap;

use super::*;
use crate::plan::{estate, graph, parity, project};
use crate::sql::steps::counted;

/// A project of tables, each with its columns, of views and of statements, each with its query.
fn project(tables: &[(&str, &str)], views: &[(&str, &str)], statements: &[(&str, &str)]) -> Estate {
    let mut files = Vec::new();
    for (name, columns) in tables {
        let keyed = columns.contains("PRIMARY KEY");
        let formats = if keyed { ", 'key.format' = 'avro', 'value.format' = 'avro'" } else { "" };
        let connector = if keyed { "upsert-kafka" } else { "kafka" };
        let with = format!("WITH ('connector' = '{connector}', 'topic' = '{name}'{formats})");
        files.push((format!("ddl.{name}.sql"), format!("CREATE TABLE {name} ({columns}) {with};")));
    }
    for (name, query) in views {
        let file = name.split(' ').next().unwrap_or(name);
        files.push((format!("view.{file}.sql"), format!("CREATE VIEW {name} AS {query};")));
    }
    for (name, query) in statements {
        files.push((format!("dml.{name}.sql"), format!("INSERT INTO {name} {query};")));
    }
    let project = project::read(&files, &BTreeMap::new());
    assert_eq!(project.diagnostics, []);
    estate::read(&project.manifest).unwrap()
}

fn lent(all: &[(String, String)]) -> Vec<(&str, &str)> {
    all.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect()
}

/// `src`, views each on the one before, and `fct`. `query` is that of a view on what is named.
fn chain(length: usize, query: impl Fn(&str) -> String) -> Estate {
    let name = |number: usize| if number == 0 { "src".to_owned() } else { format!("v{number}") };
    let views: Vec<(String, String)> = (1..=length).map(|n| (name(n), query(&name(n - 1)))).collect();
    let last = format!("SELECT a, b FROM {}", name(length));
    project(&[("src", "a BIGINT, b BIGINT"), ("fct", "a BIGINT, b BIGINT")], &lent(&views), &[("fct", &last)])
}

/// Steps, as `from -> to: how`.
fn shown(edges: &[Edge]) -> Vec<String> {
    edges.iter().map(|edge| format!("{} -> {}: {}", edge.from, edge.to, edge.uses.join(", "))).collect()
}

/// For each of that many views no more work than for each of fewer, and as many results as `results` says.
fn linear(project: &dyn Fn(usize) -> Estate, results: fn(usize) -> usize, work: &dyn Fn(&Estate) -> usize) {
    let each = |views: usize| {
        let estate = project(views);
        let (found, steps) = counted(|| work(&estate));
        assert_eq!(found, results(views), "{views} views");
        steps / views
    };
    let (few, many) = (each(125), each(1_000));
    assert!(many <= few + few / 8 && many <= 350, "{few} steps for each of 125 views, {many} for each of 1,000");
}

#[test]
fn views_on_views_cost_and_give_no_more_each() {
    let filtered = |views| chain(views, |before| format!("SELECT a, b + 1 AS b FROM {before} WHERE b > 0"));
    // One step for the column from each view to the next, and one to `fct`.
    linear(&filtered, |views| views + 1, &|estate| of(estate, "src", Some("a")).unwrap().uses.len());
    linear(&filtered, |views| views + 1, &|estate| of(estate, "fct", Some("a")).unwrap().sources.len());
    // For each view two columns, what filters it, and its rows behind it.
    linear(&filtered, |views| 4 * views + 2, &|estate| of(estate, "fct", None).unwrap().sources.len());
    linear(&filtered, |_| 2, &|estate| filled(estate, "fct", None).columns.len());
}

#[test]
fn what_a_statement_is_made_of_costs_no_more_than_there_is() {
    let joined = |views: usize| {
        let table = |number: usize| (format!("t{number}"), "a BIGINT, c BIGINT".to_owned());
        let view = |number: usize| {
            let before = if number == 1 { "src".to_owned() } else { format!("v{}", number - 1) };
            (format!("v{number}"), format!("SELECT v.a, t.c AS b FROM {before} AS v JOIN t{number} AS t ON v.a = t.a"))
        };
        let named = ["src", "fct"].map(|name| (name.to_owned(), "a BIGINT, b BIGINT".to_owned()));
        let tables: Vec<(String, String)> = named.into_iter().chain((1..=views).map(table)).collect();
        let made: Vec<(String, String)> = (1..=views).map(view).collect();
        project(&lent(&tables), &lent(&made), &[("fct", &format!("SELECT a, b FROM v{views}"))])
    };
    // Every table that is joined, and the first one.
    linear(&joined, |views| views + 1, &|estate| filled(estate, "fct", Some("a")).columns[0].influences.len());
}

#[test]
fn a_step_goes_from_what_a_query_names_and_a_view_is_a_place_like_a_table() {
    let estate = project(
        &[("src", "a INT, b INT"), ("fct", "a INT, n INT"), ("last", "n INT")],
        &[("v", "SELECT a + 1 AS c, 7 AS seven FROM src WHERE b > 0"), ("w", "SELECT c FROM v")],
        &[("fct", "SELECT c AS a, 1 AS n FROM w WHERE c > 1"), ("last", "SELECT n FROM fct WHERE a = 1")],
    );
    let sources = |table: &str, column: Option<&str>| shown(&of(&estate, table, column).unwrap().sources);
    let column = ["w.c -> fct.a: passed on", "v.c -> w.c: passed on", "src.a -> v.c: computed"];
    assert_eq!(sources("fct", Some("a")), column);
    assert_eq!(
        sources("fct", None),
        [
            "w (rows) -> fct (rows): read",
            "w.c -> fct (rows): filtered by",
            "w.c -> fct.a: passed on",
            "v (rows) -> w (rows): read",
            "v.c -> w.c: passed on",
            "src.a -> v.c: computed",
            "src.b -> v (rows): filtered by",
        ]
    );
    // Rows of a table go no further.
    assert_eq!(sources("last", Some("n")), ["fct.n -> last.n: passed on"]);
    let uses = shown(&of(&estate, "src", Some("b")).unwrap().uses);
    let rows = ["src.b -> v (rows): filtered by", "v (rows) -> w (rows): read", "w (rows) -> fct (rows): read"];
    assert_eq!(uses, rows);
    // A column that is made of nothing is one all the same.
    assert_eq!(sources("v", Some("seven")), [""; 0]);
    assert_eq!(columns(&estate, "v").unwrap(), BTreeSet::from(["c".to_owned(), "seven".to_owned()]));
    assert!(of(&estate, "v", Some("b")).is_none());
    let origins = filled(&estate, "fct", Some("a")).columns[0].origins.clone();
    assert_eq!(origins, ["src.a"], "what is said of a statement looks through views");
}

#[test]
fn a_column_that_a_view_does_not_name_is_followed() {
    let estate = project(
        &[("src", "a INT, many ARRAY<INT>"), ("fct", "x INT")],
        &[("v", "SELECT * FROM src CROSS JOIN LATERAL TABLE(split(many))")],
        &[("fct", "SELECT x FROM v")],
    );
    let found = shown(&of(&estate, "fct", Some("x")).unwrap().sources);
    assert_eq!(found, ["v.* -> fct.x: perhaps", "src.many -> v.*: perhaps"]);
    let uses = shown(&of(&estate, "src", Some("many")).unwrap().uses);
    assert!(uses.contains(&"v.* -> fct.x: perhaps".to_owned()), "{uses:?}");
}

/// What planning finds, table for table.
fn of_planning(estate: &Estate) -> BTreeMap<String, BTreeMap<String, ColumnClass>> {
    let graph = graph::build(estate).unwrap();
    let mut classes = BTreeMap::new();
    for name in graph.order() {
        let found = parity::columns(estate, &estate.tables[name], &[], &classes);
        classes.insert(name.to_owned(), found);
    }
    classes
}

#[test]
fn columns_are_compared_as_planning_finds_through_views() {
    let sources = [
        ("src", "id INT, a INT, d DOUBLE, r ROW<x DOUBLE>, many ARRAY<INT>, ts TIMESTAMP(3)"),
        ("keyed", "id INT NOT NULL, k INT, PRIMARY KEY (id) NOT ENFORCED"),
        ("a_mid", "id INT, t TIMESTAMP_LTZ(3), s STRING"),
        ("z_mid", "id INT, t TIMESTAMP_LTZ(3), d DOUBLE"),
        ("fct", "x STRING, y STRING"),
    ];
    let made = [
        ("a_mid", "SELECT id, NOW() AS t, LISTAGG(CAST(a AS STRING)) AS s FROM src GROUP BY id"),
        ("z_mid", "SELECT id, NOW() AS t, SUM(d) AS d FROM src GROUP BY id"),
    ];
    let views = [
        ("late", "SELECT id, s AS t, d FROM a_mid JOIN z_mid USING (id)"),
        ("b_view", "SELECT d, s FROM (SELECT z.d, a.s FROM z_mid AS z, a_mid AS a WHERE z.id = a.id)"),
        ("filtered", "SELECT id, s FROM a_mid WHERE t > TIMESTAMP '2020-01-01 00:00:00'"),
        ("on_filtered", "SELECT id, s FROM filtered"),
        ("volatile", "SELECT id FROM src WHERE RAND() > 0.5"),
        ("floats", "SELECT id, d, r FROM src"),
        ("floats_again", "SELECT * FROM floats"),
        ("opened", "SELECT * FROM a_mid CROSS JOIN UNNEST(SPLIT(s, ','))"),
        ("ordered", "SELECT k FROM keyed ORDER BY id"),
        ("ranked", "SELECT id, ROW_NUMBER() OVER (PARTITION BY s ORDER BY id) AS n, s FROM a_mid"),
        ("listed (p, q)", "SELECT d, t FROM z_mid"),
        ("session", "SELECT * FROM TABLE(SESSION(TABLE src PARTITION BY id, DESCRIPTOR(ts), INTERVAL '1' HOUR))"),
    ];
    let queries = [
        "SELECT t, d FROM late".to_owned(),
        "SELECT CONCAT(s, d), 1 FROM b_view".to_owned(),
        "SELECT 1, 2 FROM b_view WHERE CONCAT(d, s) <> ''".to_owned(),
        "SELECT 1, 2 FROM late WHERE d > 1 AND t > ''".to_owned(),
        "SELECT 1, 2 FROM on_filtered".to_owned(),
        "SELECT s, id FROM on_filtered, volatile".to_owned(),
        "SELECT COUNT(*), 1 FROM volatile".to_owned(),
        "SELECT SUM(d), SUM(r.x) FROM floats_again".to_owned(),
        "SELECT SUM(x), 1 FROM floats_again".to_owned(),
        "SELECT what, ever FROM opened".to_owned(),
        "SELECT s, 2 FROM ranked WHERE n = 1".to_owned(),
        "SELECT p, q FROM listed".to_owned(),
        "SELECT window_start, a FROM session".to_owned(),
        "SELECT 1, (SELECT MAX(t) FROM late) FROM src WHERE id IN (SELECT id FROM filtered)".to_owned(),
        "WITH late AS (SELECT a AS d FROM src) SELECT d, 1 FROM late".to_owned(),
        "SELECT s, 1 FROM filtered UNION ALL SELECT t, 2 FROM late".to_owned(),
        "SELECT x, y FROM (SELECT d AS x, s AS y, ROW_NUMBER() OVER (PARTITION BY k.id ORDER BY k.id) AS n
            FROM keyed AS k JOIN late USING (id) JOIN a_mid USING (id)) WHERE n = 1"
            .to_owned(),
        // Planning takes the order for total by `keyed.id`, which is there through the view.
        "SELECT x, 1 FROM (SELECT o.k AS x, ROW_NUMBER() OVER (PARTITION BY o.k ORDER BY l.k) AS n
            FROM ordered AS o JOIN keyed AS l ON o.k = l.k) WHERE n = 1"
            .to_owned(),
    ];
    let mut all = BTreeSet::new();
    for query in &queries {
        let estate = project(&sources, &views, &[made[0], made[1], ("fct", query)]);
        for (table, planned) in of_planning(&estate) {
            assert_eq!(classes(&estate, &table), planned, "{table}, {query}");
            all.extend(planned.values().map(|class| format!("{class:?}")));
        }
    }
    let kinds = ["Exact", "Volatile", "Order", "EventTime", "History"];
    assert!(kinds.iter().all(|kind| all.iter().any(|class| class.starts_with(kind))), "{all:?}");
}

#[test]
fn a_computed_column_is_a_step_within_its_table() {
    let tables = [("d", "id INT, p AS id + 1"), ("o", "o1 STRING")];
    let estate = project(&tables, &[], &[("o", "SELECT CAST(p AS STRING) AS o1 FROM d")]);
    let uses = of(&estate, "d", Some("id")).unwrap().uses;
    assert_eq!(shown(&uses), ["d.id -> d.p: computed", "d.p -> o.o1: computed"]);
    let sources = of(&estate, "d", Some("p")).unwrap().sources;
    assert_eq!(shown(&sources), ["d.id -> d.p: computed"]);
}

#[test]
fn a_column_that_the_partition_gives_is_not_the_querys() {
    let tables = [("a", "s STRING"), ("o", "p STRING, o1 STRING")];
    let estate = project(&tables, &[], &[("o PARTITION (p = 'x')", "SELECT s FROM a")]);
    let uses = of(&estate, "a", Some("s")).unwrap().uses;
    assert_eq!(shown(&uses), ["a.s -> o.o1: passed on"]);
}
