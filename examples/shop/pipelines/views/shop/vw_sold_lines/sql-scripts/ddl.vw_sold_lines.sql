-- Lines of orders that were paid, whether or not they have arrived yet.
CREATE VIEW vw_sold_lines AS
SELECT
    order_id,
    line_no,
    customer_id,
    product_id,
    status,
    ordered_at,
    quantity,
    unit_price,
    line_amount
FROM int_priced_lines
WHERE status IN ('paid', 'shipped', 'delivered');
