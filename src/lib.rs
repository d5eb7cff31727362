//! Cyanotype keeps Flink SQL pipelines on Kafka in step with the schemas that feed them.
//!
//! Read the modules in this order:
//!
//! 1. [`model`]: the nouns every layer shares, and [`diagnostic`]: how a problem points at text.
//! 2. [`schema`]: what a schema change means, for the registry and for the data.
//! 3. [`sql`]: Flink SQL as text with spans.
//! 4. `plan`: from an evolution to the smallest right set of changes.
//! 5. `rollout`: the durable state machine that carries a plan out.
//! 6. [`validate`]: what the outputs prove.
//!
//! These are pure: no async, clock, file, socket, environment or randomness. With the feature `daemon` (the default)
//! come the parts that talk to the world: `port`, `adapter`, `daemon`, `web`, `telemetry`, `config` and `cli`.

#[deny(clippy::disallowed_methods)]
pub mod diagnostic;
#[deny(clippy::disallowed_methods)]
pub mod model;
#[deny(clippy::disallowed_methods)]
pub mod plan;
#[deny(clippy::disallowed_methods)]
pub mod rollout;
#[deny(clippy::disallowed_methods)]
pub mod schema;
#[deny(clippy::disallowed_methods)]
pub mod sql;
mod steps;
#[deny(clippy::disallowed_methods)]
pub mod validate;

#[cfg(feature = "daemon")]
pub mod adapter;
#[cfg(feature = "daemon")]
pub mod cli;
#[cfg(feature = "daemon")]
pub mod config;
#[cfg(feature = "daemon")]
pub mod daemon;
#[cfg(feature = "daemon")]
pub mod port;
#[cfg(feature = "daemon")]
pub mod telemetry;
#[cfg(feature = "daemon")]
pub mod web;
