//! The product's binary: the daemon as a child process, and single commands.
//!
//! Rule: a daemon that ended by itself is a failure at the next look, told with the end of its log.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::Value;

use super::answer::{Refused, Rollout};
use super::failure::{During as _, Failure, Look, Outcome, until};
use super::http::{self, Reply};
use super::narrator::Narrator;

/// How the binary is called.
#[derive(Clone)]
pub struct Binary {
    /// The program.
    pub program: PathBuf,
    /// The configuration.
    pub config: PathBuf,
    /// Where logs go.
    pub logs: PathBuf,
    /// Variables.
    pub environment: Vec<(String, String)>,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    /// Exit code; `None` when it was killed.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// Both outputs.
    pub fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

impl Binary {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--config").arg(&self.config).args(["--env", "dev"]);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        // A group of its own: Ctrl-C in a terminal ends the story, and the story ends the product.
        command.env("NO_COLOR", "1").stdin(Stdio::null()).process_group(0);
        command
    }

    /// Runs a command to its end; what it prints is told as steps while it runs.
    ///
    /// # Errors
    /// It cannot be started, or does not end within `limit` (it is killed then).
    pub async fn run(&self, arguments: &[&str], limit: Duration, narrator: &mut dyn Narrator) -> Outcome<Said> {
        let title = format!("cyanotype {}", arguments.join(" "));
        let name = arguments.first().copied().unwrap_or("command");
        let (out, err) = (self.logs.join(format!("{name}.out")), self.logs.join(format!("{name}.err")));
        let (out_file, err_file) = (create(&out)?, create(&err)?);
        let child = self.command(arguments).stdout(out_file).stderr(err_file).spawn().during(&title)?;
        let mut child = Guard(child);
        let began = Instant::now();
        let mut told = 0;
        let status = loop {
            let ended = child.0.try_wait().during(&title)?;
            told = tell_new_lines(&out, told, ended.is_some(), narrator);
            if let Some(status) = ended {
                break status;
            }
            if began.elapsed() > limit {
                let said = format!("{}{}", tail(&out, 20), tail(&err, 20));
                return Err(Failure::new(format!(
                    "`{title}` did not end within {} s; it said:\n{said}",
                    limit.as_secs()
                )));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let read = |path: &Path| std::fs::read_to_string(path).during(&title);
        Ok(Said { code: status.code(), out: read(&out)?, err: read(&err)? })
    }

    /// Starts the daemon.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn serve(&self, http: &Client, port: u16) -> Outcome<Daemon> {
        let log = self.logs.join("daemon.log");
        let file = File::options().create(true).append(true).open(&log);
        let file = file.during(format!("writing {}", log.display()))?;
        let again = file.try_clone().during("the daemon's log")?;
        let child = self.command(&["serve"]).stdout(file).stderr(again).spawn().during("starting cyanotype serve")?;
        Ok(Daemon { child: Guard(child), http: http.clone(), url: format!("http://127.0.0.1:{port}"), log })
    }
}

/// A child that does not outlive its owner.
pub struct Guard(
    /// The child.
    pub Child,
);

impl Drop for Guard {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// A running daemon.
pub struct Daemon {
    /// The process.
    pub child: Guard,
    http: Client,
    /// Where it listens.
    pub url: String,
    /// Its log.
    pub log: PathBuf,
}

impl Daemon {
    /// Fails when it ended.
    ///
    /// # Errors
    /// It ended; the end of its log is in the text.
    pub fn alive(&mut self) -> Outcome {
        match self.child.0.try_wait().during("looking at the daemon")? {
            None => Ok(()),
            Some(status) => {
                let log = tail(&self.log, 15);
                Err(Failure::new(format!("the daemon ended by itself ({status}); its log ends with:\n{log}")))
            }
        }
    }

    /// After `Ok` it leads and has read its journal.
    ///
    /// # Errors
    /// It ended, or is not ready in time.
    pub async fn ready(&mut self) -> Outcome {
        until("the daemon to be ready (GET /readyz 200)", Duration::from_secs(60), async || {
            if let Err(ended) = self.alive() {
                return Ok(Look::There(Err(ended)));
            }
            let reply = self.get("/readyz").await?;
            Ok(match reply.status.as_u16() {
                200 => Look::There(Ok(())),
                code => Look::NotYet(format!("it answers {code}: {}", http::first_line(&reply.text))),
            })
        })
        .await?
    }

    /// GET of any path.
    ///
    /// # Errors
    /// No answer.
    pub async fn get(&self, path: &str) -> Outcome<Reply> {
        http::call(&self.http, Method::GET, &format!("{}{path}", self.url), None).await
    }

    /// GET as JSON.
    ///
    /// # Errors
    /// No answer, no success, no JSON.
    pub async fn json(&self, path: &str) -> Outcome<Value> {
        http::get(&self.http, &format!("{}{path}", self.url)).await
    }

    /// Every rollout.
    ///
    /// # Errors
    /// No answer, or not the promised form.
    pub async fn rollouts(&self) -> Outcome<Vec<Rollout>> {
        serde_json::from_value(self.json("/api/v1/rollouts").await?["rollouts"].clone()).during("the list of rollouts")
    }

    /// One rollout.
    ///
    /// # Errors
    /// No answer, or not the promised form.
    pub async fn rollout(&self, id: &str) -> Outcome<Rollout> {
        serde_json::from_value(self.json(&format!("/api/v1/rollouts/{id}")).await?).during(format!("rollout {id}"))
    }

    /// Evolutions that may not be planned.
    ///
    /// # Errors
    /// No answer, or not the promised form.
    pub async fn refused(&self) -> Outcome<Vec<Refused>> {
        let status = self.json("/api/v1/status").await?;
        serde_json::from_value(status["refused"].clone()).during("`refused` of /api/v1/status")
    }

    /// The first of the states that the rollout reaches; every state on the way is told.
    ///
    /// # Errors
    /// It goes another way, or takes too long: the reasons that it gives are in the text.
    pub async fn reach(
        &mut self,
        id: &str,
        states: &[&str],
        limit: Duration,
        narrator: &mut dyn Narrator,
    ) -> Outcome<Rollout> {
        let mut last = String::new();
        until(&format!("rollout {id} to be {}", states.join(" or ")), limit, async || {
            if let Err(ended) = self.alive() {
                return Ok(Look::There(Err(ended)));
            }
            let rollout = self.rollout(id).await?;
            let line = format!("{}: {}", rollout.state, rollout.waits_for());
            if line != last {
                narrator.step(line.trim_end_matches([':', ' ']));
                last = line;
            }
            Ok(if states.contains(&rollout.state.as_str()) {
                Look::There(Ok(rollout))
            } else if rollout.lost() {
                Look::There(Err(Failure::new(rollout.why())))
            } else {
                Look::NotYet(rollout.why())
            })
        })
        .await?
    }

    /// Waits until the rollout is over, in that state.
    ///
    /// # Errors
    /// It ends in another way, or takes too long.
    pub async fn ends_as(&mut self, id: &str, state: &str, limit: Duration) -> Outcome {
        until(&format!("rollout {id} to be {state}"), limit, async || {
            if let Err(ended) = self.alive() {
                return Ok(Look::There(Err(ended)));
            }
            let rollout = self.rollout(id).await?;
            Ok(if rollout.state == state {
                Look::There(Ok(()))
            } else if ["done", "superseded", "aborted", "rolled_back", "stuck"].contains(&rollout.state.as_str()) {
                Look::There(Err(Failure::new(rollout.why())))
            } else {
                Look::NotYet(rollout.why())
            })
        })
        .await?
    }

    /// The end of its log.
    pub fn last_words(&self) -> String {
        tail(&self.log, 30)
    }

    /// Asks it to end.
    ///
    /// # Errors
    /// It does not end within 20 s (it is killed then), or had ended before.
    pub async fn stop(mut self) -> Outcome<ExitStatus> {
        if let Some(status) = self.child.0.try_wait().during("looking at the daemon")? {
            return Err(Failure::new(format!("the daemon had ended by itself before ({status})")));
        }
        let pid = self.child.0.id().to_string();
        // One that stands still at a fail point ends too.
        for signal in ["-TERM", "-CONT"] {
            Command::new("kill").args([signal, &pid]).status().during("stopping the daemon")?;
        }
        until("the daemon to end after SIGTERM", Duration::from_secs(20), async || {
            Ok(match self.child.0.try_wait().during("looking at the daemon")? {
                Some(status) => Look::There(status),
                None => Look::NotYet("it runs on".to_owned()),
            })
        })
        .await
    }
}

fn create(path: &Path) -> Outcome<File> {
    File::create(path).during(format!("writing {}", path.display()))
}

/// The last lines of a file.
fn tail(path: &Path, lines: usize) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
}

/// Tells whole lines that came since `told` lines.
fn tell_new_lines(path: &Path, told: usize, ended: bool, narrator: &mut dyn Narrator) -> usize {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let whole = if ended { text.as_str() } else { text.rsplit_once('\n').map_or("", |(whole, _)| whole) };
    let lines: Vec<&str> = whole.lines().collect();
    for line in lines.iter().skip(told) {
        narrator.step(line);
    }
    lines.len().max(told)
}
