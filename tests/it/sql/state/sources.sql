CREATE TABLE up (id BIGINT, c STRING, n INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka');
CREATE TABLE up_at (id BIGINT, c STRING, at_ms BIGINT METADATA FROM 'timestamp', PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka');
CREATE TABLE cdc (id BIGINT, c STRING, n INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'kafka', 'format' = 'debezium-json');
CREATE TABLE by_id (id BIGINT, c STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka');
CREATE TABLE by_both (id BIGINT, c STRING, PRIMARY KEY (id, c) NOT ENFORCED) WITH ('connector' = 'upsert-kafka');
CREATE TABLE all_changes (id BIGINT, c STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'kafka', 'format' = 'debezium-json');
CREATE VIEW seen AS SELECT id, c FROM up;

-- The newest row of each key is all that the sink asks for.
INSERT INTO by_id SELECT id, UPPER(c) FROM up
--> upsert
INSERT INTO by_id (c, id) SELECT c, id FROM up
--> upsert
-- A row that no longer passes has to be taken back.
INSERT INTO by_id SELECT id, c FROM up WHERE n > 3
--> upsert; changelog normalise (ttl)
INSERT INTO by_id SELECT id, c FROM up_at
--> upsert; changelog normalise (ttl)
INSERT INTO by_both SELECT id, c FROM up
--> upsert; changelog normalise (ttl), sink materialise (ttl)
INSERT INTO all_changes SELECT id, c FROM up
--> upsert; changelog normalise (ttl)
INSERT INTO by_id SELECT up.id, other.c FROM up JOIN by_id AS other ON up.id = other.id
--> upsert; regular join (ttl), changelog normalise (ttl)
INSERT INTO by_id SELECT id, c FROM seen
--> upsert; changelog normalise (ttl)
INSERT INTO by_id SELECT id, c FROM cdc
--> upsert
-- Rows that are known by less than all columns are not made distinct again.
INSERT INTO by_both SELECT id, c FROM cdc INTERSECT SELECT id, c FROM all_changes
--> retract; set operation (ttl), sink materialise (ttl)
INSERT INTO by_both SELECT id, c FROM cdc EXCEPT SELECT id, c FROM all_changes
--> retract; set operation (ttl), sink materialise (ttl)
INSERT INTO by_both SELECT id, c FROM cdc UNION SELECT id, c FROM all_changes
--> upsert; set operation (ttl)
