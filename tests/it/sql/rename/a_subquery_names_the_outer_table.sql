-- rename: orders -> orders_v2, items -> items_v2
SELECT * FROM orders WHERE EXISTS (SELECT 1 FROM items WHERE items.oid = orders.id)
AND orders.total > (SELECT AVG(orders.total) FROM archive AS orders) AND orders.id NOT IN (SELECT oid FROM items);
-- becomes
SELECT * FROM orders_v2 WHERE EXISTS (SELECT 1 FROM items_v2 WHERE items_v2.oid = orders_v2.id)
AND orders_v2.total > (SELECT AVG(orders.total) FROM archive AS orders) AND orders_v2.id NOT IN (SELECT oid FROM items_v2);
