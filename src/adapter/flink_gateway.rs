//! Flink: statements through the SQL Gateway, jobs through the JobManager's REST API.
//!
//! Rules: one session for one job, since a `SET` sticks to its session, and the session is closed whatever happens; a
//! statement is sent once, because sending it again could start a second job; an error holds Flink's own words.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::flink_cause::{cause, one_line_up};
use super::rest::{Answer, Endpoint, Repeat, Rest, reason};
use crate::model::job::{JobHealth, JobRef, JobText};
use crate::port::{Engine, PortError, PortResult};

/// A statement that has no result by then is given up; planning a large one takes seconds.
const STATEMENT_DEADLINE: Duration = Duration::from_secs(60);
/// A job that has not ended by then is reported.
const CANCEL_DEADLINE: Duration = Duration::from_secs(60);
const STATEMENT_POLL: Duration = Duration::from_millis(100);
const CANCEL_POLL: Duration = Duration::from_millis(200);
/// Exceptions asked for; a JobManager keeps 16 by default.
const EXCEPTIONS: &str = "64";
/// Pages of one result that are read: an explanation is one row.
const PAGES: u32 = 64;

/// Flink behind a SQL Gateway and a JobManager.
pub struct FlinkEngine {
    gateway: Arc<Rest>,
    rest: Rest,
}

/// A session of the gateway. One that was not closed, because its caller went away, is closed on drop.
struct Session {
    gateway: Arc<Rest>,
    handle: String,
    open: bool,
}

/// What a statement gave: its rows and, for an INSERT, the job.
#[derive(Default)]
struct Outcome {
    job: Option<String>,
    rows: Vec<String>,
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

#[derive(Deserialize)]
struct Overview {
    jobs: Vec<OverviewJob>,
}

#[derive(Deserialize)]
struct OverviewJob {
    jid: String,
    name: String,
    state: String,
    #[serde(rename = "start-time", default)]
    start: i64,
}

#[derive(Deserialize)]
struct Details {
    state: String,
    #[serde(rename = "start-time")]
    start: i64,
}

#[derive(Deserialize)]
struct Status {
    status: String,
}

#[derive(Deserialize)]
struct Checkpoints {
    counts: Counts,
    #[serde(default)]
    history: Vec<Checkpoint>,
}

#[derive(Deserialize)]
struct Counts {
    completed: u64,
}

#[derive(Deserialize)]
struct Checkpoint {
    status: String,
    trigger_timestamp: i64,
}

#[derive(Deserialize)]
struct Exceptions {
    #[serde(rename = "exceptionHistory")]
    history: History,
}

#[derive(Deserialize)]
struct History {
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    stacktrace: String,
    timestamp: i64,
    #[serde(default)]
    concurrent_exceptions: Vec<Concurrent>,
}

#[derive(Deserialize)]
struct Concurrent {
    #[serde(default)]
    stacktrace: String,
}

impl FlinkEngine {
    /// An engine; nothing is sent yet.
    pub fn new(gateway: &Endpoint, rest: &Endpoint) -> PortResult<Self> {
        Ok(Self { gateway: Arc::new(Rest::new("SQL gateway", gateway)?), rest: Rest::new("Flink", rest)? })
    }

    /// The statements of a job up to its INSERT, then `last`, in a session of their own.
    async fn replay(&self, job: &JobText, last: &str) -> PortResult<Outcome> {
        let session = Session::open(&self.gateway, job).await?;
        let outcome = async {
            for ddl in &job.ddl {
                session.run(ddl).await?;
            }
            session.run(last).await
        }
        .await;
        session.close().await;
        outcome
    }

    async fn status(&self, id: &str) -> PortResult<Option<String>> {
        let what = format!("GET status of job {id}");
        let answer = self.rest.get(&["jobs", id, "status"]).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        let status: Status = read(&self.rest, &what, &answer)?;
        Ok(Some(status.status))
    }

    async fn about<T: serde::de::DeserializeOwned>(
        &self,
        id: &str,
        page: Option<&str>,
        query: &[(&str, &str)],
    ) -> PortResult<T> {
        let parts: Vec<&str> = ["jobs", id].into_iter().chain(page).collect();
        let what = format!("GET {} of job {id}", page.unwrap_or("details"));
        let answer = self.rest.call(Method::GET, &parts, query, None, Repeat::Free).await?;
        if answer.status == 404 {
            return Err(self.rest.missing(format!("job {id}")));
        }
        read(&self.rest, &what, &answer)
    }

    async fn overview(&self) -> PortResult<Vec<OverviewJob>> {
        let answer = self.rest.get(&["jobs", "overview"]).await?;
        let mut overview: Overview = read(&self.rest, "GET /jobs/overview", &answer)?;
        overview.jobs.sort_by(|a, b| (a.start, &a.jid).cmp(&(b.start, &b.jid)));
        Ok(overview.jobs)
    }
}

impl Session {
    async fn open(gateway: &Arc<Rest>, job: &JobText) -> PortResult<Self> {
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
    async fn run(&self, statement: &str) -> PortResult<Outcome> {
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
        let answer = self.gateway.call(Method::GET, &parts, &[("rowFormat", "JSON")], None, Repeat::Unsent).await?;
        read(&self.gateway, what, &answer)
    }

    async fn close(mut self) {
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
fn read<T: serde::de::DeserializeOwned>(rest: &Rest, what: &str, answer: &Answer) -> PortResult<T> {
    if answer.ok() {
        return rest.json(what, answer);
    }
    let value = answer.value();
    let errors = value.get("errors").and_then(Value::as_array);
    // The last one holds the stack trace; the first may be "Internal server error." alone.
    match errors.and_then(|e| e.iter().filter_map(Value::as_str).rfind(|e| !e.trim().is_empty())) {
        Some(trace) => Err(rest.refused(what, cause(trace))),
        None => Err(rest.refused(what, reason(answer))),
    }
}

/// The first words of a statement, to name it by.
fn title(statement: &str) -> String {
    let code = statement.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with("--")).unwrap_or_default();
    let words: Vec<&str> = code.split_whitespace().take_while(|w| !w.starts_with('(')).take(4).collect();
    match words[..] {
        [] => "an empty statement".into(),
        _ => format!("`{}`", super::rest::one_line(&words.join(" "), 80)),
    }
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Flink's ids are 32 digits; anything else is no job of its.
fn is_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())
}

#[async_trait]
impl Engine for FlinkEngine {
    async fn explain(&self, job: &JobText) -> PortResult<String> {
        // On a line of its own, so that columns in Flink's messages stay those of the statement.
        let outcome = self.replay(job, &format!("EXPLAIN\n{}", job.insert)).await;
        let outcome = outcome.map_err(|error| match error {
            PortError::Refused { system, what, reason } if what.starts_with("`EXPLAIN") => {
                PortError::Refused { system, what: title(&job.insert), reason: one_line_up(&reason) }
            }
            other => other,
        })?;
        if outcome.rows.is_empty() {
            return Err(self.gateway.garbage(&title(&job.insert), "its explanation is empty"));
        }
        Ok(outcome.rows.join("\n"))
    }

    async fn start(&self, job: &JobText) -> PortResult<JobRef> {
        let outcome = self.replay(job, &job.insert).await?;
        let id = outcome.job.or_else(|| outcome.rows.into_iter().next()).filter(|id| is_id(id));
        let id = id.ok_or_else(|| self.gateway.garbage(&title(&job.insert), "there is no job id in it"))?;
        // It has been accepted: a state that cannot be read now changes nothing about that.
        let state = self.status(&id).await.ok().flatten().unwrap_or_else(|| "INITIALIZING".into());
        Ok(JobRef { id, name: job.name.clone(), state })
    }

    async fn find(&self, name: &str) -> PortResult<Vec<JobRef>> {
        Ok(self.jobs().await?.into_iter().filter(|j| j.name == name).collect())
    }

    async fn jobs(&self) -> PortResult<Vec<JobRef>> {
        let jobs = self.overview().await?;
        Ok(jobs.into_iter().map(|j| JobRef { id: j.jid, name: j.name, state: j.state }).collect())
    }

    async fn health(&self, id: &str) -> PortResult<JobHealth> {
        if !is_id(id) {
            return Err(self.rest.missing(format!("job `{}`", super::rest::one_line(id, 80))));
        }
        let details: Details = self.about(id, None, &[]).await?;
        let exceptions: Exceptions = self.about(id, Some("exceptions"), &[("maxExceptions", EXCEPTIONS)]).await?;
        let checkpoints: Checkpoints = self.about(id, Some("checkpoints"), &[]).await?;
        let entries = exceptions.history.entries;
        let last = entries.iter().max_by_key(|e| e.timestamp);
        let since = match last {
            None => checkpoints.counts.completed,
            Some(last) => {
                let after = |c: &&Checkpoint| c.status == "COMPLETED" && c.trigger_timestamp > last.timestamp;
                // The history is short (10 by default): enough to tell a healthy job, and never too many.
                u64::try_from(checkpoints.history.iter().filter(after).count()).unwrap_or(u64::MAX)
            }
        };
        Ok(JobHealth {
            state: details.state,
            checkpoints_since_exception: since,
            checkpoints: checkpoints.counts.completed,
            exceptions: u64::try_from(entries.len()).unwrap_or(u64::MAX),
            last_exception: last.map(told),
            started_ms: details.start,
        })
    }

    async fn cancel(&self, id: &str) -> PortResult<()> {
        if !is_id(id) {
            return Ok(());
        }
        let what = format!("cancel of job {id}");
        let query = [("mode", "cancel")];
        let answer = self.rest.call(Method::PATCH, &["jobs", id], &query, None, Repeat::Free).await?;
        match answer.status {
            404 => return Ok(()),
            // 409: it had ended, or is about to.
            200..300 | 409 => {}
            _ => return read::<Value>(&self.rest, &what, &answer).map(drop),
        }
        let deadline = Instant::now() + CANCEL_DEADLINE;
        loop {
            let Some(state) = self.status(id).await? else { return Ok(()) };
            let job = JobRef { id: id.to_owned(), name: String::new(), state };
            if job.ended() {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let reason = format!("job {id} is {} {} s after its cancel", job.state, CANCEL_DEADLINE.as_secs());
                return Err(self.rest.unreachable(reason));
            }
            sleep(CANCEL_POLL).await;
        }
    }
}

/// The cause of an exception: of the one that came with it when the entry itself only says that the job gave up.
fn told(entry: &Entry) -> String {
    let gave_up = entry.stacktrace.contains("Recovery is suppressed") && !entry.stacktrace.contains("\nCaused by: ");
    match entry.concurrent_exceptions.first() {
        Some(other) if gave_up || entry.stacktrace.is_empty() => cause(&other.stacktrace),
        _ => cause(&entry.stacktrace),
    }
}
