//! Reads a TOML document section by section and collects every problem with its line.
//!
//! Rules: a key is known once it has been asked for, so the code that reads a section is also the list of its keys;
//! [`Section::finish`] refuses the others. Reading goes on after a problem, with a harmless value in its place: what was
//! read counts only when [`Reader::problems`] is empty. A secret's value never becomes part of a message.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Range, RangeInclusive};
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{ConfigError, Problem, suggestion};
use super::secret::{Secret, is_variable};
use super::text_file;
use crate::model::template::holds_a_secret;

/// A secret of this size is a mistake.
const SECRET_LIMIT: u64 = 1 << 20;

/// What becomes of `{ env = .. }` and `{ file = .. }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolve {
    /// Looked up; one that is not there is a problem.
    Strictly,
    /// Looked up; one that is not there counts as not given.
    WhereSet,
    /// Only their form is checked.
    No,
}

/// One document being read.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) file: &'a Path,
    pub(super) variable: &'a dyn Fn(&str) -> Option<String>,
    pub(super) problems: RefCell<Vec<Problem>>,
    /// What somebody should look at, though it can be used.
    pub(super) remarks: RefCell<Vec<Problem>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, file: &'a Path, variable: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { text, file, variable, problems: RefCell::default(), remarks: RefCell::default() }
    }

    /// The document's root.
    pub(super) fn parse(text: &'a str, file: &Path) -> Result<Spanned<DeTable<'a>>, ConfigError> {
        DeTable::parse(text).map_err(|error| {
            let line = error.span().map(|span| line_of(text, &span));
            // The parser's message may go on over lines; the first says what is wrong.
            let message = error.message().lines().next().unwrap_or("not TOML").to_owned();
            ConfigError::one(file, line, format!("not valid TOML: {message}"))
        })
    }

    pub(super) fn problem(&self, span: &Range<usize>, message: impl Into<String>) {
        self.problems.borrow_mut().push(self.at(span, message));
    }

    fn at(&self, span: &Range<usize>, message: impl Into<String>) -> Problem {
        Problem {
            file: self.file.to_owned(),
            line: Some(line_of(self.text, span)),
            message: message.into(),
            help: None,
        }
    }

    /// Everything found so far, in the order of the file, each once.
    pub(super) fn problems(&self) -> Vec<Problem> {
        in_order(&self.problems)
    }

    /// The same for what somebody should look at.
    pub(super) fn remarks(&self) -> Vec<Problem> {
        in_order(&self.remarks)
    }

    pub(super) fn directory(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new(""))
    }
}

fn in_order(found: &RefCell<Vec<Problem>>) -> Vec<Problem> {
    let mut all = found.borrow().clone();
    all.sort_by(|a, b| (a.line, &a.message).cmp(&(b.line, &b.message)));
    all.dedup();
    all
}

/// A table of the document, or the empty one in the place of a table that is not there.
pub(super) struct Section<'a> {
    pub(super) reader: &'a Reader<'a>,
    /// `env.dev.kafka`; empty for the root.
    pub(super) path: String,
    /// Where it begins, or where the nearest table around it does.
    pub(super) span: Range<usize>,
    table: Option<&'a DeTable<'a>>,
    known: RefCell<Vec<&'static str>>,
    pub(super) resolve: Resolve,
}

impl<'a> Section<'a> {
    pub(super) fn root(reader: &'a Reader<'a>, table: &'a Spanned<DeTable<'a>>) -> Self {
        // The root's span is the whole document; its beginning stands for it.
        Self::new(reader, String::new(), 0..0, Some(table.get_ref()), Resolve::Strictly)
    }

    fn new(
        reader: &'a Reader<'a>,
        path: String,
        span: Range<usize>,
        table: Option<&'a DeTable<'a>>,
        resolve: Resolve,
    ) -> Self {
        Self { reader, path, span, table, known: RefCell::new(Vec::new()), resolve }
    }

    /// The same section, its references treated as `resolve` says.
    pub(super) fn resolving(mut self, resolve: Resolve) -> Self {
        self.resolve = resolve;
        self
    }

    /// True when the document has it.
    pub(super) fn given(&self) -> bool {
        self.table.is_some()
    }

    /// Refuses every key that nobody asked for.
    pub(super) fn finish(self) {
        let known = self.known.borrow();
        for key in self.table.into_iter().flat_map(|table| table.keys()) {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                let message = format!("unknown key `{name}` {}: {}", self.place(), suggestion(name, &known));
                self.reader.problem(&key.span(), message);
            }
        }
    }

    /// `in [env.dev.kafka]`.
    fn place(&self) -> String {
        if self.path.is_empty() { "at the top level".to_owned() } else { format!("in [{}]", self.path) }
    }

    pub(super) fn name_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn raw(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table.and_then(|table| table.get(key))
    }

    pub(super) fn known(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.borrow_mut().push(key);
        self.raw(key)
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'a>>, want: &str) {
        let message = format!("`{}` must be {want}, not {}", self.name_of(key), kind(value.get_ref()));
        self.reader.problem(&value.span(), message);
    }

    /// Says that a required key is not there.
    pub(super) fn missing(&self, key: &str, example: &str) {
        let message = format!("missing key `{}`: add `{key} = {example}` to [{}]", self.name_of(key), self.path);
        self.reader.problem(&self.span, message);
    }

    /// A table under this one.
    pub(super) fn section(&self, key: &'static str) -> Section<'a> {
        let Some(value) = self.known(key) else {
            return Self::new(self.reader, self.name_of(key), self.span.clone(), None, self.resolve);
        };
        self.table_of(key, value)
    }

    fn table_of(&self, key: &str, value: &'a Spanned<DeValue<'a>>) -> Section<'a> {
        let table = match value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => {
                self.wrong_type(key, value, "a table");
                None
            }
        };
        Self::new(self.reader, self.name_of(key), value.span(), table, self.resolve)
    }

    /// Every entry of this table as a table of its own, by name.
    pub(super) fn sections(&self) -> BTreeMap<String, Section<'a>> {
        let entries = self.table.into_iter().flat_map(|table| table.iter());
        entries.map(|(name, value)| (name.get_ref().to_string(), self.table_of(name.get_ref(), value))).collect()
    }

    /// A list of tables.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Section<'a>> {
        let Some(value) = self.known(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type(key, value, "a list of tables");
            return Vec::new();
        };
        items.iter().enumerate().map(|(i, item)| self.table_of(&format!("{key}[{i}]"), item)).collect()
    }

    /// A string, if it is given.
    pub(super) fn text(&self, key: &'static str) -> Option<String> {
        let value = self.known(key)?;
        self.string(key, value)
    }

    /// A string that must be there.
    pub(super) fn required(&self, key: &'static str, example: &str) -> Option<String> {
        let Some(value) = self.known(key) else {
            self.missing(key, example);
            return None;
        };
        let text = self.string(key, value)?;
        if text.trim().is_empty() {
            self.reader.problem(&value.span(), format!("`{}` is empty", self.name_of(key)));
            return None;
        }
        Some(text)
    }

    /// Runs `check` on a string that was given; what it refuses is a problem of that key.
    pub(super) fn checked<T>(&self, key: &str, text: &str, check: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        match check(text) {
            Ok(value) => Some(value),
            Err(why) => {
                let span = self.raw(key).map_or_else(|| self.span.clone(), Spanned::span);
                self.reader.problem(&span, format!("`{}` {why}", self.name_of(key)));
                None
            }
        }
    }

    /// One of the names in `choices`.
    pub(super) fn choice<T: Clone>(&self, key: &'static str, choices: &[(&str, T)], default: T) -> T {
        let Some(text) = self.text(key) else { return default };
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        self.checked(key, &text, |text| {
            choices
                .iter()
                .find(|(name, _)| *name == text)
                .map(|(_, value)| value.clone())
                .ok_or_else(|| format!("cannot be `{text}`: {}", suggestion(text, &names)))
        })
        .unwrap_or(default)
    }

    /// A whole number within `range`.
    pub(super) fn number(&self, key: &'static str, range: RangeInclusive<u64>, default: u64) -> u64 {
        let Some(value) = self.known(key) else { return default };
        let DeValue::Integer(number) = value.get_ref() else {
            self.wrong_type(key, value, "a whole number");
            return default;
        };
        let parsed = u64::from_str_radix(number.as_str(), number.radix()).ok().filter(|n| range.contains(n));
        if parsed.is_none() {
            let (low, high) = (range.start(), range.end());
            let message = format!("`{}` must be between {low} and {high}, not {number}", self.name_of(key));
            self.reader.problem(&value.span(), message);
        }
        parsed.unwrap_or(default)
    }

    /// A list of strings; a single string counts as a list of one, and a list of nothing is a problem.
    pub(super) fn list(&self, key: &'static str) -> Vec<String> {
        let Some(value) = self.known(key) else { return Vec::new() };
        match value.get_ref() {
            DeValue::Array(items) if items.is_empty() => {
                self.reader.problem(&value.span(), format!("`{}` is empty", self.name_of(key)));
                Vec::new()
            }
            DeValue::Array(items) => items.iter().filter_map(|item| self.string(key, item)).collect(),
            _ => self.string(key, value).into_iter().collect(),
        }
    }

    /// A table of strings.
    pub(super) fn map(&self, key: &'static str) -> BTreeMap<String, Secret> {
        let section = self.section(key);
        let entries = section.table.into_iter().flat_map(|table| table.iter());
        entries
            .filter_map(|(name, value)| {
                let text = match value.get_ref() {
                    // Settings are often numbers and switches, and mean the same as text.
                    DeValue::Integer(number) if number.radix() == 10 => {
                        section.written_out(name.get_ref(), &value.span(), number.as_str());
                        Some(number.as_str().to_owned())
                    }
                    DeValue::Boolean(switch) => Some(switch.to_string()),
                    _ => section.string(name.get_ref(), value),
                };
                text.map(|text| (name.get_ref().to_string(), Secret::new(text)))
            })
            .collect()
    }

    /// The names in a table, also of entries whose value is not at hand.
    pub(super) fn names(&self, key: &str) -> BTreeSet<String> {
        match self.raw(key).map(Spanned::get_ref) {
            Some(DeValue::Table(table)) => table.keys().map(|name| name.get_ref().to_string()).collect(),
            _ => BTreeSet::new(),
        }
    }

    /// Where an entry of a table of strings stands.
    pub(super) fn problem_at(&self, key: &str, entry: &str, message: String) {
        let span = match self.raw(key).map(Spanned::get_ref) {
            Some(DeValue::Table(table)) => table.get_key_value(entry).map(|(name, _)| name.span()),
            _ => None,
        };
        self.reader.problem(&span.unwrap_or_else(|| self.span.clone()), message);
    }

    fn string(&self, key: &str, value: &'a Spanned<DeValue<'a>>) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) => {
                self.written_out(key, &value.span(), text);
                Some(text.to_string())
            }
            DeValue::Table(table) => self.reference(key, value.span(), table),
            _ => {
                self.wrong_type(key, value, "a string (or { env = \"NAME\" } or { file = \"PATH\" })");
                None
            }
        }
    }

    /// Remarks on a secret whose value stands in the file.
    fn written_out(&self, key: &str, span: &Range<usize>, value: &str) {
        if !value.is_empty() && holds_a_secret(key) {
            let name = self.name_of(key);
            let remark = self.reader.at(span, format!("`{name}` is a secret in plain text"));
            let remark = Problem { help: Some("write { env = \"NAME\" } or { file = \"PATH\" }"), ..remark };
            self.reader.remarks.borrow_mut().push(remark);
        }
    }

    /// `{ env = "NAME" }`, `{ file = "PATH" }`, with an optional `default`.
    fn reference(&self, key: &str, span: Range<usize>, table: &'a DeTable<'a>) -> Option<String> {
        let name = self.name_of(key);
        let inner = Self::new(self.reader, name.clone(), span.clone(), Some(table), Resolve::No);
        let plain = |key: &'static str| match inner.known(key).map(|v| (v, v.get_ref())) {
            Some((_, DeValue::String(text))) => Some(text.to_string()),
            Some((value, _)) => {
                inner.wrong_type(key, value, "a string");
                None
            }
            None => None,
        };
        let (env, file, default) = (plain("env"), plain("file"), plain("default"));
        let given = ["env", "file"].iter().filter(|key| inner.raw(key).is_some()).count();
        let all_known = table.keys().all(|key| matches!(key.get_ref().as_ref(), "env" | "file" | "default"));
        inner.finish();
        if !all_known {
            return None;
        }
        if given != 1 {
            self.reader.problem(&span, format!("`{name}` takes either {{ env = \"NAME\" }} or {{ file = \"PATH\" }}"));
            return None;
        }
        if env.as_deref().is_some_and(|env| !is_variable(env)) {
            // What stands there is not repeated: it may be the secret itself.
            let message =
                format!("`{name}` names no environment variable behind `env`: a name has letters, digits and `_`");
            self.reader.problem(&span, message);
            return None;
        }
        if self.resolve == Resolve::No {
            return None;
        }
        let found = match (env, file) {
            (Some(variable), _) => {
                (self.reader.variable)(&variable).filter(|value| !value.is_empty()).ok_or_else(|| {
                    format!("`{name}` needs the environment variable {variable}, which is not set or empty: set it")
                })
            }
            (_, Some(path)) => {
                let path = self.reader.directory().join(path);
                text_file::read(&path, SECRET_LIMIT).map(|text| text.trim_end_matches(['\r', '\n']).to_owned()).map_err(
                    |error| format!("`{name}` needs the file {}, which cannot be read: {error}", path.display()),
                )
            }
            _ => return None,
        };
        match found {
            Ok(value) => Some(value),
            Err(_) if default.is_some() => default,
            Err(message) => {
                if self.resolve == Resolve::Strictly {
                    self.reader.problem(&span, message);
                }
                None
            }
        }
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn line_of(text: &str, span: &Range<usize>) -> usize {
    let before = text.as_bytes().get(..span.start).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|b| **b == b'\n').count()
}
