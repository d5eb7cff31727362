//! Tokens that a client fetches for itself: OAuth 2.0, client credentials (RFC 6749, 4.4).
//!
//! Rules: a token is renewed before it ends, by one call at a time; while the renewal fails, the old one serves until it
//! ends; neither the client's secret nor a token is in any text.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::{Client, Url};
use serde_json::Value;

use super::{Answer, Auth};
use crate::adapter::wording::{REASON_LIMIT, innermost, one_line, reason, scrub};
use crate::port::PortError;

/// How long a token is good for when its giver does not say: RFC 6749 leaves it open, and a minute is safe.
const UNSAID: Duration = Duration::from_secs(60);
/// How long a renewal that failed is not tried again while the old token serves.
const AGAIN: Duration = Duration::from_secs(5);

/// A token and when it is over.
#[derive(Clone)]
struct Kept {
    token: String,
    renew: Instant,
    ends: Instant,
}

/// The tokens of one client.
pub(super) struct Tokens {
    system: &'static str,
    url: Url,
    address: String,
    id: String,
    secret: String,
    scope: Option<String>,
    kept: Mutex<Option<Kept>>,
    renewing: tokio::sync::Mutex<()>,
}

impl Tokens {
    /// `None` when `auth` is of another kind.
    pub(super) fn of(system: &'static str, auth: Option<&Auth>) -> Result<Option<Self>, String> {
        let Some(Auth::OAuth { token_url, client_id, client_secret, scope }) = auth else { return Ok(None) };
        let (url, _) = super::endpoint::base_of(token_url).map_err(|reason| format!("auth.token_url: {reason}"))?;
        Ok(Some(Self {
            system,
            address: url.as_str().to_owned(),
            url,
            id: client_id.clone(),
            secret: client_secret.clone(),
            scope: scope.clone(),
            kept: Mutex::default(),
            renewing: tokio::sync::Mutex::default(),
        }))
    }

    fn kept(&self) -> Option<Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, kept: Option<Kept>) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = kept;
    }

    /// The token that is kept, which must never be shown.
    pub(super) fn known(&self) -> Option<String> {
        self.kept().map(|kept| kept.token)
    }

    /// Drops `token`: the service does not take it, though its time is not over.
    pub(super) fn refused(&self, token: &str) {
        if self.known().is_some_and(|known| known == token) {
            self.keep(None);
        }
    }

    /// A token that is good now.
    pub(super) async fn get(&self, client: &Client) -> Result<String, PortError> {
        let fresh = || self.kept().filter(|kept| Instant::now() < kept.renew).map(|kept| kept.token);
        if let Some(token) = fresh() {
            return Ok(token);
        }
        let _alone = self.renewing.lock().await;
        // Who waited finds what the one before fetched.
        if let Some(token) = fresh() {
            return Ok(token);
        }
        match self.fetch(client).await {
            Ok(kept) => {
                let token = kept.token.clone();
                self.keep(Some(kept));
                Ok(token)
            }
            Err(error) => {
                let now = Instant::now();
                let Some(old) = self.kept().filter(|kept| now < kept.ends) else { return Err(error) };
                tracing::warn!(system = self.system, %error, "token is not renewed; the old one serves until it ends");
                let token = old.token.clone();
                self.keep(Some(Kept { renew: now + AGAIN, ..old }));
                Ok(token)
            }
        }
    }

    async fn fetch(&self, client: &Client) -> Result<Kept, PortError> {
        let asked = Instant::now();
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        // RFC 6749, 2.3.1: both are encoded like a form before they become user and password.
        let request = client
            .post(self.url.clone())
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded")
            .basic_auth(encoded(&self.id), Some(encoded(&self.secret)))
            .body(pairs(&form));
        let unreachable = |error: reqwest::Error| {
            let why = if error.is_timeout() { "no answer in time".to_owned() } else { innermost(&error.without_url()) };
            self.unreachable(&why)
        };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        let body = response.text().await.map_err(unreachable)?;
        let answer = Answer { status, body, ..Answer::default() };
        let value = answer.value();
        if !answer.ok() {
            let said = value.get("error_description").and_then(Value::as_str).unwrap_or_default();
            let text = format!("{}{}{said}", reason(&answer), if said.is_empty() { "" } else { ": " });
            return Err(match status {
                429 | 500.. => self.unreachable(&text),
                _ => self.refused_with(&format!("{text}: check auth.client_id, auth.client_secret and auth.scope")),
            });
        }
        let Some(token) = value.get("access_token").and_then(Value::as_str).filter(|token| !token.is_empty()) else {
            return Err(self.refused_with("its answer holds no access_token: is auth.token_url right?"));
        };
        let seconds = value.get("expires_in").and_then(|n| n.as_u64().or_else(|| n.as_str()?.parse().ok()));
        let lasts = seconds.map_or(UNSAID, |seconds| Duration::from_secs(seconds.min(365 * 24 * 3600)));
        Ok(Kept { token: token.to_owned(), renew: asked + lasts.mul_f32(0.8), ends: asked + lasts })
    }

    fn unreachable(&self, reason: &str) -> PortError {
        let reason = format!("no token: {}", self.clean(reason));
        PortError::Unreachable { system: self.system, address: self.address.clone(), reason }
    }

    fn refused_with(&self, reason: &str) -> PortError {
        PortError::Refused {
            system: self.system,
            what: format!("a token at {}", self.address),
            reason: self.clean(reason),
        }
    }

    fn clean(&self, text: &str) -> String {
        let text = scrub(text);
        one_line(&if self.secret.len() > 3 { text.replace(&self.secret, "***") } else { text }, REASON_LIMIT)
    }
}

/// `a=b&c=d`, as forms are sent.
fn pairs(pairs: &[(&str, &str)]) -> String {
    let each: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    each.join("&")
}

fn encoded(text: &str) -> String {
    // The one encoder of forms that is at hand is the one for queries.
    let Ok(mut url) = Url::parse("http://x/") else { return String::new() };
    url.query_pairs_mut().append_pair("", text);
    url.query().unwrap_or_default().trim_start_matches('=').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_into_a_form_is_encoded() {
        assert_eq!(encoded("a b&c=d/é:"), "a+b%26c%3Dd%2F%C3%A9%3A");
        assert_eq!(encoded(""), "");
        assert_eq!(pairs(&[("grant_type", "x"), ("scope", "a b")]), "grant_type=x&scope=a+b");
    }
}
