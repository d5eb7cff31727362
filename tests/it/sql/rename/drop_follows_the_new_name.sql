-- rename: orders -> orders_v2
DROP TABLE IF EXISTS db.orders;
-- becomes
DROP TABLE IF EXISTS db.orders_v2;
