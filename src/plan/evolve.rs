//! A subject evolved: the reader table's next version, and the cascade that it needs.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Assumptions, Plan, Role, TablePlan};
use super::estate::{self, Estate, Table};
use super::graph::{self, Graph};
use super::impact::{self, Impact};
use super::input::{Carry, Evolution, PlanInput};
use super::rewrite::{self, NewColumn};
use super::{Planned, deploy, job, parity, project};
use crate::diagnostic::Diagnostic;
use crate::model::column::Column;
use crate::model::effect::Effect;
use crate::model::manifest::{DeployedTable, Manifest};
use crate::model::name::physical;
use crate::model::parity::{ChangeRule, Changelog, ColumnClass, Hop, TableContract};
use crate::model::verdict::digest_of;
use crate::model::work::Work;
use crate::schema::{Change, ChangeKind, Effect as Noticed, Scope};

/// The setting that makes a job absorb repeated and missing changes of a changelog (semantics, "State and start").
const DUPLICATE_EVENTS: &str = "table.exec.source.cdc-events-duplicate";

/// Plans the evolution.
pub fn plan(input: &PlanInput, evolution: &Evolution) -> Planned {
    let mut diagnostics = Vec::new();
    if let Err(diagnostics) = plannable(evolution) {
        return Planned { plan: None, diagnostics };
    }
    if evolution.added.is_empty() {
        return Planned { plan: None, diagnostics };
    }
    match build(input, evolution, &mut diagnostics) {
        Ok(plan) => Planned { plan: Some(plan), diagnostics },
        Err(problems) => {
            diagnostics.extend(problems);
            Planned { plan: None, diagnostics }
        }
    }
}

/// A column and the rule that it is held against.
type Added = (NewColumn, ChangeRule);

fn build(input: &PlanInput, evolution: &Evolution, warnings: &mut Vec<Diagnostic>) -> Result<Plan, Vec<Diagnostic>> {
    let before = &input.manifest;
    let estate = estate::read(before)?;
    let graph = graph::build(&estate).map_err(|d| vec![d])?;
    let changed = readers(&estate, evolution)?;
    let impact = impact::full(&estate, &graph, &changed);
    sound_start(input, &estate, &graph, &impact)?;

    let names: BTreeMap<String, String> = impact
        .green
        .iter()
        .filter_map(|n| estate.tables.get(n))
        .map(|t| (t.deployed.physical.clone(), physical(&t.name, t.deployed.version.next())))
        .collect();
    let mut added: BTreeMap<String, Vec<Added>> = BTreeMap::new();
    let mut not_carried: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut classes: BTreeMap<String, BTreeMap<String, ColumnClass>> = BTreeMap::new();
    let mut after = before.clone();
    for name in &impact.green {
        let Some(table) = estate.tables.get(name) else { continue };
        let (own, left) = if changed.contains_key(name) {
            (reader_columns(table, evolution), BTreeMap::new())
        } else {
            carried(input, &estate, table, &names, evolution, &added, warnings)
        };
        let columns: Vec<NewColumn> = own.iter().map(|(column, _)| column.clone()).collect();
        let green = rewrite::green(&estate, table, &names, &columns).map_err(|d| vec![d])?;
        classes.insert(name.clone(), parity::columns(&estate, table, &own, &classes));
        added.insert(name.clone(), own);
        not_carried.insert(name.clone(), left);
        after.tables.insert(name.clone(), green);
    }
    after.subjects.insert(evolution.subject.clone(), evolution.to_version);
    after.ahead = Some(format!("cyanotype/{}-v{}", evolution.subject, evolution.to_version));
    let green_estate = estate::read(&after)?;
    for name in &impact.green {
        let Some(table) = green_estate.tables.get(name) else { continue };
        let job = job::build(&green_estate, table).map_err(|d| vec![d])?;
        if let Some(deployed) = after.tables.get_mut(name) {
            deployed.job = job;
        }
    }

    let (moves, connectors) = connectors(&impact, before, &mut after, warnings);
    let tables = describe(&estate, &green_estate, &impact, &added, &not_carried, &classes);
    let work = work(input, &estate, &graph, &impact, moves, &classes, before, &after);
    warn_unproven(&classes, &work.contracts, warnings);
    Ok(Plan {
        format: Plan::FORMAT,
        env: input.env.clone(),
        kind: "evolution".to_owned(),
        title: title(evolution, &impact),
        changes: evolution.changes.iter().map(|c| c.sentence.clone()).collect(),
        verdicts: verdicts(evolution),
        tables,
        untouched: impact.untouched.clone(),
        connectors,
        unproven: unproven(&classes),
        warnings: warnings.clone(),
        work,
        assumptions: Assumptions {
            manifest: digest_of(before),
            subjects: BTreeMap::from([(evolution.subject.clone(), evolution.to_version)]),
            standing: None,
        },
    })
}

/// Only what is understood is planned: columns added to the row, besides what has no effect.
fn plannable(evolution: &Evolution) -> Result<(), Vec<Diagnostic>> {
    let assessment = &evolution.assessment;
    if !assessment.plannable() {
        return Err(assessment
            .reasons
            .iter()
            .map(|reason| {
                Diagnostic::error("C201", format!("{} version {}: {reason}", evolution.subject, evolution.to_version))
                    .help("undo the change at the source: a compatible one is planned by itself")
            })
            .collect());
    }
    let strange: Vec<Diagnostic> = evolution
        .changes
        .iter()
        .filter(|c| c.scope == Scope::Row && !understood(c))
        .map(|c| {
            Diagnostic::error("C202", format!("{} version {}: {}", evolution.subject, evolution.to_version, c.sentence))
                .help("this kind of change is not planned by itself: change the statements in a branch")
        })
        .collect();
    let untyped = evolution.added.iter().filter_map(|a| {
        let why = a.unsupported.as_ref()?;
        let text = format!(
            "{} version {}: column `{}` cannot be read by Flink: {why}",
            evolution.subject, evolution.to_version, a.name
        );
        Some(Diagnostic::error("C208", text).help("give the column another type at the source"))
    });
    let problems: Vec<Diagnostic> = strange.into_iter().chain(untyped).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// A column that was added, or a change that neither the deployed tables nor their records notice.
fn understood(change: &Change) -> bool {
    let unnoticed = change.old_table == Noticed::Fine && change.new_table == Noticed::Fine;
    let same_type =
        !matches!(change.kind, ChangeKind::Widened | ChangeKind::LogicalType | ChangeKind::DecimalPrecision);
    matches!(change.kind, ChangeKind::Added { .. }) || unnoticed && same_type
}

/// The reader tables of the evolved topic, with the reason.
fn readers(estate: &Estate, evolution: &Evolution) -> Result<BTreeMap<String, String>, Vec<Diagnostic>> {
    let why = format!("subject {} has version {}", evolution.subject, evolution.to_version);
    let found: BTreeMap<String, String> = estate
        .tables
        .values()
        .filter(|t| t.role == Role::Reader && t.deployed.topic.as_deref() == Some(&evolution.topic))
        .map(|t| (t.name.clone(), why.clone()))
        .collect();
    if found.is_empty() {
        let text = format!("no reader table has the topic {} of subject {}", evolution.topic, evolution.subject);
        return Err(vec![Diagnostic::error("C203", text)]);
    }
    Ok(found)
}

/// From earliest must be sound for every input, shared ones too.
fn sound_start(input: &PlanInput, estate: &Estate, graph: &Graph<'_>, impact: &Impact) -> Result<(), Vec<Diagnostic>> {
    let green: BTreeSet<String> = impact.green.iter().cloned().collect();
    let mut problems = Vec::new();
    for name in graph.upstream(&green) {
        let Some(table) = estate.tables.get(&name).filter(|t| t.role == Role::Reader) else { continue };
        let mode = table.option("scan.startup.mode").unwrap_or("group-offsets");
        if table.option("connector") == Some("kafka") && mode != "earliest-offset" {
            let text = format!("`{name}` starts at {mode}: green would not hold the history that blue holds");
            problems.push(
                Diagnostic::error("C210", text)
                    .in_file(&table.deployed.ddl_file)
                    .help("set 'scan.startup.mode' = 'earliest-offset' in its DDL and deploy it so"),
            );
        }
        let Some(facts) = table.deployed.topic.as_ref().and_then(|t| input.topics.get(t)) else { continue };
        let changelog = table.option("format").is_some_and(|f| f.starts_with("debezium") || f.starts_with("canal"));
        let absorbs = input.settings.get(DUPLICATE_EVENTS).is_some_and(|v| v == "true") && !table.key().is_empty();
        let topic = table.deployed.topic.clone().unwrap_or_default();
        if let (true, Some((partition, offset))) = (changelog, facts.update_without_before) {
            let text = format!(
                "topic {topic} holds an update without its row before (partition {partition}, offset {offset}): no job can read past it"
            );
            problems.push(
                Diagnostic::error("C209", text)
                    .in_file(&table.deployed.ddl_file)
                    .help("ALTER TABLE ... REPLICA IDENTITY FULL, then write the topic anew with a fresh snapshot"),
            );
        }
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

/// The columns that the evolution adds to a reader table.
fn reader_columns(table: &Table, evolution: &Evolution) -> Vec<Added> {
    let have: BTreeSet<String> =
        table.create().map(|c| c.schema().into_iter().map(|c| c.name).collect()).unwrap_or_default();
    evolution
        .added
        .iter()
        .filter(|a| !have.contains(&a.name))
        .map(|a| {
            let column = NewColumn { column: Column::nullable(a.name.clone(), a.flink.ty.clone()), from: None };
            (column, ChangeRule::NewColumn { default: serde_json::Value::Null, nullable: true })
        })
        .collect()
}

/// The new columns of the inputs that this table's statement can carry on; and those that it cannot, with why.
fn carried(
    input: &PlanInput,
    estate: &Estate,
    table: &Table,
    names: &rewrite::Names,
    evolution: &Evolution,
    added: &BTreeMap<String, Vec<Added>>,
    warnings: &mut Vec<Diagnostic>,
) -> (Vec<Added>, BTreeMap<String, String>) {
    let mut own: Vec<Added> = Vec::new();
    let mut left = BTreeMap::new();
    for read in &table.reads {
        let Some(source) = estate.tables.get(read) else { continue };
        for (new, rule) in added.get(read).map(Vec::as_slice).unwrap_or_default() {
            let name = &new.column.name;
            if own.iter().any(|(n, _)| n.column.name == *name) {
                continue;
            }
            let from_reader = source.role == Role::Reader;
            let from =
                |expr| NewColumn { column: new.column.clone(), from: Some((source.deployed.physical.clone(), expr)) };
            // `SELECT *` hands a column on whether that is wanted or not: what it fills must have it too.
            let by_star = rewrite::carry(estate, table, names, &from(None)).is_ok_and(|c| c.edits.is_empty());
            if !by_star && input.policy.carry == Carry::Source && !from_reader {
                left.insert(name.clone(), "the policy carries new columns to the source table only".to_owned());
                continue;
            }
            let (expr, rule) = if from_reader { default_of(name, evolution, warnings) } else { (None, rule.clone()) };
            let with_default = expr.is_some();
            if with_default && by_star {
                let text =
                    format!("column `{name}` reaches `{}` by `SELECT *`: its default is not applied", table.name);
                let help = "list the columns there, so that old records carry the default";
                warnings.push(Diagnostic::warning("C206", text).help(help));
                own.push((from(None), ChangeRule::NewColumn { default: serde_json::Value::Null, nullable: true }));
                continue;
            }
            let candidate = from(expr);
            match rewrite::carry(estate, table, names, &candidate) {
                // A remark says that rows may come without it, such as from the outer side of a join.
                Ok(carried) if carried.notes.is_empty() => own.push((candidate, rule)),
                Ok(_) if with_default => {
                    let why = "rows without a match in the outer join would get the default too: carry it by hand";
                    left.insert(name.clone(), why.to_owned());
                }
                Ok(_) => own.push((candidate, may_be_null(rule))),
                Err(why) => {
                    left.insert(name.clone(), why);
                }
            }
        }
    }
    left.retain(|name, _| own.iter().all(|(n, _)| n.column.name != *name));
    (own, left)
}

fn may_be_null(rule: ChangeRule) -> ChangeRule {
    match rule {
        ChangeRule::NewColumn { default, .. } => ChangeRule::NewColumn { default, nullable: true },
        other => other,
    }
}

/// How the source statement reads a new column: with its default where that is right.
fn default_of(name: &str, evolution: &Evolution, warnings: &mut Vec<Diagnostic>) -> (Option<String>, ChangeRule) {
    let null = ChangeRule::NewColumn { default: serde_json::Value::Null, nullable: true };
    let Some(column) = evolution.added.iter().find(|a| a.name == name) else {
        return (None, null);
    };
    match &column.default_sql {
        Some(literal) if column.source_not_null => {
            let default = column.default.clone().unwrap_or(serde_json::Value::Null);
            // What the source says is no placeholder of ours.
            let literal = literal.replace("${", "$' || '{");
            (Some(format!("COALESCE({{}}, {literal})")), ChangeRule::NewColumn { default, nullable: false })
        }
        Some(literal) => {
            let text = format!(
                "column `{name}` has the default {literal} but may be NULL: the default is not applied to old records"
            );
            let mut warning = Diagnostic::warning("C206", text);
            warning.help = Some("write COALESCE by hand if no record holds a NULL on purpose".to_owned());
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
            (None, null)
        }
        None => (None, null),
    }
}

/// Moves every sink connector whose table becomes green; what people read of it.
fn connectors(
    impact: &Impact,
    before: &Manifest,
    after: &mut Manifest,
    warnings: &mut Vec<Diagnostic>,
) -> (Vec<Effect>, Vec<String>) {
    let mut moves = Vec::new();
    let mut lines = Vec::new();
    for (name, connector) in &before.connectors {
        if !impact.reaches(&connector.table) {
            continue;
        }
        let topic = |m: &Manifest| m.tables.get(&connector.table).and_then(|t| t.topic.clone()).unwrap_or_default();
        let (from, to) = (topic(before), topic(after));
        if from == to {
            // A reader table keeps its topic, and so does the connector that reads it.
            continue;
        }
        warnings.extend(project::inexact(name, &connector.config));
        let mut config = connector.config.clone();
        if let Some(topics) = config.get_mut("topics") {
            *topics = rewrite::next_name(topics);
        }
        lines.push(format!("{name}: {from} -> {to}"));
        moves.push(Effect::MoveConnector {
            name: name.clone(),
            before: connector.config.clone(),
            after: config.clone(),
            from,
            to,
        });
        if let Some(deployed) = after.connectors.get_mut(name) {
            deployed.config = config;
        }
    }
    (moves, lines)
}

#[expect(clippy::too_many_arguments, reason = "each is one finished part of the plan")]
fn work(
    input: &PlanInput,
    estate: &Estate,
    graph: &Graph<'_>,
    impact: &Impact,
    moves: Vec<Effect>,
    classes: &BTreeMap<String, BTreeMap<String, ColumnClass>>,
    before: &Manifest,
    after: &Manifest,
) -> Work {
    let (mut explains, mut topics, mut levels, mut starts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut contracts, mut cancels, mut deletes) = (Vec::new(), Vec::new(), Vec::new());
    for name in &impact.green {
        let (Some(blue), Some(green)) = (estate.tables.get(name), after.tables.get(name)) else { continue };
        let (Some(job), Some(blue_topic), Some(green_topic)) = (&green.job, &blue.deployed.topic, &green.topic) else {
            continue;
        };
        explains.push(Effect::Explain { job: job.clone() });
        topics.push(Effect::CreateTopic {
            topic: green_topic.clone(),
            like: Some(blue_topic.clone()),
            partitions: input.policy.partitions,
            config: BTreeMap::new(),
        });
        for part in
            if blue.append() && blue.option("key.format").is_none() { &["value"][..] } else { &["key", "value"] }
        {
            levels.push(Effect::CopySubjectLevel {
                subject: format!("{green_topic}-{part}"),
                like: format!("{blue_topic}-{part}"),
            });
        }
        starts.push(Effect::StartJob { job: job.clone() });
        contracts.push(contract(blue, blue_topic, green_topic, classes));
        cancels.push(Effect::CancelJob { table: blue.deployed.physical.clone() });
        if input.policy.delete_blue_topics {
            deletes.push(Effect::DeleteTopic { topic: blue_topic.clone() });
        }
    }
    let green: BTreeSet<String> = impact.green.iter().cloned().collect();
    let mut staging = deploy::inspections(estate, &graph.upstream(&green));
    staging.extend(explains);
    staging.extend(topics);
    staging.extend(levels);
    staging.extend(starts);
    let mut promoting = moves;
    promoting.push(Effect::SetManifest { before: Box::new(before.clone()), after: Box::new(after.clone()) });
    // Readers end before what they read.
    cancels.reverse();
    let mut retiring = cancels;
    retiring.extend(deletes);
    Work { staging, hops: hops(estate, graph, impact, after), contracts, promoting, retiring }
}

fn contract(
    blue: &Table,
    blue_topic: &str,
    green_topic: &str,
    classes: &BTreeMap<String, BTreeMap<String, ColumnClass>>,
) -> TableContract {
    let declared = |t: &Table| -> Vec<String> {
        let fields = t.option("key.fields").unwrap_or("");
        fields.split(';').map(str::trim).filter(|f| !f.is_empty()).map(str::to_owned).collect()
    };
    TableContract {
        table: blue.name.clone(),
        blue_topic: Some(blue_topic.to_owned()),
        green_topic: green_topic.to_owned(),
        changelog: if blue.append() { Changelog::Append } else { Changelog::Upsert },
        key: if blue.append() { declared(blue) } else { blue.key() },
        columns: classes.get(&blue.name).cloned().unwrap_or_default(),
    }
}

/// Every job from the inputs to the compared outputs, in dependency order.
fn hops(estate: &Estate, graph: &Graph<'_>, impact: &Impact, after: &Manifest) -> Vec<Hop> {
    let green: BTreeSet<String> = impact.green.iter().cloned().collect();
    graph
        .sorted(&graph.upstream(&green))
        .into_iter()
        .filter_map(|n| estate.tables.get(&n))
        .filter(|t| t.role == Role::Written)
        .map(|t| Hop {
            table: t.name.clone(),
            blue: Some(t.deployed.physical.clone()),
            green: green.contains(&t.name).then(|| after.tables.get(&t.name).map(|g| g.physical.clone())).flatten(),
        })
        .collect()
}

fn describe(
    estate: &Estate,
    green_estate: &Estate,
    impact: &Impact,
    added: &BTreeMap<String, Vec<Added>>,
    not_carried: &BTreeMap<String, BTreeMap<String, String>>,
    classes: &BTreeMap<String, BTreeMap<String, ColumnClass>>,
) -> Vec<TablePlan> {
    let one = |name: &String| -> Option<TablePlan> {
        let (blue, green) = (estate.tables.get(name)?, green_estate.tables.get(name)?);
        let (old, new): (&DeployedTable, &DeployedTable) = (&blue.deployed, &green.deployed);
        Some(TablePlan {
            table: name.clone(),
            role: blue.role,
            from: Some(old.version),
            to: new.version,
            physical: new.physical.clone(),
            because: impact.because.get(name).cloned().unwrap_or_default(),
            shared: blue.reads.iter().filter(|r| !impact.reaches(r)).cloned().collect(),
            added: added.get(name).map(|a| a.iter().map(|(n, _)| n.column.name.clone()).collect()).unwrap_or_default(),
            not_carried: not_carried.get(name).cloned().unwrap_or_default(),
            ddl_file: old.ddl_file.clone(),
            ddl_before: Some(old.ddl.clone()),
            ddl_after: new.ddl.clone(),
            dml_file: old.dml_file.clone(),
            dml_before: old.dml.clone(),
            dml_after: new.dml.clone(),
            state: deploy::state(blue),
            start: deploy::start(green_estate, green),
            columns: classes.get(name).cloned().unwrap_or_default(),
        })
    };
    impact.green.iter().filter_map(one).collect()
}

fn title(evolution: &Evolution, impact: &Impact) -> String {
    let columns: Vec<&str> = evolution.added.iter().map(|a| a.name.as_str()).collect();
    let what = if columns.is_empty() { "no column".to_owned() } else { columns.join(", ") };
    format!(
        "{} version {} adds {what}: {} tables become green",
        evolution.subject,
        evolution.to_version,
        impact.green.len()
    )
}

fn verdicts(evolution: &Evolution) -> Vec<String> {
    let assessment = &evolution.assessment;
    let mut lines = vec![format!("registry: {}", assessment.registry), format!("data: {}", assessment.data)];
    lines.extend(assessment.reasons.iter().cloned());
    lines
}

fn unproven(classes: &BTreeMap<String, BTreeMap<String, ColumnClass>>) -> Vec<String> {
    let mut out = Vec::new();
    for (table, columns) in classes {
        for (column, class) in columns {
            match class {
                ColumnClass::Volatile { why } => out.push(format!("{table}.{column} is left out: {why}")),
                ColumnClass::History { why } | ColumnClass::EventTime { why } => {
                    out.push(format!("differences in {table}.{column} can be explained but not passed: {why}"));
                }
                _ => {}
            }
        }
    }
    out
}

fn warn_unproven(
    classes: &BTreeMap<String, BTreeMap<String, ColumnClass>>,
    contracts: &[TableContract],
    warnings: &mut Vec<Diagnostic>,
) {
    for contract in contracts {
        let columns = classes.get(&contract.table);
        if contract.changelog == Changelog::Upsert && contract.key.is_empty() && columns.is_some() {
            warnings.push(Diagnostic::warning("C207", format!("table `{}` has no primary key", contract.table)));
        }
    }
}
