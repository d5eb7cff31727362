//! A registry that stands before the real one and can be made to fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use reqwest::Client;

use crate::story::failure::{During as _, Outcome};

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mood {
    /// As the real one.
    Well,
    /// 401 to everything.
    Unauthorized,
    /// 404 to everything, as a wrong address does.
    NotFound,
    /// 500 to everything.
    Broken,
    /// 200 with something that is no JSON.
    Garbage,
}

struct Proxy {
    mood: AtomicU8,
    http: Client,
    real: String,
}

/// The registry.
pub struct FaultyRegistry {
    proxy: Arc<Proxy>,
    server: tokio::task::JoinHandle<()>,
    /// Its address.
    pub url: String,
}

impl FaultyRegistry {
    /// Listens on a free port and passes everything on to `real`.
    pub async fn open(http: &Client, real: &str) -> Outcome<Self> {
        let proxy =
            Arc::new(Proxy { mood: AtomicU8::new(Mood::Well as u8), http: http.clone(), real: real.to_owned() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.during("listening as a registry")?;
        let url = format!("http://{}", listener.local_addr().during("listening as a registry")?);
        let router = Router::new().fallback(answer).with_state(Arc::clone(&proxy));
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { proxy, server, url })
    }

    /// From now on it answers like this.
    pub fn turn(&self, mood: Mood) {
        self.proxy.mood.store(mood as u8, Ordering::SeqCst);
    }
}

impl Drop for FaultyRegistry {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    let mood = proxy.mood.load(Ordering::SeqCst);
    let is = |other: Mood| mood == other as u8;
    if is(Mood::Unauthorized) {
        return (StatusCode::UNAUTHORIZED, "{\"error_code\":401,\"message\":\"Unauthorized\"}").into_response();
    }
    if is(Mood::NotFound) {
        return (StatusCode::NOT_FOUND, "<html><body>no such page</body></html>").into_response();
    }
    if is(Mood::Broken) {
        return (StatusCode::INTERNAL_SERVER_ERROR, "the registry's store is away").into_response();
    }
    if is(Mood::Garbage) {
        return (StatusCode::OK, "\u{1}\u{2}{{{ not json").into_response();
    }
    pass_on(&proxy, request).await.unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, error.to_string()).into_response())
}

async fn pass_on(proxy: &Proxy, request: Request) -> Outcome<Response> {
    let path = request.uri().path_and_query().map_or("", |path| path.as_str()).to_owned();
    let method = request.method().clone();
    let body: Bytes = axum::body::to_bytes(request.into_body(), 1 << 20).await.during("a request's body")?;
    let answer = proxy
        .http
        .request(method, format!("{}{path}", proxy.real))
        .header("content-type", "application/vnd.schemaregistry.v1+json")
        .body(body)
        .send()
        .await
        .during("asking the real registry")?;
    let status = answer.status();
    let body = answer.bytes().await.during("the real registry's answer")?;
    Ok((status, [("content-type", "application/json")], body).into_response())
}
