//! First deployment: what the files say and the manifest does not hold yet, as a rollout without blue.
//!
//! Topics first, then statements in dependency order, then connectors. A table that is deployed already is left alone,
//! also when the file differs: that is a change, not a first deployment, and is said so.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Assumptions, Plan, Role, StateVerdict, TablePlan};
use super::estate::{self, Estate, Table};
use super::input::PlanInput;
use super::{Planned, graph, job};
use crate::diagnostic::Diagnostic;
use crate::model::effect::Effect;
use crate::model::manifest::{DeployedTable, Manifest};
use crate::model::parity::RowRule;
use crate::model::verdict::digest_of;
use crate::model::work::Work;
use crate::sql;

/// Plans the deployment of `project`.
pub fn plan(input: &PlanInput, project: &Manifest) -> Planned {
    match build(input, project) {
        Ok((plan, diagnostics)) => Planned { plan: Some(plan), diagnostics },
        Err(diagnostics) => Planned { plan: None, diagnostics },
    }
}

fn build(input: &PlanInput, project: &Manifest) -> Result<(Plan, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let before = &input.manifest;
    let mut after = before.clone();
    let mut new = BTreeSet::new();
    for (name, table) in &project.tables {
        match before.tables.get(name) {
            None => {
                after.tables.insert(name.clone(), table.clone());
                new.insert(name.clone());
            }
            Some(deployed) => diagnostics.extend(differs(name, deployed, table)),
        }
    }
    for (name, version) in &input.subjects {
        after.subjects.entry(name.clone()).or_insert(*version);
    }
    let estate = estate::read(&after)?.run_with(&input.settings);
    let graph = graph::build(&estate).map_err(|d| vec![d])?;
    let mut staging = Vec::new();
    let mut starts = Vec::new();
    let mut explains = Vec::new();
    let mut tables = Vec::new();
    for name in graph.sorted(&new) {
        let Some(table) = estate.tables.get(&name) else { continue };
        let job = job::build(&estate, table).map_err(|d| vec![d])?;
        if let (Role::Written, Some(topic)) = (table.role, &table.deployed.topic) {
            staging.push(create_topic(input, table, topic));
        }
        if let Some(job) = &job {
            explains.push(Effect::Explain { job: job.clone() });
            starts.push(Effect::StartJob { job: job.clone() });
        }
        if let Some(deployed) = after.tables.get_mut(&name) {
            deployed.job = job;
        }
        tables.push(describe(&estate, table));
    }
    let mut work = inspections(&estate, &graph.upstream(&new));
    work.append(&mut explains);
    work.append(&mut staging);
    work.append(&mut starts);
    let mut promoting = Vec::new();
    let mut connectors = Vec::new();
    for (name, connector) in &project.connectors {
        if before.connectors.contains_key(name) {
            continue;
        }
        connectors.push(format!("{name}: reads {}", connector.table));
        promoting.push(Effect::CreateConnector { name: name.clone(), config: connector.config.clone() });
        after.connectors.insert(name.clone(), connector.clone());
    }
    if !tables.is_empty() || !promoting.is_empty() {
        promoting.push(Effect::SetManifest { before: Box::new(before.clone()), after: Box::new(after) });
    }
    let plan = Plan {
        format: Plan::FORMAT,
        env: input.env.clone(),
        kind: "deploy".to_owned(),
        title: format!("deploy {} and {}", counted(tables.len(), "table"), counted(connectors.len(), "connector")),
        changes: Vec::new(),
        verdicts: Vec::new(),
        tables,
        untouched: Vec::new(),
        connectors,
        unproven: vec!["there is no blue: nothing is compared".to_owned()],
        warnings: diagnostics.clone(),
        work: Work { staging: work, promoting, ..Work::default() },
        assumptions: Assumptions { manifest: digest_of(before), ..Assumptions::default() },
    };
    Ok((plan, diagnostics))
}

/// `1 table`, `2 tables`.
pub(super) fn counted(n: usize, thing: &str) -> String {
    if n == 1 { format!("1 {thing}") } else { format!("{n} {thing}s") }
}

/// Says when the file is not what is deployed.
fn differs(name: &str, deployed: &DeployedTable, file: &DeployedTable) -> Option<Diagnostic> {
    if deployed.version > file.version {
        return None;
    }
    let same = deployed.ddl == file.ddl && deployed.dml == file.dml;
    (!same).then(|| {
        Diagnostic::warning(
            "C140",
            format!("table `{name}` is deployed with another text than its file has; it is left alone"),
        )
        .in_file(&file.ddl_file)
        .help("`cyanotype deploy` never changes what runs: plan the change with `cyanotype plan --since`")
    })
}

fn create_topic(input: &PlanInput, table: &Table, topic: &str) -> Effect {
    let setting = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let config = if table.append() {
        BTreeMap::from([setting("cleanup.policy", "delete"), setting("retention.ms", "-1")])
    } else {
        BTreeMap::from([setting("cleanup.policy", "compact")])
    };
    Effect::CreateTopic { topic: topic.to_owned(), like: None, partitions: input.policy.partitions, config }
}

pub(super) fn describe(estate: &Estate, table: &Table) -> TablePlan {
    TablePlan {
        table: table.name.clone(),
        role: table.role,
        from: None,
        to: table.deployed.version,
        physical: table.deployed.physical.clone(),
        because: vec!["not deployed yet".to_owned()],
        shared: Vec::new(),
        added: Vec::new(),
        removed: Vec::new(),
        not_carried: BTreeMap::new(),
        ddl_file: table.deployed.ddl_file.clone(),
        ddl_before: None,
        ddl_after: table.deployed.ddl.clone(),
        dml_file: table.deployed.dml_file.clone(),
        dml_before: None,
        dml_after: table.deployed.dml.clone(),
        ddl_written: None,
        dml_written: None,
        state: state(estate, table),
        start: start(estate, table),
        columns: BTreeMap::new(),
        rows: RowRule::Same,
    }
}

/// The changelogs among `tables` are looked through before anything is made: a job that reads an update without its row
/// before, or a TRUNCATE, fails for ever.
pub fn inspections(estate: &Estate, tables: &BTreeSet<String>) -> Vec<Effect> {
    let topics: BTreeSet<&str> =
        tables.iter().filter_map(|name| estate.tables.get(name)).filter_map(Table::debezium_topic).collect();
    topics.into_iter().map(|topic| Effect::InspectTopic { topic: topic.to_owned() }).collect()
}

/// What the table's statement must rebuild.
pub fn state(estate: &Estate, table: &Table) -> StateVerdict {
    let mut operators: Vec<String> = Vec::new();
    for kept in sql::state(table.dml.as_ref().unwrap_or(&table.ddl), &estate.known) {
        let name = kept.operator.name();
        if !operators.iter().any(|known| known == name) {
            operators.push(name.to_owned());
        }
    }
    if operators.is_empty() { StateVerdict::Stateless } else { StateVerdict::Rebuilt { operators } }
}

/// Where the table's inputs are read from.
pub fn start(estate: &Estate, table: &Table) -> String {
    let mode = |t: &Table| match t.option("connector") {
        Some("upsert-kafka") => "earliest".to_owned(),
        _ => t.option("scan.startup.mode").unwrap_or("group offsets").trim_end_matches("-offset").to_owned(),
    };
    let mut inputs: Vec<String> = Vec::new();
    for name in &table.reads {
        match estate.tables.get(name) {
            Some(read) if read.role != Role::View => {
                inputs.push(format!("{} from {}", read.deployed.physical, mode(read)))
            }
            _ => {}
        }
    }
    inputs.join(", ")
}
