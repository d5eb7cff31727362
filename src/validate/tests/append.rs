//! Append tables: rows as multisets, declared keys.

use super::*;

fn keyed() -> Scene {
    Scene::new(exact(Changelog::Append))
}

fn add(scene: &mut Scene, side: Side, fields: &[(&str, Value)]) {
    let value = scene.value(side, fields);
    scene.write(side, 0, None, Some(value));
}

#[test]
fn equal_rows_are_legal_and_their_number_counts() {
    let mut scene = Scene::append();
    for _ in 0..3 {
        add(&mut scene, Side::Blue, &row(1, "ann", 1.0));
        add(&mut scene, Side::Green, &row(1, "ann", 1.0));
    }
    let round = scene.round();
    assert_eq!((round.decided, round.pending, round.differences), (3, 0, 0));
    assert_outcome(&scene.verdict(), Outcome::Pass, "3 rows equal at rest");
    assert_eq!(scene.verdict().digest_blue, scene.verdict().digest_green);
}

#[test]
fn two_equal_rows_do_not_cancel_out() {
    let mut scene = Scene::append();
    add(&mut scene, Side::Blue, &row(1, "ann", 1.0));
    add(&mut scene, Side::Green, &row(1, "ann", 1.0));
    add(&mut scene, Side::Green, &row(2, "twice", 1.0));
    add(&mut scene, Side::Green, &row(2, "twice", 1.0));
    scene.round();
    let verdict = scene.verdict();
    assert_outcome(&verdict, Outcome::Fail, "2 extra");
    assert_ne!(verdict.digest_blue, verdict.digest_green);
}

#[test]
fn more_often_in_green_than_in_blue_fails_once_a_cut_covers_it() {
    let mut scene = Scene::append();
    add(&mut scene, Side::Blue, &row(1, "ann", 1.0));
    add(&mut scene, Side::Green, &row(1, "ann", 1.0));
    scene.mark();
    add(&mut scene, Side::Green, &row(1, "ann", 1.0)); // blue may get it too
    let round = scene.read();
    assert_eq!((round.differences, round.beyond), (0, 1));
    assert_outcome(&scene.verdict(), Outcome::Pass, "1 newer rows lie beyond the cut");
    assert_eq!(scene.round().differences, 1);
    let verdict = scene.verdict();
    assert_outcome(&verdict, Outcome::Fail, "1 duplicate");
    assert_eq!(verdict.duplicates, BTreeMap::from([("multiplicity".to_owned(), 1)]));
    assert_eq!(verdict.samples, ["multiplicity: id=1, name=ann, total=1.0"]);
}

#[test]
fn a_row_that_blue_gets_later_was_no_duplicate() {
    let mut scene = Scene::append();
    add(&mut scene, Side::Blue, &row(1, "ann", 1.0));
    add(&mut scene, Side::Green, &row(1, "ann", 1.0));
    scene.mark();
    add(&mut scene, Side::Green, &row(2, "bob", 1.0));
    scene.read();
    add(&mut scene, Side::Blue, &row(2, "bob", 1.0));
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Pass, "2 rows equal at rest, no duplicates");
}

#[test]
fn rows_of_blue_below_the_mark_that_green_lacks_are_missing_for_good() {
    let mut scene = Scene::append();
    add(&mut scene, Side::Blue, &row(1, "ann", 1.0));
    add(&mut scene, Side::Blue, &row(2, "bob", 1.0));
    add(&mut scene, Side::Blue, &row(2, "bob", 1.0));
    add(&mut scene, Side::Green, &row(1, "ann", 1.0));
    for _ in 0..3 {
        scene.round();
        let verdict = scene.verdict();
        assert_outcome(&verdict, Outcome::Fail, "2 missing");
        assert_eq!(verdict.samples, ["missing: id=2, name=bob, total=1.0 (2 times)"]);
        add(&mut scene, Side::Green, &row(2, "bob", 1.0));
    }
}

#[test]
fn a_declared_key_that_repeats_in_green_fails_even_where_blue_repeats_it() {
    let mut scene = keyed();
    for side in [Side::Blue, Side::Green] {
        add(&mut scene, side, &row(1, "ann", 1.0));
        add(&mut scene, side, &row(1, "ann again", 1.0));
        add(&mut scene, side, &row(2, "bob", 1.0));
    }
    scene.round();
    let verdict = scene.verdict();
    assert_outcome(&verdict, Outcome::Fail, "1 duplicate");
    assert_eq!(verdict.duplicates, BTreeMap::from([("repeated_key".to_owned(), 1)]));
    assert_eq!(verdict.samples, ["repeated_key: id=1"]);
    assert_eq!((verdict.equal, verdict.missing, verdict.extra), (3, 0, 0));
}

#[test]
fn columns_that_only_the_key_has_are_part_of_the_row() {
    const TOTAL: &str = r#"{"type":"record","name":"v","fields":[{"name":"total","type":"double"}]}"#;
    let columns = ["id", "total"].map(|n| (n, ColumnClass::Exact));
    let mut scene = Scene::with_schemas(contract(Changelog::Append, &columns), TOTAL, TOTAL);
    for (side, id) in [(Side::Blue, 1), (Side::Blue, 2), (Side::Green, 1), (Side::Green, 3)] {
        let value = scene.value(side, &[("total", 1.0.into())]);
        scene.write(side, 0, Scene::key(id), Some(value));
    }
    scene.round();
    assert_eq!(scene.verdict().samples, ["missing: id=2, total=1.0", "extra: id=3, total=1.0"]);
}

#[test]
fn a_key_that_is_no_avro_does_not_matter_when_the_value_has_all_columns() {
    let mut scene = keyed();
    for side in [Side::Blue, Side::Green] {
        let value = scene.value(side, &row(1, "ann", 1.0));
        scene.write(side, 0, Some(vec![0, 0, 0, 0, 0, 0, 0, 1]), Some(value)); // a raw BIGINT
    }
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Pass, "1 rows equal at rest");
}

#[test]
fn rows_within_a_tolerance_are_paired() {
    let near = ColumnClass::Order { why: "float sum".to_owned(), tolerance: 0.01 };
    let columns = [("id", ColumnClass::Exact), ("name", ColumnClass::Exact), ("total", near)];
    let mut contract = contract(Changelog::Append, &columns);
    contract.key.clear();
    let mut scene = Scene::new(contract);
    for (id, off) in [(1, 0.0), (2, 0.005), (3, 0.009)] {
        add(&mut scene, Side::Blue, &row(id, "ann", 10.0));
        add(&mut scene, Side::Green, &row(id, "ann", 10.0 + off));
    }
    scene.round();
    let verdict = scene.verdict();
    assert_outcome(&verdict, Outcome::Pass, "3 rows equal");
    assert_eq!(verdict.columns["total"], "order (float sum), tolerance 0.01: 2 equal within the tolerance");
    add(&mut scene, Side::Blue, &row(4, "ann", 10.0));
    add(&mut scene, Side::Green, &row(4, "ann", 10.5));
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Fail, "1 missing, 1 extra");
}

#[test]
fn a_tie_in_an_append_table_is_explained_and_not_passed() {
    let tie = ColumnClass::Order { why: "FIRST_VALUE".to_owned(), tolerance: 0.0 };
    let columns = [("id", ColumnClass::Exact), ("name", tie), ("total", ColumnClass::Exact)];
    let mut contract = contract(Changelog::Append, &columns);
    contract.key.clear();
    let mut scene = Scene::new(contract);
    add(&mut scene, Side::Blue, &row(1, "ann", 1.0));
    add(&mut scene, Side::Green, &row(1, "bob", 1.0));
    scene.round();
    let verdict = scene.verdict();
    assert_outcome(&verdict, Outcome::Undecided, "1 rows differ where a column's class allows it");
    assert_eq!(verdict.columns["name"], "order (FIRST_VALUE): 1 different, explained");
}
