//! A version that comes while a rollout is open, and history that is accepted as it is.

use tokio::sync::oneshot;

use super::*;
use crate::daemon::handle::{BaselineRequest, Decision, DecisionRequest, Refusal, RefusalCause, Reply, Request};
use crate::daemon::turn::Later;
use crate::daemon::view;
use crate::rollout::State;

const SUBJECT: &str = "p.a-value";

fn versions(texts: &[&str]) -> BTreeMap<String, Vec<String>> {
    BTreeMap::from([(SUBJECT.to_owned(), texts.iter().map(|more| envelope(more)).collect())])
}

fn seen(version: i32) -> Sighting {
    Sighting { subject: SUBJECT.to_owned(), version, at_ms: 0 }
}

/// A daemon on the journal of `world`, whose registry holds `texts` now.
async fn with_versions(world: &Arc<World>, texts: &[&str]) -> (Daemon, Arc<World>) {
    let journal = world.held.iter().chain(world.journal.lock().unwrap().iter()).cloned().collect();
    let world = Arc::new(World { subjects: versions(texts), held: journal, ..World::default() });
    (daemon(&world).await, world)
}

/// A daemon with a rollout for version 2, in a world with `texts`.
async fn proposed(texts: &[&str]) -> (Daemon, Arc<World>) {
    let world = Arc::new(World { subjects: versions(texts), held: one_reader(Vec::new()), ..World::default() });
    let mut first = daemon(&world).await;
    assert_eq!(first.decide_on(seen(2)).await.unwrap(), None);
    assert_eq!(first.ledger.open().len(), 1);
    (first, world)
}

#[tokio::test]
async fn a_newer_version_supersedes_a_rollout_that_does_not_serve_yet() {
    let (x, y) = (field("x"), field("y"));
    let both = format!("{x}{y}");
    let (_, world) = proposed(&["", &x]).await;
    let (mut daemon, _) = with_versions(&world, &["", &x, &both]).await;
    let later = daemon.decide_on(seen(3)).await.unwrap().unwrap();
    assert_eq!(later.waits, "its turn");
    let superseded = daemon.ledger.rollouts.values().next().unwrap();
    assert_eq!(superseded.state, State::Superseded);
    assert!(superseded.history.last().unwrap().note.contains("p.a-value version 3"), "{:?}", superseded.history);
    // Its turn: the plan starts from what is deployed, so it holds both columns.
    assert_eq!(daemon.decide_on(later.sighting).await.unwrap(), None);
    let open = daemon.ledger.open();
    let [newer] = &open[..] else { panic!("{open:?}") };
    assert!(newer.title.contains('x') && newer.title.contains('y'), "{}", newer.title);
}

#[tokio::test]
async fn a_newer_version_waits_for_a_rollout_that_serves_already() {
    let (x, y) = (field("x"), field("y"));
    let both = format!("{x}{y}");
    let (_, world) = proposed(&["", &x]).await;
    let (mut daemon, _) = with_versions(&world, &["", &x, &both]).await;
    let id = daemon.ledger.open()[0].id.clone();
    daemon.ledger.rollouts.get_mut(&id).unwrap().state = State::Soaking;
    let later = daemon.decide_on(seen(3)).await.unwrap().unwrap();
    assert_eq!((later.waits, later.behind), (format!("the end of rollout {id}"), Some(id.clone())));
    assert_eq!(daemon.ledger.rollouts[&id].state, State::Soaking);
}

#[tokio::test]
async fn a_version_that_no_statement_sees_leaves_an_open_rollout_alone() {
    let x = field("x");
    // A remark on a column changes the text of the schema and nothing else.
    let remarked = x.replace("\"name\":\"x\"", "\"name\":\"x\",\"doc\":\"said by the source\"");
    assert_ne!(x, remarked);
    let (_, world) = proposed(&["", &x]).await;
    let (mut daemon, _) = with_versions(&world, &["", &x, &remarked]).await;
    assert_eq!(daemon.decide_on(seen(3)).await.unwrap(), None);
    let open = daemon.ledger.open();
    assert_eq!((open.len(), open[0].state), (1, State::Proposed));
    // What it was planned for still holds.
    assert_eq!((daemon.ledger.looked_at[SUBJECT], daemon.ledger.moved[SUBJECT]), (3, 2));
}

/// What a yes to stage the one open rollout is answered with.
async fn allowed(daemon: &mut Daemon) -> Result<Reply, Refusal> {
    let rollout = daemon.ledger.open()[0].clone();
    let (reply, answer) = oneshot::channel();
    let decision = DecisionRequest {
        rollout: rollout.id,
        decision: Decision::Approve,
        evidence: rollout.plan_digest,
        by: "Ada".to_owned(),
        via: "token ops".to_owned(),
        comment: None,
        delivery: "d".to_owned(),
        content: None,
    };
    daemon.answer(Request::Decide { decision, reply }).await.unwrap();
    answer.await.unwrap()
}

#[tokio::test]
async fn a_refused_version_keeps_a_rollout_from_a_yes_until_it_is_deleted() {
    let x = field("x");
    let (_, world) = proposed(&["", &x]).await;
    let bad = r#",{"name":"y","type":"string"}"#;
    let (mut daemon, _) = with_versions(&world, &["", &x, bad]).await;
    assert_eq!(daemon.decide_on(seen(3)).await.unwrap(), None);
    let refusal = allowed(&mut daemon).await.unwrap_err();
    assert_eq!(refusal.cause, RefusalCause::AssumptionsMoved, "{refusal}");
    let shown = view::of(&daemon.ledger, View::default());
    assert!(shown.rollouts[0].waiting_on.contains("version 3 was refused"), "{}", shown.rollouts[0].waiting_on);
    assert_eq!(shown.refused.len(), 1);
    // Its owner deletes it: the registry's newest is 2 again.
    assert_eq!(daemon.decide_on(seen(2)).await.unwrap(), None);
    assert_eq!(view::of(&daemon.ledger, View::default()).refused, []);
    assert_eq!(allowed(&mut daemon).await.unwrap().state, "staging");
}

#[tokio::test]
async fn a_newer_version_that_is_not_judged_yet_keeps_a_rollout_from_a_yes() {
    let x = field("x");
    let (mut daemon, _) = proposed(&["", &x]).await;
    let waits = "the registry to answer".to_owned();
    daemon.later.insert(SUBJECT.to_owned(), Later { sighting: seen(3), waits, behind: None });
    let refusal = allowed(&mut daemon).await.unwrap_err();
    assert_eq!(refusal.cause, RefusalCause::Unchecked, "{refusal}");
    assert!(refusal.message.contains("the registry to answer"), "{refusal}");
    daemon.later.clear();
    assert_eq!(allowed(&mut daemon).await.unwrap().state, "staging");
}

async fn baseline(daemon: &mut Daemon, version: i32) -> Result<Reply, Refusal> {
    let (reply, answer) = oneshot::channel();
    let baseline = BaselineRequest {
        subject: SUBJECT.to_owned(),
        version,
        reason: "version 2 was a mistake and nobody reads it".to_owned(),
        by: "Ada".to_owned(),
        via: "token ops".to_owned(),
    };
    daemon.answer(Request::Baseline { baseline, reply }).await.unwrap();
    answer.await.unwrap()
}

#[tokio::test]
async fn a_subject_with_a_bad_past_goes_on_after_a_baseline() {
    // Version 2 made `x` a required column without a default; version 3 makes it what it should have been.
    let bad = r#",{"name":"x","type":"string"}"#;
    let x = field("x");
    let texts = ["", bad, &x];
    let world = Arc::new(World { subjects: versions(&texts), held: one_reader(Vec::new()), ..World::default() });
    let mut first = daemon(&world).await;
    for version in [2, 3] {
        assert_eq!(first.decide_on(seen(version)).await.unwrap(), None);
    }
    assert_eq!((first.ledger.open().len(), first.ledger.refused.len()), (0, 2), "{:?}", first.ledger.refused);

    let refusal = baseline(&mut first, 4).await.unwrap_err();
    assert_eq!(refusal.cause, RefusalCause::Invalid, "{refusal}");
    baseline(&mut first, 3).await.unwrap();
    assert_eq!((first.later.len(), first.ledger.refused.len()), (1, 0));
    assert_eq!(first.decide_on(seen(3)).await.unwrap(), None);
    assert_eq!(first.ledger.open().len(), 1, "{:?}", first.ledger.refused);

    // It is in the journal: a daemon that is started again has it.
    let (again, _) = with_versions(&world, &texts).await;
    assert_eq!(again.ledger.baselines, BTreeMap::from([(SUBJECT.to_owned(), 3)]));
}
