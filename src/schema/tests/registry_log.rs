//! Records of a registry's own topic, written by hand as the registry writes them.

use crate::schema::invariant::registry_record;
use crate::schema::registry_log::{Log, News, Record, read};

/// Key and value of a record; an empty value is a tombstone.
type Written<'a> = (&'a str, &'a str);

const V1: Written<'_> = (
    r#"{"keytype":"SCHEMA","subject":"orders-value","version":1,"magic":1}"#,
    r#"{"subject":"orders-value","version":1,"id":7,"schema":"\"string\"","deleted":false}"#,
);
const V2: Written<'_> = (
    r#"{"keytype":"SCHEMA","subject":"orders-value","version":2,"magic":1}"#,
    r#"{"subject":"orders-value","version":2,"id":8,"md5":"cGxhaW4=","schema":"\"bytes\"","schemaType":"AVRO","references":[],
        "metadata":{"tags":{}},"ruleSet":null,"schemaTags":[],"deleted":false}"#,
);

fn take(log: &mut Log, (key, value): Written<'_>) -> Option<News> {
    log.take(Some(key.as_bytes()), (!value.is_empty()).then_some(value.as_bytes())).unwrap()
}

fn version(version: i32) -> Option<News> {
    Some(News::Version { subject: "orders-value".to_owned(), version })
}

fn two_versions() -> Log {
    let mut log = Log::new("");
    assert_eq!((take(&mut log, V1), take(&mut log, V2)), (version(1), version(2)));
    assert_eq!(log.newest("orders-value"), Some(2));
    log
}

#[test]
fn a_version_is_news_once() {
    let mut log = two_versions();
    assert_eq!((take(&mut log, V2), take(&mut log, V1)), (None, None));
    // New tags for a version that is known, and the order of properties turned round.
    let tagged = (
        r#"{"magic":1,"version":2,"subject":"orders-value","keytype":"SCHEMA"}"#,
        r#"{"deleted":false,"schemaTags":[{"tags":["PII"]}],"schema":"\"bytes\"","id":8,"version":2,"subject":"orders-value"}"#,
    );
    assert_eq!(take(&mut log, tagged), None);
    assert_eq!((log.newest("orders-value"), log.newest("other-value")), (Some(2), None));
}

#[test]
fn a_version_that_is_marked_as_deleted_is_no_news_and_no_longer_the_newest() {
    let mut log = two_versions();
    assert_eq!(take(&mut log, (V2.0, &V2.1.replace("\"deleted\":false", "\"deleted\":true"))), None);
    assert_eq!(log.newest("orders-value"), Some(1));
    // It is registered again: the same version is live again, and was news once.
    assert_eq!(take(&mut log, V2), None);
    assert_eq!(log.newest("orders-value"), Some(2));
    // Compacted away up to its last record, which says that it is deleted.
    let mut late = Log::new("");
    assert_eq!(take(&mut late, (V1.0, &V1.1.replace("\"deleted\":false", "\"deleted\":true"))), None);
    assert_eq!(late.newest("orders-value"), None);
}

#[test]
fn a_version_without_a_value_is_gone_and_may_come_again() {
    let mut log = two_versions();
    assert_eq!(take(&mut log, (V2.0, "")), None);
    assert_eq!(log.newest("orders-value"), Some(1));
    assert_eq!(take(&mut log, V2), version(2));
}

#[test]
fn a_subject_is_deleted_up_to_a_version_and_cleared() {
    let mut log = two_versions();
    let deleted = (
        r#"{"keytype":"DELETE_SUBJECT","subject":"orders-value","magic":0}"#,
        r#"{"subject":"orders-value","version":1}"#,
    );
    assert_eq!(take(&mut log, deleted), None);
    assert_eq!(log.newest("orders-value"), Some(2), "only up to version 1");
    assert_eq!(take(&mut log, (deleted.0, &deleted.1.replace('1', "2"))), None);
    assert_eq!(log.newest("orders-value"), None);
    // What is deleted is known and so no news, until it is cleared.
    let cleared =
        (r#"{"keytype":"CLEAR_SUBJECT","subject":"orders-value","magic":0}"#, r#"{"subject":"orders-value"}"#);
    assert_eq!(take(&mut log, cleared), None);
    assert_eq!(take(&mut log, V1), version(1));
    // Of a subject that nobody knows, and without a value.
    for key in [deleted.0, cleared.0] {
        assert_eq!(take(&mut Log::new(""), (key, deleted.1)), None);
        assert_eq!(take(&mut log, (key, "")), None);
    }
    assert_eq!(log.newest("orders-value"), Some(1));
}

#[test]
fn modes_are_news_when_they_change() {
    let mut log = Log::new("");
    let all = r#"{"keytype":"MODE","subject":null,"magic":0}"#;
    let one = r#"{"keytype":"MODE","subject":"orders-value","magic":0}"#;
    let mode = |subject: Option<&str>, mode: &str| {
        Some(News::Mode { subject: subject.map(str::to_owned), mode: mode.to_owned() })
    };
    // As older registries write it: the value does not name the subject.
    assert_eq!(take(&mut log, (all, r#"{"mode":"READWRITE"}"#)), None, "it is so where nothing is said");
    assert_eq!(take(&mut log, (all, r#"{"mode":"READONLY"}"#)), mode(None, "READONLY"));
    assert_eq!(take(&mut log, (all, r#"{"mode":"READONLY"}"#)), None);
    assert_eq!(
        take(&mut log, (one, r#"{"subject":"orders-value","mode":"IMPORT"}"#)),
        mode(Some("orders-value"), "IMPORT")
    );
    assert_eq!(take(&mut log, (one, "")), mode(Some("orders-value"), "READWRITE"));
}

#[test]
fn what_is_not_about_versions_is_skipped() {
    let mut log = two_versions();
    for written in [
        (r#"{"keytype":"NOOP","magic":0}"#, ""),
        (r#"{"keytype":"CONFIG","subject":null,"magic":0}"#, r#"{"compatibilityLevel":"FULL"}"#),
        (r#"{"keytype":"CONFIG","subject":"orders-value","magic":0}"#, ""),
        (
            r#"{"keytype":"CONTEXT","tenant":"default","context":".","magic":0}"#,
            r#"{"tenant":"default","context":"."}"#,
        ),
        (r#"{"keytype":"ASSOC","resourceName":"x","magic":0}"#, "not read at all"),
        (r#"{"keytype":"SOMETHING_NEW"}"#, "{}"),
    ] {
        assert_eq!(take(&mut log, written), None, "{written:?}");
    }
    assert_eq!((log.newest("orders-value"), log.broken), (Some(2), 0));
}

#[test]
fn only_the_subjects_of_one_context_count() {
    let eu = |text: &str| text.replace("orders-value", ":.eu:orders-value");
    let (key, value) = (eu(V1.0), eu(V1.1));
    let mut log = Log::new("");
    assert_eq!(take(&mut log, (&key, &value)), None);
    assert_eq!(log.newest("orders-value"), None);
    let mut log = Log::new(".eu");
    assert_eq!(take(&mut log, V2), None);
    assert_eq!(take(&mut log, (&key, &value)), version(1));
    // The default context by its full name.
    let default = |text: &str| text.replace("orders-value", ":.:orders-value");
    assert_eq!(take(&mut Log::new(""), (&default(V1.0), &default(V1.1))), version(1));
}

#[test]
fn a_broken_record_is_counted_and_harms_nothing() {
    let mut log = two_versions();
    let broken: [(Option<&str>, Option<&str>); 10] = [
        (None, Some(V2.1)),
        (Some(""), Some(V2.1)),
        (Some("not json"), Some(V2.1)),
        (Some("{}"), Some(V2.1)),
        (Some(r#"{"keytype":7}"#), None),
        (Some(r#"{"keytype":"SCHEMA","version":3}"#), Some(V2.1)),
        (Some(r#"{"keytype":"SCHEMA","subject":"orders-value"}"#), Some(V2.1)),
        (Some(r#"{"keytype":"SCHEMA","subject":"orders-value","version":0}"#), Some(V2.1)),
        (Some(r#"{"keytype":"SCHEMA","subject":"orders-value","version":99999999999}"#), Some(V2.1)),
        (Some(V2.0), Some("{\"version\":")),
    ];
    for (n, (key, value)) in (1..).zip(broken) {
        let said = log.take(key.map(str::as_bytes), value.map(str::as_bytes));
        assert!(said.is_err(), "{key:?} {value:?}");
        assert_eq!((log.newest("orders-value"), log.broken), (Some(2), n));
    }
    assert!(read(Some(b"\xff\xfe"), None).is_err());
    assert_eq!(read(Some(V1.0.as_bytes()), None), Ok(Record::Gone { subject: "orders-value".to_owned(), version: 1 }));
}

proptest::proptest! {
    /// What the fuzzer asks of any bytes, asked of records that are nearly right.
    #[test]
    fn any_record_is_read_in_one_way(
        keytype in "SCHEMA|DELETE_SUBJECT|CLEAR_SUBJECT|MODE|NOOP|[A-Z]{1,3}",
        subject in proptest::option::of("(:\\.eu:)?[a-z:.]{0,3}"),
        version in -1i64..3,
        deleted in "true|false|null|0",
        cut in 0usize..200,
    ) {
        let subject = serde_json::to_string(&subject).unwrap();
        let key = format!(r#"{{"keytype":"{keytype}","version":{version},"subject":{subject},"magic":1}}"#);
        let value = format!(r#"{{"version":{version},"mode":"READONLY","subject":{subject},"deleted":{deleted},"id":1}}"#);
        let cut = value.get(..cut).unwrap_or(&value);
        for value in [None, Some(cut.as_bytes()), Some(value.as_bytes())] {
            proptest::prop_assert_eq!(registry_record(key.as_bytes(), value), Ok(()));
        }
    }
}
