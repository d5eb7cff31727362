-- Revenue of each product. Sums of decimals are exact, and a line that is
-- changed or deleted later is taken out of the sum again.
INSERT INTO fct_product_revenue
SELECT
    p.product_id,
    p.sku,
    p.name AS product_name,
    p.category,
    s.order_lines,
    s.units,
    s.revenue,
    l.unit_price AS last_price,
    l.added_at AS last_added_at
FROM src_products AS p
JOIN (
    SELECT
        i.product_id,
        COUNT(*) AS order_lines,
        SUM(CAST(i.quantity AS BIGINT)) AS units,
        CAST(SUM(i.quantity * i.unit_price) AS DECIMAL(18, 2)) AS revenue
    FROM src_order_items AS i
    JOIN src_orders AS o ON i.order_id = o.order_id
    WHERE o.status IN ('paid', 'shipped', 'delivered')
    GROUP BY i.product_id
) AS s ON p.product_id = s.product_id
-- int_last_lines also knows drafts; every product in s has a line, so nothing is lost here.
JOIN int_last_lines AS l ON p.product_id = l.product_id;
