-- rename: orders -> order-v2
INSERT INTO sink SELECT orders.id FROM orders;
-- becomes
INSERT INTO sink SELECT `order-v2`.id FROM `order-v2`;
