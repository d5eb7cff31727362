//! From where green starts: from earliest is sound only if earliest still holds the history, for every input.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Role;
use super::estate::{Estate, Table};
use super::graph::Graph;
use super::hint;
use super::impact::Impact;
use super::input::{Cause, PlanInput, TopicFacts};
use super::project::placed;
use crate::diagnostic::{Diagnostic, Severity};

/// The setting that makes a job absorb repeated and missing changes of a changelog (semantics, "State and start").
pub const DUPLICATE_EVENTS: &str = "table.exec.source.cdc-events-duplicate";
/// The option that says where a reader begins.
const START: &str = "scan.startup.mode";

/// From earliest must be sound for every input of what becomes green, shared ones too.
///
/// # Errors
/// A diagnostic for each input that does not hold its history, or is not read from its beginning, by its DDL or by a hint.
pub fn sound(input: &PlanInput, estate: &Estate, graph: &Graph<'_>, impact: &Impact) -> Result<(), Vec<Diagnostic>> {
    let green: BTreeSet<String> = impact.green.iter().cloned().collect();
    let texts = match &input.cause {
        Cause::Change(change) => Some(&change.texts),
        Cause::Deploy { .. } | Cause::Evolution(_) | Cause::Adopt(_) | Cause::Undeploy(_) => None,
    };
    let mut problems = hint::in_the_way(estate, &green, texts);
    for name in graph.upstream(&green) {
        let Some(table) = estate.tables.get(&name).filter(|t| t.role == Role::Reader) else { continue };
        let problem = from_elsewhere(table);
        problems.extend(problem.map(|problem| match texts {
            Some(texts) => placed(problem, &table.deployed.ddl, texts),
            None => problem,
        }));
        let Some(facts) = table.deployed.topic.as_ref().and_then(|t| input.topics.get(t)) else { continue };
        let changelog = table.option("format").is_some_and(|f| f.starts_with("debezium") || f.starts_with("canal"));
        let absorbs = input.settings.get(DUPLICATE_EVENTS).is_some_and(|v| v == "true") && !table.key().is_empty();
        let topic = table.deployed.topic.clone().unwrap_or_default();
        problems.extend(records(&topic, facts, changelog).map(|p| p.in_file(&table.deployed.ddl_file)));
        if (facts.compacted || facts.truncated) && changelog && !absorbs {
            problems.push(
                Diagnostic::error(
                    "C204",
                    format!("topic {topic} no longer holds its whole history, and `{name}` reads it as a changelog"),
                )
                .in_file(&table.deployed.ddl_file)
                .help(format!(
                    "set '{DUPLICATE_EVENTS}' = 'true' under [env.<name>.flink.settings] and declare a PRIMARY KEY"
                )),
            );
        } else if facts.truncated && !changelog {
            problems.push(
                Diagnostic::error(
                    "C205",
                    format!("topic {topic} has lost its first records: green would miss rows that blue has"),
                )
                .in_file(&table.deployed.ddl_file)
                .help("keep the history of input topics: retention.ms = -1"),
            );
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Records seen in a topic that keep every job from its history, or give it a wrong one; `changelog` says that the topic is read
/// as Debezium's changes.
pub fn records(topic: &str, facts: &TopicFacts, changelog: bool) -> impl Iterator<Item = Diagnostic> + use<> {
    let seen = |code: &str, at: Option<(i32, i64)>, what: &str, consequence: &str, help: &str| {
        let (partition, offset) = at?;
        let text = format!("topic {topic} holds {what} (partition {partition}, offset {offset}): {consequence}");
        Some(Diagnostic::error(code, text).help(help))
    };
    let without_before = seen(
        "C209",
        facts.update_without_before,
        "an update without its row before",
        "no job can read past it",
        "ALTER TABLE ... REPLICA IDENTITY FULL, then write the topic anew with a fresh snapshot",
    );
    let truncation = seen(
        "C215",
        facts.truncation,
        "a TRUNCATE of its table",
        "no job can read past it",
        "set skipped.operations = t in the source connector, then write the topic anew with a fresh snapshot",
    );
    let without_key = seen(
        "C216",
        facts.without_key,
        "records with a key and one without",
        "the table's primary key came or went, and changes of one row lie in any partition",
        "give the table its primary key, then write the topic anew with a fresh snapshot",
    );
    let of_changelog = [without_before, truncation].into_iter().filter(move |_| changelog);
    of_changelog.chain([without_key]).flatten()
}

/// A reader table that does not start at the earliest record.
fn from_elsewhere(table: &Table) -> Option<Diagnostic> {
    let mode = table.option(START).unwrap_or("group-offsets");
    let elsewhere =
        table.role == Role::Reader && table.option("connector") == Some("kafka") && mode != "earliest-offset";
    elsewhere.then(|| {
        let text = format!("`{}` starts at {mode}: green would not hold the history that blue holds", table.name);
        let help = format!("set '{START}' = 'earliest-offset' in its DDL and deploy it so");
        let create = table.create()?;
        let set = create.option(START).map(|option| (option.value_span, "set here"));
        let (span, said) = set.unwrap_or((create.name.span, "this table"));
        Some(Diagnostic::error("C210", text).in_file(&table.deployed.ddl_file).at(span, said).help(help))
    })?
}

/// The same for every reader table and hint of a project, as warnings: a first deployment goes through, no later change does.
/// `texts` are the files by path.
pub fn starts(estate: &Estate, texts: &BTreeMap<String, String>) -> Vec<Diagnostic> {
    let warning = |d: Diagnostic| Diagnostic { severity: Severity::Warning, ..d };
    let tables = || estate.tables.values();
    let hints = tables().flat_map(|table| hint::of(table, Some(texts)));
    let started = tables().filter_map(|table| Some(placed(from_elsewhere(table)?, &table.deployed.ddl, texts)));
    started.chain(hints).map(warning).collect()
}
