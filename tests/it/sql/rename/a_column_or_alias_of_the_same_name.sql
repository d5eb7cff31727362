-- rename: orders -> orders_v2
SELECT orders, c.orders, orders.total AS orders FROM customers AS c JOIN payments AS orders ON orders.id = c.id;
-- becomes
SELECT orders, c.orders, orders.total AS orders FROM customers AS c JOIN payments AS orders ON orders.id = c.id;
