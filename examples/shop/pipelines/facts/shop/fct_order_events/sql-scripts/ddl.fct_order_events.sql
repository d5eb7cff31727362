-- Every business event once, in an append-only topic. Exactly-once: what an aborted
-- transaction wrote is never visible to a reader that reads committed records only.
CREATE TABLE fct_order_events (
    event_id    BIGINT NOT NULL,
    event_type  STRING,
    order_id    BIGINT,
    amount      DECIMAL(12, 2),
    is_money_in BOOLEAN,
    occurred_at TIMESTAMP(3)
) WITH (
    'connector' = 'kafka',
    'topic' = '${TOPIC_PREFIX}.fct_order_events',
    'properties.bootstrap.servers' = '${KAFKA}',
    'properties.transaction.timeout.ms' = '600000',
    'sink.delivery-guarantee' = 'exactly-once',
    'sink.transactional-id-prefix' = '${TOPIC_PREFIX}.fct_order_events',
    'key.format' = 'avro-confluent',
    'key.avro-confluent.url' = '${REGISTRY}',
    'key.fields' = 'event_id',
    'value.format' = 'avro-confluent',
    'value.avro-confluent.url' = '${REGISTRY}'
);
