//! Refusals as the API gives them: status, cause, message, help.
//!
//! Rules: one closed list of causes; the message names the thing, the help is the way out; neither ever holds a secret, a
//! signature or a body.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::daemon::handle::{Refusal, RefusalCause};

/// Why a call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The daemon refuses.
    Daemon(RefusalCause),
    /// No token, no signature, or a token that nobody knows.
    Unauthenticated,
    /// The token may not do this.
    WrongScope,
    /// The signature is none of ours.
    BadSignature,
    /// Signed more than five minutes ago.
    OldTimestamp,
    /// Signed for a time more than five minutes ahead.
    FutureTimestamp,
    /// The body is not what the call takes.
    Malformed,
    /// A decision that does not name the evidence it was given on.
    MissingEvidence,
    /// The body is too large.
    TooLarge,
    /// The body did not arrive in time.
    TooSlow,
    /// Nothing is there.
    NotFound,
    /// It is there, and takes another method.
    MethodNotAllowed,
    /// The daemon did not answer in time.
    NoAnswer,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 22] = [
        Self::Daemon(RefusalCause::UnknownRollout),
        Self::Daemon(RefusalCause::WrongState),
        Self::Daemon(RefusalCause::EvidenceMismatch),
        Self::Daemon(RefusalCause::Expired),
        Self::Daemon(RefusalCause::AssumptionsMoved),
        Self::Daemon(RefusalCause::Unchecked),
        Self::Daemon(RefusalCause::ReplayMismatch),
        Self::Daemon(RefusalCause::Conflict),
        Self::Daemon(RefusalCause::Invalid),
        Self::Daemon(RefusalCause::NotLeading),
        Self::Unauthenticated,
        Self::WrongScope,
        Self::BadSignature,
        Self::OldTimestamp,
        Self::FutureTimestamp,
        Self::Malformed,
        Self::MissingEvidence,
        Self::TooLarge,
        Self::TooSlow,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NoAnswer,
    ];

    /// The name in JSON and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Daemon(cause) => cause.name(),
            Self::Unauthenticated => "unauthenticated",
            Self::WrongScope => "wrong_scope",
            Self::BadSignature => "bad_signature",
            Self::OldTimestamp => "old_timestamp",
            Self::FutureTimestamp => "future_timestamp",
            Self::Malformed => "malformed",
            Self::MissingEvidence => "missing_evidence",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::NoAnswer => "no_answer",
        }
    }

    /// The HTTP status. Never 410: webhook senders take that as a wish to hear no more.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Daemon(RefusalCause::UnknownRollout) | Self::NotFound => StatusCode::NOT_FOUND,
            Self::Daemon(RefusalCause::Invalid) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Daemon(RefusalCause::NotLeading | RefusalCause::Unchecked) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Daemon(
                RefusalCause::WrongState
                | RefusalCause::EvidenceMismatch
                | RefusalCause::Expired
                | RefusalCause::AssumptionsMoved
                | RefusalCause::ReplayMismatch
                | RefusalCause::Conflict,
            ) => StatusCode::CONFLICT,
            Self::Unauthenticated | Self::BadSignature | Self::OldTimestamp | Self::FutureTimestamp => {
                StatusCode::UNAUTHORIZED
            }
            Self::WrongScope => StatusCode::FORBIDDEN,
            Self::Malformed | Self::MissingEvidence => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoAnswer => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// The way out.
    pub const fn help(self) -> &'static str {
        match self {
            Self::Daemon(RefusalCause::UnknownRollout) => "GET /api/v1/rollouts lists the rollouts",
            Self::Daemon(RefusalCause::WrongState) => "look at the rollout's state and what it waits on",
            Self::Daemon(RefusalCause::EvidenceMismatch) => "read the rollout's evidence again and decide on that",
            Self::Daemon(RefusalCause::Expired) => "have the outputs validated again and decide on the new evidence",
            Self::Daemon(RefusalCause::AssumptionsMoved) => "plan again from what is deployed now",
            Self::Daemon(RefusalCause::Unchecked) => "send it again when the system that is named answers",
            Self::Daemon(RefusalCause::ReplayMismatch) => "give each message a webhook-id of its own",
            Self::Daemon(RefusalCause::Conflict) => "wait until the other rollout has ended, or abort it",
            Self::Daemon(RefusalCause::Invalid) => "correct what the message names and send it again",
            Self::Daemon(RefusalCause::NotLeading) => "send it again: to the leader, or in a moment",
            Self::Unauthenticated => "send `Authorization: Bearer <token>`, or sign a decision by Standard Webhooks",
            Self::WrongScope => "use a token whose scopes hold the one that is named",
            Self::BadSignature => "sign `id.timestamp.body` with a configured secret; the body must arrive unchanged",
            Self::OldTimestamp | Self::FutureTimestamp => "set the sender's clock, and sign each attempt anew",
            Self::Malformed => "docs/api.md shows the body of each call",
            Self::MissingEvidence => {
                "name the rollout's evidence_digest in `evidence`: sha256: and 64 hexadecimal digits"
            }
            Self::TooLarge => "decisions take at most 64 KiB, plans at most 128 MiB",
            Self::TooSlow => "send the whole body within 30 seconds",
            Self::NotFound => "docs/api.md lists the paths",
            Self::MethodNotAllowed => "docs/api.md lists the method of each path",
            Self::NoAnswer => "look at the rollout before you send it again",
        }
    }

    /// True when the same call may succeed later: the answer is not kept for repeated deliveries.
    pub const fn passing(self) -> bool {
        matches!(self, Self::Daemon(RefusalCause::NotLeading | RefusalCause::Unchecked) | Self::NoAnswer)
    }
}

/// One refusal.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub cause: Cause,
    pub message: String,
}

impl Refused {
    pub fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self { cause, message: message.into() }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { cause: Cause::Daemon(refusal.cause), message: refusal.message }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let error = serde_json::json!({
            "error": { "cause": self.cause.name(), "message": self.message, "help": self.cause.help() }
        });
        let mut response = (self.cause.status(), Json(error)).into_response();
        if self.cause.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.cause.passing() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response.extensions_mut().insert(self);
        response
    }
}
