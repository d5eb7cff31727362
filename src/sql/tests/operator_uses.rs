use super::*;
use crate::model::column::{Column, ColumnType};

/// The names of the operators, those with state marked by `!`.
fn found(text: &str) -> Vec<String> {
    let show = |op: &OperatorUse| {
        let name = format!("{:?}", op.kind);
        let name = name.split([' ', '{']).next().unwrap_or("").to_owned();
        if is_stateful(op) { format!("{name}!") } else { name }
    };
    operators(&query(text)).iter().map(show).collect()
}

/// DISTINCT, UNION, INTERSECT, IN and EXISTS, top-N, global aggregates and comma joins keep state.
#[test]
fn what_looks_stateless_and_is_not() {
    assert_eq!(found("SELECT DISTINCT a FROM t"), ["Distinct!"]);
    assert_eq!(found("SELECT a FROM t UNION SELECT a FROM u"), ["SetOperation(Union)!"]);
    assert_eq!(found("SELECT a FROM t INTERSECT ALL SELECT a FROM u"), ["SetOperation(IntersectAll)!"]);
    assert_eq!(found("SELECT a FROM t WHERE b IN (SELECT b FROM u)"), ["Filter", "SemiJoin!"]);
    assert_eq!(found("SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM u)"), ["Filter", "SemiJoin!"]);
    assert_eq!(found("SELECT a FROM t ORDER BY a LIMIT 3"), ["OrderBy!", "Limit!"]);
    assert_eq!(found("SELECT COUNT(*) FROM t"), ["GroupAggregate!"]);
    // Whatever it is called: only an aggregate is written so.
    assert_eq!(found("SELECT f(DISTINCT a) FROM t"), ["GroupAggregate!"]);
    assert_eq!(found("SELECT f(a) FILTER (WHERE b > 1) FROM t"), ["GroupAggregate!"]);
    assert_eq!(found("SELECT f(a) FROM t"), Vec::<String>::new());
    assert_eq!(found("SELECT t.a FROM t, u WHERE t.id = u.id"), ["RegularJoin(Cross)!", "Filter"]);
    assert_eq!(found("SELECT (SELECT MAX(b) FROM u) FROM t"), ["ScalarSubquery!", "GroupAggregate!"]);
}

#[test]
fn what_keeps_no_state() {
    assert_eq!(found("SELECT UPPER(a) FROM t WHERE b = 1 UNION ALL SELECT c FROM u"), ["Filter", "UnionAll"]);
    assert_eq!(found("SELECT a FROM t WHERE b IN (1, 2)"), ["Filter"]);
    assert_eq!(
        found("SELECT x FROM t CROSS JOIN UNNEST(t.items) AS i (x), LATERAL TABLE(f(a)) AS g (y)"),
        ["Unnest", "Lateral"]
    );
}

#[test]
fn joins_by_kind() {
    assert_eq!(found("SELECT 1 FROM a LEFT JOIN b ON a.id = b.id"), ["RegularJoin(Left)!"]);
    let within = "a.id = b.id AND a.ts BETWEEN b.ts - INTERVAL '4' HOUR AND b.ts";
    assert_eq!(found(&format!("SELECT 1 FROM a JOIN b ON {within}")), ["IntervalJoin(Inner)!"]);
    assert_eq!(found(&format!("SELECT 1 FROM a, b WHERE {within}")), ["IntervalJoin(Cross)!", "Filter"]);
    assert_eq!(
        found("SELECT 1 FROM a LEFT JOIN b ON a.id = b.id WHERE a.ts > a.x - INTERVAL '1' DAY"),
        ["RegularJoin(Left)!", "Filter"]
    );
    assert_eq!(found("SELECT 1 FROM o JOIN r FOR SYSTEM_TIME AS OF o.ts ON o.c = r.c"), ["TemporalJoin!"]);
    assert_eq!(found("SELECT 1 FROM o JOIN r FOR SYSTEM_TIME AS OF o.proc_time AS r ON o.c = r.c"), ["LookupJoin"]);
    assert_eq!(
        found(
            "SELECT 1 FROM l JOIN r ON l.id = r.id AND l.window_start = r.window_start AND l.window_end = r.window_end"
        ),
        ["WindowJoin(Inner)!"]
    );
}

#[test]
fn ranks_with_partition_order_and_limit() {
    let rank = |text: &str| {
        let uses = operators(&query(text));
        uses.into_iter().find_map(|op| match op.kind {
            Operator::RowNumber { partition, order, limit } => Some((partition.join(","), order.join(","), limit)),
            _ => None,
        })
    };
    let over = "ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts DESC, UPPER(a)) AS n";
    let wanted = |limit| Some(("k".to_owned(), "ts DESC,(...)".to_owned(), limit));
    assert_eq!(rank(&format!("SELECT * FROM (SELECT k, {over} FROM t) WHERE n = 1")), wanted(Some(1)));
    assert_eq!(
        rank(&format!("SELECT * FROM (SELECT k, {over} FROM t) AS q WHERE a > 0 AND q.n <= 3")),
        wanted(Some(3))
    );
    assert_eq!(rank(&format!("SELECT * FROM (SELECT k, {over} FROM t) WHERE 4 > n")), wanted(Some(3)));
    assert_eq!(rank(&format!("WITH q AS (SELECT k, {over} FROM t) SELECT * FROM q WHERE n = 1")), wanted(Some(1)));
    assert_eq!(rank(&format!("SELECT * FROM (SELECT k, {over} FROM t) WHERE n = 1 OR k = 2")), wanted(None));
    assert_eq!(rank(&format!("SELECT {over} FROM t")), wanted(None));
    let qualify = "SELECT k FROM t WINDOW w AS (PARTITION BY k ORDER BY ts) QUALIFY ROW_NUMBER() OVER w <= 2";
    assert_eq!(rank(qualify), Some(("k".to_owned(), "ts".to_owned(), Some(2))));
}

#[test]
fn windows_and_aggregates() {
    let window = "FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR)) GROUP BY window_start, window_end";
    assert_eq!(found(&format!("SELECT SUM(a) {window}")), ["WindowTvf(\"TUMBLE\")", "WindowAggregate!"]);
    assert_eq!(
        found("SELECT COUNT(*) FROM t GROUP BY HOP(ts, INTERVAL '1' HOUR, INTERVAL '2' HOUR)"),
        ["WindowAggregate!"]
    );
    assert_eq!(found("SELECT SUM(a) OVER (ORDER BY ts) FROM t"), ["Over!"]);
    let uses = operators(&query("SELECT k, COUNT(DISTINCT a), SUM(b) FROM t GROUP BY k HAVING MAX(c) > 1"));
    let functions = uses.iter().find_map(|op| match &op.kind {
        Operator::GroupAggregate { functions } => Some(functions.join(",")),
        _ => None,
    });
    assert_eq!(functions.as_deref(), Some("COUNT DISTINCT,SUM,MAX"));
    assert_eq!(
        found("SELECT * FROM SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '1' HOUR)"),
        ["WindowTvf(\"SESSION\")!"]
    );
    assert_eq!(found("SELECT * FROM f(TABLE t PARTITION BY k)"), ["TableFunction(\"F\")!"]);
}

#[test]
fn what_depends_on_more_than_the_input() {
    let remarks = |text: &str| {
        operators(&query(text)).into_iter().map(|op| (format!("{:?}", op.kind), op.remark)).collect::<Vec<_>>()
    };
    assert_eq!(
        remarks("SELECT UUID(), CURRENT_TIMESTAMP FROM t"),
        [
            ("NonDeterministicFunction(\"UUID\")".to_owned(), "as a value".to_owned()),
            ("NonDeterministicFunction(\"CURRENT_TIMESTAMP\")".to_owned(), "as a value".to_owned()),
        ]
    );
    let filter = remarks("SELECT a FROM t WHERE ts > NOW()");
    assert_eq!(filter[1], ("NonDeterministicFunction(\"NOW\")".to_owned(), "decides which rows there are".to_owned()));
    assert_eq!(
        found("SELECT LISTAGG(a) FROM t GROUP BY b"),
        ["OrderSensitiveAggregate(\"LISTAGG\")", "GroupAggregate!"]
    );
    assert_eq!(found("SELECT SUM(CAST(a AS DOUBLE)) FROM t"), ["GroupAggregate!", "FloatAggregate"]);
    assert_eq!(found("SELECT SUM(a) FROM t"), ["GroupAggregate!"]);
    let mut catalog = catalog(&["t(a)"]);
    if let Some(t) = catalog.tables.get_mut("t") {
        t.columns = vec![Column::nullable("a", ColumnType::Double)];
    }
    let uses = operators_with(&query("SELECT AVG(x.b) FROM (SELECT a * 2 AS b FROM t) AS x"), &catalog);
    assert!(uses.iter().any(|op| op.kind == Operator::FloatAggregate));
    let uses = operators_with(&query("SELECT AVG(CAST(a AS DECIMAL(9, 2))) FROM t"), &catalog);
    assert!(!uses.iter().any(|op| op.kind == Operator::FloatAggregate));
}
