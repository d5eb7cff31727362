-- rename: orders -> orders_v2
INSERT INTO sink
WITH orders AS (SELECT orders.id FROM orders WHERE orders.paid),
     big AS (SELECT * FROM orders)
SELECT orders.id FROM orders JOIN big ON big.id = orders.id
WHERE orders.id IN (SELECT id FROM db.orders);
-- becomes
INSERT INTO sink
WITH orders AS (SELECT orders_v2.id FROM orders_v2 WHERE orders_v2.paid),
     big AS (SELECT * FROM orders)
SELECT orders.id FROM orders JOIN big ON big.id = orders.id
WHERE orders.id IN (SELECT id FROM db.orders_v2);
