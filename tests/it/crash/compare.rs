//! Whether two worlds are the same: times, ids and numbers of attempts aside.

use std::collections::{BTreeMap, BTreeSet};

use cyanotype::model::work::RunningJob;
use cyanotype::rollout::{Ledger, Rollout};
use serde_json::{Value, json};

use crate::world::State;
use crate::world::avro::{Cell, Row};
use crate::world::connect::{Connector, group};
use crate::world::kafka::Topic;

/// Keys that hold times, ids, or digests of what holds them.
const ASIDE: [&str; 15] = [
    "at_ms",
    "since_ms",
    "created_ms",
    "intent_ms",
    "started_ms",
    "ended_ms",
    "expires_ms",
    "intended",
    "done",
    "delivery",
    "plan_digest",
    "digest",
    "read",
    "arrived",
    "schema_ids",
];

/// Everything that must be the same, one line each.
pub fn outline(state: &State) -> BTreeSet<String> {
    let ledger = &state.journal.ledger;
    let mut all = Vec::new();
    all.push(json!({"manifest": ledger.manifest}));
    all.push(json!({"first_seen": ledger.first_seen, "looked_at": ledger.looked_at, "moved": ledger.moved}));
    all.push(json!({"proposed": ledger.proposed}));
    let refused: Vec<_> = ledger.refused.iter().map(|r| json!([r.subject, r.version, r.reasons])).collect();
    all.push(json!({"refused": refused}));
    for job in ledger.jobs.values() {
        all.push(json!({"known job": job.table, "called": job.name, "reads": job.reads, "writes": job.topic}));
    }
    let deliveries: BTreeSet<_> = ledger.deliveries.values().map(|d| json!([d.rollout, d.state]).to_string()).collect();
    all.push(json!({"deliveries": deliveries}));
    for rollout in ledger.rollouts.values() {
        all.extend(of(rollout));
    }
    for job in state.jobs.values().filter(|job| job.runs()) {
        let reads: Vec<_> = job.reads.iter().map(|r| json!([r.table, r.topic, r.group])).collect();
        all.push(json!({"running job": job.name, "writes": job.topic, "reads": reads}));
    }
    for (name, topic) in &state.topics {
        let rows: Vec<_> = topic.rows().into_iter().collect();
        all.push(json!({"topic": name, "config": topic.spec, "rows": rows}));
    }
    for (subject, ids) in &state.schemas.subjects {
        let texts: Vec<_> = ids.iter().map(|id| state.schemas.text(*id)).collect();
        all.push(json!({"subject": subject, "level": state.schemas.levels.get(subject), "versions": texts}));
    }
    let levels: BTreeSet<_> = state.schemas.levels.keys().collect();
    all.push(json!({"levels of": levels, "groups": state.groups.keys().collect::<BTreeSet<_>>()}));
    for (name, connector) in &state.connectors {
        all.push(json!({"connector": name, "config": connector.config, "stopped": connector.stopped}));
    }
    for connector in state.connectors.values() {
        all.push(json!({"warehouse": connector.table(), "rows": held(state, connector)}));
    }
    for (branch, files) in &state.branches {
        all.push(json!({"branch": branch, "files": files}));
    }
    let about = |e: &cyanotype::port::OutgoingEvent| {
        let body: Value = serde_json::from_str(&e.body).unwrap();
        json!([e.kind, body["data"]["rollout"], body["data"]["subject"], body["data"]["version"]]).to_string()
    };
    all.push(json!({"events": state.events.iter().map(about).collect::<BTreeSet<_>>()}));
    let ids: Vec<&String> = ledger.rollouts.keys().collect();
    all.into_iter().map(|value| without_numbers(plain(value).to_string(), &ids)).collect()
}

/// Rows of a connector's table over the columns of its topic; a column that it lacks must hold nothing.
fn held(state: &State, connector: &Connector) -> Vec<(i64, Row)> {
    let wanted = state.topics.get(connector.topic()).map(Topic::rows).unwrap_or_default();
    let columns: BTreeSet<&String> = wanted.values().flat_map(Row::keys).collect();
    let rows = state.warehouse.get(connector.table()).into_iter().flatten();
    rows.map(|(id, row)| {
        let counts = |(c, v): &(&String, &Cell)| columns.contains(c) || **v != Cell::Null;
        let row = row.iter().filter(counts).map(|(c, v)| (c.clone(), v.clone()));
        (*id, row.collect())
    })
    .collect()
}

fn of(rollout: &Rollout) -> Vec<Value> {
    let mut whole = serde_json::to_value(rollout).unwrap();
    // The plan is the same, or its work and title are not.
    whole["plan"] = rollout.plan["assumptions"]["subjects"].clone();
    whole["work"] = json!(rollout.work.staging.len());
    let evidence = whole["evidence"].take();
    whole["approval"] = whole["approval"]["by"].take();
    // A remark on the way, such as what was mended, is lost where a daemon ends between doing and saying it.
    let mut history = rollout.history.clone();
    history.dedup_by_key(|step| step.state);
    whole["history"] = json!(history.iter().map(|step| (step.state, &step.note)).collect::<Vec<_>>());
    vec![whole, json!({"evidence of": rollout.id, "is": evidence})]
}

/// `value` without what is aside.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields.into_iter().filter(|(k, _)| !ASIDE.contains(&k.as_str())).map(|(k, v)| (k, plain(v))).collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(plain).collect()),
        other => other,
    }
}

/// Ids of rollouts without the time in them, and what follows them without the number of the attempt.
fn without_numbers(mut text: String, ids: &[&String]) -> String {
    for id in ids {
        let name = id.rsplit_once('-').map_or(id.as_str(), |(name, _)| name);
        let mut parts = text.split(id.as_str());
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            out.push_str(name);
            let digits = part.strip_prefix('.').map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
            out.push_str(if digits > 0 { &part[digits + 1..] } else { part });
        }
        text = out;
    }
    text
}

/// What is wrong with a world where nothing more will happen, whatever another one looks like.
pub fn unsound(state: &State) -> Vec<String> {
    let ledger = &state.journal.ledger;
    let mut wrong = state.offences.clone();
    for job in state.jobs.values().filter(|job| job.runs()) {
        let known = |j: &&RunningJob| j.id == job.id && j.name == job.name;
        if !ledger.jobs.values().any(|j| known(&j)) && !state.theirs.contains(&job.name) {
            wrong.push(format!("job {} ({}) runs and nobody knows it", job.name, job.id));
        }
    }
    for job in ledger.jobs.values() {
        if !state.jobs.get(&job.id).is_some_and(|j| j.runs()) {
            wrong.push(format!("job {} ({}) is known and does not run", job.name, job.id));
        }
    }
    for (name, connector) in &state.connectors {
        let wanted = state.topics.get(connector.topic()).map(Topic::rows).unwrap_or_default();
        if held(state, connector) != wanted.into_iter().collect::<Vec<_>>() {
            wrong.push(format!("{} does not hold what connector {name} reads", connector.table()));
        }
    }
    wrong.extend(orphans(state, ledger));
    wrong
}

fn orphans(state: &State, ledger: &Ledger) -> Vec<String> {
    let mut wrong = Vec::new();
    let open = ledger.open();
    let theirs = |name: &String| state.theirs.contains(name);
    let staged = |topic: &String| open.iter().any(|r| r.work.contracts.iter().any(|c| c.green_topic == *topic));
    let deployed = |topic: &String| ledger.manifest.tables.values().any(|t| t.topic.as_ref() == Some(topic));
    for topic in state.topics.keys().filter(|t| t.starts_with("t.") && !deployed(t) && !staged(t) && !theirs(t)) {
        wrong.push(format!("topic {topic} is nobody's"));
    }
    let subjects = state.schemas.subjects.keys().chain(state.schemas.levels.keys());
    for subject in subjects.filter(|s| s.starts_with("t.")) {
        let topic = subject.rsplit_once('-').map_or(subject.as_str(), |(topic, _)| topic);
        if !state.topics.contains_key(topic) {
            wrong.push(format!("subject {subject} has no topic"));
        }
    }
    let groups: BTreeMap<&String, ()> =
        state.jobs.values().filter(|j| j.runs()).flat_map(|j| &j.reads).map(|r| (&r.group, ())).collect();
    for name in state.groups.keys() {
        let sink = state.connectors.keys().any(|c| group(c) == *name);
        if !sink && !groups.contains_key(name) && !theirs(name) {
            wrong.push(format!("group {name} is left of a job that is gone"));
        }
    }
    for name in state.connectors.keys().filter(|n| !ledger.manifest.connectors.contains_key(*n) && !theirs(n)) {
        wrong.push(format!("connector {name} is nobody's"));
    }
    wrong
}
