//! A chat system that approves: receives the daemon's signed events and answers with signed decisions.
//!
//! Rule: an event whose signature does not fit is answered 401 and not kept.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use reqwest::Client;
use serde_json::{Value, json};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};

use super::failure::{During as _, Failure, Look, Outcome, until};
use super::http::Reply;

struct Inbox {
    key: Webhook,
    events: Mutex<Vec<Value>>,
    forged: Mutex<u32>,
}

/// The receiver and sender.
pub struct Approver {
    http: Client,
    signing: String,
    notifying: String,
    token: String,
    inbox: Arc<Inbox>,
    address: String,
    server: tokio::task::JoinHandle<()>,
}

/// A key as Standard Webhooks writes it, drawn for this run.
pub fn key() -> String {
    use rand::Rng as _;
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut rng = rand::rng();
    // 44 digits of base64 are 33 bytes.
    let digits: String =
        (0..44).filter_map(|_| DIGITS.get(rng.random_range(0..DIGITS.len())).map(|b| char::from(*b))).collect();
    format!("whsec_{digits}")
}

impl Approver {
    /// Listens on a free port, with two keys drawn for this run.
    ///
    /// # Errors
    /// No port is free.
    pub async fn open(http: &Client) -> Outcome<Self> {
        let (signing, notifying, token) = (key(), key(), key());
        let verifier = Webhook::new(&notifying).during("a webhook key")?;
        let inbox = Arc::new(Inbox { key: verifier, events: Mutex::default(), forged: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.during("listening for events")?;
        let address = format!("http://{}/hook", listener.local_addr().during("listening for events")?);
        let router = Router::new().route("/hook", post(receive)).with_state(Arc::clone(&inbox));
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { http: http.clone(), signing, notifying, token, inbox, address, server })
    }

    /// Where events are to be posted.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The keys and a token, as environment variables of the daemon.
    pub fn environment(&self) -> Vec<(String, String)> {
        vec![
            (super::place::SIGNING.to_owned(), self.signing.clone()),
            (super::place::NOTIFYING.to_owned(), self.notifying.clone()),
            (super::place::TOKEN.to_owned(), self.token.clone()),
        ]
    }

    /// The event of that type about that rollout.
    ///
    /// # Errors
    /// It did not come in time, or one came with a signature that does not fit.
    pub async fn event(&self, kind: &str, rollout: &str) -> Outcome<Value> {
        until(&format!("the signed event {kind} of rollout {rollout}"), Duration::from_secs(30), async || {
            let forged = *lock(&self.inbox.forged);
            if forged > 0 {
                return Ok(Look::There(Err(Failure::new(format!(
                    "{forged} events came with a signature that does not fit"
                )))));
            }
            let events = lock(&self.inbox.events).clone();
            let about = |event: &&Value| event["type"] == kind && event.to_string().contains(rollout);
            Ok(match events.iter().find(about) {
                Some(event) => Look::There(Ok(event.clone())),
                None => Look::NotYet(format!("{} other events came", events.len())),
            })
        })
        .await?
    }

    /// Sends a signed body.
    ///
    /// # Errors
    /// No answer.
    pub async fn send(&self, url: &str, body: &Value) -> Outcome<Reply> {
        self.deliver(url, &Delivery::new(body)?).await
    }

    /// Sends a body signed with another key than the daemon knows.
    ///
    /// # Errors
    /// No answer.
    pub async fn forge(&self, url: &str, body: &Value) -> Outcome<Reply> {
        self.deliver_signed_with(&key(), url, &Delivery::new(body)?).await
    }

    /// Sends a body signed with the right key ten minutes ago.
    ///
    /// # Errors
    /// No answer.
    pub async fn send_old(&self, url: &str, body: &Value) -> Outcome<Reply> {
        let now = Delivery::new(body)?;
        self.deliver(url, &Delivery { at: now.at - 600, ..now }).await
    }

    /// Sends exactly this, signed.
    ///
    /// # Errors
    /// No answer.
    pub async fn deliver(&self, url: &str, delivery: &Delivery) -> Outcome<Reply> {
        self.deliver_signed_with(&self.signing, url, delivery).await
    }

    async fn deliver_signed_with(&self, key: &str, url: &str, delivery: &Delivery) -> Outcome<Reply> {
        let Delivery { id, at, text } = delivery;
        let signature = Webhook::new(key)
            .and_then(|webhook| webhook.sign(id, *at, text.as_bytes()))
            .during("signing a decision")?;
        let answer = self
            .http
            .post(url)
            .header("content-type", "application/json")
            .header(HEADER_WEBHOOK_ID, id)
            .header(HEADER_WEBHOOK_TIMESTAMP, at.to_string())
            .header(HEADER_WEBHOOK_SIGNATURE, signature)
            .body(text.clone())
            .send()
            .await
            .during(format!("POST {url}"))?;
        let status = answer.status();
        Ok(Reply { status, text: answer.text().await.during(format!("POST {url}"))? })
    }
}

/// A message as it goes out.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`: seconds since 1970.
    pub at: i64,
    /// The body.
    pub text: String,
}

impl Delivery {
    /// This body, now, with an id of its own.
    ///
    /// # Errors
    /// The clock is wrong.
    pub fn new(body: &Value) -> Outcome<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).during("the clock")?;
        let at = i64::try_from(now.as_secs()).during("the clock")?;
        Ok(Self { id: format!("msg_{}", now.as_nanos()), at, text: body.to_string() })
    }
}

impl Drop for Approver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A decision for `/api/v1/rollouts/{id}/approve`.
pub fn approval(rollout: &str, evidence: &str) -> Value {
    json!({"decision": "approve", "rollout": rollout, "evidence": evidence, "by": "story", "comment": "the verdict is a pass"})
}

/// A decision for `/api/v1/webhooks/decision`.
pub fn approved_event(rollout: &str, evidence: &str) -> Value {
    json!({"type": "rollout.approved", "data": {"rollout": rollout, "evidence": evidence, "by": "story"}})
}

async fn receive(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if inbox.key.verify(&body, &headers).is_err() {
        *lock(&inbox.forged) += 1;
        return StatusCode::UNAUTHORIZED;
    }
    match serde_json::from_slice(&body) {
        Ok(event) => {
            lock(&inbox.events).push(event);
            StatusCode::NO_CONTENT
        }
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
