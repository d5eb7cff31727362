//! The schema registry: does it answer, as the registry that we speak to, and may it be written to.

use super::Check;
use crate::cli::output::count;
use crate::cli::wire;
use crate::config::Environment;
use crate::port::{PortError, Registry};

pub(super) async fn checks(env: &Environment) -> Vec<Check> {
    let what = "registry";
    let address = env.registry.addresses();
    let registry = match wire::registry(env) {
        Ok(registry) => registry,
        Err(failure) => return vec![Check::fail(what, failure.lines.join(": "), "mend it under [env.*.registry]")],
    };
    let check = match registry.subjects().await {
        Ok(subjects) if subjects.is_empty() => Check::warning(
            what,
            format!("{address} has no subject"),
            "nothing can be watched until a connector or producer registers one",
        ),
        Ok(subjects) => Check::ok(what, format!("{address} has {}", count(subjects.len(), "subject"))),
        Err(error) => {
            let help = way_out(&error);
            return vec![Check::fail(what, error.to_string(), help)];
        }
    };
    std::iter::once(check).chain(mode(registry.as_ref()).await).collect()
}

fn way_out(error: &PortError) -> &'static str {
    match error {
        PortError::Unreachable { .. } => "start it, or mend registry.url",
        PortError::Refused { reason, .. } if reason.contains("HTTP 401") || reason.contains("HTTP 403") => {
            "give the right credentials under registry.auth"
        }
        _ => "registry.url must be the base of Confluent's API (Apicurio: .../apis/ccompat/v7)",
    }
}

/// A registry that takes no new schemas lets nothing be staged.
async fn mode(registry: &dyn Registry) -> Option<Check> {
    // The mode of a subject that is not there is that of all.
    let mode = registry.mode("cyanotype-doctor").await.ok()??;
    let writes = mode.eq_ignore_ascii_case("READWRITE");
    let help = "green's tables need subjects of their own: set it to READWRITE before the next rollout";
    (!writes).then(|| Check::warning("registry", format!("its mode is {mode}: it takes no new schemas"), help))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cli::client::tests::daemon;
    use crate::cli::doctor::Health;

    async fn all(status: u16, body: Value, mode: &'static str) -> Vec<Check> {
        let answer = move |path: &str| match path.ends_with("/mode") {
            true => (200, json!({ "mode": mode })),
            false if path.contains("/mode") => (404, json!({ "error_code": 40409, "message": "no mode of its own" })),
            false => (status, body.clone()),
        };
        let (mut env, _) = daemon(answer).await;
        env.registry.urls = vec![env.api.url.clone()];
        checks(&env).await
    }

    async fn check(status: u16, body: Value) -> Check {
        all(status, body, "READWRITE").await.remove(0)
    }

    #[tokio::test]
    async fn it_must_answer_with_subjects() {
        assert_eq!(check(200, json!(["a", "b"])).await.health, Health::Ok);
        assert_eq!(check(200, json!([])).await.health, Health::Warning);
        assert_eq!(check(200, json!({ "name": "something else" })).await.health, Health::Fail);
        assert!(check(404, json!({})).await.help.unwrap().contains("/apis/ccompat/v7"));
        assert!(check(401, json!({})).await.help.unwrap().contains("registry.auth"));
    }

    #[tokio::test]
    async fn a_registry_that_takes_no_schemas_is_said() {
        assert_eq!(all(200, json!(["a"]), "READWRITE").await.len(), 1);
        let checks = all(200, json!(["a"]), "READONLY").await;
        assert_eq!(checks[1].health, Health::Warning);
        assert!(checks[1].seen.contains("READONLY"), "{checks:?}");
    }
}
