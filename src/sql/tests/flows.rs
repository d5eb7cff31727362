use super::*;
use std::collections::BTreeSet;

/// What is known after the statements of `text`, and its last statement.
fn known(text: &str) -> (Definitions, Statement) {
    let parsed = parse(text);
    assert_eq!(parsed.diagnostics(), [], "{text}");
    let mut known = Definitions::default();
    let (last, before) = parsed.statements().split_last().unwrap();
    before.iter().for_each(|statement| known.add(statement));
    (known, last.clone())
}

const TABLES: &str = "
    CREATE TABLE src (id INT, a INT, b STRING, ms BIGINT, twice AS a * 2, four AS twice * 2, p AS PROCTIME(),
      PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'kafka', 'format' = 'debezium-json');
    CREATE TABLE log (id INT, a INT, r ROW<x INT, y INT>, procedure_time TIMESTAMP(3), p AS PROCTIME())
      WITH ('connector' = 'kafka', 'format' = 'json');
    CREATE TABLE latest (id INT, a INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka');
    CREATE TABLE dst (id INT, v INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'jdbc');
    CREATE VIEW doubled (k, d) AS SELECT id, four FROM src WHERE b = 'x';
    CREATE TABLE copy (extra STRING) LIKE src;
";

fn origins(statement: &str) -> Vec<(String, Vec<String>)> {
    let (known, last) = known(&format!("{TABLES}{statement}"));
    let flows = known.flows(&last);
    assert_eq!(known.flows_of_one(&last), flows, "{statement}");
    let column = |c: &FlowColumn| {
        (c.name.clone(), c.origins.iter().map(|o| format!("{}.{}", o.table, o.column)).collect::<Vec<_>>())
    };
    flows.iter().flat_map(|flow| flow.columns.iter().map(column)).collect()
}

fn one(name: &str, from: &[&str]) -> (String, Vec<String>) {
    (name.to_owned(), from.iter().map(|f| (*f).to_owned()).collect())
}

fn holds(statement: &str) -> BTreeSet<&'static str> {
    holds_in(&format!("{TABLES}{statement}"))
}

#[test]
fn origins_go_through_views_and_computed_columns() {
    assert_eq!(origins("INSERT INTO dst SELECT k, d FROM doubled"), [one("id", &["src.id"]), one("v", &["src.a"])]);
    let (known, last) = known(&format!("{TABLES}SELECT d FROM doubled"));
    let rows: Vec<String> =
        known.flows(&last)[0].rows.iter().map(|(o, _)| format!("{}.{}", o.table, o.column)).collect();
    assert_eq!(rows, ["src.b"]);
}

#[test]
fn origins_go_through_like_and_inside_of_other_statements() {
    assert_eq!(
        origins("EXPLAIN SELECT extra, four FROM copy"),
        [one("extra", &["copy.extra"]), one("four", &["copy.a"])]
    );
    assert_eq!(origins("COMPILE PLAN 'p' FOR INSERT INTO dst (v) SELECT a FROM src"), [one("v", &["src.a"])]);
    assert_eq!(origins("ALTER VIEW doubled AS SELECT a FROM src"), [one("a", &["src.a"])]);
}

#[test]
fn the_fields_of_a_row_are_its_columns() {
    assert_eq!(origins("SELECT r.* FROM log"), [one("x", &["log.r"]), one("y", &["log.r"])]);
}

#[test]
fn columns_that_a_join_makes_one_come_first_and_are_made_of_both() {
    let joined = origins("SELECT * FROM latest NATURAL JOIN dst");
    assert_eq!(joined, [one("id", &["dst.id", "latest.id"]), one("a", &["latest.a"]), one("v", &["dst.v"])]);
}

#[test]
fn a_session_depends_on_its_partition() {
    let text = "SELECT window_start FROM TABLE(SESSION(TABLE log PARTITION BY id, DESCRIPTOR(procedure_time), INTERVAL '1' HOUR))";
    let (known, last) = known(&format!("{TABLES}{text}"));
    let flow = &known.flows(&last)[0];
    let partition = |(origin, kind): &(Origin, UseKind)| origin.column == "id" && *kind == UseKind::Partition;
    assert!(flow.columns[0].influences.iter().any(partition), "{flow:?}");
}

#[test]
fn state_that_flink_adds_is_known() {
    assert_eq!(holds("INSERT INTO dst SELECT id, a FROM log"), BTreeSet::new());
    assert_eq!(holds("SELECT id FROM latest"), BTreeSet::from(["changelog normalise"]));
    // By the same key the rows may go as they come.
    assert_eq!(holds("INSERT INTO dst SELECT id, a FROM src"), BTreeSet::new());
    assert_eq!(holds("INSERT INTO dst SELECT a, id FROM src"), BTreeSet::from(["sink materialise"]));
    assert_eq!(holds("INSERT INTO dst (v, id) SELECT a, id FROM src"), BTreeSet::new());
    let grouped = "INSERT INTO dst SELECT id, COUNT(*) FROM log GROUP BY id";
    assert_eq!(holds(grouped), BTreeSet::from(["group aggregate"]));
    let by_another = "INSERT INTO dst SELECT CAST(COUNT(*) AS INT), a FROM log GROUP BY a";
    assert_eq!(holds(by_another), BTreeSet::from(["group aggregate", "sink materialise"]));
}

#[test]
fn windows_and_patterns_bound_state_only_where_flink_has_them() {
    let bound = |query: &str| {
        let (known, last) = known(&format!("{TABLES}{query}"));
        state(&last, &known).iter().map(|used| (used.operator.name(), used.bounded_by.name())).collect::<Vec<_>>()
    };
    let grouped = |by: &str| {
        bound(&format!("SELECT COUNT(*) AS n FROM TUMBLE(TABLE log, DESCRIPTOR(p), INTERVAL '1' DAY) GROUP BY {by}"))
    };
    assert_eq!(grouped("a, window_start, window_end"), [("window aggregate", "window")]);
    assert_eq!(grouped("a, window_start"), [("group aggregate", "ttl")]);
    let matched = |within: &str| {
        bound(&format!(
            "SELECT * FROM log MATCH_RECOGNIZE (ORDER BY p MEASURES A.id AS i PATTERN (A B) {within} DEFINE A AS A.a > 1) AS m"
        ))
    };
    assert_eq!(matched("WITHIN INTERVAL '1' HOUR"), [("pattern match", "interval")]);
    assert_eq!(matched(""), [("pattern match", "nothing")]);
}

#[test]
fn a_lookup_is_one_by_its_definition_not_by_its_name() {
    assert_eq!(holds("SELECT l.id FROM log l JOIN dst FOR SYSTEM_TIME AS OF l.p AS d ON l.id = d.id"), BTreeSet::new());
    let named_like_one = "SELECT l.id FROM log l JOIN dst FOR SYSTEM_TIME AS OF l.procedure_time AS d ON l.id = d.id";
    assert_eq!(holds(named_like_one), BTreeSet::from(["temporal join"]));
}

#[test]
fn a_query_of_each_row_that_reads_a_table_is_a_join() {
    let text = "SELECT l.id, x.v FROM log l, LATERAL (SELECT d.v FROM dst d WHERE d.id = l.id) AS x";
    assert_eq!(holds(text), BTreeSet::from(["regular join"]));
    assert_eq!(holds("SELECT l.id, x.b FROM log l, LATERAL (SELECT l.a + 1) AS x (b)"), BTreeSet::new());
}

#[test]
fn state_of_a_view_is_told_where_the_view_is_named() {
    let text =
        format!("{TABLES}CREATE VIEW totals AS SELECT id, COUNT(*) AS n FROM log GROUP BY id; SELECT n FROM totals");
    let (known, last) = known(&text);
    let found = state(&last, &known);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].via.as_deref(), found[0].span.of(&text)), (Some("totals"), "totals"));
    assert_eq!(found[0].bounded_by, Bound::Ttl);
}

#[test]
fn views_on_views_end_in_time_and_hide_no_state() {
    // Each reads the one before twice: looked through again and again this would take for ever.
    let mut text = format!("{TABLES}CREATE VIEW v0 AS SELECT DISTINCT id FROM log;");
    for i in 1..=14 {
        text += &format!("CREATE VIEW v{i} AS SELECT a.id FROM v{0} a UNION ALL SELECT b.id FROM v{0} b;", i - 1);
    }
    let (known, last) = known(&format!("{text} SELECT id FROM v14"));
    let held: Vec<&str> = state(&last, &known).iter().map(|used| used.operator.name()).collect();
    assert_eq!(held, ["distinct"]);
    let mut deep = format!("{TABLES}CREATE VIEW v0 AS SELECT DISTINCT id FROM log;");
    for i in 1..=100 {
        deep += &format!("CREATE VIEW v{i} AS SELECT id FROM v{};", i - 1);
    }
    assert!(!holds_in(&format!("{deep} SELECT id FROM v100")).is_empty());
    assert!(holds_in("CREATE VIEW v AS SELECT * FROM w; CREATE VIEW w AS SELECT * FROM v; SELECT * FROM v").is_empty());
}

fn holds_in(text: &str) -> BTreeSet<&'static str> {
    let (known, last) = known(text);
    state(&last, &known).iter().map(|used| used.operator.name()).collect()
}

/// Two tables of one name in two databases, and a view that was made where `orders` meant the first. The second has its
/// whole name as its key.
const DATABASES: &str = "
    USE CATALOG lake;
    USE sales;
    CREATE TABLE orders (id INT, net INT);
    CREATE VIEW booked AS SELECT net FROM orders;
    USE lake.audit;
    CREATE TABLE orders (id INT, b INT);
";

#[test]
fn a_name_stands_for_the_table_of_the_current_database() {
    let from = |statement: &str| {
        let columns = origins(&format!("{DATABASES}{statement}"));
        columns.into_iter().flat_map(|(_, from)| from).collect::<Vec<_>>()
    };
    assert_eq!(from("SELECT * FROM orders"), ["lake.audit.orders.id", "lake.audit.orders.b"]);
    assert_eq!(from("USE sales; SELECT * FROM orders"), ["orders.id", "orders.net"]);
    assert_eq!(from("SELECT id FROM sales.orders"), ["orders.id"]);
    assert_eq!(from("SELECT orders.b FROM lake.audit.orders"), ["lake.audit.orders.b"]);
    assert_eq!(from("SELECT * FROM sales.booked"), ["orders.net"]);
    assert_eq!(from("SELECT * FROM lake.sales.booked AS b"), ["orders.net"]);
}

#[test]
fn a_name_that_could_be_one_of_several_is_not_guessed() {
    let text = "CREATE TABLE x.orders (id INT); CREATE TABLE y.orders (id INT); SELECT id FROM orders";
    let (known, last) = known(text);
    let [flow] = known.flows(&last).try_into().unwrap();
    assert_eq!(flow.notes.len(), 1, "{flow:?}");
    assert_eq!(flow.columns[0].origins, BTreeSet::from([Origin { table: "orders".into(), column: "id".into() }]));
    let (known, last) = super::flows::known("CREATE TABLE x.orders (id INT); SELECT id FROM orders");
    assert_eq!(known.flows(&last)[0].notes, [], "there is only one");
}

#[test]
fn views_of_two_databases_with_one_name_hold_their_own_state() {
    let text = "CREATE TABLE here.t (id INT); CREATE TABLE other.t (id INT);
        USE here; CREATE VIEW v AS SELECT id FROM t;
        USE other; CREATE VIEW v AS SELECT DISTINCT id FROM t;";
    assert_eq!(holds_in(&format!("{text} SELECT id FROM here.v")), [].into());
    assert_eq!(holds_in(&format!("{text} SELECT id FROM other.v")), ["distinct"].into());
    assert_eq!(
        holds_in(&format!("{text} SELECT a.id FROM here.v AS a UNION ALL SELECT id FROM other.v")),
        ["distinct"].into()
    );
}

#[test]
fn what_a_view_holds_is_found_anew_when_something_is_defined_anew() {
    let text = "CREATE TABLE t (id INT) WITH ('connector' = 'kafka'); CREATE VIEW v AS SELECT id FROM t;
        CREATE VIEW w AS SELECT id FROM v;";
    let (mut known, last) = known(&format!("{text} SELECT id FROM w"));
    assert_eq!((state(&last, &known), changelogs(&last, &known)[0].mode), (Vec::new(), ChangeMode::Append));
    known
        .add(&super::one("CREATE TABLE t (id INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka')"));
    assert_eq!(state(&last, &known).len(), 1);
    assert_eq!(changelogs(&last, &known)[0].mode, ChangeMode::Upsert);
}

#[test]
fn the_hidden_time_of_a_record_is_a_column_of_its_table() {
    assert_eq!(origins("SELECT $rowtime AS t FROM log"), [one("t", &["log.$rowtime"])]);
    assert_eq!(origins("SELECT l.`$rowtime` AS t FROM log AS l, src"), [one("t", &["log.$rowtime"])]);
    assert_eq!(origins("SELECT MAX($rowtime) AS t FROM log GROUP BY id"), [one("t", &["log.$rowtime"])]);
    assert!(!format!("{:?}", origins("SELECT * FROM log")).contains("rowtime"), "no star shows it");
    let (known, last) = known(&format!("{TABLES}SELECT $rowtime FROM (SELECT * FROM log)"));
    assert_eq!(known.flows(&last)[0].notes.len(), 1, "a query has none");
}
