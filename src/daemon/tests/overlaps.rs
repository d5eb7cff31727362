//! A version that comes while a rollout is open, and history that is accepted as it is.

use tokio::sync::oneshot;

use super::*;
use crate::daemon::handle::{BaselineRequest, Decision, DecisionRequest, Refusal, RefusalCause, Reply, Request};
use crate::daemon::turn::Later;
use crate::daemon::view;
use crate::rollout::State;

const SUBJECT: &str = "p.a-value";
/// In the place of a version that is deleted.
const DELETED: &str = "deleted";
/// What nobody may add: a column without a default.
const BAD: &str = r#",{"name":"bad","type":"string"}"#;

fn versions(texts: &[&str]) -> BTreeMap<String, Vec<String>> {
    let text = |more: &&str| if *more == DELETED { String::new() } else { envelope(more) };
    BTreeMap::from([(SUBJECT.to_owned(), texts.iter().map(text).collect())])
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
    let (mut daemon, refusing) = with_versions(&world, &["", &x, bad]).await;
    assert_eq!(daemon.decide_on(seen(3)).await.unwrap(), None);
    let refusal = allowed(&mut daemon).await.unwrap_err();
    assert_eq!(refusal.cause, RefusalCause::AssumptionsMoved, "{refusal}");
    let shown = view::of(&daemon.ledger, View::default());
    assert!(shown.rollouts[0].waiting_on.contains("version 3 was refused"), "{}", shown.rollouts[0].waiting_on);
    assert_eq!(shown.refused.len(), 1);
    // A node of the registry that is behind still says 2: nothing follows from that.
    assert_eq!(daemon.decide_on(seen(2)).await.unwrap(), None);
    assert_eq!(view::of(&daemon.ledger, View::default()).refused.len(), 1);
    // Its owner deletes it: the registry's newest is 2 again.
    let journal = world.journal.lock().unwrap().iter().chain(&*refusing.journal.lock().unwrap()).cloned().collect();
    let held = World { held: [world.held.clone(), journal].concat(), ..World::default() };
    let (mut daemon, _) = with_versions(&Arc::new(held), &["", &x, DELETED]).await;
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

/// What the journal of `world` says of versions, in its order: refused ones with `!`, and `p` for a proposal.
fn said(world: &World) -> Vec<String> {
    let one = |entry: &Entry| match &entry.body {
        Body::Evolution { version, refused, .. } if refused.is_empty() => Some(version.to_string()),
        Body::Evolution { version, .. } => Some(format!("{version}!")),
        Body::Rollout { what: Event::Proposed(new), .. } => {
            Some(format!("p{}", if new.title.contains('y') { "xy" } else { "x" }))
        }
        _ => None,
    };
    world.journal.lock().unwrap().iter().filter_map(one).collect()
}

#[tokio::test]
async fn versions_that_came_while_the_registry_was_away_are_handled_once_and_in_their_order() {
    let (x, y) = (field("x"), field("y"));
    let both = format!("{x}{y}");
    let worse = format!("{both}{BAD}");
    // What the registry holds when it is back, and what the journal says then.
    for (texts, want) in [
        (vec!["", &x, &both], vec!["pxy", "3"]),
        // The newest may not be planned: the one before it is, and first.
        (vec!["", &x, BAD], vec!["px", "2", "3!"]),
        (vec!["", &x, &both, &worse], vec!["pxy", "3", "4!"]),
        // A version in between is deleted.
        (vec!["", DELETED, &both], vec!["pxy", "3"]),
        (vec!["", BAD, &x], vec!["2!", "3!"]),
        (vec!["", &x, DELETED, BAD], vec!["px", "2", "4!"]),
    ] {
        let newest = i32::try_from(texts.len()).unwrap();
        let world = Arc::new(World { subjects: versions(&texts), held: one_reader(Vec::new()), ..World::default() });
        let mut first = daemon(&world).await;
        assert_eq!(first.decide_on(seen(newest)).await.unwrap(), None, "{texts:?}");
        assert_eq!(said(&world), want, "{texts:?}");
        // Seen once more, it is nothing new.
        assert_eq!(first.decide_on(seen(newest)).await.unwrap(), None);
        assert_eq!(said(&world), want, "{texts:?}");
        // A daemon that stopped after any entry goes on to the same end.
        let written = world.journal.lock().unwrap().clone();
        for stop in 0..=written.len() {
            let held = [&world.held[..], &written[..stop]].concat();
            let world = Arc::new(World { held, ..World::default() });
            let (mut again, world) = with_versions(&world, &texts).await;
            again.pick_up().await.unwrap();
            assert_eq!(again.decide_on(seen(newest)).await.unwrap(), None);
            let all = said(&World {
                journal: Mutex::new([&written[..stop], &world.journal.lock().unwrap()[..]].concat()),
                ..World::default()
            });
            assert_eq!(all, want, "{texts:?}, stopped after {stop} entries");
        }
    }
}

#[tokio::test]
async fn a_version_that_only_another_node_has_is_waited_for() {
    let x = field("x");
    let world = Arc::new(World { subjects: versions(&["", &x]), held: one_reader(Vec::new()), ..World::default() });
    let mut daemon = daemon(&world).await;
    let later = daemon.decide_on(seen(3)).await.unwrap().unwrap();
    assert_eq!((later.waits.as_str(), later.behind), ("the registry to have version 3", None));
    assert_eq!(said(&world), Vec::<String>::new(), "what is there is planned together with it");
    // The subject is deleted meanwhile.
    let (mut daemon, world) = with_versions(&world, &[DELETED, DELETED]).await;
    assert_eq!(daemon.decide_on(seen(3)).await.unwrap(), None);
    assert_eq!(said(&world), Vec::<String>::new());
}
