SELECT * FROM t WHERE a != 1;
-- says: S004 at !=: `!=` is not an operator of Flink SQL; write `<>`
-- mended: SELECT * FROM t WHERE a <> 1;
SELECT a == 1 FROM t;
-- says: S001 at =: expected an expression, found `=`; write a single `=`
-- mended: SELECT a = 1 FROM t;
SELECT a FROM t WHERE a = 1 && b = 2;
-- says: S001 at &: expected the end of the statement, found `&`; write AND
SELECT a::INT FROM t;
-- says: S001 at ::: expected the end of the statement, found `::`; write CAST(value AS type)
SELCT a FROM t;
-- says: S010 at SELCT: no statement begins with `SELCT`; did you mean SELECT?
SELECT a FORM t;
-- says: S001 at t: expected the end of the statement, found `t`; did you mean FROM?
SELECT a FROM t WHER b = 1;
-- says: S001 at b: expected the end of the statement, found `b`; did you mean WHERE?
CREATE TABEL t (a INT);
-- says: S001 at TABEL: expected what is created, such as `TABLE` or `VIEW`, found `TABEL`; did you mean TABLE?
SELECT a FROM t GROUP a;
-- says: S001 at GROUP: expected the end of the statement, found the reserved word `GROUP`; write GROUP BY
CREATE TABLE t (a INT) PARTITION BY (a);
-- says: S001 at PARTITION: expected the end of the statement, found the reserved word `PARTITION`; write PARTITIONED BY (...)
CREATE TABLE t (a STRUCT<b INT>);
-- says: S001 at <: expected `,` or `)`, found `<`; Flink's type for nested fields is ROW<name type, ...>
CREATE TABLE t (a DATETIME);
-- says: S001 at DATETIME: expected a data type, found the reserved word `DATETIME`; Flink's type is TIMESTAMP(3)
CREATE TABLE t (a INT PRIMARY KEY);
-- says: S012 at PRIMARY KEY: a primary key without `NOT ENFORCED`; write PRIMARY KEY (...) NOT ENFORCED
-- mended: CREATE TABLE t (a INT PRIMARY KEY NOT ENFORCED);
SELECT CASE WHEN a THEN 1 ELSE 2 FROM t;
-- says: S001 at FROM: expected `END`, found the reserved word `FROM`
SELECT a FROM t # a comment
;
-- says: S011 at #: "#" means nothing in Flink SQL; a comment begins with `--`
MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE;
-- says: S001 at DELETE: expected `UPDATE`, found the reserved word `DELETE`
SELECT a FROM t LIMIT 5, 10;
-- says: S001 at ,: expected the end of the query, found `,`; write LIMIT 10 OFFSET 5
SELECT a FROM t OFFSET 5 ROWS LIMIT 10;
-- says: S001 at LIMIT: expected the end of the query, found the reserved word `LIMIT`; write LIMIT before OFFSET
SELECT a FROM t MINUS SELECT a FROM u;
-- says: S001 at MINUS: `MINUS` is not an operator of Flink SQL; write EXCEPT
-- mended: SELECT a FROM t EXCEPT SELECT a FROM u;
SELECT CAST(a AS MAP<STRING, INT> NOT NULL) FROM t;
-- says: S001 at NOT NULL: no `NOT NULL` behind the type of a result; leave it out: a value that cannot be null stays so in CAST
-- mended: SELECT CAST(a AS MAP<STRING, INT>) FROM t;
SELECT a FROM ((SELECT a FROM t) UNION ALL (SELECT a FROM u) ORDER BY a LIMIT 3);
-- says: S001 at ORDER: no `ORDER` behind a query that begins with a bracket, where a table stands; take the brackets around the first query away, or write SELECT * FROM (...) around what is in front
WITH x AS ((SELECT a FROM t) LIMIT 3) SELECT a FROM x;
-- says: S001 at LIMIT: no `LIMIT` behind a query that begins with a bracket, where a table stands; take the brackets around the first query away, or write SELECT * FROM (...) around what is in front
CREATE TABLE t (a TIMESTAMP(3), b TIMESTAMP(3), WATERMARK FOR a AS a, WATERMARK FOR b AS b);
-- says: S001 at WATERMARK: a second watermark; keep the watermark of one column; its delay may be an expression of others
ALTER TABLE t ADD (WATERMARK FOR a AS a, WATERMARK FOR b AS b);
-- says: S001 at WATERMARK: a second watermark; keep the watermark of one column; its delay may be an expression of others
