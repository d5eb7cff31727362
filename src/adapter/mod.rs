//! The ports over real systems: one module for each kind of system, each behind a trait of [`crate::port`].
//!
//! Rules: no decision is made here; every call has a time-out; what may have happened twice is read back; no secret
//! reaches an error text. Flink's own messages are passed on and may name a value that could not be read.

pub mod clock;
pub mod connect;
pub mod flink_gateway;
pub mod git;
pub mod registry;
pub mod rest;
pub mod webhook;

mod flink_cause;
mod flink_session;
mod git_program;
mod wording;

#[cfg(test)]
mod edge_tests;
