-- rename: orders -> orders_v2
INSERT INTO sink
SELECT 'orders' AS source, CONCAT('from orders', id) AS `orders` FROM orders WHERE note <> 'orders; orders.id';
-- becomes
INSERT INTO sink
SELECT 'orders' AS source, CONCAT('from orders', id) AS `orders` FROM orders_v2 WHERE note <> 'orders; orders.id';
