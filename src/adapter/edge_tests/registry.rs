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
