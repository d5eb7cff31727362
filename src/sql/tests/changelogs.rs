use super::*;

const TABLES: &str = "
    CREATE TABLE log (id BIGINT, a INT, b STRING, ts TIMESTAMP(3), tags ARRAY<STRING>, p AS PROCTIME(),
      WATERMARK FOR ts AS ts) WITH ('connector' = 'kafka', 'format' = 'json');
    CREATE TABLE other (id BIGINT, c STRING, seen TIMESTAMP(3), WATERMARK FOR seen AS seen)
      WITH ('connector' = 'kafka', 'format' = 'json');
    CREATE TABLE latest (id BIGINT, name STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka');
    CREATE TABLE cdc (id BIGINT, n INT, v STRING, PRIMARY KEY (id, n) NOT ENFORCED)
      WITH ('connector' = 'kafka', 'format' = 'debezium-json');
    CREATE TABLE cdc_without_key (id BIGINT, v STRING) WITH ('connector' = 'kafka', 'format' = 'debezium-json');
    CREATE TABLE cloud (id BIGINT, v STRING) WITH ('changelog.mode' = 'retract');
    CREATE TABLE cloud_keyed (id BIGINT PRIMARY KEY NOT ENFORCED, v STRING);
    CREATE TABLE cloud_append (id BIGINT PRIMARY KEY NOT ENFORCED, v STRING) WITH ('changelog.mode' = 'append');
    CREATE TABLE totals (who BIGINT, n BIGINT, PRIMARY KEY (who) NOT ENFORCED) WITH ('connector' = 'upsert-kafka');
    CREATE VIEW counts (who, n) AS SELECT id, COUNT(*) FROM log GROUP BY id;
";

fn after_tables(statement: &str) -> (String, Vec<Changelog>) {
    let text = format!("{TABLES}{statement}");
    let parsed = parse(&text);
    assert_eq!(parsed.diagnostics(), [], "{text}");
    let mut known = Definitions::default();
    let (last, before) = parsed.statements().split_last().unwrap();
    before.iter().for_each(|statement| known.add(statement));
    let found = changelogs(last, &known);
    (text, found)
}

/// Mode, key and what decides, as `upsert id: group aggregate`.
fn mode(statement: &str) -> String {
    let (text, found) = after_tables(statement);
    let [only] = found.as_slice() else { panic!("{} queries: {text}", found.len()) };
    let because: Vec<String> = only
        .because
        .iter()
        .map(|because| match &because.cause {
            Cause::Operator(name) => (*name).to_owned(),
            Cause::Source(table) => format!("table {table}"),
        })
        .collect();
    let key = if only.key.is_empty() { String::new() } else { format!(" {}", only.key.join(", ")) };
    format!("{}{key}: {}", only.mode.name(), because.join(", "))
}

#[test]
fn a_source_decides_where_no_operator_does() {
    assert_eq!(mode("SELECT a, UPPER(b) FROM log WHERE a > 1"), "append: table log");
    assert_eq!(mode("SELECT name, id FROM latest"), "upsert id: table latest");
    assert_eq!(mode("SELECT name FROM latest"), "retract: table latest");
    assert_eq!(mode("SELECT v, n AS number, id FROM cdc"), "upsert number, id: table cdc");
    assert_eq!(mode("SELECT id, v FROM cdc"), "retract: table cdc");
    assert_eq!(mode("SELECT * FROM cdc_without_key"), "retract: table cdc_without_key");
    assert_eq!(mode("SELECT * FROM cloud"), "retract: table cloud");
    assert_eq!(mode("SELECT * FROM cloud_keyed"), "upsert id: table cloud_keyed");
    assert_eq!(mode("SELECT * FROM cloud_append"), "append: table cloud_append");
    assert_eq!(mode("SELECT * FROM nobody_knows"), "unknown: table nobody_knows");
    assert_eq!(mode("VALUES (1), (2)"), "append: values");
}

#[test]
fn a_grouping_is_known_by_what_it_groups_by() {
    assert_eq!(mode("SELECT a, COUNT(*) FROM log GROUP BY a"), "upsert a: group aggregate");
    assert_eq!(mode("SELECT COUNT(*), UPPER(b) AS u FROM log GROUP BY UPPER(b)"), "upsert u: group aggregate");
    assert_eq!(mode("SELECT COUNT(*) FROM log GROUP BY a"), "retract: group aggregate");
    assert_eq!(mode("SELECT MAX(a) FROM log"), "upsert: group aggregate");
    assert_eq!(mode("SELECT a, COUNT(*) FROM log GROUP BY ROLLUP (a)"), "retract: group aggregate");
    assert_eq!(mode("SELECT DISTINCT a, b FROM log"), "upsert a, b: distinct");
    assert_eq!(mode("SELECT id FROM log UNION SELECT id FROM other"), "upsert id: set operation");
}

#[test]
fn a_column_that_is_the_same_in_every_row_is_no_key() {
    assert_eq!(mode("SELECT id, COUNT(*) FROM log WHERE id = 7 GROUP BY id"), "retract: group aggregate");
    assert_eq!(
        mode("SELECT l.id, l.name FROM latest l JOIN counts c ON l.id = c.who WHERE c.who = 7").split(':').next(),
        Some("retract")
    );
}

#[test]
fn windows_give_each_row_once() {
    let window = "FROM TABLE(TUMBLE(TABLE log, DESCRIPTOR(ts), INTERVAL '1' HOUR))";
    assert_eq!(
        mode(&format!("SELECT window_start, COUNT(*) {window} GROUP BY window_start, window_end")),
        "append: window aggregate"
    );
    assert_eq!(
        mode(&format!("SELECT window_start, COUNT(*) {window} GROUP BY window_start")),
        "upsert window_start: group aggregate"
    );
    assert_eq!(
        mode("SELECT a, COUNT(*) FROM log GROUP BY a, TUMBLE(ts, INTERVAL '1' HOUR)"),
        "append: window aggregate"
    );
    assert_eq!(mode("SELECT SUM(a) OVER (PARTITION BY b ORDER BY ts) FROM log"), "append: table log");
    let ranked = format!(
        "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY a) AS r {window}) WHERE r < 4"
    );
    assert_eq!(mode(&ranked), "append: window top-N");
}

#[test]
fn joins() {
    let join = |kind: &str, on: &str| mode(&format!("SELECT l.id, o.c FROM log l {kind} other o ON l.id = o.id{on}"));
    assert_eq!(join("JOIN", ""), "append: table log, table other");
    assert_eq!(join("LEFT JOIN", ""), "retract: outer join");
    let within = " AND o.seen BETWEEN l.ts AND l.ts + INTERVAL '1' HOUR";
    assert_eq!(join("LEFT JOIN", within), "append: interval join");
    assert_eq!(join("LEFT JOIN", " AND o.seen >= l.ts"), "retract: outer join");
    assert_eq!(
        mode("SELECT l.id, x.name FROM latest x JOIN counts l ON x.id = l.who"),
        "retract: group aggregate, table latest"
    );
    assert_eq!(
        mode("SELECT x.id, x.name, c.n FROM latest x JOIN counts c ON x.id = c.who"),
        "upsert id: group aggregate, table latest"
    );
    assert_eq!(mode("SELECT x.id, c.n FROM latest x LEFT JOIN counts c ON x.id = c.who"), "upsert id: outer join");
    assert_eq!(mode("SELECT c.who, x.name FROM latest x LEFT JOIN counts c ON x.id = c.who"), "retract: outer join");
    assert_eq!(
        mode("SELECT l.id, x.name FROM log l JOIN latest FOR SYSTEM_TIME AS OF l.ts AS x ON x.id = l.id"),
        "append: table log"
    );
    assert_eq!(mode("SELECT l.id, t FROM log l CROSS JOIN UNNEST(l.tags) AS u (t)"), "append: table log");
}

#[test]
fn a_key_that_is_cast_to_be_compared_is_lost() {
    assert_eq!(
        mode("SELECT c.id, c.n, x.name FROM cdc c JOIN latest x ON c.id = x.id"),
        "upsert id, n: table cdc, table latest"
    );
    assert_eq!(
        mode("SELECT c.id, c.n, x.name FROM cdc c JOIN latest x ON c.n = x.id"),
        "retract: table cdc, table latest"
    );
}

#[test]
fn queries_in_conditions_and_as_values() {
    let filter = |condition: &str| mode(&format!("SELECT id FROM log WHERE {condition}"));
    assert_eq!(filter("id IN (SELECT id FROM other)"), "append: table log, table other");
    assert_eq!(filter("id IN (SELECT id FROM latest)"), "retract: table latest");
    assert_eq!(filter("EXISTS (SELECT 1 FROM other o WHERE o.id = log.id)"), "append: table log, table other");
    assert_eq!(filter("id NOT IN (SELECT id FROM other)"), "retract: anti join");
    assert_eq!(filter("NOT EXISTS (SELECT 1 FROM other o WHERE o.id = log.id)"), "retract: anti join");
    assert_eq!(filter("a > 1 OR id IN (SELECT id FROM other)"), "retract: scalar subquery");
    assert_eq!(filter("id > ANY (SELECT id FROM other)"), "retract: scalar subquery");
    assert_eq!(mode("SELECT id, (SELECT MAX(c) FROM other) FROM latest"), "upsert id: scalar subquery");
    assert_eq!(mode("SELECT id FROM latest WHERE id IN (SELECT id FROM other)"), "upsert id: table latest");
}

/// A query as a value is an outer join: the joined rows are spread by what it is compared with, so that `id` does not know
/// them any longer. A join in front changes nothing of this.
#[test]
fn a_query_in_a_condition_is_judged_by_all_sources_in_reach() {
    let asked = |front: &str, compared: &str| {
        mode(&format!(
            "SELECT l.id, c.v FROM latest l {front} JOIN cloud_keyed c ON c.id = l.id
             WHERE (SELECT MAX(id) FROM log WHERE {compared}) > l.id"
        ))
    };
    for front in ["", "JOIN latest AS b ON b.id = l.id", "JOIN latest AS b ON b.id = l.id JOIN cdc ON cdc.id = b.id"] {
        assert_eq!(asked(front, "log.b = c.v"), "retract: scalar subquery", "{front}");
        assert_eq!(asked(front, "UPPER(log.b) = c.v"), "retract: scalar subquery", "{front}");
        assert_eq!(asked(front, "log.b = UPPER(c.v)"), "retract: scalar subquery", "{front}");
        let deeper = "log.a = (SELECT MAX(n) FROM cdc WHERE cdc.v = c.v)";
        assert_eq!(asked(front, deeper), "retract: scalar subquery", "{front}");
    }
    assert_eq!(asked("JOIN latest AS b ON b.id = l.id", "log.b = 'x'"), "upsert id: scalar subquery");
    assert_eq!(asked("", "log.id = l.id"), "upsert id: scalar subquery");
}

/// Flink puts the equality into the join.
#[test]
fn a_row_that_is_compared_with_the_value_of_a_query_is_not_known_by_its_key() {
    let filter = |condition: &str| mode(&format!("SELECT id, name FROM latest WHERE {condition}"));
    assert_eq!(filter("name = (SELECT MAX(b) FROM log)"), "retract: scalar subquery");
    assert_eq!(filter("UPPER(name) = (SELECT MAX(b) FROM log)"), "retract: scalar subquery");
    assert_eq!(filter("id = (SELECT MAX(id) FROM log)"), "retract: scalar subquery");
    assert_eq!(filter("3 = (SELECT MAX(id) FROM log)"), "upsert id: scalar subquery");
    assert_eq!(filter("name > (SELECT MAX(b) FROM log)"), "upsert id: scalar subquery");
}

#[test]
fn a_query_beside_groups_is_joined_to_them() {
    let grouped = "FROM log GROUP BY a";
    assert_eq!(
        mode(&format!("SELECT a, COUNT(*) {grouped} HAVING COUNT(*) = (SELECT MAX(id) FROM other)")),
        "retract: scalar subquery"
    );
    assert_eq!(mode(&format!("SELECT a, (SELECT MAX(id) FROM other) {grouped}")), "upsert a: scalar subquery");
    let window = "FROM TABLE(TUMBLE(TABLE log, DESCRIPTOR(ts), INTERVAL '1' HOUR)) GROUP BY window_start, window_end";
    assert_eq!(mode(&format!("SELECT window_start, (SELECT MAX(id) FROM other) {window}")), "retract: scalar subquery");
    assert_eq!(
        mode(&format!("SELECT window_start {window} HAVING COUNT(*) > (SELECT MAX(id) FROM other)")),
        "retract: scalar subquery"
    );
}

#[test]
fn numbered_rows() {
    let rank = |select: &str, order: &str, condition: &str| {
        mode(&format!(
            "SELECT {select} FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY a ORDER BY {order}) AS r FROM log) WHERE {condition}"
        ))
    };
    assert_eq!(rank("a, b", "ts DESC", "r = 1"), "upsert a: deduplication");
    assert_eq!(rank("b", "ts DESC", "r = 1"), "retract: deduplication");
    assert_eq!(rank("a, b", "ts", "r = 1"), "append: deduplication");
    assert_eq!(rank("a, b", "p", "r = 1 AND b <> 'x'"), "append: deduplication");
    assert_eq!(rank("a, b, r", "b", "r <= 3"), "upsert a, r: top-N");
    assert_eq!(rank("a, b", "b", "r BETWEEN 1 AND 3"), "retract: top-N");
    assert_eq!(rank("a, b", "ts", "r > 3"), "append: table log");
    assert_eq!(
        mode("SELECT a, b FROM log QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY ts DESC) = 1"),
        "upsert a: deduplication"
    );
    assert_eq!(mode("SELECT id FROM log LIMIT 3"), "append: table log");
    assert_eq!(mode("SELECT id FROM log ORDER BY a LIMIT 3"), "retract: top-N");
    assert_eq!(mode("SELECT id FROM log ORDER BY ts"), "append: table log");
}

#[test]
fn a_condition_on_another_number_limits_no_rank() {
    let ranked = "(SELECT *, ROW_NUMBER() OVER (PARTITION BY a ORDER BY ts DESC) AS n FROM log) AS x";
    let of = |join: &str| mode(&format!("SELECT x.a FROM {join}"));
    assert_eq!(of(&format!("{ranked} WHERE x.n = 1")), "upsert a: deduplication");
    assert_eq!(of(&format!("cdc JOIN {ranked} ON TRUE WHERE x.n = 1")).split(':').next(), Some("retract"));
    assert_eq!(
        of(&format!("(SELECT MAX(n) AS n FROM cdc) AS m JOIN {ranked} ON TRUE WHERE x.n = 1")),
        "upsert a: deduplication, group aggregate"
    );
    assert_ne!(
        of(&format!("(SELECT MAX(n) AS n FROM cdc) AS m JOIN {ranked} ON TRUE WHERE m.n = 1")).split(':').next(),
        Some("upsert a")
    );
    assert_eq!(
        of(&format!("(SELECT MAX(n) AS n FROM cdc) AS m RIGHT JOIN {ranked} ON x.n = 1")),
        "retract: outer join"
    );
}

#[test]
fn all_rows_of_two_queries_change_as_either_does() {
    assert_eq!(mode("SELECT id FROM log UNION ALL SELECT id FROM other"), "append: table log, table other");
    assert_eq!(mode("SELECT id FROM log UNION ALL SELECT id FROM latest"), "retract: table latest");
    assert_eq!(mode("WITH l AS (SELECT id, name FROM latest) SELECT id FROM l"), "upsert id: table latest");
    assert_eq!(mode("SELECT * FROM their_function(TABLE log PARTITION BY a)"), "unknown: process table function");
    assert_eq!(
        mode("SELECT * FROM log MATCH_RECOGNIZE (ORDER BY ts MEASURES A.a AS x PATTERN (A) DEFINE A AS A.a > 1)"),
        "append: pattern match"
    );
}

#[test]
fn keys_have_the_targets_names_and_a_view_is_told_where_it_is_named() {
    assert_eq!(mode("INSERT INTO totals SELECT id, COUNT(*) FROM log GROUP BY id"), "upsert who: group aggregate");
    assert_eq!(
        mode("INSERT INTO totals (n, who) SELECT COUNT(*), id FROM log GROUP BY id"),
        "upsert who: group aggregate"
    );
    let (text, found) = after_tables("SELECT n, who AS customer FROM counts");
    let because = &found[0].because[0];
    assert_eq!((because.span.of(&text), because.via.as_deref()), ("counts", Some("counts")));
    assert_eq!(found[0].key, ["customer"]);
}

#[test]
fn each_query_of_a_statement_has_its_own_changelog() {
    let set = "EXECUTE STATEMENT SET BEGIN INSERT INTO totals SELECT id, 1 FROM log;
        INSERT INTO totals SELECT who, n FROM counts; END";
    let found: Vec<_> = after_tables(set).1.into_iter().map(|found| (found.target, found.mode)).collect();
    assert_eq!(found, [("totals".to_owned(), ChangeMode::Append), ("totals".to_owned(), ChangeMode::Upsert)]);
}

#[test]
fn views_on_views_end_in_time() {
    let mut text = "CREATE VIEW v0 AS SELECT DISTINCT id FROM log;".to_owned();
    for i in 1..=14 {
        text += &format!("CREATE VIEW v{i} AS SELECT a.id FROM v{0} a UNION ALL SELECT b.id FROM v{0} b;", i - 1);
    }
    assert_eq!(mode(&format!("{text} SELECT id FROM v14")), "retract: distinct");
    let circle = "CREATE VIEW v AS SELECT * FROM w; CREATE VIEW w AS SELECT * FROM v;";
    assert!(mode(&format!("{circle} SELECT * FROM v")).starts_with("unknown"));
}

#[test]
fn a_column_that_joins_made_one_is_there_once() {
    let sink = "CREATE TABLE sink (id BIGINT, c STRING, seen TIMESTAMP(3), name STRING, v STRING);";
    let joins = "log JOIN other USING (id) JOIN latest USING (id) JOIN cloud_keyed USING (id)";
    assert_eq!(
        mode(&format!("{sink} INSERT INTO sink SELECT latest.*, c FROM other RIGHT JOIN latest USING (id)")),
        "retract: outer join"
    );
    let (_, found) = after_tables(
        "SELECT * FROM (SELECT id FROM latest) AS a JOIN cloud_keyed USING (id)
        JOIN (SELECT id FROM latest) AS b USING (id)",
    );
    assert_eq!((found[0].mode, found[0].key.as_slice()), (ChangeMode::Upsert, ["id".to_owned()].as_slice()));
    assert_eq!(mode(&format!("SELECT * FROM {joins}")), "retract: table cloud_keyed, table latest");
}

#[test]
fn very_large_statements_end_in_time() {
    let many = |part: &dyn Fn(usize) -> String, between: &str| (0..4000).map(part).collect::<Vec<_>>().join(between);
    let joins = many(&|i| format!("JOIN other o{i} ON o{i}.id = l.id"), " ");
    assert_eq!(mode(&format!("SELECT l.id FROM log l {joins}")), "unknown: join of very many sources");
    let conditions = many(&|i| format!("l.id = o.id AND l.a > {i}"), " AND ");
    assert_eq!(mode(&format!("SELECT l.id FROM log l, other o WHERE {conditions}")), "append: table log, table other");
    let keys = many(&|i| format!("a + {i}"), ", ");
    assert_eq!(mode(&format!("SELECT {keys} FROM log GROUP BY {keys}")), "retract: group aggregate");
    let columns = many(&|i| format!("a AS c{i}"), ", ");
    assert!(mode(&format!("SELECT DISTINCT {columns} FROM log")).starts_with("upsert c0"));
    let mut deep = "1".to_owned();
    for _ in 0..18 {
        deep = format!("(SELECT MAX(id) FROM log WHERE id > {deep})");
    }
    assert_eq!(mode(&format!("SELECT id, {deep} FROM log")), "retract: scalar subquery");
}

/// Numbered rows of `log`, by its time.
fn ranked(order: &str, more: &str) -> String {
    format!("(SELECT id, a, ROW_NUMBER() OVER (PARTITION BY id ORDER BY {order}) AS rn FROM log{more})")
}

#[test]
fn whatever_a_condition_says_of_a_rank_it_is_no_append() {
    let last = ranked("ts DESC", "");
    assert_eq!(mode(&format!("SELECT id, a FROM {last} WHERE rn = (1)")), "upsert id: deduplication");
    assert_eq!(mode(&format!("SELECT id, a FROM {last} WHERE (rn) = 1")), "upsert id: deduplication");
    for condition in [
        "rn <= (3)",
        "rn <= 1 + 2",
        "rn <= CAST(3 AS BIGINT)",
        "NOT (rn > 3)",
        "rn <= a",
        "rn = a",
        "rn = +1",
        "NOT rn <> 1",
        "rn IN (1)",
        "rn BETWEEN 1 AND a",
    ] {
        assert!(
            mode(&format!("SELECT id, a FROM {last} WHERE {condition}")).starts_with("retract: top-N"),
            "{condition}"
        );
    }
    for query in [
        "SELECT x.id FROM @ x JOIN other o ON x.id = o.id AND x.rn <= 3",
        "SELECT x.id FROM other o JOIN @ x ON x.id = o.id WHERE x.rn + 0 <= 3",
        "SELECT id FROM (SELECT x.id, x.rn FROM @ x JOIN other o ON x.id = o.id) WHERE rn <= 3",
        "SELECT id FROM (SELECT * FROM @ UNION ALL SELECT * FROM @) WHERE rn = 1",
        "SELECT id FROM (SELECT id, rn AS n, rn AS m FROM @) WHERE m = 1",
        "SELECT id FROM (SELECT id, rn + 1 AS more FROM @) WHERE more <= 3",
        "SELECT a FROM log WHERE id IN (SELECT id FROM @ WHERE rn <= 1 + 1)",
        "SELECT id FROM (SELECT id, (ROW_NUMBER() OVER (PARTITION BY id ORDER BY ts)) AS n FROM log) WHERE n <= 3",
        "SELECT id FROM (SELECT id, CAST(ROW_NUMBER() OVER (ORDER BY ts) AS INT) AS n FROM log) WHERE n <= 3",
        "SELECT id FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY ts) AS n, RANK() OVER (ORDER BY ts) AS m FROM log) WHERE n <= 3",
    ] {
        let found = mode(&query.replace('@', &last));
        assert!(found.starts_with("retract"), "{query}: {found}");
    }
    assert_eq!(mode(&format!("SELECT id, rn FROM {last}")), "append: table log", "all of them are kept");
}
