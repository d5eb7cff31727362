//! Classes of columns.

use super::*;

const TIERED: &str = r#"{"type":"record","name":"v","fields":[
    {"name":"id","type":"long"},{"name":"name","type":["null","string"],"default":null},
    {"name":"total","type":"double"},{"name":"tier","type":["null","string"],"default":null}]}"#;

fn with(class: ColumnClass) -> Scene {
    let columns = [("id", ColumnClass::Exact), ("name", ColumnClass::Exact), ("total", class)];
    Scene::new(contract(Changelog::Upsert, &columns))
}

fn tiered(nullable: bool) -> Scene {
    let new = ColumnClass::Changed { rule: ChangeRule::NewColumn { default: "basic".into(), nullable } };
    let [id, name, total] = ["id", "name", "total"].map(|n| (n, ColumnClass::Exact));
    Scene::with_schemas(contract(Changelog::Upsert, &[id, name, total, ("tier", new)]), ROW_SCHEMA, TIERED)
}

fn put_tier(scene: &mut Scene, id: i64, tier: Value) {
    scene.put(Side::Blue, &row(id, "ann", 1.0));
    scene.put(Side::Green, &[row(id, "ann", 1.0), vec![("tier", tier)]].concat());
}

fn differing(class: ColumnClass, green: f64) -> TableVerdict {
    let mut scene = with(class);
    scene.both(&row(1, "ann", 1.0));
    scene.put(Side::Blue, &row(2, "bob", 10.0));
    scene.put(Side::Green, &row(2, "bob", green));
    scene.round();
    scene.verdict()
}

#[test]
fn a_new_column_is_counted_by_kind_of_value_and_not_compared() {
    let mut scene = tiered(true);
    let text = |t: &str| Value::String(t.to_owned());
    for (id, tier) in [(1, text("basic")), (2, text("basic")), (3, text("gold")), (4, Value::Null)] {
        put_tier(&mut scene, id, tier);
    }
    scene.round();
    let verdict = scene.verdict();
    assert_outcome(&verdict, Outcome::Pass, "4 rows equal at rest");
    assert_eq!(verdict.columns["tier"], "new: 2 default 'basic', 1 other values, 1 NULL");
    assert_eq!(verdict.digest_blue, verdict.digest_green, "the digest is over what is compared");
}

#[test]
fn null_in_a_new_column_that_may_not_be_null_fails() {
    let mut scene = tiered(false);
    put_tier(&mut scene, 1, Value::String("basic".to_owned()));
    put_tier(&mut scene, 2, Value::Null);
    scene.round();
    let verdict = scene.verdict();
    assert_outcome(&verdict, Outcome::Fail, "1 different");
    assert_eq!(verdict.samples, ["different: id=2: new column tier is NULL, but it may not be NULL"]);
}

#[test]
fn a_new_column_that_green_does_not_have_fails() {
    let mut scene = tiered(true);
    scene.schemas.insert(GREEN, ROW_SCHEMA.to_owned());
    scene.both(&row(1, "ann", 1.0));
    scene.round();
    assert_eq!(scene.verdict().samples, ["different: id=1: new column tier is missing"]);
}

#[test]
fn a_column_of_blue_that_green_lost_fails_unless_the_contract_leaves_it_out() {
    let columns = [("id", ColumnClass::Exact), ("name", ColumnClass::Exact), ("total", ColumnClass::Exact)];
    let mut scene = Scene::with_schemas(contract(Changelog::Upsert, &columns), TIERED, ROW_SCHEMA);
    let both = |scene: &mut Scene| {
        scene.put(Side::Blue, &[row(1, "ann", 1.0), vec![("tier", Value::Null)]].concat());
        scene.put(Side::Green, &row(1, "ann", 1.0));
        scene.round();
    };
    both(&mut scene);
    let verdict = scene.verdict();
    assert_outcome(&verdict, Outcome::Fail, "column `tier` is in blue but not in green");
    assert_eq!(verdict.samples, ["different: id=1: tier: blue NULL, green (no such column)"]);
    assert_eq!(verdict.columns["tier"], "exact (the contract does not name it): in blue only");

    let [id, name, total] = columns;
    let dropped = ("tier", ColumnClass::Volatile { why: "dropped".to_owned() });
    let mut scene = Scene::with_schemas(contract(Changelog::Upsert, &[id, name, total, dropped]), TIERED, ROW_SCHEMA);
    both(&mut scene);
    assert_outcome(&scene.verdict(), Outcome::Pass, "");
    assert_eq!(scene.verdict().columns["tier"], "volatile (dropped): left out");
}

#[test]
fn a_column_of_the_contract_that_neither_side_has_proves_nothing() {
    let columns = ["id", "name", "total", "ghost"].map(|n| (n, ColumnClass::Exact));
    let mut scene = Scene::new(contract(Changelog::Upsert, &columns));
    scene.both(&row(1, "ann", 1.0));
    scene.round();
    assert_outcome(&scene.verdict(), Outcome::Undecided, "column `ghost` was seen neither");
}

#[test]
fn a_tolerance_separates_equal_from_different() {
    let class = || ColumnClass::Order { why: "float sum".to_owned(), tolerance: 0.05 };
    let near = differing(class(), 10.5);
    assert_outcome(&near, Outcome::Pass, "2 rows equal");
    assert_eq!(near.columns["total"], "order (float sum), tolerance 0.05: 1 equal within the tolerance");
    let far = differing(class(), 10.6);
    assert_outcome(&far, Outcome::Fail, "1 different");
    assert_eq!(far.samples, ["different: id=2: total: blue 10.0, green 10.6"]);
    let small = ColumnClass::Order { why: "float sum".to_owned(), tolerance: 0.02 };
    assert_outcome(&differing(small, 10.3), Outcome::Fail, "1 different");
    assert_outcome(&differing(class(), f64::NAN), Outcome::Fail, "1 different");
}

#[test]
fn ties_late_rows_and_lost_history_are_explained_and_never_passed() {
    let why = || "because".to_owned();
    for (class, name) in [
        (ColumnClass::Order { why: why(), tolerance: 0.0 }, "order (because)"),
        (ColumnClass::EventTime { why: why() }, "event time (because)"),
        (ColumnClass::History { why: why() }, "history (because)"),
    ] {
        let verdict = differing(class.clone(), 11.0);
        assert_outcome(&verdict, Outcome::Undecided, "1 rows differ where a column's class allows it");
        assert_eq!((verdict.undecided, verdict.different, verdict.equal), (1, 0, 1));
        assert_eq!(verdict.columns["total"], format!("{name}: 1 different, explained"));
        assert_eq!(verdict.samples, ["explained: id=2: total: blue 10.0, green 11.0"]);
        assert_outcome(&differing(class, 10.0), Outcome::Pass, "2 rows equal");
    }
}

#[test]
fn expired_rows_are_explained_by_history_only() {
    let lacking = |class| {
        let mut scene = with(class);
        scene.both(&row(1, "ann", 1.0));
        scene.put(Side::Green, &row(2, "kept by a fast replay", 1.0));
        scene.round();
        scene.verdict()
    };
    assert_outcome(&lacking(ColumnClass::History { why: "TTL".to_owned() }), Outcome::Undecided, "1 rows differ");
    assert_outcome(&lacking(ColumnClass::Exact), Outcome::Fail, "1 extra");
}

#[test]
fn volatile_and_recomputed_columns_are_left_out_and_named() {
    let volatile = differing(ColumnClass::Volatile { why: "NOW()".to_owned() }, 11.0);
    assert_outcome(&volatile, Outcome::Pass, "2 rows equal");
    assert_eq!(volatile.columns["total"], "volatile (NOW()): left out");
    let recomputed = differing(ColumnClass::Changed { rule: ChangeRule::Recomputed }, 11.0);
    assert_outcome(&recomputed, Outcome::Pass, "2 rows equal");
    assert_eq!(recomputed.columns["total"], "recomputed: not compared");
}

#[test]
fn a_wider_type_is_compared_by_value() {
    const NARROW: &str = r#"{"type":"record","name":"v","fields":[
        {"name":"id","type":"int"},{"name":"total","type":"int"}]}"#;
    let wide = |class: &ColumnClass, blue: i32, green: f64| {
        let columns = [("id", ColumnClass::Exact), ("total", class.clone())];
        let green_schema =
            r#"{"type":"record","name":"v","fields":[{"name":"id","type":"long"},{"name":"total","type":"double"}]}"#;
        let mut scene = Scene::with_schemas(contract(Changelog::Upsert, &columns), NARROW, green_schema);
        let value = scene.value(Side::Blue, &[("id", 1.into()), ("total", blue.into())]);
        scene.write(Side::Blue, 1, Scene::key(1), Some(value));
        scene.put(Side::Green, &[("id", 1i64.into()), ("total", green.into())]);
        scene.round();
        scene.verdict()
    };
    let wider = ColumnClass::Changed { rule: ChangeRule::Wider };
    let equal = wide(&wider, 5, 5.0);
    assert_outcome(&equal, Outcome::Pass, "1 rows equal");
    assert_eq!(equal.columns["total"], "wider, compared by value: no difference");
    assert_eq!(equal.digest_blue, equal.digest_green);
    assert_outcome(&wide(&wider, 5, 5.5), Outcome::Fail, "1 different");
    assert_outcome(&wide(&ColumnClass::Exact, 5, 5.0), Outcome::Fail, "1 different");
}
