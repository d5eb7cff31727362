-- Reads the change topic of shop.products.
CREATE TABLE cdc_products (
    product_id BIGINT NOT NULL,
    sku        STRING,
    name       STRING,
    category   STRING,
    price      DECIMAL(10, 2),
    is_test    BOOLEAN,
    PRIMARY KEY (product_id) NOT ENFORCED
) WITH (
    'connector' = 'kafka',
    'topic' = 'shop.shop.products',
    'properties.bootstrap.servers' = '${KAFKA}',
    'properties.group.id' = '${TOPIC_PREFIX}.cdc_products',
    'scan.startup.mode' = 'earliest-offset',
    'format' = 'debezium-avro-confluent',
    'debezium-avro-confluent.url' = '${REGISTRY}'
);
