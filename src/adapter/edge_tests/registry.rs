//! The registry.

use super::Fake;
use crate::adapter::registry::RegistryClient;
use crate::port::{PortError, Registry};

#[tokio::test]
async fn a_level_that_cannot_be_set_yet_is_missing() {
    let none = r#"{"error_code":40401,"message":"no subject"}"#;
    let fake = Fake::constant(404, none).await;
    let outcome = RegistryClient::new(&fake.endpoint()).unwrap().set_level("s", "FULL").await;
    assert!(matches!(outcome, Err(PortError::Missing { .. })), "{outcome:?}");
    // Takes it and forgets it; takes it and keeps another.
    let forgets = move |line: &str, _: usize| match line.starts_with("PUT") {
        true => (200, r#"{"compatibility":"FULL"}"#.into()),
        false => (404, none.into()),
    };
    let outcome = RegistryClient::new(&Fake::new(forgets).await.endpoint()).unwrap().set_level("s", "FULL").await;
    assert!(matches!(outcome, Err(PortError::Missing { .. })), "{outcome:?}");
    let other = Fake::constant(200, r#"{"compatibilityLevel":"NONE"}"#).await;
    let outcome = RegistryClient::new(&other.endpoint()).unwrap().set_level("s", "FULL").await;
    assert!(matches!(outcome, Err(PortError::Refused { .. })), "{outcome:?}");
}

#[tokio::test]
async fn versions_are_one_request_and_ids_are_asked_once() {
    let answer = |line: &str, _: usize| match line.contains("/ids/") {
        true => (200, r#"{"schema":"\"int\""}"#.into()),
        false => (200, "[1]".into()),
    };
    let fake = Fake::new(answer).await;
    let registry = RegistryClient::new(&fake.endpoint()).unwrap();
    for _ in 0..3 {
        registry.versions("s").await.unwrap();
        let schema = registry.schema_by_id(7).await.unwrap();
        assert_eq!((schema.id, schema.kind.as_str(), schema.text.as_str()), (7, "AVRO", "\"int\""));
    }
    assert_eq!(fake.count("GET /base/subjects/s/versions"), 3);
    assert_eq!(fake.count("GET /base/schemas/ids/7"), 1);
}

#[tokio::test]
async fn references_in_a_circle_come_to_an_end() {
    let answer = |line: &str, _: usize| {
        let (subject, next) = if line.contains("/a/") { ("a", "b") } else { ("b", "a") };
        let refs = format!(r#"[{{"name":"n.{next}","subject":"{next}","version":1}}]"#);
        (200, format!(r#"{{"subject":"{subject}","version":1,"id":1,"schema":"{subject}","references":{refs}}}"#))
    };
    let fake = Fake::new(answer).await;
    let schema = RegistryClient::new(&fake.endpoint()).unwrap().schema("a", 1).await.unwrap();
    assert_eq!(schema.references, [("n.a".to_owned(), "a".to_owned()), ("n.b".to_owned(), "b".to_owned())]);
}

#[tokio::test]
async fn a_schema_is_registered_and_a_refusal_is_told() {
    let taken = Fake::constant(200, r#"{"id":7}"#).await;
    RegistryClient::new(&taken.endpoint()).unwrap().register("s-value", r#""int""#).await.unwrap();
    assert_eq!(taken.count("POST /base/subjects/s-value/versions"), 1);
    let refused = Fake::constant(409, r#"{"error_code":409,"message":"incompatible"}"#).await;
    let outcome = RegistryClient::new(&refused.endpoint()).unwrap().register("s-value", r#""int""#).await;
    assert!(matches!(&outcome, Err(PortError::Refused { .. })), "{outcome:?}");
}

const GUID: &str = "cc0e0e0e-53c1-4a1a-8f1a-000000000001";

#[tokio::test]
async fn a_guid_is_read_with_the_id_that_it_has_in_the_default_context() {
    let answer = |line: &str, _: usize| match line.ends_with("/ids") {
        true => (200, r#"[{"context":".other","id":3},{"context":".","id":7}]"#.into()),
        false => (200, format!(r#"{{"schema":"\"int\"","guid":"{GUID}"}}"#)),
    };
    let fake = Fake::new(answer).await;
    let schema = RegistryClient::new(&fake.endpoint()).unwrap().schema_by_guid(GUID).await.unwrap();
    assert_eq!((schema.id, schema.text.as_str()), (7, "\"int\""));
    assert_eq!(fake.count(&format!("GET /base/schemas/guids/{GUID}/ids")), 1);
}

#[tokio::test]
async fn a_registry_without_guids_has_no_such_schema_and_one_that_fails_is_no_answer() {
    // What a server says about a path that it does not have.
    for status in [404, 405] {
        let fake = Fake::constant(status, r#"{"error_code":404,"message":"HTTP 404 Not Found"}"#).await;
        let registry = RegistryClient::new(&fake.endpoint()).unwrap();
        let outcome = registry.schema_by_guid(GUID).await;
        assert!(matches!(outcome, Err(PortError::Missing { .. })), "{outcome:?}");
        assert_eq!(registry.versions_of(7).await, Ok(Vec::new()));
    }
    let fake = Fake::constant(401, r#"{"error_code":40101,"message":"who are you"}"#).await;
    let registry = RegistryClient::new(&fake.endpoint()).unwrap();
    assert!(matches!(registry.schema_by_guid(GUID).await, Err(PortError::Refused { .. })));
    assert!(registry.versions_of(7).await.is_err());
}

#[tokio::test]
async fn an_id_is_told_with_every_version_that_has_it() {
    let fake = Fake::constant(200, r#"[{"subject":"b-value","version":1},{"subject":"a-value","version":2}]"#).await;
    let found = RegistryClient::new(&fake.endpoint()).unwrap().versions_of(7).await.unwrap();
    assert_eq!(found, [("a-value".to_owned(), 2), ("b-value".to_owned(), 1)]);
    assert_eq!(fake.count("GET /base/schemas/ids/7/versions"), 1);
}
