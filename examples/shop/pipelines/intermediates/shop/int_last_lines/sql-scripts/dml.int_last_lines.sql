-- Two lines can be added in the same millisecond: order and line number decide
-- then, so the order is total and a replay picks the same row.
INSERT INTO int_last_lines
SELECT
    product_id,
    order_id,
    line_no,
    unit_price,
    added_at
FROM (
    SELECT
        product_id,
        order_id,
        line_no,
        unit_price,
        added_at,
        ROW_NUMBER() OVER (
            PARTITION BY product_id
            ORDER BY added_at DESC, order_id DESC, line_no DESC
        ) AS row_num
    FROM src_order_items
)
WHERE row_num = 1;
