//! A try that failed, and whether there may be another.

use serde_json::Value;

use super::{Answer, Repeat, pace};
use crate::adapter::wording::innermost;
use crate::port::PortError;

/// What became of one try.
pub(super) enum Failed {
    /// No connection came about.
    Unsent(String),
    /// It broke after the request may have arrived.
    Sent(String),
    /// No answer in time.
    Late(String),
    /// An error of the service's own, or that it is asked too often.
    Server(Answer),
    /// There is no token to go with it.
    Token(PortError),
    TooLong,
}

impl Failed {
    /// True when the same may be tried once more.
    pub(super) fn may_be_repeated(&self, repeat: Repeat) -> bool {
        match self {
            Self::Unsent(_) => true,
            Self::Sent(_) => repeat != Repeat::Unsent,
            // Longer pauses are for the next call to keep.
            Self::Server(answer) if answer.wait.is_some_and(|wait| wait > pace::SHORT) => false,
            // Who is turned away for asking too often had no effect.
            Self::Server(answer) => answer.status == 429 || repeat == Repeat::Free,
            Self::Token(error) => error.passing(),
            Self::Late(_) | Self::TooLong => false,
        }
    }

    /// True when another address of the service may be tried at once.
    pub(super) fn may_be_elsewhere(&self, repeat: Repeat) -> bool {
        match self {
            Self::Unsent(_) => true,
            Self::Sent(_) => repeat != Repeat::Unsent,
            Self::Late(_) => repeat == Repeat::Free,
            Self::Server(answer) => answer.status != 429 && repeat == Repeat::Free,
            Self::Token(_) | Self::TooLong => false,
        }
    }
}

impl From<reqwest::Error> for Failed {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        // A connection that takes too long is late as well: three tries of it would take too long.
        if error.is_timeout() {
            Self::Late("no answer in time".into())
        } else if error.is_connect() {
            Self::Unsent(said(innermost(&error)))
        } else {
            Self::Sent(said(innermost(&error)))
        }
    }
}

/// What TLS says, with the way out.
fn said(reason: String) -> String {
    let lower = reason.to_ascii_lowercase();
    let way_out = if lower.contains("unknownissuer")
        || lower.contains("self-signed")
        || lower.contains("unable to get local issuer")
    {
        "; name the authority that signed its certificate under tls.ca"
    } else if lower.contains("certificaterequired") || lower.contains("certificate required") {
        "; it asks for a certificate of ours: give tls.cert and tls.key"
    } else {
        ""
    };
    format!("{reason}{way_out}")
}

/// True for errors of a service that pass by themselves: its store or its leader is away, or it was too slow.
pub(super) fn passes(answer: &Answer, reason: &str) -> bool {
    let code = answer.value().get("error_code").and_then(Value::as_i64).unwrap_or_default();
    matches!(code, 50_001..=50_004) || reason.contains("timed out")
}
