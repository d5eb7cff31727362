SELECT * FROM ticker MATCH_RECOGNIZE (
  PARTITION BY symbol
  ORDER BY row_time
  MEASURES A.row_time AS start_time, LAST(B.row_time) AS bottom_time, LAST(C.row_time) AS end_time
  ONE ROW PER MATCH
  AFTER MATCH SKIP TO LAST C
  PATTERN (A B+ C)
  DEFINE
    B AS (LAST(B.price, 1) IS NULL AND B.price < A.price) OR B.price < LAST(B.price, 1),
    C AS C.price > LAST(B.price, 1)
) AS m;
SELECT m.symbol, m.avg_price FROM ticker MATCH_RECOGNIZE (
  PARTITION BY symbol ORDER BY row_time
  MEASURES AVG(A.price) AS avg_price, FIRST(A.price) AS first_price, MATCH_ROWTIME() AS rt
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (A{2,5} B?) WITHIN INTERVAL '1' HOUR
  DEFINE A AS AVG(A.price) < 15, B AS B.tax > 1
) AS m WHERE m.avg_price > 3;
SELECT * FROM (SELECT symbol, price, row_time FROM ticker WHERE price > 0) MATCH_RECOGNIZE (
  ORDER BY row_time
  MEASURES A.price AS p, B.price + 1 AS q
  PATTERN (A (B | C)*? D)
  DEFINE A AS A.price > 10, B AS B.price < 5, C AS C.price = 7, D AS TRUE
);
SELECT T.a_id, T.c FROM ticker MATCH_RECOGNIZE (ORDER BY row_time MEASURES A.symbol AS a_id, COUNT(B.price) AS c ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN (A B{3}) DEFINE A AS A.symbol = 'x', B AS B.price > A.price) AS T;
