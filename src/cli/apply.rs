//! `cyanotype apply`: hands a plan to the daemon, and waits for its end if asked to.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::Shell;
use super::client::{Client, understood};
use super::output::{Answer, Failure, Reply};
use super::reject::Decided;
use super::show::{Shown, fetch};
use super::view::Taken;
use crate::config::{Scope, text_file};

/// Hand a plan to the daemon.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Plan as `plan --output json` prints it; `-` reads it from stdin.
    plan: PathBuf,
    #[command(flatten)]
    wait: Wait,
}

/// Whether to wait for the end.
#[derive(Debug, clap::Args)]
pub(super) struct Wait {
    /// Wait until the rollout has ended, or needs a person because it is stuck or unproven.
    #[arg(long)]
    pub wait: bool,
    /// How long to wait, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, requires = "wait")]
    pub timeout: u64,
}

pub(super) async fn run(args: Args, shell: &Shell) -> Result<Reply, Failure> {
    let plan = read(&args.plan)?;
    let client = shell.client(Scope::Apply)?;
    let said = client.post(&["rollouts"], &Value::Object(plan)).await?;
    let taken: Taken = understood(&said, "the answer")?;
    if !args.wait.wait {
        return Ok(Reply::yes(Decided { taken, said }));
    }
    let looking = shell.client(Scope::Read)?;
    follow(&looking, &taken.rollout, Duration::from_secs(args.wait.timeout), shell).await
}

/// What the daemon takes as a plan.
const PLAN_LIMIT: u64 = 128 << 20;

fn read(path: &Path) -> Result<Map<String, Value>, Failure> {
    let named = path.display();
    let reading = if path.as_os_str() == "-" {
        text_file::within(std::io::stdin(), PLAN_LIMIT)
    } else {
        text_file::read(path, PLAN_LIMIT)
    };
    let text = reading.map_err(|error| {
        let help = "make one with `cyanotype plan --output json > plan.json`";
        Failure::new(format!("the plan {named} cannot be read")).because(&error).help(help)
    })?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::new(format!("{named} is not a plan"))
            .because(&error)
            .help("make one with `cyanotype plan --output json > plan.json`")
    })
}

/// How a rollout's state ends the waiting; `None` while it goes on.
fn end(state: &str, ended: bool) -> Option<Answer> {
    match state {
        "done" => Some(Answer::Yes),
        "stuck" | "unproven" => Some(Answer::No),
        _ if ended => Some(Answer::No),
        _ => None,
    }
}

/// True when no daemon answered, or one that does not know yet.
fn silent(failure: &Failure) -> bool {
    failure.cause.as_deref().is_none_or(|cause| cause == "not_leading") && failure.answer.is_none()
}

/// Follows a rollout to its end and says each state on the way.
pub(super) async fn follow(client: &Client, id: &str, limit: Duration, shell: &Shell) -> Result<Reply, Failure> {
    let started = Instant::now();
    let mut last = (String::new(), String::new());
    loop {
        match fetch(client, id).await {
            Ok(shown) => {
                let now = (shown.rollout.state.clone(), shown.rollout.waiting_on.clone());
                if now != last {
                    shell.say(format!("{:>5}s  {}  {}", started.elapsed().as_secs(), now.0, now.1).trim_end());
                    last = now;
                }
                if let Some(answer) = end(&shown.rollout.state, shown.rollout.ended) {
                    return Ok(ended(shown, answer));
                }
            }
            // A daemon that is restarted in between comes back and goes on.
            Err(failure) if silent(&failure) && !last.0.is_empty() => {
                let now = (last.0.clone(), "no daemon answers".to_owned());
                if now != last {
                    shell.say(&format!("{:>5}s  {}  no daemon answers", started.elapsed().as_secs(), last.0));
                    last = now;
                }
            }
            Err(failure) => return Err(failure),
        }
        if started.elapsed() >= limit {
            return Err(Failure::new(format!("rollout {id} did not end within {} s", limit.as_secs()))
                .help(format!("it goes on without us: look with `cyanotype show {id}`")));
        }
        // How often the daemon is asked; the deadline above ends it.
        tokio::time::sleep(Duration::from_millis(500).min(limit)).await;
    }
}

fn ended(shown: Shown, answer: Answer) -> Reply {
    match answer {
        Answer::Yes => Reply::yes(shown),
        Answer::No | Answer::Unknown => Reply::no(shown),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::json;

    use super::*;
    use crate::cli::client::tests::daemon;
    use crate::cli::output::Format;

    fn shell() -> Shell {
        Shell { config: "none.toml".into(), env: None, output: Format::Text }
    }

    async fn end_of(states: &'static [(&str, bool)], limit: Duration) -> Result<Reply, Failure> {
        let at = Arc::new(AtomicUsize::new(0));
        let (env, _) = daemon(move |_| {
            let i = at.fetch_add(1, Ordering::Relaxed).min(states.len() - 1);
            (200, json!({ "id": "r1", "state": states[i].0, "ended": states[i].1 }))
        })
        .await;
        follow(&Client::new(&env, Scope::Read).unwrap(), "r1", limit, &shell()).await
    }

    #[tokio::test]
    async fn waiting_ends_with_the_rollout_and_only_done_is_a_yes() {
        let long = Duration::from_secs(20);
        assert_eq!(end_of(&[("staging", false), ("done", true)], long).await.unwrap().answer(), Answer::Yes);
        for last in [("aborted", true), ("stuck", false), ("unproven", false), ("rolled_back", true)] {
            let states: &'static [_] = Box::leak(vec![last].into_boxed_slice());
            assert_eq!(end_of(states, long).await.unwrap().answer(), Answer::No, "{last:?}");
        }
    }

    #[tokio::test]
    async fn waiting_has_a_limit() {
        let failure = end_of(&[("soaking", false)], Duration::from_millis(20)).await.err().unwrap();
        assert!(failure.lines[0].contains("did not end within"), "{failure:?}");
        assert_eq!(failure.answer, None);
    }

    #[test]
    fn a_file_that_is_no_plan_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[1]").unwrap();
        let failure = read(file.path()).unwrap_err();
        assert!(failure.lines[0].ends_with("is not a plan") && failure.help.is_some(), "{failure:?}");
        assert!(read(Path::new("nowhere.json")).unwrap_err().lines[0].contains("nowhere.json cannot be read"));
    }
}
