-- What the topic of fct_order_events must hold, each row exactly once, under read_committed.
-- The fact has no warehouse table. No column of shop.customers reaches it.
SELECT
    event_id,
    upper(event_type) AS event_type,
    order_id,
    amount,
    event_type = 'order_paid' AS is_money_in,
    occurred_at
FROM shop.outbox
WHERE event_type <> 'heartbeat'
