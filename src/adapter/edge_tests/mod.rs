//! The adapters against services that refuse, break, lie or are not there.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use tokio::net::TcpListener;

use crate::adapter::connect::ConnectClient;
use crate::adapter::flink_gateway::FlinkEngine;
use crate::adapter::registry::RegistryClient;
use crate::adapter::rest::{Auth, Endpoint};
use crate::model::job::JobText;
use crate::port::{Connectors, Engine, PortError, Registry};

mod connect;
mod flink;
mod registry;
mod webhook;

/// One request that a fake service got.
#[derive(Clone, Debug)]
struct Seen {
    line: String,
    headers: HeaderMap,
    body: String,
}

/// A service that answers as told and remembers what it was asked.
struct Fake {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Fake {
    /// `answer` gets `METHOD /path?query` and how often this line was asked before.
    async fn new(answer: impl Fn(&str, usize) -> (u16, String) + Clone + Send + Sync + 'static) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::clone(&seen);
        let app = Router::new().fallback(async move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let line = format!("{method} {uri}");
            let body = String::from_utf8(body.to_vec()).unwrap();
            let mut log = log.lock().unwrap();
            let before = log.iter().filter(|s| s.line == line).count();
            log.push(Seen { line: line.clone(), headers, body });
            let (status, text) = answer(&line, before);
            (StatusCode::from_u16(status).unwrap(), text)
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, seen }
    }

    /// Always the same.
    async fn constant(status: u16, body: &'static str) -> Self {
        Self::new(move |_, _| (status, body.to_owned())).await
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::new(format!("http://{}/base", self.address))
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|s| s.line).collect()
    }

    fn count(&self, line: &str) -> usize {
        self.lines().iter().filter(|l| *l == line).count()
    }
}

/// An address where nobody listens.
async fn nobody() -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Endpoint::new(format!("http://me:hunter2@{}", listener.local_addr().unwrap()))
}

/// One call of each adapter.
async fn each(endpoint: &Endpoint) -> Vec<PortError> {
    let registry = RegistryClient::new(endpoint).unwrap();
    let connect = ConnectClient::new(endpoint).unwrap();
    let flink = FlinkEngine::new(endpoint, endpoint).unwrap();
    vec![
        registry.versions("s").await.unwrap_err(),
        connect.config("c").await.unwrap_err(),
        flink.jobs().await.unwrap_err(),
        flink.explain(&job()).await.unwrap_err(),
    ]
}

fn job() -> JobText {
    JobText {
        name: "j".into(),
        settings: BTreeMap::new(),
        ddl: vec!["CREATE TABLE a".into()],
        insert: "INSERT INTO b SELECT 1".into(),
    }
}

const ID: &str = "0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn nobody_there_is_said_at_once_and_without_the_password() {
    let endpoint = nobody().await;
    let start = Instant::now();
    for error in each(&endpoint).await {
        assert!(error.passing(), "{error}");
        let text = error.to_string();
        assert!(text.contains("127.0.0.1") && text.contains("refused"), "{text}");
        assert!(!text.contains("hunter2") && !text.contains("me:"), "{text}");
    }
    assert!(start.elapsed() < Duration::from_secs(8), "four calls took {:?}", start.elapsed());
}

#[tokio::test]
async fn refusals_are_told_from_outages() {
    for (status, passing, tries) in [(400, false, 1), (401, false, 1), (403, false, 1), (500, false, 3), (503, true, 3)]
    {
        let fake = Fake::constant(status, r#"{"error_code":7,"message":"because of x"}"#).await;
        let error = RegistryClient::new(&fake.endpoint()).unwrap().subjects().await.unwrap_err();
        assert_eq!(error.passing(), passing, "{error}");
        assert!(error.to_string().contains(&format!("HTTP {status}, code 7")), "{error}");
        assert!(error.to_string().contains("because of x"), "{error}");
        assert_eq!(fake.lines(), vec!["GET /base/subjects"; tries]);
    }
    let fake = Fake::constant(500, r#"{"error_code":50002,"message":"store is slow"}"#).await;
    let error = RegistryClient::new(&fake.endpoint()).unwrap().subjects().await.unwrap_err();
    assert!(error.passing(), "{error}");
}

#[tokio::test]
async fn a_hiccup_is_outlived() {
    let answer = |_: &str, before: usize| if before < 2 { (500, "x".into()) } else { (200, "[3,1,2]".into()) };
    let fake = Fake::new(answer).await;
    let registry = RegistryClient::new(&fake.endpoint()).unwrap();
    assert_eq!(registry.versions("s").await.unwrap(), [1, 2, 3]);
    assert_eq!(fake.count("GET /base/subjects/s/versions"), 3);
}

#[tokio::test]
async fn garbage_is_called_garbage() {
    for body in ["", "<html>hello", "null", "{\"a\":", "[{}]", "\u{0}\u{1}", "7"] {
        let fake = Fake::new(move |_, _| (200, body.to_owned())).await;
        for error in each(&fake.endpoint()).await {
            assert!(matches!(error, PortError::Garbage { .. }), "{body:?}: {error:?}");
            assert!(!error.to_string().contains('\n') && error.to_string().chars().count() < 500, "{error}");
        }
    }
}

#[tokio::test]
async fn a_404_of_something_else_is_not_nothing() {
    for body in
        ["", "<html>not here</html>", r#"{"error":"no route"}"#, r#"{"error_code":404,"message":"HTTP 404 Not Found"}"#]
    {
        let fake = Fake::new(move |_, _| (404, body.to_owned())).await;
        let registry = RegistryClient::new(&fake.endpoint()).unwrap();
        assert!(matches!(registry.versions("s").await, Err(PortError::Refused { .. })), "{body}");
        assert!(matches!(registry.delete_subject("s").await, Err(PortError::Refused { .. })), "{body}");
        // A Connect that starts answers like this for some seconds.
        let connect = ConnectClient::new(&fake.endpoint()).unwrap();
        let is_connect = body.contains("error_code");
        for error in [connect.config("c").await.unwrap_err(), connect.delete("c").await.unwrap_err()] {
            assert_eq!(error.passing(), !is_connect, "{body}: {error}");
            assert_eq!(matches!(error, PortError::Refused { .. }), is_connect, "{body}: {error}");
        }
        let flink = FlinkEngine::new(&fake.endpoint(), &fake.endpoint()).unwrap();
        assert!(matches!(flink.health(ID).await, Err(PortError::Refused { .. })), "{body}");
        assert!(matches!(flink.cancel(ID).await, Err(PortError::Refused { .. })), "{body}");
    }
}

#[tokio::test]
async fn credentials_go_out_in_a_header_and_come_back_in_no_error() {
    let auths = [
        (Auth::Bearer("t0ken-t0ken".into()), "Bearer t0ken-t0ken", "t0ken-t0ken"),
        (Auth::Basic { user: "me".into(), password: "hunter2".into() }, "Basic bWU6aHVudGVyMg==", "hunter2"),
    ];
    for (auth, header, secret) in auths {
        let echo = Fake::new(move |_, _| (403, format!(r#"{{"message":"no entry with {secret}"}}"#))).await;
        let endpoint = Endpoint { auth: Some(auth), ..echo.endpoint() };
        for error in each(&endpoint).await {
            assert!(!error.to_string().contains(secret), "{error}");
            assert!(error.to_string().contains("HTTP 403"), "{error}");
        }
        assert!(echo.seen().iter().all(|s| s.headers["authorization"] == header && !s.line.contains(secret)));
        assert!(!format!("{endpoint:?}").contains(secret));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let fake = Fake::constant(302, "").await;
    let error = RegistryClient::new(&fake.endpoint()).unwrap().subjects().await.unwrap_err();
    assert!(error.to_string().contains("it redirects"), "{error}");
    assert_eq!(fake.lines().len(), 1);
}
