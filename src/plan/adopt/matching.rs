//! Which running job and which connector belong to which table and file, and why the others do not.

use std::collections::{BTreeMap, BTreeSet};

use super::super::document::Role;
use super::super::estate::{Estate, Table};
use super::super::input::{Adoption, FoundJob};
use crate::diagnostic::Diagnostic;
use crate::model::manifest::Manifest;

/// The tables of a project, one after the other, held against what runs.
pub(super) struct Matching<'a> {
    pub(super) adoption: &'a Adoption,
    pub(super) estate: &'a Estate,
    /// What is left out, with the reason.
    pub(super) left: BTreeMap<String, String>,
    /// What is asked, and answers that do not fit.
    pub(super) problems: Vec<Diagnostic>,
}

impl<'a> Matching<'a> {
    /// The job that writes `table`, if one must; the reason to leave the table out otherwise. What is asked is left out
    /// as well, until it is answered.
    pub(super) fn look(&mut self, table: &Table) -> Result<Option<Match<'a>>, String> {
        if self.adoption.leave.contains(&table.name) {
            return Err("it was asked to be left".to_owned());
        }
        if let Some(read) = table.reads.iter().find(|read| self.left.contains_key(*read)) {
            return Err(format!("it reads `{read}`, which is left out"));
        }
        let topic = table.deployed.topic.clone().unwrap_or_default();
        let held = self.adoption.topics.get(&topic);
        if table.deployed.topic.is_some() && held.is_none() {
            return Err(format!("topic {topic} does not exist"));
        }
        if table.role != Role::Written {
            return Ok(None);
        }
        // The engine does not say which topic a job writes: one that holds nothing is not the one.
        if held == Some(&false) {
            return Err(format!("topic {topic} has never held a record: nothing shows that a job writes it"));
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
        if of_another_daemon(&job.name) && !self.adoption.ours(&job.name) {
            return Err(Misfit::Elsewhere(format!("was started by another Cyanotype ({})", job.name)));
        }
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
            return Err(Misfit::Other(format!("reads {}, the statement {}", listed(&reads), listed(&by_file))));
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
        Err(Misfit::Other(format!("does not do what its statement says: {difference}")))
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
    pub(super) fn connector(&self, name: &str, after: &Manifest) -> Result<Option<Diagnostic>, String> {
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
pub(super) struct Match<'a> {
    pub(super) job: &'a FoundJob,
    /// The setting that it runs without.
    pub(super) without: Option<&'a str>,
}

/// Whether a job fits: the setting that it runs without, or why it does not.
type Fit<'a> = Result<Option<&'a str>, Misfit>;

/// True for a name as Cyanotype gives its jobs: `<prefix><table>.<kind>-<number>-<time>.<attempt>`.
fn of_another_daemon(name: &str) -> bool {
    let mut parts = name.rsplitn(3, '.');
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let attempt = parts.next().is_some_and(number);
    let mut rollout = parts.next().unwrap_or_default().splitn(3, '-');
    let kind = rollout.next().is_some_and(|kind| matches!(kind, "deploy" | "evolution" | "change"));
    attempt && kind && rollout.next().is_some_and(number) && rollout.next().is_some() && parts.next().is_some()
}

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
        (Some(runs), Some(file)) => Some(format!("it runs {runs}, the statement asks for {file}")),
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
