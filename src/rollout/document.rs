//! `docs/rollout.md`, made by driving the transition function.
//!
//! Rules: a sample change and a sample first deployment are walked through every event from where they begin until nothing
//! new is found; what the page says is what [`next`] answered on the way, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::event::{Approval, Event, Kind, NewRollout, Terms};
use super::state::{Rollout, State};
use super::transition::{begin, next};
use crate::model::effect::Effect;
use crate::model::job::JobSpec;
use crate::model::manifest::Manifest;
use crate::model::verdict::{Evidence, Outcome};
use crate::model::work::{RunningJob, Work};

/// What an event came to: the next state, or nothing when it was refused.
type End = Option<State>;

/// What may decide between two ends, in words.
type Facts = BTreeSet<&'static str>;

/// Every end of one event, with the facts of each rollout that came to it.
type Ends = BTreeMap<End, Vec<Facts>>;

/// What was found, by state and event.
type Found = BTreeMap<State, BTreeMap<Row, Ends>>;

/// An event's place in the table, and its name there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Row(usize, &'static str);

/// The page, byte for byte.
pub fn page() -> String {
    let found = explore();
    let mut out = HEAD.to_owned();
    diagram(&found, &mut out);
    let _ = write!(out, "\n## Every state and every event\n\nThe events: {}.\n", ORDER.join("; "));
    for state in State::ALL {
        // Writing to a String cannot fail.
        let _ = write!(out, "\n### {state}\n\n{}\n", says(state));
        table(found.get(&state), state, &mut out);
    }
    out
}

fn table(rows: Option<&BTreeMap<Row, Ends>>, state: State, out: &mut String) {
    let Some(rows) = rows else {
        out.push_str("\nNo event leads here.\n");
        return;
    };
    let mut lines = String::new();
    for (Row(_, name), ends) in rows.iter().filter(|(_, ends)| ends.keys().any(Option::is_some)) {
        let cell: Vec<String> =
            ends.iter().map(|(end, with)| format!("{}{}", named(*end, state), when(ends, with))).collect();
        let _ = writeln!(lines, "| {name} | {} |", cell.join("; "));
    }
    if lines.is_empty() {
        out.push_str("\nEvery event is refused.\n");
        return;
    }
    let _ = write!(out, "\n| event | next state |\n|---|---|\n{lines}\nEvery other event is refused.\n");
}

fn named(end: End, from: State) -> String {
    match end {
        Some(state) if state == from => "stays".to_owned(),
        Some(state) => format!("`{state}`"),
        None => "refused".to_owned(),
    }
}

/// The facts that set this end apart from the others, in brackets.
fn when(ends: &Ends, with: &[Facts]) -> String {
    let shared = |sets: &mut dyn Iterator<Item = &Facts>| -> Facts {
        let first = sets.next().cloned().unwrap_or_default();
        sets.fold(first, |all, set| all.intersection(set).copied().collect())
    };
    let everywhere = shared(&mut ends.values().flatten());
    let own = shared(&mut with.iter());
    let facts: Vec<&str> = own.difference(&everywhere).copied().collect();
    if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) }
}

fn diagram(found: &Found, out: &mut String) {
    let mut edges: BTreeMap<(State, State), BTreeSet<Row>> = BTreeMap::new();
    for (from, rows) in found {
        for (row, ends) in rows {
            for to in ends.keys().copied().flatten().filter(|to| to != from) {
                edges.entry((*from, to)).or_default().insert(*row);
            }
        }
    }
    out.push_str("\n```mermaid\nstateDiagram-v2\n    [*] --> proposed\n");
    for ((from, to), rows) in &edges {
        let names: Vec<&str> = rows.iter().map(|Row(_, name)| *name).collect();
        let _ = writeln!(out, "    {from} --> {to}: {}", names.join(" / "));
    }
    for state in State::ALL.into_iter().filter(|s| s.ended()) {
        let _ = writeln!(out, "    {state} --> [*]");
    }
    out.push_str("```\n");
}

/// Walks both samples until nothing new is found.
fn explore() -> Found {
    let mut found = Found::new();
    let mut seen: Vec<Rollout> = Vec::new();
    let mut open: Vec<Rollout> = KINDS.map(|kind| plain(begin(&sample(kind), 0))).into();
    while let Some(rollout) = open.pop() {
        if seen.contains(&rollout) {
            continue;
        }
        for (row, event) in events(&rollout) {
            let after = next(&rollout, &event, 0).ok();
            let ends = found.entry(rollout.state).or_default().entry(row).or_default();
            ends.entry(after.as_ref().map(|r| r.state)).or_default().push(facts(&rollout, &event));
            open.extend(after.map(plain));
        }
        seen.push(rollout);
    }
    found
}

/// The rollout without what no transition looks at, so that two ways to one place are one.
fn plain(mut rollout: Rollout) -> Rollout {
    // A stuck rollout goes back to the state before: two steps tell.
    rollout.history.drain(..rollout.history.len().saturating_sub(2));
    rollout.history.iter_mut().for_each(|step| step.note.clear());
    rollout.jobs.clear();
    rollout.error = None;
    rollout
}

/// What may decide between two ends of one event.
fn facts(rollout: &Rollout, event: &Event) -> Facts {
    let mut facts = BTreeSet::new();
    if rollout.state != State::Stuck {
        facts.insert(match rollout.kind {
            Kind::Evolution | Kind::Change => "a change",
            Kind::Deploy | Kind::Adopt => "a first deployment or an adoption",
            Kind::Undeploy => "taking down",
        });
    } else {
        facts.insert(match rollout.history.first().map(|step| step.state) {
            Some(State::Retiring) => "it failed while what served was being removed",
            Some(State::RollingBack) => "it failed while blue was being made to serve again",
            Some(State::Rejected) => "it failed after a no",
            _ => "it failed while green was being removed",
        });
    }
    match event {
        Event::EffectDone { key, .. } => {
            let left = rollout.effects().iter().any(|e| e.key() != *key && !rollout.done.contains(&e.key()));
            facts.insert(if left { "more is to be done" } else { "the last of the phase" });
        }
        Event::EffectFailed { .. }
        | Event::Rejected(_)
        | Event::AbortAsked { .. }
        | Event::Superseded { .. }
        | Event::RollBackAsked { .. }
            if rollout.state != State::Stuck =>
        {
            let back = Rollout { state: State::RollingBack, ..rollout.clone() };
            facts.insert(if back.effects().is_empty() { "nothing to undo" } else { "something to undo" });
        }
        _ => {}
    }
    facts
}

/// Every kind of event that could happen to `rollout`.
fn events(rollout: &Rollout) -> Vec<(Row, Event)> {
    let text = || "sample".to_owned();
    let effect = rollout.effects().into_iter().find(|e| !rollout.done.contains(&e.key()));
    let key = effect.map_or_else(text, |e| e.key());
    let forward = matches!(rollout.state, State::Staging | State::Promoting | State::Retiring);
    let own = rollout.evidence_digest().unwrap_or_else(text);
    let decision = |evidence: String| Approval { evidence, by: text(), comment: None, delivery: text() };
    let validated = |outcome| Event::Validated { evidence: Box::new(evidence(outcome)) };
    let mut events = vec![
        ("staging allowed", Event::StagingAllowed { by: text() }),
        ("effect intended", Event::EffectIntended { key: key.clone(), attempt: 1 }),
        ("effect failed", Event::EffectFailed { key: key.clone(), reason: text() }),
        ("caught up", Event::CaughtUp),
        ("catch-up failed", Event::CatchUpFailed { reason: text() }),
        ("verdict pass", validated(Outcome::Pass)),
        ("verdict fail", validated(Outcome::Fail)),
        ("verdict undecided", validated(Outcome::Undecided)),
        ("validation broken", Event::ValidationBroken { reason: text() }),
        ("evidence expired", Event::EvidenceExpired),
        ("validate again", Event::Revalidate { by: text() }),
        ("approved", Event::Approved(decision(own.clone()))),
        ("approved on other evidence", Event::Approved(decision("other".to_owned()))),
        ("rejected", Event::Rejected(decision(own))),
        ("rejected on other evidence", Event::Rejected(decision("other".to_owned()))),
        ("abort asked for", Event::AbortAsked { by: text(), reason: text() }),
        ("superseded", Event::Superseded { by: text() }),
        ("roll back asked for", Event::RollBackAsked { by: text() }),
        ("soak over", Event::SoakOver),
    ];
    // What was never intended is not done: the daemon writes the intent first.
    if !forward || rollout.intended.contains_key(&key) {
        events.insert(2, ("effect done", Event::EffectDone { key, job: None, note: None }));
    }
    let place = |name: &str| ORDER.iter().position(|n| *n == name).unwrap_or(ORDER.len());
    events.into_iter().map(|(name, event)| (Row(place(name), name), event)).collect()
}

/// The order of events in a table.
const ORDER: [&str; 20] = [
    "staging allowed",
    "effect intended",
    "effect done",
    "effect failed",
    "caught up",
    "catch-up failed",
    "verdict pass",
    "verdict fail",
    "verdict undecided",
    "validation broken",
    "evidence expired",
    "validate again",
    "approved",
    "approved on other evidence",
    "rejected",
    "rejected on other evidence",
    "abort asked for",
    "superseded",
    "roll back asked for",
    "soak over",
];

/// The kinds that go different ways.
const KINDS: [Kind; 4] = [Kind::Evolution, Kind::Deploy, Kind::Adopt, Kind::Undeploy];

/// A rollout with two effects in each phase that can have some.
fn sample(kind: Kind) -> NewRollout {
    let text = |text: &str| text.to_owned();
    let job = JobSpec {
        table: text("a_v2"),
        settings: BTreeMap::new(),
        ddl: Vec::new(),
        insert: String::new(),
        reads: Vec::new(),
        topic: text("a_v2"),
        exactly_once: false,
    };
    let topic = Effect::CreateTopic { topic: text("a_v2"), like: None, partitions: 1, config: BTreeMap::new() };
    let none = Box::new(Manifest::default());
    let manifest = Effect::SetManifest { before: none.clone(), after: none };
    let running = |table: &str| RunningJob {
        table: text(table),
        name: text("j"),
        id: text("1"),
        reads: Vec::new(),
        topic: text(table),
        exactly_once: false,
    };
    let cancel = || Effect::CancelJob { table: text("a") };
    let work = match kind {
        Kind::Deploy => Work {
            staging: vec![topic, Effect::StartJob { job }],
            promoting: vec![Effect::CreateConnector { name: text("c"), config: BTreeMap::new() }, manifest],
            ..Work::default()
        },
        Kind::Evolution | Kind::Change => {
            let (before, after, from, to) = (BTreeMap::new(), BTreeMap::new(), text("a"), text("a_v2"));
            Work {
                staging: vec![topic, Effect::StartJob { job }],
                promoting: vec![Effect::MoveConnector { name: text("c"), before, after, from, to }, manifest],
                retiring: vec![cancel(), Effect::DeleteTopic { topic: text("a") }],
                ..Work::default()
            }
        }
        Kind::Adopt => Work {
            staging: vec![Effect::AdoptJob { job: running("a") }, Effect::AdoptJob { job: running("b") }],
            promoting: vec![manifest],
            ..Work::default()
        },
        Kind::Undeploy => Work { retiring: vec![cancel(), manifest], ..Work::default() },
    };
    NewRollout {
        id: text("sample"),
        kind,
        title: text("sample"),
        plan_digest: text("sample"),
        plan: serde_json::Value::Null,
        work,
        terms: Terms { ask_before_staging: kind == Kind::Undeploy, soak_ms: 1, catch_up_ms: 1, prefix: None },
    }
}

fn evidence(outcome: Outcome) -> Evidence {
    Evidence {
        rollout: "sample".to_owned(),
        plan: "sample".to_owned(),
        outcome,
        reason: String::new(),
        tables: Vec::new(),
        cut: BTreeMap::new(),
        read: BTreeMap::new(),
        schema_ids: BTreeMap::new(),
        arrived: 1,
        started_ms: 0,
        ended_ms: 0,
        expires_ms: 1,
    }
}

/// What a state means, one sentence.
fn says(state: State) -> &'static str {
    match state {
        State::Proposed => {
            "Planned; waits for a yes to begin if the policy asks for one, and always before something is taken down."
        }
        State::Staging => "Green is being deployed beside blue.",
        State::CatchingUp => "Green works through history until it holds the same input as blue.",
        State::Validating => "Both outputs are read and compared.",
        State::AwaitingApproval => "The evidence passed and waits for a yes that names its digest.",
        State::Promoting => "Green is being made to serve.",
        State::Soaking => "Green serves; blue stays warm.",
        State::Retiring => "Blue, or what is taken down, is being removed.",
        State::Done => "Over: green serves and blue is gone; or what was asked for is taken over, or taken down.",
        State::Unproven => "Green did not catch up, or the verdict is not a pass; green is kept for a look.",
        State::Rejected => "A person said no; green is being removed.",
        State::Superseded => "Over: a newer rollout took its place before anything was done.",
        State::Aborting => "Green is being removed.",
        State::Aborted => "Over: green is gone, blue was never touched.",
        State::RollingBack => "Blue is being made to serve again.",
        State::RolledBack => "Over: blue serves again, green is gone.",
        State::Stuck => "Removing or undoing something failed: a person mends the cause and asks for an abort again.",
    }
}

const HEAD: &str = "\
# The states of a rollout

This page is made by driving `rollout::transition::next` from the proposal through every event until nothing new is found;
`UPDATE_DOCS=1 cargo test --test it docs` writes it anew. A refused event changes nothing: the one who caused it is told,
and the journal does not hold it.

An effect is one change of the world, such as making a topic or starting a job. Each is journaled as intended before it is
tried, and as done or failed after it. An undo covers every effect that was intended, whether or not its end is known.
";
