//! The schema registry: does it answer, and as the registry that we speak to.

use serde_json::Value;

use super::{Check, http};
use crate::cli::output::count;
use crate::config::Environment;

pub(super) async fn checks(env: &Environment) -> Vec<Check> {
    let what = "registry";
    let check = match http::get(&env.registry, "/subjects", "registry.url").await {
        Ok(Value::Array(subjects)) if subjects.is_empty() => Check::warning(
            what,
            format!("{} has no subject", env.registry.url),
            "nothing can be watched until a connector or producer registers one",
        ),
        Ok(Value::Array(subjects)) => {
            Check::ok(what, format!("{} has {}", env.registry.url, count(subjects.len(), "subject")))
        }
        Ok(_) => Check::fail(
            what,
            format!("{} did not answer with a list of subjects", env.registry.url),
            "registry.url must be the base of Confluent's API",
        ),
        Err(mut none) => {
            if none.status == Some(reqwest::StatusCode::NOT_FOUND) {
                none.help =
                    "registry.url must be the base of Confluent's API (Apicurio: .../apis/ccompat/v7)".to_owned();
            }
            none.check(what)
        }
    };
    vec![check]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::client::tests::daemon;
    use crate::cli::doctor::Health;

    async fn check(status: u16, body: Value) -> Check {
        let (mut env, _) = daemon(move |_| (status, body.clone())).await;
        env.registry.url = env.api.url.clone();
        checks(&env).await.remove(0)
    }

    #[tokio::test]
    async fn it_must_answer_with_subjects() {
        assert_eq!(check(200, json!(["a", "b"])).await.health, Health::Ok);
        assert_eq!(check(200, json!([])).await.health, Health::Warning);
        assert_eq!(check(200, json!({ "name": "something else" })).await.health, Health::Fail);
        assert!(check(404, json!({})).await.help.unwrap().contains("/apis/ccompat/v7"));
    }
}
