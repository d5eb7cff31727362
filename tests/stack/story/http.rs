//! HTTP as the story needs it: JSON in, JSON out, with the status.

use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

use super::failure::{During as _, Failure, Outcome};

/// One answer.
#[derive(Debug)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Body as it came.
    pub text: String,
}

impl Reply {
    /// The body as JSON.
    ///
    /// # Errors
    /// A status that is no success, or a body that is no JSON.
    pub fn json(&self) -> Outcome<Value> {
        if !self.status.is_success() {
            return Err(Failure::new(format!("answered {}: {}", self.status, first_line(&self.text))));
        }
        serde_json::from_str(&self.text).during(format!("answered `{}`", first_line(&self.text)))
    }

    /// Nothing when it is a success or one of `fine`.
    ///
    /// # Errors
    /// Any other status.
    pub fn accept(&self, fine: &[u16]) -> Outcome {
        if self.status.is_success() || fine.contains(&self.status.as_u16()) {
            return Ok(());
        }
        Err(Failure::new(format!("answered {}: {}", self.status, first_line(&self.text))))
    }
}

/// A client that gives up.
///
/// # Errors
/// The TLS library could not be loaded.
pub fn client() -> Outcome<Client> {
    Client::builder().timeout(Duration::from_secs(20)).build().during("making an HTTP client")
}

/// Sends one request.
///
/// # Errors
/// No answer.
pub async fn call(client: &Client, method: Method, url: &str, body: Option<&Value>) -> Outcome<Reply> {
    let mut request = client.request(method.clone(), url);
    if let Some(body) = body {
        request = request.json(body);
    }
    let answer = request.send().await.during(format!("{method} {url}"))?;
    let status = answer.status();
    let text = answer.text().await.during(format!("{method} {url}"))?;
    Ok(Reply { status, text })
}

/// GET as JSON.
///
/// # Errors
/// No answer, no success, no JSON.
pub async fn get(client: &Client, url: &str) -> Outcome<Value> {
    call(client, Method::GET, url, None).await?.json().during(format!("GET {url}"))
}

/// The first line, at most 300 characters.
pub fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(300).collect()
}
