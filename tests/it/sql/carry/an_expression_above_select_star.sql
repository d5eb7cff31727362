-- carry: orders.note as remark: COALESCE({}, '')
INSERT INTO sink SELECT x.id FROM (SELECT * FROM orders) AS x;
-- becomes
INSERT INTO sink SELECT x.id, COALESCE(x.note, '') AS remark FROM (SELECT * FROM orders) AS x;
