//! One way to speak JSON over HTTP, shared by every adapter that does.
//!
//! Rules: a connection that fails and an answer of 5xx are tried three times within two seconds, as far as the call may
//! be made twice, at the next address first where a service has several; the address that served is asked first from then
//! on. What a service asks for in `Retry-After` is done. An answer is read up to a limit; credentials are sent in a header
//! only and are cut out of every text.

mod endpoint;
mod failed;
mod pace;
mod tokens;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use reqwest::{Client, Method, Url};
use serde_json::Value;

pub use endpoint::{Auth, Endpoint, Tls};

use super::wording::{REASON_LIMIT, one_line, reason, scrub};
use crate::port::{PortError, PortResult};
use failed::{Failed, passes};
use pace::Pace;
use tokens::Tokens;

/// Largest answer that is read: the subjects of a very large registry are a tenth of this.
const BODY_LIMIT: usize = 64 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Without a byte for so long an answer is given up. Connect itself answers after 90 s at most, in practice within 10.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Whether a call may be made again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Also when it may have had its effect.
    Free,
    /// Until there is an answer, of whatever status: for a service that says no with a 500.
    Lost,
    /// Only when no connection came about, so that it had no effect.
    Unsent,
}

/// What a service answered, whatever the status.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
    /// Names this state of what was asked for, where the service says it.
    pub(super) etag: Option<String>,
    /// How long the service wants to be left alone.
    pub(super) wait: Option<Duration>,
}

impl Answer {
    pub(super) fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON; `Null` when it is none.
    pub(super) fn value(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

/// A service that speaks JSON over HTTP.
pub(super) struct Rest {
    system: &'static str,
    /// Addresses of the same service.
    bases: Vec<Url>,
    /// The place of the one that served last.
    serving: AtomicUsize,
    address: String,
    auth: Option<Auth>,
    tokens: Option<Tokens>,
    secrets: Vec<String>,
    client: Client,
    pace: Pace,
}

/// A call on its way.
struct Call<'a> {
    method: Method,
    urls: Vec<Url>,
    body: Option<String>,
    etag: Option<&'a str>,
    repeat: Repeat,
}

impl Rest {
    pub(super) fn new(system: &'static str, endpoint: &Endpoint) -> PortResult<Self> {
        let wrong = |reason: String| PortError::Refused { system, what: "its address".into(), reason };
        let mut endpoint = endpoint.clone();
        let mut bases = Vec::new();
        for text in std::iter::once(&endpoint.url).chain(&endpoint.others) {
            let (base, within) = endpoint::base_of(text).map_err(wrong)?;
            endpoint.auth = endpoint.auth.or(within);
            bases.push(base);
        }
        let builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("cyanotype/", env!("CARGO_PKG_VERSION")));
        let client = endpoint.client(builder).map_err(wrong)?;
        let addresses: Vec<&str> = bases.iter().map(|base| base.as_str().trim_end_matches('/')).collect();
        Ok(Self {
            system,
            address: addresses.join(", "),
            bases,
            serving: AtomicUsize::new(0),
            tokens: Tokens::of(system, endpoint.auth.as_ref()).map_err(wrong)?,
            secrets: endpoint.secrets(),
            auth: endpoint.auth,
            client,
            pace: Pace::default(),
        })
    }

    /// An address below a base: each part is one segment, whatever is in it.
    fn url(&self, base: &Url, parts: &[&str], query: &[(&str, &str)]) -> PortResult<Url> {
        let mut url = base.clone();
        let unusable = || PortError::Refused {
            system: self.system,
            what: format!("/{}", parts.join("/")),
            reason: "no address can be made of it".into(),
        };
        // A part of dots would walk up the path; an empty one would name the folder itself.
        if parts.iter().any(|p| p.is_empty() || *p == "." || *p == "..") {
            return Err(unusable());
        }
        url.path_segments_mut().map_err(|()| unusable())?.pop_if_empty().extend(parts);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    pub(super) async fn get(&self, parts: &[&str]) -> PortResult<Answer> {
        self.call(Method::GET, parts, &[], None, Repeat::Free).await
    }

    /// The same, answered with 304 while what is asked for is still what `etag` names.
    pub(super) async fn get_unless(
        &self,
        parts: &[&str],
        query: &[(&str, &str)],
        etag: Option<&str>,
    ) -> PortResult<Answer> {
        let urls = self.urls(parts, query)?;
        self.run(Call { method: Method::GET, urls, body: None, etag, repeat: Repeat::Free }).await
    }

    /// One call, with the tries that `repeat` allows. `Ok` holds whatever the service answered, except that it is not there.
    pub(super) async fn call(
        &self,
        method: Method,
        parts: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
        repeat: Repeat,
    ) -> PortResult<Answer> {
        let urls = self.urls(parts, query)?;
        self.run(Call { method, urls, body: body.map(Value::to_string), etag: None, repeat }).await
    }

    /// What is asked for at each of the addresses.
    fn urls(&self, parts: &[&str], query: &[(&str, &str)]) -> PortResult<Vec<Url>> {
        self.bases.iter().map(|base| self.url(base, parts, query)).collect()
    }

    async fn run(&self, call: Call<'_>) -> PortResult<Answer> {
        if self.pace.paused() {
            return Err(self.unreachable("it asked to be left alone for a while (Retry-After)".into()));
        }
        let waits = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(250))
            .with_factor(3.0)
            .with_jitter()
            .with_max_times(2);
        let outcome = (|| self.everywhere(&call))
            .retry(waits)
            .when(|failed| failed.may_be_repeated(call.repeat) && self.pace.repeat())
            .adjust(|failed, wait| match (failed, wait) {
                (Failed::Server(Answer { wait: Some(asked), .. }), Some(wait)) => Some(wait.max(*asked)),
                (_, wait) => wait,
            })
            .await;
        match outcome {
            Ok(answer) | Err(Failed::Server(answer)) => {
                if let Some(wait) = answer.wait {
                    self.pace.pause(wait);
                }
                // These come from a proxy or from a service that starts or stops.
                if matches!(answer.status, 408 | 429 | 502 | 503 | 504) {
                    return Err(self.unreachable(reason(&answer)));
                }
                Ok(answer)
            }
            Err(Failed::Unsent(reason) | Failed::Sent(reason) | Failed::Late(reason)) => Err(self.unreachable(reason)),
            Err(Failed::Token(error)) => Err(error),
            Err(Failed::TooLong) => {
                let path = call.urls.first().map_or("", Url::path);
                Err(self.garbage(&format!("{} {path}", call.method), format!("it is longer than {BODY_LIMIT} bytes")))
            }
        }
    }

    /// One try, at each address until one serves.
    async fn everywhere(&self, call: &Call<'_>) -> Result<Answer, Failed> {
        let first = self.serving.load(Ordering::Relaxed);
        let mut outcome = Err(Failed::Unsent("it has no address".into()));
        for n in 0..call.urls.len() {
            let place = (first + n) % call.urls.len();
            let Some(url) = call.urls.get(place) else { break };
            outcome = self.once(call, url).await;
            match &outcome {
                Ok(_) => {
                    self.serving.store(place, Ordering::Relaxed);
                    break;
                }
                Err(failed) if failed.may_be_elsewhere(call.repeat) => {}
                Err(_) => break,
            }
        }
        outcome
    }

    async fn once(&self, call: &Call<'_>, url: &Url) -> Result<Answer, Failed> {
        let Some(tokens) = &self.tokens else { return self.send(call, url, None).await };
        let token = tokens.get(&self.client).await.map_err(Failed::Token)?;
        let answer = self.send(call, url, Some(&token)).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        // It was withdrawn before its time, and nothing was done with it: once more with another.
        tokens.refused(&token);
        let token = tokens.get(&self.client).await.map_err(Failed::Token)?;
        self.send(call, url, Some(&token)).await
    }

    async fn send(&self, call: &Call<'_>, url: &Url, token: Option<&str>) -> Result<Answer, Failed> {
        let mut request = self.client.request(call.method.clone(), url.clone()).header("accept", "application/json");
        request = match (token, &self.auth) {
            (Some(token), _) => request.bearer_auth(token),
            (None, Some(Auth::Bearer(token))) => request.bearer_auth(token),
            (None, Some(Auth::Basic { user, password })) => request.basic_auth(user, Some(password)),
            (None, Some(Auth::OAuth { .. }) | None) => request,
        };
        if let Some(body) = &call.body {
            request = request.header("content-type", "application/json").body(body.clone());
        }
        if let Some(etag) = call.etag {
            request = request.header("if-none-match", etag);
        }
        let mut response = request.send().await.map_err(Failed::from)?;
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let etag = header("etag");
        let wait = header("retry-after").filter(|_| matches!(status, 429 | 503)).and_then(|w| pace::retry_after(&w));
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(Failed::from)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > BODY_LIMIT {
                return Err(Failed::TooLong);
            }
        }
        let body = String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
        let answer = Answer { status, body, etag, wait };
        if status == 429 || status >= 500 { Err(Failed::Server(answer)) } else { Ok(answer) }
    }

    pub(super) fn unreachable(&self, reason: String) -> PortError {
        let reason = self.clean(&reason);
        PortError::Unreachable { system: self.system, address: self.address.clone(), reason }
    }

    pub(super) fn garbage(&self, what: &str, reason: impl Into<String>) -> PortError {
        PortError::Garbage { system: self.system, what: what.into(), reason: self.clean(&reason.into()) }
    }

    pub(super) fn missing(&self, what: impl Into<String>) -> PortError {
        PortError::Missing { system: self.system, what: what.into() }
    }

    pub(super) fn refused(&self, what: impl Into<String>, reason: impl Into<String>) -> PortError {
        PortError::Refused { system: self.system, what: what.into(), reason: self.clean(&reason.into()) }
    }

    /// An answer that is no success, as an error.
    pub(super) fn refusal(&self, what: &str, answer: &Answer) -> PortError {
        let reason = reason(answer);
        if answer.status >= 500 && passes(answer, &reason) {
            return self.unreachable(reason);
        }
        self.refused(what, reason)
    }

    /// The JSON of a success.
    pub(super) fn json<T: serde::de::DeserializeOwned>(&self, what: &str, answer: &Answer) -> PortResult<T> {
        if !answer.ok() {
            return Err(self.refusal(what, answer));
        }
        serde_json::from_str(&answer.body)
            .map_err(|e| self.garbage(what, format!("{e}, in {}", super::wording::glance(&answer.body))))
    }

    /// One line, without credentials, not too long.
    fn clean(&self, text: &str) -> String {
        let mut text = scrub(text);
        let token = self.tokens.as_ref().and_then(Tokens::known);
        for secret in self.secrets.iter().chain(&token).filter(|secret| secret.len() > 3) {
            text = text.replace(secret, "***");
        }
        one_line(&text, REASON_LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(url: &str) -> Rest {
        Rest::new("registry", &Endpoint::new(url)).unwrap()
    }

    #[test]
    fn a_part_stays_one_segment() {
        let rest = rest("http://127.0.0.1:1/apis/ccompat/v7/");
        let url = rest.url(&rest.bases[0], &["subjects", "a/b c%d?é#", "versions"], &[("permanent", "true")]).unwrap();
        let want = "http://127.0.0.1:1/apis/ccompat/v7/subjects/a%2Fb%20c%25d%3F%C3%A9%23/versions?permanent=true";
        assert_eq!(url.as_str(), want);
        for part in ["", ".", ".."] {
            assert!(rest.url(&rest.bases[0], &["subjects", part], &[]).is_err(), "{part:?}");
        }
    }

    #[test]
    fn credentials_in_the_address_are_used_and_not_shown() {
        let endpoint = Endpoint::new("https://me:p%40ss@example.org/x");
        let rest = Rest::new("registry", &endpoint).unwrap();
        assert_eq!(rest.auth, Some(Auth::Basic { user: "me".into(), password: "p@ss".into() }));
        assert_eq!(rest.address, "https://example.org/x");
        assert_eq!(rest.bases[0].as_str(), "https://example.org/x");
        assert_eq!(format!("{endpoint:?}"), r#"Endpoint { url: "https://***@example.org/x", auth: None }"#);
        assert_eq!(format!("{:?}", rest.auth), "Some(Basic(***))");
        assert_eq!(rest.clean("you sent p@ss"), "you sent ***");
    }

    #[test]
    fn what_is_no_address_is_turned_away() {
        for url in ["", "localhost:8081", "ftp://x/", "http://", "file:///etc/passwd"] {
            assert!(Rest::new("registry", &Endpoint::new(url)).is_err(), "{url}");
        }
    }
}
