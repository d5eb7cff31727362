SELECT e.timestamp, e.value FROM events e;
-- says: S005 at timestamp: `timestamp` is a reserved word; put it in backquotes: `timestamp`
-- says: S005 at value: `value` is a reserved word; put it in backquotes: `value`
-- mended: SELECT e.`timestamp`, e.`value` FROM events e;
SELECT timestamp FROM events;
-- says: S005 at timestamp: `timestamp` is a reserved word; put it in backquotes: `timestamp`
-- mended: SELECT `timestamp` FROM events;
SELECT a date FROM t;
-- says: S001 at date: expected the end of the statement, found the reserved word `date`; if it is meant as a name, put it in backquotes: `date`
SELECT a AS date FROM t;
-- says: S005 at date: `date` is a reserved word; put it in backquotes: `date`
-- mended: SELECT a AS `date` FROM t;
SELECT * FROM orders o JOIN user u ON o.id = u.id;
-- says: S005 at user: `user` is a reserved word; put it in backquotes: `user`
-- mended: SELECT * FROM orders o JOIN `user` u ON o.id = u.id;
SELECT * FROM order WHERE a = 1;
-- says: S001 at order: expected a table, found the reserved word `order`; if it is meant as a name, put it in backquotes: `order`
CREATE TABLE t (id INT, user STRING);
-- says: S005 at user: `user` is a reserved word; put it in backquotes: `user`
-- mended: CREATE TABLE t (id INT, `user` STRING);
CREATE TABLE t (a INT, order STRING, group STRING);
-- says: S001 at order: expected a column name, found the reserved word `order`; if it is meant as a name, put it in backquotes: `order`
INSERT INTO t (a, order) SELECT 1, 2;
-- says: S001 at order: expected a column name, found the reserved word `order`; if it is meant as a name, put it in backquotes: `order`
ALTER TABLE t ADD COLUMN x INT;
-- says: S001 at COLUMN: Flink SQL has no `COLUMN` here
-- mended: ALTER TABLE t ADD x INT;
ALTER TABLE t DROP COLUMN x;
-- says: S001 at COLUMN: Flink SQL has no `COLUMN` here
-- mended: ALTER TABLE t DROP x;
ALTER TABLE t RENAME COLUMN x TO y;
-- says: S001 at COLUMN: Flink SQL has no `COLUMN` here
-- mended: ALTER TABLE t RENAME x TO y;
INSERT INTO TABLE t SELECT a FROM s;
-- says: S001 at TABLE: Flink SQL has no `TABLE` here
-- mended: INSERT INTO t SELECT a FROM s;
