//! The way to a running daemon: its HTTP API, with a bearer token.
//!
//! Rules: the token goes to the configured address only and is never printed; a call that changes something is sent once,
//! for after an unclear end the outcome is not known and the rollout has to be looked at.

use std::time::Duration;

use reqwest::{Method, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::output::Failure;
use crate::config::{Environment, Scope, Secret};

/// A little more than the 30 seconds within which the daemon answers or says that it could not.
const TIME_LIMIT: Duration = Duration::from_secs(40);
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// A daemon at an address.
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<Secret>,
    scope: &'static str,
    env: String,
}

impl Client {
    /// A client for `env`'s daemon. The token is `CYANOTYPE_TOKEN`, else the first of the configuration that has `scope`.
    pub fn new(env: &Environment, scope: Scope) -> Result<Self, Failure> {
        let own = std::env::var("CYANOTYPE_TOKEN").ok().filter(|token| !token.is_empty()).map(Secret::new);
        Self::with_token(env, scope, own)
    }

    fn with_token(env: &Environment, scope: Scope, own: Option<Secret>) -> Result<Self, Failure> {
        let configured = || env.api.tokens.iter().find(|token| token.scopes.contains(&scope));
        let token = own.or_else(|| configured().map(|token| token.secret.clone()));
        let base = Url::parse(&env.api.url)
            .map_err(|error| Failure::new("the API's address is no address").because(&error))?;
        let scope = Scope::ALL.iter().find(|(_, known)| *known == scope).map_or("read", |(name, _)| *name);
        Ok(Self { http: http(&base)?, base, token, scope, env: env.name.clone() })
    }

    /// The daemon's address.
    pub fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// `GET /api/v1/<path>`.
    pub async fn get(&self, path: &[&str]) -> Result<Value, Failure> {
        self.call(Method::GET, path, None).await
    }

    /// `POST /api/v1/<path>` with a JSON body.
    pub async fn post(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn call(&self, method: Method, path: &[&str], body: Option<&Value>) -> Result<Value, Failure> {
        let mut url = self.base.clone();
        match url.path_segments_mut() {
            Ok(mut segments) => segments.pop_if_empty().extend(["api", "v1"]).extend(path),
            Err(()) => return Err(Failure::new(format!("{} is no address of a daemon", self.address()))),
        };
        let what = format!("{method} {}", url.path());
        let mut request = self.http.request(method.clone(), url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.reveal());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| self.unanswered(&method, &error))?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(|error| self.unanswered(&method, &error))?;
        if status.is_success() {
            return serde_json::from_slice(&bytes).map_err(|error| {
                Failure::new(format!("the answer of {} to {what} is not understood", self.address()))
                    .because(&error)
                    .help(format!("check api.url of environment {}: is a Cyanotype daemon there?", self.env))
            });
        }
        Err(self.refusal(&what, status, &bytes))
    }

    fn unanswered(&self, method: &Method, error: &reqwest::Error) -> Failure {
        let address = self.address();
        if error.is_connect() {
            return Failure::new(format!("no daemon answers at {address}"))
                .because(&innermost(error))
                .help("start it with `cyanotype serve`, or name its address under `api.url`");
        }
        let failure = if error.is_timeout() {
            Failure::new(format!("the daemon at {address} did not answer within {} s", TIME_LIMIT.as_secs()))
        } else {
            Failure::new(format!("the connection to the daemon at {address} broke")).because(&innermost(error))
        };
        if *method == Method::GET {
            failure.help("try again; `cyanotype doctor` looks at every system")
        } else {
            failure.help("the outcome is not known: look with `cyanotype status` before you send it again")
        }
    }

    /// What the daemon said no to, and why.
    fn refusal(&self, what: &str, status: StatusCode, body: &[u8]) -> Failure {
        let Ok(Refusal { error }) = serde_json::from_slice::<Refusal>(body) else {
            return Failure::new(format!("{} answered {status} to {what}", self.address()))
                .help(format!("check api.url of environment {}: is a Cyanotype daemon there?", self.env));
        };
        // A conflict is an answer: asked, and the daemon says no. Everything else left the question open.
        let mut failure =
            if status == StatusCode::CONFLICT { Failure::refused(error.message) } else { Failure::new(error.message) };
        failure.cause = error.cause;
        failure.help = if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN {
            Some(format!(
                "set CYANOTYPE_TOKEN to a token with the scope `{}`, or give it under [env.{}.api]",
                self.scope, self.env
            ))
        } else {
            error.help
        };
        failure
    }
}

/// `value` as what a call should have answered.
pub(crate) fn understood<T: DeserializeOwned>(value: &Value, what: &str) -> Result<T, Failure> {
    T::deserialize(value).map_err(|error| {
        Failure::new(format!("{what} of the daemon is not understood"))
            .because(&error)
            .help("the daemon and this program may be of different versions: compare `cyanotype --version`")
    })
}

/// An HTTP client for `base`. A proxy from the environment is not asked for this machine's own addresses.
pub(crate) fn http(base: &Url) -> Result<reqwest::Client, Failure> {
    let own = match base.host_str() {
        Some("localhost") => true,
        Some(host) => host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        None => false,
    };
    let builder = reqwest::Client::builder()
        .timeout(TIME_LIMIT)
        .connect_timeout(CONNECT_LIMIT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("cyanotype/", env!("CARGO_PKG_VERSION")));
    let builder = if own { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| Failure::new("HTTP cannot be spoken").because(&error))
}

/// The last cause: `connection refused` and not the three wrappings around it.
pub(crate) fn innermost(error: &dyn std::error::Error) -> std::io::Error {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    std::io::Error::other(last.to_string())
}

#[derive(Deserialize)]
struct Refusal {
    error: RefusalBody,
}

#[derive(Deserialize)]
struct RefusalBody {
    #[serde(default)]
    cause: Option<String>,
    message: String,
    #[serde(default)]
    help: Option<String>,
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::body::Bytes;
    use axum::http::{HeaderMap, Uri};
    use axum::response::IntoResponse;
    use serde_json::json;

    use super::*;
    use crate::cli::output::Answer;
    use crate::config::{Config, Need};

    /// Calls as the daemon saw them: method and path, bearer token, body.
    type Calls = Arc<Mutex<Vec<(String, Option<String>, Value)>>>;

    /// A daemon on a free port that gives `answer` for each call, and what it was asked.
    pub async fn daemon(answer: impl Fn(&str) -> (u16, Value) + Clone + Send + Sync + 'static) -> (Environment, Calls) {
        let calls = Calls::default();
        let seen = Arc::clone(&calls);
        let app = Router::new().fallback(move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let what = format!("{method} {}", uri.path());
            let token = headers.get("authorization").map(|v| v.to_str().unwrap().to_owned());
            seen.lock().unwrap().push((what.clone(), token, serde_json::from_slice(&body).unwrap_or_default()));
            let (status, body) = answer(&what);
            async move { (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response() }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        (environment(&format!("http://{address}")), calls)
    }

    pub fn environment(url: &str) -> Environment {
        let text = format!(
            "[env.dev]\nkafka.brokers = \"k:1\"\nregistry.url = \"http://r\"\n\
             flink = {{ gateway = \"http://g\", rest = \"http://f\" }}\n[env.dev.api]\nurl = \"{url}\"\n\
             tokens = [{{ name = \"a\", secret = \"token-for-approval\", scopes = [\"approve\"] }}]\n"
        );
        Config::parse(&text, Path::new("c.toml"), None, Need::Everything, &|_| None).unwrap().env
    }

    fn client(env: &Environment, scope: Scope) -> Client {
        Client::with_token(env, scope, None).unwrap()
    }

    #[tokio::test]
    async fn a_call_carries_the_token_that_has_the_scope_and_no_other() {
        let (env, calls) = daemon(|_| (200, json!({ "ok": true }))).await;
        assert_eq!(client(&env, Scope::Read).get(&["status"]).await.unwrap(), json!({ "ok": true }));
        client(&env, Scope::Approve).post(&["rollouts", "a/b", "approve"], &json!({ "by": "me" })).await.unwrap();
        let own = Client::with_token(&env, Scope::Approve, Some(Secret::new("mine"))).unwrap();
        own.get(&["status"]).await.unwrap();
        let bearer = |token: &str| Some(format!("Bearer {token}"));
        assert_eq!(
            *calls.lock().unwrap(),
            [
                ("GET /api/v1/status".to_owned(), None, Value::Null),
                ("POST /api/v1/rollouts/a%2Fb/approve".to_owned(), bearer("token-for-approval"), json!({ "by": "me" })),
                ("GET /api/v1/status".to_owned(), bearer("mine"), Value::Null),
            ]
        );
    }

    #[tokio::test]
    async fn nobody_there_is_said_with_the_address_and_the_way_out() {
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let failure = client(&environment(&format!("http://{free}")), Scope::Read).get(&["status"]).await.unwrap_err();
        assert_eq!(failure.lines[0], format!("no daemon answers at http://{free}"));
        assert!(failure.lines[1].to_lowercase().contains("refused"), "{failure:?}");
        assert!(failure.help.unwrap().contains("`cyanotype serve`"));
        assert_eq!(failure.answer, None);
    }

    #[tokio::test]
    async fn a_refusal_carries_the_daemons_words_and_a_conflict_is_a_no() {
        let error = |status: u16| {
            move |_: &str| (status, json!({ "error": { "cause": "expired", "message": "too old", "help": "again" } }))
        };
        let (env, _) = daemon(error(409)).await;
        let failure = client(&env, Scope::Approve).get(&["x"]).await.unwrap_err();
        let want = Failure::refused("too old").help("again");
        assert_eq!(failure, Failure { cause: Some("expired".to_owned()), ..want });
        assert_eq!(failure.answer, Some(Answer::No));
        let (env, _) = daemon(error(403)).await;
        let failure = client(&env, Scope::Abort).get(&["x"]).await.unwrap_err();
        assert!(failure.help.unwrap().contains("a token with the scope `abort`"));
        assert_eq!(failure.answer, None);
    }

    #[tokio::test]
    async fn something_else_at_the_address_is_noticed() {
        let (env, _) = daemon(|_| (502, json!("bad gateway"))).await;
        let failure = client(&env, Scope::Read).get(&["status"]).await.unwrap_err();
        assert!(failure.lines[0].contains("answered 502 Bad Gateway to GET /api/v1/status"), "{failure:?}");
        assert!(failure.help.unwrap().contains("check api.url"));
    }
}
