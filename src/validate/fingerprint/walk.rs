//! Walks the bytes of one datum and writes its canonical fields into a buffer that is used again for the next one.
//!
//! Rules:
//! - What is written, and what is refused with which fault, is what `decode` makes of the same bytes: one property test
//!   holds them against each other, on good bytes and on spoiled ones.
//! - Once the buffers have grown to the longest record, nothing is allocated, decimals of more than 16 bytes excepted.
//! - What it may unfold to is bounded as in `decode`.

use std::ops::Range;

use super::super::canon;
use super::super::decode::{Fault, MAX_ROW};
use super::super::schema::Shape;

/// What a value counts for that took none of the message, as in `decode`.
const OUT_OF_NOTHING: usize = 64;

/// Why the bytes are refused; small, because it is handed up through every value.
#[derive(Clone, Copy)]
enum Bad {
    Truncated,
    Value(&'static str),
}

impl From<Bad> for Fault {
    fn from(bad: Bad) -> Self {
        match bad {
            Bad::Truncated => Self::Truncated,
            Bad::Value(why) => Self::BadValue(why),
        }
    }
}

/// Canonical fields of the datum read last, and the buffers to read the next one with.
#[derive(Default)]
pub(in super::super) struct Canonical {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Entries of maps and records that are open.
    entries: Vec<Entry>,
    /// Where entries are put in order.
    sorted: Vec<u8>,
}

/// One entry of a map or record in the buffer: the name, then the value.
#[derive(Clone, Copy)]
struct Entry {
    start: usize,
    value: usize,
    end: usize,
}

impl Canonical {
    /// Canonical values of these fields, which follow each other.
    pub(in super::super) fn fields(&self, fields: Range<usize>) -> &[u8] {
        let start = fields.start.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        let end = fields.end.checked_sub(1).map_or(Some(0), |last| self.ends.get(last).copied());
        start.zip(end).and_then(|(start, end)| self.bytes.get(start..end)).unwrap_or_default()
    }

    /// Reads a message without its schema id. A datum that is no record is one field.
    pub(in super::super) fn read(&mut self, shape: &Shape, datum: &[u8], id: u32) -> Result<(), Fault> {
        self.bytes.clear();
        self.ends.clear();
        self.entries.clear();
        let mut walk = Walk { rest: datum, made: 0, to: self };
        let mut shape = shape;
        if let Shape::Union(variants) = shape {
            let index = usize::try_from(walk.long()?).ok();
            shape = index.and_then(|i| variants.get(i)).ok_or(Fault::BadValue("a union has no such variant"))?;
            let record = variants.iter().position(|v| matches!(v, Shape::Record(_)));
            if matches!(shape, Shape::Null) || (record.is_some() && record != index) {
                return Err(Fault::NotARow(id));
            }
        }
        if let Shape::Record(fields) = shape {
            for (_, field) in fields {
                walk.value(field, 0)?;
                walk.to.ends.push(walk.to.bytes.len());
            }
        } else {
            walk.value(shape, 0)?;
            walk.to.ends.push(walk.to.bytes.len());
        }
        if walk.rest.is_empty() { Ok(()) } else { Err(Fault::LeftOver(walk.rest.len())) }
    }

    /// Puts the entries from number `first` on in the order of their names and closes them. Of a name that is there
    /// twice, the last entry counts. Gives back how many are left.
    fn close(&mut self, first: usize) -> usize {
        let bytes = &self.bytes;
        let name = |e: &Entry| bytes.get(e.start..e.value).unwrap_or_default();
        let open = self.entries.get_mut(first..).unwrap_or_default();
        let count = open.len();
        let in_order = open.iter().zip(open.iter().skip(1)).all(|(a, b)| name(a) < name(b));
        if in_order {
            self.entries.truncate(first);
            return count;
        }
        let start = open.first().map_or(bytes.len(), |e| e.start);
        open.sort_unstable_by(|a, b| name(a).cmp(name(b)).then(a.start.cmp(&b.start)));
        self.sorted.clear();
        let mut kept = 0;
        for (i, entry) in open.iter().enumerate() {
            if open.get(i + 1).is_some_and(|next| name(next) == name(entry)) {
                continue;
            }
            self.sorted.extend_from_slice(bytes.get(entry.start..entry.end).unwrap_or_default());
            kept += 1;
        }
        self.bytes.truncate(start);
        self.bytes.extend_from_slice(&self.sorted);
        self.entries.truncate(first);
        kept
    }
}

struct Walk<'a, 'c> {
    rest: &'a [u8],
    /// What it has unfolded to so far: bytes, and one for each value.
    made: usize,
    to: &'c mut Canonical,
}

impl<'a> Walk<'a, '_> {
    fn makes(&mut self, bytes: usize) -> Result<(), Bad> {
        self.made += 1 + bytes;
        bounded(self.made)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Bad> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or(Bad::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], Bad> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(Bad::Truncated)?;
        self.rest = rest;
        Ok(*head)
    }

    #[inline]
    fn long(&mut self) -> Result<i64, Bad> {
        let mut value: u64 = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or(Bad::Truncated)?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        Err(Bad::Value("an integer has more than ten bytes"))
    }

    fn int(&mut self) -> Result<i64, Bad> {
        let value = self.long()?;
        i32::try_from(value).map(i64::from).map_err(|_| Bad::Value("an int does not fit four bytes"))
    }

    fn sized(&mut self) -> Result<&'a [u8], Bad> {
        let len = usize::try_from(self.long()?).map_err(|_| Bad::Value("a length is negative"))?;
        self.take(len)
    }

    fn text(&mut self) -> Result<&'a str, Bad> {
        std::str::from_utf8(self.sized()?).map_err(|_| Bad::Value("a text is not UTF-8"))
    }

    fn block(&mut self) -> Result<u64, Bad> {
        let count = self.long()?;
        if count < 0 {
            self.long()?; // its length in bytes, for readers that skip
        }
        Ok(count.unsigned_abs())
    }

    /// Takes the bytes of a value that may have a fixed size.
    fn sized_or(&mut self, size: Option<usize>) -> Result<&'a [u8], Bad> {
        match size {
            Some(size) => self.take(size),
            None => self.sized(),
        }
    }

    /// Reads one value and writes it. What belongs to it begins at `base`: the field, the list's items or the entry's value.
    fn value(&mut self, shape: &Shape, base: usize) -> Result<(), Bad> {
        let (before, unread) = (self.to.bytes.len(), self.rest.len());
        match shape {
            Shape::Null => canon::null(&mut self.to.bytes),
            Shape::Boolean => match self.chunk::<1>()? {
                [0] => canon::boolean(&mut self.to.bytes, false),
                [1] => canon::boolean(&mut self.to.bytes, true),
                _ => return Err(Bad::Value("a boolean is neither 0 nor 1")),
            },
            Shape::Int => {
                let value = self.int()?;
                canon::int(&mut self.to.bytes, value);
            }
            Shape::Long => {
                let value = self.long()?;
                canon::int(&mut self.to.bytes, value);
            }
            Shape::Float => {
                let value = f32::from_le_bytes(self.chunk()?);
                canon::float(&mut self.to.bytes, f64::from(value));
            }
            Shape::Double => {
                let value = f64::from_le_bytes(self.chunk()?);
                canon::float(&mut self.to.bytes, value);
            }
            Shape::Bytes => {
                let value = self.sized()?;
                canon::bytes(&mut self.to.bytes, value);
            }
            Shape::String => {
                let value = self.text()?;
                canon::text(&mut self.to.bytes, value);
            }
            Shape::Fixed(size) => {
                let value = self.take(*size)?;
                canon::bytes(&mut self.to.bytes, value);
            }
            Shape::Enum(symbols) => {
                let symbol = usize::try_from(self.int()?).ok().and_then(|i| symbols.get(i));
                canon::text(&mut self.to.bytes, symbol.ok_or(Bad::Value("an enum has no such symbol"))?);
            }
            Shape::Decimal(scale, size) => {
                let unscaled = self.sized_or(*size)?;
                self.decimal(unscaled, *scale)?;
            }
            Shape::BigDecimal => {
                let mut inner = Walk { rest: self.sized()?, made: 0, to: &mut *self.to };
                let (unscaled, scale) = (inner.sized()?, inner.long()?);
                self.decimal(unscaled, scale)?;
            }
            Shape::Uuid(size) => {
                let text = uuid(self.sized_or(*size)?)?;
                canon::text(&mut self.to.bytes, std::str::from_utf8(&text).unwrap_or_default());
            }
            Shape::Date => {
                let days = self.int()?;
                canon::date(&mut self.to.bytes, days);
            }
            Shape::TimeMillis => {
                let millis = self.int()?;
                canon::time(&mut self.to.bytes, i128::from(millis) * 1_000_000);
            }
            Shape::TimeMicros => {
                let micros = self.long()?;
                canon::time(&mut self.to.bytes, i128::from(micros) * 1_000);
            }
            Shape::Instant(unit) => {
                let units = self.long()?;
                canon::instant(&mut self.to.bytes, i128::from(units) * unit);
            }
            Shape::Local(unit) => {
                let units = self.long()?;
                canon::local(&mut self.to.bytes, i128::from(units) * unit);
            }
            Shape::Union(variants) => {
                let variant = usize::try_from(self.long()?).ok().and_then(|i| variants.get(i));
                self.value(variant.ok_or(Bad::Value("a union has no such variant"))?, base)?;
            }
            Shape::Array(item) => self.array(item)?,
            Shape::Map(item) => self.map(item)?,
            Shape::Record(fields) => self.record(fields)?,
        }
        match shape {
            // Their parts are counted already.
            Shape::Union(_) | Shape::Array(_) | Shape::Map(_) | Shape::Record(_) => self.makes(0)?,
            _ => self.makes(self.to.bytes.len() - before)?,
        }
        if self.rest.len() == unread {
            self.makes(OUT_OF_NOTHING)?;
        }
        bounded(self.to.bytes.len() - base)
    }

    fn decimal(&mut self, unscaled: &[u8], scale: i64) -> Result<(), Bad> {
        let written = canon::decimal(&mut self.to.bytes, unscaled, scale);
        if written { Ok(()) } else { Err(Bad::Value("a decimal is absurdly long")) }
    }

    fn array(&mut self, item: &Shape) -> Result<(), Bad> {
        let start = self.to.bytes.len();
        canon::array(&mut self.to.bytes, 0, &[]);
        let (items, mut total) = (self.to.bytes.len(), 0u32);
        loop {
            let count = self.block()?;
            if count == 0 {
                break;
            }
            for _ in 0..count {
                self.value(item, items)?;
                total += 1;
            }
        }
        canon::counted(&mut self.to.bytes, start, total);
        Ok(())
    }

    fn map(&mut self, item: &Shape) -> Result<(), Bad> {
        let (start, first) = (self.to.bytes.len(), self.to.entries.len());
        canon::open_map(&mut self.to.bytes);
        loop {
            let count = self.block()?;
            if count == 0 {
                break;
            }
            for _ in 0..count {
                let at = self.to.bytes.len();
                let name = self.text()?;
                canon::text(&mut self.to.bytes, name);
                self.entry(at, item)?;
            }
        }
        let count = self.to.close(first);
        canon::counted(&mut self.to.bytes, start, count as u32);
        Ok(())
    }

    fn record(&mut self, fields: &[(String, Shape)]) -> Result<(), Bad> {
        let (start, first) = (self.to.bytes.len(), self.to.entries.len());
        canon::open_record(&mut self.to.bytes);
        for (name, shape) in fields {
            let at = self.to.bytes.len();
            canon::text(&mut self.to.bytes, name);
            self.entry(at, shape)?;
        }
        let count = self.to.close(first);
        canon::counted(&mut self.to.bytes, start, count as u32);
        Ok(())
    }

    /// Reads the value of an entry whose name was written from `start` on.
    fn entry(&mut self, start: usize, shape: &Shape) -> Result<(), Bad> {
        let value = self.to.bytes.len();
        self.makes(value - start)?;
        self.value(shape, value)?;
        self.to.entries.push(Entry { start, value, end: self.to.bytes.len() });
        Ok(())
    }
}

#[inline]
fn bounded(len: usize) -> Result<(), Bad> {
    if len > MAX_ROW { Err(Bad::Value("it unfolds to more than 64 MiB")) } else { Ok(()) }
}

fn uuid(bytes: &[u8]) -> Result<[u8; 36], Bad> {
    let bytes = <[u8; 16]>::try_from(bytes).map_err(|_| Bad::Value("a UUID does not have 16 bytes"))?;
    let mut text = [b'-'; 36];
    let places = text.iter_mut().enumerate().filter(|(i, _)| ![8, 13, 18, 23].contains(i)).map(|(_, place)| place);
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    for (place, digit) in places.zip(digits) {
        *place = if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
    }
    Ok(text)
}

/// True when `decode` read the same fields from the same bytes.
#[cfg(any(test, fuzzing))]
pub(in super::super) fn same(read: &Canonical, decoded: &super::super::decode::Fields, fields: usize) -> bool {
    read.ends.len() == fields && (0..fields).all(|i| decoded.get(i) == Some(read.fields(i..i + 1)))
}
