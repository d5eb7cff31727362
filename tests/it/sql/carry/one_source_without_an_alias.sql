-- carry: customers.tier as tier
INSERT INTO sink
SELECT
    customer_id,
    country
FROM customers
WHERE country <> 'X';
-- becomes
INSERT INTO sink
SELECT
    customer_id,
    country,
    tier
FROM customers
WHERE country <> 'X';
