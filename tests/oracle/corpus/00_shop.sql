-- The tables that every other file uses.
CREATE TABLE orders (
  order_id BIGINT,
  customer_id BIGINT NOT NULL,
  product_id INT,
  amount DECIMAL(10, 2),
  currency STRING,
  status STRING,
  tags ARRAY<STRING>,
  attributes MAP<STRING, STRING>,
  address ROW<street STRING, city STRING, geo ROW<lat DOUBLE, lon DOUBLE>>,
  order_time TIMESTAMP(3),
  proc_time AS PROCTIME(),
  amount_with_tax AS amount * 1.2,
  kafka_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  `partition` INT METADATA VIRTUAL,
  WATERMARK FOR order_time AS order_time - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'properties.bootstrap.servers' = 'broker:9092',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'avro-confluent'
);

CREATE TABLE payments (
  payment_id STRING,
  order_id BIGINT,
  paid DECIMAL(10, 2),
  pay_method STRING,
  pay_time TIMESTAMP(3),
  WATERMARK FOR pay_time AS pay_time - INTERVAL '10' SECOND
) WITH ('connector' = 'kafka', 'topic' = 'payments', 'format' = 'json');

CREATE TABLE shipments (
  shipment_id BIGINT,
  order_id BIGINT,
  carrier STRING,
  weight DOUBLE,
  ship_time TIMESTAMP(3),
  WATERMARK FOR ship_time AS ship_time - INTERVAL '1' MINUTE
) WITH ('connector' = 'kafka', 'topic' = 'shipments', 'format' = 'json');

CREATE TABLE customers (
  customer_id BIGINT,
  name STRING,
  email STRING,
  city STRING,
  level INT,
  updated_at TIMESTAMP(3),
  WATERMARK FOR updated_at AS updated_at,
  PRIMARY KEY (customer_id) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'customers',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE rates (
  currency STRING,
  rate DECIMAL(12, 6),
  valid_from TIMESTAMP(3),
  WATERMARK FOR valid_from AS valid_from - INTERVAL '15' SECOND,
  CONSTRAINT pk PRIMARY KEY (currency) NOT ENFORCED
) WITH ('connector' = 'upsert-kafka', 'topic' = 'rates', 'key.format' = 'json', 'value.format' = 'json');

CREATE TABLE products (
  product_id INT,
  title STRING,
  category STRING,
  price DECIMAL(10, 2),
  PRIMARY KEY (product_id) NOT ENFORCED
) WITH ('connector' = 'jdbc', 'url' = 'jdbc:postgresql://db/shop', 'table-name' = 'products');

CREATE TABLE clicks (
  user_id BIGINT,
  url STRING,
  referrer STRING,
  payload STRING,
  click_time TIMESTAMP_LTZ(3),
  WATERMARK FOR click_time AS click_time - INTERVAL '1' SECOND
) WITH ('connector' = 'kafka', 'topic' = 'clicks', 'format' = 'json');

CREATE TABLE cdc_stock (
  product_id INT,
  warehouse STRING,
  quantity INT,
  PRIMARY KEY (product_id, warehouse) NOT ENFORCED
) WITH ('connector' = 'kafka', 'topic' = 'stock', 'format' = 'debezium-json');

CREATE TABLE ticker (
  symbol STRING,
  price INT,
  tax INT,
  row_time TIMESTAMP(3),
  WATERMARK FOR row_time AS row_time - INTERVAL '1' SECOND
) WITH ('connector' = 'kafka', 'topic' = 'ticker', 'format' = 'json');

CREATE TABLE out_orders (
  order_id BIGINT,
  customer_id BIGINT,
  amount DECIMAL(10, 2)
) WITH ('connector' = 'kafka', 'topic' = 'out-orders', 'format' = 'json');

CREATE TABLE out_totals (
  customer_id BIGINT,
  orders_count BIGINT,
  total DECIMAL(38, 2),
  PRIMARY KEY (customer_id) NOT ENFORCED
) WITH ('connector' = 'upsert-kafka', 'topic' = 'out-totals', 'key.format' = 'json', 'value.format' = 'json');

CREATE TABLE out_windows (
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  k STRING,
  n BIGINT
) WITH ('connector' = 'kafka', 'topic' = 'out-windows', 'format' = 'json');

CREATE TABLE out_by_order (
  order_id BIGINT,
  detail STRING,
  PRIMARY KEY (order_id) NOT ENFORCED
) WITH ('connector' = 'jdbc', 'url' = 'jdbc:postgresql://db/shop', 'table-name' = 'by_order');

CREATE TABLE out_parts (
  id BIGINT,
  v STRING,
  dt STRING,
  hr STRING
) PARTITIONED BY (dt, hr) WITH ('connector' = 'filesystem', 'path' = '/data/parts', 'format' = 'json');

CREATE VIEW big_orders AS SELECT order_id, customer_id, amount, currency, order_time FROM orders WHERE amount > 100;

CREATE VIEW order_totals (customer, total) AS SELECT customer_id, SUM(amount) FROM orders GROUP BY customer_id;
