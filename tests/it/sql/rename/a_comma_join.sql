-- rename: a -> a_v2, b -> b_v2
INSERT INTO sink SELECT a.x, b.y, c.z FROM a, b AS b, c WHERE a.id = b.id AND c.id=a.id;
-- becomes
INSERT INTO sink SELECT a_v2.x, b.y, c.z FROM a_v2, b_v2 AS b, c WHERE a_v2.id = b.id AND c.id=a_v2.id;
