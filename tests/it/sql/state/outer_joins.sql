-- A condition that leaves out the rows without their other side makes an outer join an inner one.
CREATE TABLE orders (id BIGINT, n INT, ordered TIMESTAMP(3), tags ARRAY<STRING>, WATERMARK FOR ordered AS ordered)
  WITH ('connector' = 'kafka', 'format' = 'json');
CREATE TABLE payments (id BIGINT, paid INT, how STRING, payed TIMESTAMP(3), WATERMARK FOR payed AS payed)
  WITH ('connector' = 'kafka', 'format' = 'json');
CREATE TABLE sent (id BIGINT, weight INT, sent TIMESTAMP(3), WATERMARK FOR sent AS sent) WITH ('connector' = 'kafka', 'format' = 'json');
CREATE TABLE rates (id BIGINT, rate INT, since TIMESTAMP(3), WATERMARK FOR since AS since, PRIMARY KEY (id) NOT ENFORCED)
  WITH ('connector' = 'kafka', 'format' = 'debezium-json');
CREATE VIEW minutes AS SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ordered), INTERVAL '1' MINUTE));
CREATE VIEW paid_minutes AS SELECT * FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(payed), INTERVAL '1' MINUTE));

-- Comparisons of columns that may be NULL.
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id WHERE p.paid > 3;
--> append; regular join (ttl)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id WHERE 3 < p.paid + 1;
--> append; regular join (ttl)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id WHERE NOT (p.paid <= 3 OR o.n = 1);
--> append; regular join (ttl)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id WHERE p.paid IS NOT NULL;
--> append; regular join (ttl)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id WHERE p.paid = o.n;
--> append; regular join (ttl)
SELECT o.id FROM orders o LEFT JOIN payments p USING (id) WHERE p.paid > 3;
--> append; regular join (ttl)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id LEFT JOIN sent s ON s.id = o.id WHERE p.paid > 3 AND s.weight > 3;
--> append; regular join (ttl)
-- The other side, and both.
SELECT o.id FROM orders o RIGHT JOIN payments p ON o.id = p.id WHERE o.n > 3;
--> append; regular join (ttl)
SELECT o.id FROM orders o FULL JOIN payments p ON o.id = p.id WHERE o.n > 3 AND p.paid > 3;
--> append; regular join (ttl)
SELECT o.id FROM orders o RIGHT JOIN payments p ON o.id = p.id WHERE p.paid > 3;
--> retract; regular join (ttl)
SELECT o.id FROM orders o FULL JOIN payments p ON o.id = p.id WHERE p.paid > 3;
--> retract; regular join (ttl)
-- Times and windows, which are compared as in an inner join then.
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id WHERE p.payed BETWEEN o.ordered AND o.ordered + INTERVAL '1' HOUR;
--> append; interval join (interval)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id AND p.payed >= o.ordered WHERE p.payed < o.ordered + INTERVAL '1' HOUR;
--> append; interval join (interval)
SELECT m.id FROM minutes m LEFT JOIN paid_minutes p ON m.id = p.id WHERE m.window_start = p.window_start AND m.window_end = p.window_end;
--> append; window join (window)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id AND p.payed BETWEEN o.ordered AND o.ordered + INTERVAL '1' HOUR WHERE p.payed > o.ordered + INTERVAL '1' MINUTE;
--> append; regular join (ttl)
-- NULL may pass, or Flink does not see that it may not: in ranges and lists, in functions, in what one side is enough for.
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id WHERE p.paid IS NULL;
--> retract; regular join (ttl)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id WHERE o.n > 3;
--> retract; regular join (ttl)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id WHERE p.paid > 3 OR o.n > 3;
--> retract; regular join (ttl)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id WHERE COALESCE(p.paid, 4) > 3;
--> retract; regular join (ttl)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id WHERE p.paid BETWEEN 1 AND 3;
--> retract; regular join (ttl)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id WHERE p.paid > 1 AND p.paid < 3;
--> retract; regular join (ttl)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id WHERE p.how IN ('card', 'cash');
--> retract; regular join (ttl)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id WHERE UPPER(p.how) = 'CARD';
--> retract; regular join (ttl)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id WHERE p.paid > (SELECT MAX(weight) FROM sent);
--> retract; regular join (ttl), scalar subquery (ttl), group aggregate (ttl)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id LEFT JOIN sent s ON s.id = o.id WHERE p.paid > s.weight;
--> retract; regular join (ttl)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id JOIN sent s ON s.id = p.id;
--> retract; regular join (ttl)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id JOIN rates FOR SYSTEM_TIME AS OF o.ordered r ON r.id = o.id WHERE p.paid > 3;
--> retract; regular join (ttl), temporal join (ttl)
