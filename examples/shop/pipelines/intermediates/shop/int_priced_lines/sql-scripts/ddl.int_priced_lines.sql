-- Order lines with what the customer pays for them.
CREATE TABLE int_priced_lines (
    order_id    BIGINT NOT NULL,
    line_no     INT NOT NULL,
    customer_id BIGINT,
    product_id  BIGINT,
    status      STRING,
    ordered_at  TIMESTAMP(3),
    quantity    INT,
    unit_price  DECIMAL(10, 2),
    line_amount DECIMAL(14, 4),   -- four digits: two of the price, two of the discount
    PRIMARY KEY (order_id, line_no) NOT ENFORCED
) WITH (
    'connector' = 'upsert-kafka',
    'topic' = '${TOPIC_PREFIX}.int_priced_lines',
    'properties.bootstrap.servers' = '${KAFKA}',
    'properties.group.id' = '${TOPIC_PREFIX}.int_priced_lines',
    'key.format' = 'avro-confluent',
    'key.avro-confluent.url' = '${REGISTRY}',
    'value.format' = 'avro-confluent',
    'value.avro-confluent.url' = '${REGISTRY}'
);
