//! Reading a body: bounded in size and time, and only after the caller has been let in where that is possible.

use std::time::Duration;

use axum::body::Body;
use futures::StreamExt as _;
use serde::de::DeserializeOwned;

use super::refusal::{Cause, Refused};

/// Largest decision: an evidence digest, a name and a comment, with room to spare.
pub(super) const DECISION_LIMIT: usize = 64 * 1024;

/// Largest plan, as much as the journal takes as one entry: half of ten thousand statements can become green.
pub(super) const PLAN_LIMIT: usize = 128 * 1024 * 1024;

/// How long a body may take to arrive.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// The whole body, at most `limit` bytes. Reading stops at the first byte over it.
pub(super) async fn read(body: Body, limit: usize) -> Result<Vec<u8>, Refused> {
    let slow = |_| Refused::new(Cause::TooSlow, "the body did not arrive in time");
    tokio::time::timeout(TIME_LIMIT, collect(body, limit)).await.map_err(slow)?
}

async fn collect(body: Body, limit: usize) -> Result<Vec<u8>, Refused> {
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Refused::new(Cause::Malformed, "the body broke off before its end"))?;
        if bytes.len().saturating_add(chunk.len()) > limit {
            return Err(Refused::new(Cause::TooLarge, format!("the body is larger than {} KiB", limit / 1024)));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The body as JSON of the given form.
pub(super) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(bytes)
        .map_err(|e| Refused::new(Cause::Malformed, format!("the body is not as expected: {e}")))
}
