//! The rollout's branch: the project's files with green's statements, where people review and merge them.
//!
//! Rules: the working tree is never touched; of a file only the deployed text is replaced, so that other statements of the
//! file and comments stay; a file that no longer holds the deployed text once is left out and said so.

use std::collections::BTreeMap;

use crate::model::effect::Effect;
use crate::model::manifest::{DeployedTable, Manifest};
use crate::plan::{Plan, project};
use crate::port::{PortResult, ProjectFile, Repository};

/// The branch that the plan's manifest names; `None` when the plan rewrites nothing.
pub fn name(plan: &Plan) -> Option<String> {
    plan.work.promoting.iter().find_map(|effect| match effect {
        Effect::SetManifest { after, .. } if plan.tables.iter().any(|t| t.ddl_before.is_some()) => after.ahead.clone(),
        _ => None,
    })
}

/// Writes the branch; its name, or `None` when the project is in no git repository.
///
/// # Errors
/// The repository's.
pub async fn propose(repository: &dyn Repository, plan: &Plan, branch: &str) -> PortResult<Option<String>> {
    let mut files: BTreeMap<String, String> =
        repository.files().await?.into_iter().map(|file| (file.path, file.text)).collect();
    let mut changed: BTreeMap<String, String> = BTreeMap::new();
    for (path, before, after) in replacements(plan).into_iter().chain(connectors(plan, &files)) {
        let Some(text) = files.get(&path) else { continue };
        match rewritten(text, &before, &after) {
            Some(new) => {
                files.insert(path.clone(), new.clone());
                changed.insert(path, new);
            }
            None => tracing::warn!(file = path, "the file is not what is deployed: it is left out of the branch"),
        }
    }
    if changed.is_empty() {
        return Ok(None);
    }
    let files: Vec<ProjectFile> = changed.into_iter().map(|(path, text)| ProjectFile { path, text }).collect();
    repository
        .propose(branch, &files, &format!("{}\n\nMade by Cyanotype from plan {}.", plan.title, plan.digest()))
        .await
}

/// Path, deployed text and green text of every statement that changes.
fn replacements(plan: &Plan) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for table in &plan.tables {
        if let Some(before) = &table.ddl_before {
            all.push((table.ddl_file.clone(), before.clone(), table.ddl_after.clone()));
        }
        if let (Some(file), Some(before), Some(after)) = (&table.dml_file, &table.dml_before, &table.dml_after) {
            all.push((file.clone(), before.clone(), after.clone()));
        }
    }
    all
}

/// Path of each moved connector's file, with the topic as it is written there before and after.
fn connectors(plan: &Plan, files: &BTreeMap<String, String>) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for effect in &plan.work.promoting {
        let Effect::MoveConnector { name, before, after, .. } = effect else { continue };
        let (Some(old), Some(new)) = (before.get("topics"), after.get("topics")) else { continue };
        let is_its_own = |text: &str| {
            serde_json::from_str::<serde_json::Value>(text)
                .is_ok_and(|file| file.get("name") == Some(&name.as_str().into()))
        };
        let found = files.iter().find(|(path, text)| path.ends_with(".json") && is_its_own(text));
        all.extend(found.map(|(path, _)| (path.clone(), format!("\"{old}\""), format!("\"{new}\""))));
    }
    all
}

/// True when the files still hold an older version of some table than what is deployed.
pub fn is_behind(files: &[ProjectFile], manifest: &Manifest, vars: &BTreeMap<String, String>) -> bool {
    let texts: Vec<project::File> = files.iter().map(|f| (f.path.clone(), f.text.clone())).collect();
    let written = project::read(&texts, vars).manifest;
    let older = |name: &String, deployed: &DeployedTable| {
        written.tables.get(name).is_some_and(|t| t.version < deployed.version)
    };
    manifest.tables.iter().any(|(name, deployed)| older(name, deployed))
}

/// `text` with its only occurrence of `before` replaced.
fn rewritten(text: &str, before: &str, after: &str) -> Option<String> {
    let (head, tail) = text.split_once(before)?;
    (!tail.contains(before)).then(|| format!("{head}{after}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_deployed_text_is_replaced_and_only_when_it_is_there_once() {
        assert_eq!(rewritten("-- a\nX;\nY;", "X;", "X2;"), Some("-- a\nX2;\nY;".to_owned()));
        assert_eq!(rewritten("X; X;", "X;", "X2;"), None);
        assert_eq!(rewritten("Z;", "X;", "X2;"), None);
    }
}
