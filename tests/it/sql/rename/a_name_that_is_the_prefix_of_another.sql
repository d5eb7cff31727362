-- rename: orders -> orders_v2, orders_v2 -> orders_v3
INSERT INTO orders_big SELECT orders.id FROM orders JOIN orders_archive ON orders.id = orders_archive.id
JOIN order_s ON TRUE JOIN Orders ON TRUE JOIN orders_v2 ON orders_v2.id = orders.id;
-- becomes
INSERT INTO orders_big SELECT orders_v2.id FROM orders_v2 JOIN orders_archive ON orders_v2.id = orders_archive.id
JOIN order_s ON TRUE JOIN Orders ON TRUE JOIN orders_v3 ON orders_v3.id = orders_v2.id;
