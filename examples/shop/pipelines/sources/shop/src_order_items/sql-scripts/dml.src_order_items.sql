-- Gives up item_id. The pair (order_id, line_no) is unique in the database and a
-- pair is never used twice, so the new key names exactly one row at any time.
INSERT INTO src_order_items
SELECT
    order_id,
    line_no,
    product_id,
    quantity,
    unit_price,
    added_at
FROM cdc_order_items;
