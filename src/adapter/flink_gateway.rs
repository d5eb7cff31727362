//! Flink: statements through the SQL Gateway, jobs through the JobManager's REST API.
//!
//! Rules: one session for one job, every DDL replayed in it; an error holds Flink's own words; a job is healthy by what
//! the JobManager counts, never by its metrics, which are stale.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::flink_cause::{cause, one_line_up};
use super::flink_session::{Outcome, Session, read, title};
use super::flink_shape::{Metric, RunningPlan, Sources, explained, read_of};
use super::rest::{Answer, Endpoint, Repeat, Rest};
use super::wording::one_line;
use crate::model::job::{JobHealth, JobRef, JobShape, JobText};
use crate::model::record::Offsets;
use crate::port::{Engine, PortError, PortResult};

/// A job that has not ended by then is reported.
const CANCEL_DEADLINE: Duration = Duration::from_secs(60);
const CANCEL_POLL: Duration = Duration::from_millis(200);
/// Exceptions asked for; a JobManager keeps 16 by default.
const EXCEPTIONS: &str = "64";
/// Metrics asked for at once.
const POSITIONS: usize = 32;

/// Flink behind a SQL Gateway and a JobManager.
pub struct FlinkEngine {
    gateway: Arc<Rest>,
    rest: Rest,
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
struct Vertices {
    #[serde(default)]
    vertices: Vec<Vertex>,
}

#[derive(Deserialize)]
struct Vertex {
    id: String,
    #[serde(default)]
    name: String,
}

impl Vertex {
    /// True unless its name says that it has no source in it: chains name their operators, a source first.
    fn may_read(&self) -> bool {
        self.name.is_empty() || self.name.contains("Source: ")
    }
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

    /// The id, if it can be one of Flink's.
    fn known<'i>(&self, id: &'i str) -> PortResult<&'i str> {
        if is_id(id) { Ok(id) } else { Err(self.rest.missing(format!("job `{}`", one_line(id, 80)))) }
    }

    async fn status(&self, id: &str) -> PortResult<Option<String>> {
        let what = format!("GET status of job {id}");
        let answer = self.rest.get(&["jobs", id, "status"]).await?;
        if unknown(&answer) {
            return Ok(None);
        }
        let status: Status = read(&self.rest, &what, &answer)?;
        Ok(Some(status.status))
    }

    /// Plans the job's INSERT behind `how`, in a session of its own; the engine's text.
    async fn explained(&self, job: &JobText, how: &str) -> PortResult<String> {
        // On a line of its own, so that columns in Flink's messages stay those of the statement.
        let outcome = self.replay(job, &format!("{how}\n{}", job.insert)).await;
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

    /// The metrics of a vertex: their names, or the values of those that are named.
    async fn metrics(&self, id: &str, vertex: &str, named: Option<&str>) -> PortResult<Vec<Metric>> {
        let parts = ["jobs", id, "vertices", vertex, "metrics"];
        let query: Vec<(&str, &str)> = named.map(|names| ("get", names)).into_iter().collect();
        let answer = self.rest.call(Method::GET, &parts, &query, None, Repeat::Free).await?;
        read(&self.rest, &format!("GET metrics of job {id}"), &answer)
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
        if unknown(&answer) {
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

/// True when Flink itself says that it has no such job; another 404 means that the address is wrong.
fn unknown(answer: &Answer) -> bool {
    answer.status == 404 && answer.body.contains("FlinkJobNotFoundException")
}

/// Flink's ids are 32 digits; anything else is no job of its.
fn is_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())
}

#[async_trait]
impl Engine for FlinkEngine {
    async fn explain(&self, job: &JobText) -> PortResult<String> {
        self.explained(job, "EXPLAIN").await
    }

    async fn shape(&self, job: &JobText) -> PortResult<JobShape> {
        let text = self.explained(job, "EXPLAIN JSON_EXECUTION_PLAN").await?;
        explained(&text).ok_or_else(|| self.gateway.garbage(&title(&job.insert), "there is no execution plan in it"))
    }

    async fn running(&self, id: &str) -> PortResult<JobShape> {
        let plan: RunningPlan = self.about(self.known(id)?, Some("plan"), &[]).await?;
        Ok(plan.shape())
    }

    async fn topics_read(&self, id: &str, topics: &BTreeSet<String>) -> PortResult<(BTreeSet<String>, bool)> {
        let scans = self.running(id).await?.reads.len();
        let Vertices { vertices } = self.about(id, None, &[]).await?;
        let mut names = Vec::new();
        for vertex in vertices.iter().filter(|vertex| vertex.may_read()) {
            names.extend(self.metrics(id, &vertex.id, None).await?.into_iter().map(|metric| metric.id));
        }
        Ok(read_of(topics, &names, scans))
    }

    async fn positions(&self, id: &str, table: &str, topic: &str) -> PortResult<Option<Offsets>> {
        let scans = self.running(id).await?.reads.iter().filter(|read| *read == table).count();
        let Vertices { vertices } = self.about(id, None, &[]).await?;
        let mut sources = Sources::of(table, topic);
        for vertex in vertices.iter().filter(|vertex| vertex.may_read()) {
            let names = self.metrics(id, &vertex.id, None).await?;
            let names: Vec<&str> = names.iter().map(|m| m.id.as_str()).filter(|id| sources.says(id)).collect();
            // As many in one call as an address may be long.
            for names in names.chunks(POSITIONS) {
                sources.take(&vertex.id, &self.metrics(id, &vertex.id, Some(&names.join(","))).await?);
            }
        }
        Ok(sources.behind_most(scans))
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
        let details: Details = self.about(self.known(id)?, None, &[]).await?;
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
            last_exception_ms: last.map(|e| e.timestamp),
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
            _ if unknown(&answer) => return Ok(()),
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
