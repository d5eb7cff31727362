-- rename: orders -> orders_v2
﻿INSERT INTO sink
SELECT größe -- orders é
FROM orders;
-- becomes
﻿INSERT INTO sink
SELECT größe -- orders é
FROM orders_v2;
