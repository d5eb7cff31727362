//! Kafka Connect: making connectors, looking at their tasks, and removing them with their offsets.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::Value;

use super::failure::{During as _, Look, Outcome, until};
use super::http;

/// A connector's name and settings.
#[derive(Clone, Debug)]
pub struct Connector {
    /// Name.
    pub name: String,
    /// Settings, placeholders filled in.
    pub config: BTreeMap<String, String>,
}

impl Connector {
    /// Reads `{"name", "config"}`.
    ///
    /// # Errors
    /// It is something else.
    pub fn read(json: &str) -> Outcome<Self> {
        let value: Value = serde_json::from_str(json).during("reading a connector")?;
        let config = serde_json::from_value(value["config"].clone()).during("reading a connector's settings")?;
        Ok(Self { name: value["name"].as_str().during("a connector's name")?.to_owned(), config })
    }
}

/// The Connect worker.
#[derive(Clone)]
pub struct Connect {
    /// How it is asked.
    pub http: Client,
    url: String,
}

impl Connect {
    /// The worker at that address.
    pub fn new(http: &Client, url: &str) -> Self {
        Self { http: http.clone(), url: url.to_owned() }
    }

    /// The address of a connector, and of a part of it.
    pub fn url(&self, name: &str, rest: &str) -> String {
        format!("{}/connectors/{name}{rest}", self.url)
    }

    /// After `Ok` the connector's tasks run.
    ///
    /// # Errors
    /// The worker refuses it, or a task fails.
    pub async fn create(&self, connector: &Connector) -> Outcome {
        let body = serde_json::to_value(&connector.config).during("a connector's settings")?;
        let url = self.url(&connector.name, "/config");
        until(&format!("connector {} to be taken", connector.name), Duration::from_secs(30), async || {
            let reply = http::call(&self.http, Method::PUT, &url, Some(&body)).await?;
            Ok(match reply.status.as_u16() {
                // A worker that balances its tasks: ask again.
                409 | 500 => Look::NotYet(http::first_line(&reply.text)),
                _ => Look::There(reply.accept(&[])),
            })
        })
        .await??;
        until(&format!("connector {} to run", connector.name), Duration::from_secs(60), async || {
            let status = http::get(&self.http, &self.url(&connector.name, "/status")).await?;
            let tasks = tasks(&status);
            let runs = !tasks.is_empty() && tasks.iter().all(|task| task == "RUNNING");
            Ok(if runs { Look::There(()) } else { Look::NotYet(format!("its tasks are {tasks:?}")) })
        })
        .await
    }

    /// Settings; `None` when there is no such connector.
    ///
    /// # Errors
    /// The worker does not answer.
    pub async fn config(&self, name: &str) -> Outcome<Option<BTreeMap<String, String>>> {
        let reply = http::call(&self.http, Method::GET, &self.url(name, "/config"), None).await?;
        if reply.status.as_u16() == 404 {
            return Ok(None);
        }
        let config = serde_json::from_value(reply.json()?).during(format!("the settings of connector {name}"))?;
        Ok(Some(config))
    }

    /// Removes a connector and what it remembers; `Ok` when there is none.
    ///
    /// # Errors
    /// It does not stop, or the worker refuses.
    pub async fn remove(&self, name: &str) -> Outcome {
        // A worker that balances its tasks answers 409 or 500: ask again.
        until(&format!("connector {name} to be removed"), Duration::from_secs(60), async || {
            if self.config(name).await?.is_none() {
                return Ok(Look::There(()));
            }
            http::call(&self.http, Method::PUT, &self.url(name, "/stop"), None).await?.accept(&[])?;
            let status = http::get(&self.http, &self.url(name, "/status")).await?;
            let state = status["connector"]["state"].as_str().unwrap_or_default().to_owned();
            if state != "STOPPED" || !tasks(&status).is_empty() {
                return Ok(Look::NotYet(format!("it is {state}")));
            }
            http::call(&self.http, Method::DELETE, &self.url(name, "/offsets"), None).await?.accept(&[])?;
            http::call(&self.http, Method::DELETE, &self.url(name, ""), None).await?.accept(&[404])?;
            Ok(Look::There(()))
        })
        .await
    }
}

fn tasks(status: &Value) -> Vec<String> {
    let tasks = status["tasks"].as_array().map(Vec::as_slice).unwrap_or_default();
    tasks.iter().filter_map(|task| task["state"].as_str()).map(str::to_owned).collect()
}
