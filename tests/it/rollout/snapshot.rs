//! Snapshots: with one in the place of what came before it, a journal says the same.

use cyanotype::rollout::snapshot::{ENDED, MANY, REFUSED};
use cyanotype::rollout::{Delivery, Rollout, Unreadable, replay};

use super::*;

/// What is tried next; what does not fit is left out.
#[derive(Clone, Debug)]
enum Move {
    Propose,
    /// One of the open rollouts goes on without trouble.
    Good(usize),
    /// One of the rollouts meets an event.
    Any(usize, Event),
    Watch(u8, i32),
    Look(u8, i32, Vec<String>),
    Baseline(u8, i32),
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        2 => Just(Move::Propose),
        24 => (0..2_usize).prop_map(Move::Good),
        2 => (0..4_usize, any_event()).prop_map(|(which, event)| Move::Any(which, event)),
        1 => (0..3_u8, 1..4).prop_map(|(subject, version)| Move::Watch(subject, version)),
        1 => (0..3_u8, 1..9, prop::collection::vec("[a-z]{1,3}", 0..2)).prop_map(|(s, v, why)| Move::Look(s, v, why)),
        1 => (0..3_u8, 1..9).prop_map(|(subject, version)| Move::Baseline(subject, version)),
    ]
}

fn proposed(id: &str) -> Body {
    let new = NewRollout { id: id.to_owned(), plan: serde_json::json!({"title": "a column"}), ..rollout() };
    Body::Rollout { id: id.to_owned(), what: Event::Proposed(Box::new(new)) }
}

/// The journal that the moves make. Times stand still now and then.
fn history(moves: Vec<Move>) -> Vec<Entry> {
    let (mut ledger, mut entries) = (Ledger::default(), Vec::new());
    for (n, next) in (0..).zip(moves) {
        let open = ledger.open();
        let of = |rollout: &Rollout, what: Event| Body::Rollout { id: rollout.id.clone(), what };
        let body = match next {
            Move::Propose => Some(proposed(&format!("r{}", ledger.proposed))),
            Move::Good(n) => open.get(n % open.len().max(1)).and_then(|r| good_for(r).map(|event| of(r, event))),
            // Every event may have come in with a signed delivery.
            Move::Any(which, event) => ledger.rollouts.values().nth(which).map(|r| match n % 2 {
                0 => of(r, event),
                _ => {
                    let (id, content, message) = (format!("m{n}"), n.to_string(), "taken".to_owned());
                    Body::Delivered { id: r.id.clone(), what: event, delivery: Delivery { id, content, message } }
                }
            }),
            Move::Watch(subject, version) => Some(Body::Watched { subject: subject.to_string(), version }),
            Move::Look(subject, version, refused) => {
                let notice = if version % 2 == 0 { Notice::Taken } else { Notice::NotTaken };
                Some(Body::Evolution { subject: subject.to_string(), version, refused, notice })
            }
            Move::Baseline(subject, version) => {
                let (by, reason) = ("ann".to_owned(), "a mistake".to_owned());
                Some(Body::Baseline { subject: subject.to_string(), version, by, reason })
            }
        };
        let entry = body.map(|body| Entry { at_ms: n / 3, body });
        entries.extend(entry.filter(|entry| ledger.apply(entry).is_ok()));
    }
    entries
}

fn bytes(entries: &[Entry]) -> Vec<Vec<u8>> {
    entries.iter().map(|entry| serde_json::to_vec(entry).unwrap()).collect()
}

fn snapshot(ledger: &Ledger) -> Entry {
    Entry { at_ms: i64::MAX, body: ledger.snapshot() }
}

/// Everything that a decision looks at.
fn decisive(ledger: &Ledger) -> Ledger {
    let open = ledger.open().into_iter().map(|r| (r.id.clone(), r.clone())).collect();
    Ledger { rollouts: open, refused: Vec::new(), ..ledger.clone() }
}

/// Every open rollout goes on to its end.
fn gone_on(mut ledger: Ledger) -> Ledger {
    let next = |ledger: &Ledger| ledger.open().into_iter().find_map(|r| Some((r.id.clone(), good_for(r)?)));
    while let Some((id, what)) = next(&ledger) {
        ledger.apply(&Entry { at_ms: 1_000, body: Body::Rollout { id, what } }).unwrap();
    }
    ledger
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// After every prefix a snapshot may be written: with what follows, it adds up to what the whole journal does, save what
    /// a snapshot leaves out, and goes on to the same end.
    #[test]
    fn a_snapshot_stands_for_everything_before_it(moves in prop::collection::vec(any_move(), 1..80)) {
        let entries = history(moves);
        let whole = replay(&bytes(&entries), false).unwrap();
        let end = gone_on(whole.clone());
        for cut in 0..=entries.len() {
            let (before, after) = entries.split_at(cut);
            let folded = snapshot(&replay(&bytes(before), false).unwrap());
            let short: Vec<Entry> = [&folded].into_iter().chain(after).cloned().collect();
            let ledger = replay(&bytes(&short), true).unwrap();
            prop_assert_eq!(decisive(&ledger), decisive(&whole));
            prop_assert_eq!(ledger.folded(), whole.folded());
            prop_assert_eq!(gone_on(ledger.clone()).folded(), end.folded());
            // A stop before what is older was deleted, or in the middle of it.
            for left in [0, cut / 2] {
                let long: Vec<Entry> = before[left..].iter().chain(&short).cloned().collect();
                prop_assert_eq!(&replay(&bytes(&long), left > 0).unwrap(), &ledger);
            }
        }
        // Live and replayed are the same, and folding what was folded changes nothing.
        let mut live = whole.clone();
        live.apply(&snapshot(&whole)).unwrap();
        prop_assert_eq!(&live, &whole.folded());
        prop_assert_eq!(live.folded(), live);
    }
}

/// A rollout that is aborted before anything is done.
fn short_lived(n: usize) -> [Entry; 2] {
    let id = format!("r{n:03}");
    let abort = Event::AbortAsked { by: "ann".to_owned(), reason: "no".to_owned() };
    let at_ms = i64::try_from(n).unwrap();
    [proposed(&id), Body::Rollout { id, what: abort }].map(|body| Entry { at_ms, body })
}

#[test]
fn only_the_newest_outlines_and_refusals_are_kept_however_often_it_is_folded() {
    let more = 30;
    let (mut whole, mut often) = (Ledger::default(), Ledger::default());
    for n in 0..ENDED.max(REFUSED) + more {
        let refused = vec![format!("no {n}")];
        let look = Body::Evolution {
            subject: "s".to_owned(),
            version: i32::try_from(n).unwrap(),
            refused,
            notice: Notice::Taken,
        };
        for entry in short_lived(n).into_iter().chain([Entry { at_ms: 0, body: look }]) {
            whole.apply(&entry).unwrap();
            often.apply(&entry).unwrap();
        }
        if n % 7 == 0 {
            often.apply(&snapshot(&often)).unwrap();
        }
    }
    assert_eq!(often.folded(), whole.folded());
    let kept = whole.folded();
    assert_eq!((kept.rollouts.len(), kept.refused.len()), (ENDED, REFUSED));
    assert_eq!(kept.rollouts.keys().next().unwrap(), &format!("r{more:03}"));
    assert_eq!(kept.refused[0].reasons, [format!("no {more}")]);
    assert_eq!(kept.proposed, whole.rollouts.len() as u64);
}

#[test]
fn an_outline_tells_what_it_was_how_it_went_and_who_said_yes() {
    let mut ledger = Ledger::default();
    for (at_ms, id) in [(1, "r"), (2, "s")] {
        ledger.apply(&Entry { at_ms, body: proposed(id) }).unwrap();
        while let Some(what) = good_for(&ledger.rollouts[id]) {
            ledger.apply(&Entry { at_ms, body: Body::Rollout { id: id.to_owned(), what } }).unwrap();
        }
    }
    let folded = ledger.folded();
    for (before, after) in ledger.rollouts.values().zip(folded.rollouts.values()) {
        assert_eq!(before.state, State::Done);
        assert!(before.plan.is_object() && after.plan.is_null() && *after.work == Work::default());
        assert_eq!((&after.history, &after.approval), (&before.history, &before.approval));
        assert_eq!(after.approval.as_ref().unwrap().delivery, "d");
        assert_eq!((after.evidence_digest(), after.outcome()), (before.evidence_digest(), Some(Outcome::Pass)));
        assert_eq!((&after.plan_digest, &after.title), (&before.plan_digest, &before.title));
        assert_eq!((after.created_ms, after.since_ms), (before.created_ms, before.since_ms));
    }
    // What people may still want to look at closely.
    assert_eq!(folded.rollouts["r"].evidence, None);
    assert_eq!(folded.rollouts["s"].evidence, ledger.rollouts["s"].evidence);
}

#[test]
fn a_snapshot_is_due_when_a_rollout_has_ended_or_there_are_many_entries() {
    let mut ledger = until(State::Soaking);
    assert!(!ledger.snapshot_due(MANY - 1));
    assert!(ledger.snapshot_due(MANY));
    while let Some(event) = good(&ledger) {
        ledger.apply(&entry(event)).unwrap();
    }
    assert!(ledger.snapshot_due(1));
    ledger.apply(&snapshot(&ledger)).unwrap();
    assert!(!ledger.snapshot_due(MANY - 1));
}

#[test]
fn a_journal_whose_beginning_is_gone_is_not_taken_for_a_new_one() {
    let whole = bytes(&journal());
    assert_eq!(replay(&[], false), Ok(Ledger::default()));
    assert_eq!(replay(&[], true), Err(Unreadable::Headless));
    // A journal of old may begin with a snapshot that says nothing but the manifest.
    let manifest = Body::Snapshot { manifest: Box::default(), rest: None };
    let manifest = bytes(&[Entry { at_ms: 0, body: manifest }]);
    for left in [&whole[..], &whole[3..], &manifest] {
        assert_eq!(replay(left, true), Err(Unreadable::Headless));
    }
}

#[test]
fn what_a_replay_passes_over_is_not_even_read() {
    let mut entries = bytes(&[snapshot(&begun()), entry(Event::StagingAllowed { by: "policy".to_owned() })]);
    let ledger = replay(&entries, true).unwrap();
    assert_eq!(state(&ledger), State::Staging);
    entries.insert(0, b"from another age".to_vec());
    assert_eq!(replay(&entries, true), Ok(ledger));
    entries.push(b"from another age".to_vec());
    let Err(Unreadable::Entry { number: 3, .. }) = replay(&entries, true) else { panic!("read") };
}

#[test]
fn the_work_of_a_plan_is_written_once_and_read_in_its_place() {
    let new = |plan| NewRollout { plan, ..rollout() };
    let work = serde_json::to_value(rollout().work).unwrap();
    let full = serde_json::json!({"title": "a column", "work": work});
    // As it is written now, and as it was written first.
    for plan in [serde_json::json!({"title": "a column"}), full.clone()] {
        let mut ledger = Ledger::default();
        ledger.apply(&entry(Event::Proposed(Box::new(new(plan))))).unwrap();
        assert_eq!(*ledger.rollouts["r"].plan, full);
        let written = serde_json::to_value(snapshot(&ledger)).unwrap();
        let rollout = &written["rest"]["rollouts"][0];
        assert_eq!((&rollout["work"], rollout["plan"].get("work")), (&work, None));
    }
}

/// A journal as the first form of entries wrote it.
#[test]
fn a_journal_of_old_is_read() {
    let lines: Vec<Vec<u8>> = include_str!("first_form.jsonl").lines().map(|line| line.as_bytes().to_vec()).collect();
    let ledger = replay(&lines, false).unwrap();
    assert_eq!(state(&ledger), State::Done);
    assert_eq!(ledger.manifest.ahead.as_deref(), Some("branch"));
    assert_eq!(ledger.jobs.keys().collect::<Vec<_>>(), ["a_v2"]);
    assert_eq!((ledger.first_seen["a-value"], ledger.looked_at["a-value"], ledger.refused.len()), (1, 3, 1));
    let rollout = &ledger.rollouts["r"];
    assert_eq!(rollout.approval.as_ref().map(|a| a.evidence.clone()), rollout.evidence_digest());
    assert_eq!(rollout.evidence.as_ref().unwrap().cut["t"][&1], 7);
    assert_eq!(rollout.plan["work"], serde_json::to_value(&rollout.work).unwrap());
    // The snapshot it begins with is of the old form, and said nothing but the manifest.
    let first = replay(&lines[..1], false).unwrap();
    assert_eq!(first.manifest.subjects["a-value"], 1);
    assert_eq!(replay(&[lines[..3].to_vec(), lines[..1].to_vec()].concat(), false).unwrap().looked_at["a-value"], 2);
    assert_eq!(replay(&bytes(&[snapshot(&ledger)]), true).unwrap(), ledger.folded());
}
