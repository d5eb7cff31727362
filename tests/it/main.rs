//! Fixtures, snapshots and properties of the core, and rules about the source tree.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod architecture;
#[cfg(feature = "daemon")]
mod docs;
mod plan;
mod rollout;
