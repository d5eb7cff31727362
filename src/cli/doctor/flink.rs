//! Flink: the SQL gateway, the cluster, free slots, and whether checkpoints are on.

use serde_json::Value;

use super::{Check, http};
use crate::config::Environment;

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
