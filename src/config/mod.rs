//! `cyanotype.toml`: named environments, one of which is chosen.
//!
//! Rules: unknown keys are refused, naming key, line and the nearest known one; every environment of the file is checked,
//! but references (`{ env = "NAME" }`, `{ file = "PATH" }`) are looked up only in the chosen one; relative paths start at the
//! file's folder; all problems are reported at once, one line each; a secret never becomes part of a message.

mod document;
mod environment;
mod problem;
mod read;
mod secret;
#[cfg(test)]
mod tests;
pub(crate) mod text_file;

use std::path::{Path, PathBuf};

pub use environment::{
    Api, Auth, Carry, Environment, Flink, Kafka, LEVELS, Notify, NullableDefaults, Policy, Reads, Registry,
    RegistryAuth, Remote, RetireTopics, Scope, SigningSecret, StagePolicy, Strategy, Tls, Token,
};
pub(crate) use problem::nearest;
pub use problem::{ConfigError, Problem};
pub use secret::Secret;

use document::{Reader, Resolve, Section};

/// The file that is read when none is named.
pub const DEFAULT_FILE: &str = "cyanotype.toml";

/// A configuration with its chosen environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The file that it was read from.
    pub file: PathBuf,
    /// Folder of the project: `pipelines/` and `connectors/` are in it.
    pub project: PathBuf,
    /// The chosen environment.
    pub env: Environment,
    /// Names of all environments in the file.
    pub names: Vec<String>,
    /// What somebody should look at: secrets that stand in the file.
    pub remarks: Vec<Problem>,
}

/// How much of the chosen environment is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// All of it: every reference must resolve.
    Everything,
    /// Only the way to the daemon. Tokens that are not at hand are left out, and every other reference stays empty: a
    /// person who asks for the status does not need Kafka's password.
    Client,
    /// Only what reading the project's files takes: values of placeholders, where they are at hand. Nothing of the daemon's
    /// API is looked up.
    Files,
}

/// A configuration of this size is a mistake.
const FILE_LIMIT: u64 = 4 << 20;

impl Config {
    /// Reads `file` and chooses `env` (or the file's `default_env`, or its only environment).
    ///
    /// # Errors
    /// Every problem of the file, or that it cannot be read.
    pub fn load(file: &Path, env: Option<&str>, need: Need) -> Result<Self, ConfigError> {
        let text = text_file::read(file, FILE_LIMIT).map_err(|error| {
            let way_out = "name another one with --config or CYANOTYPE_CONFIG";
            ConfigError::one(file, None, format!("the configuration cannot be read: {error}: {way_out}"))
        })?;
        Self::parse(&text, file, env, need, &|name| std::env::var(name).ok())
    }

    /// As [`Config::load`], from text; `variable` stands for the process's environment.
    ///
    /// # Errors
    /// Every problem of the text.
    pub fn parse(
        text: &str,
        file: &Path,
        env: Option<&str>,
        need: Need,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let document = Reader::parse(text, file)?;
        let reader = Reader::new(text, file, variable);
        let root = Section::root(&reader, &document);
        let project = root.text("project");
        let default_env = root.text("default_env");
        let all = root.section("env").sections();
        root.finish();
        let names: Vec<String> = all.keys().cloned().collect();
        let chosen = choose(env.or(default_env.as_deref()), &names, file);
        let mut found = None;
        for (name, section) in all {
            let is_chosen = chosen.as_ref().is_ok_and(|chosen| *chosen == name);
            let resolve = match need {
                Need::Everything if is_chosen => Resolve::Strictly,
                Need::Client | Need::Files if is_chosen => Resolve::WhereSet,
                _ => Resolve::No,
            };
            let environment = read::environment(&name, section.resolving(resolve), need);
            if is_chosen {
                found = Some(environment);
            }
        }
        let mut problems = reader.problems();
        match (chosen, found) {
            (Ok(_), Some(env)) if problems.is_empty() => {
                let project = reader.directory().join(project.unwrap_or_else(|| ".".to_owned()));
                Ok(Self { file: file.to_owned(), project, env, names, remarks: reader.remarks() })
            }
            (Err(error), _) => {
                problems.extend(error.problems);
                Err(ConfigError { problems })
            }
            _ => Err(ConfigError { problems }),
        }
    }
}

/// The name of the environment to use.
fn choose(wanted: Option<&str>, names: &[String], file: &Path) -> Result<String, ConfigError> {
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    match (wanted, names) {
        (_, []) => Err(ConfigError::one(file, None, "there is no environment: add a section such as [env.dev]")),
        (Some(wanted), _) if names.iter().any(|name| name == wanted) => Ok(wanted.to_owned()),
        (Some(wanted), _) => {
            let list = known.join(", ");
            let near = problem::nearest(wanted, known.iter().copied());
            let hint = near.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default();
            Err(ConfigError::one(file, None, format!("there is no environment `{wanted}`{hint} (known: {list})")))
        }
        (None, [only]) => Ok(only.clone()),
        (None, _) => {
            let list = known.join(", ");
            let message = format!("choose an environment with --env or CYANOTYPE_ENV, or set `default_env`: {list}");
            Err(ConfigError::one(file, None, message))
        }
    }
}
