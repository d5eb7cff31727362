//! A daemon that stands still at a named entry of its journal, so that something can happen exactly there.

use std::process::Command;
use std::time::Duration;

use crate::story::case::Project;
use crate::story::daemon::Binary;
use crate::story::failure::Look;
use crate::story::failure::{During as _, Outcome, ensure, until};
use crate::story::run::Run;

/// How long a rollout may take to the named entry.
const STEP: Duration = Duration::from_secs(240);

/// How the daemon is called that is killed or stopped at that point (`src/daemon/failpoint.rs`).
pub fn with_point<P: Project>(run: &Run<P>, point: Option<&str>) -> Binary {
    let mut binary = run.binary.clone();
    binary.environment.extend(point.map(|point| ("CYANOTYPE_FAILPOINT".to_owned(), point.to_owned())));
    binary
}

/// Another daemon leads, which will stand still at that point. The one before is asked to end.
pub async fn leads_until<P: Project>(run: &mut Run<P>, point: &str) -> Outcome {
    run.stop().await?;
    run.daemon = Some(with_point(run, Some(point)).serve(&run.http, run.world.daemon_port)?);
    run.daemon()?.ready().await
}

/// Waits until the daemon stands still.
pub async fn stands_still<P: Project>(run: &mut Run<P>) -> Outcome {
    let process = run.daemon()?.child.0.id();
    stopped(process, "the daemon to stand still at its fail point").await
}

/// Waits until the process is stopped.
pub async fn stopped(process: u32, what: &str) -> Outcome {
    until(what, STEP, async || {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).during("looking at the daemon")?;
        let state = status.lines().find(|line| line.starts_with("State:")).unwrap_or_default();
        Ok(if state.contains("(stopped)") { Look::There(()) } else { Look::NotYet(state.to_owned()) })
    })
    .await
}

/// Lets the daemon go on.
pub fn goes_on<P: Project>(run: &mut Run<P>) -> Outcome {
    signal("-CONT", run.daemon()?.child.0.id())
}

/// Sends a signal to a process of this test.
pub fn signal(name: &str, process: u32) -> Outcome {
    let process = process.to_string();
    let sent = Command::new("kill").args([name, &process]).status().during("sending a signal")?;
    ensure(sent.success(), || format!("kill {name} {process}: {sent}"))
}
