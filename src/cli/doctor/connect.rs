//! Kafka Connect: does it answer, do the tasks run, and do its sinks read committed records only.

use serde_json::Value;

use super::{Check, http};
use crate::cli::output::count;
use crate::config::Environment;

const ISOLATION: &str = "consumer.override.isolation.level";

pub(super) async fn checks(env: &Environment) -> Vec<Check> {
    let Some(remote) = &env.connect else {
        return vec![Check::ok("Connect", "not configured: no sink connector is managed")];
    };
    let list = match http::get(remote, "/connectors?expand=status&expand=info", "connect.url").await {
        Ok(Value::Object(list)) => list,
        Ok(_) => {
            let seen = format!("{} did not answer with its connectors", remote.url);
            return vec![Check::fail("Connect", seen, "connect.url names another service")];
        }
        Err(none) => return vec![none.check("Connect")],
    };
    let mut checks = vec![Check::ok("Connect", format!("{} has {}", remote.url, count(list.len(), "connector")))];
    for (name, connector) in &list {
        checks.extend(trouble(name, connector));
    }
    checks
}

/// What is wrong with one connector. The state of the connector itself says little: its tasks are looked at.
fn trouble(name: &str, connector: &Value) -> Vec<Check> {
    let mut checks = Vec::new();
    let state = connector.pointer("/status/connector/state").and_then(Value::as_str).unwrap_or_default();
    let tasks = connector.pointer("/status/tasks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let task_state = |task: &Value| task.get("state").and_then(Value::as_str).unwrap_or("unknown").to_owned();
    let bad: Vec<String> = tasks.iter().map(task_state).filter(|state| state == "FAILED").collect();
    if !bad.is_empty() {
        let help = "read the trace in its status, mend it, and restart its failed tasks";
        checks.push(Check::warning(
            "connector",
            format!("{name} has {} failed of {} tasks", bad.len(), tasks.len()),
            help,
        ));
    } else if tasks.is_empty() && state != "STOPPED" {
        let help = "look at the worker's log: it cannot start, or its system does not answer";
        checks.push(Check::warning("connector", format!("{name} is {state} and has no task"), help));
    }
    let sink = connector.pointer("/info/type").and_then(Value::as_str) == Some("sink");
    let isolation = connector.pointer("/info/config").and_then(|config| config.get(ISOLATION)).and_then(Value::as_str);
    if sink && isolation != Some("read_committed") {
        let help = format!("set {ISOLATION} to read_committed: a sink reads aborted records by default");
        checks.push(Check::warning("connector", format!("{name} may write records that were never committed"), help));
    }
    checks
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn connector(kind: &str, tasks: &[&str], isolation: &str) -> Value {
        let tasks: Vec<Value> = tasks.iter().map(|state| json!({ "state": state })).collect();
        json!({
            "status": { "connector": { "state": "RUNNING" }, "tasks": tasks },
            "info": { "type": kind, "config": { ISOLATION: isolation } }
        })
    }

    #[test]
    fn tasks_are_looked_at_and_not_the_connector() {
        assert_eq!(trouble("a", &connector("source", &["RUNNING"], "")), []);
        let failed = trouble("a", &connector("source", &["RUNNING", "FAILED"], ""));
        assert_eq!(failed[0].seen, "a has 1 failed of 2 tasks");
        assert_eq!(trouble("a", &connector("source", &[], ""))[0].seen, "a is RUNNING and has no task");
    }

    #[test]
    fn a_sink_must_read_committed_records() {
        assert_eq!(trouble("s", &connector("sink", &["RUNNING"], "read_committed")), []);
        assert!(trouble("s", &connector("sink", &["RUNNING"], ""))[0].help.as_ref().unwrap().contains(ISOLATION));
    }
}
