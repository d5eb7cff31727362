//! A session of the SQL Gateway and the statements in it.
//!
//! Rules: the session is closed whatever happens, since a `SET` sticks to it and tables fill it; a statement is sent once,
//! because sending it again could start a second job.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::flink_cause::{cause, passes};
use super::rest::{Answer, Repeat, Rest};
use super::wording::{one_line, reason};
use crate::model::job::JobText;
use crate::port::PortResult;

/// A statement that has no result by then is given up; planning a large one takes seconds.
const STATEMENT_DEADLINE: Duration = Duration::from_secs(60);
const STATEMENT_POLL: Duration = Duration::from_millis(100);
/// Pages of one result that are read: an explanation is one row.
const PAGES: u32 = 64;

/// A session of the gateway. One that was not closed, because its caller went away, is closed on drop.
pub(super) struct Session {
    gateway: Arc<Rest>,
    handle: String,
    open: bool,
}

/// What a statement gave: its rows and, for an INSERT, the job.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) job: Option<String>,
    pub(super) rows: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    result_type: String,
    #[serde(rename = "jobID")]
    job: Option<String>,
    results: Option<Rows>,
    next_result_uri: Option<String>,
}

#[derive(Deserialize)]
struct Rows {
    #[serde(default)]
    data: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    fields: Vec<Value>,
}

impl Session {
    pub(super) async fn open(gateway: &Arc<Rest>, job: &JobText) -> PortResult<Self> {
        let what = "POST /v1/sessions";
        let mut properties = job.settings.clone();
        properties.insert("pipeline.name".into(), job.name.clone());
        let body = json!({ "properties": properties });
        // A session opened twice is closed by the gateway when it has been idle for long: no harm.
        let answer = gateway.call(Method::POST, &["v1", "sessions"], &[], Some(&body), Repeat::Free).await?;
        let value: Value = read(gateway, what, &answer)?;
        let handle = value.get("sessionHandle").and_then(Value::as_str);
        let handle = handle.ok_or_else(|| gateway.garbage(what, "there is no sessionHandle in it"))?.to_owned();
        Ok(Self { gateway: Arc::clone(gateway), handle, open: true })
    }

    /// Runs one statement to its result.
    pub(super) async fn run(&self, statement: &str) -> PortResult<Outcome> {
        let what = title(statement);
        let parts = ["v1", "sessions", &self.handle, "statements"];
        let body = json!({ "statement": statement });
        let answer = self.gateway.call(Method::POST, &parts, &[], Some(&body), Repeat::Unsent).await?;
        let value: Value = read(&self.gateway, &what, &answer)?;
        let operation = value.get("operationHandle").and_then(Value::as_str);
        let operation = operation.ok_or_else(|| self.gateway.garbage(&what, "there is no operationHandle in it"))?;
        let deadline = Instant::now() + STATEMENT_DEADLINE;
        let mut outcome = Outcome::default();
        let mut token = 0;
        loop {
            let page = self.page(&what, operation, token).await?;
            match page.result_type.as_str() {
                "NOT_READY" if Instant::now() >= deadline => {
                    self.give_up(operation).await;
                    let reason = format!("{what} had no result after {} s", STATEMENT_DEADLINE.as_secs());
                    return Err(self.gateway.unreachable(reason));
                }
                "NOT_READY" => sleep(STATEMENT_POLL).await,
                "EOS" => return Ok(outcome),
                "PAYLOAD" => {
                    outcome.job = outcome.job.or(page.job);
                    let rows = page.results.map(|r| r.data).unwrap_or_default();
                    outcome.rows.extend(rows.into_iter().filter_map(|r| r.fields.into_iter().next()).map(text));
                    token += 1;
                    // An INSERT's result stays open as long as its job runs.
                    if outcome.job.is_some() || page.next_result_uri.is_none() || token >= PAGES {
                        return Ok(outcome);
                    }
                }
                other => return Err(self.gateway.garbage(&what, format!("its resultType is `{other}`"))),
            }
        }
    }

    async fn page(&self, what: &str, operation: &str, token: u32) -> PortResult<Page> {
        let token = token.to_string();
        let parts = ["v1", "sessions", &self.handle, "operations", operation, "result", &token];
        let answer = self.gateway.call(Method::GET, &parts, &[("rowFormat", "JSON")], None, Repeat::Lost).await?;
        read(&self.gateway, what, &answer)
    }

    /// Cancels an operation, so that the gateway does not go on submitting a job that nobody waits for.
    async fn give_up(&self, operation: &str) {
        let parts = ["v1", "sessions", &self.handle, "operations", operation, "cancel"];
        if let Err(error) = self.gateway.call(Method::POST, &parts, &[], None, Repeat::Lost).await {
            tracing::debug!(%error, "an operation of the gateway was left running");
        }
    }

    pub(super) async fn close(mut self) {
        self.open = false;
        close(&self.gateway, &self.handle).await;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (gateway, handle) = (Arc::clone(&self.gateway), std::mem::take(&mut self.handle));
            runtime.spawn(async move { close(&gateway, &handle).await });
        }
    }
}

/// Closes a session; what runs goes on. A failure leaves an idle session, which the gateway ends by itself.
async fn close(gateway: &Rest, handle: &str) {
    let parts = ["v1", "sessions", handle];
    if let Err(error) = gateway.call(Method::DELETE, &parts, &[], None, Repeat::Unsent).await {
        tracing::debug!(%error, "a session of the gateway was left open");
    }
}

/// A success's JSON; a failure with Flink's own reason.
pub(super) fn read<T: serde::de::DeserializeOwned>(rest: &Rest, what: &str, answer: &Answer) -> PortResult<T> {
    if answer.ok() {
        return rest.json(what, answer);
    }
    let value = answer.value();
    let errors = value.get("errors").and_then(Value::as_array);
    // The last one holds the stack trace; the first may be "Internal server error." alone.
    match errors.and_then(|e| e.iter().filter_map(Value::as_str).rfind(|e| !e.trim().is_empty())) {
        Some(trace) if passes(trace) => Err(rest.unreachable(format!("{what}: {}", cause(trace)))),
        Some(trace) => Err(rest.refused(what, cause(trace))),
        None => Err(rest.refused(what, reason(answer))),
    }
}

/// The first words of a statement, to name it by.
pub(super) fn title(statement: &str) -> String {
    let code = statement.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with("--")).unwrap_or_default();
    let words: Vec<&str> = code.split_whitespace().take_while(|w| !w.starts_with('(')).take(4).collect();
    match words[..] {
        [] => "an empty statement".into(),
        _ => format!("`{}`", one_line(&words.join(" "), 80)),
    }
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}
