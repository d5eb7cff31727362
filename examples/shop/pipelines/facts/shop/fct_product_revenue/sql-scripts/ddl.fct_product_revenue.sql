-- One row a product that was sold at least once.
CREATE TABLE fct_product_revenue (
    product_id    BIGINT NOT NULL,
    sku           STRING,
    product_name  STRING,
    category      STRING,
    order_lines   BIGINT,
    units         BIGINT,
    revenue       DECIMAL(18, 2),   -- before discounts, so that it depends on no customer
    last_price    DECIMAL(10, 2),
    last_added_at TIMESTAMP(3),
    PRIMARY KEY (product_id) NOT ENFORCED
) WITH (
    'connector' = 'upsert-kafka',
    'topic' = '${TOPIC_PREFIX}.fct_product_revenue',
    'properties.bootstrap.servers' = '${KAFKA}',
    'key.format' = 'avro-confluent',
    'key.avro-confluent.url' = '${REGISTRY}',
    'value.format' = 'avro-confluent',
    'value.avro-confluent.url' = '${REGISTRY}'
);
