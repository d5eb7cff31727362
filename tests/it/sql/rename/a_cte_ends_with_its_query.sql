-- rename: x -> x_v2
SELECT * FROM (WITH x AS (SELECT 1 AS a) SELECT x.a FROM x) AS y, x WHERE x.a = y.a
-- becomes
SELECT * FROM (WITH x AS (SELECT 1 AS a) SELECT x.a FROM x) AS y, x_v2 WHERE x_v2.a = y.a
