SELECT a FROM t WHERE d = DATE '2020-13-45';
-- says: S013 at '2020-13-45': '2020-13-45' is no date; write a date that exists as 'yyyy-MM-dd'
SELECT a FROM t WHERE c = TIME '25:00:00';
-- says: S013 at '25:00:00': '25:00:00' is no time of the day; write a time of the day that exists as 'HH:mm:ss'
SELECT a FROM t WHERE c > TIMESTAMP '2020-01-01T00:00:00';
-- says: S013 at '2020-01-01T00:00:00': '2020-01-01T00:00:00' is no point in time; write a point in time that exists as 'yyyy-MM-dd HH:mm:ss'
SELECT a FROM t WHERE c > TIMESTAMP_LTZ '2020-01-01 00:00:00';
-- says: S001 at TIMESTAMP_LTZ: no literal begins with `TIMESTAMP_LTZ`; write TIMESTAMP WITH LOCAL TIME ZONE '...'
-- mended: SELECT a FROM t WHERE c > TIMESTAMP WITH LOCAL TIME ZONE '2020-01-01 00:00:00';
SELECT a FROM t WHERE c > TIMESTAMP WITH TIME ZONE '2020-01-01 00:00:00';
-- says: S001 at TIME: expected `LOCAL`, found the reserved word `TIME`
SELECT a FROM t WHERE b = X'1';
-- says: S013 at X'1': 1 hexadecimal digits: a byte has two; write two digits for each byte: X'0f'
SELECT c + INTERVAL '1-13' YEAR TO MONTH FROM t;
-- says: S013 at '1-13': '1-13' is no length in YEAR TO MONTH; write it as '1-2'
SELECT c + INTERVAL '100' DAY FROM t;
-- says: S013 at '100': 100 has more digits than DAY takes, which is 2; say how many digits there are: DAY(3)
-- mended: SELECT c + INTERVAL '100' DAY(3) FROM t;
SELECT c + INTERVAL '1' MONTH TO YEAR FROM t;
-- says: S001 at TO: expected the end of the statement, found the reserved word `TO`; two units go with a length in single quotes, and are YEAR TO MONTH or DAY, HOUR, MINUTE TO a smaller one, down to SECOND
SELECT c + INTERVAL a DAY TO SECOND FROM t;
-- says: S001 at TO: expected the end of the statement, found the reserved word `TO`; two units go with a length in single quotes, and are YEAR TO MONTH or DAY, HOUR, MINUTE TO a smaller one, down to SECOND
SELECT c + INTERVAL NULL DAY FROM t;
-- says: S001 at INTERVAL: expected the length of the interval, found the reserved word `NULL`; write a string, a number, a column or an expression in brackets: INTERVAL '1' DAY, INTERVAL (a + 1) DAY
SELECT c + INTERVAL f(a) DAY FROM t;
-- says: S001 at (: expected a unit of time, found `(`
SELECT c + INTERVAL '1' MILLISECOND FROM t;
-- says: S001 at MILLISECOND: expected a unit of time, found `MILLISECOND`
