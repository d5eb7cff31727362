//! The HTTP API, the approval webhook, the metrics' address and one page for people.
//!
//! Rules: the daemon is reached through its [`Handle`] only; whatever changes something needs a token with the right scope
//! or, for decisions, a signature; bodies are bounded in size and time; every refusal is JSON with a cause from a closed
//! list, is counted by that cause, and is logged without secrets.

mod auth;
mod body;
mod decide;
mod page;
mod read;
mod refusal;
mod replay;
mod scrape;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};

use crate::daemon::handle::Handle;
use crate::telemetry::Metrics;

pub use auth::{AuthError, AuthSettings, ReadAccess, Scope};
pub use refusal::Cause;

/// What every handler shares.
struct App {
    handle: Handle,
    auth: AuthSettings,
    metrics: Arc<Metrics>,
    replay: replay::Replay,
}

type Shared = State<Arc<App>>;

/// Everything that is served over HTTP.
pub fn router(handle: Handle, auth: AuthSettings, metrics: Arc<Metrics>) -> Router {
    let app = Arc::new(App { handle, auth, metrics, replay: replay::Replay::default() });
    Router::new()
        .route("/", get(page::page))
        .route("/style.css", get(page::style))
        .route("/favicon.svg", get(page::icon))
        .route("/favicon.ico", get(page::icon))
        .route("/healthz", get(read::healthz))
        .route("/readyz", get(read::readyz))
        .route("/metrics", get(scrape::metrics))
        .route("/api/v1/status", get(read::status))
        .route("/api/v1/manifest", get(read::manifest))
        .route("/api/v1/jobs", get(read::jobs))
        .route("/api/v1/topics", get(read::topics))
        .route("/api/v1/topics/{topic}", get(read::topic))
        .route("/api/v1/rollouts", get(read::rollouts).post(decide::apply))
        .route("/api/v1/rollouts/{id}", get(read::rollout))
        .route("/api/v1/rollouts/{id}/approve", post(decide::approve))
        .route("/api/v1/rollouts/{id}/reject", post(decide::reject))
        .route("/api/v1/rollouts/{id}/abort", post(decide::abort))
        .route("/api/v1/rollouts/{id}/rollback", post(decide::roll_back))
        .route("/api/v1/rollouts/{id}/revalidate", post(decide::revalidate))
        .route("/api/v1/baselines", post(decide::baseline))
        .route("/api/v1/webhooks/decision", post(decide::webhook))
        .fallback(read::nothing_here)
        .method_not_allowed_fallback(read::wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&app), observe))
        .with_state(app)
}

/// Counts and logs each request, and gives each answer the headers that keep browsers strict.
async fn observe(State(app): Shared, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "other".to_owned(), |m| m.as_str().to_owned());
    let method = request.method().clone();
    let started = Instant::now();
    let mut response = next.run(request).await;
    let status = response.status();
    app.metrics.http_requests_total.inc([&route, status.as_str()]);
    if let Some(refusal) = response.extensions().get::<refusal::Refused>() {
        app.metrics.api_refusals_total.inc([refusal.cause.name()]);
        // What is wrong with a body may quote it, and a body may hold anything.
        let reason = if refusal.cause == Cause::Malformed { "" } else { refusal.message.as_str() };
        tracing::warn!(
            route, %method, status = status.as_u16(), cause = refusal.cause.name(), reason, "request refused"
        );
    } else {
        tracing::debug!(
            route, %method, status = status.as_u16(), millis = started.elapsed().as_secs_f64() * 1e3, "request answered"
        );
    }
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// The page runs no scripts and loads nothing from elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
