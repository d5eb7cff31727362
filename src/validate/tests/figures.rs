//! Digests, samples and the answer over several tables.

use proptest::prelude::*;

use super::super::overall;
use super::*;

fn verdict_of(scene: &mut Scene) -> TableVerdict {
    scene.round();
    scene.verdict()
}

fn passing() -> TableVerdict {
    let mut scene = Scene::upsert();
    scene.both(&row(1, "ann", 1.0));
    verdict_of(&mut scene)
}

#[test]
fn nothing_compared_is_undecided() {
    assert_eq!(overall(&[]), (Outcome::Undecided, "nothing was compared".to_owned()));
    let mut contract = exact(Changelog::Upsert);
    contract.blue_topic = None;
    let mut scene = Scene::new(contract);
    scene.put(Side::Green, &row(1, "ann", 1.0));
    let alone = verdict_of(&mut scene);
    assert_eq!(alone.outcome, Outcome::Pass);
    assert_eq!(overall(std::slice::from_ref(&alone)).0, Outcome::Undecided);
    assert_eq!(overall(&[alone, passing()]).0, Outcome::Pass);
}

#[test]
fn one_failure_fails_everything_and_one_undecided_table_is_named_alone() {
    let undecided = verdict_of(&mut Scene::upsert());
    let mut failing = Scene::append();
    let value = failing.value(Side::Green, &row(1, "ann", 1.0));
    failing.write(Side::Green, 0, None, Some(value));
    let mut failed = verdict_of(&mut failing);
    failed.table = "events".to_owned();
    assert_eq!(
        overall(&[passing(), undecided.clone()]),
        (
            Outcome::Undecided,
            "1 of 2 tables could not be decided, the first is `orders`: no row was compared".to_owned()
        )
    );
    assert_eq!(
        overall(&[passing(), undecided, failed]),
        (Outcome::Fail, "1 of 3 tables failed, the first is `events`: green's rows are wrong: 1 extra".to_owned())
    );
}

#[test]
fn one_table_without_a_key_does_not_spoil_the_whole_comparison() {
    let mut keyless = Scene::append();
    for side in [Side::Blue, Side::Green] {
        let value = keyless.value(side, &row(1, "ann", 1.0));
        keyless.write(side, 0, None, Some(value));
    }
    let alone = overall(&[passing()]);
    assert_eq!(alone, (Outcome::Pass, "1 table agrees: 1 row compared, no duplicates".to_owned()));
    let (outcome, reason) = overall(&[passing(), verdict_of(&mut keyless)]);
    assert_eq!((outcome, reason.as_str()), (Outcome::Pass, "all 2 tables agree: 2 rows compared, no duplicates"));
}

#[test]
fn samples_are_capped_and_every_kind_has_its_share() {
    let mut scene = Scene::upsert();
    for id in 0..100 {
        scene.put(Side::Blue, &row(id, "only blue", 1.0));
        scene.put(Side::Green, &row(1000 + id, "only green", 1.0));
    }
    scene.put(Side::Blue, &row(5000, &"x".repeat(500), 1.0));
    scene.put(Side::Green, &row(5000, &"é".repeat(500), 1.0));
    let verdict = verdict_of(&mut scene);
    assert_eq!((verdict.missing, verdict.extra, verdict.samples.len()), (100, 100, 20));
    assert!(verdict.samples.iter().filter(|s| s.starts_with("extra")).count() >= 9);
    let different = verdict.samples.iter().find(|s| s.starts_with("different")).expect("its share");
    assert_eq!(*different, format!("different: id=5000: name: blue {}…, green {}…", "x".repeat(80), "é".repeat(80)));
}

#[test]
fn equal_rows_of_both_sides_share_their_bytes() {
    let mut scene = Scene::upsert();
    scene.both(&row(1, "ann", 1.0));
    scene.round();
    let super::super::State::Upsert(fold) = &scene.table.state else { panic!("upsert") };
    let rows = [Side::Blue, Side::Green].map(|s| fold.keys[0].row(s).expect("live").cells.clone());
    assert!(std::sync::Arc::ptr_eq(&rows[0], &rows[1]));
}

proptest! {
    #[test]
    fn order_of_partitions_does_not_change_the_digest(
        ids in proptest::collection::btree_set(0i64..50, 1..30),
        order in Just([0, 1, 2, 3]).prop_shuffle(),
        changelog in prop_oneof![Just(Changelog::Upsert), Just(Changelog::Append)],
    ) {
        let build = |order: &[i64]| {
            let mut scene = Scene::new(exact(changelog));
            for partition in order {
                for id in ids.iter().filter(|id| *id % 4 == *partition) {
                    let value = scene.value(Side::Green, &row(*id, "ann", *id as f64));
                    scene.write(Side::Green, *partition as i32, Scene::key(*id), Some(value));
                }
            }
            verdict_of(&mut scene)
        };
        let (straight, shuffled) = (build(&[0, 1, 2, 3]), build(&order));
        prop_assert_eq!(&straight.digest_green, &shuffled.digest_green);
        prop_assert_ne!(&straight.digest_green, &straight.digest_blue);
    }

    #[test]
    fn green_that_replays_blue_with_any_lag_is_never_called_different(
        writes in proptest::collection::vec((0i64..6, 0i64..4), 1..80),
        steps in proptest::collection::vec((0usize..12, 0usize..12), 1..8),
    ) {
        // Both sides write the same sequence; at each cut both hold what the faster side had shown at the mark.
        let mut scene = Scene::upsert();
        let (mut blue, mut green) = (0, 0);
        let write = |scene: &mut Scene, side: Side, done: &mut usize, upto: usize| {
            while *done < upto.min(writes.len()) {
                let (id, total) = writes[*done];
                if total == 0 { scene.delete(side, id) } else { scene.put(side, &row(id, "ann", total as f64)) }
                *done += 1;
            }
        };
        for (b, g) in steps {
            let (to_blue, to_green) = (blue + b, green + g);
            write(&mut scene, Side::Blue, &mut blue, to_blue);
            write(&mut scene, Side::Green, &mut green, to_green);
            scene.mark();
            let cut = blue.max(green) + 1;
            write(&mut scene, Side::Blue, &mut blue, cut + b / 2);
            write(&mut scene, Side::Green, &mut green, cut + g / 2);
            prop_assert_eq!(scene.read().differences, 0);
        }
        let end = writes.len();
        write(&mut scene, Side::Blue, &mut blue, end);
        write(&mut scene, Side::Green, &mut green, end);
        let round = scene.round();
        prop_assert_eq!((round.pending, round.differences), (0, 0));
    }
}
