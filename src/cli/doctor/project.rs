//! The project's folder: is it there, and does every placeholder in it have a value.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::Check;
use crate::cli::output::count;
use crate::config::Config;
use crate::config::text_file;
use crate::model::template;

/// A statement of this size is a mistake.
const FILE_LIMIT: u64 = 4 << 20;

pub(super) fn checks(config: &Config) -> Vec<Check> {
    let what = "project";
    let root = &config.project;
    let files: Vec<PathBuf> = ["pipelines", "connectors"]
        .iter()
        .zip(["sql", "json"])
        .flat_map(|(folder, ending)| found(&root.join(folder), ending, &mut BTreeSet::new()))
        .collect();
    let statements = files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "sql")).count();
    if statements == 0 {
        let seen = format!("{} holds no .sql file under pipelines/", root.display());
        return vec![Check::fail(what, seen, "set `project` to the project's folder")];
    }
    let values = config.env.variables();
    let mut missing: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut checks = Vec::new();
    for file in &files {
        let name = file.strip_prefix(root).unwrap_or(file).display().to_string();
        match text_file::read(file, FILE_LIMIT) {
            Ok(text) => {
                for variable in template::variables(&text) {
                    if variable != template::JOB && !values.contains_key(variable) {
                        missing.entry(variable.to_owned()).or_default().insert(name.clone());
                    }
                }
            }
            Err(error) => {
                let seen = format!("{name} cannot be read: {error}");
                checks.push(Check::fail(what, seen, "save it as UTF-8, readable for this user"));
            }
        }
    }
    for (variable, files) in missing {
        let first = files.iter().next().map(String::as_str).unwrap_or_default();
        let seen = format!("${{{variable}}} has no value ({first}, in {})", count(files.len(), "file"));
        checks.push(Check::fail("variable", seen, format!("set {variable} under [env.{}.vars]", config.env.name)));
    }
    checks.insert(0, Check::ok(what, format!("{} holds {}", root.display(), count(statements, "SQL file"))));
    checks
}

/// Files under `folder` with this ending, sorted. A folder that was `seen`, by whatever links, is not looked at again.
fn found(folder: &Path, ending: &str, seen: &mut BTreeSet<PathBuf>) -> Vec<PathBuf> {
    if !folder.canonicalize().is_ok_and(|real| seen.insert(real)) {
        return Vec::new();
    }
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(found(&path, ending, seen));
        } else if path.extension().is_some_and(|e| e == ending) {
            files.push(path);
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::client::tests::environment;

    fn check(files: &[(&str, &str)]) -> Vec<Check> {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let names = vec!["dev".to_owned()];
        let (file, project) = (root.path().join("c.toml"), root.path().to_owned());
        checks(&Config { file, project, env: environment("http://d"), names, remarks: Vec::new() })
    }

    #[test]
    fn a_placeholder_without_a_value_is_named_with_its_file() {
        let checks = check(&[
            ("pipelines/a/ddl.sql", "'${KAFKA}' '${TOPIC_PREFIX}.a' '${CYANOTYPE_JOB}'"),
            ("connectors/sink.json", "{\"topics\": \"${TOPIC_PREFIX}.a\"}"),
        ]);
        assert_eq!(checks.len(), 2, "{checks:?}");
        assert!(checks[0].seen.ends_with("holds 1 SQL file"));
        assert_eq!(checks[1].seen, "${TOPIC_PREFIX} has no value (connectors/sink.json, in 2 files)");
        assert_eq!(checks[1].help.as_deref(), Some("set TOPIC_PREFIX under [env.dev.vars]"));
    }

    #[test]
    fn an_empty_folder_is_no_project() {
        assert!(check(&[("readme.md", "")])[0].seen.contains("holds no .sql file"));
    }
}
