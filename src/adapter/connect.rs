//! Kafka Connect's REST API.
//!
//! Rules: nothing is inferred from a 2xx or from the connector's own state: what was asked for is read back, with a
//! deadline; a worker that balances its load is asked again; one that starts answers 404 to everything, which is no answer;
//! a task's trace may hold values of rows, so only the head of its first line and the names of the exceptions behind it are
//! kept.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::rest::{Answer, Endpoint, Repeat, Rest};
use super::wording::{one_line, scrub};
use crate::model::record::Offsets;
use crate::port::{ConnectorStatus, Connectors, PortResult};

/// A worker's balancing takes seconds; five minutes (its default delay after a lost worker) is not waited for.
const BUSY_DEADLINE: Duration = Duration::from_secs(30);
const BUSY_POLL: Duration = Duration::from_millis(500);
/// Tasks get 5 s to end by default before they are abandoned.
const SETTLE_DEADLINE: Duration = Duration::from_secs(60);
const SETTLE_POLL: Duration = Duration::from_millis(100);
/// Characters of an exception's message that are kept.
const MESSAGE_LIMIT: usize = 200;

/// A Connect cluster.
pub struct ConnectClient {
    rest: Rest,
}

#[derive(Deserialize)]
struct Status {
    connector: Part,
    #[serde(default)]
    tasks: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    state: String,
    trace: Option<String>,
}

#[derive(Deserialize)]
struct Expanded {
    info: Info,
}

#[derive(Deserialize)]
struct Info {
    config: Settings,
}

/// As Connect answers them: a setting may be null.
type Settings = BTreeMap<String, Option<String>>;

#[derive(Deserialize)]
struct OffsetsPage {
    offsets: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    partition: Option<Value>,
    offset: Option<Value>,
}

impl ConnectClient {
    /// A client; nothing is sent yet.
    pub fn new(endpoint: &Endpoint) -> PortResult<Self> {
        Ok(Self { rest: Rest::new("Connect", endpoint)? })
    }

    /// A call below one connector; asked again while the cluster is busy with itself (409).
    async fn call(
        &self,
        method: Method,
        name: &str,
        page: Option<&str>,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> PortResult<Answer> {
        if name.contains(['/', '\\', '%']) {
            let what = format!("connector `{}`", one_line(name, MESSAGE_LIMIT));
            return Err(self.rest.refused(what, "its REST API takes no name with `/`, `\\` or `%` in it: rename it"));
        }
        let parts: Vec<&str> = ["connectors", name].into_iter().chain(page).collect();
        let deadline = Instant::now() + BUSY_DEADLINE;
        loop {
            let answer = self.rest.call(method.clone(), &parts, query, body, Repeat::Free).await?;
            if starting(&answer) {
                let reason = "HTTP 404 from something that is no worker yet; if it stays so, the address is wrong";
                return Err(self.rest.unreachable(reason.to_owned()));
            }
            if answer.status != 409 || Instant::now() >= deadline {
                return Ok(answer);
            }
            sleep(BUSY_POLL).await;
        }
    }

    /// `None` when Connect says that there is no such connector; its JSON otherwise.
    async fn read<T: serde::de::DeserializeOwned>(&self, name: &str, page: &str) -> PortResult<Option<T>> {
        let what = format!("GET {page} of connector `{name}`");
        let answer = self.call(Method::GET, name, Some(page), &[], None).await?;
        if missing(&answer) {
            return Ok(None);
        }
        self.rest.json(&what, &answer).map(Some)
    }

    /// A call that must find the connector.
    async fn order(&self, what: String, name: &str, answer: Answer) -> PortResult<()> {
        if missing(&answer) {
            return Err(self.rest.missing(format!("connector `{name}`")));
        }
        if answer.ok() { Ok(()) } else { Err(self.rest.refusal(&what, &answer)) }
    }

    /// Every partition's offset, by topic.
    async fn positions(&self, name: &str) -> PortResult<BTreeMap<String, Offsets>> {
        let page: Option<OffsetsPage> = self.read(name, "offsets").await?;
        let page = page.ok_or_else(|| self.rest.missing(format!("connector `{name}`")))?;
        let mut all: BTreeMap<String, Offsets> = BTreeMap::new();
        for entry in &page.offsets {
            let (Some(partition), Some(offset)) = (&entry.partition, &entry.offset) else { continue };
            // A source connector has partitions of another form: it has no offsets in topics.
            let Some(topic) = partition.get("kafka_topic").and_then(Value::as_str) else { continue };
            let number = partition.get("kafka_partition").and_then(Value::as_i64).and_then(|p| i32::try_from(p).ok());
            let (Some(number), Some(offset)) = (number, offset.get("kafka_offset").and_then(Value::as_i64)) else {
                let what = format!("GET offsets of connector `{name}`");
                return Err(self
                    .rest
                    .garbage(&what, format!("a partition of topic `{topic}` has no number or offset")));
            };
            all.entry(topic.to_owned()).or_default().insert(number, offset);
        }
        Ok(all)
    }
}

fn present(settings: Settings) -> BTreeMap<String, String> {
    settings.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

/// True when it is not Connect that says no: its web server listens, and knows no path, some time before the worker serves.
fn starting(answer: &Answer) -> bool {
    answer.status == 404 && answer.value().get("error_code").is_none()
}

/// True when Connect itself says that there is no such connector.
fn missing(answer: &Answer) -> bool {
    answer.status == 404 && answer.value().get("error_code").and_then(Value::as_i64) == Some(404) && {
        // A path that Connect does not know has the same code and this text.
        !answer.body.contains("HTTP 404 Not Found")
    }
}

/// The first line of a trace, its message cut, and the names of the exceptions behind it.
fn failure(trace: &str) -> String {
    let mut lines = trace.lines();
    let first = lines.next().unwrap_or_default();
    let (class, message) = first.split_once(": ").unwrap_or((first, ""));
    let behind: Vec<&str> = lines
        .filter_map(|l| l.strip_prefix("Caused by: "))
        .filter_map(|l| l.split([':', ' ']).next())
        .map(simple)
        .collect();
    let mut line = one_line(&scrub(class), MESSAGE_LIMIT);
    if !message.is_empty() {
        line = format!("{line}: {}", one_line(&scrub(message), MESSAGE_LIMIT));
    }
    if !behind.is_empty() {
        line = format!("{line} (caused by {})", one_line(&behind.join(", "), MESSAGE_LIMIT));
    }
    line
}

/// `YException` of `a.b.YException`.
fn simple(class: &str) -> &str {
    class.rsplit(['.', '$']).next().unwrap_or(class)
}

#[async_trait]
impl Connectors for ConnectClient {
    async fn config(&self, name: &str) -> PortResult<Option<BTreeMap<String, String>>> {
        let config: Option<Settings> = self.read(name, "config").await?;
        Ok(config.map(present))
    }

    async fn all(&self) -> PortResult<BTreeMap<String, BTreeMap<String, String>>> {
        let what = "GET /connectors";
        let query = [("expand", "info")];
        let answer = self.rest.call(Method::GET, &["connectors"], &query, None, Repeat::Free).await?;
        if starting(&answer) {
            return Err(self.rest.unreachable("HTTP 404 from something that is no worker yet".to_owned()));
        }
        let all: BTreeMap<String, Expanded> = self.rest.json(what, &answer)?;
        Ok(all.into_iter().map(|(name, expanded)| (name, present(expanded.info.config))).collect())
    }

    async fn configure(&self, name: &str, config: &BTreeMap<String, String>) -> PortResult<()> {
        let what = format!("PUT config of connector `{name}`");
        let answer = self.call(Method::PUT, name, Some("config"), &[], Some(&json!(config))).await?;
        if answer.ok() {
            return Ok(());
        }
        // A validation's message may repeat a value.
        let mut body = answer.body.clone();
        for (_, value) in config.iter().filter(|(k, v)| v.len() > 3 && secret(k)) {
            body = body.replace(value.as_str(), "***");
        }
        Err(self.rest.refusal(&what, &Answer { status: answer.status, body, ..Answer::default() }))
    }

    async fn status(&self, name: &str) -> PortResult<Option<ConnectorStatus>> {
        let status: Option<Status> = self.read(name, "status").await?;
        Ok(status.map(|s| {
            let failed = s.tasks.iter().chain([&s.connector]).find(|p| p.state == "FAILED");
            let failure = failed.map(|p| failure(p.trace.as_deref().unwrap_or("no trace")));
            let tasks = s.tasks.iter().map(|t| t.state.clone()).collect();
            ConnectorStatus { state: s.connector.state, tasks, failure }
        }))
    }

    async fn stop(&self, name: &str) -> PortResult<()> {
        let answer = self.call(Method::PUT, name, Some("stop"), &[], None).await?;
        self.order(format!("stop of connector `{name}`"), name, answer).await?;
        let deadline = Instant::now() + SETTLE_DEADLINE;
        loop {
            // A connector that was made a moment ago has no status yet.
            let status = self.status(name).await?;
            if status.as_ref().is_some_and(|s| s.state == "STOPPED" && s.tasks.is_empty()) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let state =
                    status.map_or_else(|| "unknown".into(), |s| format!("{}, {} tasks", s.state, s.tasks.len()));
                let seconds = SETTLE_DEADLINE.as_secs();
                return Err(self.rest.unreachable(format!("connector `{name}` is {state} {seconds} s after its stop")));
            }
            sleep(SETTLE_POLL).await;
        }
    }

    async fn resume(&self, name: &str) -> PortResult<()> {
        let answer = self.call(Method::PUT, name, Some("resume"), &[], None).await?;
        self.order(format!("resume of connector `{name}`"), name, answer).await
    }

    async fn restart(&self, name: &str) -> PortResult<()> {
        let query = [("includeTasks", "true"), ("onlyFailed", "true")];
        let answer = self.call(Method::POST, name, Some("restart"), &query, None).await?;
        self.order(format!("restart of connector `{name}`"), name, answer).await
    }

    async fn offsets(&self, name: &str) -> PortResult<BTreeMap<String, Offsets>> {
        self.positions(name).await
    }

    async fn set_offsets(&self, name: &str, topic: &str, offsets: &BTreeMap<i32, Option<i64>>) -> PortResult<()> {
        let what = format!("PATCH offsets of connector `{name}` on topic `{topic}`");
        let before = self.positions(name).await?.remove(topic).unwrap_or_default();
        let wrong = |now: &Offsets| -> BTreeMap<i32, Option<i64>> {
            offsets.iter().filter(|(p, want)| now.get(*p).copied() != **want).map(|(p, w)| (*p, *w)).collect()
        };
        let todo = wrong(&before);
        if todo.is_empty() {
            return Ok(());
        }
        let entries: Vec<Value> = todo
            .iter()
            .map(|(partition, offset)| {
                let offset = offset.map(|o| json!({ "kafka_offset": o }));
                json!({ "partition": { "kafka_topic": topic, "kafka_partition": partition }, "offset": offset })
            })
            .collect();
        let body = json!({ "offsets": entries });
        let answer = self.call(Method::PATCH, name, Some("offsets"), &[], Some(&body)).await?;
        self.order(what.clone(), name, answer).await?;
        let after = self.positions(name).await?.remove(topic).unwrap_or_default();
        match wrong(&after).into_keys().next() {
            None => Ok(()),
            Some(partition) => {
                let now = after.get(&partition).map_or_else(|| "none".into(), i64::to_string);
                Err(self.rest.refused(what, format!("the offset of partition {partition} is {now} afterwards")))
            }
        }
    }

    async fn delete(&self, name: &str) -> PortResult<()> {
        let what = format!("DELETE connector `{name}`");
        let answer = self.call(Method::DELETE, name, None, &[], None).await?;
        if missing(&answer) {
            return Ok(());
        }
        self.order(what, name, answer).await?;
        let deadline = Instant::now() + SETTLE_DEADLINE;
        while self.config(name).await?.is_some() || self.status(name).await?.is_some() {
            if Instant::now() >= deadline {
                let seconds = SETTLE_DEADLINE.as_secs();
                return Err(self.rest.unreachable(format!("connector `{name}` is there {seconds} s after its DELETE")));
            }
            sleep(SETTLE_POLL).await;
        }
        Ok(())
    }
}

/// True for a setting whose value is likely a secret.
fn secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["password", "secret", "token", "credential", "jaas", "private"].iter().any(|part| key.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_keeps_no_row() {
        let trace = "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable exception.\n\
            \tat a.b.C(C.java:1)\n\
            Caused by: org.postgresql.util.PSQLException: ERROR: duplicate key, Key (id)=(4711) exists\n\
            \tat a.b.C(C.java:1)\n\
            Caused by: java.lang.IllegalStateException\n";
        assert_eq!(
            failure(trace),
            "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable exception. \
             (caused by PSQLException, IllegalStateException)"
        );
        let long = format!("a.b.XException: {}", "x".repeat(500));
        assert_eq!(failure(&long).chars().count(), "a.b.XException: ".len() + MESSAGE_LIMIT);
        assert_eq!(failure("java.lang.NullPointerException\n"), "java.lang.NullPointerException");
    }

    #[test]
    fn keys_that_hold_secrets() {
        for key in ["database.password", "sasl.jaas.config", "aws.secret.access.key", "API_TOKEN"] {
            assert!(secret(key), "{key}");
        }
        assert!(!secret("topics"));
    }
}
