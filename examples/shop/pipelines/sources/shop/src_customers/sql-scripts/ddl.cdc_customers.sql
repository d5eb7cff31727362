-- Reads the change topic of shop.customers; no statement of this project writes it.
-- Columns are nullable although the database says NOT NULL: a record written before
-- a column existed has no value for it, and NOT NULL here would fail on that record.
CREATE TABLE cdc_customers (
    customer_id   BIGINT NOT NULL,
    email         STRING,
    full_name     STRING,
    country       STRING,
    segment       STRING,          -- NULL until marketing sorted the customer
    discount_rate DECIMAL(3, 2),   -- 0.15 means 15 percent off
    created_at    TIMESTAMP(3),    -- wall clock of the shop, which is UTC
    PRIMARY KEY (customer_id) NOT ENFORCED
) WITH (
    'connector' = 'kafka',
    'topic' = 'shop.shop.customers',
    'properties.bootstrap.servers' = '${KAFKA}',
    'properties.group.id' = '${TOPIC_PREFIX}.cdc_customers',
    'scan.startup.mode' = 'earliest-offset',
    'format' = 'debezium-avro-confluent',
    'debezium-avro-confluent.url' = '${REGISTRY}'
);
