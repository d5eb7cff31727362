//! What stands in the quotes of a literal, against Flink's planner: its grammar takes every text.

use cyanotype::sql;

use crate::flink;

#[rustfmt::skip]
const DATES: &[&str] = &[
    "2020-01-01", "2020-1-1", "2020-13-45", "2020-02-29", "2020-02-30", "2019-02-29", "1900-02-29", "2000-02-29", "1500-02-29",
    "2020-04-31", "2020-00-01", "2020-01-00", "2020-01-32", "20200101", "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01",
    " 2020-01-01", "2020-01-01 ", "2020- 1-01", "2020-01", "2020", "", "-2020-01-01", "+2020-01-01", "2020--1-01", "2020/01/01",
    "2020-1-1x", "1-1-1", "020-01-01", "1582-10-04", "1582-10-10", "1582-10-15", "nonsense", "2020-01-01T00:00:00",
];

#[rustfmt::skip]
const TIMES: &[&str] = &[
    "00:00:00", "23:59:59", "24:00:00", "25:00:00", "23:60:00", "23:59:60", "23:59", "23", "1:2:3", "001:02:03", " 01:02:03",
    "01:02:03 ", "01:02:03.", "01:02:03.123", "01:02:03.1234567890123", "01:02:03.x", "01:02:03x", "01:02:03Z", "-1:02:03",
    "01:02:03.1 ", "01:02:03.-1", "", "01:02:03+01:00",
];

#[rustfmt::skip]
const INTERVALS: &[&str] = &[
    "1", "99", "099", "100", "0100", "-1", "+1", "--1", "- 1", "-100", " 1 ", " ", "x", "1.5", "1.1234567", "1.", ".5", "1-1",
    "1-11", "1-12", "1-13", "-1-1", "1--1", "1-001", "100-1", "1 1", "1 23", "1 24", "1  1", "1 1:1", "1 1:60", "1 25:00", "1:1",
    "1:60", "100:1", "1:1:1", "1:1:61", "1:1.5", "1:1:1.5", "1 1:1:1", "1 1:1:1.123456", "1 1:1:1.1234567", "1 1:1:1.", "P1D",
    "1 day", "9999999999", "2147483647", "2147483648",
];

#[rustfmt::skip]
const UNITS: &[&str] = &[
    "YEAR", "YEAR(3)", "YEAR TO MONTH", "YEAR(3) TO MONTH", "QUARTER", "MONTH", "WEEK", "DAY", "DAY(0)", "DAY(3)", "DAY(10)",
    "DAY(11)", "DAY TO HOUR", "DAY TO MINUTE", "DAY TO SECOND", "DAY TO SECOND(3)", "DAY TO SECOND(0)", "DAY TO SECOND(10)",
    "HOUR", "HOUR TO MINUTE", "HOUR TO SECOND", "MINUTE", "MINUTE TO SECOND", "SECOND", "SECOND(3, 2)", "SECOND(3, 10)",
    "SECOND(3, 0)", "DAYS", "SECONDS(3)",
];

#[test]
#[ignore = "needs Java and Flink's planner: ./x oracle"]
fn what_a_literal_may_say() {
    let mut literals: Vec<String> =
        ["", "1", "12", "0aF", "0aFf", "123456789"].iter().map(|d| format!("X'{d}'")).collect();
    literals.extend(DATES.iter().map(|text| format!("DATE '{text}'")));
    literals.extend(TIMES.iter().map(|text| format!("TIME '{text}'")));
    for word in ["TIMESTAMP", "TIMESTAMP WITH LOCAL TIME ZONE"] {
        // Flink drops the fifth digit of a year here, and mostly says nothing.
        let years = || DATES.iter().filter(|text| !text.starts_with("10000"));
        literals.extend(years().map(|text| format!("{word} '{text}'")));
        literals.extend(years().map(|text| format!("{word} '{text} 00:00:00'")));
        literals.extend(TIMES.iter().map(|text| format!("{word} '2020-01-01 {text}'")));
    }
    let moved = |text: &str, units: &str| format!("TIMESTAMP '2020-01-01 00:00:00' + INTERVAL '{text}' {units}");
    literals.extend(UNITS.iter().flat_map(|units| INTERVALS.iter().map(|text| moved(text, units))));
    let scripts: Vec<Vec<String>> = literals.iter().map(|literal| vec![format!("SELECT {literal}")]).collect();
    let (mut taken, mut refused, mut differ) = (0, 0, 0);
    for (script, planned) in scripts.iter().zip(flink::plans(&scripts)) {
        let (text, planned) = (&script[0], &planned[0]);
        let ours = sql::summaries(text).iter().all(|statement| statement.ok);
        *(if planned.ok { &mut taken } else { &mut refused }) += 1;
        if ours != planned.ok {
            differ += 1;
            println!(
                "-- {}: {}\n{text}\n",
                if ours { "only we take it" } else { "only Flink takes it" },
                planned.message
            );
        }
    }
    println!("literals: {taken} taken by Flink's planner, {refused} refused; {differ} otherwise by us");
    assert!(taken > 100 && refused > 100);
    assert_eq!(differ, 0);
}
