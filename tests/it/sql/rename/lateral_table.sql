-- rename: orders -> orders_v2, split -> split_v2, word -> word_v2
SELECT orders.id, word.w FROM orders, LATERAL TABLE(split(orders.text)) AS word (w)
LEFT JOIN LATERAL (SELECT * FROM items WHERE items.oid = orders.id) ON TRUE
CROSS JOIN UNNEST(orders.tags) AS t (tag);
-- becomes
SELECT orders_v2.id, word.w FROM orders_v2, LATERAL TABLE(split(orders_v2.text)) AS word (w)
LEFT JOIN LATERAL (SELECT * FROM items WHERE items.oid = orders_v2.id) ON TRUE
CROSS JOIN UNNEST(orders_v2.tags) AS t (tag);
