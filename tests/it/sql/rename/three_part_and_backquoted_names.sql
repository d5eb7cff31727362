-- rename: orders -> orders_v2, my table -> my table_v2
INSERT INTO cat.db.orders SELECT `orders`.id, db.orders.x, cat.db.orders.y, `cat`.`db`.`orders`.`z`
FROM cat.db.orders, `cat`.`db` . `orders` AS o, `my table`, orders.orders
WHERE `my table`.id = o.id;
-- becomes
INSERT INTO cat.db.orders_v2 SELECT `orders_v2`.id, db.orders_v2.x, cat.db.orders_v2.y, `cat`.`db`.`orders_v2`.`z`
FROM cat.db.orders_v2, `cat`.`db` . `orders_v2` AS o, `my table_v2`, orders.orders_v2
WHERE `my table_v2`.id = o.id;
