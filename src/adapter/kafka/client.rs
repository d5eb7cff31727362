//! How a client of Kafka is set up, and how its errors become [`PortError`]s.
//!
//! Rules: what a person configured comes first, what correctness needs is set over it; no value of a setting is ever
//! shown, neither in an error nor in a log.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::types::RDKafkaConfRes;

use crate::port::{PortError, PortResult};

/// How long one question to Kafka may take.
pub(in crate::adapter) const CALL: Duration = Duration::from_secs(15);
/// How long a failure told by the library explains a call that got no answer.
const FRESH: Duration = Duration::from_secs(30);
/// Values shorter than this are words such as `PLAIN` rather than secrets.
const SHORTEST_SECRET: usize = 4;
/// Settings that are passed over: second names of what is set here (they would be set in no particular order), and the
/// rack, because a follower may tell an end of a partition that lies before the leader's.
const PASSED_OVER: [&str; 3] = ["metadata.broker.list", "delivery.timeout.ms", "client.rack"];

/// Where Kafka is and how to talk to it.
#[derive(Clone, PartialEq, Eq)]
pub struct KafkaSettings {
    /// `host:port`, several separated by commas.
    pub brokers: String,
    /// Settings by librdkafka's names, for every client alike. `group.id` names the group that reads identify with
    /// (they never join it); it is `cyanotype-reader` otherwise.
    pub properties: BTreeMap<String, String>,
}

impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.properties.keys().map(String::as_str).collect();
        f.debug_struct("KafkaSettings").field("brokers", &self.brokers).field("properties", &names).finish()
    }
}

/// Makes clients, and errors that fit them.
#[derive(Clone)]
pub(in crate::adapter) struct Clients {
    settings: KafkaSettings,
    context: Context,
}

impl Clients {
    pub(in crate::adapter) fn new(settings: KafkaSettings) -> Self {
        let context = Context { cleaner: Arc::new(Cleaner::new(&settings)), last: Arc::new(Mutex::new(None)) };
        Self { settings, context }
    }

    /// The context that every client made here carries.
    pub(in crate::adapter) fn context(&self) -> Context {
        self.context.clone()
    }

    /// What a person set for `name`.
    pub(in crate::adapter) fn configured(&self, name: &str) -> Option<&str> {
        self.settings.properties.get(name).map(String::as_str)
    }

    /// Makes a client with `ours` over what a person configured.
    pub(in crate::adapter) fn make<C, T>(&self, ours: &[(&str, &str)], context: C) -> PortResult<T>
    where
        C: ClientContext,
        T: FromClientConfigAndContext<C>,
    {
        let mut config = ClientConfig::new();
        config.set("client.id", "cyanotype").set("socket.timeout.ms", "10000").set("reconnect.backoff.max.ms", "2000");
        for (name, value) in &self.settings.properties {
            if !PASSED_OVER.contains(&name.as_str()) {
                config.set(name, value);
            }
        }
        for (name, value) in ours {
            config.set(*name, *value);
        }
        config.set("bootstrap.servers", &self.settings.brokers).set_log_level(RDKafkaLogLevel::Warning);
        config.create_with_context(context).map_err(|e| self.error("to make a client", &e))
    }

    /// The error of a call: `what` names the call, such as `to delete topic x`.
    pub(in crate::adapter) fn error(&self, what: impl Into<String>, error: &KafkaError) -> PortError {
        match (code_of(error), error) {
            // A transaction's error says more than its code.
            (Some(code), KafkaError::Transaction(told)) => {
                self.told(what, code, self.context.cleaner.clean(&told.string()))
            }
            (Some(code), _) => self.code(what, code),
            (None, _) => self.refused(what, self.context.cleaner.clean(&plain(error))),
        }
    }

    /// The error that a code stands for.
    pub(in crate::adapter) fn code(&self, what: impl Into<String>, code: Code) -> PortError {
        self.told(what, code, words(code))
    }

    fn told(&self, what: impl Into<String>, code: Code, reason: String) -> PortError {
        match passing(code) {
            true => self.unreachable(format!("{reason} when asked {}", what.into())),
            false => self.refused(what, reason),
        }
    }

    /// No answer. What the library last said about its connections is told too, as far as a client was polled for it.
    pub(in crate::adapter) fn unreachable(&self, reason: impl Into<String>) -> PortError {
        let reason = reason.into();
        let reason = match self.context.recent() {
            Some(last) => format!("{reason} ({last})"),
            None => reason,
        };
        PortError::Unreachable { system: "Kafka", address: self.settings.brokers.clone(), reason }
    }

    /// A refusal.
    pub(in crate::adapter) fn refused(&self, what: impl Into<String>, reason: impl Into<String>) -> PortError {
        PortError::Refused { system: "Kafka", what: what.into(), reason: reason.into() }
    }

    /// No such topic.
    pub(in crate::adapter) fn no_topic(&self, topic: &str) -> PortError {
        PortError::Missing { system: "Kafka", what: format!("topic `{topic}`") }
    }
}

/// The code in an error of the library, if it has one.
pub(in crate::adapter) fn code_of(error: &KafkaError) -> Option<Code> {
    match error {
        KafkaError::AdminOp(code) => Some(*code),
        other => other.rdkafka_error_code(),
    }
}

/// What a code means, in the library's words.
fn words(code: Code) -> String {
    let text = code.to_string();
    let words = text.split_once(" (").and_then(|(_, words)| words.strip_suffix(')')).unwrap_or(&text);
    words.trim_start_matches("Broker: ").trim_start_matches("Local: ").to_owned()
}

/// True when the topic is not there.
pub(in crate::adapter) fn absent(code: Code) -> bool {
    matches!(code, Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition | Code::UnknownTopicId)
}

/// True when the same call may succeed later without anybody changing anything.
pub(in crate::adapter) fn passing(code: Code) -> bool {
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::TimedOutQueue
            | Code::MessageTimedOut
            | Code::RequestTimedOut
            | Code::NetworkException
            | Code::BrokerNotAvailable
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::ReplicaNotAvailable
            | Code::PreferredLeaderNotAvailable
            | Code::WaitingForCoordinator
            | Code::CoordinatorLoadInProgress
            | Code::CoordinatorNotAvailable
            | Code::NotCoordinator
            | Code::NotController
            | Code::NotEnoughReplicas
            | Code::NotEnoughReplicasAfterAppend
            | Code::OffsetNotAvailable
            | Code::FencedLeaderEpoch
            | Code::UnknownLeaderEpoch
            | Code::UnstableOffsetCommit
            | Code::ConcurrentTransactions
            | Code::RebalanceInProgress
            | Code::Retry
            | Code::ThrottlingQuotaExceeded
    )
}

/// An error without a code, with no value of a setting in it.
fn plain(error: &KafkaError) -> String {
    match error {
        KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, _, key, _) => {
            format!("there is no client setting `{key}`: take it out of the Kafka properties")
        }
        KafkaError::ClientConfig(_, _, key, _) => {
            format!("the client setting `{key}` cannot have its configured value: see librdkafka's list of settings")
        }
        KafkaError::Nul(_) => "a name has a zero byte in it".to_owned(),
        other => other.to_string(),
    }
}

/// Takes configured values out of texts.
struct Cleaner {
    secrets: Vec<String>,
}

impl Cleaner {
    fn new(settings: &KafkaSettings) -> Self {
        let mut secrets: Vec<String> = settings
            .properties
            .iter()
            .filter(|(name, value)| secret(name) && value.len() >= SHORTEST_SECRET)
            .map(|(_, value)| value.clone())
            .collect();
        secrets.sort_by_key(|s| std::cmp::Reverse(s.len()));
        Self { secrets }
    }

    fn clean(&self, text: &str) -> String {
        let text = self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"));
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// True for settings whose value must not be told.
fn secret(name: &str) -> bool {
    ["password", "secret", "pem", "username", "token", "key", "jaas", "assertion", "oauthbearer.config"]
        .iter()
        .any(|part| name.contains(part))
}

/// Takes what the library logs to `tracing`, and remembers the last failed connection.
#[derive(Clone)]
pub(in crate::adapter) struct Context {
    cleaner: Arc<Cleaner>,
    last: Arc<Mutex<Option<(Instant, String)>>>,
}

impl Context {
    fn recent(&self) -> Option<String> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(at, _)| at.elapsed() < FRESH).map(|(_, text)| text.clone())
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, log_message: &str) {
        let text = self.cleaner.clean(log_message.rsplit_once("]: ").map_or(log_message, |(_, text)| text));
        match (level, fac) {
            // Each client tells of each lost connection; the call that needed it fails with the same words.
            (_, "FAIL") => tracing::debug!(fac, text, "kafka client"),
            (
                RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error,
                _,
            ) => tracing::info!(fac, text, "kafka client"),
            _ => tracing::debug!(fac, text, "kafka client"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let told = matches!(
            code_of(&error),
            Some(Code::BrokerTransportFailure | Code::Resolve | Code::Authentication | Code::SSL)
        );
        if told {
            // Without how long it took and how often it came before.
            let reason = self.cleaner.clean(reason.split(" (after ").next().unwrap_or(reason));
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), reason));
        }
    }

    fn stats_raw(&self, _: &[u8]) {}
}

impl ConsumerContext for Context {}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(properties: &[(&str, &str)]) -> KafkaSettings {
        let properties = properties.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        KafkaSettings { brokers: "127.0.0.1:1".to_owned(), properties }
    }

    #[test]
    fn no_value_of_a_setting_is_shown() {
        let settings = settings(&[("sasl.password", "hunter2hunter2"), ("sasl.username", "anna")]);
        let text = format!("{settings:?}");
        assert!(text.contains("sasl.password") && !text.contains("hunter2") && !text.contains("anna"), "{text}");
        let cleaner = Cleaner::new(&settings);
        assert_eq!(cleaner.clean("login as anna with\nhunter2hunter2 failed"), "login as *** with *** failed");
    }

    #[test]
    fn a_bad_setting_is_named_without_its_value() {
        for (name, value) in [("sasl.pasword", "hunter2hunter2"), ("security.protocol", "hunter2hunter2")] {
            let clients = Clients::new(settings(&[(name, value)]));
            let made: PortResult<rdkafka::consumer::BaseConsumer<Context>> = clients.make(&[], clients.context());
            let error = made.err().map(|e| e.to_string()).unwrap_or_default();
            assert!(error.contains(&format!("`{name}`")) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_code_says_whether_waiting_helps() {
        let clients = Clients::new(settings(&[]));
        assert!(clients.code("to list topics", Code::RequestTimedOut).passing());
        assert!(clients.error("to list topics", &KafkaError::AdminOp(Code::BrokerTransportFailure)).passing());
        let refused = clients.code("to create topic x", Code::TopicAuthorizationFailed);
        assert!(!refused.passing() && refused.to_string().contains("to create topic x"), "{refused}");
    }
}
