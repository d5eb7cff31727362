-- carry: orders.note as note
INSERT INTO sink SELECT x.a FROM (SELECT id FROM orders) AS x (a) JOIN y ON x.a = y.a;
-- becomes
INSERT INTO sink SELECT x.a, x.note FROM (SELECT id, note FROM orders) AS x (a, note) JOIN y ON x.a = y.a;
