//! The rollout's branch: the project's files with green's statements, where people review and merge them.
//!
//! Rules: the working tree is never touched; of a file only a statement's own text is replaced, so that other statements of
//! the file and comments stay. The branch brings the files level with what the rollout deploys: a table that becomes green
//! gets green's text where the file holds the deployed text, or the one that the plan was made from; a file that is behind
//! gets what is deployed in place of whatever it holds, for people to see. A file that holds something else is left out
//! and said so.

use std::collections::{BTreeMap, BTreeSet};

use super::standing;
use crate::model::effect::Effect;
use crate::model::manifest::{DeployedConnector, DeployedTable, Manifest};
use crate::model::name;
use crate::plan::Plan;
use crate::plan::change::compare;
use crate::port::{PortResult, ProjectFile, Repository};

/// The branch that the plan's manifest names; `None` when the plan rewrites nothing.
pub fn name(plan: &Plan) -> Option<String> {
    let (_, after) = manifests(plan)?;
    after.ahead.clone().filter(|_| plan.tables.iter().any(|t| t.ddl_before.is_some()))
}

/// What is deployed before and after the plan.
fn manifests(plan: &Plan) -> Option<(&Manifest, &Manifest)> {
    plan.work.promoting.iter().find_map(|effect| match effect {
        Effect::SetManifest { before, after } => Some((before.as_ref(), after.as_ref())),
        _ => None,
    })
}

/// Writes the branch; its name, or `None` when the project is in no git repository, or its files are level already.
/// `vars` are the placeholders that are not secret.
///
/// # Errors
/// The repository's.
pub async fn propose(
    repository: &dyn Repository,
    plan: &Plan,
    branch: &str,
    vars: &BTreeMap<String, String>,
) -> PortResult<Option<String>> {
    let files = levelled(plan, &repository.files().await?, vars);
    if files.is_empty() {
        return Ok(None);
    }
    repository
        .propose(branch, &files, &format!("{}\n\nMade by Cyanotype from plan {}.", plan.title, plan.digest()))
        .await
}

/// The files that differ once they are level with what the plan deploys.
fn levelled(plan: &Plan, files: &[ProjectFile], vars: &BTreeMap<String, String>) -> Vec<ProjectFile> {
    let Some((before, after)) = manifests(plan) else { return Vec::new() };
    let now = standing::read(files, vars);
    let mut texts: BTreeMap<&str, String> = files.iter().map(|f| (f.path.as_str(), f.text.clone())).collect();
    let older = compare::behind(before, &now);
    let mut all = behind(&older, &now, after);
    all.extend(replacements(plan, &older));
    all.extend(connectors(after, files));
    for Replacement { path, olds, new } in all {
        let Some(text) = texts.get_mut(path.as_str()) else { continue };
        match olds.iter().find_map(|old| rewritten(text, old, &new)) {
            Some(changed) => *text = changed,
            None => {
                tracing::warn!(file = path, "the file holds another text than planned: it is left out of the branch")
            }
        }
    }
    let differs = |file: &&ProjectFile| texts.get(file.path.as_str()) != Some(&file.text);
    let file = |f: &ProjectFile| ProjectFile {
        path: f.path.clone(),
        text: texts.get(f.path.as_str()).cloned().unwrap_or_default(),
    };
    files.iter().filter(differs).map(file).collect()
}

/// A text that takes the place of one of others in a file.
struct Replacement {
    path: String,
    olds: Vec<String>,
    new: String,
}

/// What becomes green: in place of what the files held when the plan was made, or of what is deployed.
fn replacements(plan: &Plan, older: &BTreeSet<String>) -> Vec<Replacement> {
    let mut all = Vec::new();
    for table in plan.tables.iter().filter(|t| !older.contains(&t.table)) {
        let mut one = |path: Option<&String>, olds: [&Option<String>; 2], new: Option<&String>| {
            let (Some(path), Some(_), Some(new)) = (path, olds[1], new) else { return };
            let olds = olds.into_iter().flatten().cloned().collect();
            all.push(Replacement { path: path.clone(), olds, new: new.clone() });
        };
        one(Some(&table.ddl_file), [&table.ddl_written, &table.ddl_before], Some(&table.ddl_after));
        one(table.dml_file.as_ref(), [&table.dml_written, &table.dml_before], table.dml_after.as_ref());
    }
    all
}

/// Files that are behind what was deployed before: in place of whatever they hold.
fn behind(older: &BTreeSet<String>, now: &Manifest, after: &Manifest) -> Vec<Replacement> {
    let mut all = Vec::new();
    for (file, deployed) in older.iter().filter_map(|name| now.tables.get(name).zip(after.tables.get(name))) {
        let mut one = |path: &String, old: &String, new: &String| {
            all.push(Replacement { path: path.clone(), olds: vec![old.clone()], new: new.clone() });
        };
        one(&file.ddl_file, &file.ddl, &deployed.ddl);
        if let DeployedTable { dml_file: Some(path), dml: Some(old), .. } = file
            && let Some(new) = &deployed.dml
        {
            one(path, old, new);
        }
    }
    all
}

/// The topic of each connector whose file names an older generation of it.
fn connectors(after: &Manifest, files: &[ProjectFile]) -> Vec<Replacement> {
    let mut all = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".json")) {
        let Ok(json) = serde_json::from_str::<serde_json::Value>(&file.text) else { continue };
        let text = |at: &str| json.pointer(at).and_then(serde_json::Value::as_str);
        let Some((own, old)) = text("/name").zip(text("/config/topics")) else { continue };
        let Some(DeployedConnector { config, .. }) = after.connectors.get(own) else { continue };
        let Some(new) = config.get("topics") else { continue };
        let ((old_base, old_version), (new_base, new_version)) = (name::split(old), name::split(new));
        if old_base == new_base && old_version < new_version {
            let (old, new) = (format!("\"{old}\""), format!("\"{new}\""));
            all.push(Replacement { path: file.path.clone(), olds: vec![old], new });
        }
    }
    all
}

/// True when the files still hold an older version of some table than what is deployed.
pub fn is_behind(files: &[ProjectFile], manifest: &Manifest, vars: &BTreeMap<String, String>) -> bool {
    !compare::behind(manifest, &standing::read(files, vars)).is_empty()
}

/// `text` with its only occurrence of `before` replaced.
fn rewritten(text: &str, before: &str, after: &str) -> Option<String> {
    let (head, tail) = text.split_once(before)?;
    (!tail.contains(before)).then(|| format!("{head}{after}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::input::{Carry, NullableDefaults, StatementChange};
    use crate::plan::{Cause, PlanInput, Policy, plan};

    #[test]
    fn only_the_deployed_text_is_replaced_and_only_when_it_is_there_once() {
        assert_eq!(rewritten("-- a\nX;\nY;", "X;", "X2;"), Some("-- a\nX2;\nY;".to_owned()));
        assert_eq!(rewritten("X; X;", "X;", "X2;"), None);
        assert_eq!(rewritten("Z;", "X;", "X2;"), None);
    }

    const TOPIC: &str =
        "'connector' = 'upsert-kafka', 'key.format' = 'avro-confluent', 'value.format' = 'avro-confluent'";

    fn file(path: &str, text: &str) -> ProjectFile {
        ProjectFile { path: path.to_owned(), text: text.to_owned() }
    }

    /// A reader, two written tables side by side, and a connector of the first.
    fn files() -> Vec<ProjectFile> {
        let table = |name: &str, with: &str| {
            format!(
                "CREATE TABLE {name} (id BIGINT, x STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('topic' = 't.{name}', {with});\n"
            )
        };
        vec![
            file(
                "connectors/c.json",
                r#"{"name": "c", "config": {"topics": "t.s", "consumer.override.isolation.level": "read_committed"}}"#,
            ),
            file(
                "pipelines/a.sql",
                &table(
                    "a",
                    "'connector' = 'kafka', 'scan.startup.mode' = 'earliest-offset', 'format' = 'debezium-avro-confluent'",
                ),
            ),
            file("pipelines/s.sql", &format!("-- s\n{}\nINSERT INTO s SELECT id, x FROM a;\n", table("s", TOPIC))),
            file("pipelines/u.sql", &format!("{}-- u\nINSERT INTO u SELECT id, x FROM a;\n", table("u", TOPIC))),
        ]
    }

    fn edited(files: &[ProjectFile], path: &str, from: &str, to: &str) -> Vec<ProjectFile> {
        let edit =
            |f: &ProjectFile| file(&f.path, &if f.path == path { f.text.replace(from, to) } else { f.text.clone() });
        files.iter().map(edit).collect()
    }

    fn change(deployed: &Manifest, base: &[ProjectFile], now: &[ProjectFile]) -> Plan {
        let vars = BTreeMap::new();
        let (base, project) = (standing::read(base, &vars), standing::read(now, &vars));
        let planned = plan(&PlanInput {
            env: "dev".to_owned(),
            manifest: deployed.clone(),
            cause: Cause::Change(Box::new(StatementChange {
                since: "main".to_owned(),
                base,
                project,
                texts: BTreeMap::new(),
                commit: None,
            })),
            policy: Policy {
                carry: Carry::Facts,
                partitions: 1,
                delete_blue_topics: true,
                nullable_defaults: NullableDefaults::Never,
            },
            vars,
            settings: BTreeMap::new(),
            topics: BTreeMap::new(),
            subjects: BTreeMap::new(),
        });
        planned.plan.unwrap_or_else(|| panic!("{:#?}", planned.diagnostics))
    }

    fn merged(files: &[ProjectFile], branch: Vec<ProjectFile>) -> Vec<ProjectFile> {
        let newest = |f: &ProjectFile| branch.iter().find(|b| b.path == f.path).unwrap_or(f).clone();
        files.iter().map(newest).collect()
    }

    fn level(files: &[ProjectFile], deployed: &Manifest) -> bool {
        let now = standing::read(files, &BTreeMap::new());
        let texts = |m: &Manifest| -> Vec<(String, String, Option<String>)> {
            m.tables.values().map(|t| (t.physical.clone(), t.ddl.clone(), t.dml.clone())).collect()
        };
        let topics = |m: &Manifest| -> Vec<Option<String>> {
            m.connectors.values().map(|c| c.config.get("topics").cloned()).collect()
        };
        texts(&now) == texts(deployed) && topics(&now) == topics(deployed)
    }

    #[test]
    fn the_branch_of_a_change_holds_what_it_deploys() {
        let (vars, first) = (BTreeMap::new(), files());
        let deployed = standing::read(&first, &vars);
        let now = edited(&first, "pipelines/s.sql", "SELECT id, x", "SELECT id, UPPER(x) AS x -- loud\n");
        let plan = change(&deployed, &first, &now);
        let (_, after) = manifests(&plan).unwrap();
        let branch = levelled(&plan, &now, &vars);
        assert_eq!(
            branch.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(),
            ["connectors/c.json", "pipelines/s.sql"]
        );
        let text = &branch[1].text;
        assert!(
            text.starts_with("-- s\nCREATE TABLE s_v2 ")
                && text.contains("INSERT INTO s_v2 SELECT id, UPPER(x) AS x -- loud"),
            "{text}"
        );
        assert!(level(&merged(&now, branch), after));
        // A checkout that does not have the change yet gets it with the branch.
        assert!(level(&merged(&first, levelled(&plan, &first, &vars)), after));
        // What somebody else wrote there is left alone.
        let other = edited(&first, "pipelines/s.sql", "SELECT id, x", "SELECT id, TRIM(x)");
        let text = levelled(&plan, &other, &vars).into_iter().find(|f| f.path == "pipelines/s.sql").unwrap().text;
        assert!(text.contains("CREATE TABLE s_v2") && text.contains("INSERT INTO s SELECT id, TRIM(x)"), "{text}");
    }

    #[test]
    fn the_branch_of_a_second_rollout_brings_files_level_that_are_behind() {
        let (vars, first) = (BTreeMap::new(), files());
        let deployed = standing::read(&first, &vars);
        let now = edited(&first, "pipelines/s.sql", "SELECT id, x", "SELECT id, UPPER(x) AS x");
        let plan = change(&deployed, &first, &now);
        let (_, after) = manifests(&plan).unwrap();
        // Nobody merged it; the next change is made in another table.
        assert!(is_behind(&now, after, &vars));
        let next = edited(&now, "pipelines/u.sql", "SELECT id, x", "SELECT id, LOWER(x) AS x");
        let second = change(after, &now, &next);
        let (_, last) = manifests(&second).unwrap();
        let branch = levelled(&second, &next, &vars);
        assert_eq!(branch.len(), 3);
        assert!(level(&merged(&next, branch), last));
        assert_eq!(last.ahead, name(&second));
    }
}
