//! Levels and compatibility groups: what holds for a version, and which versions count.

use serde_json::json;

use crate::schema::avro::AvroSchema;
use crate::schema::level::{Level, SetBy};
use crate::schema::listed::{Metadata, Terms};
use crate::schema::testing::record;
use crate::schema::verdict::{DataVerdict, assess};

#[test]
fn a_configured_level_comes_before_the_registrys() {
    let terms = |configured, registry| Terms::new(configured, registry, None).map(|t| (t.level, t.set_by));
    assert_eq!(terms(None, Some("forward_transitive")), Ok((Level::ForwardTransitive, SetBy::Registry)));
    assert_eq!(terms(Some(Level::Full), Some("BACKWARD")), Ok((Level::Full, SetBy::Policy)));
    assert_eq!(terms(Some(Level::Full), Some("SIDEWAYS")), Ok((Level::Full, SetBy::Policy)), "it does not count");
    assert_eq!(terms(None, None), Ok((Level::FullTransitive, SetBy::Nobody)));
    assert_eq!(terms(None, Some("NONE")), Ok((Level::FullTransitive, SetBy::Nobody)), "it checks nothing");
    let error = terms(None, Some("SIDEWAYS")).expect_err("no level").to_string();
    assert!(error.starts_with("`SIDEWAYS` is no compatibility level"), "{error}");
}

/// A version whose `x` has this type.
fn version(ty: &str) -> AvroSchema {
    record(json!([{"name": "x", "type": ty}]))
}

fn group(major: Option<&str>) -> Metadata {
    major.map(|major| ("major".to_owned(), major.to_owned())).into_iter().collect()
}

#[test]
fn only_versions_of_the_same_group_are_compared() {
    let all = [
        (1, version("int"), group(Some("1"))),
        (2, version("boolean"), group(None)),
        (3, version("long"), group(Some("1"))),
        (4, version("string"), group(Some("2"))),
    ];
    let all: Vec<(i32, &AvroSchema, &Metadata)> = all.iter().map(|(v, schema, group)| (*v, schema, group)).collect();
    let (new, level) = (version("long"), Level::BackwardTransitive);
    let answer = |name: Option<&str>, major| {
        let terms = Terms { level, set_by: SetBy::Registry, group: name.map(str::to_owned) };
        terms.check((&new, &group(major)), &all)
    };
    assert_eq!(answer(Some("major"), Some("1")).checked, [1, 3]);
    assert!(answer(Some("major"), Some("1")).is_compatible());
    assert_eq!(answer(Some("major"), Some("2")).checked, [4]);
    assert!(!answer(Some("major"), Some("2")).is_compatible());
    assert_eq!(answer(Some("major"), Some("3")).checked, [0; 0], "the first of its group");
    assert_eq!(answer(Some("major"), None).checked, [2], "no value is a value");
    assert_eq!(answer(Some("app"), Some("1")).checked, [1, 2, 3, 4], "nobody has that property");
    assert_eq!(answer(None, Some("1")).checked, [1, 2, 3, 4]);
    assert!(!answer(None, Some("1")).is_compatible());
}

#[test]
fn the_answer_says_whose_level_it_is_and_what_groups_the_versions() {
    let (old, new, none) = (version("int"), version("long"), Metadata::new());
    let says = |set_by, group: Option<&str>| {
        let terms = Terms { level: Level::Backward, set_by, group: group.map(str::to_owned) };
        terms.check((&new, &none), &[(1, &old, &none)]).to_string()
    };
    assert_eq!(says(SetBy::Registry, None), "BACKWARD (the registry's level): compatible with version 1");
    assert_eq!(says(SetBy::Policy, None), "BACKWARD (policy.level): compatible with version 1");
    assert_eq!(
        says(SetBy::Registry, Some("major")),
        "BACKWARD (the registry's level, by `major`): compatible with version 1"
    );
}

#[test]
fn a_group_takes_a_version_from_the_registrys_answer_and_not_from_the_datas() {
    let (old, new) = (version("int"), version("string"));
    let assessed = assess(Level::Full, false, &new, &[(1, old.clone())]);
    assert!(!assessed.registry.is_compatible());
    let terms = Terms { level: Level::Full, set_by: SetBy::Registry, group: Some("major".to_owned()) };
    let report = terms.check((&new, &group(Some("2"))), &[(1, &old, &group(Some("1")))]);
    let assessed = assessed.with_registry(report);
    assert!(assessed.registry.is_compatible() && assessed.data == DataVerdict::JobFails, "{assessed}");
    assert!(!assessed.plannable() && assessed.reasons.len() == assessed.concerns.len());
}
