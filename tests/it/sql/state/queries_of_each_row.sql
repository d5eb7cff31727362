-- A query that is asked for each row becomes a join; where it uses the row otherwise than in equalities, the rows change.
CREATE TABLE orders (id BIGINT, n INT, status STRING) WITH ('connector' = 'kafka', 'format' = 'json');
CREATE TABLE payments (id BIGINT, paid INT, how STRING) WITH ('connector' = 'kafka', 'format' = 'json');

SELECT p.id, x.n FROM payments p, LATERAL (SELECT o.n FROM orders o WHERE o.id = p.id AND o.n > 3) AS x;
--> append; regular join (ttl)
SELECT p.id, x.n FROM payments p, LATERAL (SELECT o.n FROM orders o WHERE UPPER(o.status) = p.how) AS x;
--> append; regular join (ttl)
SELECT p.id, x.n FROM payments p, LATERAL (SELECT o.n FROM orders o WHERE o.id = p.id AND o.n > p.paid) AS x;
--> retract; regular join (ttl)
SELECT p.id, x.n FROM payments p, LATERAL (SELECT o.n FROM orders o WHERE o.status = UPPER(p.how)) AS x;
--> retract; regular join (ttl)
SELECT p.id, x.n FROM payments p, LATERAL (SELECT o.n + p.paid AS n FROM orders o WHERE o.id = p.id) AS x;
--> retract; regular join (ttl)
SELECT id FROM payments p WHERE EXISTS (SELECT 1 FROM orders o WHERE o.id = p.id AND o.n > p.paid);
--> append; semi join (ttl)
SELECT id FROM payments p WHERE p.paid IN (SELECT o.n + p.paid FROM orders o);
--> retract; semi join (ttl)
SELECT id FROM payments p WHERE EXISTS (SELECT 1 FROM orders o WHERE EXISTS (SELECT 1 FROM orders x WHERE x.id = p.id AND x.n > o.n));
--> retract; semi join (ttl)
-- Without a condition on the row the rows of EXISTS are counted.
SELECT id FROM payments p WHERE EXISTS (SELECT 1 FROM orders o WHERE o.n > 3);
--> retract; semi join (ttl)
-- UNNEST of a column is a function of each row; of anything else it is a join.
SELECT id, x FROM payments CROSS JOIN UNNEST(ARRAY[paid, 1]) AS u (x);
--> append
SELECT id, x FROM payments CROSS JOIN UNNEST(ARRAY[1, 2]) AS u (x);
--> append; regular join (ttl)
SELECT id, x FROM payments LEFT JOIN UNNEST(ARRAY[1, 2]) AS u (x) ON TRUE;
--> retract; regular join (ttl)
