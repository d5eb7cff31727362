//! What a real world would punish.
//!
//! Rules: every call that changes something is one that the journal has said would come and whose outcome it does not know
//! yet; nothing that serves is stopped, removed or repointed before an approval; and a
//! call leaves nobody without what they read or write.

use cyanotype::rollout::{Kind, Ledger, State as Stage};

use super::{Deed, State};

/// Writes down what is wrong with `deed`, which is about to be done.
pub fn judge(state: &mut State, deed: &Deed) {
    if !announced(state, deed) {
        let intents = format!("{:?}", state.journal.intents);
        state.offence(format!("no intent says: {deed}; it says {intents}"));
    }
    let ledger = std::sync::Arc::clone(&state.journal.ledger);
    if let Some(what) = serving(state, &ledger, deed) {
        let approved = ledger.open().iter().any(|r| r.approval.is_some() && promoted(r.state));
        match deed {
            Deed::Stop { .. } | Deed::Configure { .. } | Deed::SetOffsets { .. } | Deed::Resume { .. } if approved => {}
            Deed::Cancel { .. }
            | Deed::DeleteGroup { .. }
            | Deed::DeleteTopic { .. }
            | Deed::DeleteSubject { .. }
            | Deed::DeleteConnector { .. }
                if taken_down(&ledger) => {}
            _ => state.offence(format!("{what} serves, and the daemon would {deed}")),
        }
    }
    if let Some(harm) = harm(state, deed) {
        state.offence(format!("{deed}: {harm}"));
    }
}

/// True while everything that serves is being removed because somebody said yes to that.
fn taken_down(ledger: &Ledger) -> bool {
    ledger.open().iter().any(|r| r.kind == Kind::Undeploy && r.state == Stage::Retiring)
}

/// Whether the journal holds the intent behind it, and not its outcome.
fn announced(state: &State, deed: &Deed) -> bool {
    let table_of = |id: &String| state.jobs.get(id).map(|job| job.table.clone()).unwrap_or_default();
    let topic_of = |subject: &String| subject.rsplit_once('-').map_or("", |(topic, _)| topic).to_owned();
    if mends(deed) {
        return state.journal.intents.values().any(|key| key.starts_with("move-connector:"));
    }
    let keys: Vec<String> = match deed {
        Deed::CreateTopic { spec } => vec![format!("create-topic:{}", spec.name)],
        Deed::DeleteTopic { topic } => vec![format!("delete-topic:{topic}")],
        Deed::SetLevel { subject, .. } => vec![format!("subject-level:{subject}")],
        Deed::DeleteSubject { subject } => vec![format!("delete-topic:{}", topic_of(subject))],
        Deed::Start { text } => state.job(text).map(|job| vec![format!("start-job:{}", job.table)]).unwrap_or_default(),
        Deed::Cancel { id } => {
            // The second of two jobs of one name is always cancelled.
            let twin = state.jobs.get(id).is_some_and(|job| state.jobs.values().any(|j| twins(j, job)));
            if twin {
                return true;
            }
            vec![format!("cancel-job:{}", table_of(id))]
        }
        Deed::DeleteGroup { group } => {
            let open = state.journal.intents.values();
            let ends = |key: &&String| key.starts_with("cancel-job:") || key.starts_with("adopt-job:");
            let tables = open.filter(ends).filter_map(|key| key.split_once(':'));
            return tables.into_iter().any(|(_, table)| group.contains(&format!("c-{table}.")));
        }
        Deed::Configure { name, .. }
        | Deed::Stop { name }
        | Deed::Resume { name }
        | Deed::Restart { name }
        | Deed::SetOffsets { name, .. }
        | Deed::DeleteConnector { name } => {
            let kinds = ["create-connector", "move-connector", "delete-connector"];
            let whole = |key: &String| kinds.iter().any(|k| key.split(':').take(2).eq([*k, name.as_str()]));
            return state.journal.intents.values().any(whole);
        }
        Deed::Register { .. } | Deed::Write { .. } => Vec::new(),
        Deed::Propose { .. } | Deed::Notify { .. } | Deed::Forget { .. } => return true,
    };
    state.journal.intents.values().any(|key| keys.contains(key))
}

/// Whether it is about a topic that a connector reads on its way.
fn mends(deed: &Deed) -> bool {
    let topic = match deed {
        Deed::CreateTopic { spec } => &spec.name,
        Deed::DeleteTopic { topic } | Deed::Write { topic, .. } => topic,
        Deed::Register { subject, .. } | Deed::DeleteSubject { subject } => subject,
        _ => return false,
    };
    topic.contains(".repair-")
}

fn twins(a: &super::flink::Job, b: &super::flink::Job) -> bool {
    a.id != b.id && a.name == b.name && a.runs()
}

/// What is deployed and would be stopped, removed or repointed.
fn serving(state: &State, ledger: &Ledger, deed: &Deed) -> Option<String> {
    let manifest = &ledger.manifest;
    let serves = |topic: &str| manifest.tables.values().any(|t| t.topic.as_deref() == Some(topic));
    let job = |id: &String| {
        let table = manifest.tables.values().find_map(|t| ledger.jobs.get(&t.physical).filter(|job| job.id == *id));
        table.map(|job| format!("job {}", job.name))
    };
    match deed {
        Deed::DeleteTopic { topic } | Deed::Write { topic, .. } => serves(topic).then(|| format!("topic {topic}")),
        Deed::DeleteSubject { subject } | Deed::SetLevel { subject, .. } | Deed::Register { subject, .. } => {
            let topic = subject.rsplit_once('-').map_or("", |(topic, _)| topic);
            serves(topic).then(|| format!("topic {topic}"))
        }
        Deed::CreateTopic { spec } => serves(&spec.name).then(|| format!("topic {}", spec.name)),
        Deed::Cancel { id } => job(id),
        Deed::DeleteGroup { group } => {
            let read = |t: &&cyanotype::model::manifest::DeployedTable| {
                let runs = |id: &String| state.jobs.get(id).is_some_and(super::flink::Job::runs);
                let job = ledger.jobs.get(&t.physical).filter(|job| runs(&job.id));
                job.is_some_and(|j| j.reads.iter().any(|r| r.group.as_ref() == Some(group)))
            };
            manifest.tables.values().find(read).map(|t| format!("group {group} of {}", t.physical))
        }
        Deed::Configure { name, .. }
        | Deed::Stop { name }
        | Deed::Resume { name }
        | Deed::SetOffsets { name, .. }
        | Deed::DeleteConnector { name } => manifest.connectors.contains_key(name).then(|| format!("connector {name}")),
        Deed::Start { .. }
        | Deed::Restart { .. }
        | Deed::Propose { .. }
        | Deed::Notify { .. }
        | Deed::Forget { .. } => None,
    }
}

/// What it would do to others.
fn harm(state: &State, deed: &Deed) -> Option<String> {
    match deed {
        Deed::Start { text } => {
            let job = state.job(text).ok()?;
            if let Some(other) = state.jobs.values().find(|j| j.name == job.name) {
                return Some(format!("{} has that name already and is {}", other.id, other.state));
            }
            if let Some(other) = state.jobs.values().find(|j| j.runs() && j.topic == job.topic) {
                return Some(format!("{} writes {} already", other.name, job.topic));
            }
            let missing =
                job.reads.iter().map(|r| &r.topic).chain([&job.topic]).find(|t| !state.topics.contains_key(*t));
            missing.map(|topic| format!("topic {topic} does not exist"))
        }
        Deed::CreateTopic { spec } => {
            let there = state.topics.get(&spec.name)?;
            (there.spec != *spec || !there.rows().is_empty()).then(|| "it exists, and is another one".to_owned())
        }
        Deed::DeleteTopic { topic } => {
            let uses = |job: &super::flink::Job| job.topic == *topic || job.reads.iter().any(|r| r.topic == *topic);
            let job = state.jobs.values().find(|job| job.runs() && uses(job)).map(|job| job.name.clone());
            let sink = state.connectors.iter().find(|(_, c)| c.topic() == topic).map(|(name, _)| name.clone());
            job.or(sink).map(|name| format!("{name} still uses it"))
        }
        Deed::Configure { name, config } => {
            let now = state.connectors.get(name)?;
            let moved = config.get("topics").map(String::as_str) != Some(now.topic());
            (moved && !now.stopped).then(|| "it runs, and would read another topic".to_owned())
        }
        Deed::Forget { before } => {
            (!state.journal.stands_alone(*before)).then(|| "no snapshot stands for what was before".to_owned())
        }
        Deed::SetOffsets { name, .. } => {
            let now = state.connectors.get(name)?;
            (!now.stopped).then(|| "it runs".to_owned())
        }
        _ => None,
    }
}

/// True where an approval stands behind what is done.
fn promoted(stage: Stage) -> bool {
    matches!(stage, Stage::Promoting | Stage::Soaking | Stage::Retiring | Stage::RollingBack)
}
