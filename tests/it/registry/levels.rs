//! What a new version is held to: the level and the group that the registry has for its subject, unless a level is configured.

use std::sync::Arc;

use cyanotype::daemon::gather::{self, Seen};
use cyanotype::daemon::ports::Ports;
use cyanotype::daemon::settings::Settings;
use cyanotype::schema::Level;
use serde_json::{Value, json};

use super::stub::{Can, Stub};
use crate::crash::project;
use crate::world::{Keep, Seat, State, World};

const SUBJECT: &str = "p.a-value";

/// An envelope whose row has an id and `fields`, in a group or in none.
fn version(fields: &[Value], major: Option<&str>) -> Option<Value> {
    let mut all = vec![json!({ "name": "id", "type": "long" })];
    all.extend_from_slice(fields);
    let row = json!({ "type": "record", "name": "Value", "fields": all });
    let schema = json!({ "type": "record", "name": "Envelope", "namespace": "p.a", "fields": [
        { "name": "before", "type": ["null", row], "default": null },
        { "name": "after", "type": ["null", "Value"], "default": null },
        { "name": "op", "type": "string" } ] });
    let metadata = major.map(|major| json!({ "properties": { "major_version": major, "odd": 7 } }));
    Some(json!({ "schema": schema.to_string(), "metadata": metadata }))
}

/// A column that only a level which does not look back allows: nullable, and without a default.
fn note() -> Value {
    json!({ "name": "note", "type": ["null", "string"] })
}

async fn registry(can: Can, versions: Vec<Option<Value>>) -> Stub {
    let stub = Stub::new(can, &[]).await;
    for version in versions {
        stub.now().register_as(SUBJECT, version);
    }
    stub
}

/// What the daemon makes of the newest version.
async fn seen(stub: &Stub, level: Option<Level>) -> Result<String, String> {
    let world = World::new(State::default(), Keep::End);
    let ports = Ports { registry: Arc::new(stub.client()), ..Seat::onlooker(&world).ports() };
    let settings = Settings { level, ..project::settings() };
    let newest = stub.now().subjects[SUBJECT].last().unwrap().version;
    match gather::assess(&ports, &settings, SUBJECT, None, (1, newest)).await.unwrap() {
        Seen::Evolved(evolution) => Ok(evolution.assessment.registry.to_string()),
        Seen::Refused(reasons) => Err(reasons.join("; ")),
    }
}

#[tokio::test]
async fn the_level_is_the_registrys_for_the_subject_unless_one_is_configured() {
    for can in [Can::confluent(), Can::apicurio()] {
        let stub = registry(can, vec![version(&[], None), version(&[note()], None)]).await;
        let refused = seen(&stub, None).await.unwrap_err();
        assert!(refused.starts_with("the new version cannot read version 1"), "{refused}");
        let config = |of: &str, level: &str| {
            stub.now().config.insert(of.to_owned(), json!({ "compatibilityLevel": level }));
        };
        config(SUBJECT, "FORWARD");
        let forward = "FORWARD (the registry's level): compatible with version 1";
        assert_eq!(seen(&stub, None).await.as_deref(), Ok(forward));
        assert!(seen(&stub, Some(Level::Full)).await.is_err(), "what is configured comes first");
        config(SUBJECT, "BACKWARD");
        let own = "FORWARD_TRANSITIVE (policy.level): compatible with version 1";
        assert_eq!(seen(&stub, Some(Level::ForwardTransitive)).await.as_deref(), Ok(own));
        stub.now().config.remove(SUBJECT);
        config("", "FORWARD");
        assert_eq!(seen(&stub, None).await.as_deref(), Ok(forward), "the global one holds");
        config(SUBJECT, "SIDEWAYS");
        let unknown = seen(&stub, None).await.unwrap_err();
        assert!(unknown.contains("`SIDEWAYS`") && unknown.contains("set policy.level"), "{unknown}");
    }
}

#[tokio::test]
async fn a_registry_that_tells_its_level_in_one_answer_is_asked_once() {
    let stub = registry(Can::confluent(), vec![version(&[], None), version(&[], None)]).await;
    stub.asked();
    seen(&stub, None).await.unwrap();
    let asked: Vec<String> = stub.asked().into_iter().filter(|line| line.contains("/config")).collect();
    assert_eq!(asked, ["GET /config/p.a-value?defaultToGlobal=true"]);
}

#[tokio::test]
async fn a_level_that_nobody_tells_is_the_strictest() {
    let stub = registry(Can::confluent(), vec![version(&[], None), version(&[], None)]).await;
    stub.now().config.insert(String::new(), json!({}));
    let strictest = "FULL_TRANSITIVE (the registry has no level): compatible with version 1";
    assert_eq!(seen(&stub, None).await.as_deref(), Ok(strictest));
}

#[tokio::test]
async fn only_versions_of_the_same_compatibility_group_are_compared() {
    // A new column without a value for what was written before: a new major version, as its author says.
    let tier = json!({ "name": "tier", "type": "string" });
    let versions = vec![version(&[], Some("1")), version(std::slice::from_ref(&tier), Some("2"))];
    let stub = registry(Can::confluent(), versions).await;
    let config = |config: Value| stub.now().config.insert(SUBJECT.to_owned(), config);
    config(json!({ "compatibilityLevel": "BACKWARD_TRANSITIVE" }));
    assert!(seen(&stub, None).await.is_err());
    config(json!({ "compatibilityLevel": "BACKWARD_TRANSITIVE", "compatibilityGroup": "major_version" }));
    let by = "BACKWARD_TRANSITIVE (the registry's level, by `major_version`)";
    assert_eq!(seen(&stub, None).await, Ok(format!("{by}: compatible, nothing to compare with")));
    stub.now().register_as(SUBJECT, version(&[tier], Some("2")));
    assert_eq!(seen(&stub, None).await, Ok(format!("{by}: compatible with version 2")));
    // The level of a subject that has only a group of its own is the global one.
    config(json!({ "compatibilityGroup": "major_version" }));
    let by = "BACKWARD (the registry's level, by `major_version`)";
    assert_eq!(seen(&stub, None).await, Ok(format!("{by}: compatible with version 2")));
}

#[tokio::test]
async fn a_softly_deleted_version_is_not_compared() {
    let name = |ty: &str| json!({ "name": "name", "type": ["null", ty], "default": null });
    let versions = [version(&[name("string")], None), version(&[name("long")], None), version(&[name("string")], None)];
    let stub = registry(Can::confluent(), versions.to_vec()).await;
    stub.now().config.insert(SUBJECT.to_owned(), json!({ "compatibilityLevel": "FULL_TRANSITIVE" }));
    assert!(seen(&stub, None).await.is_err());
    stub.now().delete(SUBJECT, 2);
    let checked = "FULL_TRANSITIVE (the registry's level): compatible with version 1";
    assert_eq!(seen(&stub, None).await.as_deref(), Ok(checked));
}

#[tokio::test]
async fn what_the_statements_were_written_for_counts_for_the_data_also_when_it_is_deleted() {
    let name = |ty: &str| json!({ "name": "name", "type": ["null", ty], "default": null });
    let versions = vec![version(&[name("string")], None), version(&[name("long")], None)];
    let stub = registry(Can::confluent(), versions).await;
    stub.now().delete(SUBJECT, 1);
    // The registry compares nothing, and the deployed job would read numbers as texts.
    let refused = seen(&stub, None).await.unwrap_err();
    assert!(refused.contains("`name`"), "{refused}");
    stub.now().delete(SUBJECT, 2);
    stub.now().register_as(SUBJECT, version(&[name("string"), note()], None));
    let alone = "BACKWARD (the registry's level): compatible, nothing to compare with";
    assert_eq!(seen(&stub, None).await.as_deref(), Ok(alone));
    // Deleted for good, nobody knows what has changed.
    stub.now().subjects.get_mut(SUBJECT).unwrap().remove(0);
    let refused = seen(&stub, None).await.unwrap_err();
    assert_eq!(refused, "version 1, which the statements were written for, is no longer in the registry");
}
