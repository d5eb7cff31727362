//! Fixtures, snapshots and properties of the core, and rules about the source tree.

mod architecture;
#[cfg(feature = "daemon")]
mod docs;
mod plan;
mod rollout;
