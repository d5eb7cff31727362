//! The ports over real systems: one module for each kind of system, each behind a trait of [`crate::port`].
//!
//! Rules: no decision is made here; every call has a time-out of its own; what may have happened twice is read back; no
//! secret and no row value reaches an error or a log.

pub mod clock;
pub mod connect;
pub mod flink_gateway;
pub mod git;
pub mod kafka;
pub mod kafka_journal;
pub mod registry;
pub mod rest;
pub mod webhook;

#[cfg(test)]
mod edge_tests;
mod flink_cause;
mod flink_session;
mod flink_shape;
mod git_program;
mod project_files;
mod wording;
