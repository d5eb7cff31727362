//! Steps that several tests take and the demo does not.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::brief::Brief;
use crate::story::answer::Rollout;
use crate::story::case::{Change, Project};
use crate::story::failure::{During as _, Look, Outcome, ensure, until};
use crate::story::generated::Generated;
use crate::story::http;
use crate::story::narrator::Narrator;
use crate::story::run::Run;
use crate::story::tale;

/// Tells a test's story on a drawn project, and removes everything again.
///
/// # Errors
/// The first thing that did not come true, with the end of the daemon's log.
pub async fn tell(
    name: &str,
    project: Generated,
    story: impl AsyncFnOnce(&mut Run<Generated>, &mut dyn Narrator) -> Outcome,
) -> Outcome {
    let (program, folder) = (Path::new(env!("CARGO_BIN_EXE_cyanotype")), Path::new(env!("CARGO_TARGET_TMPDIR")));
    tale::told(project, program, folder, &mut Brief::new(name), story, async |_, _| {}).await
}

/// Puts `new` in place of `old`, which the configuration must hold once.
///
/// # Errors
/// It does not; or the disk refuses.
pub fn amend<P: Project>(run: &Run<P>, old: &str, new: &str) -> Outcome {
    let path = run.place.config();
    let text = std::fs::read_to_string(&path).during("the configuration")?;
    ensure(text.matches(old).count() == 1, || format!("the configuration must hold `{old}` once:\n{text}"))?;
    std::fs::write(&path, text.replace(old, new)).during("the configuration")
}

/// The first rollout that is none of `known`.
///
/// # Errors
/// None comes in time.
pub async fn new_rollout<P: Project>(run: &mut Run<P>, known: &BTreeSet<String>) -> Outcome<Rollout> {
    let daemon = run.daemon()?;
    until("a new rollout", Duration::from_secs(60), async || {
        let rollouts = daemon.rollouts().await?;
        let new = rollouts.into_iter().find(|rollout| !known.contains(&rollout.id));
        Ok(new.map_or_else(|| Look::NotYet("there is none".to_owned()), Look::There))
    })
    .await
}

/// Adds the column in PostgreSQL; the version that the registry has then.
///
/// # Errors
/// PostgreSQL refuses, or the registry gets no new version in time.
pub async fn new_version<P: Project>(run: &mut Run<P>, change: &Change) -> Outcome<i64> {
    let versions = format!("{}/subjects/{}/versions", run.world.registry, change.subject);
    let last = async |run: &Run<P>| {
        let all = http::get(&run.http, &versions).await?;
        Ok(all.as_array().and_then(|all| all.last()?.as_i64()).unwrap_or(0))
    };
    let before = last(run).await?;
    tale::add_column(run, change).await?;
    until(&format!("a new version of {}", change.subject), Duration::from_secs(30), async || {
        let now = last(run).await?;
        Ok(if now > before { Look::There(now) } else { Look::NotYet(format!("it is at {now}")) })
    })
    .await
}
