//! Canonical values for people: text, JSON and plain numbers.

use num_bigint::BigInt;
use serde_json::Value as Json;

use super::canon::Val;

/// The number nearest to the value, if it is a number.
pub(super) fn number(value: &Val<'_>) -> Option<f64> {
    match value {
        Val::Int(v) => Some(*v as f64),
        Val::Float(v) => Some(*v),
        Val::Decimal { unscaled, scale } => plain(unscaled, *scale).parse().ok(),
        _ => None,
    }
}

/// Digits of a decimal, without an exponent.
fn plain(unscaled: &BigInt, scale: i64) -> String {
    let digits = unscaled.magnitude().to_string();
    let sign = if unscaled.sign() == num_bigint::Sign::Minus { "-" } else { "" };
    let scale_by = usize::try_from(scale.unsigned_abs()).unwrap_or(0);
    if scale <= 0 {
        return format!("{sign}{digits}{}", "0".repeat(scale_by));
    }
    let padded = format!("{digits:0>width$}", width = scale_by + 1);
    let (whole, fraction) = padded.split_at_checked(padded.len() - scale_by).unwrap_or((&padded, ""));
    format!("{sign}{whole}.{fraction}")
}

/// The value for people and for JSON: decimals, dates, times and bytes become texts.
pub(super) fn json(value: &Val<'_>) -> Json {
    match value {
        Val::Null => Json::Null,
        Val::Bool(v) => Json::Bool(*v),
        Val::Int(v) => Json::from(*v),
        Val::Float(v) => serde_json::Number::from_f64(*v).map_or_else(|| Json::String(v.to_string()), Json::Number),
        Val::Array(items) => Json::Array(items.iter().map(json).collect()),
        Val::Map(entries) | Val::Record(entries) => {
            Json::Object(entries.iter().map(|(key, value)| (text(key), json(value))).collect())
        }
        Val::Decimal { unscaled, scale } => Json::String(plain(unscaled, *scale)),
        Val::Text(v) => Json::String((*v).to_owned()),
        Val::Bytes(v) => Json::String(v.iter().map(|b| format!("{b:02x}")).collect()),
        Val::Date(days) => Json::String(day(i128::from(*days))),
        Val::Time(nanos) => Json::String(clock(*nanos)),
        Val::Instant(nanos) => Json::String(format!("{}Z", date_time(*nanos))),
        Val::Local(nanos) => Json::String(date_time(*nanos)),
    }
}

/// One line of text: a text without quotes, NULL, or compact JSON.
pub(super) fn text(value: &Val<'_>) -> String {
    match json(value) {
        Json::Null => "NULL".to_owned(),
        Json::String(text) => text,
        other => other.to_string(),
    }
}

const DAY: i128 = 86_400_000_000_000;

fn date_time(nanos: i128) -> String {
    format!("{}T{}", day(nanos.div_euclid(DAY)), clock(nanos.rem_euclid(DAY)))
}

fn clock(nanos: i128) -> String {
    let (seconds, fraction) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
    let text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = format!("{fraction:09}");
    match fraction.trim_end_matches('0') {
        "" => text,
        digits => format!("{text}.{digits}"),
    }
}

/// Days since 1970-01-01 as a date of the proleptic Gregorian calendar.
fn day(days: i128) -> String {
    // Count from 1 March of year 0, so that the leap day is the last of its year; 400 years are 146097 days.
    let shifted = days + 719_468;
    let (cycle, of_cycle) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_cycle = (of_cycle - of_cycle / 1460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = cycle * 400 + year_of_cycle + i128::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::super::canon::{date, decimal, instant, local, read, time};
    use super::*;

    fn shown(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        text(&read(&out).expect("canonical"))
    }

    #[test]
    fn decimals_are_plain_digits() {
        assert_eq!(shown(|o| assert!(decimal(o, &(-5i64).to_be_bytes(), 3))), "-0.005");
        assert_eq!(shown(|o| assert!(decimal(o, &128i64.to_be_bytes(), 0))), "128");
        assert_eq!(shown(|o| assert!(decimal(o, &1200i64.to_be_bytes(), 0))), "1200");
    }

    #[test]
    fn dates_and_times_are_readable() {
        assert_eq!(shown(|o| date(o, 0)), "1970-01-01");
        assert_eq!(shown(|o| date(o, 19_782)), "2024-02-29");
        assert_eq!(shown(|o| date(o, -1)), "1969-12-31");
        assert_eq!(shown(|o| time(o, 3_723_000_000_000)), "01:02:03");
        assert_eq!(shown(|o| instant(o, 1_500_000_000)), "1970-01-01T00:00:01.5Z");
        assert_eq!(shown(|o| local(o, -1)), "1969-12-31T23:59:59.999999999");
    }
}
