//! Flink: the SQL gateway, the cluster, free slots, and whether checkpoints are on.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::{Check, http};
use crate::cli::client::{Client, understood};
use crate::config::Environment;
use crate::model::job::JobRef;
use crate::model::manifest::Manifest;

/// The setting that progress depends on: group offsets are committed with checkpoints.
const INTERVAL: &str = "execution.checkpointing.interval";

pub(super) async fn checks(env: &Environment) -> Vec<Check> {
    let (gateway, cluster) = tokio::join!(gateway(env), cluster(env));
    let mut checks = vec![gateway];
    checks.extend(cluster);
    checks
}

async fn gateway(env: &Environment) -> Check {
    let what = "SQL gateway";
    match http::get(&env.flink.gateway, "/v1/info", "flink.gateway").await {
        Err(none) => none.check(what),
        Ok(info) => {
            match (info.get("productName").and_then(Value::as_str), info.get("version").and_then(Value::as_str)) {
                (Some(product), Some(version)) => {
                    Check::ok(what, format!("{} is {product} {version}", env.flink.gateway.url))
                }
                _ => Check::fail(
                    what,
                    format!("{} does not name its product and version", env.flink.gateway.url),
                    "flink.gateway names another service",
                ),
            }
        }
    }
}

async fn cluster(env: &Environment) -> Vec<Check> {
    let rest = &env.flink.rest;
    let overview = match http::get(rest, "/overview", "flink.rest").await {
        Ok(overview) => overview,
        Err(none) => return vec![none.check("Flink")],
    };
    let number = |key: &str| overview.get(key).and_then(Value::as_u64);
    let (Some(total), Some(free)) = (number("slots-total"), number("slots-available")) else {
        let seen = format!("{} does not tell its slots", rest.url);
        return vec![Check::fail("Flink", seen, "flink.rest must be the address of a JobManager")];
    };
    let version = overview.get("flink-version").and_then(Value::as_str).unwrap_or("of unknown version");
    let running = number("jobs-running").unwrap_or_default();
    let mut checks = vec![Check::ok("Flink", format!("{} is Flink {version}, {running} jobs run", rest.url))];
    checks.push(match free {
        0 => Check::fail(
            "free slots",
            format!("0 of {total}"),
            "green needs a slot for each statement: add TaskManagers",
        ),
        _ => Check::ok("free slots", format!("{free} of {total}")),
    });
    checks.push(checkpoints(env).await);
    checks
}

/// Whether a job runs for each deployed statement. Nothing is said where the daemon or Flink does not answer, which other
/// checks tell, or nothing is deployed.
pub(super) async fn deployed(env: &Environment, daemon: &Client) -> Option<Check> {
    let manifest = daemon.get(&["manifest"]).await.ok()?;
    let manifest: Manifest = understood(&manifest, "the manifest").ok()?;
    let written: Vec<&str> = manifest.tables.values().filter_map(|t| Some(t.job.as_ref()?.table.as_str())).collect();
    if written.is_empty() {
        return None;
    }
    let known = daemon.get(&["jobs"]).await.ok()?;
    let known: Known = understood(&known, "the jobs").ok()?;
    let overview = http::get(&env.flink.rest, "/jobs/overview", "flink.rest").await.ok()?;
    let text = |job: &Value, key: &str| job.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let jobs = overview.get("jobs")?.as_array()?.iter();
    let alive: BTreeSet<String> =
        jobs.filter(|job| !JobRef::has_ended(&text(job, "state"))).map(|job| text(job, "jid")).collect();
    let runs = |table: &str| known.jobs.get(table).is_some_and(|job| alive.contains(&job.id));
    let gone: Vec<&str> = written.iter().filter(|table| !runs(table)).copied().collect();
    let what = "deployed jobs";
    Some(if gone.is_empty() {
        Check::ok(what, format!("all {} are there", written.len()))
    } else {
        let seen = format!("{} of {} are gone: no job writes {}", gone.len(), written.len(), gone.join(", "));
        Check::fail(what, seen, "operations, \"A job of blue is gone\", says what can be done")
    })
}

/// `GET /api/v1/jobs`, as far as it is needed.
#[derive(Deserialize)]
struct Known {
    jobs: BTreeMap<String, KnownJob>,
}

#[derive(Deserialize)]
struct KnownJob {
    id: String,
}

async fn checkpoints(env: &Environment) -> Check {
    let what = "checkpoints";
    if let Some(interval) = env.flink.settings.get(INTERVAL) {
        return Check::ok(what, format!("every {} by flink.settings", interval.reveal()));
    }
    let settings = match http::get(&env.flink.rest, "/jobmanager/config", "flink.rest").await {
        Ok(settings) => settings,
        Err(none) => return none.check(what),
    };
    let entries = settings.as_array().map(Vec::as_slice).unwrap_or_default();
    let found = entries.iter().find(|entry| entry.get("key").and_then(Value::as_str) == Some(INTERVAL));
    match found.and_then(|entry| entry.get("value")).and_then(Value::as_str) {
        Some(interval) => Check::ok(what, format!("every {interval} by the cluster")),
        None => Check::fail(
            what,
            "neither flink.settings nor the cluster sets an interval",
            format!("without checkpoints no progress is committed: set \"{INTERVAL}\" under flink.settings"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::client::tests::daemon;
    use crate::cli::doctor::Health;
    use crate::config::Secret;

    async fn look(free: u64, config: Value, own: Option<&str>) -> Vec<Check> {
        let (mut env, _) = daemon(move |what| match what {
            "GET /v1/info" => (200, json!({ "productName": "Apache Flink", "version": "2.2.1" })),
            "GET /overview" => {
                (200, json!({ "slots-total": 4, "slots-available": free, "flink-version": "2.2.1", "jobs-running": 3 }))
            }
            "GET /jobmanager/config" => (200, config.clone()),
            _ => (404, json!({})),
        })
        .await;
        env.flink.gateway.url = env.api.url.clone();
        env.flink.rest.url = env.api.url.clone();
        env.flink.settings = own.map(|every| (INTERVAL.to_owned(), Secret::new(every))).into_iter().collect();
        checks(&env).await
    }

    /// What is said of the jobs of `a_v2` and `b`, whose ids are `1` and `2`, with these jobs in Flink.
    async fn said_of(jobs: &[(&str, &str)]) -> Option<Check> {
        let spec = |physical: &str| crate::model::job::JobSpec {
            table: physical.to_owned(),
            settings: Default::default(),
            ddl: Vec::new(),
            insert: String::new(),
            reads: Vec::new(),
            topic: String::new(),
            exactly_once: false,
        };
        let table = |physical: &str, job| crate::model::manifest::DeployedTable {
            version: crate::model::name::split(physical).1,
            physical: physical.to_owned(),
            ddl_file: String::new(),
            ddl: String::new(),
            dml_file: None,
            dml: None,
            topic: None,
            job,
        };
        let mut manifest = Manifest::default();
        for (name, physical) in [("a", "a_v2"), ("b", "b")] {
            manifest.tables.insert(name.to_owned(), table(physical, Some(spec(physical))));
        }
        manifest.tables.insert("reader".to_owned(), table("reader", None));
        let jobs: Vec<Value> =
            jobs.iter().map(|(id, state)| json!({ "jid": id, "name": "x", "state": state })).collect();
        let known = json!({ "jobs": { "a_v2": { "id": "1" }, "b": { "id": "2" } } });
        let (mut env, _) = daemon(move |what| match what {
            "GET /api/v1/manifest" => (200, serde_json::to_value(&manifest).unwrap()),
            "GET /api/v1/jobs" => (200, known.clone()),
            "GET /jobs/overview" => (200, json!({ "jobs": jobs })),
            _ => (404, json!({})),
        })
        .await;
        env.flink.rest.url = env.api.url.clone();
        deployed(&env, &Client::new(&env, crate::config::Scope::Read).unwrap()).await
    }

    #[tokio::test]
    async fn a_deployed_statement_without_a_job_is_named() {
        let check = said_of(&[("1", "RUNNING"), ("2", "RESTARTING")]).await.unwrap();
        assert_eq!(check, Check::ok("deployed jobs", "all 2 are there"));
        for jobs in [
            vec![("1", "RUNNING")],
            vec![("1", "RUNNING"), ("2", "CANCELED")],
            vec![("1", "RUNNING"), ("3", "RUNNING")],
        ] {
            let check = said_of(&jobs).await.unwrap();
            assert_eq!((check.health, check.seen.as_str()), (Health::Fail, "1 of 2 are gone: no job writes b"));
        }
    }

    #[tokio::test]
    async fn all_is_well_with_slots_and_checkpoints() {
        let config = json!([{ "key": INTERVAL, "value": "3s" }]);
        let checks = look(2, config, None).await;
        assert!(checks.iter().all(|check| check.health == Health::Ok), "{checks:?}");
        assert!(checks.contains(&Check::ok("checkpoints", "every 3s by the cluster")));
    }

    #[tokio::test]
    async fn no_slot_and_no_checkpoint_cannot_work() {
        let checks = look(0, json!([]), None).await;
        let failed: Vec<_> = checks.iter().filter(|c| c.health == Health::Fail).map(|c| c.what).collect();
        assert_eq!(failed, ["free slots", "checkpoints"]);
        assert!(look(1, json!([]), Some("2s")).await.contains(&Check::ok("checkpoints", "every 2s by flink.settings")));
    }
}
