-- Everything that writes, and what stands around it.
SET 'table.exec.state.ttl' = '1 d';
RESET 'table.exec.state.ttl';
INSERT INTO sink SELECT * FROM src;
INSERT INTO c.d.sink (a, b) SELECT x, y FROM src;
INSERT OVERWRITE sink PARTITION (dt = '2024-01-01') (a, b) SELECT x, y FROM src;
INSERT INTO sink /*+ OPTIONS('sink.parallelism'='2') */ VALUES (1, 'a'), (2, NULL);
INSERT INTO sink WITH x AS (SELECT * FROM src) SELECT * FROM x;
INSERT INTO sink (SELECT a FROM src UNION ALL SELECT b FROM src2);
EXECUTE STATEMENT SET BEGIN
INSERT INTO a SELECT * FROM src;
INSERT INTO b SELECT * FROM src WHERE x = ';';
END;
