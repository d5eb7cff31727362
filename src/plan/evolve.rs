//! A subject evolved: the reader table's next version, and the cascade that it needs.

use std::collections::{BTreeMap, BTreeSet};

use super::cascade::{self, Cascade, Classes, Rows};
use super::document::{Assumptions, Plan, Role};
use super::estate::{self, Estate, Table};
use super::impact::{self, Impact};
use super::input::{Carry, Evolution, PlanInput};
use super::rewrite::{self, NewColumn};
use super::{Planned, graph, parity, start};
use crate::diagnostic::Diagnostic;
use crate::model::column::Column;
use crate::model::parity::ChangeRule;
use crate::model::verdict::digest_of;
use crate::schema::{Change, ChangeKind, Effect as Noticed, Scope};

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
    start::sound(input, &estate, &graph, &impact)?;

    let cascade = Cascade { input, blue: &estate, base: &estate, graph: &graph, impact: &impact };
    let names = cascade.names();
    let mut added: BTreeMap<String, Vec<Added>> = BTreeMap::new();
    let mut not_carried: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut classes = Classes::new();
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
    let green = cascade.jobs(&mut after)?;

    let (moves, connectors) = cascade.connectors(&mut after);
    let mut tables = cascade.describe(&green, &classes);
    for table in &mut tables {
        let own = added.remove(&table.table).unwrap_or_default();
        table.added = own.into_iter().map(|(new, _)| new.column.name).collect();
        table.not_carried = not_carried.remove(&table.table).unwrap_or_default();
    }
    let ancestors = graph.upstream(&impact.green.iter().cloned().collect());
    let work = cascade.work(moves, &classes, &Rows::new(), &ancestors, &after);
    cascade::warn_unproven(&classes, &work.contracts, warnings);
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
        unproven: cascade::unproven(&classes),
        warnings: warnings.clone(),
        work,
        assumptions: Assumptions {
            manifest: digest_of(before),
            subjects: BTreeMap::from([(evolution.subject.clone(), evolution.to_version)]),
            ..Assumptions::default()
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
