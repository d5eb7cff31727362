CREATE TABLE t (a INT, b STRING,) WITH ('a' = 'b',);
-- says: S006 at ,: a comma with nothing after it; Flink SQL allows no comma after the last item of a list
-- says: S006 at ,: a comma with nothing after it; Flink SQL allows no comma after the last item of a list
-- mended: CREATE TABLE t (a INT, b STRING) WITH ('a' = 'b');
SELECT a, b, FROM t;
-- says: S006 at ,: a comma with nothing after it; Flink SQL allows no comma after the last item of a list
-- mended: SELECT a, b FROM t;
SELECT a FROM t GROUP BY a, HAVING COUNT(*) > 1;
-- says: S006 at ,: a comma with nothing after it; Flink SQL allows no comma after the last item of a list
-- mended: SELECT a FROM t GROUP BY a HAVING COUNT(*) > 1;
SELECT a FROM t ORDER BY a, b,;
-- says: S006 at ,: a comma with nothing after it; Flink SQL allows no comma after the last item of a list
-- mended: SELECT a FROM t ORDER BY a, b;
SELECT f(a, ) FROM t;
-- says: S006 at ,: a comma with nothing after it; Flink SQL allows no comma after the last item of a list
-- mended: SELECT f(a ) FROM t;
SELECT ARRAY[1, 2, ] FROM t;
-- says: S006 at ,: a comma with nothing after it; Flink SQL allows no comma after the last item of a list
-- mended: SELECT ARRAY[1, 2 ] FROM t;
SELECT a FROM t WHERE a IN (1, 2, );
-- says: S006 at ,: a comma with nothing after it; Flink SQL allows no comma after the last item of a list
-- mended: SELECT a FROM t WHERE a IN (1, 2 );
SELECT a FROM t, ;
-- says: S006 at ,: a comma with nothing after it; Flink SQL allows no comma after the last item of a list
-- mended: SELECT a FROM t ;
INSERT INTO t VALUES (1, 2), ;
-- says: S006 at ,: a comma with nothing after it; Flink SQL allows no comma after the last item of a list
-- mended: INSERT INTO t VALUES (1, 2) ;
WITH x AS (SELECT 1), SELECT * FROM x;
-- says: S006 at ,: a comma with nothing after it; Flink SQL allows no comma after the last item of a list
-- mended: WITH x AS (SELECT 1) SELECT * FROM x;
UPDATE t SET a = 1, WHERE b = 2;
-- says: S006 at ,: a comma with nothing after it; Flink SQL allows no comma after the last item of a list
-- mended: UPDATE t SET a = 1 WHERE b = 2;
CREATE CONNECTION c WITH ('type' = 'openai', 'endpoint' = 'x',);
-- says: S006 at ,: a comma with nothing after it; Flink SQL allows no comma after the last item of a list
-- mended: CREATE CONNECTION c WITH ('type' = 'openai', 'endpoint' = 'x');
CREATE TABLE t (a INT b STRING);
-- says: S001 at b: expected `,` or `)`, found `b`
CREATE TABLE t (a INT) WITH ('connector' = 'kafka' 'topic' = 'x');
-- says: S001 at 'topic': expected `,` before 'topic'
-- mended: CREATE TABLE t (a INT) WITH ('connector' = 'kafka', 'topic' = 'x');
INSERT INTO a SELECT * FROM b
INSERT INTO c SELECT * FROM d;
-- says: S007 at INSERT: a statement begins before the one above it has ended; put a `;` between the two statements
-- mended: INSERT INTO a SELECT * FROM b;\nINSERT INTO c SELECT * FROM d;
CREATE TABLE t (a INT)
MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET a = 1;
-- says: S007 at MERGE: a statement begins before the one above it has ended; put a `;` between the two statements
-- mended: CREATE TABLE t (a INT);\nMERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET a = 1;
EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1 INSERT INTO b SELECT 2; END;
-- says: S007 at INSERT: a statement begins before the one above it has ended; put a `;` between the two statements
-- mended: EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END;
EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2;
-- says: S001 at ;: the statement set has no `END`; close it with `END;`; only INSERT can stand in it
CREATE TABLE t (a INT, b STRING
CREATE TABLE u (c INT);
-- says: S001 at STRING: expected `,` or `)`, found the reserved word `CREATE`
INSERT INTO a SELECT x FROM (SELECT y FROM t
INSERT INTO b SELECT 1;
-- says: S001 at t: expected `)`, found the reserved word `INSERT`
SELECT a FROM t；
-- says: S011 at ；: "；" means nothing in Flink SQL; write `;`
-- mended: SELECT a FROM t;
INSERT INTO x SELECT a FROM t WHERE d = ${DAY}
INSERT INTO y SELECT b FROM z;
-- says: S008 at ${DAY}: `${DAY}` is a placeholder that nothing has replaced; write the value itself, or use the placeholder inside of a string in single quotes: only there values of [env.<name>.vars] are put in
-- says: S007 at INSERT: a statement begins before the one above it has ended; put a `;` between the two statements
-- mended: INSERT INTO x SELECT a FROM t WHERE d = ${DAY};\nINSERT INTO y SELECT b FROM z;
INSERT INTO x SELECT a FROM t WHERE a = = 1
  AND b = 2
CREATE TABLE u (c INT);
-- says: S001 at =: expected an expression, found `=`
-- says: S007 at CREATE: a statement begins before the one above it has ended; put a `;` between the two statements
-- mended: INSERT INTO x SELECT a FROM t WHERE a = = 1\n  AND b = 2;\nCREATE TABLE u (c INT);
