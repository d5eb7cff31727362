use std::collections::BTreeMap;

use super::*;
use crate::plan::document::StateVerdict;
use crate::plan::report::class_name;
use crate::plan::{deploy, estate, graph, parity, project};
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
    let (few, many) = (each(250), each(1_000));
    assert!(many <= few + few / 8 && many <= 450, "{few} steps for each of 250 views, {many} for each of 1,000");
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

/// How the columns of `fct` are compared.
fn compared(estate: &Estate) -> Vec<String> {
    let show = |(column, class): (String, ColumnClass)| format!("{column}: {}", class_name(&class));
    classes(estate, "fct").into_iter().map(show).collect()
}

/// Tables of a project, statements before `fct`, and views.
fn around(query: &str) -> Estate {
    let event = "n INT, k STRING, ts TIMESTAMP(3), seen TIMESTAMP(3), clock AS PROCTIME(), WATERMARK FOR ts AS ts";
    let tables = [
        ("src", &*format!("id INT, d DOUBLE, {event}")),
        ("other", &*format!("id INT, {event}")),
        ("keyed", "id INT NOT NULL, k INT, PRIMARY KEY (id) NOT ENFORCED"),
        (
            "mid",
            "id INT, t TIMESTAMP_LTZ(3), s STRING, d DOUBLE, pos BIGINT METADATA FROM 'offset' VIRTUAL, twice AS d * 2",
        ),
        ("numbers", "n DECIMAL(10, 2), f FLOAT, r ROW<d DOUBLE, i INT>, j STRING, half AS n / 2.5E0, third AS n / 3"),
        ("thin", "id INT"),
        ("fct", "x STRING, y STRING"),
    ];
    let views = [
        ("again", "SELECT * FROM mid"),
        ("filtered", "SELECT id, s FROM mid WHERE t > TIMESTAMP '2020-01-01 00:00:00'"),
        ("on_filtered", "SELECT id, s FROM filtered"),
        ("random", "SELECT id FROM src WHERE RAND() > 0.5"),
        ("dice", "SELECT id, RAND() AS r FROM src"),
        ("windows", "SELECT * FROM TABLE(TUMBLE(TABLE src, DESCRIPTOR(ts), INTERVAL '1' HOUR))"),
        ("floats", "SELECT id, d FROM src"),
        ("opened", "SELECT * FROM mid CROSS JOIN UNNEST(SPLIT(s, ','))"),
        ("pairs", "SELECT n AS k, l.id FROM src JOIN keyed AS l ON src.id = l.id"),
        ("listed (p, q)", "SELECT d, t FROM mid"),
    ];
    let statements = [
        ("mid", "SELECT id, NOW() AS t, LISTAGG(k) AS s, SUM(d) AS d FROM src GROUP BY id"),
        ("thin", "SELECT id FROM src WHERE RAND() > 0.5"),
        ("fct", query),
    ];
    project(&tables, &views, &statements)
}

#[track_caller]
fn check(query: &str, x: &str, y: &str) {
    assert_eq!(compared(&around(query)), [format!("x: {x}"), format!("y: {y}")], "{query}");
}

const LISTAGG: &str = "equal up to order (order-sensitive LISTAGG)";
const FLOAT: &str = "equal up to order (sum of floating-point numbers)";
const NOW: &str = "left out (non-deterministic NOW)";

#[test]
fn a_column_is_compared_by_what_it_is_made_of() {
    check("SELECT id, n FROM src", "exact", "exact");
    check("SELECT s, id FROM mid", LISTAGG, "exact");
    check("SELECT s, d FROM again", LISTAGG, FLOAT);
    check("SELECT p, q FROM listed", FLOAT, NOW);
    check("SELECT UUID(), d FROM mid", "left out (non-deterministic UUID)", FLOAT);
    check("SELECT SUM(d), SUM(id) FROM floats", FLOAT, "exact");
    // The strongest of what it is made of, wherever that stands.
    check("SELECT CONCAT(s, d), CONCAT(d, s, t) FROM mid", LISTAGG, NOW);
    // What is expanded decides about rows.
    check("SELECT what, id FROM opened", "left out (metadata of another topic)", LISTAGG);
    check("SELECT clock, twice FROM src, mid", "left out (non-deterministic PROCTIME)", FLOAT);
}

#[test]
fn sums_are_compared_by_the_type_of_what_is_added_up() {
    let sums = |x: &str, y: &str| format!("SELECT SUM({x}), SUM({y}) FROM numbers");
    check(&sums("n", "f"), "exact", FLOAT);
    check(&sums("SQRT(n)", "POWER(n, 2)"), FLOAT, FLOAT);
    check(&sums("r.d", "r.i"), FLOAT, "exact");
    check(&sums("half", "third"), FLOAT, "exact");
    check(&sums("JSON_VALUE(j, '$.x' RETURNING DOUBLE)", "JSON_VALUE(j, '$.x' RETURNING INT)"), FLOAT, "exact");
    check(&sums("CAST(SQRT(n) AS DECIMAL(10, 2))", "CAST(n AS FLOAT)"), "exact", FLOAT);
    check(&sums("CASE WHEN f > 1 THEN n ELSE 0 END", "CASE WHEN n > 1 THEN f END"), "exact", FLOAT);
    // Nobody knows what this gives.
    check(&sums("made_elsewhere(j)", "CHAR_LENGTH(j)"), FLOAT, "exact");
    let found = classes(&around(&sums("f", "half")), "fct");
    let tolerances = found.into_values().map(|class| match class {
        ColumnClass::Order { tolerance, .. } => tolerance,
        _ => 0.0,
    });
    assert_eq!(tolerances.collect::<Vec<_>>(), [1e-4, 1e-9], "a FLOAT has fewer digits than a DOUBLE");
}

#[test]
fn where_and_when_records_were_written_is_no_part_of_what_is_compared() {
    let left_out = "left out (metadata of another topic)";
    check("SELECT pos, id FROM mid", left_out, "exact");
    check("SELECT MAX(pos), MAX(id) FROM mid", left_out, "exact");
    let rows = "history (metadata of another topic decides about rows)";
    check("SELECT id, 1 FROM mid WHERE pos > 10", rows, rows);
}

#[test]
fn what_a_model_answers_is_left_out() {
    let predicted = "left out (non-deterministic ML_PREDICT)";
    check("SELECT label, id FROM ML_PREDICT(TABLE src, MODEL m, DESCRIPTOR(k))", predicted, "exact");
    check("SELECT label, id FROM src, LATERAL TABLE(ML_PREDICT('m', k)) AS t (label)", predicted, "exact");
    check("SELECT AI_COMPLETE('m', k), id FROM src", "left out (non-deterministic AI_COMPLETE)", "exact");
    // What a search finds are rows.
    let found = "history (non-deterministic VECTOR_SEARCH decides about rows)";
    check("SELECT id, 1 FROM src, LATERAL TABLE(VECTOR_SEARCH(TABLE other, DESCRIPTOR(k), src.k, 3))", found, found);
}

#[test]
fn state_that_is_forgotten_makes_rows_a_matter_of_history() {
    let joined = "SELECT src.id, other.n FROM src JOIN other ON src.id = other.id";
    check(joined, "exact", "exact");
    let settings = |value: &str| BTreeMap::from([("table.exec.state.ttl".to_owned(), value.to_owned())]);
    let with = |query: &str, value: &str| compared(&around(query).run_with(&settings(value)));
    let why = "history (state is forgotten after 1 h: table.exec.state.ttl)";
    assert_eq!(with(joined, "1 h"), [format!("x: {why}"), format!("y: {why}")]);
    assert_eq!(with(joined, "0 ms"), ["x: exact", "y: exact"]);
    assert_eq!(with("SELECT id, n FROM src", "1 h"), ["x: exact", "y: exact"], "nothing is kept");
    let hint = joined.replace("SELECT", "SELECT /*+ STATE_TTL('src' = '1d', 'other' = '0s') */");
    let why = "history (state of src is forgotten after 1d: STATE_TTL)";
    check(&hint, why, why);
}

#[test]
fn what_decides_about_rows_is_said_of_every_column() {
    let rand = "history (non-deterministic RAND decides about rows)";
    check("SELECT id, 1 FROM src WHERE RAND() > 0.5", rand, rand);
    check("SELECT COUNT(*), 1 FROM random", rand, rand);
    check("SELECT COUNT(*), 1 FROM thin", rand, rand);
    check("SELECT r, id FROM dice", "left out (non-deterministic RAND)", "exact");
    check("SELECT id, 1 FROM dice WHERE r > 0.5", rand, rand);
    let now = "history (non-deterministic NOW decides about rows)";
    check("SELECT 1, 2 FROM on_filtered", now, now);
    check("SELECT s, id FROM on_filtered", now, now);
    check("SELECT 1, 2 FROM src WHERE id IN (SELECT id FROM filtered)", now, now);
    let listagg = "equal up to order (order-sensitive LISTAGG)";
    check("SELECT id, 1 FROM src GROUP BY id HAVING LISTAGG(k) > 'a'", listagg, listagg);
    check("SELECT id, d FROM mid WHERE s > 'a'", listagg, listagg);
    let windows = "event time (tumbling window)";
    check("SELECT COUNT(*), 1 FROM windows", windows, windows);
    // A window of the time at which rows are processed is another one each time.
    let clock = "history (non-deterministic PROCTIME decides about rows)";
    let window = "TABLE(TUMBLE(TABLE src, DESCRIPTOR(clock), INTERVAL '1' HOUR))";
    check(&format!("SELECT n, COUNT(*) FROM {window} GROUP BY n, window_start, window_end"), clock, clock);
}

#[test]
fn the_strongest_of_all_operators_decides() {
    let rand = "history (non-deterministic RAND decides about rows)";
    check("SELECT n, COUNT(*) OVER (PARTITION BY id ORDER BY ts) FROM src WHERE RAND() > 0.5", rand, rand);
    check("SELECT id, 1 FROM windows WHERE RAND() > 0.5 LIMIT 3", rand, rand);
    let windows = "event time (tumbling window)";
    check("SELECT id, 1 FROM windows LIMIT 3", windows, windows);
    check("SELECT id, UUID() FROM windows", windows, "left out (non-deterministic UUID)");
    let lookup = "FROM src JOIN keyed FOR SYSTEM_TIME AS OF src.clock AS d ON src.id = d.id";
    let volatile = "left out (non-deterministic UUID)";
    check(&format!("SELECT d.k, UUID() {lookup}"), "history (lookup join)", volatile);
    // Something has to tell of the rows.
    check(&format!("SELECT UUID(), UUID() {lookup}"), "history (lookup join)", "history (lookup join)");
    check("SELECT id, 1 FROM src LIMIT 3", "equal up to order (limit)", "equal up to order (limit)");
}

#[test]
fn operators_are_what_their_columns_make_them() {
    let joined = |on: &str| format!("SELECT src.id, other.n FROM src JOIN other ON src.id = other.id AND {on}");
    let interval = "event time (interval join)";
    check(&joined("src.ts BETWEEN TIMESTAMPADD(HOUR, -1, other.ts) AND other.ts"), interval, interval);
    check(&joined("src.ts BETWEEN other.ts - INTERVAL '1' HOUR AND other.ts"), interval, interval);
    check(&joined("src.ts = other.ts"), interval, interval);
    check(&joined("src.seen BETWEEN other.seen - INTERVAL '1' HOUR AND other.seen"), "exact", "exact");
    let named = "(SELECT n, seen AS window_start, seen AS window_end FROM src)";
    check(&format!("SELECT n, COUNT(*) FROM {named} GROUP BY n, window_start, window_end"), "exact", "exact");
    let as_of = |time: &str| {
        let named = "(SELECT id, clock AS t, ts AS proctime FROM src) AS s";
        format!("SELECT s.id, k.k FROM {named} JOIN keyed FOR SYSTEM_TIME AS OF s.{time} AS k ON s.id = k.id")
    };
    check(&as_of("t"), "history (lookup join)", "history (lookup join)");
    check(&as_of("proctime"), "event time (temporal join)", "event time (temporal join)");
}

#[test]
fn an_order_is_total_by_what_the_ranked_rows_are_known_by() {
    let ranked = |columns: &str, from: &str| {
        let number = format!("ROW_NUMBER() OVER ({columns}) AS r");
        format!("SELECT x, 1 FROM (SELECT 1 AS x, {number} FROM {from}) WHERE r = 1")
    };
    check(&ranked("PARTITION BY k ORDER BY id", "keyed"), "exact", "exact");
    let ties = "equal up to order (top-N without a total order)";
    check(&ranked("PARTITION BY k ORDER BY id", "pairs"), ties, ties);
    // A key of a table that is there as well, behind the view and beside it.
    check(&ranked("PARTITION BY p.k ORDER BY p.id", "pairs AS p JOIN keyed AS o ON p.k = o.k"), ties, ties);
    let first = "equal up to order (deduplication without a total order)";
    check(&ranked("PARTITION BY id ORDER BY ts", "src"), first, first);
    check(&ranked("PARTITION BY id ORDER BY clock", "src"), first, first);
}

#[test]
fn rows_in_an_order_are_compared_by_the_time_that_they_go_by() {
    let over = |call: &str| format!("SELECT id, {call} FROM src");
    let event = "event time (over aggregate)";
    check(&over("COUNT(*) OVER (PARTITION BY id ORDER BY ts)"), event, event);
    let processing = "history (over aggregate by processing time)";
    check(&over("COUNT(*) OVER (PARTITION BY id ORDER BY clock)"), processing, processing);
    check(&over("LAG(n) OVER (PARTITION BY id ORDER BY clock)"), processing, processing);
    check(&over("ROW_NUMBER() OVER (PARTITION BY id ORDER BY ts)"), event, event);
    check(&over("RANK() OVER (PARTITION BY id ORDER BY clock)"), processing, processing);
    let none = "equal up to order (over aggregate by no time)";
    check(&over("COUNT(*) OVER (ORDER BY n)"), none, none);
    check(&over("COUNT(*) OVER (PARTITION BY k)"), none, none);
    check(&over("COUNT(*) OVER (ORDER BY n), COUNT(*) OVER (ORDER BY ts)").replace("id, ", ""), event, event);
    let matched = |time: &str| {
        format!(
            "SELECT i, j FROM src MATCH_RECOGNIZE (PARTITION BY k ORDER BY {time} MEASURES A.id AS i, A.n AS j \
             PATTERN (A) DEFINE A AS A.n > 1)"
        )
    };
    check(&matched("ts"), "event time (pattern match)", "event time (pattern match)");
    let processing = "history (pattern match by processing time)";
    check(&matched("clock"), processing, processing);
    let measured = matched("ts").replace("A.n AS j", "MATCH_PROCTIME() AS j");
    check(&measured, "event time (pattern match)", "left out (non-deterministic MATCH_PROCTIME)");
    check("SELECT id, n FROM src ORDER BY ts", "event time (sort)", "event time (sort)");
    check("SELECT id, n FROM src ORDER BY n", "exact", "exact");
    check("SELECT id, n FROM (SELECT id, n FROM src ORDER BY ts)", "exact", "exact");
}

#[test]
fn what_planning_asks_costs_no_more_for_views_on_views() {
    let filtered = |views| chain(views, |before| format!("SELECT a, b + 1 AS b FROM {before} WHERE b > 0"));
    let planned = |estate: &Estate| {
        let graph = graph::build(estate).unwrap();
        let classes = parity::classes(estate, graph.order(), |_| true, &BTreeMap::new());
        let kept = estate.tables.values().map(|table| deploy::state(estate, table));
        assert!(kept.into_iter().all(|state| state == StateVerdict::Stateless));
        classes.len()
    };
    linear(&filtered, |views| views + 2, &planned);
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

/// A table with what it takes over is followed as if all of that were written in it, whatever the order of the names is.
#[test]
fn what_a_table_takes_over_by_like_is_its_own() {
    let base = "CREATE TABLE zebra (id INT, k INT, rid AS UUID(), c AS k * 2, PRIMARY KEY (id) NOT ENFORCED) \
                WITH ('connector' = 'upsert-kafka', 'topic' = 'z', 'key.format' = 'avro', 'value.format' = 'avro');";
    let out = "CREATE TABLE o (id INT, rid STRING, c INT, PRIMARY KEY (id) NOT ENFORCED) \
               WITH ('connector' = 'upsert-kafka', 'topic' = 'o', 'key.format' = 'avro', 'value.format' = 'avro');";
    let files = [
        ("ddl.zebra.sql", base),
        ("ddl.o.sql", out),
        ("ddl.middle.sql", "CREATE TABLE middle WITH ('topic' = 'm') LIKE zebra;"),
        ("ddl.alike.sql", "CREATE TABLE alike (own INT) WITH ('topic' = 'a') LIKE middle;"),
        ("ddl.filled.sql", "CREATE TABLE filled WITH ('topic' = 'f') LIKE zebra;"),
        ("dml.o.sql", "INSERT INTO o SELECT id, rid, c FROM alike;"),
        ("dml.filled.sql", "INSERT INTO filled SELECT id, own FROM alike;"),
    ];
    let files: Vec<project::File> = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let project = project::read(&files, &BTreeMap::new());
    assert_eq!(project.diagnostics, []);
    let estate = estate::read(&project.manifest).unwrap();
    let steps = shown(&of(&estate, "alike", Some("k")).unwrap().uses);
    assert!(steps.contains(&"alike.c -> o.c: passed on".to_owned()), "{steps:?}");
    let filled = shown(&of(&estate, "alike", Some("own")).unwrap().uses);
    assert!(filled.contains(&"alike.own -> filled.k: passed on".to_owned()), "{filled:?}");
    let classes = classes(&estate, "o");
    assert_eq!(classes["rid"], ColumnClass::Volatile { why: "non-deterministic function".to_owned() });
    assert_eq!(classes["c"], ColumnClass::Exact);
    assert_eq!(estate.tables["alike"].key(), ["id"]);
    // Of a table that nobody defines, or of itself, nothing is taken over.
    let texts =
        ["CREATE TABLE lost WITH ('topic' = 'l') LIKE nobody;", "CREATE TABLE own WITH ('topic' = 'x') LIKE own;"];
    let files: Vec<project::File> = (0..).zip(texts).map(|(n, text)| (format!("{n}.sql"), text.to_owned())).collect();
    let estate = estate::read(&project::read(&files, &BTreeMap::new()).manifest).unwrap();
    assert_eq!(estate.tables.len(), 2);
}
