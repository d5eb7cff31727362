//! The router against a daemon made for the test, which remembers what it was asked.

mod attacks;
mod calls;
mod looks;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{Request as HttpRequest, StatusCode};
use serde_json::Value;
use standardwebhooks::Webhook;
use tower::ServiceExt as _;

use super::*;
use crate::daemon::handle::{
    DecisionRequest, Refusal, RefusalCause, Reply, Request as Wish, RolloutKind, RolloutView, View,
};
use crate::model::verdict::{Evidence, Outcome, TableVerdict};

pub(super) const OPERATOR: &str = "operator-token-0123456789";
pub(super) const READER: &str = "reader-token-0123456789";
pub(super) const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
pub(super) const NEXT_SECRET: &str = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";
pub(super) const APPROVE: &str = "/api/v1/rollouts/r1/approve";
pub(super) const REJECT: &str = "/api/v1/rollouts/r1/reject";
pub(super) const ROLLBACK: &str = "/api/v1/rollouts/r1/rollback";
pub(super) const WEBHOOK: &str = "/api/v1/webhooks/decision";

/// A rollout with nothing special about it.
pub(crate) fn rollout(id: &str, state: &str) -> RolloutView {
    RolloutView {
        id: id.to_owned(),
        title: format!("orders-value version 2 ({id})"),
        kind: RolloutKind::Evolution,
        state: state.to_owned(),
        ended: false,
        waiting_on: "a yes or a no".to_owned(),
        since_ms: 1_000,
        created_ms: 500,
        plan_digest: "sha256:p".to_owned(),
        plan: Arc::new(serde_json::json!({ "impacted": ["orders"] })),
        evidence: None,
        outcome: None,
        evidence_digest: None,
        history: Vec::new(),
        error: None,
    }
}

pub(super) fn evidence() -> Evidence {
    let table = TableVerdict {
        table: "fct_orders".to_owned(),
        outcome: Outcome::Pass,
        reason: "equal at the cut".to_owned(),
        rows_blue: 1_200,
        rows_green: 1_200,
        equal: 1_190,
        followed: 10,
        by_history: 0,
        missing: 0,
        extra: 0,
        different: 0,
        undecided: 0,
        only_blue: 0,
        only_green: 0,
        duplicates: BTreeMap::new(),
        churn: 0,
        columns: BTreeMap::new(),
        samples: Vec::new(),
        digest_blue: "ab".to_owned(),
        digest_green: "ab".to_owned(),
    };
    Evidence {
        rollout: "r1".to_owned(),
        plan: "sha256:00".to_owned(),
        outcome: Outcome::Pass,
        reason: "proven".to_owned(),
        tables: vec![table],
        cut: BTreeMap::new(),
        read: BTreeMap::new(),
        schema_ids: BTreeMap::new(),
        arrived: 42,
        started_ms: 1_000,
        ended_ms: 2_000,
        expires_ms: 9_000,
    }
}

/// What is to be seen of a daemon with one rollout, `r1`, that waits for a decision.
pub(super) fn view() -> View {
    let mut waiting = rollout("r1", "awaiting_approval");
    waiting.evidence_digest = Some(evidence().digest());
    waiting.evidence = Some(evidence());
    waiting.outcome = Some(Outcome::Pass);
    View {
        env: "dev".to_owned(),
        leading: true,
        replayed: true,
        now_ms: scrape::now_ms(),
        rollouts: vec![waiting],
        ..View::default()
    }
}

pub(super) struct World {
    pub router: Router,
    pub metrics: Arc<Metrics>,
    pub decisions: Arc<Mutex<Vec<DecisionRequest>>>,
    pub others: Arc<Mutex<Vec<String>>>,
}

pub(super) fn world() -> World {
    world_with(view(), auth())
}

pub(super) fn auth() -> AuthSettings {
    AuthSettings::default()
        .token("operator", OPERATOR, [Scope::Apply, Scope::Approve, Scope::Abort])
        .and_then(|auth| auth.token("reader", READER, [Scope::Read]))
        .and_then(|auth| auth.webhook_secret("old", SECRET))
        .and_then(|auth| auth.webhook_secret("new", NEXT_SECRET))
        .unwrap()
}

pub(super) fn world_with(view: View, auth: AuthSettings) -> World {
    let (handle, mut inbox, show) = Handle::new(8, view);
    let decisions = Arc::new(Mutex::new(Vec::new()));
    let others = Arc::new(Mutex::new(Vec::new()));
    let (decided, asked) = (Arc::clone(&decisions), Arc::clone(&others));
    tokio::spawn(async move {
        let view = Arc::clone(&show.borrow());
        while let Some(wish) = inbox.recv().await {
            match wish {
                Wish::Apply { plan, reply } => {
                    asked.lock().unwrap().push(format!("apply {plan}"));
                    let _ = reply.send(Ok(done("r2", "proposed")));
                }
                Wish::Revalidate { rollout, by, via, reply } => {
                    asked.lock().unwrap().push(format!("revalidate {rollout} by {by} via {via}"));
                    let _ = reply.send(Ok(done(&rollout, "catching_up")));
                }
                Wish::Baseline { baseline, reply } => {
                    asked.lock().unwrap().push(format!("baseline {}@{}", baseline.subject, baseline.version));
                    let _ = reply.send(Ok(done("", "")));
                }
                Wish::Abort { rollout, by, via, reply } => {
                    asked.lock().unwrap().push(format!("abort {rollout} by {by} via {via}"));
                    let _ = reply.send(Ok(done(&rollout, "aborting")));
                }
                Wish::RollBack { rollout, by, via, reply } => {
                    asked.lock().unwrap().push(format!("roll back {rollout} by {by} via {via}"));
                    let _ = reply.send(Ok(done(&rollout, "rolling_back")));
                }
                Wish::Decide { decision, reply } => {
                    let _ = reply.send(judge(&view, &decision));
                    decided.lock().unwrap().push(decision);
                }
            }
        }
    });
    let metrics = Arc::new(Metrics::new().unwrap());
    World { router: router(handle, auth, Arc::clone(&metrics)), metrics, decisions, others }
}

fn done(rollout: &str, state: &str) -> Reply {
    Reply { rollout: rollout.to_owned(), state: state.to_owned(), message: "done".to_owned() }
}

fn judge(view: &View, decision: &DecisionRequest) -> Result<Reply, Refusal> {
    let Some(rollout) = view.rollouts.iter().find(|rollout| rollout.id == decision.rollout) else {
        return Err(Refusal::new(RefusalCause::UnknownRollout, format!("no rollout `{}`", decision.rollout)));
    };
    if rollout.evidence_digest.as_ref() != Some(&decision.evidence) {
        return Err(Refusal::new(RefusalCause::EvidenceMismatch, "the evidence is another one"));
    }
    Ok(done(&rollout.id, "promoting"))
}

/// An answer: status, headers and body.
pub(super) struct Got {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub text: String,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    /// The cause of a refusal, after a look at the form that every refusal has.
    pub fn cause(&self) -> String {
        let error = &self.json()["error"];
        for part in ["cause", "message", "help"] {
            assert!(error[part].as_str().is_some_and(|text| !text.is_empty()), "{part}: {error}");
        }
        error["cause"].as_str().unwrap().to_owned()
    }
}

impl World {
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Got {
        let mut request = HttpRequest::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Got { status, headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    pub async fn get(&self, path: &str) -> Got {
        self.send("GET", path, &[], Body::empty()).await
    }

    pub async fn with_token(&self, path: &str, token: &str, body: impl Into<Body>) -> Got {
        self.send("POST", path, &[("authorization", &format!("Bearer {token}"))], body).await
    }

    pub async fn signed(&self, path: &str, message: &Message<'_>) -> Got {
        let time = message.time.to_string();
        let signature = message.signature();
        let headers =
            [("webhook-id", message.id), ("webhook-timestamp", time.as_str()), ("webhook-signature", &signature)];
        self.send("POST", path, &headers, message.body.clone()).await
    }

    /// How many decisions reached the daemon.
    pub fn effects(&self) -> usize {
        self.decisions.lock().unwrap().len()
    }

    pub fn refusals(&self, cause: &str) -> u64 {
        self.metrics.api_refusals_total.get([cause])
    }
}

/// A message that can be signed rightly or wrongly.
pub(super) struct Message<'a> {
    pub id: &'a str,
    pub time: i64,
    pub secret: &'a str,
    pub body: String,
}

impl<'a> Message<'a> {
    /// Signed now, with a configured secret.
    pub fn new(id: &'a str, body: impl Into<String>) -> Self {
        Self { id, time: scrape::now_ms() / 1_000, secret: SECRET, body: body.into() }
    }

    fn signature(&self) -> String {
        Webhook::new(self.secret).unwrap().sign(self.id, self.time, self.body.as_bytes()).unwrap()
    }
}

/// The body of a good approval.
pub(super) fn approval() -> String {
    serde_json::json!({ "evidence": evidence().digest(), "by": "Ada", "decision": "approve" }).to_string()
}

/// The event of a good approval.
pub(super) fn event(kind: &str) -> String {
    let data = serde_json::json!({ "rollout": "r1", "evidence": evidence().digest(), "by": "Ada", "comment": "fine" });
    serde_json::json!({ "type": kind, "timestamp": "2026-01-01T00:00:00Z", "data": data }).to_string()
}
