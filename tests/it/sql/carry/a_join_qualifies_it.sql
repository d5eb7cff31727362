-- carry: dim_customers.tier as tier
INSERT INTO sink
SELECT
    l.order_id,
    p.category -- how it is sold
FROM lines AS l
JOIN dim_customers AS c ON l.customer_id = c.customer_id
JOIN products AS p ON l.product_id = p.product_id;
-- becomes
INSERT INTO sink
SELECT
    l.order_id,
    p.category -- how it is sold
    , c.tier
FROM lines AS l
JOIN dim_customers AS c ON l.customer_id = c.customer_id
JOIN products AS p ON l.product_id = p.product_id;
