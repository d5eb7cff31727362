-- Reads the outbox topic: flat records, inserts only, so no primary key and no
-- envelope. The statement that needs the events reads this table directly.
CREATE TABLE outbox_events (
    event_id    BIGINT NOT NULL,
    event_type  STRING,
    order_id    BIGINT,
    amount      DECIMAL(12, 2),
    payload     STRING,
    occurred_at TIMESTAMP(3)
) WITH (
    'connector' = 'kafka',
    'topic' = 'shop_events.shop.outbox',
    'properties.bootstrap.servers' = '${KAFKA}',
    'properties.group.id' = '${TOPIC_PREFIX}.outbox_events',
    'scan.startup.mode' = 'earliest-offset',
    'format' = 'avro-confluent',
    'avro-confluent.url' = '${REGISTRY}'
);
