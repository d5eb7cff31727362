//! What Flink's planner refuses of a query: each with its place and the way out.

use super::*;

/// Code, message, place and way out of all that is said about a query over the tables above.
fn about_query(query: &str) -> Vec<[String; 4]> {
    let insert = format!("INSERT INTO o\n{query}");
    let out = "CREATE TABLE o (x INT) WITH ('topic' = 'o')";
    let files = [
        file("a.sql", ORDERS),
        file("b.sql", RATES),
        file("l.sql", LIKE),
        file("o.sql", out),
        file("i.sql", insert.as_str()),
    ];
    let one = |d: Diagnostic| {
        assert_eq!((d.severity, d.file.as_deref()), (Severity::Error, Some("i.sql")), "{d:?}");
        [d.code, d.message, d.labels[0].span.of(&insert).to_owned(), d.help.unwrap()]
    };
    found(&files).into_iter().map(one).collect()
}

#[track_caller]
fn refused(cases: &[(&str, [&str; 4])]) {
    for (query, said) in cases {
        assert_eq!(about_query(query), [said.map(str::to_owned)], "{query}");
    }
}

#[track_caller]
fn taken(queries: &[&str]) {
    for query in queries {
        assert_eq!(about_query(query), Vec::<[String; 4]>::new(), "{query}");
    }
}

#[test]
fn a_column_of_using_is_on_both_sides() {
    let help = "USING needs the column on both sides: correct the name, or write ON";
    refused(&[
        (
            "SELECT cur FROM orders JOIN rates USING (nope)",
            ["S101", "no side of this join has a column `nope`", "nope", help],
        ),
        (
            "SELECT cur FROM orders JOIN rates USING (ts, amount)",
            ["S101", "no table on the right side of this join has a column `amount`", "amount", help],
        ),
        (
            "SELECT 1 FROM rates, orders JOIN (SELECT cur FROM rates) AS r USING (cur)",
            ["S101", "no table on the left side of this join has a column `cur`", "cur", help],
        ),
    ]);
    taken(&["SELECT cur FROM orders JOIN rates USING (ts)", "SELECT a.extra FROM more AS a JOIN more USING (nope)"]);
}

#[test]
fn what_a_collection_is_expanded_to_has_the_columns_of_its_type() {
    refused(&[
        (
            "SELECT i.price FROM orders CROSS JOIN UNNEST(items) AS i",
            ["S106", "`i` has no field `price`", "i.price", "correct the name: `i` is no row"],
        ),
        (
            "SELECT i.sku FROM orders CROSS JOIN UNNEST(items) AS i (code)",
            ["S101", "column `i.sku` is in no table of this query", "i.sku", "correct the name: `i` has code"],
        ),
        (
            "SELECT i.a FROM orders CROSS JOIN UNNEST(items) AS i (a, b)",
            ["S109", "there are 2 names for 1 column", "a, b", "make them as many"],
        ),
        (
            "SELECT i.a FROM orders CROSS JOIN UNNEST(items) WITH ORDINALITY AS i (a)",
            ["S109", "there is 1 name for 2 columns", "a", "make them as many"],
        ),
        (
            "SELECT l.id FROM orders, LATERAL (SELECT MAX(rate) FROM rates WHERE cur = item.sku) AS l (top)",
            ["S101", "column `l.id` is in no table of this query", "l.id", "correct the name: `l` has top"],
        ),
    ]);
    taken(&[
        "SELECT i.code, i.nr FROM orders CROSS JOIN UNNEST(items) WITH ORDINALITY AS i (code, nr)",
        "SELECT t.b FROM orders, LATERAL TABLE(split(id)) AS t (a)",
        "SELECT t.b FROM more, UNNEST(things) AS t (a)",
    ]);
}

const COLUMNS: &str = "correct the name: `orders` has id, amount, item, ts, items, part, twice";

#[test]
fn a_query_that_is_a_value_has_one_column() {
    let help = "make them as many";
    refused(&[
        (
            "SELECT id FROM orders WHERE id IN (SELECT rate, ts FROM rates)",
            ["S109", "this query gives 2 columns, where 1 is expected", "SELECT rate, ts FROM rates", help],
        ),
        (
            "SELECT id FROM orders WHERE (id, amount) IN (SELECT rate FROM rates)",
            ["S109", "this query gives 1 column, where 2 are expected", "SELECT rate FROM rates", help],
        ),
        (
            "SELECT (SELECT MAX(rate), MIN(rate) FROM rates) FROM orders",
            ["S109", "this query gives 2 columns, where 1 is expected", "SELECT MAX(rate), MIN(rate) FROM rates", help],
        ),
    ]);
    taken(&[
        "SELECT id FROM orders WHERE EXISTS (SELECT rate, ts FROM rates)",
        "SELECT id FROM orders WHERE item IN (SELECT cur, rate FROM rates)",
        "SELECT id FROM orders WHERE id IN (SELECT * FROM more)",
    ]);
}

#[test]
fn two_sources_of_one_name() {
    let help = "give one of them another name: AS and an alias";
    let said = |name: &str| format!("`FROM` has two sources that are called `{name}`");
    for (query, name, place) in [
        ("SELECT 1 FROM orders, orders", "orders", "orders"),
        ("SELECT 1 FROM orders AS o JOIN rates AS o ON TRUE", "o", "rates AS o"),
        ("SELECT 1 FROM orders JOIN (SELECT 1) AS orders ON TRUE", "orders", "(SELECT 1) AS orders"),
    ] {
        assert_eq!(about_query(query), [["S110", &said(name), place, help].map(str::to_owned)], "{query}");
    }
    taken(&[
        "SELECT 1 FROM orders AS o, orders AS O, orders",
        "SELECT 1 FROM orders WHERE EXISTS (SELECT 1 FROM orders)",
        "SELECT 1 FROM (SELECT 1), (SELECT 2)",
    ]);
}

#[test]
fn a_join_has_one_condition() {
    refused(&[
        (
            "SELECT cur FROM orders JOIN rates",
            [
                "S111",
                "this join has no condition",
                "JOIN rates",
                "add ON or USING, or write CROSS JOIN if every row belongs to every row",
            ],
        ),
        (
            "SELECT cur FROM orders LEFT JOIN rates",
            ["S111", "this join has no condition", "LEFT JOIN rates", "add ON or USING"],
        ),
        (
            "SELECT cur FROM orders CROSS JOIN rates ON cur = item.sku",
            [
                "S111",
                "a CROSS JOIN has no condition",
                "cur = item.sku",
                "write JOIN without CROSS, or take the condition out",
            ],
        ),
        (
            "SELECT cur FROM orders NATURAL JOIN rates USING (ts)",
            [
                "S111",
                "a NATURAL JOIN has its condition from the names of the columns",
                "ts",
                "take NATURAL out, or the condition",
            ],
        ),
    ]);
    taken(&["SELECT cur FROM orders CROSS JOIN rates", "SELECT cur FROM orders NATURAL JOIN rates"]);
}

#[test]
fn windows_that_are_not_there() {
    let help = "correct the name, or define it behind the query's conditions: WINDOW w AS (...)";
    refused(&[
        ("SELECT SUM(amount) OVER w FROM orders", ["S112", "no window is named `w`", "w", help]),
        (
            "SELECT SUM(amount) OVER (w ORDER BY ts) FROM orders WINDOW W AS (PARTITION BY id)",
            ["S112", "no window is named `w`", "w", help],
        ),
        (
            "SELECT SUM(amount) OVER w FROM orders WINDOW w AS (ORDER BY ts), w AS (ORDER BY id)",
            ["S112", "window `w` is named twice", "w", "give one of them another name"],
        ),
        (
            "SELECT id FROM orders WINDOW w AS (ORDER BY nope)",
            ["S101", "column `nope` is in no table of this query", "nope", COLUMNS],
        ),
        (
            "SELECT window_start FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(sku), INTERVAL '5' MINUTES))",
            [
                "S101",
                "column `sku` is in no table of this query",
                "sku",
                "correct the name: the source has id, amount, item, ts, items, part, twice",
            ],
        ),
    ]);
    taken(&[
        "SELECT SUM(amount) OVER w FROM orders WINDOW w AS (v ORDER BY ts), v AS (PARTITION BY id)",
        "SELECT (SELECT SUM(rate) OVER w FROM rates) FROM orders WINDOW w AS (ORDER BY ts)",
    ]);
}

#[test]
fn names_of_the_select_list_and_positions_in_it() {
    let help = "write its expression here, or name it in a query inside of this one";
    refused(&[
        (
            "SELECT amount + 1 AS more, COUNT(*) FROM orders GROUP BY more",
            ["S101", "GROUP BY does not know `more`, which is a name of the select list", "more", help],
        ),
        (
            "SELECT id, COUNT(*) AS times FROM orders GROUP BY id HAVING times > 1",
            ["S101", "HAVING does not know `times`, which is a name of the select list", "times", help],
        ),
        (
            "SELECT id FROM orders ORDER BY 2",
            [
                "S115",
                "ORDER BY 2: the query gives 1 column",
                "2",
                "name the column, or count from 1 in the select list",
            ],
        ),
    ]);
    taken(&[
        "SELECT amount + 1 AS more, id FROM orders ORDER BY more, 2, 1 + 1",
        "SELECT * FROM more ORDER BY 20",
        "SELECT extra AS k, COUNT(*) FROM more GROUP BY k",
    ]);
}

#[test]
fn columns_that_are_not_grouped_by() {
    let said = |column: &str| format!("column `{column}` is neither grouped by nor aggregated");
    let (add, group) = ("add it to GROUP BY, or aggregate it", "add GROUP BY, or aggregate it");
    for (query, column, place, help) in [
        ("SELECT id, COUNT(*) FROM orders", "id", "id", group),
        ("SELECT id FROM orders HAVING COUNT(*) > 1", "id", "id", group),
        ("SELECT o.id, o.amount FROM orders AS o GROUP BY o.id", "o.amount", "o.amount", add),
        ("SELECT id, COALESCE(amount, part) FROM orders GROUP BY id, amount", "part", "part", add),
        ("SELECT amount FROM orders GROUP BY amount + 1", "amount", "amount", add),
        ("SELECT * FROM rates GROUP BY cur, rate", "ts", "*", add),
        ("SELECT id FROM orders GROUP BY id HAVING amount > 1", "amount", "amount", add),
        ("SELECT id FROM orders GROUP BY id ORDER BY amount", "amount", "amount", add),
        (
            "SELECT id, COUNT(*) FROM orders GROUP BY 1",
            "id",
            "id",
            "write the column in GROUP BY: a number there is no position in the select list",
        ),
    ] {
        assert_eq!(about_query(query), [["S113", &said(column), place, help].map(str::to_owned)], "{query}");
    }
    taken(&[
        "SELECT id, my_aggregate(amount) FROM orders GROUP BY id",
        "SELECT id, my_function(amount) FROM orders",
        "SELECT whatever, COUNT(*) FROM more GROUP BY extra",
        "SELECT cur, COUNT(*) FROM rates, more GROUP BY extra",
        "SELECT amount + 1, COUNT(*) FROM orders GROUP BY amount + 1",
        "SELECT orders.id, COUNT(*) FROM orders GROUP BY id",
        "SELECT sku, COUNT(*) FROM orders GROUP BY item.sku",
        "SELECT id, (SELECT MAX(rate) FROM rates) FROM orders GROUP BY id ORDER BY MAX(amount)",
    ]);
}

#[test]
fn aggregates_and_window_functions_where_none_may_be() {
    let inner = "aggregate in a query inside of this one first, and use its column here";
    let compute = "compute it in a query inside of this one, and use its column here";
    refused(&[
        (
            "SELECT id FROM orders WHERE COUNT(*) > 1",
            [
                "S114",
                "WHERE cannot use the aggregate `COUNT`",
                "COUNT(*)",
                "filter by it with HAVING, or in a query around this one",
            ],
        ),
        (
            "SELECT id FROM orders WHERE ROW_NUMBER() OVER (ORDER BY ts) = 1",
            [
                "S114",
                "WHERE cannot use the window function `ROW_NUMBER`",
                "ROW_NUMBER() OVER (ORDER BY ts)",
                "filter by it with QUALIFY, or in a query around this one",
            ],
        ),
        (
            "SELECT cur FROM orders JOIN rates ON MAX(rate) = amount",
            ["S114", "ON cannot use the aggregate `MAX`", "MAX(rate)", inner],
        ),
        (
            "SELECT SUM(COUNT(*)) FROM orders",
            ["S114", "the aggregate `COUNT` is an argument of another aggregate", "COUNT(*)", inner],
        ),
        (
            "SELECT SUM(SUM(amount) OVER (ORDER BY ts)) FROM orders",
            [
                "S114",
                "the window function `SUM` is an argument of another such function or an aggregate",
                "SUM(amount) OVER (ORDER BY ts)",
                compute,
            ],
        ),
        (
            "SELECT RANK() FROM orders",
            ["S114", "`RANK` has no OVER", "RANK()", "write OVER (PARTITION BY ... ORDER BY ...) behind it"],
        ),
        (
            "SELECT id FROM orders ORDER BY COUNT(*)",
            [
                "S114",
                "ORDER BY uses the aggregate `COUNT`, and the query does not aggregate",
                "COUNT(*)",
                "group the query, or order by a column",
            ],
        ),
    ]);
    taken(&[
        "SELECT SUM(COUNT(*)) OVER (ORDER BY ts) FROM orders GROUP BY ts",
        "SELECT id FROM orders WHERE amount = (SELECT MAX(rate) FROM rates)",
        "SELECT id FROM orders WHERE my_catalog.my_database.`max`(id) > 1",
        "SELECT id FROM orders QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY ts) = 1",
    ]);
}
