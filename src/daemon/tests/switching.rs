//! A connector goes over and back, and the daemon is killed at every step of it.
//!
//! The world is a broker with two topics, a registry, and a Connect worker with one sink, whose destination does what a
//! table with upserts, deletes and added columns does. Rows keep changing while the connector moves.

mod harbour;

use self::harbour::{BLUE, Fate, GREEN, Harbour, State, forward, green_row, harbour, rows, run};
use super::*;
use crate::daemon::execute::{Done, Failed, Run, execute};
use crate::daemon::switch;

/// Runs the effect with a fate for one of its calls; whether that call came.
async fn fated(world: &Arc<Harbour>, effect: &Effect, n: usize, fate: Fate) -> (bool, Result<Done, Failed>) {
    {
        let mut state = world.lock();
        (state.calls, state.fate) = (0, Some((n, fate)));
        state.log.clear();
    }
    let result = execute(&run(world), effect).await;
    let mut state = world.lock();
    state.fate = None;
    (state.calls >= n, result)
}

/// The connector is where the effect brings it, the destination says what that topic says, and nothing is left behind.
fn arrived(world: &Arc<Harbour>, effect: &Effect, what: &str) {
    let Effect::MoveConnector { after, to, .. } = effect else { panic!() };
    let mut state = world.lock();
    assert!(!state.stopped && state.config == *after, "{what}: {:?}", state.config);
    state.work(usize::MAX);
    assert_eq!(rows(&state.destination), state.truth(to), "{what}: {:?}", state.log);
    assert_eq!(state.topics.keys().collect::<Vec<_>>(), [BLUE, GREEN], "{what}");
    assert_eq!(state.registered, BTreeSet::new(), "{what}");
    assert!(
        state.committed.keys().all(|topic| [BLUE, GREEN].contains(&topic.as_str())),
        "{what}: {:?}",
        state.committed
    );
}

#[tokio::test]
async fn the_destination_is_exact_over_and_back() {
    let world = harbour();
    let said = execute(&run(&world), &forward()).await.unwrap().note.unwrap();
    // Rows 0 and, not long ago, 5 were only blue's; no column is lost on the way to green.
    assert!(said.contains("rows deleted 1") && said.contains("lacks 0"), "{said}");
    arrived(&world, &forward(), "over");
    assert!(format!("{:?}", world.lock().destination).contains("tier"));

    let back = forward().undo().unwrap();
    let said = execute(&run(&world), &back).await.unwrap().note.unwrap();
    arrived(&world, &back, "back");
    assert!(!said.contains("rows deleted 0") && !said.contains("lacks 0"), "{said}");
    let state = world.lock();
    let values = state.destination.values().flat_map(|row| row.get("tier"));
    assert!(values.clone().count() > 0 && values.clone().all(serde_json::Value::is_null), "NULL, not gone");
}

/// How many calls that change something a move makes.
async fn length(world: &Arc<Harbour>, effect: &Effect) -> usize {
    fated(world, effect, usize::MAX, Fate::Before).await.1.unwrap();
    world.lock().calls
}

#[tokio::test]
async fn a_daemon_that_is_killed_at_any_step_goes_on_to_the_same_end() {
    let back = forward().undo().unwrap();
    let mut kills = 0;
    for (effect, over_first) in [(forward(), false), (back, true)] {
        let begin = async || {
            let world = harbour();
            if over_first {
                execute(&run(&world), &forward()).await.unwrap();
            }
            world
        };
        let steps = length(&begin().await, &effect).await;
        assert!(steps > 12, "{steps}");
        for fate in [Fate::Before, Fate::After] {
            for first in 1..=steps {
                // Killed once, and once more at each step of the second try.
                let again = if fate == Fate::After { steps } else { 0 };
                for second in [None].into_iter().chain((1..=again).map(Some)) {
                    let world = begin().await;
                    let what = format!("killed {fate:?} step {first}, then {second:?}");
                    assert_eq!(
                        fated(&world, &effect, first, fate).await.1,
                        Err(Failed::Port(PortError::Fenced)),
                        "{what}"
                    );
                    if let Some(second) = second {
                        fated(&world, &effect, second, fate).await.1.ok();
                    }
                    execute(&run(&world), &effect).await.unwrap_or_else(|e| panic!("{what}: {e}"));
                    arrived(&world, &effect, &what);
                    kills += 1;
                }
            }
        }
    }
    println!("{kills} ways of being killed");
}

#[tokio::test]
async fn a_promotion_that_was_cut_off_anywhere_is_taken_back() {
    let back = forward().undo().unwrap();
    let steps = length(&harbour(), &forward()).await;
    for fate in [Fate::Before, Fate::After] {
        for first in 1..=steps {
            let again = if fate == Fate::After { steps + 4 } else { 1 };
            for second in 1..=again {
                let world = harbour();
                fated(&world, &forward(), first, fate).await.1.unwrap_err();
                let green_served = world.lock().config["topics"] == GREEN;
                fated(&world, &back, second, fate).await.1.ok();
                execute(&run(&world), &back).await.unwrap();
                let what = format!("{fate:?}, over to step {first}, back to step {second}");
                arrived(&world, &back, &what);
                // The column is not added to the destination only to be NULL there.
                let column = format!("{:?}", world.lock().destination).contains("tier");
                assert!(green_served || !column, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_connector_that_a_person_put_back_on_blue_is_taken_back_all_the_same() {
    let back = forward().undo().unwrap();
    let world = harbour();
    execute(&run(&world), &forward()).await.unwrap();
    world.lock().config.insert("topics".to_owned(), BLUE.to_owned());
    let told = execute(&Run { served: true, ..run(&world) }, &back).await.unwrap();
    arrived(&world, &back, "put back by hand");
    assert!(told.note.is_some_and(|note| note.contains("rows deleted")), "what was mended is told");
}

#[tokio::test]
async fn a_call_without_an_answer_is_made_again() {
    let steps = length(&harbour(), &forward()).await;
    for n in 1..=steps {
        let world = harbour();
        let (came, result) = fated(&world, &forward(), n, Fate::Unanswered).await;
        assert!(came && result.is_ok(), "step {n}: {result:?}");
        arrived(&world, &forward(), &format!("no answer at step {n}"));
    }
}

#[tokio::test]
async fn where_nothing_differs_no_repair_topic_is_made() {
    let world = harbour();
    {
        let mut state = world.lock();
        state.make(GREEN, 2);
        for id in 0..6 {
            state.put(GREEN, id, green_row(id, "basic"));
        }
    }
    let (_, done) = fated(&world, &forward(), usize::MAX, Fate::Before).await;
    assert_eq!(done.unwrap(), Done::default());
    arrived(&world, &forward(), "the same keys");
    let log = world.lock().log.clone();
    assert_eq!(log, ["stop", "offsets t.s_v2", "configure t.s_v2", "resume"]);
}

/// Moves the connector in a world that was changed; what is told of it.
async fn unmended(change: impl FnOnce(&mut State), effect: &Effect) -> (Arc<Harbour>, String) {
    let world = harbour();
    change(&mut world.lock());
    let said = execute(&run(&world), effect).await.unwrap().note.unwrap();
    let state = world.lock();
    assert!(!state.stopped && state.config["topics"] == GREEN);
    assert!(said.contains("NOT mended"), "{said}");
    assert!(state.destination.keys().any(|key| key.contains("(0)")), "row 0 is still there");
    assert_eq!(state.topics.keys().collect::<Vec<_>>(), [BLUE, GREEN]);
    drop(state);
    (world, said)
}

#[tokio::test]
async fn what_cannot_be_mended_is_moved_and_said() {
    let Effect::MoveConnector { name, before, mut after, from, to } = forward() else { panic!() };
    after.remove("delete.enabled");
    let keeps = Effect::MoveConnector { name, before, after, from, to };
    let (_, said) = unmended(|_| {}, &keeps).await;
    assert!(said.contains("delete.enabled = true is not set"), "{said}");

    // What is not in the topic any more may be true all the same: nothing is deleted for it.
    let (_, said) = unmended(
        |state| {
            for partition in &mut state.topics.get_mut(GREEN).unwrap().1 {
                partition.pop_front();
            }
            state.lost.insert(GREEN.to_owned(), 1);
        },
        &forward(),
    )
    .await;
    assert!(said.contains("topic t.s_v2 has lost its first records"), "{said}");
}

#[tokio::test]
async fn a_record_that_cannot_be_read_keeps_the_destination_as_it_is() {
    for topic in [BLUE, GREEN] {
        let foreign = |state: &mut State| {
            let record = &mut state.topics.get_mut(topic).unwrap().1[0][1];
            record.key = Some(b"no avro".to_vec());
        };
        let (world, said) = unmended(foreign, &forward()).await;
        assert!(said.contains(&format!("record 1 in partition 0 of topic {topic} cannot be read")), "{said}");
        let log = world.lock().log.clone();
        assert!(log.iter().all(|call| !call.contains(".repair-")), "{log:?}");
    }
}

#[tokio::test]
async fn a_missing_permission_does_not_keep_the_connector_from_serving() {
    let steps = length(&harbour(), &forward()).await;
    let mut told = 0;
    for n in 1..=steps {
        let world = harbour();
        let (_, result) = fated(&world, &forward(), n, Fate::Refused).await;
        let call = world.lock().log[n - 1].clone();
        let ours = call.starts_with("create ") || call.starts_with("write ");
        match result {
            Ok(Done { note: Some(note), .. }) if ours => {
                assert!(note.contains("NOT mended") && note.contains("not allowed"), "{call}: {note}");
                assert_eq!(world.lock().config["topics"], GREEN);
                told += 1;
            }
            // A converter may do without the subject.
            Ok(_) => assert!(call.starts_with("register "), "{call}"),
            Err(_) => assert!(!ours, "{call}"),
        }
    }
    assert_eq!(told, 2);
}

#[tokio::test]
async fn waiting_ends_when_the_rollout_goes_another_way() {
    let world = harbour();
    world.lock().stuck = true;
    let run = run(&world);
    run.turned.store(true, Ordering::SeqCst);
    let failed = execute(&run, &forward()).await.unwrap_err().to_string();
    assert!(failed.contains("the rollout goes another way"), "{failed}");
    // Nor is a system that does not answer asked for ever.
    let silent = harbour();
    {
        let mut state = silent.lock();
        (state.calls, state.fate) = (0, Some((1, Fate::Unanswered)));
    }
    let turned = Run { turned: Arc::clone(&run.turned), ..self::run(&silent) };
    assert_eq!(execute(&turned, &forward()).await, Err(Failed::Port(silence())));
    assert_eq!(silent.lock().calls, 1);
    world.lock().stuck = false;
    let back = forward().undo().unwrap();
    execute(&self::run(&world), &back).await.unwrap();
    arrived(&world, &back, "turned");
}

#[test]
fn the_name_of_a_repair_topic_is_its_move_s_own_and_fits() {
    let name = |rollout: &str, connector: &str, to: &str| switch::repair_topic(rollout, connector, to);
    let plain = name("evolution-1", "c", "t.s");
    assert!(plain.starts_with("t.s.repair-evolution-1-"), "{plain}");
    assert_ne!(plain, name("evolution-1", "d", "t.s"));
    assert_ne!(plain, name("evolution-2", "c", "t.s"));
    let long = "t".repeat(249);
    assert_eq!(name("evolution-1", "c", &long).len(), 249);
    for (topic, to, fine) in [
        (plain.as_str(), "t.s", true),
        (plain.as_str(), "t.s_v2", false),
        (&name("r", "c", &long), &long, true),
        ("t.s", "t.s", false),
        ("t.s.repair-", "t.s", false),
    ] {
        assert_eq!(switch::repairs(topic, to), fine, "{topic} {to}");
    }
}
