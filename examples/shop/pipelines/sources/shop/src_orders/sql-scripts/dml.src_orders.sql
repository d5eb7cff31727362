-- A draft is a basket, not an order.
INSERT INTO src_orders
SELECT
    order_id,
    customer_id,
    status,
    ordered_at
FROM cdc_orders
WHERE status <> 'draft';
