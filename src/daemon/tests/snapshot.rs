//! The daemon keeps its journal short, and a daemon that starts from a snapshot knows what it must.

use std::time::Duration;

use super::*;
use crate::daemon::handle::{Decision, DecisionRequest};
use crate::rollout::{Ledger, Unreadable};

/// A journal in the form that entries had first: one rollout, all the way to its end.
fn first_form() -> Vec<Entry> {
    let lines = include_str!("../../../tests/it/rollout/first_form.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Lets the daemon turn until its journal holds a snapshot; what it holds from there on.
async fn until_folded(world: &World) -> Vec<Entry> {
    let folded = async {
        loop {
            let forgotten = *world.forgotten.lock().unwrap();
            if let Some(Place(place)) = forgotten {
                return world.journal.lock().unwrap()[usize::try_from(place).unwrap()..].to_vec();
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), folded).await.expect("a snapshot, and what is older forgotten")
}

fn short(held: Vec<Entry>) -> Arc<World> {
    Arc::new(World { held, shortened: true, ..World::default() })
}

#[tokio::test]
async fn a_rollout_that_ends_leaves_a_snapshot_that_a_fresh_daemon_starts_from() {
    let subject = || "p.a-value".to_owned();
    let subjects = BTreeMap::from([(subject(), vec![envelope(""), envelope(&field("x"))])]);
    let world = Arc::new(World { subjects: subjects.clone(), held: one_reader(Vec::new()), ..World::default() });
    let (mut daemon, handle) = leading(&world).await.unwrap();
    daemon.decide_on(Sighting { subject: subject(), version: 2, at_ms: 0 }).await.unwrap();
    daemon.publish();
    let open = handle.view().rollouts[0].clone();
    let turning = tokio::spawn(async move { daemon.turn().await });
    handle.abort(open.id.clone(), "ann".to_owned(), "token ann".to_owned()).await.unwrap();
    let held = until_folded(&world).await;
    turning.abort();
    assert!(matches!(held[0].body, Body::Snapshot { rest: Some(_), .. }), "{held:?}");

    let world = Arc::new(World { subjects, held, shortened: true, ..World::default() });
    let (mut fresh, handle) = leading(&world).await.unwrap();
    fresh.publish();
    let view = handle.view();
    assert_eq!(view.manifest.tables.keys().collect::<Vec<_>>(), ["a"]);
    let over = &view.rollouts[0];
    assert_eq!((over.state.as_str(), over.ended, over.plan.is_null()), ("aborted", true, true));
    assert_eq!((&over.id, &over.title, &over.plan_digest), (&open.id, &open.title, &open.plan_digest));
    assert_eq!((over.created_ms, over.kind), (open.created_ms, open.kind));
    assert_eq!(over.history.iter().map(|s| s.state.as_str()).collect::<Vec<_>>(), ["proposed", "aborted"]);
    // The version was looked at, nothing is to be folded, and the next rollout has a number of its own.
    fresh.decide_on(Sighting { subject: subject(), version: 2, at_ms: 0 }).await.unwrap();
    fresh.fold_history().await.unwrap();
    assert_eq!(*world.journal.lock().unwrap(), []);
    assert_eq!(fresh.ledger.proposed, 1);
}

#[tokio::test]
async fn an_ended_rollout_of_a_journal_of_old_is_folded_and_its_approval_still_answers_a_repeat() {
    let world = Arc::new(World { held: first_form(), ..World::default() });
    let (mut daemon, _handle) = leading(&world).await.unwrap();
    let whole = daemon.ledger.clone();
    let turning = tokio::spawn(async move { daemon.turn().await });
    let held = until_folded(&world).await;
    turning.abort();

    let (mut fresh, handle) = leading(&short(held)).await.unwrap();
    assert_eq!(fresh.ledger, whole.folded());
    assert_eq!((&fresh.ledger.manifest, &fresh.ledger.jobs), (&whole.manifest, &whole.jobs));
    assert_eq!(whole.jobs.keys().collect::<Vec<_>>(), ["a_v2"]);
    let turning = tokio::spawn(async move { fresh.turn().await });
    let repeated = |delivery: &str| DecisionRequest {
        rollout: "r".to_owned(),
        decision: Decision::Approve,
        evidence: whole.rollouts["r"].evidence_digest().unwrap(),
        by: "ann".to_owned(),
        via: "token ann".to_owned(),
        comment: None,
        delivery: delivery.to_owned(),
        content: None,
    };
    let reply = handle.decide(repeated("d")).await.unwrap();
    assert_eq!((reply.state.as_str(), reply.message.as_str()), ("done", "decided by ann before"));
    assert!(handle.decide(repeated("another")).await.is_err());
    turning.abort();
}

#[tokio::test]
async fn older_entries_that_cannot_be_deleted_stop_nothing_and_are_passed_over() {
    let world = Arc::new(World { held: first_form(), forgets_nothing: true, ..World::default() });
    let mut first = daemon(&world).await;
    first.fold_history().await.unwrap();
    let journal = world.journal.lock().unwrap().clone();
    assert!(matches!(&journal[..], [Entry { body: Body::Snapshot { rest: Some(_), .. }, .. }]), "{journal:?}");
    // As after a stop between the snapshot and the deletion.
    let everything: Vec<Entry> = first_form().into_iter().chain(journal).collect();
    let mut next = daemon(&Arc::new(World { held: everything, ..World::default() })).await;
    assert_eq!(next.ledger, first.ledger);
    next.fold_history().await.unwrap();
    assert_eq!(next.ledger, first.ledger);
}

#[tokio::test]
async fn a_snapshot_that_the_journal_does_not_take_stops_nothing_and_is_not_tried_every_turn() {
    let world = Arc::new(World { held: first_form(), largest_entry: 200, ..World::default() });
    let mut daemon = daemon(&world).await;
    daemon.fold_history().await.unwrap();
    assert_eq!((world.journal.lock().unwrap().len(), *world.forgotten.lock().unwrap()), (0, None));
    assert!(daemon.snapshot_after > daemon.unfolded);
    daemon.append(Body::Watched { subject: "s".to_owned(), version: 1 }).await.unwrap();
    assert_eq!(daemon.ledger.first_seen["s"], 1);
}

#[tokio::test]
async fn a_journal_whose_beginning_is_gone_is_refused_with_the_way_out() {
    for held in [Vec::new(), first_form(), first_form()[3..].to_vec()] {
        let stopped = leading(&short(held)).await.err().expect("refused");
        assert!(matches!(stopped, Stopped::Unreadable(Unreadable::Headless)), "{stopped}");
        assert!(stopped.to_string().contains("first entries were deleted"), "{stopped}");
        for way in ["retention.ms", "a copy of the topic", "journal.topic"] {
            assert!(stopped.help().contains(way), "{}", stopped.help());
        }
    }
    assert_eq!(daemon(&Arc::default()).await.ledger, Ledger::default());
}

#[tokio::test]
async fn a_plan_is_journaled_with_its_work_once_and_shown_whole() {
    let subject = || "p.a-value".to_owned();
    let subjects = BTreeMap::from([(subject(), vec![envelope(""), envelope(&field("x"))])]);
    let world = Arc::new(World { subjects, held: one_reader(Vec::new()), ..World::default() });
    let (mut daemon, handle) = leading(&world).await.unwrap();
    daemon.decide_on(Sighting { subject: subject(), version: 2, at_ms: 0 }).await.unwrap();
    let Body::Rollout { what: Event::Proposed(new), .. } = world.journal.lock().unwrap()[0].body.clone() else {
        panic!("no proposal")
    };
    assert_eq!(new.plan.get("work"), None);
    daemon.publish();
    let shown = handle.view().rollouts[0].clone();
    let plan: crate::plan::Plan = serde_json::from_value((*shown.plan).clone()).unwrap();
    assert_eq!((plan.digest(), plan.work), (new.plan_digest, new.work));
}
