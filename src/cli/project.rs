//! A project's files, read for a command; and diagnostics as an answer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::output::{Colour, Failure, Shown, count};
use super::render::render;
use super::{Shell, wire};
use crate::config::{Config, Need};
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::template;
use crate::plan::project::{self, Project};
use crate::port::{ProjectFile, Repository};

/// A project with the texts of its files.
pub(super) struct Read {
    /// What the files say.
    pub project: Project,
    /// Texts by path, for diagnostics.
    pub texts: BTreeMap<String, String>,
}

/// Where the project is: as asked, else as configured.
pub(super) fn folder(asked: Option<&PathBuf>, config: &Config) -> PathBuf {
    asked.cloned().unwrap_or_else(|| config.project.clone())
}

/// Reads the project at `dir` as a revision of its git repository has it; it may have held nothing then. See [`read`].
///
/// # Errors
/// There is no such revision, or its files cannot be read.
pub(super) async fn read_at(
    dir: &Path,
    revision: &str,
    vars: &BTreeMap<String, String>,
    missing: Missing,
) -> Result<Read, Failure> {
    let files = wire::repository(dir).files_at(revision).await.map_err(|e| {
        Failure::new(format!("the project {} cannot be read at {revision}", dir.display()))
            .because(&e)
            .help("name a branch, a tag or a commit of the git repository that the project lies in")
    })?;
    let mut read = understood(files, vars, missing);
    // They are told from the files as they are now.
    let named = |path: &String| format!("{revision}:{path}");
    read.project.diagnostics.iter_mut().for_each(|d| d.file = d.file.as_ref().map(named));
    read.texts = read.texts.iter().map(|(path, text)| (named(path), text.clone())).collect();
    Ok(read)
}

/// Reads the project at `dir`. Placeholders that `vars` does not hold stay as they are when `offline` names no values.
///
/// # Errors
/// The folder cannot be read, or holds nothing.
pub(super) async fn read(dir: &Path, vars: &BTreeMap<String, String>, missing: Missing) -> Result<Read, Failure> {
    let files = wire::repository(dir)
        .files()
        .await
        .map_err(|e| Failure::new(format!("the project {} cannot be read", dir.display())).because(&e))?;
    if files.is_empty() {
        return Err(Failure::new(format!("the project {} holds no pipelines/**/*.sql", dir.display()))
            .help("name the folder that `pipelines/` is in, with --project or `project` in cyanotype.toml"));
    }
    Ok(understood(files, vars, missing))
}

fn understood(files: Vec<ProjectFile>, vars: &BTreeMap<String, String>, missing: Missing) -> Read {
    let mut vars = vars.clone();
    if missing == Missing::Kept {
        for name in files.iter().flat_map(|f| template::variables(&f.text)) {
            vars.entry(name.to_owned()).or_insert_with(|| format!("${{{name}}}"));
        }
    }
    let texts: BTreeMap<String, String> = files.into_iter().map(|f| (f.path, f.text)).collect();
    let pairs: Vec<project::File> = texts.iter().map(|(p, t)| (p.clone(), t.clone())).collect();
    Read { project: project::read(&pairs, &vars), texts }
}

/// What becomes of a placeholder without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// It is a problem of the project.
    Reported,
    /// It stays as it is: nothing is deployed from this reading.
    Kept,
}

/// The project's folder and values for its placeholders, also where no configuration is at hand and `--project` is given.
///
/// # Errors
/// The configuration cannot be used and the project is not named.
pub(super) fn offline(shell: &Shell, asked: Option<&PathBuf>) -> Result<(PathBuf, BTreeMap<String, String>), Failure> {
    match asked {
        Some(dir) if !shell.config.exists() => Ok((dir.clone(), BTreeMap::new())),
        _ => {
            let config = shell.config(Need::Client)?;
            Ok((folder(asked, &config), config.env.variables()))
        }
    }
}

/// Diagnostics as an answer.
pub(super) struct Diagnosed {
    diagnostics: Vec<Diagnostic>,
    texts: BTreeMap<String, String>,
    /// One line when there is nothing to say.
    clean: String,
}

impl Diagnosed {
    /// `diagnostics` over the texts that they are about.
    pub(super) fn new(diagnostics: Vec<Diagnostic>, texts: BTreeMap<String, String>, clean: impl Into<String>) -> Self {
        Self { diagnostics, texts, clean: clean.into() }
    }
}

impl Shown for Diagnosed {
    fn text(&self, colour: Colour) -> String {
        if self.diagnostics.is_empty() {
            return self.clean.clone();
        }
        let text = |d: &Diagnostic| d.file.as_ref().and_then(|f| self.texts.get(f)).map(String::as_str).unwrap_or("");
        let shown: Vec<String> = self.diagnostics.iter().map(|d| render(d, text(d), colour)).collect();
        let errors = self.diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
        let others = self.diagnostics.len() - errors;
        format!("{}\n\n{}, {}", shown.join("\n\n"), count(errors, "error"), count(others, "remark"))
    }

    fn json(&self) -> Value {
        serde_json::json!({ "diagnostics": self.diagnostics })
    }
}
