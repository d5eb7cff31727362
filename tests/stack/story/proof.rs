//! What must be true, checked against the world and not against what the product says.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cyanotype::model::verdict::{Evidence, Outcome as Answer};
use serde_json::Value;

use super::answer::Rollout;
use super::case::{Carried, Case, Change, Changes as _, Fact, Need, Project};
use super::database::Row;
use super::failure::{During as _, Failure, Look, Outcome, ensure, until};
use super::flink::Baseline;
use super::narrator::Narrator;
use super::records::Records;
use super::run::Run;

/// How long the last change may need to reach the warehouse.
const DRAIN: Duration = Duration::from_secs(90);

/// Which form of the truth holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Before the change.
    Before,
    /// After it.
    After,
}

/// Waits until every fact equals its truth, row by row. The traffic must be paused.
pub async fn facts_are_true<P: Project>(run: &Run<P>, when: When, narrator: &mut dyn Narrator) -> Outcome {
    for fact in &run.case().facts {
        let rows = fact_is_true(run, fact, when).await?;
        narrator.say(&format!("{} equals its truth query: {rows} rows, none missing, none extra", fact.warehouse));
    }
    if let Some(appended) = &run.case().appended {
        let rows = until(&format!("topic {} to hold what its truth query says", appended.topic), DRAIN, async || {
            let mut records = Records::new(&run.kafka, &run.http, &run.world.registry);
            let held = counted(records.all(&appended.topic).await?);
            let truth = counted(run.database.rows(&appended.truth).await?);
            if held == truth {
                return Ok(Look::There(truth.values().sum::<usize>()));
            }
            Ok(Look::NotYet(first_difference(&truth, &held)))
        })
        .await?;
        narrator.say(&format!("topic {} equals its truth query: {rows} records, each once", appended.topic));
    }
    Ok(())
}

async fn fact_is_true<P: Project>(run: &Run<P>, fact: &Fact, when: When) -> Outcome<u64> {
    let truth = if when == When::Before { &fact.before } else { &fact.after };
    let rows = until(&format!("{} to equal its truth query", fact.warehouse), DRAIN, async || {
        let difference = run.database.compare(&fact.warehouse, truth).await?;
        if difference.none() {
            return Ok(Look::There(difference.rows));
        }
        let samples = difference.samples.join("\n  ");
        let (missing, extra) = (difference.missing, difference.extra);
        Ok(Look::NotYet(format!("{missing} rows are missing and {extra} are too many:\n  {samples}")))
    })
    .await?;
    ensure(rows > 0, || format!("the truth query of {} is empty: comparing it shows nothing", fact.warehouse))?;
    Ok(rows)
}

/// Every green table with the new column holds the database's value for it: the default in old rows, real values in new.
/// The traffic must be paused.
pub async fn column_is_true<P: Project>(run: &Run<P>, narrator: &mut dyn Narrator) -> Outcome {
    let Change { column, old_value, .. } = &run.case().change;
    let default = old_value.as_deref().unwrap_or("NULL");
    for table in &run.case().cascade {
        let (green, topic) = (&table.green, run.case().topic(&table.green));
        let carried = run.case().carried.iter().find(|carried| carried.table == table.logical);
        let found = until(&format!("topic {topic} to hold the column's values"), DRAIN, async || {
            carried_now(run, carried, &topic).await
        })
        .await?;
        match (found, carried) {
            (Some((old, new)), Some(_)) => {
                ensure(old > 0, || format!("no row of {green} has {column} = {default}: the old rows are not shown"))?;
                ensure(new > 0, || format!("every row of {green} has {column} = {default}: no real value is shown"))?;
                narrator.say(&format!(
                    "{green}.{column}: {old} rows with {default}, {new} rows with real values, all as in the source"
                ));
            }
            (Some(_), None) => {
                return Err(Failure::new(format!("{green} has column {column}, which cannot come from its statement")));
            }
            (None, Some(Carried { need: Need::Must, .. })) => {
                return Err(Failure::new(format!("{green} has no column {column}, and what lies behind it needs it")));
            }
            (None, _) => {}
        }
    }
    Ok(())
}

/// Rows with the old value and rows with another one, when the topic holds what the source says; `None` without the column.
async fn carried_now<P: Project>(
    run: &Run<P>,
    carried: Option<&Carried>,
    topic: &str,
) -> Outcome<Look<Option<(usize, usize)>>> {
    let change = &run.case().change;
    let mut records = Records::new(&run.kafka, &run.http, &run.world.registry);
    let mut held = records.live(topic).await?;
    if held.is_empty() {
        return Ok(Look::NotYet("it holds no row".to_owned()));
    }
    if held.iter().all(|row| !row.contains_key(&change.column)) {
        return Ok(Look::There(None));
    }
    let Some(carried) = carried else { return Ok(Look::There(Some((0, 0)))) };
    let truth = run.database.rows(&carried.truth).await?;
    let names: BTreeSet<String> = truth.iter().flat_map(|row| row.keys().cloned()).collect();
    for row in &mut held {
        row.retain(|name, _| names.contains(name));
    }
    let old = truth.iter().filter(|row| row.get(&change.column) == Some(&change.old_value)).count();
    let new = truth.len() - old;
    let (truth, held) = (counted(truth), counted(held));
    Ok(if truth == held { Look::There(Some((old, new))) } else { Look::NotYet(first_difference(&truth, &held)) })
}

fn counted(rows: Vec<Row>) -> BTreeMap<Row, usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(row).or_default() += 1;
    }
    counts
}

fn first_difference(truth: &BTreeMap<Row, usize>, held: &BTreeMap<Row, usize>) -> String {
    let total = |rows: &BTreeMap<Row, usize>| rows.values().sum::<usize>();
    let rows: BTreeSet<&Row> = truth.keys().chain(held.keys()).collect();
    let differs = |row: &&&Row| truth.get(**row) != held.get(**row);
    let sample = rows.iter().find(differs).map_or(String::new(), |row| {
        let times = |rows: &BTreeMap<Row, usize>| rows.get(*row).copied().unwrap_or(0);
        format!("; {row:?} is there {} times and must be {} times", times(held), times(truth))
    });
    format!("it holds {} rows and must hold {}{sample}", total(held), total(truth))
}

/// The verdict proves what was promised: every green table, no duplicates, rows that moved while it was read.
pub fn verdict_is_sound(case: &Case, rollout: &Rollout, narrator: &mut dyn Narrator) -> Outcome<String> {
    let evidence: &Evidence = rollout.evidence.as_ref().during("the evidence of a rollout that awaits approval")?;
    let digest = rollout.evidence_digest.clone().during("the digest of the evidence")?;
    ensure(evidence.outcome == Answer::Pass, || format!("the verdict is {:?}: {}", evidence.outcome, evidence.reason))?;
    ensure(evidence.digest() == digest, || {
        format!("the evidence that is shown has digest {}, the daemon names {digest}", evidence.digest())
    })?;
    ensure(evidence.arrived > 0, || {
        "no change record arrived between the first and the last read of the validation: it was not shown under traffic"
            .to_owned()
    })?;
    let proven: BTreeSet<&str> = evidence.tables.iter().map(|table| table.table.as_str()).collect();
    let wanted: BTreeSet<&str> = case.cascade.iter().map(|table| table.logical.as_str()).collect();
    ensure(proven == wanted, || format!("the verdict is about {proven:?}, the green tables are {wanted:?}"))?;
    for table in &evidence.tables {
        let name = &table.table;
        ensure(table.outcome == Answer::Pass, || format!("{name}: {:?}, {}", table.outcome, table.reason))?;
        ensure(table.duplicates.values().all(|n| *n == 0), || {
            format!("{name} has duplicates: {:?}", table.duplicates)
        })?;
        ensure(table.rows_green > 0, || format!("{name}: the validation read no green row"))?;
        ensure(!table.columns.is_empty(), || format!("{name}: no column has a class"))?;
        let mut classes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (column, seen) in &table.columns {
            classes.entry(seen).or_default().push(column);
        }
        let classes: Vec<String> =
            classes.into_iter().map(|(seen, columns)| format!("{} ({seen})", columns.join(", "))).collect();
        narrator.say(&format!("{name}: {} rows, no duplicates; {}", table.rows_green, classes.join("; ")));
    }
    classes_are_complete(&rollout.plan, evidence)?;
    narrator.say(&format!("{} change records arrived between the first and the last read", evidence.arrived));
    Ok(digest)
}

/// Every column to which the plan gives a class is in the verdict with it.
fn classes_are_complete(plan: &Value, evidence: &Evidence) -> Outcome {
    for table in plan["tables"].as_array().during("the tables of the plan")? {
        let name = table["table"].as_str().unwrap_or_default();
        let Some(verdict) = evidence.tables.iter().find(|verdict| verdict.table == name) else { continue };
        for column in table["columns"].as_object().during(format!("the columns of {name} in the plan"))?.keys() {
            ensure(verdict.columns.contains_key(column), || {
                format!("the plan gives column {column} of {name} a class, and the verdict does not say what was seen")
            })?;
        }
    }
    Ok(())
}

/// The manifest names the green tables, and everything else as it was.
pub async fn manifest_is_green<P: Project>(run: &mut Run<P>) -> Outcome {
    let manifest = run.daemon()?.json("/api/v1/manifest").await?;
    let case = run.case();
    for table in case.cascade.iter().chain(&case.outside) {
        let physical = &manifest["tables"][&table.logical]["physical"];
        ensure(physical == table.green.as_str(), || {
            format!("the deployed manifest says that {} is {physical}, it must be {}", table.logical, table.green)
        })?;
    }
    Ok(())
}

/// Statements outside the cascade have the same job as before, and it never restarted.
pub async fn others_were_left_alone<P: Project>(
    run: &Run<P>,
    before: &Baseline,
    narrator: &mut dyn Narrator,
) -> Outcome {
    let tables = run.case().outside.iter().map(|table| table.blue.clone()).collect();
    let after = run.flink.baseline(&run.case().job_prefix, &tables).await?;
    for (table, (job, exceptions)) in &after {
        let (old, old_exceptions) = before.get(table).during(format!("the job of {table} before the evolution"))?;
        ensure(old.id == job.id, || {
            format!("{table} is outside the cascade, but its job was {} and is {}", old.id, job.id)
        })?;
        ensure(old_exceptions == exceptions, || {
            format!("{table} is outside the cascade, but its job had {} exceptions since", exceptions - old_exceptions)
        })?;
    }
    let names: Vec<&str> = after.keys().map(String::as_str).collect();
    narrator.say(&format!("same job, no restart: {}", names.join(", ")));
    Ok(())
}

/// No job, topic or subject of blue's cascade is left.
pub async fn blue_is_gone<P: Project>(run: &Run<P>, narrator: &mut dyn Narrator) -> Outcome {
    let case = run.case();
    let live = run.flink.live(&case.job_prefix).await?;
    let topics = run.kafka.topics().await?;
    let subjects = super::http::get(&run.http, &format!("{}/subjects", run.world.registry)).await?.to_string();
    for table in &case.cascade {
        let name = &table.blue;
        let jobs: Vec<&str> = live.iter().filter(|job| job.writes(name)).map(|job| job.name.as_str()).collect();
        ensure(jobs.is_empty(), || format!("{name} was retired, but its job {} still runs", jobs.join(", ")))?;
        let topic = case.topic(name);
        ensure(!topics.contains(&topic), || format!("{name} was retired, but its topic {topic} still exists"))?;
        ensure(!subjects.contains(&format!("\"{topic}-value\"")), || {
            format!("{name} was retired, but its subject {topic}-value still exists")
        })?;
    }
    let names: Vec<&str> = case.cascade.iter().map(|table| table.blue.as_str()).collect();
    narrator.say(&format!("jobs, topics and subjects are gone: {}", names.join(", ")));
    Ok(())
}

/// Sink connectors of the cascade read green's topics, the others what they read before.
pub async fn sinks_read_green<P: Project>(run: &Run<P>, narrator: &mut dyn Narrator) -> Outcome {
    let case = run.case();
    for fact in &case.facts {
        let table = case.cascade.iter().chain(&case.outside).find(|table| table.logical == fact.table);
        let topic = case.topic(&table.during(format!("table {}", fact.table))?.green);
        let config = run.connect.config(&fact.connector).await?.during(format!("connector {}", fact.connector))?;
        let reads = config.get("topics").cloned().unwrap_or_default();
        ensure(reads == topic, || format!("connector {} reads {reads}, it must read {topic}", fact.connector))?;
        narrator.say(&format!("{} reads {topic} into {}", fact.connector, fact.warehouse));
    }
    Ok(())
}

/// Prometheus has the daemon's series.
pub async fn prometheus_has_scraped<P: Project>(run: &Run<P>, narrator: &mut dyn Narrator) -> Outcome {
    let query = "count({__name__=~\"cyanotype_.+\"}) and on() (cyanotype_leader == 1)";
    let url = reqwest::Url::parse_with_params(&format!("{}/api/v1/query", run.world.prometheus), [("query", query)])
        .during("Prometheus' address")?;
    let series = until("Prometheus to have scraped a leading daemon", Duration::from_secs(20), async || {
        let answer = super::http::get(&run.http, url.as_str()).await?;
        let value = answer["data"]["result"][0]["value"][1].as_str().and_then(|text| text.parse::<u64>().ok());
        Ok(value.map_or_else(|| Look::NotYet("it has no such series".to_owned()), Look::There))
    })
    .await?;
    narrator.say(&format!("Prometheus has {series} series of the daemon"));
    Ok(())
}

/// Runs `check` with the traffic paused, and lets it go on afterwards.
pub async fn while_paused<P: Project>(run: &Run<P>, check: impl AsyncFnOnce() -> Outcome) -> Outcome {
    run.traffic()?.pause().await?;
    let outcome = check().await;
    run.traffic()?.resume().await?;
    outcome
}
