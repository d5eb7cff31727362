//! Who may do what: bearer tokens with scopes, and Standard Webhooks signatures for decisions.
//!
//! Rules: tokens are kept and compared as SHA-256 digests, every one of them on every call, in constant time; a signature is
//! HMAC-SHA256 over `id.timestamp.body` and at most five minutes old or early; several secrets may be valid at once, so
//! that they can be rotated; no error, log line or debug output holds a secret. Without any settings nothing may be changed.

use std::collections::BTreeSet;
use std::fmt;

use axum::http::{HeaderMap, header};
use sha2::{Digest as _, Sha256};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook, WebhookError};
use subtle::ConstantTimeEq as _;

use super::refusal::{Cause, Refused};

/// Shortest token, in characters: 16 random characters cannot be guessed over a network.
const TOKEN_MIN: usize = 16;

/// Shortest webhook secret, in bytes, as Standard Webhooks asks for.
const SECRET_MIN: usize = 24;

/// Longest `webhook-id`.
const ID_MAX: usize = 128;

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Look, where looking needs a token at all.
    Read,
    /// Start rollouts.
    Apply,
    /// Approve and reject.
    Approve,
    /// Abort and roll back.
    Abort,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Read, Self::Apply, Self::Approve, Self::Abort];

    /// The name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Apply => "apply",
            Self::Approve => "approve",
            Self::Abort => "abort",
        }
    }
}

/// Whether looking needs a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadAccess {
    /// Anyone who reaches the port may look.
    #[default]
    Open,
    /// A token with scope `read` is needed for the page and for `/api/v1`; health, readiness and metrics stay open.
    Token,
}

/// A setting that cannot be used. Never holds the secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Too easy to guess.
    #[error("token `{0}` is shorter than {TOKEN_MIN} characters: make one with `openssl rand -hex 24`")]
    ShortToken(String),
    /// It could do nothing.
    #[error("token `{0}` has no scopes: name some of read, apply, approve, abort")]
    NoScopes(String),
    /// Two tokens, or two webhook secrets, have one name.
    #[error("`{0}` is the name of two tokens or of two webhook secrets: give each a name of its own")]
    SameName(String),
    /// Two tokens have one secret, so nobody could tell who calls.
    #[error("tokens {0} and {1} have the same secret: give each one its own")]
    SameSecret(String, String),
    /// Not a secret as Standard Webhooks writes it.
    #[error(
        "webhook secret `{0}` is not `whsec_` and base64 of at least {SECRET_MIN} bytes: \
         make one with `echo whsec_$(openssl rand -base64 32)`"
    )]
    BadSecret(String),
}

struct Token {
    name: String,
    digest: [u8; 32],
    scopes: BTreeSet<Scope>,
}

struct Secret {
    name: String,
    webhook: Webhook,
}

/// Everything that lets somebody in.
#[derive(Default)]
pub struct AuthSettings {
    tokens: Vec<Token>,
    secrets: Vec<Secret>,
    reads: ReadAccess,
}

impl fmt::Debug for AuthSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tokens: Vec<_> = self.tokens.iter().map(|token| (&token.name, &token.scopes)).collect();
        let secrets: Vec<_> = self.secrets.iter().map(|secret| &secret.name).collect();
        f.debug_struct("AuthSettings")
            .field("tokens", &tokens)
            .field("secrets", &secrets)
            .field("reads", &self.reads)
            .finish()
    }
}

impl AuthSettings {
    /// The same, with one more token.
    pub fn token(
        mut self,
        name: &str,
        secret: &str,
        scopes: impl IntoIterator<Item = Scope>,
    ) -> Result<Self, AuthError> {
        let scopes: BTreeSet<Scope> = scopes.into_iter().collect();
        if secret.chars().count() < TOKEN_MIN {
            return Err(AuthError::ShortToken(name.to_owned()));
        }
        if scopes.is_empty() {
            return Err(AuthError::NoScopes(name.to_owned()));
        }
        if self.tokens.iter().any(|token| token.name == name) {
            return Err(AuthError::SameName(name.to_owned()));
        }
        let digest = Sha256::digest(secret).into();
        if let Some(other) = self.tokens.iter().find(|token| token.digest == digest) {
            return Err(AuthError::SameSecret(other.name.clone(), name.to_owned()));
        }
        self.tokens.push(Token { name: name.to_owned(), digest, scopes });
        Ok(self)
    }

    /// The same, with one more secret that decisions may be signed with.
    pub fn webhook_secret(mut self, name: &str, secret: &str) -> Result<Self, AuthError> {
        let bad = || AuthError::BadSecret(name.to_owned());
        let digits = secret.strip_prefix("whsec_").ok_or_else(bad)?.trim_end_matches('=').len();
        if digits.saturating_mul(3) / 4 < SECRET_MIN {
            return Err(bad());
        }
        if self.secrets.iter().any(|other| other.name == name) {
            return Err(AuthError::SameName(name.to_owned()));
        }
        let webhook = Webhook::new(secret).map_err(|_| bad())?;
        self.secrets.push(Secret { name: name.to_owned(), webhook });
        Ok(self)
    }

    /// The same, with this rule for looking.
    #[must_use]
    pub fn reads(mut self, reads: ReadAccess) -> Self {
        self.reads = reads;
        self
    }

    /// Lets a reader in.
    pub(super) fn admit_reader(&self, headers: &HeaderMap) -> Result<(), Refused> {
        match self.reads {
            ReadAccess::Open => Ok(()),
            ReadAccess::Token => self.admit_token(headers, Scope::Read).map(drop),
        }
    }

    /// The name of the token that `headers` carry, if it has `scope`.
    pub(super) fn admit_token(&self, headers: &HeaderMap, scope: Scope) -> Result<String, Refused> {
        let refused = |message| Err(Refused::new(Cause::Unauthenticated, message));
        let Some(value) = headers.get(header::AUTHORIZATION) else {
            return refused("the call carries no token".to_owned());
        };
        let Some(presented) = bearer(value.as_bytes()) else {
            return refused("the Authorization header does not hold a bearer token".to_owned());
        };
        let digest: [u8; 32] = Sha256::digest(presented).into();
        let mut found = None;
        for token in &self.tokens {
            if bool::from(token.digest.ct_eq(&digest)) {
                found = Some(token);
            }
        }
        match found {
            None => refused("no token like this one is configured".to_owned()),
            Some(token) if token.scopes.contains(&scope) => Ok(token.name.clone()),
            Some(token) => Err(Refused::new(
                Cause::WrongScope,
                format!("token `{}` does not have the scope `{}`", token.name, scope.name()),
            )),
        }
    }

    /// The delivery that `headers` sign for `body`.
    pub(super) fn admit_signature(&self, headers: &HeaderMap, body: &[u8]) -> Result<Delivery, Refused> {
        let id = delivery_id(headers)?;
        check_timestamp_form(headers)?;
        let mut refusal = Refused::new(Cause::BadSignature, "no webhook secret is configured");
        for secret in &self.secrets {
            match secret.webhook.verify(body, headers) {
                Ok(()) => return Ok(Delivery { id, secret: secret.name.clone() }),
                Err(e) => refusal = signature_refusal(&e),
            }
        }
        Err(refusal)
    }
}

/// A signed message that was let in.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    /// `webhook-id`.
    pub id: String,
    /// Name of the secret that it was signed with.
    pub secret: String,
}

/// True when the call is meant to be let in by a signature.
pub(super) fn is_signed(headers: &HeaderMap) -> bool {
    headers.contains_key(HEADER_WEBHOOK_SIGNATURE) && !headers.contains_key(header::AUTHORIZATION)
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

fn delivery_id(headers: &HeaderMap) -> Result<String, Refused> {
    let missing = |message| Refused::new(Cause::BadSignature, message);
    let id = headers.get(HEADER_WEBHOOK_ID).ok_or_else(|| missing("the header webhook-id is missing"))?;
    let id = id.to_str().unwrap_or("");
    // A dot would make `id.timestamp.body` readable in two ways.
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':');
    if id.is_empty() || id.len() > ID_MAX || !id.chars().all(plain) {
        return Err(missing("webhook-id must be 1 to 128 letters, digits, `_`, `-` or `:`"));
    }
    Ok(id.to_owned())
}

/// Refuses what is no time at all, so that the arithmetic behind it cannot overflow.
fn check_timestamp_form(headers: &HeaderMap) -> Result<(), Refused> {
    let text = headers.get(HEADER_WEBHOOK_TIMESTAMP).and_then(|value| value.to_str().ok()).unwrap_or("");
    if !text.is_empty() && text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    Err(Refused::new(Cause::BadSignature, "the header webhook-timestamp must hold seconds since 1970"))
}

fn signature_refusal(error: &WebhookError) -> Refused {
    let (cause, message) = match error {
        WebhookError::TimestampTooOldError => (Cause::OldTimestamp, "the message was signed more than 5 minutes ago"),
        WebhookError::FutureTimestampError => {
            (Cause::FutureTimestamp, "the message is signed for a time more than 5 minutes ahead")
        }
        WebhookError::InvalidPayload => (Cause::Malformed, "the body is not UTF-8"),
        WebhookError::MissingHeader(_) => (Cause::BadSignature, "a webhook header is missing"),
        _ => (Cause::BadSignature, "the signature does not fit the message and any configured secret"),
    };
    Refused::new(cause, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_would_be_unsafe_are_refused_by_name() {
        let settings = AuthSettings::default;
        let name = |result: Result<AuthSettings, AuthError>| result.unwrap_err();
        assert_eq!(name(settings().token("ops", "short", [Scope::Apply])), AuthError::ShortToken("ops".to_owned()));
        assert_eq!(name(settings().token("ops", "0123456789abcdef", [])), AuthError::NoScopes("ops".to_owned()));
        for secret in ["", "whsec_", "whsec_c2hvcnQ=", "no prefix but long enough for the length check 0123456789"] {
            assert_eq!(name(settings().webhook_secret("chat", secret)), AuthError::BadSecret("chat".to_owned()));
        }
        let not_base64 = format!("whsec_{}", "!".repeat(40));
        assert_eq!(name(settings().webhook_secret("chat", &not_base64)), AuthError::BadSecret("chat".to_owned()));
        let twice = settings().token("ops", "0123456789abcdef", [Scope::Apply]).unwrap();
        let twice = twice.token("ops", "fedcba9876543210", [Scope::Apply]);
        assert_eq!(name(twice), AuthError::SameName("ops".to_owned()));
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let token = "token-0123456789abcdef";
        let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDC2FVsBQIhrs=";
        let settings = AuthSettings::default().token("ops", token, [Scope::Apply]).unwrap();
        let shown = format!("{:?}", settings.webhook_secret("chat", secret).unwrap());
        assert!(shown.contains("ops") && shown.contains("chat"), "{shown}");
        assert!(!shown.contains(token) && !shown.contains("C2FVs"), "{shown}");
    }

    #[test]
    fn the_word_bearer_is_read_in_any_case() {
        assert_eq!(bearer(b"Bearer abc"), Some(&b"abc"[..]));
        assert_eq!(bearer(b"bearer  abc "), Some(&b"abc"[..]));
        assert_eq!(bearer(b"Basic abc"), None);
        assert_eq!(bearer(b"Bear"), None);
    }
}
