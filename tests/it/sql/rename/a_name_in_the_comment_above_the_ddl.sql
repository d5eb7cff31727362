-- rename: orders -> orders_v2
-- orders: one row an order
CREATE TABLE orders (
    orders INT, -- orders of the day
    WATERMARK FOR ts AS orders
) COMMENT 'orders' WITH ('topic' = 'orders');
-- becomes
-- orders: one row an order
CREATE TABLE orders_v2 (
    orders INT, -- orders of the day
    WATERMARK FOR ts AS orders
) COMMENT 'orders' WITH ('topic' = 'orders');
