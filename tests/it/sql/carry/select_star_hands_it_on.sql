-- carry: orders.note as note
INSERT INTO sink SELECT * FROM orders WHERE paid;
-- becomes
INSERT INTO sink SELECT * FROM orders WHERE paid;
