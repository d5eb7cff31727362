//! The calls that only look. They answer from the daemon's last snapshot and never wait for it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::decide::{Id, rollout_id};
use super::refusal::{Cause, Refused};
use super::{App, Shared};
use crate::daemon::handle::{RefusalCause, RolloutView, TopicReport, View};

/// Alive: the process answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Ready: it leads and has read the journal to its end.
pub(super) async fn readyz(State(app): Shared) -> Response {
    let view = app.handle.view();
    let why = match (view.leading, view.replayed) {
        (true, true) => return Json(json!({ "ready": true })).into_response(),
        (true, false) => "reading the journal",
        (false, _) => "another daemon leads, this one stands by",
    };
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "ready": false, "why": why }))).into_response()
}

pub(super) async fn status(State(app): Shared, headers: HeaderMap) -> Result<Json<Value>, Refused> {
    app.auth.admit_reader(&headers)?;
    let view = app.handle.view();
    Ok(Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "env": view.env,
        "leading": view.leading,
        "replayed": view.replayed,
        "started_ms": view.started_ms,
        "now_ms": view.now_ms,
        "subjects_watched": view.subjects_watched,
        "ahead": view.ahead,
        "rollouts": summaries(&view),
        "refused": view.refused,
        "queued": view.queued,
        "first_seen": view.first_seen,
        "baselines": view.baselines,
    })))
}

/// What is to be seen, once the journal has been read: before that, and while another daemon leads, nothing is known, which is
/// not the same as that nothing is deployed.
fn complete(app: &App) -> Result<Arc<View>, Refused> {
    let view = app.handle.view();
    if view.replayed {
        return Ok(view);
    }
    let text = "this daemon has not read the journal: another one leads, or it has just been started";
    Err(Refused::new(Cause::Daemon(RefusalCause::NotLeading), text))
}

pub(super) async fn manifest(State(app): Shared, headers: HeaderMap) -> Result<Response, Refused> {
    app.auth.admit_reader(&headers)?;
    Ok(Json(&complete(&app)?.manifest).into_response())
}

pub(super) async fn jobs(State(app): Shared, headers: HeaderMap) -> Result<Response, Refused> {
    app.auth.admit_reader(&headers)?;
    Ok(Json(json!({ "jobs": complete(&app)?.jobs })).into_response())
}

pub(super) async fn rollouts(State(app): Shared, headers: HeaderMap) -> Result<Json<Value>, Refused> {
    app.auth.admit_reader(&headers)?;
    Ok(Json(json!({ "rollouts": summaries(&app.handle.view()) })))
}

pub(super) async fn rollout(State(app): Shared, id: Id, headers: HeaderMap) -> Result<Response, Refused> {
    app.auth.admit_reader(&headers)?;
    let id = rollout_id(id)?;
    let view = complete(&app)?;
    match view.rollouts.iter().find(|rollout| rollout.id == id) {
        Some(rollout) => Ok(Json(rollout).into_response()),
        None => Err(Refused::new(
            Cause::Daemon(crate::daemon::handle::RefusalCause::UnknownRollout),
            format!("no rollout has the id {id:?}"),
        )),
    }
}

/// The input topics in short.
pub(super) async fn topics(State(app): Shared, headers: HeaderMap) -> Result<Response, Refused> {
    app.auth.admit_reader(&headers)?;
    let view = complete(&app)?;
    let short = |(topic, report): (&String, &Arc<TopicReport>)| {
        json!({
            "topic": topic,
            "records": report.records,
            "unreadable": report.unreadable,
            "updates_without_before": report.updates_without_before,
        })
    };
    Ok(Json(json!({ "topics": view.topics.iter().map(short).collect::<Vec<_>>() })).into_response())
}

/// What the records of one input topic show.
pub(super) async fn topic(State(app): Shared, name: Id, headers: HeaderMap) -> Result<Response, Refused> {
    app.auth.admit_reader(&headers)?;
    let name = rollout_id(name)?;
    match complete(&app)?.topics.get(&name) {
        Some(report) => Ok(Json(report).into_response()),
        None => Err(Refused::new(Cause::NotFound, format!("no topic that is read has the name {name:?}"))),
    }
}

pub(super) async fn nothing_here() -> Refused {
    Refused::new(Cause::NotFound, "nothing is served at this path")
}

pub(super) async fn wrong_method() -> Refused {
    Refused::new(Cause::MethodNotAllowed, "this path takes another method")
}

/// The rollouts without plan, evidence and history, which can be large.
fn summaries(view: &View) -> Vec<Value> {
    view.rollouts.iter().map(summary).collect()
}

fn summary(rollout: &RolloutView) -> Value {
    json!({
        "id": rollout.id,
        "title": rollout.title,
        "kind": rollout.kind,
        "state": rollout.state,
        "ended": rollout.ended,
        "waiting_on": rollout.waiting_on,
        "since_ms": rollout.since_ms,
        "created_ms": rollout.created_ms,
        "outcome": rollout.outcome,
        "evidence_digest": rollout.evidence_digest,
        "error": rollout.error,
    })
}
