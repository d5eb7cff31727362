//! What holds of every record, whatever its bytes are. For tests and for fuzzing (`fuzz`).

use super::decode::{MAX_ROW, RowReader, field_ranges, message};
use super::schema::Shape;

/// A reader for records of a schema; `None` if none can be made.
pub fn reader(schema: &str) -> Option<RowReader> {
    RowReader::new(1, schema).ok()
}

/// A record is read the same each time, by its fields as well; what is read is not larger than it may be, and is no JSON that
/// cannot be written. Gives back the first promise that was broken, in words.
pub fn record(reader: &RowReader, bytes: &[u8]) -> Result<(), String> {
    let (one, again) = (reader.read(bytes), reader.read(bytes));
    if one != again {
        return Err("read in two ways".to_owned());
    }
    if let (Ok((_, datum)), Shape::Record(fields)) = (message(bytes, "value"), reader.shape()) {
        let ranges = field_ranges(fields, datum);
        if ranges.is_ok() != one.is_ok() {
            return Err(format!("read {one:?}, but the fields are {ranges:?}"));
        }
        let ends = ranges.unwrap_or_default().last().map_or(0, |last| last.end);
        if one.is_ok() && ends != datum.len() && !fields.is_empty() {
            return Err(format!("the fields end at {ends} of {}", datum.len()));
        }
    }
    let Ok(row) = one else { return Ok(()) };
    let text = serde_json::to_string(&row).map_err(|e| format!("a row that cannot be written: {e}"))?;
    // A value is written in JSON with at most six characters for a byte, and quotes and commas around it.
    if text.len() > 16 * MAX_ROW { Err(format!("a row of {} bytes", text.len())) } else { Ok(()) }
}
