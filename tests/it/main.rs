//! Fixtures, snapshots and properties of the core, and rules about the source tree.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod architecture;
#[cfg(feature = "daemon")]
mod commands;
mod compat;
#[cfg(feature = "daemon")]
mod crash;
#[cfg(feature = "daemon")]
mod deploy;
#[cfg(feature = "daemon")]
mod docs;
mod plan;
mod questions;
#[cfg(feature = "daemon")]
mod registry;
mod rollout;
#[cfg(feature = "daemon")]
mod since;
#[cfg(feature = "daemon")]
mod world;
