//! Taking a project down: connectors first, then jobs, what reads before what it reads, then topics if that is asked for.

use std::collections::BTreeSet;

use super::deploy::counted;
use super::document::{Assumptions, Plan, Role};
use super::input::{PlanInput, Removal};
use super::standing::{Standing, read_besides};
use super::{Planned, estate, graph, job};
use crate::diagnostic::Diagnostic;
use crate::model::effect::Effect;
use crate::model::manifest::Manifest;
use crate::model::verdict::digest_of;
use crate::model::work::Work;
use crate::sql::{self, StatementKind};

/// Plans the removal of everything that is deployed.
pub fn plan(input: &PlanInput, removal: &Removal) -> Planned {
    match build(input, removal) {
        Ok(plan) => Planned { diagnostics: plan.warnings.clone(), plan: Some(plan) },
        Err(diagnostics) => Planned { plan: None, diagnostics },
    }
}

fn build(input: &PlanInput, removal: &Removal) -> Result<Plan, Vec<Diagnostic>> {
    let before = &input.manifest;
    let in_use: Vec<Diagnostic> = read_besides(&removal.readers)
        .filter(|(_, reader)| !removal.despite.contains(*reader))
        .map(|(topic, reader)| {
            Diagnostic::error("C160", format!("topic {topic} is read by {reader}, which is not of this project"))
                .help(format!("end it first, or go on in spite of it: `--despite '{reader}'`"))
        })
        .collect();
    let nobody =
        removal.despite.iter().filter(|name| !read_besides(&removal.readers).any(|(_, reader)| reader == *name));
    let nobody = nobody.map(|name| {
        Diagnostic::error("C160", format!("nothing that is called `{name}` reads a topic of the project"))
            .help("name a reader as the refusal names it: `--despite 'group reports'`")
    });
    let problems: Vec<Diagnostic> = in_use.into_iter().chain(nobody).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let estate = estate::read(before)?;
    let graph = graph::build(&estate).map_err(|d| vec![d])?;
    let order: Vec<&str> = graph.order().collect();
    let written = || order.iter().rev().filter_map(|name| estate.tables.get(*name)).filter(|t| t.role == Role::Written);
    let connectors = before.connectors.keys().map(|name| Effect::DeleteConnector { name: name.clone() });
    let jobs = written().map(|table| Effect::CancelJob { table: table.deployed.physical.clone() });
    let mut retiring: Vec<Effect> = connectors.chain(jobs).collect();
    let topics: Vec<&String> = written().filter_map(|table| table.deployed.topic.as_ref()).collect();
    let mut kept = BTreeSet::new();
    if removal.delete_topics {
        retiring.extend(topics.iter().map(|topic| Effect::DeleteTopic { topic: (*topic).clone() }));
    } else {
        kept.extend(topics.iter().map(|topic| topic.as_str()));
    }
    let jobs = written().count();
    if !before.tables.is_empty() || !before.connectors.is_empty() {
        let after = Box::new(Manifest::default());
        retiring.push(Effect::SetManifest { before: Box::new(before.clone()), after });
    }
    let standing = Standing { readers: removal.readers.clone(), ..Standing::default() };
    Ok(Plan {
        format: Plan::FORMAT,
        env: input.env.clone(),
        kind: "undeploy".to_owned(),
        title: format!("take down {} and {}", counted(jobs, "job"), counted(before.connectors.len(), "connector")),
        changes: Vec::new(),
        // What the yes is given in spite of is part of what it is given on.
        verdicts: read_besides(&removal.readers)
            .map(|(topic, by)| format!("in spite of {by}, which reads {topic}"))
            .collect(),
        tables: Vec::new(),
        untouched: Vec::new(),
        connectors: Vec::new(),
        unproven: kept.into_iter().map(|topic| format!("topic {topic} and its subjects stay")).collect(),
        warnings: Vec::new(),
        work: Work { retiring, ..Work::default() },
        assumptions: Assumptions {
            manifest: digest_of(before),
            standing: Some(standing),
            jobs: removal.jobs.clone(),
            ..Assumptions::default()
        },
    })
}

/// The consumer groups that the tables' DDL names, placeholders in them: a job that somebody else started from it commits
/// there.
pub fn named_groups(manifest: &Manifest) -> BTreeSet<String> {
    let named = |ddl: &str| {
        let parsed = sql::parse(ddl);
        let StatementKind::CreateTable(create) = &parsed.statements().first()?.kind else { return None };
        create.option(job::GROUP).map(|option| option.value.clone())
    };
    manifest.tables.values().filter_map(|table| named(&table.ddl)).collect()
}
