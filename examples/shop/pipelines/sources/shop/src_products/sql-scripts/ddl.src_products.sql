-- Products that are really sold.
CREATE TABLE src_products (
    product_id BIGINT NOT NULL,
    sku        STRING,
    name       STRING,
    category   STRING,
    price      DECIMAL(10, 2),   -- today's list price; what was paid stands on the order line
    PRIMARY KEY (product_id) NOT ENFORCED
) WITH (
    'connector' = 'upsert-kafka',
    'topic' = '${TOPIC_PREFIX}.src_products',
    'properties.bootstrap.servers' = '${KAFKA}',
    'properties.group.id' = '${TOPIC_PREFIX}.src_products',
    'key.format' = 'avro-confluent',
    'key.avro-confluent.url' = '${REGISTRY}',
    'value.format' = 'avro-confluent',
    'value.avro-confluent.url' = '${REGISTRY}'
);
