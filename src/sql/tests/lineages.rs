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

/// Columns with their uses, what decides the rows, and messages.
type Told = (Vec<(String, Vec<String>)>, Vec<String>, Vec<String>);

fn typed(text: &str) -> Told {
    let mut known = Definitions::default();
    let tables =
        "CREATE TABLE t (id INT, a INT, item ROW<sku STRING, n INT, deep ROW<x INT>>, items ARRAY<ROW<sku STRING>>);
        CREATE TABLE o (a INT, b INT, r ROW<a INT, id INT, zz INT>); CREATE VIEW v AS SELECT item AS i, a FROM t;";
    parse(tables).statements().iter().for_each(|statement| known.add(statement));
    let found = lineage(&query(text), known.catalog());
    let outputs = found.outputs.iter().map(|o| (o.name.clone(), shown(&o.uses))).collect();
    (outputs, shown(&found.rows), found.notes.into_iter().map(|note| note.message).collect())
}

#[test]
fn fields_are_named_without_their_column() {
    let none: Vec<String> = Vec::new();
    for (text, wanted, rows) in [
        ("SELECT sku FROM t", vec![out("sku", &["t.item:Computed"])], vec![]),
        ("SELECT t.x, item.x FROM t", vec![out("x", &["t.item:Computed"]), out("x", &["t.item:Computed"])], vec![]),
        ("SELECT deep.x AS y FROM t", vec![out("y", &["t.item:Computed"])], vec![]),
        // A column is meant before a field, and a field of a nearer source before a column of one around it.
        ("SELECT a FROM o", vec![out("a", &["o.a:Direct"])], vec![]),
        (
            "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM o WHERE id = 1)",
            vec![out("a", &["t.a:Direct"])],
            vec!["o.r:Filter"],
        ),
        ("SELECT q.sku FROM (SELECT item AS j FROM t) AS q", vec![out("sku", &["t.item:Computed"])], vec![]),
        ("SELECT sku FROM v", vec![out("sku", &["t.item:Computed", "v.i:Computed"])], vec![]),
        ("SELECT sku FROM (SELECT items[1] AS j FROM t)", vec![out("sku", &["t.items:Computed"])], vec![]),
        ("SELECT sku FROM (SELECT f(a) AS j FROM t)", vec![out("sku", &["t.a:Computed"])], vec![]),
        (
            "SELECT i.* FROM v",
            ["sku", "n", "deep"].map(|name| out(name, &["t.item:Computed", "v.i:Computed"])).to_vec(),
            vec![],
        ),
    ] {
        assert_eq!(typed(text), (wanted, rows.iter().map(ToString::to_string).collect(), none.clone()), "{text}");
    }
}

#[test]
fn what_the_select_list_calls_is_meant_in_its_order() {
    let order = |text: &str| typed(text).1;
    assert_eq!(order("SELECT b AS a FROM o ORDER BY a + 1"), ["o.b:Order"]);
    assert_eq!(order("SELECT b AS a FROM o ORDER BY o.a + 1"), ["o.a:Order"]);
    assert_eq!(
        order("SELECT b AS a FROM o QUALIFY a + ROW_NUMBER() OVER (ORDER BY zz) > 1"),
        ["o.b:Filter", "o.r:Order"]
    );
}

#[test]
fn columns_of_stars_are_kept_apart() {
    let names = |text: &str| typed(text).0.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names("SELECT t.id, t.a, o.* FROM t, o"), ["id", "a", "a0", "b", "r"]);
    assert_eq!(
        names("SELECT t.id, p.*, q.*, p.a FROM t, o AS p, o AS q"),
        ["id", "a", "b", "r", "a0", "b0", "r0", "a"]
    );
    assert_eq!(typed("SELECT a1 FROM (SELECT *, * FROM (SELECT a, id AS a0 FROM t))").0, [out("a1", &["t.a:Direct"])]);
}

#[test]
fn names_that_mean_nothing_or_two_things() {
    let notes = |text: &str| typed(text).2;
    for (text, wanted) in [
        ("SELECT a FROM t, o", "column `a` could come from more than one source"),
        ("SELECT t.a FROM t JOIN o ON a = b", "column `a` could come from more than one source"),
        ("SELECT COUNT(*) FROM t, o GROUP BY a", "column `a` could come from more than one source"),
        ("SELECT t.id AS q FROM t, o ORDER BY a + 1", "column `a` could come from more than one source"),
        ("SELECT a FROM (SELECT a, id AS a FROM t)", "column `a` could come from more than one column of its source"),
        ("SELECT q.a FROM (SELECT a, a FROM t) AS q", "column `a` could come from more than one column of its source"),
        (
            "SELECT b FROM (SELECT a, a, b FROM o) WHERE a = 1",
            "column `a` could come from more than one column of its source",
        ),
        ("SELECT sku FROM t, v", "column `sku` could come from more than one row"),
        ("SELECT item.nope FROM t", "`item` has no field `nope`"),
        ("SELECT t.item.deep.nope FROM t", "`deep` has no field `nope`"),
        ("SELECT items[1].nope FROM t", "the row has no field `nope`"),
        ("SELECT (item).x FROM t", "the row has no field `x`"),
        ("SELECT id.x FROM t", "`id` has no field `x`"),
        ("SELECT q.j.nope FROM (SELECT item AS j FROM t) AS q", "`j` has no field `nope`"),
        ("SELECT i.nope FROM v", "`i` has no field `nope`"),
        ("SELECT nope FROM (SELECT UPPER(sku) AS s FROM t)", "column `nope` is in no table of this query"),
        ("SELECT x FROM (SELECT a, b FROM o) AS q (x)", "there is 1 name for 2 columns"),
        ("WITH q (x, y) AS (SELECT a FROM t) SELECT x FROM q", "there are 2 names for 1 column"),
        ("WITH q AS (SELECT t.a, o.a FROM t, o) SELECT 1 FROM q", "`q` has column `a` twice"),
        ("WITH q AS (SELECT *, a FROM t) SELECT 1 FROM q", "`q` has column `a` twice"),
        ("SELECT a FROM t UNION ALL SELECT a, b FROM o", "this query gives 2 columns, and the one before it 1"),
        ("VALUES (1, 2), (3)", "this row has 1 column, and the first one 2"),
    ] {
        assert_eq!(notes(text), [wanted], "{text}");
    }
    for text in [
        "SELECT t.a AS id FROM t, o ORDER BY id + 1",
        "SELECT t.a, o.a FROM t, o",
        "SELECT b FROM (SELECT a, a, b FROM o) AS q",
        "SELECT x FROM (SELECT a, a FROM t) AS q (x, y)",
        "SELECT a FROM (SELECT p.a, q.* FROM t AS p, o AS q)",
        "SELECT a FROM t JOIN o USING (a)",
        "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM o WHERE a = t.a)",
        "SELECT item['sku'], item[1] FROM t",
        "WITH q AS (SELECT *, * FROM t) SELECT id FROM q",
        "SELECT x FROM (SELECT a, b FROM o) AS q (x, y)",
        "SELECT CASE WHEN a > 1 THEN items[1] END AS c FROM t",
        "SELECT sku FROM (SELECT COALESCE(item, item) AS j FROM t)",
        "SELECT t.id, a FROM t, LATERAL (SELECT b FROM o WHERE o.a = t.a) AS l",
    ] {
        assert_eq!(notes(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn distinct_rows_are_ordered_by_what_is_listed() {
    let notes = |text: &str| typed(text).2;
    let note = |name: &str| format!("ORDER BY names `{name}`, which is not in the list of SELECT DISTINCT");
    for (text, name) in [
        ("SELECT DISTINCT a FROM t ORDER BY id", "id"),
        ("SELECT DISTINCT a FROM t AS q ORDER BY q.a, q.id LIMIT 3", "q.id"),
        ("SELECT DISTINCT a + 1 AS c FROM t ORDER BY a", "a"),
        ("SELECT DISTINCT 1 FROM t ORDER BY id", "id"),
        ("SELECT DISTINCT a FROM t ORDER BY ABS(id)", "id"),
        ("SELECT DISTINCT p.* FROM t AS p, o AS q ORDER BY q.b", "q.b"),
    ] {
        assert_eq!(notes(text), [note(name)], "{text}");
    }
    for text in [
        "SELECT DISTINCT a FROM t ORDER BY a, t.a, 1, ABS(a) + 1",
        "SELECT DISTINCT a AS c FROM t ORDER BY a",
        "SELECT DISTINCT a + 1 FROM t ORDER BY a + 1",
        "SELECT DISTINCT ABS(a) AS id FROM t ORDER BY id",
        "SELECT DISTINCT * FROM t ORDER BY t.id",
        "SELECT DISTINCT p.* FROM t AS p, o AS q ORDER BY p.id",
        "SELECT DISTINCT item.sku FROM t ORDER BY item.sku",
        "SELECT DISTINCT item.* FROM t ORDER BY sku",
        "SELECT DISTINCT sku FROM t ORDER BY sku",
        "SELECT DISTINCT a FROM t JOIN o USING (a) ORDER BY a",
        "SELECT DISTINCT * FROM t JOIN o USING (a) ORDER BY id",
        "SELECT DISTINCT a FROM t ORDER BY (SELECT MAX(b) FROM o)",
        "SELECT DISTINCT a FROM t ORDER BY CURRENT_TIMESTAMP",
        "SELECT DISTINCT CASE WHEN a > 1 THEN item END AS i, id FROM t ORDER BY id, a > 1",
    ] {
        assert_eq!(notes(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn the_way_out_lists_what_can_be_written_there() {
    let help = |text: &str| lineage(&query(text), &shop()).notes.remove(0).help.unwrap();
    for (text, wanted) in [
        ("SELECT nope FROM (SELECT id AS k, total FROM orders) AS q", "correct the name: `q` has k, total"),
        ("SELECT nope FROM (SELECT id AS k FROM orders)", "correct the name: the source has k"),
        ("WITH c AS (SELECT id FROM orders) SELECT nope FROM c", "correct the name: `c` has id"),
        ("SELECT nope FROM rates AS r (x, y, z)", "correct the name: `r` has x, y, z"),
        ("SELECT r.nope FROM rates AS r, people", "correct the name: `r` has currency, rate, ts"),
        (
            "SELECT nope FROM rates AS r, people",
            "correct the name: `r` has currency, rate, ts; `people` has id, nested",
        ),
        ("SELECT id FROM people UNION ALL SELECT rate FROM rates ORDER BY rate", "correct the name: the source has id"),
        ("SELECT id FROM orders AS o, customers AS c", "write which one is meant: `o.id` or `c.id`"),
    ] {
        assert_eq!(help(text), wanted, "{text}");
    }
    let notes = lineage(&query("SELECT id FROM orders AS o, customers AS o"), &shop()).notes;
    let unclear = notes.iter().find(|note| note.code == "S102").unwrap();
    assert_eq!(
        unclear.help.as_deref(),
        Some("give each source a name of its own, and write the one that is meant in front")
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
fn reserved_words_without_brackets_are_columns() {
    let from = "FROM (SELECT id, status AS `user`, total AS `current_path` FROM orders) AS q";
    assert_eq!(outputs(&format!("SELECT user {from}")), [out("user", &["orders.status:Direct"])]);
    assert_eq!(outputs(&format!("SELECT UPPER(user) AS u {from}")), [out("u", &["orders.status:Computed"])]);
    assert_eq!(rows(&format!("SELECT id {from} WHERE current_path > 1")), ["orders.total:Filter"]);
    for text in ["SELECT user FROM orders", "SELECT id FROM orders WHERE CURRENT_USER = 'a'"] {
        let codes: Vec<String> = lineage(&query(text), &shop()).notes.into_iter().map(|n| n.code).collect();
        assert_eq!(codes, ["S101"], "{text}");
    }
    assert_eq!(outputs("SELECT CURRENT_DATE AS d FROM orders"), [out("d", &[])]);
}

#[test]
fn pi_is_a_function_that_needs_no_brackets() {
    let from = "FROM (SELECT id AS pi FROM orders) AS q";
    assert_eq!(outputs(&format!("SELECT pi {from}")), [out("pi", &[])]);
    assert_eq!(outputs(&format!("SELECT `pi` {from}")), [out("pi", &["orders.id:Direct"])]);
    assert_eq!(outputs(&format!("SELECT q.pi {from}")), [out("pi", &["orders.id:Direct"])]);
    assert_eq!(rows("SELECT id AS pi FROM orders ORDER BY pi"), ["orders.id:Order"]);
    assert!(lineage(&query("SELECT PI * total AS x FROM orders"), &shop()).notes.is_empty());
    let codes = |text: &str| lineage(&query(text), &shop()).notes.into_iter().map(|n| n.code).collect::<Vec<_>>();
    assert_eq!(codes("SELECT `pi` FROM orders"), ["S101"]);
}

#[test]
fn a_variable_that_is_only_defined_is_one() {
    let text =
        "SELECT * FROM orders MATCH_RECOGNIZE (ORDER BY ts MEASURES A.id AS a PATTERN (A C) DEFINE B AS B.id > 1)";
    assert!(lineage(&query(text), &shop()).notes.is_empty());
    assert_eq!(rows(text), ["orders.id:Pattern", "orders.ts:Order"]);
}

#[test]
fn what_cannot_be_told_is_said() {
    let found = lineage(&query("SELECT a.x, y, z FROM a JOIN b ON a.k = b.k"), &shop());
    assert_eq!(shown(&found.outputs[0].uses), ["a.x:Direct"]);
    assert_eq!(shown(&found.outputs[1].uses), ["a.y:Unknown", "b.y:Unknown"]);
    let codes: Vec<&str> = found.notes.iter().map(|n| n.code.as_str()).collect();
    assert_eq!(codes, ["S103", "S103", "S104", "S104"]);
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
