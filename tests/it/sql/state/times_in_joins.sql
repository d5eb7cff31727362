-- A join ends its state where two times bound each other: times with a watermark, as they come from their tables.
CREATE TABLE orders (id BIGINT, n INT, status STRING, ordered TIMESTAMP(3), p AS PROCTIME(),
  WATERMARK FOR ordered AS ordered - INTERVAL '5' SECOND) WITH ('connector' = 'kafka', 'format' = 'json');
CREATE TABLE payments (id BIGINT, paid INT, payed TIMESTAMP(3), WATERMARK FOR payed AS payed)
  WITH ('connector' = 'kafka', 'format' = 'json');
CREATE TABLE no_watermark (id BIGINT, paid INT, payed TIMESTAMP(3)) WITH ('connector' = 'kafka', 'format' = 'json');
CREATE TABLE rates (id BIGINT, rate INT, since TIMESTAMP(3), PRIMARY KEY (id) NOT ENFORCED, WATERMARK FOR since AS since)
  WITH ('connector' = 'upsert-kafka');
CREATE VIEW paid_soon AS SELECT o.id, o.ordered, p.payed FROM orders o JOIN payments p ON o.id = p.id AND p.payed BETWEEN o.ordered AND o.ordered + INTERVAL '1' HOUR;
CREATE VIEW renamed AS SELECT id, payed AS t FROM payments;

SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id AND p.payed BETWEEN o.ordered AND o.ordered + INTERVAL '1' HOUR;
--> append; interval join (interval)
SELECT o.id FROM orders o LEFT JOIN renamed r ON o.id = r.id AND r.t > o.ordered AND r.t < o.ordered + INTERVAL '1' HOUR;
--> append; interval join (interval)
-- Times that are equal bound each other.
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id AND o.ordered = p.payed;
--> append; interval join (interval)
SELECT id FROM (SELECT id, ordered AS t FROM orders) o LEFT JOIN renamed r USING (id, t);
--> append; interval join (interval)
-- But not when one is moved: Flink computes it first, and then it is a value like any other.
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id AND p.payed = o.ordered + INTERVAL '1' MINUTE;
--> retract; regular join (ttl)
-- Only one end.
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id AND p.payed > o.ordered;
--> retract; regular join (ttl)
-- Two ends and one more comparison.
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id AND p.payed BETWEEN o.ordered AND o.ordered + INTERVAL '1' HOUR AND o.ordered + INTERVAL '2' HOUR > p.payed;
--> retract; regular join (ttl)
-- Behind OR, NOT, or with ends that may be the other way round.
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id AND (p.payed BETWEEN o.ordered AND o.ordered + INTERVAL '1' HOUR OR p.paid > 3);
--> retract; regular join (ttl)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id AND p.payed NOT BETWEEN o.ordered AND o.ordered + INTERVAL '1' HOUR;
--> retract; regular join (ttl)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id AND p.payed BETWEEN SYMMETRIC o.ordered AND o.ordered + INTERVAL '1' HOUR;
--> retract; regular join (ttl)
-- How far is a column's to say.
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id AND p.payed BETWEEN o.ordered AND o.ordered + o.n * INTERVAL '1' MINUTE;
--> retract; regular join (ttl)
-- One clock is the watermark's, the other the wall's.
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id AND CAST(p.payed AS TIMESTAMP_LTZ(3)) BETWEEN o.p AND o.p + INTERVAL '1' HOUR;
--> retract; regular join (ttl)
-- Without a watermark; cast before; the greatest of some; behind a join of another kind.
SELECT o.id FROM orders o LEFT JOIN no_watermark p ON o.id = p.id AND p.payed BETWEEN o.ordered AND o.ordered + INTERVAL '1' HOUR;
--> retract; regular join (ttl)
SELECT o.id FROM (SELECT id, CAST(ordered AS TIMESTAMP(3)) AS t FROM orders) o LEFT JOIN payments p ON o.id = p.id AND p.payed BETWEEN o.t AND o.t + INTERVAL '1' HOUR;
--> retract; regular join (ttl)
SELECT o.id FROM orders o JOIN (SELECT id, MAX(payed) AS t FROM payments GROUP BY id) p ON o.id = p.id AND p.t BETWEEN o.ordered AND o.ordered + INTERVAL '1' HOUR;
--> retract; regular join (ttl), group aggregate (ttl)
SELECT o.id FROM orders o JOIN no_watermark n ON o.id = n.id LEFT JOIN payments p ON o.id = p.id AND p.payed BETWEEN o.ordered AND o.ordered + INTERVAL '1' HOUR;
--> retract; regular join (ttl)
-- Behind a temporal join the left time is one still, the version's is not.
SELECT o.id FROM orders o JOIN rates FOR SYSTEM_TIME AS OF o.ordered r ON o.id = r.id LEFT JOIN payments p ON o.id = p.id AND p.payed BETWEEN o.ordered AND o.ordered + INTERVAL '1' HOUR;
--> append; temporal join (ttl), interval join (interval)
SELECT o.id FROM orders o JOIN rates FOR SYSTEM_TIME AS OF o.ordered r ON o.id = r.id LEFT JOIN payments p ON o.id = p.id AND p.payed BETWEEN r.since AND r.since + INTERVAL '1' HOUR;
--> retract; temporal join (ttl), regular join (ttl)
-- The time of a match is one, that of a row in it is not.
SELECT m.id FROM orders MATCH_RECOGNIZE (PARTITION BY id ORDER BY ordered MEASURES MATCH_ROWTIME() AS t PATTERN (A) WITHIN INTERVAL '1' HOUR DEFINE A AS A.n > 1) m LEFT JOIN payments p ON m.id = p.id AND p.payed BETWEEN m.t AND m.t + INTERVAL '1' HOUR;
--> append; pattern match (interval), interval join (interval)
SELECT m.id FROM orders MATCH_RECOGNIZE (PARTITION BY id ORDER BY ordered MEASURES A.ordered AS t PATTERN (A) WITHIN INTERVAL '1' HOUR DEFINE A AS A.n > 1) m LEFT JOIN payments p ON m.id = p.id AND p.payed BETWEEN m.t AND m.t + INTERVAL '1' HOUR;
--> retract; pattern match (interval), regular join (ttl)
-- A condition gives the time one value, which Flink puts in its place.
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id AND p.payed BETWEEN o.ordered AND o.ordered + INTERVAL '1' HOUR WHERE o.ordered = TIMESTAMP '2026-01-01 00:00:00';
--> retract; regular join (ttl)
-- A query in a condition is a join of another kind.
SELECT o.id FROM (SELECT * FROM orders WHERE id IN (SELECT id FROM no_watermark)) o LEFT JOIN payments p ON o.id = p.id AND p.payed BETWEEN o.ordered AND o.ordered + INTERVAL '1' HOUR;
--> retract; semi join (ttl), regular join (ttl)
-- NOT turns comparisons around, and may be over both ends.
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id AND NOT (p.payed < o.ordered OR p.payed > o.ordered + INTERVAL '1' HOUR);
--> append; interval join (interval)
SELECT o.id FROM orders o LEFT JOIN payments p ON NOT (o.id <> p.id OR p.payed NOT BETWEEN o.ordered AND o.ordered + INTERVAL '1' HOUR);
--> append; interval join (interval)
SELECT o.id FROM orders o LEFT JOIN payments p ON o.id = p.id AND NOT (p.payed < o.ordered AND p.payed > o.ordered - INTERVAL '1' HOUR);
--> retract; regular join (ttl)
-- A comparison further out becomes one more of the join, and then these are too many.
SELECT o.id FROM orders o JOIN payments p ON o.id = p.id AND p.payed BETWEEN o.ordered AND o.ordered + INTERVAL '1' HOUR JOIN no_watermark n ON n.id = o.id AND p.payed < o.ordered + INTERVAL '5' MINUTE;
--> append; regular join (ttl)
WITH q AS (SELECT o.id, o.ordered, p.payed FROM orders o JOIN payments p ON o.id = p.id AND p.payed BETWEEN o.ordered AND o.ordered + INTERVAL '1' HOUR) SELECT id FROM q WHERE payed < ordered + INTERVAL '5' MINUTE;
--> retract; regular join (ttl)
SELECT id FROM paid_soon WHERE payed < ordered + INTERVAL '5' MINUTE;
--> retract; regular join (ttl)
SELECT id FROM (SELECT id, ordered < payed AS later FROM paid_soon) WHERE later;
--> retract; regular join (ttl)
SELECT id FROM paid_soon WHERE payed < TIMESTAMP '2026-01-01 00:00:00' AND ordered > TIMESTAMP '2025-01-01 00:00:00';
--> append; interval join (interval)
SELECT id FROM (SELECT id, DATE_FORMAT(ordered, 'yyyy-MM-dd') AS d FROM paid_soon) WHERE d = '2026-01-01';
--> append; interval join (interval)
