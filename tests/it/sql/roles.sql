-- Every role that a table can have in a statement. After `role:` comes the role, then a statement in which «» stand around
-- each identifier that is the table `orders`; whatever else is called so is none.

-- role: CREATE TABLE
CREATE TABLE «orders» (id BIGINT, orders STRING COMMENT 'orders') WITH ('topic' = 'orders');

-- role: CREATE TABLE
CREATE TEMPORARY TABLE IF NOT EXISTS cat.db.«`orders`» (id BIGINT) WITH ('connector' = 'kafka');

-- role: LIKE of a definition
CREATE TABLE other (extra INT) WITH ('k' = 'v') LIKE db.«orders» (EXCLUDING OPTIONS);

-- role: CREATE TABLE AS
CREATE TABLE «orders» WITH ('k' = 'v') AS SELECT id FROM s;

-- role: CREATE TABLE AS, read
CREATE TABLE other WITH ('k' = 'v') AS SELECT «orders».id FROM «orders»;

-- role: REPLACE TABLE AS
CREATE OR REPLACE TABLE «orders» WITH ('k' = 'v') AS SELECT id FROM s;

-- role: REPLACE TABLE AS
REPLACE TABLE «orders» WITH ('k' = 'v') AS SELECT id FROM «orders»;

-- role: CREATE VIEW
CREATE VIEW «orders» (orders) AS SELECT id FROM s;

-- role: a view's query
CREATE TEMPORARY VIEW IF NOT EXISTS v AS SELECT o.orders FROM «orders» AS o;

-- role: CREATE MATERIALIZED TABLE
CREATE MATERIALIZED TABLE «orders» FRESHNESS = INTERVAL '3' MINUTE AS SELECT id FROM s;

-- role: a materialized table's query
CREATE MATERIALIZED TABLE m FRESHNESS = INTERVAL '3' MINUTE AS SELECT «orders».id FROM «orders»;

-- role: CREATE MODEL AS
CREATE MODEL orders WITH ('task' = 'classification') AS SELECT id FROM «orders»;

-- role: ALTER TABLE
ALTER TABLE «orders» ADD orders STRING AFTER id;

-- role: ALTER TABLE
ALTER TABLE IF EXISTS db.«orders» SET ('topic' = 'orders');

-- role: ALTER TABLE
ALTER TABLE «orders» RENAME orders TO order_ids;

-- role: RENAME TO
ALTER TABLE s RENAME TO «orders»;

-- role: RENAME TO
ALTER TABLE «orders» RENAME TO old_orders;

-- role: ALTER VIEW
ALTER VIEW «orders» AS SELECT id FROM s;

-- role: ALTER VIEW
ALTER VIEW v RENAME TO «orders»;

-- role: ALTER VIEW
ALTER VIEW v AS SELECT id FROM «orders»;

-- role: ALTER MATERIALIZED TABLE
ALTER MATERIALIZED TABLE «orders» SUSPEND;

-- role: ALTER MATERIALIZED TABLE
ALTER MATERIALIZED TABLE «orders» REFRESH PARTITION (ds = '2026-01-01');

-- role: ALTER MATERIALIZED TABLE
ALTER MATERIALIZED TABLE m AS SELECT id FROM «orders»;

-- role: DROP
DROP TABLE «orders»;

-- role: DROP
DROP TEMPORARY VIEW IF EXISTS cat.db.«orders»;

-- role: DROP
DROP MATERIALIZED TABLE IF EXISTS «orders»;

-- role: DESCRIBE
DESCRIBE «orders»;

-- role: DESCRIBE
DESC EXTENDED db.«orders»;

-- role: SHOW CREATE
SHOW CREATE TABLE «orders»;

-- role: SHOW CREATE
SHOW CREATE VIEW db.«orders»;

-- role: SHOW CREATE
SHOW CREATE MATERIALIZED TABLE «orders»;

-- role: SHOW COLUMNS, SHOW PARTITIONS
SHOW COLUMNS FROM «orders» LIKE 'orders';

-- role: SHOW COLUMNS, SHOW PARTITIONS
SHOW PARTITIONS «orders» PARTITION (orders = 1);

-- role: ANALYZE TABLE
ANALYZE TABLE «orders» PARTITION (ds, hr) COMPUTE STATISTICS FOR COLUMNS orders, id;

-- role: TRUNCATE TABLE
TRUNCATE TABLE db.«orders»;

-- role: INSERT INTO
INSERT INTO «orders» SELECT id FROM s;

-- role: INSERT INTO
INSERT INTO cat.db.«orders» (id, orders) VALUES (1, 'orders');

-- role: INSERT INTO
INSERT INTO «orders» /*+ OPTIONS('sink.topic' = 'orders') */ SELECT orders FROM s;

-- role: INSERT OVERWRITE
INSERT OVERWRITE «orders» SELECT id FROM s;

-- role: INSERT with PARTITION
INSERT INTO «orders» PARTITION (ds = '2026-01-01', orders = 1) (id) SELECT id FROM s;

-- role: INSERT that reads its target
INSERT INTO «orders» SELECT «orders».id FROM «orders» WHERE «orders».orders > 1;

-- role: UPDATE
UPDATE «orders» SET orders = id + 1 WHERE «orders».id = 3 AND orders < 5;

-- role: DELETE
DELETE FROM «orders» WHERE «orders».id IN (SELECT id FROM s WHERE s.id = «orders».id);

-- role: MERGE
MERGE INTO «orders» USING s ON «orders».id = s.id WHEN MATCHED THEN UPDATE SET orders = s.x WHEN NOT MATCHED THEN INSERT (id, orders) VALUES (s.id, 1);

-- role: MERGE
MERGE INTO t AS orders USING «orders» AS o ON orders.id = o.id WHEN MATCHED THEN UPDATE SET x = o.orders;

-- role: MERGE
MERGE INTO t USING «orders» ON t.id = «orders».id WHEN MATCHED THEN UPDATE SET x = «orders».x;

-- role: statement sets
EXECUTE STATEMENT SET BEGIN
INSERT INTO «orders» SELECT id FROM s;
INSERT INTO other SELECT id FROM «orders»;
END;

-- role: EXPLAIN
EXPLAIN PLAN FOR SELECT id FROM «orders»;

-- role: EXPLAIN
EXPLAIN ESTIMATED_COST, CHANGELOG_MODE INSERT INTO «orders» SELECT id FROM s;

-- role: EXPLAIN
EXPLAIN STATEMENT SET BEGIN INSERT INTO a SELECT id FROM «orders»; INSERT INTO «orders» SELECT id FROM b; END;

-- role: EXECUTE
EXECUTE SELECT id FROM «orders»;

-- role: EXECUTE
EXECUTE INSERT INTO «orders» SELECT id FROM s;

-- role: COMPILE PLAN
COMPILE PLAN '/orders' IF NOT EXISTS FOR INSERT INTO «orders» SELECT id FROM s;

-- role: COMPILE PLAN
COMPILE AND EXECUTE PLAN '/orders' FOR STATEMENT SET BEGIN INSERT INTO a SELECT id FROM «orders»; END;

-- role: FROM
SELECT id, orders FROM «orders»;

-- role: FROM
SELECT id FROM cat.db.«orders» WHERE cat.db.«orders».id > 1 AND db.«orders».id < 9 AND «orders».orders = 3;

-- role: FROM
SELECT id FROM `cat`.`db`.«`orders`» AS `orders` WHERE `orders`.id = 1;

-- role: FROM with an alias
SELECT orders.id FROM «orders» AS orders;

-- role: FROM with an alias
SELECT o.id, s.id FROM «orders» o, s AS orders WHERE orders.id = o.id;

-- role: FROM in brackets
SELECT id FROM («orders» JOIN s ON «orders».id = s.id);

-- role: TABLE
TABLE «orders»;

-- role: TABLE
SELECT id FROM s UNION ALL TABLE «orders»;

-- role: a qualified star
SELECT «orders».*, s.id FROM «orders», s;

-- role: a qualified star
SELECT db.«orders».* FROM db.«orders»;

-- role: a field of a column
SELECT «orders».orders.orders, «orders».orders FROM «orders»;

-- role: TABLESAMPLE
SELECT id FROM «orders» TABLESAMPLE BERNOULLI (10);

-- role: an inner join
SELECT s.id FROM s JOIN «orders» ON s.id = «orders».id;

-- role: an inner join
SELECT s.id FROM s INNER JOIN «orders» USING (id);

-- role: an outer join
SELECT s.id FROM s LEFT JOIN «orders» ON s.id = «orders».id AND «orders».ts BETWEEN s.ts - INTERVAL '1' HOUR AND s.ts;

-- role: an outer join
SELECT s.id FROM s RIGHT OUTER JOIN «orders» ON s.id = «orders».id FULL JOIN r ON r.id = «orders».id;

-- role: a cross join
SELECT s.id, «orders».id FROM s CROSS JOIN «orders» CROSS JOIN r;

-- role: a natural join
SELECT «orders».id FROM s NATURAL LEFT JOIN «orders»;

-- role: a self-join
SELECT «orders».id, b.id FROM «orders» JOIN «orders» AS b ON «orders».id = b.parent;

-- role: a join with a table function
SELECT «orders».id, t.x FROM «orders» CROSS JOIN UNNEST(«orders».items) AS t (x);

-- role: a join with a table function
SELECT «orders».id, t.x FROM «orders» LEFT JOIN LATERAL TABLE(split(«orders».line)) AS t (x) ON TRUE;

-- role: a lateral query
SELECT «orders».id, t.m FROM «orders», LATERAL (SELECT MAX(s.x) AS m FROM s WHERE s.id = «orders».id) AS t;

-- role: a temporal join
SELECT s.id, «orders».x FROM s JOIN «orders» FOR SYSTEM_TIME AS OF s.ts ON s.id = «orders».id;

-- role: a lookup join
SELECT s.id FROM s LEFT JOIN «orders» /*+ OPTIONS('k' = 'orders') */ FOR SYSTEM_TIME AS OF s.pt AS o ON s.id = o.id;

-- role: the left side of a lookup join
SELECT «orders».id FROM «orders» JOIN dim FOR SYSTEM_TIME AS OF «orders».pt ON dim.id = «orders».id;

-- role: WHERE, GROUP BY, HAVING, ORDER BY
SELECT «orders».id, COUNT(*) AS orders FROM «orders» WHERE «orders».x > 1 GROUP BY «orders».id HAVING MAX(«orders».x) > 2 ORDER BY «orders».id, orders;

-- role: grouping sets
SELECT «orders».a, «orders».b, SUM(x) FROM «orders» GROUP BY GROUPING SETS ((«orders».a), ROLLUP («orders».a, «orders».b), ());

-- role: OVER
SELECT SUM(«orders».x) OVER w, ROW_NUMBER() OVER (PARTITION BY «orders».id ORDER BY «orders».ts DESC) FROM «orders» WINDOW w AS (PARTITION BY «orders».id ORDER BY «orders».ts);

-- role: expressions
SELECT CASE WHEN «orders».a IS NULL THEN CAST(«orders».b AS INT) ELSE COALESCE(«orders».c, 1) END, ROW(«orders».a, 1), ARRAY[«orders».a][1], MAP['orders', «orders».a]['orders'], «orders».a NOT BETWEEN «orders».b AND 5, SUM(«orders».a) FILTER (WHERE «orders».b > 1) FROM «orders» GROUP BY «orders».a, «orders».b, «orders».c;

-- role: a scalar subquery
SELECT s.id, (SELECT MAX(«orders».id) FROM «orders» WHERE «orders».id = s.id) AS orders FROM s;

-- role: IN
SELECT id FROM s WHERE id IN (SELECT id FROM «orders») AND (id, x) NOT IN (SELECT id, x FROM db.«orders»);

-- role: EXISTS
SELECT id FROM s WHERE NOT EXISTS (SELECT 1 FROM «orders» WHERE «orders».id = s.id);

-- role: ANY, ALL
SELECT id FROM s WHERE id > ALL (SELECT id FROM «orders») OR id = SOME (SELECT id FROM «orders»);

-- role: a subquery that looks out
SELECT id FROM «orders» WHERE EXISTS (SELECT 1 FROM s WHERE s.id = «orders».id AND EXISTS (SELECT 1 FROM r WHERE r.id = «orders».id));

-- role: a subquery that looks out
SELECT id FROM «orders» WHERE EXISTS (SELECT 1 FROM s AS orders WHERE orders.id = 1);

-- role: a subquery in HAVING
SELECT id FROM s GROUP BY id HAVING COUNT(*) > (SELECT COUNT(*) FROM «orders»);

-- role: a subquery in ON
SELECT s.id FROM s JOIN r ON s.id = r.id AND r.x IN (SELECT «orders».x FROM «orders»);

-- role: a subquery in VALUES
VALUES (1, (SELECT MAX(id) FROM «orders»));

-- role: a derived table
SELECT orders.id FROM (SELECT «orders».id FROM «orders») AS orders;

-- role: set operations
SELECT id FROM «orders» UNION SELECT id FROM s EXCEPT (SELECT «orders».id FROM «orders» INTERSECT SELECT id FROM db.«orders»);

-- role: WITH
WITH recent AS (SELECT «orders».id FROM «orders») SELECT recent.id FROM recent JOIN «orders» ON recent.id = «orders».id;

-- role: WITH that hides the table
WITH orders AS (SELECT «orders».id FROM «orders»), more AS (SELECT orders.id FROM orders) SELECT orders.id FROM orders, more;

-- role: WITH that hides the table
SELECT id FROM (WITH orders AS (SELECT 1 AS id) SELECT id FROM orders) AS a, «orders», db.«orders» AS c;

-- role: a window of a table, by place
SELECT window_start, id FROM TABLE(TUMBLE(TABLE «orders», DESCRIPTOR(orders), INTERVAL '5' MINUTES));

-- role: a window of a table, by place
SELECT id FROM HOP(TABLE db.«orders», DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '5' MINUTES);

-- role: a window of a table, by name
SELECT id FROM TABLE(CUMULATE(DATA => TABLE «orders», TIMECOL => DESCRIPTOR(ts), STEP => INTERVAL '1' HOUR, SIZE => INTERVAL '1' DAY));

-- role: a window of a table, by name
SELECT id FROM TABLE(SESSION(DATA => TABLE «orders» PARTITION BY id, TIMECOL => DESCRIPTOR(ts), GAP => INTERVAL '5' MINUTES));

-- role: a window of a query
SELECT id FROM TABLE(TUMBLE((SELECT «orders».* FROM «orders»), DESCRIPTOR(ts), INTERVAL '5' MINUTES));

-- role: a process table function, by place
SELECT id FROM TABLE(enrich(TABLE «orders» PARTITION BY orders ORDER BY ts, 'orders'));

-- role: a process table function, by name
SELECT id FROM enrich(input => TABLE «orders» PARTITION BY (id, orders), other => TABLE s, orders => 1);

-- role: a process table function of a query
SELECT id FROM enrich(input => (SELECT id FROM «orders»), uid => 'orders');

-- role: ML_PREDICT
SELECT id FROM TABLE(ML_PREDICT(TABLE «orders», MODEL orders, DESCRIPTOR(orders)));

-- role: ML_PREDICT
SELECT id FROM ML_PREDICT(INPUT => TABLE «orders», MODEL => MODEL db.orders, ARGS => DESCRIPTOR(id));

-- role: MATCH_RECOGNIZE
SELECT m.price FROM «orders» MATCH_RECOGNIZE (PARTITION BY id ORDER BY ts MEASURES A.price AS price ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B+) DEFINE B AS B.price < A.price) AS m;

-- role: MATCH_RECOGNIZE with a pattern variable of its name
SELECT * FROM «orders» MATCH_RECOGNIZE (ORDER BY ts MEASURES orders.x AS orders PATTERN (orders) DEFINE orders AS orders.x > 1);

-- role: hints that name tables
SELECT /*+ BROADCAST(«orders») */ s.id FROM s JOIN «orders» ON s.id = «orders».id;

-- role: hints that name tables
SELECT /*+ SHUFFLE_HASH(«orders», s), NEST_LOOP(«orders») */ s.id FROM s JOIN «orders» ON s.id = «orders».id;

-- role: hints that name tables
SELECT /*+ LOOKUP('table' = '«orders»', 'retry-predicate' = 'lookup_miss') */ s.id FROM s JOIN «orders» FOR SYSTEM_TIME AS OF s.pt ON s.id = «orders».id;

-- role: hints that name tables
SELECT /*+ STATE_TTL('«orders»' = '1d', 's' = '2d') */ s.id FROM s JOIN «orders» ON s.id = «orders».id;

-- role: hints that name an alias
SELECT /*+ STATE_TTL('orders' = '1d'), BROADCAST(orders) */ s.id FROM s JOIN «orders» AS orders ON s.id = orders.id;

-- role: no table: a function, a column, an alias, a text
SELECT orders(orders) AS orders, 'orders', `orders`, x AS orders FROM s orders WHERE orders.orders = 'orders' -- orders
GROUP BY orders;

-- role: no table: a database, a catalog, a model, a function of its name
SELECT id FROM orders.s, orders.orders.r;

-- role: no table: a database, a catalog, a model, a function of its name
USE orders;

-- role: no table: a database, a catalog, a model, a function of its name
DROP FUNCTION IF EXISTS orders;

-- role: no table: a database, a catalog, a model, a function of its name
DESCRIBE MODEL orders;

-- role: no table: a database, a catalog, a model, a function of its name
DROP MODEL orders;

-- role: no table: a database, a catalog, a model, a function of its name
SHOW TABLES FROM orders LIKE 'orders';

-- role: no table: a database, a catalog, a model, a function of its name
ALTER DATABASE orders SET ('k' = 'v');

-- role: no table: a database, a catalog, a model, a function of its name
CALL orders.orders('orders');
