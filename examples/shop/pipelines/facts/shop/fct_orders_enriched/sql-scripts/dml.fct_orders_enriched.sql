-- Customers arrive here by two ways: as the dimension, and as the discount
-- inside line_amount. Both must come from the same version of src_customers.
INSERT INTO fct_orders_enriched
SELECT
    l.order_id,
    l.line_no,
    l.status,
    l.ordered_at,
    l.customer_id,
    c.email_sha256,
    c.full_name,
    c.country,
    c.region,
    c.segment,
    l.product_id,
    p.sku,
    p.name AS product_name,
    p.category,
    l.quantity,
    l.unit_price,
    l.line_amount
FROM vw_sold_lines AS l
JOIN dim_customers AS c ON l.customer_id = c.customer_id
JOIN src_products AS p ON l.product_id = p.product_id;
