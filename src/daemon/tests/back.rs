//! Going back: on what it is decided, and where it is refused.

use tokio::sync::oneshot;

use super::*;
use crate::daemon::handle::{Decision, DecisionRequest, Refusal, RefusalCause, Reply, Request};
use crate::daemon::standing;
use crate::model::verdict::{Evidence, Outcome};
use crate::model::work::Work;
use crate::plan::Plan;
use crate::rollout::{Approval, Kind, NewRollout, State};

const ID: &str = "evolution-1";

fn connector(topic: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("topics".to_owned(), topic.to_owned()), ("tasks.max".to_owned(), "1".to_owned())])
}

fn moved() -> Effect {
    Effect::MoveConnector {
        name: "sink-s".to_owned(),
        before: connector("t.s"),
        after: connector("t.s_v2"),
        from: "t.s".to_owned(),
        to: "t.s_v2".to_owned(),
    }
}

fn evidence() -> Evidence {
    Evidence {
        rollout: ID.to_owned(),
        plan: "sha256:plan".to_owned(),
        outcome: Outcome::Pass,
        reason: "proven".to_owned(),
        tables: Vec::new(),
        cut: BTreeMap::new(),
        read: BTreeMap::new(),
        schema_ids: BTreeMap::new(),
        arrived: 1,
        started_ms: 0,
        ended_ms: 0,
        // Old: going back does not ask for the age of the evidence.
        expires_ms: -1,
    }
}

/// The journal of a rollout that has come to `state`.
fn journal(state: State) -> Vec<Entry> {
    let work = Work {
        staging: vec![Effect::Explain { job: job() }],
        promoting: vec![moved()],
        retiring: vec![Effect::CancelJob { table: "s".to_owned() }],
        ..Work::default()
    };
    let new = NewRollout {
        id: ID.to_owned(),
        kind: Kind::Evolution,
        title: "a column".to_owned(),
        plan_digest: "sha256:plan".to_owned(),
        plan: serde_json::Value::Null,
        work,
        terms: Terms { ask_before_staging: false, soak_ms: 1, catch_up_ms: 1, prefix: None },
    };
    let intended = |key: String| Event::EffectIntended { key, attempt: 1 };
    let done = |key: String| Event::EffectDone { key, job: None, note: None };
    let failed = |key: String| Event::EffectFailed { key, reason: "no".to_owned() };
    let (explain, over) = (Effect::Explain { job: job() }.key(), moved().key());
    let (back, cancel) = (moved().undo().unwrap().key(), "cancel-job:s".to_owned());
    let approval =
        Approval { evidence: evidence().digest(), by: "Ada".to_owned(), comment: None, delivery: "d".to_owned() };
    let mut events = vec![
        Event::Proposed(Box::new(new)),
        Event::StagingAllowed { by: "policy".to_owned() },
        intended(explain.clone()),
        done(explain),
        Event::CaughtUp,
        Event::Validated { evidence: Box::new(evidence()) },
        Event::Approved(approval),
        intended(over.clone()),
        done(over.clone()),
        Event::SoakOver,
    ];
    let rolled = |more: Vec<Event>| [vec![Event::RollBackAsked { by: "Ada".to_owned() }, intended(back.clone())], more];
    let (keep, more) = match state {
        State::Staging => (2, Vec::new()),
        State::AwaitingApproval => (6, Vec::new()),
        State::Promoting => (8, Vec::new()),
        State::Soaking => (9, Vec::new()),
        State::RollingBack => (9, rolled(Vec::new()).concat()),
        State::RolledBack => (9, rolled(vec![done(back.clone())]).concat()),
        State::Retiring => (10, Vec::new()),
        // Stuck on the way back.
        State::Stuck => (9, rolled(vec![failed(back.clone())]).concat()),
        // Stuck when blue was being removed.
        State::Done => (10, vec![intended(cancel.clone()), failed(cancel)]),
        other => panic!("{other}"),
    };
    events.truncate(keep);
    let held = events.into_iter().chain(more).map(|what| Body::Rollout { id: ID.to_owned(), what });
    held.map(|body| Entry { at_ms: 0, body }).collect()
}

/// A daemon whose rollout has come to `state`.
async fn at(state: State) -> Daemon {
    let daemon = daemon(&Arc::new(World { held: journal(state), ..World::default() })).await;
    let reached = daemon.ledger.rollouts[ID].state;
    assert_eq!(reached, if state == State::Done { State::Stuck } else { state });
    daemon
}

fn job() -> crate::model::job::JobSpec {
    crate::model::job::JobSpec {
        table: "s_v2".to_owned(),
        settings: BTreeMap::new(),
        ddl: Vec::new(),
        insert: String::new(),
        reads: Vec::new(),
        topic: "t.s_v2".to_owned(),
        exactly_once: false,
    }
}

async fn ask(daemon: &mut Daemon, how: Decision) -> Result<Reply, Refusal> {
    let (reply, answer) = oneshot::channel();
    let (rollout, by, via) = (ID.to_owned(), "Ada".to_owned(), "token ops".to_owned());
    let request = match how {
        Decision::Rollback => Request::RollBack { rollout, by, via, reply },
        _ => Request::Abort { rollout, by, via, reply },
    };
    daemon.answer(request).await.unwrap();
    answer.await.unwrap()
}

async fn deliver(daemon: &mut Daemon, decision: DecisionRequest) -> Result<Reply, Refusal> {
    let (reply, answer) = oneshot::channel();
    daemon.answer(Request::Decide { decision, reply }).await.unwrap();
    answer.await.unwrap()
}

fn signed(decision: Decision, evidence: &str) -> DecisionRequest {
    DecisionRequest {
        rollout: ID.to_owned(),
        decision,
        evidence: evidence.to_owned(),
        by: "Ada".to_owned(),
        via: "webhook ci".to_owned(),
        comment: None,
        delivery: "msg-1".to_owned(),
        content: Some("content".to_owned()),
    }
}

#[tokio::test]
async fn what_was_promoted_is_rolled_back_by_either_wish() {
    for state in [State::Promoting, State::Soaking] {
        for how in [Decision::Abort, Decision::Rollback] {
            let mut daemon = at(state).await;
            assert_eq!(ask(&mut daemon, how).await.unwrap().state, "rolling_back");
            let history = &daemon.ledger.rollouts[ID].history;
            assert!(history.last().unwrap().note.contains("Ada (token ops)"), "{history:?}");
        }
    }
}

#[tokio::test]
async fn where_nothing_was_promoted_only_an_abort_does_something() {
    for state in [State::Staging, State::AwaitingApproval] {
        let mut daemon = at(state).await;
        let refusal = ask(&mut daemon, Decision::Rollback).await.unwrap_err();
        assert_eq!(refusal.cause, RefusalCause::WrongState);
        assert!(refusal.message.contains("nothing has been promoted"), "{refusal}");
        assert_eq!(daemon.ledger.rollouts[ID].state, state, "a refused wish moves nothing");
        // Explaining leaves nothing to remove.
        assert_eq!(ask(&mut daemon, Decision::Abort).await.unwrap().state, "aborted");
    }
}

#[tokio::test]
async fn there_is_no_way_back_once_blue_is_being_removed() {
    // The last one is stuck there.
    for state in [State::Retiring, State::Done] {
        let mut daemon = at(state).await;
        let refusal = ask(&mut daemon, Decision::Rollback).await.unwrap_err();
        assert!(refusal.message.contains("no way back"), "{refusal}");
    }
    let refusal = ask(&mut at(State::RolledBack).await, Decision::Rollback).await.unwrap_err();
    assert!(refusal.message.contains("asked for before"), "{refusal}");
}

#[tokio::test]
async fn a_roll_back_that_got_stuck_is_tried_again_by_asking_again() {
    for how in [Decision::Abort, Decision::Rollback] {
        let mut daemon = at(State::Stuck).await;
        let reply = ask(&mut daemon, how).await.unwrap();
        assert_eq!((reply.state.as_str(), reply.message.as_str()), ("rolling_back", "what failed is tried again"));
    }
}

#[tokio::test]
async fn a_signed_wish_must_name_what_the_rollout_shows_now() {
    let own = evidence().digest();
    for (state, how, end) in [
        (State::Soaking, Decision::Rollback, "rolling_back"),
        (State::Soaking, Decision::Abort, "rolling_back"),
        (State::AwaitingApproval, Decision::Abort, "aborted"),
    ] {
        let mut daemon = at(state).await;
        for other in ["sha256:other", "sha256:plan"] {
            let refusal = deliver(&mut daemon, signed(how, other)).await.unwrap_err();
            assert_eq!(refusal.cause, RefusalCause::EvidenceMismatch);
            assert_eq!(daemon.ledger.rollouts[ID].state, state);
        }
        // The evidence has expired long ago, which keeps nobody from going back.
        assert_eq!(deliver(&mut daemon, signed(how, &own)).await.unwrap().state, end);
    }
    // While there is no evidence it is the plan's digest.
    let mut daemon = at(State::Staging).await;
    let refusal = deliver(&mut daemon, signed(Decision::Abort, &own)).await.unwrap_err();
    assert_eq!(refusal.cause, RefusalCause::EvidenceMismatch);
    assert_eq!(deliver(&mut daemon, signed(Decision::Abort, "sha256:plan")).await.unwrap().state, "aborted");
}

#[tokio::test]
async fn a_signed_roll_back_that_comes_again_has_no_second_effect_also_after_a_restart() {
    let world = Arc::new(World { held: journal(State::Soaking), ..World::default() });
    let mut first = daemon(&world).await;
    let wish = signed(Decision::Rollback, &evidence().digest());
    let answer = deliver(&mut first, wish.clone()).await.unwrap();
    let journal: Vec<Entry> = world.held.iter().chain(world.journal.lock().unwrap().iter()).cloned().collect();
    let delivered = |entry: &&Entry| matches!(&entry.body, Body::Delivered { delivery, .. } if delivery.id == "msg-1");
    assert_eq!(journal.iter().filter(delivered).count(), 1);

    let mut again = daemon(&Arc::new(World { held: journal, ..World::default() })).await;
    let before = again.ledger.clone();
    assert_eq!(deliver(&mut again, wish.clone()).await.unwrap(), answer);
    let other = DecisionRequest { content: Some("other".to_owned()), ..wish };
    assert_eq!(deliver(&mut again, other).await.unwrap_err().cause, RefusalCause::ReplayMismatch);
    assert_eq!(again.ledger, before);
}

/// A plan that moves one connector.
fn plan() -> Plan {
    serde_json::from_value(serde_json::json!({
        "format": Plan::FORMAT, "env": "dev", "kind": "evolution", "title": "t", "changes": [], "verdicts": [],
        "tables": [], "untouched": [], "connectors": [], "unproven": [], "warnings": [],
        "work": Work { promoting: vec![moved()], ..Work::default() },
        "assumptions": {"manifest": "", "subjects": {}},
    }))
    .unwrap()
}

#[tokio::test]
async fn a_connector_whose_destination_is_being_mended_counts_as_on_its_way() {
    for (topic, differs) in [
        ("t.s", false),
        ("t.s.repair-evolution-1-0a0b0c0d", false),
        ("t.s_v2.repair-evolution-1-0a0b0c0d", true),
        ("t.other", true),
    ] {
        let world = World { connector: Mutex::new(Some(connector(topic))), ..World::default() };
        let standing = standing::look(&ports(&Arc::new(world)), &settings(), &plan()).await.unwrap();
        assert_eq!(standing.connectors["sink-s"].contains("topics"), differs, "{topic}");
    }
}

#[tokio::test]
async fn evidence_that_has_expired_is_not_approved_before_and_after_the_rollout_says_so() {
    let mut daemon = at(State::AwaitingApproval).await;
    let yes = signed(Decision::Approve, &evidence().digest());
    assert_eq!(deliver(&mut daemon, yes.clone()).await.unwrap_err().cause, RefusalCause::Expired);
    daemon.append(Body::Rollout { id: ID.to_owned(), what: Event::EvidenceExpired }).await.unwrap();
    assert_eq!(daemon.ledger.rollouts[ID].state, State::Unproven);
    assert_eq!(deliver(&mut daemon, yes).await.unwrap_err().cause, RefusalCause::Expired);
}
