//! Which tables are planned: those whose statements say something else than at the revision, and than what is deployed.
//!
//! Rules:
//! - Texts are compared by what they say ([`meaning`]), never by the suffixes of names. What is deployed already is not
//!   planned again.
//! - A file is *behind* when its generation is older than the deployed one: a rollout's branch was not merged yet. What was
//!   changed there would undo the rollout, so it is refused; what is behind and was not changed is left alone.
//! - What green is made from holds every table under its deployed name: the files' text where it was changed, or says the same
//!   in another layout, the deployed text otherwise.
//! - Reader tables and views that are new are taken along where a changed statement needs them. Tables with a statement of
//!   their own that are new are `deploy`'s.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Diagnostic;
use crate::model::manifest::{DeployedConnector, DeployedTable, Manifest};
use crate::model::name;
use crate::plan::input::StatementChange;
use crate::plan::meaning::{self, OWN_IDS};
use crate::sql::{self, StatementKind};

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// Tables whose statements are to be planned, with what the files say, by digest.
    pub changed: BTreeMap<String, String>,
    /// New reader tables and views that they need.
    pub new: BTreeSet<String>,
    /// Tables whose files are behind what is deployed.
    pub behind: BTreeSet<String>,
    /// What green is made from.
    pub base: Manifest,
    /// What is not planned by itself, errors among it.
    pub notes: Vec<Diagnostic>,
}

/// Compares the files with the revision and with what is deployed.
pub fn compare(deployed: &Manifest, change: &StatementChange) -> Compared {
    let (project, revision) = (&change.project, &change.base);
    let names = [deployed, revision, project].map(meaning::logical);
    let [in_cluster, at_revision, in_files] = &names;
    let mut compared = Compared { base: deployed.clone(), behind: behind(deployed, project), ..Compared::default() };
    let to_deployed = deployed_names(deployed, project);
    for (name, file) in &project.tables {
        let Some(blue) = deployed.tables.get(name) else { continue };
        let said = meaning::of(file, in_files);
        let serves = meaning::of(blue, in_cluster);
        let was = revision.tables.get(name).map(|table| meaning::of(table, at_revision));
        let (since, behind) = (was.as_ref() != Some(&said), compared.behind.contains(name));
        if said == serves {
            if !behind {
                compared.base.tables.insert(name.clone(), rebased(file, blue, &to_deployed));
            }
        } else if since && behind {
            compared.notes.push(refused_behind(name, file, blue, deployed));
        } else if since {
            compared.changed.insert(name.clone(), said.digest());
            compared.base.tables.insert(name.clone(), rebased(file, blue, &to_deployed));
            if was.is_some_and(|was| was != serves) {
                compared.notes.push(other_base(name, file, &change.since));
            }
        } else if !behind {
            compared.notes.push(not_rolled_out(name, file, &change.since));
        }
    }
    take_along(&mut compared, deployed, project, &to_deployed);
    gone(&mut compared, deployed, project);
    connectors(&mut compared, deployed, project);
    if !compared.behind.is_empty() {
        compared.notes.push(files_are_behind(&compared.behind, deployed));
    }
    compared
}

/// Tables whose files hold an older generation than what is deployed: a rollout's branch is not merged yet.
pub fn behind(deployed: &Manifest, project: &Manifest) -> BTreeSet<String> {
    let older = |(name, blue): (&String, &DeployedTable)| {
        project.tables.get(name).is_some_and(|file| file.version < blue.version).then(|| name.clone())
    };
    deployed.tables.iter().filter_map(older).collect()
}

/// Deployed names by those that the files use, where they differ.
fn deployed_names(deployed: &Manifest, project: &Manifest) -> BTreeMap<String, String> {
    let pair = |(name, file): (&String, &DeployedTable)| {
        let blue = deployed.tables.get(name)?;
        (blue.physical != file.physical).then(|| (file.physical.clone(), blue.physical.clone()))
    };
    project.tables.iter().filter_map(pair).collect()
}

/// The files' text of a table as if it were deployed: under the deployed names and in the deployed generation.
fn rebased(file: &DeployedTable, blue: &DeployedTable, names: &BTreeMap<String, String>) -> DeployedTable {
    let own = |text: &str| if names.is_empty() { text.to_owned() } else { meaning::renamed(text, names) };
    let ddl = own(&file.ddl);
    DeployedTable {
        version: blue.version,
        physical: blue.physical.clone(),
        ddl_file: file.ddl_file.clone(),
        ddl: if file.version == blue.version { ddl } else { in_generation(&ddl, file, blue) },
        dml_file: file.dml_file.clone(),
        dml: file.dml.as_deref().map(own),
        topic: blue.topic.clone(),
        job: blue.job.clone(),
    }
}

/// The DDL with topic and ids of the deployed generation, where the files name another one.
fn in_generation(ddl: &str, file: &DeployedTable, blue: &DeployedTable) -> String {
    let parsed = sql::parse(ddl);
    let mut edits = sql::EditSet::new(ddl);
    for statement in parsed.statements() {
        let StatementKind::CreateTable(create) = &statement.kind else { continue };
        let topic = file.dml.is_some().then_some("topic");
        for option in topic.into_iter().chain(OWN_IDS).filter_map(|key| create.option(key)) {
            let (base, version) = name::split(&option.value);
            if version == file.version {
                edits.set_option(create, &option.key, &name::physical(base, blue.version));
            }
        }
    }
    edits.apply().unwrap_or_else(|_| ddl.to_owned())
}

/// New reader tables and views that changed statements read, directly or through others.
fn take_along(
    compared: &mut Compared,
    deployed: &Manifest,
    project: &Manifest,
    to_deployed: &BTreeMap<String, String>,
) {
    let mut open: Vec<String> = compared.changed.keys().cloned().collect();
    let new = |name: &String| project.tables.get(name).filter(|_| !deployed.tables.contains_key(name));
    let logical = meaning::logical(project);
    let mut needed = BTreeSet::new();
    while let Some(reader) = open.pop() {
        let reads = project.tables.get(&reader).map(reads).unwrap_or_default();
        for name in reads.iter().filter_map(|physical| logical.get(physical)) {
            if new(name).is_some() && needed.insert((name.clone(), reader.clone())) {
                open.push(name.clone());
            }
        }
    }
    for (name, reader) in &needed {
        let Some(file) = new(name) else { continue };
        if file.dml.is_some() {
            let text = format!("`{reader}` reads `{name}`, which is not deployed yet");
            compared.notes.push(
                Diagnostic::error("C311", text)
                    .in_file(&file.ddl_file)
                    .help("bring it up first with `cyanotype deploy`, then plan this change"),
            );
            continue;
        }
        let own = |text: &str| meaning::renamed(text, to_deployed);
        let table = DeployedTable { ddl: own(&file.ddl), ..file.clone() };
        compared.base.tables.insert(name.clone(), table);
        compared.new.insert(name.clone());
    }
    for (name, file) in project.tables.iter().filter(|(name, _)| new(name).is_some()) {
        if needed.iter().all(|(needed, _)| needed != name) {
            let text = format!("table `{name}` is new: no changed statement needs it, and it is not part of this plan");
            let help =
                "bring it up with `cyanotype deploy`: before this change, or after it if it reads what the change adds";
            compared.notes.push(Diagnostic::warning("C311", text).in_file(&file.ddl_file).help(help));
        }
    }
}

/// Physical names of what a table reads.
fn reads(table: &DeployedTable) -> BTreeSet<String> {
    let text = table.dml.as_deref().unwrap_or(&table.ddl);
    let parsed = sql::parse(text);
    parsed.statements().iter().flat_map(sql::table_refs).map(|reference| reference.name.last().name.clone()).collect()
}

fn gone(compared: &mut Compared, deployed: &Manifest, project: &Manifest) {
    for (name, blue) in &deployed.tables {
        if !project.tables.contains_key(name) {
            let text = format!("table `{name}` is gone from the files and stays deployed as `{}`", blue.physical);
            let help = "removing a table is not planned: put its files back, and let its job run, or no evolution that reaches it can be proven";
            compared.notes.push(Diagnostic::warning("C310", text).help(help));
        }
    }
}

fn connectors(compared: &mut Compared, deployed: &Manifest, project: &Manifest) {
    let mut note = |text: String, help: &str| {
        compared.notes.push(Diagnostic::warning("C312", text).help(help));
    };
    for (name, file) in &project.connectors {
        match deployed.connectors.get(name) {
            None => {
                note(format!("connector `{name}` is new and not part of this plan"), "`cyanotype deploy` makes it");
            }
            Some(blue) => {
                let keys = differing(file, blue);
                if !keys.is_empty() {
                    let text = format!(
                        "connector `{name}` keeps its deployed settings: its file has another {}",
                        keys.join(", ")
                    );
                    note(
                        text,
                        "changed settings are not planned: give the connector a new name, and `cyanotype deploy` makes it",
                    );
                }
            }
        }
    }
    for name in deployed.connectors.keys().filter(|name| !project.connectors.contains_key(*name)) {
        let text = format!("connector `{name}` is gone from the files and stays deployed");
        note(text, "removing a connector is not planned: put its file back");
    }
}

/// Settings of a connector that the file has otherwise than the cluster, whatever the generation of its topic.
fn differing(file: &DeployedConnector, blue: &DeployedConnector) -> Vec<String> {
    let value = |config: &BTreeMap<String, String>, key: &str| -> Option<String> {
        let value = config.get(key)?;
        Some(if key == "topics" { name::split(value).0.to_owned() } else { value.clone() })
    };
    let keys: BTreeSet<&String> = file.config.keys().chain(blue.config.keys()).collect();
    let differs = |key: &&String| value(&file.config, key) != value(&blue.config, key);
    keys.into_iter().filter(differs).map(|key| format!("`{key}`")).collect()
}

/// The branch to merge, in words.
pub fn branch(deployed: &Manifest) -> String {
    match &deployed.ahead {
        Some(branch) => format!("merge {branch}"),
        None => "merge the branch of the rollout that deployed it".to_owned(),
    }
}

/// Says that the files are behind; what is behind.
pub fn files_are_behind(behind: &BTreeSet<String>, deployed: &Manifest) -> Diagnostic {
    let tables: Vec<&str> = behind.iter().map(String::as_str).collect();
    let text = format!("files are behind the cluster: {}", branch(deployed));
    Diagnostic::warning("C302", text).help(format!("older than what is deployed: {}", tables.join(", ")))
}

fn refused_behind(name: &str, file: &DeployedTable, blue: &DeployedTable, deployed: &Manifest) -> Diagnostic {
    let text = format!(
        "the change of `{name}` was made on files that are behind: they have {}, the cluster has {}",
        file.version, blue.version
    );
    Diagnostic::error("C301", text)
        .in_file(file.dml_file.as_ref().unwrap_or(&file.ddl_file))
        .help(format!("{}, and make the change there", branch(deployed)))
}

fn other_base(name: &str, file: &DeployedTable, since: &str) -> Diagnostic {
    let text = format!("what is deployed for `{name}` is not what {since} has: the plan starts from what is deployed");
    Diagnostic::warning("C313", text)
        .in_file(&file.ddl_file)
        .help("read the diff: it may hold more than was changed since")
}

fn not_rolled_out(name: &str, file: &DeployedTable, since: &str) -> Diagnostic {
    let text =
        format!("table `{name}` is deployed with another text than its file has, which was not changed since {since}");
    Diagnostic::warning("C313", text)
        .in_file(&file.ddl_file)
        .help("it is left alone: plan since an older revision to roll it out")
}
