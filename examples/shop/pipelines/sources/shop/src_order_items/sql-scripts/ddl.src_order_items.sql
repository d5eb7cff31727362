-- Order lines under the key that people use: order and line instead of item_id.
CREATE TABLE src_order_items (
    order_id   BIGINT NOT NULL,
    line_no    INT NOT NULL,
    product_id BIGINT,
    quantity   INT,
    unit_price DECIMAL(10, 2),   -- before the customer's discount
    added_at   TIMESTAMP(3),
    PRIMARY KEY (order_id, line_no) NOT ENFORCED
) WITH (
    'connector' = 'upsert-kafka',
    'topic' = '${TOPIC_PREFIX}.src_order_items',
    'properties.bootstrap.servers' = '${KAFKA}',
    'properties.group.id' = '${TOPIC_PREFIX}.src_order_items',
    'key.format' = 'avro-confluent',
    'key.avro-confluent.url' = '${REGISTRY}',
    'value.format' = 'avro-confluent',
    'value.avro-confluent.url' = '${REGISTRY}'
);
