//! A project's files, read for a command; and diagnostics as an answer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::output::{Colour, Failure, Shown, count};
use super::render::{Source, render};
use super::{Shell, wire};
use crate::config::{Config, Need, Problem};
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::template;
use crate::plan::check;
use crate::plan::project::{self, Project};
use crate::port::{PortError, ProjectFile, Repository};

/// A project with the texts of its files.
pub(super) struct Read {
    /// What the files say.
    pub project: Project,
    /// Texts by path, for diagnostics.
    pub texts: BTreeMap<String, String>,
}

impl Read {
    /// Names every placeholder that `vars` does not hold, also where reading did not need its value.
    fn with_placeholders(mut self, vars: &BTreeMap<String, String>) -> Self {
        let files: Vec<project::File> = self.texts.iter().map(|(p, t)| (p.clone(), t.clone())).collect();
        self.project.diagnostics = check::placeholders(&files, vars, self.project.diagnostics);
        self
    }
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
    let files = wire::repository(dir).files_at(revision).await;
    let files =
        files.map_err(|e| unreadable(format!("the project {} cannot be read at {revision}", dir.display()), e))?;
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
    let files = wire::repository(dir).files().await;
    let files = files.map_err(|e| unreadable(format!("the project {} cannot be read", dir.display()), e))?;
    if files.is_empty() {
        return Err(Failure::new(format!("the project {} holds no pipelines/**/*.sql", dir.display()))
            .help("name the folder that `pipelines/` is in, with --project or `project` in cyanotype.toml"));
    }
    let read = understood(files, vars, missing);
    // Not of an earlier revision: what it held and no longer holds needs no value.
    Ok(if missing == Missing::Reported { read.with_placeholders(vars) } else { read })
}

/// Why files could not be had, each bad one on a line of its own, and the way out.
fn unreadable(what: String, error: PortError) -> Failure {
    let failure = Failure::new(what);
    match error {
        PortError::Unread { files } => {
            let lines = failure.lines.into_iter().chain(files).collect();
            Failure { lines, ..failure }.help("mend these files, or take them out of pipelines/ and connectors/")
        }
        PortError::Missing { system: "git", .. } => {
            failure.because(&error).help("--since compares with a commit: name a project that lies in a git repository")
        }
        PortError::Missing { system: "this machine", .. } => {
            failure.because(&error).help("install git: the files of a revision are read with it")
        }
        PortError::Missing { .. } => failure
            .because(&error)
            .help("name the folder that `pipelines/` is in, with --project or `project` in cyanotype.toml"),
        PortError::Refused { system: "git", .. } => failure
            .because(&error)
            .help("name a branch, a tag or a commit of the project's repository: `git log --oneline` lists commits"),
        _ => failure.because(&error).help("look at what is named above, and try again"),
    }
}

fn understood(files: Vec<ProjectFile>, vars: &BTreeMap<String, String>, missing: Missing) -> Read {
    let texts: BTreeMap<String, String> = files.into_iter().map(|f| (f.path, f.text)).collect();
    let pairs: Vec<project::File> = texts.iter().map(|(p, t)| (p.clone(), t.clone())).collect();
    let read = match missing {
        Missing::Kept => project::read(&pairs, &kept(&texts, vars)),
        Missing::Reported => project::read(&pairs, vars),
    };
    Read { project: read, texts }
}

/// Values for every placeholder of the files: one without a value is its own.
fn kept(texts: &BTreeMap<String, String>, vars: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut vars = vars.clone();
    for name in texts.values().flat_map(|text| template::variables(text)) {
        vars.entry(name.to_owned()).or_insert_with(|| format!("${{{name}}}"));
    }
    vars
}

/// What becomes of a placeholder without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// It is a problem of the project.
    Reported,
    /// It stays as it is: nothing is deployed from this reading.
    Kept,
}

/// Where a project's files are, and what stands for their placeholders, for a command that asks no system.
pub(super) struct Offline {
    /// Its folder.
    pub dir: PathBuf,
    /// Values; one that is not at hand is its own placeholder.
    pub vars: BTreeMap<String, String>,
    /// Without a configuration nobody says what placeholders there are.
    pub missing: Missing,
    /// Session settings of every job, without those whose value is not at hand.
    pub settings: BTreeMap<String, String>,
    /// What is to be said about the configuration.
    pub remarks: Vec<Diagnostic>,
}

/// The project's folder and values for its placeholders, also where no configuration is at hand and `--project` is given.
///
/// # Errors
/// The configuration cannot be used, or there is none and the project is not named.
pub(super) fn offline(shell: &Shell, asked: Option<&PathBuf>) -> Result<Offline, Failure> {
    if shell.config.exists() {
        let config = shell.config(Need::Files)?;
        let (dir, vars) = (folder(asked, &config), config.env.variables_at_hand());
        let remarks = config.remarks.iter().map(remark).collect();
        let mut settings = wire::job_settings(&config.env);
        settings.retain(|_, value| !value.is_empty());
        return Ok(Offline { dir, vars, missing: Missing::Reported, settings, remarks });
    }
    let Some(dir) = asked else {
        let help = "name the project's folder with --project, or a configuration with --config";
        return Err(shell.no_configuration().help(help));
    };
    let (vars, settings) = (BTreeMap::new(), wire::usual_settings());
    Ok(Offline { dir: dir.clone(), vars, missing: Missing::Kept, settings, remarks: Vec::new() })
}

/// A secret in the configuration. Its line is not shown: the secret stands there.
fn remark(problem: &Problem) -> Diagnostic {
    let line = problem.line.map(|line| format!(" (line {line})")).unwrap_or_default();
    let text = format!("{}{line}", problem.message);
    let help = problem.help.map(str::to_owned);
    Diagnostic { help, ..Diagnostic::warning("C119", text).in_file(problem.file.display().to_string()) }
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
        let nothing = Source::new("");
        let mut sources: BTreeMap<&str, Source<'_>> = BTreeMap::new();
        for path in self.diagnostics.iter().filter_map(|d| d.file.as_deref()) {
            if let (false, Some(text)) = (sources.contains_key(path), self.texts.get(path)) {
                sources.insert(path, Source::new(text));
            }
        }
        let source = |d: &Diagnostic| d.file.as_deref().and_then(|path| sources.get(path)).unwrap_or(&nothing);
        let shown: Vec<String> = self.diagnostics.iter().map(|d| render(d, source(d), colour)).collect();
        let errors = self.diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
        let others = self.diagnostics.len() - errors;
        format!("{}\n\n{}, {}", shown.join("\n\n"), count(errors, "error"), count(others, "warning"))
    }

    fn json(&self) -> Value {
        serde_json::json!({ "diagnostics": self.diagnostics })
    }
}
