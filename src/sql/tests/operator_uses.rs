use super::*;

/// Two tables of events that have times, one of them with a processing time, and one of values by a key.
const DEFINED: &str = "
    CREATE TABLE a (id INT, n INT, ts TIMESTAMP(3), seen TIMESTAMP(3), clock AS PROCTIME(), WATERMARK FOR ts AS ts);
    CREATE TABLE b (id INT, n INT, ts TIMESTAMP(3), seen TIMESTAMP(3), WATERMARK FOR ts AS ts);
    CREATE TABLE dim (id INT, name STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka');
    CREATE VIEW pairs AS SELECT b.n AS k, dim.id FROM b JOIN dim ON b.id = dim.id;
    CREATE VIEW numbered AS SELECT id, n, ROW_NUMBER() OVER (PARTITION BY id ORDER BY ts DESC) AS r FROM a;";

fn known() -> Definitions {
    let mut known = Definitions::default();
    parse(DEFINED).statements().iter().for_each(|statement| known.add(statement));
    known
}

/// The operators, those with state marked by `!`.
fn found(text: &str) -> Vec<String> {
    let show = |op: &OperatorUse| {
        let name = match &op.kind {
            Operator::NonDeterministicFunction(name) | Operator::OrderSensitiveAggregate(name) => name.clone(),
            Operator::TopN { total } | Operator::Deduplication { total } if *total => {
                format!("{} in total order", op.kind.name())
            }
            other => other.name().to_owned(),
        };
        if op.kind.is_stateful() { format!("{name}!") } else { name }
    };
    operators(&query(text), &known()).iter().map(show).collect()
}

/// DISTINCT, UNION, INTERSECT, IN and EXISTS, top-N, global aggregates and comma joins keep state.
#[test]
fn what_looks_stateless_and_is_not() {
    assert_eq!(found("SELECT DISTINCT n FROM a"), ["distinct!"]);
    assert_eq!(found("SELECT n FROM a UNION SELECT n FROM b"), ["set operation!"]);
    assert_eq!(found("SELECT n FROM a INTERSECT ALL SELECT n FROM b"), ["set operation!"]);
    assert_eq!(found("SELECT n FROM a WHERE id IN (SELECT id FROM b)"), ["filter", "semi join!"]);
    assert_eq!(found("SELECT n FROM a WHERE NOT EXISTS (SELECT 1 FROM b)"), ["filter", "anti join!"]);
    assert_eq!(found("SELECT n FROM a WHERE id NOT IN (SELECT id FROM b)"), ["filter", "anti join!"]);
    assert_eq!(found("SELECT n FROM a ORDER BY n LIMIT 3"), ["sort!", "top-N!"]);
    assert_eq!(found("SELECT n FROM a LIMIT 3"), ["limit!"]);
    assert_eq!(found("SELECT COUNT(*) FROM a"), ["group aggregate!"]);
    // Whatever it is called: only an aggregate is written so.
    assert_eq!(found("SELECT f(DISTINCT n) FROM a"), ["group aggregate!"]);
    assert_eq!(found("SELECT f(n) FILTER (WHERE n > 1) FROM a"), ["group aggregate!"]);
    assert_eq!(found("SELECT f(n) FROM a"), [""; 0]);
    assert_eq!(found("SELECT a.n FROM a, b WHERE a.id = b.id"), ["regular join!", "filter"]);
    assert_eq!(found("SELECT (SELECT MAX(n) FROM b) FROM a"), ["scalar subquery!", "group aggregate!"]);
}

#[test]
fn what_keeps_no_state() {
    assert_eq!(found("SELECT n + 1 FROM a WHERE n = 1 UNION ALL SELECT n FROM b"), ["filter", "union all"]);
    assert_eq!(found("SELECT n FROM a WHERE n IN (1, 2)"), ["filter"]);
    assert_eq!(
        found("SELECT x FROM t CROSS JOIN UNNEST(t.items) AS i (x), LATERAL TABLE(f(a)) AS g (y)"),
        ["unnest", "function of each row"]
    );
}

#[test]
fn what_names_no_column_of_the_rows_before_it_is_joined() {
    let from = |source: &str| found(&format!("SELECT a.id, x FROM a CROSS JOIN {source} AS u (x)"));
    for values in ["ARRAY[1, 2, 3]", "SPLIT('a,b', ',')", "MAP['a', 1]", "ARRAY[ROW(1, 'a')]"] {
        let unnest = format!("UNNEST({values})");
        assert!(from(&unnest).contains(&"regular join!".to_owned()), "{values}");
        let lateral = format!("LATERAL (SELECT * FROM {unnest})");
        assert!(from(&lateral).contains(&"regular join!".to_owned()), "{values}");
    }
    assert_eq!(from("LATERAL (VALUES 1, 2)"), ["regular join!"]);
    assert_eq!(found("SELECT a.id FROM a, UNNEST(ARRAY[1]) AS u (x)"), ["unnest", "regular join!"]);
    assert_eq!(found("SELECT x FROM UNNEST(ARRAY[1]) AS u (x)"), ["unnest"], "joined with nothing");
    assert_eq!(from("UNNEST(ARRAY[a.n, 1])"), ["unnest"]);
    assert_eq!(from("LATERAL (SELECT * FROM UNNEST(ARRAY[a.n]))"), ["function of each row", "unnest"]);
}

/// A function of a table is joined as the table is, `LATERAL` or not.
#[test]
fn a_function_of_a_table_is_joined() {
    let from = |source: &str| found(&format!("SELECT a.id FROM a JOIN {source} AS p ON a.id = p.id"));
    let predicted = "TABLE(ML_PREDICT(TABLE b, MODEL m, DESCRIPTOR(n)))";
    assert_eq!(from(predicted), ["regular join!", "ML_PREDICT", "process table function"]);
    let window = "LATERAL TABLE(TUMBLE(TABLE b, DESCRIPTOR(ts), INTERVAL '1' HOUR))";
    assert_eq!(from(window), ["regular join!", "tumbling window"]);
    let searched = "LATERAL TABLE(VECTOR_SEARCH(TABLE b, DESCRIPTOR(n), a.n, 3))";
    assert_eq!(from(searched), ["VECTOR_SEARCH", "process table function!"]);
    assert_eq!(from("LATERAL TABLE(f(a.n))"), ["function of each row"]);
}

/// A column that nobody knows may be a time.
#[test]
fn a_function_over_rows_goes_by_the_time_that_orders_them() {
    let clock = |from: &str, over: &str| {
        let over = format!("SELECT SUM(n) OVER ({over}) FROM {from}");
        operators(&query(&over), &known()).remove(0).kind
    };
    assert_eq!(clock("a", "ORDER BY ts"), Operator::Over(Clock::Event));
    assert_eq!(clock("a", "ORDER BY clock"), Operator::Over(Clock::Processing));
    assert_eq!(clock("a", "ORDER BY seen"), Operator::Over(Clock::None));
    assert_eq!(clock("a", "PARTITION BY id"), Operator::Over(Clock::None));
    assert_eq!(clock("nobody_knows", "ORDER BY t"), Operator::Over(Clock::Event));
    assert_eq!(clock("numbered", "ORDER BY r"), Operator::Over(Clock::None));
}

#[test]
fn a_join_is_what_its_columns_make_it() {
    let join = |on: &str| found(&format!("SELECT 1 FROM a JOIN b ON a.id = b.id AND {on}"));
    assert_eq!(join("a.n = b.n"), ["regular join!"]);
    assert_eq!(join("a.ts BETWEEN b.ts - INTERVAL '4' HOUR AND b.ts"), ["interval join!"]);
    assert_eq!(join("a.ts = b.ts"), ["interval join!"], "equal times are an interval of nothing");
    assert_eq!(
        join("a.seen BETWEEN b.seen - INTERVAL '4' HOUR AND b.seen"),
        ["regular join!"],
        "`seen` is no time attribute"
    );
    let comma = "SELECT 1 FROM a, b WHERE a.id = b.id AND a.ts BETWEEN b.ts - INTERVAL '4' HOUR AND b.ts";
    assert_eq!(found(comma), ["interval join!", "filter"]);
    let windows = |of: &str, time: &str| {
        format!("SELECT * FROM TABLE(TUMBLE(TABLE {of}, DESCRIPTOR({time}), INTERVAL '1' HOUR))")
    };
    let on = "l.id = r.id AND l.window_start = r.window_start AND l.window_end = r.window_end";
    let joined = format!("SELECT 1 FROM ({}) AS l JOIN ({}) AS r ON {on}", windows("a", "ts"), windows("b", "ts"));
    assert!(found(&joined).contains(&"window join!".to_owned()), "{:?}", found(&joined));
    let named = "(SELECT id, seen AS window_start, seen AS window_end FROM a)";
    assert_eq!(found(&format!("SELECT 1 FROM {named} AS l JOIN {named} AS r ON {on}")), ["regular join!"]);
}

#[test]
fn a_lookup_goes_by_a_processing_time_whatever_that_is_called() {
    let as_of = |from: &str, time: &str| {
        found(&format!("SELECT 1 FROM {from} JOIN dim FOR SYSTEM_TIME AS OF {time} AS d ON a.id = d.id"))
    };
    assert_eq!(as_of("a", "a.clock"), ["lookup join"]);
    assert_eq!(as_of("(SELECT id, clock AS t FROM a) AS a", "a.t"), ["lookup join"]);
    assert_eq!(as_of("a", "a.ts"), ["temporal join!"]);
    assert_eq!(as_of("(SELECT id, ts AS proctime FROM a) AS a", "a.proctime"), ["temporal join!"]);
    assert_eq!(
        as_of("nobody_knows AS a", "a.proctime"),
        ["temporal join!"],
        "nothing is called stateless that might not be"
    );
}

#[test]
fn a_grouping_is_one_of_windows_where_it_groups_by_windows() {
    let grouped = |from: &str| found(&format!("SELECT SUM(n) FROM {from} GROUP BY window_start, window_end"));
    assert_eq!(
        grouped("TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '1' HOUR))"),
        ["tumbling window", "window aggregate!"]
    );
    assert_eq!(grouped("(SELECT n, seen AS window_start, seen AS window_end FROM a)"), ["group aggregate!"]);
    assert_eq!(
        found("SELECT COUNT(*) FROM a GROUP BY HOP(ts, INTERVAL '1' HOUR, INTERVAL '2' HOUR)"),
        ["window aggregate!"]
    );
    assert_eq!(found("SELECT SUM(n) OVER (ORDER BY ts) FROM a"), ["over aggregate!"]);
    assert_eq!(
        found("SELECT * FROM SESSION(TABLE a PARTITION BY id, DESCRIPTOR(ts), INTERVAL '1' HOUR)"),
        ["session window!"]
    );
    assert_eq!(found("SELECT * FROM f(TABLE a PARTITION BY id)"), ["process table function!"]);
}

#[test]
fn a_rank_is_a_deduplication_where_it_keeps_one_row_by_a_time() {
    let rank = |order: &str, limit: &str| {
        let over = format!("ROW_NUMBER() OVER (PARTITION BY id ORDER BY {order}) AS r");
        let found = found(&format!("SELECT * FROM (SELECT id, n, {over} FROM a) WHERE {limit}"));
        found.into_iter().find(|name| name != "filter").unwrap_or_default()
    };
    assert_eq!(rank("ts", "r = 1"), "deduplication!");
    assert_eq!(rank("clock DESC", "r <= 1"), "deduplication!");
    assert_eq!(rank("ts", "r <= 3"), "top-N!");
    assert_eq!(rank("seen", "r = 1"), "top-N!");
}

#[test]
fn an_order_is_total_where_it_holds_what_the_rows_are_known_by() {
    let rank = |columns: &str, from: &str| {
        let over = format!("ROW_NUMBER() OVER ({columns}) AS r");
        let found = found(&format!("SELECT * FROM (SELECT 1 AS c, {over} FROM {from}) WHERE r = 1"));
        found.into_iter().find(|name| name.starts_with("top-N")).unwrap_or_default()
    };
    assert_eq!(rank("PARTITION BY name ORDER BY id", "dim"), "top-N in total order!");
    assert_eq!(rank("PARTITION BY id ORDER BY name", "dim"), "top-N in total order!");
    assert_eq!(rank("ORDER BY n, k", "(SELECT name AS n, id AS k FROM dim)"), "top-N in total order!");
    assert_eq!(rank("ORDER BY name", "dim"), "top-N!");
    assert_eq!(rank("PARTITION BY id ORDER BY n", "a"), "top-N!", "`id` is no key of `a`");
    assert_eq!(rank("ORDER BY id", "(SELECT b.n, dim.id FROM b JOIN dim ON b.n = dim.id)"), "top-N!");
    // `dim` has that key, and its rows are there once for each of `b`.
    assert_eq!(rank("PARTITION BY k ORDER BY id", "pairs"), "top-N!");
    assert_eq!(rank("PARTITION BY p.k ORDER BY p.id", "pairs AS p JOIN dim AS d ON p.k = d.id"), "top-N!");
    assert_eq!(rank("ORDER BY UPPER(name), id + 1", "dim"), "top-N!", "different keys may become one");
    // Each number is of another order.
    let both = "SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS x, ROW_NUMBER() OVER (ORDER BY name) AS y FROM dim";
    let totals = operators(&query(both), &known()).into_iter().map(|op| op.kind);
    let of_order = |total| Operator::Ranks { by: Clock::None, total };
    assert_eq!(totals.collect::<Vec<_>>(), [of_order(true), of_order(false)]);
}

/// What decides how rows change, what keeps state and what makes rows differ have one name each.
#[test]
fn changes_and_state_call_an_operator_alike() {
    let rank = |order: &str, limit: &str| {
        let over = format!("ROW_NUMBER() OVER (PARTITION BY id ORDER BY {order} DESC) AS r");
        format!("SELECT id, n FROM (SELECT id, n, {over} FROM a) WHERE {limit}")
    };
    for text in [
        "SELECT id, COUNT(*) FROM a GROUP BY id".to_owned(),
        "SELECT COUNT(*) FROM a GROUP BY TUMBLE(ts, INTERVAL '1' HOUR)".to_owned(),
        "SELECT DISTINCT id FROM a".to_owned(),
        "SELECT id FROM a EXCEPT SELECT id FROM b".to_owned(),
        "SELECT a.id FROM a JOIN b ON a.id = b.id AND a.ts = b.ts".to_owned(),
        "SELECT id FROM a WHERE id NOT IN (SELECT id FROM b)".to_owned(),
        "SELECT id, (SELECT MAX(n) FROM b) FROM a".to_owned(),
        "SELECT id, SUM(n) OVER (PARTITION BY id ORDER BY n) FROM a".to_owned(),
        rank("ts", "r = 1"),
        rank("ts", "r < 4"),
        rank("n", "r = 1"),
        "SELECT id, n FROM numbered WHERE r = 1".to_owned(),
    ] {
        let statement = one(&text);
        let known = known();
        let kept: Vec<&str> = state(&statement, &known).iter().map(|used| used.operator.name()).collect();
        let deciding = changelogs(&statement, &known).remove(0).because.into_iter().map(|because| because.cause);
        let named: Vec<Cause> = deciding.filter(|cause| matches!(cause, Cause::Operator(_))).collect();
        assert!(!named.is_empty(), "{text}");
        for cause in named {
            assert!(kept.iter().any(|name| cause == Cause::Operator(name)), "{text}: {cause:?} of {kept:?}");
        }
    }
}

#[test]
fn what_depends_on_more_than_the_input() {
    assert_eq!(found("SELECT UUID(), CURRENT_TIMESTAMP FROM a"), ["UUID", "CURRENT_TIMESTAMP"]);
    assert_eq!(found("SELECT n FROM a WHERE ts > NOW()"), ["filter", "NOW"]);
    assert_eq!(found("SELECT LISTAGG(name) FROM dim GROUP BY id"), ["LISTAGG", "group aggregate!"]);
}
