-- rename: t -> t_v2, s -> s_v2, u -> u_v2, r -> r_v2
MERGE INTO t USING s ON t.id = s.id AND db.t.x IN (SELECT u.x FROM u WHERE u.id = t.id) WHEN MATCHED THEN UPDATE SET t.a = s.a, b = (SELECT MAX(r.b) FROM r) WHEN NOT MATCHED THEN INSERT (id, a) VALUES (s.id, s.a);
MERGE INTO db.t AS x USING db.s AS t ON x.id = t.id WHEN MATCHED THEN UPDATE SET x.a = t.a;
MERGE INTO db.t USING (SELECT s.id FROM s) AS y ON t.id = y.id AND db.t.id > 0 WHEN NOT MATCHED THEN INSERT VALUES (y.id);
-- becomes
MERGE INTO t_v2 USING s_v2 ON t_v2.id = s_v2.id AND db.t.x IN (SELECT u_v2.x FROM u_v2 WHERE u_v2.id = t_v2.id) WHEN MATCHED THEN UPDATE SET t_v2.a = s_v2.a, b = (SELECT MAX(r_v2.b) FROM r_v2) WHEN NOT MATCHED THEN INSERT (id, a) VALUES (s_v2.id, s_v2.a);
MERGE INTO db.t_v2 AS x USING db.s_v2 AS t ON x.id = t.id WHEN MATCHED THEN UPDATE SET x.a = t.a;
MERGE INTO db.t_v2 USING (SELECT s_v2.id FROM s_v2) AS y ON t_v2.id = y.id AND db.t_v2.id > 0 WHEN NOT MATCHED THEN INSERT VALUES (y.id);
