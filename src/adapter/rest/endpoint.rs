//! Where a service is, and how to name oneself to it.

use std::collections::BTreeMap;
use std::fmt;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, ClientBuilder, Identity, Url};

use crate::adapter::wording::{innermost, scrub};

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
    /// Tokens that are fetched with the credentials of a client (OAuth 2.0, RFC 6749, 4.4).
    OAuth {
        /// Where tokens are given out.
        token_url: String,
        /// Who asks.
        client_id: String,
        /// Its secret.
        client_secret: String,
        /// What the token is to be good for, as the giver spells it.
        scope: Option<String>,
    },
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic { .. } => "Basic(***)",
            Self::Bearer(_) => "Bearer(***)",
            Self::OAuth { .. } => "OAuth(***)",
        })
    }
}

/// What a connection is secured with, beyond what the machine trusts anyway. All in PEM.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Certificates of more authorities that are trusted.
    pub ca: Option<String>,
    /// Our certificate, its chain after it, and its key.
    pub identity: Option<(String, String)>,
}

/// Where a service is and how to name oneself to it. `Debug` shows no credentials.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Base address, `http` or `https`; a path in it is kept. User and password in it count when `auth` is not given.
    pub url: String,
    /// More addresses of the same service, asked in this order when one does not serve.
    pub others: Vec<String>,
    /// Credentials.
    pub auth: Option<Auth>,
    /// Certificates.
    pub tls: Tls,
    /// Sent with every call.
    pub headers: BTreeMap<String, String>,
}

impl Endpoint {
    /// An address without credentials.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }

    /// A client with the endpoint's certificates and headers; why not, in words, when they cannot be used.
    pub(super) fn client(&self, builder: ClientBuilder) -> Result<Client, String> {
        let mut builder = builder;
        if let Some(ca) = &self.tls.ca {
            let certificates = Certificate::from_pem_bundle(ca.as_bytes()).unwrap_or_default();
            if certificates.is_empty() {
                return Err("tls.ca holds no certificate in PEM".into());
            }
            builder = builder.tls_certs_merge(certificates);
        }
        if let Some((certificate, key)) = &self.tls.identity {
            let identity = Identity::from_pem(format!("{certificate}\n{key}").as_bytes())
                .map_err(|_| "tls.cert and tls.key are no certificate with its key in PEM".to_owned())?;
            builder = builder.identity(identity);
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let (Ok(of), Ok(mut value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else {
                return Err(format!("`{name}` under headers cannot be sent"));
            };
            value.set_sensitive(true);
            headers.insert(of, value);
        }
        builder.default_headers(headers).build().map_err(|e| format!("no HTTP client could be made: {}", innermost(&e)))
    }

    /// What must never be shown.
    pub(super) fn secrets(&self) -> Vec<String> {
        let own = match &self.auth {
            Some(
                Auth::Basic { password: secret, .. } | Auth::Bearer(secret) | Auth::OAuth { client_secret: secret, .. },
            ) => Some(secret.clone()),
            None => None,
        };
        own.into_iter().chain(self.headers.values().cloned()).collect()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("url", &scrub(&self.url)).field("auth", &self.auth).finish()
    }
}

/// A base address without user and password, and these as credentials.
pub(super) fn base_of(text: &str) -> Result<(Url, Option<Auth>), String> {
    let mut base = Url::parse(text.trim()).map_err(|e| format!("it is not a URL: {e}"))?;
    if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
        return Err("it must begin with http:// or https:// and name a host".into());
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
    Ok((base, within))
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
