//! A service that stands before a real one and writes down what it is asked.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use reqwest::Client;

use crate::story::failure::{During as _, Outcome};

struct Proxy {
    http: Client,
    real: String,
    calls: Mutex<Vec<String>>,
}

/// The service.
pub struct Watched {
    proxy: Arc<Proxy>,
    server: tokio::task::JoinHandle<()>,
    /// Its address.
    pub url: String,
}

impl Watched {
    /// Listens on a free port and passes everything on to `real`.
    pub async fn open(http: &Client, real: &str) -> Outcome<Self> {
        let proxy = Arc::new(Proxy { http: http.clone(), real: real.to_owned(), calls: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.during("listening before a service")?;
        let url = format!("http://{}", listener.local_addr().during("listening before a service")?);
        let router = Router::new().fallback(answer).with_state(Arc::clone(&proxy));
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { proxy, server, url })
    }

    /// Every call so far: method and path.
    pub fn calls(&self) -> Vec<String> {
        self.proxy.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many of them may have changed something.
    pub fn changes(&self) -> usize {
        self.calls().iter().filter(|call| !call.starts_with("GET ")).count()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    let path = request.uri().path_and_query().map_or("", |path| path.as_str()).to_owned();
    let call = format!("{} {path}", request.method());
    proxy.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    pass_on(&proxy, &path, request)
        .await
        .unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, error.to_string()).into_response())
}

async fn pass_on(proxy: &Proxy, path: &str, request: Request) -> Outcome<Response> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 16 << 20).await.during("a request's body")?;
    let mut call = proxy.http.request(parts.method, format!("{}{path}", proxy.real)).body(body);
    if let Some(kind) = parts.headers.get("content-type") {
        call = call.header("content-type", kind);
    }
    let answer = call.send().await.during("asking the real service")?;
    let status = answer.status();
    let kind = answer.headers().get("content-type").cloned();
    let body = answer.bytes().await.during("the real service's answer")?;
    let kind = kind.unwrap_or_else(|| axum::http::HeaderValue::from_static("application/json"));
    Ok((status, [("content-type", kind)], body).into_response())
}
