//! Asking a system over HTTP: the JSON it answers, or one line of what went wrong and what to do.

use std::time::Duration;

use reqwest::{StatusCode, Url};
use serde_json::Value;

use super::Check;
use crate::cli::client::{self, Client, innermost};
use crate::config::{Auth, Remote};

/// Longer than a healthy system takes, short enough for somebody who waits.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// What was seen instead of an answer, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoAnswer {
    pub seen: String,
    pub help: String,
    /// The status, when there was one.
    pub status: Option<StatusCode>,
}

impl NoAnswer {
    pub fn check(self, what: &'static str) -> Check {
        Check::fail(what, self.seen, self.help)
    }
}

/// `GET <url><path>` as JSON. `key` is where the address stands in the configuration, such as `registry.url`.
pub(super) async fn get(remote: &Remote, path: &str, key: &str) -> Result<Value, NoAnswer> {
    let (url, address) = (&remote.url, format!("{}{path}", remote.url));
    let none = |seen: String, help: String, status| NoAnswer { seen, help, status };
    let parsed = Url::parse(&address)
        .map_err(|error| none(format!("{address} is no address: {error}"), format!("mend {key}"), None))?;
    let http = client::http(&parsed)
        .map_err(|failure| none(failure.lines.join(": "), "this program's HTTP is broken".to_owned(), None))?;
    let request = http.get(parsed).timeout(TIME_LIMIT).header(reqwest::header::ACCEPT, "application/json");
    let request = match &remote.auth {
        Some(Auth::Basic { user, password }) => request.basic_auth(user, Some(password.reveal())),
        Some(Auth::Bearer(token)) => request.bearer_auth(token.reveal()),
        None => request,
    };
    let unreachable = |error: &reqwest::Error| {
        let why = if error.is_timeout() {
            format!("no answer within {} s", TIME_LIMIT.as_secs())
        } else {
            innermost(error).to_string()
        };
        none(format!("{url} cannot be reached ({why})"), format!("start it, or mend {key}"), None)
    };
    let response = request.send().await.map_err(|error| unreachable(&error))?;
    let status = response.status();
    let body = response.bytes().await.map_err(|error| unreachable(&error))?;
    if !status.is_success() {
        let section = key.rsplit_once('.').map_or(key, |(section, _)| section);
        let help = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                format!("give the right credentials under {section}.auth")
            }
            StatusCode::NOT_FOUND => format!("{key} names another service, or lacks a path"),
            status if status.is_server_error() => "look at its log".to_owned(),
            _ => format!("check {key}"),
        };
        return Err(none(format!("{url} answered {status} to GET {path}"), help, Some(status)));
    }
    serde_json::from_slice(&body).map_err(|_| {
        none(format!("{url} did not answer GET {path} with JSON"), format!("{key} names another service"), Some(status))
    })
}

/// Whether the daemon runs. It need not.
pub(super) async fn daemon(client: &Client) -> Check {
    let what = "daemon";
    match client.get(&["status"]).await {
        Ok(status) => {
            let role = if status.get("leading").and_then(Value::as_bool) == Some(true) { "leads" } else { "stands by" };
            Check::ok(what, format!("{} answers and {role}", client.address()))
        }
        Err(failure) => {
            let help = failure.help.unwrap_or_else(|| "look at its log".to_owned());
            Check::warning(what, failure.lines.into_iter().next().unwrap_or_default(), help)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::client::tests::daemon as server;
    use crate::config::Secret;

    async fn ask(status: u16, body: Value) -> Result<Value, NoAnswer> {
        let (env, _) = server(move |_| (status, body.clone())).await;
        get(&Remote { url: env.api.url, auth: None }, "/subjects", "registry.url").await
    }

    #[tokio::test]
    async fn each_refusal_has_its_own_way_out() {
        assert_eq!(ask(200, json!(["a"])).await.unwrap(), json!(["a"]));
        for (status, help) in [
            (401, "give the right credentials under registry.auth"),
            (404, "registry.url names another service, or lacks a path"),
            (500, "look at its log"),
            (418, "check registry.url"),
        ] {
            assert_eq!(ask(status, json!({})).await.unwrap_err().help, help);
        }
    }

    #[tokio::test]
    async fn credentials_are_sent_and_never_shown() {
        let (env, calls) = server(|_| (401, json!({}))).await;
        let auth = Some(Auth::Basic { user: "u".to_owned(), password: Secret::new("hunter2") });
        let error = get(&Remote { url: env.api.url, auth }, "/x", "registry.url").await.unwrap_err();
        assert_eq!(calls.lock().unwrap()[0].1.as_deref(), Some("Basic dTpodW50ZXIy"));
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn nobody_there_is_said_with_the_address() {
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let error = get(&Remote { url: format!("http://{free}"), auth: None }, "/x", "registry.url").await.unwrap_err();
        assert!(error.seen.starts_with(&format!("http://{free} cannot be reached (")), "{error:?}");
        assert_eq!(error.help, "start it, or mend registry.url");
    }
}
