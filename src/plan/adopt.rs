//! Adoption: what somebody else started, matched with the project's files by what it reads and writes, taken over as it
//! runs.
//!
//! A job belongs to a table when it writes that table and nothing else, reads the tables that the file's statement reads,
//! from the topics that the files name, and does with them what the engine would do for the file's statement. What does not
//! fit is left out, with all that reads it, and the reason is said; what fits more than once is asked.

use std::collections::{BTreeMap, BTreeSet};

use super::deploy::{counted, describe};
use super::document::{Assumptions, Plan, Role, Untouched};
use super::estate::{self, Estate, Table};
use super::input::{Adoption, FoundJob, PlanInput};
use super::{Planned, graph, job};
use crate::diagnostic::Diagnostic;
use crate::model::effect::Effect;
use crate::model::job::JobSpec;
use crate::model::manifest::Manifest;
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
    let mut after = before.clone();
    let (mut staging, mut tables) = (Vec::new(), Vec::new());
    let mut lacking: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in graph.order() {
        let Some(table) = estate.tables.get(name) else { continue };
        let deployed = before.tables.get(name);
        if deployed.is_some_and(|deployed| !adoption.ended.contains(&deployed.physical)) {
            continue;
        }
        let found = match matching.look(table) {
            Ok(found) => found,
            Err(why) => {
                matching.left.insert(name.to_owned(), why);
                continue;
            }
        };
        let spec = job::build(&estate, table).map_err(|d| vec![d])?;
        let because = match found {
            Some(Match { job, .. }) => format!("runs as job {} ({})", job.id, job.name),
            None => "is in the files".to_owned(),
        };
        if let (Some(Match { job, without }), Some(spec)) = (found, &spec) {
            staging.push(Effect::AdoptJob { job: running(job, spec) });
            without.iter().for_each(|key| lacking.entry(*key).or_default().push(name));
        }
        let mut adopted = table.deployed.clone();
        adopted.job = spec;
        after.tables.insert(name.to_owned(), adopted);
        tables.push(super::document::TablePlan { because: vec![because], ..describe(&estate, table) });
    }
    let mut warnings = Vec::new();
    let mut connectors = Vec::new();
    for (name, connector) in adoption.project.connectors.iter().filter(|(n, _)| !before.connectors.contains_key(*n)) {
        match matching.connector(name, &after) {
            Ok(warning) => {
                warnings.extend(warning);
                connectors.push(format!("{name}: reads {}", connector.table));
                after.connectors.insert(name.clone(), connector.clone());
            }
            Err(why) => {
                matching.left.insert(format!("connector {name}"), why);
            }
        }
    }
    warnings.extend(lacking.into_iter().map(|(key, tables)| {
        Diagnostic::warning("C154", format!("{} run without {key}, which green will run with", tables.join(", ")))
            .help(format!("set '{key}' = 'false' under [env.<name>.flink.settings] if green is to run as they do"))
    }));
    warnings.extend(others(adoption, &after, &staging));
    // What nothing of it reads stays as it was.
    let needed: BTreeSet<String> = after
        .tables
        .iter()
        .filter(|(name, table)| before.tables.contains_key(*name) || table.job.is_some())
        .map(|(name, _)| name.clone())
        .chain(after.connectors.values().map(|connector| connector.table.clone()))
        .collect();
    let needed = graph.upstream(&needed);
    after.tables.retain(|name, _| needed.contains(name));
    tables.retain(|table| needed.contains(&table.table));
    if !matching.problems.is_empty() {
        return Err(matching.problems);
    }
    for (name, version) in &input.subjects {
        after.subjects.entry(name.clone()).or_insert(*version);
    }
    let adopts = after.tables != before.tables || after.connectors != before.connectors;
    let set = Effect::SetManifest { before: Box::new(before.clone()), after: Box::new(after) };
    let left = matching.left.into_iter().map(|(table, proof)| Untouched { table, proof }).collect();
    let plan = Plan {
        format: Plan::FORMAT,
        env: input.env.clone(),
        kind: "adopt".to_owned(),
        title: format!("adopt {} and {}", counted(tables.len(), "table"), counted(connectors.len(), "connector")),
        changes: Vec::new(),
        verdicts: Vec::new(),
        tables,
        untouched: left,
        connectors,
        unproven: Vec::new(),
        warnings: warnings.clone(),
        work: Work { staging, promoting: adopts.then_some(set).into_iter().collect(), ..Work::default() },
        assumptions: Assumptions { manifest: digest_of(before), ..Assumptions::default() },
    };
    Ok((plan, warnings))
}

/// The job as it is journaled. Its sources are asked how far they have read: other jobs may commit to the same groups.
fn running(found: &FoundJob, spec: &JobSpec) -> RunningJob {
    let read = |read: &crate::model::job::ReadTable| ReadProgress {
        table: read.table.clone(),
        topic: read.topic.clone(),
        group: None,
    };
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
    unknown.map(problem).collect()
}

/// The tables of a project, one after the other, held against what runs.
struct Matching<'a> {
    adoption: &'a Adoption,
    estate: &'a Estate,
    /// What is left out, with the reason.
    left: BTreeMap<String, String>,
    /// What is asked, and answers that do not fit.
    problems: Vec<Diagnostic>,
}

impl<'a> Matching<'a> {
    /// The job that writes `table`, if one must; the reason to leave the table out otherwise. What is asked is left out
    /// as well, until it is answered.
    fn look(&mut self, table: &Table) -> Result<Option<Match<'a>>, String> {
        if self.adoption.leave.contains(&table.name) {
            return Err("it was asked to be left".to_owned());
        }
        if let Some(read) = table.reads.iter().find(|read| self.left.contains_key(*read)) {
            return Err(format!("it reads `{read}`, which is left out"));
        }
        if let Some(topic) = table.deployed.topic.as_ref().filter(|topic| !self.adoption.topics.contains(*topic)) {
            return Err(format!("topic {topic} does not exist"));
        }
        if table.role != Role::Written {
            return Ok(None);
        }
        let physical = &table.deployed.physical;
        let candidates: Vec<&'a FoundJob> =
            self.adoption.found.iter().filter(|job| job.shape.writes.contains(physical)).collect();
        let judged: Vec<(&'a FoundJob, Fit<'a>)> =
            candidates.into_iter().map(|job| (job, self.fits(table, job))).collect();
        let fitting: Vec<Match<'a>> = judged
            .iter()
            .filter_map(|(job, fit)| fit.as_ref().ok().map(|without| Match { job, without: *without }))
            .collect();
        if let Some(id) = self.adoption.jobs.get(&table.name) {
            return match fitting.iter().find(|found| found.job.id == *id) {
                Some(found) => Ok(Some(*found)),
                None => Err(self.unfit(table, id, &judged)),
            };
        }
        let rivals: Vec<&'a FoundJob> =
            judged.iter().filter(|(_, fit)| !matches!(fit, Err(Misfit::Elsewhere(_)))).map(|(job, _)| *job).collect();
        match (fitting.as_slice(), rivals.len()) {
            ([found], 1) => Ok(Some(*found)),
            ([_, ..], _) => Err(self.asked(table, &rivals)),
            ([], _) if judged.is_empty() => Err(format!("no running job writes `{physical}`")),
            ([], _) => {
                let why = |(job, fit): &(&FoundJob, Fit<'_>)| {
                    fit.as_ref().err().map(|misfit| format!("job {} {misfit}", job.id))
                };
                Err(judged.iter().filter_map(why).collect::<Vec<_>>().join("; "))
            }
        }
    }

    /// Whether `job`, which writes the table, is the one that the files describe; the setting that it runs without.
    fn fits(&self, table: &Table, job: &FoundJob) -> Result<Option<&'a str>, Misfit> {
        if job.shape.writes.len() > 1 {
            return Err(Misfit::Other(format!("writes {} at once", listed(&job.shape.writes))));
        }
        let all = match self.adoption.expected.get(&table.name) {
            Some(Ok(all)) => all.as_slice(),
            Some(Err(why)) => return Err(Misfit::Other(format!("cannot be compared: {why}"))),
            None => &[],
        };
        let Some(expected) = all.first() else {
            return Err(Misfit::Other("cannot be compared: its statement was not explained".to_owned()));
        };
        let set = |names: &[String]| names.iter().cloned().collect::<BTreeSet<_>>();
        let (reads, reads_by_file) = (set(&job.shape.reads), set(&expected.shape.reads));
        if reads != reads_by_file {
            let reads: Vec<String> = reads.into_iter().collect();
            let by_file: Vec<String> = reads_by_file.into_iter().collect();
            return Err(Misfit::Other(format!("reads {}, the file's statement {}", listed(&reads), listed(&by_file))));
        }
        for read in &reads {
            let topic =
                self.estate.logical.get(read).and_then(|name| self.estate.tables.get(name)?.deployed.topic.as_ref());
            if let Some(topic) = topic.filter(|_| !job.read_from.contains(read)) {
                return Err(Misfit::Elsewhere(format!("does not show that it reads `{read}` from topic {topic}")));
            }
        }
        if let Some(fits) = all.iter().find(|expected| expected.shape.operators == job.shape.operators) {
            return Ok(fits.without.as_deref());
        }
        let difference = difference(&job.shape.operators, &expected.shape.operators).unwrap_or_default();
        Err(Misfit::Other(format!("does not do what the file says: {difference}")))
    }

    fn asked(&mut self, table: &Table, jobs: &[&FoundJob]) -> String {
        let name = &table.name;
        let each: Vec<String> = jobs.iter().map(|job| format!("{} ({})", job.id, job.name)).collect();
        let text = format!("{} jobs write `{}`: {}", jobs.len(), table.deployed.physical, each.join(", "));
        let help = format!("say which with `--job {name}=ID`, end the others, or leave it with `--leave {name}`");
        self.problems.push(Diagnostic::error("C150", text.clone()).help(help));
        text
    }

    fn unfit(&mut self, table: &Table, id: &str, judged: &[(&FoundJob, Fit<'_>)]) -> String {
        let misfit = judged.iter().find(|(job, _)| job.id == id).and_then(|(_, fit)| fit.as_ref().err());
        let why = misfit.map_or_else(
            || format!("job {id} does not run, or does not write `{}`", table.deployed.physical),
            |misfit| format!("job {id} is not the one of `{}`: it {misfit}", table.name),
        );
        let help = "name one that fits, or bring the files to what runs and adopt again";
        self.problems.push(Diagnostic::error("C151", why.clone()).help(help));
        why
    }

    /// Whether the connector of that name is the one in the files; a remark on settings that differ.
    fn connector(&self, name: &str, after: &Manifest) -> Result<Option<Diagnostic>, String> {
        let Some(connector) = self.adoption.project.connectors.get(name) else {
            return Err("it is not in the files".to_owned());
        };
        let Some(table) = after.tables.get(&connector.table) else {
            return Err(format!("it reads `{}`, which is left out", connector.table));
        };
        let topic = table.topic.as_deref().unwrap_or_default();
        let Some(running) = self.adoption.connectors.get(name) else {
            let other = self.adoption.connectors.iter().find(|(_, other)| other.topics.contains(topic));
            return Err(match other {
                Some((other, _)) => {
                    format!("no connector has that name; `{other}` reads {topic}: name it so in its file")
                }
                None => "no connector has that name: `cyanotype deploy` makes it".to_owned(),
            });
        };
        if running.topics != BTreeSet::from([topic.to_owned()]) {
            let topics: Vec<String> = running.topics.iter().cloned().collect();
            return Err(format!("it reads {}, its file says {topic}", listed(&topics)));
        }
        let keys: Vec<&str> = running.differing.iter().map(String::as_str).collect();
        Ok((!keys.is_empty()).then(|| {
            Diagnostic::warning("C152", format!("connector {name} is not as its file says: {}", keys.join(", ")))
                .help("moving it later sets this to what the file says: bring the file to what runs, and adopt again")
        }))
    }
}

/// A job that fits.
#[derive(Clone, Copy)]
struct Match<'a> {
    job: &'a FoundJob,
    /// The setting that it runs without.
    without: Option<&'a str>,
}

/// Whether a job fits: the setting that it runs without, or why it does not.
type Fit<'a> = Result<Option<&'a str>, Misfit>;

/// Why a job that writes a table is not the one that the files describe.
enum Misfit {
    /// It belongs to other topics, as of another environment: it is no rival.
    Elsewhere(String),
    /// It is here, and something else.
    Other(String),
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Elsewhere(why) | Self::Other(why) => f.write_str(why),
        }
    }
}

/// The first operator on either side that the other has not, both lists sorted.
fn difference(runs: &[String], file: &[String]) -> Option<String> {
    let extra = |of: &[String], other: &[String]| {
        let mut rest = other.to_vec();
        of.iter()
            .find(|operator| match rest.iter().position(|o| o == *operator) {
                Some(at) => {
                    rest.swap_remove(at);
                    false
                }
                None => true,
            })
            .cloned()
    };
    match (extra(runs, file), extra(file, runs)) {
        (None, None) => None,
        (Some(runs), Some(file)) => Some(format!("it runs {runs}, the file asks for {file}")),
        (Some(runs), None) => Some(format!("it runs {runs} besides")),
        (None, Some(file)) => Some(format!("it lacks {file}")),
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

/// Who else reads what is adopted, and is not: a later rollout would retire the topic under them.
fn others(adoption: &Adoption, after: &Manifest, staging: &[Effect]) -> Vec<Diagnostic> {
    let adopted: BTreeSet<&str> = staging
        .iter()
        .filter_map(|effect| if let Effect::AdoptJob { job } = effect { Some(job.id.as_str()) } else { None })
        .collect();
    let written: BTreeMap<&str, &str> = after
        .tables
        .values()
        .filter(|table| table.dml.is_some())
        .filter_map(|table| Some((table.physical.as_str(), table.topic.as_deref()?)))
        .collect();
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
