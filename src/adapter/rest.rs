//! One way to speak JSON over HTTP, shared by every adapter that does.
//!
//! Rules: a connection that fails and an answer of 5xx are tried three times within two seconds, as far as the call may
//! be made twice; an answer is read up to a limit; credentials are sent in a header only and are cut out of every text.

use std::fmt;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use reqwest::{Client, Method, Url};
use serde_json::Value;

use super::wording::{REASON_LIMIT, innermost, one_line, reason, scrub};
use crate::port::{PortError, PortResult};

/// Largest answer that is read: the subjects of a very large registry are a tenth of this.
const BODY_LIMIT: usize = 64 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Without a byte for so long an answer is given up. Connect itself answers after 90 s at most, in practice within 10.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// How a daemon names itself to a service.
#[derive(Clone, PartialEq, Eq)]
pub enum Auth {
    /// User and password.
    Basic {
        /// User, or key.
        user: String,
        /// Password, or secret.
        password: String,
    },
    /// A token.
    Bearer(String),
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic { .. } => "Basic(***)",
            Self::Bearer(_) => "Bearer(***)",
        })
    }
}

/// Where a service is and how to name oneself to it. `Debug` shows no credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Base address, `http` or `https`; a path in it is kept. User and password in it count when `auth` is not given.
    pub url: String,
    /// Credentials.
    pub auth: Option<Auth>,
}

impl Endpoint {
    /// An address without credentials.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), auth: None }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("url", &scrub(&self.url)).field("auth", &self.auth).finish()
    }
}

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
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
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
    base: Url,
    address: String,
    auth: Option<Auth>,
    client: Client,
}

impl Rest {
    pub(super) fn new(system: &'static str, endpoint: &Endpoint) -> PortResult<Self> {
        let wrong = |reason: String| PortError::Refused { system, what: "its address".into(), reason };
        let mut base = Url::parse(endpoint.url.trim()).map_err(|e| wrong(format!("it is not a URL: {e}")))?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(wrong("it must begin with http:// or https:// and name a host".into()));
        }
        let within = (!base.username().is_empty()).then(|| Auth::Basic {
            user: decoded(base.username()),
            password: decoded(base.password().unwrap_or_default()),
        });
        // Both fail only for addresses without a host, which were turned away above.
        let _ = base.set_username("");
        let _ = base.set_password(None);
        base.set_query(None);
        base.set_fragment(None);
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("cyanotype/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| wrong(format!("no HTTP client could be made: {}", innermost(&e))))?;
        let address = base.as_str().trim_end_matches('/').to_owned();
        Ok(Self { system, base, address, auth: endpoint.auth.clone().or(within), client })
    }

    /// An address below the base: each part is one segment, whatever is in it.
    pub(super) fn url(&self, parts: &[&str], query: &[(&str, &str)]) -> PortResult<Url> {
        let mut url = self.base.clone();
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

    /// One call, with the tries that `repeat` allows. `Ok` holds whatever the service answered, except that it is not there.
    pub(super) async fn call(
        &self,
        method: Method,
        parts: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
        repeat: Repeat,
    ) -> PortResult<Answer> {
        let url = self.url(parts, query)?;
        let body = body.map(Value::to_string);
        let waits =
            ExponentialBuilder::default().with_min_delay(Duration::from_millis(250)).with_factor(3.0).with_max_times(2);
        let outcome = (|| self.once(&method, &url, body.as_deref()))
            .retry(waits)
            .when(|failed| match failed {
                Failed::Unsent(_) => true,
                Failed::Sent(_) => repeat != Repeat::Unsent,
                Failed::Server(_) => repeat == Repeat::Free,
                Failed::Late(_) | Failed::TooLong => false,
            })
            .await;
        match outcome {
            Ok(answer) | Err(Failed::Server(answer)) => {
                // These come from a proxy or from a service that starts or stops.
                if matches!(answer.status, 408 | 429 | 502 | 503 | 504) {
                    return Err(self.unreachable(reason(&answer)));
                }
                Ok(answer)
            }
            Err(Failed::Unsent(reason) | Failed::Sent(reason) | Failed::Late(reason)) => Err(self.unreachable(reason)),
            Err(Failed::TooLong) => {
                Err(self.garbage(&format!("{method} {}", url.path()), format!("it is longer than {BODY_LIMIT} bytes")))
            }
        }
    }

    async fn once(&self, method: &Method, url: &Url, body: Option<&str>) -> Result<Answer, Failed> {
        let mut request = self.client.request(method.clone(), url.clone()).header("accept", "application/json");
        request = match &self.auth {
            Some(Auth::Basic { user, password }) => request.basic_auth(user, Some(password)),
            Some(Auth::Bearer(token)) => request.bearer_auth(token),
            None => request,
        };
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_owned());
        }
        let mut response = request.send().await.map_err(Failed::from)?;
        let status = response.status().as_u16();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(Failed::from)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > BODY_LIMIT {
                return Err(Failed::TooLong);
            }
        }
        let answer = Answer { status, body: String::from_utf8_lossy(&bytes).into_owned() };
        if status >= 500 { Err(Failed::Server(answer)) } else { Ok(answer) }
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
        let secret = match &self.auth {
            Some(Auth::Basic { password, .. }) => password,
            Some(Auth::Bearer(token)) => token,
            None => "",
        };
        if secret.len() > 3 {
            text = text.replace(secret, "***");
        }
        one_line(&text, REASON_LIMIT)
    }
}

enum Failed {
    /// No connection came about.
    Unsent(String),
    /// It broke after the request may have arrived.
    Sent(String),
    /// No answer in time.
    Late(String),
    Server(Answer),
    TooLong,
}

impl From<reqwest::Error> for Failed {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        // A connection that takes too long is late as well: three tries of it would take too long.
        if error.is_timeout() {
            Self::Late("no answer in time".into())
        } else if error.is_connect() {
            Self::Unsent(innermost(&error))
        } else {
            Self::Sent(innermost(&error))
        }
    }
}

/// True for errors of a service that pass by themselves: its store or its leader is away, or it was too slow.
fn passes(answer: &Answer, reason: &str) -> bool {
    let code = answer.value().get("error_code").and_then(Value::as_i64).unwrap_or_default();
    matches!(code, 50_002..=50_004) || reason.contains("timed out")
}

/// `%40` back to `@`, as far as it is UTF-8.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if hex(high).is_some() && hex(low).is_some() => {
                bytes.push(hex(high).unwrap_or_default() << 4 | hex(low).unwrap_or_default());
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
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
        let url = rest.url(&["subjects", "a/b c%d?é#", "versions"], &[("permanent", "true")]).unwrap();
        let want = "http://127.0.0.1:1/apis/ccompat/v7/subjects/a%2Fb%20c%25d%3F%C3%A9%23/versions?permanent=true";
        assert_eq!(url.as_str(), want);
        for part in ["", ".", ".."] {
            assert!(rest.url(&["subjects", part], &[]).is_err(), "{part:?}");
        }
    }

    #[test]
    fn credentials_in_the_address_are_used_and_not_shown() {
        let endpoint = Endpoint::new("https://me:p%40ss@example.org/x");
        let rest = Rest::new("registry", &endpoint).unwrap();
        assert_eq!(rest.auth, Some(Auth::Basic { user: "me".into(), password: "p@ss".into() }));
        assert_eq!(rest.address, "https://example.org/x");
        assert_eq!(rest.base.as_str(), "https://example.org/x");
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
