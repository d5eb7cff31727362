-- rename: orders -> orders_v2
INSERT INTO sink -- reads orders
SELECT /* orders.id */ orders.id -- of orders
FROM /* not orders */ orders; -- FROM orders
-- becomes
INSERT INTO sink -- reads orders
SELECT /* orders.id */ orders_v2.id -- of orders
FROM /* not orders */ orders_v2; -- FROM orders
