-- Drops the shop's own test products. A product that becomes one later is
-- deleted from src_products and with it from every table below.
INSERT INTO src_products
SELECT
    product_id,
    sku,
    name,
    category,
    price
FROM cdc_products
WHERE NOT is_test;
