-- The customer as reports see one.
CREATE TABLE dim_customers (
    customer_id  BIGINT NOT NULL,
    email_sha256 STRING,
    full_name    STRING,
    country      STRING,
    region       STRING,
    segment      STRING,
    created_at   TIMESTAMP(3),
    PRIMARY KEY (customer_id) NOT ENFORCED
) WITH (
    'connector' = 'upsert-kafka',
    'topic' = '${TOPIC_PREFIX}.dim_customers',
    'properties.bootstrap.servers' = '${KAFKA}',
    'properties.group.id' = '${TOPIC_PREFIX}.dim_customers',
    'key.format' = 'avro-confluent',
    'key.avro-confluent.url' = '${REGISTRY}',
    'value.format' = 'avro-confluent',
    'value.avro-confluent.url' = '${REGISTRY}'
);
