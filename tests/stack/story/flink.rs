//! Flink: which jobs run, since when, and whether one ever restarted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::Value;

use super::failure::{During as _, Failure, Look, Outcome, until};
use super::http;

/// A job as Flink lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Flink's id.
    pub id: String,
    /// `pipeline.name`.
    pub name: String,
    /// `RUNNING`, ...
    pub state: String,
}

impl Job {
    /// True in a state that a job never leaves.
    pub fn ended(&self) -> bool {
        matches!(self.state.as_str(), "FAILED" | "CANCELED" | "FINISHED")
    }

    /// True when its name holds that physical table as a whole word: `orders` is not in `x-orders_v2-1`.
    pub fn writes(&self, table: &str) -> bool {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        self.name.match_indices(table).any(|(at, _)| {
            let before = self.name.get(..at).and_then(|s| s.chars().next_back());
            let after = self.name.get(at + table.len()..).and_then(|s| s.chars().next());
            !before.is_some_and(word) && !after.is_some_and(word)
        })
    }
}

/// Flink's REST interface.
#[derive(Clone)]
pub struct Flink {
    http: Client,
    url: String,
}

/// Jobs by the physical table that they write, and the exceptions that each of them had.
pub type Baseline = BTreeMap<String, (Job, usize)>;

impl Flink {
    /// The cluster at that address.
    pub fn new(http: &Client, url: &str) -> Self {
        Self { http: http.clone(), url: url.to_owned() }
    }

    /// Every job that Flink remembers.
    ///
    /// # Errors
    /// Flink does not answer.
    pub async fn jobs(&self) -> Outcome<Vec<Job>> {
        let answer = http::get(&self.http, &format!("{}/jobs/overview", self.url)).await?;
        let text = |job: &Value, key: &str| job[key].as_str().unwrap_or_default().to_owned();
        let jobs = answer["jobs"].as_array().during("the list of jobs")?;
        Ok(jobs
            .iter()
            .map(|job| Job { id: text(job, "jid"), name: text(job, "name"), state: text(job, "state") })
            .collect())
    }

    /// Jobs that have not ended and whose name begins with `prefix`.
    ///
    /// # Errors
    /// Flink does not answer.
    pub async fn live(&self, prefix: &str) -> Outcome<Vec<Job>> {
        let jobs = self.jobs().await?;
        Ok(jobs.into_iter().filter(|job| !job.ended() && job.name.starts_with(prefix)).collect())
    }

    /// How many exceptions Flink remembers of a job.
    ///
    /// # Errors
    /// Flink does not answer.
    pub async fn exceptions(&self, id: &str) -> Outcome<usize> {
        let answer = http::get(&self.http, &format!("{}/jobs/{id}/exceptions", self.url)).await?;
        Ok(answer["exceptionHistory"]["entries"].as_array().map_or(0, Vec::len))
    }

    /// The one running job of each table, with its exceptions so far.
    ///
    /// # Errors
    /// A table has no job, several, or one that does not run.
    pub async fn baseline(&self, prefix: &str, tables: &BTreeSet<String>) -> Outcome<Baseline> {
        let live = self.live(prefix).await?;
        let mut baseline = Baseline::new();
        for table in tables {
            let jobs: Vec<&Job> = live.iter().filter(|job| job.writes(table)).collect();
            match jobs.as_slice() {
                [job] if job.state == "RUNNING" => {
                    let exceptions = self.exceptions(&job.id).await?;
                    baseline.insert(table.clone(), ((*job).clone(), exceptions));
                }
                [job] => return Err(Failure::new(format!("the job of {table} is {}, not RUNNING", job.state))),
                [] => {
                    let names: Vec<&str> = live.iter().map(|job| job.name.as_str()).collect();
                    return Err(Failure::new(format!("no job writes {table}; running are {}", names.join(", "))));
                }
                several => {
                    return Err(Failure::new(format!(
                        "{} jobs write {table} at once, there must be one",
                        several.len()
                    )));
                }
            }
        }
        Ok(baseline)
    }

    /// Cancels every job whose name begins with `prefix`; after `Ok` they have ended.
    ///
    /// # Errors
    /// One does not end.
    pub async fn cancel_all(&self, prefix: &str) -> Outcome {
        for job in self.live(prefix).await? {
            let url = format!("{}/jobs/{}?mode=cancel", self.url, job.id);
            // Conflict: it ended by itself in the meantime.
            http::call(&self.http, Method::PATCH, &url, None).await?.accept(&[404, 409]).during(&job.name)?;
        }
        until("the cancelled jobs to end", Duration::from_secs(60), async || {
            let left = self.live(prefix).await?.len();
            Ok(if left == 0 { Look::There(()) } else { Look::NotYet(format!("{left} jobs have not ended")) })
        })
        .await
    }
}
