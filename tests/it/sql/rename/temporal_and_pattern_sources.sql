-- rename: rates -> rates_v2, orders -> orders_v2, B -> B_v2
SELECT * FROM orders JOIN rates FOR SYSTEM_TIME AS OF orders.ts ON orders.c = rates.c
JOIN ticks MATCH_RECOGNIZE (PARTITION BY ticks.s ORDER BY ticks.ts MEASURES B.p AS p PATTERN (A B) DEFINE B AS B.p > A.p) AS m ON TRUE
JOIN orders MATCH_RECOGNIZE (ORDER BY orders.ts MEASURES B.p AS p PATTERN (A B) DEFINE B AS B.p > A.p) AS n ON TRUE;
-- becomes
SELECT * FROM orders_v2 JOIN rates_v2 FOR SYSTEM_TIME AS OF orders_v2.ts ON orders_v2.c = rates_v2.c
JOIN ticks MATCH_RECOGNIZE (PARTITION BY ticks.s ORDER BY ticks.ts MEASURES B.p AS p PATTERN (A B) DEFINE B AS B.p > A.p) AS m ON TRUE
JOIN orders_v2 MATCH_RECOGNIZE (ORDER BY orders_v2.ts MEASURES B.p AS p PATTERN (A B) DEFINE B AS B.p > A.p) AS n ON TRUE;
