//! The rollout machine: every prefix of a journal replays to the same end, and a no is never a yes.

mod snapshot;

use std::collections::BTreeMap;
use std::sync::Arc;

use cyanotype::model::effect::Effect;
use cyanotype::model::job::JobSpec;
use cyanotype::model::manifest::Manifest;
use cyanotype::model::parity::{Changelog, Hop, RowRule, TableContract};
use cyanotype::model::verdict::{Evidence, Outcome, SchemaUse};
use cyanotype::model::work::{RunningJob, Work};
use cyanotype::rollout::event::{Body, Notice};
use cyanotype::rollout::{Approval, Entry, Event, Kind, Ledger, NewRollout, Rollout, State, Terms, Todo, todo};
use proptest::prelude::*;

fn job(table: &str) -> JobSpec {
    JobSpec {
        table: table.to_owned(),
        settings: BTreeMap::new(),
        ddl: Vec::new(),
        insert: String::new(),
        reads: Vec::new(),
        topic: format!("t.{table}"),
        exactly_once: false,
    }
}

fn rollout() -> NewRollout {
    let manifest = |ahead: Option<&str>| Box::new(Manifest { ahead: ahead.map(str::to_owned), ..Manifest::default() });
    let topic = Effect::CreateTopic { topic: "t.a_v2".to_owned(), like: None, partitions: 1, config: BTreeMap::new() };
    let contract = TableContract {
        table: "a".to_owned(),
        blue_topic: Some("t.a".to_owned()),
        green_topic: "t.a_v2".to_owned(),
        changelog: Changelog::Upsert,
        key: vec!["id".to_owned()],
        columns: BTreeMap::new(),
        rows: RowRule::Same,
    };
    let hop = Hop { table: "a".to_owned(), blue: Some("a".to_owned()), green: Some("a_v2".to_owned()) };
    NewRollout {
        id: "r".to_owned(),
        kind: Kind::Evolution,
        title: "a column".to_owned(),
        plan_digest: "sha256:1".to_owned(),
        plan: serde_json::Value::Null,
        work: Work {
            staging: vec![topic, Effect::StartJob { job: job("a_v2") }],
            hops: vec![hop],
            contracts: vec![contract],
            promoting: vec![Effect::SetManifest { before: manifest(None), after: manifest(Some("branch")) }],
            retiring: vec![
                Effect::CancelJob { table: "a".to_owned() },
                Effect::DeleteTopic { topic: "t.a".to_owned() },
            ],
        },
        terms: Terms { ask_before_staging: false, soak_ms: 1000, catch_up_ms: 1000, prefix: None },
    }
}

fn evidence(outcome: Outcome) -> Evidence {
    let positions = || BTreeMap::from([(0, 5), (12, 7)]);
    let used = SchemaUse { records: 3, first: positions(), last: positions() };
    Evidence {
        rollout: "r".to_owned(),
        plan: "sha256:1".to_owned(),
        outcome,
        reason: "because".to_owned(),
        tables: Vec::new(),
        cut: BTreeMap::from([("p.a".to_owned(), positions())]),
        read: BTreeMap::from([("t.a".to_owned(), positions())]),
        schema_ids: BTreeMap::from([("p.a".to_owned(), BTreeMap::from([("1".to_owned(), used)]))]),
        arrived: 1,
        started_ms: 0,
        ended_ms: 1,
        expires_ms: i64::MAX,
    }
}

fn approval(digest: &str) -> Approval {
    Approval { evidence: digest.to_owned(), by: "ann".to_owned(), comment: None, delivery: "d".to_owned() }
}

fn entry(what: Event) -> Entry {
    Entry { at_ms: 1, body: Body::Rollout { id: "r".to_owned(), what } }
}

fn begun() -> Ledger {
    let mut ledger = Ledger::default();
    ledger.apply(&entry(Event::Proposed(Box::new(rollout())))).unwrap();
    ledger
}

fn state(ledger: &Ledger) -> State {
    ledger.rollouts["r"].state
}

fn forward(state: State) -> bool {
    matches!(state, State::Staging | State::Promoting | State::Retiring)
}

/// What a daemon does that meets no trouble; `None` when the rollout is over.
fn good(ledger: &Ledger) -> Option<Event> {
    good_for(&ledger.rollouts["r"])
}

fn good_for(rollout: &Rollout) -> Option<Event> {
    let started = |effect: &Effect| match effect {
        Effect::StartJob { job } => Some(RunningJob {
            table: job.table.clone(),
            name: format!("{}.{}.1", job.table, rollout.id),
            id: "1".to_owned(),
            reads: Vec::new(),
            topic: job.topic.clone(),
            exactly_once: job.exactly_once,
        }),
        _ => None,
    };
    Some(match todo(rollout) {
        Todo::AllowStaging => Event::StagingAllowed { by: "policy".to_owned() },
        Todo::Run { effect, .. } if forward(rollout.state) && !rollout.intended.contains_key(&effect.key()) => {
            Event::EffectIntended { key: effect.key(), attempt: 1 }
        }
        Todo::Run { effect, .. } => Event::EffectDone { key: effect.key(), job: started(&effect), note: None },
        Todo::CatchUp => Event::CaughtUp,
        Todo::Validate => Event::Validated { evidence: Box::new(evidence(Outcome::Pass)) },
        Todo::Wait(_) if rollout.state == State::AwaitingApproval => {
            Event::Approved(approval(&rollout.evidence_digest().unwrap()))
        }
        Todo::Wait(_) if rollout.state == State::Soaking => Event::SoakOver,
        Todo::Wait(_) => return None,
    })
}

/// The journal of a rollout without trouble.
fn journal() -> Vec<Entry> {
    let mut ledger = begun();
    let mut entries = vec![entry(Event::Proposed(Box::new(rollout())))];
    while let Some(event) = good(&ledger) {
        entries.push(entry(event));
        ledger.apply(entries.last().unwrap()).unwrap();
    }
    assert_eq!(state(&ledger), State::Done);
    entries
}

#[test]
fn every_prefix_of_a_journal_goes_on_to_the_same_end() {
    let whole = journal();
    let mut end = Ledger::default();
    whole.iter().for_each(|e| end.apply(e).unwrap());
    for cut in 1..whole.len() {
        // A daemon that was killed here: it replays what is in the journal, as bytes, and goes on.
        let mut ledger = Ledger::default();
        for entry in &whole[..cut] {
            let bytes = serde_json::to_vec(entry).unwrap();
            ledger.apply(&serde_json::from_slice(&bytes).unwrap()).unwrap();
        }
        while let Some(event) = good(&ledger) {
            ledger.apply(&entry(event)).unwrap();
        }
        assert_eq!(ledger, end, "killed after entry {cut}");
    }
}

fn until(stop: State) -> Ledger {
    let mut ledger = begun();
    while state(&ledger) != stop {
        let event = good(&ledger).expect("reached before the end");
        ledger.apply(&entry(event)).unwrap();
    }
    ledger
}

#[test]
fn only_a_pass_can_be_approved() {
    for outcome in [Outcome::Fail, Outcome::Undecided] {
        let mut ledger = until(State::Validating);
        ledger.apply(&entry(Event::Validated { evidence: Box::new(evidence(outcome)) })).unwrap();
        assert_eq!(state(&ledger), State::Unproven);
        let digest = ledger.rollouts["r"].evidence_digest().unwrap();
        assert!(ledger.apply(&entry(Event::Approved(approval(&digest)))).is_err());
    }
}

#[test]
fn a_validation_that_broke_is_never_a_pass() {
    let mut ledger = until(State::Validating);
    ledger.apply(&entry(Event::ValidationBroken { reason: "time".to_owned() })).unwrap();
    assert_eq!(state(&ledger), State::Unproven);
    assert!(ledger.apply(&entry(Event::Approved(approval("")))).is_err());
}

#[test]
fn an_approval_of_other_evidence_changes_nothing() {
    let mut ledger = until(State::AwaitingApproval);
    let before = ledger.clone();
    assert!(ledger.apply(&entry(Event::Approved(approval("sha256:other")))).is_err());
    assert_eq!(ledger, before);
}

#[test]
fn nothing_blue_is_touched_before_an_approval() {
    for stop in [State::Staging, State::CatchingUp, State::Validating, State::AwaitingApproval] {
        for effect in until(stop).rollouts["r"].effects() {
            let touches = matches!(&effect, Effect::CancelJob { table } if table == "a")
                || matches!(&effect, Effect::DeleteTopic { topic } if topic == "t.a")
                || matches!(&effect, Effect::MoveConnector { .. } | Effect::SetManifest { .. });
            assert!(!touches, "{stop}: {effect:?}");
        }
    }
}

#[test]
fn an_abort_undoes_what_was_intended_even_if_its_outcome_is_unknown() {
    let mut ledger = until(State::Staging);
    ledger.apply(&entry(Event::EffectIntended { key: "create-topic:t.a_v2".to_owned(), attempt: 1 })).unwrap();
    ledger.apply(&entry(Event::AbortAsked { by: "ann".to_owned(), reason: "no".to_owned() })).unwrap();
    let undo = ledger.rollouts["r"].effects();
    assert_eq!(undo, [Effect::DeleteTopic { topic: "t.a_v2".to_owned() }]);
    while let Some(event) = good(&ledger) {
        ledger.apply(&entry(event)).unwrap();
    }
    assert_eq!(state(&ledger), State::Aborted);
}

#[test]
fn an_effect_that_fails_after_the_abort_does_not_stick() {
    let mut ledger = until(State::Staging);
    ledger.apply(&entry(Event::EffectIntended { key: "start-job:a_v2".to_owned(), attempt: 1 })).unwrap();
    ledger.apply(&entry(Event::AbortAsked { by: "ann".to_owned(), reason: "no".to_owned() })).unwrap();
    let late = Event::EffectFailed { key: "start-job:a_v2".to_owned(), reason: "no slots".to_owned() };
    assert!(ledger.apply(&entry(late)).is_err());
    while let Some(event) = good(&ledger) {
        ledger.apply(&entry(event)).unwrap();
    }
    assert_eq!(state(&ledger), State::Aborted);
}

#[test]
fn what_an_effect_did_is_in_the_history_and_moves_nothing() {
    let mut ledger = until(State::Promoting);
    let before = ledger.rollouts["r"].clone();
    let mut two = before.clone();
    Arc::make_mut(&mut two.work).promoting.push(Effect::DeleteConnector { name: "c".to_owned() });
    ledger.rollouts.insert("r".to_owned(), two);
    let note = Some("rows deleted 3".to_owned());
    let done = Event::EffectDone { key: "set-manifest".to_owned(), job: None, note };
    ledger.apply(&entry(done)).unwrap();
    let after = &ledger.rollouts["r"];
    assert_eq!((after.state, after.since_ms), (State::Promoting, before.since_ms));
    let [.., last] = &after.history[..] else { panic!() };
    assert_eq!((after.history.len(), last.note.as_str()), (before.history.len() + 1, "rows deleted 3"));
    assert_eq!(last.state, State::Promoting);

    // A journal of an earlier version says nothing of the kind.
    let text = r#"{"at_ms":1,"entry":"rollout","id":"r","what":{"event":"effect_done","key":"k","job":null}}"#;
    let old: Entry = serde_json::from_str(text).unwrap();
    assert_eq!(old, entry(Event::EffectDone { key: "k".to_owned(), job: None, note: None }));
}

#[test]
fn the_first_version_of_a_subject_is_remembered() {
    let mut ledger = Ledger::default();
    let of = |body| Entry { at_ms: 0, body };
    let subject = || "a-value".to_owned();
    ledger.apply(&of(Body::Watched { subject: subject(), version: 1 })).unwrap();
    ledger
        .apply(&of(Body::Evolution {
            subject: subject(),
            version: 2,
            refused: vec!["no".to_owned()],
            notice: Notice::Taken,
        }))
        .unwrap();
    assert_eq!((ledger.first_seen["a-value"], ledger.looked_at["a-value"]), (1, 2));
}

fn any_event() -> impl Strategy<Value = Event> {
    let text = "[a-z]{1,3}";
    prop_oneof![
        text.prop_map(|by| Event::StagingAllowed { by }),
        prop::sample::select(vec![
            "create-topic:t.a_v2",
            "start-job:a_v2",
            "set-manifest",
            "cancel-job:a",
            "delete-topic:t.a"
        ])
        .prop_map(|key| Event::EffectDone { key: key.to_owned(), job: None, note: None }),
        prop::sample::select(vec!["create-topic:t.a_v2", "start-job:a_v2", "set-manifest"])
            .prop_map(|key| Event::EffectIntended { key: key.to_owned(), attempt: 1 }),
        prop::sample::select(vec!["start-job:a_v2", "set-manifest", "cancel-job:a_v2"])
            .prop_map(|key| Event::EffectFailed { key: key.to_owned(), reason: "no".to_owned() }),
        Just(Event::CaughtUp),
        Just(Event::SoakOver),
        Just(Event::EvidenceExpired),
        text.prop_map(|by| Event::Revalidate { by }),
        text.prop_map(|by| Event::RollBackAsked { by }),
        text.prop_map(|by| Event::Superseded { by }),
        text.prop_map(|by| Event::AbortAsked { by, reason: String::new() }),
        prop::sample::select(vec![Outcome::Pass, Outcome::Fail, Outcome::Undecided])
            .prop_map(|o| Event::Validated { evidence: Box::new(evidence(o)) }),
        Just(Event::Approved(approval(&evidence(Outcome::Pass).digest()))),
    ]
}

proptest! {
    /// Whatever happens in whatever order: blue is stopped only after an approval, and an ended rollout never moves.
    #[test]
    fn no_order_of_events_breaks_the_promises(events in prop::collection::vec(any_event(), 0..60)) {
        let mut ledger = begun();
        for event in events {
            let before = ledger.clone();
            let taken = ledger.apply(&entry(event));
            if taken.is_err() {
                prop_assert_eq!(&ledger, &before);
            }
            if state(&before).ended() {
                prop_assert_eq!(state(&ledger), state(&before));
            }
            if matches!(state(&ledger), State::Promoting | State::Soaking | State::Retiring | State::Done) {
                let approved = ledger.rollouts["r"].approval.as_ref().map(|a| a.evidence.clone());
                prop_assert_eq!(approved, ledger.rollouts["r"].evidence_digest());
            }
        }
    }
}
