-- rename: a -> a_v2, b -> b_v2
SELECT /*+ BROADCAST(a), STATE_TTL('a' = '1d', 'b' = '2d'), LOOKUP('table'='r') */ *
FROM a /*+ OPTIONS('a' = 'b') */ JOIN b AS b ON a.id = b.id JOIN rates AS r ON TRUE;
-- becomes
SELECT /*+ BROADCAST(a_v2), STATE_TTL('a_v2' = '1d', 'b' = '2d'), LOOKUP('table'='r') */ *
FROM a_v2 /*+ OPTIONS('a' = 'b') */ JOIN b_v2 AS b ON a_v2.id = b.id JOIN rates AS r ON TRUE;
