-- What warehouse.fct_product_revenue must hold, told from the shop's own tables.
-- No column of shop.customers reaches this fact: a column added there changes nothing
-- here, and there is no second form of this query.
WITH sold AS (
    SELECT
        i.product_id,
        count(*) AS order_lines,
        sum(i.quantity)::bigint AS units,
        sum(i.quantity * i.unit_price)::numeric(18,2) AS revenue
    FROM shop.order_items AS i
    JOIN shop.orders AS o USING (order_id)
    WHERE o.status IN ('paid', 'shipped', 'delivered')
    GROUP BY i.product_id
),
-- Drafts and cancelled orders count here: it is the last line of all.
last_line AS (
    SELECT DISTINCT ON (product_id) product_id, unit_price, added_at
    FROM shop.order_items
    ORDER BY product_id, added_at DESC, order_id DESC, line_no DESC
)
SELECT
    p.product_id,
    p.sku,
    p.name AS product_name,
    p.category,
    s.order_lines,
    s.units,
    s.revenue,
    l.unit_price AS last_price,
    l.added_at::timestamp(6) AS last_added_at
FROM shop.products AS p
JOIN sold AS s USING (product_id)
JOIN last_line AS l USING (product_id)
WHERE NOT p.is_test
