-- State ends with the window where both ends of the window are grouped, joined or ranked by, whatever they are called.
CREATE TABLE orders (id BIGINT, n INT, ordered TIMESTAMP(3), p AS PROCTIME(), WATERMARK FOR ordered AS ordered)
  WITH ('connector' = 'kafka', 'format' = 'json');
CREATE TABLE payments (id BIGINT, paid INT, payed TIMESTAMP(3), WATERMARK FOR payed AS payed)
  WITH ('connector' = 'kafka', 'format' = 'json');
CREATE TABLE clicks (id BIGINT, clicked TIMESTAMP_LTZ(3), WATERMARK FOR clicked AS clicked) WITH ('connector' = 'kafka', 'format' = 'json');
CREATE TABLE sure (id BIGINT, t TIMESTAMP(3) NOT NULL, WATERMARK FOR t AS t) WITH ('connector' = 'kafka', 'format' = 'json');
CREATE TABLE others (id BIGINT, n INT) WITH ('connector' = 'kafka', 'format' = 'json');
CREATE TABLE products (id BIGINT, title STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'jdbc');
CREATE VIEW minutes AS SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ordered), INTERVAL '1' MINUTE));
CREATE VIEW paid_minutes AS SELECT * FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(payed), INTERVAL '1' MINUTES));
CREATE VIEW paid_hours AS SELECT * FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(payed), INTERVAL '1' HOUR));
CREATE VIEW sessions AS SELECT * FROM TABLE(SESSION(TABLE orders, DESCRIPTOR(ordered), INTERVAL '30' MINUTE));
CREATE VIEW own_sessions AS SELECT * FROM TABLE(SESSION(TABLE orders PARTITION BY id, DESCRIPTOR(ordered), INTERVAL '30' MINUTE));
CREATE VIEW counted AS SELECT window_start, window_end, COUNT(*) AS c FROM minutes GROUP BY window_start, window_end;

SELECT window_start, COUNT(*) AS c FROM minutes GROUP BY window_start, window_end;
--> append; window aggregate (window)
SELECT ws, COUNT(*) AS c FROM (SELECT window_start AS ws, window_end AS we FROM minutes) GROUP BY ws, we;
--> append; window aggregate (window)
-- Only called so.
SELECT id, COUNT(*) AS c FROM (SELECT id, ordered AS window_start, ordered AS window_end FROM orders) GROUP BY id, window_start, window_end;
--> retract; group aggregate (ttl)
-- One end is not enough, nor are both in some of the sets.
SELECT window_start, COUNT(*) AS c FROM minutes GROUP BY window_start;
--> upsert; group aggregate (ttl)
SELECT window_start, id, COUNT(*) AS c FROM minutes GROUP BY ROLLUP (window_start, window_end, id);
--> retract; group aggregate (ttl)
SELECT window_start, id, COUNT(*) AS c FROM minutes GROUP BY window_start, window_end, ROLLUP (id);
--> append; window aggregate (window)
-- A condition gives an end one value, which Flink puts in its place, down to the grouping.
SELECT window_start, COUNT(*) AS c FROM minutes WHERE window_start = TIMESTAMP '2026-01-01 00:00:00' GROUP BY window_start, window_end;
--> retract; group aggregate (ttl)
SELECT * FROM (SELECT window_start, window_end, COUNT(*) AS c FROM minutes GROUP BY window_start, window_end) WHERE window_start = TIMESTAMP '2026-01-01 00:00:00';
--> retract; group aggregate (ttl)
SELECT * FROM counted WHERE window_start = TIMESTAMP '2026-01-01 00:00:00';
--> retract; group aggregate (ttl)
WITH q AS (SELECT window_start, window_end, COUNT(*) AS c FROM minutes GROUP BY window_start, window_end) SELECT * FROM q WHERE window_start = TIMESTAMP '2026-01-01 00:00:00';
--> retract; group aggregate (ttl)
SELECT * FROM counted WHERE c = 3;
--> append; window aggregate (window)
-- The window ends with a join that is none of windows, a lookup, a function over rows, a limit.
SELECT m.window_start, COUNT(*) AS c FROM minutes m JOIN others x ON m.id = x.id GROUP BY m.window_start, m.window_end;
--> retract; regular join (ttl), group aggregate (ttl)
SELECT m.window_start, COUNT(*) AS c FROM minutes m JOIN payments p ON m.id = p.id AND p.payed BETWEEN m.ordered AND m.ordered + INTERVAL '1' HOUR GROUP BY m.window_start, m.window_end;
--> retract; interval join (interval), group aggregate (ttl)
SELECT m.window_start, COUNT(*) AS c FROM minutes m JOIN products FOR SYSTEM_TIME AS OF m.p x ON m.id = x.id GROUP BY m.window_start, m.window_end;
--> retract; group aggregate (ttl)
SELECT m.window_start, COUNT(*) AS c FROM minutes m WHERE m.id IN (SELECT id FROM others) GROUP BY m.window_start, m.window_end;
--> retract; semi join (ttl), group aggregate (ttl)
SELECT window_start, MAX(c) AS c FROM (SELECT window_start, window_end, COUNT(*) OVER (PARTITION BY id ORDER BY ordered) AS c FROM minutes) GROUP BY window_start, window_end;
--> retract; over aggregate (ttl), group aggregate (ttl)
SELECT window_start, COUNT(*) AS c FROM (SELECT * FROM minutes LIMIT 10) GROUP BY window_start, window_end;
--> retract; limit (row count), group aggregate (ttl)
-- It goes on behind a union of windows that are put alike.
SELECT window_start, COUNT(*) AS c FROM (SELECT window_start, window_end FROM minutes UNION ALL SELECT window_start, window_end FROM paid_minutes) GROUP BY window_start, window_end;
--> append; window aggregate (window)
SELECT window_start, COUNT(*) AS c FROM (SELECT window_start, window_end FROM minutes UNION ALL SELECT window_start, window_end FROM paid_hours) GROUP BY window_start, window_end;
--> retract; group aggregate (ttl)
-- Distinct rows.
SELECT DISTINCT window_start AS ws, window_end AS we, id FROM minutes;
--> append; window aggregate (window)
SELECT DISTINCT window_start, id FROM minutes;
--> upsert; distinct (ttl)
-- Joins of equal windows, of windows put otherwise, of columns called so.
SELECT m.id FROM minutes m LEFT JOIN paid_minutes p ON m.id = p.id AND m.window_start = p.window_start AND m.window_end = p.window_end;
--> append; window join (window)
SELECT id FROM (SELECT id, window_start AS s, window_end AS e FROM minutes) m LEFT JOIN (SELECT id, window_start AS s, window_end AS e FROM paid_minutes) p USING (id, s, e);
--> append; window join (window)
SELECT m.id FROM minutes m LEFT JOIN paid_hours p ON m.id = p.id AND m.window_start = p.window_start AND m.window_end = p.window_end;
--> retract; regular join (ttl)
SELECT m.id FROM minutes m LEFT JOIN (SELECT id, payed AS window_start, payed AS window_end FROM payments) p ON m.id = p.id AND m.window_start = p.window_start AND m.window_end = p.window_end;
--> retract; regular join (ttl)
SELECT m.id FROM minutes m LEFT JOIN paid_minutes p ON m.id = p.id AND m.window_start = p.window_start;
--> retract; regular join (ttl)
-- A query in a condition may be one.
SELECT id FROM minutes m WHERE NOT EXISTS (SELECT 1 FROM paid_minutes p WHERE p.id = m.id AND p.window_start = m.window_start AND p.window_end = m.window_end);
--> append; window join (window)
SELECT id FROM minutes m WHERE id IN (SELECT id FROM paid_minutes p WHERE p.window_start = m.window_start);
--> append; semi join (ttl)
-- The first few rows of each window.
SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY ws, we ORDER BY n DESC) AS r FROM (SELECT id, n, window_start AS ws, window_end AS we FROM minutes)) WHERE r <= 3;
--> append; window top-N (window)
SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, id ORDER BY ordered) AS r FROM minutes) WHERE r = 1;
--> append; window deduplication (window)
SELECT id FROM minutes QUALIFY ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY n) <= 3;
--> append; window top-N (window)
SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY n DESC) AS r FROM (SELECT id, n, ordered AS window_start, ordered AS window_end FROM orders)) WHERE r <= 3;
--> retract; top-N (ttl)
-- Only the time of the window is a time behind a grouping.
SELECT m.c FROM (SELECT window_time AS t, COUNT(*) AS c FROM minutes GROUP BY window_start, window_end, window_time) m LEFT JOIN payments p ON p.payed BETWEEN m.t AND m.t + INTERVAL '1' HOUR;
--> append; window aggregate (window), interval join (interval)
SELECT m.c FROM (SELECT ordered AS t, COUNT(*) AS c FROM minutes GROUP BY window_start, window_end, ordered) m LEFT JOIN payments p ON p.payed BETWEEN m.t AND m.t + INTERVAL '1' HOUR;
--> retract; window aggregate (window), regular join (ttl)
-- Windows are put alike however their lengths are written, and whether the arguments are named or not.
SELECT m.id FROM minutes m LEFT JOIN TABLE(TUMBLE(TABLE payments, DESCRIPTOR(payed), INTERVAL '60' SECOND)) p ON m.id = p.id AND m.window_start = p.window_start AND m.window_end = p.window_end;
--> append; window join (window)
SELECT m.id FROM minutes m LEFT JOIN TABLE(TUMBLE(TABLE payments, DESCRIPTOR(payed), INTERVAL '00:01' HOUR TO MINUTE)) p ON m.id = p.id AND m.window_start = p.window_start AND m.window_end = p.window_end;
--> append; window join (window)
SELECT m.id FROM minutes m LEFT JOIN TABLE(TUMBLE(DATA => TABLE payments, TIMECOL => DESCRIPTOR(payed), SIZE => INTERVAL '60.000' SECOND(3))) p ON m.id = p.id AND m.window_start = p.window_start AND m.window_end = p.window_end;
--> append; window join (window)
SELECT h.id FROM TABLE(HOP(TABLE orders, DESCRIPTOR(ordered), INTERVAL '1' MINUTE, INTERVAL '1' HOUR)) h LEFT JOIN TABLE(HOP(DATA => TABLE payments, TIMECOL => DESCRIPTOR(payed), SIZE => INTERVAL '60' MINUTES, SLIDE => INTERVAL '60' SECONDS)) p ON h.id = p.id AND h.window_start = p.window_start AND h.window_end = p.window_end;
--> append; window join (window)
SELECT c.id FROM TABLE(CUMULATE(TABLE orders, DESCRIPTOR(ordered), INTERVAL '1' HOUR, INTERVAL '1' DAY)) c LEFT JOIN TABLE(CUMULATE(TABLE payments, DESCRIPTOR(payed), INTERVAL '60' MINUTE, INTERVAL '24' HOUR)) p ON c.id = p.id AND c.window_start = p.window_start AND c.window_end = p.window_end;
--> append; window join (window)
SELECT m.id FROM minutes m LEFT JOIN paid_minutes p ON NOT (m.id <> p.id OR m.window_start <> p.window_start OR m.window_end <> p.window_end);
--> append; window join (window)
-- Others are not: by an offset, even of nothing; in weeks, which Flink takes for something else; of another type of time.
SELECT m.id FROM minutes m LEFT JOIN TABLE(TUMBLE(TABLE payments, DESCRIPTOR(payed), INTERVAL '1' MINUTE, INTERVAL '0' SECOND)) p ON m.id = p.id AND m.window_start = p.window_start AND m.window_end = p.window_end;
--> retract; regular join (ttl)
SELECT a.id FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ordered), INTERVAL '7' DAY)) a LEFT JOIN TABLE(TUMBLE(TABLE payments, DESCRIPTOR(payed), INTERVAL '1' WEEK)) p ON a.id = p.id AND a.window_start = p.window_start AND a.window_end = p.window_end;
--> retract; regular join (ttl)
SELECT m.id FROM minutes m LEFT JOIN TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(clicked), INTERVAL '1' MINUTE)) c ON m.id = c.id AND m.window_start = c.window_start AND m.window_end = c.window_end;
--> retract; regular join (ttl)
SELECT m.id FROM minutes m LEFT JOIN TABLE(TUMBLE(TABLE sure, DESCRIPTOR(t), INTERVAL '1' MINUTE)) c ON m.id = c.id AND m.window_start = c.window_start AND m.window_end = c.window_end;
--> retract; regular join (ttl)
SELECT window_start, COUNT(*) AS c FROM (SELECT window_start, window_end FROM minutes UNION ALL SELECT window_start, window_end FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(clicked), INTERVAL '60' SECOND))) GROUP BY window_start, window_end;
--> append; window aggregate (window)
-- A session ends for what is grouped by exactly what it is kept apart by.
SELECT COUNT(*) AS c FROM sessions GROUP BY window_start, window_end;
--> append; window aggregate (window), session window (window)
SELECT id, COUNT(*) AS c FROM sessions GROUP BY window_start, window_end, id;
--> retract; group aggregate (ttl), session window (window)
SELECT id, COUNT(*) AS c FROM own_sessions GROUP BY window_start, window_end, id;
--> append; window aggregate (window), session window (window)
SELECT i, COUNT(*) AS c FROM (SELECT id AS i, window_start AS s, window_end AS e FROM own_sessions) GROUP BY s, e, i;
--> append; window aggregate (window), session window (window)
SELECT COUNT(*) AS c FROM own_sessions GROUP BY window_start, window_end;
--> retract; group aggregate (ttl), session window (window)
SELECT id, n, COUNT(*) AS c FROM own_sessions GROUP BY window_start, window_end, id, n;
--> retract; group aggregate (ttl), session window (window)
SELECT id, COUNT(*) AS c FROM own_sessions GROUP BY window_start, window_end, ROLLUP (id);
--> retract; group aggregate (ttl), session window (window)
SELECT SUM(c) AS c FROM (SELECT window_start, window_end, id, COUNT(*) AS c FROM own_sessions GROUP BY window_start, window_end, id) GROUP BY window_start, window_end;
--> retract; window aggregate (window), group aggregate (ttl), session window (window)
SELECT DISTINCT window_start, window_end, id FROM own_sessions;
--> append; window aggregate (window), session window (window)
SELECT DISTINCT window_start, window_end FROM own_sessions;
--> upsert; distinct (ttl), session window (window)
SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, id ORDER BY n) AS r FROM own_sessions) WHERE r <= 3;
--> append; window top-N (window), session window (window)
SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY n) AS r FROM own_sessions) WHERE r <= 3;
--> retract; top-N (ttl), session window (window)
SELECT a.id FROM sessions a LEFT JOIN TABLE(SESSION(TABLE payments, DESCRIPTOR(payed), INTERVAL '30' MINUTE)) b ON a.id = b.id AND a.window_start = b.window_start AND a.window_end = b.window_end;
--> append; window join (window), session window (window)
SELECT a.id FROM own_sessions a LEFT JOIN own_sessions b ON a.id = b.id AND a.window_start = b.window_start AND a.window_end = b.window_end;
--> retract; regular join (ttl), session window (window)
