SHOW TABLES;
SHOW TABLES FROM db;
SHOW TABLES IN cat.db LIKE 'o%';
SHOW TABLES NOT LIKE '%x';
SHOW VIEWS;
SHOW VIEWS FROM cat.db ILIKE 'V%';
SHOW CATALOGS;
SHOW CATALOGS LIKE 'c%';
SHOW CURRENT CATALOG;
SHOW DATABASES;
SHOW DATABASES FROM cat LIKE 'x%';
SHOW CURRENT DATABASE;
SHOW FUNCTIONS;
SHOW USER FUNCTIONS IN cat.db NOT ILIKE 'f%';
SHOW PROCEDURES FROM cat.sys;
SHOW MODULES;
SHOW FULL MODULES;
SHOW MODELS;
SHOW MODELS FROM cat.db LIKE 'm%';
SHOW JARS;
SHOW JOBS;
SHOW COLUMNS FROM orders;
SHOW COLUMNS IN cat.db.orders LIKE 'a%';
SHOW PARTITIONS out_parts;
SHOW PARTITIONS out_parts PARTITION (dt = '2026-01-01');
SHOW CREATE TABLE orders;
SHOW CREATE VIEW big_orders;
SHOW CREATE CATALOG cat;
SHOW CREATE MODEL m;
SHOW CREATE MATERIALIZED TABLE mt;
DESCRIBE orders;
DESC EXTENDED cat.db.orders;
DESCRIBE CATALOG cat;
DESC CATALOG EXTENDED cat;
DESCRIBE DATABASE EXTENDED db;
DESCRIBE FUNCTION EXTENDED f;
DESCRIBE JOB 'abc';
DESCRIBE MODEL m;
EXPLAIN SELECT * FROM orders;
EXPLAIN PLAN FOR SELECT customer_id, COUNT(*) FROM orders GROUP BY customer_id;
EXPLAIN CHANGELOG_MODE, JSON_EXECUTION_PLAN INSERT INTO out_orders SELECT order_id, customer_id, amount FROM orders;
EXPLAIN ESTIMATED_COST, PLAN_ADVICE SELECT * FROM orders;
EXPLAIN (SELECT order_id FROM orders) UNION ALL (SELECT order_id FROM payments);
EXPLAIN VALUES (1);
EXPLAIN CREATE TABLE x AS SELECT * FROM orders;
----
EXPLAIN STATEMENT SET BEGIN
  INSERT INTO out_orders SELECT order_id, customer_id, amount FROM orders;
  INSERT INTO out_by_order SELECT order_id, status FROM orders;
END
----
USE CATALOG cat;
USE db;
USE cat.db;
USE MODULES core, hive;
SET 'table.exec.state.ttl' = '1 d';
SET table.local-time-zone = UTC;
SET execution.checkpointing.interval=10s;
SET;
RESET 'table.exec.state.ttl';
RESET table.exec.state.ttl;
RESET;
LOAD MODULE hive WITH ('hive-version' = '3.1.3');
LOAD MODULE core;
UNLOAD MODULE hive;
ADD JAR '/opt/x.jar';
REMOVE JAR '/opt/x.jar';
STOP JOB 'abc';
STOP JOB 'abc' WITH SAVEPOINT WITH DRAIN;
COMPILE PLAN '/tmp/plan.json' FOR INSERT INTO out_orders SELECT order_id, customer_id, amount FROM orders;
COMPILE PLAN '/tmp/plan.json' IF NOT EXISTS FOR INSERT INTO out_orders SELECT order_id, customer_id, amount FROM orders;
COMPILE AND EXECUTE PLAN '/tmp/plan.json' FOR INSERT INTO out_orders SELECT order_id, customer_id, amount FROM orders;
EXECUTE PLAN '/tmp/plan.json';
----
COMPILE PLAN 'file:///p.json' FOR STATEMENT SET BEGIN
  INSERT INTO out_orders SELECT order_id, customer_id, amount FROM orders;
  INSERT INTO out_by_order SELECT order_id, status FROM orders;
END
----
CALL cat.sys.compact('db.t', 1);
CALL do_it();
CALL sys.add(1 + 2, named => 'x', flag => TRUE);
ANALYZE TABLE orders COMPUTE STATISTICS;
ANALYZE TABLE orders COMPUTE STATISTICS FOR COLUMNS order_id, amount;
ANALYZE TABLE out_parts PARTITION (dt = '2026-01-01', hr) COMPUTE STATISTICS FOR ALL COLUMNS;
HELP;
QUIT;
EXIT;
CLEAR;
