-- rename: orders -> orders_v2
INSERT INTO sink SELECT orders.*, parent.total FROM orders JOIN orders AS parent ON orders.parent_id = parent.id
WHERE orders.id > 0 GROUP BY orders.id ORDER BY orders.id;
-- becomes
INSERT INTO sink SELECT orders_v2.*, parent.total FROM orders_v2 JOIN orders_v2 AS parent ON orders_v2.parent_id = parent.id
WHERE orders_v2.id > 0 GROUP BY orders_v2.id ORDER BY orders_v2.id;
