-- carry: orders.note as note
INSERT INTO sink
SELECT
    id
  , total
FROM orders;
-- becomes
INSERT INTO sink
SELECT
    id
  , total
  , note
FROM orders;
