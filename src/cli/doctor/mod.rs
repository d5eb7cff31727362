//! `cyanotype doctor`: looks at every system that the configuration names and says what is missing.
//!
//! Rules: it changes nothing; one line for each check, with what to do where it is not well; one system that does not
//! answer never hides another; every check has a time limit.

mod connect;
mod flink;
mod http;
mod kafka;
mod project;
mod registry;

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use super::Shell;
use super::output::{Failure, Paint, Painted, Reply, colour, plain};
use crate::config::{Need, Problem, Scope};

/// Look at every system that the configuration names: one line each, with what to do.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Health {
    /// Well.
    Ok,
    /// It can work; somebody should look.
    Warning,
    /// It cannot work.
    Fail,
}

/// One line of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    /// What was looked at.
    pub what: &'static str,
    /// How it is.
    pub health: Health,
    /// What was seen.
    pub seen: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Check {
    pub fn ok(what: &'static str, seen: impl Into<String>) -> Self {
        Self { what, health: Health::Ok, seen: seen.into(), help: None }
    }

    pub fn warning(what: &'static str, seen: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what, health: Health::Warning, seen: seen.into(), help: Some(help.into()) }
    }

    pub fn fail(what: &'static str, seen: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what, health: Health::Fail, seen: seen.into(), help: Some(help.into()) }
    }
}

/// All checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Report {
    env: String,
    checks: Vec<Check>,
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "environment {}", Painted(colour(f), Paint::Bold, plain(&self.env)))?;
        let width = self.checks.iter().map(|check| check.what.len()).max().unwrap_or_default();
        for check in &self.checks {
            let (word, paint) = match check.health {
                Health::Ok => ("ok  ", Paint::Green),
                Health::Warning => ("warn", Paint::Yellow),
                Health::Fail => ("FAIL", Paint::Red),
            };
            write!(f, "{}  {:<width$}  {}", Painted(colour(f), paint, word), check.what, plain(&check.seen))?;
            match &check.help {
                Some(help) => writeln!(f, ": {}", plain(help))?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

pub(super) async fn run(_args: Args, shell: &Shell) -> Result<Reply, Failure> {
    let config = shell.config(Need::Everything)?;
    let env = &config.env;
    let daemon = shell.client(Scope::Read)?;
    let kafka_env = env.clone();
    let (kafka, registry, flink, deployed, connect, daemon) = tokio::join!(
        tokio::task::spawn_blocking(move || kafka::checks(&kafka_env)),
        registry::checks(env),
        flink::checks(env),
        flink::deployed(env, &daemon),
        connect::checks(env),
        http::daemon(&daemon),
    );
    let mut checks = vec![Check::ok("configuration", format!("{} is sound", config.file.display()))];
    checks.extend(config.remarks.iter().map(plain_secret));
    checks.extend(project::checks(&config));
    checks.extend(kafka?);
    checks.extend(registry);
    checks.extend(flink);
    checks.extend(deployed);
    checks.extend(connect);
    checks.push(daemon);
    let worst = checks.iter().map(|check| check.health).max();
    let report = Report { env: env.name.clone(), checks };
    Ok(if worst == Some(Health::Fail) { Reply::no(report) } else { Reply::yes(report) })
}

/// A secret that stands in the configuration.
fn plain_secret(remark: &Problem) -> Check {
    let line = remark.line.map(|line| format!(" (line {line})")).unwrap_or_default();
    let (seen, help) = (format!("{}{line}", remark.message), remark.help.map(str::to_owned));
    Check { what: "secret", health: Health::Warning, seen, help }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_the_file_is_a_warning_with_its_line() {
        let message = "`env.dev.x` is a secret in plain text".to_owned();
        let help = Some("write { env = \"NAME\" }");
        let check = plain_secret(&Problem { file: "c.toml".into(), line: Some(7), message, help });
        let want =
            Check::warning("secret", "`env.dev.x` is a secret in plain text (line 7)", "write { env = \"NAME\" }");
        assert_eq!(check, want);
    }

    #[test]
    fn a_check_is_a_line_with_what_to_do() {
        let checks = vec![
            Check::ok("brokers", "1 broker"),
            Check::warning("slots", "none free", "add a task manager"),
            Check::fail("SQL gateway", "no answer\nat all", "start it"),
        ];
        let want = "\
environment dev
ok    brokers      1 broker
warn  slots        none free: add a task manager
FAIL  SQL gateway  no answer at all: start it
";
        assert_eq!(Report { env: "dev".to_owned(), checks }.to_string(), want);
    }
}
