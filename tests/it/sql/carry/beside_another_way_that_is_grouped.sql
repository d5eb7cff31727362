-- carry: orders.note as note
INSERT INTO sink
SELECT o.id, s.n FROM orders AS o JOIN (SELECT customer_id, COUNT(*) AS n FROM orders GROUP BY customer_id) AS s ON o.customer_id = s.customer_id;
-- becomes
INSERT INTO sink
SELECT o.id, s.n, o.note FROM orders AS o JOIN (SELECT customer_id, COUNT(*) AS n FROM orders GROUP BY customer_id) AS s ON o.customer_id = s.customer_id;
