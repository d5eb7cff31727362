-- carry: orders.timestamp as date
INSERT INTO sink SELECT `my orders`.id FROM orders AS `my orders`;
-- becomes
INSERT INTO sink SELECT `my orders`.id, `my orders`.`timestamp` AS `date` FROM orders AS `my orders`;
