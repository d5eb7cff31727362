-- carry: customers.tier as tier
INSERT INTO sink
SELECT
    customer_id,
    CASE
        WHEN country = 'DE' THEN 'DACH'
        ELSE 'Other'
    END AS region
FROM customers;
-- becomes
INSERT INTO sink
SELECT
    customer_id,
    CASE
        WHEN country = 'DE' THEN 'DACH'
        ELSE 'Other'
    END AS region,
    tier
FROM customers;
