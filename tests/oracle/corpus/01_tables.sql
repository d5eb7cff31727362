CREATE TABLE t01 (a INT);
CREATE TABLE IF NOT EXISTS t02 (a INT NOT NULL, b STRING) WITH ('connector' = 'datagen');
CREATE TEMPORARY TABLE t03 (a INT COMMENT 'the key', b VARCHAR(20) COMMENT 'it''s a name') COMMENT 'a table' WITH ('connector' = 'datagen', 'rows-per-second' = '1');
CREATE TABLE `my-catalog`.`db`.`t 04` (`select` INT, `a``b` STRING);
CREATE TABLE t05 (
  a TINYINT, b SMALLINT, c INTEGER, d BIGINT, e FLOAT, f DOUBLE PRECISION, g DECIMAL, h DEC(5), i NUMERIC(10, 3), j BOOLEAN,
  k CHAR, l CHAR(3), m CHARACTER VARYING(10), n VARCHAR, o STRING, p BINARY(4), q VARBINARY(9), r BYTES, s DATE, t TIME(3),
  u TIMESTAMP, v TIMESTAMP(6) WITHOUT TIME ZONE, w TIMESTAMP(3) WITH LOCAL TIME ZONE, x TIMESTAMP_LTZ(9)
);
CREATE TABLE t06 (
  a ARRAY<INT NOT NULL>, b INT ARRAY, c MAP<STRING, ARRAY<ROW<x INT, y STRING NOT NULL>>>, d MULTISET<STRING>,
  e ROW<f0 INT 'first', f1 ROW<g INT>>, f ROW(x INT, y INT), g ROW<>, h STRING MULTISET NOT NULL
);
CREATE TABLE t07 (a INT, b AS a + 1, c AS CONCAT(CAST(a AS STRING), '-', UPPER('x')) COMMENT 'made up', d AS PROCTIME());
CREATE TABLE t08 (
  a INT,
  ts TIMESTAMP(3) METADATA FROM 'timestamp',
  `offset` BIGINT METADATA VIRTUAL,
  headers MAP<STRING, BYTES> METADATA,
  part INT METADATA FROM 'partition' VIRTUAL COMMENT 'where it came from'
) WITH ('connector' = 'kafka');
CREATE TABLE t09 (a INT PRIMARY KEY NOT ENFORCED, b STRING);
CREATE TABLE t10 (a INT, b INT, PRIMARY KEY (a, b) NOT ENFORCED);
CREATE TABLE t11 (a INT, b INT, CONSTRAINT my_key PRIMARY KEY (a) NOT ENFORCED);
CREATE TABLE t12 (data ROW<ts TIMESTAMP(3), v INT>, ts AS data.ts, WATERMARK FOR ts AS ts - INTERVAL '0.001' SECOND);
CREATE TABLE t13 (ms BIGINT, ts AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR ts AS ts - INTERVAL '1' HOUR);
CREATE TABLE t14 (a INT, b STRING) DISTRIBUTED BY HASH(a) INTO 4 BUCKETS WITH ('connector' = 'kafka');
CREATE TABLE t15 (a INT, b STRING) DISTRIBUTED BY (a, b) INTO 6 BUCKETS;
CREATE TABLE t16 (a INT, b STRING) DISTRIBUTED INTO 3 BUCKETS;
CREATE TABLE t17 (a INT, b STRING) DISTRIBUTED BY RANGE(b);
CREATE TABLE t18 (a INT, dt STRING, hr INT) COMMENT 'parts' PARTITIONED BY (dt, hr) WITH ('connector' = 'filesystem', 'path' = 'file:///tmp');
CREATE TABLE t19 LIKE orders;
CREATE TABLE t19_texts (a VARCHAR(3) CHARACTER SET `UTF-16LE` NOT NULL, b ARRAY<CHAR CHARACTER SET latin1>, PRIMARY KEY (a) NOT ENFORCED);
CREATE TABLE t20 WITH ('topic' = 'orders_copy') LIKE orders;
CREATE TABLE t21 (extra STRING) WITH ('topic' = 'x') LIKE orders (INCLUDING ALL EXCLUDING OPTIONS OVERWRITING WATERMARKS);
CREATE TABLE t22 (
  WATERMARK FOR order_time AS order_time - INTERVAL '1' MINUTE
) LIKE default_catalog.default_database.orders (
  EXCLUDING WATERMARKS
  INCLUDING GENERATED
  EXCLUDING METADATA
  INCLUDING CONSTRAINTS
  EXCLUDING PARTITIONS
  EXCLUDING DISTRIBUTION
);
CREATE TABLE t23 AS SELECT order_id, amount FROM orders WHERE status = 'PAID';
CREATE TABLE IF NOT EXISTS t24 WITH ('connector' = 'kafka', 'format' = 'json') AS SELECT customer_id, COUNT(*) AS n FROM orders GROUP BY customer_id;
CREATE TABLE t25 (total, order_id) WITH ('connector' = 'kafka') AS SELECT order_id, SUM(paid) AS total FROM payments GROUP BY order_id;
CREATE TABLE t26 (twice AS customer_id * 2, PRIMARY KEY (customer_id) NOT ENFORCED) DISTRIBUTED BY (customer_id) INTO 2 BUCKETS WITH ('connector' = 'kafka') AS SELECT customer_id, status FROM orders;
CREATE OR REPLACE TABLE t27 WITH ('connector' = 'kafka') AS SELECT * FROM payments;
REPLACE TABLE t27 AS SELECT order_id FROM payments;
CREATE TABLE t28 (a INT, b INTERVAL DAY TO SECOND(3), c INTERVAL YEAR TO MONTH);
CREATE TABLE t29 (a RAW('java.lang.String', 'AAAA'), v VARIANT);
CREATE TABLE t30 (s STRUCTURED<'com.example.User', name STRING, age INT NOT NULL>);
CREATE TABLE t31 (`метка` STRING, größe INT, 数量 BIGINT) WITH ('connector' = 'kafka', 'topic' = '注文');
/* block comment */ CREATE /* inside */ TABLE t32 ( -- after the bracket
  a INT -- the first
  , b INT // the second
);
CREATE TABLE t33 (a INT) WITH ('k' = 'a''b', 'json' = '{"x": [1, 2, "y"]}', 'dollar' = '${env}', 'semi' = 'a;b');
create table t34 (a int not null, b string) with ('connector' = 'kafka');
CREATE TABLE t35 (a INT, b INT UNIQUE NOT ENFORCED);
CREATE TABLE t36 (value_ STRING, `value` STRING, `timestamp` TIMESTAMP(3), `user` STRING, type STRING, name STRING, version INT, data STRING, key STRING, id INT);
CREATE TABLE t37 (a INT, b DOUBLE, c AS CASE WHEN a > 0 THEN b / a ELSE NULL END, d AS COALESCE(b, 0.0), e AS CAST(b AS DECIMAL(10, 2)));
CREATE TABLE t38 (m MAP<STRING, INT>, k AS m['key'], a ARRAY<ROW<x INT>>, x AS a[1].x, r ROW<n ROW<z INT>>, z AS r.n.z);
DROP TABLE t38;
DROP TABLE IF EXISTS default_catalog.default_database.t37;
DROP TEMPORARY TABLE IF EXISTS t03;
CREATE VIEW v01 AS SELECT * FROM orders;
CREATE VIEW IF NOT EXISTS v02 (a, b) COMMENT 'two columns' AS SELECT order_id, amount FROM orders;
CREATE VIEW v03 (a COMMENT 'the id', b) AS SELECT order_id, amount FROM orders;
CREATE TEMPORARY VIEW v04 AS SELECT 1 AS uno;
CREATE VIEW v05 AS SELECT 2 AS two;
CREATE VIEW v06 AS WITH big AS (SELECT * FROM orders WHERE amount > 10) SELECT b.order_id FROM big AS b;
CREATE VIEW v07 AS SELECT * FROM orders UNION ALL SELECT * FROM orders;
CREATE VIEW v08 AS VALUES (1, 'a'), (2, 'b');
CREATE TEMPORARY SYSTEM FUNCTION tsf AS 'com.example.F';
DROP VIEW v08;
DROP VIEW IF EXISTS v07;
DROP TEMPORARY VIEW v04;
