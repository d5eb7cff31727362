//! Steps that several tests take and the demo does not.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::brief::Brief;
use crate::story::answer::Rollout;
use crate::story::case::{Change, Project};
use crate::story::failure::{During as _, Failure, Look, Outcome, ensure, until};
use crate::story::flink::Baseline;
use crate::story::generated::Generated;
use crate::story::http::{self, Reply};
use crate::story::narrator::{Narrator, Silent};
use crate::story::run::Run;
use crate::story::tale;

/// The seed of a project of two statements whose fact gets the column.
pub const SMALL: u64 = 70_001;

/// The first project from that seed on, of two statements, whose fact gets the column; and its seed.
///
/// # Errors
/// None of the next hundred is such a project.
pub fn with_the_column_in_the_fact(seed: u64) -> Outcome<(u64, Generated)> {
    for seed in seed..seed + 100 {
        let project = Generated::draw(seed, 2)?;
        let case = project.case();
        let fact = case.facts.first().during("a fact")?;
        if case.carried.iter().any(|carried| carried.table == fact.table) {
            return Ok((seed, project));
        }
    }
    Err(Failure::new("no project whose fact gets the column was drawn"))
}

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

/// Everything that an answer to a call that was refused must have: status, cause, words in its message, and a way out.
///
/// # Errors
/// What it lacks.
pub fn is_refused(reply: &Reply, status: u16, cause: &str, words: &[&str]) -> Outcome<String> {
    let error = serde_json::from_str::<Value>(&reply.text).unwrap_or_default()["error"].clone();
    let message = error["message"].as_str().unwrap_or_default();
    let helps = error["help"].as_str().is_some_and(|help| !help.is_empty());
    let named = words.iter().all(|word| message.contains(word));
    ensure(reply.status.as_u16() == status && error["cause"] == cause && named && helps, || {
        let (words, got) = (words.join(" and "), reply.status);
        format!("it must be answered {status} {cause}, with help, naming {words}: {got} {}", reply.text)
    })?;
    Ok(message.to_owned())
}

/// The approval was refused because something has moved, which it names.
///
/// # Errors
/// It was answered otherwise.
pub fn moved(reply: &Reply, words: &[&str], narrator: &mut dyn Narrator) -> Outcome {
    narrator.say(&is_refused(reply, 409, "assumptions_moved", words)?);
    Ok(())
}

/// `cyanotype abort`; after `Ok` green is gone.
///
/// # Errors
/// It is refused, or the rollout ends otherwise.
pub async fn give_up<P: Project>(run: &mut Run<P>, id: &str, narrator: &mut dyn Narrator) -> Outcome {
    let said = run.binary.run(&["abort", id, "--by", "Ada"], Duration::from_secs(60), &mut Silent).await?;
    ensure(said.code == Some(0), || format!("`abort` ended with {:?}:\n{}", said.code, said.all()))?;
    run.daemon()?.ends_as(id, "aborted", Duration::from_secs(240)).await?;
    narrator.say(&format!("{id} is aborted: green is gone"));
    Ok(())
}

/// Every job of `before` is there and never restarted.
///
/// # Errors
/// One is another one, or was restarted.
pub async fn blue_never_noticed<P: Project>(run: &Run<P>, before: &Baseline) -> Outcome {
    let now = tale::baseline(run).await?;
    before.iter().try_for_each(|(table, (job, restarts))| {
        let found = now.get(table).map(|(job, restarts)| (&job.id, restarts));
        ensure(found == Some((&job.id, restarts)), || format!("the job of {table} is another one or was restarted"))
    })
}
