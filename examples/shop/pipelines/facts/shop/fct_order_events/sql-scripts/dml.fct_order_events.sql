-- Leaves out the application's heartbeats and the payload, which may hold
-- anything. Stateless, so every event comes out as it went in.
INSERT INTO fct_order_events
SELECT
    event_id,
    UPPER(event_type) AS event_type,
    order_id,
    amount,
    event_type = 'order_paid' AS is_money_in,
    occurred_at
FROM outbox_events
WHERE event_type <> 'heartbeat';
