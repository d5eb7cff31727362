-- One row a sold order line, with its customer and its product.
CREATE TABLE fct_orders_enriched (
    order_id     BIGINT NOT NULL,
    line_no      INT NOT NULL,
    status       STRING,
    ordered_at   TIMESTAMP(3),
    customer_id  BIGINT,
    email_sha256 STRING,
    full_name    STRING,
    country      STRING,
    region       STRING,
    segment      STRING,
    product_id   BIGINT,
    sku          STRING,
    product_name STRING,
    category     STRING,
    quantity     INT,
    unit_price   DECIMAL(10, 2),
    line_amount  DECIMAL(14, 4),
    PRIMARY KEY (order_id, line_no) NOT ENFORCED
) WITH (
    'connector' = 'upsert-kafka',
    'topic' = '${TOPIC_PREFIX}.fct_orders_enriched',
    'properties.bootstrap.servers' = '${KAFKA}',
    'key.format' = 'avro-confluent',
    'key.avro-confluent.url' = '${REGISTRY}',
    'value.format' = 'avro-confluent',
    'value.avro-confluent.url' = '${REGISTRY}'
);
