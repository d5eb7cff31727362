//! Tables whose rows the plan declares changed: what is still claimed, and what is not.

use super::*;

fn declared(changelog: Changelog, columns: &[(&str, ColumnClass)]) -> Scene {
    let mut contract = contract(changelog, columns);
    contract.rows = RowRule::Changed { why: "WHERE".to_owned() };
    Scene::new(contract)
}

fn upsert() -> Scene {
    declared(Changelog::Upsert, &["id", "name", "total"].map(|n| (n, ColumnClass::Exact)))
}

fn append(key: &[&str]) -> Scene {
    let mut contract = contract(Changelog::Append, &["id", "name", "total"].map(|n| (n, ColumnClass::Exact)));
    contract.rows = RowRule::Changed { why: "WHERE".to_owned() };
    contract.key = key.iter().map(|k| (*k).to_owned()).collect();
    Scene::new(contract)
}

#[test]
fn a_key_on_one_side_only_is_counted_and_named_and_held_against_nobody() {
    let mut scene = upsert();
    scene.both(&row(1, "ann", 1.0));
    scene.put(Side::Blue, &row(2, "bob", 1.0));
    scene.put(Side::Blue, &row(3, "cid", 1.0));
    scene.put(Side::Green, &row(4, "dan", 1.0));
    let round = scene.round();
    assert_eq!((round.pending, round.differences), (0, 0));
    let verdict = scene.verdict();
    let said = "1 rows equal at rest, no duplicates; 2 rows only in blue and 1 only in green: declared by the plan, not proven";
    assert_outcome(&verdict, Outcome::Pass, said);
    assert_eq!((verdict.missing, verdict.extra, verdict.only_blue, verdict.only_green), (0, 0, 2, 1));
    assert_eq!(
        verdict.samples,
        [
            "only in blue: id=2: the plan declares that rows change",
            "only in blue: id=3: the plan declares that rows change",
            "only in green: id=4: the plan declares that rows change"
        ]
    );
    let (outcome, reason) = crate::validate::overall(&[verdict]);
    assert_eq!(outcome, Outcome::Pass);
    assert!(reason.ends_with("2 rows only in blue and 1 only in green: declared by the plan, not proven"), "{reason}");
}

#[test]
fn a_key_that_both_have_must_still_agree() {
    let mut scene = upsert();
    scene.both(&row(1, "ann", 1.0));
    scene.put(Side::Blue, &row(2, "bob", 1.0));
    scene.put(Side::Green, &row(2, "bob", 2.0));
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Fail, "1 different");
}

#[test]
fn a_key_that_both_have_is_followed_and_one_that_comes_later_is_looked_at_again() {
    let mut scene = upsert();
    scene.both(&row(1, "ann", 1.0));
    scene.mark();
    scene.put(Side::Blue, &row(1, "ann", 2.0));
    scene.put(Side::Blue, &row(2, "bob", 1.0));
    let round = scene.read();
    assert_eq!((round.pending, scene.verdict().only_blue), (1, 1), "green lags in both");
    scene.put(Side::Green, &row(1, "ann", 2.0));
    scene.put(Side::Green, &row(2, "bob", 9.0));
    assert_eq!(scene.round().differences, 1);
    assert_eq!(scene.verdict().only_blue, 0);
    assert_outcome(&scene.verdict(), Outcome::Fail, "1 different");
}

#[test]
fn duplicates_fail_as_ever() {
    let mut scene = upsert();
    scene.both(&row(1, "ann", 1.0));
    scene.both(&row(2, "bob", 1.0));
    let again = scene.value(Side::Green, &row(2, "bob", 1.0));
    scene.write(Side::Green, 1, Scene::key(2), Some(again));
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Fail, "1 duplicate");
}

#[test]
fn sides_with_nothing_in_common_are_undecided_and_so_is_an_empty_green() {
    let mut scene = upsert();
    scene.put(Side::Blue, &row(1, "ann", 1.0));
    scene.put(Side::Green, &row(2, "bob", 1.0));
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Undecided, "blue and green have none in common");
    let mut scene = upsert();
    scene.put(Side::Blue, &row(1, "ann", 1.0));
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Undecided, "no row was compared");
}

#[test]
fn a_pass_says_when_nothing_but_the_key_was_compared() {
    let recomputed = || ColumnClass::Changed { rule: ChangeRule::Recomputed };
    let columns = [("id", ColumnClass::Exact), ("name", recomputed()), ("total", recomputed())];
    let mut scene = declared(Changelog::Upsert, &columns);
    scene.put(Side::Blue, &row(1, "ann", 1.0));
    scene.put(Side::Green, &row(1, "bob", 2.0));
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Pass, "1 keys on both sides at rest, nothing but the key is compared");
}

#[test]
fn rows_of_an_append_table_that_one_side_has_more_often_are_declared() {
    let mut scene = append(&[]);
    scene.both(&row(1, "ann", 1.0));
    scene.put(Side::Green, &row(1, "ann", 1.0));
    scene.put(Side::Blue, &row(2, "bob", 1.0));
    scene.put(Side::Green, &row(3, "cid", 1.0));
    scene.round();
    let verdict = scene.verdict();
    assert_outcome(
        &verdict,
        Outcome::Pass,
        "1 rows equal at rest, no duplicates; 1 rows only in blue and 2 only in green",
    );
    assert!(verdict.duplicates.is_empty(), "{:?}", verdict.duplicates);
}

#[test]
fn a_declared_key_that_repeats_is_a_duplicate_all_the_same() {
    let mut scene = append(&["id"]);
    scene.both(&row(1, "ann", 1.0));
    scene.put(Side::Green, &row(1, "ann", 2.0));
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Fail, "1 duplicate");
}

#[test]
fn a_computed_column_must_be_there_and_a_removed_one_is_left_out() {
    const BLUE: &str = r#"{"type":"record","name":"v","fields":[
        {"name":"id","type":"long"},{"name":"name","type":["null","string"],"default":null},
        {"name":"total","type":"double"},{"name":"gone","type":"long"}]}"#;
    const MADE: &str = r#"{"type":"record","name":"v","fields":[
        {"name":"id","type":"long"},{"name":"name","type":["null","string"],"default":null},
        {"name":"total","type":"double"},{"name":"made","type":["null","long"],"default":null}]}"#;
    let scene = |nullable: bool, green: &str, made: Option<Value>| {
        let columns = [
            ("id", ColumnClass::Exact),
            ("name", ColumnClass::Exact),
            ("total", ColumnClass::Exact),
            ("made", ColumnClass::Changed { rule: ChangeRule::Computed { nullable } }),
            ("gone", ColumnClass::Changed { rule: ChangeRule::Removed }),
        ];
        let mut scene = Scene::with_schemas(contract(Changelog::Upsert, &columns), BLUE, green);
        scene.put(Side::Blue, &[row(1, "ann", 1.0), vec![("gone", 7i64.into())]].concat());
        let made = made.into_iter().map(|value| ("made", value));
        scene.put(Side::Green, &row(1, "ann", 1.0).into_iter().chain(made).collect::<Vec<_>>());
        scene.round();
        scene.verdict()
    };
    let verdict = scene(false, MADE, Some(5i64.into()));
    assert_outcome(&verdict, Outcome::Pass, "1 rows equal");
    assert_eq!(verdict.columns["made"], "new, computed: 1 values, 0 NULL");
    assert_eq!(verdict.columns["gone"], "removed: not compared");
    assert_outcome(&scene(true, MADE, Some(Value::Null)), Outcome::Pass, "1 rows equal");
    assert_outcome(&scene(false, MADE, Some(Value::Null)), Outcome::Fail, "1 different");
    assert_outcome(&scene(true, ROW_SCHEMA, None), Outcome::Fail, "1 different");
}

#[test]
fn contracts_and_verdicts_of_older_journals_are_read_and_written_as_they_were() {
    let old = r#"{"table":"t","blue_topic":"b","green_topic":"g","changelog":"upsert","key":["id"],"columns":{}}"#;
    let contract: TableContract = serde_json::from_str(old).expect("an old contract");
    assert_eq!(contract.rows, RowRule::Same);
    assert_eq!(serde_json::to_string(&contract).expect("json"), old);
    let mut scene = Scene::upsert();
    scene.both(&row(1, "ann", 1.0));
    scene.round();
    let verdict = serde_json::to_value(scene.verdict()).expect("json");
    assert!(verdict.get("only_blue").is_none(), "{verdict}");
    let read: TableVerdict = serde_json::from_value(verdict).expect("a verdict without the counts");
    assert_eq!(read.only_green, 0);
}
