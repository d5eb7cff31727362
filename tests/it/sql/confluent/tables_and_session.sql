CREATE TABLE `env-1`.`lkc-1`.orders (
  id STRING NOT NULL, amount DECIMAL(10, 2), headers MAP<STRING, STRING> METADATA,
  PRIMARY KEY (id) NOT ENFORCED,
  WATERMARK FOR $rowtime AS $rowtime - INTERVAL '5' SECOND
) DISTRIBUTED BY HASH(id) INTO 6 BUCKETS
WITH ('changelog.mode' = 'upsert', 'kafka.retention.time' = '7 d', 'value.format' = 'avro-registry');
-- is: CREATE TABLE; writes env-1.lkc-1.orders
CREATE TABLE IF NOT EXISTS totals (PRIMARY KEY (id) NOT ENFORCED) DISTRIBUTED INTO 4 BUCKETS AS SELECT id, SUM(amount) AS total FROM orders GROUP BY id;
-- is: CREATE TABLE AS; reads orders; writes totals
ALTER TABLE orders MODIFY WATERMARK FOR $rowtime AS $rowtime - INTERVAL '0.001' SECOND;
-- is: ALTER TABLE; writes orders
ALTER TABLE orders ADD (ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL COMMENT 'of the record');
-- is: ALTER TABLE; writes orders
ALTER TABLE orders ADD CONSTRAINT pk PRIMARY KEY (id) NOT ENFORCED;
-- is: ALTER TABLE; writes orders
ALTER TABLE orders DROP CONSTRAINT pk;
-- is: ALTER TABLE; writes orders
ALTER TABLE orders DROP WATERMARK;
-- is: ALTER TABLE; writes orders
ALTER TABLE orders SET ('changelog.mode' = 'append', 'scan.startup.mode' = 'latest');
-- is: ALTER TABLE; writes orders
ALTER TABLE orders SET LIGHTNING MODE (fast);
-- is: ALTER TABLE; writes orders
CREATE MATERIALIZED TABLE IF NOT EXISTS daily (
  on_day DATE, total DECIMAL(10, 2), twice AS total * 2,
  PRIMARY KEY (on_day) NOT ENFORCED
) COMMENT 'by day' DISTRIBUTED BY (on_day) INTO 2 BUCKETS WITH ('value.format' = 'avro-registry') START_MODE = FROM_NOW(INTERVAL '7' DAY)
AS SELECT on_day, SUM(amount) AS total FROM orders GROUP BY on_day;
-- is: CREATE MATERIALIZED TABLE; reads orders; writes daily
CREATE OR ALTER MATERIALIZED TABLE daily START_MODE = RESUME_OR_FROM_BEGINNING AS SELECT on_day, SUM(amount) AS total FROM orders GROUP BY on_day;
-- is: CREATE MATERIALIZED TABLE; reads orders; writes daily
ALTER MATERIALIZED TABLE daily (on_day DATE, total DECIMAL(10, 2)) START_MODE = FROM_TIMESTAMP(TIMESTAMP '2026-01-01 00:00:00') AS SELECT on_day, total FROM orders;
-- is: ALTER MATERIALIZED TABLE; reads orders; writes daily
ALTER MATERIALIZED TABLE daily MODIFY WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE;
-- is: ALTER MATERIALIZED TABLE; writes daily
ALTER MATERIALIZED TABLE daily ADD (twice AS total * 2);
-- is: ALTER MATERIALIZED TABLE; writes daily
ALTER MATERIALIZED TABLE daily DROP WATERMARK;
-- is: ALTER MATERIALIZED TABLE; writes daily
ALTER MATERIALIZED TABLE daily SUSPEND;
-- is: ALTER MATERIALIZED TABLE; writes daily
SHOW CREATE MATERIALIZED TABLE daily;
-- is: SHOW
SELECT $rowtime, o.`$rowtime`, o.* FROM `env-1`.`lkc-1`.orders AS o WHERE $rowtime > TIMESTAMP '2026-01-01 00:00:00';
-- is: QUERY; reads env-1.lkc-1.orders
SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR($rowtime), INTERVAL '1' HOUR)) GROUP BY window_start, window_end;
-- is: QUERY; reads orders
SET 'sql.snapshot.mode' = 'now';
-- is: SET; option sql.snapshot.mode = now
SET 'sql.state-ttl' = '3600000';
-- is: SET; option sql.state-ttl = 3600000
SET 'client.statement-name' = 'orders-v1';
-- is: SET; option client.statement-name = orders-v1
RESET 'sql.state-ttl';
-- is: RESET
USE CATALOG `my-environment`;
-- is: USE CATALOG
USE `my-environment`.`cluster-0`;
-- is: USE
SHOW JOBS;
-- is: SHOW
DESCRIBE EXTENDED `my-environment`.`cluster-0`.orders;
-- is: DESCRIBE
EXPLAIN SELECT * FROM orders;
-- is: EXPLAIN; reads orders
EXPLAIN STATEMENT SET BEGIN INSERT INTO a SELECT * FROM orders; INSERT INTO b SELECT * FROM totals; END;
-- is: EXPLAIN; reads orders, totals; writes a, b
EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT * FROM orders; INSERT INTO b SELECT * FROM totals; END;
-- is: STATEMENT SET; reads orders, totals; writes a, b
