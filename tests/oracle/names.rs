//! Names that Flink's planner refuses, and those that it takes although they look odd, against what is said of them here.

use cyanotype::diagnostic::Diagnostic;
use cyanotype::sql::{self, CreateTable, Definitions, Insert, Query, Reader, Statement, StatementKind, code, listed};

use crate::flink;
use crate::flows::plans;

/// The tables of the statements below.
#[rustfmt::skip]
const TABLES: &[&str] = &[
    "CREATE TABLE t (id BIGINT, a INT, b INT, item ROW<sku STRING, n INT, deep ROW<x INT>>, items ARRAY<ROW<sku STRING, n INT>>, \
     m MAP<STRING, ROW<q INT>>, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json')",
    "CREATE TABLE s (id BIGINT, a INT, c INT, item ROW<sku STRING, n INT>, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) \
     WITH ('connector' = 'kafka', 'topic' = 's', 'format' = 'json')",
    "CREATE TABLE o (a INT, b INT, r ROW<a INT, id INT, zz INT>) WITH ('connector' = 'kafka', 'topic' = 'o', 'format' = 'json')",
    "CREATE TABLE w (a INT, b INT, c AS a + 1, d INT METADATA FROM 'partition' VIRTUAL, e TIMESTAMP_LTZ(3) METADATA FROM 'timestamp') \
     WITH ('connector' = 'kafka', 'topic' = 'w', 'format' = 'json')",
    "CREATE TABLE two (p ROW<f INT, g INT>, q ROW<f INT, h INT>) WITH ('connector' = 'kafka', 'topic' = 'two', 'format' = 'json')",
    "CREATE VIEW v AS SELECT item AS i, a FROM t",
    "CREATE VIEW stars AS SELECT * FROM t, s",
];

/// Statements that Flink refuses, with words of its reason.
#[rustfmt::skip]
const REFUSED: &[(&str, &str)] = &[
    // Columns that are not clear.
    ("SELECT a FROM t, s", "Column 'a' is ambiguous"),
    ("SELECT a FROM t JOIN s ON t.id = s.id", "Column 'a' is ambiguous"),
    ("SELECT t.a FROM t JOIN s ON id = id", "Column 'id' is ambiguous"),
    ("SELECT t.a FROM t, s WHERE a > 1", "Column 'a' is ambiguous"),
    ("SELECT COUNT(*) FROM t, s GROUP BY a", "Column 'a' is ambiguous"),
    ("SELECT t.b AS a, COUNT(*) FROM t, s GROUP BY a", "Column 'a' is ambiguous"),
    ("SELECT t.a FROM t, s ORDER BY ts", "Column 'ts' is ambiguous"),
    ("SELECT t.a AS q FROM t, s ORDER BY id + 1", "Column 'id' is ambiguous"),
    ("SELECT t.a AS a, COUNT(*) AS n FROM t, s GROUP BY t.a HAVING a > 1", "Column 'a' is ambiguous"),
    ("SELECT a FROM t JOIN s USING (id)", "Column 'a' is ambiguous"),
    ("SELECT t.id FROM t JOIN s USING (id) JOIN o ON a = o.a", "Column 'a' is ambiguous"),
    ("SELECT id FROM t WHERE EXISTS (SELECT 1 FROM s, o WHERE a = t.a)", "Column 'a' is ambiguous"),
    ("SELECT ROW_NUMBER() OVER (PARTITION BY id ORDER BY t.ts) AS rn FROM t, s", "Column 'id' is ambiguous"),
    ("SELECT SUM(t.a) OVER win AS rn FROM t, s WINDOW win AS (PARTITION BY id ORDER BY t.ts)", "Column 'id' is ambiguous"),
    ("SELECT a FROM t, LATERAL (SELECT a FROM s WHERE s.id = t.id) AS u", "Column 'a' is ambiguous"),
    ("SELECT a FROM t LEFT JOIN (VALUES (1)) AS x (a) ON TRUE", "Column 'a' is ambiguous"),
    ("SELECT f FROM two", "Column 'f' is ambiguous"),
    ("SELECT sku FROM t, s", "Column 'sku' is ambiguous"),
    // Columns and fields that are not there.
    ("SELECT nope FROM t", "Column 'nope' not found in any table"),
    ("SELECT a1 FROM (SELECT * FROM t, s)", "Column 'a1' not found in any table"),
    ("SELECT a0 FROM (SELECT t.*, s.a FROM t, s)", "Column 'a0' not found in any table"),
    ("SELECT nope FROM (SELECT UPPER(item.sku) AS x, a + 1 AS y FROM t)", "Column 'nope' not found in any table"),
    ("SELECT item.nope FROM t", "Column 'item.nope' not found in table 't'"),
    ("SELECT t.item.nope FROM t", "Column 'item.nope' not found in table 't'"),
    ("SELECT item.deep.nope FROM t", "Column 'item.deep.nope' not found"),
    ("SELECT item.SKU FROM t", "Column 'item.SKU' not found in table 't'"),
    ("SELECT item.nope.sku FROM t", "Column 'item.nope' not found"),
    ("SELECT a.x FROM t", "Table 'a' not found"),
    ("SELECT items.sku FROM t", "Table 'items' not found"),
    ("SELECT m.q FROM t", "Table 'm' not found"),
    ("SELECT items[1].nope FROM t", "Unknown field 'nope'"),
    ("SELECT m['a'].nope FROM t", "Unknown field 'nope'"),
    ("SELECT (item).nope FROM t", "Unknown field 'nope'"),
    ("SELECT (item).x FROM t", "Unknown field 'x'"),
    ("SELECT (item.deep).x, (item.deep).y FROM t", "Unknown field 'y'"),
    ("SELECT CAST(ROW(1) AS ROW<x INT>).y FROM t", "Unknown field 'y'"),
    ("SELECT x.nope FROM (SELECT item AS x FROM t)", "Column 'x.nope' not found"),
    ("SELECT q.x.nope FROM (SELECT item AS x FROM t) AS q", "Column 'x.nope' not found"),
    ("SELECT i.nope FROM v", "Column 'i.nope' not found in table 'v'"),
    ("SELECT r.id.x FROM o", "Column 'r.id.x' not found"),
    ("SELECT t.item.nope.* FROM t", "Unknown identifier 't.item.nope'"),
    // Lists of columns.
    ("CREATE TABLE d1 (a INT, a INT)", "A regular Column named 'a' already exists in the table"),
    ("CREATE TABLE d2 (a INT, a AS 1 + 1)", "A column named 'a' already exists in the table"),
    ("CREATE TABLE d3 (a INT, a INT METADATA FROM 'offset')", "A column named 'a' already exists in the table"),
    ("CREATE TABLE d4 (x AS 1 + 1, x AS 2 + 2)", "A generated column named 'x' already exists"),
    ("CREATE TABLE d5 (a INT, PRIMARY KEY (a, a) NOT ENFORCED)", "must not contain duplicate columns"),
    ("CREATE TABLE d6 (a INT, PRIMARY KEY (z) NOT ENFORCED)", "Primary key column 'z' is not defined"),
    ("CREATE TABLE d7 (a INT, r ROW<x INT, x INT>)", "Field names must be unique"),
    ("INSERT INTO o (a, a) SELECT 1, 2", "Target column 'a' is assigned more than once"),
    ("INSERT INTO o (a, z) SELECT 1, 2", "Unknown target column 'z'"),
    ("INSERT INTO o (A) SELECT 1", "Unknown target column 'A'"),
    ("INSERT INTO o PARTITION (zz = 1) SELECT 1, ROW(1, 2, 3)", "Unknown target column 'zz'"),
    ("INSERT INTO w (a, c) SELECT 1, 2", "Unknown target column 'c'"),
    ("INSERT INTO w (a, d) SELECT 1, 2", "Unknown target column 'd'"),
    ("CREATE VIEW v1 (x, x) AS SELECT a, b FROM t", "A column with the same name `x` has been defined"),
    ("CREATE VIEW v2 AS SELECT a AS x, b AS x FROM t", "A column with the same name `x` has been defined"),
    ("CREATE VIEW v3 AS SELECT *, a FROM t", "A column with the same name `a` has been defined"),
    ("CREATE VIEW v4 AS SELECT item.*, sku FROM t", "A column with the same name `sku` has been defined"),
    ("WITH q AS (SELECT a, a FROM t) SELECT 1 FROM q", "has duplicate column name 'a'"),
    // Computed columns.
    ("CREATE TABLE c1 (a INT, b AS a + 1, c AS b + 1)", "Unknown identifier 'b'"),
    ("CREATE TABLE c2 (a INT, c AS b + 1, b AS a + 1)", "Unknown identifier 'b'"),
    ("CREATE TABLE c3 (a INT, c AS c + 1)", "Unknown identifier 'c'"),
    ("CREATE TABLE c4 (a INT, b AS c + 1, c AS b + 1)", "Unknown identifier 'c'"),
    ("CREATE TABLE c5 (a INT, p AS PROCTIME(), q AS p)", "Unknown identifier 'p'"),
    ("CREATE TABLE c6 (a INT, b AS z + 1)", "Unknown identifier 'z'"),
    ("CREATE TABLE c7 (r ROW<x INT>, y AS r.z)", "Unknown field 'z'"),
    ("CREATE TABLE c8 (r ROW<x INT>, y AS x)", "Unknown identifier 'x'"),
    ("CREATE TABLE c9 (c AS c + 5) LIKE w (OVERWRITING GENERATED)", "Unknown identifier 'c'"),
    // More or fewer columns.
    ("INSERT INTO o (a) SELECT 1, 2", "Number of columns must match number of query columns"),
    ("INSERT INTO o (a, b) SELECT 1", "Number of columns must match number of query columns"),
    ("INSERT INTO o (a) VALUES (1, 2)", "Number of columns must match number of query columns"),
    ("INSERT INTO o PARTITION (a = 1) (a, b) SELECT 1, 2", "Number of columns must match number of query columns"),
    ("INSERT INTO o SELECT 1", "Different number of columns"),
    ("INSERT INTO o SELECT 1, 2, ROW(1, 2, 3), 4", "Different number of columns"),
    ("INSERT INTO o VALUES (1, 2)", "Different number of columns"),
    ("INSERT INTO w SELECT 1, 2", "Different number of columns"),
    ("VALUES (1, 2), (3)", "Values passed to VALUES operator must have compatible types"),
    ("SELECT a FROM t UNION ALL SELECT a, c FROM s", "Column count mismatch in UNION ALL"),
    ("SELECT a FROM t UNION SELECT a, c FROM s", "Column count mismatch in UNION"),
    ("WITH q (x) AS (SELECT a, b FROM t) SELECT x FROM q", "Number of columns must match number of query columns"),
    ("SELECT x FROM (SELECT a, b FROM t) AS q (x)", "List of column aliases must have same degree as table"),
    ("SELECT x FROM o AS q (x, y)", "List of column aliases must have same degree as table"),
    ("CREATE VIEW v5 (x) AS SELECT a, b FROM t", "VIEW definition and input fields not match"),
];

/// Statements that Flink takes.
#[rustfmt::skip]
const TAKEN: &[&str] = &[
    // Fields without the column that they are in.
    "SELECT sku FROM t", "SELECT x FROM t", "SELECT item.x FROM t", "SELECT t.sku, t.x FROM t", "SELECT deep.x, deep FROM t",
    "SELECT g, h FROM two", "SELECT zz FROM o, s", "SELECT sku FROM (SELECT item FROM t) AS q", "SELECT q.sku FROM (SELECT item FROM t) AS q",
    "SELECT sku, i.n FROM v", "SELECT COUNT(*) FROM t GROUP BY sku", "SELECT t.a FROM t WHERE sku = 'x'",
    "SELECT sku FROM (SELECT CAST(ROW('a') AS ROW<sku STRING>) AS x FROM t)", "SELECT sku FROM (SELECT items[1] AS x FROM t)",
    "SELECT sku FROM (SELECT COALESCE(item, item) AS x FROM t)", "SELECT sku FROM (SELECT LAST_VALUE(item) AS x FROM t)",
    "SELECT sku FROM (SELECT CASE WHEN a > 1 THEN item ELSE item END AS x FROM t)", "SELECT sku, n FROM (SELECT item.* FROM t)",
    "SELECT id FROM t WHERE EXISTS (SELECT 1 FROM o WHERE id = t.id)", "SELECT item.*, deep.* FROM t",
    "SELECT item['sku'], item[1], items[1].sku, m['a'].q, (item).sku FROM t",
    // What is clear.
    "SELECT id FROM t JOIN s USING (id)", "SELECT c FROM t JOIN s USING (id, a) JOIN o USING (a)", "SELECT b FROM o, s", "SELECT a FROM o",
    "SELECT id FROM t WHERE EXISTS (SELECT 1 FROM s WHERE a = t.a)", "SELECT t.id FROM t, o WHERE EXISTS (SELECT 1 FROM s WHERE c = o.a)",
    "SELECT t.a FROM t, s ORDER BY a, t.ts", "SELECT t.a AS id FROM t, s ORDER BY id + 1, t.ts",
    "SELECT t.id, ROW_NUMBER() OVER (PARTITION BY t.id ORDER BY t.ts) AS ts FROM t, s QUALIFY ts = 1",
    "SELECT 1 FROM t AS x, s AS y WHERE x.item.sku = y.item.sku",
    // Columns of stars.
    "SELECT a0 FROM (SELECT * FROM t, s)", "SELECT a0, a1 FROM (SELECT * FROM t, s, s AS s2)", "SELECT a0 FROM (SELECT *, * FROM t)",
    "SELECT a0 FROM (SELECT t.a, s.* FROM t, s)", "SELECT id0, a FROM stars", "CREATE VIEW w1 AS SELECT *, * FROM t",
    "CREATE VIEW w2 AS SELECT t.a, s.* FROM t, s", "WITH q AS (SELECT t.*, s.* FROM t, s) SELECT id, id0 FROM q",
    "SELECT sku0 FROM (SELECT t.item.*, s.item.* FROM t, s)",
    // Lists.
    "CREATE TABLE e1 (a INT, A INT)", "CREATE TABLE e2 (a INT, m INT METADATA FROM 'partition' VIRTUAL, b AS m + 1)",
    "CREATE TABLE e3 (k TIMESTAMP(3), l AS k, WATERMARK FOR l AS l)", "CREATE TABLE e4 (c AS a + 5) LIKE w (OVERWRITING GENERATED)",
    "CREATE TABLE e5 (r ROW<x INT>, y AS r.x, z AS CAST(r AS ROW<u INT>).u)",
    "CREATE VIEW w3 (p, q) AS SELECT a AS x, b AS x FROM t", "INSERT INTO o SELECT a AS x, b AS x, r FROM o",
    "INSERT INTO o (b) SELECT 1", "INSERT INTO w (a, e) SELECT 1, CAST(NULL AS TIMESTAMP_LTZ(3))",
    "INSERT INTO o PARTITION (a = 1) SELECT 1, CAST(NULL AS ROW<a INT, id INT, zz INT>)", "INSERT INTO o PARTITION (a = 1) (b) SELECT 1",
];

/// What is said of a statement's names.
fn said(statement: &Statement, known: &Definitions) -> Vec<Diagnostic> {
    let mut reader = Reader::new(known.catalog());
    let mut found = Vec::new();
    match &statement.kind {
        StatementKind::Query(query) => found.extend(reader.outline(query).notes),
        StatementKind::CreateTableAs(ctas) => found.extend(reader.outline(&ctas.query).notes),
        StatementKind::CreateTable(table) => {
            found.extend(listed::in_table(table));
            let notes = table.like.is_none().then(|| sql::table_lineage(table).notes);
            found.extend(notes.unwrap_or_default());
        }
        StatementKind::CreateView(view) => {
            let outline = reader.outline(&view.query);
            found.extend(listed::in_view(view, &outline));
            found.extend(width(view.columns.len(), &view.query, &mut reader));
            found.extend(outline.notes);
        }
        StatementKind::Insert(insert) => found.extend(of_insert(insert, known, &mut reader)),
        StatementKind::StatementSet(inserts) => {
            inserts.iter().for_each(|insert| found.extend(of_insert(insert, known, &mut reader)));
        }
        _ => {}
    }
    found.retain(|note| ![code::UNKNOWN_TABLE, code::OPAQUE].contains(&note.code.as_str()));
    found
}

fn of_insert(insert: &Insert, known: &Definitions, reader: &mut Reader<'_>) -> Vec<Diagnostic> {
    let table = known.table(&insert.target);
    let mut found = listed::in_insert(insert, table);
    found.extend(reader.outline(&insert.query).notes);
    let given_apart = |name: &str| insert.partition.iter().any(|(column, _)| column.name == name);
    let takes = |table: &CreateTable| match insert.columns.len() {
        0 => table.writable().iter().filter(|column| !given_apart(&column.name)).count(),
        listed => listed,
    };
    found.extend(table.and_then(|table| width(takes(table), &insert.query, reader)));
    found
}

/// As the project's check has it: what is there takes more or fewer columns than the query gives.
fn width(taken: usize, query: &Query, reader: &mut Reader<'_>) -> Option<Diagnostic> {
    let given = reader.outline(query).columns;
    let known = taken > 0 && given.iter().all(|(name, _)| name != "*");
    (known && given.len() != taken).then(|| Diagnostic::error("C306", format!("{} for {taken}", given.len())))
}

#[test]
#[ignore = "needs Java and Flink's planner: ./x oracle"]
fn names_that_flink_refuses_and_takes() {
    let texts = REFUSED.iter().map(|(sql, _)| *sql).chain(TAKEN.iter().copied());
    let options = " WITH ('connector' = 'kafka', 'topic' = 'x', 'format' = 'json')";
    let whole = |sql: &str| match sql.starts_with("CREATE TABLE") && !sql.contains(" LIKE ") && !sql.contains(" WITH ")
    {
        true => format!("{sql}{options}"),
        false => sql.to_owned(),
    };
    let script: Vec<String> = TABLES.iter().copied().chain(texts).map(whole).collect();
    let planned = flink::plans(std::slice::from_ref(&script)).remove(0);
    let mut known = Definitions::default();
    let mut wrong = 0;
    for (i, (sql, flink)) in script.iter().zip(&planned).enumerate() {
        let parsed = sql::parse(sql);
        let [statement] = parsed.statements() else { panic!("one statement: {sql}") };
        let said = said(statement, &known);
        // What does not fit its sink shows when the whole plan is made.
        let unfit =
            flink.queries.iter().map(|query| query.unplanned.as_str()).find(|why| why.contains("number of columns"));
        let refused = if flink.ok { unfit } else { Some(flink.message.as_str()) };
        let wanted = i.checked_sub(TABLES.len()).and_then(|i| REFUSED.get(i)).map(|(_, words)| *words);
        let as_wanted = match (wanted, refused) {
            (Some(words), Some(message)) => message.contains(words),
            (wanted, refused) => wanted.is_none() && refused.is_none(),
        };
        if !as_wanted || refused.is_some() == said.is_empty() {
            wrong += 1;
            println!(
                "-- Flink: {refused:?}; we: {:?}\n{sql}\n",
                said.iter().map(|note| &note.message).collect::<Vec<_>>()
            );
        }
        if i < TABLES.len() {
            known.add(statement);
        }
    }
    println!("names: {} refused and {} taken, {wrong} otherwise than here", REFUSED.len(), TAKEN.len());
    assert_eq!(wrong, 0);
}

#[test]
#[ignore = "needs Java and Flink's planner: ./x oracle"]
fn nothing_is_said_of_names_that_flink_takes() {
    let plans = plans();
    let (mut statements, mut wrong) = (0, 0);
    for (script, planned) in &plans.scripts {
        let mut known = Definitions::default();
        for (sql, _) in script.iter().zip(planned).filter(|(_, flink)| flink.ok) {
            for statement in sql::parse(sql).statements() {
                statements += 1;
                let said = said(statement, &known);
                if !said.is_empty() {
                    wrong += 1;
                    let messages: Vec<_> = said.iter().map(|note| (&note.code, &note.message)).collect();
                    println!("-- Flink takes it, we say {messages:?}\n{}\n", sql.trim());
                }
                known.add(statement);
            }
        }
    }
    println!("names: {statements} statements that Flink takes, something is said of {wrong}");
    assert_eq!(wrong, 0);
}
