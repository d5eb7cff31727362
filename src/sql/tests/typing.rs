use super::*;

const TABLES: &str = "
    CREATE TABLE t (id BIGINT NOT NULL, a INT, d DECIMAL(10, 2), s STRING, v VARCHAR(5), ts TIMESTAMP(3),
      r ROW<x INT NOT NULL, y ROW<z STRING>>, tags ARRAY<STRING NOT NULL>, m MAP<STRING, INT>, twice AS a * 2, p AS PROCTIME(),
      `offset` BIGINT NOT NULL METADATA VIRTUAL, WATERMARK FOR ts AS ts - INTERVAL '1' SECOND);
    CREATE TABLE k (id BIGINT, name STRING NOT NULL, PRIMARY KEY (id) NOT ENFORCED);
    CREATE VIEW big (number, text) AS SELECT d * 10, s FROM t;
";

/// The types of a query's columns, `?` for one that does not follow.
fn types(query: &str) -> String {
    let text = format!("{TABLES}{query}");
    let parsed = parse(&text);
    assert_eq!(parsed.diagnostics(), [], "{text}");
    let mut known = Definitions::default();
    let (last, before) = parsed.statements().split_last().unwrap();
    before.iter().for_each(|statement| known.add(statement));
    let [columns] = statement_types(last, &known).try_into().unwrap();
    let Some(columns) = columns else { return "not all known".to_owned() };
    let shown = |column: TypedColumn| column.ty.map_or("?".to_owned(), |ty| ty.to_string());
    columns.into_iter().map(shown).collect::<Vec<_>>().join("; ")
}

#[test]
fn columns_fields_elements_and_values() {
    assert_eq!(
        types("SELECT id, t.s, twice, p, `offset` FROM t"),
        "BIGINT NOT NULL; STRING; INT; TIMESTAMP_LTZ(3) NOT NULL; BIGINT NOT NULL"
    );
    assert_eq!(types("SELECT r.x, t.r.y.z, tags[1], m['a'] FROM t"), "INT; STRING; STRING; INT");
    assert_eq!(types("SELECT r.* FROM t"), "INT; ROW<`z` STRING>");
    assert_eq!(types("SELECT * FROM k"), "BIGINT NOT NULL; STRING NOT NULL");
    assert_eq!(types("SELECT `$rowtime`, id FROM k"), "TIMESTAMP_LTZ(3) NOT NULL; BIGINT NOT NULL");
    assert_eq!(types("SELECT * FROM big"), "DECIMAL(21, 2); STRING");
}

#[test]
fn literals_and_arithmetic() {
    assert_eq!(
        types("SELECT 1, 3000000000, 1.50, 1e3, 'abc', TRUE, TIMESTAMP '2026-01-01 00:00:00.12'"),
        "INT NOT NULL; BIGINT NOT NULL; DECIMAL(3, 2) NOT NULL; DOUBLE NOT NULL; CHAR(3) NOT NULL; BOOLEAN NOT NULL; TIMESTAMP(2) NOT NULL"
    );
    assert_eq!(
        types("SELECT a + id, d + 1, d * d, d / 3, a % 3, -d FROM t"),
        "BIGINT; DECIMAL(13, 2); DECIMAL(21, 4); DECIMAL(21, 13); INT; DECIMAL(10, 2)"
    );
    assert_eq!(types("SELECT d * d * d * d FROM t"), "DECIMAL(38, 6)");
    assert_eq!(
        types("SELECT ts + INTERVAL '1' HOUR, s || 'x', v || 'x', id > 1, a > 1 FROM t"),
        "TIMESTAMP(3); STRING; VARCHAR(6); BOOLEAN NOT NULL; BOOLEAN"
    );
}

#[test]
fn casts_conditions_and_functions() {
    assert_eq!(
        types("SELECT CAST(id AS STRING), TRY_CAST(id AS INT), CAST(NULL AS DATE), CAST(s AS VARCHAR) FROM t"),
        "STRING NOT NULL; INT; DATE; STRING"
    );
    assert_eq!(
        types("SELECT CASE WHEN a > 1 THEN 'a' ELSE 'bcd' END, CASE WHEN a > 1 THEN id END FROM t"),
        "VARCHAR(3) NOT NULL; BIGINT"
    );
    assert_eq!(
        types("SELECT COALESCE(s, 'x'), COALESCE(a, id), NULLIF(id, 0), IF(a > 1, id, 0) FROM t"),
        "STRING NOT NULL; BIGINT NOT NULL; BIGINT; BIGINT"
    );
    assert_eq!(
        types("SELECT CONCAT(s, 'x'), UPPER(v), CURRENT_TIMESTAMP, JSON_VALUE(s, '$.a' RETURNING INT) FROM t"),
        "STRING; VARCHAR(5); TIMESTAMP_LTZ(3) NOT NULL; INT"
    );
    assert_eq!(
        types("SELECT ROW(id, s), ARRAY[1, 2], MAP['a', s] FROM t"),
        "ROW<`EXPR$0` BIGINT NOT NULL, `EXPR$1` STRING> NOT NULL; ARRAY<INT NOT NULL> NOT NULL; MAP<CHAR(1) NOT NULL, STRING> NOT NULL"
    );
}

#[test]
fn aggregates_windows_and_ranks() {
    assert_eq!(
        types("SELECT COUNT(*), SUM(d), AVG(d), MAX(id) FROM t"),
        "BIGINT NOT NULL; DECIMAL(38, 2); DECIMAL(38, 6); BIGINT"
    );
    assert_eq!(
        types("SELECT s, MAX(id), MAX(id) FILTER (WHERE a > 1) FROM t GROUP BY s"),
        "STRING; BIGINT NOT NULL; BIGINT"
    );
    assert_eq!(
        types(
            "SELECT ROW_NUMBER() OVER (ORDER BY ts), SUM(id) OVER (ORDER BY ts), SUM(id) OVER (ORDER BY ts ROWS 3 PRECEDING) FROM t"
        ),
        "BIGINT NOT NULL; BIGINT NOT NULL; BIGINT"
    );
    assert_eq!(
        types(
            "SELECT window_start, window_time, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR)) GROUP BY window_start, window_end, window_time"
        ),
        "TIMESTAMP(3) NOT NULL; TIMESTAMP(3) NOT NULL; BIGINT NOT NULL"
    );
}

#[test]
fn an_outer_join_makes_a_side_nullable() {
    assert_eq!(
        types("SELECT t.id, k.id, k.name FROM t JOIN k ON t.id = k.id"),
        "BIGINT NOT NULL; BIGINT NOT NULL; STRING NOT NULL"
    );
    assert_eq!(types("SELECT t.id, k.id, k.name FROM t LEFT JOIN k ON t.id = k.id"), "BIGINT NOT NULL; BIGINT; STRING");
    assert_eq!(types("SELECT t.id, k.id, k.name FROM t FULL JOIN k ON t.id = k.id"), "BIGINT; BIGINT; STRING");
    assert_eq!(types("SELECT id, name FROM t LEFT JOIN k USING (id)"), "BIGINT NOT NULL; STRING");
    assert_eq!(types("SELECT (SELECT MAX(name) FROM k) FROM t"), "STRING");
}

#[test]
fn what_does_not_follow_is_not_guessed() {
    assert_eq!(types("SELECT their_function(id), id FROM t"), "?; BIGINT NOT NULL");
    assert_eq!(types("SELECT their_function(id) || 'x', COALESCE(their_function(a), 1), nobody.x FROM t"), "?; ?; ?");
    assert_eq!(types("SELECT * FROM nobody_knows"), "not all known");
    assert_eq!(types("SELECT id FROM nobody_knows"), "?");
    assert_eq!(types("SELECT id, a FROM t GROUP BY GROUPING SETS ((id, a), (a))"), "?; INT");
}

/// Flink finds the field `x` of `t.r` before the column `x` of the query around.
#[test]
fn a_field_hides_a_column_of_the_query_around() {
    assert_eq!(types("SELECT (SELECT MAX(x) FROM t) AS m, x FROM (SELECT name AS x FROM k)"), "?; STRING NOT NULL");
}

#[test]
fn a_table_of_a_query_has_its_types() {
    assert_eq!(
        types("CREATE TABLE made AS SELECT id, d + 1 AS more FROM t; SELECT more, id FROM made"),
        "DECIMAL(13, 2); BIGINT NOT NULL"
    );
}

#[test]
fn a_table_of_a_query_with_a_list_of_names_has_their_order() {
    assert_eq!(
        types("CREATE TABLE made (more, id) AS SELECT id, d + 1 AS more FROM t"),
        "DECIMAL(13, 2); BIGINT NOT NULL"
    );
    assert_eq!(
        types("CREATE TABLE made (more, id) AS SELECT id, d + 1 AS more FROM t; SELECT * FROM made"),
        "DECIMAL(13, 2); BIGINT NOT NULL"
    );
}

#[test]
fn a_decimal_that_flink_has_not_is_no_type() {
    let wide = |ty: &str| {
        types(&format!("CREATE TABLE w (x {ty}); SELECT x, x + x, x * x, x / x, x % x, COALESCE(x, 1) FROM w"))
    };
    assert_eq!(wide("DECIMAL(4294967295, 0)"), "?; ?; ?; ?; ?; ?");
    assert_eq!(wide("DECIMAL(4, 5)"), "?; ?; ?; ?; ?; ?");
    assert_eq!(
        wide("DECIMAL(38, 38)"),
        "DECIMAL(38, 38); DECIMAL(38, 37); DECIMAL(38, 37); DECIMAL(38, 6); DECIMAL(38, 38); ?"
    );
    assert_eq!(types("SELECT CAST(a AS DECIMAL(4294967295, 4294967295)) + 1 FROM t"), "?");
}

#[test]
fn a_join_makes_columns_one() {
    assert_eq!(
        types("SELECT * FROM k JOIN (SELECT id, a FROM t) USING (id) JOIN (SELECT id, s FROM t) USING (id)"),
        "BIGINT NOT NULL; STRING NOT NULL; INT; STRING"
    );
    assert_eq!(types("SELECT id FROM t JOIN k USING (id) FULL JOIN big ON id = big.number"), "BIGINT");
}

#[test]
fn a_word_for_neither_true_nor_false_may_be_null() {
    assert_eq!(
        types("SELECT TRUE, FALSE, UNKNOWN, IFNULL(a, 1), IFNULL(a, id) FROM t"),
        "BOOLEAN NOT NULL; BOOLEAN NOT NULL; BOOLEAN; INT NOT NULL; BIGINT NOT NULL"
    );
}

/// A row of two rows of two rows, and a star of two stars: twice as much with each query.
#[test]
fn what_doubles_is_given_up() {
    let ctes = |next: &str| {
        let all: Vec<String> =
            (0..60).map(|i| next.replace("next", &format!("c{}", i + 1)).replace("last", &format!("c{i}"))).collect();
        format!("WITH c0 AS (SELECT a FROM t), {} SELECT * FROM c60", all.join(", "))
    };
    assert_eq!(types(&ctes("next AS (SELECT ROW(a, a) AS a FROM last)")), "?");
    assert_eq!(types(&ctes("next AS (SELECT l.*, r.* FROM last l CROSS JOIN last r)")), "not all known");
    assert_eq!(types(&format!("SELECT {}nobody{} FROM t", "TUMBLE_ROWTIME(".repeat(30), ")".repeat(30))), "?");
}
