-- Whether a function is an aggregate only Flink's catalogue knows: where one may be, it is said.
CREATE TABLE orders (id BIGINT, n INT, status STRING, ordered TIMESTAMP(3), WATERMARK FOR ordered AS ordered)
  WITH ('connector' = 'kafka', 'format' = 'json');
CREATE VIEW counted AS SELECT their_count(n) AS c FROM orders;

SELECT their_count(n) FROM orders;
--> append; if their_count is no aggregate
SELECT UPPER(CAST(db.their_count(n) AS STRING)), their_other(id), 1 FROM orders;
--> append; if db.their_count is no aggregate; if their_other is no aggregate
SELECT c FROM counted;
--> append; if their_count in counted is no aggregate
-- Flink's own functions are known.
SELECT UPPER(status), MD5(status) FROM orders;
--> append
SELECT COUNT(*) FROM orders;
--> upsert; group aggregate (ttl)
-- An aggregate would allow no column beside it, and no star.
SELECT id, their_count(n) FROM orders;
--> append
SELECT their_count(n) + n FROM orders;
--> append
SELECT *, their_count(n) FROM orders;
--> append
-- A window of rows, a grouping, a condition, a function of a table: there it is known what is done.
SELECT their_count(n) OVER (PARTITION BY id ORDER BY ordered) FROM orders;
--> append; over aggregate (ttl)
SELECT their_count(n) FROM orders GROUP BY id;
--> retract; group aggregate (ttl)
SELECT id FROM orders WHERE their_function(n) > 1;
--> append
SELECT x FROM orders, LATERAL TABLE(their_function(n)) AS t (x);
--> append
-- Only an aggregate is written with DISTINCT or FILTER.
SELECT their_count(DISTINCT n) FROM orders;
--> upsert; group aggregate (ttl)
SELECT their_count(n) FILTER (WHERE id > 1) FROM orders;
--> upsert; group aggregate (ttl)
-- HAVING alone makes one group of all rows.
SELECT 1 AS k FROM orders HAVING their_count(n) > 1;
--> upsert; group aggregate (ttl)
-- In a query inside of another.
SELECT id FROM orders WHERE n > (SELECT their_count(o.n) FROM orders o);
--> retract; scalar subquery (ttl); if their_count is no aggregate
SELECT c FROM (SELECT their_count(n) AS c FROM orders) WHERE c > 1;
--> append; if their_count is no aggregate
