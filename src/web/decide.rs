//! The calls that change something: apply, approve, reject, abort, roll back, and the decision webhook.
//!
//! Rules: nothing is read past the size limit; a token is checked before the body is read, a signature over the body as it
//! came; a decision names the evidence it was given on; a signed decision also says in its body which way it goes, because
//! a signature does not cover the path.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::auth::{self, Scope};
use super::body::{self, DECISION_LIMIT, PLAN_LIMIT};
use super::refusal::{Cause, Refused};
use super::replay::{Content, Seen};
use super::{App, Shared};
use crate::daemon::handle::{BaselineRequest, Decision, DecisionRequest, Handle, Refusal, RefusalCause, Reply};

/// How long the daemon may take. A decision is one journal entry: well below a second.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// Longest name and longest comment, in characters.
const NAME_MAX: usize = 200;
const COMMENT_MAX: usize = 4_000;

/// A rollout's id as the path has it.
pub(super) type Id = Result<Path<String>, PathRejection>;

/// The id itself.
pub(super) fn rollout_id(id: Id) -> Result<String, Refused> {
    id.map(|Path(id)| id).map_err(|_| Refused::new(Cause::NotFound, "the path does not hold a rollout's id"))
}

pub(super) async fn apply(State(app): Shared, headers: HeaderMap, body: Body) -> Result<Response, Refused> {
    app.auth.admit_token(&headers, Scope::Apply)?;
    let bytes = body::read(body, PLAN_LIMIT).await?;
    let plan: serde_json::Map<String, serde_json::Value> = body::json(&bytes)?;
    let reply = ask(&app.handle, app.handle.apply(plan.into())).await?;
    tracing::info!(rollout = reply.rollout, state = reply.state, "plan taken");
    Ok((StatusCode::ACCEPTED, Json(reply)).into_response())
}

pub(super) async fn approve(app: Shared, id: Id, headers: HeaderMap, body: Body) -> Result<Response, Refused> {
    decide(app, id, Decision::Approve, headers, body).await
}

pub(super) async fn reject(app: Shared, id: Id, headers: HeaderMap, body: Body) -> Result<Response, Refused> {
    decide(app, id, Decision::Reject, headers, body).await
}

pub(super) async fn abort(app: Shared, id: Id, headers: HeaderMap, body: Body) -> Result<Response, Refused> {
    go_back(app, id, Decision::Abort, headers, body).await
}

pub(super) async fn roll_back(app: Shared, id: Id, headers: HeaderMap, body: Body) -> Result<Response, Refused> {
    go_back(app, id, Decision::Rollback, headers, body).await
}

/// With a token. A signed wish to go back is an event: it names what it is about, as every decision does.
async fn go_back(
    State(app): Shared,
    id: Id,
    how: Decision,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let wish = Wish::read(&app, Scope::Abort, id, headers, body).await?;
    let (rollout, by, via) = (wish.rollout, wish.by, format!("token {}", wish.token));
    let reply = match how {
        Decision::Rollback => ask(&app.handle, app.handle.roll_back(rollout, by, via)).await?,
        _ => ask(&app.handle, app.handle.abort(rollout, by, via)).await?,
    };
    tracing::info!(rollout = reply.rollout, state = reply.state, token = wish.token, how = how.name(), "wish taken");
    Ok((StatusCode::ACCEPTED, Json(reply)).into_response())
}

pub(super) async fn revalidate(
    State(app): Shared,
    id: Id,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let wish = Wish::read(&app, Scope::Apply, id, headers, body).await?;
    let reply = ask(&app.handle, app.handle.revalidate(wish.rollout, wish.by, format!("token {}", wish.token))).await?;
    tracing::info!(rollout = reply.rollout, state = reply.state, token = wish.token, "validation asked for");
    Ok((StatusCode::ACCEPTED, Json(reply)).into_response())
}

/// Accepts a subject's history as it is: whoever may approve may say so.
pub(super) async fn baseline(State(app): Shared, headers: HeaderMap, body: Body) -> Result<Response, Refused> {
    let token = app.auth.admit_token(&headers, Scope::Approve)?;
    let bytes = body::read(body, DECISION_LIMIT).await?;
    let wish = body::json::<BaselineBody>(&bytes)?;
    if wish.version < 1 {
        return Err(Refused::new(Cause::Malformed, "`version` must be 1 or more"));
    }
    let request = BaselineRequest {
        subject: name("subject", wish.subject)?,
        version: wish.version,
        reason: name("reason", wish.reason)?,
        by: name("by", wish.by)?,
        via: format!("token {token}"),
    };
    let reply = ask(&app.handle, app.handle.baseline(request)).await?;
    tracing::info!(token, message = reply.message, "baseline taken");
    Ok((StatusCode::ACCEPTED, Json(reply)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BaselineBody {
    subject: String,
    version: i32,
    reason: String,
    by: String,
}

/// What a call asks for that needs no more than a name.
struct Wish {
    rollout: String,
    by: String,
    token: String,
}

impl Wish {
    async fn read(app: &App, scope: Scope, id: Id, headers: HeaderMap, body: Body) -> Result<Self, Refused> {
        let token = app.auth.admit_token(&headers, scope)?;
        let rollout = rollout_id(id)?;
        let bytes = body::read(body, DECISION_LIMIT).await?;
        let by = if bytes.is_empty() { token.clone() } else { body::json::<WishBody>(&bytes)?.by };
        Ok(Self { rollout, by: name("by", by)?, token })
    }
}

/// A signed event of an approval system.
pub(super) async fn webhook(State(app): Shared, headers: HeaderMap, body: Body) -> Result<Response, Refused> {
    let seen = async {
        if !auth::is_signed(&headers) {
            return Err(Refused::new(Cause::Unauthenticated, "the event carries no signature"));
        }
        let bytes = body::read(body, DECISION_LIMIT).await?;
        let delivery = app.auth.admit_signature(&headers, &bytes)?;
        let content = Content::of("webhook", &bytes);
        let decision = body::json::<Event>(&bytes).and_then(|event| event.decision(&delivery, content));
        Ok(act(&app, &delivery, content, decision).await)
    };
    answer(&app, seen.await)
}

async fn decide(
    State(app): Shared,
    id: Id,
    decision: Decision,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let seen = async {
        if auth::is_signed(&headers) {
            let bytes = body::read(body, DECISION_LIMIT).await?;
            let delivery = app.auth.admit_signature(&headers, &bytes)?;
            let rollout = rollout_id(id)?;
            let content = Content::of(&format!("{decision:?} {rollout}"), &bytes);
            let via = Via {
                decision,
                rollout,
                by: format!("webhook {}", delivery.secret),
                delivery: delivery.id.clone(),
                content: Some(content.hex()),
            };
            let request = body::json::<DecisionBody>(&bytes).and_then(|body| body.signed(decision)?.request(via));
            return Ok(act(&app, &delivery, content, request).await);
        }
        let token = app.auth.admit_token(&headers, Scope::Approve)?;
        let rollout = rollout_id(id)?;
        let bytes = body::read(body, DECISION_LIMIT).await?;
        let via = Via { decision, rollout, by: format!("token {token}"), delivery: call_id(), content: None };
        let request = body::json::<DecisionBody>(&bytes)?.request(via)?;
        Ok((Some(decision), Seen::First(ask(&app.handle, app.handle.decide(request)).await)))
    };
    answer(&app, seen.await)
}

/// Carries a signed decision out, once.
async fn act(
    app: &App,
    delivery: &auth::Delivery,
    content: Content,
    request: Result<DecisionRequest, Refused>,
) -> (Option<Decision>, Seen) {
    let handle = app.handle.clone();
    let decision = request.as_ref().ok().map(|request| request.decision);
    let act = || async move { ask(&handle, handle.decide(request?)).await };
    (decision, app.replay.answer(&delivery.id, content, act).await)
}

/// Counts, logs and answers a decision.
fn answer(app: &App, seen: Result<(Option<Decision>, Seen), Refused>) -> Result<Response, Refused> {
    let count = |outcome| app.metrics.approvals_total.inc([outcome]);
    let (decision, seen) = match seen {
        Ok(seen) => seen,
        Err(refused) => {
            count("refused");
            return Err(refused);
        }
    };
    match seen {
        Seen::First(Ok(reply)) => {
            tracing::info!(rollout = reply.rollout, state = reply.state, "decision taken");
            count(match decision {
                Some(Decision::Reject) => "rejected",
                Some(Decision::Abort) => "aborted",
                Some(Decision::Rollback) => "rolled_back",
                Some(Decision::Approve) | None => "approved",
            });
            Ok(Json(reply).into_response())
        }
        Seen::Again(given) => {
            count("repeated");
            tracing::info!("repeated delivery answered again");
            Ok(given.map_or_else(Refused::into_response, |reply| Json(reply).into_response()))
        }
        Seen::First(Err(refused)) => {
            count("refused");
            Err(refused)
        }
        Seen::Different => {
            count("refused");
            Err(Refused::new(
                Cause::Daemon(RefusalCause::ReplayMismatch),
                "this webhook-id came before with another content",
            ))
        }
    }
}

/// The daemon's answer, if it leads and gives one in time.
async fn ask(handle: &Handle, asked: impl Future<Output = Result<Reply, Refusal>>) -> Result<Reply, Refused> {
    let view = handle.view();
    if !view.leading || !view.replayed {
        let message = "this daemon does not lead: another one does, or it still reads the journal";
        return Err(Refusal::new(RefusalCause::NotLeading, message).into());
    }
    match tokio::time::timeout(ANSWER_LIMIT, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Refused::new(Cause::NoAnswer, "the daemon did not answer in time: the outcome is not known")),
    }
}

/// Names a call with a token. Its dots keep it apart from every `webhook-id`.
fn call_id() -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("call.{:x}.{}", since.as_nanos(), CALLS.fetch_add(1, Ordering::Relaxed))
}

/// How a decision came in.
struct Via {
    decision: Decision,
    rollout: String,
    by: String,
    delivery: String,
    content: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WishBody {
    by: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecisionBody {
    evidence: Option<String>,
    by: Option<String>,
    comment: Option<String>,
    decision: Option<Decision>,
    rollout: Option<String>,
}

impl DecisionBody {
    /// The same, if it says what the path says.
    fn signed(self, path: Decision) -> Result<Self, Refused> {
        if self.decision.is_some() {
            return Ok(self);
        }
        let word = path.name();
        let message =
            format!("a signed body must hold \"decision\": \"{word}\": the signature does not cover the path");
        Err(Refused::new(Cause::Malformed, message))
    }

    fn request(self, via: Via) -> Result<DecisionRequest, Refused> {
        if self.decision.is_some_and(|decision| decision != via.decision) {
            return Err(Refused::new(Cause::Malformed, "the body decides one way and the path the other"));
        }
        if self.rollout.is_some_and(|rollout| rollout != via.rollout) {
            return Err(Refused::new(Cause::Malformed, "the body names one rollout and the path another"));
        }
        Ok(DecisionRequest {
            rollout: name("rollout", via.rollout)?,
            decision: via.decision,
            evidence: evidence(self.evidence)?,
            by: name("by", self.by.unwrap_or_default())?,
            via: via.by,
            comment: self.comment.map(comment).transpose()?,
            delivery: via.delivery,
            content: via.content,
        })
    }
}

/// What a webhook delivers. Fields that are not known are left alone: senders add some of their own.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: EventKind,
    data: EventData,
}

#[derive(Deserialize)]
enum EventKind {
    #[serde(rename = "rollout.approved")]
    Approved,
    #[serde(rename = "rollout.rejected")]
    Rejected,
    #[serde(rename = "rollout.abort")]
    Abort,
    #[serde(rename = "rollout.rollback")]
    Rollback,
}

#[derive(Deserialize)]
struct EventData {
    rollout: String,
    evidence: Option<String>,
    by: Option<String>,
    comment: Option<String>,
}

impl Event {
    fn decision(self, delivery: &auth::Delivery, content: Content) -> Result<DecisionRequest, Refused> {
        Ok(DecisionRequest {
            rollout: name("rollout", self.data.rollout)?,
            decision: match self.kind {
                EventKind::Approved => Decision::Approve,
                EventKind::Rejected => Decision::Reject,
                EventKind::Abort => Decision::Abort,
                EventKind::Rollback => Decision::Rollback,
            },
            evidence: evidence(self.data.evidence)?,
            by: name("by", self.data.by.unwrap_or_default())?,
            via: format!("webhook {}", delivery.secret),
            comment: self.data.comment.map(comment).transpose()?,
            delivery: delivery.id.clone(),
            content: Some(content.hex()),
        })
    }
}

fn evidence(digest: Option<String>) -> Result<String, Refused> {
    let missing = |message| Err(Refused::new(Cause::MissingEvidence, message));
    let Some(digest) = digest else { return missing("the decision does not name the evidence it was given on") };
    match digest.strip_prefix("sha256:") {
        Some(hex) if hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) => Ok(digest),
        _ => missing("`evidence` is not an evidence digest"),
    }
}

fn name(field: &str, text: String) -> Result<String, Refused> {
    let text = text.trim().to_owned();
    if text.is_empty() || text.chars().count() > NAME_MAX || text.chars().any(char::is_control) {
        let message = format!("`{field}` must hold 1 to {NAME_MAX} characters, none of them a control character");
        return Err(Refused::new(Cause::Malformed, message));
    }
    Ok(text)
}

fn comment(text: String) -> Result<String, Refused> {
    if text.chars().count() > COMMENT_MAX {
        return Err(Refused::new(Cause::Malformed, format!("`comment` is longer than {COMMENT_MAX} characters")));
    }
    Ok(text)
}
