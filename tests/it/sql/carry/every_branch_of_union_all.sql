-- carry: orders.note as note
INSERT INTO sink
SELECT id FROM orders WHERE a = 1
UNION ALL
SELECT orders.id FROM orders WHERE a = 2;
-- becomes
INSERT INTO sink
SELECT id, note FROM orders WHERE a = 1
UNION ALL
SELECT orders.id, orders.note FROM orders WHERE a = 2;
