//! Fixtures, snapshots and properties of the core, and rules about the source tree.

mod architecture;
mod plan;
mod rollout;
