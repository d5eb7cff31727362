use super::*;

fn shop() -> Catalog {
    let mut catalog = catalog(&[
        "orders(id, customer_id, total, status, ts, items)",
        "customers(id, name, country)",
        "rates(currency, rate, ts)",
        "people(id, nested)",
    ]);
    for (name, text) in [
        ("big", "SELECT id, total * 2 AS twice, customer_id FROM orders WHERE status = 'paid'"),
        ("loop", "SELECT * FROM loop"),
    ] {
        catalog.tables.insert(name.to_owned(), CatalogTable { view: Some(query(text)), ..CatalogTable::default() });
    }
    catalog
}

/// `table.column:kind` of each use, in order.
fn shown(uses: &[ColumnUse]) -> Vec<String> {
    let mut shown: Vec<String> = uses.iter().map(|u| format!("{}.{}:{:?}", u.table, u.column, u.kind)).collect();
    shown.sort();
    shown.dedup();
    shown
}

fn outputs(text: &str) -> Vec<(String, Vec<String>)> {
    lineage(&query(text), &shop()).outputs.iter().map(|o| (o.name.clone(), shown(&o.uses))).collect()
}

fn rows(text: &str) -> Vec<String> {
    shown(&lineage(&query(text), &shop()).rows)
}

fn out(name: &str, uses: &[&str]) -> (String, Vec<String>) {
    (name.to_owned(), uses.iter().map(|u| (*u).to_owned()).collect())
}

#[test]
fn values_passed_on_computed_and_aggregated() {
    assert_eq!(
        outputs("SELECT o.id, total + 1 AS more, CAST(status AS STRING), UPPER(status) u FROM orders o"),
        [
            out("id", &["orders.id:Direct"]),
            out("more", &["orders.total:Computed"]),
            out("EXPR$2", &["orders.status:Computed"]),
            out("u", &["orders.status:Computed"]),
        ]
    );
    assert_eq!(
        outputs(
            "SELECT customer_id, SUM(total) FILTER (WHERE status = 'x') AS s, COUNT(*) AS n FROM orders GROUP BY customer_id"
        ),
        [
            out("customer_id", &["orders.customer_id:Direct"]),
            out("s", &["orders.status:Filter", "orders.total:Aggregated"]),
            out("n", &[]),
        ]
    );
}

/// SQLMesh/sqlmesh#6062: a change to a column that is in no SELECT list is still a change.
#[test]
fn columns_that_decide_about_rows() {
    let text =
        "SELECT o.id FROM orders o JOIN customers c ON o.customer_id = c.id WHERE c.country = 'DE' AND status <> 'x'";
    assert_eq!(
        rows(text),
        ["customers.country:Filter", "customers.id:Join", "orders.customer_id:Join", "orders.status:Filter"]
    );
    assert_eq!(
        rows("SELECT COUNT(*) FROM orders GROUP BY status HAVING MAX(total) > 1"),
        ["orders.status:Group", "orders.total:Filter"]
    );
    assert_eq!(rows("SELECT id FROM orders ORDER BY total DESC LIMIT 3"), ["orders.total:Order"]);
    assert_eq!(rows("SELECT DISTINCT status, total FROM orders"), ["orders.status:Group", "orders.total:Group"]);
    assert_eq!(
        rows("SELECT id FROM orders INTERSECT SELECT id FROM customers"),
        ["customers.id:Group", "orders.id:Group"]
    );
    assert_eq!(rows("SELECT id FROM orders UNION ALL SELECT id FROM customers"), Vec::<String>::new());
    assert_eq!(
        rows("SELECT id FROM orders WHERE customer_id IN (SELECT id FROM customers WHERE country = 'DE')"),
        ["customers.country:Filter", "customers.id:Filter", "orders.customer_id:Filter",]
    );
    assert_eq!(
        rows("SELECT id FROM orders o WHERE EXISTS (SELECT 1 FROM customers c WHERE c.id = o.customer_id)"),
        ["customers.id:Filter", "orders.customer_id:Filter",]
    );
    assert_eq!(
        rows("SELECT o.id FROM orders o JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON r.currency = o.status"),
        ["orders.status:Join", "orders.ts:Join", "rates.currency:Join",]
    );
    assert_eq!(rows("SELECT o.id, i.sku FROM orders o CROSS JOIN UNNEST(o.items) AS i (sku)"), ["orders.items:Join"]);
    assert_eq!(rows("SELECT orders.id FROM orders JOIN customers USING (id)"), ["customers.id:Join", "orders.id:Join"]);
}

#[test]
fn a_rank_hands_partition_and_order_to_the_rows() {
    let text = "SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY ts DESC) AS n FROM orders) WHERE n = 1";
    assert_eq!(rows(text), ["orders.customer_id:Partition", "orders.ts:Order"]);
    assert_eq!(outputs(text), [out("id", &["orders.id:Direct"])]);
    let named = "SELECT SUM(total) OVER w AS s FROM orders WINDOW v AS (PARTITION BY status), w AS (v ORDER BY ts)";
    assert_eq!(outputs(named), [out("s", &["orders.status:Partition", "orders.total:Aggregated", "orders.ts:Order"])]);
}

#[test]
fn through_derived_tables_ctes_and_stars() {
    let text = "WITH a (x, y) AS (SELECT id, total * 2 FROM orders), orders AS (SELECT x AS id FROM a) \
                SELECT q.*, a.y FROM (SELECT o.*, c.name FROM orders o JOIN customers c ON c.id = o.id) AS q, a";
    assert_eq!(
        outputs(text),
        [
            out("id", &["orders.id:Direct"]),
            out("name", &["customers.name:Direct"]),
            out("y", &["orders.total:Computed"]),
        ]
    );
}

#[test]
fn a_view_is_named_and_looked_through() {
    let text = "SELECT v.twice FROM big AS v";
    let found = lineage(&query(text), &shop());
    assert_eq!(shown(&found.outputs[0].uses), ["big.twice:Direct", "orders.total:Computed"]);
    assert_eq!(shown(&found.rows), ["orders.status:Filter"]);
    let behind = found.outputs[0].uses.iter().find(|u| u.table == "orders").expect("a use");
    assert_eq!((behind.via.as_slice(), behind.span.of(text)), (&["big".to_owned()][..], "v.twice"));
    assert!(lineage(&query("SELECT * FROM loop"), &shop()).outputs.len() <= 1);
}

#[test]
fn subqueries_fields_and_functions_of_rows() {
    assert_eq!(
        outputs("SELECT (SELECT MAX(c.name) FROM customers c WHERE c.id = o.customer_id) AS n FROM orders o"),
        [out("n", &["customers.name:Aggregated"])]
    );
    assert_eq!(
        outputs("SELECT p.nested.city, people.nested.zip AS z, nested.a.b FROM people AS p, people"),
        [
            out("city", &["people.nested:Computed"]),
            out("z", &["people.nested:Computed"]),
            out("b", &["people.nested:Computed"]),
        ]
    );
    assert_eq!(
        outputs("SELECT t.w, id FROM orders, LATERAL TABLE(split(status, total)) AS t (w)"),
        [out("w", &["orders.status:Computed", "orders.total:Computed"]), out("id", &["orders.id:Direct"]),]
    );
}

#[test]
fn windows_and_patterns() {
    let text = "SELECT window_end, SUM(total) AS s FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' HOUR)) GROUP BY window_start, window_end";
    assert_eq!(outputs(text), [out("window_end", &["orders.ts:Window"]), out("s", &["orders.total:Aggregated"])]);
    assert_eq!(rows(text), ["orders.ts:Window"]);
    let text = "SELECT * FROM orders MATCH_RECOGNIZE (PARTITION BY customer_id ORDER BY ts MEASURES LAST(B.total) AS t \
                PATTERN (A B+) DEFINE B AS B.status = 'x' AND B.total > A.total)";
    assert_eq!(
        outputs(text),
        [out("customer_id", &["orders.customer_id:Direct"]), out("t", &["orders.total:Computed"])]
    );
    assert_eq!(
        rows(text),
        ["orders.customer_id:Partition", "orders.status:Pattern", "orders.total:Pattern", "orders.ts:Order"]
    );
}

#[test]
fn what_cannot_be_told_is_said() {
    let found = lineage(&query("SELECT a.x, y, z FROM a JOIN b ON a.k = b.k"), &shop());
    assert_eq!(shown(&found.outputs[0].uses), ["a.x:Direct"]);
    assert_eq!(shown(&found.outputs[1].uses), ["a.y:Unknown", "b.y:Unknown"]);
    let codes: Vec<&str> = found.notes.iter().map(|n| n.code.as_str()).collect();
    assert_eq!(codes, ["S103", "S103", "S102", "S102"]);
    let found = lineage(&query("SELECT missing, id FROM orders, customers"), &shop());
    let codes: Vec<&str> = found.notes.iter().map(|n| n.code.as_str()).collect();
    assert_eq!(codes, ["S101", "S102"]);
    let found = lineage(&query("SELECT * FROM unknown_table"), &shop());
    assert_eq!(
        (found.outputs[0].name.as_str(), shown(&found.outputs[0].uses)),
        ("*", vec!["unknown_table.*:Unknown".to_owned()])
    );
    let found = lineage(&query("SELECT id FROM f(TABLE orders)"), &shop());
    assert_eq!(found.notes[0].code, "S104");
}

#[test]
fn spans_point_at_the_innermost_name() {
    let text = "SELECT q.n FROM (SELECT c.name AS n FROM customers AS c) AS q";
    let found = lineage(&query(text), &shop());
    assert_eq!(found.outputs[0].uses[0].span.of(text), "c.name");
    assert_eq!(found.outputs[0].span.of(text), "q.n");
}

#[test]
fn calls_that_depend_on_more_than_their_input_are_handed_on() {
    let text = "SELECT q.l, q.id FROM (SELECT id, LISTAGG(status) AS l, NOW() AS now FROM orders GROUP BY id) AS q WHERE now > 1";
    let found = lineage(&query(text), &shop());
    let calls = |spans: &[crate::diagnostic::Span]| spans.iter().map(|s| s.of(text).to_owned()).collect::<Vec<_>>();
    assert_eq!(calls(&found.outputs[0].calls), ["LISTAGG(status)"]);
    assert_eq!(calls(&found.outputs[1].calls), Vec::<String>::new());
    assert_eq!(calls(&found.row_calls), ["NOW()"]);
}

#[test]
fn a_tables_own_definition() {
    let table = table(
        "CREATE TABLE t (id INT, price DECIMAL(9, 2), qty INT, ms BIGINT, total AS price * qty, ts AS TO_TIMESTAMP_LTZ(ms, 3), \
         WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, PRIMARY KEY (id) NOT ENFORCED) PARTITIONED BY (qty)",
    );
    let found = table_lineage(&table);
    assert_eq!(shown(&found.outputs[0].uses), ["t.price:Computed", "t.qty:Computed"]);
    assert_eq!(shown(&found.rows), ["t.id:Key", "t.qty:Partition", "t.ts:Watermark"]);
}
