-- A regular join: a changed discount re-prices all lines of that customer.
-- The product of a price and a rate is kept exact, nothing is rounded.
INSERT INTO int_priced_lines
SELECT
    i.order_id,
    i.line_no,
    o.customer_id,
    i.product_id,
    o.status,
    o.ordered_at,
    i.quantity,
    i.unit_price,
    CAST(i.quantity * i.unit_price * (1 - c.discount_rate) AS DECIMAL(14, 4)) AS line_amount
FROM src_order_items AS i
JOIN src_orders AS o ON i.order_id = o.order_id
JOIN src_customers AS c ON o.customer_id = c.customer_id;
