-- One row a customer, without the address: from here on a customer is known by
-- the digest of the e-mail, which still joins but cannot be written to.
CREATE TABLE src_customers (
    customer_id   BIGINT NOT NULL,
    email_sha256  STRING,
    full_name     STRING,
    country       STRING,
    segment       STRING,
    discount_rate DECIMAL(3, 2),
    created_at    TIMESTAMP(3),
    PRIMARY KEY (customer_id) NOT ENFORCED
) WITH (
    'connector' = 'upsert-kafka',
    'topic' = '${TOPIC_PREFIX}.src_customers',
    'properties.bootstrap.servers' = '${KAFKA}',
    'properties.group.id' = '${TOPIC_PREFIX}.src_customers',
    'key.format' = 'avro-confluent',
    'key.avro-confluent.url' = '${REGISTRY}',
    'value.format' = 'avro-confluent',
    'value.avro-confluent.url' = '${REGISTRY}'
);
