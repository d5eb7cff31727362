//! Outgoing events as signed webhooks (Standard Webhooks).
//!
//! Rules: one event has one id for every try, so that a receiver can tell a repeat; each try is signed at its own time,
//! so that a late one is not turned away as old; tries are bounded, and a plain "no" is not asked again.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use backon::{ExponentialBuilder, Retryable};
use reqwest::{Client, Url};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};

use super::clock::now_ms;
use super::wording::{REASON_LIMIT, innermost, one_line, scrub};
use crate::port::{Notifier, OutgoingEvent, PortError, PortResult};

const SYSTEM: &str = "webhook";
/// Standard Webhooks lets a receiver take 15 s or more.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// 1, 2.5, 6.2 and 15.6 s lie between five tries: a receiver's restart is outlived, a rollout is not held up.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const FACTOR: f32 = 2.5;
const MORE_TRIES: usize = 4;

/// A receiver. `Debug` shows neither its secret nor its address, which may be a secret of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Address, `http` or `https`.
    pub url: String,
    /// `whsec_` and base64.
    pub secret: String,
}

impl fmt::Debug for WebhookSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSettings(***)")
    }
}

/// Sends events to one receiver, or to nobody.
pub struct WebhookNotifier {
    receiver: Option<Receiver>,
}

struct Receiver {
    client: Client,
    url: Url,
    /// Host alone: paths of webhook receivers often hold a token.
    host: String,
    signer: Webhook,
    first_wait: Duration,
}

impl WebhookNotifier {
    /// A notifier; without settings every event counts as delivered. Nothing is sent yet.
    pub fn new(settings: Option<&WebhookSettings>) -> PortResult<Self> {
        let Some(settings) = settings else { return Ok(Self { receiver: None }) };
        let wrong =
            |what: &str, reason: &str| PortError::Refused { system: SYSTEM, what: what.into(), reason: reason.into() };
        let url =
            Url::parse(settings.url.trim()).map_err(|e| wrong("its address", &format!("it is not a URL: {e}")))?;
        let host = match (url.scheme(), url.host_str()) {
            ("http" | "https", Some(host)) => host.to_owned(),
            _ => return Err(wrong("its address", "it must begin with http:// or https:// and name a host")),
        };
        let host = url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        let secret = settings.secret.trim();
        let signer = Webhook::new(secret).ok().filter(|_| !secret.trim_start_matches("whsec_").is_empty());
        let signer = signer.ok_or_else(|| wrong("its secret", "it must be `whsec_` and base64"))?;
        let client = Client::builder()
            .timeout(CALL_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("cyanotype/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| wrong("its address", "no HTTP client could be made"))?;
        Ok(Self { receiver: Some(Receiver { client, url, host, signer, first_wait: FIRST_WAIT }) })
    }
}

#[cfg(test)]
impl WebhookNotifier {
    /// The same with a shorter wait between the first two tries; the others follow from it.
    pub(super) fn hasty(mut self, first_wait: Duration) -> Self {
        if let Some(receiver) = &mut self.receiver {
            receiver.first_wait = first_wait;
        }
        self
    }
}

impl Receiver {
    async fn send(&self, event: &OutgoingEvent) -> PortResult<()> {
        let what = format!("event `{}` {}", one_line(&event.kind, 80), one_line(&event.id, 80));
        let refused = |reason: String| PortError::Refused { system: SYSTEM, what: what.clone(), reason };
        let unreachable =
            |reason: String| PortError::Unreachable { system: SYSTEM, address: self.host.clone(), reason };
        let at = now_ms() / 1_000;
        let signature = self.signer.sign(&event.id, at, event.body.as_bytes());
        let signature = signature.map_err(|e| refused(format!("it cannot be signed: {e}")))?;
        let sent = self
            .client
            .post(self.url.clone())
            .header(HEADER_WEBHOOK_ID, &event.id)
            .header(HEADER_WEBHOOK_TIMESTAMP, at.to_string())
            .header(HEADER_WEBHOOK_SIGNATURE, signature)
            .header("content-type", "application/json")
            .body(event.body.clone())
            .send()
            .await;
        let response = sent.map_err(|error| {
            let error = error.without_url();
            match error.is_builder() {
                true => refused("its id or its body cannot be sent".into()),
                false if error.is_timeout() => unreachable("no answer in time".into()),
                false => unreachable(one_line(&scrub(&innermost(&error)), REASON_LIMIT)),
            }
        })?;
        match response.status().as_u16() {
            200..=299 => Ok(()),
            status @ (408 | 429 | 500..=599) => Err(unreachable(format!("HTTP {status}"))),
            status => Err(refused(format!("HTTP {status}"))),
        }
    }
}

#[async_trait]
impl Notifier for WebhookNotifier {
    async fn notify(&self, event: &OutgoingEvent) -> PortResult<()> {
        let Some(receiver) = &self.receiver else { return Ok(()) };
        let waits = ExponentialBuilder::default()
            .with_min_delay(receiver.first_wait)
            .with_factor(FACTOR)
            .with_max_times(MORE_TRIES);
        (|| receiver.send(event)).retry(waits).when(PortError::passing).await
    }
}
