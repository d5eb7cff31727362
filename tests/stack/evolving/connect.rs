//! Connectors that fail, and are started again.

use std::time::Duration;

use reqwest::Method;

use crate::story::connect::Connect;
use crate::story::failure::{Look, Outcome, until};
use crate::story::http;

impl Connect {
    /// Why its tasks failed, those that did: Connect's traces.
    ///
    /// # Errors
    /// The worker does not answer, or has no such connector.
    pub async fn failures(&self, name: &str) -> Outcome<Vec<String>> {
        let status = http::get(&self.http, &self.url(name, "/status")).await?;
        let tasks = status["tasks"].as_array().map(Vec::as_slice).unwrap_or_default();
        let failed = tasks.iter().filter(|task| task["state"] == "FAILED");
        Ok(failed.map(|task| task["trace"].as_str().unwrap_or_default().to_owned()).collect())
    }

    /// Restarts a connector and its tasks. After `Ok` the worker is about to.
    ///
    /// # Errors
    /// The worker refuses.
    pub async fn restart(&self, name: &str) -> Outcome {
        let url = self.url(name, "/restart?includeTasks=true");
        until(&format!("connector {name} to be restarted"), Duration::from_secs(30), async || {
            // A worker that balances its tasks answers 409: ask again.
            http::call(&self.http, Method::POST, &url, None).await?.accept(&[])?;
            Ok(Look::There(()))
        })
        .await
    }
}
