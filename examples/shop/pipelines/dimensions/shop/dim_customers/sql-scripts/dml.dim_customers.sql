-- Adds the sales region. A customer nobody sorted yet is in segment 'none'.
INSERT INTO dim_customers
SELECT
    customer_id,
    email_sha256,
    full_name,
    country,
    CASE
        WHEN country IN ('DE', 'AT', 'CH') THEN 'DACH'
        WHEN country IN ('SE', 'NO', 'DK', 'FI') THEN 'Nordics'
        ELSE 'Other'
    END AS region,
    COALESCE(segment, 'none') AS segment,
    created_at
FROM src_customers;
