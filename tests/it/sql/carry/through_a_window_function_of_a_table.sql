-- carry: bids.note as note
INSERT INTO sink SELECT w.id, w.window_end FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' HOUR)) AS w;
-- becomes
INSERT INTO sink SELECT w.id, w.window_end, w.note FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' HOUR)) AS w;
