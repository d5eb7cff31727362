//! Adoption: what somebody else started, matched with the project's files by what it reads and writes, taken over as it
//! runs.
//!
//! A job belongs to a table when it writes that table and nothing else, reads the tables that the file's statement reads,
//! from the topics that the files name, and does with them what the engine would do for the file's statement. What does not
//! fit is left out, with all that reads it, and the reason is said; what fits more than once is asked.

mod matching;

use std::collections::{BTreeMap, BTreeSet};

use self::matching::{Match, Matching};
use super::deploy::{counted, describe};
use super::document::{Assumptions, Plan, TablePlan, Untouched};
use super::estate::{self, Estate, Table};
use super::graph::{self, Graph};
use super::input::{Adoption, FoundJob, PlanInput};
use super::{Planned, job};
use crate::diagnostic::Diagnostic;
use crate::model::effect::Effect;
use crate::model::job::{JobSpec, ReadTable};
use crate::model::manifest::{DeployedConnector, DeployedTable, Manifest};
use crate::model::verdict::digest_of;
use crate::model::work::{ReadProgress, RunningJob, Work};

/// What is deployed, and besides what the files say: only what is not deployed yet, or has lost its job, is looked for.
pub fn merged(deployed: &Manifest, files: Manifest) -> Manifest {
    let mut all = files;
    all.tables.extend(deployed.tables.clone());
    all.connectors.extend(deployed.connectors.clone());
    all
}

/// The jobs that the files' statements would be, by logical table: what running ones are held against.
///
/// # Errors
/// What is wrong with the files.
pub fn expected(project: &Manifest) -> Result<BTreeMap<String, JobSpec>, Vec<Diagnostic>> {
    let estate = estate::read(project)?;
    let mut jobs = BTreeMap::new();
    for (name, table) in &estate.tables {
        if let Some(job) = job::build(&estate, table).map_err(|d| vec![d])? {
            jobs.insert(name.clone(), job);
        }
    }
    Ok(jobs)
}

/// Plans the adoption of what was found.
pub fn plan(input: &PlanInput, adoption: &Adoption) -> Planned {
    match build(input, adoption) {
        Ok((plan, diagnostics)) => Planned { plan: Some(plan), diagnostics },
        Err(diagnostics) => Planned { plan: None, diagnostics },
    }
}

fn build(input: &PlanInput, adoption: &Adoption) -> Result<(Plan, Vec<Diagnostic>), Vec<Diagnostic>> {
    let before = &input.manifest;
    let estate = estate::read(&adoption.project)?;
    let graph = graph::build(&estate).map_err(|d| vec![d])?;
    let mut matching = Matching { adoption, estate: &estate, left: BTreeMap::new(), problems: answers(adoption) };
    let mut taken = Taken { after: before.clone(), ..Taken::default() };
    // A deployed table is looked for only when it has lost its job.
    let wanted = |name: &str| before.tables.get(name).is_none_or(|table| adoption.ended.contains(&table.physical));
    for name in graph.order().filter(|name| wanted(name)) {
        let Some(table) = estate.tables.get(name) else { continue };
        match matching.look(table) {
            Ok(found) => taken.table(&estate, table, found).map_err(|d| vec![d])?,
            Err(why) => drop(matching.left.insert(name.to_owned(), why)),
        }
    }
    for (name, connector) in adoption.project.connectors.iter().filter(|(n, _)| !before.connectors.contains_key(*n)) {
        match matching.connector(name, &taken.after) {
            Ok(warning) => taken.connector(name, connector, warning),
            Err(why) => drop(matching.left.insert(format!("connector {name}"), why)),
        }
    }
    if !matching.problems.is_empty() {
        return Err(matching.problems);
    }
    taken.forget_what_nothing_reads(&graph, before);
    let warnings = taken.warnings(adoption);
    let Taken { mut after, staging, tables, connectors, .. } = taken;
    for (name, version) in &input.subjects {
        after.subjects.entry(name.clone()).or_insert(*version);
    }
    let adopts = after.tables != before.tables || after.connectors != before.connectors;
    let set = Effect::SetManifest { before: Box::new(before.clone()), after: Box::new(after) };
    let plan = Plan {
        format: Plan::FORMAT,
        env: input.env.clone(),
        kind: "adopt".to_owned(),
        title: format!("adopt {} and {}", counted(tables.len(), "table"), counted(connectors.len(), "connector")),
        changes: Vec::new(),
        verdicts: Vec::new(),
        tables,
        untouched: matching.left.into_iter().map(|(table, proof)| Untouched { table, proof }).collect(),
        connectors,
        unproven: Vec::new(),
        warnings: warnings.clone(),
        work: Work { staging, promoting: adopts.then_some(set).into_iter().collect(), ..Work::default() },
        assumptions: Assumptions { manifest: digest_of(before), ..Assumptions::default() },
    };
    Ok((plan, warnings))
}

/// What is taken over so far.
#[derive(Default)]
struct Taken {
    after: Manifest,
    staging: Vec<Effect>,
    tables: Vec<TablePlan>,
    connectors: Vec<String>,
    /// Remarks on connectors.
    remarks: Vec<Diagnostic>,
    /// Tables whose jobs run without a setting, by setting.
    lacking: BTreeMap<String, Vec<String>>,
}

impl Taken {
    fn table(&mut self, estate: &Estate, table: &Table, found: Option<Match<'_>>) -> Result<(), Diagnostic> {
        let spec = job::build(estate, table)?;
        let because = match found {
            Some(Match { job, .. }) => format!("runs as job {} ({})", job.id, job.name),
            None => "is in the files".to_owned(),
        };
        if let (Some(Match { job, without }), Some(spec)) = (found, &spec) {
            self.staging.push(Effect::AdoptJob { job: running(job, spec) });
            if let Some(key) = without {
                self.lacking.entry(key.to_owned()).or_default().push(table.name.clone());
            }
        }
        let adopted = DeployedTable { job: spec, ..table.deployed.clone() };
        self.after.tables.insert(table.name.clone(), adopted);
        self.tables.push(TablePlan { because: vec![because], ..describe(estate, table) });
        Ok(())
    }

    fn connector(&mut self, name: &str, connector: &DeployedConnector, remark: Option<Diagnostic>) {
        self.remarks.extend(remark);
        self.connectors.push(format!("{name}: reads {}", connector.table));
        self.after.connectors.insert(name.to_owned(), connector.clone());
    }

    /// Readers and views stay out unless something that is taken over, or deployed, needs them.
    fn forget_what_nothing_reads(&mut self, graph: &Graph<'_>, before: &Manifest) {
        let has_a_job =
            |(name, table): &(&String, &DeployedTable)| before.tables.contains_key(*name) || table.job.is_some();
        let tables = self.after.tables.iter().filter(has_a_job).map(|(name, _)| name.clone());
        let needed = tables.chain(self.after.connectors.values().map(|connector| connector.table.clone())).collect();
        let needed = graph.upstream(&needed);
        self.after.tables.retain(|name, _| needed.contains(name));
        self.tables.retain(|table| needed.contains(&table.table));
    }

    fn warnings(&self, adoption: &Adoption) -> Vec<Diagnostic> {
        let lacking = self.lacking.iter().map(|(key, tables)| {
            Diagnostic::warning("C154", format!("jobs without {key}, which green will have: {}", tables.join(", ")))
                .help(format!("set '{key}' = 'false' under [env.<name>.flink.settings] if green is to run as they do"))
        });
        self.remarks.iter().cloned().chain(lacking).chain(others(adoption, &self.after, &self.staging)).collect()
    }
}

/// The job as it is journaled. Its sources are asked how far they have read: other jobs may commit to the same groups.
fn running(found: &FoundJob, spec: &JobSpec) -> RunningJob {
    let read = |read: &ReadTable| ReadProgress { table: read.table.clone(), topic: read.topic.clone(), group: None };
    RunningJob {
        table: spec.table.clone(),
        name: found.name.clone(),
        id: found.id.clone(),
        reads: spec.reads.iter().map(read).collect(),
        topic: spec.topic.clone(),
        exactly_once: spec.exactly_once,
    }
}

/// Answers that name no table of the project.
fn answers(adoption: &Adoption) -> Vec<Diagnostic> {
    let named = adoption.jobs.keys().chain(&adoption.leave);
    let unknown = named.filter(|name| !adoption.project.tables.contains_key(*name));
    let problem = |name: &String| {
        Diagnostic::error("C151", format!("there is no table `{name}` in the project"))
            .help("name a table as its file does, without its version: `orders`, not `orders_v2`")
    };
    let table = |name: &String| adoption.project.tables.get(name);
    let unwritten = adoption.jobs.keys().filter(|name| table(name).is_some_and(|table| table.dml.is_none()));
    let twice = adoption.jobs.keys().filter(|name| adoption.leave.contains(*name));
    let no_statement = |name: &String| {
        Diagnostic::error("C151", format!("no statement of the project writes `{name}`, so it has no job"))
            .help("leave the answer out")
    };
    let both = |name: &String| {
        Diagnostic::error("C151", format!("`{name}` is given a job and is to be left")).help("say one of the two")
    };
    unknown.map(problem).chain(unwritten.map(no_statement)).chain(twice.map(both)).collect()
}

/// Who else reads what is adopted, and is not: a later rollout would retire the topic under them.
fn others(adoption: &Adoption, after: &Manifest, staging: &[Effect]) -> Vec<Diagnostic> {
    let adopted: BTreeSet<&str> = staging
        .iter()
        .filter_map(|effect| if let Effect::AdoptJob { job } = effect { Some(job.id.as_str()) } else { None })
        .collect();
    let written = after.written();
    let help = "it will not be moved, and retiring blue deletes the topic under it: bring it into the project, or set \
                policy.retire_topics = \"keep\"";
    let warning = |who: String, topic: &str| {
        Diagnostic::warning("C153", format!("{who} reads {topic} and is not adopted")).help(help)
    };
    let mut warnings = Vec::new();
    for job in adoption.found.iter().filter(|job| !adopted.contains(job.id.as_str())) {
        // A job of a table that was deployed or adopted before is known by what it writes.
        if job.shape.writes.iter().any(|table| written.contains_key(table.as_str())) {
            continue;
        }
        let read = job.shape.reads.iter().filter(|table| job.read_from.contains(*table));
        let topic = read.filter_map(|table| written.get(table.as_str())).next();
        warnings.extend(topic.map(|topic| warning(format!("job {} ({})", job.id, job.name), topic)));
    }
    let topics: BTreeSet<&str> = written.values().copied().collect();
    for (name, connector) in adoption.connectors.iter().filter(|(name, _)| !after.connectors.contains_key(*name)) {
        let topic = connector.topics.iter().find(|topic| topics.contains(topic.as_str()));
        warnings.extend(topic.map(|topic| warning(format!("connector {name}"), topic)));
    }
    warnings
}
