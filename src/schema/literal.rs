//! An Avro default as a Flink SQL literal.
//!
//! Rules: the literal has the column's type, so that `COALESCE(col, literal)` keeps it. Null gives no literal. A default
//! that the type cannot hold gives none either: no value is better than a wrong one.

use num_bigint::BigInt;
use serde_json::Value;

use super::envelope::RowField;
use super::form::Meaning;
use crate::model::column::ColumnType;

const MILLIS_PER_DAY: i64 = 86_400_000;

/// `default` as a literal of the type of `field`; `None` for null and for what has no literal.
pub fn default_literal(default: &Value, field: &RowField) -> Option<String> {
    match &field.flink.ty {
        ColumnType::Boolean => default.as_bool().map(|b| if b { "TRUE" } else { "FALSE" }.to_owned()),
        // The literal -2147483648 is read as the negation of a BIGINT.
        ColumnType::Int => default
            .as_i64()
            .and_then(|n| i32::try_from(n).ok())
            .map(|n| if n == i32::MIN { format!("CAST({n} AS INT)") } else { n.to_string() }),
        ColumnType::BigInt => default.as_i64().map(|n| format!("CAST({n} AS BIGINT)")),
        ColumnType::Float => {
            let fits = default.as_f64().filter(|n| n.abs() <= f64::from(f32::MAX))?;
            Some(format!("CAST({fits:E} AS FLOAT)"))
        }
        ColumnType::Double => default.as_f64().map(|n| format!("CAST({n:E} AS DOUBLE)")),
        ColumnType::String => default.as_str().map(quote),
        ColumnType::Bytes => binary(default).map(|b| format!("CAST(X'{}' AS BYTES)", hex(&b))),
        ColumnType::VarBinary(n) => binary(default).map(|b| format!("CAST(X'{}' AS VARBINARY({n}))", hex(&b))),
        ColumnType::Decimal { precision, scale } => decimal(default, *precision, *scale),
        ColumnType::Date => default.as_i64().and_then(date).map(|d| format!("DATE '{d}'")),
        ColumnType::Time(p) => {
            let (per_second, total) = per_second(*p)?;
            let n = default.as_i64().filter(|n| (0..total).contains(n))?;
            Some(format!("TIME '{}'", clock(n, per_second, *p)))
        }
        ColumnType::Timestamp(p) => {
            let (per_second, per_day) = per_second(*p)?;
            let n = default.as_i64()?;
            let day = date(n.div_euclid(per_day))?;
            Some(format!("TIMESTAMP '{day} {}'", clock(n.rem_euclid(per_day), per_second, *p)))
        }
        _ => None,
    }
}

/// `default` as a row shows it: a number, text or truth value, a decimal and a time as text; `None` where it has no literal.
pub fn default_shown(default: &Value, field: &RowField) -> Option<Value> {
    let literal = default_literal(default, field)?;
    match &field.flink.ty {
        ColumnType::Decimal { .. } => {
            let number = literal.strip_prefix("CAST(")?.split(' ').next()?;
            Some(Value::from(number))
        }
        ColumnType::Date | ColumnType::Time(_) | ColumnType::Timestamp(_) => {
            literal.split('\'').nth(1).map(Value::from)
        }
        ColumnType::Bytes | ColumnType::VarBinary(_) => None,
        _ => Some(default.clone()),
    }
}

/// Whether `default` may stand for an expression, such as `now()`: Debezium does not evaluate one, and registers the first
/// moment of 1970 or the UUID of zeros in its place, so nobody knows what the database gave its rows. The same in place of a
/// number or a text, 0 and the empty one, cannot be told from a default of that value.
pub(super) fn stands_in(default: &Value, field: &RowField) -> bool {
    let form = &field.avro;
    let text = default.as_str().unwrap_or_default();
    match (form.meaning(), form.connect_name.as_deref()) {
        (_, None) => false,
        (_, Some("io.debezium.data.Uuid")) => !text.is_empty() && text.chars().all(|c| matches!(c, '0' | '-')),
        (Meaning::Date | Meaning::Timestamp(_) | Meaning::LocalTimestamp(_), _) => default.as_i64() == Some(0),
        (Meaning::Special(_), _) => text.starts_with("1970-01-01T00:00:00"),
        _ => false,
    }
}

/// `text` as a character literal.
pub fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Avro writes bytes as text, one character per byte.
fn binary(json: &Value) -> Option<Vec<u8>> {
    json.as_str()?.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn decimal(json: &Value, precision: u32, scale: u32) -> Option<String> {
    let unscaled = BigInt::from_signed_bytes_be(&binary(json)?);
    let digits = unscaled.magnitude().to_string();
    let wide = usize::try_from(scale).ok()?;
    if digits.len() > usize::try_from(precision).ok()? {
        return None;
    }
    let digits = format!("{digits:0>width$}", width = wide + 1);
    let (whole, fraction) = digits.split_at_checked(digits.len() - wide)?;
    let sign = if unscaled.sign() == num_bigint::Sign::Minus { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("CAST({sign}{whole}{point}{fraction} AS DECIMAL({precision}, {scale}))"))
}

/// Ticks per second and per day at a precision of 3 or 6.
fn per_second(precision: u32) -> Option<(i64, i64)> {
    match precision {
        3 => Some((1_000, MILLIS_PER_DAY)),
        6 => Some((1_000_000, MILLIS_PER_DAY * 1_000)),
        _ => None,
    }
}

/// The time of day at `ticks` after midnight.
fn clock(ticks: i64, per_second: i64, precision: u32) -> String {
    let (seconds, fraction) = (ticks / per_second, ticks % per_second);
    let width = usize::try_from(precision).unwrap_or(0);
    let (h, m, s) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{h:02}:{m:02}:{s:02}.{fraction:0width$}")
}

/// The date at `days` after 1970-01-01 in the Gregorian calendar, for years 1 to 9999.
fn date(days: i64) -> Option<String> {
    /// 0001-01-01 and 9999-12-31.
    const RANGE: std::ops::RangeInclusive<i64> = -719_162..=2_932_896;
    if !RANGE.contains(&days) {
        return None;
    }
    // Years counted from March, so that the leap day is the last day of a year; 719_468 days lie before 1970.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    Some(format!("{year:04}-{month:02}-{day:02}"))
}
