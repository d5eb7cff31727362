-- carry: customers.tier as tier: COALESCE({}, 'basic')
INSERT INTO sink SELECT c.customer_id, c.country FROM customers AS c;
-- becomes
INSERT INTO sink SELECT c.customer_id, c.country, COALESCE(c.tier, 'basic') AS tier FROM customers AS c;
