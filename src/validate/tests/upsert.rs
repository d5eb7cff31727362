//! Upsert tables: keys at rest, hot keys, duplicates.

use super::*;

#[test]
fn equal_tables_pass() {
    let mut scene = Scene::upsert();
    for id in 0..10 {
        scene.both(&row(id, "ann", id as f64));
    }
    scene.both(&row(3, "bob", 7.0));
    scene.delete(Side::Blue, 4);
    scene.delete(Side::Green, 4);
    let round = scene.round();
    assert_eq!((round.pending, round.decided, round.differences), (0, 9, 0));
    assert_eq!((round.read_blue, round.read_green), (12, 12));
    let verdict = scene.verdict();
    assert_outcome(&verdict, Outcome::Pass, "9 rows equal at rest, no duplicates");
    assert_eq!((verdict.rows_blue, verdict.rows_green, verdict.equal), (9, 9, 9));
    assert_eq!(verdict.digest_blue, verdict.digest_green);
}

#[test]
fn missing_extra_and_different_rows_fail_and_are_named() {
    let mut scene = Scene::upsert();
    scene.both(&row(1, "ann", 1.0));
    scene.put(Side::Blue, &row(2, "only blue", 1.0));
    scene.put(Side::Green, &row(3, "only green", 1.0));
    scene.put(Side::Blue, &row(4, "dan", 1.0));
    scene.put(Side::Green, &row(4, "dan", 2.0));
    assert_eq!(scene.round().differences, 3);
    let verdict = scene.verdict();
    assert_outcome(&verdict, Outcome::Fail, "1 missing, 1 extra, 1 different");
    assert_eq!((verdict.missing, verdict.extra, verdict.different, verdict.equal), (1, 1, 1, 1));
    assert_eq!(
        verdict.samples,
        [
            "missing: id=2: missing in green",
            "extra: id=3: only in green",
            "different: id=4: total: blue 1.0, green 2.0"
        ]
    );
    assert_eq!(verdict.columns["total"], "exact: 1 different");
    assert_ne!(verdict.digest_blue, verdict.digest_green);
}

#[test]
fn comparing_versions_that_have_not_seen_the_same_input_is_pending_not_different() {
    let mut scene = Scene::upsert();
    scene.both(&row(1, "ann", 1.0));
    scene.both(&row(2, "bob", 1.0));
    scene.mark();
    scene.put(Side::Blue, &row(1, "ann", 2.0)); // green has not seen this input yet
    let round = scene.read();
    assert_eq!((round.pending, round.differences), (1, 0));
}

#[test]
fn lagging_green_is_pending_then_followed_then_equal() {
    let mut scene = Scene::upsert();
    scene.both(&row(1, "ann", 1.0));
    scene.put(Side::Blue, &row(1, "ann", 2.0));
    scene.mark();
    scene.put(Side::Blue, &row(1, "ann", 3.0));
    scene.put(Side::Green, &row(1, "ann", 2.0));
    assert_eq!(scene.read().pending, 1);
    scene.mark();
    scene.put(Side::Green, &row(1, "ann", 3.0));
    assert_eq!(scene.read().pending, 0);
    let verdict = scene.verdict();
    assert_outcome(&verdict, Outcome::Pass, "1 followed until equal");
    assert_eq!((verdict.equal, verdict.followed, verdict.by_history), (0, 1, 0));
    scene.both(&row(1, "ann", 4.0));
    scene.round();
    assert_eq!((scene.verdict().equal, scene.verdict().followed), (1, 0));
}

#[test]
fn a_key_that_green_never_gets_is_missing_once_a_later_cut_covers_it() {
    let mut scene = Scene::upsert();
    scene.both(&row(1, "ann", 1.0));
    scene.mark();
    scene.put(Side::Blue, &row(2, "bob", 1.0));
    assert_eq!(scene.read().pending, 1);
    assert_eq!(scene.round().differences, 1);
    assert_outcome(&scene.verdict(), Outcome::Fail, "1 missing");
}

#[test]
fn a_lag_tolerance_that_can_never_be_met_is_not_asked_of_a_key_that_never_rests() {
    let mut scene = Scene::upsert();
    scene.both(&row(1, "total of the day", 0.0));
    scene.both(&row(2, "at rest", 0.0));
    for n in 0..10 {
        let n = f64::from(n) * 3.0;
        scene.mark();
        for step in 1..=3 {
            scene.put(Side::Blue, &row(1, "total of the day", n + f64::from(step)));
            scene.put(Side::Green, &row(1, "total of the day", n + f64::from(step) - 1.0));
        }
        let round = scene.read();
        assert_eq!((round.pending, round.by_history), (1, 1), "green is always one behind");
    }
    let verdict = scene.verdict();
    assert_outcome(&verdict, Outcome::Pass, "1 equal by their history");
    assert_eq!((verdict.equal, verdict.by_history, verdict.undecided), (1, 1, 0));
}

#[test]
fn a_hot_key_whose_histories_do_not_meet_is_undecided_and_named() {
    let mut scene = Scene::upsert();
    scene.both(&row(1, "ann", 1.0));
    scene.both(&row(2, "bob", 1.0));
    scene.mark();
    scene.put(Side::Blue, &row(1, "ann", 2.0));
    scene.put(Side::Green, &row(1, "ann", 99.0));
    scene.put(Side::Blue, &row(1, "ann", 3.0));
    scene.read();
    let verdict = scene.verdict();
    assert_outcome(&verdict, Outcome::Undecided, "1 keys kept changing");
    assert_eq!(verdict.undecided, 1);
    assert!(verdict.samples[0].starts_with("undecided: id=1: kept changing; blue id=1, name=ann, total=3.0"));
}

#[test]
fn a_green_that_stands_still_is_not_excused_by_values_before_the_last_cut() {
    let mut scene = Scene::upsert();
    scene.both(&row(1, "ann", 0.0));
    for n in 1..5 {
        scene.mark();
        scene.put(Side::Blue, &row(1, "ann", f64::from(n)));
        scene.read();
    }
    assert_outcome(&scene.verdict(), Outcome::Undecided, "1 keys kept changing");
}

#[test]
fn a_green_that_is_ahead_agrees_by_the_values_it_had() {
    let mut scene = Scene::upsert();
    scene.both(&row(1, "ann", 1.0));
    scene.both(&row(2, "bob", 1.0));
    scene.mark();
    scene.put(Side::Green, &row(1, "ann", 2.0)); // blue shows what was in force in green at the mark
    for total in [2.0, 3.0, 4.0] {
        scene.put(Side::Green, &row(2, "bob", total));
    }
    for total in [2.0, 3.0] {
        scene.put(Side::Blue, &row(2, "bob", total));
    }
    let round = scene.read();
    assert_eq!((round.pending, round.by_history), (2, 2));
    assert_eq!(scene.verdict().by_history, 2);
}

#[test]
fn histories_begin_at_the_latest_mark_and_records_after_it_stay_late() {
    let mut scene = Scene::upsert();
    for total in [1.0, 2.0, 3.0, 4.0] {
        scene.put(Side::Blue, &row(1, "ann", total));
    }
    scene.put(Side::Green, &row(1, "ann", 1.0));
    assert_eq!(scene.read().by_history, 1, "without marks everything is late");
    let at = |blue: i64| [Offsets::from([(1, blue)]), Offsets::from([(1, 1)])];
    scene.marks = at(1);
    assert_eq!((scene.read().pending, scene.read().by_history), (1, 1), "1.0 was in force at offset 1");
    scene.marks = at(2);
    assert_eq!((scene.read().pending, scene.read().by_history), (1, 0), "1.0 was overwritten before offset 2");
    scene.marks = at(4);
    assert_eq!(scene.read().differences, 1, "at rest");
}

#[test]
fn history_is_bounded() {
    let mut scene = Scene::upsert();
    scene.both(&row(1, "ann", -1.0));
    scene.mark();
    for n in 0..1000 {
        scene.put(Side::Blue, &row(1, "ann", f64::from(n)));
    }
    scene.put(Side::Green, &row(1, "ann", 990.0));
    assert_eq!(scene.read().by_history, 1, "a recent value of blue");
    let mut scene = Scene::upsert();
    scene.both(&row(1, "ann", -1.0));
    scene.mark();
    for n in 0..1000 {
        scene.put(Side::Blue, &row(1, "ann", f64::from(n)));
    }
    scene.put(Side::Green, &row(1, "ann", 10.0));
    assert_eq!(scene.read().by_history, 0, "an old value is forgotten: undecided, not wrong");
}

#[test]
fn a_difference_at_a_sound_cut_stays_whatever_comes_later() {
    let mut scene = Scene::upsert();
    scene.put(Side::Blue, &row(1, "ann", 1.0));
    scene.put(Side::Green, &row(1, "ann", 2.0));
    assert_eq!(scene.round().differences, 1);
    scene.both(&row(1, "ann", 3.0));
    assert_eq!(scene.round().differences, 1);
    assert_outcome(&scene.verdict(), Outcome::Fail, "1 different");
}

#[test]
fn an_aborted_round_leaves_nothing_compared_and_the_next_one_counts_nothing_twice() {
    let mut scene = Scene::upsert();
    scene.both(&row(1, "ann", 1.0));
    scene.mark();
    scene.put(Side::Blue, &row(2, "bob", 1.0));
    let [blue, green] = scene.marks.clone();
    scene.table.begin_round(&blue, &green);
    for record in scene.logs[&Side::Blue].clone() {
        feed(&mut scene.table, &scene.schemas, Side::Blue, &record);
    }
    assert_outcome(&scene.verdict(), Outcome::Undecided, "no row was compared");
    scene.put(Side::Green, &row(2, "bob", 1.0));
    let round = scene.round();
    assert_eq!((round.read_blue, round.read_green, round.pending, round.decided), (0, 2, 0, 2));
    assert_outcome(&scene.verdict(), Outcome::Pass, "2 rows equal at rest");
}

#[test]
fn zero_rows_compared_is_undecided() {
    let mut scene = Scene::upsert();
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Undecided, "no row was compared");
    scene.both(&row(1, "ann", 1.0));
    scene.delete(Side::Blue, 1);
    scene.delete(Side::Green, 1);
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Undecided, "no row was compared");
}

#[test]
fn a_key_live_in_two_partitions_is_a_duplicate_and_no_difference() {
    let mut scene = Scene::upsert();
    scene.both(&row(1, "ann", 1.0));
    let stale = scene.value(Side::Green, &row(1, "stale", 0.0));
    scene.write(Side::Green, 7, Scene::key(1), Some(stale));
    scene.round();
    let verdict = scene.verdict();
    assert_outcome(&verdict, Outcome::Fail, "1 duplicate");
    assert_eq!(verdict.duplicates, BTreeMap::from([("two_partitions".to_owned(), 1)]));
    assert_eq!((verdict.different, verdict.extra, verdict.rows_green), (0, 0, 2), "looked for before the comparison");
    assert_eq!(verdict.samples, ["two_partitions: id=1: live 2 times, in partitions 1 and 7"]);
    scene.write(Side::Green, 7, Scene::key(1), None);
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Pass, "1 rows equal at rest");
}

#[test]
fn the_same_key_under_two_schema_ids_is_one_key() {
    let mut scene = Scene::upsert();
    let other = |id: i32| Some(wire(OTHER_KEY, OTHER_KEY_SCHEMA, &[("id", id.into())]));
    scene.put(Side::Blue, &row(1, "ann", 1.0));
    let value = scene.value(Side::Green, &row(1, "ann", 1.0));
    scene.write(Side::Green, 1, other(1), Some(value.clone()));
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Pass, "1 rows equal at rest");
    scene.write(Side::Green, 1, Scene::key(1), Some(value));
    scene.round();
    let verdict = scene.verdict();
    assert_outcome(&verdict, Outcome::Fail, "1 duplicate");
    assert_eq!(verdict.duplicates, BTreeMap::from([("two_encodings".to_owned(), 1)]));
}

#[test]
fn a_duplicate_in_blue_is_reported_and_not_held_against_green() {
    let mut scene = Scene::upsert();
    scene.both(&row(1, "ann", 1.0));
    let stale = scene.value(Side::Blue, &row(1, "stale", 0.0));
    scene.write(Side::Blue, 7, Scene::key(1), Some(stale));
    scene.round();
    let verdict = scene.verdict();
    assert_outcome(&verdict, Outcome::Pass, "1 rows equal at rest");
    assert_eq!(verdict.samples, ["blue: id=1: live 2 times, in partitions 1 and 7 (two_partitions)"]);
}

#[test]
fn repeated_identical_upserts_are_churn_not_failure() {
    let mut scene = Scene::upsert();
    scene.both(&row(1, "ann", 1.0));
    scene.put(Side::Green, &row(1, "ann", 1.0));
    scene.put(Side::Green, &row(1, "ann", 1.0));
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Pass, "");
    assert_eq!(scene.verdict().churn, 2);
}

#[test]
fn composite_keys_are_not_concatenated_and_null_keys_are_keys() {
    const PAIR: &str = r#"{"type":"record","name":"k","fields":[
        {"name":"a","type":["null","string"]},{"name":"b","type":["null","string"]}]}"#;
    const TOTAL: &str = r#"{"type":"record","name":"v","fields":[{"name":"total","type":"double"}]}"#;
    let names = ["a", "b", "total"];
    let mut contract = contract(Changelog::Upsert, &names.map(|n| (n, ColumnClass::Exact)));
    contract.key = vec!["a".to_owned(), "b".to_owned()];
    let mut scene = Scene::with_schemas(contract, TOTAL, TOTAL);
    scene.schemas.insert(9, PAIR.to_owned());
    let text = |t: &str| Value::String(t.to_owned());
    let keys = [(text("a"), text("bc")), (text("ab"), text("c")), (Value::Null, text("")), (text(""), Value::Null)];
    for (i, (a, b)) in keys.into_iter().enumerate() {
        for side in [Side::Blue, Side::Green] {
            let value = scene.value(side, &[("total", (i as f64).into())]);
            scene.write(side, 0, Some(wire(9, PAIR, &[("a", a.clone()), ("b", b.clone())])), Some(value));
        }
    }
    scene.round();
    let verdict = scene.verdict();
    assert_outcome(&verdict, Outcome::Pass, "4 rows equal at rest");
    assert_eq!(verdict.rows_green, 4);
    assert_eq!(verdict.columns["a"], "exact: no difference", "columns that only the key has are compared as well");
}

#[test]
fn without_blue_only_duplicates_are_looked_for() {
    let mut contract = exact(Changelog::Upsert);
    contract.blue_topic = None;
    let mut scene = Scene::new(contract);
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Undecided, "no row was compared");
    scene.put(Side::Green, &row(1, "ann", 1.0));
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Pass, "there is no blue to compare with; 1 rows");
    let again = scene.value(Side::Green, &row(1, "ann", 1.0));
    scene.write(Side::Green, 5, Scene::key(1), Some(again));
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Fail, "1 duplicate");
}
