-- Reads the change topic of shop.orders.
CREATE TABLE cdc_orders (
    order_id    BIGINT NOT NULL,
    customer_id BIGINT,
    status      STRING,
    ordered_at  TIMESTAMP(3),
    note        STRING,          -- free text, goes no further than this table
    PRIMARY KEY (order_id) NOT ENFORCED
) WITH (
    'connector' = 'kafka',
    'topic' = 'shop.shop.orders',
    'properties.bootstrap.servers' = '${KAFKA}',
    'properties.group.id' = '${TOPIC_PREFIX}.cdc_orders',
    'scan.startup.mode' = 'earliest-offset',
    'format' = 'debezium-avro-confluent',
    'debezium-avro-confluent.url' = '${REGISTRY}'
);
