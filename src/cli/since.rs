//! `cyanotype plan --since REV`: what the files say otherwise than a revision of their git repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::client::understood;
use super::output::Failure;
use super::plan::{Outcome, outcome, settled};
use super::project::{self, Diagnosed, Missing, Offline, Read};
use super::{Shell, wire};
use crate::config::{Need, Scope};
use crate::daemon::gather;
use crate::model::manifest::Manifest;
use crate::plan::input::StatementChange;
use crate::plan::{self, Cause, PlanInput};
use crate::port::Repository;

/// From files alone: the revision stands for what is deployed.
pub(super) async fn offline(asked: Option<&PathBuf>, shell: &Shell, since: &str) -> Result<Outcome, Failure> {
    let Offline { dir, vars, missing, settings, .. } = project::offline(shell, asked)?;
    let (change, texts) = match changed(&dir, &vars, [Missing::Kept, missing], since).await? {
        Ok(found) => found,
        Err(blocked) => return Ok(blocked),
    };
    if change.base.tables.is_empty() {
        return Err(Failure::new(format!("revision {since} has no statement of the project {}", dir.display())).help(
            "name a revision that has it; before the first one there is nothing to change, and `deploy` is the way",
        ));
    }
    let input = PlanInput {
        env: shell.env.clone().unwrap_or_else(|| "offline".to_owned()),
        manifest: change.base.clone(),
        cause: Cause::Change(Box::new(change)),
        policy: wire::plan_policy(&crate::config::Policy::default()),
        vars,
        settings,
        topics: BTreeMap::new(),
        subjects: BTreeMap::new(),
    };
    Ok(outcome(plan::plan(&input), texts))
}

/// On top of what is deployed.
pub(super) async fn live(asked: Option<&PathBuf>, shell: &Shell, since: &str) -> Result<Outcome, Failure> {
    let config = shell.config(Need::Everything).map_err(|failure| {
        let help =
            "name a configuration with --config, or add --offline: then the revision stands for what is deployed";
        failure.help(help)
    })?;
    let dir = project::folder(asked, &config);
    let (change, texts) = match changed(&dir, &config.env.variables(), [Missing::Reported; 2], since).await? {
        Ok(found) => found,
        Err(blocked) => return Ok(blocked),
    };
    let ports = wire::ports(&config, &dir)?;
    let settings = wire::settings(&config.env)?;
    let manifest: Manifest = understood(&shell.client(Scope::Read)?.get(&["manifest"]).await?, "the manifest")?;
    let input = gather::input(&ports, None, &settings, manifest, Cause::Change(Box::new(change)))
        .await
        .map_err(|e| Failure::new("what planning looks at cannot be gathered").because(&e))?;
    settled(&ports, &settings, outcome(plan::plan(&input), texts)).await
}

/// What is to be compared, with the texts of the files as they are now; or what stands in the way. `missing` says what becomes
/// of a placeholder without a value at the revision, and now.
async fn changed(
    dir: &Path,
    vars: &BTreeMap<String, String>,
    missing: [Missing; 2],
    since: &str,
) -> Result<Result<(StatementChange, BTreeMap<String, String>), Outcome>, Failure> {
    let [at_revision, in_files] = missing;
    let base = project::read_at(dir, since, vars, at_revision).await?;
    let now = project::read(dir, vars, in_files).await?;
    for Read { project, texts } in [&base, &now] {
        if plan::project::broken(&project.diagnostics) {
            return Ok(Err(Outcome::Blocked(Diagnosed::new(project.diagnostics.clone(), texts.clone(), ""))));
        }
    }
    let commit = wire::repository(dir).commit("HEAD").await;
    let commit = commit.map_err(|e| Failure::new("the commit of the project cannot be told").because(&e))?;
    let (base, project) = (base.project.manifest, now.project.manifest);
    let texts = now.texts.clone();
    Ok(Ok((StatementChange { since: since.to_owned(), base, project, texts, commit }, now.texts)))
}
