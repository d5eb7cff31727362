-- Joins, windows, numbered rows and patterns as users put them together, for what bounds their state.
CREATE TABLE bids (auction BIGINT, bidder BIGINT, price DECIMAL(10, 2), channel STRING, bid_time TIMESTAMP(3), seen AS PROCTIME(), WATERMARK FOR bid_time AS bid_time - INTERVAL '2' SECOND) WITH ('connector' = 'kafka', 'topic' = 'bids', 'format' = 'json');
CREATE TABLE auctions (id BIGINT, seller BIGINT, category STRING, opened TIMESTAMP(3), closes TIMESTAMP(3), WATERMARK FOR opened AS opened - INTERVAL '2' SECOND) WITH ('connector' = 'kafka', 'topic' = 'auctions', 'format' = 'json');
CREATE TABLE people (id BIGINT, name STRING, joined TIMESTAMP(3), WATERMARK FOR joined AS joined - INTERVAL '2' SECOND) WITH ('connector' = 'kafka', 'topic' = 'people', 'format' = 'json');
CREATE TABLE sensor (device STRING, temperature DOUBLE, measured TIMESTAMP_LTZ(3), WATERMARK FOR measured AS measured - INTERVAL '5' SECOND) WITH ('connector' = 'kafka', 'topic' = 'sensor', 'format' = 'json');
CREATE TABLE alarms (device STRING, level INT, raised TIMESTAMP_LTZ(3), WATERMARK FOR raised AS raised) WITH ('connector' = 'kafka', 'topic' = 'alarms', 'format' = 'json');
-- Cumulating and hopping windows.
SELECT window_start, window_end, SUM(price) AS turnover FROM TABLE(CUMULATE(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '10' MINUTES, INTERVAL '1' DAY)) GROUP BY window_start, window_end;
SELECT auction, window_end, COUNT(DISTINCT bidder) AS bidders FROM TABLE(CUMULATE(DATA => TABLE bids, TIMECOL => DESCRIPTOR(bid_time), STEP => INTERVAL '1' HOUR, SIZE => INTERVAL '1' DAY)) GROUP BY auction, window_start, window_end;
SELECT * FROM (SELECT auction, window_end, SUM(price) AS s, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY SUM(price) DESC) AS rn FROM TABLE(CUMULATE(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '1' HOUR, INTERVAL '1' DAY)) GROUP BY auction, window_start, window_end) WHERE rn <= 10;
SELECT bidder, window_start, AVG(price) AS a FROM TABLE(HOP(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '30' SECOND, INTERVAL '5' MINUTE)) GROUP BY bidder, window_start, window_end;
SELECT window_start, window_end, channel, GROUPING(channel) AS g, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '10' MINUTE)) GROUP BY window_start, window_end, CUBE (channel);
SELECT window_start AS ws, window_end AS we, SUM(n) AS n FROM (SELECT window_start, window_end, auction, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, auction) GROUP BY window_start, window_end;
SELECT window_start, SUM(n) AS n FROM TABLE(TUMBLE((SELECT auction, window_time, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '1' MINUTE)) GROUP BY auction, window_start, window_end, window_time), DESCRIPTOR(window_time), INTERVAL '1' HOUR)) GROUP BY window_start, window_end;
SELECT TUMBLE_START(bid_time, INTERVAL '1' HOUR) AS s, bidder, MAX(price) AS m FROM bids GROUP BY TUMBLE(bid_time, INTERVAL '1' HOUR), bidder;
SELECT HOP_END(bid_time, INTERVAL '5' MINUTE, INTERVAL '1' HOUR) AS e, COUNT(*) AS n FROM bids GROUP BY HOP(bid_time, INTERVAL '5' MINUTE, INTERVAL '1' HOUR) HAVING COUNT(*) > 10;
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '1' HOUR)) WHERE channel = 'web' GROUP BY window_start, window_end HAVING COUNT(*) > 3;
SELECT DATE_FORMAT(window_start, 'yyyy-MM-dd') AS d, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '1' DAY)) GROUP BY window_start, window_end;
SELECT DATE_FORMAT(bid_time, 'yyyy-MM-dd HH:mm') AS minute_of_day, COUNT(*) AS n FROM bids GROUP BY DATE_FORMAT(bid_time, 'yyyy-MM-dd HH:mm');
SELECT window_start, device, MAX(temperature) AS m FROM TABLE(TUMBLE(TABLE sensor, DESCRIPTOR(measured), INTERVAL '1' MINUTE, INTERVAL '10' SECOND)) GROUP BY window_start, window_end, device;
-- Sessions.
SELECT bidder, window_start, window_end, COUNT(*) AS n FROM TABLE(SESSION(TABLE bids PARTITION BY bidder, DESCRIPTOR(bid_time), INTERVAL '30' MINUTE)) GROUP BY bidder, window_start, window_end;
SELECT bidder, COUNT(*) AS n FROM TABLE(SESSION(DATA => TABLE bids PARTITION BY bidder, TIMECOL => DESCRIPTOR(bid_time), GAP => INTERVAL '30' MINUTE)) GROUP BY window_start, window_end, bidder;
SELECT bidder, channel, COUNT(*) AS n FROM TABLE(SESSION(TABLE bids PARTITION BY (bidder, channel), DESCRIPTOR(bid_time), INTERVAL '30' MINUTE)) GROUP BY window_start, window_end, channel, bidder;
SELECT bidder, COUNT(*) AS n FROM TABLE(SESSION(TABLE bids PARTITION BY (bidder, channel), DESCRIPTOR(bid_time), INTERVAL '30' MINUTE)) GROUP BY window_start, window_end, bidder;
SELECT bidder, COUNT(*) AS n FROM TABLE(SESSION(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '30' MINUTE)) GROUP BY window_start, window_end, bidder;
SELECT auction, price FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, bidder ORDER BY bid_time DESC) AS rn FROM TABLE(SESSION(TABLE bids PARTITION BY bidder, DESCRIPTOR(bid_time), INTERVAL '30' MINUTE))) WHERE rn = 1;
SELECT bidder, SUM(price) OVER (PARTITION BY bidder, window_start, window_end ORDER BY bid_time) AS s FROM TABLE(SESSION(TABLE bids PARTITION BY bidder, DESCRIPTOR(bid_time), INTERVAL '30' MINUTE));
SELECT SESSION_START(bid_time, INTERVAL '30' MINUTE) AS s, SESSION_END(bid_time, INTERVAL '30' MINUTE) AS e, bidder FROM bids GROUP BY bidder, SESSION(bid_time, INTERVAL '30' MINUTE);
-- Joins within a span of time.
SELECT a.id, b.price FROM auctions a JOIN bids b ON a.id = b.auction AND b.bid_time BETWEEN a.opened AND a.opened + INTERVAL '7' DAY;
SELECT a.id, b.price, p.name FROM auctions a JOIN bids b ON a.id = b.auction AND b.bid_time BETWEEN a.opened AND a.opened + INTERVAL '7' DAY JOIN people p ON p.id = b.bidder AND p.joined BETWEEN b.bid_time - INTERVAL '1' DAY AND b.bid_time;
SELECT a.id, b.price, p.name FROM auctions a LEFT JOIN bids b ON a.id = b.auction AND b.bid_time BETWEEN a.opened AND a.opened + INTERVAL '7' DAY LEFT JOIN people p ON p.id = a.seller AND p.joined BETWEEN a.opened - INTERVAL '1' DAY AND a.opened;
SELECT a.id FROM auctions a, bids b, people p WHERE a.id = b.auction AND p.id = b.bidder AND b.bid_time >= a.opened AND b.bid_time < a.opened + INTERVAL '1' HOUR AND p.joined >= b.bid_time - INTERVAL '1' HOUR AND p.joined <= b.bid_time;
SELECT a.id, b.price FROM auctions a JOIN bids b ON a.id = b.auction AND b.bid_time BETWEEN a.opened AND a.closes;
SELECT a.id, b.price FROM auctions a JOIN bids b ON a.id = b.auction AND b.bid_time >= a.opened - INTERVAL '1' MINUTE AND b.bid_time <= a.opened + INTERVAL '1' MINUTE WHERE b.price > 100;
SELECT a.id, COUNT(b.price) AS n FROM auctions a LEFT JOIN bids b ON a.id = b.auction AND b.bid_time BETWEEN a.opened AND a.opened + INTERVAL '1' HOUR GROUP BY a.id;
SELECT s.device, a.level FROM sensor s JOIN alarms a ON s.device = a.device AND s.measured BETWEEN a.raised - INTERVAL '1' MINUTE AND a.raised + INTERVAL '1' MINUTE;
SELECT s.device FROM sensor s LEFT JOIN alarms a ON s.device = a.device AND a.raised BETWEEN s.measured AND s.measured + INTERVAL '1' MINUTE WHERE a.level IS NULL;
SELECT s.device, a.level FROM sensor s LEFT JOIN alarms a ON s.device = a.device AND a.raised BETWEEN s.measured AND s.measured + INTERVAL '1' MINUTE WHERE a.level >= 2;
SELECT b1.auction FROM bids b1 JOIN bids b2 ON b1.auction = b2.auction AND b1.bidder <> b2.bidder AND b2.bid_time BETWEEN b1.bid_time AND b1.bid_time + INTERVAL '10' SECOND;
SELECT b1.auction FROM bids b1 JOIN bids b2 ON b1.auction = b2.auction AND ABS(TIMESTAMPDIFF(SECOND, b1.bid_time, b2.bid_time)) < 10;
SELECT window_start, SUM(price) AS s FROM TABLE(TUMBLE((SELECT a.category, b.price, b.bid_time FROM auctions a JOIN bids b ON a.id = b.auction AND b.bid_time BETWEEN a.opened AND a.opened + INTERVAL '1' DAY), DESCRIPTOR(bid_time), INTERVAL '1' HOUR)) GROUP BY window_start, window_end;
SELECT id, MAX(price) AS m FROM (SELECT a.id, b.price, b.bid_time FROM auctions a JOIN bids b ON a.id = b.auction AND b.bid_time BETWEEN a.opened AND a.opened + INTERVAL '1' DAY) GROUP BY id, TUMBLE(bid_time, INTERVAL '1' HOUR);
-- Joins of windows, and what stands on them.
SELECT L.auction, L.n, R.m FROM (SELECT auction, window_start, window_end, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '1' HOUR)) GROUP BY auction, window_start, window_end) L JOIN (SELECT id, window_start, window_end, COUNT(*) AS m FROM TABLE(TUMBLE(TABLE auctions, DESCRIPTOR(opened), INTERVAL '60' MINUTE)) GROUP BY id, window_start, window_end) R ON L.auction = R.id AND L.window_start = R.window_start AND L.window_end = R.window_end;
SELECT * FROM (SELECT L.auction, L.price, ROW_NUMBER() OVER (PARTITION BY L.window_start, L.window_end ORDER BY L.price DESC) AS rn FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '1' HOUR)) L JOIN TABLE(TUMBLE(TABLE auctions, DESCRIPTOR(opened), INTERVAL '1' HOUR)) R ON L.auction = R.id AND L.window_start = R.window_start AND L.window_end = R.window_end) WHERE rn <= 3;
SELECT L.window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '1' HOUR)) L JOIN TABLE(TUMBLE(TABLE auctions, DESCRIPTOR(opened), INTERVAL '1' HOUR)) R ON L.auction = R.id AND L.window_start = R.window_start AND L.window_end = R.window_end GROUP BY L.window_start, L.window_end;
SELECT L.auction FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '1' HOUR)) L WHERE L.auction IN (SELECT R.id FROM TABLE(TUMBLE(TABLE auctions, DESCRIPTOR(opened), INTERVAL '1' HOUR)) R WHERE L.window_start = R.window_start AND L.window_end = R.window_end);
SELECT L.auction FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '1' HOUR)) L JOIN TABLE(TUMBLE(TABLE auctions, DESCRIPTOR(opened), INTERVAL '1' HOUR)) R ON L.auction = R.id AND L.window_start = R.window_start;
SELECT COALESCE(L.window_start, R.window_start) AS ws, L.auction, R.id FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '1' MINUTES)) L FULL JOIN TABLE(TUMBLE(TABLE auctions, DESCRIPTOR(opened), INTERVAL '60' SECONDS)) R ON L.auction = R.id AND L.window_start = R.window_start AND L.window_end = R.window_end;
SELECT L.device, R.level FROM TABLE(TUMBLE(TABLE sensor, DESCRIPTOR(measured), INTERVAL '1' MINUTE)) L LEFT JOIN TABLE(TUMBLE(TABLE alarms, DESCRIPTOR(raised), INTERVAL '60' SECOND)) R ON L.device = R.device AND L.window_start = R.window_start AND L.window_end = R.window_end WHERE R.level > 1;
SELECT L.device FROM TABLE(TUMBLE(TABLE sensor, DESCRIPTOR(measured), INTERVAL '1' HOUR)) L LEFT JOIN TABLE(TUMBLE(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '1' HOUR)) R ON L.device = R.channel AND L.window_start = R.window_start AND L.window_end = R.window_end;
-- Numbered rows.
SELECT auction, bidder FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY bid_time) AS rn FROM bids) WHERE rn = 1;
SELECT auction, bidder FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY bid_time DESC) AS rn FROM bids) WHERE rn = 1;
SELECT auction, bidder FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY seen) AS rn FROM bids) WHERE rn = 1;
SELECT auction, bidder FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY seen DESC) AS rn FROM bids) WHERE rn = 1;
SELECT auction, price FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY price DESC) AS rn FROM bids) WHERE rn <= 10;
SELECT auction, price FROM bids QUALIFY ROW_NUMBER() OVER (PARTITION BY channel ORDER BY price DESC) <= 3;
SELECT d.auction, a.category FROM (SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY bid_time) AS rn FROM bids) WHERE rn = 1) d JOIN auctions a ON a.id = d.auction AND d.bid_time BETWEEN a.opened AND a.opened + INTERVAL '1' DAY;
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE((SELECT auction, bid_time FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY bid_time) AS rn FROM bids) WHERE rn = 1), DESCRIPTOR(bid_time), INTERVAL '1' HOUR)) GROUP BY window_start, window_end;
SELECT auction, bidder, price FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, auction ORDER BY bid_time DESC) AS rn FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '1' MINUTE))) WHERE rn = 1;
SELECT window_start, channel, n FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY n DESC, channel) AS place FROM (SELECT window_start, window_end, channel, COUNT(*) AS n FROM TABLE(HOP(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '1' MINUTE, INTERVAL '5' MINUTE)) GROUP BY window_start, window_end, channel)) WHERE place <= 3;
-- Orders and limits.
SELECT auction, price, bid_time FROM bids ORDER BY bid_time;
SELECT auction, price FROM bids ORDER BY price DESC LIMIT 10;
SELECT channel, COUNT(*) AS n FROM bids GROUP BY channel ORDER BY n DESC LIMIT 5;
SELECT * FROM bids ORDER BY bid_time DESC LIMIT 1;
SELECT a.id, a.category FROM (SELECT id, category, opened FROM auctions ORDER BY opened LIMIT 100) a JOIN bids b ON a.id = b.auction;
-- Functions over rows, patterns, and what stands on a temporal join.
SELECT auction, AVG(price) OVER (PARTITION BY auction ORDER BY bid_time RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW) AS a FROM bids;
SELECT auction, COUNT(*) OVER w AS n, SUM(price) OVER w AS s FROM bids WINDOW w AS (PARTITION BY auction ORDER BY bid_time ROWS BETWEEN 10 PRECEDING AND CURRENT ROW);
SELECT device, LAG(temperature) OVER (PARTITION BY device ORDER BY measured) AS before FROM sensor;
SELECT * FROM sensor MATCH_RECOGNIZE (PARTITION BY device ORDER BY measured MEASURES FIRST(A.measured) AS since, LAST(B.temperature) AS t PATTERN (A B+) WITHIN INTERVAL '10' MINUTE DEFINE B AS B.temperature > A.temperature);
SELECT m.device, COUNT(*) AS n FROM sensor MATCH_RECOGNIZE (PARTITION BY device ORDER BY measured MEASURES MATCH_ROWTIME() AS matched PATTERN (A B) WITHIN INTERVAL '10' MINUTE DEFINE B AS B.temperature > A.temperature + 10) AS m GROUP BY m.device, TUMBLE(m.matched, INTERVAL '1' HOUR);
SELECT r.currency, SUM(o.amount * r.rate) AS s FROM orders o JOIN rates FOR SYSTEM_TIME AS OF o.order_time AS r ON o.currency = r.currency GROUP BY r.currency;
SELECT currency, TUMBLE_END(order_time, INTERVAL '1' HOUR) AS e, SUM(amount * rate) AS s FROM (SELECT o.currency, o.amount, o.order_time, r.rate FROM orders o LEFT JOIN rates FOR SYSTEM_TIME AS OF o.order_time AS r ON o.currency = r.currency) GROUP BY currency, TUMBLE(order_time, INTERVAL '1' HOUR);
SELECT window_start, currency, SUM(amount * rate) AS s FROM TABLE(TUMBLE((SELECT o.currency, o.amount, o.order_time, r.rate FROM orders o JOIN rates FOR SYSTEM_TIME AS OF o.order_time AS r ON o.currency = r.currency), DESCRIPTOR(order_time), INTERVAL '1' HOUR)) GROUP BY window_start, window_end, currency;
