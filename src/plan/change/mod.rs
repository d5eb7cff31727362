//! Statements were changed in the files: which tables are planned for it, and the cascade that they need.
//!
//! Reading order: [`compare`] says which tables, [`own`] what each of them says otherwise, [`check`] what may not be planned,
//! [`claims`] what green is held against. The rest is as for an evolution: everything behind a changed table becomes green
//! under its next name, the changed tables from the files' text, the others from the deployed text.

pub mod check;
pub mod claims;
pub mod compare;
pub mod own;

use std::collections::{BTreeMap, BTreeSet};

use super::cascade::{self, Cascade};
use super::document::{Assumptions, Plan, TablePlan};
use super::estate::{self, Estate};
use super::impact::{self, Impact};
use super::input::{PlanInput, StatementChange};
use super::{Planned, deploy, graph, project, rewrite, start};
use crate::diagnostic::Diagnostic;
use crate::model::manifest::Manifest;
use crate::model::name::physical;
use crate::model::parity::{ChangeRule, ColumnClass, RowRule, TableContract};
use crate::model::verdict::digest_of;
use claims::Claims;
use compare::Compared;
use own::Own;

/// Plans the change.
pub fn plan(input: &PlanInput, change: &StatementChange) -> Planned {
    let mut compared = compare::compare(&input.manifest, change);
    let notes = std::mem::take(&mut compared.notes);
    if project::broken(&notes) || compared.changed.is_empty() {
        return Planned { plan: None, diagnostics: notes };
    }
    match build(input, change, &compared, notes.clone()) {
        Ok(plan) => Planned { diagnostics: plan.warnings.clone(), plan: Some(plan) },
        Err(problems) => Planned { plan: None, diagnostics: problems.into_iter().chain(notes).collect() },
    }
}

fn build(
    input: &PlanInput,
    change: &StatementChange,
    compared: &Compared,
    mut warnings: Vec<Diagnostic>,
) -> Result<Plan, Vec<Diagnostic>> {
    let before = &input.manifest;
    let blue = estate::read(before)?.run_with(&input.settings);
    let base = estate::read(&compared.base)?.run_with(&input.settings);
    let (old_graph, graph) = (graph::build(&blue).map_err(|d| vec![d])?, graph::build(&base).map_err(|d| vec![d])?);
    let pairs = || compared.changed.keys().filter_map(|n| Some((n, blue.tables.get(n)?, base.tables.get(n)?)));
    let roles: Vec<Diagnostic> = pairs().filter_map(|(_, old, new)| check::role(old, new, &change.texts)).collect();
    if !roles.is_empty() {
        return Err(roles);
    }
    let own: BTreeMap<String, Own> =
        pairs().map(|(name, old, new)| (name.clone(), own::of(&blue, old, &base, new))).collect();
    let why = |name: &String| (name.clone(), format!("its statement says otherwise than at {}", change.since));
    let mut impact = impact::full(&base, &graph, &compared.changed.keys().map(why).collect());
    impact.untouched.retain(|table| !compared.new.contains(&table.table));

    let mut found = check::tables(&blue, &base, before, &own, &change.texts);
    found.extend(check::texts(&blue, &base, &impact, &own, &change.texts));
    if project::broken(&found) {
        return Err(found);
    }
    warnings.extend(found);
    start::sound(input, &base, &graph, &impact)?;

    let cascade = Cascade { input, blue: &blue, base: &base, graph: &graph, impact: &impact };
    let names = cascade.names();
    let mut after = before.clone();
    let new = compared.new.iter().filter_map(|name| Some((name.clone(), compared.base.tables.get(name)?.clone())));
    after.tables.extend(new);
    for table in impact.green.iter().filter_map(|name| base.tables.get(name)) {
        let green = rewrite::green(&base, table, &names, &[]).map_err(|d| vec![d])?;
        after.tables.insert(table.name.clone(), green);
    }
    let branch = branch(&blue, compared);
    after.ahead = Some(branch);
    let green = cascade.jobs(&mut after)?;

    let (moves, connectors) = cascade.connectors(&mut after, &mut warnings);
    let claims = claims::claims(&blue, &base, &graph, &impact, &own);
    let mut tables = cascade.describe(&green, &claims.classes);
    for table in &mut tables {
        finish(table, change, compared, &own, &claims);
    }
    let taken = compared.new.iter().filter_map(|name| base.tables.get(name)).map(|table| TablePlan {
        because: vec!["is new, and a changed statement reads it".to_owned()],
        ..deploy::describe(&base, table)
    });
    let tables: Vec<TablePlan> = taken.chain(tables).collect();
    let green_tables: BTreeSet<String> = impact.green.iter().cloned().collect();
    let old: BTreeSet<String> = green_tables.iter().filter(|n| blue.tables.contains_key(*n)).cloned().collect();
    let ancestors = graph.upstream(&green_tables).union(&old_graph.upstream(&old)).cloned().collect();
    let work = cascade.work(moves, &claims.classes, &claims.rows, &ancestors, &after);
    cascade::warn_unproven(&claims.classes, &work.contracts, &mut warnings);
    stale_rows(before, &claims, &mut warnings);
    Ok(Plan {
        format: Plan::FORMAT,
        env: input.env.clone(),
        kind: "change".to_owned(),
        title: title(change, compared, &impact),
        changes: own.iter().map(|(name, own)| said(name, own)).collect(),
        verdicts: Vec::new(),
        tables,
        untouched: impact.untouched.clone(),
        connectors,
        unproven: unproven(&claims, &work.contracts),
        warnings,
        work,
        assumptions: Assumptions {
            manifest: digest_of(before),
            commit: change.commit.clone(),
            ..Assumptions::default()
        },
    })
}

/// What only this cause knows of a table.
fn finish(
    table: &mut TablePlan,
    change: &StatementChange,
    compared: &Compared,
    own: &BTreeMap<String, Own>,
    claims: &Claims,
) {
    let name = table.table.clone();
    if let Some(own) = own.get(&name) {
        table.added.clone_from(&own.added);
        table.removed.clone_from(&own.removed);
    }
    table.rows = claims.rows.get(&name).cloned().unwrap_or_default();
    table.shared.retain(|read| !compared.new.contains(read));
    // Where the files hold another text than what is deployed, the branch has to replace that.
    if let Some(file) = change.project.tables.get(&name) {
        let other = |written: &String, deployed: Option<&String>| (Some(written) != deployed).then(|| written.clone());
        table.ddl_written = other(&file.ddl, table.ddl_before.as_ref());
        table.dml_written = file.dml.as_ref().and_then(|dml| other(dml, table.dml_before.as_ref()));
    }
}

/// A name for the branch that is the same for the same change.
fn branch(blue: &Estate, compared: &Compared) -> String {
    let digest = digest_of(&compared.changed);
    let digest = digest.trim_start_matches("sha256:").get(..8).unwrap_or_default().to_owned();
    let first = compared.changed.keys().next().and_then(|name| blue.tables.get(name));
    let named = first.map(|t| physical(&t.name, t.deployed.version.next())).unwrap_or_default();
    // What git does not take in a name of a branch is left out.
    let plain: String = named.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    format!("cyanotype/{plain}-{digest}")
}

fn title(change: &StatementChange, compared: &Compared, impact: &Impact) -> String {
    let changed = compared.changed.keys().cloned().collect::<Vec<_>>().join(", ");
    format!("since {}, {changed} changed: {}", change.since, impact.becomes_green())
}

/// What the statements of a table say otherwise, one line.
fn said(name: &str, own: &Own) -> String {
    let listed = |columns: &mut dyn Iterator<Item = &String>| {
        let columns: Vec<String> = columns.map(|c| format!("`{c}`")).collect();
        columns.join(", ")
    };
    let mut parts = Vec::new();
    let mut part = |columns: String, what: &str| {
        if !columns.is_empty() {
            parts.push(format!("{columns} {what}"));
        }
    };
    part(listed(&mut own.added.iter()), "new");
    part(listed(&mut own.removed.iter()), "given up");
    part(listed(&mut own.remade.iter()), "made differently");
    part(listed(&mut own.wider.iter()), "wider");
    if let Some(why) = &own.rows {
        parts.push(format!("other rows ({why})"));
    }
    if own.retimed {
        parts.push("another watermark".to_owned());
    }
    if parts.is_empty() {
        parts.push("said in other words".to_owned());
    }
    format!("{name}: {}", parts.join("; "))
}

/// What the validator will not be able to prove.
fn unproven(claims: &Claims, contracts: &[TableContract]) -> Vec<String> {
    let mut out = cascade::unproven(&claims.classes);
    for contract in contracts {
        let table = &contract.table;
        let with = |rule: fn(&ChangeRule) -> bool| -> String {
            let is_one = |class: &ColumnClass| matches!(class, ColumnClass::Changed { rule: own } if rule(own));
            let named = contract.columns.iter().filter(|(_, class)| is_one(class)).map(|(name, _)| name.as_str());
            named.collect::<Vec<_>>().join(", ")
        };
        let recomputed = with(|rule| *rule == ChangeRule::Recomputed);
        if !recomputed.is_empty() {
            out.push(format!("{table}: {recomputed} are recomputed, blue is no yardstick"));
        }
        let computed = with(|rule| matches!(rule, ChangeRule::Computed { .. }));
        if !computed.is_empty() {
            out.push(format!("{table}: {computed} are new, there is nothing to hold them against"));
        }
        if let RowRule::Changed { why } = &contract.rows {
            out.push(format!("{table}: rows that only blue or only green has ({why}): they are counted, not judged"));
            if contract.key.is_empty() {
                out.push(format!("{table}: rows that come twice: no key is declared that would tell them apart"));
            }
        }
    }
    out
}

/// Rows that green never had cannot be deleted by it: they stay where a sink connector wrote them.
fn stale_rows(before: &Manifest, claims: &Claims, warnings: &mut Vec<Diagnostic>) {
    for (name, connector) in &before.connectors {
        // A destination that follows its topic is told of them when its connector moves.
        if claims.rows.contains_key(&connector.table) && project::inexact(name, &connector.config).is_some() {
            let text = format!(
                "rows of `{}` that green no longer has stay in the destination of connector `{name}`",
                connector.table
            );
            let help = "the evidence counts them as only in blue: delete them there after the promotion";
            warnings.push(Diagnostic::warning("C315", text).help(help));
        }
    }
}
