//! Canonical values: one byte string per value, equal exactly when two values mean the same.
//!
//! Rules:
//! - Every value starts with a tag and says its own length, so no two lists of values share an encoding:
//!   `('a', 'bc')` is not `('ab', 'c')`, and NULL is not the empty text.
//! - `int` and `long` are one integer; `float` is the `double` of the same value; -0.0 is 0.0; every NaN is one NaN.
//! - Decimals lose trailing zeros: 1.50 is 1.5 whatever scale the column declares.
//! - Times of day, instants and local timestamps count nanoseconds, whatever unit was written. An instant is not a
//!   local timestamp.
//! - An enum symbol and a UUID are text, `fixed` is bytes, map entries and record fields are sorted by name.
//! - [`widen`] goes further for columns that grew into a wider type: all finite numbers become decimals.

use std::collections::BTreeMap;

use num_bigint::BigInt;

const NULL: u8 = b'0';
const FALSE: u8 = b'F';
const TRUE: u8 = b'T';
const INT: u8 = b'i';
const FLOAT: u8 = b'f';
const DECIMAL: u8 = b'n';
const TEXT: u8 = b's';
const BYTES: u8 = b'x';
const DATE: u8 = b'd';
const TIME: u8 = b't';
const INSTANT: u8 = b'I';
const LOCAL: u8 = b'L';
const ARRAY: u8 = b'a';
const MAP: u8 = b'm';
const RECORD: u8 = b'r';

/// Longest decimal, in bytes; Flink's longest has 16.
const DECIMAL_BYTES: usize = 256;
/// Largest power of ten that a decimal may be scaled by.
const DECIMAL_SCALE: i64 = 1024;

/// A canonical value, read back.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Val<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Decimal { unscaled: BigInt, scale: i64 },
    Text(&'a str),
    Bytes(&'a [u8]),
    Date(i64),
    Time(i128),
    Instant(i128),
    Local(i128),
    Array(Vec<Val<'a>>),
    Map(Vec<(Val<'a>, Val<'a>)>),
    Record(Vec<(Val<'a>, Val<'a>)>),
}

pub(super) fn null(out: &mut Vec<u8>) {
    out.push(NULL);
}

pub(super) fn is_null(value: &[u8]) -> bool {
    value.first() == Some(&NULL)
}

pub(super) fn boolean(out: &mut Vec<u8>, value: bool) {
    out.push(if value { TRUE } else { FALSE });
}

pub(super) fn int(out: &mut Vec<u8>, value: i64) {
    eight(out, INT, value.to_be_bytes());
}

pub(super) fn float(out: &mut Vec<u8>, value: f64) {
    let one = match value {
        v if v.is_nan() => f64::NAN,
        0.0 => 0.0, // -0.0 as well
        v => v,
    };
    eight(out, FLOAT, one.to_bits().to_be_bytes());
}

/// Writes `unscaled` (two's complement, big endian) divided by ten to the power of `scale`; false when it is absurdly
/// long, and then nothing was written.
pub(super) fn decimal(out: &mut Vec<u8>, unscaled: &[u8], scale: i64) -> bool {
    if unscaled.len() > DECIMAL_BYTES || scale.abs() > DECIMAL_SCALE {
        return false;
    }
    if unscaled.len() > 16 {
        let (mut value, mut scale) = (BigInt::from_signed_bytes_be(unscaled), scale);
        let (zero, ten) = (BigInt::from(0), BigInt::from(10));
        while value != zero && &value % &ten == zero {
            value /= &ten;
            scale -= 1;
        }
        let scale = if value == zero { 0 } else { scale };
        write_decimal(out, &value.to_signed_bytes_be(), scale);
        return true;
    }
    let negative = unscaled.first().is_some_and(|b| b & 0x80 != 0);
    let seed: i128 = if negative { -1 } else { 0 };
    small_decimal(out, unscaled.iter().fold(seed, |v, b| (v << 8) | i128::from(*b)), scale);
    true
}

fn small_decimal(out: &mut Vec<u8>, mut value: i128, mut scale: i64) {
    if value == 0 {
        scale = 0;
    }
    if let Ok(mut short) = i64::try_from(value) {
        // Most decimals are short, and dividing long ones takes many times longer.
        while short != 0 && short % 10 == 0 {
            short /= 10;
            scale -= 1;
        }
        value = i128::from(short);
    }
    while value != 0 && value % 10 == 0 {
        value /= 10;
        scale -= 1;
    }
    let bytes = value.to_be_bytes();
    // Shortest two's complement: drop a leading byte while the next one already carries the sign.
    let redundant = bytes
        .windows(2)
        .take_while(|w| matches!(w, [0, next] if next & 0x80 == 0) || matches!(w, [0xff, next] if next & 0x80 != 0));
    let skip = redundant.count();
    write_decimal(out, bytes.get(skip..).unwrap_or_default(), scale);
}

fn write_decimal(out: &mut Vec<u8>, unscaled: &[u8], scale: i64) {
    out.push(DECIMAL);
    length(out, scale as i32 as u32);
    sized(out, unscaled);
}

/// Lengths have four bytes: a record, and so every part of it, is far shorter than 4 GiB.
fn length(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_be_bytes());
}

/// A tag and its value at once: this is what every record is made of, and each append looks whether there is room.
fn eight(out: &mut Vec<u8>, tag: u8, value: [u8; 8]) {
    let [a, b, c, d, e, f, g, h] = value;
    out.extend_from_slice(&[tag, a, b, c, d, e, f, g, h]);
}

fn sixteen(out: &mut Vec<u8>, tag: u8, value: [u8; 16]) {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = value;
    out.extend_from_slice(&[tag, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]);
}

fn tagged(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    let [a, b, c, d] = (value.len() as u32).to_be_bytes();
    out.extend_from_slice(&[tag, a, b, c, d]);
    out.extend_from_slice(value);
}

fn sized(out: &mut Vec<u8>, bytes: &[u8]) {
    length(out, bytes.len() as u32);
    out.extend_from_slice(bytes);
}

pub(super) fn text(out: &mut Vec<u8>, value: &str) {
    tagged(out, TEXT, value.as_bytes());
}

pub(super) fn bytes(out: &mut Vec<u8>, value: &[u8]) {
    tagged(out, BYTES, value);
}

pub(super) fn date(out: &mut Vec<u8>, days: i64) {
    eight(out, DATE, days.to_be_bytes());
}

pub(super) fn time(out: &mut Vec<u8>, nanos: i128) {
    sixteen(out, TIME, nanos.to_be_bytes());
}

pub(super) fn instant(out: &mut Vec<u8>, nanos: i128) {
    sixteen(out, INSTANT, nanos.to_be_bytes());
}

pub(super) fn local(out: &mut Vec<u8>, nanos: i128) {
    sixteen(out, LOCAL, nanos.to_be_bytes());
}

/// Writes the items of an array, each already canonical.
pub(super) fn array(out: &mut Vec<u8>, count: u32, items: &[u8]) {
    out.push(ARRAY);
    length(out, count);
    out.extend_from_slice(items);
}

/// Begins a map whose entries follow; [`counted`] ends it.
pub(super) fn open_map(out: &mut Vec<u8>) {
    out.push(MAP);
    length(out, 0);
}

/// Begins a nested record whose fields follow; [`counted`] ends it.
pub(super) fn open_record(out: &mut Vec<u8>) {
    out.push(RECORD);
    length(out, 0);
}

/// Says how many items the array, map or record has that begins at `start`.
pub(super) fn counted(out: &mut [u8], start: usize, count: u32) {
    if let Some(place) = out.get_mut(start + 1..start + 5) {
        place.copy_from_slice(&count.to_be_bytes());
    }
}

/// Writes a map: entries are canonical already.
pub(super) fn map(out: &mut Vec<u8>, entries: &BTreeMap<Vec<u8>, Vec<u8>>) {
    pairs(out, MAP, entries);
}

/// Writes a nested record: names are canonical texts, values canonical.
pub(super) fn record(out: &mut Vec<u8>, fields: &BTreeMap<Vec<u8>, Vec<u8>>) {
    pairs(out, RECORD, fields);
}

fn pairs(out: &mut Vec<u8>, tag: u8, entries: &BTreeMap<Vec<u8>, Vec<u8>>) {
    out.push(tag);
    length(out, entries.len() as u32);
    for (key, value) in entries {
        out.extend_from_slice(key);
        out.extend_from_slice(value);
    }
}

/// Writes `value` so that equal numbers of any type are equal; everything else as it is.
///
/// A binary fraction is taken at its shortest decimal notation, so the double 0.1 is the decimal 0.1.
pub(super) fn widen(out: &mut Vec<u8>, value: &[u8]) {
    match read(value) {
        Some(Val::Int(v)) => small_decimal(out, i128::from(v), 0),
        Some(Val::Float(v)) if v.is_finite() => {
            let notation = format!("{v:e}");
            let (digits, exponent) = notation.split_once('e').unwrap_or((&notation, "0"));
            let point = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len() as i64);
            let unscaled = digits.replace('.', "").parse::<i128>().unwrap_or_default();
            small_decimal(out, unscaled, point - exponent.parse::<i64>().unwrap_or_default());
        }
        _ => out.extend_from_slice(value),
    }
}

/// Reads one canonical value; `None` if the bytes are not one.
pub(super) fn read(bytes: &[u8]) -> Option<Val<'_>> {
    let (value, rest) = next(bytes)?;
    rest.is_empty().then_some(value)
}

/// Reads the first of several canonical values and says what follows it.
pub(super) fn next(bytes: &[u8]) -> Option<(Val<'_>, &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    Some(match *tag {
        NULL => (Val::Null, rest),
        FALSE => (Val::Bool(false), rest),
        TRUE => (Val::Bool(true), rest),
        INT => long(rest).map(|(v, rest)| (Val::Int(v), rest))?,
        FLOAT => {
            let (bits, rest) = rest.split_first_chunk::<8>()?;
            (Val::Float(f64::from_be_bytes(*bits)), rest)
        }
        DECIMAL => {
            let (scale, rest) = short(rest)?;
            let scale = i64::from(scale as i32);
            let (unscaled, rest) = unsized_bytes(rest)?;
            (Val::Decimal { unscaled: BigInt::from_signed_bytes_be(unscaled), scale }, rest)
        }
        TEXT => {
            let (text, rest) = unsized_bytes(rest)?;
            (Val::Text(std::str::from_utf8(text).ok()?), rest)
        }
        BYTES => unsized_bytes(rest).map(|(v, rest)| (Val::Bytes(v), rest))?,
        DATE => long(rest).map(|(v, rest)| (Val::Date(v), rest))?,
        TIME => wide(rest).map(|(v, rest)| (Val::Time(v), rest))?,
        INSTANT => wide(rest).map(|(v, rest)| (Val::Instant(v), rest))?,
        LOCAL => wide(rest).map(|(v, rest)| (Val::Local(v), rest))?,
        ARRAY => {
            let (count, mut rest) = short(rest)?;
            let mut items = Vec::new();
            for _ in 0..count {
                let (item, after) = next(rest)?;
                items.push(item);
                rest = after;
            }
            (Val::Array(items), rest)
        }
        MAP => entries(rest).map(|(v, rest)| (Val::Map(v), rest))?,
        RECORD => entries(rest).map(|(v, rest)| (Val::Record(v), rest))?,
        _ => return None,
    })
}

fn long(bytes: &[u8]) -> Option<(i64, &[u8])> {
    bytes.split_first_chunk::<8>().map(|(v, rest)| (i64::from_be_bytes(*v), rest))
}

fn short(bytes: &[u8]) -> Option<(u32, &[u8])> {
    bytes.split_first_chunk::<4>().map(|(v, rest)| (u32::from_be_bytes(*v), rest))
}

fn wide(bytes: &[u8]) -> Option<(i128, &[u8])> {
    bytes.split_first_chunk::<16>().map(|(v, rest)| (i128::from_be_bytes(*v), rest))
}

fn unsized_bytes(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = short(bytes)?;
    rest.split_at_checked(usize::try_from(len).ok()?)
}

type Entries<'a> = Vec<(Val<'a>, Val<'a>)>;

fn entries(bytes: &[u8]) -> Option<(Entries<'_>, &[u8])> {
    let (count, mut rest) = short(bytes)?;
    let mut out = Vec::new();
    for _ in 0..count {
        let (key, after) = next(rest)?;
        let (value, after) = next(after)?;
        out.push((key, value));
        rest = after;
    }
    Some((out, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out);
        out
    }

    #[test]
    fn decimals_of_equal_value_are_equal() {
        let dec = |unscaled: i64, scale| made(|o| assert!(decimal(o, &unscaled.to_be_bytes(), scale)));
        assert_eq!(dec(150, 2), dec(15, 1));
        assert_eq!(dec(0, 2), dec(0, 0));
        assert_eq!(dec(-1500, 3), dec(-15, 1));
        assert_ne!(dec(15, 1), dec(-15, 1));
        assert_ne!(dec(15, 1), dec(15, 0));
        let long = [vec![0], vec![0x7f; 20]].concat();
        let number = BigInt::from_signed_bytes_be(&long);
        let times_ten = (number * BigInt::from(10)).to_signed_bytes_be();
        assert_eq!(made(|o| assert!(decimal(o, &long, 3))), made(|o| assert!(decimal(o, &times_ten, 4))));
        assert!(!decimal(&mut Vec::new(), &[1; 300], 0), "an absurd decimal is refused");
    }

    #[test]
    fn zeros_and_nans_have_one_form() {
        assert_eq!(made(|o| float(o, -0.0)), made(|o| float(o, 0.0)));
        assert_eq!(made(|o| float(o, f64::from_bits(0x7ff8_0000_0000_0001))), made(|o| float(o, f64::NAN)));
    }

    #[test]
    fn widened_numbers_meet() {
        let wide = |value: Vec<u8>| made(|o| widen(o, &value));
        let five = wide(made(|o| int(o, 5)));
        assert_eq!(five, wide(made(|o| float(o, 5.0))));
        assert_eq!(five, wide(made(|o| assert!(decimal(o, &[0x01, 0xf4], 2)))));
        assert_eq!(wide(made(|o| float(o, 0.1))), wide(made(|o| assert!(decimal(o, &[1], 1)))));
        assert_eq!(wide(made(|o| float(o, 1e300))), wide(made(|o| float(o, 1e300))));
        assert_ne!(five, wide(made(|o| float(o, 5.000_001))));
        assert_eq!(wide(made(|o| text(o, "5"))), made(|o| text(o, "5")), "a text is not a number");
    }

    #[test]
    fn broken_bytes_are_no_value() {
        let whole = made(|o| text(o, "abc"));
        for end in 0..whole.len() {
            assert_eq!(read(whole.get(..end).unwrap_or_default()), None);
        }
        assert_eq!(read(&[b'?', 1, 2]), None);
    }
}
