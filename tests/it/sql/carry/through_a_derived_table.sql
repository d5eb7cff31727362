-- carry: items.gift as gift: COALESCE({}, FALSE)
INSERT INTO sink
SELECT product_id, order_id
FROM (
    SELECT
        product_id,
        order_id,
        ROW_NUMBER() OVER (PARTITION BY product_id ORDER BY added_at DESC) AS row_num
    FROM items
)
WHERE row_num = 1;
-- becomes
INSERT INTO sink
SELECT product_id, order_id, gift
FROM (
    SELECT
        product_id,
        order_id,
        ROW_NUMBER() OVER (PARTITION BY product_id ORDER BY added_at DESC) AS row_num,
        COALESCE(gift, FALSE) AS gift
    FROM items
)
WHERE row_num = 1;
