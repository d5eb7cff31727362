//! Kafka: do the brokers answer, and is the journal's topic what a journal needs.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::KafkaResult;
use rdkafka::metadata::Metadata;

use super::Check;
use crate::cli::output::count;
use crate::config::Environment;

/// Longer than a healthy cluster takes, short enough for somebody who waits.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Blocks while it waits for the brokers.
pub(super) fn checks(env: &Environment) -> Vec<Check> {
    let brokers = &env.kafka.brokers;
    let admin = match admin(env) {
        Ok(admin) => admin,
        Err(error) => {
            // The message may repeat a setting's value; the name of the setting is enough.
            let seen = match &error {
                rdkafka::error::KafkaError::ClientConfig(_, _, key, _) => {
                    format!("the client refuses the setting {key}")
                }
                error => format!("no client can be made: {error}"),
            };
            return vec![Check::fail("brokers", seen, "mend kafka.properties")];
        }
    };
    let metadata = match admin.inner().fetch_metadata(None, TIME_LIMIT) {
        Ok(metadata) => metadata,
        Err(error) => {
            let seen = format!("{brokers} cannot be reached ({error})");
            return vec![Check::fail("brokers", seen, "start Kafka, or mend kafka.brokers and kafka.properties")];
        }
    };
    let seen = format!(
        "{brokers}: {}, {}",
        count(metadata.brokers().len(), "broker"),
        count(metadata.topics().len(), "topic")
    );
    vec![Check::ok("brokers", seen), journal(env, &admin, &metadata)]
}

fn admin(env: &Environment) -> KafkaResult<AdminClient<DefaultClientContext>> {
    let mut config = ClientConfig::new();
    for (key, value) in &env.kafka.properties {
        config.set(key, value.reveal());
    }
    config.set("bootstrap.servers", &env.kafka.brokers).create()
}

fn journal(env: &Environment, admin: &AdminClient<DefaultClientContext>, metadata: &Metadata) -> Check {
    let (what, topic) = ("journal", env.journal_topic.as_str());
    let Some(found) = metadata.topics().iter().find(|known| known.name() == topic) else {
        return Check::ok(what, format!("{topic} does not exist yet: the daemon makes it"));
    };
    let resource = [ResourceSpecifier::Topic(topic)];
    let options = AdminOptions::new().request_timeout(Some(TIME_LIMIT));
    let described = futures::executor::block_on(admin.describe_configs(&resource, &options));
    let settings = described.map(|resources| resources.into_iter().next());
    match settings {
        Ok(Some(Ok(settings))) => {
            let value = |key: &str| setting(&settings, key);
            judged(
                topic,
                found.partitions().len(),
                &value("cleanup.policy"),
                &value("retention.ms"),
                &value("retention.bytes"),
            )
        }
        Ok(Some(Err(code))) => unreadable(topic, &code.to_string()),
        Ok(None) => unreadable(topic, "no answer"),
        Err(error) => unreadable(topic, &error.to_string()),
    }
}

fn unreadable(topic: &str, why: &str) -> Check {
    let seen = format!("the settings of {topic} cannot be read ({why})");
    Check::warning("journal", seen, "allow DescribeConfigs on it")
}

fn setting(settings: &ConfigResource, key: &str) -> String {
    settings.get(key).and_then(|entry| entry.value.clone()).unwrap_or_default()
}

/// Whether a topic can be the journal: one order, and nothing in it is ever lost.
fn judged(topic: &str, partitions: usize, cleanup: &str, retention_ms: &str, retention_bytes: &str) -> Check {
    let what = "journal";
    if partitions != 1 {
        let seen = format!("{topic} has {partitions} partitions, and entries would lose their order");
        return Check::fail(
            what,
            seen,
            "name another topic under journal.topic: the daemon makes it with one partition",
        );
    }
    if cleanup.contains("compact") {
        let help = "set its cleanup.policy to delete before the daemon starts";
        return Check::fail(what, format!("{topic} is compacted, and entries would be lost"), help);
    }
    if retention_ms != "-1" || !matches!(retention_bytes, "-1" | "") {
        let help = "set its retention.ms and retention.bytes to -1";
        return Check::fail(what, format!("{topic} forgets entries (retention.ms={retention_ms})"), help);
    }
    Check::ok(what, format!("{topic} has one partition and keeps everything"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::client::tests::environment;
    use crate::cli::doctor::Health;
    use crate::config::Secret;

    #[test]
    fn a_journal_has_one_partition_and_forgets_nothing() {
        assert_eq!(judged("j", 1, "delete", "-1", "-1").health, Health::Ok);
        for (partitions, cleanup, ms, bytes) in [
            (2, "delete", "-1", "-1"),
            (1, "compact", "-1", "-1"),
            (1, "delete", "604800000", "-1"),
            (1, "delete", "-1", "5"),
        ] {
            assert_eq!(judged("j", partitions, cleanup, ms, bytes).health, Health::Fail);
        }
    }

    #[test]
    fn a_setting_that_the_client_refuses_is_named_without_its_value() {
        let mut env = environment("http://d");
        env.kafka.properties.insert("security.protocol".to_owned(), Secret::new("hunter2"));
        let checks = checks(&env);
        assert_eq!(checks[0].seen, "the client refuses the setting security.protocol");
        assert!(!format!("{checks:?}").contains("hunter2"));
    }
}
