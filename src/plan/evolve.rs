//! A subject evolved: the reader table's next version, and the cascade that it needs.

use std::collections::{BTreeMap, BTreeSet};

use super::cascade::{self, Cascade, Rows};
use super::document::{Assumptions, NoNulls, Plan, Role};
use super::estate::{self, Estate, Table};
use super::impact::{self, Impact};
use super::input::{Carry, Evolution, NullFacts, PlanInput};
use super::parity::{self, Added};
use super::rewrite::{self, NewColumn};
use super::{Planned, defaults, graph, start};
use crate::diagnostic::Diagnostic;
use crate::model::column::{Column, ColumnType};
use crate::model::parity::ChangeRule;
use crate::model::verdict::digest_of;
use crate::schema::flaw::Version;
use crate::schema::{Change, ChangeKind, Effect as Noticed, Scope};

/// Plans the evolution.
pub fn plan(input: &PlanInput, evolution: &Evolution) -> Planned {
    let mut diagnostics = remarks(evolution);
    diagnostics.extend(inner_fields(input, evolution));
    if let Err(mut problems) = plannable(evolution) {
        problems.extend(diagnostics);
        return Planned { plan: None, diagnostics: problems };
    }
    if unnoticed(evolution) {
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

/// True when nothing is to be planned for it: no deployed statement, and no table of one, sees the difference.
pub fn unnoticed(evolution: &Evolution) -> bool {
    plannable(evolution).is_ok() && evolution.added.is_empty()
}

fn build(input: &PlanInput, evolution: &Evolution, warnings: &mut Vec<Diagnostic>) -> Result<Plan, Vec<Diagnostic>> {
    let before = &input.manifest;
    let estate = estate::read(before)?.run_with(&input.settings);
    let graph = graph::build(&estate).map_err(|d| vec![d])?;
    let changed = readers(&estate, evolution)?;
    let impact = impact::full(&estate, &graph, &changed);
    start::sound(input, &estate, &graph, &impact)?;

    let cascade = Cascade { input, blue: &estate, base: &estate, graph: &graph, impact: &impact };
    let names = cascade.names();
    let mut added: BTreeMap<String, Vec<Added>> = BTreeMap::new();
    let mut not_carried: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
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
        added.insert(name.clone(), own);
        not_carried.insert(name.clone(), left);
        after.tables.insert(name.clone(), green);
    }
    let classes = parity::classes(&estate, graph.order(), |name| impact.reaches(name), &added);
    after.subjects.insert(evolution.subject.clone(), evolution.to_version);
    after.ahead = Some(format!("cyanotype/{}-v{}", evolution.subject, evolution.to_version));
    let green = cascade.jobs(&mut after)?;

    let no_nulls = no_nulls(input, evolution, &added);
    let (moves, connectors) = cascade.connectors(&mut after, warnings);
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
            no_nulls,
            ..Assumptions::default()
        },
    })
}

/// Only what is understood is planned: columns added to the row, besides what has no effect.
fn plannable(evolution: &Evolution) -> Result<(), Vec<Diagnostic>> {
    let assessment = &evolution.assessment;
    if !assessment.plannable() {
        return Err(refused(&evolution.subject, evolution.to_version, &assessment.reasons));
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

/// How many reasons of one kind are told: the first ones are enough to see what happened.
const TOLD: usize = 20;

/// What a strict parser refuses of the schemas, each a warning of its own.
fn remarks(evolution: &Evolution) -> Vec<Diagnostic> {
    let remarks = &evolution.assessment.remarks;
    let more = remarks.len().saturating_sub(TOLD);
    let more = (more > 0).then(|| format!("{}: and {more} more such warnings", evolution.subject));
    let told = remarks.iter().take(TOLD).map(|remark| {
        let versions = match remark.schema {
            Version::Old => format!("version {}", evolution.from_version),
            Version::New => format!("version {}", evolution.to_version),
            Version::Both => format!("versions {} and {}", evolution.from_version, evolution.to_version),
        };
        format!("{} {versions}: {}, which a strict parser refuses", evolution.subject, remark.flaw)
    });
    let help = "mend the schema at its source: readers that parse it strictly cannot use it";
    told.chain(more).map(|text| Diagnostic::warning("C213", text).help(help)).collect()
}

/// The fields that came inside a column which a reader table declares without them: no plan adds them to its type.
fn inner_fields(input: &PlanInput, evolution: &Evolution) -> Vec<Diagnostic> {
    let is_inner = |c: &&Change| c.scope == Scope::Row && matches!(c.kind, ChangeKind::Added { .. }) && c.is_nested();
    let mut fields = evolution.changes.iter().filter(is_inner).peekable();
    if fields.peek().is_none() {
        return Vec::new();
    }
    let Ok(estate) = estate::read(&input.manifest) else { return Vec::new() };
    let Ok(readers) = readers(&estate, evolution) else { return Vec::new() };
    let declared: Vec<(&String, Vec<Column>)> =
        readers.keys().filter_map(|name| Some((name, estate.tables.get(name)?.create()?.schema()))).collect();
    let mut told = Vec::new();
    for field in fields {
        let Some(column) = &field.column else { continue };
        let inside = field.path.strip_prefix(column.as_str()).unwrap_or_default();
        let lacks = |columns: &[Column]| columns.iter().any(|c| c.name == *column && !holds(&c.ty.ty, inside));
        for (table, _) in declared.iter().filter(|(_, columns)| lacks(columns)) {
            let Evolution { subject, to_version, .. } = evolution;
            let path = &field.path;
            let text = format!(
                "{subject} version {to_version}: `{path}` is not carried, as `{table}` declares `{column}` without it"
            );
            let help = "add the field to the type of the column, in the statements that need it, in a branch";
            told.push(Diagnostic::warning("C214", text).help(help));
        }
    }
    let more = told.len().saturating_sub(TOLD);
    told.truncate(TOLD);
    if more > 0 {
        let text = format!("{}: and {more} more fields inside columns are not carried", evolution.subject);
        told.push(Diagnostic::warning("C214", text).help("add them to the types of the columns, in a branch"));
    }
    told
}

/// Whether the type has what the rest of a path names, such as `.city` or `[items].city`.
fn holds(ty: &ColumnType, path: &str) -> bool {
    let mut ty = ty;
    for part in path.split(['.', '[']).filter(|part| !part.is_empty()) {
        let inner = match (ty, part) {
            (ColumnType::Array(items), "items]") => Some(&items.ty),
            (ColumnType::Map(_, values), "values]") => Some(&values.ty),
            (ColumnType::Row(fields), name) => fields.iter().find(|f| f.name == name).map(|f| &f.ty.ty),
            _ => None,
        };
        let Some(inner) = inner else { return false };
        ty = inner;
    }
    true
}

/// Why a version is not planned, each reason a problem of its own.
pub fn refused(subject: &str, version: i32, reasons: &[String]) -> Vec<Diagnostic> {
    let version = format!("{subject} version {version}");
    let more = reasons.len().saturating_sub(TOLD);
    let more = (more > 0).then(|| format!("and {more} more reasons"));
    let told = reasons.iter().take(TOLD).map(|reason| shortened(reason));
    told.chain(more)
        .map(|reason| {
            Diagnostic::error("C201", format!("{version}: {reason}"))
                .help("undo the change at the source: a compatible one is planned by itself")
        })
        .collect()
}

/// A reason that is a list, cut after its first parts.
fn shortened(reason: &str) -> String {
    let mut parts = reason.split("; ");
    let told: Vec<&str> = parts.by_ref().take(TOLD).collect();
    match parts.count() {
        0 => told.join("; "),
        more => format!("{}; and {more} more", told.join("; ")),
    }
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
        .filter(|t| t.role == Role::Reader && t.deployed.topic.as_ref().is_some_and(|t| evolution.topics.contains(t)))
        .map(|t| (t.name.clone(), why.clone()))
        .collect();
    if found.is_empty() {
        let topics: Vec<&str> = evolution.topics.iter().map(String::as_str).collect();
        let text = format!("no reader table has the topic {} of subject {}", topics.join(" or "), evolution.subject);
        let help =
            "correct the subject, or add the reader table of its topic: a subject is `<topic>-value` or `<topic>-key`";
        return Err(vec![Diagnostic::error("C203", text).help(help)]);
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
            let filled = from_reader.then(|| defaults::of(name, input, evolution));
            let (expr, rule, remarks) = match filled {
                Some(filled) => (filled.expr, filled.rule, filled.remarks),
                None => (None, rule.clone(), Vec::new()),
            };
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
            let carried = rewrite::carry(estate, table, names, &candidate);
            if !with_default || carried.as_ref().is_ok_and(|c| c.notes.is_empty()) {
                say(warnings, remarks);
            }
            match carried {
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

/// The columns whose default is applied because no record holds a NULL there.
fn no_nulls(input: &PlanInput, evolution: &Evolution, added: &BTreeMap<String, Vec<Added>>) -> Vec<NoNulls> {
    let with_default = |new: &NewColumn| new.from.as_ref().is_some_and(|(_, expr)| expr.is_some());
    let columns: BTreeSet<&String> =
        added.values().flatten().filter(|(new, _)| with_default(new)).map(|(new, _)| &new.column.name).collect();
    let columns: Vec<String> =
        columns.into_iter().filter(|name| defaults::of(name, input, evolution).counted).cloned().collect();
    if columns.is_empty() {
        return Vec::new();
    }
    let known = input.topics.iter().filter(|(topic, _)| evolution.topics.contains(*topic));
    let counted = known.filter_map(|(topic, facts)| Some((topic, facts.nulls.as_ref()?)));
    let assumed = |(topic, facts): (&String, &NullFacts)| NoNulls {
        topic: topic.clone(),
        subject: evolution.subject.clone(),
        columns: columns.clone(),
        read: facts.read.clone(),
    };
    counted.map(assumed).collect()
}

/// Adds what is not said yet.
fn say(warnings: &mut Vec<Diagnostic>, remarks: Vec<Diagnostic>) {
    for remark in remarks {
        if !warnings.contains(&remark) {
            warnings.push(remark);
        }
    }
}

fn title(evolution: &Evolution, impact: &Impact) -> String {
    let columns: Vec<&str> = evolution.added.iter().map(|a| a.name.as_str()).collect();
    let what = if columns.is_empty() { "no column".to_owned() } else { columns.join(", ") };
    format!("{} version {} adds {what}: {}", evolution.subject, evolution.to_version, impact.becomes_green())
}

fn verdicts(evolution: &Evolution) -> Vec<String> {
    let assessment = &evolution.assessment;
    let mut lines = vec![format!("registry: {}", assessment.registry), format!("data: {}", assessment.data)];
    lines.extend(assessment.reasons.iter().cloned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut() {
        let reason = |n: usize| (0..n).map(|i| format!("field {i}")).collect::<Vec<_>>().join("; ");
        assert_eq!(shortened(&reason(TOLD)), reason(TOLD));
        assert_eq!(shortened(&reason(50_000)), format!("{}; and 49980 more", reason(TOLD)));
    }
}
