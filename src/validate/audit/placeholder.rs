//! The value that Debezium writes for a large column that an update did not touch, because PostgreSQL does not log it.
//!
//! Its form follows the column's type (Debezium's `UnchangedToastedPlaceholder`): a text, its bytes, a list of either, a list of
//! numbers with one for each byte, a map from the text to itself. Only the default of `unavailable.value.placeholder` is known
//! here; a list of booleans is not told from a real one.

use serde_json::Value;

/// The text.
const TEXT: &str = "__debezium_unavailable_value";
/// The text's bytes as [`RowReader`](super::super::RowReader) shows bytes.
const BYTES: &str = "5f5f646562657a69756d5f756e617661696c61626c655f76616c7565";
/// In a list of UUIDs: the one that is made from the text's MD5.
const UUID: &str = "b68a35a7-17ad-35b3-af2a-ae46edb4545a";

/// Columns of a row that hold it.
pub(super) fn columns<'r>(row: impl Iterator<Item = (&'r String, &'r Value)>) -> Vec<String> {
    row.filter(|(_, value)| is_placeholder(value)).map(|(column, _)| column.clone()).collect()
}

fn is_placeholder(value: &Value) -> bool {
    let text = |value: &Value| value.as_str().is_some_and(|text| text == TEXT || text == BYTES);
    match value {
        Value::Array(items) => match items.as_slice() {
            [one] => text(one) || one.as_str() == Some(UUID),
            many => {
                many.len() == TEXT.len()
                    && many.iter().zip(TEXT.bytes()).all(|(number, byte)| number.as_f64() == Some(f64::from(byte)))
            }
        },
        Value::Object(map) => map.len() == 1 && map.get(TEXT).is_some_and(text),
        other => text(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_known_in_each_form() {
        let numbers: Vec<u8> = TEXT.bytes().collect();
        let hex: String = TEXT.bytes().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, BYTES);
        let floats: Vec<f64> = TEXT.bytes().map(f64::from).collect();
        for form in [json!(TEXT), json!(hex), json!([TEXT]), json!([hex]), json!([UUID]), json!(numbers), json!(floats)]
        {
            assert!(is_placeholder(&form), "{form}");
        }
        assert!(is_placeholder(&json!({TEXT: TEXT})));
    }

    #[test]
    fn other_values_are_values() {
        let short: Vec<u8> = TEXT.bytes().skip(1).collect();
        let other =
            [json!(null), json!("x"), json!([]), json!([1]), json!([TEXT, TEXT]), json!({"a": TEXT}), json!(short)];
        for value in other {
            assert!(!is_placeholder(&value), "{value}");
        }
        assert!(!is_placeholder(&json!(format!("{TEXT} "))) && !is_placeholder(&json!({TEXT: "x"})));
    }
}
