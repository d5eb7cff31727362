-- What warehouse.fct_orders_enriched must hold, told from the shop's own tables.
-- A column that is added to shop.customers joins as one more "c.<column>" at the end
-- of the select list; see fct_orders_enriched.with_tier.sql.
SELECT
    i.order_id,
    i.line_no,
    o.status,
    o.ordered_at::timestamp(6) AS ordered_at,
    o.customer_id,
    encode(sha256(convert_to(lower(c.email), 'UTF8')), 'hex') AS email_sha256,
    c.full_name,
    c.country,
    CASE
        WHEN c.country IN ('DE', 'AT', 'CH') THEN 'DACH'
        WHEN c.country IN ('SE', 'NO', 'DK', 'FI') THEN 'Nordics'
        ELSE 'Other'
    END AS region,
    coalesce(c.segment, 'none') AS segment,
    i.product_id,
    p.sku,
    p.name AS product_name,
    p.category,
    i.quantity,
    i.unit_price,
    (i.quantity * i.unit_price * (1 - c.discount_rate))::numeric(14,4) AS line_amount
FROM shop.order_items AS i
JOIN shop.orders AS o USING (order_id)
JOIN shop.customers AS c USING (customer_id)
JOIN shop.products AS p USING (product_id)
WHERE o.status IN ('paid', 'shipped', 'delivered')
  AND NOT p.is_test
