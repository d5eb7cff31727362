-- carry: orders.note as note
INSERT INTO sink (id, total)
WITH paid (id, total) AS (SELECT o.id, o.total FROM orders o WHERE o.paid),
     big AS (SELECT * FROM paid WHERE total > 10)
SELECT big.id, big.total FROM big;
-- becomes
INSERT INTO sink (id, total, note)
WITH paid (id, total, note) AS (SELECT o.id, o.total, o.note FROM orders o WHERE o.paid),
     big AS (SELECT * FROM paid WHERE total > 10)
SELECT big.id, big.total, big.note FROM big;
