//! The ports over real systems: one module for each kind of system, each behind a trait of [`crate::port`].
//!
//! Rules: no decision is made here; every call has a time-out; what may have happened twice is read back; no secret and
//! no row value reaches an error text.

pub mod clock;
pub mod connect;
pub mod flink_gateway;
#[cfg(any())]
pub mod git;
pub mod registry;
pub mod rest;
#[cfg(any())]
pub mod webhook;

mod flink_cause;
#[cfg(any())]
mod git_program;
