-- An order is kept for what leaves the whole query only; a limit holds as many rows as it says of those that only come.
CREATE TABLE orders (id BIGINT, n INT, ordered TIMESTAMP(3), p AS PROCTIME(), WATERMARK FOR ordered AS ordered)
  WITH ('connector' = 'kafka', 'format' = 'json');
CREATE TABLE payments (id BIGINT, paid INT, payed TIMESTAMP(3), WATERMARK FOR payed AS payed)
  WITH ('connector' = 'kafka', 'format' = 'json');
CREATE TABLE stock (id BIGINT, n INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'kafka', 'format' = 'debezium-json');
CREATE VIEW sorted AS SELECT id, ordered FROM orders ORDER BY ordered;
CREATE VIEW minutes AS SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ordered), INTERVAL '1' MINUTE));

-- By a time, upwards, each row waits for the watermark; by anything else all rows wait for the last one.
SELECT id, ordered FROM orders ORDER BY ordered;
--> append; sort (watermark)
SELECT id FROM orders ORDER BY ordered, n DESC;
--> append; sort (watermark)
SELECT id FROM orders o ORDER BY o.ordered;
--> append; sort (watermark)
SELECT id, ordered AS t FROM orders ORDER BY 2;
--> append; sort (watermark)
SELECT id, ordered AS t FROM orders UNION ALL SELECT id, payed FROM payments ORDER BY t;
--> append; sort (watermark)
SELECT id, p FROM orders ORDER BY p;
--> append; sort (watermark)
SELECT id FROM orders ORDER BY ordered DESC;
--> append; sort (nothing)
SELECT id FROM orders ORDER BY n, ordered;
--> append; sort (nothing)
SELECT id, n AS ordered FROM orders ORDER BY ordered;
--> append; sort (nothing)
SELECT CAST(ordered AS TIMESTAMP(3)) AS t FROM orders ORDER BY t;
--> append; sort (nothing)
SELECT ordered, COUNT(*) AS c FROM orders GROUP BY ordered ORDER BY ordered;
--> upsert; group aggregate (ttl), sort (nothing)
SELECT window_time, COUNT(*) AS c FROM minutes GROUP BY window_start, window_end, window_time ORDER BY window_time;
--> append; window aggregate (window), sort (watermark)
(SELECT id FROM orders ORDER BY ordered);
--> append; sort (watermark)
-- Flink leaves it out where nobody sees it, and keeps that of a view.
SELECT id FROM (SELECT id, n FROM orders ORDER BY n) WHERE n > 3;
--> append
WITH q AS (SELECT id FROM orders ORDER BY n) SELECT * FROM q;
--> append
(SELECT id FROM orders ORDER BY id) UNION ALL (SELECT id FROM payments);
--> append
SELECT id FROM payments WHERE id IN (SELECT id FROM orders ORDER BY n);
--> append; semi join (ttl)
SELECT window_start, COUNT(*) AS c FROM (SELECT * FROM minutes ORDER BY n) GROUP BY window_start, window_end;
--> append; window aggregate (window)
SELECT id FROM sorted;
--> append; sort (watermark)
-- The first rows of an order are a top-N.
SELECT id, n FROM orders ORDER BY n LIMIT 3;
--> retract; top-N (row count)
SELECT id FROM orders ORDER BY ordered FETCH FIRST 3 ROWS ONLY;
--> retract; top-N (row count)
SELECT id FROM (SELECT id, n FROM orders ORDER BY n LIMIT 3) WHERE n > 3;
--> retract; top-N (row count)
SELECT id FROM orders LIMIT 3;
--> append; limit (row count)
-- Of rows that change all are held, as the next one may have to move up.
SELECT id, COUNT(*) AS c FROM orders GROUP BY id ORDER BY c DESC LIMIT 3;
--> retract; group aggregate (ttl), top-N (ttl)
SELECT id FROM stock ORDER BY n LIMIT 3;
--> retract; top-N (ttl)
SELECT id FROM stock LIMIT 3;
--> upsert; limit (ttl)
SELECT id FROM (SELECT id, n FROM orders ORDER BY n LIMIT 10) LIMIT 3;
--> retract; top-N (row count), limit (ttl)
SELECT window_start, COUNT(*) AS c FROM minutes GROUP BY window_start, window_end ORDER BY c LIMIT 3;
--> retract; window aggregate (window), top-N (row count)
-- An offset alone has no end.
SELECT id FROM orders ORDER BY n OFFSET 3;
--> retract; top-N (ttl)
SELECT id FROM orders OFFSET 3;
--> append; limit (ttl)
SELECT id FROM orders LIMIT ALL;
--> append
-- The order of a query inside says nothing of that of another one.
WITH c AS (SELECT n AS x FROM orders ORDER BY ordered) TABLE c ORDER BY ABS(x);
--> append; sort (nothing)
