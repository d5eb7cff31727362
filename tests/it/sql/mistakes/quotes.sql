SELECT "a" FROM "t x";
-- says: S003 at "a": double quotes around the name "a"; names are quoted by backquotes, strings by single quotes
-- says: S003 at "t x": double quotes around the name "t x"; names are quoted by backquotes, strings by single quotes
-- mended: SELECT `a` FROM `t x`;
SELECT a FROM t WHERE b LIKE "x%";
-- says: S003 at "x%": double quotes around the string "x%"; strings are quoted by single quotes
-- mended: SELECT a FROM t WHERE b LIKE 'x%';
CREATE TABLE t (a INT) WITH ("connector" = "kafka");
-- says: S003 at "connector": double quotes around the string "connector"; strings are quoted by single quotes
-- says: S003 at "kafka": double quotes around the string "kafka"; strings are quoted by single quotes
-- mended: CREATE TABLE t (a INT) WITH ('connector' = 'kafka');
CREATE TABLE t (a INT) WITH (connector = 'kafka');
-- says: S001 at connector: expected an option's key in single quotes, found `connector`; put single quotes around it
CREATE TABLE t (a INT) WITH ('connector' = kafka);
-- says: S001 at kafka: expected the option's value in single quotes, found `kafka`; put single quotes around it
SELECT a AS 'name' FROM t;
-- says: S001 at 'name': expected an alias, found `'name'`; names are quoted by backquotes: `name`
-- mended: SELECT a AS `name` FROM t;
SELECT a FROM 'orders';
-- says: S001 at 'orders': expected a table, found `'orders'`; names are quoted by backquotes: `orders`
-- mended: SELECT a FROM `orders`;
SELECT 'it's' FROM t;
-- says: S002 at ': this string has no end; close it: a single quote; a quote inside of it is written twice
CREATE TABLE t (a INT) WITH ('connector' = 'kafka, 'topic' = 'a');
-- says: S001 at topic: expected `,` or `)`, found `topic`; a quote is missing, or one inside of a string is not written twice: 'it''s'
SELECT a FROM t WHERE b = 'never closed;
-- says: S002 at ': this string has no end; close it: a single quote; a quote inside of it is written twice
SELECT a FROM t WHERE b = ‘x’;
-- says: S011 at ‘: "‘" means nothing in Flink SQL; write a string in straight single quotes: '...'
-- mended: SELECT a FROM t WHERE b = 'x’;
SELECT a FROM my-topic;
-- says: S001 at -: expected the end of the statement, found `-`; a name with `-` in it needs backquotes: `my-topic`
-- mended: SELECT a FROM `my-topic`;
CREATE TABLE `cluster`.raw-orders-v1 (a INT);
-- says: S001 at -: expected the end of the statement, found `-`; a name with `-` in it needs backquotes: `raw-orders-v1`
-- mended: CREATE TABLE `cluster`.`raw-orders-v1` (a INT);
CREATE FUNCTION f AS com.example.F;
-- says: S001 at com: expected the name of a class in single quotes, found `com`; put single quotes around it
