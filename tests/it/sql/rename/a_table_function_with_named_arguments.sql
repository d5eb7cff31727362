-- rename: bids -> bids_v2, data -> data_v2
SELECT window_start, SUM(price) FROM TABLE(
    TUMBLE(DATA => TABLE bids, TIMECOL => DESCRIPTOR(bids), SIZE => INTERVAL '10' MINUTES))
GROUP BY window_start, window_end;
-- becomes
SELECT window_start, SUM(price) FROM TABLE(
    TUMBLE(DATA => TABLE bids_v2, TIMECOL => DESCRIPTOR(bids), SIZE => INTERVAL '10' MINUTES))
GROUP BY window_start, window_end;
