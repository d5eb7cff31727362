//! What is wrong with a configuration: one line for each problem, naming the key, the line and the way out.

use std::fmt;
use std::path::PathBuf;

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was named.
    pub file: PathBuf,
    /// Line in the file, counted from 1; `None` when it is about the file as a whole.
    pub line: Option<usize>,
    /// What is wrong, one line; with how to mend it where `help` is `None`.
    pub message: String,
    /// How to mend it, where that is told apart.
    pub help: Option<&'static str>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.message)?;
        self.help.map_or(Ok(()), |help| write!(f, ": {help}"))
    }
}

/// Everything that is wrong with a configuration. `Display` prints one line for each problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// At least one, in the order of the file.
    pub problems: Vec<Problem>,
}

impl ConfigError {
    pub(super) fn one(file: impl Into<PathBuf>, line: Option<usize>, message: impl Into<String>) -> Self {
        Self { problems: vec![Problem { file: file.into(), line, message: message.into(), help: None }] }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// The known name that was most likely meant by `given`; `None` when nothing is near.
pub(crate) fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the name may be wrong, and short names may have two slips.
    let allowed = (given.chars().count() / 3).max(2);
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(given, name), name))
        .filter(|(distance, name)| *distance <= allowed && *distance < name.chars().count())
        .min()
        .map(|(_, name)| name)
}

/// ": did you mean `x`?" when a known name is near, else the list of known names.
pub(crate) fn suggestion(given: &str, known: &[&str]) -> String {
    match nearest(given, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None if known.is_empty() => "there is nothing to choose from".to_owned(),
        None => format!("known: {}", known.join(", ")),
    }
}
