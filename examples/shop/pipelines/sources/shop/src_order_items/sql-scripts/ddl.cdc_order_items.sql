-- Reads the change topic of shop.order_items, keyed as in the database.
CREATE TABLE cdc_order_items (
    item_id    BIGINT NOT NULL,
    order_id   BIGINT,
    line_no    INT,
    product_id BIGINT,
    quantity   INT,
    unit_price DECIMAL(10, 2),
    added_at   TIMESTAMP(3),
    PRIMARY KEY (item_id) NOT ENFORCED
) WITH (
    'connector' = 'kafka',
    'topic' = 'shop.shop.order_items',
    'properties.bootstrap.servers' = '${KAFKA}',
    'properties.group.id' = '${TOPIC_PREFIX}.cdc_order_items',
    'scan.startup.mode' = 'earliest-offset',
    'format' = 'debezium-avro-confluent',
    'debezium-avro-confluent.url' = '${REGISTRY}'
);
