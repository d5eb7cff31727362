-- Masks the address. The digest is taken of the lower-case form, so that
-- Ann@example.org and ann@example.org stay the same person.
INSERT INTO src_customers
SELECT
    customer_id,
    SHA256(LOWER(email)) AS email_sha256,
    full_name,
    country,
    segment,
    discount_rate,
    created_at
FROM cdc_customers;
