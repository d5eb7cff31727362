//! Levels, deleted versions and compatibility groups: which versions count.

use serde_json::{Value, json};

use crate::schema::avro::AvroSchema;
use crate::schema::level::Level;
use crate::schema::listed::{Checks, Listed, check_listed, counting};
use crate::schema::testing::record;

fn checks(config: Value) -> Checks {
    serde_json::from_value(config).expect("what a registry answers")
}

#[test]
fn a_subjects_own_settings_come_first() {
    let global = checks(json!({"compatibilityLevel": "FULL", "compatibilityGroup": "major", "normalize": true}));
    let own = |config| Checks::effective(Some(&checks(config)), &global);
    assert_eq!(Checks::effective(None, &global), (Level::Full, Some("major".to_owned())));
    assert_eq!(own(json!({})), (Level::Full, Some("major".to_owned())));
    assert_eq!(
        own(json!({"compatibility": "FORWARD_TRANSITIVE"})),
        (Level::ForwardTransitive, Some("major".to_owned()))
    );
    assert_eq!(own(json!({"compatibilityGroup": "app"})), (Level::Full, Some("app".to_owned())));
    assert_eq!(Checks::effective(None, &Checks::default()), (Level::Backward, None));
}

/// A version whose `x` has this type, in a group or in none.
fn version(version: i32, ty: &str, major: Option<&str>) -> Listed<AvroSchema> {
    let schema = record(json!([{"name": "x", "type": ty}]));
    let metadata = major.map(|major| ("major".to_owned(), major.to_owned())).into_iter().collect();
    Listed { version, deleted: false, metadata, schema }
}

#[test]
fn a_deleted_version_does_not_count() {
    let mut all = vec![version(1, "int", None), version(2, "string", None), version(3, "long", None)];
    let answer = |all: &[Listed<AvroSchema>]| check_listed((Level::BackwardTransitive, None), &all[2], all);
    assert_eq!(answer(&all).failures.iter().map(|f| f.version).collect::<Vec<_>>(), [2]);
    all[1].deleted = true;
    assert!(answer(&all).is_compatible());
    assert_eq!(answer(&all).checked, [1]);
    // The latest that is not deleted is the latest.
    assert_eq!(check_listed((Level::Backward, None), &all[2], &all).checked, [1]);
    all[0].deleted = true;
    assert_eq!(answer(&all).checked, Vec::<i32>::new());
}

#[test]
fn only_versions_of_the_same_group_are_compared() {
    let all = [
        version(4, "string", Some("2")),
        version(1, "int", Some("1")),
        version(2, "boolean", None),
        version(3, "long", Some("1")),
    ];
    let numbers = |group, new: &Listed<AvroSchema>| -> Vec<i32> {
        counting(group, new, &all).into_iter().map(|(version, _)| version).collect()
    };
    let new = |major| version(5, "long", major);
    assert_eq!(numbers(Some("major"), &new(Some("1"))), [1, 3]);
    assert_eq!(numbers(Some("major"), &new(Some("2"))), [4]);
    assert_eq!(numbers(Some("major"), &new(Some("3"))), [0; 0], "the first of its group");
    assert_eq!(numbers(Some("major"), &new(None)), [2], "no value is a value");
    assert_eq!(numbers(Some("app"), &new(Some("1"))), [1, 2, 3, 4], "nobody has that property");
    assert_eq!(numbers(None, &new(Some("1"))), [1, 2, 3, 4]);
    assert_eq!(numbers(None, &all[3]), [1, 2], "later versions and itself do not count");
    let group = Some("major");
    assert!(check_listed((Level::FullTransitive, group), &version(5, "long", Some("3")), &all).is_compatible());
    assert!(check_listed((Level::BackwardTransitive, group), &new(Some("1")), &all).is_compatible());
    assert!(!check_listed((Level::BackwardTransitive, group), &new(Some("2")), &all).is_compatible());
    assert!(!check_listed((Level::BackwardTransitive, None), &new(Some("1")), &all).is_compatible());
}
