-- The last line on which each product was put on an order.
CREATE TABLE int_last_lines (
    product_id BIGINT NOT NULL,
    order_id   BIGINT,
    line_no    INT,
    unit_price DECIMAL(10, 2),
    added_at   TIMESTAMP(3),
    PRIMARY KEY (product_id) NOT ENFORCED
) WITH (
    'connector' = 'upsert-kafka',
    'topic' = '${TOPIC_PREFIX}.int_last_lines',
    'properties.bootstrap.servers' = '${KAFKA}',
    'properties.group.id' = '${TOPIC_PREFIX}.int_last_lines',
    'key.format' = 'avro-confluent',
    'key.avro-confluent.url' = '${REGISTRY}',
    'value.format' = 'avro-confluent',
    'value.avro-confluent.url' = '${REGISTRY}'
);
