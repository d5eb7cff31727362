INSERT INTO out_orders SELECT order_id, customer_id, amount FROM orders;
INSERT INTO out_orders (order_id, amount) SELECT order_id, amount FROM orders WHERE status <> 'CANCELLED';
INSERT INTO out_orders (amount, order_id) SELECT amount, order_id FROM orders;
INSERT INTO default_catalog.default_database.out_orders SELECT o.order_id, o.customer_id, o.amount FROM default_catalog.default_database.orders AS o;
INSERT INTO out_orders VALUES (1, 2, 3.50), (4, 5, 6.75);
INSERT INTO out_orders (order_id) VALUES (1);
INSERT INTO out_orders SELECT order_id, customer_id, amount FROM orders UNION ALL SELECT order_id, 0, paid FROM payments;
INSERT INTO out_orders (SELECT order_id, customer_id, amount FROM orders);
INSERT INTO out_orders WITH o AS (SELECT * FROM orders) SELECT order_id, customer_id, amount FROM o;
INSERT INTO out_orders /*+ OPTIONS('sink.parallelism' = '2') */ SELECT order_id, customer_id, amount FROM orders;
INSERT INTO out_orders SELECT order_id, customer_id, amount FROM orders /*+ OPTIONS('scan.startup.mode' = 'latest-offset') */;
INSERT INTO out_totals SELECT customer_id, COUNT(*), SUM(amount) FROM orders GROUP BY customer_id;
INSERT INTO out_totals SELECT customer_id, 1, amount FROM orders;
INSERT INTO out_totals SELECT o.customer_id, COUNT(DISTINCT o.order_id), SUM(p.paid) FROM orders o JOIN payments p ON o.order_id = p.order_id GROUP BY o.customer_id;
INSERT INTO out_by_order SELECT order_id, status FROM orders;
INSERT INTO out_by_order SELECT o.order_id, s.carrier FROM orders o LEFT JOIN shipments s ON o.order_id = s.order_id;
INSERT INTO out_by_order SELECT o.order_id, c.name FROM orders o JOIN customers c ON o.customer_id = c.customer_id;
INSERT INTO out_by_order SELECT CAST(product_id AS BIGINT), warehouse FROM cdc_stock;
INSERT INTO out_parts PARTITION (dt = '2026-01-01', hr = '10') SELECT order_id, status FROM orders;
INSERT INTO out_parts PARTITION (dt = '2026-01-01') SELECT order_id, status, currency FROM orders;
INSERT INTO out_parts PARTITION (dt, hr) SELECT order_id, status, currency, 'x' FROM orders;
INSERT INTO out_parts PARTITION (dt = '2026-01-01', hr = '10') (id) SELECT order_id FROM orders;
INSERT OVERWRITE out_parts PARTITION (dt = '2026-01-01', hr = '10') SELECT order_id, status FROM orders;
INSERT OVERWRITE out_parts SELECT order_id, status, currency, 'x' FROM orders;
INSERT INTO out_windows SELECT window_start, window_end, currency, COUNT(*) FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(order_time), INTERVAL '10' MINUTES)) GROUP BY window_start, window_end, currency;
INSERT INTO out_windows TABLE out_windows;
UPDATE out_by_order SET detail = 'gone' WHERE order_id = 7;
UPDATE out_by_order SET detail = UPPER(detail), order_id = order_id + 1;
DELETE FROM out_by_order WHERE detail IS NULL;
DELETE FROM out_by_order;
DELETE FROM out_by_order WHERE order_id IN (SELECT order_id FROM payments WHERE paid < 0);
TRUNCATE TABLE out_by_order;
----
EXECUTE STATEMENT SET
BEGIN
  INSERT INTO out_orders SELECT order_id, customer_id, amount FROM orders;
  INSERT INTO out_totals SELECT customer_id, COUNT(*), SUM(amount) FROM orders GROUP BY customer_id;
END
----
BEGIN STATEMENT SET;
END;
EXECUTE INSERT INTO out_orders SELECT order_id, customer_id, amount FROM orders;
EXECUTE SELECT * FROM orders;
CREATE TABLE latest_customers (customer_id BIGINT, name STRING, PRIMARY KEY (customer_id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'latest');
INSERT INTO latest_customers SELECT customer_id, name FROM customers;
INSERT INTO latest_customers SELECT customer_id, UPPER(name) FROM customers WHERE level > 3;
INSERT INTO latest_customers SELECT CAST(level AS BIGINT), name FROM customers;
INSERT INTO out_by_order SELECT customer_id, name FROM customers;
INSERT INTO out_by_order SELECT CAST(product_id AS BIGINT), MAX(warehouse) FROM cdc_stock GROUP BY product_id;
INSERT INTO out_totals SELECT customer, 1, total FROM order_totals;
INSERT INTO out_totals SELECT customer_id, COUNT(*), MAX(amount) FROM big_orders GROUP BY customer_id, currency;
INSERT INTO out_orders SELECT DISTINCT order_id, customer_id, amount FROM orders;
INSERT INTO latest_customers SELECT customer_id, name FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY updated_at DESC) AS rn FROM customers) WHERE rn = 1;
INSERT INTO latest_customers SELECT o.customer_id, c.name FROM orders o JOIN customers FOR SYSTEM_TIME AS OF o.order_time c ON o.customer_id = c.customer_id;
INSERT INTO latest_customers SELECT customer_id, LAST_VALUE(status) FROM orders GROUP BY customer_id;
