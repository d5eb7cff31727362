//! The file of a sink connector: `{"name", "config"}`, as Kafka Connect takes it.
//!
//! Rules: numbers and switches among the settings are their text, as for Connect; what is wrong is said in JSON's own words,
//! with its place.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::diagnostic::{Diagnostic, Span};

/// What a connector's file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConnectorFile {
    /// Name of the connector.
    pub name: String,
    /// Its settings.
    pub config: BTreeMap<String, String>,
}

const FORM: &str = "a connector's file is {\"name\": \"...\", \"config\": {\"key\": \"value\", ...}}";

/// Reads the file at `path`.
///
/// # Errors
/// C110 with what is wrong first, in the file.
pub(super) fn read(path: &str, text: &str) -> Result<ConnectorFile, Diagnostic> {
    let wrong =
        |why: String| Diagnostic::error("C110", format!("{path} is not a connector: {why}")).in_file(path).help(FORM);
    if text.trim().is_empty() {
        return Err(wrong("it is empty".to_owned()));
    }
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let place = place(text, error.line(), error.column());
        wrong(format!("it is not valid JSON, {}", why(&error))).at(place, "here")
    })?;
    let Value::Object(mut file) = value else {
        return Err(wrong(format!("it is {}, not an object", kind(&value))));
    };
    let name = match file.remove("name") {
        Some(Value::String(name)) if !name.is_empty() => name,
        Some(Value::String(_)) => return Err(wrong("`name` is empty".to_owned())),
        Some(other) => return Err(wrong(format!("`name` is {}, not a string", kind(&other)))),
        None => return Err(wrong("it has no `name`".to_owned())),
    };
    let config = match file.remove("config") {
        Some(Value::Object(config)) => settings(config).map_err(&wrong)?,
        Some(other) => return Err(wrong(format!("`config` is {}, not an object", kind(&other)))),
        None => return Err(wrong("it has no `config`".to_owned())),
    };
    match file.keys().next() {
        Some(key) => Err(wrong(format!("`{key}` is unknown beside `name` and `config`"))),
        None => Ok(ConnectorFile { name, config }),
    }
}

fn settings(config: Map<String, Value>) -> Result<BTreeMap<String, String>, String> {
    let text = |(key, value): (String, Value)| match value {
        Value::String(text) => Ok((key, text)),
        Value::Number(_) | Value::Bool(_) => Ok((key, value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(format!("`config.{key}` is {}, where a string, a number, true or false is needed", kind(&value)))
        }
    };
    config.into_iter().map(text).collect()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// What the parser says, with the line and without its own words for the end of the text.
fn why(error: &serde_json::Error) -> String {
    if error.is_eof() {
        return format!("it ends too early in line {}", error.line());
    }
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or_default();
    format!("line {}: {said}", error.line())
}

/// The place of a line and a column, both counted from 1; columns are bytes.
fn place(text: &str, line: usize, column: usize) -> Span {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let start = text.floor_char_boundary((before + column.saturating_sub(1)).min(text.len()));
    Span::new(start, text.ceil_char_boundary((start + 1).min(text.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let problem = read("connectors/c.json", text).unwrap_err();
        assert_eq!((problem.code.as_str(), problem.file.as_deref()), ("C110", Some("connectors/c.json")));
        problem.message.strip_prefix("connectors/c.json is not a connector: ").unwrap().to_owned()
    }

    #[test]
    fn numbers_and_switches_are_their_text() {
        let file =
            read("c.json", r#"{"name": "c", "config": {"tasks.max": 2, "x": 1.5, "on": true, "s": "t"}}"#).unwrap();
        let want = [("on", "true"), ("s", "t"), ("tasks.max", "2"), ("x", "1.5")];
        assert_eq!(file.config, want.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    }

    #[test]
    fn what_is_wrong_is_said_without_the_parsers_own_words() {
        for (text, want) in [
            ("", "it is empty"),
            ("[]", "it is a list, not an object"),
            ("{}", "it has no `name`"),
            (r#"{"name": 5, "config": {}}"#, "`name` is a number, not a string"),
            (r#"{"name": "", "config": {}}"#, "`name` is empty"),
            (r#"{"name": "c"}"#, "it has no `config`"),
            (r#"{"name": "c", "config": []}"#, "`config` is a list, not an object"),
            (
                r#"{"name": "c", "config": {"a": null}}"#,
                "`config.a` is null, where a string, a number, true or false is needed",
            ),
            (r#"{"name": "c", "config": {}, "Config": {}}"#, "`Config` is unknown beside `name` and `config`"),
            ("{\"name\": \"c\",\n", "it is not valid JSON, it ends too early in line 2"),
        ] {
            assert_eq!(refused(text), want);
        }
        assert!(refused("{\n\"name\" \"c\"}").starts_with("it is not valid JSON, line 2: expected `:`"));
    }

    #[test]
    fn the_place_is_where_the_parser_stopped() {
        let text = "{\n\"näme\": x}";
        let problem = read("c.json", text).unwrap_err();
        assert_eq!(problem.labels[0].span.of(text), "x");
        let short = "{";
        assert!(read("c.json", short).unwrap_err().labels[0].span.end <= short.len());
    }
}
