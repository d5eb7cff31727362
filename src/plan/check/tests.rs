mod refused;

use super::*;
use crate::diagnostic::Label;
use crate::model::manifest::DeployedConnector;
use crate::plan::{estate, project};
use crate::sql::steps::counted;

const ORDERS: &str = "CREATE TABLE orders (id BIGINT, amount INT, item ROW<sku STRING, n INT>, ts TIMESTAMP(3),\n\
    items ARRAY<ROW<sku STRING>>, part INT METADATA FROM 'partition' VIRTUAL, twice AS amount * 2,\n\
    WATERMARK FOR ts AS ts, PRIMARY KEY (id) NOT ENFORCED) WITH ('topic' = 'orders')";
const RATES: &str = "CREATE TABLE rates (cur STRING, rate INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts,\n\
    PRIMARY KEY (cur) NOT ENFORCED) WITH ('topic' = 'rates')";
const LIKE: &str = "CREATE TABLE more (extra INT) WITH ('topic' = 'more') LIKE elsewhere";

fn file(path: &str, text: impl Into<String>) -> File {
    (path.to_owned(), text.into())
}

fn found(files: &[File]) -> Vec<Diagnostic> {
    let read = project::read(files, &BTreeMap::new());
    assert!(!project::broken(&read.diagnostics), "{:?}", read.diagnostics);
    let texts = files.iter().cloned().collect();
    columns(&estate::read(&read.manifest).unwrap(), &texts)
}

/// What is said about a query over the tables above.
fn about(query: &str) -> Vec<String> {
    let out = "CREATE TABLE o (x INT) WITH ('topic' = 'o')";
    let files = [
        file("a.sql", ORDERS),
        file("b.sql", RATES),
        file("l.sql", LIKE),
        file("o.sql", out),
        file("i.sql", format!("INSERT INTO o {query}")),
    ];
    found(&files).into_iter().map(|d| d.message).collect()
}

#[test]
fn a_column_that_no_table_has_is_named_at_its_place() {
    let text = format!("-- two statements\n{ORDERS};\n\nCREATE VIEW v AS\nSELECT id, o.nmae FROM orders AS o;\n");
    let found = found(&[file("pipelines/all.sql", text.clone())]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].code.as_str(), found[0].file.as_deref()), ("S101", Some("pipelines/all.sql")));
    assert_eq!(found[0].labels[0].span.of(&text), "o.nmae");
    assert!(found[0].help.as_ref().unwrap().contains("`o` has id, amount, item"), "{found:?}");
    for (query, name) in [
        ("SELECT a FROM (SELECT id FROM orders)", "a"),
        ("SELECT id FROM orders WHERE EXISTS (SELECT 1 FROM rates WHERE cur = orders.nr)", "orders.nr"),
        ("SELECT COUNT(*) FROM orders GROUP BY nr", "nr"),
        ("SELECT Id FROM orders", "Id"),
        ("WITH c AS (SELECT id FROM orders) SELECT amount FROM c", "amount"),
    ] {
        assert_eq!(about(query), [format!("column `{name}` is in no table of this query")], "{query}");
    }
}

#[test]
fn what_is_right_or_not_known_is_left_alone() {
    for query in [
        "SELECT * FROM orders",
        "SELECT o.*, part, twice, CURRENT_DATE, LOCALTIMESTAMP, PROCTIME(), o.item.sku, item.n FROM orders AS o",
        "SELECT `default_catalog`.`default_database`.orders.id FROM `default_catalog`.`default_database`.orders",
        "SELECT amount + 1 AS a FROM orders ORDER BY a + 1, id LIMIT 3",
        "SELECT UPPER(cur) AS c, SUM(rate) AS s FROM rates GROUP BY UPPER(cur) HAVING SUM(rate) > 1 ORDER BY s",
        "SELECT s.sku FROM orders CROSS JOIN UNNEST(items) AS s (sku)",
        "SELECT sku FROM (SELECT items FROM orders), UNNEST(items)",
        "SELECT w, v FROM orders, LATERAL TABLE(split(cur_of(id))) AS t (w, v)",
        "SELECT word FROM orders LEFT JOIN LATERAL TABLE(split(item.sku)) ON TRUE",
        "SELECT o.id, r.rate FROM orders AS o JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON r.cur = o.item.sku",
        "SELECT window_start, window_end, window_time, SUM(amount) FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '5' MINUTES)) GROUP BY window_start, window_end, window_time",
        "SELECT window_start FROM TABLE(HOP(DATA => TABLE orders, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '1' MINUTE, SIZE => INTERVAL '5' MINUTE))",
        "SELECT TUMBLE_START(ts, INTERVAL '1' HOUR), SUM(amount) FROM orders GROUP BY TUMBLE(ts, INTERVAL '1' HOUR)",
        "SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY id ORDER BY ts DESC) AS rn FROM orders) WHERE rn = 1",
        "SELECT id, ROW_NUMBER() OVER (PARTITION BY id ORDER BY ts) AS rn FROM orders QUALIFY rn = 1",
        "SELECT id, SUM(amount) OVER w AS s FROM orders WINDOW w AS (PARTITION BY id ORDER BY ts)",
        "SELECT T.a, T.n FROM orders MATCH_RECOGNIZE (PARTITION BY id ORDER BY ts MEASURES A.amount AS a, LAST(B.ts) AS n, CLASSIFIER() AS c \
         ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B+) DEFINE A AS A.amount > 1, B AS amount > PREV(B.amount)) AS T",
        "SELECT EXTRACT(YEAR FROM ts), TIMESTAMPDIFF(DAY, ts, ts), TIMESTAMPADD(HOUR, 1, ts), CEIL(ts TO HOUR), FLOOR(ts TO DAY) FROM orders",
        "SELECT TRIM(BOTH ' ' FROM cur), SUBSTRING(cur FROM 1 FOR 2), POSITION('a' IN cur), OVERLAY(cur PLACING 'x' FROM 1), CAST(cur AS INT) FROM rates",
        "SELECT JSON_OBJECT(KEY 'a' VALUE cur NULL ON NULL), JSON_VALUE(cur, '$.a' RETURNING INT DEFAULT 1 ON EMPTY), JSON_EXISTS(cur, '$.a') FROM rates",
        "SELECT a, b FROM (VALUES (1, 2)) AS t (a, b)",
        "SELECT id FROM orders UNION ALL SELECT rate FROM rates ORDER BY id",
        "SELECT id, extra, whatever FROM more",
        "SELECT id, anything FROM orders, more",
        "SELECT CASE WHEN amount IS NULL THEN 1 ELSE 2 END, ROW(id, amount), MAP['a', id], ARRAY[id] FROM orders",
        "SELECT CURRENT_DATE, PI, INTERVAL '1' DAY FROM orders",
        "SELECT ts FROM orders NATURAL JOIN rates",
        "SELECT ts, rate FROM orders JOIN rates USING (ts)",
        "SELECT o.id, l.m FROM orders AS o CROSS JOIN LATERAL (SELECT MAX(rate) AS m FROM rates WHERE cur = o.item.sku) AS l",
        "SELECT id, (SELECT MAX(rate) FROM rates WHERE rates.ts = orders.ts) AS top FROM orders WHERE id IN (SELECT rate FROM rates)",
        "WITH a AS (SELECT id AS k FROM orders), b (j) AS (SELECT k FROM a UNION SELECT rate FROM rates) SELECT j FROM b",
        "SELECT id, part, GROUPING_ID(id) AS g FROM orders GROUP BY GROUPING SETS ((id), (part), ())",
        "SELECT id, COUNT(*) FILTER (WHERE part > 1), LISTAGG(item.sku) FROM orders GROUP BY ROLLUP (id)",
        "SELECT items[1].sku, CAST(ROW(id) AS ROW<x INT>).x, CARDINALITY(items) FROM orders",
        "SELECT L.id, R.rate FROM (SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '5' MINUTES))) AS L JOIN \
         (SELECT * FROM TABLE(TUMBLE(TABLE rates, DESCRIPTOR(ts), INTERVAL '5' MINUTES))) AS R ON L.window_start = R.window_start",
        "SELECT window_start, id FROM TABLE(SESSION(TABLE orders PARTITION BY id, DESCRIPTOR(ts), INTERVAL '5' MINUTES))",
        "SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY amount) AS rn FROM \
         TABLE(CUMULATE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '5' MINUTES))) WHERE rn <= 3",
        "SELECT id FROM orders /*+ OPTIONS('scan.startup.mode' = 'earliest-offset') */ AS o WHERE o.id BETWEEN 1 AND 2",
        "SELECT a.id FROM (orders AS a JOIN rates AS b ON a.ts = b.ts) LEFT JOIN rates AS c ON c.cur = b.cur",
        "SELECT id FROM orders AS o WHERE NOT EXISTS (SELECT 1 FROM orders AS o WHERE o.amount > 1 AND part = 2)",
        "SELECT f(a => id, b => amount), JSON_ARRAYAGG(cur) FROM orders JOIN rates ON TRUE GROUP BY id, amount",
        "SELECT DISTINCT amount AS x FROM orders ORDER BY x DESC, 1",
        "TABLE orders",
        "VALUES (1), (2)",
        "SELECT a FROM orders, TABLE(my_ptf(TABLE rates PARTITION BY cur, DESCRIPTOR(later)))",
    ] {
        assert_eq!(about(query), Vec::<String>::new(), "{query}");
    }
}

/// Code, file, place and way out of all that is said about these files.
fn said(files: &[File]) -> Vec<(String, String, String, String)> {
    let one = |d: Diagnostic| {
        let path = d.file.unwrap();
        let text = &files.iter().find(|(own, _)| *own == path).unwrap().1;
        (d.code, path, d.labels[0].span.of(text).to_owned(), d.help.unwrap())
    };
    found(files).into_iter().map(one).collect()
}

fn one(code: &str, file: &str, place: &str, help: &str) -> Vec<(String, String, String, String)> {
    vec![[code, file, place, help].map(str::to_owned).into()]
}

#[test]
fn names_that_are_not_clear_and_fields_that_are_not_there() {
    let files = |query: &str| {
        let out = "CREATE TABLE o (x INT) WITH ('topic' = 'o')";
        let insert = format!("-- first\nINSERT INTO o\n{query};\n");
        [file("a.sql", ORDERS), file("b.sql", RATES), file("o.sql", out), file("i.sql", insert)]
    };
    for (query, code, place, help) in [
        (
            "SELECT id FROM orders, rates WHERE ts > 1",
            "S102",
            "ts",
            "write which one is meant: `orders.ts` or `rates.ts`",
        ),
        (
            "SELECT id FROM orders AS a JOIN rates ON ts = cur",
            "S102",
            "ts",
            "write which one is meant: `a.ts` or `rates.ts`",
        ),
        (
            "SELECT ts FROM (SELECT ts FROM orders), rates",
            "S102",
            "ts",
            "give each source a name of its own, and write the one that is meant in front",
        ),
        ("SELECT item.price FROM orders", "S106", "item.price", "correct the name: `item` has sku, n"),
        ("SELECT o.item.price FROM orders AS o", "S106", "item.price", "correct the name: `item` has sku, n"),
        ("SELECT items[1].price FROM orders", "S106", "price", "correct the name: the row has sku"),
        ("SELECT id.price FROM orders", "S106", "id.price", "correct the name: `id` is no row"),
        (
            "SELECT id FROM orders UNION ALL SELECT rate, cur FROM rates",
            "S109",
            "SELECT rate, cur FROM rates",
            "make them as many",
        ),
        ("VALUES (1), (2, 3)", "S109", "2, 3", "make them as many"),
        ("SELECT k FROM (SELECT id FROM orders) AS q (k, j)", "S109", "k, j", "make them as many"),
        (
            "WITH q AS (SELECT id, rate AS id FROM orders, rates) SELECT 1 FROM q",
            "S105",
            "rate AS id",
            "leave it out here, or give it another name",
        ),
    ] {
        assert_eq!(said(&files(query)), one(code, "i.sql", place, help), "{query}");
    }
    for query in ["SELECT sku FROM orders", "SELECT orders.n FROM orders", "SELECT id FROM orders ORDER BY sku"] {
        assert_eq!(said(&files(query)), [], "{query}");
    }
}

#[test]
fn lists_of_columns_that_are_refused() {
    let ddl = |columns: &str| [file("t.sql", format!("CREATE TABLE t ({columns}) WITH ('topic' = 't')"))];
    let again = "leave it out here, or give it another name";
    for (columns, code, place, help) in [
        ("a INT, a STRING", "S105", "a", again),
        ("a INT, b INT, a AS b + 1", "S105", "a", again),
        ("a INT, PRIMARY KEY (a, a) NOT ENFORCED", "S105", "a", again),
        ("r ARRAY<ROW<x INT, x STRING>>", "S105", "r ARRAY<ROW<x INT, x STRING>>", again),
        ("a INT, b AS a + 1, c AS b * b", "S107", "b", "write the expression of `b` in its place"),
        ("a INT, c AS b + 1, b AS a + 1", "S107", "b", "write the expression of `b` in its place"),
        ("a INT, p AS PROCTIME(), q AS p", "S107", "p", "write the expression of `p` in its place"),
        ("a INT, b AS b + 1", "S107", "b", "name columns that are in the record"),
        ("r ROW<x INT>, b AS r.y", "S106", "r.y", "correct the name: `r` has x"),
        ("r ROW<x INT>, b AS x", "S101", "x", "correct the name, or declare the column"),
    ] {
        assert_eq!(said(&ddl(columns)), one(code, "t.sql", place, help), "{columns}");
    }
    let circle = found(&ddl("a INT, b AS c + 1, c AS b + 1"));
    assert_eq!(
        circle.iter().map(|d| d.message.as_str()).collect::<Vec<_>>(),
        [
            "computed column `b` is made of `c`, which is made of `b`",
            "computed column `c` is made of `b`, which is made of `c`"
        ]
    );
    for columns in [
        "a INT, A STRING",
        "a INT, b AS a + 1, c AS a + 2, WATERMARK FOR b AS b",
        "a INT, m INT METADATA FROM 'partition' VIRTUAL, b AS m + 1",
        "r ROW<x INT, y ROW<x INT>>, b AS r.x",
    ] {
        assert_eq!(said(&ddl(columns)), [], "{columns}");
    }
}

#[test]
fn lists_of_an_insert_and_a_view() {
    let table =
        "CREATE TABLE t (a INT, b INT, c AS a + 1, d INT METADATA VIRTUAL, e INT METADATA) WITH ('topic' = 't')";
    let insert = |text: &str| [file("t.sql", table), file("i.sql", text)];
    let again = "leave it out here, or give it another name";
    let none = "leave it out of the list, and its value out of the query";
    for (text, code, place, help) in [
        ("INSERT INTO t (a, a) SELECT 1, 2", "S105", "a", again),
        ("INSERT INTO t PARTITION (a = 1) (b, a) SELECT 1, 2", "S105", "a", again),
        ("INSERT INTO t (a, z) SELECT 1, 2", "S101", "z", "correct the name: columns to write are a, b, e"),
        ("INSERT INTO t (a, A) SELECT 1, 2", "S101", "A", "correct the name: columns to write are a, b, e"),
        ("INSERT INTO t (a, c) SELECT 1, 2", "S108", "c", none),
        ("INSERT INTO t (a, d) SELECT 1, 2", "S108", "d", none),
        ("INSERT INTO t PARTITION (z = 1) (a) SELECT 1", "S101", "z", "correct the name: columns to write are a, b, e"),
        ("CREATE VIEW v (x, x) AS SELECT a, b FROM t", "S105", "x", again),
        ("CREATE VIEW v AS SELECT a, b AS a FROM t", "S105", "b AS a", again),
        ("CREATE VIEW v AS SELECT *, a FROM t", "S105", "a", again),
    ] {
        assert_eq!(said(&insert(text)), one(code, "i.sql", place, help), "{text}");
    }
    for text in [
        "INSERT INTO t (e, b) SELECT 1, 2",
        "CREATE VIEW v (x, y) AS SELECT a, b AS a FROM t",
        "CREATE VIEW v AS SELECT *, * FROM t",
    ] {
        assert_eq!(said(&insert(text)), [], "{text}");
    }
    let like = |base: &str| {
        let like = format!("CREATE TABLE l (z INT) WITH ('topic' = 'l') LIKE {base}");
        let insert = file("i.sql", "INSERT INTO l (a, z, y) SELECT 1, 2, 3");
        said(&[file("t.sql", table), file("l.sql", like), insert])
    };
    assert_eq!(like("t"), one("S101", "i.sql", "y", "correct the name: columns to write are a, b, e, z"));
    assert_eq!(like("elsewhere"), [], "nobody knows what that brings");
}

#[test]
fn an_insert_with_more_or_fewer_columns_than_its_table() {
    let table = "CREATE TABLE t (a INT, b INT, c AS a + 1, e INT METADATA) WITH ('topic' = 't')";
    let said = |insert: &str| {
        let files = [file("t.sql", table), file("i.sql", format!("INSERT INTO t {insert}"))];
        let read = project::read(&files, &BTreeMap::new());
        let found = rooms(&estate::read(&read.manifest).unwrap(), &files.into_iter().collect());
        found.into_iter().map(|d| (d.code, d.message)).collect::<Vec<_>>()
    };
    for (insert, given, taken) in [
        ("SELECT 1", "1 column", 3),
        ("SELECT 1, 2, 3, 4", "4 columns", 3),
        ("VALUES (1, 2), (3, 4)", "2 columns", 3),
        ("(a, b) SELECT 1", "1 column", 2),
        ("(a) VALUES (1, 2)", "2 columns", 1),
        ("PARTITION (a = 1) SELECT 1, 2, 3", "3 columns", 2),
        ("PARTITION (a = 1) (b) SELECT 1, 2", "2 columns", 1),
    ] {
        let message = format!("the query of `t` gives {given}, and `t` takes {taken}");
        assert_eq!(said(insert), [("C306".to_owned(), message)], "{insert}");
    }
    for insert in [
        "SELECT 1, 2, 3",
        "VALUES (1, 2, 3)",
        "(e) VALUES (1)",
        "PARTITION (a = 1) SELECT 2, 3",
        "PARTITION (a = 1) (b) SELECT 2",
    ] {
        assert_eq!(said(insert), [], "{insert}");
    }
}

#[test]
fn a_view_hands_its_columns_on() {
    let files = |query: &str| {
        [
            file("a.sql", ORDERS),
            file("v.sql", "CREATE VIEW v (k, n) AS SELECT id, amount FROM orders"),
            file("w.sql", query),
        ]
    };
    assert_eq!(found(&files("CREATE VIEW w AS SELECT k, n FROM v")), []);
    assert_eq!(found(&files("CREATE VIEW w AS SELECT k, amount FROM v"))[0].file.as_deref(), Some("w.sql"));
}

/// A view reads the one before it, and is looked at for all that read it.
#[test]
fn views_on_views_cost_each_view_the_same() {
    let steps = |views: usize| {
        let mut files = vec![file("a.sql", ORDERS)];
        files.push(file("v0.sql", "CREATE VIEW v0 AS SELECT id, amount FROM orders"));
        files.extend((1..views).map(|i| {
            let text = format!("CREATE VIEW v{i} AS SELECT id, amount + 1 AS amount FROM v{} WHERE id > 1", i - 1);
            file(&format!("v{i}.sql"), text)
        }));
        let read = project::read(&files, &BTreeMap::new());
        let (estate, texts) = (estate::read(&read.manifest).unwrap(), files.into_iter().collect());
        let (found, steps) = counted(|| [columns(&estate, &texts), rooms(&estate, &texts)].concat());
        assert_eq!(found, []);
        steps as f64 / views as f64
    };
    let (few, many) = (steps(125), steps(1_000));
    assert!(many <= few * 1.05 + 0.5, "{few:.2} steps for each view, {many:.2} for each of eight times as many");
    assert!(many <= 100.0, "{many:.2} steps for each view");
}

#[test]
fn a_key_that_is_no_column_is_named_in_the_ddl() {
    let ddl = ORDERS.replace("PRIMARY KEY (id)", "PRIMARY KEY (di)");
    let found = found(&[file("a.sql", ddl.clone())]);
    assert_eq!(found.iter().map(|d| d.labels[0].span.of(&ddl)).collect::<Vec<_>>(), ["di"]);
}

#[test]
fn a_secret_in_a_connector_is_named_and_not_shown() {
    let config = [
        ("a.password", "hunter2"),
        ("b.password", "${P}"),
        ("c.password", "${file:/run/x:y}"),
        ("d.password", ""),
        ("user", "hunter2"),
    ];
    let config = config.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    let connector = DeployedConnector { table: String::new(), config };
    let manifest = Manifest { connectors: BTreeMap::from([("c".to_owned(), connector)]), ..Manifest::default() };
    let texts = [("b.json", r#"{"name": "c", "config": {}}"#), ("c.json", "{"), ("d.json", "")];
    let texts = texts.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
    let [found] = <[Diagnostic; 1]>::try_from(secrets(&manifest, &texts)).unwrap();
    let want = "connector `c` has `a.password` in plain text, which plans and the journal will hold";
    assert_eq!((found.message.as_str(), found.file.as_deref()), (want, Some("b.json")));
    assert_eq!(found.labels, []);
}

#[test]
fn each_placeholder_without_a_value_is_named_once_with_its_first_place() {
    let files =
        [file("a.sql", "-- ${A}\n'${B} ${A} ${CYANOTYPE_JOB}'"), file("b.sql", "${B}"), file("c.json", "${B} ${C}")];
    let read = vec![Diagnostic::warning("C114", "x"), Diagnostic::error("C109", "no value for ${B}").in_file("b.sql")];
    let all = |names: &[&str]| {
        let values = names.iter().map(|name| ((*name).to_owned(), String::new())).collect();
        let found = placeholders(&files, &values, read.clone());
        assert_eq!(found[0], read[0]);
        let place = |d: &Diagnostic| {
            let Label { span, text } = d.labels[0].clone();
            (d.file.clone().unwrap(), span.start, span.end, text)
        };
        found[1..].iter().map(place).collect::<Vec<_>>()
    };
    let want = |file: &str, from, to, text: &str| (file.to_owned(), from, to, text.to_owned());
    assert_eq!(all(&["A", "C"]), [want("a.sql", 9, 13, "used here, and in 2 other files")]);
    assert_eq!(all(&["A", "B"]), [want("c.json", 5, 9, "used here")]);
    assert_eq!(all(&["B", "C"]), [want("a.sql", 3, 7, "used here")]);
    assert_eq!(all(&["A", "B", "C"]), []);
}

#[test]
fn a_table_that_takes_over_from_another_is_known_with_its_columns_and_its_topic() {
    let files = [
        file("a.sql", "CREATE TABLE a (id INT, n INT) WITH ('connector' = 'kafka', 'topic' = 'a')"),
        file("b.sql", "CREATE TABLE b LIKE a"),
        file("c.sql", "CREATE TABLE c (more INT) WITH ('topic' = 'c') LIKE b (EXCLUDING OPTIONS)"),
        file("v.sql", "CREATE VIEW v AS SELECT b.id, c.n, c.more, c.nope FROM b, c"),
    ];
    let read = project::read(&files, &BTreeMap::new());
    assert_eq!(read.diagnostics, []);
    assert_eq!(read.manifest.tables["b"].topic.as_deref(), Some("a"));
    let texts: BTreeMap<String, String> = files.into_iter().collect();
    let found = columns(&estate::read(&read.manifest).unwrap(), &texts);
    assert_eq!(
        found.into_iter().map(|d| d.message).collect::<Vec<_>>(),
        ["column `c.nope` is in no table of this query"]
    );
}

#[test]
fn a_placeholder_in_a_topic_that_is_taken_over_is_said_where_it_stands() {
    let files = [
        file("a.sql", "CREATE TABLE a (id INT) WITH ('connector' = 'kafka', 'topic' = '${env}.a')"),
        file("b.sql", "CREATE TABLE b LIKE a"),
    ];
    let found = project::read(&files, &BTreeMap::new()).diagnostics;
    let places: Vec<_> = found.iter().map(|d| (d.code.as_str(), d.file.as_deref())).collect();
    assert_eq!(places, [("C109", Some("a.sql"))]);
}
